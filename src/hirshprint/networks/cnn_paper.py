"""The fingerprint network of the paper, J. Phys. Chem. Lett. 2020, 11, 7462, trained as its authors do.

Its layers, optimiser, batch, epochs and target are those of the authors' public repository (MatInfoUB/ahsfp, commit
a053250): Adam with a learning rate of 0.001 throughout, squared error in Å², 1,400 epochs of batches of 300, nothing
held out to stop by. The fingerprint enters as it is, not normalised.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hirshprint.config.learning import CnnPaper
from hirshprint.datasets.gather import Dataset, first_rows
from hirshprint.networks.backend import keras
from hirshprint.networks.cards import ModelError
from hirshprint.networks.interface import Applied, Fitted, Recipe, Source, rows_digest
from hirshprint.networks.registry import KINDS
from hirshprint.structures.structure import Structure

RECIPE = Recipe(plain=True)
CHANNEL = "total"


def build_cnn_paper(input_shape: tuple[int, int, int]) -> Any:
    """Build the network of the paper, layer by layer as its authors' repository lists it.

    Blocks of 3 × 3 convolutions with ReLU (two of 32, three of 64, four of 128 filters), max pooling, dropout of 0.3
    and batch normalisation; then twice a dense layer of 128, ReLU, dropout of a half and batch normalisation.

    Parameters
    ----------
    input_shape : tuple (int, int, int)
        (bins of d_i, bins of d_e, channels).

    Returns
    -------
    Model
        With one output; 1,227,041 weights for images of (50, 50, 1).
    """
    image = keras.Input(shape=input_shape, name="image")
    features = image
    for filters, convolutions, dropout in ((32, 2, 0.3), (64, 3, 0.3), (128, 4, 0.0)):
        for _ in range(convolutions):
            features = keras.layers.Conv2D(filters, 3, padding="same", activation="relu")(features)
        features = keras.layers.MaxPooling2D(2)(features)
        features = keras.layers.Dropout(dropout)(features) if dropout else features
        features = keras.layers.BatchNormalization()(features)
    features = keras.layers.Flatten()(features)
    for _ in range(2):
        features = keras.layers.Dropout(0.5)(keras.layers.Dense(128, activation="relu")(features))
        features = keras.layers.BatchNormalization()(features)
    return keras.Model([image], keras.layers.Dense(1)(features), name="cnn_paper")


def total_channels(dataset: Dataset, present: Collection[str]) -> list[str]:
    """The total channel, as in the paper; without named sites also those of anions and cations that are present."""
    return [CHANNEL, *(kind for kind in KINDS if kind in present and not dataset.elements)]


def cnn_channels(dataset: Dataset) -> list[str]:
    """Channels that the network sees (`total_channels`)."""
    return total_channels(dataset, dataset.channels)


def cnn_images(dataset: Dataset) -> NDArray[np.float32]:
    """Return (n, b, b, c) images of the fingerprints, unscaled, with the channels `cnn_channels`.

    Raises
    ------
    ValueError
        The dataset lacks the total one.
    """
    if CHANNEL not in dataset.channels:
        raise ValueError(
            f"the paper's network learns from channel '{CHANNEL}', which the fingerprints of '{dataset.name}' lack; "
            "add it under fingerprint: channels:"
        )
    columns = [dataset.channels.index(channel) for channel in cnn_channels(dataset)]
    every = columns == list(range(len(dataset.channels)))  # then a view will do
    return np.moveaxis(dataset.counts if every else dataset.counts[:, columns], 1, -1)


def learn_images(dataset: Dataset, build: Callable[[tuple[int, int, int]], Any]) -> Source:
    """Learn from the fingerprints, as they are, of the first initial edge of each compound, or of each file.

    Parameters
    ----------
    dataset : Dataset
        What to learn from.
    build : callable
        Makes the network for images of a shape.
    """
    images, rows = cnn_images(dataset), first_rows(dataset)

    def inputs_of(train: NDArray[np.int64]) -> Fitted:
        return Fitted(lambda asked: (images[asked],), {"channels": cnn_channels(dataset)}, {})

    return Source(rows, False, inputs_of, lambda: build(images.shape[1:]), rows_digest(images, rows))


def learn(dataset: Dataset, structures: Sequence[Structure], settings: CnnPaper) -> Source:
    """Learn from the fingerprints, as they are, of the first initial edge of each compound, or of each file."""
    return learn_images(dataset, build_cnn_paper)


def apply(card: Mapping[str, Any], folder: Path, dataset: Dataset, structures: Sequence[Structure]) -> Applied:
    """Make the images of a dataset to be predicted.

    Raises
    ------
    ModelError
        The network is of a version that divided its images by a number.
    """
    if "divided_by" in card:
        raise ModelError(f"{folder}: its network learned from fingerprints on another scale; train it again")
    images, rows = cnn_images(dataset), first_rows(dataset)
    return Applied(rows, lambda asked: (images[rows[asked]],))
