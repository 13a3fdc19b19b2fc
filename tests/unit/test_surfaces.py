"""Surfaces of the Python engine: check values, Tonto's surfaces, analytic cases, meshes, packing."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from hirshprint.densities import BOHR, Densities, read_densities
from hirshprint.hirshfeld.python.engine import (
    DEFAULT_MESH_LEVEL,
    SurfaceError,
    compute_surfaces,
    radii_along,
)
from hirshprint.hirshfeld.python.rays import SHIFT
from hirshprint.hirshfeld.python.sphere import OCTAHEDRAL, mesh_frame, wedge
from hirshprint.hirshfeld.surface import Surface, flat_area_and_volume, full, pack_surfaces, unpack_surfaces
from hirshprint.structures.structure import Structure

Array = NDArray[np.float64]
ROOT = Path(__file__).parents[2]
PUCUO3 = (94, 29, 8)
PUCUO3_EDGE = 3.52582


def weight_by_hand(structure: Structure, densities: Densities, atom: int, points: Array) -> Array:
    """w at Cartesian points, summed plainly over a block of cells with linear interpolation of ln ρ."""
    shifts = np.stack(np.meshgrid(*[np.arange(-5, 6)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    positions = (structure.frac[:, None] + shifts) @ structure.lattice
    r = densities.r_bohr * BOHR
    total = np.zeros(len(points))
    for number, images in zip(structure.numbers, positions, strict=True):
        distance = np.linalg.norm(points[:, None] - images, axis=2)
        density = np.exp(np.interp(distance, r, np.log(densities.density[number - 1])))
        total += np.where(distance < r[-1], density, 0).sum(axis=1)
    distance = np.linalg.norm(points - structure.frac[atom] @ structure.lattice, axis=1)
    return np.exp(np.interp(distance, r, np.log(densities.density[structure.numbers[atom] - 1]))) / total


def distance_to_others(structure: Structure, atom: int, points: Array) -> Array:
    shifts = np.stack(np.meshgrid(*[np.arange(-3, 4)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    images = (structure.frac[:, None] + shifts) @ structure.lattice
    own = np.zeros(images.shape[:2], dtype=bool)
    own[atom, (shifts == 0).all(axis=1)] = True
    return np.linalg.norm(points[:, None] - images[~own], axis=2).min(axis=1)


def edges(surface: Surface) -> tuple[Array, Array]:
    t = surface.triangles
    pairs = np.sort(np.concatenate([t[:, [0, 1]], t[:, [1, 2]], t[:, [2, 0]]]), axis=1)
    unique, count = np.unique(pairs, axis=0, return_counts=True)
    return unique, count


def ranges(surfaces: list[Surface]) -> Array:
    return np.array(
        [
            min(s.d_i.min() for s in surfaces),
            max(s.d_i.max() for s in surfaces),
            min(s.d_e.min() for s in surfaces),
            max(s.d_e.max() for s in surfaces),
        ]
    )


@pytest.mark.parametrize(
    ("source", "expected"),
    [("thakkar", [0.8435, 1.5896, 0.8690, 1.8699]), ("x2c", [0.8387, 1.6191, 0.8607, 1.8748])],
)
def test_pucuo3_has_the_published_ranges(
    densities_file: Callable[[str], Path],
    perovskite: Callable[..., Structure],
    source: str,
    expected: list[float],
) -> None:
    surfaces = compute_surfaces(perovskite(PUCUO3, PUCUO3_EDGE), read_densities(densities_file(source)))
    np.testing.assert_allclose(ranges(surfaces), expected, atol=0.0015)
    assert {s.density_source for s in surfaces} == {source}
    assert [s.site_label for s in surfaces] == ["A", "B", "X"]
    assert {s.level for s in surfaces} == {DEFAULT_MESH_LEVEL}


def test_vertices_are_where_a_plain_sum_says(thakkar: Densities, triclinic: Structure) -> None:
    """The weight, evaluated with none of the engine's code, is ½ and d_e the nearest distance."""
    for atom, surface in enumerate(compute_surfaces(triclinic, thakkar, 4)):
        points = surface.vertices[::7]
        np.testing.assert_allclose(weight_by_hand(triclinic, thakkar, atom, points), 0.5, atol=5e-4)
        np.testing.assert_allclose(distance_to_others(triclinic, atom, points), surface.d_e[::7], atol=1e-9)
        np.testing.assert_allclose(np.linalg.norm(points - surface.centre, axis=1), surface.d_i[::7])
        assert surface.inside_number == triclinic.numbers[atom]


