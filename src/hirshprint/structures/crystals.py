"""Crystals by pymatgen and spglib: files are read and checked, prototypes built, symmetry found."""

from __future__ import annotations

import csv
import re
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import spglib
import spglib.error
from numpy.typing import NDArray
from pymatgen.core import Composition, Element, Lattice
from pymatgen.core import Structure as Crystal
from pymatgen.core.operations import SymmOp
from pymatgen.io.cif import CifParser
from pymatgen.io.vasp import Poscar

from hirshprint.structures.planning import MIN_DISTANCE_ANGSTROM, Entry, Rejection, element_fault
from hirshprint.structures.prototypes import PROTOTYPES, Prototype, find_prototype
from hirshprint.structures.structure import Structure
from hirshprint.structures.symbols import SYMBOLS

spglib.error.OLD_ERROR_HANDLING = False  # raise SpglibError instead of returning None with a warning
PYMATGEN_FORMATS = {".json": "json", ".res": "res", ".cssr": "cssr", ".xsf": "xsf"}
ASE_FORMATS = (".xyz", ".extxyz", ".gen")
LABEL = re.compile(r"[A-Za-z][\w.()+-]*", re.ASCII)  # an atom's name that can name a file too
MAX_EDGE_ANGSTROM = 1000.0  # a longer one is a slip: densities end at 10 Å
SYMMETRY_TOLERANCE_ANGSTROM = 1e-4  # below what moves a surface; equivalent atoms share one
TARGET_COLUMNS = ("structure_id", "source", "compound", "group", "formula")  # then the sites, and what follows
VALUE_COLUMNS = ("initial_edge_angstrom", "property", "unit", "value")
FILE_SITES = ("A", "B", "X")  # empty columns of a dataset from files


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

    Files are read in a process of its own (`reading`), each under a limit of time and memory.

    Returns
    -------
    structures : those that could be built, in the order of the entries.
    targets : one row (columns `target_columns`) per structure.
    rejections : files that could not be used.
    """
    from hirshprint.structures.reading import Reader

    prototype = find_prototype(settings["prototype"]) if settings.get("prototype") else None
    structures, targets, rejections = [], [], []
    with Reader() as reader:
        for entry in entries:
            try:
                if entry.edge_angstrom is None:
                    assert entry.path is not None
                    structure = reader.read(entry.path, entry.structure_id)
                else:
                    assert prototype is not None
                    structure = prototype_structure(prototype, entry.elements, entry.edge_angstrom, entry.structure_id)
            except CrystalError as error:
                rejections.append(Rejection(entry.structure_id, entry.source, error.reason, error.remedy))
                continue
            structures.append(structure)
            targets.append(_target(entry, structure, prototype, settings))
    if prototype is None:
        _tell_apart(targets)
    return structures, targets, rejections


def _target(
    entry: Entry, structure: Structure, prototype: Prototype | None, settings: dict[str, Any]
) -> dict[str, Any]:
    """The row of one structure in the table of targets."""
    formula = reduced_formula(structure.numbers)
    compound = entry.compound if prototype else formula
    if entry.group and not prototype:  # structures of one formula may be in different groups, and parts
        compound = f"{formula} ({entry.group})"
    sites = dict(zip(prototype.sites, entry.elements, strict=True)) if prototype else dict.fromkeys(FILE_SITES, "")
    return {
        "structure_id": entry.structure_id,
        "source": entry.source,
        "compound": compound,
        "group": entry.group or compound,
        "formula": formula,
        **sites,
        "initial_edge_angstrom": entry.edge_angstrom,
        "property": settings["property"],
        "unit": settings["unit"],
        "value": entry.target,
    }


def _tell_apart(targets: Sequence[dict[str, Any]]) -> None:
    """Name files of one compound, such as polymorphs, after the file too; their group stays that of the compound."""
    files = Counter(row["compound"] for row in targets)
    for row in targets:
        if files[row["compound"]] > 1:
            row["compound"] = f"{row['formula']} ({row['structure_id']})"


def write_targets(path: Path, targets: Sequence[dict[str, Any]]) -> None:
    """Write the measured property of each structure as CSV; an empty cell where there is none."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(targets[0]))
        writer.writeheader()
        writer.writerows(targets)


# --- prototypes ---------------------------------------------------------------------------------------------------


