"""Trainings that start from a network that was trained before, for every network that is registered."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from test_prediction import EDGES, LEARNING, NAMES, _definition, _load
from test_training import train as train_made_up
from written_settings import train_networks

from hirshprint.config.learning import Learning
from hirshprint.datasets.gather import Dataset
from hirshprint.densities import Densities
from hirshprint.networks.backend import tf
from hirshprint.networks.cards import unit_cards
from hirshprint.networks.predict import write_folder_card
from hirshprint.networks.registry import NETWORKS
from hirshprint.networks.start import formula_key
from hirshprint.networks.training import Trainer
from hirshprint.structures.structure import Structure

OLD = [f"{a}{b}O3" for a in ("K", "Ca", "Sr", "Ba", "La") for b in ("Ti", "Zr", "Nb", "Al", "Fe", "Sn")]
NEW = [formula for k, formula in enumerate(OLD) if k % 2] + ["CeTiO3", "SrHfO3"]
BARELY: dict[str, Any] = {"epochs": 1, "batch_size": 8, "learning_rate": 1e-7}
Data = tuple[Dataset, list[Structure]]
Old = tuple[Path, Data, pd.DataFrame]


def _data(folder: Path, formulas: list[str], shift: float, densities: Densities) -> Data:
    folder.mkdir()
    rows = [f"{formula},{shift + 0.1 * (k % 6)}" for k, formula in enumerate(formulas)]
    (folder / "table.csv").write_text("\n".join(["formula,a_angstrom", *rows]) + "\n", encoding="utf-8")
    settings = {"table": str(folder / "table.csv"), "property": "a_angstrom", "unit": "Å"}
    settings |= {"prototype": "cubic_perovskite", "initial_edge": EDGES["list"]}
    return _load(folder, settings, densities)


def _train(folder: Path, data: Data, learning: dict[str, Any]) -> pd.DataFrame:
    return train_networks(*data, learning, folder / "cache", folder / "models", gpus=0)


def _of_test(table: pd.DataFrame, model: str) -> pd.Series[float]:
    """Predictions of all parts of fold 0 of seed 0, by compound."""
    rows = table[(table["model"] == model) & (table["fold"] == 0) & (table["seed"] == "0")]
    return rows.groupby("compound")["predicted"].mean()


@pytest.fixture(scope="module")
def old(thakkar: Densities, tmp_path_factory: pytest.TempPathFactory) -> Old:
    """Models of all networks, hardly trained, what they learned from, and their predictions."""
    folder = tmp_path_factory.mktemp("old")
    data = _data(folder / "data", OLD, 4.0, thakkar)
    longer = {model: LEARNING[model] | {"epochs": 20} for model in ("readout", "hybrid")}  # these are small
    table = _train(folder, data, LEARNING | longer)
    write_folder_card(folder / "models", data[0], table, _definition("list"), folder / "data/f.h5")
    return folder / "models", data, table


@pytest.fixture(scope="module")
def new(thakkar: Densities, tmp_path_factory: pytest.TempPathFactory) -> Data:
    """Other compounds with another mean and spread of the property."""
    return _data(tmp_path_factory.mktemp("new") / "data", NEW, 4.7, thakkar)


def test_all_networks_are_tried_here() -> None:
    assert set(NAMES) == set(NETWORKS)


def _still(self: Trainer, inputs: Any, targets: Any, rate: Any, elements: Any = None) -> Any:
    """A step that leaves the network as it is; batch normalisation would move its averages at any learning rate."""
    return tf.reduce_mean(tf.square(self.network(inputs, training=False)[:, 0] - targets))


@pytest.mark.parametrize("model", NAMES)
def test_a_training_that_does_not_move_predicts_what_its_start_did(
    old: Old, new: Data, tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weights, the scale of the output and those of the inputs are all taken; the cards say from where."""
    monkeypatch.setattr(Trainer, "_step", _still)
    folder, data, table = old
    started = LEARNING | {"networks": [model], model: LEARNING[model] | BARELY | {"start_from": str(folder)}}
    best = unit_cards(folder, model)[0]
    card = json.loads(best.read_text(encoding="utf-8"))
    rows = table[(table["model"] == model) & (table["seed"] == str(card["seed"])) & (table["fold"] == card["fold"])]
    expected = rows.groupby("compound")["predicted"].mean()
    assert expected.std() > 0.005
    same = _of_test(_train(tmp_path / "same", data, started), model)
    np.testing.assert_allclose(same[expected.index], expected, atol=2e-5)
    other = _train(tmp_path / "other", new, started)
    found = _of_test(other, model)
    both = expected.index.intersection(other["compound"].unique())
    assert len(both) == 15
    np.testing.assert_allclose(found[both], expected[both], atol=2e-5)
    ours = json.loads((tmp_path / f"other/models/{model}-random-fold1-seed0.json").read_text(encoding="utf-8"))
    told = ours["started_from"]
    assert (told["network"], told["folder"], told["dataset"]) == (best.stem, str(folder), "d")
    assert (told["property"], told["layers"], told["compounds_seen"]) == ("a_angstrom", "all", 15)
    assert told["structures"] == card["rows"]["train"]
    second = json.loads((tmp_path / f"other/models/{model}-random-fold1-seed1.json").read_text(encoding="utf-8"))
    assert second["started_from"]["network"] == unit_cards(folder, model)[1].stem
    if "divided_by" in card["inputs"]:
        assert ours["inputs"]["divided_by"] == card["inputs"]["divided_by"]


