"""What the contacts of sites are as arrays, in memory and in files; `contacts` makes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hirshprint.config.model import Bins

BINS = Bins(count=8, low_angstrom=0.6, high_angstrom=3.0)
"""Of `Contacts.histograms`."""

SAME_ANGSTROM = 1e-3
"""Atoms of one site whose distances differ by no more are one contact."""


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


def contact_begins(sites: NDArray[np.integer[Any]], distances: NDArray[np.float64]) -> NDArray[np.int64]:
    """Where each contact begins among atoms that are sorted by site, then by distance.

    Parameters
    ----------
    sites : ndarray of int, (m,)
        Site of each atom.
    distances : ndarray of float64, (m,), Å
        How far away it is.
    """
    return np.flatnonzero(np.concatenate([[True], (np.diff(sites) != 0) | (np.diff(distances) > SAME_ANGSTROM)]))


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
