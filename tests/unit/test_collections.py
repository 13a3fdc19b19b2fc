"""One file with many crystals: every kind of it, and every fault."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pymatgen.core import Lattice
from pymatgen.core import Structure as Crystal
from written_settings import build_structures, has_property, make_structures, plan_dataset

from hirshprint.structures.building import _tasks
from hirshprint.structures.entries import InputError, Plan, geometry_digest, target_digest
from hirshprint.structures.reading.records import read_record
from hirshprint.structures.sources.collections import has_many
from hirshprint.structures.sources.frames import read_comment
from hirshprint.structures.structure import Structure

ROOT = Path(__file__).parents[2]
RUTILE = Crystal.from_spacegroup(
    "P4_2/mnm", Lattice.tetragonal(4.594, 2.959), ["Ti", "O"], [[0, 0, 0], [0.305, 0.305, 0]]
)
SKEW = Crystal(
    Lattice.from_parameters(5, 6, 7, 80, 95, 103), ["Na", "Cl", "O"], [[0, 0, 0], [0.33, 0.14, 0.46], [0.6, 0.7, 0.2]]
)
VALUES = {"rutile": -3.25, "skew": 0.5}
CRYSTALS = {"rutile": RUTILE, "skew": SKEW}


def plain(crystal: Crystal, **more: Any) -> dict[str, Any]:
    """A crystal as a plain object."""
    return {
        "cell": [*crystal.lattice.abc, *crystal.lattice.angles],
        "sp": [site.specie.symbol for site in crystal],
        "frac": crystal.frac_coords.tolist(),
        **more,
    }


def with_rows(crystal: Crystal, **more: Any) -> dict[str, Any]:
    """A crystal as a plain object with rows, atomic numbers and places in Å."""
    return {
        "lattice": crystal.lattice.matrix.tolist(),
        "numbers": [site.specie.Z for site in crystal],
        "positions": crystal.cart_coords.tolist(),
        "pbc": True,
        **more,
    }


def frame(crystal: Crystal, info: str) -> str:
    """A crystal as a frame of extended XYZ, with a column that nobody asked for."""
    cell = " ".join(f"{x:.10f}" for x in crystal.lattice.matrix.ravel())
    head = f'Lattice="{cell}" Properties=species:S:1:pos:R:3:forces:R:3 {info} pbc="T T T"'
    atoms = [f"{s.specie.symbol} {s.coords[0]:.10f} {s.coords[1]:.10f} {s.coords[2]:.10f} 0 0 1" for s in crystal]
    return "\n".join([str(len(atoms)), head, *atoms]) + "\n"


def lines(*objects: Any) -> str:
    return "".join(f"{json.dumps(one)}\n" for one in objects)


FORMS = {
    "x.jsonl": lambda: lines(*(plain(c, id=n, gap=VALUES[n]) for n, c in CRYSTALS.items())),
    "x.ndjson": lambda: "\n" + lines(*(with_rows(c, structure_id=n, gap=VALUES[n]) for n, c in CRYSTALS.items())),
    "x.json": lambda: json.dumps([c.as_dict() | {"id": n, "gap": VALUES[n]} for n, c in CRYSTALS.items()]),
    "under.json": lambda: json.dumps(
        [{"material_id": n, "properties": {"gap": VALUES[n]}, "structure": c.as_dict()} for n, c in CRYSTALS.items()]
    ),
    "text.jsonl": lambda: lines(*({"id": n, "gap": VALUES[n], "structure": c.to_json()} for n, c in CRYSTALS.items())),
    "by_id.json": lambda: json.dumps({n: plain(c, gap=str(VALUES[n])) for n, c in CRYSTALS.items()}, indent=1),
    "pandas.json": lambda: json.dumps(
        {
            "index": list(CRYSTALS),
            "columns": ["structure", "gap"],
            "data": [[c.as_dict(), VALUES[n]] for n, c in CRYSTALS.items()],
        }
    ),
    "x.extxyz": lambda: "\n".join(frame(c, f"id={n} gap={VALUES[n]}") for n, c in CRYSTALS.items()),
    "x.xyz": lambda: "".join(frame(c, f'id="{n}" "gap"={VALUES[n]}') for n, c in CRYSTALS.items()),
}


def jarvis(crystal: Crystal, cartesian: bool, **more: Any) -> dict[str, Any]:
    """A crystal as JARVIS has it."""
    atoms = {
        "lattice_mat": crystal.lattice.matrix.tolist(),
        "coords": (crystal.cart_coords if cartesian else crystal.frac_coords).tolist(),
        "elements": [site.specie.symbol for site in crystal],
        "abc": list(crystal.lattice.abc),
        "angles": list(crystal.lattice.angles),
        "cartesian": cartesian,
    }
    return {"atoms": atoms, **more}


def optimade(crystal: Crystal, name: str, **more: Any) -> dict[str, Any]:
    """A crystal as an entry of OPTIMADE's."""
    symbols = [site.specie.symbol for site in crystal]
    attributes = {
        "lattice_vectors": crystal.lattice.matrix.tolist(),
        "cartesian_site_positions": crystal.cart_coords.tolist(),
        "species_at_sites": [f"{symbol}1" for symbol in symbols],
        "species": [
            {"name": f"{symbol}1", "chemical_symbols": [symbol], "concentration": [1.0]} for symbol in set(symbols)
        ],
        "dimension_types": [1, 1, 1],
        "elements": sorted(set(symbols)),
    }
    return {"id": name, "type": "structures", "attributes": attributes | more}


