"""Rows of compounds, at one edge or all of them, and moments of named sites, as networks take them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hirshprint.datasets.gather import Dataset, joined_rows, same_edges, samples
from hirshprint.networks.cards import ModelError
from hirshprint.networks.interface import Batch, Inputs

Array = NDArray[np.float64]


def moment_rows(dataset: Dataset) -> tuple[NDArray[np.int64], Array, Array]:
    """Rows to learn from, increasing, their moments (m, p) and initial edges (m,): a row per compound if it can be.

    Where all compounds have the same edges, the moments at all of them stand side by side, and the edges are zeros:
    they tell nothing.
    """
    return _moments_of(dataset, *joined_rows(dataset), told=not same_edges(dataset))


def rows_of_card(card: Mapping[str, Any], folder: Path, dataset: Dataset) -> tuple[NDArray[np.int64], Array, Array]:
    """Rows to predict, their moments (m, p) and initial edges (m,): joined as in training (`trained_rows`)."""
    rows, by_edge = trained_rows(card, folder, dataset)
    return _moments_of(dataset, rows, by_edge, told=card["edges_angstrom"] == "any")


def _moments_of(
    dataset: Dataset, rows: NDArray[np.int64], by_edge: NDArray[np.int64], told: bool
) -> tuple[NDArray[np.int64], Array, Array]:
    """Rows, the moments (m, p) of the structures (m, e) that they stand for, and the edges, zeros if not to be told."""
    edges = dataset.initial_edges[rows] if told else np.zeros(len(rows))
    return rows, dataset.moments[by_edge].reshape(len(rows), -1), edges


def trained_rows(
    card: Mapping[str, Any], folder: Path, dataset: Dataset
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows to predict, and (m, e) the structures that each stands for, as the network was trained (`joined_rows`).

    Raises
    ------
    ModelError
        The network learned from compounds at fixed edges, and these have others.
    """
    every = np.arange(len(dataset.targets))
    if card["edges_angstrom"] == "any":
        return every, every[:, None]
    if not same_edges(dataset) or np.unique(dataset.initial_edges).tolist() != card["edges_angstrom"]:
        raise ModelError(f"{folder}: its network needs fingerprints at the edges {card['edges_angstrom']} Å")
    return joined_rows(dataset)


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
