"""Features of crystals: what they are, and the manners of scikit-learn and matminer."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pymatgen.core import Lattice, Structure
from sklearn.base import clone
from sklearn.ensemble import RandomForestRegressor
from sklearn.exceptions import SkipTestWarning
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

import hirshprint
from hirshprint.api.defaults import CrystalWarning
from hirshprint.featurizer import KINDS, HirshfeldFeaturizer

SPINEL = Structure.from_spacegroup(
    "Fd-3m", Lattice.cubic(8.08), ["Mg", "Al", "O"], [[0, 0, 0], [0.625] * 3, [0.3874] * 3]
).get_primitive_structure()
RUTILE = Structure.from_spacegroup(
    "P4_2/mnm", Lattice.tetragonal(4.594, 2.959), ["Ti", "O"], [[0, 0, 0], [0.3053, 0.3053, 0]]
)
CUBIC = Structure(Lattice.cubic(4.12), ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
IRON = Structure(Lattice.cubic(2.87), ["Fe", "Fe"], [[0, 0, 0], [0.5, 0.5, 0.5]])
CRYSTALS = [SPINEL, RUTILE, CUBIC, IRON]
DISORDERED = Structure(Lattice.cubic(4), [{"Na": 0.5, "K": 0.5}], [[0, 0, 0]])


@pytest.fixture
def featurizer(
    densities_file: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> HirshfeldFeaturizer:
    densities_file("thakkar")
    return HirshfeldFeaturizer(tuple(KINDS), densities=str(densities_file("thakkar")), mesh_level=6, progress=False)


def test_features_have_names_and_are_numbers(featurizer: HirshfeldFeaturizer) -> None:
    found = featurizer.fit_transform(CRYSTALS)
    names = featurizer.get_feature_names_out().tolist()
    assert found.shape == (4, len(names))
    assert len(set(names)) == len(names)
    assert np.isfinite(found).all()
    assert {kind: len(HirshfeldFeaturizer(kind).feature_labels()) for kind in KINDS} == {
        "contacts": 104,
        "moments": 30,
        "bins": 625,
    }


def test_features_are_physical(featurizer: HirshfeldFeaturizer) -> None:
    table = pd.DataFrame(featurizer.fit_transform(CRYSTALS), columns=featurizer.feature_labels())
    volumes = [crystal.volume / len(crystal) for crystal in CRYSTALS]
    ratio = table["atom_volume_angstrom3_mean"] / volumes
    assert ((ratio > 0.5) & (ratio <= 1.0)).all()  # the rest is no atom's own
    assert table["contact_distance_angstrom_least"][3] == pytest.approx(2.87 * 0.75**0.5, abs=1e-3)
    assert table["atom_contacts_mean"][3] == pytest.approx(14)  # eight near and six next atoms of bcc iron
    assert table["contact_polarity_mean"][3] == 0.0
    assert table["anion_area_per_atom_angstrom2"][3] == 0.0
    bins = table.filter(like="share_at").sum(axis=1)
    assert ((bins > 0.9) & (bins <= 1.0 + 1e-6)).all()


@pytest.mark.parametrize("times", [[2, 1, 1], [[1, 1, 0], [-1, 1, 0], [0, 0, 1]]])
def test_a_supercell_has_the_features_of_its_cell(featurizer: HirshfeldFeaturizer, times: Any) -> None:
    larger = [crystal.make_supercell(times, in_place=False) for crystal in CRYSTALS]
    first, second = featurizer.fit_transform(CRYSTALS), featurizer.transform(larger)
    np.testing.assert_allclose(second, first, rtol=5e-3, atol=2e-3)  # meshes lie otherwise


def test_the_order_of_atoms_and_the_origin_do_not_matter(featurizer: HirshfeldFeaturizer) -> None:
    moved = RUTILE.copy()
    moved.translate_sites(range(len(moved)), [0.13, 0.27, 0.41])
    turned = Structure.from_sites(list(moved)[::-1])
    first, second = featurizer.fit_transform([RUTILE, turned])
    np.testing.assert_allclose(second, first, rtol=1e-4, atol=1e-5)


def test_polymorphs_differ(featurizer: HirshfeldFeaturizer) -> None:
    anatase = Structure.from_spacegroup(
        "I4_1/amd", Lattice.tetragonal(3.785, 9.514), ["Ti", "O"], [[0, 0, 0], [0, 0, 0.2081]]
    )
    first, second = featurizer.fit_transform([RUTILE, anatase])
    assert np.abs(first - second).max() > 0.1


def test_what_has_no_features_is_a_row_of_nan_that_is_named(featurizer: HirshfeldFeaturizer) -> None:
    with pytest.warns(CrystalWarning, match=r"2 of 4 .* row 1, K0\.5 Na0\.5: partial .*; row 3, no\.cif: no\.cif"):
        found = featurizer.fit_transform([CUBIC, DISORDERED, IRON, "no.cif"])
    assert np.isnan(found).all(axis=1).tolist() == [False, True, False, True]
    np.testing.assert_array_equal(found[[0, 2]], featurizer.transform([CUBIC, IRON]))


def test_remarks_are_said(featurizer: HirshfeldFeaturizer) -> None:
    far = Structure(Lattice.cubic(4.12), ["Cs", "Cl"], [[0, 0, 0], [7.5, 0.5, 0.5]])
    with pytest.warns(CrystalWarning, match="1 of 2 crystals have remarks: row 1, Cs1 Cl1: "):
        first, second = featurizer.fit_transform([CUBIC, far])
    np.testing.assert_allclose(second, first, atol=1e-6)


def test_one_odd_object_does_not_end_the_others(featurizer: HirshfeldFeaturizer) -> None:
    class Odd:
        lattice = frac_coords = None

    with pytest.warns(CrystalWarning, match=r"2 of 3 .*row 1, Odd: AttributeError: .*row 2, Xe1: no part of its surf"):
        found = featurizer.fit_transform([CUBIC, Odd(), Structure(Lattice.cubic(40), ["Xe"], [[0, 0, 0]])])
    assert np.isnan(found).all(axis=1).tolist() == [False, True, True]


def test_surfaces_of_other_settings_are_refused(featurizer: HirshfeldFeaturizer) -> None:
    made = hirshprint.surfaces(CUBIC, densities=featurizer.densities, mesh_level=5)
    with pytest.warns(CrystalWarning, match="the surfaces have mesh_level 5, not 6"):
        assert np.isnan(featurizer.fit_transform([made])).all()
    for wrong in (0, "10"):
        with pytest.raises(ValueError, match="write a whole number from 1 on"):
            HirshfeldFeaturizer(mesh_level=wrong).fit([])


def test_processes_give_the_same(featurizer: HirshfeldFeaturizer) -> None:
    alone = featurizer.fit_transform(CRYSTALS)
    np.testing.assert_array_equal(clone(featurizer).set_params(n_jobs=2).fit_transform(CRYSTALS), alone)


def test_it_takes_columns_and_arrays(featurizer: HirshfeldFeaturizer) -> None:
    right = featurizer.fit_transform([CUBIC, IRON])
    column = pd.Series([CUBIC, IRON], name="structure", index=[7, 9])
    array = np.empty(2, object)
    array[:] = [CUBIC, IRON]
    for given in (column, column.to_frame(), array, array[:, None], (CUBIC, IRON)):
        np.testing.assert_array_equal(featurizer.transform(given), right)
    for given, said in ((CUBIC, "one crystal; give a list"), ("SrTiO3", "one crystal"), (np.zeros((2, 2)), "shape")):
        with pytest.raises(ValueError, match=said):
            featurizer.transform(given)
    with pytest.raises(ValueError, match="a table of 2 columns"):
        featurizer.transform(pd.DataFrame({"a": [1], "b": [2]}))


def test_it_is_an_estimator(featurizer: HirshfeldFeaturizer) -> None:
    twin = clone(featurizer)
    assert twin.get_params() == featurizer.get_params()
    with pytest.warns(SkipTestWarning):  # its input is no matrix of numbers, which most of the checks give
        checks = check_estimator(HirshfeldFeaturizer(), on_fail=None, on_skip=None)
    assert checks
    assert all(check["status"] == "passed" for check in checks)
    with pytest.raises(ValueError, match="write one or several of contacts, moments, bins"):
        HirshfeldFeaturizer("soap").fit([CUBIC])
    with pytest.raises(ValueError, match="write one or several"):
        HirshfeldFeaturizer(("bins", "bins")).fit([CUBIC])


def test_a_pipeline_learns_and_is_pickled(featurizer: HirshfeldFeaturizer) -> None:
    crystals = [Structure(Lattice.cubic(edge), ["Cs", "Cl"], CUBIC.frac_coords) for edge in (3.9, 4.0, 4.1, 4.2, 4.3)]
    edges = np.array([crystal.lattice.a for crystal in crystals])
    model = make_pipeline(featurizer.set_params(features="moments"), RandomForestRegressor(20, random_state=0))
    model.fit(crystals, edges)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(crystals), model.predict(crystals))
    assert np.abs(model.predict(crystals) - edges).max() < 0.1


def test_a_table_has_the_names(featurizer: HirshfeldFeaturizer) -> None:
    found = featurizer.set_output(transform="pandas").fit_transform([CUBIC])
    assert found.columns.tolist() == featurizer.feature_labels()


def test_densities_of_the_fit_stay(densities_file: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that was fitted where other densities are the first ones must not get those of this machine."""
    paths = {"x2c": densities_file("x2c"), "thakkar": densities_file("thakkar")}
    from hirshprint.densities import read_densities

    tables = {source: read_densities(path) for source, path in paths.items()}
    first = ["x2c"]
    monkeypatch.setattr("hirshprint.featurizer.find_densities", lambda wanted=None: tables[wanted or first[0]])
    featurizer = HirshfeldFeaturizer("moments", mesh_level=4, progress=False).fit([])
    assert featurizer.density_source_ == "x2c"
    right = featurizer.transform([CUBIC])
    first[0] = "thakkar"
    np.testing.assert_array_equal(featurizer.transform([CUBIC]), right)
    assert np.abs(featurizer.fit([]).transform([CUBIC]) - right).max() > 1e-4


