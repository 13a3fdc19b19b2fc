"""Structures that pymatgen wrote as JSON."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from hirshprint.structures.crystals import Crystal, CrystalError
from hirshprint.structures.reading.parts import LARGE, ONE_EACH, checked_lattice, lattice_of_constants
from hirshprint.structures.symbols import SYMBOLS

CLASSES = ("Structure", "IStructure", "Slab")
REMEDY = "write one Structure by pymatgen: structure.to('x.json')"
CONSTANTS = ("a", "b", "c", "alpha", "beta", "gamma")
TOLERANCE = 0.01  # Å and degrees: between numbers that say the same twice


def read_pymatgen_json(text: str) -> Crystal:
    """Read the dictionary of a pymatgen Structure.

    Raises
    ------
    CrystalError
        It is something else, disordered, or says the same twice in different ways.
    """
    data = _parsed(text)
    kind = data.get("@class", "Structure") if isinstance(data, dict) else ""
    if kind not in CLASSES or "lattice" not in data or "sites" not in data:
        several = isinstance(data, list) and len(data) > 1
        raise CrystalError(f"it is no pymatgen Structure but {_described(data)}", ONE_EACH if several else REMEDY)
    try:
        lattice = checked_lattice(np.array(data["lattice"]["matrix"], dtype=float).reshape(3, 3))
        constants = [float(data["lattice"].get(name, np.nan)) for name in CONSTANTS]
        periodic = all(data["lattice"].get("pbc", [True]))
        frac = np.array([site["abc"] for site in data["sites"]], dtype=float).reshape(-1, 3)
        places = np.array([site.get("xyz", [np.nan] * 3) for site in data["sites"]], dtype=float).reshape(-1, 3)
        symbols = tuple(_element(site["species"], number) for number, site in enumerate(data["sites"], 1))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, CrystalError):
            raise
        raise CrystalError("its lattice or its sites are not as pymatgen writes them", REMEDY) from None
    if not (np.abs(frac) < LARGE).all() or (np.abs(places) > LARGE).any():
        raise CrystalError("a number in it is not finite, or too large", "correct the number")
    if not periodic:
        raise CrystalError("it has no cell that repeats in three directions (pbc)", "give a crystal, with its cell")
    if np.isfinite(constants).all():
        own, said = (rows @ rows.T for rows in (lattice, lattice_of_constants(constants)))
        if np.abs(own - said).max() > TOLERANCE * np.abs(own).max():
            raise CrystalError("the matrix of its lattice and its a, b, c, alpha, beta, gamma differ", "correct one")
    for number, distance in enumerate(np.linalg.norm(frac @ lattice - places, axis=1), 1):
        if distance > TOLERANCE:
            raise CrystalError(f"abc and xyz of site {number} are {distance:.3g} Å apart", "correct one of them")
    return Crystal(lattice, symbols, frac)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError:
        raise CrystalError("it is JSON with too many brackets in each other", REMEDY) from None
    except json.JSONDecodeError as error:
        if error.msg == "Extra data":
            raise CrystalError("several JSON documents in one file (JSON lines)", ONE_EACH) from None
        raise CrystalError(f"it is no JSON: mistake on line {error.lineno}", "check that it is complete") from None


def _element(species: list[dict[str, Any]], number: int) -> str:
    """Element of a site."""
    if len(species) != 1 or abs(float(species[0].get("occu", 1)) - 1) > 1e-4:
        raise CrystalError(f"partial occupancy or disorder at site {number}", "give an ordered model")
    symbol = str(species[0]["element"])
    symbol = "H" if symbol in ("D", "T") else symbol
    if symbol not in SYMBOLS:
        raise CrystalError(f"unknown element {symbol!r} at site {number}", "write an element symbol such as Sr")
    return symbol


def _described(data: Any) -> str:
    """Say what some JSON is."""
    if isinstance(data, list):
        return f"a list of {len(data)}"
    if not isinstance(data, dict):
        return "a single value"
    if "@class" in data:
        return f"a {data['@class']}"
    if {"ids", "nextid"} <= set(data):
        return "a database of ASE"
    records = data.get("data", data)
    first = records[0] if isinstance(records, list) and records else records
    if isinstance(first, dict) and "attributes" in first:
        return "an answer in the format of OPTIMADE"
    if "lattice_mat" in data:
        return "a structure of JARVIS"
    return f"JSON with the keys {', '.join(list(map(str, data))[:5])}" if data else "empty JSON"
