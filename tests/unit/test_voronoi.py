"""Voronoi cells: faces of known crystals, and cells that fill space."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from test_fingerprints import doubled, rotated, shifted

from hirshprint.structures.structure import Structure
from hirshprint.structures.voronoi import OpenCellError, voronoi_faces


def test_cells_of_cubic_lattices(crystal: Callable[..., Structure]) -> None:
    """Simple: a cube. Body-centred: a truncated octahedron, hexagons of 3√3/16 a² · 2 and squares of a²/8."""
    (cube,) = voronoi_faces(crystal(3.0 * np.eye(3), [11], [[0, 0, 0]]))
    assert len(cube.areas) == 6
    np.testing.assert_allclose(cube.areas, 9.0)
    assert cube.volume == pytest.approx(27.0)
    (one, other) = voronoi_faces(crystal(4.0 * np.eye(3), [11, 17], [[0, 0, 0], [0.5, 0.5, 0.5]]))
    np.testing.assert_allclose(np.sort(one.areas), [2.0] * 6 + [3 * np.sqrt(3) / 16 * 16] * 8)
    assert (one.sites == 1).sum() == 8
    assert one.volume == pytest.approx(32.0) == pytest.approx(other.volume)


@pytest.mark.parametrize("transform", [lambda one: one, rotated, shifted, doubled])
def test_cells_fill_space_whatever_the_description(
    triclinic: Structure, transform: Callable[[Structure], Structure]
) -> None:
    structure = transform(triclinic)
    faces = voronoi_faces(structure)
    volume = sum(one.volume * count for one, count in zip(faces, structure.multiplicity, strict=True))
    assert volume == pytest.approx(abs(np.linalg.det(structure.lattice)))
    for one, other in zip(voronoi_faces(triclinic), faces, strict=False):
        np.testing.assert_allclose(np.sort(one.areas), np.sort(other.areas), atol=1e-6)


def test_a_slab_is_closed_by_the_next_one(crystal: Callable[..., Structure]) -> None:
    (sheet,) = voronoi_faces(crystal(np.diag([2.5, 2.5, 18.0]), [6], [[0, 0, 0]]))
    assert sheet.volume == pytest.approx(2.5 * 2.5 * 18)
    with pytest.raises(OpenCellError, match="60 Å do not close"):
        voronoi_faces(crystal(np.diag([2.5, 2.5, 90.0]), [6], [[0, 0, 0]]))
