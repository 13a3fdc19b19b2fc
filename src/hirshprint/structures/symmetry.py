"""Symmetry of crystals, by spglib: distinct sites, operations that keep them in place, primitive cells."""

from __future__ import annotations

import numpy as np
import spglib
import spglib.error
from numpy.typing import NDArray

from hirshprint.structures.structure import Structure

spglib.error.OLD_ERROR_HANDLING = False  # raise SpglibError instead of returning None with a warning

MOST_TRIED = 4000  # atoms of the rarest element: each pair of them is tried as a translation, for a minute
SYMMETRY_TOLERANCE_ANGSTROM = 1e-4  # below what moves a surface; equivalent atoms share one


def find_symmetry(
    lattice: NDArray[np.float64], frac: NDArray[np.float64], numbers: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], tuple[NDArray[np.int64], ...]]:
    """Find symmetry-distinct atoms and the operations that keep each in place (spglib).

    Parameters
    ----------
    lattice : ndarray of float64, (3, 3), Å
        Rows are a, b, c.
    frac : ndarray of float64, (n_atoms, 3)
        Fractional coordinates.
    numbers : ndarray of int64, (n_atoms,)
        Atomic numbers.

    Returns
    -------
    site_atom : ndarray of int64, (n_sites,)
        First atom of each orbit.
    atom_site : ndarray of int64, (n_atoms,)
        Orbit of each atom: a row of `site_atom`.
    site_operations : tuple of ndarray of int64
        Per site (m, 3, 3) rotations in fractional coordinates, identity first.
    """
    dataset = _dataset(lattice, frac, numbers)
    if dataset is None:  # without symmetry every atom is distinct: slower, equally right
        n = len(numbers)
        return (
            np.arange(n),
            np.arange(n),
            tuple(np.eye(3, dtype=np.int64)[None] for _ in range(n)),
        )
    orbits = np.asarray(dataset.equivalent_atoms)
    atoms, atom_site = np.unique(orbits, return_inverse=True)
    rotations = np.asarray(dataset.rotations).astype(np.int64)
    by_entries = np.lexsort(rotations.reshape(-1, 9).T[::-1])
    identity = (rotations == np.eye(3, dtype=np.int64)).all(axis=(1, 2))
    order = np.concatenate([by_entries[identity[by_entries]], by_entries[~identity[by_entries]]])
    rotations, translations = rotations[order], np.asarray(dataset.translations)[order]
    operations = []
    for atom in atoms:
        moved = rotations @ frac[atom] + translations - frac[atom]
        moved -= np.round(moved)
        stays = np.linalg.norm(moved @ lattice, axis=1) < 10 * SYMMETRY_TOLERANCE_ANGSTROM
        kept = rotations[stays]
        again = (kept[1:] == kept[:-1]).all(axis=(1, 2))  # by another translation
        operations.append(kept[np.concatenate([[True], ~again])])
    return atoms.astype(np.int64), atom_site.astype(np.int64), tuple(operations)


def _dataset(
    lattice: NDArray[np.float64], frac: NDArray[np.float64], numbers: NDArray[np.int64]
) -> spglib.SpglibDataset | None:
    """What spglib finds; None where it finds nothing, or would take too long."""
    if np.unique(numbers, return_counts=True)[1].min() > MOST_TRIED:
        return None
    try:
        return spglib.get_symmetry_dataset((lattice, frac, numbers), symprec=SYMMETRY_TOLERANCE_ANGSTROM)
    except spglib.error.SpglibError:
        return None


def space_group(
    lattice: NDArray[np.float64], frac: NDArray[np.float64], numbers: NDArray[np.int64]
) -> tuple[str, int] | None:
    """Symbol and number of the space group of the atoms as they are, whatever a file says of it; None if not found.

    Parameters
    ----------
    lattice : ndarray of float64, (3, 3), Å
        Rows are a, b, c.
    frac : ndarray of float64, (n_atoms, 3)
        Fractional coordinates.
    numbers : ndarray of int64, (n_atoms,)
        Atomic numbers.
    """
    dataset = _dataset(lattice, frac, numbers)
    return (str(dataset.international), int(dataset.number)) if dataset else None


def primitive_cell(structure: Structure) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Find a primitive cell (spglib): lattice rows in Å, fractional coordinates, atomic numbers."""
    cell = (structure.lattice, structure.frac, structure.numbers)
    try:
        found = spglib.find_primitive(cell, symprec=10 * SYMMETRY_TOLERANCE_ANGSTROM)
    except spglib.error.SpglibError:
        found = None
    return found or cell


def atom_images(structure: Structure) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Find, for every atom of the cell, how it is an image of its distinct site.

    Returns
    -------
    site : ndarray of int64, (n_atoms,)
        `structure.atom_site`.
    operations : ndarray of float64, (n_atoms, 3, 3)
        Cartesian rotations R, proper or not: a point p about the site's atom has its image R p about this one.
    """
    lattice, frac = structure.lattice, structure.frac
    identity = np.eye(3)
    if len(structure.site_atom) == len(frac):
        return np.arange(len(frac)), np.repeat(identity[None], len(frac), axis=0)
    dataset = spglib.get_symmetry_dataset((lattice, frac, structure.numbers), symprec=SYMMETRY_TOLERANCE_ANGSTROM)
    site = structure.atom_site
    rotations = np.asarray(dataset.rotations)
    operations = np.empty((len(frac), 3, 3))
    for atom, first in enumerate(structure.site_atom[site]):
        moved = rotations @ frac[first] + dataset.translations - frac[atom]
        moved -= np.round(moved)
        nearest = np.argmin(np.linalg.norm(moved @ lattice, axis=1))
        u, _, v = np.linalg.svd(lattice.T @ rotations[nearest] @ np.linalg.inv(lattice.T))
        operations[atom] = identity if atom == first else u @ v
    return site, operations
