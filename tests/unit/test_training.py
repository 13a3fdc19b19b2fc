from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from written_settings import planned_splits, train_networks

from hirshprint.accuracy.metrics import metrics
from hirshprint.accuracy.predictions import validate_predictions
from hirshprint.datasets.gather import Dataset
from hirshprint.fingerprints.half_resolution import half_resolution
from hirshprint.networks import progress, trainer, training
from hirshprint.networks.backend import keras
from hirshprint.networks.graphs import build_graphs, graph_batch
from hirshprint.networks.training import learning_rate
from hirshprint.networks.unit import Unit
from hirshprint.structures.structure import Structure
from hirshprint.structures.symbols import SYMBOLS

CGCNN = {"epochs": 6, "batch_size": 8, "learning_rate": 0.01, "radius_angstrom": 4.5}
SMALL = {"epochs": 6, "batch_size": 8, "learning_rate": 0.002}
NAMES = ["cnn_paper", "cnn_paper_small", "cnn", "cgcnn"]
PLAN: dict[str, Any] = {"splits": ["random"], "folds": 2, "seeds": [0], "validation_fraction": 0.2}
ALL = PLAN | {"networks": NAMES} | dict.fromkeys(NAMES, SMALL) | {"cgcnn": CGCNN}


def crystals() -> tuple[Dataset, list[Structure]]:
    """Thirty compounds whose targets follow from A and B, and whose fingerprints show the target."""
    pairs = [(a, b) for a in (19, 20, 38, 39, 56, 57) for b in (13, 22, 26, 40, 41)]
    names = np.array([f"{a}-{b}" for a, b in pairs])
    formulas = np.array([f"{SYMBOLS[a - 1]}{SYMBOLS[b - 1]}O3" for a, b in pairs])
    targets = np.array([4 + 0.01 * (a - 38) + 0.02 * (b - 26) for a, b in pairs])
    grid = np.arange(16)
    places = 8 + 6 * (targets - 4)[:, None]
    spots = np.exp(-(((grid - places) / 2) ** 2))
    counts = (100 * spots[:, :, None] * spots[:, None, :])[:, None].astype(np.float32)
    frac = np.array([[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]])
    structures = [
        Structure(
            structure_id=name,
            lattice=np.eye(3) * 4.5,
            numbers=np.array([a, b, 8, 8, 8]),
            frac=frac,
            is_anion=np.array([0, 0, 1, 1, 1], bool),
            site_atom=np.arange(3),
            atom_site=np.array([0, 1, 2, 2, 2]),
            site_labels=("A", "B", "X"),
            multiplicity=np.array([1, 1, 3]),
            site_operations=(),
            formula_units=1,
        )
        for name, (a, b) in zip(names.tolist(), pairs, strict=True)
    ]
    dataset = Dataset(
        name="made_up",
        property="a_angstrom",
        unit="Å",
        structure_ids=names,
        compounds=names,
        groups=names,
        elements={},
        formulas=formulas,
        initial_edges=np.full(len(names), 4.5),
        targets=targets,
        draws=np.zeros(len(names), dtype=np.int64),
        counts=counts,
        channels=("total",),
        moments=np.zeros((len(names), 0, 12)),
        halves={"total": half_resolution(counts[:, 0])},
    )
    return dataset, structures


def train(folder: Path, learning: Mapping[str, Any], dataset: Dataset | None = None, **options: Any) -> pd.DataFrame:
    made, structures = crystals()
    return train_networks(
        made if dataset is None else dataset,
        structures,
        learning,
        folder / "cache",
        folder / "models",
        gpus=0,
        threads=2,
        **options,
    )


def keras_model(folder: Path, name: str) -> tuple[Any, dict[str, Any]]:
    card = json.loads((folder / "models" / f"{name}.json").read_text(encoding="utf-8"))
    return keras.models.load_model(folder / "models" / f"{name}.keras"), card


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pd.DataFrame]:
    folder = tmp_path_factory.mktemp("undisturbed")
    return folder, train(folder, ALL)


def test_every_fold_is_predicted_and_saved(undisturbed: tuple[Path, pd.DataFrame]) -> None:
    folder, table = undisturbed
    validate_predictions(table)
    assert len(table) == len(NAMES) * 2 * 30
    assert set(table["model"]) == set(NAMES)
    for model in NAMES:
        tested = table[(table["model"] == model) & (table["part"] == "test")]
        assert sorted(tested["structure_id"]) == sorted(crystals()[0].structure_ids)
    names = sorted(path.name for path in (folder / "models").iterdir())
    assert names == sorted(
        f"{model}-random-fold{fold}-seed0.{ending}"
        for model in NAMES
        for fold in (0, 1)
        for ending in ("json", "keras")
    )
    assert not [path for path in folder.rglob("*") if "checkpoint" in path.name or ".part" in path.name]


