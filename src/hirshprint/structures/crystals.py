"""Crystals by pymatgen and spglib: files are read and checked, prototypes built, symmetry found."""

from __future__ import annotations

import csv
import re
import warnings
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import spglib
import spglib.error
from numpy.typing import NDArray
from pymatgen.core import Composition, Element, Lattice
from pymatgen.core import Structure as Crystal
from pymatgen.io.cif import CifParser
from pymatgen.io.vasp import Poscar

from hirshprint.structures.planning import MIN_DISTANCE_ANGSTROM, SITES, Entry, Rejection, element_fault
from hirshprint.structures.structure import Structure
from hirshprint.structures.symbols import SYMBOLS

spglib.error.OLD_ERROR_HANDLING = False  # raise SpglibError instead of returning None with a warning
LABEL = re.compile(r"[A-Za-z][\w.()+-]*", re.ASCII)  # an atom's name that can name a file too
SYMMETRY_TOLERANCE_ANGSTROM = 1e-4  # below what moves a surface; equivalent atoms share one
TARGET_COLUMNS = (
    "structure_id",
    "source",
    "compound",
    "group",
    "formula",
    *SITES,
    "initial_edge_angstrom",
    "property",
    "unit",
    "value",
)


class CrystalError(ValueError):
    """A file that gives no usable crystal.

    Attributes
    ----------
    reason, remedy : what is wrong, and what to do.
    """

    def __init__(self, reason: str, remedy: str):
        super().__init__(f"{reason}; {remedy}")
        self.reason = reason
        self.remedy = remedy


def build_structures(
    entries: Sequence[Entry], settings: dict[str, Any]
) -> tuple[list[Structure], list[dict[str, Any]], list[Rejection]]:
    """Turn the entries of a plan into structures.

    Returns
    -------
    structures : those that could be built, in the order of the entries.
    targets : one row (columns TARGET_COLUMNS) per structure.
    rejections : files that could not be used.
    """
    structures, targets, rejections = [], [], []
    for entry in entries:
        try:
            structure = _build(entry)
        except CrystalError as error:
            rejections.append(Rejection(entry.structure_id, entry.source, error.reason, error.remedy))
            continue
        structures.append(structure)
        formula = reduced_formula(structure.numbers)
        prototype = bool(entry.elements)
        targets.append(
            {
                "structure_id": entry.structure_id,
                "source": entry.source,
                "compound": entry.compound if prototype else formula,
                "group": entry.compound if prototype else formula,
                "formula": formula,
                **dict(zip(SITES, entry.elements or ("", "", ""), strict=True)),
                "initial_edge_angstrom": entry.edge_angstrom,
                "property": settings["property"],
                "unit": settings["unit"],
                "value": entry.target,
            }
        )
    return structures, targets, rejections


def write_targets(path: Path, targets: Sequence[dict[str, Any]]) -> None:
    """Write the measured property of each structure as CSV; an empty cell where there is none."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, TARGET_COLUMNS)
        writer.writeheader()
        writer.writerows(targets)


def _build(entry: Entry) -> Structure:
    if entry.edge_angstrom is not None:
        return cubic_perovskite(entry.elements, entry.edge_angstrom, entry.structure_id)
    assert entry.path is not None
    return read_crystal(entry.path, entry.structure_id)


# --- prototypes ---------------------------------------------------------------------------------------------------


def cubic_perovskite(elements: Sequence[str], edge_angstrom: float, structure_id: str) -> Structure:
    """Build the ideal cubic perovskite ABX3: A at 0 0 0, B at ½ ½ ½, X at the face centres.

    Parameters
    ----------
    elements : symbols on A, B and X.
    edge_angstrom : edge of the cubic cell, Å.
    """
    a, b, x = (_atomic_number(symbol) for symbol in elements)
    frac = np.array([[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]])
    return Structure(
        structure_id=structure_id,
        lattice=np.eye(3) * edge_angstrom,
        numbers=np.array([a, b, x, x, x]),
        frac=frac,
        is_anion=np.array([False, False, True, True, True]),
        site_atom=np.array([0, 1, 2]),
        site_labels=SITES,
        multiplicity=np.array([1, 1, 3]),
        site_operations=_cubic_perovskite_operations(),
        formula_units=1,
    )


@cache
def _cubic_perovskite_operations() -> tuple[NDArray[np.int64], ...]:
    """Site-symmetry operations of A, B and X: the same for every compound and edge."""
    frac = np.array([[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]])
    atoms, _, operations = find_symmetry(np.eye(3) * 4.0, frac, np.array([38, 22, 8, 8, 8]))
    assert list(atoms) == [0, 1, 2]
    return operations


# --- files --------------------------------------------------------------------------------------------------------


def read_crystal(path: Path, structure_id: str) -> Structure:
    """Read and check a CIF or POSCAR file.

    Raises
    ------
    CrystalError
        If the file is empty or unreadable, has several crystals, is disordered, has an element without a free-atom
        density, overlapping atoms or a number that is not finite.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pymatgen's remarks on rounding and the like; what matters is checked below
        crystal = _parse(path)
        names = crystal.labels if path.suffix.lower() == ".cif" else ()
    return crystal_structure(crystal, structure_id, names)


