"""A training of the plan, and what it leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hirshprint.datasets.folds import Fold
from hirshprint.files.writing import written_whole
from hirshprint.networks.interface import Elements, Inputs, Settings
from hirshprint.networks.start import Start


@dataclass(frozen=True, eq=False)
class Unit:
    """One training: what to learn, from which rows, and how.

    Attributes
    ----------
    model : str
        Which training of the plan.
    split : str
        Which training of the plan.
    seed : int
        Which training of the plan.
    fold : Fold
        Which training of the plan: the rows that it predicts.
    learned : ndarray of int64
        Rows that it learns from: those of the training part, and further initial edges of their compounds.
    settings : Settings
        The model's section of the configuration.
    inputs : callable
        Gives the network's inputs for some rows of the dataset.
    scaling : dict
        What the inputs were scaled by, for the card.
    samples : ndarray of int64, (n,)
        Number of the sample that each row of the dataset is of; an epoch shows each sample once.
    arrays : dict of str to ndarray
        What the use of the network needs beside its card.
    start : Start or None
        What it starts from in place of random weights.
    elements : callable or None
        See `Source`.
    """

    model: str
    split: str
    seed: int
    fold: Fold
    learned: NDArray[np.int64]
    settings: Settings
    inputs: Inputs
    scaling: dict[str, Any]
    samples: NDArray[np.int64]
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)
    start: Start | None = None
    elements: Elements | None = None

    @property
    def name(self) -> str:
        """Stem of the unit's files."""
        return f"{self.model}-{self.split}-fold{self.fold.number}-seed{self.seed}"

    @cached_property
    def size(self) -> int:
        """Samples that an epoch shows."""
        return len(np.unique(self.samples[self.learned]))

    def epoch(self, number: int) -> NDArray[np.int64]:
        """Training rows of an epoch, shuffled: of a sample with several rows one, drawn anew in each epoch."""
        order = np.random.default_rng([self.seed, self.fold.number, number]).permutation(self.learned)
        first = np.unique(self.samples[order], return_index=True)[1]
        rows: NDArray[np.int64] = order[np.sort(first)]
        return rows


@dataclass(frozen=True, eq=False)
class Trained:
    """What a finished unit leaves: predictions for every row, weights, and how it went."""

    predicted: NDArray[np.float64]
    weights: list[NDArray[Any]]
    history: NDArray[np.float64]
    seconds: float
    device: str


def save_arrays(path: Path, arrays: Mapping[str, Any]) -> None:
    """Write named arrays (``.npz``), whole or not at all."""
    with written_whole(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)
