"""Fingerprints at half resolution: what convolutions learn best from, and a quarter of the memory."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

SMOOTHING_BINS = 1.0  # standard deviation of the Gaussian


def half_resolution(counts: NDArray[Any]) -> NDArray[np.float32]:
    """Smooth fingerprints by a Gaussian of one bin, then add up 2 × 2 bins.

    What is smoothed out of the square of bins is lost, as if all bins outside were empty.

    Parameters
    ----------
    counts : ndarray, (..., b, b)
        Fingerprints; the last row and column of an odd number of bins stand alone.

    Returns
    -------
    ndarray of float32, (..., h, h)
        h is half of b, rounded up.
    """
    halving = _halving(counts.shape[-1])
    halved: NDArray[np.float32] = (halving @ counts.astype(np.float32)) @ halving.T
    return halved


@cache
def _halving(bins: int) -> NDArray[np.float32]:
    """Matrix (h, b) that smooths and halves one axis."""
    distance = np.arange(bins)[:, None] - np.arange(bins)
    smooth = np.exp(-0.5 * (distance / SMOOTHING_BINS) ** 2)
    smooth /= np.exp(-0.5 * (np.arange(-bins, bins + 1) / SMOOTHING_BINS) ** 2).sum()
    return np.add.reduceat(smooth, np.arange(0, bins, 2), axis=0).astype(np.float32)
