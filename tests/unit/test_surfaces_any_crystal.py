"""Surfaces of any crystal: invariances on random ones, hard cells, vacuum, fragments, properties, threads."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hirshprint.batch.binning import Binning
from hirshprint.batch.run import run_batch
from hirshprint.commands.inputs import default_fingerprint
from hirshprint.config.model import Bins, Fingerprint
from hirshprint.densities import Densities
from hirshprint.fingerprints.binning import fingerprint_of
from hirshprint.hirshfeld.engines import python_engine
from hirshprint.hirshfeld.patches import measure
from hirshprint.hirshfeld.properties import contact_share, sphericity, volumes, with_properties
from hirshprint.hirshfeld.python.engine import (
    compute_surfaces,
    fragment_surface,
    radii_along,
)
from hirshprint.hirshfeld.python.sphere import wedge
from hirshprint.hirshfeld.surface import Surface, SurfaceError, full
from hirshprint.structures.placed import cubic_perovskite
from hirshprint.structures.structure import Structure

Array = NDArray[np.float64]
ELEMENTS = [1, 3, 6, 8, 9, 11, 13, 17, 20, 22, 29, 35, 38, 40, 55, 57, 74, 82, 92]
BINS = Bins(count=25, low_angstrom=0.8, high_angstrom=2.2)
FINGERPRINT = Fingerprint(weighting="area", channels=["total"], normalise="none", bins=BINS)
quick = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


def changed(structure: Structure, **changes: Any) -> Structure:
    return Structure(**{f.name: getattr(structure, f.name) for f in fields(Structure)} | changes)


def one_site_each(lattice: Array, numbers: Array, frac: Array) -> Structure:
    count = len(numbers)
    return Structure(
        structure_id="random",
        lattice=lattice,
        numbers=numbers,
        frac=frac,
        is_anion=np.zeros(count, dtype=bool),
        site_atom=np.arange(count),
        atom_site=np.arange(count),
        site_labels=tuple(f"S{k}" for k in range(count)),
        multiplicity=np.ones(count, dtype=np.int64),
        site_operations=(np.eye(3, dtype=np.int64)[None],) * count,
        formula_units=1,
    )


@st.composite
def crystals(draw: st.DrawFn) -> Structure:
    """One to four atoms of any elements, no two nearer than 1.8 Å, in a cell of any shape."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count = draw(st.integers(1, 4))
    while True:
        lattice = np.eye(3) * (14.0 * count) ** (1 / 3) + rng.normal(scale=0.5, size=(3, 3))
        frac = rng.random((count, 3))
        shifts = np.indices((5, 5, 5)).reshape(3, -1).T - 2
        images = (frac[:, None, None] - frac[None, :, None] + shifts) @ lattice
        distance = np.linalg.norm(images, axis=-1)
        if distance[distance > 1e-9].min() > 1.8:
            return one_site_each(lattice, rng.choice(ELEMENTS, count), frac)


def surfaces_or_none(structure: Structure, densities: Densities, level: int = 4) -> list[Surface] | None:
    """None where an atom is buried under its neighbours: that is said of the structure by name."""
    reason = ""
    try:
        return compute_surfaces(structure, densities, level)
    except SurfaceError as error:
        reason = str(error)
    assert structure.structure_id in reason
    return None


def histogram(surfaces: list[Surface]) -> NDArray[np.float32]:
    return fingerprint_of(surfaces, FINGERPRINT)[0][0]


def assert_sound(surfaces: list[Surface]) -> None:
    for surface in surfaces:
        for name in ("vertices", "normal", "d_i", "d_e", "inside_nuclei", "outside_nuclei"):
            assert np.isfinite(getattr(surface, name)).all(), name
        assert len(surface.triangles) > 0
        assert surface.area > 0
        assert surface.volume > 0
        assert 0 <= surface.open_fraction <= 1
        np.testing.assert_allclose(np.linalg.norm(surface.normal, axis=1), 1, atol=1e-9)


def assert_watertight(surface: Surface) -> None:
    t = full(surface).triangles
    edges, count = np.unique(np.concatenate([t[:, [0, 1]], t[:, [1, 2]], t[:, [2, 0]]]), axis=0, return_counts=True)
    assert (count == 1).all()  # each direction of an edge once ...
    assert {tuple(edge) for edge in edges.tolist()} == {(b, a) for a, b in edges.tolist()}  # ... and both


