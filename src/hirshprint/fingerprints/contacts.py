"""Contacts of a site: the patches of its surface by the atom that they face, as numbers.

A patch is what of the surface is nearer to one atom outside than to all others. Patches that face atoms of the same
distinct site at the same distance are one contact. So a contact needs no cut-off radius: an atom that has no part of
the surface is not met, however near it is, and the area of a patch says how much an atom counts.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hirshprint.fingerprints.contact_layout import BINS, Contacts, contact_begins
from hirshprint.hirshfeld.patches import nearest_rows
from hirshprint.hirshfeld.spreading import spread_area
from hirshprint.hirshfeld.surface import Surface, mesh_about_centre

APART_ANGSTROM = 0.05
"""Images of nuclei that are nearer are one."""

LEAST_SHARE = 1e-6
"""Share of the area of a site below which an atom is only nearly met."""

BEND_ANGSTROM = 1e-2
"""See `spreading.BEND`: means of distances need less than fine bins do."""


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
    begins = contact_begins(sites, apart)
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
