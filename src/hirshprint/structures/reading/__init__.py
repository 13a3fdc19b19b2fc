"""Structure files, read and checked: CIF, POSCAR, and others."""

from __future__ import annotations

import gzip
import hashlib
import io
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

from hirshprint.structures.crystals import Crystal, CrystalError, crystal_structure
from hirshprint.structures.entries import CHANGED, PassingError
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
GIVE_KNOWN = (
    "give a CIF (.cif, .mcif), POSCAR (POSCAR, CONTCAR, .vasp), SHELX file (.res), extended XYZ (.xyz, .extxyz), CSSR, "
    "XSF or GEN file, or pymatgen's JSON (.json), with this ending"
)
MOLECULE = ("a file of a molecule, without a cell that repeats in three directions", "give the crystal, as a CIF")
OTHER_KINDS = {
    **dict.fromkeys(
        (".pdb", ".ent"), ("a PDB file, which is not read", "give the crystal as a CIF, with its space group")
    ),
    **dict.fromkeys((".mol", ".mol2", ".sdf"), MOLECULE),
    **dict.fromkeys(
        (".jsonl", ".ndjson", ".db"), ("a file of many crystals", "name one: FILE:ID, or use `structures:`")
    ),
    **dict.fromkeys(
        (".csv", ".tsv", ".xlsx"),
        (
            "a table without a column of crystals",
            "give it to `hirshprint init`, or write CIFs into a column `cif`",
        ),
    ),
    **dict.fromkeys((".h5", ".hdf5"), ("an HDF5 file, not a crystal", GIVE_KNOWN)),
    **dict.fromkeys(
        (".zip", ".tar", ".tgz", ".bz2", ".xz", ".7z"), ("a packed file", "unpack it first; only .gz is read")
    ),
}
"""Reason and remedy of some kinds that are no structure files, by the end of the name."""
UNPACKED_LIMIT_BYTES = 64 * 2**20


def read_crystal(path: Path, structure_id: str, content_digest: str = "") -> Structure:
    """Read and check a structure file of one of the kinds in `READERS`, also packed by gzip; any other as a POSCAR.

    Parameters
    ----------
    path : Path
        File of the crystal.
    structure_id : str
        Name of the structure.
    content_digest : str, optional
        SHA-256 that the file must have; not checked where it is empty.

    Raises
    ------
    PassingError
        The file has another digest.
    CrystalError
        If the file is empty or unreadable, has several crystals, is disordered, has an element without a free-atom
        density, overlapping atoms or a number that is not finite.
    """
    return crystal_structure(_read(path, content_digest), structure_id)


def _read(path: Path, content_digest: str) -> Crystal:
    kind = structure_kind(path.name)
    if kind is None and _ending(path.name) in OTHER_KINDS:
        raise CrystalError(*OTHER_KINDS[_ending(path.name)])
    text = _text(path, content_digest)
    if kind is None and not path.name.upper().startswith(("POSCAR", "CONTCAR")):
        return _of_no_known_kind(text, path.name)
    return parsed(kind or ".vasp", text, path.suffix.lstrip(".") or path.name)


def parsed(kind: str, text: str, called: str = "") -> Crystal:
    """Read a crystal from a text.

    Parameters
    ----------
    kind : str
        A key of `READERS`.
    text : str
        Contents of a file.
    called : str, optional
        What the kind is called in a message.

    Raises
    ------
    CrystalError
        It cannot be read.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # libraries' remarks on rounding and the like; what matters is checked
            return READERS[kind](text)
    except (CrystalError, MemoryError):
        raise
    except Exception:  # what no reader thought of; what a library says of it helps nobody
        remedy = "check that it is complete, and of that format"
        raise CrystalError(f"cannot be read as {called or kind.lstrip('.')}", remedy) from None


def _ending(name: str) -> str:
    return Path(name.lower().removesuffix(".gz")).suffix


def _of_no_known_kind(text: str, name: str) -> Crystal:
    """Take a file whose name says nothing as a POSCAR."""
    of_name = f"it ends with {ending}" if (ending := _ending(name)) else "its name has no ending"
    try:
        return read_poscar(text)
    except CrystalError as error:
        why = error.reason.removeprefix("not a POSCAR: ")
        raise CrystalError(f"of an unknown kind ({of_name}), and not a POSCAR: {why}", GIVE_KNOWN) from None


def _text(path: Path, content_digest: str) -> str:
    """The text of a file, in UTF-8 or else Latin-1, with line ends as here; what gzip packed is unpacked."""
    contents = path.read_bytes()
    if content_digest and hashlib.sha256(contents).hexdigest() != content_digest:
        raise PassingError(*CHANGED)
    if contents.startswith(b"\x1f\x8b"):
        contents = _unpacked(contents)
    try:
        text = contents.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = contents.decode("latin-1")
    if not text.strip():
        raise CrystalError("the file is empty", "write the crystal to it again")
    if "\0" in text:
        raise CrystalError("it is not text", "give a text file such as CIF, in UTF-8")
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
