from __future__ import annotations

import dataclasses
from pathlib import Path

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray
from written_settings import planned_splits, predict_baselines

from hirshprint.accuracy.metrics import metrics
from hirshprint.accuracy.predictions import validate_predictions
from hirshprint.baselines.answers import ANSWER_FITS
from hirshprint.baselines.fingerprint import fingerprint_inputs
from hirshprint.baselines.registry import BASELINES
from hirshprint.datasets.gather import Dataset, DatasetError
from hirshprint.structures.elements import element_properties, oxidation_states, shannon_radius
from hirshprint.structures.symbols import SYMBOLS, composition

A = ("Na", "K", "Rb", "Cs", "Ca", "Sr", "Ba", "La", "Y", "Pb")
B = ("Ti", "Zr", "Hf", "Fe", "Co", "Al", "Sc", "Nb")
OF_COMPOSITION = [one.name for one in BASELINES.values() if one.sees == "composition" and not one.formula]
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
        draws=np.array([k for _, _, k in rows]),
        counts=np.zeros((len(rows), 1, 2, 2), np.float32),
        channels=("total",),
        moments=np.zeros((len(rows), 0, 12)),
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


@pytest.mark.parametrize(
    "name", [one.name for one in BASELINES.values() if one.sees == "composition" and not one.formula]
)
def test_polymorphs_of_one_formula_are_predicted_as_their_mean(name: str) -> None:
    """Where all crystals have the same composition, it tells nothing."""
    many = additive(sites=False)
    ids = np.array([f"x{k}" for k in range(len(many.targets))])
    one = dataclasses.replace(
        many, structure_ids=ids, groups=ids, **dict.fromkeys(("compounds", "formulas"), np.full(len(ids), "TiO2"))
    )
    table = predict_baselines(one, LEARNING | {"baselines": [name]})
    for fold in planned_splits(one, LEARNING)["random"]:
        of_fold = table[(table["fold"] == fold.number) & (table["part"] == "test")]
        np.testing.assert_allclose(of_fold["predicted"], one.targets[fold.train].mean(), atol=0.2)
    if name in ANSWER_FITS:
        answers = (one.targets > 4).astype(np.float64)
        said = ANSWER_FITS[name](np.ones((len(ids), 3)), answers, np.arange(60), 0)
        np.testing.assert_allclose(said, answers[:60].mean(), atol=0.05)


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


def test_element_network_learns_more_than_additive_data() -> None:
    dataset = additive()
    names, values = element_properties(dataset.elements["A"].tolist())
    a = values[:, names.index("atomic_radius_angstrom")]
    b = element_properties(dataset.elements["B"].tolist())[1][:, names.index("atomic_radius_angstrom")]
    dataset = dataclasses.replace(dataset, targets=a * b)
    table = predict_baselines(dataset, LEARNING | {"baselines": ["ridge", "mlp"]}, threads=1)
    test = metrics(table).set_index(["part", "model"]).loc["test"]
    assert test.loc["mlp", "r2"] > 0.97
    assert test.loc["mlp", "mae"] < test.loc["ridge", "mae"]


def test_element_network_is_trained_once_per_seed_and_repeats_itself() -> None:
    learning = LEARNING | {"seeds": [3, 5], "baselines": ["mean", "mlp"]}
    table, again = (predict_baselines(additive(), learning, threads=1) for _ in range(2))
    validate_predictions(table)
    assert table.equals(again)
    seeds = table.groupby("model")["seed"].unique().map(set).to_dict()
    assert seeds == {"mean": {"3"}, "mlp": {"3", "5", "ensemble"}}
    of_seed = {seed: rows["predicted"].to_numpy() for seed, rows in table[table["model"] == "mlp"].groupby("seed")}
    assert np.abs(of_seed["3"] - of_seed["5"]).max() > 0
    np.testing.assert_allclose(of_seed["ensemble"], (of_seed["3"] + of_seed["5"]) / 2)


def part_of(dataset: Dataset, rows: NDArray[np.int64]) -> Dataset:
    """Some rows of a dataset without contacts."""
    arrays = {
        name: value[rows] for name, value in vars(dataset).items() if isinstance(value, np.ndarray) and len(value)
    }
    elements = {site: symbols[rows] for site, symbols in dataset.elements.items()}
    return dataclasses.replace(dataset, **arrays, elements=elements)


def peaks(dataset: Dataset, path: Path, channels: tuple[str, ...] = ("total", "A", "B", "X")) -> Path:
    """Write fingerprints whose areas gather about a d_i and a d_e that tell the target, at any edge."""
    middle = 6 + 2.0 * (dataset.targets - dataset.targets.mean()) / dataset.targets.std()
    bins = np.arange(12) + 0.5
    along = np.exp(-0.5 * (bins - middle[:, None]) ** 2)
    with h5py.File(path, "w") as file:
        file["ids"] = np.array(dataset.structure_ids[::-1].tolist(), dtype=h5py.string_dtype())
        file["channels"] = np.array(channels, dtype=h5py.string_dtype())
        image = (along[:, :, None] * along[:, None, :])[::-1]
        file["counts"] = np.repeat(image[:, None], len(channels), axis=1).astype(np.float32)
    return path


