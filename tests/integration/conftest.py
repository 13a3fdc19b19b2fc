"""A finished project that several tests start from."""

from __future__ import annotations

import pytest
from projects import SMALL, Project, make_project

PAPER = dict.fromkeys(("oqmd", "experimental", "second_experimental", "estimated_edge"), "small")


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A small project that has been run to its end; copy it before changing anything."""
    datasets = {"small": {"table": "table.csv", "learning": {"cgcnn": {"epochs": 3}}}}
    config = SMALL | {"datasets": datasets, "paper": PAPER, "compounds": {"PuCuO3": 3.52582}}
    project = make_project(tmp_path_factory.mktemp("finished") / "project", rows=12, config=config)
    project.run()
    return project
