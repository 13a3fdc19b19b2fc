"""Triangulated sphere of octahedral symmetry, cut down to the irreducible wedge of a site."""

from __future__ import annotations

from functools import cache
from itertools import permutations, product

import numpy as np
from numpy.typing import NDArray

OCTAHEDRAL: NDArray[np.float64] = np.array(
    [
        np.eye(3)[list(order)] * np.array(signs)[:, None]
        for order in permutations(range(3))
        for signs in product((1.0, -1.0), repeat=3)
    ]
)
"""(48, 3, 3) the signed permutation matrices, the group m-3m; the identity comes first."""

_CORNERS = np.array([[6, 0, 0], [3, 3, 0], [2, 2, 2]])  # a domain of m-3m: directions 100, 110, 111
_WALLS = np.array(  # reflections in its three sides
    [
        [[0, 1, 0], [1, 0, 0], [0, 0, 1]],
        [[1, 0, 0], [0, 0, 1], [0, 1, 0]],
        [[1, 0, 0], [0, 1, 0], [0, 0, -1]],
    ],
    dtype=np.float64,
)
_CODE = 3.0 ** np.arange(9)


def _index(operations: NDArray[np.float64]) -> NDArray[np.int64]:
    """Rows of `OCTAHEDRAL` that equal these matrices, (n,)."""
    codes = (OCTAHEDRAL.reshape(-1, 9) + 1) @ _CODE
    order = np.argsort(codes)
    found = np.searchsorted(codes[order], (np.rint(operations).reshape(-1, 9) + 1) @ _CODE)
    rows: NDArray[np.int64] = order[found]
    return rows