@pytest.mark.parametrize("split", ["leave-A-out", "leave-B-out"])
def test_elements_that_training_never_saw_are_predicted(split: str, tmp_path: Path) -> None:
    dataset = additive()
    learning = LEARNING | {"splits": [split], "baselines": list(BASELINES)}
    table = predict_baselines(dataset, learning, peaks(dataset, tmp_path / "f.h5"), threads=1)
    validate_predictions(table)
    tested = table[table["part"] == "test"].groupby("model")["compound"].nunique()
    assert set(tested[tested == len(dataset.targets)].index) == set(BASELINES) - {"bond_lengths", "verma"}


@pytest.mark.parametrize("sites", [True, False])
def test_shuffled_targets_cannot_be_predicted(sites: bool, tmp_path: Path) -> None:
    dataset = additive(sites=sites)
    fingerprints = peaks(dataset, tmp_path / "f.h5")
    shuffled = dataclasses.replace(dataset, targets=np.random.default_rng(2).permutation(dataset.targets))
    table = predict_baselines(shuffled, LEARNING | {"baselines": list(BASELINES)}, fingerprints, threads=1)
    test = metrics(table).set_index(["part", "model"]).loc["test"]
    assert set(test.index) == set(BASELINES) - (set() if sites else {"bond_lengths", "verma"})
    assert test["r2"].max() < 0.1


@pytest.mark.parametrize(
    ("baseline", "sites", "share"),
    [
        ("gaussian_process", True, 0.05),
        ("gaussian_process", False, 0.05),
        ("gradient_boosting_fingerprint", True, 0.6),
        ("gradient_boosting_fingerprint", False, 0.6),
    ],
)
def test_some_baselines_learn_from_fingerprints(baseline: str, sites: bool, share: float, tmp_path: Path) -> None:
    dataset = additive(sites=sites)
    alike = dataclasses.replace(  # only the fingerprints tell them apart
        dataset,
        formulas=np.full_like(dataset.formulas, "SrTiO3"),
        elements={site: np.full(len(dataset.targets), "O") for site in dataset.elements},
    )
    learning = LEARNING | {"baselines": [baseline]}
    table = predict_baselines(alike, learning, peaks(dataset, tmp_path / "f.h5"), threads=1)
    validate_predictions(table)
    assert metrics(table).set_index("part").loc["test", "mae"] < share * dataset.targets.std()


def test_a_compound_without_one_of_the_edges_has_no_inputs_and_no_prediction(tmp_path: Path) -> None:
    dataset = additive(draws=2)
    alike = dataclasses.replace(dataset, initial_edges=np.where(dataset.draws == 0, 4.0, 5.0))
    kept = np.flatnonzero(alike.structure_ids != f"{alike.compounds[40]}-1")
    lacking = part_of(alike, kept)
    path = peaks(alike, tmp_path / "f.h5")
    first = np.flatnonzero(lacking.draws == 0)
    found, whole = (
        fingerprint_inputs(lacking, first, path),
        fingerprint_inputs(alike, np.flatnonzero(alike.draws == 0), path),
    )
    assert np.isnan(found).all(axis=1).tolist() == (lacking.compounds[first] == alike.compounds[40]).tolist()
    np.testing.assert_array_equal(found[np.isfinite(found).all(axis=1)], np.delete(whole, 20, axis=0))
    for baseline in ("gaussian_process", "gradient_boosting_fingerprint"):
        table = predict_baselines(lacking, LEARNING | {"baselines": [baseline]}, path, threads=1)
        predicted = set(table["compound"]) == set(lacking.compounds.tolist())
        assert predicted == (baseline != "gaussian_process")


def test_the_first_draw_stands_for_a_compound_whatever_its_edge(tmp_path: Path) -> None:
    dataset = additive(draws=3)
    drawn = dataclasses.replace(dataset, initial_edges=np.linspace(3.5, 5.5, len(dataset.targets)))
    backwards = dataclasses.replace(drawn, draws=2 - drawn.draws)
    path = peaks(dataset, tmp_path / "f.h5")
    seen: list[list[int]] = []

    def spied(of: Dataset, rows: NDArray[np.int64], fingerprints: Path) -> NDArray[np.float64]:
        seen.append(of.draws[rows].tolist())
        return fingerprint_inputs(of, rows, fingerprints)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hirshprint.baselines.composition.fingerprint_inputs", spied)
        for of in (drawn, backwards):
            predict_baselines(of, LEARNING | {"baselines": ["gaussian_process"]}, path, threads=1)
    assert seen == [[0] * 80, [0] * 80]


