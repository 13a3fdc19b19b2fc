"""The hybrid network: a compound's elements and their properties, beside the leading components of its fingerprint."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hirshprint.baselines.regressors import column_scales
from hirshprint.config.learning import Hybrid
from hirshprint.datasets.gather import Dataset
from hirshprint.datasets.splits import SITES
from hirshprint.files.reading import read_npz
from hirshprint.networks.backend import keras, tf
from hirshprint.networks.interface import Applied, Batch, Fitted, Recipe, Source, array_digest
from hirshprint.networks.readout import ELEMENTS, dense_head, site_vectors
from hirshprint.networks.site_moments import edges_seen, joins, moment_rows, of_latest, rows_of_card
from hirshprint.structures.elements import PROPERTIES, element_properties
from hirshprint.structures.structure import Structure
from hirshprint.structures.symbols import SYMBOLS

RECIPE = Recipe(huber=0.05, weight_decay=0.3)
COMPONENTS = 8
"""Of the moments of the fingerprints; more make the prediction of unseen elements worse."""

PROPERTY_FEATURES = 48
COMPONENT_FEATURES = 32
FORGOTTEN = 0.2
"""Share of the training rows whose elements are hidden from the network: it learns what to do with unseen ones."""

Arrays = dict[str, NDArray[Any]]

OUTLIER = 4.0
"""Standard deviations at which an input is cut off: an unseen element can lie far outside."""


@keras.saving.register_keras_serializable(package="hirshprint")
class Forget(keras.layers.Layer):  # type: ignore[misc]
    """Sets whole rows to zero in training; unlike dropout it scales nothing up.

    What it draws follows from its name and from a count that is saved with the weights: a training that goes on from a
    checkpoint draws what an undisturbed one does.
    """

    def __init__(self, share: float, **options: Any) -> None:
        super().__init__(**options)
        self.share = share

    def build(self, input_shape: Any) -> None:
        """Make the count of the batches seen, which every draw follows from."""
        self.batches = self.add_weight(shape=(), dtype="int64", initializer="zeros", trainable=False, name="batches")

    def call(self, rows: Any, training: bool = False) -> Any:
        """Return rows (n, f)."""
        if not training:
            return rows
        seed = tf.stack([tf.constant(sum(self.name.encode()), tf.int64), self.batches.value])
        kept = tf.random.stateless_uniform((tf.shape(rows)[0], 1), seed) >= self.share
        self.batches.assign(self.batches.value + 1)
        return tf.where(kept, rows, tf.zeros_like(rows))

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, ...]:
        """Return (n, f)."""
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        """Return what rebuilds the layer."""
        return {**super().get_config(), "share": self.share}


def fit_scales(
    elements: Mapping[str, NDArray[np.str_]], moments: NDArray[np.float64], train: NDArray[np.int64]
) -> Arrays:
    """What the inputs are scaled by, from the training rows alone: named arrays for `scaled_inputs` and a file.

    Parameters
    ----------
    elements : mapping of str to ndarray of str
        Symbols (n,) by site.
    moments : ndarray of float64, (n, p)
        Moments of the fingerprint of each row.
    train : ndarray of int64
        Rows to fit on; nothing of the others is looked at.
    """
    known = np.array([np.isin(SYMBOLS[:ELEMENTS], elements[site][train]) for site in SITES])
    properties = column_scales(_properties(elements), train)
    spread = column_scales(moments, train)
    standard = _scaled(moments, *spread)
    found = np.linalg.svd(standard[train], full_matrices=False)[2][:COMPONENTS].T
    directions = np.pad(found, ((0, 0), (0, COMPONENTS - found.shape[1])))  # fewer rows than components leave zeros
    leading = column_scales(standard @ directions, train)
    names = ("property_mean", "property_sd", "moment_mean", "moment_sd", "component_mean", "component_sd")
    return {"known": known, "directions": directions} | dict(zip(names, (*properties, *spread, *leading), strict=True))


def scaled_inputs(
    elements: Mapping[str, NDArray[np.str_]], moments: NDArray[np.float64], scales: Mapping[str, NDArray[Any]]
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Inputs of the network for n compounds.

    Parameters
    ----------
    elements : mapping of str to ndarray of str
        Symbols (n,) by site.
    moments : ndarray of float64, (n, p)
        Moments of the fingerprint of each row.
    scales : mapping of str to ndarray
        What `fit_scales` gives.

    Returns
    -------
    elements : ndarray of float32, (n, 3, 103)
        1 where an element sits on a site, unless the training rows lack it there.
    properties : ndarray of float32, (n, p)
        `element_properties` of each site; 0 where one is not tabulated or does not vary.
    components : ndarray of float32, (n, `COMPONENTS`)
        Leading principal components of the moments.
    """
    symbols = np.array(SYMBOLS[:ELEMENTS])
    one_hot = [(elements[site][:, None] == symbols) & known for site, known in zip(SITES, scales["known"], strict=True)]
    properties = _scaled(_properties(elements), scales["property_mean"], scales["property_sd"])
    standard = _scaled(moments, scales["moment_mean"], scales["moment_sd"])
    leading = _scaled(standard @ scales["directions"], scales["component_mean"], scales["component_sd"])
    return np.stack(one_hot, axis=1).astype(np.float32), properties.astype(np.float32), leading.astype(np.float32)


