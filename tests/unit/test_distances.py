"""Distances between fingerprints, against what is known by hand and against scipy's general solver."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import wasserstein_distance_nd

from hirshprint.fingerprints.distances import earth_movers_distance, l1_distance

EDGES = np.linspace(0.76, 2.80, 51)
WIDTH = EDGES[1] - EDGES[0]


def one_bin(i: int, j: int) -> np.ndarray:
    counts = np.zeros((50, 50))
    counts[i, j] = 1.0
    return counts


def scattered(seed: int, bins: int = 50, filled: int = 60) -> np.ndarray:
    random = np.random.default_rng(seed)
    counts = np.zeros((bins, bins))
    counts[random.integers(0, bins, filled), random.integers(0, bins, filled)] = random.uniform(0.1, 1, filled)
    return counts / counts.sum()


def test_equal_fingerprints_have_no_distance() -> None:
    one = scattered(0)
    assert l1_distance(one, one) == 0
    assert earth_movers_distance(one, one, EDGES) == 0


@pytest.mark.parametrize(("i", "j"), [(10, 13), (14, 10), (13, 14)])
def test_one_bin_moves_in_a_straight_line(i: int, j: int) -> None:
    one, other = one_bin(10, 10), one_bin(i, j)
    assert l1_distance(one, other) == 2
    expected = WIDTH * np.hypot(i - 10, j - 10)
    assert earth_movers_distance(one, other, EDGES) == pytest.approx(expected, abs=1e-7)


def test_shifted_fingerprint() -> None:
    one = scattered(1)
    one[:, -5:] = one[-5:] = 0
    one /= one.sum()
    moved = np.roll(one, (3, 4), axis=(0, 1))
    assert earth_movers_distance(one, moved, EDGES) == pytest.approx(5 * WIDTH, abs=1e-6)


def test_only_what_differs_moves() -> None:
    one = 0.9 * one_bin(20, 20) + 0.1 * one_bin(5, 5)
    other = 0.9 * one_bin(20, 20) + 0.1 * one_bin(5, 10)
    assert earth_movers_distance(one, other, EDGES) == pytest.approx(0.1 * 5 * WIDTH, abs=1e-7)
    assert l1_distance(one, other) == pytest.approx(0.2)


def test_is_a_metric_and_equals_the_general_solver() -> None:
    edges = np.linspace(0, 1, 9)
    a, b, c = (scattered(seed, 8, 12) for seed in range(3))
    ab, ba, bc, ac = (earth_movers_distance(x, y, edges) for x, y in ((a, b), (b, a), (b, c), (a, c)))
    assert ab == pytest.approx(ba, abs=1e-7)
    assert ac <= ab + bc
    centres = (edges[1:] + edges[:-1]) / 2
    places = [centres[np.argwhere(x > 0)] for x in (a, b)]
    assert ab == pytest.approx(wasserstein_distance_nd(*places, a[a > 0], b[b > 0]), abs=1e-6)
