"""A real SLURM cluster of one node for the tests of this folder; they are skipped where its packages are not."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from projects import Project, make_project
from slurm_site import BATCHES, UNTIL, SlurmSite


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlurmSite]:
    """The cluster: started once, stopped at the end."""
    path = os.environ["PATH"] + ":/usr/sbin:/sbin"
    missing = [name for name in ("munged", "slurmctld", "slurmd", "sbatch") if not shutil.which(name, path=path)]
    if missing:
        pytest.skip(f"SLURM is not installed ({', '.join(missing)} not found); see tests/install-debian-packages")
    running = os.environ.get("HIRSHPRINT_CLUSTER")  # folder of one of `cluster start` that stays, with accounting, say
    site = SlurmSite(Path(running) if running else tmp_path_factory.mktemp("slurm"))
    site.control("start")
    yield site
    if not running:
        site.control("stop")


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The same work on this machine without SLURM, to compare with."""
    project = make_project(tmp_path_factory.mktemp("undisturbed") / "project", rows=12, config=BATCHES)
    project.run(*UNTIL)
    return project


@pytest.fixture(autouse=True)
def _leave_nothing_behind(site: SlurmSite) -> Iterator[None]:
    yield
    site.end_heads()