GOLDEN_COARSE = {"KMgF3_Mg1", "LaAlO3_Al1", "TiO2-rutile_Ti1", "CaTiO3_Ti1"}  # see the test below


def golden(shared: Path) -> dict[str, tuple[Structure, dict[str, Array]]]:
    """Crystals and surfaces computed with Tonto, by name and site."""
    from pymatgen.core import Structure as PymatgenStructure

    found = {}
    for cif in sorted((shared / "tonto" / "golden").glob("*.cif")):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read = PymatgenStructure.from_file(cif)
        for path in sorted(cif.parent.glob(f"{cif.stem}_*.npz")):
            with np.load(path) as arrays:
                reference = dict(arrays)
            lattice = reference["lattice"]
            away = read.frac_coords - reference["site_frac"]
            atom = np.linalg.norm((away - np.rint(away)) @ lattice, axis=1).argmin()
            structure = Structure(
                structure_id=path.stem,
                lattice=lattice,
                numbers=np.array([site.specie.Z for site in read]),
                frac=read.frac_coords,
                is_anion=np.zeros(len(read), dtype=bool),
                site_atom=np.array([atom]),
                atom_site=np.where(np.arange(len(read)) == atom, 0, -1),
                site_labels=(str(reference["site_label"]),),
                multiplicity=np.array([int(reference["site_multiplicity"])]),
                site_operations=(np.eye(3, dtype=np.int64)[None],),
                formula_units=1,
            )
            found[path.stem] = structure, reference
    return found


def test_agrees_with_tonto(thakkar: Densities, shared: Path) -> None:
    """Along the ray of each vertex; and in the weights at its vertices, if interpolated as Tonto does.

    Tonto interpolates the weight linearly along the edges of a grid of 0.15 bohr. Where w bends strongly
    there (Mg, Al, and Ti in less than cubic surroundings) its vertices are off by up to 0.0042 Å; but exact
    weights at the ends of the same edges give ½ at its vertices. Tonto also interpolates the densities, in
    steps of 0.1 bohr² in r², which for a core as small as that of Li is off by 0.5 %, or 0.001 in w.
    """
    surfaces = golden(shared)
    assert len(surfaces) == 32
    step = 0.15 * BOHR
    for name, (structure, reference) in surfaces.items():
        vertices = (reference["vertices"].astype(np.float64) - reference["site_cart"])[::3]
        r = np.linalg.norm(vertices, axis=1)
        away = np.abs(radii_along(structure, thakkar, 0, vertices / r[:, None]) - r)
        mean, largest = (0.0013, 0.0045) if name in GOLDEN_COARSE else (0.0006, 0.003)
        assert away.mean() < mean, name
        assert away.max() < largest, name

        some = vertices[::12]
        axis = np.abs(some / step - np.rint(some / step)).argmax(axis=1)
        low = np.rint(some / step)
        rows = np.arange(len(some))
        low[rows, axis] = np.floor(some[rows, axis] / step)
        high = low.copy()
        high[rows, axis] += 1
        centre = structure.frac[structure.site_atom[0]] @ structure.lattice
        at_low, at_high = (
            weight_by_hand(structure, thakkar, int(structure.site_atom[0]), ends * step + centre)
            for ends in (low, high)
        )
        share = (some / step - low)[rows, axis]
        weight = at_low + share * (at_high - at_low)
        np.testing.assert_allclose(weight, 0.5, atol=0.0012 if name == "MgLiO3_Li1" else 0.0005, err_msg=name)


def test_mid_plane_between_two_equal_atoms(thakkar: Densities, crystal: Callable[..., Structure]) -> None:
    pair = crystal(np.eye(3) * 7.0, [8, 8], [[0, 0, 0], [1.4 / 7, 0, 0]])
    np.testing.assert_allclose(radii_along(pair, thakkar, 0, np.array([[1.0, 0, 0]])), 0.7, atol=1e-5)
    one, two = compute_surfaces(pair, thakkar, 8)
    assert one.volume == pytest.approx(two.volume, rel=1e-3)
    plane = np.abs(one.d_i - one.d_e) < 1e-3
    near = np.abs(one.vertices[:, 0] - 0.7) < 1e-3
    assert (plane & near).sum() > 50


