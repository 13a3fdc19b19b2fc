"""Free-atom densities at hand: found in one place per machine, or made into it."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from hirshprint.densities import Densities, read_densities
from hirshprint.files.reading import DamagedError
from hirshprint.machine import user_cache_folder
from hirshprint.versions import DENSITIES

PACKAGES = {"thakkar": "chmpy", "x2c": "atomref"}
"""Sources of densities, the best first, and the package that has their table."""

ELEMENTS = 103

PROGRAM = Path(__file__).parents[1] / "density_tables.py"
OWN_PYTHON = Path(__file__).parents[3] / ".venv-densities/bin/python"
"""The environment that `make env` makes in a checkout."""


class DensitiesError(ValueError):
    """Free-atom densities that cannot be had; the message says what to do."""


class NoDensitiesError(DensitiesError):
    """What was named is neither a source nor a file."""


def cache_folder() -> Path:
    """Folder of this user's density files."""
    return user_cache_folder() / "densities"


def find_densities(wanted: str | os.PathLike[str] | None = None, beside: Path | None = None) -> Densities:
    """Read free-atom densities; a source that is not there yet is made.

    Parameters
    ----------
    wanted : str or path, optional
        A source, one of `PACKAGES`, or a file that `density_tables.py` wrote. By default the first source that is
        there or can be made.
    beside : Path, optional
        Folder that is looked into first, such as that of a run.

    Raises
    ------
    NoDensitiesError
        No such file or source.
    DensitiesError
        No density file, or nothing at hand to make one with.
    """
    if wanted is not None and str(wanted) not in PACKAGES:
        if not Path(wanted).is_file():
            raise NoDensitiesError(f"{wanted}: no such file, and none of {', '.join(PACKAGES)}")
        return _read(Path(wanted), "make it again")
    source = _first_source(beside) if wanted is None else str(wanted)
    path = beside / f"{source}.h5" if beside else None
    if path is None or not path.is_file():
        path = cache_folder() / f"{source}-{DENSITIES}.h5"
    if not path.is_file():
        path = _writable(path.parent) / path.name
    if not path.is_file():
        _make(source, path)
    return _read(path, f"delete it: it is made again; or run snakemake {path}")


def _read(path: Path, remedy: str) -> Densities:
    try:
        stat = path.stat()
        return _read_once(path.resolve(), stat.st_mtime_ns, stat.st_size)
    except (DamagedError, KeyError) as error:
        reason = error.reason if isinstance(error, DamagedError) else "an attribute is not there"
        raise DensitiesError(
            f"{path} is not a file of free-atom densities, or is damaged ({reason}); {remedy}"
        ) from None


@cache
def _read_once(path: Path, mtime_ns: int, size: int) -> Densities:
    return read_densities(path)


def _first_source(beside: Path | None) -> str:
    for source in PACKAGES:
        there = [cache_folder() / f"{source}-{DENSITIES}.h5", *([beside / f"{source}.h5"] if beside else [])]
        if any(path.is_file() for path in there) or next(_pythons(source), None):
            return source
    raise DensitiesError(_remedy(next(reversed(PACKAGES))))


def _pythons(source: str) -> Iterator[str]:
    """Python programs that have the table of a source."""
    if find_spec(PACKAGES[source]):
        yield sys.executable
    if OWN_PYTHON.exists():
        yield str(OWN_PYTHON)


@cache
def _writable(folder: Path) -> Path:
    """The folder, or where nothing can be written into it one that is there as long as this process."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        temporary = Path(tempfile.mkdtemp(prefix="hirshprint-densities-"))
        atexit.register(shutil.rmtree, temporary, ignore_errors=True)
        return temporary


def shared(part: Densities, numbers: Sequence[int]) -> Densities:
    """Give the table of this machine for some elements of it, where both have the same numbers: it is large.

    Parameters
    ----------
    part : Densities
        A row for each of `numbers`.
    numbers : sequence of int
        Atomic numbers.
    """
    rows = [number - 1 for number in numbers]
    path = cache_folder() / f"{part.source}-{DENSITIES}.h5"
    if path.is_file():
        here = _read(path, "delete it: it is made again")
        if np.array_equal(here.r_bohr, part.r_bohr) and np.array_equal(here.density[rows], part.density):
            return here
    table = np.full((max(ELEMENTS, *numbers), len(part.r_bohr)), np.nan)
    table[rows] = part.density
    return replace(part, density=table)


def _make(source: str, path: Path) -> None:
    python = next(_pythons(source), None)
    if python is None:
        raise DensitiesError(_remedy(source))
    command = [python, str(PROGRAM), "--source", source, "--out", str(path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        reason = (result.stderr.strip().splitlines() or ["no message"])[-1]
        raise DensitiesError(f"the {source} densities could not be made: {reason}")


def _remedy(source: str) -> str:
    return (
        f"there are no {source} densities yet: install the package {PACKAGES[source]}, or run `make env` in the folder "
        f"of hirshprint, or `snakemake results/densities/{source}.h5`, or name a file of densities"
    )
