"""Distances between fingerprints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray


def l1_distance(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Sum of |first - second| over the bins of two fingerprints of sum one: 0 if equal, 2 if no bin is common.

    Parameters
    ----------
    first : ndarray of float64
        A fingerprint.
    second : ndarray of float64
        Another one, with the same bins.
    """
    return float(np.abs(first - second).sum())


def earth_movers_distance(first: NDArray[np.float64], second: NDArray[np.float64], edges: NDArray[np.float64]) -> float:
    """Mean distance in Å over which area has to move in the plane of (d_i, d_e) to turn one fingerprint into another.

    Exact, with straight-line distances between the centres of bins: the transport problem over the bins in which the
    two differ (what they have in common stays where it is), solved as a linear program.

    Parameters
    ----------
    first, second : ndarray of float64, (n_bins, n_bins)
        Fingerprints of sum one.
    edges : ndarray of float64, (n_bins + 1,), Å
        Bin edges.
    """
    from scipy.optimize import linprog
    from scipy.sparse import eye_array, kron, vstack

    difference = first - second
    supply, demand = difference[difference > 0], -difference[difference < 0]
    if not len(supply) or not len(demand):
        return 0.0
    total = supply.sum()
    supply, demand = supply / total, demand / demand.sum()
    centres = (edges[1:] + edges[:-1]) / 2
    ends = [
        np.stack([centres[i], centres[j]], axis=1) for i, j in (np.nonzero(difference > 0), np.nonzero(difference < 0))
    ]
    cost = np.linalg.norm(ends[0][:, None] - ends[1], axis=2).reshape(-1)
    leaves = kron(eye_array(len(supply)), np.ones((1, len(demand))))
    arrives = kron(np.ones((1, len(supply))), eye_array(len(demand)))
    equations = vstack([leaves, arrives]).tocsr()[:-1]  # the last one follows from the others
    result = linprog(cost, A_eq=equations, b_eq=np.concatenate([supply, demand])[:-1], method="highs-ipm")
    if result.status:
        raise ArithmeticError(f"the earth mover's distance was not found: {result.message}")
    return float(result.fun * total)


def square_roots(counts: NDArray[np.float32]) -> NDArray[np.float32]:
    """Square roots of fingerprints, each scaled to a sum of one: Hellinger distances come of their products.

    Parameters
    ----------
    counts : ndarray, (n, n_bins, n_bins) or (n, k)
        Fingerprints, not negative; of any sum.

    Returns
    -------
    ndarray, (n, n_bins²) or (n, k)
    """
    flat = counts.reshape(len(counts), -1)
    scaled: NDArray[np.float32] = flat / np.maximum(flat.sum(axis=1, keepdims=True), np.finfo(np.float32).tiny)
    return np.sqrt(scaled, out=scaled)


def nearest_distances(
    blocks: Iterable[tuple[NDArray[np.int64], NDArray[np.float32]]],
    tests: Sequence[tuple[NDArray[np.int64], NDArray[np.float32]]],
) -> list[NDArray[np.float64]]:
    """Hellinger distance of test fingerprints to the nearest training one, 0 (equal) to 1 (no bin in common).

    √(1 - Σ √(p q)) of fingerprints p, q that are each scaled to a sum of one. Of those that are learned from only one
    block is in memory.

    Parameters
    ----------
    blocks : iterable of tuple (ndarray of int64, ndarray of float32)
        Rows (k,), and their fingerprints (k, b, b): of all that any fold trains on.
    tests : sequence of tuple (ndarray of int64, ndarray of float32)
        Of each fold the rows (sorted) that it trains on, and `square_roots` of the fingerprints that it tests.

    Returns
    -------
    list of ndarray of float64
        Of each fold (n,) float64; NaN where it trains on no row.
    """
    overlaps = [np.full(len(roots), -np.inf, np.float32) for _, roots in tests]
    for rows, counts in blocks:
        known = square_roots(counts)
        for overlap, (train, roots) in zip(overlaps, tests, strict=True):
            here = known[np.isin(rows, train, assume_unique=True)]
            if len(here) and len(roots):
                np.maximum(overlap, (roots @ here.T).max(axis=1), out=overlap)
    found = [np.sqrt(np.clip(1.0 - overlap.astype(np.float64), 0.0, None)) for overlap in overlaps]
    return [np.where(np.isfinite(of_fold), of_fold, np.nan) for of_fold in found]


def nearest_fingerprints(counts: NDArray[np.float32], neighbours: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Find the nearest other fingerprints of each by Hellinger distance √(1 − Σ √(p q)): 0 if equal, 1 if disjoint.

    Unlike the two distances above it is a matrix product, so that thousands are compared in seconds.

    Parameters
    ----------
    counts : ndarray of float32, (n, n_bins, n_bins)
        Fingerprints, of any sum.
    neighbours : int
        How many to find; there are at most n − 1.

    Returns
    -------
    tuple (ndarray of int64, ndarray of float32)
        Rows of the neighbours (n, neighbours), nearest first, and their distances, of the same shape.
    """
    flat = counts.reshape(len(counts), -1).astype(np.float32)
    root = square_roots(flat[:, flat.any(axis=0)])
    found = max(0, min(neighbours, len(root) - 1))
    rows = np.empty((len(root), found), np.int64)
    distances = np.empty((len(root), found), np.float32)
    for start in range(0, len(root) if found else 0, 512):
        overlap = root[start : start + 512] @ root.T
        here = np.arange(len(overlap))
        overlap[here, here + start] = -1.0
        nearest = np.argpartition(-overlap, found - 1, axis=1)[:, :found]
        order = np.argsort(-np.take_along_axis(overlap, nearest, axis=1), axis=1, kind="stable")
        rows[start : start + 512] = nearest = np.take_along_axis(nearest, order, axis=1)
        shared = np.clip(np.take_along_axis(overlap, nearest, axis=1), 0.0, 1.0)
        distances[start : start + 512] = np.sqrt(1.0 - shared)
    return rows, distances
