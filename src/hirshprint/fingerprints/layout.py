"""What the numbers of a fingerprint are: its channels, the edges of its bins and the unit of its counts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hirshprint.config.model import Bins

ROWS_AT_ONCE = 64
"""Structures that share a chunk of a file of fingerprints."""

COUNTS_UNIT = {
    ("area", "none"): "Å² per cell",
    ("area", "formula_unit"): "Å² per formula unit",
    ("paper", "none"): "points per cell",
    ("paper", "formula_unit"): "points per formula unit",
    ("area", "sum"): "share of the area of all atoms",
    ("paper", "sum"): "share of the points of all atoms",
}


def channel_names(kinds: Sequence[str], site_labels: Sequence[str] = ()) -> tuple[str, ...]:
    """Name the channels of these kinds (``total``, ``site``, ``inside``) in the order of the file.

    `site_labels` are those of the prototype; without them ``site`` gives no channel.
    """
    named = {"total": ("total",), "site": tuple(site_labels), "inside": ("anion", "cation")}
    return tuple(name for kind in ("total", "site", "inside") if kind in kinds for name in named[kind])


def bin_edges(bins: Bins) -> NDArray[np.float64]:
    """Edges (n_bins + 1,) of the bins of d_i and of d_e, Å, from the configuration's count and range."""
    return np.linspace(bins.low_angstrom, bins.high_angstrom, bins.count + 1)
