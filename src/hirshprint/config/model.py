"""The model of the configuration: every key with its type, default, bounds and meaning (light: no imports but these).

From this one source come the JSON schema, the default file ``config/config.yaml`` and the table of keys in
``config/README.md``. To add a key:

1. Add a field to the class of its section, in the order of the files, annotated with ``bool``,
   ``int``, ``float``, ``str``, ``Literal[...]`` of the words to choose from, a ``list`` of one of these, or
   a union of these. A length in Å ends in ``_angstrom``. ``X | None`` is a key that may be absent; with
   ``nullable=True`` it may also be written as null.
   ``key(default, meaning)`` describes it; ``comment`` and ``note`` are what ``config.yaml`` says above and beside it,
   ``minimum``, ``above`` and ``maximum`` bound a number, or each number of a list. ``given(meaning)`` is a key without
   a default. ``only="table"`` is a key of datasets from a table, ``only="folder structures"`` of those two kinds,
   ``only="random"`` one of that kind of initial edge. A new section is a class whose docstring is its meaning, and a
   field ``part(ITS_CLASS)``.
2. ``make config`` writes the three files anew; ``tests/unit/test_config.py`` fails where they differ.
3. A rule on several keys goes into ``hirshprint.config.faults.cross_faults`` (keys as written) or ``complete_faults``
   (defaults filled in), with a message that says what to write, and into ``test_faults_are_named_with_a_remedy``.

The sections of learning and of each network are in `hirshprint.config.learning`, what describes a key in
`hirshprint.config.keys`.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from hirshprint.config.keys import Section, given, key, part
from hirshprint.config.learning import Learning

TARGET_KEYS = ("per", "scale", "values")
"""Keys of a dataset that say what kind of number its property is; they come with a model."""


@dataclass(frozen=True, kw_only=True)
class InitialEdge(Section):
    """The edge that each structure is built with before its true edge is known.

    A column `initial_edge_angstrom` of the table overrides it row by row.
    """

    kind: Literal["fixed", "random", "list", "radii"] = key(
        "fixed",
        """`fixed`: one edge, `edge_angstrom`. `list`: every edge of `edges_angstrom`. `random`: `draws` edges between
        `low_angstrom` and `high_angstrom`; a draw depends only on the seed, the formula and its number. `radii`: the
        edge at which hard spheres of Slater's atomic radii touch, one for each compound.""",
    )
    edge_angstrom: float | None = key(4.5, "Å, for `fixed`.", only="fixed", minimum=1)
    edges_angstrom: list[float] | None = key([4.0, 4.5, 5.0], "Å, for `list`.", only="list", minimum=1)
    low_angstrom: float | None = key(3.5, "Å, for `random`.", only="random", minimum=1)
    high_angstrom: float | None = key(5.5, "Å, for `random`.", only="random", minimum=1)
    draws: int | None = key(
        1,
        "Structures per compound, for `random`: networks learn from all, predictions are made for the first eight.",
        only="random",
        minimum=1,
    )
    seed: int | None = key(0, "Seed, for `random`.", only="random", minimum=0)


@dataclass(frozen=True, kw_only=True)
class Filter(Section):
    """A step that takes rows of a table out."""

    name: str = given("What the report calls it, e.g. a > 5 Å.", required=True)
    column: str | None = given("Column with a number.")
    above: float | None = given("Rows with a larger number go.")
    below: float | None = given("Rows with a smaller number go.")
    elements: dict[str, list[str]] | None = given("By site the elements that stay.")


