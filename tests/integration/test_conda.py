"""The conda environments: what is in them is enough for the jobs; and conda itself, where it is present."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from environments import not_there
from projects import ROOT, SMALL, make_project

ALONE = ROOT / "tests/integration/alone"


def test_jobs_need_the_packages_of_their_own_environment_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = not_there()
    assert {"tensorflow", "pyvista", "pytest"} <= set(names["surface"])
    assert "tensorflow" not in names["train"]
    (tmp_path / "names.json").write_text(json.dumps(names))
    monkeypatch.setenv("NOT_THERE", str(tmp_path / "names.json"))
    monkeypatch.setenv("PYTHONPATH", str(ALONE))
    config = SMALL | {"surfaces": {"structures_per_job": 8, "mesh_level": 8}}
    project = make_project(tmp_path / "project", rows=8, config=config)
    project.run()
    assert (project.folder / "results/report.html").exists()
    (tmp_path / "names.json").write_text(json.dumps(names | {"structures": ["numpy"]}))
    assert "No module named 'numpy'" in project.run("--forcerun", "structures", "--until", "structures", fails=True)


@pytest.mark.skipif(shutil.which("conda") is None, reason="conda is not installed on this machine")
def test_surfaces_in_conda_environments(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", rows=2)
    project.run("--software-deployment-method", "conda", "--until", "fingerprints")
    assert (project.folder / "results/small/fingerprints.h5").exists()
