"""Fingerprints broken down by contact: which element is inside, and which nearest outside."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hirshprint.config.model import Bins
from hirshprint.fingerprints.binning import area_histograms
from hirshprint.hirshfeld.surface import Surface


def contact_fingerprints(
    surfaces: Sequence[Surface], bins: Bins
) -> dict[tuple[int, int], tuple[NDArray[np.float64], float]]:
    """Break the area of the surfaces of a structure's atoms down by contact: species inside and nearest outside.

    Parameters
    ----------
    surfaces : sequence of Surface
        One for each distinct site of the structure.
    bins : Bins
        Those of d_i and of d_e; area counts in them, whatever the weighting of the fingerprint.

    Returns
    -------
    dict of tuple (int, int) to tuple (ndarray of float64, float)
        For each pair of atomic numbers (inside, outside) that occurs, largest share first: the area in each bin
        (n_bins, n_bins), Å² per formula unit, and the pair's share of the area of all atoms, in and out of range.
    """
    found: dict[tuple[int, int], tuple[NDArray[np.float64], float]] = {}
    for surface in surfaces:
        factor = surface.multiplicity * len(surface.operations)
        species, group = np.unique(surface.outside_numbers, return_inverse=True)
        counts, areas = area_histograms(surface, group, bins)
        for outside, part, area in zip(species.tolist(), counts, areas, strict=True):
            if area > 0:  # not of an atom that is only nearly the nearest
                pair = (surface.inside_number, outside)
                before, sum_before = found.get(pair, (0.0, 0.0))
                found[pair] = (before + factor * part, sum_before + factor * float(area))
    everything = sum(area for _, area in found.values())
    ordered = sorted(found.items(), key=lambda item: (-item[1][1], item[0]))
    units = surfaces[0].formula_units
    return {pair: (counts / units, area / everything) for pair, (counts, area) in ordered}
