"""Structure files, read and checked: CIF, POSCAR, and others."""

from __future__ import annotations

import warnings
from pathlib import Path

from hirshprint.structures.crystals import Crystal, CrystalError, crystal_structure
from hirshprint.structures.reading.cif import read_cif
from hirshprint.structures.reading.others import ASE_FORMATS, PYMATGEN_FORMATS, read_by_ase, read_by_pymatgen
from hirshprint.structures.reading.poscar import read_poscar
from hirshprint.structures.structure import Structure


def read_crystal(path: Path, structure_id: str) -> Structure:
    """Read and check a structure file: CIF, POSCAR, another format of pymatgen's, or one that ASE reads.

    Raises
    ------
    CrystalError
        If the file is empty or unreadable, has several crystals, is disordered, has an element without a free-atom
        density, overlapping atoms or a number that is not finite.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # libraries' remarks on rounding and the like; what matters is checked
        crystal = _read(path)
    return crystal_structure(crystal, structure_id)


def _read(path: Path) -> Crystal:
    text = _text(path)
    kind = path.suffix.lower()
    try:
        if kind == ".cif":
            return read_cif(text)
        if kind in PYMATGEN_FORMATS:
            return read_by_pymatgen(text, PYMATGEN_FORMATS[kind])
        if kind in ASE_FORMATS:
            return read_by_ase(path)
        return read_poscar(text)
    except (CrystalError, MemoryError):
        raise
    except Exception as error:  # parsers raise whatever their regular expressions and indexing happen to
        if "nan" in text.lower().split() or "inf" in text.lower().split():
            raise CrystalError("a number in it is not finite", "correct the number") from None
        raise CrystalError(
            f"cannot be read ({_short(error)})", "check that it is a complete CIF, POSCAR or other structure file"
        ) from None


def _text(path: Path) -> str:
    """The text of a file, in UTF-8 or else Latin-1."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        text = path.read_text(encoding="latin-1")
    if not text.strip():
        raise CrystalError("the file is empty", "write the crystal to it again")
    if "\0" in text:
        raise CrystalError("it is no text", "give a text file such as CIF, in UTF-8")
    return text


def _short(error: Exception) -> str:
    """First line of an error's message, or its kind."""
    lines = str(error).strip().splitlines()
    return lines[0][:160].rstrip(".") if lines else type(error).__name__
