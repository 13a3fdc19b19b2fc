"""Which files of this library a script runs: when they change, its results are made again (light)."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from textwrap import dedent

from hirshprint.files.writing import digest, file_digest

LIBRARY = Path(__file__).parents[1]
NAME = LIBRARY.name
STATEMENT = re.compile(r"^[ \t]*(?:from|import)[ \t][^\n(]*(?:\([^)]*\))?", re.MULTILINE)
TYPES_ONLY = re.compile(r"^if TYPE_CHECKING:\n(?:(?:    .*)?\n)+", re.MULTILINE)


@cache
def imported_names(path: Path) -> frozenset[str]:
    """List what a Python file imports: modules, and ``module.name`` for each name that it takes from one.

    Only the statements of import are parsed, which takes a twentieth of the time that whole files do. What is imported
    inside of functions counts, and what is imported for types only does not.
    """
    text = TYPES_ONLY.sub("", path.read_text(encoding="utf-8"))
    names: set[str] = set()
    for statement in STATEMENT.findall(text):
        try:
            nodes = ast.parse(dedent(statement).strip()).body
        except SyntaxError:  # a line of prose that begins with one of these words
            continue
        for node in nodes:
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(names)


@cache
def module_file(name: str, library: Path = LIBRARY) -> Path | None:
    """File of a module of this library; None for what is none."""
    first, *rest = name.split(".")
    if first != NAME:
        return None
    place = library.joinpath(*rest)
    for path in (place.with_suffix(".py"), place / "__init__.py"):
        if path.is_file():
            return path
    return None


def import_closure(script: Path, library: Path = LIBRARY) -> list[Path]:
    """List the files of this library that a script imports, and those that they import, in order.

    Parameters
    ----------
    script : Path
        A Python file.
    library : Path
        Folder of the library.

    Returns
    -------
    list of Path
        Sorted; the script itself is not among them. Packages count with their ``__init__.py``.
    """
    reached: set[Path] = set()
    left = [script]
    while left:
        files = {module_file(part, library) for name in imported_names(left.pop()) for part in _with_packages(name)}
        new = {path for path in files if path is not None} - reached
        reached |= new
        left += new
    return sorted(reached)


def _with_packages(name: str) -> Iterable[str]:
    """A module and the packages that it is in, which are imported with it; those of other libraries are left out."""
    parts = name.split(".")
    return (".".join(parts[:k]) for k in range(1, len(parts) + 1)) if parts[0] == NAME else ()


def third_party_packages(script: Path, library: Path = LIBRARY) -> dict[str, list[Path]]:
    """Packages beyond Python's own that a script and its closure import, each with the files that import it."""
    packages: dict[str, list[Path]] = {}
    for path in [script, *import_closure(script, library)]:
        for first in {name.split(".")[0] for name in imported_names(path)}:
            if first != NAME and first not in sys.stdlib_module_names:
                packages.setdefault(first, []).append(path)
    return packages


@cache
def _content(path: Path) -> str:
    return file_digest(path)


def sources_digest(script: Path, *others: Path, library: Path = LIBRARY) -> str:
    """Digest of the contents of a script, of all that it imports of this library, and of other files."""
    return digest([_content(path) for path in [script, *import_closure(script, library), *others]])
