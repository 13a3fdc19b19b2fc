"""The network that the paper's authors use for small sets of measured edges.

It sees what `cnn_paper` sees. Its training is that of the other networks here, with a standardised target and a rate
that rises and falls: at the authors' constant rate it needs thousands of epochs to find the mean of the target.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hirshprint.config.learning import CnnPaperSmall
from hirshprint.datasets.gather import Dataset
from hirshprint.networks.backend import keras
from hirshprint.networks.cnn_paper import apply, learn_images
from hirshprint.networks.interface import Recipe, Source
from hirshprint.structures.structure import Structure

__all__ = ["RECIPE", "apply", "build_cnn_paper_small", "learn"]
RECIPE = Recipe()
PENALTY = 0.01
"""Of the squared weights of the dense layers; the authors' repository does not say how much, this is Keras' own."""


def build_cnn_paper_small(input_shape: tuple[int, int, int]) -> Any:
    """Build the network: three 3 × 3 convolutions of 32 filters, max pooling, dropout, two dense layers of 128.

    Parameters
    ----------
    input_shape : tuple (int, int, int)
        (bins of d_i, bins of d_e, channels).
    """
    image = keras.Input(shape=input_shape, name="image")
    features = image
    for strides, dropout in ((1, 0.5), (2, 0.5), (2, 0.0)):
        features = keras.layers.Conv2D(32, 3, strides=strides, padding="same", activation="relu")(features)
        features = keras.layers.MaxPooling2D(2, padding="same")(features)
        features = keras.layers.Dropout(dropout)(features) if dropout else features
    features = keras.layers.Flatten()(keras.layers.BatchNormalization()(features))
    for _ in range(2):
        dense = keras.layers.Dense(128, activation="relu", kernel_regularizer=keras.regularizers.L2(PENALTY))
        features = keras.layers.Dropout(0.5)(dense(features))
    return keras.Model([image], keras.layers.Dense(1)(features), name="cnn_paper_small")


def learn(dataset: Dataset, structures: Sequence[Structure], settings: CnnPaperSmall) -> Source:
    """Learn from the fingerprints, as they are, of the first initial edge of each compound, or of each file."""
    return learn_images(dataset, build_cnn_paper_small)