@quick
@given(structure=crystals())
def test_random_crystals_are_sound(thakkar: Densities, structure: Structure) -> None:
    surfaces = surfaces_or_none(structure, thakkar)
    if surfaces is None:
        return
    assert_sound(surfaces)
    for surface in surfaces:
        assert_watertight(surface)
    counts, fraction = fingerprint_of(surfaces, FINGERPRINT)
    area = sum(s.area for s in surfaces)
    assert counts[0].sum() == pytest.approx(fraction[0] * area, rel=1e-5)
    assert sum(contact_share(surfaces[0]).values()) == pytest.approx(1)
    assert 0 < volumes(structure, surfaces).atoms < abs(np.linalg.det(structure.lattice))


def rotated(structure: Structure, rng: np.random.Generator) -> Structure:
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    return changed(structure, lattice=structure.lattice @ (rotation * np.linalg.det(rotation)))


def moved(structure: Structure, rng: np.random.Generator) -> Structure:
    frac = structure.frac + rng.normal(size=3) + rng.integers(-3, 4, structure.frac.shape)
    return changed(structure, frac=frac)


def reordered(structure: Structure, rng: np.random.Generator) -> Structure:
    order = rng.permutation(len(structure.numbers))
    return changed(structure, numbers=structure.numbers[order], frac=structure.frac[order])


def other_cell(structure: Structure, rng: np.random.Generator) -> Structure:
    """A skew cell with the same a and the same plane of a and b, to which the mesh is tied."""
    i, j, k = rng.integers(-4, 5, 3)
    change = np.array([[1, 0, 0], [i, 1, 0], [j, k, 1]])
    return changed(structure, lattice=change @ structure.lattice, frac=structure.frac @ np.linalg.inv(change))


def supercell(structure: Structure, rng: np.random.Generator) -> Structure:
    axis = int(rng.integers(3))
    scale = np.ones(3)
    scale[axis] = 2
    frac = np.concatenate([structure.frac, structure.frac + np.eye(3)[axis]]) / scale
    return one_site_each(structure.lattice * scale[:, None], np.tile(structure.numbers, 2), frac)


@quick
@given(structure=crystals(), seed=st.integers(0, 2**32 - 1))
@pytest.mark.parametrize("transform", [rotated, moved, reordered, other_cell, supercell])
def test_description_of_a_random_crystal_does_not_matter(
    thakkar: Densities, structure: Structure, seed: int, transform: Callable[..., Structure]
) -> None:
    other = transform(structure, np.random.default_rng(seed))
    one, two = surfaces_or_none(structure, thakkar, 3), surfaces_or_none(other, thakkar, 3)
    assert (one is None) == (two is None)
    if one is None or two is None:
        return
    copies = len(two) // len(one)
    assert sum(s.volume for s in two) == pytest.approx(copies * sum(s.volume for s in one), rel=1e-4)
    difference = np.abs(histogram(two) - copies * histogram(one)).sum()
    assert difference < 2e-3 * copies * sum(s.area for s in one)  # cut-offs follow from sampled rays: 3e-5 Å


@quick
@given(seed=st.integers(0, 2**32 - 1), number=st.sampled_from(ELEMENTS))
def test_equal_atoms_end_within_their_voronoi_cell(thakkar: Densities, seed: int, number: int) -> None:
    """One atom in a cell: w = ½ towards a neighbour is at the half-way plane, and nowhere beyond any."""
    lattice = np.eye(3) * 3.2 + np.random.default_rng(seed).normal(scale=0.3, size=(3, 3))
    structure = one_site_each(lattice, np.array([number]), np.zeros((1, 3)))
    directions, _ = wedge(4, (0,))
    radius = radii_along(structure, thakkar, 0, directions)
    shifts = np.indices((5, 5, 5)).reshape(3, -1).T - 2
    images = (shifts @ lattice)[(shifts != 0).any(axis=1)]
    plane = 0.5 * (images**2).sum(axis=1) / np.maximum(directions @ images.T, 1e-9)
    assert (radius <= plane.min(axis=1) + 1e-7).all()
    pair = one_site_each(np.eye(3) * 14.0, np.array([number, number]), np.array([[0, 0, 0], [0.1, 0, 0]]))
    np.testing.assert_allclose(radii_along(pair, thakkar, 0, np.array([[1.0, 0, 0]])), 0.7, atol=1e-7)


