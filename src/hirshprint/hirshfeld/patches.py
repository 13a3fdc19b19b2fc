"""Curved triangles: what lies between the vertices of a mesh whose normals are known.

Seen from the centre, a point of a triangle with corners x₁ x₂ x₃ in the directions u₁ u₂ u₃ is p/q with
p = b₁u₁ + b₂u₂ + b₃u₃ (b barycentric). For a plane q is linear in b, so a cubic q (a Bézier triangle, Farin 1986,
doi 10.1016/0167-8396(86)90016-6) whose value and tangent plane at each corner are those of the surface is exact on
flat facets and off by the fourth power of the mesh width elsewhere. A corner with normal 0 0 0 makes its triangle
flat. All coordinates here are relative to the centre.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hirshprint.hirshfeld.kernel import kernel

STEEPEST = 0.2
"""A triangle with a normal further than arccos of this from its corner's direction stays flat."""

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(4)
_NODES, _WEIGHTS = (_NODES + 1) / 2, _WEIGHTS / 2  # on 0 to 1

Array = NDArray[np.float64]


@kernel
def _dot(a: Array, b: Array) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]  # type: ignore[no-any-return]


@kernel
def patch(vertices: Array, normals: Array, triangle: NDArray[np.int32], u: Array, c: Array) -> float:
    """Fill the directions u (3, 3) and the control values c (10,) of q; return the determinant of u.

    Order of c: corners 0 1 2, then 01 10 12 21 20 02 (nearer corner first), then the middle.

    Parameters
    ----------
    vertices : ndarray of float64, (n, 3), Å
        Vertices of the mesh, relative to the centre.
    normals : ndarray of float64, (n, 3)
        Unit normals at the vertices; 0 0 0 makes the triangles of a vertex flat.
    triangle : ndarray of int32, (3,)
        Rows into `vertices`.
    u : ndarray of float64, (3, 3)
        Filled with the directions of the corners.
    c : ndarray of float64, (10,), 1/Å
        Filled with the control values of q.
    """
    curved = True
    for k in range(3):
        x = vertices[triangle[k]]
        c[k] = 1.0 / np.sqrt(_dot(x, x))
        for axis in range(3):
            u[k, axis] = x[axis] * c[k]
        curved = curved and _dot(normals[triangle[k]], u[k]) > STEEPEST
    for k in range(3):
        j = (k + 1) % 3
        at_j, at_k = c[j], c[k]
        if curved:  # the tangent plane of one corner, in the direction of the other
            n, m = normals[triangle[k]], normals[triangle[j]]
            at_j = c[k] * _dot(n, u[j]) / _dot(n, u[k])
            at_k = c[j] * _dot(m, u[k]) / _dot(m, u[j])
        c[3 + 2 * k] = (2.0 * c[k] + at_j) / 3.0
        c[4 + 2 * k] = (2.0 * c[j] + at_k) / 3.0
    c[9] = c[3:9].sum() / 4.0 - c[:3].sum() / 6.0
    return (  # type: ignore[no-any-return]
        u[0, 0] * (u[1, 1] * u[2, 2] - u[1, 2] * u[2, 1])
        - u[0, 1] * (u[1, 0] * u[2, 2] - u[1, 2] * u[2, 0])
        + u[0, 2] * (u[1, 0] * u[2, 1] - u[1, 1] * u[2, 0])
    )


@kernel
def point(u: Array, c: Array, volume: float, s: float, t: float) -> tuple[float, float, float, float, float]:
    """Position at barycentric (s, t, 1 - s - t), and area and volume towards the centre per ds dt there.

    Parameters
    ----------
    u : ndarray of float64, (3, 3)
        Directions of the corners, from `patch`.
    c : ndarray of float64, (10,), 1/Å
        Control values of q, from `patch`.
    volume : float
        Determinant of `u`, what `patch` returns.
    s, t : float
        Barycentric coordinates of the first two corners.
    """
    w = 1.0 - s - t
    px = s * u[0, 0] + t * u[1, 0] + w * u[2, 0]
    py = s * u[0, 1] + t * u[1, 1] + w * u[2, 1]
    pz = s * u[0, 2] + t * u[1, 2] + w * u[2, 2]
    # the quadratic control values of the derivatives towards each corner
    a = s * (s * c[0] + 2.0 * t * c[3] + 2.0 * w * c[8]) + t * (t * c[4] + 2.0 * w * c[9]) + w * w * c[7]
    b = s * (s * c[3] + 2.0 * t * c[4] + 2.0 * w * c[9]) + t * (t * c[1] + 2.0 * w * c[5]) + w * w * c[6]
    d = s * (s * c[8] + 2.0 * t * c[9] + 2.0 * w * c[7]) + t * (t * c[5] + 2.0 * w * c[6]) + w * w * c[2]
    q = s * a + t * b + w * d
    qs, qt = 3.0 * (a - d), 3.0 * (b - d)
    sx, sy, sz = u[0, 0] - u[2, 0], u[0, 1] - u[2, 1], u[0, 2] - u[2, 2]
    tx, ty, tz = u[1, 0] - u[2, 0], u[1, 1] - u[2, 1], u[1, 2] - u[2, 2]
    # (p/q)_s × (p/q)_t = (q p_s × p_t - q_s p × p_t - q_t p_s × p)/q³
    nx = q * (sy * tz - sz * ty) - qs * (py * tz - pz * ty) - qt * (sy * pz - sz * py)
    ny = q * (sz * tx - sx * tz) - qs * (pz * tx - px * tz) - qt * (sz * px - sx * pz)
    nz = q * (sx * ty - sy * tx) - qs * (px * ty - py * tx) - qt * (sx * py - sy * px)
    cube = 1.0 / (q * q * q)
    return px / q, py / q, pz / q, np.sqrt(nx * nx + ny * ny + nz * nz) * cube, volume * cube / 3.0


