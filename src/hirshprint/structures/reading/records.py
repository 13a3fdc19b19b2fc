"""Crystals from files that have many: JSON objects and frames of extended XYZ."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hirshprint.structures.crystals import Crystal, CrystalError, crystal_structure
from hirshprint.structures.reading.parts import LARGE, checked_lattice, lattice_of_constants, symbol_of
from hirshprint.structures.reading.pymatgen_json import read_pymatgen_json
from hirshprint.structures.reading.xyz import read_xyz
from hirshprint.structures.structure import Structure
from hirshprint.structures.symbols import SYMBOLS

SPECIES_KEYS = ("species", "sp", "symbols", "numbers")
FRACTIONAL_KEYS = ("frac", "frac_coords")
CARTESIAN_KEYS = ("positions", "cart_coords")
CONSTANTS = ("a", "b", "c", "alpha", "beta", "gamma")
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
    return crystal_structure(_of_frame(text) if kind == "extxyz" else _of_object(text), structure_id)


def _of_frame(text: str) -> Crystal:
    try:
        return read_xyz(text)
    except CrystalError as error:
        counted = " (lines counted from that of the number of atoms)" if "line " in error.reason else ""
        raise CrystalError(f"{error.reason}{counted}", error.remedy) from None


def _of_object(text: str) -> Crystal:
    """A structure of pymatgen's, or a plain object."""
    found = json.loads(text)
    if "sites" in found:
        return read_pymatgen_json(text)
    _check_periodic(found.get("pbc"))
    lattice = _lattice(found)
    species = _one_of(found, SPECIES_KEYS)
    if not isinstance(found[species], list):
        raise CrystalError(f"`{species}` is no list", FORM)
    symbols = tuple(_symbol(one, atom) for atom, one in enumerate(found[species], 1))
    key = _one_of(found, FRACTIONAL_KEYS + CARTESIAN_KEYS)
    places = _rows(found[key], f"`{key}`")
    if len(places) != len(symbols):
        raise CrystalError(f"`{species}` names {len(symbols)} atoms, `{key}` has {len(places)} places", "complete them")
    return Crystal(lattice, symbols, places if key in FRACTIONAL_KEYS else places @ np.linalg.inv(lattice))


def _check_periodic(pbc: Any) -> None:
    repeats = pbc if isinstance(pbc, list) else [pbc]
    if pbc is not None and not all(one is True or one == 1 for one in repeats):
        raise CrystalError("it does not repeat in three directions (pbc)", "give a crystal, with its cell")


def _one_of(found: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    present = [key for key in keys if key in found]
    if len(present) > 1:
        raise CrystalError(f"it has {' and '.join(f'`{key}`' for key in present)}", "keep one of them")
    if not present:
        raise CrystalError(f"it has none of {', '.join(f'`{key}`' for key in keys)}", FORM)
    return present[0]


def _lattice(found: Mapping[str, Any]) -> NDArray[np.float64]:
    """Rows a, b, c in Å from three rows, six cell constants, or an object of one of them as pymatgen's."""
    key = _one_of(found, ("lattice", "cell"))
    given = found[key]
    if isinstance(given, dict):
        _check_periodic(given.get("pbc"))
        given = given.get("matrix") or [given.get(name) for name in CONSTANTS]
    flat = isinstance(given, list) and not any(isinstance(row, list) for row in given)
    if flat and len(given) == len(CONSTANTS):
        return lattice_of_constants([_number(value, f"`{key}`") for value in given])
    if not flat and isinstance(given, list) and len(given) == 3:
        return checked_lattice(_rows(given, f"`{key}`"))
    raise CrystalError(f"`{key}` is neither three rows nor six cell constants", FORM)


def _rows(given: Any, what: str) -> NDArray[np.float64]:
    """Rows of three numbers."""
    if not isinstance(given, list):
        raise CrystalError(f"{what} is no list of three numbers each", FORM)
    for number, row in enumerate(given, 1):
        if not isinstance(row, list) or len(row) != 3:
            raise CrystalError(f"row {number} of {what} is not three numbers", "write three numbers")
        for value in row:
            _number(value, f"row {number} of {what}")
    return np.array(given, dtype=float).reshape(-1, 3)


def _number(value: Any, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise CrystalError(f"{json.dumps(value)[:40]} in {what} is no number", "write a number")
    if not abs(value) < LARGE:
        raise CrystalError(f"the number {value} in {what} is not finite, or too large", "correct the number")
    return float(value)


def _symbol(given: Any, atom: int) -> str:
    """Element symbol of a symbol, an ion such as Ti4+, an atomic number, or pymatgen's list of species."""
    if isinstance(given, dict):
        given = [given]
    if isinstance(given, list):
        if len(given) != 1 or not isinstance(given[0], dict) or given[0].get("occu", 1) != 1:
            raise CrystalError(f"partial occupancy or disorder (atom {atom})", "give an ordered model")
        given = given[0].get("element")
    number = isinstance(given, (int, float)) and not isinstance(given, bool) and given in range(1, len(SYMBOLS) + 1)
    symbol = SYMBOLS[int(given) - 1] if number else symbol_of(given.strip()) if isinstance(given, str) else None
    if symbol is None:
        raise CrystalError(f"unknown element {given!r} (atom {atom})", "write an element symbol such as Sr")
    return symbol
