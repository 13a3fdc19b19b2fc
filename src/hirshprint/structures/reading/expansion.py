"""All atoms of a cell from those of a file's list, by symmetry."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from hirshprint.structures.crystals import SAME_PLACE_ANGSTROM, CrystalError, far_places
from hirshprint.structures.reading.operations import Operations
from hirshprint.structures.sources.placement import MIN_DISTANCE_ANGSTROM
from hirshprint.structures.symmetry import SYMMETRY_TOLERANCE_ANGSTROM

MERGE_ANGSTROM = SAME_PLACE_ANGSTROM  # images of one atom that are nearer than this are one, on a special position


def expand(
    lattice: NDArray[np.float64], places: NDArray[np.float64], operations: Operations, names: Sequence[str]
) -> tuple[NDArray[np.float64], NDArray[np.int64], tuple[str, ...]]:
    """Apply symmetry to the atoms of a list; an atom beside a special position, for its few digits, is put on it.

    Parameters
    ----------
    lattice : ndarray of float64, (3, 3), Å
        Rows a, b, c.
    places : ndarray of float64, (n_rows, 3)
        Fractional coordinates of the listed atoms.
    operations : Operations
        Symmetry operations of the space group.
    names : sequence of str
        What each listed atom is called, for messages.

    Returns
    -------
    frac : ndarray of float64, (n_atoms, 3)
        All atoms of the cell, in [0, 1), row after row.
    row : ndarray of int64, (n_atoms,)
        The row of the list that each comes from.
    remarks : tuple of str
        Which atoms were moved onto special positions.

    Raises
    ------
    CrystalError
        An atom is near its own images, but on no special position.
    """
    doubts = far_places(places)
    if len(operations.rotations) == 1:
        return places % 1.0, np.arange(len(places)), tuple(doubts)
    atoms, rows, moved = [], [], {}
    for row, place in enumerate(places):
        images, distance = _orbit(lattice, place, operations, names[row])
        if distance > SYMMETRY_TOLERANCE_ANGSTROM:
            moved[names[row]] = distance
        atoms.append(images)
        rows += [row] * len(images)
    if moved:
        listed = ", ".join(list(moved)[:4]) + (f" and {len(moved) - 4} more" if len(moved) > 4 else "")
        by = f"by {max(moved.values()):.4f} Å at most"
        doubts.append(f"coordinates of few digits were moved onto their special positions: {listed}, {by}")
    return np.concatenate(atoms) % 1.0, np.array(rows, dtype=np.int64), tuple(doubts)


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
    near = np.linalg.norm(offsets[~stays] @ lattice, axis=1).min(initial=MIN_DISTANCE_ANGSTROM)
    distinct = _distinct(images, lattice)
    if near < MIN_DISTANCE_ANGSTROM or len(distinct) * stays.sum() != len(images):
        raise CrystalError(
            f"atoms overlap: symmetry puts an image of {name} {near:.3f} Å from it, beside a special position",
            "give its coordinates more digits, or correct them or the symmetry",
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


def made_by(
    lattice: NDArray[np.float64],
    atoms: tuple[NDArray[np.float64], Sequence[str]],
    listed: tuple[NDArray[np.float64], Sequence[str]],
    operations: Operations,
) -> bool:
    """Say whether operations make of listed atoms (places, symbols) just those of a cell, each at least once.

    Parameters
    ----------
    lattice : ndarray of float64, (3, 3), Å
        Rows are a, b, c.
    atoms : tuple (ndarray of float64, sequence of str)
        Fractional coordinates and symbols of all atoms of the cell.
    listed : tuple (ndarray of float64, sequence of str)
        Fractional coordinates and symbols of the listed atoms.
    operations : Operations
        Symmetry operations of the space group.
    """
    images = [listed[0] @ w.T + t for w, t in zip(operations.rotations, operations.translations, strict=True)]
    symbols = list(listed[1]) * len(images)
    return _cover(lattice, atoms, (np.concatenate(images), symbols))


def same_atoms(
    lattice: NDArray[np.float64],
    one: tuple[NDArray[np.float64], Sequence[str]],
    other: tuple[NDArray[np.float64], Sequence[str]],
) -> bool:
    """Say whether two lists (places and symbols) fill a cell with the same atoms.

    Parameters
    ----------
    lattice : ndarray of float64, (3, 3), Å
        Rows are a, b, c.
    one : tuple (ndarray of float64, sequence of str)
        Fractional coordinates and symbols of one list.
    other : tuple (ndarray of float64, sequence of str)
        The same of the other list.
    """
    return len(one[1]) == len(other[1]) and _cover(lattice, one, other)


def _cover(
    lattice: NDArray[np.float64],
    one: tuple[NDArray[np.float64], Sequence[str]],
    other: tuple[NDArray[np.float64], Sequence[str]],
) -> bool:
    """Say whether each atom of either list has one of its element in its place in the other list."""
    if set(one[1]) != set(other[1]):
        return False
    for symbol in set(one[1]):
        a, b = (places[[s == symbol for s in symbols]] for places, symbols in (one, other))
        for some, others in ((a, b), (b, a)):
            _, nearest = cKDTree(others % 1.0 % 1.0, boxsize=1.0).query(some % 1.0 % 1.0)
            offsets = some - others[nearest]
            offsets -= np.round(offsets)
            if np.linalg.norm(offsets @ lattice, axis=1).max() > MERGE_ANGSTROM:
                return False
    return True
