"""The network of contacts on all atoms up to a radius, as crystal graphs usually have them.

Everything is as in `contacts`, but who is a neighbour: every atom near enough, and each counts alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hirshprint.config.learning import NearAtoms
from hirshprint.datasets.gather import Dataset, in_order
from hirshprint.networks.contacts import RECIPE, apply_graphs, cell_volumes, learn_graphs
from hirshprint.networks.graphs import build_graphs
from hirshprint.networks.interface import Applied, Source
from hirshprint.networks.site_graphs import SiteGraphs
from hirshprint.structures.structure import Structure

__all__ = ["RECIPE", "apply", "learn"]


def learn(dataset: Dataset, structures: Sequence[Structure], settings: NearAtoms) -> Source:
    """Learn from the neighbours of the atoms of each compound, at the initial edges that `contacts` learns from.

    Raises
    ------
    DatasetError
        A structure of the dataset is missing.
    """
    radius = float(settings.radius_angstrom)
    return learn_graphs(dataset, _graphs(dataset, structures, radius), settings.features, {"radius_angstrom": radius})


def apply(card: Mapping[str, Any], folder: Path, dataset: Dataset, structures: Sequence[Structure]) -> Applied:
    """Make the graphs of a dataset to be predicted."""
    return apply_graphs(card, dataset, _graphs(dataset, structures, float(card["radius_angstrom"])))


def _graphs(dataset: Dataset, structures: Sequence[Structure], radius: float) -> SiteGraphs:
    """Graphs in the form of those of contacts; each neighbour has an equal share."""
    of_rows = in_order(dataset, structures)
    found = build_graphs(of_rows, radius)
    owner = np.repeat(np.arange(len(found.node_offsets) - 1), np.diff(found.node_offsets))
    edge_owner = np.repeat(np.arange(len(found.edge_offsets) - 1), np.diff(found.edge_offsets))
    centre = found.centres + found.node_offsets[edge_owner]
    count = np.bincount(centre, found.multiplicities, len(owner))
    atoms = np.array([len(one.numbers) for one in of_rows])
    per_atom = np.log(cell_volumes(of_rows) / atoms)[owner]
    weights = found.multiplicities / count[centre]
    halves, zeros = found.distances / 2, np.zeros_like(found.distances)
    edges = [found.distances, halves, halves, zeros, zeros, 1 / count[centre], zeros]
    nodes = [np.log1p(count), per_atom, *np.zeros((3, len(owner)))]
    return SiteGraphs(
        numbers=found.numbers,
        shares=found.shares,
        nodes=np.stack(nodes, axis=1).astype(np.float32),
        node_offsets=found.node_offsets,
        centres=found.centres,
        neighbours=found.neighbours,
        edges=np.stack(edges, axis=1).astype(np.float32),
        weights=weights.astype(np.float32),
        edge_offsets=found.edge_offsets,
    )