def test_manners_of_matminer(featurizer: HirshfeldFeaturizer) -> None:
    featurizer.fit([])
    values = featurizer.featurize(RUTILE)
    assert len(values) == len(featurizer.feature_labels())
    np.testing.assert_array_equal(values, featurizer.transform([RUTILE])[0])
    assert all(text.startswith("@article{") for text in featurizer.citations())
    assert featurizer.implementors() == ["hirshprint contributors"]
    with pytest.raises(ValueError, match="partial occupancy"):
        featurizer.featurize(DISORDERED)
    table = pd.DataFrame({"structure": [RUTILE, DISORDERED], "gap_ev": [3.0, 1.0]}, index=[7, 9])
    with pytest.raises(ValueError, match="partial occupancy"):
        featurizer.featurize_dataframe(table, "structure")
    with pytest.warns(CrystalWarning, match="1 of 2 crystals"):
        found = featurizer.featurize_dataframe(table, "structure", ignore_errors=True, pbar=False)
    assert found.columns.tolist() == ["structure", "gap_ev", *featurizer.feature_labels()]
    assert found.index.tolist() == [7, 9]
    np.testing.assert_array_equal(found.iloc[0, 2:].astype(float), values)
    assert found.iloc[1, 2:].isna().all()
    featurizer.set_n_jobs(2)
    assert featurizer.n_jobs == 2
