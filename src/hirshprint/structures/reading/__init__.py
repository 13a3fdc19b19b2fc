"""Structure files, read and checked: CIF, POSCAR, and others."""

from __future__ import annotations

import gzip
import io
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

from hirshprint.structures.crystals import Crystal, CrystalError, crystal_structure
from hirshprint.structures.reading.cif import read_cif
from hirshprint.structures.reading.cssr import read_cssr
from hirshprint.structures.reading.others import read_gen, read_xsf
from hirshprint.structures.reading.poscar import read_poscar
from hirshprint.structures.reading.pymatgen_json import read_pymatgen_json
from hirshprint.structures.reading.shelx import read_res
from hirshprint.structures.reading.xyz import read_xyz
from hirshprint.structures.sources.folders import structure_kind
from hirshprint.structures.structure import Structure

READERS: dict[str, Callable[[str], Crystal]] = {
    ".cif": read_cif,
    ".mcif": read_cif,
    ".vasp": read_poscar,
    ".json": read_pymatgen_json,
    ".res": read_res,
    ".cssr": read_cssr,
    ".xsf": read_xsf,
    ".xyz": read_xyz,
    ".extxyz": read_xyz,
    ".gen": read_gen,
}
"""Reader by the kind of a file (`structure_kind`)."""
UNPACKED_LIMIT_BYTES = 64 * 2**20


def read_crystal(path: Path, structure_id: str) -> Structure:
    """Read and check a structure file of one of the kinds in `READERS`, also packed by gzip; any other as a POSCAR.

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
    kind = structure_kind(path.name) or ".vasp"
    try:
        return READERS[kind](text)
    except (CrystalError, MemoryError):
        raise
    except Exception:  # what no reader thought of; what a library says of it helps nobody
        kind = path.suffix.lstrip(".") or path.name
        raise CrystalError(f"cannot be read as {kind}", "check that it is complete, and of that format") from None


def _text(path: Path) -> str:
    """The text of a file, in UTF-8 or else Latin-1, with line ends as here; what gzip packed is unpacked."""
    contents = path.read_bytes()
    if contents.startswith(b"\x1f\x8b"):
        contents = _unpacked(contents)
    try:
        text = contents.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = contents.decode("latin-1")
    if not text.strip():
        raise CrystalError("the file is empty", "write the crystal to it again")
    if "\0" in text:
        raise CrystalError("it is no text", "give a text file such as CIF, in UTF-8")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _unpacked(contents: bytes) -> bytes:
    try:
        with gzip.open(io.BytesIO(contents)) as file:
            unpacked = file.read(UNPACKED_LIMIT_BYTES + 1)
    except (OSError, EOFError, zlib.error):
        raise CrystalError("it cannot be unpacked", "pack it again by gzip") from None
    if len(unpacked) > UNPACKED_LIMIT_BYTES:
        raise CrystalError(
            f"unpacked it is larger than {UNPACKED_LIMIT_BYTES // 2**20} MB", "give one crystal, or unpack it by hand"
        )
    return unpacked
