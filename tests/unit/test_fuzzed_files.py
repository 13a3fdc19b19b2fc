"""Files that are broken in every way that we could think of: each is read or rejected by name, in bounded time."""

from __future__ import annotations

import contextlib
import os
import random
import re
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from written_settings import build_structures, plan_dataset

from hirshprint.structures.crystals import CrystalError
from hirshprint.structures.entries import InputError, Plan
from hirshprint.structures.reading import process, records
from hirshprint.structures.reading.process import Task, read_all
from hirshprint.structures.structure import Structure

HEAD = """data_rutile
_cell_length_a 4.594
_cell_length_b 4.594
_cell_length_c 2.959
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'P 42/m n m'
loop_
_symmetry_equiv_pos_as_xyz
"""
OPERATIONS = """ 'x,y,z'
 '-x,-y,z'
 '-y+1/2,x+1/2,z+1/2'
 'y+1/2,-x+1/2,z+1/2'
 '-x+1/2,y+1/2,-z+1/2'
 'x+1/2,-y+1/2,-z+1/2'
 'y,x,-z'
 '-y,-x,-z'
"""
ATOMS = """loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Ti1 Ti 0 0 0
O1 O 0.305 0.305 0
"""
CIF = HEAD + OPERATIONS + ATOMS


def _cuts() -> dict[str, bytes]:
    return {f"cut{k}": CIF.encode()[:k] for k in range(0, len(CIF), 37)}


def _shuffles() -> dict[str, bytes]:
    found = {}
    for seed in range(12):
        chance = random.Random(seed)
        lines = CIF.splitlines()
        chance.shuffle(lines)
        found[f"lines{seed}"] = "\n".join(lines).encode()
        words = CIF.split(" ")
        chance.shuffle(words)
        found[f"words{seed}"] = " ".join(words).encode()
        flipped = bytearray(CIF.encode())
        for _ in range(8):
            flipped[chance.randrange(len(flipped))] = chance.randrange(256)
        found[f"bytes{seed}"] = bytes(flipped)
    return found


def _numbers() -> dict[str, bytes]:
    values = ("1e308", "-4.594", "0", "1e-300", "1e400", "nan", "99999999999999999999", "4.594(", "?", ".", "1e6")
    found = {f"edge{k}": CIF.replace("_a 4.594", f"_a {value}").encode() for k, value in enumerate(values)}
    found |= {f"place{k}": CIF.replace("0.305 0.305", f"{value} 0.305").encode() for k, value in enumerate(values)}
    angles = ("0", "180", "1e9", "-90", "nan", "1")
    return found | {f"angle{k}": CIF.replace("gamma 90", f"gamma {value}").encode() for k, value in enumerate(angles)}


def _operations() -> dict[str, bytes]:
    lists = (
        " 'x,y,z'\n 'x+0.1,y,z'\n",
        " 'x,y,z'\n 'x/0,y,z'\n",
        " 'x,y,z'\n 'x+1/3,y+1/7,2*z'\n 'z,z,z'\n",
        " 'x,y'\n",
        " 'import os'\n",
        " ''\n",
        " 'x,y,z'\n" * 300,
        "".join(f" 'x+1/{k},y+1/{k + 1},z'\n" for k in range(2, 200)),
    )
    found = {f"operations{k}": (HEAD + operations + ATOMS).encode() for k, operations in enumerate(lists)}
    whole = CIF.replace("data_rutile", "data_rutile\n_chemical_formula_sum 'Ti O2'")
    found["formula"] = whole[: whole.index("O1 O")].encode()
    return found | {"othergroup": CIF.replace("P 42/m n m", "F m -3 m").encode()}


def _encodings() -> dict[str, bytes]:
    return {
        "utf16": CIF.encode("utf-16"),
        "utf32": CIF.encode("utf-32"),
        "latin1": CIF.replace("rutile", "Präparat_Å").encode("latin-1"),
        "bom": CIF.encode("utf-8-sig"),
        "macnewlines": CIF.replace("\n", "\r").encode(),
        "binary": np.random.default_rng(0).bytes(20_000),
        "zeros": b"\0" * 10_000,
        "gzip": b"\x1f\x8b\x08" + np.random.default_rng(1).bytes(500),
        "longline": CIF.encode() + b"_x " + b"a" * 1_000_000,
        "quote": CIF.replace("'P 42", "'P 42\n;\n").encode(),
        "semicolon": CIF.encode() + b"\n_text\n;\nnever closed\n",
        "loops": CIF.encode() + b"\nloop_" * 20_000,
        "blocks": b"data_x\n" * 5_000,
    }


