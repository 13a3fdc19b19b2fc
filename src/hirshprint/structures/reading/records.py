"""Crystals from files that have many: JSON objects and frames of extended XYZ."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hirshprint.structures.crystals import Crystal, CrystalError, crystal_structure
from hirshprint.structures.sources.frames import frame_columns, lattice_numbers, read_comment
from hirshprint.structures.structure import Structure
from hirshprint.structures.symbols import SYMBOLS

SPECIES_KEYS = ("species", "sp", "symbols", "numbers")
FRACTIONAL_KEYS = ("frac", "frac_coords")
CARTESIAN_KEYS = ("positions", "cart_coords")
ION = re.compile(r"([A-Z][a-z]?)(?:\d*\.?\d*[+-]|[+-]\d*\.?\d+)?")  # Ti, Ti4+, O2-, Ti+4
FORM = (
    "give `lattice` (three rows, Å) or `cell` (a, b, c, alpha, beta, gamma), `species`, and `frac` or `positions` (Å)"
)


def read_record(kind: str, text: str, structure_id: str) -> Structure:
    """Read and check one crystal of a file of many.

    Parameters
    ----------
    kind : ``json`` or ``extxyz``.
    text : what determines its geometry, as `sources.collections` takes it from the file.

    Raises
    ------
    CrystalError
        It lacks something, its parts do not fit each other, it is disordered or does not repeat in three directions,
        or a fault that `crystal_structure` names.
    """
    crystal = _of_frame(text) if kind == "extxyz" else _of_object(json.loads(text))
    return crystal_structure(crystal, structure_id)


def _of_object(found: Mapping[str, Any]) -> Crystal:
    _check_periodic(found.get("pbc"))
    lattice = _lattice(found)
    if "sites" in found:  # pymatgen's
        sites = found["sites"]
        if not isinstance(sites, list) or not all(isinstance(site, dict) for site in sites):
            raise CrystalError("`sites` is no list of sites", FORM)
        symbols = tuple(_symbol(site.get("species"), k) for k, site in enumerate(sites))
        return Crystal(lattice, symbols, _places([site.get("abc") for site in sites], "`abc`"))
    species = _one_of(found, SPECIES_KEYS)
    if not isinstance(found[species], list):
        raise CrystalError(f"`{species}` is no list", FORM)
    symbols = tuple(_symbol(one, k) for k, one in enumerate(found[species]))
    key = _one_of(found, FRACTIONAL_KEYS + CARTESIAN_KEYS)
    places = _places(found[key], f"`{key}`")
    if len(places) != len(symbols):
        raise CrystalError(f"`{species}` names {len(symbols)} atoms, `{key}` has {len(places)} places", "complete them")
    return Crystal(lattice, symbols, places if key in FRACTIONAL_KEYS else _fractional(places, lattice))


def _of_frame(text: str) -> Crystal:
    """One frame: the number of atoms, a comment with Lattice, Properties and pbc, and a line for each atom."""
    comment, *lines = text.split("\n")[1:]
    words = read_comment(comment)
    pbc = words.get("pbc", "T T T").split()
    if any(word.upper() not in ("T", "TRUE", "1") for word in pbc):
        _check_periodic([False])
    numbers = lattice_numbers(words.get("Lattice", ""))
    if numbers is None:
        raise CrystalError("it has no cell that repeats in three directions", 'write Lattice="ax ay az bx by ..."')
    lattice = np.array(numbers).reshape(3, 3)
    columns = frame_columns(words.get("Properties", ""))
    if columns is None:
        raise CrystalError("its Properties name no species (or Z) and pos", "write Properties=species:S:1:pos:R:3")
    species, place, width = columns
    symbols, places = [], []
    for k, line in enumerate(lines):
        cells = line.split()
        if len(cells) < width:
            raise CrystalError(f"atom {k + 1} has {len(cells)} columns where Properties has {width}", "complete it")
        symbols.append(_symbol(int(cells[species]) if cells[species].isdecimal() else cells[species], k))
        places.append([_float(cell, f"place of atom {k + 1}") for cell in cells[place : place + 3]])
    return Crystal(lattice, tuple(symbols), _fractional(_places(places, "pos"), lattice))


def _check_periodic(pbc: Any) -> None:
    repeats = pbc if isinstance(pbc, list) else [pbc]
    if pbc is not None and not all(repeats):
        raise CrystalError("it does not repeat in three directions (pbc)", "give a crystal, with its cell")


def _one_of(found: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    present = [key for key in keys if key in found]
    if len(present) > 1:
        raise CrystalError(f"it has {' and '.join(f'`{key}`' for key in present)}", "keep one of them")
    if not present:
        raise CrystalError(f"it has none of {', '.join(f'`{key}`' for key in keys)}", FORM)
    return present[0]


def _lattice(found: Mapping[str, Any]) -> NDArray[np.float64]:
    """Rows a, b, c in Å from three rows, six cell constants, or pymatgen's object of both."""
    key = _one_of(found, ("lattice", "cell"))
    given = found[key]
    if isinstance(given, dict):
        _check_periodic(given.get("pbc"))
        given = given.get("matrix") or [given.get(name) for name in ("a", "b", "c", "alpha", "beta", "gamma")]
    flat = isinstance(given, list) and not any(isinstance(row, list) for row in given)
    if flat and len(given) == 6:
        return _of_constants([_float(value, f"`{key}`") for value in given])
    if not flat and isinstance(given, list) and len(given) == 3:
        return _places(given, f"`{key}`")
    raise CrystalError(f"`{key}` is neither three rows nor six cell constants", FORM)


