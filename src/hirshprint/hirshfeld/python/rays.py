"""The distance from a nucleus to w = ½ along rays.

A ray's neighbours on the mesh, whose ends are known, tell about where it ends: on the nearest of their tangent planes.
From there two sums over all neighbours do, one for a Newton step and one for the last step and the gradient; then it is
made sure, with few neighbours, that no other root hides. Where this fails, and at first, the ray is walked along from
the nucleus (`walk`).
"""

from __future__ import annotations

import numpy as np

from hirshprint.hirshfeld.kernel import kernel
from hirshprint.hirshfeld.python.procrystal import (
    RANGE,
    STEPS,
    Array,
    Integers,
    Neighbours,
    Procrystal,
    cutoffs_for,
    density,
    neighbours,
)
from hirshprint.hirshfeld.python.walk import BURIED, CLOSE, LEAST_STRIDE, OPEN, ROOT, START, stride, walk

SHIFT = 3e-5
"""Å that the atoms beyond the cut-offs may move a vertex: a neglected density δ moves a root by δ/(ρ_out |∂f/∂r|)."""

ROUGH_SHIFT = 1e-2
"""The same for the walk."""

FIRST_CUTOFF = 6.0
"""Å, for the few rays from whose densities the cut-offs follow; a result does not depend on it."""

SAMPLE = 6
"""Number of these rays, about."""

STRONG_SHIFT = 1e-1
"""The same for the walk that shows that a root is the only one."""

LAST = 3e-4
"""Å, the last Newton step at most: it leaves about 1e-7 Å, and the gradient is that of its start."""

MARGIN = 0.4
"""Å around a point in which the list of its neighbours holds: several rays that end beside each other have one list."""


@kernel
def _list(x: float, y: float, z: float, around: Neighbours, near: Array, first: Integers) -> None:
    """List the atoms that count at a point or up to `MARGIN` from it.

    Rows first[e] to first[e + 1] of `near` are those of element e: x, y, z and squared distance from the centre in Å².
    """
    atoms, n = around.atoms, 0
    r = np.sqrt(x * x + y * y + z * z)
    for e in range(len(around.elements)):
        limit = around.cutoffs[e] + MARGIN
        for k in range(around.blocks[e], around.blocks[e + 1]):
            d = atoms[k, 3]
            if d > r + limit:
                break
            ax, ay, az = atoms[k, 0], atoms[k, 1], atoms[k, 2]
            near[n, 0], near[n, 1], near[n, 2], near[n, 3] = ax, ay, az, d * d
            squared = (ax - x) * (ax - x) + (ay - y) * (ay - y) + (az - z) * (az - z)
            n += int(squared < limit * limit)  # the next overwrites what does not count
        first[e + 1] = n


@kernel
def _at(
    r: float, u: Array, own: int, near: Array, first: Integers, rho: Array, around: Neighbours
) -> tuple[float, float, float, float, float]:
    """What `log_ratio` gives, at a distance r along u, from the atoms of `near`."""
    inside, change = density(rho[own], r * r)
    outside = slopes = x = y = z = 0.0
    px, py, pz, squared_r = 2.0 * r * u[0], 2.0 * r * u[1], 2.0 * r * u[2], r * r
    for e in range(len(around.elements)):
        table, squared_limit = rho[around.elements[e]], around.cutoffs[e] * around.cutoffs[e]
        for k in range(first[e], first[e + 1]):
            ax, ay, az = near[k, 0], near[k, 1], near[k, 2]
            squared = near[k, 3] + squared_r - (px * ax + py * ay + pz * az)
            if squared < squared_limit:
                value, slope = density(table, squared)
                outside += value
                slopes += slope
                x += slope * ax
                y += slope * ay
                z += slope * az
    if inside <= 0.0:
        return -np.inf, 0.0, 0.0, 0.0, max(outside, RANGE)
    if outside <= RANGE:
        outside, slopes, x, y, z = RANGE, 0.0, 0.0, 0.0, 0.0
    c = 2.0 * STEPS / outside
    along = r * (2.0 * STEPS * change / inside - c * slopes)
    return np.log(inside / outside), along * u[0] + c * x, along * u[1] + c * y, along * u[2] + c * z, outside


