"""Structures that failed: the summary, the status and the report name them, and they can be tried again."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
from projects import Project, same_times


def _give_up(batch: Path) -> str:
    """Let a batch file say what it says of a structure that was given up; its times stay."""
    times = batch.stat()
    with np.load(batch, allow_pickle=False) as arrays:
        contents = dict(arrays)
    status = json.loads(str(contents["status"]))
    (name,) = status
    status[name] |= {"status": "failed", "reason": "MemoryError: too large"}
    contents["status"] = np.array(json.dumps(status))
    with batch.open("wb") as file:
        np.savez(file, **contents)
    os.utime(batch, ns=(times.st_atime_ns, times.st_mtime_ns))
    return str(name)


def test_failed_structure_is_computed_again_and_only_that(finished: Project, tmp_path: Path) -> None:
    project = finished.copy(tmp_path / "copy")
    name = _give_up(sorted(project.folder.glob("results/small/surfaces/*.npz"))[3])
    assert project.jobs() == {}
    status = project.hirshprint("status", "--configfile", "config.yaml")
    assert "small: 11 done, 1 failed" in status
    assert f"{name}: table.csv row" in status
    assert "MemoryError: too large" in status
    text = project.hirshprint("recover", "--failed")
    assert f"will be computed again: {name}" in text
    assert "same command" in text
    output = project.run("--until", "fingerprints", "status")
    assert "small: 0 structures computed, 1 reused, 0 failed" in output
    assert "best model" not in output  # which no part of this run made anew
    assert project.jobs() == {"report": 1, "all": 1}  # the structure was in the old fingerprints after all
    assert "small: 12 done" in project.hirshprint("status", "--configfile", "config.yaml")
    assert "no structure has failed" in project.hirshprint("recover", "--failed")


def test_failed_run_ends_with_what_to_do(finished: Project, tmp_path: Path) -> None:
    project = finished.copy(tmp_path / "copy")
    project.edit_table(lambda lines: [*lines, "SrNpO3,Sr,Np,O,4.2"])
    densities = project.folder / "results/densities/thakkar.h5"
    with same_times(densities):
        densities.write_bytes(b"broken")
    output = project.run("--until", "fingerprints", fails=True)
    closing = output[output.rindex("not done") :]
    assert {"1 × surface", "1 × fingerprints"} == set(closing.splitlines()[0].split("      ")[1].split(", "))
    assert "structures" in closing.split("used of asked")[1]
    assert closing.rstrip().endswith("--until fingerprints")
