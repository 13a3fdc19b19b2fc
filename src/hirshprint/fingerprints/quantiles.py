"""Quantiles of a fingerprint: how the area is spread over d_i and over d_e, in a few smooth numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SHARES = (0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98)


def quantiles(counts: NDArray[np.float32]) -> NDArray[np.float64]:
    """Quantiles of histograms of (d_i, d_e), along each axis.

    Parameters
    ----------
    counts : ndarray of float32, (..., b, b)
        [d_i, d_e].

    Returns
    -------
    ndarray of float64, (..., 15)
        The logarithm of the sum (an area with the weighting ``area``), and the d_i and the d_e below which `SHARES` of
        it lie, as shares of the range of the bins. An empty histogram has 0.
    """
    bins = counts.shape[-1]
    values = counts.reshape(-1, bins, bins).astype(np.float64)
    total = values.sum(axis=(1, 2))
    found = np.zeros((len(values), 1 + 2 * len(SHARES)))
    for row in np.flatnonzero(total > 0):
        found[row, 0] = np.log(total[row])
        for axis in (0, 1):
            below = np.cumsum(values[row].sum(axis=1 - axis)) / total[row]
            place = np.interp(SHARES, np.concatenate([[0.0], below]), np.arange(bins + 1) / bins)
            found[row, 1 + axis * len(SHARES) :][: len(SHARES)] = place
    return found.reshape(*counts.shape[:-2], -1)
