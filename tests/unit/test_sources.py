"""Files of the library that a script runs: a change of any of them makes its results again."""

from __future__ import annotations

import ast
import shutil
from pathlib import Path

import pytest

from hirshprint.run import sources
from hirshprint.run.sources import LIBRARY, import_closure, imported_names, sources_digest, third_party_packages

SCRIPTS = Path(__file__).parents[2] / "workflow/scripts"
REPORT_SCRIPTS = ["beyond.py", "learning_figures.py", "learning_curve.py", "fingerprint_figures.py", "paper.py"]


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A small library and a script that imports it in every way."""
    folder = tmp_path / "hirshprint"
    for name, text in {
        "__init__": "",
        "first": "from hirshprint.deep import (\n    thing,\n    other,\n)\nimport numpy as np\n",
        "deep/__init__": "",
        "deep/thing": "def late() -> None:\n    from hirshprint import lazy\n    import scipy.stats\n",
        "deep/other": '"""from hirshprint.unused import what is said in prose"""\n',
        "lazy": "import hirshprint.first\n",
        "unused": "import pandas\n",
        "types": "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from hirshprint.unused import x\n",
    }.items():
        path = folder / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "script.py").write_text("from hirshprint.first import np\nfrom hirshprint import types\n")
    return folder


def _digest_of_now(script: Path, library: Path) -> str:
    for asked in (imported_names, sources.module_file, sources._content):
        asked.cache_clear()
    return sources_digest(script, library=library)


def test_closure_has_what_is_imported_and_nothing_else(library: Path) -> None:
    script = library.parent / "script.py"
    found = [str(path.relative_to(library)) for path in import_closure(script, library)]
    packages = ["__init__.py", "deep/__init__.py"]
    assert found == sorted([*packages, "deep/other.py", "deep/thing.py", "first.py", "lazy.py", "types.py"])
    assert set(third_party_packages(script, library)) == {"numpy", "scipy"}


def test_a_change_of_any_file_of_the_closure_changes_the_digest(library: Path) -> None:
    script = library.parent / "script.py"
    seen = {_digest_of_now(script, library)}
    for path in [script, *import_closure(script, library)]:
        path.write_text(path.read_text() + "# changed\n")
        seen.add(_digest_of_now(script, library))
    assert len(seen) == 2 + len(import_closure(script, library))
    (library / "unused.py").write_text("import keras\n")
    assert _digest_of_now(script, library) in seen


@pytest.mark.parametrize("path", sorted(LIBRARY.rglob("*.py")), ids=lambda path: str(path.relative_to(LIBRARY)))
def test_statements_say_what_the_whole_file_does(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            node.body = [ast.Pass()]
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    assert imported_names(path) == names


@pytest.mark.parametrize("name", REPORT_SCRIPTS)
def test_figures_depend_on_what_predictions_mean(name: str) -> None:
    found = {str(path.relative_to(LIBRARY)) for path in import_closure(SCRIPTS / name)}
    assert "accuracy/predictions.py" in found or name == "fingerprint_figures.py"
    assert "accuracy/comparison.py" in found or name != "beyond.py"


def test_an_edited_module_of_the_library_makes_a_figure_again(tmp_path: Path) -> None:
    library = tmp_path / "hirshprint"
    shutil.copytree(LIBRARY, library, ignore=shutil.ignore_patterns("__pycache__"))
    script, before = SCRIPTS / "beyond.py", sources_digest(SCRIPTS / "beyond.py")
    assert _digest_of_now(script, library) == before
    edited = library / "accuracy/comparison.py"
    edited.write_text(edited.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
    assert _digest_of_now(script, library) != before
