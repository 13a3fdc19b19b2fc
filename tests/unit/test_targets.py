"""What kind of number a property is: of a cell or of an atom, with a logarithm, or yes and no."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from test_baselines import additive
from test_training import SMALL, crystals, train
from written_settings import build_structures, plan_dataset, predict_baselines, train_networks

from hirshprint.accuracy.metrics import metrics
from hirshprint.accuracy.predictions import read_predictions, write_predictions
from hirshprint.accuracy.standing import headline_metrics
from hirshprint.accuracy.uncertainty import with_calibrated_std
from hirshprint.batch.gathering import write_fingerprints
from hirshprint.cli import main
from hirshprint.config.load import ConfigError, resolve_config
from hirshprint.config.model import Dataset as Settings
from hirshprint.config.model import Fingerprint
from hirshprint.datasets.gather import Dataset, load_dataset
from hirshprint.datasets.target_scale import PLAIN, Target
from hirshprint.datasets.told import with_target
from hirshprint.densities import Densities
from hirshprint.hirshfeld.python.engine import compute_surfaces
from hirshprint.networks.backend import prepare_device
from hirshprint.networks.cards import complete_predicted, fingerprint_definition
from hirshprint.networks.explaining import Attribution, in_unit
from hirshprint.networks.predict import write_folder_card
from hirshprint.networks.registry import needed_of_fingerprints
from hirshprint.structures.building import write_targets
from hirshprint.structures.sources.targets import ANSWER_UNIT
from hirshprint.structures.structure import Structure, write_structures

prepare_device(gpus=0, require_gpu=False, threads=2)  # as test_training does: it can be set only once in a process

BINS = {"count": 16, "low_angstrom": 0.76, "high_angstrom": 2.8}
FINGERPRINT = {"weighting": "area", "channels": ["total"], "normalise": "formula_unit", "bins": BINS}
PLAN: dict[str, Any] = {"splits": ["random"], "folds": 2, "seeds": [0], "validation_fraction": 0.2}
NAMES = ["cnn", "cgcnn", "contacts"]
LEARNING = PLAN | {"networks": NAMES} | dict.fromkeys(NAMES, SMALL | {"epochs": 3})
PAIRS = [(a, b) for a in ("Na", "K", "Rb", "Cs") for b in ("Cl", "Br", "I")]


def crystal_line(name: str, pair: tuple[str, str], edge: float, cells: int, **fields: Any) -> str:
    """One crystal of the kind of CsCl, several cells in a row, as a line of JSON."""
    places = [[(place + k) / cells, place, place] for k in range(cells) for place in (0.0, 0.5)]
    lattice = (np.diag([cells, 1, 1]) * edge).tolist()
    return json.dumps({"id": name, "lattice": lattice, "species": [*pair] * cells, "frac_coords": places, **fields})


def learned_crystals(folder: Path, densities: Densities, lines: list[str], **keys: str) -> tuple[Dataset, Any]:
    """A file of crystals with the property p, by the stages of a run, and its structures."""
    (folder / "crystals.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    settings = {"structures": str(folder / "crystals.jsonl"), "property": "p", "unit": "eV", **keys}
    structures, targets, _ = build_structures(plan_dataset(settings).entries, settings)
    surfaces = {structure.structure_id: compute_surfaces(structure, densities, 4) for structure in structures}
    write_fingerprints(surfaces, Fingerprint.from_dict(FINGERPRINT), folder / "f.h5", "digest", ())
    write_targets(folder / "t.csv", targets)
    write_structures(folder / "s.h5", structures, {})
    dataset = load_dataset("d", folder / "f.h5", folder / "t.csv", **needed_of_fingerprints(NAMES, ()))
    return with_target(dataset, Settings.from_dict(settings), folder / "s.h5"), structures


def trained_models(
    folder: Path, dataset: Dataset, structures: list[Structure], learning: Mapping[str, Any] = LEARNING
) -> tuple[Path, pd.DataFrame]:
    table = train_networks(dataset, structures, learning, folder / "cache", folder / "models", gpus=0)
    definition = fingerprint_definition({}, {"engine": "python", "mesh_level": 4}, "thakkar", FINGERPRINT)
    write_folder_card(folder / "models", dataset, table, definition, folder / "f.h5")
    return folder / "models", table


def predicted_by_command(folder: Path, models: Path, model: str, lines: list[str]) -> pd.DataFrame:
    (folder / "new.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    given = ["--cif", str(folder / "new.jsonl"), "--model", str(models), "--network", model]
    assert main(["predict", *given, "--out", str(folder / "new.json")]) == 0
    return pd.DataFrame(json.loads((folder / "new.json").read_text(encoding="utf-8"))).set_index("name")


@pytest.mark.parametrize(("per", "ratio", "model"), [("cell", 3, "contacts"), ("formula_unit", 1, "cgcnn")])
def test_a_supercell_has_so_many_times_the_property(
    thakkar: Densities, tmp_path: Path, per: str, ratio: int, model: str
) -> None:
    """Trained on cells of different sizes; every kind of model gives a supercell its multiple, in the own unit."""
    lines = []
    for k, pair in enumerate(PAIRS):
        cells, energy = 1 + k % 2, -7.0 - 0.1 * k
        value = energy * (cells if per == "cell" else 1)
        lines.append(crystal_line(f"c{k}", pair, 4.0 + 0.05 * k, cells, p=value))
    dataset, structures = learned_crystals(tmp_path, thakkar, lines, per=per)
    assert dataset.atoms is not None
    assert dataset.atoms.tolist() == [len(s.numbers) if per == "cell" else 2 for s in sorted_by_id(structures)]
    models, table = trained_models(tmp_path, dataset, structures, LEARNING | {"networks": [model]})
    np.testing.assert_allclose(table["true"], dataset.targets[rows_by_id(dataset, table)])
    card = json.loads(next(iter(sorted(models.glob(f"{model}-*seed0.json")))).read_text(encoding="utf-8"))
    assert card["per"] == per
    assert -4.2 < card["target_mean"] < -3.5  # eV per atom
    assert card["prediction"].endswith(f"* atoms of the {per.replace('_', ' ')}")
    assert json.loads((models / "model.json").read_text(encoding="utf-8"))["per"] == per
    new = [crystal_line(f"n{cells}", ("K", "Br"), 4.2, cells) for cells in (1, 3)]
    found = predicted_by_command(tmp_path, models, model, new)["p_predicted"]
    assert found["n3"] == pytest.approx(ratio * found["n1"], rel=1e-5)
    assert found["n1"] == pytest.approx(-7.5, abs=2)
    simple = predict_baselines(dataset, PLAN | {"baselines": ["mean", "ridge", "gradient_boosting"]})
    by_atom = simple["predicted"] / dataset.atoms[rows_by_id(dataset, simple)]
    of_mean = by_atom[simple["model"] == "mean"]
    assert of_mean.groupby(simple["fold"]).std().max() < 1e-9
    assert by_atom.between(-4.3, -3.4).all()


def test_the_command_gives_the_probability_of_yes(
    thakkar: Densities, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [crystal_line(f"c{k}", pair, 4.0 + 0.05 * k, 1, p=bool(k % 2)) for k, pair in enumerate(PAIRS)]
    dataset, structures = learned_crystals(tmp_path, thakkar, lines, values="yes_no", unit=ANSWER_UNIT)
    models, table = trained_models(tmp_path, dataset, structures, LEARNING | {"networks": ["cgcnn"]})
    card = json.loads((models / "model.json").read_text(encoding="utf-8"))
    validation = table[table["part"] == "validation"]
    brier = ((validation["predicted"] - validation["true"]) ** 2).mean()
    assert card["validation_brier_score"]["cgcnn"] == pytest.approx(brier)
    found = predicted_by_command(tmp_path, models, "cgcnn", lines)
    expected = table.groupby("compound")["predicted"].mean()[found["formula"]]
    np.testing.assert_allclose(found["p_predicted"], expected, atol=1e-5)
    np.testing.assert_allclose(found["p_std"] ** 2, found["p_predicted"] * (1 - found["p_predicted"]), atol=1e-5)
    said = capsys.readouterr().out
    assert f"p: probability of yes, by the network cgcnn of {models} (2 trainings, validation Brier score 0." in said
    assert main(["predict", "--cif", str(tmp_path / "new.jsonl"), "--model", str(models), "--network", "cnn"]) == 1
    assert f"cgcnn ({brier:.4f})" in capsys.readouterr().err


def sorted_by_id(structures: list[Structure]) -> list[Structure]:
    return sorted(structures, key=lambda structure: structure.structure_id)


def rows_by_id(dataset: Dataset, table: pd.DataFrame) -> Any:
    """Rows of the dataset that rows of a table are of; each compound has one structure."""
    row_of = {name: row for row, name in enumerate(dataset.compounds.tolist())}
    return table["compound"].map(row_of).to_numpy()


def test_what_is_learned_and_stated_are_each_other_s_way_back() -> None:
    values = np.array([0.5, 3.0, 200.0])
    size = np.array([1, 5, 40])
    kinds = [Target(per="cell"), Target(scale="log"), Target(per="formula_unit", scale="log"), Target(values="yes_no")]
    for target, atoms in ((PLAIN, None), (kinds[0], size), (kinds[1], None), (kinds[2], size), (kinds[3], None)):
        learned = target.learned(values, atoms)
        np.testing.assert_allclose(target.stated(learned, atoms), values, rtol=1e-12)
    assert PLAIN.learned(values, None) is values
    assert PLAIN.stated(values, None) is values
    np.testing.assert_allclose(Target(per="cell").learned(values, size), [0.5, 0.6, 5.0])
    np.testing.assert_allclose(Target(scale="log").learned(np.array([0.01, 1, 100]), None), [-2, 0, 2])
    np.testing.assert_allclose(Target(per="cell", scale="log").stated(np.array([2.0]), np.array([3])), [300])
    assert np.isfinite(Target(scale="log").stated(np.array([1e6, -1e6]), None)).all()
    np.testing.assert_allclose(Target(values="yes_no").linked(np.array([-1e4, 0, 1e4])), [0, 0.5, 1])
    assert PLAIN.linked(values) is values


@pytest.mark.parametrize(
    ("target", "unit", "title"),
    [
        (PLAIN, "Å", "MSE (Å²)"),
        (PLAIN, "eV/atom", "MSE ((eV/atom)²)"),
        (PLAIN, "dimensionless", "MSE"),
        (Target(per="cell"), "eV", "MSE ((eV per atom)²)"),
        (Target(scale="log"), "GPa", "MSE of log10"),
        (Target(values="yes_no"), "probability of yes", "logistic loss"),
    ],
)
def test_the_error_of_a_training_is_said_with_its_unit(target: Target, unit: str, title: str) -> None:
    assert target.error_title(unit) == title


@pytest.mark.parametrize("target", [PLAIN, Target(scale="log"), Target(values="yes_no"), Target(per="cell")])
def test_explanations_add_up_in_the_own_unit(target: Target) -> None:
    card = {"target_mean": 0.5, "target_sd": 0.2, **target.written()}
    ends, parts = np.array([-1.0, 2.0]), np.array([1.0, 2.5, -0.5])
    atoms = np.array([5, 5]) if target.per == "cell" else None
    said = in_unit(card, ends, Attribution(parts, 0.0, True), atoms)
    expected = target.stated(target.linked(0.2 * ends + 0.5), atoms)
    assert (said.reference, said.predicted) == pytest.approx(tuple(expected))
    assert said.contributions.sum() == pytest.approx(said.predicted - said.reference)


def test_cards_of_before_are_of_plain_numbers() -> None:
    assert Target.of_card({"model": "cgcnn", "target_mean": 4.0}) == PLAIN
    assert PLAIN.written() == {}
    assert PLAIN.formula() == "network output * target_sd + target_mean"
    assert Target.of_card(Target(per="cell").written()) == Target(per="cell")


def test_a_property_of_another_kind_is_another_property_to_start_from(tmp_path: Path) -> None:
    """A kind that a dataset has not told is no reason for another training; a told one is."""
    dataset, structures = crystals()
    learning = PLAN | {"networks": ["cgcnn"], "cgcnn": SMALL | {"epochs": 2, "radius_angstrom": 4.5}}
    train_networks(dataset, structures, learning, tmp_path / "cache", tmp_path / "models", gpus=0)
    cached = set(tmp_path.glob("cache/*"))
    whole = replace(dataset, target=Target(per="cell"), atoms=np.full(len(dataset.targets), 5))
    begun = learning["cgcnn"] | {"start_from": str(tmp_path / "models")}
    more = learning | {"cgcnn": begun}
    train_networks(whole, structures, more, tmp_path / "cache", tmp_path / "own", gpus=0)
    assert len(set(tmp_path.glob("cache/*")) - cached) == 1
    assert layers_taken(tmp_path / "own") == ["all but the output"] * 2
    train_networks(dataset, structures, more, tmp_path / "cache", tmp_path / "same", gpus=0)
    assert layers_taken(tmp_path / "same") == ["all"] * 2


def layers_taken(folder: Path) -> list[str]:
    cards = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
    return [card["started_from"]["layers"] for card in cards]


def test_compounds_of_several_edges_keep_their_atoms() -> None:
    dataset = additive(draws=2)
    plain = predict_baselines(dataset, PLAN | {"baselines": ["ridge", "mean"]})
    atoms = np.full(len(dataset.targets), 5)
    whole = replace(dataset, target=Target(per="formula_unit"), atoms=atoms, targets=5 * dataset.targets)
    told = predict_baselines(whole, PLAN | {"baselines": ["ridge", "mean"]})
    np.testing.assert_allclose(told["predicted"], 5 * plain["predicted"], rtol=1e-9)


def test_kind_comes_with_the_model() -> None:
    datasets = {"a": {"folder": "f", "targets": "t", "property": "energy", "per": "cell"}}
    resolved = resolve_config({"datasets": datasets | {"b": {"folder": "g", "model": "a"}}})
    assert resolved["datasets"]["a"]["per"] == "cell"
    assert complete_predicted(resolved)["b"]["per"] == "cell"
    with pytest.raises(ConfigError, match=r"`datasets\.b\.per`: comes with the model; delete it"):
        resolve_config({"datasets": datasets | {"b": {"folder": "g", "model": "a", "per": "cell"}}})


CGCNN = {"epochs": 40, "batch_size": 8, "learning_rate": 0.01, "radius_angstrom": 4.5}


def test_a_logarithm_is_learned_and_its_error_is_told_in_decades(tmp_path: Path) -> None:
    dataset, _ = crystals()
    moduli = replace(dataset, targets=10 ** (4 * (dataset.targets - 3)), target=Target(scale="log"), unit="GPa")
    learning = PLAN | {"networks": ["cgcnn"], "cgcnn": CGCNN | {"epochs": 10}}
    table = train(tmp_path, learning, moduli)
    plain = train(tmp_path / "plain", learning, replace(dataset, targets=4 * (dataset.targets - 3)))
    np.testing.assert_allclose(np.log10(table["predicted"]), plain["predicted"], rtol=1e-6)
    card = json.loads((tmp_path / "models/cgcnn-random-fold0-seed0.json").read_text(encoding="utf-8"))
    assert card["scale"] == "log"
    assert card["prediction"] == "10 ** (network output * target_sd + target_mean)"
    assert 3 < card["target_mean"] < 5
    found = metrics(table, "log").set_index("part").loc["test"]
    test = table[table["part"] == "test"]
    by_fold = (np.log10(test["predicted"]) - np.log10(test["true"])).abs().groupby(test["fold"]).mean()
    assert found["mae_log10"] == pytest.approx(by_fold.mean())
    assert found["mae_log10_sd"] == pytest.approx(by_fold.std())
    assert "mae_log10" not in metrics(table)
    made_of = {name: ["x"] for name in table["compound"]}
    stated = with_calibrated_std(table, made_of, "log")
    of_plain = with_calibrated_std(plain, made_of)  # the same in decades: a deviation is a share of the value
    np.testing.assert_allclose(stated["std"] / stated["predicted"], np.log(10) * of_plain["std"], rtol=1e-5)


def test_baselines_learn_the_logarithm_too() -> None:
    dataset = additive()
    moduli = replace(dataset, targets=10.0**dataset.targets, target=Target(scale="log"))
    found = metrics(predict_baselines(moduli, PLAN | {"baselines": ["ridge", "mean", "verma"]}), "log")
    test = found[found["part"] == "test"].set_index("model")
    assert test.loc["ridge", "mae_log10"] < 0.01 < test.loc["mean", "mae_log10"]
    assert "verma" not in test.index  # an edge is learned as it is


def answers_of(dataset: Dataset, yes: Any) -> Dataset:
    return replace(dataset, targets=np.asarray(yes, float), target=Target(values="yes_no"), unit=ANSWER_UNIT)


def test_networks_learn_answers_and_nothing_where_they_are_shuffled(tmp_path: Path) -> None:
    dataset, structures = crystals()
    heavy = np.array([s.numbers[1] > 30 for s in structures])
    learning = PLAN | {"networks": ["cgcnn"], "cgcnn": CGCNN, "seeds": [0, 1]}
    table = train(tmp_path, learning, answers_of(dataset, heavy))
    assert table["predicted"].between(0, 1).all()
    seeds = table[table["seed"] != "ensemble"].groupby(["fold", "part", "compound"])["predicted"].mean()
    joint = table[table["seed"] == "ensemble"].set_index(["fold", "part", "compound"])["predicted"]
    np.testing.assert_allclose(joint[seeds.index], seeds)
    found = headline_metrics(table, "random").iloc[0]
    assert found["roc_auc"] > 0.9
    assert found["balanced_accuracy"] > 0.8
    assert np.isnan(found["within_1_std"])
    card = json.loads((tmp_path / "models/cgcnn-random-fold0-seed0.json").read_text(encoding="utf-8"))
    assert (card["target_mean"], card["target_sd"], card["values"]) == (0.0, 1.0, "yes_no")
    assert card["training_mse"][-1] < 0.1 < card["training_mse"][0]
    std = with_calibrated_std(table, {})["std"]
    np.testing.assert_allclose(std**2, table["predicted"] * (1 - table["predicted"]), atol=1e-12)
    shuffled = np.random.default_rng(0).permutation(heavy)
    told = train(tmp_path / "shuffled", learning, answers_of(dataset, shuffled))
    assert abs(headline_metrics(told, "random").iloc[0]["roc_auc"] - 0.5) < 0.3


def test_probabilities_that_are_all_one_can_be_written_and_read(tmp_path: Path) -> None:
    dataset = answers_of(additive(), np.ones(80))
    table = predict_baselines(dataset, PLAN | {"baselines": ["mean"]})
    write_predictions(tmp_path / "p.csv", table)
    np.testing.assert_array_equal(read_predictions(tmp_path / "p.csv")["predicted"], 1.0)


def test_baselines_of_answers(caplog: pytest.LogCaptureFixture) -> None:
    dataset = additive()
    yes = dataset.targets > np.median(dataset.targets)
    names = ["mean", "ridge", "gradient_boosting", "grnn", "cpann"]
    with caplog.at_level(logging.INFO):
        table = predict_baselines(answers_of(dataset, yes), PLAN | {"baselines": [*names, "svr", "mlp"]})
    assert set(table["model"]) == set(names)
    assert "svr is left out: it predicts numbers, and a_angstrom is yes or no" in caplog.text
    assert table["predicted"].between(0, 1).all()
    found = headline_metrics(table, "random").set_index("model")
    assert found.loc["mean", "roc_auc"] == pytest.approx(0.5)
    assert found.loc["ridge", "roc_auc"] > 0.9
    assert (found["mse"].diff().dropna() >= 0).all()  # ranked by the Brier score
    shuffled = np.random.default_rng(1).permutation(yes)
    told = headline_metrics(predict_baselines(answers_of(dataset, shuffled), PLAN | {"baselines": names}), "random")
    assert (told["roc_auc"] - 0.5).abs().max() < 0.2
    alike = predict_baselines(answers_of(dataset, np.ones(len(yes))), PLAN | {"baselines": names})
    np.testing.assert_allclose(alike["predicted"], 1.0)
    assert metrics(alike)["roc_auc"].isna().all()


def test_areas_under_the_curve_are_those_of_scikit_learn() -> None:
    from sklearn.metrics import balanced_accuracy_score, roc_auc_score

    from hirshprint.accuracy.metrics import of_answers

    generator = np.random.default_rng(0)
    true = generator.integers(0, 2, 50).astype(float)
    predicted = generator.uniform(size=50).round(1)  # with ties
    found = of_answers(true, predicted)
    assert found["roc_auc"] == pytest.approx(roc_auc_score(true, predicted))
    assert found["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(true, predicted >= 0.5))


@pytest.mark.parametrize("written", ["true false", "Yes no", "1 0", "TRUE False", "1.0 0.0", "T F"])
def test_answers_are_read_from_tables_and_others_refused(tmp_path: Path, written: str) -> None:
    yes, no = written.split()
    table = tmp_path / "t.csv"
    rows = ["formula,metal", f"SrTiO3,{no}", f"SrVO3,{yes}", "BaTiO3,maybe", "CaTiO3,2", "CaVO3,"]
    table.write_text("\n".join(rows) + "\n", encoding="utf-8")
    edge = {"kind": "fixed", "edge_angstrom": 4.5}
    settings = {"table": str(table), "property": "metal", "prototype": "cubic_perovskite", "initial_edge": edge}
    plan = plan_dataset(settings | {"values": "yes_no", "unit": ANSWER_UNIT})
    assert [entry.target for entry in plan.entries] == [0.0, 1.0]
    assert [(fault.source.split()[-1], fault.reason) for fault in plan.rejections] == [
        ("4", "metal is maybe, neither yes nor no"),
        ("5", "metal is 2, neither yes nor no"),
        ("6", "metal is empty"),
    ]


def test_answers_are_read_from_records_and_tables_of_targets(tmp_path: Path) -> None:
    found = [True, False, 1, "no", 0.5, None]
    lines = [crystal_line(f"c{k}", ("K", "Br"), 4.2, 1, p=value) for k, value in enumerate(found)]
    (tmp_path / "c.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    settings = {"structures": str(tmp_path / "c.jsonl"), "property": "p", "values": "yes_no", "unit": ANSWER_UNIT}
    plan = plan_dataset(settings)
    assert [entry.target for entry in plan.entries] == [1.0, 0.0, 1.0, 0.0]
    assert [fault.reason for fault in plan.rejections] == ["p is 0.5, neither yes nor no", "it has no p"]
    (tmp_path / "t.csv").write_text("structure_id,p\nc0,yes\nc1,nein\n", encoding="utf-8")
    plan = plan_dataset(settings | {"targets": str(tmp_path / "t.csv")})
    assert [entry.target for entry in plan.entries] == [1.0]
    assert "p is nein, neither yes nor no" in [fault.reason for fault in plan.rejections]


def test_numbers_without_a_logarithm_are_refused(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("formula,modulus\nSrTiO3,180\nBaTiO3,0\nCaTiO3,-3\n", encoding="utf-8")
    edge = {"kind": "fixed", "edge_angstrom": 4.5}
    settings = {"table": str(table), "property": "modulus", "unit": "GPa", "prototype": "cubic_perovskite"}
    plan = plan_dataset(settings | {"initial_edge": edge, "scale": "log"})
    assert [(fault.source.split()[-1], fault.reason) for fault in plan.rejections] == [
        ("3", "modulus is 0, which has no logarithm"),
        ("4", "modulus is -3, which has no logarithm"),
    ]
    assert len(plan_dataset(settings | {"initial_edge": edge}).entries) == 3
    lines = [crystal_line(f"c{k}", ("K", "Br"), 4.2, 1, p=value) for k, value in enumerate((2.0, -1))]
    (tmp_path / "c.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    plan = plan_dataset({"structures": str(tmp_path / "c.jsonl"), "property": "p", "unit": "GPa", "scale": "log"})
    assert [fault.reason for fault in plan.rejections] == ["p is -1, which has no logarithm"]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"values": "yes_no", "unit": "eV"}, "`datasets.a.unit`: answers have no unit; delete it"),
        ({"values": "yes_no", "per": "cell"}, "`datasets.a.per`: an answer does not grow with the cell"),
        ({"values": "yes_no", "scale": "log"}, "`datasets.a.scale`: answers have no logarithm"),
        ({"values": "yes_no", "duplicates": "mean"}, "`datasets.a.duplicates`: yes and no have no mean"),
        ({"unit": ANSWER_UNIT}, "write `values: yes_no` in its place"),
        ({"values": "boolean"}, "`datasets.a.values`"),
        ({"per": "atoms"}, "`datasets.a.per`"),
    ],
)
def test_keys_that_contradict_each_other_are_refused(keys: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve_config({"datasets": {"a": {"folder": "f", "targets": "t", "property": "p", **keys}}})
    assert message in str(caught.value)


def test_answers_need_no_unit() -> None:
    keys = {"folder": "f", "targets": "t", "property": "metal", "values": "yes_no"}
    assert resolve_config({"datasets": {"a": keys}})["datasets"]["a"]["unit"] == ANSWER_UNIT
