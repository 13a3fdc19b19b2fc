"""The conda environments, where conda is present."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from projects import make_project


@pytest.mark.skipif(shutil.which("conda") is None, reason="conda is not installed on this machine")
def test_surfaces_in_conda_environments(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", rows=2)
    project.run("--software-deployment-method", "conda", "--until", "fingerprints")
    assert (project.folder / "results/small/fingerprints.h5").exists()
