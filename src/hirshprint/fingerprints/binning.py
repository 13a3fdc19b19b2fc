"""Fingerprints: two-dimensional histograms of (d_i, d_e) over the Hirshfeld surfaces of a crystal's atoms.

After Spackman and McKinnon 2002 (doi 10.1039/B203191B), per atom as in Williams, Mukherjee and Rajan 2020
(doi 10.1021/acs.jpclett.0c02201). Between the vertices the surface is curved (see `hirshfeld.patches`); d_i and d_e
are the distances from its points to the nuclei.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hirshprint.config.model import Bins, Fingerprint
from hirshprint.fingerprints.layout import KINDS, bin_edges, channel_names
from hirshprint.hirshfeld.patches import lattice_points, nearest_distances
from hirshprint.hirshfeld.spreading import BEND, spread_area
from hirshprint.hirshfeld.surface import Surface, mesh_about_centre

PAPER_POINTS = 10
"""Points along a triangle's edge in the weighting ``paper``: 55 in a triangle."""


def fingerprint_of(
    surfaces: Sequence[Surface], settings: Fingerprint, site_labels: Sequence[str] = ()
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Bin the surfaces of one structure.

    A distinct site counts with its multiplicity, a wedge with its operations. With ``normalise: sum``
    all channels are divided by the sum over all atoms, in and out of range, so that they still add up.

    Parameters
    ----------
    surfaces : sequence of Surface
        One for each distinct site of the structure.
    settings : Fingerprint
        Weighting, channels, normalisation and bins.
    site_labels : sequence of str, optional
        See `channel_names`.

    Returns
    -------
    counts : ndarray of float32, (n_channels, n_bins, n_bins)
        [channel, d_i, d_e], in the unit of `layout.COUNTS_UNIT`.
    in_range_fraction : ndarray, (n_channels,)
        Share of a channel that falls into the bins; 1 for an empty channel.
    """
    channels = channel_names(settings.channels, site_labels)
    bins = settings.bins
    counts = np.zeros((len(channels), bins.count, bins.count))
    sums = np.zeros(len(channels))
    everything = 0.0
    for surface in surfaces:
        histogram, whole = _histogram(surface, settings.weighting, bins)
        factor = surface.multiplicity * len(surface.operations)
        everything += factor * whole
        belongs = {kind.of(surface) for kind in KINDS.values()}
        for k, channel in enumerate(channels):
            if channel in belongs:
                counts[k] += factor * histogram
                sums[k] += factor * whole
    inside = counts.sum(axis=(1, 2))
    fraction = np.divide(inside, sums, out=np.ones_like(sums), where=sums > 0)
    divisor = {"none": 1.0, "formula_unit": float(surfaces[0].formula_units), "sum": everything}
    return (counts / divisor[settings.normalise]).astype(np.float32), np.minimum(fraction, 1.0)


def _histogram(surface: Surface, weighting: str, bins: Bins) -> tuple[NDArray[np.float64], float]:
    """Histogram of the stored mesh, and its sum with what falls outside the bins."""
    if weighting == "area":
        counts, sums = area_histograms(surface, np.zeros(len(surface.outside_nuclei), dtype=np.int64), bins)
        return counts[0], float(sums[0])
    vertices, normals, inside, outside, triangles = mesh_about_centre(surface)
    points = lattice_points(vertices, normals, triangles, PAPER_POINTS)
    d_i, d_e = nearest_distances(points, inside), nearest_distances(points, outside)
    edges = bin_edges(bins)
    return np.histogram2d(d_i, d_e, [edges, edges])[0], float(len(d_i))


def area_histograms(
    surface: Surface, group: NDArray[np.int64], bins: Bins
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Histograms of the stored mesh by area, one for each group of nuclei outside.

    Parameters
    ----------
    surface : Surface
        A stored mesh; its operations are not counted.
    group : ndarray of int64, (b,)
        Group of each of the surface's `outside_nuclei`, from 0.
    bins : Bins
        Those of d_i and of d_e.

    Returns
    -------
    counts : ndarray, (n_groups, n_bins, n_bins), Å²
        [group, d_i, d_e].
    areas : ndarray, (n_groups,), Å²
        The area of each group, in and out of range.
    """
    counts = np.zeros((int(group.max()) + 1, bins.count, bins.count))
    width = (bins.high_angstrom - bins.low_angstrom) / bins.count
    sums = spread_area(*mesh_about_centre(surface), group, counts, bins.low_angstrom, width, BEND)[:, 0]
    scale = surface.area / len(surface.operations) / sums.sum()  # flat parts of curved triangles are a little small
    return counts * scale, sums * scale
