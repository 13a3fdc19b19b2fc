"""Which contacts a prediction of the network `contacts` comes from: integrated gradients along their messages.

The messages of all contacts are scaled by one factor from 0, a network that hears of no neighbour, to 1. The gradient
with respect to each message's weight, integrated along this path and times the weight, is what the contact adds
(Sundararajan, Taly and Yan, Proc. 34th Int. Conf. on Machine Learning, 3319, 2017); for graphs, integrated gradients
are among the most faithful attributions (Sanchez-Lengeling et al., Adv. Neural Inf. Process. Syst. 33, 5898, 2020).
They add up to the prediction less the prediction without contacts, which still knows the elements and the sites.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hirshprint.datasets.contacts import SiteContacts
from hirshprint.datasets.gather import Dataset
from hirshprint.datasets.target_scale import Target
from hirshprint.files.reading import read_json
from hirshprint.fingerprints.contact_layout import Contacts
from hirshprint.networks import contacts as network_of_contacts
from hirshprint.networks.backend import load_network, tf
from hirshprint.networks.cards import CARD_KEYS
from hirshprint.networks.explaining import (
    AT_ONCE,
    Array,
    Attribution,
    along_path,
    explained_rows,
    in_unit,
    say_missed,
    unit_name,
)
from hirshprint.networks.interface import Batch
from hirshprint.networks.registry import CONTACTS
from hirshprint.structures.structure import Structure
from hirshprint.structures.symbols import SYMBOLS

MOST = 4096
"""Points on a path; a graph has kinks, where the largest atom of a feature changes, but no more than these resolve."""

WEIGHTS = "weights"  # name of the network's input that every message is multiplied with


class ContactExplanation(NamedTuple):
    """What the contacts of one structure add to its prediction.

    Attributes
    ----------
    structure_id, compound : str
        Name of the structure, and its compound.
    true, predicted : float
        Measured property, and the mean of what networks say that were not trained on the compound.
    without : float
        The mean of what they say without contacts.
    networks : int
        How many there are.
    missed : float
        predicted - without, less the sum of the contributions; 0 where the integration ended within its tolerance.
    contributions : ndarray of float64, (k,)
        What each contact adds, those of all atoms of the site together, in the property's unit; mean over the networks.
    deviations : ndarray of float64, (k,)
        Their standard deviations over the networks; NaN where there is only one.
    sites : ndarray of int64, (k,)
        Row of the site whose contact it is.
    multiplicities : ndarray of int64, (s,)
        Atoms of the cell that each site stands for.
    site_areas : ndarray of float64, (s,), Å²
        Of the surface of one atom.
    contacts : Contacts
        The contacts.
    """

    structure_id: str
    compound: str
    true: float
    predicted: float
    without: float
    networks: int
    missed: float
    contributions: Array
    deviations: Array
    sites: NDArray[np.int64]
    multiplicities: NDArray[np.int64]
    site_areas: Array
    contacts: Contacts


def contact_gradients(network: Any, batch: Batch, most: int = MOST) -> tuple[Array, Attribution]:
    """Give a network's output without contacts and with them, (2,), and what each contact adds to it.

    Parameters
    ----------
    network : object
        Like `contacts.build_contacts`: an input `weights` multiplies the messages.
    batch : tuple of ndarray
        Inputs of `AT_ONCE` copies of one structure.
    most : int, optional
        Largest number of points on the path.
    """
    place = [entry.name for entry in network.inputs].index(WEIGHTS)
    weights, rest = batch[place].reshape(AT_ONCE, -1), [tf.constant(part) for part in batch]

    def at(shares: Array) -> tuple[Any, Any]:
        scaled = tf.constant((shares[:, None] * weights).astype(np.float32).ravel())
        with tf.GradientTape() as tape:
            tape.watch(scaled)
            output = network([*rest[:place], scaled, *rest[place + 1 :]], training=False)[:, 0]
        return output.numpy().astype(np.float64), tape.gradient(output, scaled)

    def gradients(shares: Array) -> Array:
        total: Array = at(shares)[1].numpy().astype(np.float64).reshape(AT_ONCE, -1).sum(axis=0)
        return total

    ends = at(np.arange(AT_ONCE) / (AT_ONCE - 1.0))[0][[0, -1]]
    return ends, along_path(gradients, weights[0].astype(np.float64), float(ends[1] - ends[0]), most)


def explain_contacts(
    dataset: Dataset,
    structures: Sequence[Structure],
    predictions: pd.DataFrame,
    models: Path,
    compounds: Sequence[str] = (),
) -> list[ContactExplanation]:
    """Explain predictions of the network of contacts, each by the networks that never saw the compound.

    Parameters
    ----------
    dataset : Dataset
        The dataset, with the contacts of its sites.
    structures : sequence of Structure
        Every structure of the dataset, in any order.
    predictions : DataFrame
        What the network predicts for the dataset (`predictions.COLUMNS`).
    models : Path
        Folder of its weights and cards.
    compounds : sequence of str, optional
        See `explaining.explained_rows`.
    """
    found = []
    for cases in explained_rows(dataset, predictions, CONTACTS, compounds):
        name = str(cases["structure_id"].iloc[0])
        row = int(np.flatnonzero(dataset.structure_ids == name)[0])
        parts = []
        for _, case in cases.iterrows():
            path = models / unit_name(case)
            card = read_json(path.with_name(f"{path.name}.json"), CARD_KEYS, unit=models)
            applied = network_of_contacts.apply(card["inputs"], models, dataset, structures)
            batch = applied.inputs(np.full(AT_ONCE, np.flatnonzero(applied.rows == row)[0]))
            ends, attribution = contact_gradients(load_network(path.with_name(f"{path.name}.keras")), batch)
            atoms = Target.of_card(card).atoms_of(structures, [name, name])
            parts.append(in_unit(card, ends, attribution, atoms))
        without, missed = (float(np.mean([getattr(one, name) for one in parts])) for name in ("reference", "missed"))
        if missed:
            say_missed(name, missed, dataset.unit)
        every = np.array([one.contributions for one in parts])
        spread = every.std(axis=0, ddof=1) if len(every) > 1 else np.full(every.shape[1], np.nan)
        first, predicted = cases.iloc[0], float(cases["predicted"].mean())
        told = (name, str(first["compound"]), float(first["true"]), predicted, without, len(parts), missed)
        assert dataset.contacts is not None, "they are read for this network"
        found.append(ContactExplanation(*told, every.mean(axis=0), spread, *_of_structure(dataset.contacts, row)))
    return found


def _of_structure(sites: SiteContacts, row: int) -> tuple[NDArray[np.int64], NDArray[np.int64], Array, Contacts]:
    """Site of each contact of a structure; multiplicity and area of each site; the contacts."""
    own = slice(*sites.site_offsets[row : row + 2])
    offsets = sites.contact_offsets[own.start : own.stop + 1]
    whose = np.repeat(np.arange(own.stop - own.start), np.diff(offsets))
    columns = {name: column[offsets[0] : offsets[-1]] for name, column in sites.contacts._asdict().items()}
    taken = Contacts(**columns)
    return whose, sites.multiplicities[own], sites.areas[own], taken


def contributions_per_area(one: ContactExplanation) -> Array:
    """What a contact adds per area of its patches, (k,), in the property's unit per Å².

    It is that of one atom's surface, in the mean over the atoms of the cell: the same for a cell and for a supercell.
    """
    shares = one.multiplicities / one.multiplicities.sum()
    found: Array = one.contributions / (shares[one.sites] * one.contacts.areas)
    return found


def contact_table(
    explanations: Sequence[ContactExplanation], structures: Sequence[Structure], unit: str
) -> pd.DataFrame:
    """Make a row for each contact of each structure, those of a structure by site, then by area.

    Parameters
    ----------
    explanations : sequence of ContactExplanation
        What the contacts add.
    structures : sequence of Structure
        The structure of each, in the same order.
    unit : str
        Unit of the property.

    Returns
    -------
    DataFrame
        compound, structure_id, site, element, multiplicity (atoms of the cell), meets, met_element, atoms (met so by
        one atom), distance_angstrom, area_angstrom2 (of one atom), share (of its surface), contribution (of all atoms
        of the site; those of a structure add up to predicted - without_contacts - missed), contribution_sd (over the
        networks), contribution_per_angstrom2 (`contributions_per_area`), unit, true, predicted, without_contacts,
        missed, networks.
    """
    parts = [pd.DataFrame(columns=list(TABLE))]
    for one, structure in zip(explanations, structures, strict=True):
        order = np.lexsort((-one.contacts.areas, one.sites))
        own, met = one.sites[order], one.contacts.sites[order]
        labels = np.array(structure.site_labels)
        elements = np.array([SYMBOLS[z - 1] for z in structure.numbers[structure.site_atom]])
        areas = one.contacts.areas[order].astype(np.float64)
        place = {"compound": one.compound, "structure_id": one.structure_id}
        inside = {"site": labels[own], "element": elements[own], "multiplicity": one.multiplicities[own]}
        outside = {"meets": labels[met], "met_element": elements[met], "atoms": one.contacts.atoms[order]}
        sizes = {"distance_angstrom": one.contacts.distances[order].astype(np.float64), "area_angstrom2": areas}
        values = {
            "share": areas / one.site_areas[own],
            "contribution": one.contributions[order],
            "contribution_sd": one.deviations[order],
            "contribution_per_angstrom2": contributions_per_area(one)[order],
            "unit": unit,
        }
        ends = {"true": one.true, "predicted": one.predicted, "without_contacts": one.without}
        ends |= {"missed": one.missed, "networks": one.networks}
        parts.append(pd.DataFrame(place | inside | outside | sizes | values | ends))
    return pd.concat(parts[1:], ignore_index=True) if len(parts) > 1 else parts[0]


TABLE = (
    "compound",
    "structure_id",
    "site",
    "element",
    "multiplicity",
    "meets",
    "met_element",
    "atoms",
    "distance_angstrom",
    "area_angstrom2",
    "share",
    "contribution",
    "contribution_sd",
    "contribution_per_angstrom2",
    "unit",
    "true",
    "predicted",
    "without_contacts",
    "missed",
    "networks",
)
"""Columns of `contact_table`."""
