"""The walk along one ray from a nucleus, step by step: where w = ½ first, and whether again.

Along a ray every neighbour is a place (how far along) and a squared distance (how far across). A walk outwards with
few neighbours finds where f changes its sign and whether it does so again; Newton steps with all of them find the root.
"""

from __future__ import annotations

import numpy as np

from hirshprint.hirshfeld.kernel import kernel
from hirshprint.hirshfeld.python.procrystal import RANGE, STEPS, Array, Integers, Neighbours, density

CLOSE = 3e-3
"""Å, a Newton step that leaves about 1e-5 Å, its square."""

START = 0.05
"""Å from the nucleus where the walk along a ray starts."""

LEAST_STRIDE = 0.12
"""Å, the shortest step of a walk."""

ROOT, SECOND, OPEN, BURIED = 0, 1, 2, 3


@kernel
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


@kernel
def _f(
    r: float, own: int, place: Array, element: Integers, count: int, cutoffs: Array, rho: Array, around: Neighbours
) -> tuple[float, float]:
    """f and its slope per Å at a distance r along the ray of `place` and `element`."""
    inside, change = density(rho[own], r * r)
    outside = slopes = 0.0
    for k in range(count):
        e = element[k]
        t = r - place[k, 0]
        squared = t * t + place[k, 1]
        if squared < cutoffs[e] * cutoffs[e]:
            value, slope = density(rho[around.elements[e]], squared)
            outside += value
            slopes += slope * t
    if inside <= 0.0:
        return -np.inf, 0.0
    if outside <= RANGE:
        outside, slopes = RANGE, 0.0
    return np.log(inside / outside), 2.0 * STEPS * (r * change / inside - slopes / outside)


@kernel
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


@kernel
def stride(f: float) -> float:
    """Å to walk on: f, whose slope is seldom beyond 8 per Å, should not pass zero unseen."""
    return min(0.4, max(LEAST_STRIDE, abs(f) / 8.0))


@kernel
def walk(
    direction: Array,
    own: int,
    end: float,
    around: Neighbours,
    rough: Array,
    rho: Array,
    places: Array,
    elements: Integers,
) -> tuple[float, int, float]:
    """Distance to w = ½, ROOT, SECOND or BURIED, and the largest distance with w > ½ that was met.

    Parameters
    ----------
    direction : ndarray of float64, (3,)
        Unit vector of the ray.
    own : int
        Atomic number of the nucleus that the ray starts from.
    end : float, Å
        Length of the ray.
    around : Neighbours
        The atoms outside, about the same centre.
    rough : ndarray of float64, (e,), Å
        Shorter cut-offs by element, for the walk with few neighbours.
    rho : ndarray of float64, (104, p, 4), e/bohr³
        `LookUp.rho`: cubic of each grid step, by atomic number.
    places : ndarray of float64, (2, k, 2)
        Room for how far along (Å) and across (Å²) the neighbours are: with `rough`, and with all cut-offs.
    elements : ndarray of int64, (2, k)
        Room for the element of each, a row of `around.elements`.
    """
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
        low, r = r, min(end, r + stride(f))
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
        r += stride(f)
    return root, ROOT, root