def entry(crystal: Crystal, name: str, value: float) -> dict[str, Any]:
    """A crystal as an entry of pymatgen's, as Alexandria has it."""
    return {"energy": -1.0, "entry_id": None, "structure": crystal.as_dict(), "data": {"mat_id": name, "gap": value}}


def table(*rows: dict[str, Any]) -> str:
    """A CSV table; its cells may have several lines."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def cif(crystal: Crystal, line_end: str = "\n") -> str:
    return str(crystal.to(fmt="cif")).replace("\n", line_end)


FORMS |= {
    "cif.jsonl": lambda: lines(*({"id": n, "gap": VALUES[n], "cif": cif(c)} for n, c in CRYSTALS.items())),
    "large.jsonl": lambda: lines(
        *({"id": n, "gap": VALUES[n], "cif": cif(c).replace("_cell_", "_CELL_")} for n, c in CRYSTALS.items())
    ),
    "cif.csv": lambda: table(*({"": 7, "id": n, "cif": cif(c), "gap": VALUES[n]} for n, c in CRYSTALS.items())),
    "ends.csv": lambda: table(
        *({"gap": VALUES[n], "mat_id": n, "structure": cif(c, "\r\n")} for n, c in CRYSTALS.items())
    ),
    "json.csv": lambda: table(
        *({"structure_id": n, "gap": f" {VALUES[n]} ", "structure": c.to_json()} for n, c in CRYSTALS.items())
    ),
    "jarvis.json": lambda: json.dumps(
        [jarvis(c, n == "skew", jid=n, gap=VALUES[n], elements=["x"]) for n, c in CRYSTALS.items()]
    ),
    "optimade.json": lambda: json.dumps(
        {"data": [optimade(c, n, gap=VALUES[n]) for n, c in CRYSTALS.items()], "meta": {}}
    ),
    "optimade.jsonl": lambda: lines({"x-optimade": {}}, *(optimade(c, n, gap=VALUES[n]) for n, c in CRYSTALS.items())),
    "entries.json": lambda: json.dumps({"entries": [entry(c, n, VALUES[n]) for n, c in CRYSTALS.items()]}),
    "verbosity.jsonl": lambda: lines(
        *({"id": n, "gap": VALUES[n], "structure": c.as_dict(verbosity=0)} for n, c in CRYSTALS.items())
    ),
}


def plan_of(path: Path, text: str, **more: Any) -> Plan:
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text, encoding="utf-8")
    return plan_dataset({"structures": str(path), "property": "gap", "unit": "eV"} | more)


def built(plan: Plan) -> dict[str, Structure]:
    """Read all entries here, without a process of its own."""
    assert not plan.rejections
    return {task[1]: read_record(*task[0], task[1]) for task in _tasks(plan.entries)}  # type: ignore[misc]


def check(found: dict[str, Structure]) -> None:
    assert list(found) == list(CRYSTALS)
    for name, crystal in CRYSTALS.items():
        structure = found[name]
        assert structure.numbers.tolist() == [site.specie.Z for site in crystal]
        lattice = np.array(crystal.lattice.matrix)
        assert np.allclose(structure.lattice @ structure.lattice.T, lattice @ lattice.T, atol=1e-6)
        difference = structure.frac - crystal.frac_coords
        assert np.allclose(difference, np.round(difference), atol=1e-6)
    assert found["rutile"].multiplicity.tolist() == [2, 4]


def test_all_kinds_give_the_same_crystals(tmp_path: Path) -> None:
    together, plans = [], []
    for name, write in FORMS.items():
        for ending in ("", ".gz"):
            plan = plan_of(tmp_path / f"{name}{ending}", write())
            assert not plan.rejections, name
            assert {entry.structure_id: entry.target for entry in plan.entries} == VALUES, name
            plans.append(plan)
            together += [(f"{name}{ending}", entry) for entry in plan.entries]
    structures = {name: built(plan) for name, plan in zip([*FORMS], plans[::2], strict=True)}
    for found in structures.values():
        check(found)
    assert {entry.source for name, entry in together if name == "x.ndjson"} == {
        f"{tmp_path / 'x.ndjson'} line {number}" for number in (2, 3)
    }
    rows = len(RUTILE) + 3  # of the first frame, with a blank line after it
    assert [entry.source.partition(" ")[2] for name, entry in together if name == "x.extxyz"] == [
        "frame 1 (line 1)",
        f"frame 2 (line {rows + 1})",
    ]


@pytest.mark.parametrize("name", ["x.db", "x_db.json"])
def test_databases_of_ase(tmp_path: Path, name: str) -> None:
    db = pytest.importorskip("ase.db", reason="ase is not in this environment: make env")
    from ase import Atoms

    with db.connect(str(tmp_path / name), type="db" if name.endswith("db") else "json") as database:
        for key, crystal in CRYSTALS.items():
            symbols = [site.specie.symbol for site in crystal]
            atoms = Atoms(symbols, positions=crystal.cart_coords, cell=crystal.lattice.matrix, pbc=True)
            database.write(atoms, structure_id=key, gap=VALUES[key])
        database.write(Atoms("H2", positions=[[0, 0, 0], [0, 0, 0.74]], cell=[9, 9, 9], pbc=[1, 1, 0]), gap=1)
    settings = {"structures": str(tmp_path / name), "property": "gap", "unit": "eV"}
    plan = plan_dataset(settings)
    assert [entry.target for entry in plan.entries] == [-3.25, 0.5, 1]
    stem = name.partition(".")[0]
    assert [entry.structure_id for entry in plan.entries] == ["rutile", "skew", f"{stem}-0003"]
    structures, _, (rejection,) = build_structures(plan.entries, settings)
    check({structure.structure_id: structure for structure in structures})
    assert rejection.source.endswith(f"{name} row 3")
    assert "does not repeat in three directions" in rejection.reason


BAD = {
    "{": "it is cut off at its end",
    '{"id": "x", "gap": 1, "cell": [4.6, 4.': "it is cut off at its end",
    '{"id": "x", "ga': "it is cut off at its end, or a text in it has no closing quote",
    '{"id": "x", gap: 1}': "it is not JSON (from character 13 on)",
    '"text"': "it is not an object with a crystal",
    "[1, 2]": "it is not an object with a crystal",
    json.dumps(plain(RUTILE, id="x")): "it has no gap",
    json.dumps(plain(RUTILE, id="x", gap="wide")): "'wide' as gap is not a number",
    json.dumps(plain(RUTILE, id="x", gap=True)): "'True' as gap is not a number",
    json.dumps(plain(RUTILE, id="x", gap=float("nan"))): "gap is nan, no finite number",
    json.dumps(plain(RUTILE, id="x", gap="1e999")): "gap is 1e999, no finite number",
    json.dumps(plain(RUTILE, id=" ", gap=1)): "its id '' cannot name a structure",
    json.dumps(plain(RUTILE, id="a\nb", gap=1)): "cannot name a structure",
    json.dumps(plain(RUTILE, id="x" * 200, gap=1)): "cannot name a structure",
    json.dumps(plain(RUTILE, id=[1], gap=1)): "its id is [1], neither text nor a whole number",
    json.dumps(plain(RUTILE, id="x", gap=10**400)): "no finite number",
    json.dumps(plain(RUTILE, id="x", gap="1_0")): "'1_0' as gap is not a number",
    json.dumps(plain(RUTILE, id="x", gap=1))[:-1] + ', "gap": 2}': "the key gap is given twice in one object",
    json.dumps({"id": "x", "structure": "data_x\n_cell_volume 4", "gap": 1}): "in `structure`: it is text",
    json.dumps(plain(RUTILE, id="good", gap=1)): "2 records have the id good: line 1, line 2",
}
UNUSABLE: dict[str, tuple[dict[str, Any], str]] = {
    "no cell": ({"cell": None}, "`cell` is neither three rows nor six"),
    "five constants": ({"cell": [4, 4, 3, 90, 90]}, "`cell` is neither three rows nor six cell constants"),
    "two rows": ({"cell": [[4, 0, 0], [0, 4, 0]]}, "neither three rows nor six"),
    "a row of two": ({"cell": [[4, 0, 0], [0, 4], [0, 0, 3]]}, "row 2 of `cell` is not three numbers"),
    "an angle of 0": ({"cell": [4, 4, 3, 90, 90, 0]}, "the cell constants 4 4 3 90 90 0 make no cell"),
    "angles that close": ({"cell": [4, 4, 3, 30, 30, 90]}, "the cell constants 4 4 3 30 30 90 make no cell"),
    "no volume": ({"cell": [[4, 0, 0], [0, 4, 0], [4, 4, 0]]}, "its lattice vectors lie in one plane"),
    "two cells": ({"lattice": [[4, 0, 0], [0, 4, 0], [0, 0, 3]]}, "it has `lattice` and `cell`"),
    "fewer places": ({"frac": [[0, 0, 0]]}, "`sp` names 6 atoms, `frac` has 1 places"),
    "a place of two": ({"frac": [[0, 0]] * 6}, "row 1 of `frac` is not three numbers"),
    "text": ({"frac": [[0, 0, "x"]] * 6}, "'x' in row 1 of `frac` is not a number"),
    "null": ({"frac": [[0, 0, None]] * 6}, "null in row 1 of `frac` is not a number"),
    "nan": ({"frac": [[0, float("nan"), 0]] * 6}, "not finite"),
    "both places": ({"positions": [[0, 0, 0]] * 6}, "it has `frac` and `positions`"),
    "unknown": ({"sp": ["Ti", "Ti", "Qq", "O", "O", "O"]}, "unknown element 'Qq'"),
    "lower case": ({"sp": ["ti"] * 6}, "unknown element 'ti' (atom 1)"),
    "number 0": ({"sp": [0] * 6}, "unknown element 0 (atom 1)"),
    "number 119": ({"sp": [119] * 6}, "unknown element 119"),
    "too heavy": ({"sp": ["Rf", "Ti", "O", "O", "O", "O"]}, "no free-atom density"),
    "no list": ({"sp": "TiO2"}, "`sp` is not a list"),
    "half": ({"sp": [[{"element": "Ti", "occu": 0.5}], *["O"] * 5]}, "partial occupancy or disorder (atom 1)"),
    "mixed": ({"sp": [[{"element": "Ti", "occu": 0.5}, {"element": "Zr", "occu": 0.5}], *["O"] * 5]}, "disorder"),
    "shares": ({"sp": [{"Ti": 0.5, "Zr": 0.5}, *["O"] * 5]}, "partial occupancy or disorder (atom 1)"),
    "a share": ({"sp": [{"Ti": 0.5}, *["O"] * 5]}, "partial occupancy or disorder (atom 1)"),
    "in text": ({"sp": ["Ti0.5Zr0.5", *["O"] * 5]}, "partial occupancy or disorder (atom 1): Ti0.5Zr0.5"),
    "in words": ({"sp": ["Ti:0.5, Zr:0.5", *["O"] * 5]}, "partial occupancy or disorder (atom 1): Ti:0.5, Zr:0.5"),
    "a slab": ({"pbc": [True, True, False]}, "does not repeat in three directions"),
    "pbc in words": ({"pbc": "F F F"}, "its `pbc` is F F F"),
    "a molecule": ({"sp": ["H2O"] * 6}, "unknown element 'H2O' (atom 1)"),
    "jarvis": (jarvis(RUTILE, False) | {"atoms": {"lattice_mat": [[4, 0, 0]] * 3}}, "lie in one plane"),
    "neither": ({"atoms": jarvis(RUTILE, False)["atoms"] | {"cartesian": "no"}}, "`cartesian` is 'no'"),
    "a layer": (optimade(RUTILE, "a layer", dimension_types=[1, 1, 0]), "does not repeat in three directions"),
    "no vectors": (optimade(RUTILE, "no vectors", lattice_vectors=[]), "its cell is not three vectors"),
    "two vectors": (optimade(RUTILE, "two vectors", lattice_vectors=[[4, 0, 0], [0, 4, 0]]), "not three vectors"),
    "a species": (optimade(RUTILE, "a species", species=[]), "`species` has no 'Ti1' (atom 1)"),
    "a vacancy": (
        optimade(
            RUTILE,
            "a vacancy",
            species=[
                {"name": name, "chemical_symbols": [name[:-1], "vacancy"], "concentration": [0.9, 0.1]}
                for name in ("Ti1", "O1")
            ],
        ),
        "partial occupancy or disorder (atom 1)",
    ),
    "no atoms": ({"sp": [], "frac": []}, "no atoms in it"),
    "overlap": ({"frac": [[0, 0, 0]] * 6}, "occupied by more than one atom: Ti (atom 1) and Ti (atom 2)"),
}


def test_the_id_of_a_broken_line_is_kept_where_it_is_legible(tmp_path: Path) -> None:
    broken = (
        '{"gap": 1, "id": "mp-1", "cell": [4.6\n{"structure_id": 7, "sp": ["Ti"\n{"cell": [1], "id": "x"\n{"id": "y\n'
    )
    plan = plan_of(tmp_path / "x.jsonl", lines(plain(SKEW, id="good", gap=1)) + broken)
    assert [one.structure_id for one in plan.rejections] == ["mp-1", "7", "x-0004", "x-0005"]


@pytest.mark.parametrize("text", BAD, ids=range(len(BAD)))
def test_a_bad_record_is_rejected_by_its_line_and_the_others_go_on(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.jsonl"
    plan = plan_of(path, lines(plain(SKEW, id="good", gap=1)) + text + "\n" + lines(plain(SKEW, id="last", gap=2)))
    assert plan.entries[-1].structure_id == "last"
    rejection = plan.rejections[-1]
    assert rejection.source == f"{path} line 2"
    assert BAD[text] in rejection.reason
    assert rejection.remedy
    both = "records have" in rejection.reason
    assert len(plan.rejections) == 1 + both
    assert len(plan.entries) == 2 - both


def test_unusable_crystals_are_rejected_by_their_lines_and_the_others_go_on(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    objects = [plain(RUTILE, id=name, gap=1) | change for name, (change, _) in UNUSABLE.items()]
    plan = plan_of(path, lines(plain(SKEW, id="first", gap=1), *objects, plain(SKEW, id="last", gap=1)))
    assert not plan.rejections
    structures, targets, rejections = build_structures(plan.entries, {"property": "gap", "unit": "eV"})
    assert [structure.structure_id for structure in structures] == ["first", "last"]
    assert [row["source"] for row in targets] == [f"{path} line 1", f"{path} line {len(objects) + 2}"]
    found = {rejection.structure_id: rejection for rejection in rejections}
    assert list(found) == list(UNUSABLE)
    for number, (name, (_, reason)) in enumerate(UNUSABLE.items(), 2):
        assert reason in found[name].reason, name
        assert found[name].source == f"{path} line {number}"
        assert found[name].remedy


def test_ions_deuterium_and_numbers_are_elements(tmp_path: Path) -> None:
    kinds: list[list[Any]] = [
        ["Ti4+", "O2-", "D"],
        ["Ti+4", "O-2", "H+"],
        [22, 8, 1],
        [22.0, "O", "T"],
        ["Ti", "O", "D+"],
    ]
    places = [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0, 0]]
    objects = [{"cell": [4, 4, 4, 90, 90, 90], "species": kind, "frac": places, "gap": 1} for kind in kinds]
    found = built(plan_of(tmp_path / "ions.jsonl", lines(*objects)))
    assert list(found) == [f"ions-{number:04d}" for number in range(1, 6)]
    assert {tuple(structure.numbers.tolist()) for structure in found.values()} == {(22, 8, 1)}
    charged = RUTILE.copy()
    charged.add_oxidation_state_by_element({"Ti": 4, "O": -2})
    assert list(built(plan_of(tmp_path / "x.json", json.dumps([charged.as_dict() | {"gap": 1}])))) == ["x-0001"]


def test_disorder_of_pymatgen_is_refused(tmp_path: Path) -> None:
    crystal = Crystal(Lattice.cubic(4), [{"Ti": 0.5, "Zr": 0.5}, "O"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    slab = Crystal(Lattice.cubic(4, pbc=(True, True, False)), ["Ti"], [[0, 0, 0]])
    molecule = {"@class": "Molecule", "sites": [{"species": [{"element": "H", "occu": 1}], "xyz": [0, 0, 0]}]}
    objects = [one | {"gap": 1} for one in (crystal.as_dict(), slab.as_dict(), molecule)]
    plan = plan_of(tmp_path / "x.json", json.dumps(objects))
    _, _, rejections = build_structures(plan.entries, {"unit": "eV"})
    assert [rejection.reason.partition(" (")[0] for rejection in rejections] == [
        "partial occupancy or disorder at site 1",
        "it does not repeat in three directions",
        "it has no cell that repeats in three directions",
    ]
    assert [rejection.source[-6:] for rejection in rejections] == ["item 1", "item 2", "item 3"]


def test_broken_frames_cost_themselves_alone(tmp_path: Path) -> None:
    good = frame(SKEW, "gap=1")
    short = "\n".join(good.splitlines()[:-1]) + "\n"
    parts = {
        good: "",
        short: "it says 3 atoms, and 2 lines of atoms follow",
        good + "Na 0 0 0 0 0 0\n": "it says 3 atoms, and more lines follow",
        good.replace("gap=1", "gap=2"): "",
        "\na remark\nand another\n": "'a remark' is not a number of atoms",
        good.replace("Lattice", "Cell"): "no cell that repeats",
        good.replace("pos:R:3", "momenta:R:3"): "its Properties are species:S:1:momenta:R:3:forces:R:3, without",
        good.replace("T T T", "T T F"): "repeats in three directions (pbc is T T F)",
        good.replace(" 0 0 1\n", "\n"): "atom 1 is Na 0.0000000000 0.0000000000 0.000000000 ... and not 7 columns",
        good.replace("Na 0.0", "Na nan0.0"): "atom 1 is Na nan0.0",
        good.replace("Na 0.0000000000", "Na nan"): "atom 1 is Na nan",
        good.replace("Na ", "11 ") + "\n\n": "",
        good.replace("gap=1", "gap=1 gap=2"): "its comment has two values of gap",
        good.replace("gap=1", 'gap=1 occupancy="_JSON {\\"0\\": {\\"Na\\": 0.5}}"'): "it has occupancies",
        good.replace("gap=1", 'gap=4 occupancy="_JSON {\\"0\\": {\\"Na\\": 1}, \\"1\\": {\\"O\\": 1.0}}"'): "",
    }
    path = tmp_path / "x.extxyz"
    plan = plan_of(path, "".join(parts))
    structures, _, unusable = build_structures(plan.entries, {"unit": "eV"})
    found = {r.source.split()[2]: r.reason for r in (*plan.rejections, *unusable)}
    for number, reason in enumerate(parts.values(), 1):
        assert (reason in found[str(number)]) if reason else str(number) not in found, (number, found)
    assert [structure.structure_id for structure in structures] == ["x-0001", "x-0004", "x-0012", "x-0015"]
    assert len(found) + len(structures) == len(parts)


def test_comments_of_frames() -> None:
    text = (
        """Lattice="1 0 0 0 1 0 0 0 1" 'my key'=3 flag name='a b' x={1 2} m=[[1, 2], [3, 4]] energy = -1.5 s="q\\"r" """
    )
    assert read_comment(text) == {
        "Lattice": "1 0 0 0 1 0 0 0 1",
        "my key": "3",
        "name": "a b",
        "x": "1 2",
        "m": "[[1, 2], [3, 4]]",
        "energy": "-1.5",
        "s": 'q\\"r',
    }


