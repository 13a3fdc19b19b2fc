"""The fingerprint network of the paper: J. Phys. Chem. Lett. 2020, 11, 7462, a small VGG with one output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hirshprint.config.learning import CnnPaper
from hirshprint.datasets.gather import Dataset, first_rows
from hirshprint.networks.backend import keras
from hirshprint.networks.interface import Applied, Fitted, Recipe, Source, rows_digest
from hirshprint.structures.structure import Structure

RECIPE = Recipe()
CHANNEL = "total"
KINDS = ("anion", "cation")
AT_ONCE = 8_192  # images that are squared at a time


def build_cnn_paper(input_shape: tuple[int, int, int]) -> Any:
    """Build the network: blocks of 3 × 3 convolution, ReLU and max pooling, then dense layers.

    Parameters
    ----------
    input_shape : tuple (int, int, int)
        (bins of d_i, bins of d_e, channels).
    """
    image = keras.Input(shape=input_shape, name="image")
    features = image
    for filters in (16, 32, 64):
        convolution = keras.layers.Conv2D(filters, 3, padding="same", activation="relu", kernel_initializer="he_normal")
        features = keras.layers.MaxPooling2D(2)(convolution(features))
    features = keras.layers.Flatten()(features)
    for width in (128, 64):
        features = keras.layers.Dense(width, activation="relu", kernel_initializer="he_normal")(features)
    return keras.Model([image], keras.layers.Dense(1)(features), name="cnn_paper")


def cnn_channels(dataset: Dataset) -> list[str]:
    """Channels that the network sees: the total one, as in the paper; without named sites also anions and cations."""
    return [CHANNEL, *(kind for kind in KINDS if kind in dataset.channels and not dataset.elements)]


def cnn_images(dataset: Dataset) -> NDArray[np.float32]:
    """Return (n, b, b, c) images of the fingerprints, unscaled, with the channels `cnn_channels`.

    Raises
    ------
    ValueError
        The dataset lacks the total one.
    """
    if CHANNEL not in dataset.channels:
        raise ValueError(
            f"cnn_paper learns from channel '{CHANNEL}', which the fingerprints of '{dataset.name}' lack; "
            "add it under fingerprint: channels:"
        )
    columns = [dataset.channels.index(channel) for channel in cnn_channels(dataset)]
    every = columns == list(range(len(dataset.channels)))  # then a view will do
    return np.moveaxis(dataset.counts if every else dataset.counts[:, columns], 1, -1)


def image_scale(images: NDArray[np.float32], train: NDArray[np.int64]) -> float:
    """Root mean square of the training images: what all images are divided by.

    Parameters
    ----------
    images : ndarray of float32, (n, b, b, channels)
        Images of all rows.
    train : ndarray of int64
        Rows to fit on; nothing of the others is looked at.
    """
    squares = [
        np.mean(np.square(images[part], dtype=np.float64)) * (len(part) / len(train))
        for part in np.split(train, range(AT_ONCE, len(train), AT_ONCE))
    ]
    return float(np.sqrt(sum(squares))) or 1.0


def learn(dataset: Dataset, structures: Sequence[Structure], settings: CnnPaper) -> Source:
    """Learn from the images of the first initial edge of each compound, or of each file."""
    images, rows = cnn_images(dataset), first_rows(dataset)

    def inputs_of(train: NDArray[np.int64]) -> Fitted:
        scale = image_scale(images, train)
        seen = {"channels": cnn_channels(dataset), "divided_by": scale}
        return Fitted(lambda asked: (images[asked] / np.float32(scale),), seen, {})

    return Source(rows, False, inputs_of, lambda: build_cnn_paper(images.shape[1:]), rows_digest(images, rows))


def apply(card: Mapping[str, Any], folder: Path, dataset: Dataset, structures: Sequence[Structure]) -> Applied:
    """Make the images of a dataset to be predicted, scaled as in training."""
    images, scale, rows = cnn_images(dataset), np.float32(card["divided_by"]), first_rows(dataset)
    return Applied(rows, lambda asked: (images[rows[asked]] / scale,))