@cache
def wedge(level: int, group: tuple[int, ...]) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Irreducible wedge of the triangulated sphere under a subgroup of m-3m.

    The 48 spherical triangles 100-110-111 are each divided into level² triangles; their borders are mirror
    planes of m-3m, so whole domains make up the wedge of every subgroup.

    Parameters
    ----------
    level : int
        Divisions of a domain's edge.
    group : tuple of int
        Rows of `OCTAHEDRAL` that form the subgroup.

    Returns
    -------
    tuple (ndarray of float64, ndarray of int32)
        (n, 3) unit vectors and (m, 3) int32 triangles, counter-clockwise seen from outside, m = level² · 48/len(group).
    """
    i, j = np.array([(i, j) for i in range(level + 1) for j in range(level + 1 - i)]).T
    shares = np.stack([i, j, level - i - j], axis=1)
    row = {(a, b): k for k, (a, b, _) in enumerate(shares.tolist())}
    one = [(row[a + 1, b], row[a, b + 1], row[a, b]) for a in range(level) for b in range(level - a)]
    one += [(row[a + 1, b], row[a + 1, b - 1], row[a, b])[::-1] for a in range(level) for b in range(1, level - a)]
    triangles = np.array(one)
    keys = shares @ _CORNERS
    points = shares @ (_CORNERS / np.linalg.norm(_CORNERS, axis=1)[:, None])

    subgroup = OCTAHEDRAL[list(group)]
    domains: list[int] = []
    covered: set[int] = set()
    front = [0]
    while front:  # grow over shared sides, so that the wedge is one piece
        domain = front.pop(0)
        if domain not in covered:
            domains.append(domain)
            covered.update(_index(subgroup @ OCTAHEDRAL[domain]).tolist())
            front.extend(_index(OCTAHEDRAL[domain] @ _WALLS).tolist())

    all_keys, all_points, all_triangles = [], [], []
    for count, domain in enumerate(domains):
        operation = OCTAHEDRAL[domain]
        turned = triangles if np.linalg.det(operation) > 0 else triangles[:, ::-1]
        all_keys.append(keys @ operation.T)
        all_points.append(points @ operation.T)
        all_triangles.append(turned + count * len(points))
    _, kept, merged = np.unique(np.concatenate(all_keys), axis=0, return_index=True, return_inverse=True)
    directions = np.concatenate(all_points)[kept]
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    return directions, merged.reshape(-1)[np.concatenate(all_triangles)].astype(np.int32)


@cache
def chain(level: int, group: tuple[int, ...]) -> NDArray[np.int64]:
    """Order in which to visit the vertices of `wedge`: from one to those beside it.

    Returns
    -------
    ndarray of int64, (n, 3)
        A vertex, and two that come before it and share an edge with it, or -1.
    """
    _, triangles = wedge(level, group)
    beside: dict[int, set[int]] = {}
    for triangle in triangles.tolist():
        for corner in triangle:
            beside.setdefault(corner, set()).update(triangle)
    rows, place = [], {0: 0}
    front = [0]
    for vertex in front:
        known = sorted(
            (other for other in beside[vertex] if place.get(other, place[vertex]) < place[vertex]),
            key=place.__getitem__,
        )
        rows.append([vertex, *known[:2], -1, -1][:3])
        for other in sorted(beside[vertex]):
            if other not in place:
                place[other] = len(place)
                front.append(other)
    return np.array(rows)


def mesh_frame(rotations: NDArray[np.float64]) -> tuple[NDArray[np.float64], tuple[int, ...]]:
    """Turn the sphere so that as many site rotations as possible map its mesh onto itself.

    Three-fold axes can lie along 111 and two- or four-fold axes along 100 or 110; six-fold axes keep their
    three-fold part. What does not fit (nothing in most cases) is left out, which costs rays, not accuracy.

    Parameters
    ----------
    rotations : ndarray of float64, (n, 3, 3)
        Orthogonal matrices of a point group, Cartesian.

    Returns
    -------
    tuple (ndarray of float64, tuple of int)
        (3, 3) proper rotation Q from the frame of the mesh to the crystal's, and the rows P of `OCTAHEDRAL` for which Q
        P Qᵀ is one of the rotations (a group; the identity comes first).
    """
    best, group = np.eye(3), _mapped(rotations, np.eye(3))
    if len(group) < len(rotations):
        for frame in _candidate_frames(rotations):
            mapped = _mapped(rotations, frame)
            if len(mapped) > len(group):
                best, group = frame, mapped
    return best, group


def _mapped(rotations: NDArray[np.float64], frame: NDArray[np.float64]) -> tuple[int, ...]:
    turned = frame.T @ rotations @ frame
    near = np.rint(turned)
    fits = (np.abs(turned - near) < 1e-3).all(axis=(1, 2))
    return tuple(sorted({int(k) for k in _index(near[fits])}))


def _candidate_frames(rotations: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Proper rotations that put an axis of the group on 001, 110 or 111, and another, if any, across it."""
    axes: list[tuple[NDArray[np.float64], bool]] = []
    for rotation in rotations:
        proper = rotation * np.sign(np.linalg.det(rotation))
        trace = np.trace(proper)
        if trace > 2.9:
            continue
        axis = np.linalg.svd(proper - np.eye(3))[2][2]
        threefold = trace > -0.5 and abs(trace - 1) > 0.5
        if not any(abs(axis @ other) > 0.999 and threefold == known for other, known in axes):
            axes.append((axis, bool(threefold)))
    frames = []
    for main, threefold in axes:
        across = [axis for axis, other in axes if not other and abs(axis @ main) < 1e-3]
        if not across:
            helper = np.eye(3)[np.argmin(np.abs(main))]
            across = [np.cross(main, helper) / np.linalg.norm(np.cross(main, helper))]
        for second in across:
            own = np.stack([main, second, np.cross(main, second)], axis=1)
            targets = [([1, 1, 1], [1, -1, 0])] if threefold else [([0, 0, 1], [1, 0, 0]), ([0, 0, 1], [1, 1, 0])]
            targets += [] if threefold else [([1, 1, 0], [1, -1, 0]), ([1, 1, 0], [0, 0, 1])]
            for u, v in targets:
                first = np.array(u) / np.linalg.norm(u)
                other = np.array(v) / np.linalg.norm(v)
                frames.append(own @ np.stack([first, other, np.cross(first, other)], axis=1).T)
    return frames
