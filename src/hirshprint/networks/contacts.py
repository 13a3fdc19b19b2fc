"""The network of contacts: sites as nodes, and the patches of their Hirshfeld surfaces as edges.

Every site of a crystal meets the atoms that its surface faces, and no others: the graph has no cut-off radius and no
number of neighbours, and the share of the surface that an atom has says how much it counts. Messages are gated as in
CGCNN (Xie and Grossman, Phys. Rev. Lett. 120, 145301, 2018) and weighed by these shares. A structure is the mean and
the largest of its atoms, feature by feature, so a supercell is predicted as its cell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hirshprint.config.learning import Contacts
from hirshprint.datasets.contacts import SiteContacts, taken
from hirshprint.datasets.gather import Dataset, first_rows, in_order, same_edges
from hirshprint.networks.backend import keras, tf
from hirshprint.networks.cgcnn import ElementEmbedding, GatedConvolution
from hirshprint.networks.interface import Applied, Fitted, Inputs, Recipe, Source, array_digest
from hirshprint.networks.site_graphs import EDGE_FEATURES, NODE_FEATURES, SiteGraphs, contact_graphs, graph_batch
from hirshprint.structures.elements import filled_properties
from hirshprint.structures.structure import Structure

RECIPE = Recipe(huber=0.05, weight_decay=0.1)
CONVOLUTIONS = 3
HIDDEN = 128
LEAST_SD = 1e-6
"""What varies less over the sites of the training part is left as it is."""

EXPANDED = ((0.6, 6.2, 0.2), (0.5, 3.5, 0.1), (0.5, 3.5, 0.1))
"""First and last centre and step, Å, of the Gaussians of the distance, of mean d_i and of mean d_e."""
EXCESS = (-0.8, 2.4, 0.2)
"""The same, of the distance beyond the sum of both atomic radii."""

OF_ELEMENTS = ("atomic_mass_u", "electronegativity", "atomic_radius_angstrom")
"""Properties of two elements that a contact is told beside its own numbers (`elements.PROPERTIES`)."""
MIDDLE_LOG_MASS = 3.0
"""About the logarithm of a reduced mass in u; it is counted from here."""


@keras.saving.register_keras_serializable(package="hirshprint")
class ContactFeatures(keras.layers.Layer):  # type: ignore[misc]
    """Numbers of contacts (e, 7), as `site_graphs.contact_graphs` gives them → (e, g): distances as Gaussians.

    With them goes what follows from both elements: the reduced mass, the difference of the electronegativities, and how
    far the distance is beyond the sum of the radii. A network need not learn these from a thousand crystals.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.expanded = [
            (np.arange(low, high + step / 2, step, dtype=np.float32), step) for low, high, step in EXPANDED
        ]
        self.excess = np.arange(EXCESS[0], EXCESS[1] + EXCESS[2] / 2, EXCESS[2], dtype=np.float32)
        of_contact = sum(len(centres) for centres, _ in self.expanded) + EDGE_FEATURES - len(EXPANDED)
        self.width = of_contact + len(self.excess) + 4

    def build(self, contacts_shape: Any, **shapes: Any) -> None:
        """Make the table of the elements; one without a value has the mean of those up to lawrencium."""
        chosen = filled_properties(OF_ELEMENTS)
        table = np.concatenate([chosen.mean(axis=0, keepdims=True), chosen])
        self.table = self.add_weight(shape=table.shape, initializer="zeros", trainable=False, name="elements")
        self.table.assign(table)

    def call(self, contacts: Any, numbers: Any, centres: Any, neighbours: Any) -> Any:
        """Return (e, g) edge features; `numbers` (n,) are those of the sites."""
        of_sites = tf.gather(self.table, numbers)
        inner, outer = tf.gather(of_sites, centres), tf.gather(of_sites, neighbours)
        mass = inner[:, :1] * outer[:, :1] / (inner[:, :1] + outer[:, :1])
        polarity = inner[:, 1:2] - outer[:, 1:2]
        excess = contacts[:, :1] - inner[:, 2:] - outer[:, 2:]
        parts = [
            tf.exp(-tf.square((contacts[:, k, None] - centres) / step))
            for k, (centres, step) in enumerate(self.expanded)
        ]
        pair = [tf.math.log(mass) - MIDDLE_LOG_MASS, tf.math.rsqrt(mass), polarity, tf.abs(polarity)]
        near = tf.exp(-tf.square((excess - self.excess) / EXCESS[2]))
        return tf.concat([*parts, contacts[:, len(EXPANDED) :], *pair, near], axis=1)

    def compute_output_shape(self, contacts_shape: Any, **shapes: Any) -> tuple[Any, ...]:
        """Return (e, g)."""
        return (contacts_shape[0], self.width)


@keras.saving.register_keras_serializable(package="hirshprint")
class ContactConvolution(GatedConvolution):
    """v_i ← v_i + swish(N(Σ_j w_ij σ(z_ij W_f + b_f) ⊙ swish(z_ij W_s + b_s))), with w_ij the share of the area.

    z_ij joins the features of both sites and of their contact. N and the gates are normalised over a batch's atoms.
    """

    def call(
        self, nodes: Any, edges: Any, centres: Any, neighbours: Any, weights: Any, shares: Any, training: bool = False
    ) -> Any:
        """Return (n, f) updated sites from (n, f) sites and (e, g) contacts."""
        mixed = self.mixed(nodes, edges, centres, neighbours)
        counted = weights * tf.gather(shares, centres)
        gate, core = tf.split(self.of_gates(mixed, counted, training=training), 2, axis=1)
        messages = weights[:, None] * tf.sigmoid(gate) * tf.nn.silu(core)
        sums = tf.math.unsorted_segment_sum(messages, centres, tf.shape(nodes)[0])
        return nodes + tf.nn.silu(self.of_sums(sums, shares, training=training))


