"""The read-out network: fingerprint → moments → which element sits on each site → property.

A linear map of the moments of a fingerprint (`fingerprints.moments`) tells the elements apart; a network that
learns from the bins does not find it, because what differs between two lanthanides is a thousandth of what differs
between two cells. The map is fitted in closed form on the training part (Fisher's linear discriminants, as in
scikit-learn), and what it gives, the probability of each element on each site, is what the network sees.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hirshprint.datasets import SITES, Dataset, samples
from hirshprint.models.backend import keras
from hirshprint.structures.symbols import SYMBOLS

ELEMENTS = 103
FEATURES = 24
HIDDEN = (128, 64)
SMALL = 0.01
TREND = 6
"""Degree of the polynomial of the edge that is taken off each moment, where structures have edges of their own."""

POWERS = 4
"""There the discriminants are polynomials of this degree in the initial edge."""

LEAST = 1e-5
"""Directions in which the standardised moments scatter less than this are left out."""

ROWS_PER_DIRECTION = 8
"""Training rows that each direction kept must have: few compounds do not fix many discriminants."""

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Reader:
    """Reads elements off moments.

    Attributes
    ----------
    middle, half : of the range of initial edges, Å; half is 0 where all rows have the same edges.
    trend : (t, p) coefficients of the powers of the edge, highest first.
    scale : (p,) what the moments are divided by after that.
    weights, offsets : per site (q, e) and (e,), the discriminants, for the elements numbers[site], Z - 1.
    """

    middle: float
    half: float
    trend: Array
    scale: Array
    weights: tuple[Array, ...]
    offsets: tuple[Array, ...]
    numbers: tuple[NDArray[np.int64], ...]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything in it as named arrays, for a file."""
        by_site = {"weights": self.weights, "offsets": self.offsets, "numbers": self.numbers}
        of_sites = {f"{name}_{SITES[k]}": one for name, all_ in by_site.items() for k, one in enumerate(all_)}
        single = {"middle": np.array(self.middle), "half": np.array(self.half)}
        return {"trend": self.trend, "scale": self.scale} | single | of_sites

    def probabilities(self, moments: Array, edges: Array) -> NDArray[np.float32]:
        """Probability (n, sites, 103) of each element on each site from moments (n, p) at initial edges (n,) Å."""
        inputs = _polynomials(moments, _reduced(edges, self.middle, self.half), self.trend, self.scale, self.half > 0)
        found = np.zeros((len(moments), len(self.weights), ELEMENTS), np.float32)
        for site, (weights, offsets) in enumerate(zip(self.weights, self.offsets, strict=True)):
            scores = inputs @ weights + offsets
            shares = np.exp(scores - scores.max(axis=1, keepdims=True))
            found[:, site, self.numbers[site]] = shares / shares.sum(axis=1, keepdims=True)
        return found


def read_reader(arrays: Mapping[str, NDArray[Any]]) -> Reader:
    """Rebuild a reader from `Reader.arrays`."""
    by_site = (tuple(arrays[f"{name}_{site}"] for site in SITES) for name in ("weights", "offsets", "numbers"))
    return Reader(float(arrays["middle"]), float(arrays["half"]), arrays["trend"], arrays["scale"], *by_site)


def joined_moments(dataset: Dataset) -> tuple[NDArray[np.int64], Array, Array] | None:
    """The moments of all structures of each compound side by side, where all compounds have the same initial edges.

    A compound that lacks one of them, since its surfaces failed, is left out.

    Returns
    -------
    rows : (m,) the first structure of each compound, increasing.
    moments : (m, p).
    edges : (m,) zeros: they tell nothing.
    None where the compounds differ in their edges.
    """
    sample, edges = samples(dataset), np.unique(dataset.initial_edges)
    names, number, count = np.unique(sample, return_inverse=True, return_counts=True)
    if not np.isfinite(edges).all() or len(edges) * len(names) > 2 * len(sample):
        return None
    if lacking := names[count < len(edges)].tolist():
        print(f"left out for want of a fingerprint at one of the edges: {', '.join(lacking)}", flush=True)
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


def fit_reader(moments: Array, edges: Array, elements: dict[str, NDArray[np.str_]], train: NDArray[np.int64]) -> Reader:
    """Fit the discriminants on the training rows.

    Parameters
    ----------
    moments, edges : (n, p), and (n,) Å or all the same.
    elements : symbols (n,) by site.
    train : rows to fit on; nothing of the others is looked at.
    """
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    x = moments[train]
    low, high = edges[train].min(), edges[train].max()
    middle, half = float(low + high) / 2, float(high - low) / 2
    t = _reduced(edges[train], middle, half)
    powers = np.vander(t, TREND + 1 if half else 1)
    trend: Array = np.linalg.lstsq(powers, x, rcond=None)[0].astype(np.float64)
    scatter = (x - powers @ trend).std(axis=0)
    scale: Array = np.where(scatter > LEAST * np.abs(x).max(axis=0), scatter, np.inf)
    inputs = _polynomials(x, t, trend, scale, half > 0)
    middle_of = inputs.mean(axis=0)
    _, size, directions = np.linalg.svd(inputs - middle_of, full_matrices=False)
    size = size / np.sqrt(len(x))
    kept = (size > LEAST) & (np.arange(len(size)) < max(1, len(x) // ROWS_PER_DIRECTION))
    whitening = directions[kept].T / size[kept]
    white = (inputs - middle_of) @ whitening
    weights, offsets, numbers = [], [], []
    for site in SITES:
        symbols, label = np.unique(elements[site][train], return_inverse=True)
        scores, constant = np.zeros((white.shape[1], len(symbols))), np.zeros(len(symbols))
        if len(symbols) > 1:
            fitted = LinearDiscriminantAnalysis().fit(white, label)
            two = len(symbols) == 2  # then there is one score, for the second
            scores[:, -1 if two else slice(None)] = fitted.coef_[0] if two else fitted.coef_.T
            constant[-1 if two else slice(None)] = fitted.intercept_[0] if two else fitted.intercept_
        weights.append(whitening @ scores)
        offsets.append(constant - middle_of @ weights[-1])
        numbers.append(np.array([SYMBOLS.index(symbol) for symbol in symbols]))
    return Reader(middle, half, trend, scale, tuple(weights), tuple(offsets), tuple(numbers))


def _reduced(edges: Array, middle: float, half: float) -> Array:
    return (edges - middle) / half if half else np.zeros(len(edges))


def _polynomials(moments: Array, t: Array, trend: Array, scale: Array, varied: bool) -> Array:
    """Moments without their trend, and their products with powers of the edge: (n, q)."""
    rest = (moments - np.vander(t, len(trend)) @ trend) / scale
    return np.concatenate([rest * t[:, None] ** k for k in range(POWERS + 1 if varied else 1)], axis=1)


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
