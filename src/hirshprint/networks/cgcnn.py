"""Crystal graph convolutional network after Xie and Grossman, Phys. Rev. Lett. 120, 145301 (2018).

Differences from the original: whole shells up to a radius instead of the 12 nearest neighbours (which cuts
through degenerate shells of cubic cells); ragged batches, hence no padding; equivalent atoms merged with
their multiplicity (`hirshprint.networks.graphs`), which leaves every sum as it is; batch statistics weigh
every structure alike; atoms enter with tabulated properties and a trained vector per element that starts at
zero, so that an element never seen in training is known by its properties alone.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hirshprint.config.learning import Cgcnn
from hirshprint.datasets.gather import Dataset, DatasetError, first_rows, in_order, same_edges
from hirshprint.networks.backend import keras, tf
from hirshprint.networks.graphs import build_graphs, graph_batch, lonely
from hirshprint.networks.interface import Applied, Fitted, Recipe, Source, array_digest
from hirshprint.structures.elements import element_properties
from hirshprint.structures.structure import Structure
from hirshprint.structures.symbols import SYMBOLS

LOG = logging.getLogger(__name__)
RECIPE = Recipe(huber=0.2)
FEATURES = 64
CONVOLUTIONS = 3
HIDDEN = 128
GAUSSIAN_STEP_ANGSTROM = 0.2


@keras.saving.register_keras_serializable(package="hirshprint")
class ElementEmbedding(keras.layers.Layer):  # type: ignore[misc]
    """Atomic numbers (n,) → features (n, f): a map of tabulated properties plus a vector per element."""

    def __init__(self, features: int, **options: Any) -> None:
        super().__init__(**options)
        self.features = features

    def build(self, input_shape: Any) -> None:
        """Make the table, standardised over the elements up to lawrencium, and the weights."""
        _, values = element_properties(SYMBOLS)
        known = values[:103]
        scaled = (values - np.nanmean(known, axis=0)) / np.nanstd(known, axis=0)
        table = np.concatenate([np.zeros((1, values.shape[1])), np.nan_to_num(scaled)])
        self.table = self.add_weight(shape=table.shape, initializer="zeros", trainable=False, name="properties")
        self.table.assign(table)
        self.mixing = self.add_weight(shape=(table.shape[1], self.features), name="mixing")
        self.offset = self.add_weight(shape=(self.features,), initializer="zeros", name="offset")
        self.vectors = self.add_weight(shape=(len(table), self.features), initializer="zeros", name="vectors")

    def call(self, numbers: Any) -> Any:
        """Return (n, f) features of atomic numbers (n,)."""
        vectors = tf.matmul(self.table, self.mixing) + self.offset + self.vectors
        return tf.gather(vectors, numbers)

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, ...]:
        """Return (n, f)."""
        return (*input_shape, self.features)

    def get_config(self) -> dict[str, Any]:
        """Return what rebuilds the layer."""
        return {**super().get_config(), "features": self.features}


@keras.saving.register_keras_serializable(package="hirshprint")
class GaussianDistances(keras.layers.Layer):  # type: ignore[misc]
    """Distances (e,) in Å → (e, g) values of Gaussians centred every 0.2 Å from 0 to the radius."""

    def __init__(self, radius: float, **options: Any) -> None:
        super().__init__(**options)
        self.radius = radius
        steps = int(np.ceil(radius / GAUSSIAN_STEP_ANGSTROM)) + 1
        self.centres = (GAUSSIAN_STEP_ANGSTROM * np.arange(steps)).astype(np.float32)

    def call(self, distances: Any) -> Any:
        """Return (e, g) edge features."""
        return tf.exp(-tf.square((distances[:, None] - self.centres) / GAUSSIAN_STEP_ANGSTROM))

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, ...]:
        """Return (e, g)."""
        return (*input_shape, len(self.centres))

    def get_config(self) -> dict[str, Any]:
        """Return what rebuilds the layer."""
        return {**super().get_config(), "radius": self.radius}


@keras.saving.register_keras_serializable(package="hirshprint")
class WeightedNormalization(keras.layers.Layer):  # type: ignore[misc]
    """Batch normalisation of (n, f) rows where row k counts ``weights[k]`` times."""

    momentum = 0.9
    epsilon = 1e-5

    def build(self, input_shape: Any, weights_shape: Any = None) -> None:
        """Make scale, shift and the moving statistics."""
        width = (input_shape[-1],)
        self.scale = self.add_weight(shape=width, initializer="ones", name="scale")
        self.shift = self.add_weight(shape=width, initializer="zeros", name="shift")
        self.mean = self.add_weight(shape=width, initializer="zeros", trainable=False, name="mean")
        self.variance = self.add_weight(shape=width, initializer="ones", trainable=False, name="variance")

    def call(self, rows: Any, weights: Any, training: bool = False) -> Any:
        """Return (n, f) normalised rows."""
        if training:
            share = (weights / tf.reduce_sum(weights))[:, None]
            mean = tf.reduce_sum(share * rows, axis=0)
            variance = tf.reduce_sum(share * tf.square(rows - mean), axis=0)
            self.mean.assign(self.momentum * self.mean + (1 - self.momentum) * mean)
            self.variance.assign(self.momentum * self.variance + (1 - self.momentum) * variance)
        else:
            mean, variance = self.mean, self.variance
        return (rows - mean) * tf.math.rsqrt(variance + self.epsilon) * self.scale + self.shift


@keras.saving.register_keras_serializable(package="hirshprint")
class GatedConvolution(keras.layers.Layer):  # type: ignore[misc]
    """Equation 5 of the paper: v_i ← softplus(v_i + Σ_j σ(z_ij W_f + b_f) ⊙ softplus(z_ij W_s + b_s)).

    z_ij joins the features of both atoms and of their edge. Its product with W is a sum over the three, so
    each atom is multiplied once and not once per edge. Batch normalisation as in the authors' code.
    """

    def build(self, nodes_shape: Any, edges_shape: Any, **shapes: Any) -> None:
        """Make the three parts of (W_f, W_s) side by side and the normalisations."""
        width = nodes_shape[-1]
        self.of_centre = self.add_weight(shape=(width, 2 * width), name="of_centre")
        self.of_neighbour = self.add_weight(shape=(width, 2 * width), name="of_neighbour")
        self.of_edge = self.add_weight(shape=(edges_shape[-1], 2 * width), name="of_edge")
        self.of_gates = WeightedNormalization(name="of_gates")
        self.of_sums = WeightedNormalization(name="of_sums")
        self.of_gates.build((None, 2 * width))
        self.of_sums.build((None, width))

    def call(
        self,
        nodes: Any,
        edges: Any,
        centres: Any,
        neighbours: Any,
        multiplicities: Any,
        shares: Any,
        training: bool = False,
    ) -> Any:
        """Return (n, f) updated atoms from (n, f) atoms and (e, g) edges."""
        mixed = self.mixed(nodes, edges, centres, neighbours)
        edge_weights = multiplicities * tf.gather(shares, centres)
        gate, core = tf.split(self.of_gates(mixed, edge_weights, training=training), 2, axis=1)
        messages = multiplicities[:, None] * tf.sigmoid(gate) * tf.math.softplus(core)
        sums = tf.math.unsorted_segment_sum(messages, centres, tf.shape(nodes)[0])
        return tf.math.softplus(nodes + self.of_sums(sums, shares, training=training))

    def mixed(self, nodes: Any, edges: Any, centres: Any, neighbours: Any) -> Any:
        """Return (e, 2 f): the features of both ends of each edge and its own, times (W_f, W_s)."""
        return (
            tf.gather(tf.matmul(nodes, self.of_centre), centres)
            + tf.gather(tf.matmul(nodes, self.of_neighbour), neighbours)
            + tf.matmul(edges, self.of_edge)
        )

    def compute_output_shape(self, nodes_shape: Any, **shapes: Any) -> Any:
        """Return (n, f)."""
        return nodes_shape


@keras.saving.register_keras_serializable(package="hirshprint")
class MeanOverAtoms(keras.layers.Layer):  # type: ignore[misc]
    """Atoms (n, f) of a batch → structures (s, f): the mean over each structure's atoms."""

    def call(self, nodes: Any, shares: Any, owners: Any) -> Any:
        """Return (s, f) means; `owners` is ascending and counts from 0."""
        return tf.math.unsorted_segment_sum(nodes * shares[:, None], owners, owners[-1] + 1)

    def compute_output_shape(self, nodes_shape: Any, **shapes: Any) -> Any:
        """Return (s, f)."""
        return nodes_shape