def test_simple_cubic_lattice_fills_its_voronoi_cube(thakkar: Densities, crystal: Callable[..., Structure]) -> None:
    """Equal atoms: the faces lie on the half-way planes, edges and corners are rounded (several share)."""
    edge = 5.0
    (surface,) = compute_surfaces(crystal(np.eye(3) * edge, [8], [[0.3, 0.1, 0.7]]), thakkar, 16)
    assert surface.d_i.min() == pytest.approx(edge / 2, abs=2e-4)
    assert surface.d_i.max() < edge / 2 * np.sqrt(3)
    assert 0.9 * edge**3 < surface.volume < edge**3
    assert (np.abs(surface.vertices - surface.centre).max(axis=1) <= edge / 2 + 1e-9).all()
    nearest = surface.d_i.argmin()
    assert surface.d_e[nearest] == pytest.approx(surface.d_i[nearest], abs=2e-4)


def test_volumes_fill_the_cell_but_for_the_gaps(thakkar: Densities, perovskite: Callable[..., Structure]) -> None:
    structure = perovskite((38, 22, 8), 3.905)
    total = sum(s.multiplicity * s.volume for s in compute_surfaces(structure, thakkar))
    assert 0.6 * 3.905**3 < total < 3.905**3


def test_site_without_a_closed_surface_is_named(thakkar: Densities, crystal: Callable[..., Structure]) -> None:
    buried = crystal(np.eye(3) * 6.0, [92, 1], [[0, 0, 0], [0.52 / 6, 0, 0]])
    with pytest.raises(SurfaceError, match=r"S1 \(Z = 1\) .* at the nucleus"):
        compute_surfaces(buried, thakkar, 4)


def test_surface_that_no_ray_describes_becomes_an_isosurface(
    thakkar: Densities, crystal: Callable[..., Structure]
) -> None:
    """A diffuse atom reaches around a compact one: rays towards that one cross its surface three times."""
    structure = crystal(np.eye(3) * 7.0, [55, 9], [[0, 0, 0], [2.5 / 7, 0, 0]])
    caesium, fluorine = compute_surfaces(structure, thakkar, 10)
    assert caesium.level is None
    assert fluorine.level == 10
    unique, count = edges(caesium)
    assert (count == 2).all()
    assert len(caesium.vertices) - len(unique) + len(caesium.triangles) == 2
    points = caesium.vertices[::50]
    np.testing.assert_allclose(weight_by_hand(structure, thakkar, 0, points), 0.5, atol=1e-3)
    assert (caesium.vertices[:, 0] > 2.5).any()  # behind the fluorine
    assert 0 < caesium.volume < 7.0**3 - fluorine.volume


def test_cut_off_is_converged(thakkar: Densities, perovskite: Callable[..., Structure], triclinic: Structure) -> None:
    """A thousandth of the density that is neglected, so neighbours half as far again, moves no vertex by 1e-4 Å."""
    directions, _ = wedge(3, (0,))
    stretched = perovskite((55, 82, 35), 5.87)
    for structure in (perovskite(PUCUO3, PUCUO3_EDGE), perovskite((11, 73, 8), 5.5), stretched, triclinic):
        for site in range(len(structure.site_atom)):
            one, two = (radii_along(structure, thakkar, site, directions, shift) for shift in (SHIFT, SHIFT / 1000))
            assert np.abs(one - two).max() < 1e-4


def test_wedge_and_full_mesh_agree(thakkar: Densities, perovskite: Callable[..., Structure]) -> None:
    """Site symmetry saves rays and changes nothing."""
    for one, two in zip(
        compute_surfaces(perovskite(PUCUO3, PUCUO3_EDGE), thakkar, 8),
        compute_surfaces(perovskite(PUCUO3, PUCUO3_EDGE, symmetric=False), thakkar, 8),
        strict=True,
    ):
        assert len(one.operations) * len(one.triangles) == len(two.triangles)
        assert one.area == pytest.approx(two.area, rel=1e-5)
        assert one.volume == pytest.approx(two.volume, rel=1e-5)
        closed = full(one)
        assert len(closed.vertices) == len(two.vertices) == 24 * 8**2 + 2
        np.testing.assert_allclose(np.sort(closed.d_i), np.sort(two.d_i), atol=5e-5)


