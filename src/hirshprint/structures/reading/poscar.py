"""POSCAR files, as VASP reads them."""

from __future__ import annotations

from pymatgen.io.vasp import Poscar

from hirshprint.structures.crystals import Crystal, of_pymatgen


def read_poscar(text: str) -> Crystal:
    """Read a POSCAR file."""
    return of_pymatgen(Poscar.from_str(text).structure)
