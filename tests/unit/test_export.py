"""Surfaces as files: read back by VTK, or byte by byte, they are what was computed."""

from __future__ import annotations

import base64
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hirshprint.densities import Densities
from hirshprint.hirshfeld.export import point_data, write_gltf, write_ply, write_vtp
from hirshprint.hirshfeld.python.engine import compute_surfaces, radii_along
from hirshprint.hirshfeld.ridges import split_at_ridges
from hirshprint.hirshfeld.surface import Surface, full
from hirshprint.structures.structure import Structure


@pytest.fixture(scope="module")
def structure(triclinic: Structure) -> Structure:
    return triclinic


@pytest.fixture(scope="module")
def coarse(structure: Structure, thakkar: Densities) -> Surface:
    return full(compute_surfaces(structure, thakkar, 6)[2])


@pytest.fixture(scope="module")
def split(coarse: Surface, structure: Structure, thakkar: Densities) -> Surface:
    return split_at_ridges(coarse, structure, thakkar, 2)


def edges_of(surface: Surface) -> np.ndarray:
    return np.sort(surface.triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)


def nearest_outside(points: np.ndarray, structure: Structure, atom: int) -> np.ndarray:
    """Distance to the nearest other atom, over 5 × 5 × 5 cells."""
    shifts = np.indices((5, 5, 5)).reshape(3, -1).T - 2
    atoms = ((structure.frac[:, None] + shifts) @ structure.lattice).reshape(-1, 3)
    centre = structure.frac[atom] @ structure.lattice
    atoms = atoms[np.linalg.norm(atoms - centre, axis=1) > 1e-6]
    return np.linalg.norm(points[:, None] - atoms, axis=2).min(axis=1)


# --- ridges -------------------------------------------------------------------------------------------------------


def test_ridges_leave_the_mesh_closed_and_its_old_vertices(coarse: Surface, split: Surface) -> None:
    assert len(split.vertices) > len(coarse.vertices)
    np.testing.assert_array_equal(split.vertices[: len(coarse.vertices)], coarse.vertices)
    edges, count = np.unique(edges_of(split), axis=0, return_counts=True)
    assert (count == 2).all()
    assert len(split.vertices) - len(edges) + len(split.triangles) == 2
    a, b, c = np.moveaxis(split.vertices[split.triangles] - split.centre, 1, 0)
    assert (np.einsum("ij,ij->i", a, np.cross(b, c)) > 0).all()  # seen from outside all turn the same way
    assert all(len(values) == len(split.vertices) for values in point_data(split).values())


def test_ridge_vertices_lie_on_the_surface_and_know_their_distances(
    split: Surface, structure: Structure, thakkar: Densities
) -> None:
    away = split.vertices - split.centre
    radius = np.linalg.norm(away, axis=1)
    np.testing.assert_allclose(radius, radii_along(structure, thakkar, 2, away / radius[:, None]), atol=5e-5)
    np.testing.assert_allclose(split.d_i, radius, atol=1e-12)
    np.testing.assert_allclose(split.d_e, nearest_outside(split.vertices, structure, 2), atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(split.normal, axis=1), 1, atol=1e-12)


def test_d_e_between_vertices_is_right_only_with_ridges(coarse: Surface, split: Surface, structure: Structure) -> None:
    def largest_error(surface: Surface) -> float:
        middle = surface.vertices[surface.triangles].mean(axis=1)
        read = surface.d_e[surface.triangles].mean(axis=1)
        return float(np.abs(read - nearest_outside(middle, structure, 2)).max())

    assert largest_error(coarse) > 0.03
    assert largest_error(split) < largest_error(coarse) / 2


def test_an_isosurface_is_left_as_it_is(coarse: Surface, structure: Structure, thakkar: Densities) -> None:
    from dataclasses import replace

    isosurface = replace(coarse, level=None)
    assert split_at_ridges(isosurface, structure, thakkar, 2) is isosurface


# --- formats ------------------------------------------------------------------------------------------------------


def test_vtp_has_every_number(split: Surface, tmp_path: Path) -> None:
    import pyvista as pv

    path = tmp_path / "site.vtp"
    write_vtp(split, path)
    mesh = pv.read(path)
    np.testing.assert_array_equal(mesh.points, split.vertices)
    assert mesh.points.dtype == np.float64
    np.testing.assert_array_equal(mesh.regular_faces, split.triangles)
    assert mesh.active_scalars_name == "d_e"
    assert {"d_i", "d_e", "inside_species", "outside_species", "normal"} <= set(mesh.point_data)
    for name, values in point_data(split).items():
        np.testing.assert_array_equal(mesh.point_data[name], values, err_msg=name)
    assert mesh.field_data["site_label"][0] == split.site_label
    assert mesh.field_data["element"][0] == "O"
    np.testing.assert_array_equal(mesh.field_data["centre"], split.centre[None])
    assert mesh.field_data["area"][0] == split.area
    assert mesh.is_manifold


def test_ply_has_scalars_at_its_vertices(split: Surface, tmp_path: Path) -> None:
    import pyvista as pv

    path = tmp_path / "site.ply"
    write_ply(split, path)
    mesh = pv.read(path)
    np.testing.assert_allclose(mesh.points, split.vertices, atol=1e-6)
    np.testing.assert_array_equal(mesh.regular_faces, split.triangles)

    header, body = path.read_bytes().split(b"end_header\n")
    kinds = {"float": "<f4", "uchar": "u1", "int": "<i4"}
    words = [line.split() for line in header.decode().splitlines()]
    columns = [(name, kinds[kind]) for word, kind, name in (w for w in words if len(w) == 3) if word == "property"]
    table = np.frombuffer(body, dtype=columns, count=len(split.vertices))
    for name in ("d_i", "d_e", "outside_species"):
        np.testing.assert_allclose(table[name], getattr(split, name), rtol=1e-6)
    np.testing.assert_allclose(table["nz"], split.normal[:, 2], atol=1e-6)
    assert "angstrom" in header.decode()


