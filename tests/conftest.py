"""Fixtures for all tests."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from projects import SMALL, Project, make_project

from hirshprint.run.environment import compiled_code_folder

PAPER = dict.fromkeys(("oqmd", "experimental", "second_experimental", "estimated_edge"), "small")
REAL_TONTO = os.environ.pop("HIRSHPRINT_TONTO", "")  # or `engine: auto` would take it in every test
ROOT = Path(__file__).parents[1]
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where tests run in the background
os.environ.setdefault("NUMBA_CACHE_DIR", str(compiled_code_folder(ROOT / "cache/numba")))  # compiled once for all tests


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long tests first, so that no worker is left with them at the end."""
    order = {"slurm": 0, "faults": 0, "browser": 1, "integration": 2, "unit": 3}
    items.sort(key=lambda item: order.get(item.path.parent.name, 4))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give each worker whole files, for their tests share runs; all files of the cluster, which is one, go to one."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            path = nodeid.partition("::")[0]
            return "tests/slurm" if "slurm/" in path else path

    return ByFile(config, log)


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


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Folder on a disk of its own, of 2 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a disk of its own cannot be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A small project that has been run to its end, once for all workers; copy it before changing anything."""
    datasets = {"small": {"table": "table.csv", "learning": {"cgcnn": {"epochs": 3}}}}
    config = SMALL | {"datasets": datasets, "paper": PAPER, "compounds": {"PuCuO3": 3.52582}}
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "finished"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the other workers wait here
        if not (folder / "ran").exists():
            make_project(folder / "project", rows=12, config=config).run()
            (folder / "ran").touch()
    return Project(folder / "project")
