"""All atoms of a cell from those of a file's list, by symmetry."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from hirshprint.structures.crystals import SAME_PLACE_ANGSTROM, CrystalError
from hirshprint.structures.reading.operations import Operations
from hirshprint.structures.symmetry import SYMMETRY_TOLERANCE_ANGSTROM

MERGE_ANGSTROM = SAME_PLACE_ANGSTROM  # images of one atom that are nearer than this are one, on a special position


def expand(
    lattice: NDArray[np.float64], places: NDArray[np.float64], operations: Operations, names: Sequence[str]
) -> tuple[NDArray[np.float64], NDArray[np.int64], tuple[str, ...]]:
    """Apply symmetry to the atoms of a list; an atom beside a special position, for its few digits, is put on it.

    Parameters
    ----------
    lattice : (3, 3) float64, Å
        Rows a, b, c.
    places : (n_rows, 3) float64
        Fractional coordinates of the listed atoms.
    names : sequence of str
        What each listed atom is called, for messages.

    Returns
    -------
    frac : (n_atoms, 3) float64
        All atoms of the cell, in [0, 1), row after row.
    row : (n_atoms,) int64
        The row of the list that each comes from.
    remarks : tuple of str
        Which atoms were moved onto special positions.

    Raises
    ------
    CrystalError
        An atom is near its own images, but on no special position.
    """
    if len(operations.rotations) == 1:
        return places % 1.0, np.arange(len(places)), ()
    atoms, rows, moved = [], [], {}
    for row, place in enumerate(places):
        images, distance = _orbit(lattice, place, operations, names[row])
        if distance > SYMMETRY_TOLERANCE_ANGSTROM:
            moved[names[row]] = distance
        atoms.append(images)
        rows += [row] * len(images)
    remarks: tuple[str, ...] = ()
    if moved:
        listed = ", ".join(list(moved)[:4]) + (f" and {len(moved) - 4} more" if len(moved) > 4 else "")
        remarks = (
            f"coordinates of few digits were put on their special positions: {listed}, by {max(moved.values()):.4f} Å "
            "at most",
        )
    return np.concatenate(atoms) % 1.0, np.array(rows, dtype=np.int64), remarks


def _orbit(
    lattice: NDArray[np.float64], place: NDArray[np.float64], operations: Operations, name: str
) -> tuple[NDArray[np.float64], float]:
    """The images of one atom, and how far it was moved onto its special position, Å."""
    offsets = operations.rotations @ place + operations.translations - place
    offsets -= np.round(offsets)
    stays = np.linalg.norm(offsets @ lattice, axis=1) < MERGE_ANGSTROM
    shift = offsets[stays].mean(axis=0)  # the mean over a group of operations is kept by each of them
    place = place + shift
    images = operations.rotations @ place + operations.translations
    distinct = _distinct(images, lattice)
    if len(distinct) * stays.sum() != len(images):
        raise CrystalError(
            f"symmetry puts images of {name} less than {MERGE_ANGSTROM} Å from each other, on no special position",
            "correct its coordinates, or the symmetry",
        )
    return images[distinct], float(np.linalg.norm(shift @ lattice))


def _distinct(images: NDArray[np.float64], lattice: NDArray[np.float64]) -> NDArray[np.int64]:
    """Rows of the first of each set of equal places."""
    left = np.arange(len(images))
    first = []
    while len(left):
        offsets = images[left] - images[left[0]]
        offsets -= np.round(offsets)
        first.append(left[0])
        left = left[np.linalg.norm(offsets @ lattice, axis=1) >= MERGE_ANGSTROM]
    return np.array(first, dtype=np.int64)


def same_atoms(
    lattice: NDArray[np.float64],
    one: tuple[NDArray[np.float64], Sequence[str]],
    other: tuple[NDArray[np.float64], Sequence[str]],
) -> bool:
    """Say whether two lists (places and symbols) fill a cell with the same atoms."""
    if sorted(one[1]) != sorted(other[1]):
        return False
    for symbol in set(one[1]):
        a, b = (places[[s == symbol for s in symbols]] for places, symbols in (one, other))
        _, nearest = cKDTree(b % 1.0 % 1.0, boxsize=1.0).query(a % 1.0 % 1.0)
        offsets = a - b[nearest]
        offsets -= np.round(offsets)
        if np.linalg.norm(offsets @ lattice, axis=1).max() > MERGE_ANGSTROM or len(set(nearest)) < len(b):
            return False
    return True
