"""The size and the order of the library: what a reader can take in, and one thing in one place."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src/hirshprint"
PATHS = sorted(PACKAGE.rglob("*.py"))
LONGEST_MODULE, LONGEST_FUNCTION = 400, 60
LONGEST_RULES = 180  # lines of workflow/rules/common.smk


def _names(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


@pytest.mark.parametrize("path", PATHS, ids=_names)
def test_modules_and_functions_are_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= LONGEST_MODULE
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
    lengths = {node.name: _code_lines(node) for node in functions}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION} == {}


def _code_lines(function: ast.FunctionDef) -> int:
    """Lines of a function without its docstring."""
    documented = ast.get_docstring(function) is not None
    docstring = function.body[0].end_lineno - function.body[0].lineno + 1 if documented else 0
    return function.end_lineno - function.lineno + 1 - docstring


def test_common_rules_are_a_thin_shell() -> None:
    assert (ROOT / "workflow/rules/common.smk").read_text(encoding="utf-8").count("\n") <= LONGEST_RULES


@pytest.mark.parametrize("path", [*PATHS, *sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md"], ids=str)
def test_lines_are_short(path: Path) -> None:
    """What cannot be broken may be longer: rows of tables, links, and what programs print."""
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE) if path.suffix == ".md" else text
    long = [line for line in text.splitlines() if len(line) > 120]
    assert [line for line in long if not line.startswith("|") and "](" not in line] == []


def test_no_modules_import_each_other() -> None:
    """Circles are looked for among all imports, also those inside of functions."""
    modules = {_module(path): path for path in PATHS}
    imports = {name: _imported(path, set(modules)) for name, path in modules.items()}
    done: set[str] = set()
    for start in imports:
        _walk(start, imports, [], done)


def _walk(name: str, imports: dict[str, set[str]], trail: list[str], done: set[str]) -> None:
    assert name not in trail, " -> ".join([*trail[trail.index(name) :], name])
    if name not in done:
        for other in sorted(imports[name]):
            _walk(other, imports, [*trail, name], done)
        done.add(name)


def _module(path: Path) -> str:
    return ".".join(("hirshprint", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")


def _imported(path: Path, modules: set[str]) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            below = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (below & modules) or {node.module}
    return found & modules - {_module(path)}
