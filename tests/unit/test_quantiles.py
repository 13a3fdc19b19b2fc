from __future__ import annotations

import numpy as np

from hirshprint.fingerprints.quantiles import SHARES, quantiles


def test_quantiles_of_an_even_square_are_its_shares() -> None:
    counts = np.zeros((2, 10, 10), np.float32)
    counts[0, 2:6, 5:9] = 3.0
    even, empty = quantiles(counts)
    np.testing.assert_allclose(even[0], np.log(48.0))
    np.testing.assert_allclose(even[1:8], 0.2 + 0.4 * np.array(SHARES))
    np.testing.assert_allclose(even[8:], 0.5 + 0.4 * np.array(SHARES))
    assert not empty.any()


def test_finer_bins_and_more_area_leave_quantiles_as_they_are() -> None:
    generator = np.random.default_rng(0)
    coarse = generator.random((3, 2, 5, 5)).astype(np.float32)
    fine = coarse.repeat(2, axis=-2).repeat(2, axis=-1)
    np.testing.assert_allclose(quantiles(fine)[..., 1:], quantiles(coarse)[..., 1:], atol=1e-6)
    np.testing.assert_allclose(quantiles(7 * coarse)[..., 1:], quantiles(coarse)[..., 1:], atol=1e-6)
    assert quantiles(coarse).shape == (3, 2, 15)