def prototype_structure(
    prototype: Prototype, elements: Sequence[str], edge_angstrom: float, structure_id: str
) -> Structure:
    """Place elements on the sites of a prototype.

    Parameters
    ----------
    elements : symbols in the order of the prototype's sites.
    edge_angstrom : its edge, Å.

    Raises
    ------
    CrystalError
        The file of a prototype of the user's cannot be used, or atoms overlap at this edge.
    """
    ideal = _ideal(prototype)
    numbers = np.array([_atomic_number(symbol) for symbol in elements])
    site_of = ideal.numbers - 1  # the placeholder of site k is element k + 1
    labels = tuple(prototype.sites[k] for k in site_of[ideal.site_atom])
    anions = prototype.anion_sites(elements)
    if edge_angstrom * _closest(prototype) < MIN_DISTANCE_ANGSTROM:
        raise CrystalError(f"atoms overlap at an edge of {edge_angstrom:g} Å", "give a larger edge")
    return replace(
        ideal,
        structure_id=structure_id,
        lattice=ideal.lattice * edge_angstrom,
        numbers=numbers[site_of],
        is_anion=np.isin([prototype.sites[k] for k in site_of], anions),
        site_labels=labels,
    )


def cubic_perovskite(elements: Sequence[str], edge_angstrom: float, structure_id: str) -> Structure:
    """Build the ideal cubic perovskite ABX3: A at 0 0 0, B at ½ ½ ½, X at the face centres.

    Parameters
    ----------
    elements : symbols on A, B and X.
    edge_angstrom : edge of the cubic cell, Å.
    """
    return prototype_structure(PROTOTYPES["cubic_perovskite"], elements, edge_angstrom, structure_id)


@cache
def _ideal(prototype: Prototype) -> Structure:
    """The prototype for an edge of 1 Å, with elements 1, 2 ... on its sites: its symmetry is that of every compound."""
    if prototype.file is not None:
        return _ideal_of_file(prototype)
    frac = np.array([place for of_site in prototype.places for place in of_site]) % 1.0
    numbers = np.repeat(np.arange(len(prototype.places)) + 1, [len(of_site) for of_site in prototype.places])
    lattice = np.array(prototype.cell)
    if not np.allclose(lattice, np.diag(np.diag(lattice))):
        lattice = _standard_orientation(Lattice(lattice))
    atoms, multiplicity, operations = find_symmetry(lattice * 4.0, frac, numbers)
    return Structure(
        structure_id=prototype.name,
        lattice=lattice,
        numbers=numbers,
        frac=frac,
        is_anion=np.zeros(len(numbers), dtype=bool),
        site_atom=atoms,
        site_labels=("",) * len(atoms),
        multiplicity=multiplicity,
        site_operations=operations,
        formula_units=1,
    )


