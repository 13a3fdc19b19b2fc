"""Edits while jobs wait in the queue change the next run alone; paths with blanks and braces."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from projects import Project, make_project
from slurm_site import BATCHES, UNTIL, SlurmSite, assert_same_fingerprints, wait_until

EDITS = {
    "mesh_level: 8": "mesh_level: 6",
    "structures_per_job: 2": "structures_per_job: 1",
    "table.csv": "other.csv",
    "datasets:": "datasets: [",  # no YAML any more
}


@pytest.mark.parametrize("edit", EDITS)
def test_jobs_compute_what_was_planned(site: SlurmSite, undisturbed: Project, tmp_path: Path, edit: str) -> None:
    folder = tmp_path / "my {crystals} and more"
    project = make_project(folder, rows=12, config=BATCHES)
    config, table = folder / "config.yaml", folder / "table.csv"
    written, rows = config.read_text(), table.read_text()
    site.query("scontrol", "update", "PartitionName=cpu", "State=DOWN")
    head = site.start(project, *UNTIL)
    try:
        wait_until(lambda: len(site.jobs(folder)) >= 6, "jobs to be submitted")
        assert edit in written
        config.write_text(written.replace(edit, EDITS[edit]))
        table.write_text("".join(rows.splitlines(keepends=True)[:5]) + "SrNpO3,Sr,Np,O,4.2\nCfScO3,Cf,Sc,O,4.2\n")
    finally:
        site.query("scontrol", "update", "PartitionName=cpu", "State=UP")
    output = site.finish(project, head)
    assert "config.yaml, table.csv: edited during this run" in output
    assert_same_fingerprints(project, undisturbed)
    config.write_text(written)
    table.write_text(rows)
    assert project.jobs().keys() & {"structures", "surface", "fingerprints"} == set()
    if edit.startswith("mesh"):
        config.write_text(yaml.safe_dump(yaml.safe_load(written) | {"surfaces": {"mesh_level": 6}}))
        assert "surface" in project.jobs()
