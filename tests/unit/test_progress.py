"""The summary of a run and the states of structures."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from written_settings import make_structures, plan_dataset

from hirshprint.config.model import Dataset
from hirshprint.datasets.splits import SplitError
from hirshprint.files.writing import file_digest
from hirshprint.remarks import join_remarks, remark_lines, split_remarks
from hirshprint.run.logs import _show_error
from hirshprint.run.progress import Job, describe_datasets, structure_states, summarise_run
from hirshprint.status import STATUS_COLUMNS, merge_status, write_status

BENCHMARK = "s\th:m:s\tmax_rss\tcpu_time\n{}\t0:00:07\t{}\t6.5\n"


def _batch(path: Path, **records: dict[str, Any]) -> Path:
    whole = {name: {"status": "ok", "reason": "", "reused": False} | record for name, record in records.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        np.savez(file, status=np.array(json.dumps(whole)), cpu_seconds=np.array(20.0))
    return path


def _structures(results: Path, files: dict[str, Path]) -> None:
    """A file of structures with what status looks at: of which files they are."""
    with h5py.File(results / "structures.h5", "w") as file:
        file["ids"] = list(files)
        file["record_digests"] = [file_digest(path) for path in files.values()]


def test_summary_counts_structures_and_compares_costs(tmp_path: Path) -> None:
    failed = {name: {"status": "failed", "reason": f"MemoryError: {name}: too large"} for name in "cd"}
    batch = _batch(tmp_path / "batch.npz", a={}, b={"reused": True}, **failed)
    (tmp_path / "short.tsv").write_text(BENCHMARK.format("7.0", "-"))
    (tmp_path / "long.tsv").write_text(BENCHMARK.format("90.0", "512.0"))
    jobs = [
        Job("surface", "small", batch, tmp_path / "short.tsv", True, 1000, 30),
        Job("surface", "small", tmp_path / "none.npz", tmp_path / "long.tsv", True, 2000, 60),
        Job("train", "small", tmp_path / "none.csv", tmp_path / "none.tsv", False),
    ]
    text = "\n".join(summarise_run(jobs, ["/bin/snakemake", "--configfile", "my config.yaml"]))
    assert "small: 1 structures computed, 1 reused, 2 failed" in text
    assert "2 failed: MemoryError: too large" in text
    assert "1 × train" in text
    (row,) = [line.split() for line in text.splitlines() if line.startswith("  surface")]
    assert row == ["surface", "2", "90", "of", "3,600", "832", "of", "2,000", "26"]
    assert "then again: snakemake --configfile 'my config.yaml'" in text
    assert "hirshprint recover --failed && snakemake" in text


def test_states_of_files(tmp_path: Path) -> None:
    folder = tmp_path / "cifs"
    folder.mkdir()
    for name in ("old", "edited", "new", "lost", "bad", "mended", "named"):
        (folder / f"{name}.cif").write_text(name)
    results = tmp_path / "results"
    _batch(results / "surfaces/one.npz", old={}, edited={}, gone={})
    _structures(results, {name: folder / f"{name}.cif" for name in ("old", "edited", "lost")})
    (folder / "edited.cif").write_text("another")
    (results / "targets.csv").write_text("structure_id,value\nold,\nedited,\nlost,\ngone,\n")
    with (results / "rejected.csv").open("w") as file:
        print("structure_id,source,reason,remedy", file=file)
        for name, source in (("bad", folder / "bad.cif"), ("mended", folder / "mended.cif"), ("named", "t.csv row 2")):
            print(f"{name},{source},unreadable,mend it", file=file)
    for name in ("edited", "mended"):
        os.utime(folder / f"{name}.cif", (2e9, 2e9))
    states = {name: state for state, name, _ in structure_states(plan_dataset({"folder": str(folder)}), results)}
    done = {"old": "done", "edited": "changed", "new": "new", "lost": "waiting", "gone": "removed"}
    assert states == done | {"bad": "rejected", "mended": "new", "named": "new"}


P1, CELL = "no symmetry is given: taken as P1", "the cell is not Niggli: kept"


def test_remarks_that_are_alike_are_one_line_and_survive_a_cell() -> None:
    assert split_remarks(join_remarks([P1, "two\n lines"])) == [P1, "two lines"]
    assert split_remarks("") == split_remarks(None) == []
    many = [(f"s{k}", [P1, P1]) for k in range(1234)]
    assert remark_lines([("a.cif", [CELL]), *many, ("b.cif", ())]) == [
        f"{P1} (1,234: s0, s1, s2, s3, s4, s5, s6, s7, s8, s9 ... and 1,224 more)",
        f"{CELL} (a.cif)",
    ]
    different = remark_lines((f"s{k}", [f"remark {'x' * k}y"]) for k in range(100))
    assert len(different) == 21
    assert different[-1] == "... and 80 other remarks"


def test_many_remarks_that_differ_in_names_alone_do_not_hide_a_rare_one() -> None:
    elements = [(f"s{k}", [f"the elements Sr O{k} come from its first line"]) for k in range(500)]
    lines = remark_lines([*elements, ("odd", [P1])])
    assert lines[0].startswith("the elements … come from its first line (500: s0, s1, ")
    assert lines[1:] == [f"{P1} (odd)"]
    few = remark_lines(elements[:3])
    assert few[2] == "the elements Sr O2 come from its first line (s2)"
    assert len(few) == 3


@pytest.fixture
def remarked(tmp_path: Path) -> Path:
    """Results of a folder with two files that have remarks, one that failed, one both, and one without a result."""
    folder, results = tmp_path / "cifs", tmp_path / "results/mine"
    folder.mkdir()
    cells = {"good": "", "p1": P1, "both": f"{P1}; {CELL}", "failed": "", "worse": CELL, "lost": CELL}
    for name in cells:
        (folder / f"{name}.cif").write_text(name)
    failed = {name: {"status": "failed", "reason": "SurfaceError: open"} for name in ("failed", "worse")}
    _batch(results / "surfaces/one.npz", good={"note": "O1: 2 % open"}, p1={}, both={"note": "O1: open"}, **failed)
    _structures(results, {name: folder / f"{name}.cif" for name in cells})
    rows = [f"{name},{folder / name}.cif,,{remarks}" for name, remarks in cells.items()]
    (results / "targets.csv").write_text("\n".join(["structure_id,source,value,remarks", *rows]) + "\n")
    write_status(results / "rejected.csv", [dict.fromkeys(STATUS_COLUMNS, "") | {"status": "rejected"}])
    return tmp_path


def test_status_table_tells_remarked_from_ok_and_failed(remarked: Path) -> None:
    results = remarked / "results/mine"
    records = {"good": {"note": "O1: 2 % open"}, "p1": {}, "both": {"note": "O1: open"}}
    batch = {name: {"status": "ok", "reason": ""} | record for name, record in records.items()}
    batch |= {name: {"status": "failed", "reason": "SurfaceError: open"} for name in ("failed", "worse")}
    rows = merge_status(results / "rejected.csv", results / "targets.csv", [batch])
    told = {row["structure_id"]: (row["status"], row["stage"], row["reason"]) for row in rows}
    assert told == {
        "good": ("ok", "", "O1: 2 % open"),
        "p1": ("remarked", "structures", P1),
        "both": ("remarked", "structures", f"{P1}; {CELL}; O1: open"),
        "failed": ("failed", "surface", "SurfaceError: open"),
        "worse": ("failed", "surface", f"SurfaceError: open; remarks: {CELL}"),
        "lost": ("failed", "surface", f"no result; remarks: {CELL}"),
        "": ("rejected", "", ""),
    }
    assert "nothing to do if it is right" in {row["structure_id"]: row["remedy"] for row in rows}["p1"]


def test_status_command_and_summary_count_and_list_remarks(remarked: Path) -> None:
    text = describe_datasets({"mine": Dataset.from_dict({"folder": str(remarked / "cifs")})}, remarked / "results")
    assert text[0] == "mine: 2 remarked, 2 failed, 1 done, 1 waiting"
    lines = [line.split(maxsplit=1)[1] for line in text if line.startswith("  remarked")]
    assert lines == [f"{P1} (2: both, p1)", f"{CELL} (both)"]
    (line,) = [line for line in text if "worse:" in line]
    assert line.endswith(f"worse.cif: SurfaceError: open; remarks: {CELL}")
    folder = remarked / "results/mine"
    jobs = [
        Job(rule, "mine", folder / name, None, True) for rule, name in (("structures", "s.h5"), ("status", "s.csv"))
    ]
    summary = summarise_run(jobs, ["snakemake"])
    assert summary[0] == "remarks       mine: 6 structures, of which 4 with remarks"
    assert summary[1:3] == [f"  remarked: {CELL} (3: both, worse, lost)", f"  remarked: {P1} (2: p1, both)"]
    assert len(summary) == 3
    (folder / "targets.csv").write_text("structure_id,source,value,remarks\ngood,good.cif,,\n")
    assert summarise_run(jobs, ["snakemake"]) == []


def test_status_groups_rejections_by_reason_and_names_files_passed_over(tmp_path: Path) -> None:
    """However many rows have a fault, a rare one is seen."""
    for k in range(30):
        (tmp_path / f"s{k}.cif").write_text("x")
    (tmp_path / "notes.dat").write_text("x")
    targets = tmp_path / "targets.csv"
    rows = [f"s{k},three{k}" for k in range(28)] + ["s28,", "s29,1"]
    targets.write_text("\n".join(["structure_id,gap", *rows]) + "\n")
    settings = {"folder": str(tmp_path), "targets": str(targets), "property": "gap", "unit": "eV"}
    text = describe_datasets({"mine": Dataset.from_dict(settings)}, tmp_path / "results")
    assert text[0] == "mine: 29 rejected, 1 new"
    assert text[1] == "  1 file was skipped, of an unknown kind or in a subfolder: notes.dat"
    many, rare = [line for line in text if line.startswith("  rejected")]
    assert re.match("  rejected  … in column gap is not a number; write a number .* \\(28: ", many)
    assert many.endswith("targets.csv row 11 ... and 18 more)")
    assert "column gap is empty; write" in rare
    assert rare.endswith("row 30)")
    (tmp_path / "results/mine").mkdir(parents=True)
    (tmp_path / "results/mine/rejected.csv").write_text("structure_id,source,reason,remedy\n")
    assert any(
        "each with its reason: " in line
        for line in describe_datasets({"mine": Dataset.from_dict(settings)}, tmp_path / "results")
    )


def test_errors_that_are_messages_have_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    for error in (SplitError("write folds: 2"), ValueError("a bug")):
        try:
            raise error
        except ValueError as caught:
            _show_error(type(caught), caught, caught.__traceback__)
    message, traceback = capsys.readouterr().err.split("\n", 1)
    assert message == "write folds: 2"
    assert traceback.startswith("Traceback")


def test_only_a_record_that_changed_is_told_of_its_file(tmp_path: Path) -> None:
    path, results = tmp_path / "x.jsonl", tmp_path / "results"
    crystal = {"cell": [4, 4, 4, 90, 90, 90], "sp": ["Cs", "Cl"], "frac": [[0, 0, 0], [0.5, 0.5, 0.5]]}
    objects = [crystal | {"id": f"s{k}", "gap": k} for k in range(3)]
    path.write_text("".join(f"{json.dumps(one)}\n" for one in objects))
    settings = {"structures": str(path), "property": "gap", "unit": "eV"}
    make_structures(settings, False, *(results / name for name in ("structures.h5", "targets.csv", "rejected.csv")))
    objects[1]["gap"] = 7
    objects[2]["cell"] = [4.1, 4.1, 4.1, 90, 90, 90]
    path.write_text("".join(f"{json.dumps(one)}\n" for one in [*objects, {**crystal, "id": "s3", "gap": 0}]))
    os.utime(path, (2e9, 2e9))
    states = {name: (state, why) for state, name, why in structure_states(plan_dataset(settings), results)}
    assert states["s0"] == ("waiting", "no surfaces yet")
    assert states["s1"] == ("changed", "measured property 1.0 is now 7.0")
    assert states["s2"] == ("changed", f"{path} line 3 is another crystal than in the results")
    assert states["s3"] == ("new", f"{path} line 4")
