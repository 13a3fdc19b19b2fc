"""Other structure files, read by pymatgen and by ASE."""

from __future__ import annotations

from pathlib import Path

from pymatgen.core import Structure

from hirshprint.structures.crystals import Crystal, CrystalError, of_pymatgen

PYMATGEN_FORMATS = {".json": "json", ".res": "res", ".cssr": "cssr", ".xsf": "xsf"}
ASE_FORMATS = (".xyz", ".extxyz", ".gen")


def read_by_pymatgen(text: str, kind: str) -> Crystal:
    """Read a file of a format that pymatgen knows."""
    return of_pymatgen(Structure.from_str(text, fmt=kind))


def read_by_ase(path: Path) -> Crystal:
    """Read a file of a format that ASE knows."""
    from ase.io import read

    frames = read(path, index=":")
    if len(frames) != 1:
        raise CrystalError(f"{len(frames)} crystals in one file", "give each crystal a file of its own")
    if not frames[0].pbc.all():
        raise CrystalError("it has no cell that repeats in three directions", "give a crystal, with its cell")
    return Crystal(frames[0].cell.array, tuple(frames[0].symbols), frames[0].get_scaled_positions())
