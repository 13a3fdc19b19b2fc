from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from hirshprint.baselines.regressors import (
    HUBER,
    _gradients,
    _layers,
    counter_propagation,
    kernel_regression,
    least_leaf,
    standardised,
    support_vectors,
)

ON_PROPERTIES = [support_vectors, kernel_regression, counter_propagation]
Fit = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


@pytest.mark.parametrize("fit", ON_PROPERTIES)
def test_smooth_functions_of_the_inputs_are_learned(fit: Fit) -> None:
    inputs = np.random.default_rng(1).uniform(-1, 1, size=(400, 2)) * [1, 1000]
    targets = np.sin(2 * inputs[:, 0]) + inputs[:, 1] / 2000
    predicted = fit(np.column_stack([inputs, np.full(400, np.nan)]), targets, np.arange(300))
    assert predicted.shape == (400,)
    assert np.abs(predicted - targets)[300:].mean() < 0.1


@pytest.mark.parametrize("fit", ON_PROPERTIES)
def test_inputs_that_say_nothing_give_the_mean(fit: Fit) -> None:
    np.testing.assert_allclose(fit(np.full((6, 3), np.nan), np.arange(6.0), np.arange(4)), 1.5)


def test_kernel_regression_keeps_to_the_nearest_row_far_away() -> None:
    inputs = np.array([[0.0], [1.0], [2.0], [3.0], [1e6]])
    np.testing.assert_allclose(kernel_regression(inputs, np.array([0.0, 1, 2, 3, 0]), np.arange(4))[4], 3)


def test_columns_are_scaled_by_training_rows_and_gaps_are_the_mean() -> None:
    inputs = np.array([[1.0, 5, 1], [3, 5, np.nan], [7, 9, 3], [np.nan, 1, np.nan]])
    scaled = standardised(inputs, np.arange(2))
    np.testing.assert_allclose(scaled, [[-1], [1], [5], [0]])


def test_gradients_are_those_of_the_huber_loss() -> None:
    generator = np.random.default_rng(0)
    sizes = (5, 3, 4, 1)
    weights = [
        part
        for n_in, n_out in pairwise(sizes)
        for part in (generator.normal(size=(n_in, n_out)), generator.normal(size=n_out))
    ]
    x, y = generator.normal(size=(7, 5)), generator.normal(size=7)

    def loss() -> float:
        error = np.abs(_layers(weights, x)[-1][:, 0] - y)
        return float(np.where(error < HUBER, error**2 / 2 / HUBER, error - HUBER / 2).mean())

    for array, gradient in zip(weights, _gradients(weights, x, y), strict=True):
        for place in np.ndindex(array.shape):
            kept = array[place]
            array[place] = kept + 1e-6
            above = loss()
            array[place] = kept - 1e-6
            slope = (above - loss()) / 2e-6
            array[place] = kept
            assert gradient[place] == pytest.approx(slope, abs=1e-6)


def test_leaves_of_boosted_trees_are_small_where_rows_are_few() -> None:
    assert [least_leaf(rows) for rows in (10, 40, 106, 400, 5000)] == [2, 2, 5, 20, 20]
