"""The model of the configuration: every key with its type, default, bounds and meaning (light: no imports but these).

From this one source come the JSON schema, the default file ``config/config.yaml`` and the table of keys in
``config/README.md``. To add a key:

1. Add a field to the class of its section, at the place where it shall stand in the files, annotated with ``bool``,
   ``int``, ``float``, ``str``, ``Literal[...]`` of the words to choose from, a ``list`` of one of these, or
   a union of these. A length in Å ends in ``_angstrom``. ``X | None`` is a key that may be absent; with
   ``nullable=True`` it may also be written as null.
   ``key(default, meaning)`` describes it; ``comment`` and ``note`` are what ``config.yaml`` says above and beside it,
   ``minimum``, ``above`` and ``maximum`` bound a number, or each number of a list. ``given(meaning)`` is a key without
   a default. ``only="table"`` is a key of datasets from a table, ``only="folder structures"`` of those two kinds,
   ``only="random"`` one of that kind of initial edge. A new section is a class whose docstring is its meaning, and a
   field ``part(ITS_CLASS)``.
2. ``make config`` writes the three files anew; ``tests/unit/test_config.py`` fails where they differ.
3. A rule on several keys goes into ``hirshprint.config.load._cross_faults`` (keys as written) or ``_complete_faults``
   (defaults filled in), with a message that says what to write, and into ``test_faults_are_named_with_a_remedy``.

Dataclasses and not pydantic: every SLURM job reads the configuration when it parses the Snakefile. Its messages need
jsonschema anyhow; pydantic would add half as much again to the time of the import, and a package to each environment.
"""

from __future__ import annotations

import copy
import dataclasses
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, Self, TypeVar, cast

T = TypeVar("T")
BOUNDS = {"minimum": "minimum", "above": "exclusiveMinimum", "maximum": "maximum"}
WORDS = {bool: "boolean", int: "integer", float: "number", str: "string", types.NoneType: "null"}


def given(meaning: str, **more: Any) -> Any:
    """Describe a key without a default: see the docstring of this module."""
    return dataclasses.field(metadata={"meaning": " ".join(meaning.split()), **more})


def key(default: Any, meaning: str, **more: Any) -> Any:
    """Describe a key: see the docstring of this module."""
    return given(meaning, default=default, **more)


class Section:
    """What all sections share: they are made of mappings, and give them back."""

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Make a section of the mapping that a configuration file has for it.

        Parameters
        ----------
        values : Mapping
            Checked keys of the section (`hirshprint.config.load.resolve_config`). One that is missing has its default,
            or None where the section may be without it.
        """
        model: Any = cls
        keys = keys_of(model).items()
        return cls(**{name: _typed(kind, _value(values, name, described)) for name, (kind, described) in keys})

    def written(self) -> dict[str, Any]:
        """Give the keys of the section as a configuration file has them; those that are absent are left out."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(cast("Any", self))}
        return {name: _written(value) for name, value in values.items() if value is not None}


def part(model: type, **more: Any) -> Any:
    """Describe a key that is a section, by the docstring of its class."""
    return key({}, model.__doc__ or "", **more)


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
    draws: int | None = key(1, "Structures per compound, for `random`.", only="random", minimum=1)
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
        list, an object by id, a table of pandas'), each also as *.gz, or a database of ASE's (*.db, *.json). What is
        said of `property`, `group` and ids stands under "One file of many crystals".""",
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
        """Its unit, for tables and figures: `dimensionless` where it has none. Of a property other than a_angstrom it
        stands as unknown if it is not written. A column `unit` of a table must say the same.""",
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
    learning: Learning = given(
        "Keys of `learning` that this dataset has otherwise, such as the epochs of a small table."
    )


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
class CnnPaper(Section):
    """The paper's kind of convolutional network."""

    epochs: int = key(100, "Epochs of a training.", minimum=1)
    batch_size: int = key(16, "Structures per step.", minimum=1)
    learning_rate: float = key(0.003, "Largest step size of Adam.", above=0)


@dataclass(frozen=True, kw_only=True)
class Readout(Section):
    """The network that reads elements off fingerprints; it needs the channels `site`."""

    epochs: int = key(60, "Epochs of a training.", minimum=1)
    batch_size: int = key(128, "Compounds per step.", minimum=1)
    learning_rate: float = key(0.01, "Largest step size of Adam.", above=0)


@dataclass(frozen=True, kw_only=True)
class Hybrid(Section):
    """The network of elements, properties and fingerprints; it needs the channels `site`."""

    epochs: int = key(120, "Epochs of a training.", minimum=1)
    batch_size: int = key(128, "Compounds per step.", minimum=1)
    learning_rate: float = key(0.005, "Largest step size of Adam.", above=0)


