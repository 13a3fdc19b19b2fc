"""Graphs whose nodes are the distinct sites of a structure and whose edges are weighted contacts (numpy only)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hirshprint.datasets.contacts import SiteContacts
from hirshprint.networks.graphs import joined_places

Floats = NDArray[np.float32]
NODE_FEATURES = 5
EDGE_FEATURES = 7


@dataclass(frozen=True, eq=False)
class SiteGraphs:
    """Graphs of many structures, one after the other; structure k owns ``offsets[k]:offsets[k + 1]``.

    Attributes
    ----------
    numbers : ndarray of int32, (s,)
        Atomic number of each node.
    shares : ndarray of float32, (s,)
        Share of the cell's atoms that the site stands for; sums to 1 over a structure.
    nodes : ndarray of float32, (s, `NODE_FEATURES`)
        What the network sees of a site beside its element.
    node_offsets : ndarray of int64, (n + 1,)
    centres, neighbours : ndarray of int32, (e,)
        Node numbers within the structure.
    edges : ndarray of float32, (e, `EDGE_FEATURES`)
        What the network sees of a contact.
    weights : ndarray of float32, (e,)
        Share of the centre's area; sums to 1 over a node.
    edge_offsets : ndarray of int64, (n + 1,)
    """

    numbers: NDArray[np.int32]
    shares: Floats
    nodes: Floats
    node_offsets: NDArray[np.int64]
    centres: NDArray[np.int32]
    neighbours: NDArray[np.int32]
    edges: Floats
    weights: Floats
    edge_offsets: NDArray[np.int64]

    def arrays(self) -> tuple[NDArray[np.generic], ...]:
        """All arrays, in their order."""
        return tuple(vars(self).values())


def contact_graphs(sites: SiteContacts, volumes_angstrom3: NDArray[np.float64]) -> SiteGraphs:
    """Make the graphs of the contacts of structures.

    A node has the logarithms of its surface's area and volume, its sphericity, its open fraction, and the logarithm of
    the cell's volume per atom; an edge the distance, means and deviations of d_i and d_e, and of the patch of one atom
    the share of the area and the logarithm of the area.

    Parameters
    ----------
    sites : SiteContacts
        The sites of n structures and their contacts.
    volumes_angstrom3 : ndarray of float64, (n,), Å³
        Volumes of the cells.
    """
    owner = np.repeat(np.arange(len(sites.site_offsets) - 1), np.diff(sites.site_offsets))
    atoms = np.bincount(owner, sites.multiplicities, len(sites.site_offsets) - 1)
    sphericity = (36 * np.pi * sites.volumes**2) ** (1 / 3) / sites.areas
    of_cell = np.log(volumes_angstrom3 / atoms)[owner]
    nodes = [np.log(sites.areas), np.log(np.maximum(sites.volumes, 0.1)), sphericity, sites.open_fractions, of_cell]
    centre = np.repeat(np.arange(len(owner)), np.diff(sites.contact_offsets))
    found = sites.contacts
    shares = found.areas / sites.areas[centre]
    of_one = found.areas / found.atoms  # whichever atoms symmetry, or its lack in a supercell, has made one contact
    edges = [found.distances, *found.means.T, *found.deviations.T, shares / found.atoms, np.log(of_one)]
    return SiteGraphs(
        numbers=sites.numbers.astype(np.int32),
        shares=(sites.multiplicities / atoms[owner]).astype(np.float32),
        nodes=np.stack(nodes, axis=1).astype(np.float32),
        node_offsets=sites.site_offsets,
        centres=(centre - sites.site_offsets[owner][centre]).astype(np.int32),
        neighbours=found.sites.astype(np.int32),
        edges=np.stack(edges, axis=1).astype(np.float32),
        weights=shares.astype(np.float32),
        edge_offsets=sites.contact_offsets[sites.site_offsets],
    )


def graph_batch(graphs: SiteGraphs, rows: NDArray[np.int64]) -> tuple[NDArray[np.generic], ...]:
    """Join the graphs of some structures into one disconnected graph.

    Parameters
    ----------
    graphs : SiteGraphs
        Graphs of all structures.
    rows : ndarray of int64, (n,)
        The structures of the batch.

    Returns
    -------
    numbers, shares, nodes, owners : tuple of ndarray
        (n, ...) per node; `owners` counts the structures of the batch from 0.
    centres, neighbours, edges, weights : tuple of ndarray
        (e, ...) per edge; node numbers of the batch.
    """
    nodes, edges, owners, shift = joined_places(graphs.node_offsets, graphs.edge_offsets, rows)
    return (
        graphs.numbers[nodes],
        graphs.shares[nodes],
        graphs.nodes[nodes],
        owners,
        graphs.centres[edges] + shift,
        graphs.neighbours[edges] + shift,
        graphs.edges[edges],
        graphs.weights[edges],
    )