def build_cgcnn(radius_angstrom: float) -> Any:
    """Build the network: inputs as `graphs.graph_batch` gives them, output (s, 1), the scaled property."""
    numbers, shares, owners, centres, neighbours, distances, multiplicities = (
        keras.Input(shape=(), dtype=dtype, name=name)
        for name, dtype in (
            ("numbers", "int32"),
            ("shares", "float32"),
            ("owners", "int32"),
            ("centres", "int32"),
            ("neighbours", "int32"),
            ("distances", "float32"),
            ("multiplicities", "float32"),
        )
    )
    nodes = ElementEmbedding(FEATURES)(numbers)
    edges = GaussianDistances(radius_angstrom)(distances)
    for _ in range(CONVOLUTIONS):
        nodes = GatedConvolution()(nodes, edges, centres, neighbours, multiplicities, shares)
    crystals = keras.layers.Activation("softplus")(MeanOverAtoms()(nodes, shares, owners))
    hidden = keras.layers.Dense(HIDDEN, activation="softplus")(crystals)
    inputs = [numbers, shares, owners, centres, neighbours, distances, multiplicities]
    return keras.Model(inputs, keras.layers.Dense(1)(hidden), name="cgcnn")


def learn(dataset: Dataset, structures: Sequence[Structure], settings: Cgcnn) -> Source:
    """Learn from the graph of each compound at its first initial edge, or at all where the edges are its own.

    Raises
    ------
    DatasetError
        A structure of the dataset is missing, or an atom has no neighbour within the radius.
    """
    of_rows = in_order(dataset, structures)
    radius = float(settings.radius_angstrom)
    every = not same_edges(dataset)  # then the draws of a compound show the network that the edge is not its own
    rows = np.arange(len(dataset.targets)) if every else first_rows(dataset)
    seen = {"radius_angstrom": radius, "draws": "all" if every else "first"}
    graphs = build_graphs([of_rows[row] for row in rows], radius)
    if (alone := lonely(graphs)).any():
        names = dataset.structure_ids[rows[alone]].tolist()
        raise DatasetError(
            f"no neighbour within {radius} Å of some atom of {', '.join(names[:5])}"
            f"{' and others' if len(names) > 5 else ''}; write a larger learning: cgcnn: radius_angstrom"
        )

    def inputs_of(train: NDArray[np.int64]) -> Fitted:
        return Fitted(lambda asked: graph_batch(graphs, np.searchsorted(rows, asked)), seen, {})

    arrays = (graphs.numbers, graphs.shares, graphs.node_offsets, graphs.centres, graphs.neighbours)
    edges = (graphs.distances, graphs.multiplicities, graphs.edge_offsets)
    return Source(rows, False, inputs_of, lambda: build_cgcnn(radius), array_digest(*arrays, *edges))


def apply(card: Mapping[str, Any], folder: Path, dataset: Dataset, structures: Sequence[Structure]) -> Applied:
    """Make the graphs of a dataset to be predicted; structures with an atom without neighbours are left out."""
    radius = card["radius_angstrom"]
    rows = first_rows(dataset) if card["draws"] == "first" else np.arange(len(dataset.targets))
    of_rows = in_order(dataset, structures)
    graphs = build_graphs([of_rows[row] for row in rows], radius)
    alone = lonely(graphs)
    if alone.any():
        names = dataset.structure_ids[rows[alone]].tolist()
        LOG.info("left out, for an atom without neighbours as near as in training: %s", ", ".join(names))
    kept = np.flatnonzero(~alone)
    return Applied(rows[kept], lambda asked: graph_batch(graphs, kept[asked]))