@dataclass(frozen=True, kw_only=True)
class Dataset(Section):
    """A table of compositions, a folder of files or a file of many crystals, and the property to learn or predict."""

    source: str | None = given("Where the table, folder or file comes from, in words; shown where it is not at hand.")
    table: str | None = given(
        """CSV file with the columns formula, A, B, X (the sites of the prototype) and the property (the default is
        a_angstrom). Without columns for the sites, formulas are read in their order: ABX3.""",
        only="table",
        comment="A table of compositions (columns formula, A, B, X and the property) placed on a prototype ...",
    )
    prototype: str | None = key(
        "cubic_perovskite",
        """The structure that the table's compounds are placed on: `cubic_perovskite` ABX3, `anti_perovskite` X3AB (the
        anion on B), `double_perovskite` A2BB2X6 (rock-salt order; its edge is half of that of the conventional cell),
        or the folder of one of your own, with `sites.csv` and a structure file.""",
        only="table",
    )
    initial_edge: InitialEdge | None = part(
        InitialEdge,
        only="table",
        comment="""... at an edge that has nothing to do with the measured one, which is to be predicted:
  {kind: fixed, edge_angstrom: 4.5}
  {kind: list, edges_angstrom: [4.0, 4.5, 5.0]}
  {kind: random, low_angstrom: 3.5, high_angstrom: 5.5, draws: 1, seed: 0}""",
    )
    filters: list[Filter] | None = given(
        """Steps that take rows of a table out, in this order; the report says how many each took. Each has a `name`,
        and a `column` with `above` or `below` (rows beyond that number go) or `elements` (by site those that stay):
        `{name: a > 5 Å, column: a_angstrom, above: 5}`, `{name: square, elements: {A: [Ca, Sr], B: [Ti, Zr]}}`.""",
        only="table",
    )
    folder: str | None = given(
        """Folder of structure files: CIF (*.cif, *.mcif), POSCAR and CONTCAR (*.vasp, *.poscar, *.contcar, POSCAR_*,
        CONTCAR_*, */POSCAR, */CONTCAR), *.res of SHELX, *.cssr, *.xsf, *.gen, extended *.xyz, *.json of pymatgen; each
        also with .gz.""",
        only="folder",
    )
    structures: str | None = given(
        """One file with many crystals: extended XYZ (*.extxyz, *.xyz), JSON lines (*.jsonl, *.ndjson), JSON (*.json; a
        list, an object by id, a table of pandas'), a table with CIFs (*.csv), each also as *.gz, or a database of ASE's
        (*.db, *.json). "One file of many crystals" says where `property`, `group` and ids are.""",
        only="structures",
    )
    targets: str | None = given(
        """CSV file with the columns structure_id (the file's stem, the record's id) and the property, for a folder or a
        file of many crystals. Without it, and without a `property` in that file, there are surfaces and fingerprints,
        but nothing is learned.""",
        only="folder structures",
    )
    elements: dict[str, list[str]] | None = given(
        """Lists of elements by site, `{A: [Ca, Sr], B: [Ti], X: [O]}`: the property of every combination is predicted
        with `model`.""",
        only="elements",
    )
    model: str | None = given(
        """Predict the property of these compounds instead of learning from it: the name of a dataset of this
        configuration whose networks are taken, or a folder `results/DATASET/models` of an earlier run. Prototype,
        initial edge, property and unit are those of the model."""
    )
    property: str | None = key(
        "a_angstrom",
        """Column with the property to learn; with `structures` and no `targets`, the field of each record that has it
        (no default: nothing is learned without it).""",
        may_be_absent=True,
    )
    unit: str = key(
        "Å",
        """Its unit, for tables and figures: `dimensionless` where it has none. Without this key the unit of any
        property but a_angstrom is shown as unknown. A column `unit` of a table must say the same.""",
    )
    values: Literal["number", "yes_no"] = key(
        "number",
        """`yes_no`: answers (is it a metal?), written yes and no, true and false, or 1 and 0, of which the probability
        of yes is predicted; `unit` is left out.""",
        note="or yes_no: an answer, of which the probability of yes is predicted",
    )
    per: Literal["atom", "formula_unit", "cell"] = key(
        "atom",
        """`atom`: the property does not grow with the cell (a band gap, an energy per atom). `cell`, `formula_unit`: it
        is the sum over these atoms (an energy of the cell, as its file gives it), learned by atom.""",
        note="or cell, formula_unit: the sum over these atoms, learned by atom",
    )
    scale: Literal["linear", "log"] = key(
        "linear",
        """`log`: its decimal logarithm is learned (of what spans decades, as moduli); predictions and errors are in
        its own unit, and the metrics also have the error in decades. Values must be above zero.""",
        note="or log: its decimal logarithm is learned",
    )
    group: str | None = given(
        """Column (of the table or of `targets`), or field of the records, that says what no split may separate. Without
        it, rows of one compound and files of one reduced formula stay together."""
    )
    duplicates: Literal["reject", "mean"] = key(
        "reject",
        "Rows of one compound with different values: `reject` all, or take their `mean`. Equal ones count once.",
        note="rows of one compound with different values; mean: take their mean",
    )
    learning: Learning = given("Keys of `learning` that differ for this dataset, such as the epochs for a small table.")
    own_learning: tuple[str, ...] = ()  # no key of the file: which keys of `learning` the dataset itself has


@dataclass(frozen=True, kw_only=True)
class Fetch(Section):
    """A table from an OPTIMADE provider."""

    url: str = given("Base URL of the provider.", required=True)
    filter: str = given("What to ask for, in the filter language of OPTIMADE.", required=True)
    prototype: str = key(
        "cubic_perovskite", "Crystals of this prototype get into the table; their sites come from coordination."
    )
    prefer: str = key(
        "",
        """Field of the provider by which one of several entries of a compound is chosen: the smallest counts. Empty, or
        equal: the first id.""",
    )
    first_pause_seconds: float = key(
        1, "Pause after a request that failed; doubled each time, up to two minutes.", above=0
    )


