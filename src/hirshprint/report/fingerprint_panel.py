"""One fingerprint as a picture: d_i to the right, d_e upwards, empty bins white; the same in all figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize, PowerNorm
from numpy.typing import NDArray

D_I, D_E = "dᵢ (Å)", "dₑ (Å)"
"""Labels of the two axes."""


def draw_fingerprint(
    axes: Axes, counts: NDArray[Any], edges: NDArray[np.float64], limits: tuple[float, float], norm: Normalize
) -> Any:
    """Draw one fingerprint; empty bins stay as they are.

    Parameters
    ----------
    axes : Axes
        Where to draw.
    counts : ndarray, (n_bins, n_bins)
        The fingerprint, [d_i bin, d_e bin].
    edges : ndarray, (n_bins + 1,), Å
        Bin edges of d_i and of d_e.
    limits : tuple of float, Å
        Both axes run from the first to the second.
    norm : Normalize
        From counts to colours.

    Returns
    -------
    QuadMesh
        What a colour bar needs.
    """
    style: dict[str, Any] = {"norm": norm, "cmap": "viridis_r", "rasterized": True}
    mesh = axes.pcolormesh(edges, edges, np.ma.masked_equal(counts.T, 0), **style)
    frame_fingerprint(axes, limits)
    return mesh


def draw_small_fingerprint(axes: Axes, counts: NDArray[Any], edges: NDArray[np.float64]) -> Any:
    """Draw a fingerprint (n_bins, n_bins) beside other pictures: its own limits and colours, few ticks; edges in Å.

    Parameters
    ----------
    axes : Axes
        Where to draw.
    counts : ndarray, (n_bins, n_bins)
        [d_i, d_e].
    edges : ndarray of float64, (n_bins + 1,), Å
        Edges of the bins.
    """
    mesh = draw_fingerprint(axes, counts, edges, common_limits([counts], edges), root_norm(counts))
    axes.locator_params(nbins=4)
    axes.set_xlabel(D_I, labelpad=1)
    axes.set_ylabel(D_E, labelpad=2)
    return mesh


def frame_fingerprint(axes: Axes, limits: tuple[float, float]) -> None:
    """Give a fingerprint its limits (Å), its diagonal and its frame."""
    axes.plot(limits, limits, color="#999999", linewidth=0.5, zorder=0)
    axes.set(xlim=limits, ylim=limits, aspect="equal")
    axes.locator_params(nbins=6)
    axes.spines[["top", "right"]].set_visible(True)


def common_limits(counts: Sequence[NDArray[Any]], edges: NDArray[np.float64]) -> tuple[float, float]:
    """Limits in Å, the same for both axes and all fingerprints, that hold every filled bin and one more on each side.

    Parameters
    ----------
    counts : sequence of ndarray, (n_bins, n_bins)
        Fingerprints [d_i bin, d_e bin]; of either sign.
    edges : ndarray, (n_bins + 1,), Å
        Bin edges of d_i and of d_e.

    Returns
    -------
    tuple of float, Å
        The first and the last edge where all bins are empty.
    """
    filled = np.flatnonzero(sum((of_one != 0).any(axis=0) | (of_one != 0).any(axis=1) for of_one in counts))
    first, last = (filled[0], filled[-1] + 1) if len(filled) else (0, len(edges) - 1)
    return float(edges[max(first - 1, 0)]), float(edges[min(last + 1, len(edges) - 1)])


def root_norm(*counts: NDArray[Any]) -> PowerNorm:
    """Colours by the square root of the counts, from zero to the largest bin of these fingerprints.

    Parameters
    ----------
    *counts : ndarray, (n_bins, n_bins)
        Fingerprints [d_i, d_e].
    """
    return PowerNorm(0.5, vmin=0, vmax=max(float(of_one.max()) for of_one in counts) or 1.0)
