"""Crystals, checked and turned into plain arrays with their symmetry."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Composition, Element, Lattice
from pymatgen.core import Structure as PymatgenStructure

from hirshprint.structures.entries import CrystalError as CrystalError
from hirshprint.structures.geometry import near_pairs, standard_orientation
from hirshprint.structures.radii import SLATER_ANGSTROM
from hirshprint.structures.sources.placement import MIN_DISTANCE_ANGSTROM
from hirshprint.structures.structure import Structure
from hirshprint.structures.symbols import atomic_number, element_fault
from hirshprint.structures.symmetry import find_symmetry

LABEL = re.compile(r"[A-Za-z][\w.()+-]*", re.ASCII)  # an atom's name that can name a file too
SAME_PLACE_ANGSTROM = 0.1
VERY_NEAR, FAR_APART = 0.6, 1.5  # of the sum of two radii: nearer than any bond, farther than any nearest neighbours
VERY_NEAR_ANGSTROM = 1.6
MANY_CELLS, MOST_CELLS = 2.0, 100.0  # fractional coordinates beyond them are doubtful, impossible
MAX_EDGE_ANGSTROM = 1000.0  # a longer one is a slip: densities end at 10 Å


Pairs = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]  # what `near_pairs` gives


@dataclass(frozen=True, eq=False)
class Crystal:
    """The atoms of a whole cell, as a file gives them.

    Attributes
    ----------
    lattice : ndarray of float64, (3, 3)
        Rows are a, b, c in Å.
    symbols : tuple of str
        Element of each atom.
    frac : ndarray of float64, (n_atoms, 3)
        Fractional coordinates.
    names : tuple of str
        Labels that the file gives its atoms; empty where it has none.
    remarks : tuple of str
        Sentences on what was assumed or corrected, for the user to check.
    """

    lattice: NDArray[np.float64]
    symbols: tuple[str, ...]
    frac: NDArray[np.float64]
    names: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def of_pymatgen(crystal: PymatgenStructure, names: Sequence[str] = ()) -> Crystal:
    """Take the atoms from a structure of pymatgen's.

    Raises
    ------
    CrystalError
        A place is occupied in part, or by several elements.
    """
    if not crystal.is_ordered:
        raise CrystalError("partial occupancy or disorder", "give an ordered model")
    symbols = tuple(_symbol(site.specie) for site in crystal)
    return Crystal(np.array(crystal.lattice.matrix), symbols, np.array(crystal.frac_coords), tuple(names))


def crystal_structure(crystal: Crystal, structure_id: str) -> Structure:
    """Check a crystal, find its symmetry-distinct sites and turn it into plain arrays.

    A distinct site takes the name of its first atom, where these tell all sites apart and can name a file. Else the
    sites are counted by element: ``Ti1``, ``O1``, ``O2`` ...

    Raises
    ------
    CrystalError
        It has no atoms, an element without a free-atom density, overlapping atoms, a number that is not finite, or a
        cell that cannot be right.
    """
    symbols, names = crystal.symbols, crystal.names
    if not symbols:
        raise CrystalError("no atoms in it", "check the atom list")
    for symbol in dict.fromkeys(symbols):
        fault = element_fault(symbol)
        if fault:
            raise CrystalError(*fault)
    if not (np.isfinite(crystal.lattice).all() and np.isfinite(crystal.frac).all()):
        raise CrystalError("a number in it is not finite", "correct the number")
    cell = Lattice(crystal.lattice)
    if max(cell.abc) > MAX_EDGE_ANGSTROM:
        raise CrystalError(f"a cell edge of {max(cell.abc):.3g} Å", "check the cell constants (Å)")
    if cell.volume < MIN_DISTANCE_ANGSTROM**3:
        raise CrystalError(f"a cell of {cell.volume:.3g} Å³", "check the cell constants (Å, degrees)")
    lattice = standard_orientation(crystal.lattice)
    numbers = np.array([atomic_number(symbol) for symbol in symbols])
    frac = np.array(crystal.frac, dtype=float) % 1.0
    very_near = check_distances(lattice, frac, symbols, names)
    atoms, atom_site, operations = find_symmetry(lattice, frac, numbers)
    anion = _anion(symbols)
    return Structure(
        structure_id=structure_id,
        lattice=lattice,
        numbers=numbers,
        frac=frac,
        is_anion=np.array([symbol == anion for symbol in symbols]),
        site_atom=atoms,
        atom_site=atom_site,
        site_labels=_site_labels([symbols[atom] for atom in atoms], [names[atom] for atom in atoms] if names else []),
        multiplicity=np.bincount(atom_site),
        site_operations=operations,
        formula_units=int(np.gcd.reduce(np.unique(numbers, return_counts=True)[1])),
        remarks=(
            *crystal.remarks,
            *far_places(crystal.frac),
            *contact_doubts(lattice, frac, very_near, symbols, names),
        ),
    )


def contact_doubts(
    lattice: NDArray[np.float64],
    frac: NDArray[np.float64],
    very_near: Pairs,
    symbols: Sequence[str],
    names: Sequence[str] = (),
) -> list[str]:
    """Remark where atoms are very near to each other, or all are far apart, beside the sum of Slater's radii.

    So are atoms of a crystal that was filled with the wrong symmetry, or whose cell constants are not in Å.

    Parameters
    ----------
    lattice : ndarray of float64, (3, 3), Å
        Rows are a, b, c.
    frac : ndarray of float64, (n_atoms, 3)
        Fractional coordinates.
    very_near : tuple of three ndarray
        The pairs of atoms up to `VERY_NEAR_ANGSTROM`, see `check_distances`.
    symbols : sequence of str
        Element of each atom.
    names : sequence of str, optional
        Label of each atom; empty where the file gives none.
    """
    radii = np.array([SLATER_ANGSTROM.get(symbol, np.nan) for symbol in symbols])
    if np.isnan(radii).any() or set(symbols) == {"Ar"}:  # noble gases do not touch
        return []
    further = (2 * VERY_NEAR_ANGSTROM, 2 * FAR_APART * float(radii.max()))
    for first, second, distances in chain([very_near], (near_pairs(lattice, frac, reach) for reach in further)):
        if not len(distances):
            continue
        shares = distances / (radii[first] + radii[second])
        k = int(np.argmin(shares))
        if shares[k] < VERY_NEAR:
            called = " and ".join(names[atom] if names else f"{symbols[atom]}" for atom in (first[k], second[k]))
            return [f"{called} are {distances[k]:.2f} Å apart, very near: is the symmetry right?"]
        if shares[k] < FAR_APART:
            return []
    return ["no two atoms are near enough to touch: are the symmetry, and the cell constants (Å), right?"]


def far_places(frac: NDArray[np.float64]) -> list[str]:
    """Remark that fractional coordinates are far outside of the cell, as Cartesian ones would be.

    Parameters
    ----------
    frac : ndarray of float64, (n_atoms, 3)
        Fractional coordinates.

    Raises
    ------
    CrystalError
        They are so far outside that none can be meant.
    """
    far = float(np.abs(frac).max(initial=0.0))
    if far > MOST_CELLS:
        raise CrystalError(f"a fractional coordinate of {far:.3g}", "write fractional coordinates, about 0 to 1")
    doubt = f"a fractional coordinate of {far:.3g}: are the coordinates Cartesian ones?"
    return [doubt] if far > MANY_CELLS else []


def _site_labels(symbols: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    """Label distinct sites by the names of their first atoms, or by element and number."""
    if len({name.lower() for name in names}) == len(symbols) and all(LABEL.fullmatch(name) for name in names):
        return tuple(names)
    return tuple(f"{symbol}{symbols[: k + 1].count(symbol)}" for k, symbol in enumerate(symbols))


def check_distances(
    lattice: NDArray[np.float64], frac: NDArray[np.float64], symbols: Sequence[str], names: Sequence[str] = ()
) -> Pairs:
    """Raise CrystalError where two atoms (or an atom and its own image) are nearer than MIN_DISTANCE_ANGSTROM.

    Where atoms share a name, symmetry has made them of one row of a file, and may be what is wrong.

    Parameters
    ----------
    lattice : ndarray of float64, (3, 3), Å
        Rows are a, b, c.
    frac : ndarray of float64, (n_atoms, 3)
        Fractional coordinates.
    symbols : sequence of str
        Element of each atom.
    names : sequence of str, optional
        Label of each atom; empty where the file gives none.

    Returns
    -------
    tuple of three ndarray
        The pairs of atoms up to `VERY_NEAR_ANGSTROM`, as `near_pairs` gives them: for `contact_doubts`.
    """
    shortest_edge = float(np.linalg.norm(lattice, axis=1).min())
    if shortest_edge < MIN_DISTANCE_ANGSTROM:
        raise CrystalError(f"a cell edge of {shortest_edge:g} Å", "check the cell constants (Å)")
    first, second, distances = very_near = near_pairs(lattice, frac, VERY_NEAR_ANGSTROM)
    overlapping = np.flatnonzero(distances <= MIN_DISTANCE_ANGSTROM)
    for k in overlapping[np.lexsort((second[overlapping], first[overlapping]))][:1]:
        i, j = sorted((int(first[k]), int(second[k])))
        called = [names[atom] if names else f"atom {atom + 1}" for atom in (i, j)]
        by_symmetry = len(set(names)) < len(names)
        what = "a position is occupied by more than one atom" if distances[k] < SAME_PLACE_ANGSTROM else "atoms overlap"
        raise CrystalError(
            f"{what}: {symbols[i]} ({called[0]}) and {symbols[j]} ({called[1]}) are {distances[k]:.3f} Å apart",
            f"delete the duplicate, or correct the coordinates{', the space group or its setting' * by_symmetry}",
        )
    return very_near


def _symbol(specie: Any) -> str:
    """Element symbol of a pymatgen element or ion; deuterium and tritium are hydrogen."""
    symbol = getattr(specie, "element", specie).symbol
    return "H" if symbol in ("D", "T") else str(symbol)


def _anion(symbols: Sequence[str]) -> str | None:
    """Most electronegative element (Pauling); None in a crystal of one element."""
    kinds = sorted(set(symbols))
    return None if len(kinds) == 1 else max(kinds, key=_electronegativity)


@cache
def _electronegativity(symbol: str) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # elements without a value count as 0
        return float(np.nan_to_num(Element(symbol).X))


def reduced_formula(numbers: NDArray[np.int64]) -> str:
    """Reduced formula with the elements in pymatgen's order and without brackets: Ca3P2O8.

    Parameters
    ----------
    numbers : ndarray of int64, (n_atoms,)
        Atomic numbers.
    """
    kinds, counts = np.unique(numbers, return_counts=True)
    return _formula(tuple(kinds.tolist()), tuple((counts // np.gcd.reduce(counts)).tolist()))


@cache
def _formula(kinds: tuple[int, ...], counts: tuple[int, ...]) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on elements without an electronegativity, by which it sorts
        formula = Composition(dict(zip(kinds, counts, strict=True))).formula
    return re.sub(r"(?<=[a-z A-Z])1(?= |$)", "", formula).replace(" ", "")
