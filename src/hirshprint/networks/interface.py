"""What the module of a network has, the same for all of them: how it learns, and how it is used afterwards.

The module of a network has `RECIPE`, `learn` and `apply`, as `NetworkModule` describes them. Whatever is fitted
(scales, directions) is fitted on the training rows that `Source.inputs_of` is given.
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from hirshprint.config.learning import Learning
from hirshprint.datasets.gather import Dataset
from hirshprint.networks.registry import network
from hirshprint.structures.structure import Structure

ROWS_AT_ONCE = 1_024  # that are copied for a digest

Batch = tuple[NDArray[Any], ...]
Inputs = Callable[[NDArray[np.int64]], Batch]
Elements = Callable[[NDArray[np.int64]], NDArray[np.float32]]


class Settings(Protocol):
    """What the section of every network in the configuration has; each has more of its own."""

    @property
    def epochs(self) -> int:
        """Epochs of a training."""

    @property
    def batch_size(self) -> int:
        """Rows per step."""

    @property
    def learning_rate(self) -> float:
        """Largest step size."""

    @property
    def start_from(self) -> str:
        """Folder of models that trainings start from (`hirshprint.networks.start`); empty for random weights."""

    def written(self) -> dict[str, Any]:
        """Give all keys as a configuration file has them."""


class Recipe(NamedTuple):
    """How a network is trained.

    Attributes
    ----------
    huber : float or None
        Standard deviations of the target beyond which an error counts linearly; None: all are squared.
    weight_decay : float or None
        Share that weights are drawn towards zero, times the learning rate.
    plain : bool
        Whether the learning rate stays as it is, gradients are never clipped, and the target keeps its unit; else the
        rate rises and falls (`training.learning_rate`), and the target is standardised on the training rows.
    elements : float
        Weight of the cross-entropy of the elements that the network names beside the property (`Source.elements`).
    """

    huber: float | None = None
    weight_decay: float | None = None
    plain: bool = False
    elements: float = 0.0

    def scale(self, targets: NDArray[np.float64]) -> tuple[float, float]:
        """Mean and standard deviation of the training targets (n,), which the network's output is in units of.

        Parameters
        ----------
        targets : ndarray of float64, (n,)
            What is learned of each row (`Target.learned`).
        """
        return (0.0, 1.0) if self.plain else (float(targets.mean()), float(targets.std()) or 1.0)

    def scale_of(self, dataset: Dataset, rows: NDArray[np.int64]) -> tuple[float, float]:
        """What is learned of the training rows of a dataset is shifted and divided by these; not at all of answers.

        Parameters
        ----------
        dataset : Dataset
            What to learn from.
        rows : ndarray of int64
            Its training rows.
        """
        if dataset.target.answers:
            return 0.0, 1.0
        return self.scale(dataset.target.learned(dataset.targets, dataset.atoms)[rows])


class Fitted(NamedTuple):
    """What is fitted on the training rows of a fold.

    Attributes
    ----------
    inputs : callable
        Makes the network's inputs for some rows of the dataset.
    card : dict
        What the network's card must say of its inputs; it fits into JSON.
    arrays : dict of ndarray
        What the use of the network needs beside its card.
    """

    inputs: Inputs
    card: dict[str, Any]
    arrays: dict[str, NDArray[Any]]


class Source(NamedTuple):
    """What a network learns from.

    Attributes
    ----------
    rows : ndarray, (m,)
        Rows of the dataset that it uses.
    joined : bool
        Whether a row counts for all structures of its compound.
    inputs_of : callable
        Fits the inputs on the training rows of a fold.
    build : callable
        Makes the network.
    digest : str
        Of all data that the inputs come from.
    elements : callable or None
        Shares (rows, sites, elements) that a network learns to name beside the property; its output is then the
        property and a logit for each.
    """

    rows: NDArray[np.int64]
    joined: bool
    inputs_of: Callable[[NDArray[np.int64]], Fitted]
    build: Callable[[], Any]
    digest: str
    elements: Elements | None = None


class Applied(NamedTuple):
    """Inputs of a trained network for a dataset to be predicted.

    Attributes
    ----------
    rows : ndarray, (m,)
        Rows of the dataset that it predicts.
    inputs : callable
        Makes the inputs for some of these rows, by their place among them.
    """

    rows: NDArray[np.int64]
    inputs: Inputs


class NetworkModule(Protocol):
    """The module of a network."""

    __name__: str
    RECIPE: Recipe

    def learn(self, dataset: Dataset, structures: Sequence[Structure], settings: Any) -> Source:
        """Say what the network learns from; `settings` is its section of the configuration."""

    def apply(
        self, card: Mapping[str, Any], folder: Path, dataset: Dataset, structures: Sequence[Structure]
    ) -> Applied:
        """Make the inputs of a trained network: `card` is what `Fitted.card` said, its arrays are in `folder`."""


def module_of(name: str) -> NetworkModule:
    """Import the module of a network; Keras knows the network's own layers from then on.

    Raises
    ------
    UnknownNameError
        There is no network of this name.
    """
    return cast("NetworkModule", importlib.import_module(f"hirshprint.networks.{network(name).name}"))


def settings_of(learning: Learning, name: str) -> Settings:
    """Find the section of a network in the configuration's section ``learning``."""
    return cast("Settings", getattr(learning, network(name).name))


def array_digest(*arrays: NDArray[Any]) -> str:
    """Hexadecimal SHA-256 of types, shapes and contents of arrays.

    Parameters
    ----------
    *arrays : ndarray
        Arrays of any type and shape.
    """
    total = hashlib.sha256()
    for array in arrays:
        total.update(f"{array.dtype}{array.shape}".encode())
        total.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return total.hexdigest()


def rows_digest(array: NDArray[Any], rows: NDArray[np.int64]) -> str:
    """Digest (`array_digest`) of some rows of an array, of which only a part is copied at a time.

    Parameters
    ----------
    array : ndarray, (m, ...)
        Of any type.
    rows : ndarray of int64, (n,)
        Rows of `array`, in the order that counts.
    """
    total = hashlib.sha256(f"{array.dtype}{(len(rows), *array.shape[1:])}".encode())
    for start in range(0, len(rows), ROWS_AT_ONCE):
        total.update(array[rows[start : start + ROWS_AT_ONCE]].tobytes())
    return total.hexdigest()