def gltf_arrays(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    document = json.loads(path.read_text())
    buffer = base64.b64decode(document["buffers"][0]["uri"].split(",")[1])
    assert len(buffer) == document["buffers"][0]["byteLength"]
    arrays = []
    for accessor in document["accessors"]:
        view = document["bufferViews"][accessor["bufferView"]]
        data = buffer[view["byteOffset"] : view["byteOffset"] + view["byteLength"]]
        assert view["byteOffset"] % 4 == 0
        values = np.frombuffer(data, dtype={5126: "<f4", 5125: "<u4"}[accessor["componentType"]])
        arrays.append(values.reshape(accessor["count"], -1))
        assert arrays[-1].shape[1] == {"SCALAR": 1, "VEC3": 3}[accessor["type"]]
    primitive = document["meshes"][0]["primitives"][0]
    named = {name: arrays[k] for name, k in primitive["attributes"].items()}
    return document, named | {"indices": arrays[primitive["indices"]]}


def test_gltf_has_d_e_as_linear_colours(split: Surface, tmp_path: Path) -> None:
    import pyvista as pv

    path = tmp_path / "site.gltf"
    grey = np.repeat(np.linspace(0, 1, len(split.vertices))[:, None], 3, axis=1)
    write_gltf(split, grey, path, {"colours": "d_e"})
    document, arrays = gltf_arrays(path)
    assert document["asset"]["version"] == "2.0"
    assert document["asset"]["extras"] == {
        "unit": "1 glTF metre stands for 1 angstrom",
        "site": split.site_label,
        "colours": "d_e",
    }
    np.testing.assert_allclose(arrays["POSITION"], split.vertices, atol=1e-6)
    np.testing.assert_array_equal(arrays["indices"].reshape(-1, 3), split.triangles)
    np.testing.assert_allclose(arrays["_D_E"][:, 0], split.d_e, rtol=1e-6)
    position = document["accessors"][document["meshes"][0]["primitives"][0]["attributes"]["POSITION"]]
    np.testing.assert_allclose(position["min"], split.vertices.min(axis=0), atol=1e-6)
    np.testing.assert_allclose(position["max"], split.vertices.max(axis=0), atol=1e-6)
    np.testing.assert_allclose(arrays["COLOR_0"].min(), 0)
    np.testing.assert_allclose(arrays["COLOR_0"].max(), 1)
    halfway = np.abs(grey[:, 0] - 0.5).argmin()
    np.testing.assert_allclose(arrays["COLOR_0"][halfway], 0.214, atol=2e-3)  # sRGB ½ in linear light

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the reader
        read = pv.read(path).combine()
    np.testing.assert_allclose(np.sort(read.points, axis=0), np.sort(split.vertices, axis=0), atol=1e-6)


def cast_rays(mesh: Any, centre: np.ndarray, directions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where rays from the centre meet flat triangles: distance, barycentric coordinates, triangles."""
    from scipy.spatial import cKDTree

    corners = (mesh.points - centre)[mesh.regular_faces]
    middle = corners.mean(axis=1)
    tree = cKDTree(middle / np.linalg.norm(middle, axis=1)[:, None])
    near = tree.query(directions, k=16)[1]
    right = np.repeat(directions[:, None, :, None], near.shape[1], axis=1)
    found = np.linalg.solve(np.swapaxes(corners[near], 2, 3), right)[..., 0]
    hit = (found > -1e-9).all(axis=2)
    assert hit.any(axis=1).all()
    rows = np.arange(len(directions))
    chosen = hit.argmax(axis=1)
    shares = found[rows, chosen]
    return 1 / shares.sum(axis=1), shares / shares.sum(axis=1, keepdims=True), near[rows, chosen]


@pytest.mark.parametrize("name", ["NaTaO3", "CsPbBr3"])
def test_files_agree_with_tonto(
    name: str, shared: Path, densities_file: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stands in the files, read as flat triangles in which d_i and d_e are linear."""
    import pyvista as pv

    from hirshprint import cli
    from hirshprint.commands import surface

    monkeypatch.setattr(surface, "_draw", lambda *_: "")
    golden = shared / "tonto" / "golden"
    densities = str(densities_file("thakkar"))
    assert cli.main(["surface", str(golden / f"{name}.cif"), "--out", str(tmp_path), "--densities", densities]) == 0
    for path in sorted(golden.glob(f"{name}_*.npz")):
        with np.load(path) as arrays:
            reference = dict(arrays)
        mesh = pv.read(tmp_path / f"{reference['site_label']}.vtp")
        vertices = reference["vertices"][::5] - reference["site_cart"]
        r = np.linalg.norm(vertices, axis=1)
        radius, shares, triangle = cast_rays(mesh, reference["site_cart"], vertices / r[:, None])
        read = {key: (mesh[key][mesh.regular_faces[triangle]] * shares).sum(axis=1) for key in ("d_i", "d_e")}
        for away in (radius - r, read["d_i"] - reference["d_i"][::5], read["d_e"] - reference["d_e"][::5]):
            assert np.abs(away).max() < 0.003, path.stem
            assert np.abs(away).mean() < 0.0006, path.stem
        assert mesh.field_data["area"][0] == pytest.approx(float(reference["tonto_area"]), rel=0.005)
