"""The contacts of the sites of many structures, read from a file of fingerprints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hirshprint.files.reading import open_hdf5
from hirshprint.fingerprints.contact_layout import CONTACT_NAMES, Contacts


@dataclass(frozen=True, eq=False)
class SiteContacts:
    """Distinct sites of n structures and their contacts, one after the other.

    Attributes
    ----------
    site_offsets : ndarray of int64, (n + 1,)
        Where the sites of each structure begin.
    numbers : ndarray of int64, (s,)
        Atomic numbers.
    multiplicities : ndarray of int64, (s,)
        Atoms of the cell that each site stands for.
    areas, volumes : ndarray of float64, (s,), Å², Å³
        Of the surface of one atom.
    open_fractions : ndarray of float64, (s,)
        Share of the surface that meets no other atom.
    contact_offsets : ndarray of int64, (s + 1,)
        Where the contacts of each site begin.
    contacts : Contacts
        Without histograms.
    """

    site_offsets: NDArray[np.int64]
    numbers: NDArray[np.int64]
    multiplicities: NDArray[np.int64]
    areas: NDArray[np.float64]
    volumes: NDArray[np.float64]
    open_fractions: NDArray[np.float64]
    contact_offsets: NDArray[np.int64]
    contacts: Contacts


def read_contacts(fingerprints_h5: str | Path, structure_ids: Sequence[str]) -> SiteContacts:
    """Read the contacts of some structures, in the order of `structure_ids`."""
    with open_hdf5(fingerprints_h5, ("ids", "site_offsets", "contact_offsets")) as file:
        row_of = {text.decode(): row for row, text in enumerate(file["ids"][:])}
        rows = np.array([row_of[name] for name in structure_ids], dtype=np.int64)
        site_offsets, sites = taken(file["site_offsets"][:], rows)
        contact_offsets, contacts = taken(file["contact_offsets"][:], sites)
        read = {name: file[of_file][:][contacts] for name, of_file in CONTACT_NAMES.items() if name != "histograms"}
        return SiteContacts(
            site_offsets=site_offsets,
            numbers=file["site_number"][:][sites],
            multiplicities=file["site_multiplicity"][:][sites],
            areas=file["site_area_angstrom2"][:][sites],
            volumes=file["site_volume_angstrom3"][:][sites],
            open_fractions=file["site_open_fraction"][:][sites],
            contact_offsets=contact_offsets,
            contacts=Contacts(**read, histograms=np.empty((0, 0, 0), np.float16)),
        )


def taken(offsets: NDArray[np.int64], rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Offsets of some rows put one after the other, and which entries these are.

    Parameters
    ----------
    offsets : ndarray of int64, (n + 1,)
        Where the entries of each row begin.
    rows : ndarray of int64, (m,)
        The rows to take, in their order.

    Returns
    -------
    begins : ndarray of int64, (m + 1,)
        Where the entries of each taken row begin.
    entries : ndarray of int64, (begins[-1],)
        Their places among all entries.
    """
    lengths = offsets[rows + 1] - offsets[rows]
    begins = np.concatenate([[0], np.cumsum(lengths)])
    return begins, np.arange(begins[-1]) + np.repeat(offsets[rows] - begins[:-1], lengths)