@kernel
def _polished(
    r: float,
    end: float,
    u: Array,
    own: int,
    near: Array,
    first: Integers,
    listed: Array,
    rho: Array,
    around: Neighbours,
) -> tuple[float, bool, float, float, float, float]:
    """Root near r by Newton steps; whether they led to one; the gradient of f `LAST` from it, and ρ_out there.

    `listed` (3,) : the point for which `near` holds the neighbours, most often since an earlier ray.
    """
    gx = gy = gz = outside = 0.0
    for _ in range(8):
        x, y, z = r * u[0], r * u[1], r * u[2]
        if (x - listed[0]) ** 2 + (y - listed[1]) ** 2 + (z - listed[2]) ** 2 > MARGIN * MARGIN:
            _list(x, y, z, around, near, first)
            listed[0], listed[1], listed[2] = x, y, z
        f, gx, gy, gz, outside = _at(r, u, own, near, first, rho, around)
        slope = gx * u[0] + gy * u[1] + gz * u[2]
        if slope >= 0.0:
            break
        step = -f / slope
        r += step
        if not START < r < end + CLOSE:
            break
        if abs(step) < LAST:
            return r, True, gx, gy, gz, outside
    return r, False, gx, gy, gz, outside


@kernel
def _extreme(
    low: float, high: float, largest: bool, few: Array, few_first: Integers, rho: Array, around: Neighbours
) -> float:
    """Sum of the densities of `few`, each where between low and high Å along the ray it is largest, or where least."""
    total = 0.0
    for e in range(len(around.elements)):
        table = rho[around.elements[e]]
        for k in range(few_first[e], few_first[e + 1]):
            along = few[k, 0]
            t = min(max(along, low), high) if largest else (low if 2.0 * along > low + high else high)
            total += density(table, few[k, 1] + t * (t - 2.0 * along))[0]
    return total


@kernel
def _alone(
    root: float,
    end: float,
    u: Array,
    own: int,
    outside: float,
    near: Array,
    first: Integers,
    few: Array,
    few_first: Integers,
    strong: Array,
    background: float,
    rho: Array,
    around: Neighbours,
) -> bool:
    """Say whether f > 0 all along the ray before `root`, and f < 0 behind it; a step around it is left out.

    Only the atoms within `strong` of the nucleus or the root are looked up. Behind the root the others may
    be left out, as f is less with them. Before it they have at most what those behind the nucleus have there
    (`background`), those beyond the root have there (of `outside`), and those beside the ray where it passes them.
    As ρ_in falls along the ray, bounds of ρ_out show it at once for most rays; else steps do, as in `walk`.
    """
    count = 0
    rest = background + outside
    for e in range(len(around.elements)):
        table, limit = rho[around.elements[e]], strong[e] * strong[e]
        for k in range(first[e], first[e + 1]):
            along, squared = u[0] * near[k, 0] + u[1] * near[k, 1] + u[2] * near[k, 2], near[k, 3]
            here = squared + root * (root - 2.0 * along)
            if squared < limit or here < limit:
                few[count, 0], few[count, 1] = along, squared
                rest -= density(table, here)[0]
                count += 1
            elif 0.0 < along < root:
                rest += density(table, squared - along * along)[0]
        few_first[e + 1] = count
    r, before, behind = START, root - LEAST_STRIDE, root + LEAST_STRIDE
    if before > START:
        most = max(RANGE, rest + _extreme(START, before, True, few, few_first, rho, around))
        if density(rho[own], before * before)[0] > most:
            r, rest = behind, 0.0
    if behind < end:
        least = max(RANGE, _extreme(behind, end, False, few, few_first, rho, around))
        if density(rho[own], behind * behind)[0] < least:
            end = before
    while r < end:
        if before < r < behind:
            r, rest = behind, 0.0
            continue
        others = rest + _extreme(r, r, True, few, few_first, rho, around)
        f = np.log(density(rho[own], r * r)[0] / max(others, RANGE))
        if (f > 0.0) == (r > root):
            f = _at(r, u, own, near, first, rho, around)[0]
            if (f > 0.0) == (r > root):
                return False
        r += stride(f)
    return True