def test_edges_that_all_compounds_have_are_seen_together_else_the_first(tmp_path: Path) -> None:
    dataset = additive(draws=2)
    path, first = peaks(dataset, tmp_path / "f.h5"), np.flatnonzero(dataset.draws == 0)
    alike = dataclasses.replace(dataset, initial_edges=np.where(dataset.draws == 0, 4.0, 5.0))
    drawn = dataclasses.replace(dataset, initial_edges=np.linspace(3.5, 5.5, len(dataset.targets)))
    together, one = (fingerprint_inputs(x, first, path) for x in (alike, drawn))
    assert together.shape == (80, 2 * 3 * 15)
    assert one.shape == (80, 3 * 15)
    np.testing.assert_allclose(together[:, : 3 * 15], one)
    kinds = dataclasses.replace(drawn, elements={})
    assert fingerprint_inputs(kinds, first, path).shape == (80, 15)
    with pytest.raises(DatasetError, match=r"no channel total; add it under fingerprint: channels"):
        fingerprint_inputs(kinds, first, peaks(kinds, tmp_path / "g.h5", ("inside",)))


def test_formulas_predict_what_they_can_and_say_what_not(caplog: pytest.LogCaptureFixture) -> None:
    dataset = additive()  # Na, K, ... with a trivalent B, among others, are not neutral
    learning = LEARNING | {"baselines": ["mean", "bond_lengths", "verma"]}
    table = predict_baselines(dataset, learning)
    validate_predictions(table)
    test = table[table["part"] == "test"].groupby("model")["compound"].nunique()
    assert 10 < test["verma"] <= test["bond_lengths"] < test["mean"] == 80
    assert f"bond_lengths, random: predicts {test['bond_lengths']} of 80 compounds; the ions of 40 are" in caplog.text
    for other, reason in [
        (dataclasses.replace(dataset, elements={}), "has not the sites A, B and X"),
        (dataclasses.replace(dataset, unit="eV"), "in eV"),
    ]:
        assert set(predict_baselines(other, learning)["model"]) == {"mean"}
        assert reason in caplog.text
        with pytest.raises(ValueError, match=r"none of the baselines bond_lengths, verma can predict"):
            predict_baselines(other, learning | {"baselines": ["bond_lengths", "verma"]})


def test_one_row_stands_for_all_structures_of_a_compound() -> None:
    of_composition = [name for name, baseline in BASELINES.items() if "fingerprint" not in baseline.sees]
    learning = LEARNING | {"baselines": of_composition}
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


def test_test_targets_do_not_reach_a_fit(tmp_path: Path) -> None:
    dataset = additive()
    learning, path = LEARNING | {"folds": 2, "baselines": list(BASELINES)}, peaks(dataset, tmp_path / "f.h5")
    honest = predict_baselines(dataset, learning, path, threads=1)
    fold = planned_splits(dataset, learning)["random"][0]
    targets = dataset.targets.copy()
    targets[fold.test] += 100
    targets[fold.validation] -= 50  # no model here looks at it either
    poisoned = predict_baselines(dataclasses.replace(dataset, targets=targets), learning, path, threads=1)
    for model in BASELINES:
        for number in (0, 1):
            pair = [t[(t["model"] == model) & (t["fold"] == number)]["predicted"].tolist() for t in (honest, poisoned)]
            assert pair[0]
            assert (pair[0] == pair[1]) == (number == fold.number), model


def test_inputs_of_test_rows_do_not_reach_a_fit(tmp_path: Path) -> None:
    dataset = additive()
    learning = LEARNING | {"folds": 2, "baselines": list(BASELINES)}
    fold = planned_splits(dataset, learning)["random"][0]
    elements = {site: symbols.copy() for site, symbols in dataset.elements.items()}
    elements["B"][fold.test] = "Os"  # an element that is nowhere else
    swapped = dataclasses.replace(dataset, elements=elements)
    kept = dataset.compounds[np.concatenate([fold.train, fold.validation])]
    path, other = (peaks(dataset, tmp_path / name) for name in ("f.h5", "g.h5"))
    with h5py.File(other, "r+") as file:
        for row in fold.test:
            file["counts"][len(dataset.targets) - 1 - row] = np.eye(
                12, dtype=np.float32
            )  # the file's order is reversed
    found = [predict_baselines(d, learning, f, threads=1) for d, f in ((dataset, path), (swapped, other))]
    pair = [t[(t["fold"] == 0) & t["compound"].isin(kept)].reset_index(drop=True) for t in found]
    assert set(pair[0]["model"]) == set(BASELINES)
    np.testing.assert_allclose(pair[0]["predicted"], pair[1]["predicted"], rtol=0, atol=1e-9)


def test_unknown_baselines_are_named() -> None:
    with pytest.raises(ValueError, match=rf"unknown baseline magic; write {', '.join(BASELINES)}"):
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


def test_shannon_radii_are_those_of_the_nearest_coordination() -> None:
    assert shannon_radius("Sr", 2, 12) == 1.44
    assert shannon_radius("Ti", 4, 6) == 0.605
    assert shannon_radius("O", -2, 6) == 1.40
    assert shannon_radius("Fe", 3, 6) == 0.645  # high spin
    assert shannon_radius("Y", 3, 12) == 1.075  # nine neighbours are the most tabulated
    assert np.isnan(shannon_radius("Sn", 2, 6))
    assert np.isnan(shannon_radius("He", 1, 6))
    common, known = oxidation_states("V")
    assert common == (5,)
    assert {2, 3, 4, 5} <= set(known)
    assert oxidation_states("He") == ((), ())