def test_saved_models_with_their_cards_give_the_predictions(undisturbed: tuple[Path, pd.DataFrame]) -> None:
    folder, table = undisturbed
    dataset, structures = crystals()
    rows = np.arange(len(structures))
    networks = {model: keras_model(folder, f"{model}-random-fold1-seed0") for model in NAMES}
    raw = dataset.counts[:, 0, :, :, None]
    scaled = np.sqrt(dataset.halves["total"])[..., None] / networks["cnn"][1]["inputs"]["divided_by"][0]
    graphs = build_graphs(structures, networks["cgcnn"][1]["inputs"]["radius_angstrom"])
    inputs = {"cnn_paper": [raw], "cnn_paper_small": [raw], "cnn": [scaled], "cgcnn": list(graph_batch(graphs, rows))}
    for model, (network, card) in networks.items():
        values = np.asarray(network(inputs[model]))[:, 0] * card["target_sd"] + card["target_mean"]
        found = table[(table["model"] == model) & (table["fold"] == 1)].set_index("structure_id")["predicted"]
        np.testing.assert_allclose(values, found[dataset.structure_ids], atol=1e-5, rtol=1e-5)


def test_scales_come_from_the_training_part(undisturbed: tuple[Path, pd.DataFrame]) -> None:
    dataset, _ = crystals()
    fold = planned_splits(dataset, PLAN)["random"][0]
    _, card = keras_model(undisturbed[0], "cnn-random-fold0-seed0")
    assert card["target_mean"] == pytest.approx(dataset.targets[fold.train].mean())
    assert card["target_sd"] == pytest.approx(dataset.targets[fold.train].std())
    assert card["inputs"]["divided_by"] == pytest.approx([np.sqrt(np.mean(dataset.halves["total"][fold.train]))])
    assert (card["inputs"]["channels"], card["inputs"]["edges_angstrom"]) == (["total"], "any")
    assert card["rows"] == {"train": 12, "validation": 3, "test": 15}


def test_the_authors_networks_see_counts_as_they_are_and_the_large_one_targets_too(
    undisturbed: tuple[Path, pd.DataFrame],
) -> None:
    names = ("cnn_paper-random-fold0-seed0", "cnn_paper_small-random-fold0-seed0")
    cards = [keras_model(undisturbed[0], name)[1] for name in names]
    assert (cards[0]["target_mean"], cards[0]["target_sd"]) == (0.0, 1.0)
    assert cards[1]["target_mean"] > 3
    assert all(card["inputs"] == {"channels": ["total"]} for card in cards)


def test_the_authors_network_learns_at_a_constant_rate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "learning_rate", lambda *_: pytest.fail("not the rate of the configuration"))
    rates: list[float] = []
    told = training._log
    monkeypatch.setattr(training, "_log", lambda *given: (rates.append(given[-2]), told(*given)))
    train(tmp_path, ALL | {"networks": ["cnn_paper"]}, tensorboard=tmp_path / "logs")
    assert rates == 2 * 6 * [0.002]