@pytest.mark.parametrize("model", NAMES)
def test_another_folder_trains_again_and_the_same_one_does_not(old: Old, tmp_path: Path, model: str) -> None:
    copied = tmp_path / "elsewhere"
    copied.mkdir()
    best = unit_cards(old[0], model)[0]
    for path in old[0].glob(f"{best.stem}.*"):
        (copied / path.name).write_bytes(path.read_bytes())
    started = LEARNING | {"networks": [model], "seeds": [0]}
    caches = []
    for start in (str(old[0]), str(copied), ""):  # a folder of the same content is the same
        _train(tmp_path, old[1], started | {model: LEARNING[model] | BARELY | {"start_from": start}})
        caches.append(len(list((tmp_path / "cache").iterdir())))
    assert caches == [1, 1, 2]
    other = unit_cards(old[0], model)[-1]
    for path in old[0].glob(f"{other.stem}.*"):
        (copied / path.name.replace(other.stem, best.stem)).write_bytes(path.read_bytes())
    if (copied / f"{best.stem}.npz").exists():
        (copied / f"{other.stem}.npz").write_bytes((old[0] / f"{other.stem}.npz").read_bytes())
    _train(tmp_path, old[1], started | {model: LEARNING[model] | BARELY | {"start_from": str(copied)}})
    assert len(list((tmp_path / "cache").iterdir())) == 3


def test_a_training_that_starts_elsewhere_goes_further(old: Old, tmp_path: Path) -> None:
    error = {}
    for start in ("", str(old[0])):
        section = LEARNING["hybrid"] | {"epochs": 2, "start_from": start}
        made = _train(tmp_path, old[1], LEARNING | {"networks": ["hybrid"], "seeds": [0], "hybrid": section})
        error[bool(start)] = (made["predicted"] - made["true"]).abs().mean()
    assert error[True] < 0.7 * error[False]


def test_another_property_takes_all_but_the_output(old: Old, new: Data, tmp_path: Path) -> None:
    energies = replace(new[0], property="energy", unit="eV", targets=new[0].targets * 3 - 20)
    for start in (str(old[0]), ""):
        section = LEARNING["cnn"] | BARELY | {"start_from": start}
        made = _train(tmp_path, (energies, new[1]), LEARNING | {"networks": ["cnn"], "cnn": section})
        validated = made[made["part"] == "validation"]
        assert (validated["predicted"] - validated["true"]).abs().mean() < 5  # of the new target, and not of the old
        card = json.loads((tmp_path / "models/cnn-random-fold0-seed0.json").read_text(encoding="utf-8"))
        assert (card["started_from"] or {"layers": ""})["layers"] == ("all but the output" if start else "")


def test_what_cannot_be_started_from_says_what_to_write(
    old: Old, new: Data, thakkar: Densities, tmp_path: Path
) -> None:
    def started(model: str, folder: Path, **more: Any) -> dict[str, Any]:
        return LEARNING | {"networks": [model], model: LEARNING[model] | {"start_from": str(folder)} | more}

    with pytest.raises(ValueError, match=r"learning: hybrid: start_from: .* has no hybrid; name the folder results/"):
        _train(tmp_path, new, started("hybrid", tmp_path))
    with pytest.raises(ValueError, match=r"radius_angstrom 4.5, here it is 4.0; write radius_angstrom: 4.5"):
        _train(tmp_path, new, started("cgcnn", old[0], radius_angstrom=4.0))
    with pytest.raises(
        ValueError, match=r"the layer dense has weights of 1152 × 128 .*, here of 512 × 128 .*; write the same `finger"
    ):
        train_made_up(tmp_path, started("cnn_paper", old[0]))
    with pytest.raises(ValueError, match=r"channels \['A', 'B', 'X'\], here it is \['total'\]; write channels so that"):
        _train(tmp_path, new, started("cnn", old[0], channels="total"))
    dataset, structures = new
    first = np.flatnonzero(dataset.draws == 0)
    columns = ("structure_ids", "compounds", "groups", "formulas", "initial_edges", "targets", "draws", "counts")
    cut: Any = {name: getattr(dataset, name)[first] for name in (*columns, "moments")}
    cut |= {"elements": {site: symbols[first] for site, symbols in dataset.elements.items()}}
    one_edge = replace(dataset, **cut)
    with pytest.raises(ValueError, match=r"edges_angstrom \[4.0, 4.6\], here it is \[4.0\]; give this dataset"):
        _train(tmp_path, (one_edge, structures), started("readout", old[0]))


def test_every_network_has_the_key() -> None:
    learning = Learning.from_dict({})
    assert {name: getattr(learning, name).start_from for name in NETWORKS} == dict.fromkeys(NETWORKS, "")


def test_formulas_of_the_same_composition_are_equal() -> None:
    assert formula_key("SrTiO3") == formula_key("O6Sr2Ti2") == formula_key("TiSrO3")
    assert formula_key("SrTiO3") != formula_key("SrTi2O3")
    assert formula_key("19-13") == "19-13"
