"""The read-out network: fingerprint → moments → which element sits on each site → property.

The moments of a fingerprint (`fingerprints.moments`) tell the elements apart; a network that learns from the bins does
not find it, because what differs between two lanthanides is a thousandth of what differs between two cells. What finds
it is a model in the other direction: the moments are a sum of what the element on each site contributes, a polynomial
of the initial edge. It is fitted in closed form on the training part, with the covariance of what it leaves. By Bayes'
rule it gives the probability of each element on each site, and that is what the network sees.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hirshprint.config.learning import Readout
from hirshprint.datasets.gather import Dataset
from hirshprint.datasets.splits import SITES
from hirshprint.files.reading import read_npz
from hirshprint.networks.backend import keras
from hirshprint.networks.interface import Applied, Batch, Fitted, Recipe, Source, array_digest
from hirshprint.networks.site_moments import edges_seen, joins, moment_rows, of_latest, rows_of_card
from hirshprint.structures.structure import Structure
from hirshprint.structures.symbols import SYMBOLS

RECIPE = Recipe(huber=0.05, weight_decay=0.01)
ELEMENTS = 103
FEATURES = 24
HIDDEN = (128, 64)
SMALL = 0.01
DEGREE = 6
"""Of the polynomials of the initial edge, where structures have edges of their own."""

ROUNDS = 6
"""Times that the contributions of each site are fitted to what those of the others leave."""

PRIOR_ROWS = 0.1
"""An element's contribution is shrunk towards zero as if so many more rows had none."""

LEAST = 1e-5
"""Directions in which what is left of the scaled moments scatters less than this are left out."""

ROWS_PER_DIRECTION = 8
"""Training rows that each direction kept must have: few compounds do not fix a covariance."""

