"""Distances between two fingerprints."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def l1_distance(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Sum of |first - second| over the bins of two fingerprints of sum one: 0 if equal, 2 if no bin is common."""
    return float(np.abs(first - second).sum())


def earth_movers_distance(first: NDArray[np.float64], second: NDArray[np.float64], edges: NDArray[np.float64]) -> float:
    """Mean distance in Å over which area has to move in the plane of (d_i, d_e) to turn one fingerprint into another.

    Exact, with straight-line distances between the centres of bins: the transport problem over the bins in which the
    two differ (what they have in common stays where it is), solved as a linear program.

    Parameters
    ----------
    first, second : (n_bins, n_bins) fingerprints of sum one.
    edges : (n_bins + 1,) bin edges, Å.
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