def test_vertices_are_on_the_surface_to_1e_7(thakkar: Densities, triclinic: Structure) -> None:
    """Along rays that a bisection with the same sums follows to the last digit."""
    from hirshprint.hirshfeld.python.procrystal import log_ratio, procrystal
    from hirshprint.hirshfeld.python.rays import SHIFT, cast, one_by_one

    crystal = procrystal(triclinic, triclinic.lattice, thakkar)
    directions, _ = wedge(3, (0,))
    for atom in range(len(triclinic.numbers)):
        radius, _, _, _, around, _ = cast(crystal, atom, directions, one_by_one(directions), SHIFT)
        inside = np.array([[0.0, 0, 0, triclinic.numbers[atom]]])
        for u, r in zip(directions[::5], radius[::5], strict=True):
            below, above = (log_ratio(*((r + step) * u), inside, crystal.rho, around)[0] for step in (-1e-7, 1e-7))
            assert below > 0 > above


HARD = {
    "vacuum": (np.array([[2.46, 0, 0], [-1.23, 2.1304, 0], [0, 0, 60.0]]), [6, 6], [[1, 2, 1.5], [2, 1, 1.5]], 3),
    "one atom alone": (np.eye(3) * 30, [55], [[0, 0, 0]], 1),
    "a molecule": (np.eye(3) * 15, [1, 1], [[0, 0, 0], [0.05, 0, 0]], 1),
    "a metal": (np.eye(3) * 4.29, [11, 11], [[0, 0, 0], [0.5, 0.5, 0.5]], 1),
    "a needle": (np.diag([2.5, 2.5, 80.0]), [26, 8], [[0, 0, 0], [0.5, 0.5, 0.02]], 1),
    "a leaf": (np.diag([60.0, 60.0, 2.2]), [26], [[0, 0, 0]], 1),
    "nearly merged": (np.eye(3) * 5, [92, 8], [[0, 0, 0], [0.102, 0, 0]], 1),
    "unlike": (np.eye(3) * 4, [103, 2], [[0, 0, 0], [0.5, 0.5, 0.5]], 1),
    "very skew": (
        np.array([[3, 0, 0], [29.7, 3.1, 0], [17.2, -40.3, 3.3]]),
        [22, 8, 8],
        [[0, 0, 0], [5, 5, 0], [3, 1, 7]],
        10,
    ),
    "left-handed": (np.diag([4.0, 4, -4]), [38, 22, 8], [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0]], 1),
}


@pytest.mark.parametrize("name", HARD)
def test_hard_cells_are_sound(thakkar: Densities, name: str) -> None:
    lattice, numbers, frac, divisor = HARD[name]
    structure = one_site_each(lattice, np.array(numbers), np.array(frac) / divisor)
    surfaces = compute_surfaces(structure, thakkar, 5)
    assert_sound(surfaces)
    for surface in surfaces:
        assert_watertight(surface)
    detailed = with_properties(surfaces[0], structure, thakkar)
    for value in (detailed.d_norm, detailed.curvedness, detailed.shape_index):
        assert np.isfinite(value).all()
    assert np.isfinite(histogram(surfaces)).all()


def test_open_parts_are_told(thakkar: Densities) -> None:
    alone = one_site_each(np.eye(3) * 30, np.array([8]), np.zeros((1, 3)))
    (surface,) = compute_surfaces(alone, thakkar, 4)
    assert surface.open_fraction == pytest.approx(1)
    assert surface.d_e.min() == pytest.approx(30 - surface.d_i.max(), abs=1e-6)
    assert surface.volume == pytest.approx(4 / 3 * np.pi * surface.d_i.mean() ** 3, rel=1e-3)
    chain = one_site_each(np.diag([2.2, 40.0, 40.0]), np.array([26]), np.zeros((1, 3)))
    (surface,) = compute_surfaces(chain, thakkar, 6)
    assert 0 < surface.open_fraction < 1
    packed = one_site_each(np.eye(3) * 2.6, np.array([13]), np.zeros((1, 3)))
    assert compute_surfaces(packed, thakkar, 4)[0].open_fraction == 0


def water(edge: float) -> Structure:
    places = np.array([[0, 0, 0], [0.757, 0.586, 0], [-0.757, 0.586, 0]])
    return one_site_each(np.eye(3) * edge, np.array([8, 1, 1]), places / edge)


