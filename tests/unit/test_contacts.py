"""Contacts of sites: what they add up to, what they do not depend on, and their place in files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from test_fingerprints import doubled, other_images, reordered, rotated, settings, shifted

from hirshprint.batch.gathering import write_fingerprints
from hirshprint.densities import Densities
from hirshprint.fingerprints.contact_layout import CONTACT_NAMES, Contacts, join_contacts
from hirshprint.fingerprints.contacts import site_contacts
from hirshprint.hirshfeld.python.engine import compute_surfaces
from hirshprint.hirshfeld.surface import Surface, full
from hirshprint.structures.crystals import Crystal, crystal_structure
from hirshprint.structures.structure import Structure

LEVEL = 10


@pytest.fixture(scope="module")
def rutile() -> Structure:
    frac = np.array([[0, 0, 0], [0.5, 0.5, 0.5], [0.305, 0.305, 0], [0.695, 0.695, 0], [0.195, 0.805, 0.5]])
    frac = np.concatenate([frac, [[0.805, 0.195, 0.5]]])
    return crystal_structure(Crystal(np.diag([4.594, 4.594, 2.959]), ("Ti", "Ti", *"OOOO"), frac, ()), "rutile")


def contacts_of(structure: Structure, densities: Densities) -> list[Contacts]:
    return [site_contacts(surface) for surface in compute_surfaces(structure, densities, LEVEL)]


def assert_alike(one: Contacts, other: Contacts, tolerance: float = 1e-4, among: int = 10**9) -> None:
    """Compare contacts; those of a site that is there twice are of the first of the two."""
    kept = [value[np.lexsort((other.distances, other.sites % among))] for value in other]
    np.testing.assert_array_equal(one.sites, kept[0] % among)
    np.testing.assert_array_equal(one.atoms, kept[1])
    for value, own in zip(one[2:6], kept[2:6], strict=True):
        np.testing.assert_allclose(value, own, atol=20 * tolerance)
    np.testing.assert_allclose(one.distances, kept[2], atol=tolerance)


def test_perovskite_by_hand(thakkar: Densities, perovskite: Callable[..., Structure]) -> None:
    edge = 3.905
    a, b, x = contacts_of(perovskite((38, 22, 8), edge), thakkar)
    assert (a.sites.tolist(), a.atoms.tolist()) == ([2], [12])
    assert (b.sites.tolist(), b.atoms.tolist()) == ([2], [6])
    assert (x.sites.tolist(), x.atoms.tolist()) == ([0, 1, 2], [4, 2, 8])
    np.testing.assert_allclose(x.distances, edge * np.array([0.5**0.5, 0.5, 0.5**0.5]), atol=1e-6)
    np.testing.assert_allclose([a.least[0], b.least[0]], [a.distances[0], b.distances[0]], atol=1e-3)  # on the line
    assert (x.least >= x.distances - 1e-5).all()


@pytest.mark.parametrize("symmetric", [True, False])
def test_areas_add_up_and_means_are_those_of_the_surface(
    thakkar: Densities, perovskite: Callable[..., Structure], symmetric: bool
) -> None:
    for surface in compute_surfaces(perovskite((38, 22, 8), 3.905, symmetric), thakkar, LEVEL):
        found = site_contacts(surface)
        assert found.areas.sum() == pytest.approx(surface.area, rel=1e-6)
        fine = surface.d_i[surface.triangles].mean(), surface.d_e[surface.triangles].mean()
        mean = (found.means * found.areas[:, None]).sum(axis=0) / surface.area
        np.testing.assert_allclose(mean, fine, atol=0.05)  # triangles are not of one size
        np.testing.assert_allclose(found.histograms.sum(axis=(1, 2), dtype=float), 1.0, atol=2e-3)
        assert (found.deviations >= 0).all()


def test_a_wedge_has_the_contacts_of_the_whole(thakkar: Densities, rutile: Structure) -> None:
    for surface in compute_surfaces(rutile, thakkar, LEVEL):
        assert len(surface.operations) > 1
        assert_alike(site_contacts(surface), site_contacts(full(surface)))


@pytest.mark.parametrize("transform", [rotated, shifted, reordered, other_images])
def test_they_do_not_depend_on_the_description(
    thakkar: Densities, perovskite: Callable[..., Structure], triclinic: Structure, transform: Callable[..., Any]
) -> None:
    for structure in (perovskite((20, 22, 8), 3.8), triclinic):
        other = contacts_of(transform(structure), thakkar)
        for one, two in zip(contacts_of(structure, thakkar), other, strict=True):
            assert_alike(one, two)


def test_a_supercell_has_the_same_contacts(thakkar: Densities, triclinic: Structure, rutile: Structure) -> None:
    once, twice = contacts_of(triclinic, thakkar), contacts_of(doubled(triclinic), thakkar)
    for one, two in zip(once, twice[: len(once)], strict=True):
        assert_alike(one, two, among=len(once))
    larger = crystal_structure(
        Crystal(
            rutile.lattice * np.array([[1], [1], [2]]),
            ("Ti", "Ti", *"OOOO") * 2,
            np.concatenate([rutile.frac, rutile.frac + np.array([0, 0, 1])]) * [1, 1, 0.5],
            (),
        ),
        "rutile",
    )
    for one, two in zip(contacts_of(rutile, thakkar), contacts_of(larger, thakkar), strict=True):
        assert_alike(one, two)


def test_contacts_are_mutual(thakkar: Densities, triclinic: Structure) -> None:
    """An atom that faces another at a distance, with a large share, is faced by it at the same distance."""
    found = contacts_of(triclinic, thakkar)
    surfaces = compute_surfaces(triclinic, thakkar, LEVEL)
    for inner, (contacts, surface) in enumerate(zip(found, surfaces, strict=True)):
        for site, distance, area in zip(contacts.sites, contacts.distances, contacts.areas, strict=True):
            back = found[site].distances[found[site].sites == inner]
            assert area < 0.1 * surface.area or np.abs(back - distance).min() < 1e-4


def test_an_open_surface_meets_the_nearest_atoms_all_the_same(
    thakkar: Densities, crystal: Callable[..., Structure]
) -> None:
    (surface,) = compute_surfaces(crystal(np.diag([2.5, 2.5, 15.0]), [6], [[0, 0, 0]]), thakkar, 6)
    found = site_contacts(surface)
    assert surface.open_fraction > 0.1
    assert found.areas.sum() == pytest.approx(surface.area, rel=1e-6)
    assert found.sites.tolist() == [0] * len(found.sites)


def test_a_file_has_them_by_site(thakkar: Densities, perovskite: Callable[..., Structure], tmp_path: Path) -> None:
    by_id: dict[str, list[Surface]] = {
        name: compute_surfaces(perovskite(numbers, 4.0), thakkar, 6)
        for name, numbers in (("b", (38, 22, 8)), ("a", (55, 82, 53)))
    }
    write_fingerprints(by_id, settings(), tmp_path / "f.h5", "digest", ("A", "B", "X"))
    whole = join_contacts([site_contacts(_packed(surface)) for of in by_id.values() for surface in of])
    with h5py.File(tmp_path / "f.h5") as file:
        offsets = file["contact_offsets"][:]
        assert len(offsets) == len(file["site_labels"]) + 1 == 7
        assert file["site_number"][:].tolist() == [38, 22, 8, 55, 82, 53]
        areas = np.add.reduceat(file["contact_area_angstrom2"][:], offsets[:-1])
        np.testing.assert_allclose(areas, file["site_area_angstrom2"][:], rtol=1e-6)
        for name, values in whole._asdict().items():
            np.testing.assert_array_equal(file[CONTACT_NAMES[name]][:], values)


def _packed(surface: Surface) -> Surface:
    """What of a surface is left in single precision."""
    names = ("vertices", "d_i", "d_e", "normal", "inside_nuclei", "outside_nuclei")
    about = {name: surface.centre if getattr(surface, name).ndim == 2 and name != "normal" else 0.0 for name in names}
    return replace(
        surface,
        **{
            name: (getattr(surface, name) - about[name]).astype(np.float32).astype(np.float64) + about[name]
            for name in names
        },
    )
