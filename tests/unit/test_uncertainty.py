"""The standard deviation that a prediction is given."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from hirshprint.accuracy.metrics import metrics
from hirshprint.accuracy.predictions import COLUMNS
from hirshprint.accuracy.uncertainty import expected_std, fit_std, occupants, occupants_of_targets, with_calibrated_std

PARTS = np.array(["train", "train", "validation", "test"])


def table_of(error: NDArray[np.float64], spread: NDArray[np.float64] | float = np.nan) -> pd.DataFrame:
    """Predictions of one run with these errors, a row per compound, in turn of `PARTS`."""
    n = len(error)
    rows = pd.DataFrame({"part": PARTS[np.arange(n) % 4], "compound": [str(k) for k in range(n)], "std": spread})
    rows = rows.assign(dataset="d", model="m", split="random", fold=0, seed="ensemble", structure_id="")
    return rows.assign(property="p", unit="Å", true=4.0, predicted=4.0 + error)[list(COLUMNS)]


def made_of(table: pd.DataFrame, elements: int = 1) -> dict[str, list[str]]:
    return {compound: [f"A={int(compound) // 4 % elements}"] for compound in table["compound"]}


def test_errors_as_the_spread_says_are_held_as_often_as_normal_ones() -> None:
    rng = np.random.default_rng(0)
    spread = rng.uniform(0.5, 2.0, 8000)
    table = table_of(0.03 * np.hypot(spread, np.median(spread)) * rng.normal(size=len(spread)), spread)
    found = metrics(with_calibrated_std(table, made_of(table))).set_index("part").loc["test"]
    assert found["within_1_std"] == pytest.approx(0.683, abs=0.03)
    assert found["within_2_std"] == pytest.approx(0.954, abs=0.02)


def test_elements_that_training_fits_badly_get_a_larger_std() -> None:
    rng = np.random.default_rng(1)
    n, elements = 8000, 20
    noise = np.repeat([0.01, 0.04], elements // 2)[np.arange(n) // 4 % elements]
    table = table_of(noise * rng.normal(size=n) * np.where(PARTS[np.arange(n) % 4] == "train", 0.3, 1.0))
    made = with_calibrated_std(table, made_of(table, elements))
    assert metrics(made).set_index("part").loc["test", "std_correlation"] > 0.4
    std = made["std"].to_numpy()
    assert std == pytest.approx(noise, rel=0.35)  # of 1 to 4, though training fits its own rows thrice as well


def test_std_is_blind_to_the_test_part() -> None:
    error = np.random.default_rng(2).normal(size=400)
    table = table_of(error)
    made = with_calibrated_std(table, made_of(table, 5))["std"]
    poisoned = table.assign(predicted=np.where(table["part"] == "test", 1e6, table["predicted"]))
    pd.testing.assert_series_equal(with_calibrated_std(poisoned, made_of(table, 5))["std"], made)


def test_one_seed_and_one_element_give_one_std() -> None:
    table = table_of(np.random.default_rng(3).normal(size=400))
    std = with_calibrated_std(table, made_of(table))["std"]
    assert std.nunique() == 1
    assert np.isfinite(std).all()


def test_of_errors_with_long_tails_one_and_two_std_hold_what_one_factor_can() -> None:
    table = table_of(np.random.default_rng(4).standard_t(2, size=40_000))  # its 68 and 95 % are 1.3 and 4.3
    found = metrics(with_calibrated_std(table, made_of(table))).set_index("part").loc["test"]
    low, high = (0.9545 - found["within_2_std"]) / 0.03, (found["within_1_std"] - 0.6827) / 0.05
    assert low == pytest.approx(high, abs=0.3)  # as far from one as from the other, in what is allowed of each
    assert 0.7 < found["within_1_std"] < 0.8


def test_few_or_perfect_rows_give_a_finite_std_and_none_without_validation() -> None:
    few = table_of(np.array([0.1, -0.2, 0.3, 0.5]), np.array([0.1, 0.1, 0.2, 0.1]))
    assert np.isfinite(with_calibrated_std(few, made_of(few))["std"]).all()
    perfect = table_of(np.zeros(40))
    assert (with_calibrated_std(perfect, made_of(perfect))["std"] == 0).all()
    without = few[few["part"] != "validation"]
    assert fit_std(without, made_of(few)) is None
    assert with_calibrated_std(without, made_of(few))["std"].isna().all()


def test_what_was_learned_survives_json_and_knows_unseen_elements() -> None:
    rng = np.random.default_rng(5)
    table = table_of(rng.normal(size=400), rng.uniform(0.1, 1.0, 400))
    fitted = fit_std(table, made_of(table, 4))
    assert fitted is not None
    again = json.loads(json.dumps(fitted))
    spread, rows = np.array([0.2, 0.5]), [["A=1"], ["A=never seen"]]
    assert expected_std(again, spread, rows) == pytest.approx(expected_std(fitted, spread, rows))
    assert np.isfinite(expected_std(again, spread, rows)).all()


def test_occupants_are_those_of_the_sites_or_the_elements() -> None:
    sites = {"A": ["Sr", "Ba"], "B": ["Ti", "Zr"]}
    assert occupants(["SrTiO3", "BaZrO3"], sites) == [["A=Sr", "B=Ti"], ["A=Ba", "B=Zr"]]
    assert occupants(["Al2O3"], {}) == [["Al", "O"]]
    targets = pd.DataFrame({"compound": ["SrTiO3"] * 2, "formula": "SrTiO3", "A": "Sr", "B": "Ti", "X": "O"})
    assert occupants_of_targets(targets.assign(initial_edge_angstrom=4.0)) == {"SrTiO3": ["A=Sr", "B=Ti", "X=O"]}
    unnamed = targets.assign(A="", B="", X="", initial_edge_angstrom=4.0)
    assert occupants_of_targets(unnamed) == {"SrTiO3": ["Sr", "Ti", "O"]}