def _of_constants(constants: list[float]) -> NDArray[np.float64]:
    a, b, c = constants[:3]
    if not (min(a, b, c) > 0 and all(0 < angle < 180 for angle in constants[3:])):
        words = ", ".join(f"{value:g}" for value in constants)
        raise CrystalError(f"a cell of {words}", "correct the cell constants (Å, degrees)")
    cosines = [0.0 if angle == 90 else math.cos(math.radians(angle)) for angle in constants[3:]]
    alpha, beta, gamma = cosines
    sine = math.sqrt(1 - gamma**2)
    y = (alpha - beta * gamma) / sine
    z_squared = 1 - beta**2 - y**2
    if z_squared <= 0:
        words = ", ".join(f"{value:g}" for value in constants[3:])
        raise CrystalError(f"no cell has the angles {words}", "correct the cell constants (degrees)")
    return np.array([[a, 0, 0], [b * gamma, b * sine, 0], [c * beta, c * y, c * math.sqrt(z_squared)]])


def _places(given: Any, what: str) -> NDArray[np.float64]:
    """Rows of three numbers."""
    if not isinstance(given, list):
        raise CrystalError(f"{what} is no list of three numbers each", FORM)
    for k, row in enumerate(given):
        if not isinstance(row, list) or len(row) != 3:
            raise CrystalError(f"row {k + 1} of {what} is not three numbers", "write three numbers")
        for value in row:
            _float(value, f"row {k + 1} of {what}")
    return np.array(given, dtype=float).reshape(-1, 3)


def _float(value: Any, what: str) -> float:
    try:
        number = math.nan if isinstance(value, bool) or value is None else float(value)
    except (TypeError, ValueError):
        raise CrystalError(f"{value!r} in {what} is no number", "write a number with a decimal point") from None
    if not math.isfinite(number):
        raise CrystalError(f"a number in it is not finite ({value} in {what})", "correct the number")
    return number


def _fractional(places: NDArray[np.float64], lattice: NDArray[np.float64]) -> NDArray[np.float64]:
    if abs(np.linalg.det(lattice)) < 1e-9:
        raise CrystalError("its cell has no volume", "check the cell (Å)")
    return np.asarray(np.linalg.solve(lattice.T, places.T).T)


def _symbol(given: Any, atom: int) -> str:
    """Element symbol of a symbol, an ion such as Ti4+, an atomic number, or pymatgen's list of species."""
    if isinstance(given, dict):
        given = [given]
    if isinstance(given, list):
        if len(given) != 1 or not isinstance(given[0], dict) or given[0].get("occu", 1) != 1:
            raise CrystalError(f"partial occupancy or disorder (atom {atom + 1})", "give an ordered model")
        given = given[0].get("element")
    if isinstance(given, (int, float)) and not isinstance(given, bool) and given in range(1, len(SYMBOLS) + 1):
        return SYMBOLS[int(given) - 1]
    match = ION.fullmatch(given.strip()) if isinstance(given, str) else None
    if match is None:
        raise CrystalError(f"unknown element {given!r} (atom {atom + 1})", "write an element symbol such as Sr")
    return "H" if match[1] in ("D", "T") else match[1]