def test_fragment_is_one_surface_around_all_its_atoms(thakkar: Densities) -> None:
    structure = water(3.6)
    cut = changed(structure, frac=structure.frac % 1.0)  # the cell cuts the molecule apart
    surface = fragment_surface(cut, thakkar, [0, 1, 2], 10)
    assert_sound([surface])
    assert_watertight(surface)
    assert set(surface.inside_species) == {1, 8}
    t = surface.triangles
    edges = len(np.unique(np.sort(np.concatenate([t[:, [0, 1]], t[:, [1, 2]], t[:, [2, 0]]]), axis=1), axis=0))
    assert len(surface.vertices) - edges + len(t) == 2
    assert sum(s.volume for s in compute_surfaces(structure, thakkar)) < surface.volume < 3.6**3
    shifts = (np.indices((5, 5, 5)).reshape(3, -1).T - 2) @ structure.lattice
    molecule = structure.frac @ structure.lattice
    others = (molecule[:, None] + shifts[(shifts != 0).any(axis=1)]).reshape(-1, 3)
    points = surface.vertices[::20] - surface.inside_nuclei[0] + molecule[0]
    for distance, nuclei in ((surface.d_i, molecule), (surface.d_e, others)):
        found = np.linalg.norm(points[:, None] - nuclei, axis=2).min(axis=1)
        np.testing.assert_allclose(found, distance[::20], atol=1e-9)


def test_fragment_of_one_atom_is_its_surface(thakkar: Densities, perovskite: Callable[..., Structure]) -> None:
    structure = perovskite((38, 22, 8), 3.905)
    ours = compute_surfaces(structure, thakkar)[1]
    fragment = fragment_surface(structure, thakkar, [1], 20)
    assert fragment.area == pytest.approx(ours.area, rel=5e-3)
    assert fragment.volume == pytest.approx(ours.volume, rel=5e-3)
    directions = fragment.vertices - fragment.centre
    radius = np.linalg.norm(directions, axis=1)
    np.testing.assert_allclose(radii_along(structure, thakkar, 1, directions / radius[:, None]), radius, atol=5e-5)


def test_sites_without_cubic_symmetry_keep_their_axes(thakkar: Densities) -> None:
    """A neighbour along y only: no program that swaps y and z puts the near side there."""
    structure = one_site_each(np.diag([9.0, 4.0, 8.0]), np.array([8, 20]), np.array([[0, 0, 0], [0, 0.5, 0]]))
    x, y, z = radii_along(structure, thakkar, 0, np.eye(3))
    assert y < x - 0.3
    assert y < z - 0.3
    (oxygen, _) = compute_surfaces(structure, thakkar, 6)
    away = np.abs(oxygen.vertices - oxygen.centre).max(axis=0)
    assert away[1] < min(away[0], away[2]) - 0.3


def test_no_second_shell_near_a_nucleus(thakkar: Densities, perovskite: Callable[..., Structure]) -> None:
    """The density is constant below the first point of the table; nothing closes there."""
    for surface in compute_surfaces(perovskite((38, 22, 8), 3.905), thakkar, 6):
        assert surface.d_i.min() > 0.5
        assert surface.d_i.max() < 3
    fragment = fragment_surface(perovskite((38, 22, 8), 3.905), thakkar, [2], 12)
    assert fragment.d_i.min() > 0.5


def test_properties_of_a_ball(thakkar: Densities) -> None:
    """An atom alone: curvature 1/r everywhere, a bump, a perfect sphere."""
    structure = one_site_each(np.eye(3) * 30, np.array([8]), np.zeros((1, 3)))
    (surface,) = compute_surfaces(structure, thakkar, 6)
    detailed = with_properties(surface, structure, thakkar)
    np.testing.assert_allclose(detailed.curvedness, 2 / np.pi * np.log(1 / detailed.d_i), atol=1e-3)
    np.testing.assert_allclose(detailed.shape_index, 1, atol=0.01)
    assert detailed.sphericity == pytest.approx(1, abs=1e-3)


def test_properties_of_a_perovskite(thakkar: Densities, perovskite: Callable[..., Structure]) -> None:
    structure = perovskite((38, 22, 8), 3.905)
    surfaces = compute_surfaces(structure, thakkar)
    for surface in surfaces:
        detailed = with_properties(surface, structure, thakkar)
        assert len(detailed.d_norm) == len(detailed.vertices) == len(full(surface).vertices)
        np.testing.assert_array_equal(structure.numbers[detailed.outside_index], detailed.outside_species)
        assert 0.5 < sphericity(surface) < 1
    shares = contact_share(surfaces[2])
    assert list(shares) == [8, 22, 38]
    assert shares[22] > shares[38] > shares[8] > 0
    cell = volumes(structure, surfaces)
    assert cell.cell == pytest.approx(3.905**3)
    assert cell.atoms + cell.voids == pytest.approx(cell.cell)
    assert cell.voids > 0


