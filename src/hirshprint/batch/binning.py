"""Fingerprints and contacts of a batch, made beside its surfaces: only bins that something falls into are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hirshprint.batch.file import Pack
from hirshprint.config.model import Fingerprint
from hirshprint.files.writing import digest
from hirshprint.fingerprints.binning import fingerprint_of
from hirshprint.fingerprints.contact_layout import Contacts, join_contacts
from hirshprint.fingerprints.contacts import site_contacts
from hirshprint.fingerprints.layout import channel_names
from hirshprint.hirshfeld.surface import Surface, pack_surfaces, unpack_surfaces
from hirshprint.versions import CONTACT_FORMAT, FINGERPRINT_FORMAT


@dataclass(frozen=True)
class Binning:
    """How fingerprints are made: `fingerprint` of the configuration, and the names of a prototype's sites."""

    settings: Fingerprint
    site_labels: Sequence[str] = ()

    @cached_property
    def digest(self) -> str:
        """Digest of all that determines a fingerprint beside the surfaces."""
        return digest(self.settings.written(), list(self.site_labels), FINGERPRINT_FORMAT, CONTACT_FORMAT)


def pack_batch(by_id: Mapping[str, Sequence[Surface]], keys: Mapping[str, str], binning: Binning) -> Pack:
    """Pack surfaces with the keys that name what they were made of, and with their fingerprints."""
    of_ids = np.array([keys[name] for name in by_id], dtype="S64")
    return binned(pack_surfaces(by_id) | {"keys": of_ids}, binning)


def binned(pack: Pack, binning: Binning) -> Pack:
    """Give a pack the fingerprints and contacts of its structures; a surface counts as packed, in single precision.

    Parameters
    ----------
    pack : dict of str to ndarray
        Arrays of a batch file, with its surfaces.
    binning : Binning
        How to bin.
    """
    channels = len(channel_names(binning.settings.channels, binning.site_labels))
    bins, counts, fractions = [np.empty(0, np.int32)], [np.empty(0, np.float32)], []
    contacts: list[Contacts] = []
    for surfaces in unpack_surfaces(pack).values():
        fingerprint, fraction = fingerprint_of(surfaces, binning.settings, binning.site_labels)
        filled = np.flatnonzero(fingerprint)
        bins.append(filled.astype(np.int32))
        counts.append(fingerprint.reshape(-1)[filled])
        fractions.append(fraction)
        contacts += [site_contacts(surface) for surface in surfaces]
    of_contacts = join_contacts(contacts)._asdict()
    return pack | {
        **{f"contact_{name}": array for name, array in of_contacts.items()},
        "contact_offsets": np.cumsum([0, *(len(one.sites) for one in contacts)]),
        "bin_offsets": np.cumsum([len(part) for part in bins]),
        "bin": np.concatenate(bins),
        "count": np.concatenate(counts),
        "in_range_fraction": np.array(fractions).reshape(-1, channels),
        "binning": np.array(binning.digest),
    }
