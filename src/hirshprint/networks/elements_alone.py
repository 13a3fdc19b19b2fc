"""The network of contacts without contacts: what a composition tells by itself, learned in the same way.

A compound is its elements and their shares, whatever its structure: beside `contacts`, `voronoi` and `cgcnn` it says
how much the neighbours of the atoms add.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hirshprint.config.learning import ElementsAlone
from hirshprint.datasets.contacts import taken
from hirshprint.datasets.gather import Dataset, first_rows
from hirshprint.networks.backend import keras
from hirshprint.networks.cgcnn import ElementEmbedding
from hirshprint.networks.contacts import HIDDEN, RECIPE, MeanAndLargest
from hirshprint.networks.interface import Applied, Fitted, Inputs, Source, array_digest
from hirshprint.structures.structure import Structure
from hirshprint.structures.symbols import SYMBOLS, composition

__all__ = ["RECIPE", "apply", "build_elements_alone", "learn"]


def build_elements_alone(features: int) -> Any:
    """Build the network: elements, their shares and whose they are → (s, 1), the scaled property.

    Parameters
    ----------
    features : int
        Numbers that each element has inside the network.
    """
    numbers, shares, owners = inputs = [
        keras.Input(shape=(), dtype=dtype, name=name)
        for name, dtype in (("numbers", "int32"), ("shares", "float32"), ("owners", "int32"))
    ]
    elements = keras.layers.Dense(features, activation="silu")(ElementEmbedding(features)(numbers))
    hidden = keras.layers.Dense(HIDDEN, activation="silu")(MeanAndLargest()(elements, shares, owners))
    return keras.Model(inputs, keras.layers.Dense(1)(hidden), name="elements_alone")


def learn(dataset: Dataset, structures: Sequence[Structure], settings: ElementsAlone) -> Source:
    """Learn from the elements of each compound and their shares."""
    offsets, numbers, shares = _elements(dataset.formulas)
    inputs = _inputs(offsets, numbers, shares)
    return Source(
        first_rows(dataset),
        False,
        lambda train: Fitted(inputs, {}, {}),
        lambda: build_elements_alone(settings.features),
        array_digest(offsets, numbers, shares),
    )


def apply(card: Mapping[str, Any], folder: Path, dataset: Dataset, structures: Sequence[Structure]) -> Applied:
    """Make the inputs for a dataset to be predicted."""
    rows = first_rows(dataset)
    inputs = _inputs(*_elements(dataset.formulas[rows]))
    return Applied(rows, inputs)


def _elements(
    formulas: NDArray[np.str_],
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]:
    """Atomic numbers of the elements of formulas and their shares, one formula after the other, and where each begins.

    Elements are in the order of their numbers: a formula says the same in any order.
    """
    counts = [composition(formula) for formula in formulas.tolist()]
    order = [sorted(count, key=SYMBOLS.index) for count in counts]
    offsets = np.cumsum([0, *map(len, order)])
    numbers = [SYMBOLS.index(symbol) + 1 for symbols in order for symbol in symbols]
    shares = [
        count[symbol] / sum(count.values()) for count, symbols in zip(counts, order, strict=True) for symbol in symbols
    ]
    return offsets, np.array(numbers, np.int32), np.array(shares, np.float32)


def _inputs(offsets: NDArray[np.int64], numbers: NDArray[np.int32], shares: NDArray[np.float32]) -> Inputs:
    def batch(asked: NDArray[np.int64]) -> tuple[NDArray[Any], ...]:
        begins, entries = taken(offsets, asked)
        return numbers[entries], shares[entries], np.repeat(np.arange(len(asked), dtype=np.int32), np.diff(begins))

    return batch
