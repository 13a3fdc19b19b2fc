"""A crystal of any kind that people have at hand, turned into plain arrays with its symmetry."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from hirshprint.structures.crystals import CrystalError, crystal_structure, reduced_formula
from hirshprint.structures.entries import InputError
from hirshprint.structures.placed import cubic_perovskite
from hirshprint.structures.prototypes import PROTOTYPES
from hirshprint.structures.reading import read_crystal
from hirshprint.structures.reading.process import read_all
from hirshprint.structures.reading.records import crystal_of_object
from hirshprint.structures.sources.collections import has_many, named_records
from hirshprint.structures.sources.folders import structure_name
from hirshprint.structures.sources.placement import compound_fault, overlap_fault, prototype_id
from hirshprint.structures.structure import Structure

IDS_SHOWN = 5
OCCUPIED = 1e-4  # a share that differs from 1 by no more is 1
PEROVSKITE = PROTOTYPES["cubic_perovskite"]


class NoCrystalError(InputError):
    """What was given names no crystal, neither a file nor a formula; the message says what would."""


def structure_of(crystal: Any, edge_angstrom: float) -> Structure:
    """Take a crystal from an object of pymatgen's or ASE's, a file, ``FILE:ID``, or a formula.

    Parameters
    ----------
    crystal : pymatgen.core.Structure, ase.Atoms, Structure, str or path
        The crystal.
    edge_angstrom : float, Å
        Edge of the ideal cubic perovskite that a formula is placed on.

    Raises
    ------
    NoCrystalError
        A text that names neither a file nor such a formula.
    CrystalError
        No usable crystal.
    TypeError
        An object of another kind.
    """
    if isinstance(crystal, Structure):
        return crystal
    if isinstance(crystal, (str, os.PathLike)):
        return read_text(os.fspath(crystal), edge_angstrom)
    structure = crystal_structure(crystal_of_object(record_of(crystal)), "")
    return replace(structure, structure_id=reduced_formula(structure.numbers))


def record_of(crystal: Any) -> dict[str, Any]:
    """Write an object of pymatgen's or ASE's as a record of a file of many crystals.

    Raises
    ------
    TypeError
        An object of another kind.
    """
    if hasattr(crystal, "lattice") and hasattr(crystal, "frac_coords"):  # of pymatgen's
        return {
            "lattice": crystal.lattice.matrix.tolist(),
            "species": [
                [{"element": str(getattr(kind, "symbol", kind)), "occu": float(share)} for kind, share in kinds.items()]
                for kinds in (site.species for site in crystal)
            ],
            "frac": crystal.frac_coords.tolist(),
            "pbc": [bool(one) for one in crystal.lattice.pbc],
        }
    if hasattr(crystal, "get_atomic_numbers") and hasattr(crystal, "pbc"):  # of ASE's
        _check_occupancy(crystal.info.get("occupancy") or {})
        return {
            "numbers": crystal.get_atomic_numbers().tolist(),
            "positions": crystal.get_positions().tolist(),
            "cell": crystal.cell[:].tolist(),
            "pbc": crystal.pbc.tolist(),
        }
    raise TypeError(
        f"{type(crystal).__name__} is no crystal; give a structure of pymatgen's, Atoms of ASE's, the name of a "
        "structure file, or a formula such as SrTiO3"
    )


def _check_occupancy(of_kinds: Mapping[Any, Mapping[str, float]]) -> None:
    """Refuse Atoms of ASE's that keep partial occupancies beside the atoms: `info["occupancy"]`."""
    for shares in of_kinds.values():
        if len(shares) != 1 or any(abs(share - 1) > OCCUPIED for share in shares.values()):
            said = ", ".join(f"{symbol} {share:g}" for symbol, share in shares.items())
            raise CrystalError(f"partial occupancy or disorder ({said})", "give an ordered model")


def read_text(text: str, edge_angstrom: float, edge_name: str = "edge_angstrom") -> Structure:
    """Read a structure file, or FILE:ID of a file of many crystals; or place a formula ABX3 on the cubic perovskite.

    Parameters
    ----------
    text : str
        Name of a file, ``FILE:ID``, or a formula.
    edge_angstrom : float, Å
        Edge of the cubic perovskite.
    edge_name : str
        What messages call it.

    Raises
    ------
    NoCrystalError
        Neither a file nor such a formula.
    InputError
        A file of many crystals that cannot be read.
    CrystalError
        A file that gives no usable crystal.
    OSError
        A file that cannot be opened.
    """
    path, name = _file_and_id(text)
    if path.is_file():
        try:
            many = bool(name) or has_many(path)
            return _read_record(path, name) if many else read_crystal(path, structure_name(path))
        except CrystalError as error:
            raise CrystalError(f"{text}: {error.reason}", error.remedy) from None
    if path.is_dir():
        raise NoCrystalError(f"{text} is a folder; name one file in it, or list all by `hirshprint check`")
    if not re.fullmatch(r"[A-Za-z0-9]+", text):
        raise NoCrystalError(f"{text}: there is no such file")
    elements = PEROVSKITE.elements_of(text)
    if elements is None:
        raise NoCrystalError(f"{text} is neither a file nor a formula ABX3 of a cubic perovskite, such as SrTiO3")
    fault = compound_fault({**dict(zip(PEROVSKITE.sites, elements, strict=True)), "formula": text}, PEROVSKITE)
    fault = fault or overlap_fault(edge_angstrom, edge_name, PEROVSKITE)
    if fault:
        raise NoCrystalError(f"{text}: {fault[0]}; {fault[1]}")
    return cubic_perovskite(elements, edge_angstrom, prototype_id(text, edge_angstrom))


def _file_and_id(text: str) -> tuple[Path, str]:
    """File and id of ``FILE:ID``; the text itself, and no id, where it names no such file."""
    ends = [] if Path(text).is_file() else [k for k, letter in enumerate(text) if letter == ":"]
    return next(((Path(text[:k]), text[k + 1 :]) for k in ends if Path(text[:k]).is_file()), (Path(text), ""))


def _read_record(path: Path, name: str) -> Structure:
    """Read the crystal with this id from a file of many; without an id, the only one.

    Raises
    ------
    NoCrystalError
        No id is given, or none has it.
    InputError
        Several crystals have it.
    CrystalError
        It gives no usable crystal.
    """
    known, wanted = [], []
    for its_name, record, fault in named_records(path):
        known.append(its_name)
        wanted += [(record, fault)] if its_name == name or (not name and len(known) == 1) else []
    if len(wanted) == 1 and (name or len(known) == 1):
        record, fault = wanted[0]
        if fault:
            raise CrystalError(*fault)
        answer = read_all([((record.kind, record.geometry), name or known[0])], 1).popitem()[1]
        if isinstance(answer, CrystalError):
            raise answer
        return answer
    if name and wanted:
        raise InputError(f"{path}: {len(wanted)} records have the id {name}; give each its own")
    more = " ..." if len(known) > IDS_SHOWN else ""
    has = f"has no crystal {name} among its {len(known):,}" if name else f"has {len(known):,} crystals"
    raise NoCrystalError(f"{path} {has}; name one as {path}:{known[0]} (ids: {', '.join(known[:IDS_SHOWN])}{more})")