MISREAD = {
    "edge1": "_cell_length_a is -4.594",
    "edge6": "a cell edge of 1e+20 Å",
    "angle2": "_cell_angle_gamma is 1e9",
    "angle3": "_cell_angle_gamma is -90",
    "operations1": "'x/0,y,z' is not a symmetry operation",
    "operations3": "'x,y' is not a symmetry operation",
    "formula": "do not make up its formula 'Ti O2'",
}
GROUPS = {"cut": _cuts, "shuffled": _shuffles, "numbers": _numbers, "operations": _operations, "encodings": _encodings}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fuzzed")
    for make in GROUPS.values():
        for name, contents in make().items():
            (folder / f"{name}.cif").write_bytes(contents)
            (folder / f"POSCAR_p{name}").write_bytes(contents)
    (folder / "good.cif").write_text(CIF)
    (folder / "afolder.cif").mkdir()
    (folder / "dangling.cif").symlink_to(folder / "nothing")
    return folder


def test_every_broken_file_is_read_or_rejected_by_name(folder: Path) -> None:
    settings = {"folder": str(folder), "property": "gap", "unit": "eV"}
    plan = plan_dataset(settings)
    start = time.monotonic()
    structures, targets, rejections = build_structures(plan.entries, settings)
    seconds = time.monotonic() - start
    assert len(plan.entries) > 150
    assert len(structures) + len(rejections) == len(plan.entries)
    assert len(targets) == len(structures)
    read = {structure.structure_id for structure in structures}
    assert {"good", "bom", "latin1", "longline"} <= read
    reasons = {rejection.structure_id: rejection.reason for rejection in rejections}
    for name, reason in MISREAD.items():  # pymatgen reads these without a word, as another crystal
        assert reason in reasons[name], name
    assert len(rejections) > 120
    for structure in structures:
        assert np.isfinite(structure.lattice).all()
        assert np.isfinite(structure.frac).all()
        assert structure.multiplicity.sum() == len(structure.numbers) > 0
    for rejection in rejections:
        assert Path(rejection.source).parent == folder
        assert rejection.structure_id in rejection.source
        assert rejection.reason
        assert rejection.remedy
        assert "Traceback" not in rejection.reason
        assert len(rejection.reason) < 400, rejection
    assert seconds < 1200, seconds


