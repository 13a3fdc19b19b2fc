"""The wheel: what is in it, what it asks for, and that it works without the repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
from projects import ROOT

PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "src", source / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    options = ("--no-deps", "--no-build-isolation", "--no-index", "-w", str(source))
    subprocess.run([*PIP, "wheel", *options, str(source)], check=True)
    return next(source.glob("*.whl"))


def test_everything_of_the_package_is_in_it(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    kinds = {".py", ".pyi", ".j2", ".css", ".js", ".typed"}
    package = [path for path in (ROOT / "src/hirshprint").rglob("*") if path.suffix in kinds or path.name == "py.typed"]
    assert {str(path.relative_to(ROOT / "src")) for path in package} <= names
    of_metadata = wheel.name.removesuffix("-py3-none-any.whl") + ".dist-info"
    assert {name.split("/")[0] for name in names} == {"hirshprint", of_metadata}


def test_it_asks_for_what_the_locked_environments_have(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith("METADATA"))
        metadata = Parser().parsestr(archive.read(name).decode())
    assert metadata["Requires-Python"] == "<3.14,>=3.11"
    assert sorted(metadata.get_all("Provides-Extra", [])) == ["learn", "report", "workflow"]
    listed = (ROOT / "envs/workflow.txt").read_text(encoding="utf-8")
    for requirement in metadata.get_all("Requires-Dist", []):
        package = requirement.split(";")[0].split(">")[0].split("[")[0].strip()
        assert package == "hirshprint" or f"\n{package}==" in f"\n{listed}", package


def test_it_works_without_the_repository(wheel: Path, tmp_path: Path) -> None:
    options = ("--no-deps", "--no-index", "--target", str(tmp_path / "lib"))
    subprocess.run([*PIP, "install", *options, str(wheel)], check=True)
    code = (
        "import hirshprint; print(hirshprint.__file__);"
        "made = hirshprint.fingerprint('SrTiO3', densities='x2c', mesh_level=4); print(made)"
    )
    kept = ("PATH", "LANG", "NUMBA_CPU_NAME")
    environment = {key: os.environ[key] for key in kept if key in os.environ}
    environment |= {"PYTHONPATH": str(tmp_path / "lib"), "HOME": str(tmp_path)}
    command = [sys.executable, "-P", "-c", code]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    place, made = done.stdout.splitlines()
    assert place == str(tmp_path / "lib/hirshprint/__init__.py")
    assert "x2c densities, mesh level 4" in made
    assert (tmp_path / ".cache/hirshprint/densities/x2c-1.h5").is_file()
