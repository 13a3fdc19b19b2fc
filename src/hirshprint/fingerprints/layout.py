"""What the numbers of a fingerprint are: its channels, the edges of its bins and the unit of its counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hirshprint.config.model import Bins
from hirshprint.hirshfeld.surface import Surface

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


class Kind(NamedTuple):
    """A kind of channel.

    Attributes
    ----------
    names : callable
        Gives the names of its channels, from the labels of the prototype's sites.
    of : callable
        Gives the name of the channel that a surface belongs to; empty where it belongs to none.
    """

    names: Callable[[Sequence[str]], tuple[str, ...]]
    of: Callable[[Surface], str]


KINDS = {
    "total": Kind(lambda labels: ("total",), lambda surface: "total"),
    "site": Kind(tuple, lambda surface: surface.site_label),
    "inside": Kind(lambda labels: ("anion", "cation"), lambda surface: "anion" if surface.is_anion else "cation"),
}
"""Kinds of channels by their words in the configuration, in the order of the file."""


def channel_names(kinds: Sequence[str], site_labels: Sequence[str] = ()) -> tuple[str, ...]:
    """Name the channels of some kinds, in the order of the file.

    Parameters
    ----------
    kinds : sequence of str
        Words of `KINDS`, in any order.
    site_labels : sequence of str
        Those of the prototype; without them ``site`` gives no channel.
    """
    return tuple(name for kind in KINDS if kind in kinds for name in KINDS[kind].names(site_labels))


def bin_edges(bins: Bins) -> NDArray[np.float64]:
    """Edges (n_bins + 1,) of the bins of d_i and of d_e, Å, from the configuration's count and range."""
    return np.linspace(bins.low_angstrom, bins.high_angstrom, bins.count + 1)
