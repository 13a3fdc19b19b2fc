"""The networks there are: what each sees and needs (light: read with the Snakefile).

A network is three things of one name: a module of this folder (`hirshprint.networks.interface` says what it has), an
entry in `NETWORKS`, and a section in `hirshprint.config.learning` with its word in `Learning.networks`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from hirshprint.datasets.splits import SITES

Sees = Literal[
    "fingerprint", "fingerprint and composition", "contacts and composition", "crystal graph", "composition", "nothing"
]
"""What a model sees of a compound: the kinds that the report compares."""

CNN_PAPER = "cnn_paper"
CNN_PAPER_SMALL = "cnn_paper_small"
CNN = "cnn"
READOUT = "readout"
CGCNN = "cgcnn"
CONTACTS = "contacts"
VORONOI = "voronoi"
NEAR_ATOMS = "near_atoms"
ELEMENTS_ALONE = "elements_alone"
HYBRID = "hybrid"


class UnknownNameError(ValueError):
    """A name of a network or of a model that is not registered; the message lists those that are."""


@dataclass(frozen=True, kw_only=True)
class Network:
    """A network, as all that is not the network itself must know it.

    Attributes
    ----------
    name : str
        The word in the configuration, the name of its section there, and the name of its module in this folder.
    sees : str
        What it sees of a compound: the report compares models that see the same, and ranks under it.
    channel : str
        The word of ``fingerprint: channels:`` that it cannot do without; empty where it needs none.
    images : tuple of str
        Channels of the fingerprint that it sees as images; without named sites it sees all that there are.
    halves : bool
        Whether it sees channels at half resolution, of all initial edges: total, and those of sites or their kinds.
    site_moments : bool
        Whether it learns from the moments of the channels of the sites A, B and X, and so only from datasets that
        have these sites.
    contacts : bool
        Whether it sees the contacts of the sites.
    knows_edge : bool
        Whether it is told the initial edge, by distances or as a number.
    one_edge : bool
        Whether it sees only the first of a list of initial edges.
    """

    name: str
    sees: Sees
    channel: str = ""
    images: tuple[str, ...] = ()
    halves: bool = False
    site_moments: bool = False
    contacts: bool = False
    knows_edge: bool = False
    one_edge: bool = False


NETWORKS: dict[str, Network] = {
    network.name: network
    for network in (
        Network(name=CNN_PAPER, sees="fingerprint", channel="total", images=("total",), one_edge=True),
        Network(name=CNN_PAPER_SMALL, sees="fingerprint", channel="total", images=("total",), one_edge=True),
        Network(name=CNN, sees="fingerprint", halves=True),
        Network(name=READOUT, sees="fingerprint", channel="site", site_moments=True, knows_edge=True),
        Network(name=CGCNN, sees="crystal graph", knows_edge=True, one_edge=True),
        Network(name=CONTACTS, sees="contacts and composition", contacts=True, knows_edge=True, one_edge=True),
        Network(name=VORONOI, sees="crystal graph", knows_edge=True, one_edge=True),
        Network(name=NEAR_ATOMS, sees="crystal graph", knows_edge=True, one_edge=True),
        Network(name=ELEMENTS_ALONE, sees="composition"),
        Network(name=HYBRID, sees="fingerprint and composition", channel="site", site_moments=True),
    )
}

KINDS = ("anion", "cation")
"""Channels that stand for sites where these have no names."""

OF_PAPER = (CNN_PAPER, CNN_PAPER_SMALL)
"""The networks of the paper's authors; predictions of one of them are traced back to regions of the fingerprint."""


def of_paper(networks: Iterable[str]) -> str | None:
    """Name the network of the paper's authors among some networks: the large one, else the small one, else None."""
    among = set(networks)
    return next((name for name in OF_PAPER if name in among), None)


def network(name: str) -> Network:
    """Find a network by its name.

    Parameters
    ----------
    name : str
        As the configuration and the predictions write it.

    Raises
    ------
    UnknownNameError
        There is none of this name.
    """
    if name not in NETWORKS:
        raise UnknownNameError(f"unknown network {name}; write {', '.join(NETWORKS)}")
    return NETWORKS[name]


def site_networks() -> list[str]:
    """Name the networks that learn only from datasets with the sites A, B and X."""
    return [name for name, entry in NETWORKS.items() if entry.site_moments]


def networks_of_any_sites() -> list[str]:
    """Name the networks that learn from any dataset."""
    return [name for name, entry in NETWORKS.items() if not entry.site_moments]


def needed_of_fingerprints(networks: Iterable[str], sites: Sequence[str]) -> dict[str, Any]:
    """Say what `load_dataset` must read for some networks and a dataset with these sites.

    Parameters
    ----------
    networks : iterable of str
        Names of networks.
    sites : sequence of str
        Names of the dataset's sites; none where it comes from files.

    Returns
    -------
    dict
        The arguments `channels`, `site_moments`, `halved` and `contacts`.
    """
    asked = [network(name) for name in networks]
    images = list(dict.fromkeys(channel for entry in asked for channel in entry.images))
    moments = tuple(sites) == SITES and any(entry.site_moments for entry in asked)
    halved = ["total", *(sites or KINDS)] if any(entry.halves for entry in asked) else []
    contacts = any(entry.contacts for entry in asked)
    channels = images if sites or not images else None
    return {"channels": channels, "site_moments": moments, "halved": halved, "contacts": contacts}
