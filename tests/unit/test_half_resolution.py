"""Fingerprints at half resolution: smoothed by one bin, then 2 × 2 bins added up."""

from __future__ import annotations

import numpy as np
import pytest

from hirshprint.fingerprints.half_resolution import half_resolution


def test_one_bin_becomes_a_gaussian_of_pairs() -> None:
    counts = np.zeros((12, 12), np.float32)
    counts[5, 6] = 3.0
    weights = np.exp(-0.5 * np.arange(-30, 31) ** 2)
    weights /= weights.sum()
    at = {k: float(weights[30 + k]) for k in range(-8, 8)}
    rows = [at[2 * k - 5] + at[2 * k + 1 - 5] for k in range(6)]
    columns = [at[2 * k - 6] + at[2 * k + 1 - 6] for k in range(6)]
    found = half_resolution(counts)
    assert found.shape == (6, 6)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, 3 * np.outer(rows, columns), atol=1e-6)
    assert found.sum() == pytest.approx(3.0, rel=1e-5)  # all is kept where nothing lies near the border


def test_near_the_border_what_is_smoothed_out_is_lost() -> None:
    counts = np.zeros((8, 8))
    counts[0, 4] = 1.0
    kept = half_resolution(counts).sum()
    middle = 1 / np.exp(-0.5 * np.arange(-30, 31) ** 2).sum()
    assert kept == pytest.approx(0.5 + middle / 2, rel=1e-3)


def test_an_odd_number_of_bins_leaves_the_last_alone() -> None:
    counts = np.random.default_rng(0).exponential(size=(2, 3, 7, 7)).astype(np.float32)
    found = half_resolution(counts)
    assert found.shape == (2, 3, 4, 4)
    padded = np.pad(counts, ((0, 0), (0, 0), (0, 1), (0, 1)))
    even = half_resolution(padded)
    np.testing.assert_allclose(found[..., :3, :3], even[..., :3, :3], rtol=1e-4)
    assert (found[..., 3, 3] < even[..., 3, 3]).all()  # which has a little of what was smoothed into the eighth bin
    np.testing.assert_allclose(found[1, 2], half_resolution(counts[1, 2]), rtol=1e-6)