def _ideal_of_file(prototype: Prototype) -> Structure:
    assert prototype.file is not None
    found = read_crystal(prototype.file, prototype.name)
    present = {SYMBOLS[number - 1] for number in found.numbers}
    if present != set(prototype.placeholders):
        raise CrystalError(
            f"{prototype.file} has the elements {', '.join(sorted(present))}, its sites.csv "
            f"{', '.join(prototype.placeholders)}",
            "give each element of the file a row in sites.csv",
        )
    site_of = np.array([prototype.placeholders.index(SYMBOLS[number - 1]) for number in found.numbers])
    counts, wanted = np.bincount(site_of), np.array(list(prototype.counts.values()))
    units = int(counts[0] // wanted[0])
    if not units or (counts != units * wanted).any():
        raise CrystalError(
            f"{prototype.file} has {counts.tolist()} atoms on the sites {', '.join(prototype.sites)}, no multiple of "
            f"{wanted.tolist()}",
            "correct the column atoms of sites.csv",
        )
    edge = float(np.linalg.norm(found.lattice[0]))
    return replace(found, lattice=found.lattice / edge, numbers=site_of + 1, formula_units=units)


@cache
def _closest(prototype: Prototype) -> float:
    """Shortest distance of two atoms, in edges."""
    if prototype.file is None:
        return prototype.closest
    ideal = _ideal(prototype)
    crystal = Crystal(Lattice(ideal.lattice * 10), [SYMBOLS[k - 1] for k in ideal.numbers], ideal.frac)
    return float(min(crystal.get_neighbor_list(10.5)[3])) / 10


# --- files --------------------------------------------------------------------------------------------------------


def read_crystal(path: Path, structure_id: str) -> Structure:
    """Read and check a structure file: CIF, POSCAR, another format of pymatgen's, or one that ASE reads.

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
    if "\0" in text:
        raise CrystalError("it is no text", "give a text file such as CIF, in UTF-8")
    kind = path.suffix.lower()
    try:
        if kind in PYMATGEN_FORMATS:
            return Crystal.from_str(text, fmt=PYMATGEN_FORMATS[kind])
        if kind in ASE_FORMATS:
            return _read_by_ase(path)
        if kind != ".cif":
            return Poscar.from_str(text).structure
        parser = CifParser.from_str(text, occupancy_tolerance=1.0)
        crystals = parser.parse_structures(primitive=False, on_error="raise")
    except (CrystalError, MemoryError):
        raise
    except Exception as error:  # parsers raise whatever their regular expressions and indexing happen to
        if "ccupanc" in str(error):
            reason = "a place is occupied by more than one atom, or by more than a whole one"
            raise CrystalError(reason, "give an ordered model with one atom in each place") from None
        if "nan" in text.lower().split() or "inf" in text.lower().split():
            raise CrystalError("a number in it is not finite", "correct the number") from None
        raise CrystalError(
            f"cannot be read ({_short(error)})", "check that it is a complete CIF, POSCAR or other structure file"
        ) from None
    if len(crystals) != 1:
        raise CrystalError(f"{len(crystals)} crystals in one file", "give each crystal a file of its own")
    _check_cif(parser, crystals[0])
    return crystals[0]


def _check_cif(parser: CifParser, crystal: Crystal) -> None:
    """Raise where a CIF says something else than what pymatgen made of it: it passes over what it cannot use."""
    for block in parser.as_dict().values():
        for name, value in block.items():
            bounds = (0, 180) if name.startswith("_cell_angle_") else (0, np.inf)
            number = re.match(r"-?[\d.]+(e[-+]?\d+)?", str(value), re.IGNORECASE)
            if re.match("_cell_(length|angle)_", name) and number and not bounds[0] < float(number[0]) < bounds[1]:
                raise CrystalError(f"{name} is {value}", "correct the cell constant (Å, degrees)")
            if re.match("_(symmetry_equiv_pos_as|space_group_symop_operation)_xyz", name):
                for operation in [value] if isinstance(value, str) else value:
                    _check_operation(str(operation))
        if "_chemical_formula_sum" in block and (fault := parser.check(crystal)):
            raise CrystalError(
                f"its atoms do not make up its _chemical_formula_sum ({fault})", "complete the list of atoms"
            )


def _check_operation(text: str) -> None:
    """Raise where a symmetry operation such as ``-y,x+1/2,z`` is none: pymatgen would leave out all of them."""
    try:
        rotation = SymmOp.from_xyz_str(text).rotation_matrix
        fits = text.count(",") == 2 and "/0" not in text and abs(abs(np.linalg.det(rotation)) - 1) < 1e-6
    except (ValueError, ZeroDivisionError, IndexError):
        fits = False
    if not fits:
        raise CrystalError(f"{text!r} is no symmetry operation", "correct the list of symmetry operations")


def _read_by_ase(path: Path) -> Crystal:
    from ase.io import read
    from pymatgen.io.ase import AseAtomsAdaptor

    frames = read(path, index=":")
    if len(frames) != 1:
        raise CrystalError(f"{len(frames)} crystals in one file", "give each crystal a file of its own")
    if not frames[0].pbc.all():
        raise CrystalError("it has no cell that repeats in three directions", "give a crystal, with its cell")
    return AseAtomsAdaptor.get_structure(frames[0])


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
    if max(crystal.lattice.abc) > MAX_EDGE_ANGSTROM:
        raise CrystalError(f"a cell edge of {max(crystal.lattice.abc):.3g} Å", "check the cell constants (Å)")
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


def structure_of_places(
    lattice: NDArray[np.float64], symbols: Sequence[str], places: NDArray[np.float64], structure_id: str
) -> Structure:
    """Check a crystal that is given by its lattice (rows, Å) and Cartesian places (n, 3) Å; see `crystal_structure`."""
    return crystal_structure(Crystal(Lattice(lattice), symbols, places, coords_are_cartesian=True), structure_id)


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
    first, second, _, distances = crystal.get_neighbor_list(MIN_DISTANCE_ANGSTROM, exclude_self=True)
    for k in np.lexsort((second, first))[:1]:
        i, j = sorted((int(first[k]), int(second[k])))
        raise CrystalError(
            f"atoms overlap: {symbols[i]} (atom {i + 1}) and {symbols[j]} (atom {j + 1}) "
            f"are {distances[k]:.3f} Å apart",
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


def primitive_cell(structure: Structure) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Find a primitive cell (spglib): lattice rows in Å, fractional coordinates, atomic numbers."""
    cell = (structure.lattice, structure.frac, structure.numbers)
    try:
        found = spglib.find_primitive(cell, symprec=10 * SYMMETRY_TOLERANCE_ANGSTROM)
    except spglib.error.SpglibError:
        found = None
    return found or cell


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
