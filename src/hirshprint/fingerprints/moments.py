"""Moments of a fingerprint: a few numbers that describe the histogram of (d_i, d_e)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def moments(counts: NDArray[np.float32]) -> NDArray[np.float64]:
    """Moments of histograms of (d_i, d_e): far more exact than their bins are wide, since many bins share in each.

    Parameters
    ----------
    counts : ndarray of float32, (..., b, b)
        [d_i, d_e].

    Returns
    -------
    ndarray of float64, (..., 12)
        The sum (an area with the weighting ``area``), the means of d_i and d_e, and their central moments ii, ee, iii,
        eee, iiii, eeee, ie, iie, iee. Distances are shares of the range of the bins; an empty histogram has 0.
    """
    bins = counts.shape[-1]
    place = (np.arange(bins) + 0.5) / bins
    values = counts.astype(np.float64)
    total = values.sum(axis=(-2, -1))
    shares = values / np.where(total > 0, total, 1.0)[..., None, None]
    of_i, of_e = shares.sum(axis=-1), shares.sum(axis=-2)
    mean_i, mean_e = of_i @ place, of_e @ place
    i, e = place - mean_i[..., None], place - mean_e[..., None]

    def mixed(power_i: int, power_e: int) -> NDArray[np.float64]:
        product: NDArray[np.float64] = np.einsum("...ij,...i,...j->...", shares, i**power_i, e**power_e)
        return product

    alone = [(of * d**k).sum(axis=-1) for k in (2, 3, 4) for of, d in ((of_i, i), (of_e, e))]
    found = [total, mean_i, mean_e, *alone, mixed(1, 1), mixed(2, 1), mixed(1, 2)]
    return np.stack(found, axis=-1)