@kernel
def _voronoi(u: Array, end: float, around: Neighbours, same: int) -> float:
    """Å along u to the nearest plane half-way to an atom of the same element, `end` at most."""
    for k in range(around.blocks[same], around.blocks[same + 1]):
        d = around.atoms[k, 3]
        if d > 2.0 * end:
            break
        along = u[0] * around.atoms[k, 0] + u[1] * around.atoms[k, 1] + u[2] * around.atoms[k, 2]
        if 2.0 * end * along > d * d:
            end = 0.5 * d * d / along
    return end


@kernel
def _guess(u: Array, parents: Integers, vertices: Array, normal: Array) -> float:
    """Where the ray meets the nearest tangent plane of the surface at rays already known; 0 if nowhere."""
    nearest = np.inf
    for p in parents:
        if p >= 0:
            n = normal[p]
            across = n[0] * u[0] + n[1] * u[1] + n[2] * u[2]
            if across > 0.1:
                x = vertices[p]
                nearest = min(nearest, (n[0] * x[0] + n[1] * x[1] + n[2] * x[2]) / across)
    return nearest if nearest < np.inf else 0.0


@kernel
def _cast(
    directions: Array,
    chain: Integers,
    own: int,
    end: float,
    around: Neighbours,
    rough: Array,
    strong: Array,
    rho: Array,
) -> tuple[Array, Integers, Array, Array, float, float]:
    """Follow each ray no further than `end` and the nearest plane half-way to an atom of the same element.

    `chain` (n, 3): the rays in their order, and of each two earlier ones beside it, or -1.

    Returns
    -------
    tuple (ndarray of float64, ndarray of int64, ndarray of float64, ndarray of float64, float, float)
        Radius (n,), status (n,), normal (n, 3), vertices (n, 3); the largest distance with w > ½ that was met; the
        least ρ_out |∂f/∂r|.
    """
    count, size = len(directions), len(around.atoms) + 1
    radius, status = np.zeros(count), np.zeros(count, dtype=np.int64)
    normal, vertices = np.zeros((count, 3)), np.zeros((count, 3))
    places, elements = np.empty((2, size, 2)), np.empty((2, size), dtype=np.int64)
    few, near, listed = np.empty((size, 2)), np.empty((size, 4)), np.full(3, np.inf)
    first, few_first = np.zeros((2, len(around.elements) + 1), dtype=np.int64)
    same = int(np.searchsorted(around.elements, own))
    outermost, smallest, background = 0.0, np.inf, 0.0
    for e in range(len(around.elements)):
        for k in range(around.blocks[e], around.blocks[e + 1]):
            if around.atoms[k, 3] > strong[e]:
                background += density(rho[around.elements[e]], around.atoms[k, 3] ** 2)[0]
    for row in range(count):
        ray = chain[row, 0]
        u = directions[ray]
        nearer = _voronoi(u, end, around, same)
        r, found, state = _guess(u, chain[row, 1:], vertices, normal), False, ROOT
        gx = gy = gz = out = 0.0
        if r > 0.0:
            r, found, gx, gy, gz, out = _polished(min(r, nearer), nearer, u, own, near, first, listed, rho, around)
            found = found and _alone(
                r, nearer, u, own, out, near, first, few, few_first, strong, background, rho, around
            )
        far = r
        if not found:
            r, state, far = walk(u, own, nearer, around, rough, rho, places, elements)
            if state == BURIED:
                status[ray] = BURIED
                break
            r, _, gx, gy, gz, out = _polished(r, nearer, u, own, near, first, listed, rho, around)
        length = np.sqrt(gx * gx + gy * gy + gz * gz)
        normal[ray, 0], normal[ray, 1], normal[ray, 2] = -gx / length, -gy / length, -gz / length
        vertices[ray, 0], vertices[ray, 1], vertices[ray, 2] = r * u[0], r * u[1], r * u[2]
        radius[ray], status[ray] = r, OPEN if state == ROOT and out == RANGE else state
        outermost = max(outermost, far)
        smallest = min(smallest, out * abs(gx * u[0] + gy * u[1] + gz * u[2]))
    return radius, status, normal, vertices, outermost, smallest


