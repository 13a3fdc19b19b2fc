"""The distance from a nucleus to w = ½ along rays.

Along a ray every neighbour is a place (how far along) and a squared distance (how far across), so that a step
costs one table look-up per neighbour and no more. Three stages: a walk outwards with few neighbours finds where f
changes its sign and whether it does so again; Newton steps with all neighbours find the root; there the gradient
is read, with a last step.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from hirshprint.surfaces.procrystal import (
    RANGE,
    STEPS,
    Array,
    Integers,
    Neighbours,
    Procrystal,
    cutoffs_for,
    density,
    log_ratio,
    neighbours,
)

SHIFT = 3e-5
"""Å that the atoms beyond the cut-offs may move a vertex: a neglected density δ moves a root by δ/(ρ_out |∂f/∂r|)."""

ROUGH_SHIFT = 1e-2
"""The same for the walk."""

FIRST_CUTOFF = 6.0
"""Å, for the few rays from whose densities the cut-offs follow; a result does not depend on it."""

SAMPLE = 6
"""Number of these rays, about."""

CLOSE = 3e-3
"""Å, a Newton step that leaves about 1e-5 Å, its square; the last step, one more, about 1e-10 Å."""

START = 0.05
"""Å from the nucleus where the walk along a ray starts."""

ROOT, SECOND, OPEN, BURIED = 0, 1, 2, 3


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _along(direction: Array, around: Neighbours, cutoffs: Array, end: float, place: Array, element: Integers) -> int:
    """Fill the place (k, 2: Å along, Å² across) and element of the atoms that reach the ray; return how many."""
    count = 0
    for e in range(len(cutoffs)):
        squared = cutoffs[e] * cutoffs[e]
        for k in range(around.blocks[e], around.blocks[e + 1]):
            a = around.atoms[k]
            if a[3] > end + cutoffs[e]:
                break
            along = direction[0] * a[0] + direction[1] * a[1] + direction[2] * a[2]
            across = max(0.0, a[3] * a[3] - along * along)
            beyond = max(along - end, -along, 0.0)
            if across + beyond * beyond < squared:
                place[count, 0], place[count, 1], element[count] = along, across, e
                count += 1
    return count


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _f(
    r: float, own: int, place: Array, element: Integers, count: int, cutoffs: Array, rho: Array, around: Neighbours
) -> tuple[float, float]:
    """f and its slope per Å at a distance r along the ray of `place` and `element`."""
    inside, change = density(rho, own, r * r)
    outside = slopes = 0.0
    for k in range(count):
        e = element[k]
        t = r - place[k, 0]
        squared = t * t + place[k, 1]
        if squared < cutoffs[e] * cutoffs[e]:
            value, slope = density(rho, around.elements[e], squared)
            outside += value
            slopes += slope * t
    if inside <= 0.0:
        return -np.inf, 0.0
    if outside <= RANGE:
        outside, slopes = RANGE, 0.0
    return np.log(inside / outside), 2.0 * STEPS * (r * change / inside - slopes / outside)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _newton(
    low: float,
    high: float,
    root: float,
    own: int,
    place: Array,
    element: Integers,
    count: int,
    cutoffs: Array,
    rho: Array,
    around: Neighbours,
) -> tuple[float, float]:
    """Root of `_f` in a bracket, from `root`, by Newton steps down to `CLOSE`, halves at need; the last f beside it."""
    f = 0.0
    for _ in range(60):
        f, slope = _f(root, own, place, element, count, cutoffs, rho, around)
        if f > 0.0:
            low = root
        else:
            high = root
        following = root - f / slope if slope < 0.0 else low
        if not low < following < high:
            following = 0.5 * (low + high)
        moved = abs(following - root)
        root = following
        if moved < CLOSE:
            break
    return root, f


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _stride(f: float) -> float:
    """Å to walk on: f, whose slope is seldom beyond 8 per Å, should not pass zero unseen."""
    return min(0.4, max(0.12, abs(f) / 8.0))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _ray(
    direction: Array,
    own: int,
    end: float,
    around: Neighbours,
    rough: Array,
    rho: Array,
    places: Array,
    elements: Integers,
) -> tuple[float, int, float]:
    """Distance to w = ½, ROOT, SECOND or BURIED, and the largest distance with w > ½ that was met."""
    n = _along(direction, around, rough, end, places[0], elements[0])
    m = _along(direction, around, around.cutoffs, end, places[1], elements[1])
    low, high, r = START, START, START
    guess = 0.0
    while True:  # outwards to the first f < 0; the rough f is too large, by little
        f, slope = _f(r, own, places[0], elements[0], n, rough, rho, around)
        if f <= 0.0 or r == end:  # at the end all neighbours together make f <= 0
            high = r
            break
        guess = r - f / slope if slope < 0.0 else end
        low, r = r, min(end, r + _stride(f))
    if high == START:
        return 0.0, BURIED, 0.0
    root = guess if low < guess < high else 0.5 * (low + high)
    root, _ = _newton(low, high, root, own, places[0], elements[0], n, rough, rho, around)
    f = -1.0
    while abs(f) > 0.1 and low > START:  # all neighbours together put the root before the bracket, by little
        low = max(START, low - 0.2)
        root, f = _newton(low, high, root, own, places[1], elements[1], m, around.cutoffs, rho, around)
    r = root
    while r < end:
        f, _ = _f(r, own, places[0], elements[0], n, rough, rho, around)
        if f > 0.0 and r > root + 0.05:
            f, _ = _f(r, own, places[1], elements[1], m, around.cutoffs, rho, around)
            if f > 0.0:
                return root, SECOND, r
        r += _stride(f)
    return root, ROOT, root


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _cast(
    directions: Array, own: int, end: float, around: Neighbours, rough: Array, rho: Array
) -> tuple[Array, Integers, Array]:
    """Follow each ray no further than `end` and the nearest plane half-way to an atom of the same element."""
    count = len(directions)
    radius, status, outermost = np.zeros(count), np.zeros(count, dtype=np.int64), np.zeros(count)
    places = np.empty((2, len(around.atoms), 2))
    elements = np.empty((2, len(around.atoms)), dtype=np.int64)
    same = np.searchsorted(around.elements, own)
    for ray in range(count):
        u = directions[ray]
        nearer = end
        for k in range(around.blocks[same], around.blocks[same + 1]):
            a = around.atoms[k]
            if a[3] > 2.0 * nearer:
                break
            along = u[0] * a[0] + u[1] * a[1] + u[2] * a[2]
            if along > 0.0:
                nearer = min(nearer, 0.5 * a[3] * a[3] / along)
        radius[ray], status[ray], outermost[ray] = _ray(u, own, nearer, around, rough, rho, places, elements)
    return radius, status, outermost


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _range(rho: Array, own: int) -> float:
    """Distance in Å at which the density of an atom falls below `RANGE`."""
    k = 0
    while k < rho.shape[1] - 2 and rho[own, k, 0] > RANGE:
        k += 1
    return np.sqrt(k / STEPS)  # type: ignore[no-any-return]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def cast(
    crystal: Procrystal, atom: int, directions: Array, shift: float
) -> tuple[Array, Integers, Array, Array, Neighbours, float]:
    """Follow rays from an atom, with cut-offs that the densities where they end ask for.

    Parameters
    ----------
    directions : (n, 3) unit vectors.
    shift : Å that the atoms beyond the cut-offs may move a vertex.

    Returns
    -------
    radius (n,) in Å; status (n,), ROOT, SECOND, OPEN or BURIED; normal (n, 3); vertices (n, 3) in Å about the
    nucleus; the neighbours; the largest distance with w > ½ that was met.
    """
    own = int(crystal.numbers[atom])
    inside = np.array([[0.0, 0.0, 0.0, float(own)]])
    # no point is further than half the body diagonal from all images of the atom
    end = min(0.5 * np.sqrt((crystal.basis**2).sum()), _range(crystal.rho, own))
    cutoffs = np.full(len(crystal.elements), FIRST_CUTOFF)
    rough = 0.5 * cutoffs
    vertices, normal = directions, directions
    some = directions[:: max(1, len(directions) // SAMPLE)].copy()
    while True:
        around = neighbours(crystal, crystal.positions[atom], 1e-6, cutoffs, end)
        radius, status, outermost = _cast(some, own, end, around, rough, crystal.rho)
        if (status == BURIED).any():
            break
        smallest = np.inf
        vertices, normal = some * radius.reshape(-1, 1), some.copy()
        for k in range(len(some)):
            f, x, y, z, out = log_ratio(vertices[k, 0], vertices[k, 1], vertices[k, 2], inside, crystal.rho, around)
            size = np.sqrt(x * x + y * y + z * z)
            normal[k, 0], normal[k, 1], normal[k, 2] = -x / size, -y / size, -z / size
            slope = x * some[k, 0] + y * some[k, 1] + z * some[k, 2]
            if abs(f) < CLOSE * abs(slope):
                radius[k] -= f / slope
                vertices[k] = radius[k] * some[k]
            smallest = min(smallest, out * abs(slope))
            if status[k] == ROOT and out == RANGE:
                status[k] = OPEN
        if len(some) == len(directions) and (cutoffs_for(crystal, shift * smallest) <= cutoffs).all():
            break
        some = directions
        # all rays meet smaller densities than some do
        cutoffs = cutoffs_for(crystal, 0.5 * shift * smallest)
        rough = cutoffs_for(crystal, 0.5 * ROUGH_SHIFT * smallest)
    return radius, status, normal, vertices, around, outermost.max()