@pytest.mark.parametrize("symmetric", [True, False])
def test_full_mesh_is_closed_and_points_outwards(
    thakkar: Densities, perovskite: Callable[..., Structure], symmetric: bool
) -> None:
    for surface in compute_surfaces(perovskite((38, 22, 8), 3.905, symmetric), thakkar, 6):
        closed = full(surface)
        unique, count = edges(closed)
        assert (count == 2).all()
        assert len(closed.vertices) - len(unique) + len(closed.triangles) == 2
        a, b, c = np.moveaxis((closed.vertices - closed.centre)[closed.triangles], 1, 0)
        assert (np.einsum("ij,ij->i", a, np.cross(b, c)) > 0).all()
        area, volume = flat_area_and_volume(closed.vertices - closed.centre, closed.triangles)
        assert (area, volume) == pytest.approx((surface.area, surface.volume), rel=0.03)  # chords cut off a little
        assert (closed.area, closed.volume) == (surface.area, surface.volume)
        np.testing.assert_allclose(np.linalg.norm(closed.vertices - closed.centre, axis=1), closed.d_i)


def group_from(*generators: Array) -> Array:
    group = [np.eye(3)]
    for operation in group:
        for generator in generators:
            product = operation @ generator
            if not any(np.allclose(product, known, atol=1e-6) for known in group):
                group.append(product)
    return np.array(group)


def turn(axis: list[float], degrees: float) -> Array:
    u = np.array(axis) / np.linalg.norm(axis)
    cross = np.cross(np.eye(3), u)
    angle = np.radians(degrees)
    rotation: Array = np.cos(angle) * np.eye(3) - np.sin(angle) * cross + (1 - np.cos(angle)) * np.outer(u, u)
    return rotation


MIRROR_Z, MIRROR_X = np.diag([1.0, 1, -1]), np.diag([-1.0, 1, 1])


@pytest.mark.parametrize(
    ("generators", "order", "used"),
    [
        ((-np.eye(3),), 2, 2),
        ((turn([1, 2, 3], 180),), 2, 2),
        ((MIRROR_X, MIRROR_Z), 4, 4),
        ((-turn([0, 0, 1], 90), MIRROR_X), 8, 8),
        ((turn([0, 0, 1], 120), MIRROR_X, -np.eye(3)), 12, 12),
        ((turn([0, 0, 1], 120), MIRROR_X, MIRROR_Z), 12, 6),
        ((turn([0, 0, 1], 60), MIRROR_X, MIRROR_Z), 24, 12),
        ((turn([0, 0, 1], 90), turn([1, 1, 1], 120), -np.eye(3)), 48, 48),
    ],
)
def test_mesh_is_turned_to_the_axes_of_the_site(generators: tuple[Array, ...], order: int, used: int) -> None:
    tilt = turn([1, 2, -1], 37.0)
    group = tilt @ group_from(*generators) @ tilt.T
    assert len(group) == order
    frame, rows = mesh_frame(group)
    assert len(rows) == used
    assert np.linalg.det(frame) == pytest.approx(1)
    kept = frame @ OCTAHEDRAL[list(rows)] @ frame.T
    np.testing.assert_allclose(kept[0], np.eye(3), atol=1e-12)
    assert (np.abs(kept[:, None] - group).max(axis=(2, 3)).min(axis=1) < 1e-6).all()


def test_wedge_is_a_fraction_of_the_sphere() -> None:
    whole, triangles = wedge(5, (0,))
    assert (len(whole), len(triangles)) == (24 * 25 + 2, 48 * 25)
    part, few = wedge(5, tuple(range(48)))
    assert (len(part), len(few)) == (21, 25)
    areas = [
        np.linalg.norm(np.cross(v[t[:, 1]] - v[t[:, 0]], v[t[:, 2]] - v[t[:, 0]]), axis=1).sum()
        for v, t in ((whole, triangles), (part, few))
    ]
    assert areas[0] == pytest.approx(48 * areas[1])


