"""The convolutional network of fingerprints: what elements the sites have, and the property of these elements.

A compound is shown at many initial edges, another one in each epoch, so that the network learns what does not depend
on the edge. Beside the property it learns to name the element of each site: a fingerprint is nearly a sum of what its
elements contribute, so an element is recognised in compounds that training did not have, where a direct map from
pictures to a property learns its compounds by heart. At prediction it sees the fingerprint alone, never the edge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hirshprint.config.learning import Cnn
from hirshprint.datasets.gather import Dataset, DatasetError, joined_rows
from hirshprint.networks.backend import keras
from hirshprint.networks.cnn_paper import CHANNEL, total_channels
from hirshprint.networks.interface import Applied, Elements, Fitted, Recipe, Source, array_digest, rows_digest
from hirshprint.networks.readout import ELEMENTS, FEATURES, dense_head
from hirshprint.networks.site_moments import trained_rows
from hirshprint.structures.structure import Structure
from hirshprint.structures.symbols import SYMBOLS, composition

RECIPE = Recipe(huber=0.2, weight_decay=0.01, elements=0.3)
DIRECT = 32
DROPOUT = 0.1

Images = NDArray[np.float32]


def build_cnn(side: int, channels: int, sites: int) -> Any:
    """Build the network: three convolutions, the elements of the sites, and what these elements mean.

    Parameters
    ----------
    side : int
        Bins of a fingerprint at half resolution.
    channels : int
        Images of a compound.
    sites : int
        Sites whose elements are named.

    Returns
    -------
    Model
        Output (n, 1 + sites * `ELEMENTS`): the scaled property, and the logits of the elements.
    """
    image = keras.Input((side, side, channels), name="image")
    features = image
    for filters in (32, 64, 64):
        features = keras.layers.Conv2D(
            filters, 3, strides=2, padding="same", activation="gelu", kernel_initializer="he_normal"
        )(features)
    features = keras.layers.Dropout(DROPOUT)(keras.layers.Flatten()(features))
    features = keras.layers.Dense(256, activation="gelu", kernel_initializer="he_normal")(features)
    features = keras.layers.Dropout(DROPOUT)(features)
    vectors, logits = [keras.layers.Dense(DIRECT, activation="gelu")(features)], []
    small = keras.initializers.RandomNormal(stddev=0.05)
    for site in range(sites):
        logits.append(keras.layers.Dense(ELEMENTS, name=f"elements_{site}")(features))
        vector = keras.layers.Dense(FEATURES, use_bias=False, kernel_initializer=small, name=f"vectors_{site}")
        vectors.append(vector(keras.layers.Softmax()(logits[-1])))
    output = keras.layers.Concatenate()([dense_head(keras.layers.Concatenate()(vectors)), *logits])
    return keras.Model([image], output, name="cnn")


def cnn_channels(dataset: Dataset, wanted: str) -> list[str]:
    """Channels that the network sees: those of the sites, or the total one; without named sites also their kinds.

    Parameters
    ----------
    dataset : Dataset
        What is learned from.
    wanted : str
        ``total``: the total channel alone, as the paper's network; ``auto``: the sites where they have names.

    Raises
    ------
    DatasetError
        The fingerprints lack one of them.
    """
    if wanted == "auto" and dataset.elements and set(dataset.elements) <= set(dataset.halves):
        return list(dataset.elements)
    if CHANNEL not in dataset.halves:
        raise DatasetError(
            f"cnn learns from the channels of the sites or from 'total', which the fingerprints of '{dataset.name}' "
            "lack; add `site` or `total` under fingerprint: channels:"
        )
    return [CHANNEL] if wanted == "total" else total_channels(dataset, dataset.halves)


def element_shares(dataset: Dataset) -> Elements:
    """Shares (rows, sites, `ELEMENTS`) of the elements on each site; without named sites those of the compound."""
    column = {symbol: number for number, symbol in enumerate(SYMBOLS[:ELEMENTS])}
    if dataset.elements:
        places = np.array([[column.get(symbol, -1) for symbol in of.tolist()] for of in dataset.elements.values()]).T

        def of_sites(rows: NDArray[np.int64]) -> NDArray[np.float32]:
            found: NDArray[np.float32] = (places[rows][:, :, None] == np.arange(ELEMENTS)).astype(np.float32)
            return found

        return of_sites
    formulas, number = np.unique(dataset.formulas, return_inverse=True)
    shares = np.zeros((len(formulas), 1, ELEMENTS), np.float32)
    for row, formula in enumerate(formulas.tolist()):
        amounts = {column[s]: amount for s, amount in composition(formula).items() if s in column}
        shares[row, 0, list(amounts)] = np.array(list(amounts.values())) / (sum(amounts.values()) or 1.0)
    return lambda rows: shares[number[rows]]


def _images(dataset: Dataset, channels: Sequence[str], structures: NDArray[np.int64]) -> Images:
    """Square roots of the images (m, h, h, edges × channels) of (m, e) structures: empty and full bins stay apart."""
    found = [dataset.halves[channel][of_edge] for of_edge in structures.T for channel in channels]
    roots: Images = np.sqrt(np.stack(found, axis=-1))
    return roots


def learn(dataset: Dataset, structures: Sequence[Structure], settings: Cnn) -> Source:
    """Learn from the images of each compound: of all its edges at once where these are the same, else one by one.

    Raises
    ------
    DatasetError
        The fingerprints lack a channel.
    """
    channels = cnn_channels(dataset, settings.channels)
    rows, by_edge = joined_rows(dataset)
    side = dataset.halves[channels[0]].shape[-1]
    seen = np.unique(dataset.initial_edges).tolist() if by_edge.shape[1] > 1 else "any"

    def inputs_of(train: NDArray[np.int64]) -> Fitted:
        of_train = by_edge[np.searchsorted(rows, train)]
        squares = [float(dataset.halves[c][of_edge].mean(dtype=np.float64)) for of_edge in of_train.T for c in channels]
        scale = [value**0.5 or 1.0 for value in squares]  # the root mean square of square roots
        divisor = np.array(scale, np.float32)

        def inputs(asked: NDArray[np.int64]) -> tuple[Images]:
            return (_images(dataset, channels, by_edge[np.searchsorted(rows, asked)]) / divisor,)

        return Fitted(inputs, {"channels": channels, "edges_angstrom": seen, "divided_by": scale}, {})

    digests = [rows_digest(dataset.halves[channel], np.arange(len(dataset.targets))) for channel in channels]
    shares = element_shares(dataset)
    sites = shares(rows[:1]).shape[1]
    digest = array_digest(np.array(digests), by_edge, *dataset.elements.values(), dataset.formulas)
    edges = by_edge.shape[1]
    return Source(rows, edges > 1, inputs_of, lambda: build_cnn(side, edges * len(channels), sites), digest, shares)


def apply(card: Mapping[str, Any], folder: Path, dataset: Dataset, structures: Sequence[Structure]) -> Applied:
    """Make the images of a dataset to be predicted, scaled as in training."""
    rows, by_edge = trained_rows(card, folder, dataset)
    divisor = np.array(card["divided_by"], np.float32)
    return Applied(rows, lambda asked: (_images(dataset, card["channels"], by_edge[asked]) / divisor,))
