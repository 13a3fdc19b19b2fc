"""The DAG of large datasets, and what jobs are called (dry runs)."""

from __future__ import annotations

import re
from itertools import islice, product
from pathlib import Path

import yaml
from projects import ROOT, SMALL, make_project


def _many_rows(count: int) -> str:
    screen = yaml.safe_load((ROOT / "config/screen.yaml").read_text(encoding="utf-8"))
    metals = screen["datasets"]["screen"]["elements"]["A"]
    rows = [f"{a}{b}O3,{a},{b},O,4.0" for a, b in islice(product(metals, metals), count)]
    return "\n".join(["formula,A,B,X,a_angstrom", *rows]) + "\n"


def test_5000_rows_make_5000_surface_jobs_or_128_batches(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", rows=1)
    (project.folder / "table.csv").write_text(_many_rows(5000))
    assert project.jobs()["surface"] == 5000
    project.configure(surfaces=SMALL["surfaces"] | {"structures_per_job": 64})
    assert project.jobs()["surface"] == 128


def test_messages_say_dataset_and_batch(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", rows=2)
    output = project.run("-n", "--until", "surface")
    names = re.findall(r"Surfaces and fingerprints of small, batch (\S+): 1 structure\(s\)", output)
    assert len(names) == 2
    assert all(re.fullmatch(r"\w+3-a4\.50000", name) for name in names)


def test_files_that_are_passed_over_are_said_once(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", rows=1)
    for name in ("a.cif", "b.pdb", "below/x.cif"):
        (project.folder / "crystals" / name).parent.mkdir(parents=True, exist_ok=True)
        (project.folder / "crystals" / name).write_text("text")
    project.configure(datasets={"mine": {"folder": "crystals", "property": "gap", "unit": "eV"}})
    line = "datasets.mine: 2 files were skipped, of an unknown kind or in a subfolder: b.pdb, below/x.cif"
    assert project.run("-n").count(line) == 1


def test_wrong_key_stops_with_the_right_one(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", rows=2)
    project.configure(fingerprints={})
    output = project.run("-n", fails=True)
    assert "`fingerprints`: unknown key; did you mean `fingerprint`?" in output
    assert "Traceback" not in output


def test_missing_table_stops_with_its_name(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", rows=2)
    project.configure(datasets={"small": {"table": "none.csv"}})
    output = project.run("-n", fails=True)
    assert "`datasets.small`: none.csv: there is no such table" in output