@dataclass(frozen=True, kw_only=True)
class Cgcnn(Section):
    """The crystal-graph convolutional network."""

    epochs: int = key(100, "Epochs of a training.", minimum=1)
    batch_size: int = key(16, "Structures per step.", minimum=1)
    learning_rate: float = key(0.005, "Largest step size of Adam.", above=0)
    radius_angstrom: float = key(5.0, "Atoms this near are neighbours, Å; whole shells, never a fixed number.", above=0)
    start_from: str = key(
        "",
        """Folder of models of an earlier run, `results/DATASET/models`, whose cgcnn the trainings start from: one that
        learned from thousands of computed crystals helps where few are measured. Empty: random weights.""",
        note="folder of models of another dataset to start from; empty: random weights",
    )


@dataclass(frozen=True, kw_only=True)
class Learning(Section):
    """Networks and baselines, all on the same splits by compound."""

    splits: list[Literal["random", "leave-A-out", "leave-B-out", "holdout"]] = key(
        ["random"],
        """Ways to divide the compounds. `random`: k-fold. `leave-A-out`, `leave-B-out`: k-fold over the elements of a
        site, so that a test fold has elements that training never saw. `holdout`: one fold, which tests a fixed
        list.""",
        note="random, leave-A-out, leave-B-out, holdout",
    )
    holdout: list[str] = key([], "Compounds that the split `holdout` tests, as the table names them.")
    learning_curve: list[float] = key(
        [],
        """Shares of the training parts of the split `random` to train on too, with the first seed, for a curve of error
        against training size.""",
        above=0,
        maximum=1,
        note="shares of the training parts to train on too, such as [0.1, 0.25, 0.5]",
    )
    saliency: list[str] = key(
        [],
        """Compounds for which the report shows what regions of their fingerprints `cnn_paper` predicts them from, as
        the table names them; those at the 0.1, 0.5 and 0.9 quantiles of the property where none is named.""",
        note="compounds whose predictions by cnn_paper are explained; [] takes three across the range",
    )
    folds: int = key(5, "Folds of each split.", minimum=2)
    seeds: list[int] = key(
        [0], "Random seeds; every network, and the baseline mlp, is trained once per fold and seed.", minimum=0
    )
    validation_fraction: float = key(
        0.15,
        """Share of the compounds outside the test fold that is kept for validation (choice of settings), not trained
        on.""",
        above=0,
        maximum=0.5,
        note="of the compounds outside the test fold, never trained on",
    )
    networks: list[Literal["cnn_paper", "readout", "cgcnn", "hybrid"]] = key(
        ["cnn_paper", "cgcnn"],
        """Networks to train. `cnn_paper`: the paper's, on the total fingerprint at one initial edge. `readout`: reads
        the elements off the fingerprints of the sites, at all initial edges, and learns from what it read. `cgcnn`:
        the crystal graph at one initial edge, or at all where each compound has its own. `hybrid`: elements, their
        properties and fingerprints together.""",
        note="also readout and hybrid, for thousands of compounds",
    )
    baselines: list[
        Literal["mean", "ridge", "gradient_boosting", "mlp", "svr", "grnn", "cpann", "bond_lengths", "verma"]
    ] = key(
        ["mean", "ridge", "gradient_boosting", "mlp", "svr", "grnn", "cpann", "bond_lengths", "verma"],
        """Baselines to fit on the same folds; they see the composition only. `ridge`: additive in the elements.
        `gradient_boosting`, `svr` (support vectors), `grnn` (kernel regression) and `cpann` (counter-propagation
        network): on element properties. `mlp`: a vector per element and site, trained once per seed. `bond_lengths`
        and `verma`: formulas of ionic radii and charges, coefficients fitted on the training part; for edges of ABX3
        only, and compounds whose ions are not tabulated are left out.""",
    )
    cnn_paper: CnnPaper = part(CnnPaper)
    readout: Readout = part(Readout)
    hybrid: Hybrid = part(Hybrid)
    cgcnn: Cgcnn = part(Cgcnn)
    gpus: Literal[0, 1] = key(
        1,
        "GPUs that the training job asks for; 0 asks for none.",
        note="that the training job asks for; 0 asks for none",
    )
    require_gpu: bool = key(
        False,
        "Stop when training finds no GPU, instead of training on the CPU.",
        note="true: stop when training finds no GPU",
    )
    tensorboard: bool = key(
        False,
        "Write losses and learning rates of the trainings to `logs/DATASET/tensorboard`, for TensorBoard.",
        note="true: write logs/DATASET/tensorboard",
    )


@dataclass(frozen=True, kw_only=True)
class Paper(Section):
    """Datasets that stand for those of the paper, all four or none.

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
    paper: Paper = part(Paper, comment="Datasets that stand for those of the paper: config/paper.yaml has them.")
    report: Report = part(Report)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Make the configuration of a complete mapping; each dataset gets the whole `Learning` that holds for it."""
        datasets = {
            name: {**dataset, "learning": joined_learning(values, name)} for name, dataset in values["datasets"].items()
        }
        return super().from_dict({**values, "datasets": datasets})