@pytest.mark.parametrize(
    ("name", "contents", "message"),
    [
        ("x.cif", b"data_x", "its name must end with one of"),
        ("x.db.gz", b"", "its name must end with one of"),
        ("x.jsonl", b"", "no crystal in it"),
        ("x.extxyz", b"\n\n", "no crystal in it"),
        ("x.json", b"[]", "no crystal in it"),
        ("x.json", b"3", "neither a list of crystals"),
        ("x.json", b"", "not JSON"),
        ("x.json", b'{"id": 1}\n{"id": 2}', "name it .jsonl"),
        ("x.json", b"[" * 100_000, "not JSON"),
        ("x.json", b'{"a": {"cell": 1}, "a": {"cell": 2}}', "the key a is given twice"),
        ("x.json", b'{"structure": {"0": {"lattice": {}}}, "gap": {"0": 1}}', "a table by columns; write it with df"),
        ("x.json", b'{"mp-1": {"mp-1-0": {"structure": {}}}}', "objects of objects; write each, with its `id`"),
        ("x.json", b'{"index": [0], "columns": ["gap"], "data": [3]}', "its index, columns and data do not fit"),
        ("x.json", b'{"ids": ["x"], "nextid": 2}', "ids are not a list of whole numbers"),
        ("x.jsonl", b"\xff\xfe\x00", "not UTF-8"),
        ("x.jsonl.gz", b"no gzip", "damaged or cut off"),
        ("x.jsonl.gz", gzip.compress(b'{"gap": 1}\n' * 99, mtime=0)[:-9], "damaged or cut off"),
        ("x.db", b"no database", "damaged, or no database of ASE's"),
        ("x.jsonl", b'{"band_gap": 1, "sp": []}\n', r"no record has the field gap \(they have: band_gap\)"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_at_the_start(
    tmp_path: Path, name: str, contents: bytes, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(contents)
    with pytest.raises(InputError, match=message) as caught:
        plan_dataset({"structures": str(path), "property": "gap", "unit": "eV"})
    assert str(caught.value).startswith(str(path))


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.jsonl").mkdir()
    for name, message in (("none.jsonl", "no such file"), ("none.db", "no such file"), ("folder.jsonl", "directory")):
        with pytest.raises(InputError, match=message):
            plan_dataset({"structures": str(tmp_path / name), "property": "gap", "unit": "eV"})


def test_a_measured_value_moves_no_geometry_and_a_place_moves_its_own(tmp_path: Path) -> None:
    for name, write in FORMS.items():
        text = write()
        plans = [
            plan_of(tmp_path / name, changed)
            for changed in (text, text.replace("-3.25", "-3.5"), text.replace("4.594", "4.595"))
        ]
        before, value, moved = ([geometry_digest([entry]) for entry in plan.entries] for plan in plans)
        assert before == value, name
        assert target_digest(plans[0]) != target_digest(plans[1]), name
        assert before[0] != moved[0], name
        assert before[1] == moved[1], name


def test_a_table_of_targets_and_a_field_for_the_group(tmp_path: Path) -> None:
    text = lines(*(plain(RUTILE, id=f"s{k}", gap=k, family="f" if k else None) for k in range(3)))
    plan = plan_of(tmp_path / "x.jsonl", text, group="family")
    assert [(entry.structure_id, entry.group) for entry in plan.entries] == [("s1", "f"), ("s2", "f")]
    assert "it has no family" in plan.rejections[0].reason
    targets = tmp_path / "targets.csv"
    targets.write_text("structure_id,gap,kind\ns0,7,a\ns1,x,a\nghost,8,b\n")
    plan = plan_of(tmp_path / "x.jsonl", text, group="kind", targets=str(targets))
    assert [(entry.structure_id, entry.target, entry.group) for entry in plan.entries] == [("s0", 7, "a")]
    reasons = {rejection.source.rpartition("/")[2]: rejection.reason for rejection in plan.rejections}
    assert "'x' in column gap" in reasons["targets.csv row 3"]
    assert "no record ghost in" in reasons["targets.csv row 4"]
    assert "no row for s2 in" in reasons["x.jsonl line 3"]


def test_groups_may_be_numbers_also_zero(tmp_path: Path) -> None:
    groups = [0, "a", "", [1], float("nan")]
    plan = plan_of(tmp_path / "x.jsonl", lines(*(plain(RUTILE, gap=1, fold=group) for group in groups)), group="fold")
    assert [entry.group for entry in plan.entries] == ["0", "a"]
    floats = plan_of(tmp_path / "y.jsonl", lines(*(plain(RUTILE, gap=1, fold=k) for k in (0, 0.0, 1.5))), group="fold")
    assert [entry.group for entry in floats.entries] == ["0", "0", "1.5"]
    reasons = [rejection.reason for rejection in plan.rejections]
    assert reasons == ["it has no fold", "fold is [1], neither text nor a number", "it has no fold"]


def test_rows_of_a_table_that_give_no_crystal_are_named(tmp_path: Path) -> None:
    rows = [{"id": f"s{k}", "cif": cif(RUTILE), "gap": 1} for k in range(7)]
    for k, change in enumerate(
        [{"cif": ""}, {"cif": "Full Formula (Ti2 O4)"}, {"cif": cif(RUTILE)[:150]}, {"gap": ""}], 1
    ):
        rows[k] |= change
    text = table(*rows).replace("s5,", "s5,more,")
    plan = plan_of(tmp_path / "x.csv", text)
    structures, _, unread = build_structures(plan.entries, {})
    assert [one.structure_id for one in structures] == ["s0", "s6"]
    assert {one.source.rpartition("/")[2]: one.reason for one in [*plan.rejections, *unread]} == {
        "x.csv row 3": "its cif is empty",
        "x.csv row 4": "in `cif`: it is text that is neither a CIF nor JSON",
        "x.csv row 5": "it is a CIF without atoms",
        "x.csv row 6": "it has no gap",
        "x.csv row 7": "more cells than the first line",
    }
    for name, text, message in (
        ("a.csv", "id,gap\n1,2\n", "no column cif or structure with crystals (it has: id, gap)"),
        ("b.csv", 'id,cif\n1,"data_', "damaged or cut off (after 0 records"),
        ("c.csv", "id,cif\n", "no crystal in it"),
    ):
        with pytest.raises(InputError, match=re.escape(message)):
            plan_of(tmp_path / name, text)
        assert not has_many(tmp_path / name)
    assert has_many(tmp_path / "x.csv")
    limit = csv.field_size_limit()
    rows = [{"id": f"s{k}", "cif": cif(RUTILE) + f"# {'long ' * limit}\n", "gap": k} for k in range(2)]
    assert list(built(plan_of(tmp_path / "long.csv", table(*rows)))) == ["s0", "s1"]
    assert csv.field_size_limit() == limit  # by which other tables find a quote that is not closed
    of_table = {"prototype": "cubic_perovskite", "initial_edge": {"kind": "fixed", "edge_angstrom": 4.5}}
    with pytest.raises(InputError, match="name a table of crystals under `structures` and not here"):
        plan_dataset(of_table | {"table": str(tmp_path / "x.csv"), "property": "gap", "unit": "eV"})


def test_a_copy_of_a_crystal_is_remarked(tmp_path: Path) -> None:
    """In two folds, one copy would be learned from where the other is tested."""
    moved = RUTILE.copy()
    moved.translate_sites([0], [0.01, 0, 0])
    backwards = Crystal.from_sites(list(reversed(RUTILE.sites)))
    text = lines(*(plain(one, id=f"s{k}", gap=k) for k, one in enumerate([RUTILE, moved, backwards, RUTILE])))
    structures, targets, rejected = build_structures(plan_of(tmp_path / "x.jsonl", text).entries, {})
    assert not rejected
    assert [structure.remarks for structure in structures] == [
        *((), ()),
        *(("its cell and atoms are those of s0",), ("its cell and atoms are those of s0",)),
    ]
    assert targets[3]["remarks"] == "its cell and atoms are those of s0"


GROUPS = {  # what is written, and the name that it is; None where it is none
    **{"1": "1", " 1 ": "1", "1.0": "1", "01": "1", "+1": "1", "-1.": "-1", "0": "0", "00": "0", "1.5": "1.5"},
    **{"1e3": "1e3", "Na": "Na", "nano": "nano", "x y": "x y", "90071992547409931": "90071992547409931"},
    **dict.fromkeys(["", " ", "NaN", "nan", "None", "NULL", "N/A", "NA", "<NA>", "-", "?"]),
}


@pytest.mark.parametrize("form", ["records", "table of targets", "table"])
def test_a_group_has_one_name_however_it_is_written_and_none_where_there_is_none(form: str, tmp_path: Path) -> None:
    """A word for nothing must not become a fold, nor 1.0 another one than 1."""
    if form == "table":
        elements = [a for a in ("Ca", "Sr", "Ba", "Na", "K", "Rb", "Cs", "La", "Y", "Pb") for _ in range(3)]
        metals = ["Ti", "Zr", "Hf"] * 10
        rows = [f"{a}{b}O3,4,{g}" for a, b, g in zip(elements, metals, GROUPS, strict=False)]
        (tmp_path / "t.csv").write_text("\n".join(["formula,a_angstrom,fold", *rows]) + "\n")
        settings = {"table": str(tmp_path / "t.csv"), "property": "a_angstrom", "group": "fold"}
        edge = {"kind": "fixed", "edge_angstrom": 4.5}
        plan = plan_dataset(settings | {"prototype": "cubic_perovskite", "unit": "Å", "initial_edge": edge})
    elif form == "records":
        text = lines(*(plain(RUTILE, id=f"s{k}", gap=1, fold=group) for k, group in enumerate(GROUPS)))
        plan = plan_of(tmp_path / "x.jsonl", text, group="fold")
    else:
        rows = [f"s{k},1,{group}" for k, group in enumerate(GROUPS)]
        (tmp_path / "targets.csv").write_text("\n".join(["structure_id,gap,fold", *rows]) + "\n")
        text = lines(*(plain(RUTILE, id=f"s{k}") for k in range(len(GROUPS))))
        plan = plan_of(tmp_path / "x.jsonl", text, group="fold", targets=str(tmp_path / "targets.csv"))
    assert [entry.group for entry in plan.entries] == [name for name in GROUPS.values() if name]
    reasons = [rejection.reason for rejection in plan.rejections if "fold" in rejection.reason]
    assert len(reasons) == sum(name is None for name in GROUPS.values())
    assert sum("no name" in reason for reason in reasons) == len(reasons) - 2


def test_a_record_that_changed_since_it_was_planned_is_not_taken_for_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    plan = plan_of(path, lines(plain(RUTILE, id="a", gap=1), plain(SKEW, id="b", gap=2)))
    path.write_text(lines(plain(SKEW, id="new", gap=3), plain(SKEW, id="b", gap=2)))
    structures, targets, (rejection,) = build_structures(plan.entries, {"property": "gap", "unit": "eV"})
    assert [(structure.structure_id, row["value"]) for structure, row in zip(structures, targets, strict=True)] == [
        ("b", 2)
    ]
    assert (rejection.structure_id, rejection.reason) == ("a", "its file was changed while it was read")


def test_without_a_property_there_are_structures_alone(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text(lines(plain(RUTILE), plain(SKEW, gap="wide")))
    settings = {"structures": str(tmp_path / "x.jsonl"), "unit": "eV"}
    assert [entry.target for entry in plan_dataset(settings).entries] == [None, None]
    assert not has_property(settings)
    assert has_property(settings | {"property": "gap"})
    assert not has_property(settings | {"property": "gap", "model": "m"})
    predicted = plan_dataset(settings | {"property": "gap", "model": "m"})
    assert [entry.target for entry in predicted.entries] == [None, None]


def test_the_stage_goes_through_the_file_and_lists_what_it_rejects(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(lines(plain(RUTILE, id="a", gap=1), plain(RUTILE, id="b", gap=1, pbc=False)) + "{\n")
    settings = {"structures": str(path), "property": "gap", "unit": "eV"}
    make_structures(settings, False, *(tmp_path / name for name in ("s.h5", "t.csv", "r.csv")), processes=2)
    told = capsys.readouterr().err
    assert f"rejected {path} line 2: it does not repeat in three directions" in told
    assert f"rejected {path} line 3: it is cut off at its end" in told
    assert f"{path}: 1 structures, 2 rejected" in told


def test_planning_is_light(tmp_path: Path) -> None:
    for name, write in FORMS.items():
        (tmp_path / name).write_text(write())
    code = (
        "import sys; from hirshprint.structures.planning import plan_dataset\n"
        "from hirshprint.config.model import Dataset\n"
        "settings = {'property': 'gap', 'unit': 'eV'}\n"
        "for path in sys.argv[1:]: plan_dataset(Dataset.from_dict(settings | {'structures': path}))\n"
        "assert not {'numpy', 'pymatgen', 'ase', 'pandas'} & set(sys.modules)"
    )
    paths = [str(tmp_path / name) for name in FORMS]
    subprocess.run([sys.executable, "-c", code, *paths], check=True, env={"PYTHONPATH": str(ROOT / "src")})