def test_finished_units_are_not_trained_again(
    undisturbed: tuple[Path, pd.DataFrame],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    folder, table = undisturbed
    monkeypatch.setattr(trainer, "train_unit", lambda *_: pytest.fail("trained again"))
    for path in (folder / "models").iterdir():  # as Snakemake does after a failure
        path.unlink()
    pd.testing.assert_frame_equal(train(folder, ALL), table)
    assert len(list((folder / "models").iterdir())) == 4 * len(NAMES)
    assert caplog.text.count("found in the cache") == 2 * len(NAMES)


def test_changed_settings_train_only_what_they_concern(
    undisturbed: tuple[Path, pd.DataFrame], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder, _ = undisturbed
    trained: list[str] = []

    class _Called(Exception):  # noqa: N818
        pass

    def note(trainer: Any, unit: Unit, *rest: Any) -> None:
        trained.append(unit.name)
        raise _Called

    monkeypatch.setattr(trainer, "train_unit", note)
    with pytest.raises(_Called):
        train(folder, ALL | {"cgcnn": CGCNN | {"epochs": 7}})
    assert trained == ["cgcnn-random-fold0-seed0"]
    with pytest.raises(_Called):
        train(folder, ALL | {"seeds": [0, 1]})
    assert trained[1:] == ["cnn_paper-random-fold0-seed1"]


KILLED = """
import os, signal, sys
from pathlib import Path
import hirshprint.networks.training as training
from test_training import ALL, train

where, seen = f"{sys.argv[2]}-random-fold1", 0
save = training.save_arrays

def save_and_die(path, arrays):
    global seen
    save(path, arrays)
    seen += path.name.startswith(where) and "checkpoint" in path.name
    if seen == 3:
        os.kill(os.getpid(), signal.SIGKILL)

training.save_arrays = save_and_die
train(Path(sys.argv[1]), ALL | {"networks": [sys.argv[2]]}, checkpoint_seconds=0.0)
"""


@pytest.mark.parametrize("model", NAMES)
def test_a_killed_training_resumes_to_the_same_numbers(
    undisturbed: tuple[Path, pd.DataFrame], tmp_path: Path, model: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Also where layers are random: what dropout draws next stands in the checkpoint."""
    paths = [str(Path(trainer.__file__).parents[2]), str(Path(__file__).parent)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), model],
        env=environment,
        capture_output=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    table = train(tmp_path, ALL | {"networks": [model]})
    said = caplog.text
    assert f"{model}-random-fold1-seed0: resumed after epoch 3 of 6" in said
    assert said.count("found in the cache") == 1
    expected = undisturbed[1][undisturbed[1]["model"] == model].reset_index(drop=True)
    np.testing.assert_allclose(table["predicted"], expected["predicted"], atol=1e-6, rtol=0)
    others = [column for column in table if column != "predicted"]
    pd.testing.assert_frame_equal(table[others], expected[others], check_categorical=False)


@pytest.mark.parametrize("model", ["cnn_paper_small", "cnn"])
def test_an_interruption_between_checkpoints_loses_only_epochs(
    undisturbed: tuple[Path, pd.DataFrame], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    learning = ALL | {"networks": [model]}
    epochs: list[int] = []
    count = progress.Progress.epoch

    def interrupt(self: Any, unit: Unit, epoch: int, mse: float) -> None:
        epochs.append(epoch)
        if len(epochs) == 4:  # before the checkpoint of the fourth epoch
            raise KeyboardInterrupt
        count(self, unit, epoch, mse)

    monkeypatch.setattr(progress.Progress, "epoch", interrupt)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, learning, checkpoint_seconds=0.0)
    table = train(tmp_path, learning, checkpoint_seconds=0.0)
    assert epochs == [1, 2, 3, 4, 4, 5, 6, 1, 2, 3, 4, 5, 6]
    expected = undisturbed[1][undisturbed[1]["model"] == model]
    np.testing.assert_allclose(table["predicted"], expected["predicted"], atol=1e-6, rtol=0)


def test_damaged_checkpoints_and_units_are_trained_again(
    undisturbed: tuple[Path, pd.DataFrame],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    learning = ALL | {"networks": ["cnn"]}
    count = progress.Progress.epoch

    def interrupt(self: Any, unit: Unit, epoch: int, mse: float) -> None:
        if (unit.fold.number, epoch) == (1, 4):
            raise KeyboardInterrupt
        count(self, unit, epoch, mse)

    monkeypatch.setattr(progress.Progress, "epoch", interrupt)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, learning, checkpoint_seconds=0.0)
    monkeypatch.undo()
    unit, checkpoint = sorted((tmp_path / "cache").glob("*/*.npz"))
    assert checkpoint.name == "cnn-random-fold1-seed0.checkpoint.npz"
    unit.write_bytes(unit.read_bytes()[:-1])
    content = bytearray(checkpoint.read_bytes())
    content[len(content) // 2] ^= 1
    checkpoint.write_bytes(content)
    table = train(tmp_path, learning)
    said = capsys.readouterr()
    assert "resumed" not in caplog.text
    assert [line.partition(":")[0] for line in said.err.splitlines() if "and computed again" in line] == [
        "cnn-random-fold0-seed0",
        "cnn-random-fold1-seed0",
    ]
    expected = undisturbed[1][undisturbed[1]["model"] == "cnn"]
    np.testing.assert_allclose(table["predicted"], expected["predicted"], atol=1e-6, rtol=0)
    assert sorted(path.suffix for path in (tmp_path / "cache").glob("*/*")) == [".damaged", ".damaged", ".npz", ".npz"]


@pytest.mark.parametrize("model", ["cnn_paper_small", "cnn", "cgcnn"])
def test_targets_outside_the_training_part_do_not_reach_the_model(
    undisturbed: tuple[Path, pd.DataFrame], tmp_path: Path, model: str
) -> None:
    dataset, _ = crystals()
    fold = planned_splits(dataset, PLAN)["random"][0]
    targets = dataset.targets.copy()
    targets[fold.test] += 1000
    targets[fold.validation] -= 1000
    table = train(tmp_path, ALL | {"networks": [model]}, dataclasses.replace(dataset, targets=targets))
    honest = undisturbed[1][undisturbed[1]["model"] == model]
    for number, equal in ((0, True), (1, False)):  # those rows train the other fold
        found, expected = (t[t["fold"] == number]["predicted"].to_numpy() for t in (table, honest))
        assert np.array_equal(found, expected) is equal


def test_learns_real_targets_and_not_shuffled_ones(tmp_path: Path) -> None:
    dataset, _ = crystals()
    learning = ALL | {"networks": ["cnn"], "folds": 3, "cnn": SMALL | {"epochs": 40, "learning_rate": 0.005}}
    shuffled = np.random.default_rng(0).permutation(dataset.targets)
    r2 = [
        metrics(train(tmp_path, learning, data)).set_index("part").loc["test", "r2"]
        for data in (dataset, dataclasses.replace(dataset, targets=shuffled))
    ]
    assert r2[0] > 0.9
    assert r2[1] < 0.3


def test_seeds_differ_and_have_an_ensemble(tmp_path: Path) -> None:
    learning = ALL | {"networks": ["cnn"], "seeds": [0, 1], "cnn": SMALL | {"epochs": 2}}
    table = train(tmp_path, learning)
    validate_predictions(table)
    keys = ["fold", "part", "structure_id"]
    of = {seed: rows.set_index(keys).sort_index() for seed, rows in table.groupby("seed")}
    assert set(of) == {"0", "1", "ensemble"}
    assert (of["0"]["predicted"] != of["1"]["predicted"]).all()
    np.testing.assert_allclose(
        of["ensemble"]["predicted"], (of["0"]["predicted"] + of["1"]["predicted"]) / 2, rtol=1e-12
    )


def test_a_learning_curve_has_one_seed_and_the_tests_of_the_whole(tmp_path: Path) -> None:
    learning = ALL | {"networks": ["cnn"], "seeds": [3, 4], "learning_curve": [0.3]}
    logs = tmp_path / "tensorboard"
    table = train(tmp_path, learning, tensorboard=logs)
    validate_predictions(table)
    tested = table[table["part"] == "test"].groupby("split")["compound"].apply(sorted)
    assert len(set(tested["random"])) == len(tested["random-30-percent"]) == 30
    assert set(table.loc[table["split"] == "random-30-percent", "seed"]) == {"3"}
    assert set(table.loc[table["split"] == "random", "seed"]) == {"3", "4", "ensemble"}
    events = {path.parent.name: path.stat().st_size for path in logs.rglob("events*")}
    assert len(events) == 2 * 2 + 2
    assert min(events.values()) > 100


def test_progress_is_said_with_the_time_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.0)
    train(tmp_path, ALL | {"networks": ["cnn"]})
    said = caplog.text
    assert "training on CPU" in said
    assert "cnn-random-fold0-seed0 (1 of 2): epoch 3 of 6, training MSE (Å²) " in said
    assert "0:00 min left for cnn" in said


def test_a_missing_gpu_is_an_error_where_one_is_required(tmp_path: Path) -> None:
    dataset, structures = crystals()
    with pytest.raises(RuntimeError, match=r"require_gpu is true.*require_gpu: false"):
        train_networks(dataset, structures, ALL, tmp_path, tmp_path, gpus=0, require_gpu=True, threads=2)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_structure_is_named(tmp_path: Path) -> None:
    dataset, structures = crystals()
    with pytest.raises(ValueError, match="no structure for the fingerprints of 19-13, 19-22"):
        train_networks(dataset, structures[2:], ALL | {"networks": ["cgcnn"]}, tmp_path, tmp_path, gpus=0, threads=2)


def test_a_diverging_training_says_what_to_write(tmp_path: Path) -> None:
    for model in ("cnn_paper_small", "cgcnn"):
        with pytest.raises(RuntimeError, match=rf"diverged.*{model}: learning_rate"):
            train(tmp_path, ALL | {"networks": [model], model: ALL[model] | {"learning_rate": 1e30}})


def test_the_learning_rate_rises_and_falls_to_zero() -> None:
    rates = [learning_rate(step, 100) for step in range(100)]
    assert rates[0] == pytest.approx(0.2)
    assert max(rates) == pytest.approx(1)
    assert rates.index(max(rates)) in (4, 5)
    assert np.all(np.diff(rates[5:]) < 0)
    assert 0 < rates[-1] < 0.001
