"""Histograms of d_i and d_e over a surface: its area, spread over the bins without samples.

A curved triangle (`patches`) is cut into parts in which both distances are linear. Such a part is a triangle in the
plane of d_i and d_e too, and as even there as it is in space; so what of it lies in a bin is the area of their overlap.
It is summed over the edges (Green), as when a polygon is drawn with soft borders.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hirshprint.hirshfeld.kernel import kernel
from hirshprint.hirshfeld.patches import Array, distance_to, nearest, patch, position

BEND = 4e-4
"""Å, by how much a distance at the middle of a part's edge may differ from the mean of its ends.

The mean of this over a triangle is taken off, so that no distance is too large in the mean."""

MOST_PARTS = 60
"""Into how many parts the edge of a triangle is divided at most."""

MOST_RIVALS = 8
"""Nuclei outside among which the nearest is looked for in a triangle."""

THIN = 3e-5
"""By how many bins the corners of a part are moved that is a line in the plane of d_i and d_e."""

FAINT = 3e-6
"""Share of a part below which what is found in a bin is rounding."""


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
    bend_angstrom: float,
) -> Array:
    """Add the area of a surface to a histogram of d_i and d_e.

    A triangle is cut into parts. In each both distances are taken as linear, but that it is cut where two nuclei
    outside are equally near.

    Parameters
    ----------
    vertices : ndarray of float64, (n, 3), Å
        Vertices of the mesh.
    normals : ndarray of float64, (n, 3)
        Unit normals at the vertices; 0 0 0 makes the triangles of a vertex flat.
    inside : ndarray of float64, (a, 3)
        Nuclei inside, among them all that are nearest to some point.
    outside : ndarray of float64, (b, 3)
        Nuclei outside, among them all that are nearest to some point.
    triangles : ndarray of int32, (m, 3)
        Rows into `vertices`.
    group : ndarray of int64, (b,)
        Layer of `counts` for what is nearest to each nucleus outside.
    counts : ndarray of float64, (n_groups, n_bins, n_bins), Å²
        [group, d_i, d_e]; added to.
    low, width : float, Å
        Lower end of the first bin, and width of a bin.
    bend_angstrom : float, Å
        See `BEND`: a larger value makes fewer parts.

    Returns
    -------
    ndarray of float64, (n_groups, 5)
        Of each group, in and out of the bins: the area in Å², and the integrals over it of d_i, its square, d_e, and
        its square, in bins from `low`.
    """
    sums = np.zeros((len(counts), 5))
    u, c = np.empty((3, 3)), np.empty(10)
    columns = 4 + MOST_RIVALS  # x y z; in bins: d_i, distances to the nuclei outside
    points = np.empty(((MOST_PARTS + 1) * (MOST_PARTS + 2) // 2, columns))
    best = np.empty(len(points), dtype=np.int64)
    polygons, cells = np.empty((1 + MOST_RIVALS, 16, 4)), np.zeros((32, 32))
    rival, distances = np.empty(MOST_RIVALS, dtype=np.int64), np.empty(len(outside))
    bend, scale = np.empty(columns), 1.0 / width
    for triangle in triangles:
        patch(vertices, normals, triangle, u, c)
        rivals = _rivals(vertices, outside, triangle, u, c, distances, rival)
        _nodes(2, u, c, inside, outside, rival, rivals, points)
        if rivals > 1:
            rivals = _kept(points, rival, rivals)
        largest = _bends(points, rivals, bend)
        n = min(MOST_PARTS, max(1, int(np.ceil(np.sqrt(largest / bend_angstrom)))))
        if n == 1:
            points[1], points[2] = points[2], points[5]  # only the corners
        elif n > 2:
            _nodes(n, u, c, inside, outside, rival, rivals, points)
        _rank_and_scale(points, n, rivals, bend, low, scale, best)
        start = 0  # row of the lattice point (i, 0)
        for i in range(n):
            following = start + n + 1 - i
            for j in range(n - i):
                for upside in range(2 if j < n - i - 1 else 1):
                    a, b = following + j, start + j + 1
                    third = following + j + 1 if upside else start + j
                    area = _flat_area(points, a, b, third)
                    if rivals == 1 or (best[a] == best[b] and best[a] == best[third]):
                        own = best[a]
                        layer = group[rival[own]]
                        polygon = polygons[0]
                        whole = _corners(points, a, b, third, own, polygon)
                        _integrate(polygon, 3, area, sums[layer])
                        _spread(polygon, 3, area / whole, area, counts, layer, cells)
                        continue
                    for own in range(rivals):
                        whole = _corners(points, a, b, third, own, polygons[0])
                        m, polygon = _domain(points, a, b, third, own, rivals, polygons)
                        if m >= 3:
                            layer = group[rival[own]]
                            piece = area * _twice(polygon, m, 0)
                            _integrate(polygon, m, piece, sums[layer])
                            _spread(polygon, m, area / whole, piece, counts, layer, cells)
            start = following
    return sums


@kernel
def _nodes(
    n: int,
    u: Array,
    c: Array,
    inside: Array,
    outside: Array,
    rival: NDArray[np.int64],
    rivals: int,
    points: Array,
) -> None:
    """Fill in the points that cut the edges of a triangle into n parts: columns as in `spread_area`, in Å."""
    row = 0
    for i in range(n + 1):
        for j in range(n + 1 - i):
            x, y, z = position(u, c, i / n, j / n)
            points[row, 0], points[row, 1], points[row, 2] = x, y, z
            points[row, 3] = nearest(x, y, z, inside)
            for k in range(rivals):
                points[row, 4 + k] = distance_to(x, y, z, outside, rival[k])
            row += 1


@kernel
def _rank_and_scale(
    points: Array, n: int, rivals: int, bend: Array, low: float, scale: float, best: NDArray[np.int64]
) -> None:
    """Fill in the rival nearest to each point, of those equally near the first; then give the distances in bins.

    The points cut the edges of a triangle into n parts; `bend` is taken off.
    """
    for row in range((n + 1) * (n + 2) // 2):
        best[row] = 0
        for k in range(1, rivals):
            if points[row, 4 + k] < points[row, 4 + best[row]]:
                best[row] = k
        for k in range(3, 4 + rivals):
            points[row, k] = (points[row, k] + bend[k] / (n * n) - low) * scale


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
    x, y, z = position(u, c, 1 / 3, 1 / 3)
    radius, least = 0.0, np.inf
    for k in range(3):
        radius = max(radius, distance_to(x, y, z, vertices, triangle[k]))
    for k in range(len(outside)):
        distances[k] = distance_to(x, y, z, outside, k)
        least = min(least, distances[k])
    limit = least + 2.0 * radius
    count = 0
    for k in range(len(outside)):
        if distances[k] > limit:
            continue
        place = min(count, len(rival) - 1)
        if count == len(rival) and distances[k] >= distances[rival[place]]:
            continue
        while place > 0 and distances[rival[place - 1]] > distances[k]:
            rival[place] = rival[place - 1]
            place -= 1
        rival[place] = k
        count = min(count + 1, len(rival))
    return count


@kernel
def _kept(points: Array, rival: NDArray[np.int64], rivals: int) -> int:
    """Leave out the rivals that are further than another at all of six points of a triangle, by 4 x `BEND`."""
    count = 0
    for k in range(rivals):
        lead = np.inf
        for row in range(6):
            least = np.inf
            for other in range(rivals):
                least = min(least, points[row, 4 + other])
            lead = min(lead, points[row, 4 + k] - least)
        if lead < 4.0 * BEND:
            rival[count] = rival[k]
            points[6, count] = k
            count += 1
    for k in range(count):  # in this order no column is lost
        for row in range(6):
            points[row, 4 + k] = points[row, 4 + int(points[6, k])]
    return count


@kernel
def _bends(points: Array, rivals: int, bend: Array) -> float:
    """How far each distance in the middle of a triangle's edges is above the mean of the ends, in the mean; the most.

    The rows of `points` are at 20 21 22 / 10 11 / 00 on the edges: corners 0 2 5, middles 1 3 4.
    """
    largest = 0.0
    for k in range(3, 4 + rivals):
        a, b, c = points[0, k], points[2, k], points[5, k]
        one, two, three = (
            points[1, k] - 0.5 * (a + b),
            points[3, k] - 0.5 * (a + c),
            points[4, k] - 0.5 * (b + c),
        )
        bend[k] = (one + two + three) / 3.0
        largest = max(largest, abs(one), abs(two), abs(three))
    return largest


@kernel
def _flat_area(points: Array, a: int, b: int, c: int) -> float:
    """Area of the triangle between three rows of x, y, z."""
    ax, ay, az = points[b, 0] - points[a, 0], points[b, 1] - points[a, 1], points[b, 2] - points[a, 2]
    bx, by, bz = points[c, 0] - points[a, 0], points[c, 1] - points[a, 1], points[c, 2] - points[a, 2]
    x, y, z = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
    return 0.5 * np.sqrt(x * x + y * y + z * z)  # type: ignore[no-any-return]


@kernel
def _corners(points: Array, a: int, b: int, c: int, own: int, polygon: Array) -> float:
    """Fill in the corners of a part: s, t in it, d_i and d_e in bins; return twice its area in the last two."""
    for k, row in enumerate((a, b, c)):
        polygon[k, 0], polygon[k, 1] = 1.0 if k == 1 else 0.0, 1.0 if k == 2 else 0.0
        polygon[k, 2], polygon[k, 3] = points[row, 3], points[row, 4 + own]
    whole = _twice(polygon, 3, 2)
    if abs(whole) >= THIN * THIN:
        return whole
    # a line: moved apart, to the side that adds to the area
    x = (polygon[1, 2] - polygon[0, 2]) * -THIN - (polygon[1, 3] - polygon[0, 3]) * -2.0 * THIN
    x += -THIN * (polygon[2, 3] - polygon[0, 3]) - THIN * (polygon[2, 2] - polygon[0, 2])
    side = THIN if x >= 0.0 else -THIN
    polygon[0, 2] += side
    polygon[1, 3] += side
    polygon[2, 2] -= side
    polygon[2, 3] -= side
    return _twice(polygon, 3, 2)


@kernel
def _twice(polygon: Array, count: int, column: int) -> float:
    """Twice the area of a polygon in two columns, positive if counter-clockwise."""
    twice = 0.0
    x, y = polygon[0, column], polygon[0, column + 1]
    for k in range(1, count - 1):
        twice += (polygon[k, column] - x) * (polygon[k + 1, column + 1] - y)
        twice -= (polygon[k, column + 1] - y) * (polygon[k + 1, column] - x)
    return twice


@kernel
def _integrate(polygon: Array, count: int, area: float, sums: Array) -> None:
    """Add the area of a convex polygon, and the integrals of d_i and d_e, which are linear in it, and their squares."""
    sums[0] += area
    density = area / _twice(polygon, count, 0)
    x, y = polygon[0, 0], polygon[0, 1]
    for k in range(1, count - 1):
        part = (polygon[k, 0] - x) * (polygon[k + 1, 1] - y) - (polygon[k, 1] - y) * (polygon[k + 1, 0] - x)
        for axis in range(2):
            a, b, c = polygon[0, 2 + axis], polygon[k, 2 + axis], polygon[k + 1, 2 + axis]
            sums[1 + 2 * axis] += density * part * (a + b + c) / 3.0
            sums[2 + 2 * axis] += density * part * (a * a + b * b + c * c + a * b + b * c + c * a) / 6.0


@kernel
def _spread(polygon: Array, count: int, density: float, area: float, counts: Array, layer: int, cells: Array) -> None:
    """Add a convex polygon of some area to the bins that it covers.

    `density` : area by twice the area in the plane of d_i and d_e, with the sign of the latter.
    `cells` : zeros, and left so.
    """
    left, right, low, high = polygon[0, 2], polygon[0, 2], polygon[0, 3], polygon[0, 3]
    for k in range(1, count):
        left, right = min(left, polygon[k, 2]), max(right, polygon[k, 2])
        low, high = min(low, polygon[k, 3]), max(high, polygon[k, 3])
    bins = counts.shape[1]
    if right < 0.0 or high < 0.0 or left >= bins or low >= bins:
        return
    i0, j0 = int(np.floor(left)), int(np.floor(low))
    columns, rows = int(np.floor(right)) - i0 + 1, int(np.floor(high)) - j0 + 1
    if columns == 1 and rows == 1:
        counts[layer, i0, j0] += area
        return
    if max(columns + 1, rows) > len(cells):
        cells = np.zeros((rows, columns + 1))
    for k in range(count):
        following = k + 1 if k + 1 < count else 0
        _edge(polygon[k, 2] - i0, polygon[k, 3] - j0, polygon[following, 2] - i0, polygon[following, 3] - j0, cells)
    for j in range(rows):
        covered = 0.0
        for i in range(columns):
            covered += cells[j, i]
            cells[j, i] = 0.0
            share = -2.0 * covered * density
            if share > FAINT * area and 0 <= i0 + i < bins and 0 <= j0 + j < bins:
                counts[layer, i0 + i, j0 + j] += share
        cells[j, columns] = 0.0


@kernel
def _edge(x: float, y: float, to_x: float, to_y: float, cells: Array) -> None:
    """Add to each cell (row y, column x) how much more of it than of the one before lies beyond an edge, towards +x."""
    along_x, along_y = to_x - x, to_y - y
    i, j = int(x), int(y)
    step_i, step_j = 1 if along_x > 0.0 else -1, 1 if along_y > 0.0 else -1
    per_x = 1.0 / abs(along_x) if along_x != 0.0 else np.inf
    per_y = 1.0 / abs(along_y) if along_y != 0.0 else np.inf
    next_x = (i + 1 - x if along_x > 0.0 else x - i) * per_x if along_x != 0.0 else np.inf
    next_y = (j + 1 - y if along_y > 0.0 else y - j) * per_y if along_y != 0.0 else np.inf
    from_x, from_y = x, y
    for _ in range(abs(int(to_x) - i) + abs(int(to_y) - j)):
        across = next_x < next_y
        t = next_x if across else next_y
        at_x, at_y = x + t * along_x, y + t * along_y
        up, beyond = at_y - from_y, 0.5 * (at_x + from_x) - i
        cells[j, i] += up * (1.0 - beyond)
        cells[j, i + 1] += up * beyond
        from_x, from_y = at_x, at_y
        if across:
            i += step_i
            next_x += per_x
        else:
            j += step_j
            next_y += per_y
    up, beyond = to_y - from_y, 0.5 * (to_x + from_x) - i
    cells[j, i] += up * (1.0 - beyond)
    cells[j, i + 1] += up * beyond


@kernel
def _domain(points: Array, p: int, q: int, r: int, own: int, rivals: int, polygons: Array) -> tuple[int, Array]:
    """The piece of a part, between three rows of `points`, where one nucleus outside is nearer than its rivals.

    `polygons[0]` is the part, see `_corners`. Number of corners of the piece, and as rows the same figures of them.
    """
    polygon, count = polygons[0], 3
    turn = 0
    for other in range(rivals):
        a = points[p, 4 + other] - points[p, 4 + own]
        b = points[q, 4 + other] - points[q, 4 + own]
        c = points[r, 4 + other] - points[r, 4 + own]
        if other == own or min(a, b, c) >= 0.0:
            continue
        if max(a, b, c) <= 0.0:
            return 0, polygon
        turn += 1
        count = _clip(polygon, count, a, b - a, c - a, polygons[turn])
        polygon = polygons[turn]
    return count, polygon


@kernel
def _clip(polygon: Array, count: int, constant: float, by_s: float, by_t: float, out: Array) -> int:
    """Keep what of a convex polygon (rows are corners) has constant + by_s s + by_t t >= 0; return its corners."""
    kept = 0
    for k in range(count):
        j = k + 1 if k + 1 < count else 0
        f = constant + by_s * polygon[k, 0] + by_t * polygon[k, 1]
        g = constant + by_s * polygon[j, 0] + by_t * polygon[j, 1]
        if f >= 0.0:
            for column in range(4):
                out[kept, column] = polygon[k, column]
            kept += 1
        if (f >= 0.0) != (g >= 0.0):
            t = f / (f - g)
            for column in range(4):
                out[kept, column] = polygon[k, column] + t * (polygon[j, column] - polygon[k, column])
            kept += 1
    return kept