@kernel
def position(u: Array, c: Array, s: float, t: float) -> tuple[float, float, float]:
    """What `point` gives first: the position alone takes half as long.

    Parameters
    ----------
    u : ndarray of float64, (3, 3)
        Directions of the corners, from `patch`.
    c : ndarray of float64, (10,), 1/Å
        Control values of q, from `patch`.
    s, t : float
        Barycentric coordinates of the first two corners.
    """
    w = 1.0 - s - t
    a = s * (s * c[0] + 3.0 * (t * c[3] + w * c[8])) + t * (3.0 * t * c[4] + 6.0 * w * c[9]) + 3.0 * w * w * c[7]
    b = t * (t * c[1] + 3.0 * w * c[5]) + 3.0 * w * w * c[6]
    scale = 1.0 / (s * a + t * b + w * w * w * c[2])
    return (
        scale * (s * u[0, 0] + t * u[1, 0] + w * u[2, 0]),
        scale * (s * u[0, 1] + t * u[1, 1] + w * u[2, 1]),
        scale * (s * u[0, 2] + t * u[1, 2] + w * u[2, 2]),
    )


@kernel
def measure(vertices: Array, normals: Array, triangles: NDArray[np.int32]) -> tuple[Array, float]:
    """Areas (m,) of the curved triangles in Å², and the volume between all of them and the centre in Å³.

    Parameters
    ----------
    vertices : ndarray of float64, (n, 3), Å
        Vertices of the mesh, relative to the centre.
    normals : ndarray of float64, (n, 3)
        Unit normals at the vertices; 0 0 0 makes the triangles of a vertex flat.
    triangles : ndarray of int32, (m, 3)
        Rows into `vertices`.
    """
    areas, volume = np.zeros(len(triangles)), 0.0
    u, c = np.empty((3, 3)), np.empty(10)
    for k in range(len(triangles)):
        determinant = patch(vertices, normals, triangles[k], u, c)
        for i in range(len(_NODES)):
            for j in range(len(_NODES)):
                weight = _WEIGHTS[i] * _WEIGHTS[j] * (1.0 - _NODES[i])
                _, _, _, area, space = point(u, c, determinant, _NODES[i], (1.0 - _NODES[i]) * _NODES[j])
                areas[k] += weight * area
                volume += weight * space
    return areas, volume


@kernel
def distance_to(x: float, y: float, z: float, places: Array, row: int) -> float:
    """Distance from a point to one of some places (n, 3).

    Parameters
    ----------
    x, y, z : float, Å
        The point.
    places : ndarray of float64, (n, 3), Å
        Places.
    row : int
        Row of `places` that counts.
    """
    dx, dy, dz = x - places[row, 0], y - places[row, 1], z - places[row, 2]
    return np.sqrt(dx * dx + dy * dy + dz * dz)  # type: ignore[no-any-return]


@kernel
def nearest(x: float, y: float, z: float, nuclei: Array) -> float:
    """Distance to the nearest of some nuclei (n, 3).

    Parameters
    ----------
    x, y, z : float, Å
        The point.
    nuclei : ndarray of float64, (n, 3), Å
        Positions of the nuclei.
    """
    least = np.inf
    for row in range(len(nuclei)):
        least = min(least, distance_to(x, y, z, nuclei, row))
    return least


@kernel
def lattice_points(vertices: Array, normals: Array, triangles: NDArray[np.int32], per_edge: int) -> Array:
    """Positions (m, 3) of a lattice of points in each triangle, `per_edge` along an edge with the corners.

    Parameters
    ----------
    vertices : ndarray of float64, (n, 3), Å
        Vertices of the mesh, relative to the centre.
    normals : ndarray of float64, (n, 3)
        Unit normals at the vertices; 0 0 0 makes the triangles of a vertex flat.
    triangles : ndarray of int32, (m, 3)
        Rows into `vertices`.
    per_edge : int
        Points along an edge, 2 at least.
    """
    points = np.empty((len(triangles) * per_edge * (per_edge + 1) // 2, 3))
    u, c = np.empty((3, 3)), np.empty(10)
    row = 0
    for triangle in triangles:
        patch(vertices, normals, triangle, u, c)
        for i in range(per_edge):
            for j in range(per_edge - i):
                x, y, z = position(u, c, i / (per_edge - 1), j / (per_edge - 1))
                points[row, 0], points[row, 1], points[row, 2] = x, y, z
                row += 1
    return points


@kernel
def nearest_distances(points: Array, nuclei: Array) -> Array:
    """Distance (m,) of each point (m, 3) to the nearest of some nuclei (n, 3).

    Parameters
    ----------
    points : ndarray of float64, (m, 3), Å
        Points.
    nuclei : ndarray of float64, (n, 3), Å
        Positions of the nuclei.
    """
    return np.array([nearest(p[0], p[1], p[2], nuclei) for p in points])


@kernel
def nearest_rows(points: Array, nuclei: Array) -> NDArray[np.int64]:
    """Row (m,) of the nucleus of some (n, 3) that is nearest to each point (m, 3).

    Parameters
    ----------
    points : ndarray of float64, (m, 3), Å
        Points.
    nuclei : ndarray of float64, (n, 3), Å
        Positions of the nuclei.
    """
    found = np.zeros(len(points), np.int64)
    for i in range(len(points)):
        least = np.inf
        for k in range(len(nuclei)):
            d = 0.0
            for axis in range(3):
                d += (points[i, axis] - nuclei[k, axis]) ** 2
            if d < least:
                least, found[i] = d, k
    return found