def _parse(path: Path) -> Crystal:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        text = path.read_text(encoding="latin-1")
    if not text.strip():
        raise CrystalError("the file is empty", "write the crystal to it again")
    try:
        if path.suffix.lower() != ".cif":
            return Poscar.from_str(text).structure
        crystals = CifParser.from_str(text, occupancy_tolerance=1.0).parse_structures(primitive=False, on_error="raise")
    except Exception as error:  # parsers raise whatever their regular expressions and indexing happen to
        if "ccupanc" in str(error):
            reason = "a place is occupied by more than one atom, or by more than a whole one"
            raise CrystalError(reason, "give an ordered model with one atom in each place") from None
        if "nan" in text.lower().split() or "inf" in text.lower().split():
            raise CrystalError("a number in it is not finite", "correct the number") from None
        raise CrystalError(
            f"cannot be read ({_short(error)})", "check that it is a complete CIF or POSCAR file"
        ) from None
    if len(crystals) != 1:
        raise CrystalError(f"{len(crystals)} crystals in one file", "give each crystal a file of its own")
    return crystals[0]


def _short(error: Exception) -> str:
    """First line of an error's message, or its kind."""
    lines = str(error).strip().splitlines()
    return lines[0][:160].rstrip(".") if lines else type(error).__name__


def crystal_structure(crystal: Crystal, structure_id: str, names: Sequence[str] = ()) -> Structure:
    """Check a pymatgen structure, find its symmetry-distinct sites and turn it into plain arrays.

    `names` are the labels that a CIF gives its atoms; a distinct site takes that of its first atom, where these tell
    all sites apart and can name a file. Else the sites are counted by element: ``Ti1``, ``O1``, ``O2`` ...

    Raises
    ------
    CrystalError
        See `read_crystal`.
    """
    if not len(crystal):
        raise CrystalError("no atoms in it", "check the atom list")
    if not crystal.is_ordered:
        raise CrystalError("partial occupancy or disorder", "give an ordered model")
    symbols = [_symbol(site.specie) for site in crystal]
    for symbol in dict.fromkeys(symbols):
        fault = element_fault(symbol)
        if fault:
            raise CrystalError(*fault)
    if not (np.isfinite(crystal.lattice.matrix).all() and np.isfinite(crystal.frac_coords).all()):
        raise CrystalError("a number in it is not finite", "correct the number")
    if crystal.lattice.volume < MIN_DISTANCE_ANGSTROM**3:
        raise CrystalError(f"a cell of {crystal.lattice.volume:.3g} Å³", "check the cell constants (Å, degrees)")
    lattice = _standard_orientation(crystal.lattice)
    _check_distances(crystal, symbols)
    numbers = np.array([_atomic_number(symbol) for symbol in symbols])
    frac = np.array(crystal.frac_coords, dtype=float) % 1.0
    atoms, multiplicity, operations = find_symmetry(lattice, frac, numbers)
    anion = _anion(symbols)
    return Structure(
        structure_id=structure_id,
        lattice=lattice,
        numbers=numbers,
        frac=frac,
        is_anion=np.array([symbol == anion for symbol in symbols]),
        site_atom=atoms,
        site_labels=_site_labels([symbols[atom] for atom in atoms], [names[atom] for atom in atoms] if names else []),
        multiplicity=multiplicity,
        site_operations=operations,
        formula_units=int(np.gcd.reduce(np.unique(numbers, return_counts=True)[1])),
    )


