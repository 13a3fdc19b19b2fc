"""Geometry of lattices, written once: cell constants, orientation, neighbours (numpy and scipy only).

Rows of a lattice are a, b and c in Å. Each engine for surfaces reduces the lattice in a way of its own, on which the
last digits of its surfaces depend. The bundled one also searches for neighbours by itself
(`hirshfeld.python.procrystal.neighbours`): compiled, with a reach for each element, and sorted by distance.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


def cell_constants(lattice: Array) -> tuple[Array, Array]:
    """Edges a, b, c (3,) in Å and angles alpha, beta, gamma (3,) in degrees of a lattice.

    Parameters
    ----------
    lattice : ndarray, (3, 3), Å
    """
    edges = np.linalg.norm(lattice, axis=1)
    cosines = [lattice[i] @ lattice[j] / (edges[i] * edges[j]) for i, j in ((1, 2), (0, 2), (0, 1))]
    return edges, np.degrees(np.arccos(np.clip(cosines, -1, 1)))


def standard_orientation(lattice: Array) -> Array:
    """Turn a lattice so that a lies along x and b in the xy plane.

    By QR and not by `cartesian_axes`: the numbers of all structures on disk, and the keys of their surfaces, are those.

    Parameters
    ----------
    lattice : ndarray of float64, (3, 3), Å
        Rows are a, b, c.
    """
    rows = np.linalg.qr(lattice.T)[1].T  # lower triangular
    rows = rows * np.sign(np.diag(rows))[None, :]
    if np.linalg.det(lattice) < 0:  # a left-handed cell stays one: c points down
        rows[:, 2] *= -1
    return np.ascontiguousarray(rows)


def cartesian_axes(lattice: Array) -> Array:
    """Unit vectors (rows) along a, in the plane of a and b, and across it: always right-handed.

    Parameters
    ----------
    lattice : ndarray of float64, (3, 3), Å
        Rows are a, b, c.
    """
    first = lattice[0] / np.sqrt(lattice[0] @ lattice[0])
    third = _cross(lattice[0], lattice[1])
    third /= np.sqrt(third @ third)
    return np.array([first, _cross(third, first), third])


def _cross(a: Array, b: Array) -> Array:
    """What `numpy.cross` gives for two vectors, in a tenth of the time."""
    (x, y, z), (u, v, w) = a.tolist(), b.tolist()
    return np.array([y * w - z * v, z * u - x * w, x * v - y * u])


def near_pairs(lattice: Array, frac: Array, reach_angstrom: float) -> tuple[Integers, Integers, Array]:
    """Find the pairs of atoms, or of an atom and its image, up to a distance, in a cell of any shape.

    Parameters
    ----------
    lattice : ndarray, (3, 3), Å
    frac : ndarray, (n, 3)
        Fractional coordinates of the atoms.
    reach_angstrom : float, Å

    Returns
    -------
    first, second : ndarray, (p,)
        Rows of the atoms; each pair is there in both directions, an atom without itself.
    distances : ndarray, (p,), Å
    """
    heights = 1 / np.linalg.norm(np.linalg.inv(lattice), axis=0)
    margin = reach_angstrom / heights
    cells = np.ceil(margin).astype(np.int64)
    shifts = np.indices(2 * cells + 1).reshape(3, -1).T - cells
    inside = frac % 1.0
    every = (inside + shifts[:, None].astype(np.float64)).reshape(-1, 3)
    at_rim = np.flatnonzero(((every > -margin) & (every < 1 + margin)).all(axis=1))
    tree = cKDTree(every[at_rim] @ lattice)
    pairs = cKDTree(inside @ lattice).sparse_distance_matrix(tree, reach_angstrom, output_type="ndarray")
    first, second = pairs["i"], at_rim[pairs["j"]] % len(frac)
    itself = (first == second) & (pairs["v"] < 1e-8)
    return first[~itself], second[~itself], pairs["v"][~itself]
