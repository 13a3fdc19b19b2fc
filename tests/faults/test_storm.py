"""A short storm on a small project, and the proof that its comparison of results can fail."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from projects import ROOT
from storm import storm
from storm_results import differences
from storm_runs import advice, traceback_of


def test_a_short_storm(tmp_path: Path) -> None:
    if not (ROOT / ".venv-densities/bin/python").exists():
        pytest.skip("the environment .venv-densities (make env) is not there")
    found = storm(seed=2, minutes=0, folder=tmp_path, final={"brief": True})
    assert not found, json.dumps(found, indent=1)


def _results(folder: Path) -> Path:
    (folder / "rows/surfaces").mkdir(parents=True)
    status = np.array(json.dumps({"a": {"status": "ok", "seconds": 1.0, "reused": False}}))
    np.savez(folder / "rows/surfaces/batch0of2.npz", d_i=np.arange(5.0), status=status, cpu_seconds=np.array(3.0))
    with h5py.File(folder / "rows/fingerprints.h5", "w") as file:
        file["counts"] = np.ones((2, 3))
        file.attrs["weighting"] = "area"
    (folder / "rows/metrics.csv").write_text("model,mae,cpu_seconds\nridge,0.1,5\n")
    (folder / "report.html").write_text("<p>Made 2026-01-01 10:00: ridge 0.1 Å</p>")
    return folder


def _counts(folder: Path) -> None:
    with h5py.File(folder / "rows/fingerprints.h5", "a") as file:
        file["counts"][1, 2] = 1.01


def _weighting(folder: Path) -> None:
    with h5py.File(folder / "rows/fingerprints.h5", "a") as file:
        file.attrs["weighting"] = "paper"


def _status(folder: Path) -> None:
    status = np.array(json.dumps({"a": {"status": "failed", "seconds": 1.0}}))
    np.savez(folder / "rows/surfaces/batch0of2.npz", d_i=np.arange(5.0), status=status)


CHANGES: dict[str, Callable[[Path], object]] = {
    "rows/fingerprints.h5: /counts: differs by 0.01": _counts,
    "rows/fingerprints.h5: /@weighting: other values": _weighting,
    "rows/surfaces/batch0of2.npz: /status/a/status": _status,
    "rows/metrics.csv: [0]/mae": lambda f: (f / "rows/metrics.csv").write_text("model,mae,cpu_seconds\nridge,0.2,5\n"),
    "rows/metrics.csv: is not there": lambda f: (f / "rows/metrics.csv").unlink(),
    "report.html": lambda f: (f / "report.html").write_text("<p>Made 2026-01-01 10:00: ridge 0.2 Å</p>"),
    "rows/surfaces/batch0of2.npz: cannot be read": lambda f: os.truncate(f / "rows/surfaces/batch0of2.npz", 99),
    "rows/other.csv: nobody asked for it": lambda f: (f / "rows/other.csv").write_text("a\n"),
}


@pytest.mark.parametrize("line", CHANGES)
def test_a_difference_is_seen(tmp_path: Path, line: str) -> None:
    wanted = _results(tmp_path / "wanted")
    found = tmp_path / "found"
    shutil.copytree(wanted, found)
    CHANGES[line](found)
    (difference,) = differences(found, wanted, {"rows"})
    assert difference.startswith(line)


def test_what_belongs_to_a_run_is_no_difference(tmp_path: Path) -> None:
    wanted, found = _results(tmp_path / "wanted"), _results(tmp_path / "found")
    status = np.array(json.dumps({"a": {"status": "ok", "seconds": 7.0, "reused": True}}))
    np.savez(found / "rows/surfaces/batch0of2.npz", d_i=np.arange(5.0), status=status, cpu_seconds=np.array(9.0))
    (found / "rows/metrics.csv").write_text("model,mae,cpu_seconds\nridge,0.1000000001,50\n")
    (found / "report.html").write_text("<p>Made 2027-02-03 11:22: ridge 0.1 Å</p>")
    shutil.copy(found / "rows/surfaces/batch0of2.npz", found / "rows/surfaces/batch0of4.npz")
    (found / "rows/fingerprints.h5.damaged").touch()
    assert differences(found, wanted, {"rows"}) == []


def test_what_a_message_says() -> None:
    assert advice("run `hirshprint recover`, then the same command") == "recover"
    assert advice("to try them again: hirshprint recover --failed") == ""
    assert advice("rerun with the --unlock argument") == "unlock"
    trace = 'Traceback (most recent call last):\n  File "a.py", line 1, in f\n    f()\nKeyError: 1\nmore'
    assert traceback_of(trace) == 'File "a.py", line 1, in f | KeyError: 1'
    assert traceback_of("all is well") == ""