def test_hexagonal_site_symmetry_changes_nothing(thakkar: Densities, crystal: Callable[..., Structure]) -> None:
    """BN layers: sites -6m2, of whose 12 operations the mesh takes 6."""
    lattice = [[2.5, 0, 0], [-1.25, 2.5 * np.sqrt(0.75), 0], [0, 0, 6.66]]
    frac = [[1 / 3, 2 / 3, 0.25], [2 / 3, 1 / 3, 0.75], [2 / 3, 1 / 3, 0.25], [1 / 3, 2 / 3, 0.75]]
    plain = crystal(lattice, [5, 5, 7, 7], frac)
    three, mirror = (
        np.array([[0, -1, 0], [1, -1, 0], [0, 0, 1]]),
        np.array([[0, -1, 0], [-1, 0, 0], [0, 0, 1]]),
    )
    operations = np.rint(group_from(three, mirror, np.diag([1, 1, -1]))).astype(np.int64)
    assert len(operations) == 12
    symmetric = Structure(
        **{field.name: getattr(plain, field.name) for field in fields(plain)} | {"site_operations": (operations,) * 4}
    )
    for one, two in zip(compute_surfaces(plain, thakkar, 16), compute_surfaces(symmetric, thakkar, 16), strict=True):
        assert len(two.operations) == 6
        assert one.area == pytest.approx(two.area, rel=2e-3)  # meshes of different orientation
        assert one.volume == pytest.approx(two.volume, rel=2e-3)
        directions = two.vertices - two.centre
        image = directions @ two.operations[3].T / two.d_i[:, None]
        atom = int(one.site_label[1:])
        np.testing.assert_allclose(radii_along(plain, thakkar, atom, image), two.d_i, atol=5e-5)


def test_description_of_the_lattice_does_not_matter(thakkar: Densities, triclinic: Structure) -> None:
    """The same crystal in a very skew cell; a and the plane of a, b stay, so the mesh is the same."""
    change = np.array([[1, 0, 0], [4, 1, 0], [-3, 5, 1]])
    skew = Structure(
        **{field.name: getattr(triclinic, field.name) for field in fields(triclinic)}
        | {"lattice": change @ triclinic.lattice, "frac": triclinic.frac @ np.linalg.inv(change)}
    )
    for one, two in zip(compute_surfaces(triclinic, thakkar, 4), compute_surfaces(skew, thakkar, 4), strict=True):
        np.testing.assert_allclose(one.vertices, two.vertices, atol=1e-7)
        np.testing.assert_allclose(one.d_e, two.d_e, atol=1e-7)


def test_packing_keeps_everything(
    thakkar: Densities, perovskite: Callable[..., Structure], triclinic: Structure, tmp_path: Path
) -> None:
    by_id = {
        "cubic": compute_surfaces(perovskite(PUCUO3, PUCUO3_EDGE), thakkar, 6),
        "none": [],
        "skew": compute_surfaces(triclinic, thakkar, 4),
    }
    arrays = pack_surfaces(by_id)
    with (tmp_path / "batch.npz").open("wb") as file:
        np.savez(file, **arrays, status=np.array("{}"))
    with np.load(tmp_path / "batch.npz", allow_pickle=False) as loaded:
        again = unpack_surfaces(loaded)
    assert list(again) == list(by_id)
    for name, surfaces in by_id.items():
        assert len(again[name]) == len(surfaces)
        for one, two in zip(surfaces, again[name], strict=True):
            for field in fields(Surface):
                a, b = getattr(one, field.name), getattr(two, field.name)
                if isinstance(a, np.ndarray):
                    np.testing.assert_allclose(a, b, rtol=2e-7, atol=1e-6)
                    assert a.dtype == b.dtype
                else:
                    assert a == b
                    assert type(a) is type(b)
    assert pack_surfaces(again).keys() == arrays.keys()
    for key, value in pack_surfaces(again).items():
        np.testing.assert_array_equal(value, arrays[key])
    assert unpack_surfaces(pack_surfaces({})) == {}


def test_input_is_not_modified(thakkar: Densities, triclinic: Structure) -> None:
    before = [np.copy(getattr(triclinic, name)) for name in ("lattice", "numbers", "frac", "site_atom")]
    compute_surfaces(triclinic, thakkar, 4)
    for name, kept in zip(("lattice", "numbers", "frac", "site_atom"), before, strict=True):
        np.testing.assert_array_equal(getattr(triclinic, name), kept)


def test_no_heavy_imports() -> None:
    code = (
        "import sys, hirshprint.hirshfeld.python.engine, hirshprint.fingerprints.binning;"
        "heavy = {'pymatgen', 'tensorflow', 'pyvista', 'pandas', 'plotly', 'skimage'};"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT / "src", timeout=600
    )
    assert run.stdout.strip() == "[]"