def test_ten_thousand_atoms_are_read_or_rejected_in_time(tmp_path: Path) -> None:
    sites = np.stack(np.meshgrid(*[np.arange(22)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)[:10_000] / 22
    atoms = "".join(f"C{k} C {x:.6f} {y:.6f} {z:.6f}\n" for k, (x, y, z) in enumerate(sites.tolist()))
    head = re.sub(r"(_cell_length_.) \S+", r"\1 44", HEAD.replace("P 42/m n m", "P 1"))
    (tmp_path / "large.cif").write_text(head + " 'x,y,z'\n" + ATOMS[: ATOMS.index("Ti1")] + atoms)
    (tmp_path / "good.cif").write_text(CIF)
    start = time.monotonic()
    tasks = [(tmp_path / f"{name}.cif", name) for name in ("large", "good")]
    found = read_all(tasks, 2, seconds=10)
    large = found["large"]
    if isinstance(large, Structure):
        assert len(large.numbers) == 10_000
    else:
        assert large.reason == "reading it took longer than 10 s"
    assert time.monotonic() - start < 600
    assert isinstance(found["good"], Structure)  # by a new process, if need be


def _reasons(found: dict[str, Structure | CrystalError]) -> dict[str, str]:
    return {name: one.reason for name, one in found.items() if isinstance(one, CrystalError)}


def test_crystals_that_hang_or_end_the_reader_or_eat_memory_cost_themselves_alone(tmp_path: Path) -> None:
    (tmp_path / "good.cif").write_text(CIF)
    for name in ("hangs", "hangs_too"):
        os.mkfifo(tmp_path / f"{name}.cif")  # nothing ever comes out of it
    with (tmp_path / "huge.cif").open("wb") as file:
        file.truncate(3 * 2**30)
    names = [f"good{k}" for k in range(40)]
    tasks: list[Task] = [(tmp_path / "good.cif", name) for name in names]
    for place, name in ((3, "hangs"), (9, "huge"), (18, "none"), (30, "hangs_too")):
        tasks.insert(place, (tmp_path / f"{name}.cif", name))
    found = read_all(iter(tasks), 500, processes=2, seconds=5, memory_bytes=2 * 2**30)
    assert len(found) == len(tasks)
    assert _reasons(found) == {
        "hangs": "reading it took longer than 5 s",
        "hangs_too": "reading it took longer than 5 s",
        "huge": "reading it takes too much memory",
        "none": "cannot be read (No such file or directory)",
    }
    one = found["good0"]
    assert isinstance(one, Structure)
    assert one.multiplicity.tolist() == [2, 4]
    assert all(getattr(found[name], "structure_id", "") == name for name in names)


def test_a_reader_that_is_killed_costs_the_crystal_that_it_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "good.cif").write_text(CIF)
    os.mkfifo(tmp_path / "kills.cif")
    started: list[subprocess.Popen[bytes]] = []
    done = threading.Event()

    class Recorded(subprocess.Popen):  # type: ignore[type-arg]
        def __init__(self, *arguments: Any, **more: Any) -> None:
            super().__init__(*arguments, **more)
            started.append(self)

    def kill() -> None:
        while not done.wait(0.1):
            with contextlib.suppress(OSError):  # it opens only where somebody waits for what comes out of it
                end = os.open(tmp_path / "kills.cif", os.O_WRONLY | os.O_NONBLOCK)
                started[-1].kill()
                started[-1].wait()
                os.close(end)

    monkeypatch.setattr(subprocess, "Popen", Recorded)
    thread = threading.Thread(target=kill)
    thread.start()
    try:
        tasks: list[Task] = [(tmp_path / f"{name}.cif", f"{name}{k}") for k in (1, 2) for name in ("good", "kills")]
        found = read_all([*tasks, (tmp_path / "good.cif", "good3")], 5, seconds=600)
    finally:
        done.set()
        thread.join()
    assert _reasons(found) == dict.fromkeys(["kills1", "kills2"], "the program that reads it was ended by it")
    assert len(started) == 3
    assert {name for name, one in found.items() if isinstance(one, Structure)} == {"good1", "good2", "good3"}


def test_nothing_to_read_and_no_time_to_read_it(tmp_path: Path) -> None:
    assert read_all([], 0) == {}
    (tmp_path / "good.cif").write_text(CIF)
    assert "took longer than 0.0001 s" in _reasons(read_all([(tmp_path / "good.cif", "x")], 1, seconds=1e-4))["x"]


@pytest.mark.parametrize(
    "contents",
    [
        b"",
        b"\0" * 100,
        b"structure_id,gap\n" + b"x,1\n" * 3,
        CIF.encode("utf-16"),
        b'"' * 1001,
        b"structure_id,gap\ngood,1e999\n",
    ],
)
def test_broken_tables_of_targets_are_refused_by_name(tmp_path: Path, contents: bytes) -> None:
    (tmp_path / "good.cif").write_text(CIF)
    (tmp_path / "targets.csv").write_bytes(contents)
    settings = {"folder": str(tmp_path), "targets": str(tmp_path / "targets.csv"), "property": "gap", "unit": "eV"}
    found = _plan_or_message(settings)
    if isinstance(found, str):
        assert "targets.csv" in found
    else:
        assert not found.entries
        assert all("targets.csv" in f"{r.source} {r.reason}" for r in found.rejections)


def _plan_or_message(settings: dict[str, Any]) -> Plan | str:
    try:
        return plan_dataset(settings)
    except InputError as error:
        return str(error)


def test_what_a_library_says_goes_to_the_log_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise IndexError("list index out of range")

    monkeypatch.setattr(records, "read_record", fail)
    assert process._answer(("json", "{}"), "x") == (
        True,  # another try may read it
        "it cannot be used, for a reason that was not foreseen",
        "check its cell and its atoms; see the log",
    )
    assert capsys.readouterr().err == "x: IndexError: list index out of range\n"
