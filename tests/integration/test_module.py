"""This workflow as a module of another one, and results of another format: real runs without learning."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import h5py
import pytest
from projects import ROOT, environment, make_project

SNAKEFILE = f"""
configfile: "outer.yaml"

module hirshprint:
    snakefile: "{ROOT}/Snakefile"
    config: config["hirshprint"]

use rule * from hirshprint as hirshprint_*

rule mine:
    default_target: True
    input: "results/small/fingerprints.h5"
    output: "mine.txt"
    shell: "echo done > {{output}}"
"""


@pytest.fixture(scope="module")
def outer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workflow of its own that uses this one for fingerprints."""
    folder = make_project(tmp_path_factory.mktemp("module") / "outer", rows=6).folder
    lines = (folder / "config.yaml").read_text().splitlines()
    (folder / "outer.yaml").write_text("\n".join(["hirshprint:", *(f"  {line}" for line in lines)]) + "\n")
    (folder / "Snakefile").write_text(SNAKEFILE)
    return folder


def snakemake(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "snakemake", "--cores", "1", *arguments]
    return subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, check=False)


def test_another_workflow_uses_it_as_a_module(outer: Path) -> None:
    done = snakemake(outer)
    assert done.returncode == 0, done.stderr
    assert (outer / "mine.txt").exists()
    with h5py.File(outer / "results/small/fingerprints.h5") as file:
        assert len(file["ids"]) == 6
    report = snakemake(outer, "results/report.html", "-n", "-q", "rules")
    assert report.returncode == 0, report.stderr
    assert "hirshprint_train" in report.stdout + report.stderr
    again = snakemake(outer, "-n")
    assert "Nothing to be done" in again.stdout + again.stderr


def test_results_of_another_format_are_refused(outer: Path) -> None:
    stamp = outer / "results/format.txt"
    was = stamp.read_text()
    stamp.write_text("0\n")
    done = snakemake(outer, "-n")
    stamp.write_text(was)
    assert done.returncode != 0
    text = done.stdout + done.stderr
    assert "files of format 0" in text
    assert "mv results results-format0" in text