def test_normals_are_those_of_the_mesh(thakkar: Densities, triclinic: Structure) -> None:
    for surface in compute_surfaces(triclinic, thakkar, 24):
        a, b, c = np.moveaxis(surface.vertices[surface.triangles], 1, 0)
        flat = np.cross(b - a, c - a)
        flat /= np.linalg.norm(flat, axis=1, keepdims=True)
        ours = surface.normal[surface.triangles].mean(axis=1)
        assert np.einsum("ij,ij->i", flat, ours).min() > 0.9


def test_curved_triangles_are_exact_on_planes_and_nearly_on_balls() -> None:
    directions, triangles = wedge(3, (0,))
    areas, volume = measure(directions, directions, triangles)
    assert areas.sum() == pytest.approx(4 * np.pi, rel=3e-4)
    assert volume == pytest.approx(4 / 3 * np.pi, rel=3e-4)
    top = directions[triangles[0, :1]]
    plane = directions[triangles[0]] / (directions[triangles[0]] @ top.T)
    corners = np.arange(3, dtype=np.int32)[None]
    areas, _ = measure(plane, np.repeat(top, 3, axis=0), corners)
    expected = np.linalg.norm(np.cross(plane[1] - plane[0], plane[2] - plane[0])) / 2
    assert areas[0] == pytest.approx(expected, rel=1e-9)


def test_threads_change_nothing(thakkar: Densities, perovskite: Callable[..., Structure], tmp_path: Path) -> None:
    structures = [changed(perovskite((38, 22, 8), edge), structure_id=f"a{edge}") for edge in (3.8, 3.9, 4.0, 4.1)]
    structures.append(one_site_each(np.eye(3) * 6.0, np.array([92, 1]), np.array([[0, 0, 0], [0.52 / 6, 0, 0]])))
    engine = python_engine(thakkar, 6)
    records, files = [], []
    for threads in (1, 2):
        out = tmp_path / f"{threads}.npz"
        kept = tmp_path / f"cache/engine{threads}/small/batch.npz"
        records.append(run_batch(structures, engine, Binning(default_fingerprint()), kept, out, threads=threads))
        with np.load(out) as arrays:
            files.append({name: arrays[name] for name in arrays if name not in ("status", "cpu_seconds")})
    assert [record["status"] for record in records[0].values()] == ["ok"] * 4 + ["failed"]
    assert [r | {"seconds": 0} for r in records[0].values()] == [r | {"seconds": 0} for r in records[1].values()]
    assert files[0].keys() == files[1].keys()
    for name, array in files[0].items():
        np.testing.assert_array_equal(array, files[1][name])


def test_status_says_what_is_not_a_closed_radial_function(thakkar: Densities, tmp_path: Path) -> None:
    reaching = one_site_each(np.eye(3) * 7.0, np.array([55, 9]), np.array([[0, 0, 0], [2.5 / 7, 0, 0]]))
    alone = changed(one_site_each(np.eye(3) * 30, np.array([8]), np.zeros((1, 3))), structure_id="alone")
    for _ in range(2):  # computed, and taken from the cache
        kept = tmp_path / "cache/engine/small/batch.npz"
        engine, binning = python_engine(thakkar, 4), Binning(default_fingerprint())
        records = run_batch([reaching, alone], engine, binning, kept, tmp_path / "batch.npz")
        assert records["random"]["note"] == "S0: rays cross w = 1/2 more than once, so it is an isosurface"
        assert records["alone"]["note"] == "S0: 100.0% of its area meets no other atom"


def test_300_crystals_of_the_tables_are_sound(thakkar: Densities, shared: Path) -> None:
    rows = []
    for path in sorted((shared / "data").glob("*.csv")):
        with path.open(encoding="utf-8") as file:
            rows += [row for row in csv.DictReader(file) if not row.get("B2")]
    rng = np.random.default_rng(11)
    for k in rng.choice(len(rows), 300, replace=False):
        edge = float(rows[k]["a_angstrom"]) * rng.choice([0.85, 1.0, 1.3])
        elements = [rows[k][site] for site in "ABX"]
        surfaces = compute_surfaces(cubic_perovskite(elements, edge, rows[k]["formula"]), thakkar, 5)
        assert_sound(surfaces)
        assert np.isfinite(histogram(surfaces)).all()
