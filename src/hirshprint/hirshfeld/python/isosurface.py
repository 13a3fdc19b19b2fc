"""Surfaces that no ray describes: marching cubes on a grid about a point, the vertices then put on w = ½."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hirshprint.hirshfeld.kernel import kernel
from hirshprint.hirshfeld.python.procrystal import Array, Neighbours, log_ratio
from hirshprint.hirshfeld.surface import SurfaceError


@kernel
def _field(x: Array, y: Array, z: Array, inside: Array, rho: Array, around: Neighbours) -> Array:
    """f on the grid x × y × z about the centre, clipped to ±50."""
    values = np.empty((len(x), len(y), len(z)))
    for i in range(len(x)):
        for j in range(len(y)):
            for k in range(len(z)):
                f = log_ratio(x[i], y[j], z[k], inside, rho, around)[0]
                values[i, j, k] = min(50.0, max(-50.0, f))
    return values


@kernel
def _roots_between(a: Array, b: Array, inside: Array, rho: Array, around: Neighbours) -> tuple[Array, Array]:
    """Points with w = ½ on the segments a to b (n, 3), whose ends lie on different sides of it; the normals there."""
    found, normal = np.empty_like(a), np.empty_like(a)
    for i in range(len(a)):
        low, high = a[i].copy(), b[i].copy()
        if log_ratio(low[0], low[1], low[2], inside, rho, around)[0] < 0.0:
            low, high = high, low
        for _ in range(30):
            middle = 0.5 * (low + high)
            if log_ratio(middle[0], middle[1], middle[2], inside, rho, around)[0] > 0.0:
                low = middle
            else:
                high = middle
        found[i] = 0.5 * (low + high)
        _, gx, gy, gz, _ = log_ratio(found[i, 0], found[i, 1], found[i, 2], inside, rho, around)
        size = np.sqrt(gx * gx + gy * gy + gz * gz)
        normal[i, 0], normal[i, 1], normal[i, 2] = -gx / size, -gy / size, -gz / size
    return found, normal


def isosurface(
    low: Array, high: Array, step: float, most: float, inside: Array, rho: Array, around: Neighbours
) -> tuple[Array, NDArray[np.int32], Array]:
    """Mesh of w = ½ (all its parts), counter-clockwise seen from outside.

    Parameters
    ----------
    low, high : ndarray of float64, (3,)
        Corners of a box about the part of space with w > ½, in Å; the box grows where it is too small.
    step : float, Å
        Edge of the grid's cubes.
    most : float, Å
        Distance from the centre that the box must not pass.
    inside : ndarray of float64
        Nuclei inside, see `log_ratio`.
    rho : ndarray of float64
        See `log_ratio`.
    around : Neighbours
        See `log_ratio`.

    Returns
    -------
    tuple (ndarray of float64, ndarray of int32, ndarray of float64)
        Vertices (n, 3), triangles (m, 3) and normals (n, 3).

    Raises
    ------
    SurfaceError : there is no surface within `most`.
    """
    from skimage.measure import marching_cubes

    while True:
        if max(-low.min(), high.max()) > most + 1.0:
            raise SurfaceError(f"the part of space with w > ½ does not end within {most:.1f} Å")
        # no node at a nucleus or on a mirror plane
        x, y, z = (
            step * (np.arange(np.floor(a / step), np.ceil(b / step) + 1) + 0.31) for a, b in zip(low, high, strict=True)
        )
        values = _field(x, y, z, inside, rho, around)
        faces = [np.take(values, (0, -1), axis=axis).max(axis=tuple({0, 1, 2} - {axis})) >= 0 for axis in range(3)]
        if not np.any(faces):
            break
        below, above = np.array(faces).T
        low, high = low - 0.5 * below, high + 0.5 * above
    if values.max() < 0:
        raise SurfaceError("the other atoms have the higher density everywhere")
    points, triangles, _, _ = marching_cubes(values, 0.0)
    first, second = (
        np.stack([axis[i] for axis, i in zip((x, y, z), index.T, strict=True)], axis=1)
        for index in (np.floor(points).astype(np.int64), np.ceil(points).astype(np.int64))
    )
    vertices, normals = _roots_between(first, second, inside, rho, around)
    a, b, c = np.moveaxis(vertices[triangles], 1, 0)
    if np.einsum("ij,ij->", a, np.cross(b, c)) < 0:
        triangles = triangles[:, ::-1]
    return vertices, triangles.astype(np.int32), normals
