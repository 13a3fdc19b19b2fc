from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from hirshprint.datasets import Dataset, planned_splits
from hirshprint.models.baselines import composition, predict_baselines
from hirshprint.models.predictions import metrics, validate_predictions
from hirshprint.structures.elements import element_properties
from hirshprint.structures.symbols import SYMBOLS

A = ("Na", "K", "Rb", "Cs", "Ca", "Sr", "Ba", "La", "Y", "Pb")
B = ("Ti", "Zr", "Hf", "Fe", "Co", "Al", "Sc", "Nb")
LEARNING = {"splits": ["random"], "folds": 4, "seeds": [3], "validation_fraction": 0.15}


def additive(draws: int = 1, sites: bool = True) -> Dataset:
    """Targets that are a number per A plus a number per B, exactly."""
    rows = [(a, b, k) for a in A for b in B for k in range(draws)]
    generator = np.random.default_rng(0)
    of_a = dict(zip(A, generator.normal(size=len(A)), strict=True))
    of_b = dict(zip(B, generator.normal(size=len(B)), strict=True))
    formulas = np.array([f"{a}{b}O3" for a, b, _ in rows])
    elements = {
        "A": np.array([a for a, _, _ in rows]),
        "B": np.array([b for _, b, _ in rows]),
        "X": np.full(len(rows), "O"),
    }
    return Dataset(
        name="made_up",
        property="a_angstrom",
        unit="Å",
        structure_ids=np.array([f"{formula}-{k}" for formula, (_, _, k) in zip(formulas, rows, strict=True)]),
        compounds=formulas,
        groups=formulas,
        elements=elements if sites else {},
        formulas=formulas,
        initial_edges=np.full(len(rows), 4.5),
        targets=np.array([4 + of_a[a] + of_b[b] for a, b, _ in rows]),
        counts=np.zeros((len(rows), 1, 2, 2), np.float32),
        channels=("total",),
    )


@pytest.mark.parametrize("sites", [True, False])
def test_ridge_recovers_additive_data(sites: bool) -> None:
    table = predict_baselines(additive(sites=sites), LEARNING | {"baselines": ["ridge"]})
    test = metrics(table).set_index("part").loc["test"]
    assert test["mae"] < 1e-3
    assert test["r2"] > 0.99999


def test_mean_predicts_the_training_mean() -> None:
    dataset = additive()
    table = predict_baselines(dataset, LEARNING | {"baselines": ["mean"]})
    for fold in planned_splits(dataset, LEARNING)["random"]:
        of_fold = table[table["fold"] == fold.number]
        np.testing.assert_allclose(of_fold["predicted"], dataset.targets[fold.train].mean())
    assert metrics(table).set_index("part").loc["test", "r2"] <= 0


@pytest.mark.parametrize("sites", [True, False])
def test_gradient_boosting_learns_from_properties(sites: bool) -> None:
    dataset = additive()
    names, values = element_properties(dataset.elements["A"].tolist())
    dataset = dataclasses.replace(
        dataset,
        targets=values[:, names.index("atomic_radius_angstrom")],
        elements=dataset.elements if sites else {},
    )
    table = predict_baselines(dataset, LEARNING | {"baselines": ["gradient_boosting"]}, threads=1)
    assert metrics(table).set_index("part").loc["test", "r2"] > 0.8


def test_one_row_stands_for_all_structures_of_a_compound() -> None:
    learning = LEARNING | {"baselines": ["mean", "ridge", "gradient_boosting"]}
    one, three = (predict_baselines(additive(draws), learning, threads=1) for draws in (1, 3))
    validate_predictions(three)
    assert set(three["structure_id"]) == {""}
    assert set(three["seed"]) == {"3"}
    keys = ["model", "fold", "part", "compound", "true", "predicted"]
    one, three = (table.sort_values(keys[:4], ignore_index=True) for table in (one, three))
    assert one[keys].equals(three[keys])


def test_polymorphs_with_their_own_targets_stay_apart() -> None:
    dataset = additive(draws=2)
    targets = dataset.targets.copy()
    targets[0] += 0.5
    table = predict_baselines(dataclasses.replace(dataset, targets=targets), LEARNING | {"baselines": ["mean"]})
    validate_predictions(table)
    assert set(table["structure_id"]) == {"", "NaTiO3-0", "NaTiO3-1"}


def test_test_targets_do_not_reach_a_fit() -> None:
    dataset = additive()
    learning = LEARNING | {"folds": 2, "baselines": ["mean", "ridge", "gradient_boosting"]}
    honest = predict_baselines(dataset, learning, threads=1)
    fold = planned_splits(dataset, learning)["random"][0]
    targets = dataset.targets.copy()
    targets[fold.test] += 100
    poisoned = predict_baselines(dataclasses.replace(dataset, targets=targets), learning, threads=1)
    of_fold = honest["fold"] == fold.number
    assert honest[of_fold]["predicted"].tolist() == poisoned[of_fold]["predicted"].tolist()
    assert honest[~of_fold]["predicted"].tolist() != poisoned[~of_fold]["predicted"].tolist()


def test_unknown_baselines_are_named() -> None:
    with pytest.raises(ValueError, match=r"unknown baseline magic; write mean, ridge, gradient_boosting"):
        predict_baselines(additive(), LEARNING | {"baselines": ["magic"]})


def test_composition_counts_atoms() -> None:
    assert composition("SrTiO3") == {"Sr": 1, "Ti": 1, "O": 3}
    assert composition("La0.5Sr0.5MnO3") == {"La": 0.5, "Sr": 0.5, "Mn": 1, "O": 3}
    assert composition("Ac2O3") == {"Ac": 2, "O": 3}
    for formula in ("", "srtio3", "Xx2", "Ca(OH)2"):
        with pytest.raises(ValueError, match="formula"):
            composition(formula)


def test_element_properties_are_tabulated_and_absent_ones_nan() -> None:
    names, values = element_properties(["Pb", "O", "He"])
    assert values.shape == (3, len(names))
    assert values[0, names.index("atomic_radius_angstrom")] == 1.8
    assert values[1, names.index("electronegativity")] == 3.44
    assert np.isnan(values[2, names.index("electronegativity")])
    assert values[:, names.index("row")].tolist() == [6, 2, 1]
    assert values[0, names.index("f_electrons_outside_core")] == 14
    assert len(SYMBOLS) == 118
    assert SYMBOLS[117] == "Og"
    numbers = element_properties(SYMBOLS)[1][:, names.index("atomic_number")]
    assert numbers.tolist() == list(range(1, 119))
    with pytest.raises(ValueError, match="Xx"):
        element_properties(["Xx"])
