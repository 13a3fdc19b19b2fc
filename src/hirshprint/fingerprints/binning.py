"""Fingerprints: two-dimensional histograms of (d_i, d_e) over the Hirshfeld surfaces of a crystal's atoms.

After Spackman and McKinnon 2002 (doi 10.1039/B203191B), per atom as in Williams, Mukherjee and Rajan 2020
(doi 10.1021/acs.jpclett.0c02201). Between the vertices the surface is curved (see `surfaces.patches`); d_i and d_e
are the distances from its points to the nuclei.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hirshprint.surfaces.patches import lattice_points, nearest_distances
from hirshprint.surfaces.spreading import spread_area
from hirshprint.surfaces.surface import Surface, mesh_about_centre

PAPER_POINTS = 10
"""Points along a triangle's edge in the weighting ``paper``: 55 in a triangle."""

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


def fingerprint_of(
    surfaces: Sequence[Surface], settings: Mapping[str, Any], site_labels: Sequence[str] = ()
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Bin the surfaces of one structure.

    A distinct site counts with its multiplicity, a wedge with its operations. With ``normalise: sum``
    all channels are divided by the sum over all atoms, in and out of range, so that they still add up.

    Parameters
    ----------
    surfaces : one per distinct site of the structure.
    settings : weighting, channels, normalise and bins (count, low_angstrom, high_angstrom) of the
    configuration.
    site_labels : see `channel_names`.

    Returns
    -------
    counts : (n_channels, n_bins, n_bins) float32, [channel, d_i, d_e], in the unit of `COUNTS_UNIT`.
    in_range_fraction : (n_channels,), share of a channel that falls into the bins; 1 for an empty channel.
    """
    channels = channel_names(settings["channels"], site_labels)
    bins = settings["bins"]
    counts = np.zeros((len(channels), bins["count"], bins["count"]))
    sums = np.zeros(len(channels))
    everything = 0.0
    for surface in surfaces:
        histogram, whole = _histogram(surface, settings["weighting"], bins)
        factor = surface.multiplicity * len(surface.operations)
        everything += factor * whole
        belongs = ("total", surface.site_label, "anion" if surface.is_anion else "cation")
        for k, channel in enumerate(channels):
            if channel in belongs:
                counts[k] += factor * histogram
                sums[k] += factor * whole
    inside = counts.sum(axis=(1, 2))
    fraction = np.divide(inside, sums, out=np.ones_like(sums), where=sums > 0)
    divisor = {"none": 1.0, "formula_unit": float(surfaces[0].formula_units), "sum": everything}
    return (counts / divisor[settings["normalise"]]).astype(np.float32), np.minimum(fraction, 1.0)


def bin_edges(bins: Mapping[str, Any]) -> NDArray[np.float64]:
    """Edges (n_bins + 1,) of the bins of d_i and of d_e, Å, from the configuration's count and range."""
    return np.linspace(bins["low_angstrom"], bins["high_angstrom"], bins["count"] + 1)


def _histogram(surface: Surface, weighting: str, bins: Mapping[str, Any]) -> tuple[NDArray[np.float64], float]:
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
    surface: Surface, group: NDArray[np.int64], bins: Mapping[str, Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Histograms of the stored mesh by area, one for each group of nuclei outside.

    Parameters
    ----------
    group : (b,) group of each of the surface's `outside_nuclei`, from 0.

    Returns
    -------
    (n_groups, n_bins, n_bins) Å², [group, d_i, d_e], and (n_groups,) the area of each, in and out of range.
    """
    counts = np.zeros((int(group.max()) + 1, bins["count"], bins["count"]))
    width = (bins["high_angstrom"] - bins["low_angstrom"]) / bins["count"]
    sums = spread_area(*mesh_about_centre(surface), group, counts, bins["low_angstrom"], width)
    scale = surface.area / len(surface.operations) / sums.sum()  # flat parts of curved triangles are a little small
    return counts * scale, sums * scale


def moments(counts: NDArray[np.float32]) -> NDArray[np.float64]:
    """Moments of histograms of (d_i, d_e): far more exact than their bins are wide, since many bins share in each.

    Parameters
    ----------
    counts : (..., b, b), [d_i, d_e].

    Returns
    -------
    (..., 12) : the sum (an area with the weighting ``area``), the means of d_i and d_e, and their central moments
    ii, ee, iii, eee, iiii, eeee, ie, iie, iee. Distances are shares of the range of the bins; an empty histogram has 0.
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


def contact_fingerprints(
    surfaces: Sequence[Surface], settings: Mapping[str, Any]
) -> dict[tuple[int, int], tuple[NDArray[np.float64], float]]:
    """Break the area of the surfaces of a structure's atoms down by contact: species inside and nearest outside.

    Parameters
    ----------
    surfaces : one per distinct site of the structure.
    settings : of which the bins are used; area counts, whatever the weighting of the fingerprint.

    Returns
    -------
    For each pair of atomic numbers (inside, outside) that occurs, largest share first: (n_bins, n_bins) area in each
    bin, Å² per formula unit, and the pair's share of the area of all atoms, in and out of range.
    """
    found: dict[tuple[int, int], tuple[NDArray[np.float64], float]] = {}
    for surface in surfaces:
        factor = surface.multiplicity * len(surface.operations)
        species, group = np.unique(surface.outside_numbers, return_inverse=True)
        counts, areas = area_histograms(surface, group, settings["bins"])
        for outside, part, area in zip(species.tolist(), counts, areas, strict=True):
            if area > 0:  # not of an atom that is only nearly the nearest
                pair = (surface.inside_number, outside)
                before, sum_before = found.get(pair, (0.0, 0.0))
                found[pair] = (before + factor * part, sum_before + factor * float(area))
    everything = sum(area for _, area in found.values())
    ordered = sorted(found.items(), key=lambda item: (-item[1][1], item[0]))
    units = surfaces[0].formula_units
    return {pair: (counts / units, area / everything) for pair, (counts, area) in ordered}
