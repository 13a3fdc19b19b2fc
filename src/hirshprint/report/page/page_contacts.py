"""Contacts of the compounds of the page, in the form that its script reads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hirshprint.datasets.contacts import read_contacts, taken
from hirshprint.files.reading import open_hdf5

MOST_CONTACTS = 60
"""Of a structure that the page lists: the largest by their share of the surfaces of all its atoms."""

SHARE_STEPS = 65_535  # of a contact's share of the surface of its site, between 0 and 1
MILLI = 1000  # steps of a distance in 1 Å
CENTI = 100  # steps of an area in 1 Å²


def page_contacts(
    fingerprints_h5: str | Path, structure_ids: Sequence[str], most: int = MOST_CONTACTS
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Describe the sites and contacts of some structures for the page.

    Parameters
    ----------
    fingerprints_h5 : str or Path
        File with the fingerprints and contacts of all structures.
    structure_ids : sequence of str
        Structures of the page, in its order.
    most : int, default MOST_CONTACTS
        Most contacts to hold of a structure.

    Returns
    -------
    tuple (dict, dict of str to ndarray)
        JSON-serialisable: `site_labels`, each different label once. Arrays: `sites` (distinct sites of each
        structure), then for each site, one structure after the other, `site_label` (row of `site_labels`),
        `site_number`, `site_multiplicity`, `site_area` (0.01 Å²) and `site_contacts` (those that are held); then for
        each contact, largest of a site first, `contact_site` (site that is met, counted within the structure),
        `contact_atoms`, `contact_distance` (0.001 Å) and `contact_share` (of the site's area, 65,535 for all).
    """
    read = read_contacts(fingerprints_h5, structure_ids)
    labels = _labels(fingerprints_h5, structure_ids)
    different, of_site = np.unique(labels, return_inverse=True)
    contacts, sizes = read.contacts, np.diff(read.contact_offsets)
    site = np.repeat(np.arange(len(sizes)), sizes)
    structure = np.repeat(np.arange(len(structure_ids)), np.diff(read.site_offsets))[site]
    share = contacts.areas / read.areas[site]
    weight = contacts.areas * read.multiplicities[site]
    by_weight = np.lexsort((-weight, structure))
    place = np.arange(len(site)) - np.searchsorted(structure[by_weight], structure[by_weight])  # within its structure
    kept = by_weight[place < most]
    kept = kept[np.lexsort((contacts.sites[kept], contacts.distances[kept], -share[kept].round(4), site[kept]))]
    return {"site_labels": different.tolist()}, {
        "sites": np.diff(read.site_offsets).astype(np.uint16),
        "site_label": of_site.astype(np.uint16),
        "site_number": read.numbers.astype(np.uint8),
        "site_multiplicity": read.multiplicities.astype(np.uint16),
        "site_area": _steps(read.areas * CENTI),
        "site_contacts": np.bincount(site[kept], minlength=len(sizes)).astype(np.uint16),
        "contact_site": contacts.sites[kept].astype(np.uint16),
        "contact_atoms": contacts.atoms[kept].astype(np.uint16),
        "contact_distance": _steps(contacts.distances[kept] * MILLI),
        "contact_share": _steps(share[kept] * SHARE_STEPS),
    }


def _steps(values: NDArray[Any]) -> NDArray[np.uint16]:
    return np.clip(np.round(values), 0, SHARE_STEPS).astype(np.uint16)


def _labels(fingerprints_h5: str | Path, structure_ids: Sequence[str]) -> NDArray[Any]:
    """Names of the distinct sites of some structures, one after the other."""
    with open_hdf5(fingerprints_h5, ("ids", "site_offsets", "site_labels")) as file:
        row_of = {text.decode(): row for row, text in enumerate(file["ids"][:])}
        rows = np.array([row_of[name] for name in structure_ids], dtype=np.int64)
        names: NDArray[Any] = file["site_labels"].asstr()[:][taken(file["site_offsets"][:], rows)[1]]
    return names.astype(str)
