"""Fingerprints: counting, invariances, and the file that gathers them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from hirshprint.batch.binning import Binning, pack_batch
from hirshprint.batch.file import write_arrays
from hirshprint.batch.gathering import gather_fingerprints
from hirshprint.config.model import Fingerprint
from hirshprint.densities import Densities
from hirshprint.fingerprints.binning import fingerprint_of
from hirshprint.fingerprints.layout import channel_names
from hirshprint.hirshfeld.python.engine import DEFAULT_MESH_LEVEL, compute_surfaces
from hirshprint.hirshfeld.surface import Surface, full
from hirshprint.structures.structure import Structure

SITES = ("A", "B", "X")
LEVEL = 12


def settings(**changes: Any) -> Fingerprint:
    written = {
        "weighting": "area",
        "channels": ["total", "site", "inside"],
        "normalise": "formula_unit",
        "bins": {"count": 50, "low_angstrom": 0.76, "high_angstrom": 2.80},
    }
    return Fingerprint.from_dict(written | changes)


def changed(structure: Structure, **changes: Any) -> Structure:
    return Structure(**{f.name: getattr(structure, f.name) for f in fields(Structure)} | changes)


def area_of(surfaces: list[Surface]) -> float:
    return sum(s.multiplicity * s.area for s in surfaces)


@pytest.fixture(scope="module")
def srtio3(thakkar: Densities, perovskite: Callable[..., Structure]) -> list[Surface]:
    return compute_surfaces(perovskite((38, 22, 8), 3.905), thakkar, LEVEL)


def test_sum_is_the_surface_area(srtio3: list[Surface]) -> None:
    counts, fraction = fingerprint_of(srtio3, settings(), SITES)
    assert counts.shape == (6, 50, 50)
    assert counts.dtype == np.float32
    total = dict(zip(channel_names(settings().channels, SITES), counts.sum(axis=(1, 2)), strict=True))
    assert total["total"] == pytest.approx(area_of(srtio3), rel=1e-6)
    assert total["X"] == pytest.approx(3 * srtio3[2].area, rel=1e-6)
    assert total["anion"] == pytest.approx(total["X"])
    assert total["cation"] == pytest.approx(total["A"] + total["B"])
    np.testing.assert_allclose(fraction, 1)


def test_what_falls_outside_is_told(srtio3: list[Surface]) -> None:
    narrow = settings(bins={"count": 10, "low_angstrom": 1.05, "high_angstrom": 1.7})
    counts, fraction = fingerprint_of(srtio3, narrow, SITES)
    areas = np.array([area_of(srtio3), *(s.multiplicity * s.area for s in srtio3)])
    assert (fraction < 0.99).all()
    np.testing.assert_allclose(counts.sum(axis=(1, 2))[:4] / fraction[:4], areas, rtol=1e-6)


def test_first_axis_is_d_i(srtio3: list[Surface]) -> None:
    counts, _ = fingerprint_of(srtio3[2:], settings(), SITES)
    edges = np.linspace(0.76, 2.80, 51)
    rows, columns = np.nonzero(counts[0])
    surface = srtio3[2]
    assert edges[rows.min()] <= surface.d_i.min() < edges[rows.min() + 1]
    assert edges[rows.max()] <= surface.d_i.max() < edges[rows.max() + 1]
    assert edges[columns.min()] <= surface.d_e.min() < edges[columns.min() + 1]
    assert edges[columns.max()] <= surface.d_e.max() < edges[columns.max() + 1]


def test_one_triangle_by_hand(srtio3: list[Surface]) -> None:
    """A flat triangle between three nuclei: as many points, spread evenly, as bins can tell apart."""
    corners = np.array([[1.2, 0.1, 0.0], [1.0, 0.5, 0.1], [1.1, 0.2, 0.6]])
    nuclei = np.array([[2.3, 0.2, -0.1], [2.2, 0.9, 0.2], [2.0, 0.1, 1.3]])
    triangle = replace(
        srtio3[0],
        level=None,
        centre=np.zeros(3),
        vertices=corners,
        triangles=np.array([[0, 1, 2]], dtype=np.int32),
        d_i=np.linalg.norm(corners, axis=1),
        d_e=np.linalg.norm(corners - nuclei, axis=1),
        inside_nuclei=np.zeros((1, 3)),
        outside_nuclei=nuclei,
        outside_numbers=np.full(3, 8, dtype=np.uint8),
        outside_sites=np.zeros(3, dtype=np.int32),
        normal=np.zeros((3, 3)),
        operations=np.eye(3)[None],
        multiplicity=2,
        formula_units=2,
        area=float(np.linalg.norm(np.cross(corners[1] - corners[0], corners[2] - corners[0])) / 2),
    )
    points = np.sort(np.random.default_rng(3).random((200_000, 2)), axis=1)
    shares = np.diff(points, axis=1, prepend=0, append=1)
    positions = shares @ corners
    d_i = np.linalg.norm(positions, axis=1)
    d_e = np.linalg.norm(positions[:, None] - nuclei, axis=2).min(axis=1)
    bins = {"count": 20, "low_angstrom": 0.9, "high_angstrom": 1.9}
    edges = np.linspace(0.9, 1.9, 21)
    expected = np.histogram2d(d_i, d_e, [edges, edges])[0] / len(points) * triangle.area
    counts, fraction = fingerprint_of([triangle], settings(bins=bins, channels=["total"]))
    assert fraction[0] == pytest.approx(1)
    assert counts.sum() == pytest.approx(triangle.area)
    assert np.abs(counts[0] - expected).sum() < 0.02 * triangle.area
    paper = settings(bins=bins, channels=["total"], normalise="none", weighting="paper")
    counts, _ = fingerprint_of([triangle], paper)
    assert counts.sum() == 2 * 55


def test_paper_weighting_counts_points(srtio3: list[Surface]) -> None:
    counts, fraction = fingerprint_of(srtio3, settings(weighting="paper", normalise="none"), SITES)
    points = [55 * len(s.triangles) * len(s.operations) * s.multiplicity for s in srtio3]
    np.testing.assert_array_equal(counts[1:4].sum(axis=(1, 2)), points)
    np.testing.assert_allclose(fraction, 1)


def test_normalisations(srtio3: list[Surface]) -> None:
    double = [replace(s, formula_units=2) for s in srtio3]
    none, _ = fingerprint_of(double, settings(normalise="none"), SITES)
    per_unit, _ = fingerprint_of(double, settings(), SITES)
    shares, _ = fingerprint_of(double, settings(normalise="sum"), SITES)
    np.testing.assert_allclose(per_unit, none / 2, rtol=1e-6)
    np.testing.assert_allclose(shares, none / area_of(double), rtol=1e-5)
    assert shares[0].sum() == pytest.approx(1)
    np.testing.assert_allclose(shares[0], shares[1:4].sum(axis=0), atol=1e-6)


def test_channel_names_follow_the_settings() -> None:
    assert channel_names(["inside", "total"], SITES) == ("total", "anion", "cation")
    assert channel_names(["site"], SITES) == SITES
    assert channel_names(["site", "total"]) == ("total",)


def test_wedge_counts_as_the_full_mesh(srtio3: list[Surface]) -> None:
    whole, _ = fingerprint_of([full(s) for s in srtio3], settings(), SITES)
    wedge, _ = fingerprint_of(srtio3, settings(), SITES)
    assert np.abs(whole - wedge)[0].sum() < 1e-6 * area_of(srtio3)


def rotated(structure: Structure) -> Structure:
    rotation, _ = np.linalg.qr(np.random.default_rng(5).normal(size=(3, 3)))
    return changed(structure, lattice=structure.lattice @ (rotation * np.linalg.det(rotation)))


def shifted(structure: Structure) -> Structure:
    return changed(structure, frac=structure.frac + np.array([0.37, -1.21, 2.6]))


def reordered(structure: Structure) -> Structure:
    order = np.random.default_rng(5).permutation(len(structure.numbers))
    place = np.argsort(order)
    return changed(
        structure,
        numbers=structure.numbers[order],
        frac=structure.frac[order],
        is_anion=structure.is_anion[order],
        site_atom=place[structure.site_atom],
        atom_site=structure.atom_site[order],
    )


def other_images(structure: Structure) -> Structure:
    shift = np.random.default_rng(5).integers(-3, 4, structure.frac.shape)
    return changed(structure, frac=structure.frac + shift)


def doubled(structure: Structure) -> Structure:
    count = len(structure.numbers)
    return changed(
        structure,
        lattice=structure.lattice * np.array([[2], [1], [1]]),
        numbers=np.tile(structure.numbers, 2),
        frac=np.concatenate([structure.frac, structure.frac + np.array([1, 0, 0])]) * np.array([0.5, 1, 1]),
        is_anion=np.tile(structure.is_anion, 2),
        site_atom=np.concatenate([structure.site_atom, structure.site_atom + count]),
        atom_site=np.concatenate([structure.atom_site, structure.atom_site + len(structure.site_atom)]),
        site_labels=structure.site_labels * 2,
        multiplicity=np.tile(structure.multiplicity, 2),
        site_operations=structure.site_operations * 2,
        formula_units=2 * structure.formula_units,
    )


@pytest.mark.parametrize("transform", [rotated, shifted, reordered, other_images, doubled])
@pytest.mark.parametrize("kind", ["cubic", "triclinic"])
def test_fingerprint_does_not_depend_on_the_description(
    thakkar: Densities,
    perovskite: Callable[..., Structure],
    triclinic: Structure,
    kind: str,
    transform: Callable[[Structure], Structure],
) -> None:
    """The mesh is tied to the axes of the crystal, so what remains is rounding: 1e-6 of the area.

    In the doubled cubic cell the operations that turn the long axis are no symmetry of the cell: its sites
    have the identity only. The cut-offs then follow from other rays, within what they may neglect.
    """
    structure = perovskite((38, 22, 8), 3.905) if kind == "cubic" else triclinic
    other = transform(structure)
    tolerance = 1e-6
    if kind == "cubic" and transform is doubled:
        other = changed(other, site_operations=(np.eye(3, dtype=np.int64)[None],) * 6)
        tolerance = 1e-4
    one, two = (
        fingerprint_of(compute_surfaces(s, thakkar, 8), settings(channels=["total", "inside"]))[0]
        for s in (structure, other)
    )
    assert one[0].sum() > 10
    assert np.abs(one - two).sum() < tolerance * one.sum()


def test_area_weighting_hardly_depends_on_the_mesh(thakkar: Densities, perovskite: Callable[..., Structure]) -> None:
    structure = perovskite((38, 22, 8), 3.905)
    coarse, fine, finest = (
        fingerprint_of(compute_surfaces(structure, thakkar, level), settings())[0][0]
        for level in (6, DEFAULT_MESH_LEVEL, 20)
    )
    assert np.abs(coarse - finest).sum() < 0.01 * finest.sum()
    assert np.abs(fine - finest).sum() < 0.005 * finest.sum()


def batch(path: Path, by_id: dict[str, list[Surface]]) -> Path:
    status = {name: {"status": "ok", "geometry": f"g-{name}"} for name in by_id}
    arrays = pack_batch(by_id, dict.fromkeys(by_id, ""), binning()) | {"status": np.array(json.dumps(status))}
    write_arrays(path, arrays.items())
    return path


def binning(**changes: Any) -> Binning:
    return Binning(settings(**changes), SITES)


def test_gathering_keeps_the_order_and_names_what_is_missing(srtio3: list[Surface], tmp_path: Path) -> None:
    twice = [replace(s, multiplicity=2 * s.multiplicity) for s in srtio3]
    files = [batch(tmp_path / "0.npz", {"c": srtio3, "a": twice}), batch(tmp_path / "1.npz", {"b": srtio3})]
    expected = {name: f"g-{name}" for name in ("a", "lost", "b", "c")}
    out = tmp_path / "fingerprints.h5"
    missing = gather_fingerprints(files, expected, binning(), out, "digest")
    assert missing == ["lost"]
    reference, _ = fingerprint_of(srtio3, settings(), SITES)
    with h5py.File(out) as file:
        assert [name.decode() for name in file["ids"]] == ["a", "b", "c"]
        assert [name.decode() for name in file["channels"]] == ["total", "A", "B", "X", "anion", "cation"]
        assert file["counts"].dtype == np.float32
        assert file["counts"].chunks is not None
        assert file["counts"].compression == "gzip"
        for row, factor in enumerate((2, 1, 1)):
            np.testing.assert_allclose(file["counts"][row], factor * reference, rtol=1e-5, atol=2e-4)
        np.testing.assert_allclose(file["bin_edges_angstrom"], np.linspace(0.76, 2.80, 51))
        assert file["in_range_fraction"].shape == (3, 6)
        np.testing.assert_array_equal(file["site_offsets"], [0, 3, 6, 9])
        assert [name.decode() for name in file["site_labels"][:3]] == ["A", "B", "X"]
        np.testing.assert_array_equal(file["site_multiplicity"][:6], [2, 2, 6, 1, 1, 3])
        np.testing.assert_allclose(file["site_area_angstrom2"][:3], [s.area for s in srtio3])
        np.testing.assert_allclose(file["site_volume_angstrom3"][:3], [s.volume for s in srtio3])
        attributes = dict(file.attrs)
    assert attributes["engine"] == "python"
    assert attributes["density_source"] == "thakkar"
    assert attributes["mesh_level"] == LEVEL
    assert attributes["counts_unit"] == "Å² per formula unit"
    assert attributes["definition_digest"] == "digest"
    assert {"weighting", "normalise", "format_version"} <= attributes.keys()


def test_nothing_to_gather_gives_an_empty_file(tmp_path: Path) -> None:
    out = tmp_path / "fingerprints.h5"
    files = [batch(tmp_path / "0.npz", {})]
    assert gather_fingerprints(files, {"a": "g-a"}, binning(), out, "digest") == ["a"]
    with h5py.File(out) as file:
        assert file["counts"].shape == (0, 6, 50, 50)
        assert len(file["ids"]) == 0


@pytest.mark.parametrize(
    ("names", "expected", "message"),
    [
        (("a", "b"), {"a": "g-a"}, "b is not among"),
        (("a",), {"a": "other"}, "another geometry"),
        (("a", "a"), {"a": "g-a"}, "a is in another batch too"),
    ],
)
def test_stale_batches_are_refused_and_nothing_is_written(
    srtio3: list[Surface], tmp_path: Path, names: tuple[str, ...], expected: dict[str, str], message: str
) -> None:
    files = [batch(tmp_path / f"{k}.npz", {name: srtio3}) for k, name in enumerate(names)]
    out = tmp_path / "out" / "fingerprints.h5"
    with pytest.raises(ValueError, match=message):
        gather_fingerprints(files, expected, binning(), out, "digest")
    assert not out.exists()


def test_threads_change_no_byte_of_the_counts_and_many_chunks_are_in_order(
    srtio3: list[Surface], tmp_path: Path
) -> None:
    """The chunks are compressed here, and read by HDF5; their last one is not full."""
    names = [f"s{k}" for k in range(150)]
    by_id = {name: [replace(s, multiplicity=k + 1) for s in srtio3] for k, name in enumerate(names)}
    files = [batch(tmp_path / f"{k}.npz", {name: by_id[name] for name in names[k::3]}) for k in range(3)]
    expected = {name: f"g-{name}" for name in names}
    counts = []
    for threads in (1, 3):
        out = tmp_path / f"{threads}.h5"
        assert gather_fingerprints(files, expected, binning(), out, "digest", threads) == []
        with h5py.File(out) as file:
            assert [name.decode() for name in file["ids"]] == names
            counts.append(
                [file["counts"][:], [file["counts"].id.read_direct_chunk((k, 2, 0, 0)) for k in (0, 64, 128)]]
            )
    np.testing.assert_array_equal(counts[0][0], counts[1][0])
    assert counts[0][1] == counts[1][1]
    for row in (0, 63, 64, 149):
        reference, _ = fingerprint_of(by_id[names[row]], settings(), SITES)
        np.testing.assert_allclose(counts[0][0][row], reference, rtol=1e-4, atol=1e-3)


def test_fingerprints_of_other_settings_are_refused(srtio3: list[Surface], tmp_path: Path) -> None:
    files = [batch(tmp_path / "0.npz", {"a": srtio3})]
    with pytest.raises(
        ValueError, match=r"0\.npz: its fingerprints were made with other settings; make this batch anew"
    ):
        gather_fingerprints(files, {"a": "g-a"}, binning(weighting="paper"), tmp_path / "f.h5", "digest")


def test_engines_never_mix(srtio3: list[Surface], tmp_path: Path) -> None:
    tonto = [replace(s, engine="tonto") for s in srtio3]
    files = [batch(tmp_path / "0.npz", {"a": srtio3}), batch(tmp_path / "1.npz", {"b": tonto})]
    with pytest.raises(ValueError, match="mix engines"):
        gather_fingerprints(files, {"a": "g-a", "b": "g-b"}, binning(), tmp_path / "f.h5", "digest")
    assert not (tmp_path / "f.h5").exists()