NUMBERS_AT_ONCE = 4_000_000

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Reader:
    """Reads elements off moments.

    Attributes
    ----------
    middle, half : float
        Of the range of initial edges, Å; half is 0 where all rows have the same edges.
    trend : ndarray of float64, (t, p)
        Coefficients of the Chebyshev polynomials of the edge, for the moments of any compound.
    scale : ndarray of float64, (p,)
        What the rest is divided by.
    whitening : ndarray of float64, (p, q)
        Directions in which what the model leaves has unit covariance.
    contributions : tuple of ndarray of float64
        Per site (e, t, q) coefficients of what its elements numbers[site], Z - 1, add along them.
    """

    middle: float
    half: float
    trend: Array
    scale: Array
    whitening: Array
    contributions: tuple[Array, ...]
    numbers: tuple[NDArray[np.int64], ...]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything in it as named arrays, for a file."""
        by_site = {"contributions": self.contributions, "numbers": self.numbers}
        of_sites = {f"{name}_{SITES[k]}": one for name, all_ in by_site.items() for k, one in enumerate(all_)}
        single = {"middle": np.array(self.middle), "half": np.array(self.half)}
        return {"trend": self.trend, "scale": self.scale, "whitening": self.whitening} | single | of_sites

    def probabilities(self, moments: Array, edges: Array) -> NDArray[np.float32]:
        """Probability (n, sites, 103) of each element on each site from moments (n, p) at initial edges (n,) Å.

        Parameters
        ----------
        moments : ndarray of float64, (n, p)
            Moments of the fingerprint of each row.
        edges : ndarray of float64, (n,), Å
            Initial edges.
        """
        powers = _polynomials(edges, self.middle, self.half, len(self.trend))
        rest = ((moments - powers @ self.trend) / self.scale) @ self.whitening
        found = np.zeros((len(moments), len(self.numbers), ELEMENTS), np.float32)
        most = max(1, NUMBERS_AT_ONCE // int(np.prod([len(numbers) for numbers in self.numbers])))
        for rows in np.split(np.arange(len(moments)), range(most, len(moments), most)):
            for site, shares in enumerate(self._posterior(powers[rows], rest[rows])):
                found[rows[:, None], site, self.numbers[site]] = shares
        return found

    def _posterior(self, powers: Array, rest: Array) -> tuple[Array, ...]:
        """Per site the probabilities (n, e) of its elements, over all combinations, each as likely beforehand."""
        A, B, X = (np.einsum("nt,etq->neq", powers, one) for one in self.contributions)
        A = A - rest[:, None]
        a, b, x = (0.5 * np.sum(one**2, axis=2) for one in (A, B, X))
        half_distance = (a[:, :, None] + b[:, None] + A @ B.transpose(0, 2, 1))[:, :, :, None] + x[:, None, None]
        half_distance += (A @ X.transpose(0, 2, 1))[:, :, None] + (B @ X.transpose(0, 2, 1))[:, None]
        shares = np.exp(half_distance.min(axis=(1, 2, 3), keepdims=True) - half_distance)
        shares /= shares.sum(axis=(1, 2, 3), keepdims=True)
        return shares.sum(axis=(2, 3)), shares.sum(axis=(1, 3)), shares.sum(axis=(1, 2))


def read_reader(arrays: Mapping[str, NDArray[Any]]) -> Reader:
    """Rebuild a reader from `Reader.arrays`.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        The arrays of `Reader.arrays` by name.
    """
    by_site = (tuple(arrays[f"{name}_{site}"] for site in SITES) for name in ("contributions", "numbers"))
    single = (float(arrays["middle"]), float(arrays["half"]))
    return Reader(*single, arrays["trend"], arrays["scale"], arrays["whitening"], *by_site)


def fit_reader(moments: Array, edges: Array, elements: dict[str, NDArray[np.str_]], train: NDArray[np.int64]) -> Reader:
    """Fit the contributions of the elements on the training rows.

    Parameters
    ----------
    moments : ndarray of float64, (n, p)
        Moments of the fingerprint of each row.
    edges : ndarray of float64, (n,)
        Initial edges, Å, or all the same.
    elements : dict of str to ndarray of str
        Symbols (n,) by site.
    train : ndarray of int64
        Rows to fit on; nothing of the others is looked at.
    """
    x = moments[train]
    low, high = edges[train].min(), edges[train].max()
    middle, half = float(low + high) / 2, float(high - low) / 2
    powers = _polynomials(edges[train], middle, half, DEGREE + 1 if half else 1)
    trend: Array = np.linalg.lstsq(powers, x, rcond=None)[0].astype(np.float64)
    scatter = (x - powers @ trend).std(axis=0)
    scale: Array = np.where(scatter > LEAST * np.abs(x).max(axis=0), scatter, np.inf)
    left = (x - powers @ trend) / scale
    known = [np.unique(elements[site][train], return_inverse=True) for site in SITES]
    fitted = [np.zeros((len(symbols), powers.shape[1], x.shape[1])) for symbols, _ in known]
    prior = PRIOR_ROWS * np.eye(powers.shape[1])
    for _ in range(ROUNDS):
        for contributions, (symbols, label) in zip(fitted, known, strict=True):
            for k in range(len(symbols)):
                rows = label == k
                own = powers[rows]
                left[rows] += own @ contributions[k]
                contributions[k] = np.linalg.solve(own.T @ own + prior, own.T @ left[rows])
                left[rows] -= own @ contributions[k]
    _, size, directions = np.linalg.svd(left, full_matrices=False)
    size = size / np.sqrt(len(x))
    kept = (size > LEAST) & (np.arange(len(size)) < max(1, len(x) // ROWS_PER_DIRECTION))
    whitening = directions[kept].T / size[kept]
    numbers = tuple(np.array([SYMBOLS.index(symbol) for symbol in symbols]) for symbols, _ in known)
    return Reader(middle, half, trend, scale, whitening, tuple(one @ whitening for one in fitted), numbers)


def _polynomials(edges: Array, middle: float, half: float, number: int) -> Array:
    """The first Chebyshev polynomials of the edge, (n, number)."""
    reduced = (edges - middle) / half if half else np.zeros(len(edges))
    return np.polynomial.chebyshev.chebvander(reduced, number - 1).astype(np.float64)


def build_readout() -> Any:
    """Network on probabilities (n, 3, 103): a vector per element and site, averaged, then dense layers, one output."""
    inputs = keras.Input((len(SITES), ELEMENTS), name="elements")
    vectors = [site_vectors(inputs[:, k], site) for k, site in enumerate(SITES)]
    return keras.Model([inputs], dense_head(keras.layers.Concatenate()(vectors)), name="readout")


def site_vectors(elements: Any, site: str) -> Any:
    """(n, 103) → (n, `FEATURES`): a trained vector per element, small at first: elements differ as far as is asked."""
    start = keras.initializers.RandomNormal(stddev=SMALL)
    layer = keras.layers.Dense(FEATURES, use_bias=False, kernel_initializer=start, name=f"vectors_{site}")
    return layer(elements)


def dense_head(features: Any) -> Any:
    """Dense layers and one output."""
    for width in HIDDEN:
        features = keras.layers.Dense(width, activation="gelu")(features)
    return keras.layers.Dense(1)(features)


def learn(dataset: Dataset, structures: Sequence[Structure], settings: Readout) -> Source:
    """Learn from what is read off the moments of each compound, at all its initial edges."""
    rows, moments, edges = moment_rows(dataset)
    elements = {site: symbols[rows] for site, symbols in dataset.elements.items()}
    latest: dict[Callable[[], Batch], Batch] = {}

    def inputs_of(train: NDArray[np.int64]) -> Fitted:
        reader = fit_reader(moments, edges, elements, np.searchsorted(rows, train))

        def made() -> Batch:
            return (reader.probabilities(moments, edges),)

        return Fitted(of_latest(latest, made, rows), edges_seen(dataset, rows), reader.arrays())

    return Source(rows, joins(dataset, rows), inputs_of, build_readout, array_digest(moments, edges, rows))


def apply(card: Mapping[str, Any], folder: Path, dataset: Dataset, structures: Sequence[Structure]) -> Applied:
    """Read the elements of a dataset to be predicted, as the reader of the training does."""
    rows, moments, edges = rows_of_card(card, folder, dataset)
    probabilities = read_reader(read_npz(folder / card["arrays"], unit=folder)).probabilities(moments, edges)
    return Applied(rows, lambda asked: (probabilities[asked],))
