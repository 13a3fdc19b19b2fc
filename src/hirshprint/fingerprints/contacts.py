"""Contacts of a site: the patches of its surface by the atom that they face, as numbers.

A patch is what of the surface is nearer to one atom outside than to all others. Patches that face atoms of the same
distinct site at the same distance are one contact. So a contact needs no cut-off radius: an atom that has no part of
the surface is not met, however near it is, and the area of a patch says how much an atom counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hirshprint.config.model import Bins
from hirshprint.surfaces.patches import nearest_rows
from hirshprint.surfaces.spreading import spread_area
from hirshprint.surfaces.surface import Surface, mesh_about_centre

SAME_ANGSTROM = 1e-3
"""Atoms of one site whose distances differ by no more are one contact."""

APART_ANGSTROM = 0.05
"""Images of nuclei that are nearer are one."""

LEAST_SHARE = 1e-6
"""Share of the area of a site below which an atom is only nearly met."""

BINS = Bins(count=8, low_angstrom=0.6, high_angstrom=3.0)
"""Of `Contacts.histograms`."""

BEND_ANGSTROM = 1e-2
"""See `spreading.BEND`: means of distances need less than fine bins do."""


class Contacts(NamedTuple):
    """The contacts of a site, or of many sites one after the other; by site, then by distance.

    Attributes
    ----------
    sites : ndarray of int32, (k,)
        Row of the site that is met, among the distinct sites of the structure.
    atoms : ndarray of int32, (k,)
        Atoms of that site that one atom of the inner site meets so.
    distances : ndarray of float32, (k,), Å
        Between the nuclei.
    areas : ndarray of float32, (k,), Å²
        Of all patches together, around one atom of the inner site.
    means : ndarray of float32, (k, 2), Å
        Means of d_i and d_e over the area.
    deviations : ndarray of float32, (k, 2), Å
        Their standard deviations.
    least : ndarray of float32, (k,), Å
        Least d_i + d_e at a vertex of the patches; infinite where they have none.
    histograms : ndarray of float16, (k, 8, 8)
        Shares of the contact's area by d_i and d_e, in `BINS`; what lies beyond them is left out.
    """

    sites: NDArray[np.int32]
    atoms: NDArray[np.int32]
    distances: NDArray[np.float32]
    areas: NDArray[np.float32]
    means: NDArray[np.float32]
    deviations: NDArray[np.float32]
    least: NDArray[np.float32]
    histograms: NDArray[np.float16]


CONTACT_NAMES = {
    "sites": "contact_site",
    "atoms": "contact_atoms",
    "distances": "contact_distance_angstrom",
    "areas": "contact_area_angstrom2",
    "means": "contact_mean_angstrom",
    "deviations": "contact_deviation_angstrom",
    "least": "contact_least_sum_angstrom",
    "histograms": "contact_histogram",
}
"""Names of these arrays in a file of fingerprints, where `contact_offsets` says which rows are of which site."""


def join_contacts(parts: Sequence[Contacts]) -> Contacts:
    """Put the contacts of sites one after the other.

    Parameters
    ----------
    parts : sequence of Contacts
        Those of each site.
    """
    none, numbers = np.empty(0, np.float32), np.empty(0, np.int32)
    pairs, histograms = np.empty((0, 2), np.float32), np.empty((0, BINS.count, BINS.count), np.float16)
    empty = Contacts(numbers, numbers, none, none, pairs, pairs, none, histograms)
    return Contacts(*(np.concatenate(columns) for columns in zip(empty, *parts, strict=True)))


def site_contacts(surface: Surface) -> Contacts:
    """Divide the surface of a site by the atoms that it faces.

    Parameters
    ----------
    surface : Surface
        Of any engine.
    """
    mesh = mesh_about_centre(surface)
    outside = mesh[3]
    histograms = np.zeros((len(outside), BINS.count, BINS.count))
    width = (BINS.high_angstrom - BINS.low_angstrom) / BINS.count
    sums = spread_area(*mesh, np.arange(len(outside)), histograms, BINS.low_angstrom, width, BEND_ANGSTROM)
    least = np.full(len(outside), np.inf)
    np.minimum.at(least, nearest_rows(mesh[0], outside), surface.d_i + surface.d_e)
    distances = np.sqrt((outside**2).sum(axis=1))
    met = np.flatnonzero(sums[:, 0] > LEAST_SHARE * sums[:, 0].sum())
    order = met[np.lexsort((distances[met], surface.outside_sites[met]))]
    sites, apart = surface.outside_sites[order], distances[order]
    begins = np.flatnonzero(np.concatenate([[True], (np.diff(sites) != 0) | (np.diff(apart) > SAME_ANGSTROM)]))
    joined = np.add.reduceat(sums[order], begins)
    areas = joined[:, 0]
    means, squares = joined[:, 1::2] / areas[:, None], joined[:, 2::2] / areas[:, None]
    return Contacts(
        sites=sites[begins].astype(np.int32),
        atoms=_images(outside[order], surface.operations, begins),
        distances=(np.add.reduceat(apart, begins) / np.diff([*begins, len(order)])).astype(np.float32),
        areas=(areas * (surface.area / areas.sum())).astype(np.float32),
        means=(BINS.low_angstrom + width * means).astype(np.float32),
        deviations=(width * np.sqrt(np.maximum(squares - means**2, 0.0))).astype(np.float32),
        least=np.minimum.reduceat(least[order], begins).astype(np.float32),
        histograms=(np.add.reduceat(histograms[order], begins) / areas[:, None, None]).astype(np.float16),
    )


def _images(
    places: NDArray[np.float64], operations: NDArray[np.float64], begins: NDArray[np.int64]
) -> NDArray[np.int32]:
    """Number of atoms of each contact: all images of its nuclei (b, 3) about the centre, each counted once."""
    if len(operations) == 1:
        return np.diff([*begins, len(places)]).astype(np.int32)
    turned = np.einsum("kij,nj->kni", operations, places)
    meets = ((turned[:, :, None] - places) ** 2).sum(axis=3) < APART_ANGSTROM**2  # operation, nucleus, image of which
    images = len(operations) / np.einsum("knn->n", meets.astype(np.int64))
    listed = meets.any(axis=0).sum(axis=1)  # of the images of a nucleus
    return np.rint(np.add.reduceat(images / listed, begins)).astype(np.int32)