@kernel
def _range(rho: Array, own: int) -> float:
    """Distance in Å at which the density of an atom falls below `RANGE`."""
    k = 0
    while k < rho.shape[1] - 2 and rho[own, k, 0] > RANGE:
        k += 1
    return np.sqrt(k / STEPS)  # type: ignore[no-any-return]


@kernel
def cast(
    crystal: Procrystal, atom: int, directions: Array, chain: Integers, shift: float
) -> tuple[Array, Integers, Array, Array, Neighbours, float]:
    """Follow rays from an atom, with cut-offs that the densities where they end ask for.

    Parameters
    ----------
    crystal : Procrystal
        The crystal.
    atom : int
        Row of the atom in `crystal.positions`.
    directions : ndarray of float64, (n, 3)
        Unit vectors.
    chain : ndarray of int64, (n, 3)
        Rows of `directions` in the order to follow them, and for each two earlier ones close by whose tangent planes
        tell where about it ends, or -1.
    shift : float
        How far, in Å, the atoms beyond the cut-offs may move a vertex.

    Returns
    -------
    tuple
        Radius (n,) in Å; status (n,), ROOT, SECOND, OPEN or BURIED; normal (n, 3); vertices (n, 3) in Å about the
        nucleus; the neighbours; the largest distance with w > ½ that was met. After a BURIED ray the others are
        missing.
    """
    own = int(crystal.numbers[atom])
    # no point is further than half the body diagonal from all images of the atom
    end = min(0.5 * np.sqrt((crystal.basis**2).sum()), _range(crystal.rho, own))
    cutoffs = np.full(len(crystal.elements), FIRST_CUTOFF)
    rough, strong = 0.5 * cutoffs, 0.3 * cutoffs
    some = directions[:: max(1, len(directions) // SAMPLE)].copy()
    order = np.full((len(some), 3), -1)
    order[:, 0] = np.arange(len(some))
    while True:
        around = neighbours(crystal, crystal.positions[atom], 1e-6, cutoffs, end)
        radius, status, normal, vertices, outermost, smallest = _cast(
            some, order, own, end, around, rough, strong, crystal.rho
        )
        whole = len(some) == len(directions)
        if (status == BURIED).any() or (whole and (cutoffs_for(crystal, shift * smallest) <= cutoffs).all()):
            break
        some, order = directions, chain
        # all rays meet smaller densities than some do
        cutoffs = cutoffs_for(crystal, 0.5 * shift * smallest)
        rough = cutoffs_for(crystal, 0.5 * ROUGH_SHIFT * smallest)
        strong = cutoffs_for(crystal, 0.5 * STRONG_SHIFT * smallest)
    return radius, status, normal, vertices, around, outermost


def one_by_one(directions: Array) -> Integers:
    """Chain (n, 3) of directions that have no mesh: each after the one before it, if that is close by.

    Parameters
    ----------
    directions : ndarray of float64, (n, 3)
        Unit vectors, Cartesian.
    """
    rows = np.arange(len(directions))
    near = np.einsum("ij,ij->i", directions, np.roll(directions, 1, axis=0)) > 0.95
    before = np.where(near & (rows > 0), rows - 1, -1)
    return np.stack([rows, before, np.full_like(rows, -1)], axis=1)
