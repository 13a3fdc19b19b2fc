"""Structures that pymatgen wrote as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hirshprint.structures.crystals import Crystal, CrystalError
from hirshprint.structures.reading.parts import (
    ONE_EACH,
    check_periodic,
    checked_lattice,
    element_of,
    lattice_of_constants,
    one_number,
    symbol_of,
    three_numbers,
)

CLASSES = ("Structure", "IStructure", "Slab")
REMEDY = "write one Structure by pymatgen: structure.to('x.json')"
CONSTANTS = ("a", "b", "c", "alpha", "beta", "gamma")
TOLERANCE = 0.01  # Å and degrees: between numbers that say the same twice


def read_pymatgen_json(text: str) -> Crystal:
    """Read the dictionary of a pymatgen Structure from a file of its own.

    Raises
    ------
    CrystalError
        It is something else; or see `crystal_of_dict`.
    """
    data = _parsed(text)
    kind = data.get("@class", "Structure") if isinstance(data, dict) else ""
    if kind not in CLASSES or "lattice" not in data or "sites" not in data:
        several = isinstance(data, list) and len(data) > 1
        raise CrystalError(f"it is not a pymatgen Structure but {_described(data)}", ONE_EACH if several else REMEDY)
    return crystal_of_dict(data)


def crystal_of_dict(data: Mapping[str, Any]) -> Crystal:
    """Take a crystal from the dictionary of a pymatgen Structure, with its `lattice` and `sites`.

    Raises
    ------
    CrystalError
        It is not as pymatgen writes it, disordered, or says the same twice in different ways.
    """
    if data.get("lattice") is None:
        raise CrystalError("it has no cell that repeats in three directions (no `lattice`)", "give a crystal")
    lattice = lattice_of_dict(data["lattice"])
    sites = data["sites"]
    if not isinstance(sites, list) or not all(isinstance(site, dict) for site in sites):
        raise CrystalError("its `sites` are not a list of sites", REMEDY)
    symbols, places = list[str](), []
    for number, site in enumerate(sites, 1):
        symbols.append(element_of_species(site.get("species"), f"at site {number}"))
        places.append(three_numbers(site.get("abc"), f"`abc` of site {number}"))
        if site.get("xyz") is not None:
            offset = np.array(places[-1]) @ lattice - three_numbers(site["xyz"], f"`xyz` of site {number}")
            distance = float(np.linalg.norm(offset))
            if distance > TOLERANCE:
                raise CrystalError(f"abc and xyz of site {number} are {distance:.3g} Å apart", "correct one of them")
    return Crystal(lattice, tuple(symbols), np.array(places).reshape(-1, 3))


def lattice_of_dict(data: Any) -> NDArray[np.float64]:
    """Rows a, b, c in Å from the dictionary of a pymatgen Lattice: its matrix, its constants, or both.

    Raises
    ------
    CrystalError
        It has neither, they differ, or it does not repeat in three directions.
    """
    if not isinstance(data, dict):
        raise CrystalError("its `lattice` is not as pymatgen writes it", REMEDY)
    check_periodic(data.get("pbc"))
    constants = [one_number(data[name], f"`{name}` of its lattice") for name in CONSTANTS if data.get(name) is not None]
    made = lattice_of_constants(constants) if len(constants) == len(CONSTANTS) else None
    if data.get("matrix") is None and made is not None:
        return made
    rows = data.get("matrix")
    if not isinstance(rows, list) or len(rows) != 3:
        raise CrystalError("its lattice has no `matrix` of three rows", REMEDY)
    lattice = checked_lattice([three_numbers(row, f"row {k} of its lattice") for k, row in enumerate(rows, 1)])
    if made is not None:
        own, said = (one @ one.T for one in (lattice, made))
        if np.abs(own - said).max() > TOLERANCE * np.abs(own).max():
            raise CrystalError("the matrix of its lattice and its a, b, c, alpha, beta, gamma differ", "correct one")
    return lattice


def element_of_species(species: Any, where: str) -> str:
    """Element of a place from pymatgen's list of the species on it, or from its shares by element: ``{"Sr": 1}``.

    Raises
    ------
    CrystalError
        There is not one species on the whole place, or it is no element; see `element_of` for `where`.
    """
    if not isinstance(species, list) or not all(isinstance(one, dict) for one in species):
        raise CrystalError(f"no list of species {where}", REMEDY)
    if len(species) == 1 and species[0] and all(symbol_of(key) for key in species[0]):
        species = [{"element": key, "occu": share} for key, share in species[0].items()]
    if len(species) != 1 or abs(one_number(species[0].get("occu", 1), f"`occu` {where}") - 1) > 1e-4:
        raise CrystalError(f"partial occupancy or disorder {where}", "give an ordered model")
    return element_of(species[0].get("element"), where)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError:
        raise CrystalError("it is JSON with too many brackets in each other", REMEDY) from None
    except json.JSONDecodeError as error:
        if error.msg == "Extra data":
            raise CrystalError("several JSON documents in one file (JSON lines)", ONE_EACH) from None
        raise CrystalError(f"it is not JSON: mistake on line {error.lineno}", "check that it is complete") from None


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
