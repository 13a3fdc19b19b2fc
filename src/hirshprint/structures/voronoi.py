"""Voronoi cells of the distinct sites of a crystal: their faces, by the atom behind each."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import QhullError, Voronoi

from hirshprint.structures.structure import Structure

FIRST_REACH_ANGSTROM, LARGEST_REACH_ANGSTROM = 7.0, 60.0
LEAST_SHARE = 1e-4
"""Share of the area of a cell below which a face is an edge or a corner that rounding has opened."""


class OpenCellError(ValueError):
    """The Voronoi cell of a site is not closed by the atoms around it."""


class Faces(NamedTuple):
    """The Voronoi cell of a site.

    Attributes
    ----------
    sites : ndarray of int64, (k,)
        Row of the site behind each face.
    distances : ndarray of float64, (k,), Å
        Between the nuclei.
    areas : ndarray of float64, (k,), Å²
    volume : float, Å³
    """

    sites: NDArray[np.int64]
    distances: NDArray[np.float64]
    areas: NDArray[np.float64]
    volume: float


def voronoi_faces(structure: Structure) -> list[Faces]:
    """Faces of the Voronoi cell of each distinct site (Qhull, by scipy).

    Raises
    ------
    OpenCellError
        A cell is not closed by atoms up to `LARGEST_REACH_ANGSTROM`.
    """
    return [_faces(structure, int(atom)) for atom in structure.site_atom]


def _faces(structure: Structure, atom: int) -> Faces:
    reach = FIRST_REACH_ANGSTROM
    while reach <= LARGEST_REACH_ANGSTROM:
        vectors, atoms = _around(structure, atom, reach)
        if (found := _cell(vectors, reach)) is not None:
            distances = np.linalg.norm(vectors, axis=1)
            kept = np.flatnonzero(found > LEAST_SHARE * found.sum())
            volume = float((found * distances).sum() / 6)
            return Faces(structure.atom_site[atoms[kept]], distances[kept], found[kept], volume)
        reach *= 1.6
    raise OpenCellError(
        f"{structure.structure_id}: atoms up to {LARGEST_REACH_ANGSTROM:g} Å do not close the Voronoi cell of a site"
    )


def _around(structure: Structure, atom: int, reach: float) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Vectors (m, 3) in Å to all atoms, or images of them, up to a distance, and which atoms they are (m,)."""
    cells = np.ceil(reach * np.linalg.norm(np.linalg.inv(structure.lattice), axis=0)).astype(np.int64)
    shifts = np.indices(2 * cells + 1).reshape(3, -1).T - cells
    away = structure.frac - structure.frac[atom]
    away -= np.floor(away + 0.5)
    vectors = (away[:, None] + shifts).reshape(-1, 3) @ structure.lattice
    distances = np.linalg.norm(vectors, axis=1)
    near = np.flatnonzero((distances > 1e-6) & (distances <= reach))
    return vectors[near], near // len(shifts)


def _cell(vectors: NDArray[np.float64], reach: float) -> NDArray[np.float64] | None:
    """Area (m,) of the face towards each of some atoms about the origin; None if further atoms could cut the cell."""
    if len(vectors) < 4:
        return None
    try:
        found = Voronoi(np.concatenate([[[0.0, 0.0, 0.0]], vectors]))
    except QhullError:  # all atoms in a plane
        return None
    region = found.regions[found.point_region[0]]
    if -1 in region or not region or 2 * np.linalg.norm(found.vertices[region], axis=1).max() > reach:
        return None
    areas = np.zeros(len(vectors))
    for (one, other), corners in zip(found.ridge_points.tolist(), found.ridge_vertices, strict=True):
        if one == 0 or other == 0:
            neighbour = max(one, other) - 1
            areas[neighbour] = _polygon_area(found.vertices[corners], vectors[neighbour])
    return areas


def _polygon_area(corners: NDArray[np.float64], normal: NDArray[np.float64]) -> float:
    """Area of a convex polygon whose corners (k, 3) lie in a plane, in any order."""
    axis = normal / np.linalg.norm(normal)
    first = np.cross(axis, np.eye(3)[np.abs(axis).argmin()])
    first /= np.linalg.norm(first)
    about = corners - corners.mean(axis=0)
    x, y = about @ first, about @ np.cross(axis, first)
    order = np.argsort(np.arctan2(y, x))
    x, y = x[order], y[order]
    return float(0.5 * abs((x * np.roll(y, -1) - y * np.roll(x, -1)).sum()))