def build_hybrid(properties: int, components: int = COMPONENTS) -> Any:
    """Network with the inputs of `scaled_inputs` and one output."""
    elements = keras.Input((len(SITES), ELEMENTS), name="elements")
    inputs = [elements, keras.Input((properties,), name="properties"), keras.Input((components,), name="components")]
    parts = [site_vectors(Forget(FORGOTTEN, name=f"forget_{s}")(elements[:, k]), s) for k, s in enumerate(SITES)]
    parts.append(keras.layers.Dense(PROPERTY_FEATURES, activation="gelu")(inputs[1]))
    parts.append(keras.layers.Dense(COMPONENT_FEATURES, activation="gelu")(inputs[2]))
    return keras.Model(inputs, dense_head(keras.layers.Concatenate()(parts)), name="hybrid")


def _properties(elements: Mapping[str, NDArray[np.str_]]) -> NDArray[np.float64]:
    return np.concatenate([element_properties(elements[site].tolist())[1] for site in SITES], axis=1)


def _scaled(values: NDArray[np.float64], mean: NDArray[np.float64], sd: NDArray[np.float64]) -> NDArray[np.float64]:
    scaled = np.nan_to_num((values - mean) / np.where(sd > 0, sd, np.inf))
    return np.clip(scaled, -OUTLIER, OUTLIER)


def learn(dataset: Dataset, structures: Sequence[Structure], settings: Hybrid) -> Source:
    """Learn from elements, their properties and the moments of each compound, at all its initial edges."""
    rows, moments, edges = moment_rows(dataset)
    elements = {site: symbols[rows] for site, symbols in dataset.elements.items()}
    latest: dict[Callable[[], Batch], Batch] = {}

    def inputs_of(train: NDArray[np.int64]) -> Fitted:
        scales = fit_scales(elements, moments, np.searchsorted(rows, train))

        def made() -> Batch:
            return scaled_inputs(elements, moments, scales)

        return Fitted(of_latest(latest, made, rows), edges_seen(dataset, rows), scales)

    properties = len(SITES) * len(PROPERTIES)
    digest_of = array_digest(moments, edges, rows, *elements.values())
    return Source(rows, joins(dataset, rows), inputs_of, lambda: build_hybrid(properties), digest_of)


def apply(card: Mapping[str, Any], folder: Path, dataset: Dataset, structures: Sequence[Structure]) -> Applied:
    """Make the inputs of a dataset to be predicted, scaled as in training."""
    rows, moments, _ = rows_of_card(card, folder, dataset)
    elements = {site: symbols[rows] for site, symbols in dataset.elements.items()}
    made = scaled_inputs(elements, moments, read_npz(folder / card["arrays"], unit=folder))
    return Applied(rows, lambda asked: tuple(array[asked] for array in made))
