"""Whether what Tonto wrote is the surface that was meant."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hirshprint.hirshfeld.surface import flat_area_and_volume
from hirshprint.hirshfeld.tonto.cxs import Cxs
from hirshprint.hirshfeld.tonto.errors import TontoError
from hirshprint.hirshfeld.tonto.input import Cell
from hirshprint.structures.geometry import cell_constants, near_pairs

Array = NDArray[np.float64]
TOLERANCE = 1e-4
"""Å by which a distance in the surface file may differ from the geometry; its numbers are rounded to 1e-5."""

TIE = 3e-5
"""Å: nuclei this equally near to a point of the surface count as equally near, and the lightest is named."""

Nearest = list[NDArray[np.int64]]


def check_surface(cxs: Cxs, cell: Cell, atom: int) -> Nearest:
    """Compare a surface file with the crystal and the atom that were meant.

    Returns
    -------
    list of ndarray of int64
        For each vertex the rows of `cxs.outside` that are its nearest atom outside, or may as well be (see `TIE`).

    Raises
    ------
    TontoError : cell, atoms, neighbours, distances or the closedness of the mesh are not what they must be.
    """
    lengths, angles = cell_constants(cell.basis)
    if np.abs(cxs.lengths - lengths).max() > TOLERANCE or np.abs(cxs.angles - angles).max() > 1e-3:
        raise TontoError("Tonto understood another cell than it was given")
    if len(cxs.symbols) != len(cell.symbols):
        raise TontoError(f"Tonto's cell has {len(cxs.symbols)} atoms, not {len(cell.symbols)}")
    shift = cxs.frac - cell.frac
    shift = np.abs((shift - np.rint(shift)) @ cell.basis).max(axis=1)
    if tuple(symbol.capitalize() for symbol in cxs.symbols) != cell.symbols or shift.max() > 1e-3:
        raise TontoError("Tonto understood other atoms than it was given")
    if [int(k) for k in cxs.inside[:, 0]] != [atom]:
        raise TontoError("Tonto drew the surface of another atom")
    centre = cell.frac[atom] @ cell.basis
    own = (cell.frac[atom] + cxs.inside[0, 1:]) @ cell.basis
    if np.abs(own - centre).max() > 1e-3:
        raise TontoError("Tonto drew the surface of another atom")
    outside = np.linalg.norm(places_outside(cxs, cell) - centre, axis=1)
    reach = outside.max() - 1e-3
    if (near_pairs(cell.basis, cell.frac, reach)[0] == atom).sum() != (outside < reach).sum():
        raise TontoError(f"Tonto left out neighbours within {outside.max():.2f} Å")
    if np.abs(np.linalg.norm(cxs.vertices - centre, axis=1) - cxs.d_i).max() > TOLERANCE:
        raise TontoError("d_i is not the distance to the inside atom")
    near, which = _nearest(cxs, cell, centre)
    if np.abs(near - cxs.d_e).max() > TOLERANCE:
        raise TontoError("d_e is not the distance to the nearest atom outside")
    edges = np.sort(cxs.triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    _, count = np.unique(edges, axis=0, return_counts=True)
    if (count != 2).any() or flat_area_and_volume(cxs.vertices - centre, cxs.triangles)[1] <= 0:
        raise TontoError("the mesh is not closed, or inside out")
    return which


def places_outside(cxs: Cxs, cell: Cell) -> Array:
    """Positions of the atoms outside, Å, from the coordinates that Tonto was given."""
    positions: Array = (cell.frac[cxs.outside[:, 0]] + cxs.outside[:, 1:]) @ cell.basis
    return positions


def _nearest(cxs: Cxs, cell: Cell, centre: Array) -> tuple[Array, Nearest]:
    """Distance from each vertex to the nearest atom outside, Å, and the rows of `cxs.outside` that are that near."""
    positions, rows = places_outside(cxs, cell), np.arange(len(cxs.outside))
    near = np.linalg.norm(positions - centre, axis=1) <= cxs.d_i.max() + cxs.d_e.max() + 2 * TOLERANCE
    if near.any():  # no other can be the nearest of any vertex
        positions, rows = positions[near], rows[near]
    distance = np.empty(len(cxs.vertices))
    tied: Nearest = []
    for start in range(0, len(cxs.vertices), 1000):
        part = np.linalg.norm(cxs.vertices[start : start + 1000, None] - positions, axis=2)
        least = part.min(axis=1)
        distance[start : start + 1000] = least
        tied += [rows[equal] for equal in part <= least[:, None] + TIE]
    return distance, tied