def joined_learning(values: Mapping[str, Any], dataset: str) -> dict[str, Any]:
    """Join the keys of ``learning`` with those that a dataset has otherwise, in a mapping of all keys."""
    joined: dict[str, Any] = copy.deepcopy(dict(values.get("learning", {})))
    for name, value in values["datasets"][dataset].get("learning", {}).items():
        joined[name] = joined.get(name, {}) | value if isinstance(value, dict) else value
    return joined


@cache
def keys_of(model: Any) -> dict[str, tuple[Any, dict[str, Any]]]:
    """Keys of a section in the order of the files: the type of a value, and how the key was described."""
    types_of = typing.get_type_hints(model)
    described = {field.name: dict(field.metadata) for field in dataclasses.fields(model)}
    return {
        name: (types_of[name] if "nullable" in more else _present(types_of[name]), more)
        for name, more in described.items()
    }


def needed(value: T | None) -> T:
    """Give the value of a key that is there in a section of this kind.

    Raises
    ------
    TypeError
        It is absent.
    """
    if value is None:
        raise TypeError("a key of the configuration is asked for that a section of this kind does not have")
    return value


def keys_only_for(model: type) -> dict[str, set[str]]:
    """Keys of a section that belong to one kind of it alone, by kind."""
    only: dict[str, set[str]] = {}
    for name, (_, described) in keys_of(model).items():
        if "only" in described:
            for kind in described["only"].split():
                only.setdefault(kind, set()).add(name)
    return only


@cache
def json_schema(model: type = Config) -> dict[str, Any]:
    """Return the JSON schema of a section (draft 2020-12); by default of the whole configuration."""
    properties, required = {}, []
    for name, (kind, described) in keys_of(model).items():
        bounds = {word: described[ours] for ours, word in BOUNDS.items() if ours in described}
        default = {"default": described["default"]} if "default" in described else {}
        properties[name] = {"description": described["meaning"], **_schema_of(kind, bounds), **default}
        if default.get("default") == []:
            del properties[name]["minItems"]  # none is what most write
        if default.get("default") == {}:
            properties[name].pop("minProperties", None)
        required += [name] if described.get("required") else []
    closed = {"type": "object", "additionalProperties": False}
    return closed | ({"required": required} if required else {}) | {"properties": properties}


def _schema_of(kind: Any, bounds: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a value of this type."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if dataclasses.is_dataclass(kind):
        return json_schema(typing.cast(type, kind))
    if origin is Literal:
        return {"enum": list(inner)}
    if origin is list:
        return {"type": "array", "minItems": 1, "uniqueItems": True, "items": _schema_of(inner[0], bounds)}
    if origin is dict:
        name = {"pattern": "^[A-Za-z0-9_-]+$"}
        return {
            "type": "object",
            "minProperties": 1,
            "propertyNames": name,
            "additionalProperties": _schema_of(inner[1], bounds),
        }
    if origin in (types.UnionType, typing.Union):
        words = [word for choice in inner for word in typing.get_args(choice)]
        patterns = {"pattern": f"^({'|'.join(words)})$"} if words else {}
        return {"type": [WORDS.get(choice, "string") for choice in inner], **bounds, **patterns}
    return {"type": WORDS[kind], **bounds}


def _present(kind: Any) -> Any:
    """Type of a value that is not absent."""
    choices = typing.get_args(kind)
    if types.NoneType not in choices:
        return kind
    return typing.Union[tuple(choice for choice in choices if choice is not types.NoneType)]  # noqa: UP007


def _value(values: Mapping[str, Any], name: str, described: Mapping[str, Any]) -> Any:
    """Value of a key, or its default unless it may be absent."""
    if name in values or not {"only", "may_be_absent"}.isdisjoint(described):
        return values.get(name)
    return copy.deepcopy(described.get("default"))


def _typed(kind: Any, value: Any) -> Any:
    """Give a value of a checked configuration its type: sections become dataclasses, all else is as it was."""
    kind = _present(kind)
    inner = typing.get_args(kind)
    if value is None:
        return None
    if dataclasses.is_dataclass(kind):
        return cast("type[Section]", kind).from_dict(value)
    if typing.get_origin(kind) is list:
        return [_typed(inner[0], one) for one in value]
    if typing.get_origin(kind) is dict:
        return {name: _typed(inner[1], one) for name, one in value.items()}
    return value


def _written(value: Any) -> Any:
    if isinstance(value, Section):
        return value.written()
    if isinstance(value, list):
        return [_written(one) for one in value]
    return {name: _written(one) for name, one in value.items()} if isinstance(value, dict) else value
