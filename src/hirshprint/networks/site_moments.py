"""Moments of the channels of named sites, as the networks that learn from them take them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hirshprint.datasets.gather import Dataset, same_edges, samples, side_by_side
from hirshprint.networks.cards import ModelError
from hirshprint.networks.interface import Batch, Inputs

Array = NDArray[np.float64]


def moment_rows(dataset: Dataset) -> tuple[NDArray[np.int64], Array, Array]:
    """Rows to learn from, increasing, their moments (m, p) and initial edges (m,): a row per compound if it can be.

    Where all compounds have the same edges, the moments at all of them stand side by side, and the edges are zeros:
    they tell nothing.
    """
    joined = side_by_side(dataset)
    if joined is None:
        every = np.arange(len(dataset.targets))
        return every, dataset.moments.reshape(len(every), -1), dataset.initial_edges
    rows, by_edge = joined
    return rows, dataset.moments[by_edge].reshape(len(rows), -1), np.zeros(len(rows))


def rows_of_card(card: Mapping[str, Any], folder: Path, dataset: Dataset) -> tuple[NDArray[np.int64], Array, Array]:
    """Rows to predict, their moments (m, p) and initial edges (m,): joined as in training (`moment_rows`).

    Raises
    ------
    ModelError
        The network learned from compounds at fixed edges, and these have others.
    """
    if card["edges_angstrom"] == "any":
        every = np.arange(len(dataset.targets))
        return every, dataset.moments.reshape(len(every), -1), dataset.initial_edges
    if not same_edges(dataset):
        raise ModelError(f"{folder}: its network needs fingerprints at the edges {card['edges_angstrom']} Å")
    return moment_rows(dataset)


def of_latest(latest: dict[Callable[[], Batch], Batch], made: Callable[[], Batch], rows: NDArray[np.int64]) -> Inputs:
    """Inputs of some rows from those of all, which are made when they are first asked for: of one fold at a time.

    `latest` is shared by the folds of a model, and holds what the last of them made.

    Parameters
    ----------
    latest : dict of callable to tuple of ndarray
        The inputs made last, by what made them; replaced when others are asked for.
    made : callable
        Makes the inputs of all of `rows`.
    rows : ndarray of int64, (n,)
        Increasing rows of the dataset that `made` gives the inputs of.
    """

    def inputs(some: NDArray[np.int64]) -> Batch:
        if made not in latest:
            latest.clear()
            latest[made] = made()
        return tuple(array[np.searchsorted(rows, some)] for array in latest[made])

    return inputs


def joins(dataset: Dataset, rows: NDArray[np.int64]) -> bool:
    """Say whether a row counts for all structures of its compound.

    Parameters
    ----------
    dataset : Dataset
        What the network learns from.
    rows : ndarray of int64, (n,)
        Rows of the dataset that count.
    """
    return len(rows) < len(dataset.targets)


def edges_seen(dataset: Dataset, rows: NDArray[np.int64]) -> dict[str, Any]:
    """Say which initial edges the network sees, Å, for its card.

    Parameters
    ----------
    dataset : Dataset
        What the network learns from.
    rows : ndarray of int64, (n,)
        Rows of the dataset that count.
    """
    edges = np.unique(dataset.initial_edges[np.isin(samples(dataset), samples(dataset)[rows])])
    every = len(rows) < len(dataset.targets) or len(edges) == 1
    return {"edges_angstrom": edges.tolist() if every else "any"}
