"""Moments of the channels of named sites, as the networks that learn from them take them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hirshprint.datasets.gather import Dataset, same_edges, samples
from hirshprint.networks.cards import ModelError
from hirshprint.networks.interface import Batch, Inputs

LOG = logging.getLogger(__name__)

Array = NDArray[np.float64]


def joined_moments(dataset: Dataset) -> tuple[NDArray[np.int64], Array, Array] | None:
    """The moments of all structures of each compound side by side, where all compounds have the same initial edges.

    A compound that lacks one of them, since its surfaces failed, is left out.

    Returns
    -------
    rows : ndarray of int64, (m,)
        The first structure of each compound, increasing.
    moments : ndarray of float64, (m, p)
    edges : ndarray of float64, (m,)
        Zeros: they tell nothing.
    None
        Where the compounds differ in their edges.
    """
    if not same_edges(dataset):
        return None
    edges = np.unique(dataset.initial_edges)
    names, number, count = np.unique(samples(dataset), return_inverse=True, return_counts=True)
    if lacking := names[count < len(edges)].tolist():
        LOG.info("left out for want of a fingerprint at one of the edges: %s", ", ".join(lacking))
    whole = np.flatnonzero(count[number] == len(edges))
    by_edge = whole[np.lexsort((dataset.initial_edges[whole], number[whole]))].reshape(-1, len(edges))
    rows = by_edge[np.arange(len(by_edge)), dataset.draws[by_edge].argmin(axis=1)]
    by_row = np.argsort(rows)
    moments = dataset.moments[by_edge[by_row]].reshape(len(rows), -1)
    return rows[by_row], moments, np.zeros(len(rows))


def moment_rows(dataset: Dataset) -> tuple[NDArray[np.int64], Array, Array]:
    """Rows to learn from, increasing, their moments (m, p) and initial edges (m,): a row per compound if it can be."""
    every = np.arange(len(dataset.targets))
    return joined_moments(dataset) or (every, dataset.moments.reshape(len(every), -1), dataset.initial_edges)


def rows_of_card(card: Mapping[str, Any], folder: Path, dataset: Dataset) -> tuple[NDArray[np.int64], Array, Array]:
    """Rows to predict, their moments (m, p) and initial edges (m,): joined as in training (`moment_rows`).

    Raises
    ------
    ModelError
        The network learned from compounds at fixed edges, and these have others.
    """
    every = np.arange(len(dataset.targets))
    if card["edges_angstrom"] == "any":
        return every, dataset.moments.reshape(len(every), -1), dataset.initial_edges
    joined = joined_moments(dataset)
    if joined is None:
        raise ModelError(f"{folder}: its network needs fingerprints at the edges {card['edges_angstrom']} Å")
    return joined


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
