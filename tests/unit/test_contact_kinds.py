"""The breakdown of a fingerprint by contact, against the whole fingerprint and against a fine mesh."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from hirshprint.config.model import Bins, Fingerprint
from hirshprint.densities import Densities
from hirshprint.fingerprints.binning import fingerprint_of
from hirshprint.fingerprints.contact_kinds import contact_fingerprints
from hirshprint.hirshfeld.python.engine import compute_surfaces
from hirshprint.structures.structure import Structure

BINS = Bins(count=50, low_angstrom=0.76, high_angstrom=2.80)
SETTINGS = Fingerprint(weighting="area", channels=["total"], normalise="formula_unit", bins=BINS)


def test_contacts_add_up_to_the_fingerprint(
    perovskite: Callable[..., Structure], triclinic: Structure, thakkar: Densities
) -> None:
    for structure in (perovskite((38, 22, 8), 3.905), triclinic):
        surfaces = compute_surfaces(structure, thakkar)
        contacts = contact_fingerprints(surfaces, BINS)
        total = sum(counts for counts, _ in contacts.values())
        np.testing.assert_allclose(total, fingerprint_of(surfaces, SETTINGS)[0][0], atol=1e-5)
        shares = [share for _, share in contacts.values()]
        assert sum(shares) == pytest.approx(1)
        assert shares == sorted(shares, reverse=True)
        assert {inside for inside, _ in contacts} == set(structure.numbers.tolist())


def test_shares_are_those_of_a_fine_mesh(triclinic: Structure, thakkar: Densities) -> None:
    areas: dict[tuple[int, int], float] = {}
    for surface in compute_surfaces(triclinic, thakkar, 40):
        a, b, c = np.moveaxis(surface.vertices[surface.triangles], 1, 0)
        area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
        species = surface.outside_species[surface.triangles]
        for z in np.unique(species):  # a triangle counts a third for each of its corners
            pair = (surface.inside_number, int(z))
            areas[pair] = areas.get(pair, 0.0) + float(((species == z).mean(axis=1) * area).sum())
    contacts = contact_fingerprints(compute_surfaces(triclinic, thakkar), BINS)
    assert set(contacts) == set(areas)
    for pair, (_, share) in contacts.items():
        assert share == pytest.approx(areas[pair] / sum(areas.values()), abs=5e-4)


def test_coordination_of_a_perovskite(perovskite: Callable[..., Structure], thakkar: Densities) -> None:
    """A and B meet oxygen alone; O meets all three."""
    contacts = contact_fingerprints(compute_surfaces(perovskite((38, 22, 8), 3.905), thakkar), BINS)
    assert set(contacts) == {(38, 8), (22, 8), (8, 38), (8, 22), (8, 8)}
    assert contacts[38, 8][1] == pytest.approx(0.2935, abs=0.002)
