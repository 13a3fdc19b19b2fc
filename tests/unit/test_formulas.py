from __future__ import annotations

import numpy as np
import pytest
from pymatgen.core import Element

from hirshprint.baselines.formulas import FORMULAS, fit_bond_lengths, fit_verma, ions
from hirshprint.structures.radii import SLATER_ANGSTROM
from hirshprint.structures.symbols import SYMBOLS


def of(*compounds: str) -> dict[str, np.ndarray]:
    """Sites of compounds written like ``Sr Ti O``."""
    return dict(zip("ABX", np.array([compound.split() for compound in compounds]).T, strict=True))


def test_charges_balance_and_radii_follow_them() -> None:
    charges, radii = ions(of("Sr Ti O", "La Fe O", "K Ta O", "K Mn F", "Cs Pb I", "Eu Ti O", "Sm V O", "La La O"))
    assert charges.tolist() == [
        [2, 4, -2],
        [3, 3, -2],
        [1, 5, -2],
        [1, 2, -1],
        [1, 2, -1],
        [2, 4, -2],  # both common
        [3, 3, -2],  # not Sm2+ V4+, of which neither is common
        [3, 3, -2],  # one element, two coordinations
    ]
    np.testing.assert_allclose(radii[0], [1.44, 0.605, 1.40])
    np.testing.assert_allclose(radii[7], [1.36, 1.032, 1.40])


def test_ions_that_are_not_known_are_nan() -> None:
    # no charges balance, no radius of Sn2+, no tabulated hydride, no anion
    charges, radii = ions(of("Na Na O", "Cs Sn I", "Ba Li H", "Sr Ti He"))
    assert np.isnan(charges).all()
    assert np.isnan(radii).all()


def made_up(n: int = 60) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    radii = generator.uniform([1.1, 0.5, 1.3], [1.8, 0.9, 1.5], size=(n, 3))
    charges = np.tile([[2.0, 4.0, -2.0], [3.0, 3.0, -2.0]], (n // 2, 1))
    return charges, radii


def test_bond_lengths_recover_touching_spheres() -> None:
    charges, radii = made_up()
    targets = 2 * (radii[:, 1] + radii[:, 2])
    np.testing.assert_allclose(fit_bond_lengths(charges, radii, targets, np.arange(30)), targets)


def test_verma_recovers_a_power_for_each_charge_product() -> None:
    charges, radii = made_up()
    of_16 = charges[:, 0] == 2
    targets = np.where(of_16, 3.0, 3.2) * radii.mean(axis=1) ** np.where(of_16, 0.8, 1.1)
    np.testing.assert_allclose(fit_verma(charges, radii, targets, np.arange(30)), targets)


def test_a_charge_product_that_training_lacks_is_not_predicted() -> None:
    charges, radii = made_up()
    targets = radii.sum(axis=1)
    train = np.flatnonzero(charges[:, 0] == 2)
    predicted = fit_verma(charges, radii, targets, train)
    assert np.isnan(predicted).tolist() == (charges[:, 0] == 3).tolist()
    targets[train[0]] = -1  # has no logarithm
    assert np.isnan(fit_verma(charges, radii, targets, train)).all()


@pytest.mark.parametrize("name", FORMULAS)
def test_few_or_equal_training_compounds_give_no_prediction(name: str) -> None:
    charges, radii = made_up()
    targets = radii.sum(axis=1)
    assert np.isnan(FORMULAS[name](charges, radii, targets, np.arange(4))).all()
    radii[:40] = radii[0]
    assert np.isnan(FORMULAS[name](charges, radii, targets, np.arange(40))).all()
    radii[:] = np.nan
    assert np.isnan(FORMULAS[name](charges, radii, targets, np.arange(40))).all()


def test_radii_are_those_that_pymatgen_tabulates() -> None:
    for symbol in SYMBOLS[:103]:
        radius = Element(symbol).data.get("Atomic radius")
        assert SLATER_ANGSTROM.get(symbol) == (None if radius is None else float(radius)), symbol
