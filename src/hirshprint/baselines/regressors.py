"""Small regressors for the baselines: arrays in, predictions for every row out.

Each takes inputs (n, p), targets (n,) and the numbers of the training rows; whatever is fitted, scaled or chosen comes
from those rows alone. All are deterministic.
"""

from __future__ import annotations

import logging
import math
import warnings
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

LOG = logging.getLogger(__name__)

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

HIDDEN = (48, 64, 64)  # of the element network: the embedding, then two layers with ReLU
EMBEDDING_SD = 0.01  # a small start lets elements differ only as far as the targets ask for
LEARNING_RATE = 5e-3
WEIGHT_DECAY = 0.05
HUBER = 0.1  # sd of the training targets beyond which an error counts linearly
EPOCHS, STEPS = 60, 1500  # at least; small tables need more epochs to make the steps
WARM_UP = 0.05  # share of the steps

SVR_SETTINGS = ((10.0, 1.0), (30.0, 0.3), (100.0, 0.1), (100.0, 0.03))  # C, gamma times the number of inputs
SVR_EPSILON = 0.02  # sd of the training targets
SVR_ROWS = 20_000  # most rows that the machine learns from
SVR_FOLDS, SVR_CHOICE_ROWS = 3, 1500  # of the choice; its time grows with the square of the rows

SIGMAS = np.geomspace(0.05, 0.8, 13)  # of the kernel regression, in standardised inputs, per square root of p
SIGMA_ROWS = 10_000  # most training rows that the width is chosen by
BLOCK = 512  # rows whose distances are held at a time
DISTANCES = 10_000_000  # that are held at a time

PROCESS_ROWS = 2_000  # most rows that a Gaussian process learns from: its time grows with their third power

MAP_EDGE = 50  # most neurons along an edge of the Kohonen map
MAP_EPOCHS = 30


def column_scales(inputs: Floats, train: Rows) -> tuple[Floats, Floats]:
    """Mean and sd of each column's known training values, (p,) each; the sd is 0 where they do not vary.

    Parameters
    ----------
    inputs : ndarray of float64, (n, p)
        Inputs of all rows, those to fit on and those to predict.
    train : ndarray of int64
        Rows to fit on; nothing of the others is looked at.
    """
    known = np.isfinite(inputs[train])
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, inputs[train], 0.0).sum(axis=0) / count
    sd = np.sqrt((np.where(known, inputs[train] - mean, 0.0) ** 2).sum(axis=0) / count)
    return mean, np.where(sd > 1e-9 * np.maximum(np.abs(mean), 1.0), sd, 0.0)


def standardised(inputs: Floats, train: Rows) -> Floats:
    """Shift and scale each column by mean and sd of its known training values; what is not known becomes the mean.

    Columns that do not vary in the training rows are left out.

    Parameters
    ----------
    inputs : ndarray of float64, (n, p)
        Inputs of all rows, those to fit on and those to predict.
    train : ndarray of int64
        Rows to fit on; nothing of the others is looked at.
    """
    mean, sd = column_scales(inputs, train)
    varies = sd > 0
    scaled: Floats = np.nan_to_num((inputs[:, varies] - mean[varies]) / sd[varies], nan=0.0)
    return scaled


