"""Area spread over the bins of d_i and d_e: a plane whose histogram is known, shares of nuclei, bins elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from hirshprint.hirshfeld.spreading import BEND, spread_area

Array = NDArray[np.float64]


def spread_plane(
    outside: list[list[float]], group: list[int], bins: int, low: float, width: float, cells: int = 12
) -> tuple[Array, Array]:
    """Histograms and areas of the square |x|, |y| <= 1 in the plane z = 1, seen from the nucleus at 0 0 0."""
    x, y = (axis.reshape(-1) for axis in np.meshgrid(*[np.linspace(-1, 1, cells + 1)] * 2, indexing="ij"))
    row = np.arange((cells + 1) ** 2).reshape(cells + 1, cells + 1)
    a, b, c, d = (part.reshape(-1) for part in (row[:-1, :-1], row[1:, :-1], row[1:, 1:], row[:-1, 1:]))
    triangles = np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)]).astype(np.int32)
    vertices = np.stack([x, y, np.ones_like(x)], axis=1)
    normals = np.tile([0.0, 0.0, 1.0], (len(x), 1))
    counts = np.zeros((max(group) + 1, bins, bins))
    sums = spread_area(
        vertices, normals, np.zeros((1, 3)), np.array(outside), triangles, np.array(group), counts, low, width, BEND
    )
    return counts, sums[:, 0]


@pytest.mark.parametrize("height", [2.0, 3.0])  # at 2 d_i = d_e: each part is a line in the plane of both
def test_rings_of_a_plane(height: float) -> None:
    """Of a plane at distance 1 the area with d_i from a to b is π(b² - a²); d_e² = d_i² + (height - 1)² - 1."""
    edges = 1.0 + 0.04 * np.arange(11)
    counts, sums = spread_plane([[0.0, 0.0, height]], [0], 60, 1.0, 0.04)
    ring = np.pi * (edges[1:] ** 2 - edges[:-1] ** 2)
    np.testing.assert_allclose(counts[0].sum(axis=1)[:10], ring, rtol=0.01)
    assert sums[0] == pytest.approx(4.0)
    assert counts.sum() == pytest.approx(4.0, rel=1e-3)  # a linear d_i falls a little below 1, out of the bins
    shift = (height - 1.0) ** 2 - 1.0
    d_e = 1.0 + 0.04 * np.arange(61)
    within = (d_e[:-1] ** 2 - shift >= 1.0) & (d_e[1:] ** 2 - shift <= 2.0)
    of_e = np.pi * (d_e[1:] ** 2 - d_e[:-1] ** 2)
    np.testing.assert_allclose(counts[0].sum(axis=0)[within], of_e[within], rtol=0.01)
    assert within.sum() >= 5


def test_each_nucleus_has_its_half() -> None:
    counts, sums = spread_plane([[0.5, 0.1, 2.0], [-0.5, 0.1, 2.0], [0.0, 0.0, 9.0]], [0, 1, 1], 80, 0.0, 0.05, 7)
    np.testing.assert_allclose(sums, 2.0, rtol=1e-4)  # the diagonals of the mesh are not symmetric
    np.testing.assert_allclose(counts.sum(axis=(1, 2)), 2.0, rtol=1e-4)
    np.testing.assert_allclose(counts[0], counts[1], atol=2e-3)


@pytest.mark.parametrize("cells", [2, 30])  # a part of one piece, and of many
def test_area_is_conserved(cells: int) -> None:
    nuclei = [[0.1, 0.2, 1.3], [-0.6, 0.5, 1.6], [0.7, -0.8, 1.4]]
    for bins, width in ((1, 5.0), (7, 0.5), (300, 0.01)):
        counts, sums = spread_plane(nuclei, [0, 0, 0], bins, 0.0, width, cells)
        assert sums[0] == pytest.approx(4.0, rel=1e-6)
        assert counts.sum() == pytest.approx(4.0, rel=1e-4)
        assert counts.min() >= 0.0


@pytest.mark.parametrize("low", [-40.0, 1.8, 40.0])
def test_bins_elsewhere_stay_empty(low: float) -> None:
    counts, sums = spread_plane([[0.0, 0.0, 2.0]], [0], 10, low, 0.05)
    assert not counts.any()
    assert sums[0] == pytest.approx(4.0)