@dataclass(frozen=True, kw_only=True)
class Tonto(Section):
    """The external program Tonto."""

    binary: str = key(
        "",
        """The program, or a script that starts it (with an environment module or a container). Empty: that of the
        environment variable HIRSHPRINT_TONTO, if any.""",
        note="empty: the environment variable HIRSHPRINT_TONTO",
    )
    basis_directory: str = key(
        "",
        """Folder with Tonto's basis file `Thakkar`. Empty: that of the environment variable
        TONTO_BASIS_SET_DIRECTORY, else `../share/tonto/basis_sets` beside the program.""",
        note="empty: TONTO_BASIS_SET_DIRECTORY, else the one beside the program",
    )
    separation_bohr: float = key(
        0.15,
        "Length of a cell of Tonto's grid, bohr. Time grows with its inverse square.",
        minimum=0.02,
        maximum=1,
        note="cell of Tonto's grid",
    )
    time_limit_seconds: float = key(
        300,
        """Most time for one surface, of which 1 to 8 s are usual. After the last attempt its structure has failed; with
        another limit it is tried again.""",
        above=0,
        note="for one surface",
    )
    keep_scratch: bool = key(
        False,
        "Keep the scratch folder (under TMPDIR) of a run that failed; the log says where it is.",
        note="true: keep the folder of a run that failed",
    )


@dataclass(frozen=True, kw_only=True)
class Surfaces(Section):
    """The Hirshfeld surfaces."""

    engine: Literal["auto", "tonto", "python"] = key(
        "auto",
        """What makes the surfaces. `python`: the bundled engine. `tonto`: an installed Tonto. `auto`: Tonto where a
        binary is configured (and `densities` are its own, `thakkar`), else Python. It is chosen once, when a run
        starts, for all of its jobs.""",
        note="tonto, python, or auto: Tonto where a binary is configured, else Python",
    )
    structures_per_job: int | Literal["auto"] | None = key(
        "auto",
        """Structures that one surface job computes. `auto` (or null): about a minute of work for each job, estimated
        from the sites of a prototype or the sizes of the files. A job takes some seconds to start, a structure some
        milliseconds with Python and some ten seconds with Tonto. 1 makes one job per structure.""",
        minimum=1,
        nullable=True,
        note="auto: about a minute of work for each job; or a number, 1: one job per structure",
    )
    mesh_level: int = key(
        10,
        """Fineness of the directions in which the surface is looked for: each of the 48 right-angled triangles that the
        cube's mirror planes cut the sphere into has its edges divided by this number (24 n² + 2 directions, of which
        symmetry leaves 1/48 on a cubic site). benchmarks/surfaces.py prints what it changes.""",
        minimum=2,
        maximum=128,
        note="Python: fineness of the directions in which the surface is looked for",
    )
    tonto: Tonto = part(Tonto)
    compare_structures: int = key(
        0,
        """Structures of each dataset to compute with both engines, for a table and a figure of the differences in the
        report; 0 for none.""",
        minimum=0,
        note="structures of each dataset to compute with both engines, for the report",
    )


@dataclass(frozen=True, kw_only=True)
class Bins(Section):
    """The bins, the same on both axes."""

    count: int = key(50, "Number of bins per axis.", minimum=2)
    low_angstrom: float = key(0.76, "Lower end of the range, Å.", minimum=0)
    high_angstrom: float = key(2.8, "Upper end of the range, Å; what lies outside is counted as overflow.", above=0)


@dataclass(frozen=True, kw_only=True)
class Fingerprint(Section):
    """The histogram of (d_i, d_e) that is made of the surfaces."""

    weighting: Literal["area", "paper"] = key(
        "area",
        """`area`: each point carries its share of the surface area, so that nothing depends on the mesh. `paper`:
        points at regular places in each triangle, each counting one, as in the paper.""",
        note="area (independent of the mesh) or paper (points per triangle)",
    )
    channels: list[Literal["total", "site", "inside"]] = key(
        ["total", "site", "inside"],
        """`total`: all atoms of the cell (the paper). `site`: one channel per site of the prototype (A, B, X); left out
        for folders. `inside`: one channel for anions and one for cations.""",
    )
    normalise: Literal["none", "formula_unit", "sum"] = key(
        "formula_unit",
        "Counts as they are (`none`), per formula unit (`formula_unit`), or as shares of one (`sum`).",
        note="none, formula_unit or sum",
    )
    bins: Bins = part(Bins)


