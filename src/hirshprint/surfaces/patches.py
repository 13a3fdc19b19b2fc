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

from hirshprint.surfaces.compiled import kernel

STEEPEST = 0.2
"""A triangle with a normal further than arccos of this from its corner's direction stays flat."""

MOST_PARTS = 60
"""Into how many parts the edge of a triangle is divided at most for a histogram."""

PART = 0.04
"""Å, the longest edge of a part: over it a distance of 1 Å is linear to 2e-4 Å."""

MOST_RIVALS = 8
"""Nuclei outside among which the nearest is looked for in a triangle."""

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(5)
_NODES, _WEIGHTS = (_NODES + 1) / 2, _WEIGHTS / 2  # on 0 to 1

Array = NDArray[np.float64]


@kernel
def _dot(a: Array, b: Array) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]  # type: ignore[no-any-return]


@kernel
def _patch(vertices: Array, normals: Array, triangle: NDArray[np.int32], u: Array, c: Array) -> float:
    """Fill the directions u (3, 3) and the control values c (10,) of q; return the determinant of u.

    Order of c: corners 0 1 2, then 01 10 12 21 20 02 (nearer corner first), then the middle.
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
def _point(u: Array, c: Array, volume: float, s: float, t: float) -> tuple[float, float, float, float, float]:
    """Position at barycentric (s, t, 1 - s - t), and area and volume towards the centre per ds dt there."""
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
def measure(vertices: Array, normals: Array, triangles: NDArray[np.int32]) -> tuple[Array, float]:
    """Areas (m,) of the curved triangles in Å², and the volume between all of them and the centre in Å³."""
    areas, volume = np.zeros(len(triangles)), 0.0
    u, c = np.empty((3, 3)), np.empty(10)
    for k in range(len(triangles)):
        determinant = _patch(vertices, normals, triangles[k], u, c)
        for i in range(len(_NODES)):
            for j in range(len(_NODES)):
                weight = _WEIGHTS[i] * _WEIGHTS[j] * (1.0 - _NODES[i])
                _, _, _, area, space = _point(u, c, determinant, _NODES[i], (1.0 - _NODES[i]) * _NODES[j])
                areas[k] += weight * area
                volume += weight * space
    return areas, volume


@kernel
def _distance(x: float, y: float, z: float, nucleus: Array) -> float:
    return np.sqrt((x - nucleus[0]) ** 2 + (y - nucleus[1]) ** 2 + (z - nucleus[2]) ** 2)  # type: ignore[no-any-return]


@kernel
def _nearest(x: float, y: float, z: float, nuclei: Array) -> float:
    """Distance to the nearest of some nuclei (n, 3)."""
    least = np.inf
    for nucleus in nuclei:
        least = min(least, _distance(x, y, z, nucleus))
    return least


@kernel
def _clip(polygon: Array, count: int, column: int, edge: float, sign: float, out: Array) -> int:
    """Keep what of a convex polygon (rows are corners) has sign · (its value in a column - edge) >= 0."""
    kept = 0
    for k in range(count):
        a, b = polygon[k], polygon[(k + 1) % count]
        f, g = sign * (a[column] - edge), sign * (b[column] - edge)
        if f >= 0.0:
            for j in range(polygon.shape[1]):
                out[kept, j] = a[j]
            kept += 1
        if (f >= 0.0) != (g >= 0.0):
            t = f / (f - g)
            for j in range(polygon.shape[1]):
                out[kept, j] = a[j] + t * (b[j] - a[j])
            kept += 1
    return kept


@kernel
def _share(polygon: Array, count: int) -> float:
    """Area of a polygon in its first two columns, by that of the triangle 00 10 01."""
    twice = 0.0
    for k in range(count):
        a, b = polygon[k], polygon[(k + 1) % count]
        twice += a[0] * b[1] - a[1] * b[0]
    return abs(twice)


@kernel
def _spread(polygon: Array, count: int, area: float, counts: Array, low: float, width: float, spare: Array) -> None:
    """Add the area of a polygon (columns s, t, d_i, d_e; the unit triangle has `area`) to the bins that it covers."""
    bins = len(counts)
    first = int(np.floor((polygon[:count, 2].min() - low) / width))
    last = int(np.floor((polygon[:count, 2].max() - low) / width))
    for i in range(max(first, 0), min(last, bins - 1) + 1):
        strip, m = polygon, count
        if first != last:
            n = _clip(polygon, count, 2, low + i * width, 1.0, spare[0])
            m = _clip(spare[0], n, 2, low + (i + 1) * width, -1.0, spare[1])
            strip = spare[1]
        if m < 3:
            continue
        lowest = int(np.floor((strip[:m, 3].min() - low) / width))
        highest = int(np.floor((strip[:m, 3].max() - low) / width))
        for j in range(max(lowest, 0), min(highest, bins - 1) + 1):
            if lowest == highest:
                counts[i, j] += area * _share(strip, m)
            else:
                n = _clip(strip, m, 3, low + j * width, 1.0, spare[2])
                n = _clip(spare[2], n, 3, low + (j + 1) * width, -1.0, spare[3])
                counts[i, j] += area * _share(spare[3], n)


@kernel
def spread_area(
    vertices: Array,
    normals: Array,
    inside: Array,
    outside: Array,
    triangles: NDArray[np.int32],
    group: NDArray[np.int64],
    counts: Array,
    low: float,
    width: float,
) -> Array:
    """Add the area of a surface to a histogram of d_i and d_e.

    A triangle is cut into parts. In each both distances are taken as linear, but that it is cut where two nuclei
    outside are equally near.

    Parameters
    ----------
    inside, outside : (a, 3) and (b, 3) nuclei, among them all that are nearest to some point.
    group : (b,) layer of `counts` for what is nearest to each nucleus outside.
    counts : (n_groups, n_bins, n_bins), Å², [group, d_i, d_e]; added to.
    low, width : of the bins, Å.

    Returns
    -------
    (n_groups,) area in Å² of each group, in and out of the bins.
    """
    sums = np.zeros(len(counts))
    u, c = np.empty((3, 3)), np.empty(10)
    columns = 4 + MOST_RIVALS  # x y z, d_i, distances to the nuclei outside
    points = np.empty(((MOST_PARTS + 1) * (MOST_PARTS + 2) // 2, columns))
    part, polygons, spare = np.empty((3, columns)), np.empty((1 + MOST_RIVALS, 16, 4)), np.empty((4, 16, 4))
    rival = np.empty(MOST_RIVALS, dtype=np.int64)
    distances = np.empty(len(outside))
    for triangle in triangles:
        _patch(vertices, normals, triangle, u, c)
        rivals = _rivals(vertices, outside, triangle, u, c, distances, rival)
        n = _divisions(vertices, triangle)
        row = 0
        for i in range(n + 1):
            for j in range(n + 1 - i):
                x, y, z, _, _ = _point(u, c, 0.0, i / n, j / n)
                points[row, 0], points[row, 1], points[row, 2] = x, y, z
                points[row, 3] = _nearest(x, y, z, inside)
                for k in range(rivals):
                    points[row, 4 + k] = _distance(x, y, z, outside[rival[k]])
                row += 1
        start = 0  # row of the lattice point (i, 0)
        for i in range(n):
            following = start + n + 1 - i
            for j in range(n - i):
                for upside in range(2 if j < n - i - 1 else 1):
                    third = following + j + 1 if upside else start + j
                    for k in range(4 + rivals):
                        part[0, k], part[1, k] = points[following + j, k], points[start + j + 1, k]
                        part[2, k] = points[third, k]
                    area = _flat_area(part)
                    for own in range(rivals):
                        m, polygon = _domain(part, own, rivals, polygons)
                        if m >= 3:
                            layer = group[rival[own]]
                            sums[layer] += area * _share(polygon, m)
                            _spread(polygon, m, area, counts[layer], low, width, spare)
            start = following
    return sums


@kernel
def _rivals(
    vertices: Array,
    outside: Array,
    triangle: NDArray[np.int32],
    u: Array,
    c: Array,
    distances: Array,
    rival: NDArray[np.int64],
) -> int:
    """Fill in the nuclei that may be nearest somewhere in a triangle, nearest to its middle first; return how many."""
    x, y, z, _, _ = _point(u, c, 0.0, 1 / 3, 1 / 3)
    radius = 0.0
    for k in triangle:
        radius = max(radius, _distance(x, y, z, vertices[k]))
    for k in range(len(outside)):
        distances[k] = _distance(x, y, z, outside[k])
    limit = distances.min() + 2.0 * radius
    count = 0
    while count < len(rival):
        k = distances.argmin()
        if distances[k] > limit:
            break
        rival[count] = k
        distances[k] = np.inf
        count += 1
    return count


@kernel
def _divisions(vertices: Array, triangle: NDArray[np.int32]) -> int:
    """Into how many parts to divide the edges of a triangle."""
    length = 0.0
    for k in range(3):
        x, y, z = vertices[triangle[k]]
        length = max(length, _distance(x, y, z, vertices[triangle[k - 1]]))
    return min(MOST_PARTS, max(1, int(np.ceil(length / PART))))


@kernel
def _flat_area(part: Array) -> float:
    """Area of the triangle whose corners are the rows of x, y, z."""
    ax, ay, az = part[1, 0] - part[0, 0], part[1, 1] - part[0, 1], part[1, 2] - part[0, 2]
    bx, by, bz = part[2, 0] - part[0, 0], part[2, 1] - part[0, 1], part[2, 2] - part[0, 2]
    x, y, z = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
    return 0.5 * np.sqrt(x * x + y * y + z * z)  # type: ignore[no-any-return]


@kernel
def _domain(part: Array, own: int, rivals: int, polygons: Array) -> tuple[int, Array]:
    """The piece of a part, rows of `points` in `spread_area`, where one nucleus outside is nearer than its rivals.

    Number of corners, and as rows their place s, t in the part, d_i and d_e.
    """
    polygon, count = polygons[0], 3
    for k in range(3):
        polygon[k, 0], polygon[k, 1], polygon[k, 2] = 1.0 if k == 1 else 0.0, 1.0 if k == 2 else 0.0, part[k, 3]
    turn = 0
    for other in range(rivals):
        a, b, c = (
            part[0, 4 + other] - part[0, 4 + own],
            part[1, 4 + other] - part[1, 4 + own],
            part[2, 4 + other] - part[2, 4 + own],
        )
        if other == own or min(a, b, c) >= 0.0:
            continue
        if max(a, b, c) <= 0.0:
            return 0, polygon
        for k in range(count):  # how much nearer this nucleus is, in the place of d_e
            polygon[k, 3] = a + polygon[k, 0] * (b - a) + polygon[k, 1] * (c - a)
        turn += 1
        count = _clip(polygon, count, 3, 0.0, 1.0, polygons[turn])
        polygon = polygons[turn]
    a, b, c = part[0, 4 + own], part[1, 4 + own], part[2, 4 + own]
    for k in range(count):
        polygon[k, 3] = a + polygon[k, 0] * (b - a) + polygon[k, 1] * (c - a)
    return count, polygon


@kernel
def lattice_points(vertices: Array, normals: Array, triangles: NDArray[np.int32], per_edge: int) -> Array:
    """Positions (m, 3) of a lattice of points in each triangle, `per_edge` along an edge with the corners."""
    points = np.empty((len(triangles) * per_edge * (per_edge + 1) // 2, 3))
    u, c = np.empty((3, 3)), np.empty(10)
    row = 0
    for triangle in triangles:
        _patch(vertices, normals, triangle, u, c)
        for i in range(per_edge):
            for j in range(per_edge - i):
                x, y, z, _, _ = _point(u, c, 0.0, i / (per_edge - 1), j / (per_edge - 1))
                points[row, 0], points[row, 1], points[row, 2] = x, y, z
                row += 1
    return points


@kernel
def nearest_distances(points: Array, nuclei: Array) -> Array:
    """Distance (m,) of each point (m, 3) to the nearest of some nuclei (n, 3)."""
    return np.array([_nearest(p[0], p[1], p[2], nuclei) for p in points])