def element_network(inputs: Floats, targets: Floats, train: Rows, seed: int) -> Floats:
    """A perceptron on one-hot elements: its first, linear layer holds one trained vector per element and site.

    Huber loss, AdamW, a linear warm-up and half a cosine; the weights after the last epoch count. `seed` draws the
    first weights and the order of the rows. Batches of a thirtieth of the training rows, 8 to 128.

    Parameters
    ----------
    inputs : ndarray of float64, (n, p)
        Inputs of all rows, those to fit on and those to predict.
    targets : ndarray of float64, (n,)
        Property of each row.
    train : ndarray of int64
        Rows to fit on; nothing of the others is looked at.
    seed : int
        Draws the first weights and the order of the rows.
    """
    mean, sd = _mean_sd(targets[train])
    x, y = inputs[train], (targets[train] - mean) / sd
    generator = np.random.default_rng(seed)
    sizes = (inputs.shape[1], *HIDDEN, 1)
    weights: list[Floats] = []
    for layer, (n_in, n_out) in enumerate(pairwise(sizes)):
        start = EMBEDDING_SD if layer == 0 else math.sqrt((1 if layer == 1 else 2) / n_in)
        if layer == len(HIDDEN):
            start *= 0.3  # first predictions near the mean
        weights += [generator.normal(0.0, start, (n_in, n_out)), np.zeros(n_out)]
    parts = math.ceil(len(train) / min(max(len(train) // 30, 8), 128))
    epochs = max(EPOCHS, math.ceil(STEPS / parts))
    first, second = ([np.zeros_like(w) for w in weights] for _ in range(2))  # moments of the gradients
    step = 0
    for _ in range(epochs):
        for rows in np.array_split(generator.permutation(len(train)), parts):
            step += 1
            rate = LEARNING_RATE * _rate(step / (epochs * parts))
            for k, gradient in enumerate(_gradients(weights, x[rows], y[rows])):
                first[k] += 0.1 * (gradient - first[k])
                second[k] += 0.001 * (gradient**2 - second[k])
                change = first[k] / (1 - 0.9**step) / (np.sqrt(second[k] / (1 - 0.999**step)) + 1e-8)
                decay = WEIGHT_DECAY * weights[k] if weights[k].ndim == 2 else 0.0  # not of the biases
                weights[k] -= rate * (change + decay)
    predicted: Floats = _layers(weights, inputs)[-1][:, 0] * sd + mean
    return predicted


def support_vectors(inputs: Floats, targets: Floats, train: Rows) -> Floats:
    """Support-vector regression with a Gaussian kernel; C and width chosen by cross-validation of training rows.

    Of more than `SVR_ROWS` training rows so many are drawn: time grows with the square of their number.

    Parameters
    ----------
    inputs : ndarray of float64, (n, p)
        Inputs of all rows, those to fit on and those to predict.
    targets : ndarray of float64, (n,)
        Property of each row.
    train : ndarray of int64
        Rows to fit on; nothing of the others is looked at.
    """
    from sklearn.svm import SVR

    x = standardised(inputs, train)
    mean, sd = _mean_sd(targets[train])
    y = (targets - mean) / sd

    def predicted(setting: tuple[float, float], fitted: Rows, asked: Floats) -> Floats:
        cost, width = setting
        machine = SVR(C=cost, gamma=width / max(x.shape[1], 1), epsilon=SVR_EPSILON, cache_size=300)
        values: Floats = machine.fit(x[fitted], y[fitted]).predict(asked)
        return values

    if x.shape[1] == 0:
        return np.full(len(targets), mean)
    tried = np.random.default_rng(0).permutation(train)[:SVR_CHOICE_ROWS]
    held_parts = np.array_split(tried, min(SVR_FOLDS, len(tried)))

    def error(setting: tuple[float, float]) -> float:
        return sum(
            float(np.abs(predicted(setting, np.setdiff1d(tried, held), x[held]) - y[held]).sum()) for held in held_parts
        )

    fitted = train
    if len(train) > SVR_ROWS:
        fitted = np.sort(np.random.default_rng(0).permutation(train)[:SVR_ROWS])
        LOG.info(f"svr learns from {SVR_ROWS:,} of {len(train):,} training rows, drawn at random")
    return predicted(min(SVR_SETTINGS, key=error), fitted, x) * sd + mean


def gaussian_process(inputs: Floats, targets: Floats, train: Rows) -> Floats:
    """Gaussian process with a Matérn kernel (smoothness 5/2) and noise, fitted by the likelihood of the training rows.

    Of more than `PROCESS_ROWS` training rows so many are drawn.

    Parameters
    ----------
    inputs : ndarray of float64, (n, p)
        Inputs of all rows, those to fit on and those to predict.
    targets : ndarray of float64, (n,)
        Property of each row.
    train : ndarray of int64
        Rows to fit on; nothing of the others is looked at.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

    x = standardised(inputs, train)
    if x.shape[1] == 0:
        return np.full(len(targets), targets[train].mean())
    if len(train) > PROCESS_ROWS:
        train = np.random.default_rng(0).choice(train, PROCESS_ROWS, replace=False)
    kernel = ConstantKernel(1.0, (1e-3, 1e5)) * Matern(np.sqrt(x.shape[1]), (1e-3, 1e5), nu=2.5)
    process = GaussianProcessRegressor(kernel + WhiteKernel(1e-2, (1e-6, 1e1)), normalize_y=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a bound is reached where nothing can be learned
        process.fit(x[train], targets[train])
    predicted: Floats = process.predict(x)
    return predicted


def kernel_regression(inputs: Floats, targets: Floats, train: Rows) -> Floats:
    """General regression neural network: the mean of the training targets, weighted by exp(-d² / 2σ²).

    D. F. Specht, IEEE Trans. Neural Networks 2, 568 (1991), doi 10.1109/72.97934. d is the Euclidean distance of the
    standardised inputs over √p; the σ of `SIGMAS` with the least absolute error counts, each training row (of very many
    `SIGMA_ROWS`) predicted from the others.

    Parameters
    ----------
    inputs : ndarray of float64, (n, p)
        Inputs of all rows, those to fit on and those to predict.
    targets : ndarray of float64, (n,)
        Property of each row.
    train : ndarray of int64
        Rows to fit on; nothing of the others is looked at.
    """
    x = standardised(inputs, train)
    x /= math.sqrt(max(x.shape[1], 1))
    errors = np.zeros(len(SIGMAS))
    block = min(BLOCK, max(1, DISTANCES // len(train)))
    asked = np.arange(len(train))
    if len(train) > SIGMA_ROWS:
        asked = np.sort(np.random.default_rng(0).permutation(len(train))[:SIGMA_ROWS])
    for part in np.split(asked, range(block, len(asked), block)):
        rows = train[part]
        squared = _squared_distances(x[rows], x[train])
        squared[np.arange(len(rows)), part] = np.inf  # a row does not predict itself
        for k, sigma in enumerate(SIGMAS):
            errors[k] += np.abs(_weighted(squared, targets[train], sigma) - targets[rows]).sum()
    sigma = SIGMAS[np.argmin(errors)]
    blocks = [x[start : start + block] for start in range(0, len(x), block)]
    return np.concatenate([_weighted(_squared_distances(one, x[train]), targets[train], sigma) for one in blocks])


def counter_propagation(inputs: Floats, targets: Floats, train: Rows) -> Floats:
    """Counter-propagation network: a Kohonen map of the inputs and, on the same neurons, an output layer.

    After J. Zupan, Acta Chim. Slov. 41, 327 (1994), and I. Kuzmanovski, M. Novič, "Counter-propagation neural networks
    in Matlab" (2007): the neuron nearest in the inputs wins, the weights of both layers around it are corrected towards
    inputs and target, less with the distance on the map and in a neighbourhood that shrinks to the winner alone; a
    prediction is the output weight of the winner. Kohonen's batch rule is used here: once per epoch each neuron becomes
    the neighbourhood-weighted mean of the training rows. That, and a start on the plane of the two principal
    components, needs no random numbers. The square map has about a neuron per training row, at most 50 × 50.

    Parameters
    ----------
    inputs : ndarray of float64, (n, p)
        Inputs of all rows, those to fit on and those to predict.
    targets : ndarray of float64, (n,)
        Property of each row.
    train : ndarray of int64
        Rows to fit on; nothing of the others is looked at.
    """
    x = standardised(inputs, train)
    if x.shape[1] < 2:
        x = np.column_stack([x, np.zeros((len(x), 2 - x.shape[1]))])
    known, y = x[train], targets[train]
    edge = int(np.clip(round(math.sqrt(len(train))), 2, MAP_EDGE))
    places = np.stack(np.divmod(np.arange(edge**2), edge), axis=1)
    apart = np.abs(places[:, None] - places).max(axis=2)  # rings of a square neighbourhood
    _, spread, axes = np.linalg.svd(known - known.mean(axis=0), full_matrices=False)
    plane = np.zeros((2, x.shape[1]))
    found = min(2, len(spread))
    plane[:found] = 1.5 * spread[:found, None] / math.sqrt(len(train)) * axes[:found]
    neurons = known.mean(axis=0) + (2 * places / (edge - 1) - 1) @ plane
    outputs = np.full(edge**2, y.mean())
    for epoch in range(MAP_EPOCHS):
        radius = edge / 2 * (1 - epoch / (MAP_EPOCHS - 1))
        sums = np.zeros((edge**2, x.shape[1] + 2))
        np.add.at(sums, _winners(neurons, known), np.column_stack([known, y, np.ones(len(y))]))
        sums = np.maximum(1 - apart / (radius + 1), 0) @ sums
        reached = sums[:, -1] > 0
        neurons[reached] = sums[reached, :-2] / sums[reached, -1:]
        outputs[reached] = sums[reached, -2] / sums[reached, -1]
    return outputs[_winners(neurons, x)]


def _mean_sd(values: Floats) -> tuple[float, float]:
    return float(values.mean()), float(values.std()) or 1.0


def _rate(done: float) -> float:
    """Learning rate relative to its peak, at a share of the steps: a linear rise, then half a cosine down to zero."""
    return done / WARM_UP if done < WARM_UP else 0.5 * (1 + math.cos(math.pi * (done - WARM_UP) / (1 - WARM_UP)))


def _layers(weights: list[Floats], x: Floats) -> list[Floats]:
    """Inputs and what each layer makes of them; the first layer (the embedding) and the last one are linear."""
    found = [x]
    for k in range(0, len(weights), 2):
        values = found[-1] @ weights[k] + weights[k + 1]
        found.append(values if k in (0, len(weights) - 2) else np.maximum(values, 0.0))
    return found


def _gradients(weights: list[Floats], x: Floats, y: Floats) -> list[Floats]:
    """Gradient of the mean Huber loss (in units of `HUBER`) for each of the weights."""
    layers = _layers(weights, x)
    back = np.clip((layers[-1][:, 0] - y) / HUBER, -1.0, 1.0)[:, None] / len(y)
    found = [np.zeros(0)] * len(weights)
    for k in range(len(weights) - 2, -1, -2):
        before = layers[k // 2]
        found[k], found[k + 1] = before.T @ back, back.sum(axis=0)
        back = back @ weights[k].T
        if k > 2:
            back = back * (before > 0)
    return found


def _squared_distances(a: Floats, b: Floats) -> Floats:
    found: Floats = np.maximum((a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T, 0.0)
    return found


def _weighted(squared: Floats, values: Floats, sigma: float) -> Floats:
    least = squared.min(axis=1, keepdims=True)  # so that far from all rows the nearest one still has weight 1
    weights = np.exp(-(squared - least) / (2 * sigma**2))
    mean: Floats = weights @ values / weights.sum(axis=1)
    return mean


def _winners(neurons: Floats, x: Floats) -> Rows:
    """Number of the neuron nearest to each row."""
    lengths = (neurons**2).sum(axis=1)
    blocks = [x[start : start + BLOCK] for start in range(0, len(x), BLOCK)]
    return np.concatenate([np.argmin(lengths - 2 * block @ neurons.T, axis=1) for block in blocks])


def varying(inputs: Floats, train: Rows) -> Floats:
    """Inputs (n, f) without those that are alike in all training rows; none is left where these have one composition.

    scikit-learn fails on a column of NaN.

    Parameters
    ----------
    inputs : ndarray of float64, (n, m)
        May have NaN.
    train : ndarray of int64
        Rows of the training part.
    """
    known = np.nan_to_num(inputs[train], nan=np.inf)
    return inputs[:, (known != known[0]).any(axis=0)]


def least_leaf(rows: int) -> int:
    """Fewest training rows that a leaf of boosted trees holds: the usual 20, fewer where there are few rows.

    With 20 a set of forty has no tree at all, and its mean would pass for a model.

    Parameters
    ----------
    rows : int
        Training rows.
    """
    return min(20, max(2, rows // 20))