@dataclass(frozen=True, kw_only=True)
class Paper(Section):
    """Datasets that take the place of the paper's, all four or none.

    With them the report has a counterpart of each of the paper's tables and figures; config/paper.yaml has them.
    """

    oqmd: str | None = given("Oxides of the OQMD at random initial edges.")
    experimental: str | None = given("Measured edges, in the place of Kuzmanovski's table, at one initial edge.")
    second_experimental: str | None = given("Measured edges, in the place of Sidey's table.")
    estimated_edge: str | None = given("Oxides of the OQMD at an initial edge that is estimated from the composition.")


@dataclass(frozen=True, kw_only=True)
class Report(Section):
    """The report."""

    compounds: list[str] = key(
        [],
        """Compounds whose surfaces the report shows in three dimensions, before those of the worst and of the most
        uncertain predictions (200 compounds of a dataset in all): names as in the table of compounds, `SrTiO3`.""",
        note="whose surfaces the report shows in 3-D, before the worst and the most uncertain predictions",
    )


@dataclass(frozen=True, kw_only=True)
class Config(Section):
    """Every key of a configuration file, with its default. Unknown keys are refused."""

    datasets: dict[str, Dataset] = given(
        """What to compute: a name (letters, digits, "_", "-") for each dataset. A dataset is a `table` of compositions
        placed on a `prototype`, a `folder` of structure files, a file `structures` with many crystals, or lists of
        `elements` to be combined.""",
        required=True,
        comment="A name for each dataset: the folder results/NAME is made for it.",
        after="""Or a folder of CIF or POSCAR files, and a table with the columns structure_id (the file's stem) and \
the property:
mine:
  folder: structures
  targets: targets.csv
  property: band_gap
  unit: eV
Or one file with many crystals, here with the property in it:
many:
  structures: crystals.jsonl.gz
  property: band_gap
  unit: eV""",
    )
    fetch: dict[str, Fetch] | None = given(
        """Tables that `snakemake fetch_NAME` makes from the answers of an OPTIMADE provider: results/fetched/NAME.csv;
        needs `make env-fetch`."""
    )
    strict: bool = key(
        False,
        """Stop when any row or file is rejected, instead of going on with the good ones. Remarks on files that are used
        stop nothing.""",
        comment="Stop when any row or file is rejected, instead of going on with the good ones.",
    )
    densities: Literal["thakkar", "x2c"] = key(
        "thakkar",
        """Free-atom densities. `thakkar`: non-relativistic Hartree-Fock atoms of Koga, Kanayama, Watanabe and Thakkar,
        as Tonto uses them. `x2c`: scalar-relativistic PBE0 atoms of the package atomref.""",
        comment="Free-atom densities: thakkar (Hartree-Fock atoms, as Tonto uses) or x2c (scalar-relativistic PBE0).",
    )
    surfaces: Surfaces = part(Surfaces)
    fingerprint: Fingerprint = part(Fingerprint)
    learning: Learning = part(Learning)
    compounds: dict[str, float] = key(
        {},
        """Compounds ABX3 to draw one by one for the report (structure, surfaces, fingerprint, fingerprints by edge),
        each with the edge in Å of the cubic perovskite that it is placed on, such as `SrTiO3: 3.905`.""",
        minimum=1,
        comment="Compounds to draw one by one for the report, each with its edge in Å; for example {SrTiO3: 3.905}.",
    )
    paper: Paper = part(Paper, comment="Datasets that take the place of the paper's: see config/paper.yaml.")
    report: Report = part(Report)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Make the configuration of a complete mapping; each dataset gets the whole `Learning` that holds for it."""
        datasets = {
            name: {**dataset, "learning": joined_learning(values, name)} for name, dataset in values["datasets"].items()
        }
        config = super().from_dict({**values, "datasets": datasets})
        own = {name: tuple(dataset.get("learning", {})) for name, dataset in values["datasets"].items()}
        typed = config.datasets.items()
        return dataclasses.replace(
            config, datasets={name: dataclasses.replace(dataset, own_learning=own[name]) for name, dataset in typed}
        )


def joined_learning(values: Mapping[str, Any], dataset: str) -> dict[str, Any]:
    """Join the keys of ``learning`` with those that a dataset has otherwise, in a mapping of all keys."""
    joined: dict[str, Any] = copy.deepcopy(dict(values.get("learning", {})))
    for name, value in values["datasets"][dataset].get("learning", {}).items():
        joined[name] = joined.get(name, {}) | value if isinstance(value, dict) else value
    return joined
