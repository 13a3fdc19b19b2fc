"""A finished project that several tests start from."""

from __future__ import annotations

import pytest
from projects import Project, make_project


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A small project that has been run to its end; copy it before changing anything."""
    project = make_project(tmp_path_factory.mktemp("finished") / "project", rows=12)
    project.run()
    return project