def _site_labels(symbols: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    """Label distinct sites by the names of their first atoms, or by element and number."""
    if len({name.lower() for name in names}) == len(symbols) and all(LABEL.fullmatch(name) for name in names):
        return tuple(names)
    return tuple(f"{symbol}{symbols[: k + 1].count(symbol)}" for k, symbol in enumerate(symbols))


def _standard_orientation(lattice: Lattice) -> NDArray[np.float64]:
    """Turn a lattice so that a lies along x and b in the xy plane; rows a, b, c in Å."""
    rows = np.linalg.qr(lattice.matrix.T)[1].T  # lower triangular
    rows = rows * np.sign(np.diag(rows))[None, :]
    if np.linalg.det(lattice.matrix) < 0:  # a left-handed cell stays one: c points down
        rows[:, 2] *= -1
    return np.ascontiguousarray(rows)


def _check_distances(crystal: Crystal, symbols: Sequence[str]) -> None:
    """Raise where two atoms (or an atom and its own image) are nearer than MIN_DISTANCE_ANGSTROM."""
    if min(crystal.lattice.abc) < MIN_DISTANCE_ANGSTROM:
        raise CrystalError(f"a cell edge of {min(crystal.lattice.abc):g} Å", "check the cell constants (Å)")
    distances = crystal.distance_matrix
    for i, j in np.argwhere(np.triu(distances < MIN_DISTANCE_ANGSTROM, 1))[:1]:
        raise CrystalError(
            f"atoms overlap: {symbols[i]} (atom {i + 1}) and {symbols[j]} (atom {j + 1}) "
            f"are {distances[i, j]:.3f} Å apart",
            "delete the duplicate, or correct the coordinates",
        )


def _symbol(specie: Any) -> str:
    """Element symbol of a pymatgen element or ion; deuterium and tritium are hydrogen."""
    symbol = getattr(specie, "element", specie).symbol
    return "H" if symbol in ("D", "T") else str(symbol)


def _atomic_number(symbol: str) -> int:
    return SYMBOLS.index(symbol) + 1


def _anion(symbols: Sequence[str]) -> str | None:
    """Most electronegative element (Pauling); None in a crystal of one element."""
    kinds = sorted(set(symbols))
    if len(kinds) == 1:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # elements without a value count as 0
        return max(kinds, key=lambda symbol: np.nan_to_num(Element(symbol).X))


def reduced_formula(numbers: NDArray[np.int64]) -> str:
    """Reduced formula with the elements in pymatgen's order and without brackets: Ca3P2O8."""
    kinds, counts = np.unique(numbers, return_counts=True)
    counts = counts // np.gcd.reduce(counts)
    formula = Composition({int(z): int(n) for z, n in zip(kinds, counts, strict=True)}).formula
    return re.sub(r"(?<=[a-z A-Z])1(?= |$)", "", formula).replace(" ", "")


# --- symmetry -----------------------------------------------------------------------------------------------------


def find_symmetry(
    lattice: NDArray[np.float64], frac: NDArray[np.float64], numbers: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], tuple[NDArray[np.int64], ...]]:
    """Find symmetry-distinct atoms and the operations that keep each in place (spglib).

    Returns
    -------
    site_atom : (n_sites,) first atom of each orbit.
    multiplicity : (n_sites,) atoms in the orbit, in this cell.
    site_operations : per site (m, 3, 3) rotations in fractional coordinates, identity first.
    """
    cell = (lattice, frac, numbers)
    try:
        dataset = spglib.get_symmetry_dataset(cell, symprec=SYMMETRY_TOLERANCE_ANGSTROM)
    except spglib.error.SpglibError:  # without symmetry every atom is distinct: slower, equally right
        n = len(numbers)
        return (
            np.arange(n),
            np.ones(n, dtype=np.int64),
            tuple(np.eye(3, dtype=np.int64)[None] for _ in range(n)),
        )
    orbits = np.asarray(dataset.equivalent_atoms)
    atoms, multiplicity = np.unique(orbits, return_counts=True)
    operations = []
    for atom in atoms:
        moved = dataset.rotations @ frac[atom] + dataset.translations - frac[atom]
        moved -= np.round(moved)
        stays = np.linalg.norm(moved @ lattice, axis=1) < 10 * SYMMETRY_TOLERANCE_ANGSTROM
        rotations = np.unique(np.asarray(dataset.rotations)[stays].astype(np.int64), axis=0)
        identity = (rotations == np.eye(3, dtype=np.int64)).all(axis=(1, 2))
        operations.append(np.concatenate([rotations[identity], rotations[~identity]]))
    return atoms.astype(np.int64), multiplicity.astype(np.int64), tuple(operations)


def atom_images(structure: Structure) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Find, for every atom of the cell, the distinct site whose image it is.

    Returns
    -------
    site : (n_atoms,) row of the site in `structure.site_atom`.
    operations : (n_atoms, 3, 3) Cartesian rotations R, proper or not: a point p about the site's atom has its image
        R p about this one.
    """
    lattice, frac = structure.lattice, structure.frac
    identity = np.eye(3)
    if len(structure.site_atom) == len(frac):
        return np.arange(len(frac)), np.repeat(identity[None], len(frac), axis=0)
    dataset = spglib.get_symmetry_dataset((lattice, frac, structure.numbers), symprec=SYMMETRY_TOLERANCE_ANGSTROM)
    site = np.searchsorted(structure.site_atom, dataset.equivalent_atoms)
    rotations = np.asarray(dataset.rotations)
    operations = np.empty((len(frac), 3, 3))
    for atom, first in enumerate(structure.site_atom[site]):
        moved = rotations @ frac[first] + dataset.translations - frac[atom]
        moved -= np.round(moved)
        nearest = np.argmin(np.linalg.norm(moved @ lattice, axis=1))
        u, _, v = np.linalg.svd(lattice.T @ rotations[nearest] @ np.linalg.inv(lattice.T))
        operations[atom] = identity if atom == first else u @ v
    return site, operations
