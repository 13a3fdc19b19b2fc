"""Fixtures for all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from projects import SMALL, Project, make_project

from hirshprint.runs import compiled_code_folder

PAPER = dict.fromkeys(("oqmd", "experimental", "second_experimental", "estimated_edge"), "small")
REAL_TONTO = os.environ.pop("HIRSHPRINT_TONTO", "")  # or `engine: auto` would take it in every test
ROOT = Path(__file__).parents[1]
os.environ.setdefault("NUMBA_CACHE_DIR", str(compiled_code_folder(ROOT / "cache/numba")))  # compiled once for all tests


@pytest.fixture
def shared() -> Path:
    """Folder with reference tables and Tonto surfaces, beside the repository."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("the folder ../shared (reference data) is not beside this repository")
    return folder


@pytest.fixture
def real_tonto() -> str:
    """Path of an installed Tonto."""
    if not REAL_TONTO:
        pytest.skip("no Tonto here: HIRSHPRINT_TONTO is not set")
    return REAL_TONTO


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A small project that has been run to its end; copy it before changing anything."""
    datasets = {"small": {"table": "table.csv", "learning": {"cgcnn": {"epochs": 3}}}}
    config = SMALL | {"datasets": datasets, "paper": PAPER, "compounds": {"PuCuO3": 3.52582}}
    project = make_project(tmp_path_factory.mktemp("finished") / "project", rows=12, config=config)
    project.run()
    return project