@keras.saving.register_keras_serializable(package="hirshprint")
class MeanAndLargest(keras.layers.Layer):  # type: ignore[misc]
    """Sites (n, f) of a batch → structures (s, 2 f): the mean over each structure's atoms, and the largest of them."""

    def call(self, nodes: Any, shares: Any, owners: Any) -> Any:
        """Return (s, 2 f); `owners` is ascending and counts from 0."""
        count = owners[-1] + 1
        mean = tf.math.unsorted_segment_sum(nodes * shares[:, None], owners, count)
        return tf.concat([mean, tf.math.unsorted_segment_max(nodes, owners, count)], axis=1)

    def compute_output_shape(self, nodes_shape: Any, **shapes: Any) -> Any:
        """Return (s, 2 f)."""
        return (nodes_shape[0], 2 * nodes_shape[1])


def build_contacts(features: int) -> Any:
    """Build the network: inputs as `site_graphs.graph_batch` gives them, output (s, 1), the scaled property.

    Parameters
    ----------
    features : int
        Numbers that each site has inside the network.
    """
    numbers, shares, sites, owners, centres, neighbours, contacts, weights = inputs = [
        keras.Input(shape=shape, dtype=dtype, name=name)
        for name, dtype, shape in (
            ("numbers", "int32", ()),
            ("shares", "float32", ()),
            ("sites", "float32", (NODE_FEATURES,)),
            ("owners", "int32", ()),
            ("centres", "int32", ()),
            ("neighbours", "int32", ()),
            ("contacts", "float32", (EDGE_FEATURES,)),
            ("weights", "float32", ()),
        )
    ]
    nodes = ElementEmbedding(features)(numbers) + keras.layers.Dense(features)(sites)
    edges = ContactFeatures()(contacts, numbers, centres, neighbours)
    for _ in range(CONVOLUTIONS):
        nodes = ContactConvolution()(nodes, edges, centres, neighbours, weights, shares)
    hidden = keras.layers.Dense(HIDDEN, activation="silu")(MeanAndLargest()(nodes, shares, owners))
    return keras.Model(inputs, keras.layers.Dense(1)(hidden), name="contacts")


def learn(dataset: Dataset, structures: Sequence[Structure], settings: Contacts) -> Source:
    """Learn from the contacts of each compound at its first initial edge, or at all where the edges are its own.

    Raises
    ------
    DatasetError
        A structure of the dataset is missing.
    """
    return learn_graphs(
        dataset, contact_graphs(_contacts(dataset), cell_volumes(in_order(dataset, structures))), settings.features
    )


def apply(card: Mapping[str, Any], folder: Path, dataset: Dataset, structures: Sequence[Structure]) -> Applied:
    """Make the graphs of a dataset to be predicted."""
    return apply_graphs(card, dataset, contact_graphs(_contacts(dataset), cell_volumes(in_order(dataset, structures))))


def _contacts(dataset: Dataset) -> SiteContacts:
    assert dataset.contacts is not None, "they are read for this network"
    return dataset.contacts


def learn_graphs(dataset: Dataset, graphs: SiteGraphs, features: int, told: Mapping[str, Any] | None = None) -> Source:
    """Learn from graphs of all structures of a dataset.

    Parameters
    ----------
    dataset : Dataset
        What to learn from.
    graphs : SiteGraphs
        The graph of each of its rows.
    features : int
        Features of each site inside the network.
    told : mapping, optional
        What the card must say of how they were made.
    """
    every = not same_edges(dataset)  # then the draws of a compound show the network that the edge is not its own
    rows = np.arange(len(dataset.targets)) if every else first_rows(dataset)

    def inputs_of(train: NDArray[np.int64]) -> Fitted:
        nodes = graphs.nodes[taken(graphs.node_offsets, train)[1]].astype(np.float64)
        sd = nodes.std(axis=0)
        scale = {"node_mean": nodes.mean(axis=0).tolist(), "node_sd": np.where(sd > LEAST_SD, sd, 1.0).tolist()}
        return Fitted(_inputs(graphs, scale), scale | {"draws": "all" if every else "first", **(told or {})}, {})

    return Source(rows, False, inputs_of, lambda: build_contacts(features), array_digest(*graphs.arrays()))


def apply_graphs(card: Mapping[str, Any], dataset: Dataset, graphs: SiteGraphs) -> Applied:
    """Make the inputs of a network of site graphs for a dataset to be predicted.

    Parameters
    ----------
    card : mapping
        What `learn_graphs` said.
    dataset : Dataset
        What to predict.
    graphs : SiteGraphs
        The graph of each of its rows.
    """
    rows = first_rows(dataset) if card["draws"] == "first" else np.arange(len(dataset.targets))
    inputs = _inputs(graphs, card)
    return Applied(rows, lambda asked: inputs(rows[asked]))


def cell_volumes(structures: Sequence[Structure]) -> NDArray[np.float64]:
    """Volumes (n,) of the cells of structures, Å³."""
    return np.array([abs(float(np.linalg.det(one.lattice))) for one in structures])


def _inputs(graphs: SiteGraphs, scale: Mapping[str, Any]) -> Inputs:
    """Give the batch of some rows, the figures of the sites scaled as in training."""
    nodes = (graphs.nodes - np.array(scale["node_mean"])) / np.array(scale["node_sd"])
    scaled = replace(graphs, nodes=nodes.astype(np.float32))
    return lambda asked: graph_batch(scaled, asked)
