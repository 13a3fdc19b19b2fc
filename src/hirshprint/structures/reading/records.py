"""Crystals from files that have many: frames of extended XYZ, CIFs, and JSON objects of several forms."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hirshprint.structures.crystals import Crystal, CrystalError, crystal_structure
from hirshprint.structures.reading import parsed
from hirshprint.structures.reading.parts import (
    check_periodic,
    checked_lattice,
    element_of,
    lattice_of_constants,
    one_number,
    three_numbers,
)
from hirshprint.structures.reading.pymatgen_json import crystal_of_dict, element_of_species, lattice_of_dict
from hirshprint.structures.reading.xyz import read_frame
from hirshprint.structures.structure import Structure

SPECIES_KEYS = ("species", "sp", "symbols", "numbers")
FRACTIONAL_KEYS = ("frac", "frac_coords")
CARTESIAN_KEYS = ("positions", "cart_coords")
FORM = (
    "give `lattice` (three rows, Å) or `cell` (a, b, c, alpha, beta, gamma), `species`, and `frac` or `positions` (Å); "
    "or write the dictionary of pymatgen's Structure under `structure`"
)


def read_record(kind: str, text: str, structure_id: str) -> Structure:
    """Read and check one crystal of a file of many.

    Parameters
    ----------
    kind : str
        ``json``, ``extxyz`` or ``cif``.
    text : str
        What determines its geometry, as `sources.collections` takes it from the file.
    structure_id : str
        Name of the structure.

    Raises
    ------
    CrystalError
        It lacks something, its parts do not fit each other, it is disordered or does not repeat in three directions,
        or a fault that `crystal_structure` names.
    """
    if kind == "cif":
        return crystal_structure(parsed(".cif", text), structure_id)
    found = json.loads(text)
    return crystal_structure(read_frame(*found) if kind == "extxyz" else crystal_of_object(found), structure_id)


def crystal_of_object(found: Mapping[str, Any]) -> Crystal:
    """Take a crystal from a JSON object of one of the known forms.

    Parameters
    ----------
    found : mapping
        `lattice` or `cell`, species and places, or a form of `FORMS`.

    Raises
    ------
    CrystalError
        See `read_record`.
    """
    check_periodic(found.get("pbc"))
    for key, read in FORMS.items():
        if key in found:
            return read(found)
    lattice = _lattice(found)
    species = _one_of(found, SPECIES_KEYS)
    symbols = _symbols(found[species], f"`{species}`")
    key = _one_of(found, FRACTIONAL_KEYS + CARTESIAN_KEYS)
    return _joined(lattice, (species, symbols), (key, found[key]), key in FRACTIONAL_KEYS)


def _of_jarvis(found: Mapping[str, Any]) -> Crystal:
    """A crystal as JARVIS has it: `lattice_mat`, `elements`, `coords`, and `cartesian`, which says what these are."""
    lattice = checked_lattice(_rows(found["lattice_mat"], "`lattice_mat`"))
    cartesian = found.get("cartesian", False)
    if not isinstance(cartesian, bool):
        raise CrystalError(f"`cartesian` is {cartesian!r}", "write true or false")
    symbols = _symbols(found.get("elements"), "`elements`")
    return _joined(lattice, ("elements", symbols), ("coords", found.get("coords")), not cartesian)


def crystal_of_optimade(attributes: Mapping[str, Any]) -> Crystal:
    """Take a crystal from the attributes of an OPTIMADE entry (https://github.com/Materials-Consortia/OPTIMADE).

    Parameters
    ----------
    attributes : mapping
        `lattice_vectors`, `cartesian_site_positions`, `species_at_sites` and `species`.

    Raises
    ------
    CrystalError
        It lacks one of them, they do not fit each other, it is disordered, or does not repeat in three directions.
    """
    check_periodic(attributes.get("dimension_types"))
    lattice = checked_lattice(_rows(attributes.get("lattice_vectors"), "`lattice_vectors`"))
    species, sites = attributes.get("species"), attributes.get("species_at_sites")
    if not isinstance(species, list) or not all(isinstance(one, dict) for one in species):
        raise CrystalError("`species` is not a list of objects", "write them as OPTIMADE has them")
    if not isinstance(sites, list):
        raise CrystalError("`species_at_sites` is not a list", "write the name of the species of each atom")
    kinds = {str(one.get("name")): one for one in species}
    symbols = list[str]()
    for k, name in enumerate(sites, 1):
        if str(name) not in kinds:
            raise CrystalError(f"`species` has no {str(name)[:40]!r} (atom {k})", "add it")
        kind = kinds[str(name)]
        elements, shares = kind.get("chemical_symbols"), kind.get("concentration", [1])
        if not isinstance(elements, list) or not isinstance(shares, list) or len(elements) != len(shares):
            raise CrystalError(f"`species` {name} has no lists that fit (atom {k})", "write them as OPTIMADE has them")
        if len(elements) != 1 or abs(one_number(shares[0], "`concentration`") - 1) > 1e-4 or kind.get("attached"):
            raise CrystalError(f"partial occupancy or disorder (atom {k})", "give an ordered model")
        symbols.append(element_of(elements[0], f"(atom {k})"))
    key = "cartesian_site_positions"
    return _joined(lattice, ("species_at_sites", tuple(symbols)), (key, attributes.get(key)), False)


FORMS: dict[str, Callable[[Mapping[str, Any]], Crystal]] = {
    "sites": crystal_of_dict,
    "lattice_mat": _of_jarvis,
    "lattice_vectors": crystal_of_optimade,
}
"""Forms of other programs, by a key that only they have."""


def _joined(
    lattice: NDArray[np.float64], species: tuple[str, tuple[str, ...]], places: tuple[str, Any], fractional: bool
) -> Crystal:
    """A crystal of a lattice, symbols and places, the latter two with the keys that they stand under."""
    rows = np.array(_rows(places[1], f"`{places[0]}`"), dtype=float).reshape(-1, 3)
    if len(rows) != len(species[1]):
        raise CrystalError(
            f"`{species[0]}` names {len(species[1])} atoms, `{places[0]}` has {len(rows)} places", "complete them"
        )
    return Crystal(lattice, species[1], rows if fractional else rows @ np.linalg.inv(lattice))


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
        return lattice_of_dict(given)
    flat = isinstance(given, list) and not any(isinstance(row, list) for row in given)
    if flat and len(given) == 6:
        return lattice_of_constants([one_number(value, f"`{key}`") for value in given])
    if not flat and isinstance(given, list) and len(given) == 3:
        return checked_lattice(_rows(given, f"`{key}`"))
    raise CrystalError(f"`{key}` is neither three rows nor six cell constants", FORM)


def _rows(given: Any, what: str) -> list[list[float]]:
    """Rows of three numbers."""
    if not isinstance(given, list):
        raise CrystalError(f"{what} is not a list of three numbers each", FORM)
    return [three_numbers(row, f"row {k} of {what}") for k, row in enumerate(given, 1)]


def _symbols(given: Any, what: str) -> tuple[str, ...]:
    """Element symbols of a list of symbols, ions, atomic numbers, or pymatgen's lists of species."""
    if not isinstance(given, list):
        raise CrystalError(f"{what} is not a list", FORM)
    wheres = ((one, f"(atom {k})") for k, one in enumerate(given, 1))
    return tuple(
        element_of_species([one] if isinstance(one, dict) else one, where)
        if isinstance(one, (dict, list))
        else element_of(one, where)
        for one, where in wheres
    )
