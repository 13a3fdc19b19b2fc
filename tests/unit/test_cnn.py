"""The network cnn: what it sees at many edges, the elements that it names, what it must not look at."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_up import perovskite_dataset, perovskite_rows
from test_training import keras_model
from written_settings import train_networks

from hirshprint.accuracy.metrics import metrics
from hirshprint.accuracy.predictions import validate_predictions
from hirshprint.config.learning import Cnn
from hirshprint.datasets.gather import Dataset, DatasetError, told_rows
from hirshprint.datasets.splits import TOLD_DRAWS
from hirshprint.networks import cnn, trainer
from hirshprint.networks.backend import prepare_device
from hirshprint.networks.cards import ModelError
from hirshprint.networks.unit import Unit
from hirshprint.structures.symbols import SYMBOLS

prepare_device(gpus=0, require_gpu=False, threads=2)  # as test_training does: it can be set only once in a process

A, B = ("Ca", "Sr", "Ba", "La", "Y", "K"), ("Ti", "Zr", "Hf", "Nb", "V", "Al")
PLAN: dict[str, Any] = {"splits": ["random"], "folds": 2, "seeds": [0], "validation_fraction": 0.15}
SETTINGS = {"epochs": 100, "batch_size": 16, "learning_rate": 0.01}
LEARNING = PLAN | {"networks": ["cnn"], "cnn": SETTINGS}
ELEMENTS = cnn.ELEMENTS


def spots(places: Any, edges: Any) -> Any:
    """Images of 8 × 8 bins with a spot at places that move a little with the edge."""
    grid = np.arange(8)
    along = np.exp(-0.5 * (grid - np.asarray(places)[:, None]) ** 2)
    across = np.exp(-0.5 * (grid - (3 + np.asarray(edges) - 4.5)[:, None]) ** 2)
    return (10 * along[:, :, None] * across[:, None, :]).astype(np.float32)


def perovskites(edges: Sequence[float] | None = (4.0, 4.5), draws: int = 3) -> Dataset:
    """36 compounds at given edges or at drawn ones; each site's image has a spot whose place tells its element."""
    pairs = [(a, b) for a in range(len(A)) for b in range(len(B))]
    rows = perovskite_rows(pairs, edges, draws, np.random.default_rng(1), (4.0, 5.0))
    of_a, of_b, edge, draw = (np.array(column) for column in zip(*rows, strict=True))
    halves = {"A": spots(1.0 + of_a, edge), "B": spots(1.0 + of_b, edge + 1), "X": spots(np.full(len(edge), 4.0), edge)}
    return perovskite_dataset(
        *(np.array(A)[of_a], np.array(B)[of_b], edge, draw, 4 + 0.1 * of_a + 0.2 * of_b),
        counts=np.zeros((len(edge), 0, 16, 16), np.float32),
        moments=np.zeros((len(edge), 0, 12)),
        halves=halves | {"total": halves["A"] + halves["B"] + halves["X"]},
    )


def kept(dataset: Dataset, rows: Any) -> Dataset:
    arrays = {key: value[rows] for key, value in vars(dataset).items() if isinstance(value, np.ndarray)}
    parts = {key: {name: of[rows] for name, of in getattr(dataset, key).items()} for key in ("elements", "halves")}
    return replace(dataset, **arrays, **parts)


def without_sites(dataset: Dataset) -> Dataset:
    total = dataset.halves["total"]
    return replace(dataset, elements={}, halves={"total": total, "anion": 2 * total, "cation": 3 * total})


def test_output_is_the_property_and_a_logit_for_each_element_of_each_site() -> None:
    network = cnn.build_cnn(8, 6, 3)
    assert network.input_shape == (None, 8, 8, 6)
    assert network.output_shape == (None, 1 + 3 * ELEMENTS)
    weights = network.get_weights()
    assert (weights[-2].shape, weights[-1].shape) == ((64, 1), (1,))  # those of the property: `start_from` scales them
    image = np.random.default_rng(0).normal(size=(2, 8, 8, 6)).astype(np.float32)
    before = network([image], training=False).numpy()
    network.set_weights([*weights[:-1], weights[-1] + 1])
    change = network([image], training=False).numpy() - before
    np.testing.assert_allclose(change[:, 0], 1, atol=1e-5)
    assert not change[:, 1:].any()


def test_channels_are_those_of_the_sites_or_the_total_one() -> None:
    dataset = perovskites()
    assert cnn.cnn_channels(dataset, "auto") == ["A", "B", "X"]
    assert cnn.cnn_channels(dataset, "total") == ["total"]
    of_files = without_sites(dataset)
    assert cnn.cnn_channels(of_files, "auto") == ["total", "anion", "cation"]
    assert cnn.cnn_channels(of_files, "total") == ["total"]
    only = replace(dataset, halves={"total": dataset.halves["total"]})
    assert cnn.cnn_channels(only, "auto") == ["total"]
    sites = replace(dataset, halves={site: dataset.halves[site] for site in "ABX"})
    assert cnn.cnn_channels(sites, "auto") == ["A", "B", "X"]
    with pytest.raises(DatasetError, match=r"'total', which the fingerprints of 'made_up' lack; add `site` or `total`"):
        cnn.cnn_channels(sites, "total")
    with pytest.raises(DatasetError, match="fingerprint: channels:"):
        cnn.learn(replace(dataset, halves={}), [], Cnn.from_dict({}))


def test_shares_of_elements_are_one_on_each_site() -> None:
    dataset = perovskites()
    shares = cnn.element_shares(dataset)(np.array([0, 5]))
    assert shares.shape == (2, 3, ELEMENTS)
    assert (shares.sum(axis=2) == 1).all()
    named = np.array(SYMBOLS)[shares.argmax(axis=2)]
    assert named.tolist() == [[dataset.elements[site][row] for site in "ABX"] for row in (0, 5)]


def test_shares_of_a_formula_are_those_of_its_atoms() -> None:
    formulas = np.array(["SrTiO3", "Ba0.5Sr0.5O", "RfO"])  # rutherfordium has no number below 104
    dataset = kept(without_sites(perovskites()), np.arange(3))
    shares = cnn.element_shares(replace(dataset, formulas=formulas))(np.array([2, 0, 1]))
    assert shares.shape == (3, 1, ELEMENTS)
    named = [{SYMBOLS[k]: float(one[k]) for k in np.flatnonzero(one)} for one in shares[:, 0]]
    assert named[0] == {"O": 1}
    assert named[1] == pytest.approx({"Sr": 0.2, "Ti": 0.2, "O": 0.6})
    assert named[2] == pytest.approx({"Sr": 0.25, "Ba": 0.25, "O": 0.5})


def test_images_at_the_same_edges_stand_side_by_side(caplog: pytest.LogCaptureFixture) -> None:
    whole = perovskites((4.5, 4.0))
    dataset = kept(whole, np.arange(len(whole.targets)) != 7)
    caplog.set_level(logging.INFO)
    source = cnn.learn(dataset, [], Cnn.from_dict({}))
    assert source.joined
    assert len(source.rows) == 35
    assert whole.compounds[7] in caplog.text
    assert whole.compounds[7] not in dataset.compounds[source.rows]
    inputs, card, arrays = source.inputs_of(source.rows)
    assert (card["channels"], card["edges_angstrom"], arrays) == (["A", "B", "X"], [4.0, 4.5], {})
    assert source.build().input_shape == (None, 8, 8, 2 * 3)
    (images,) = inputs(source.rows[:2])
    row = source.rows[1]
    other = int(np.flatnonzero((dataset.compounds == dataset.compounds[row]) & (dataset.initial_edges == 4.0))[0])
    for place, (of, channel) in enumerate((of, channel) for of in (other, row) for channel in "ABX"):
        expected = np.sqrt(dataset.halves[channel][of]) / card["divided_by"][place]
        np.testing.assert_allclose(images[1, :, :, place], expected, rtol=1e-5)
    (every,) = inputs(source.rows)
    np.testing.assert_allclose(np.mean(every**2, axis=(0, 1, 2)), 1, rtol=1e-4)
    rows, applied = cnn.apply(card, Path("m"), dataset, [])
    np.testing.assert_array_equal(rows, source.rows)
    np.testing.assert_array_equal(applied(np.arange(len(rows)))[0], every)
    for edges in ((4.0, 4.6), (4.0, 4.5, 5.0), None):
        with pytest.raises(ModelError, match=r"m: its network needs fingerprints at the edges \[4.0, 4.5\] Å"):
            cnn.apply(card, Path("m"), perovskites(edges), [])


@pytest.mark.parametrize("channels", ["auto", "total"])
def test_inputs_at_drawn_edges_are_those_of_training(channels: Any) -> None:
    dataset = perovskites(None)
    source = cnn.learn(dataset, [], Cnn.from_dict({"channels": channels}))
    assert not source.joined
    assert source.rows.tolist() == list(range(36 * 3))
    train = np.arange(0, 108, 2)
    inputs, card, _ = source.inputs_of(train)
    assert card["edges_angstrom"] == "any"
    images = [dataset.halves[channel][train] for channel in card["channels"]]
    assert card["divided_by"] == pytest.approx([np.sqrt(one.mean(dtype=float)) for one in images])
    part = np.sort(np.random.default_rng(0).permutation(108)[:20])
    rows, applied = cnn.apply(card, Path("m"), kept(dataset, part), [])
    np.testing.assert_array_equal(applied(rows)[0], inputs(part)[0])


def test_an_element_that_training_did_not_have_is_only_another_image() -> None:
    dataset = perovskites(None)
    _, card, _ = cnn.learn(dataset, [], Cnn.from_dict({})).inputs_of(np.arange(50))
    strange = replace(dataset, elements=dataset.elements | {"A": np.full(108, "Rf")}, formulas=np.full(108, "RfTiO3"))
    rows, inputs = cnn.apply(card, Path("m"), strange, [])
    assert np.isfinite(cnn.build_cnn(8, 3, 3)([inputs(rows)[0]], training=False).numpy()).all()
    assert not cnn.element_shares(strange)(rows)[:, 0].any()


def test_the_digest_follows_what_is_seen() -> None:
    dataset = perovskites(None)
    digests = [cnn.learn(dataset, [], Cnn.from_dict({"channels": channels})).digest for channels in ("auto", "total")]
    changed = dataset.halves | {"B": dataset.halves["B"] + 1}
    digests.append(cnn.learn(replace(dataset, halves=changed), [], Cnn.from_dict({})).digest)
    renamed = dataset.elements | {"A": np.full(108, "Ca")}
    digests.append(cnn.learn(replace(dataset, elements=renamed), [], Cnn.from_dict({})).digest)
    assert len(set(digests)) == 4
    assert cnn.learn(perovskites(None), [], Cnn.from_dict({})).digest == digests[0]


def test_it_learns_and_names_the_elements_and_not_from_shuffled_targets(tmp_path: Path) -> None:
    dataset = perovskites(None)
    table = train_networks(dataset, [], LEARNING, tmp_path / "cache", tmp_path / "models", gpus=0)
    found = metrics(table)
    of_compounds = found[(found["part"] == "test") & (found["basis"] == "compound")].iloc[0]
    assert (of_compounds["r2"] > 0.7, of_compounds["n"]) == (True, 36)
    network, card = keras_model(tmp_path, "cnn-random-fold0-seed0")
    rows, inputs = cnn.apply(card["inputs"], tmp_path, dataset, [])
    named = np.asarray(network([inputs(rows)[0]]))[:, 1:].reshape(len(rows), 3, ELEMENTS).argmax(axis=2)
    learned = np.isin(dataset.compounds, table[(table["part"] == "train") & (table["fold"] == 0)]["compound"])
    for number, site in enumerate("ABX"):
        assert (np.array(SYMBOLS)[named[:, number]] == dataset.elements[site])[learned].mean() > 0.9
    names = sorted(set(dataset.compounds.tolist()))
    other = dict(zip(names, np.random.default_rng(0).permutation(names).tolist(), strict=True))
    target = dict(zip(dataset.compounds.tolist(), dataset.targets.tolist(), strict=True))
    shuffled = replace(dataset, targets=np.array([target[other[name]] for name in dataset.compounds.tolist()]))
    table = train_networks(shuffled, [], LEARNING, tmp_path / "cache", tmp_path / "shuffled", gpus=0)
    found = metrics(table)
    assert found[(found["part"] == "test") & (found["basis"] == "compound")].iloc[0]["r2"] < 0.2


def test_all_drawn_edges_are_learned_from_and_the_first_eight_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = perovskites(None, draws=12)
    assert len(told_rows(dataset)) == 36 * TOLD_DRAWS
    units: list[Unit] = []
    train_unit = trainer.train_unit

    def note(of: Any, unit: Unit, *rest: Any) -> Any:
        units.append(unit)
        return train_unit(of, unit, *rest)

    monkeypatch.setattr(trainer, "train_unit", note)
    learning = LEARNING | {"cnn": SETTINGS | {"epochs": 1}}
    table = train_networks(dataset, [], learning, tmp_path / "cache", tmp_path / "models", gpus=0)
    validate_predictions(table)
    structures = table[table["structure_id"] != ""]
    told = dataset.structure_ids[dataset.draws < TOLD_DRAWS]
    assert len(units) == 2
    for unit in units:
        of_fold = structures[structures["fold"] == unit.fold.number]
        assert sorted(of_fold["structure_id"]) == sorted(told)
        parts = {part: set(dataset.compounds[rows].tolist()) for part, rows in unit.fold.parts().items()}
        assert len(set.union(*parts.values())) == sum(map(len, parts.values())) == 36
        assert set(dataset.compounds[unit.learned].tolist()) == parts["train"]
        assert len(unit.learned) == 12 * len(parts["train"])
        shown = [unit.epoch(number) for number in range(60)]
        assert all(len(rows) == len(set(dataset.compounds[rows].tolist())) == unit.size for rows in shown)
        assert set(dataset.draws[np.concatenate(shown)].tolist()) == set(range(12))
        _, card = keras_model(tmp_path, unit.name)
        assert card["rows"] == {part: 8 * len(names) for part, names in parts.items()}
        assert card["target_mean"] == pytest.approx(dataset.targets[unit.learned].mean())


def test_files_have_one_image_each_and_their_formula_is_named(tmp_path: Path) -> None:
    dataset = kept(without_sites(perovskites((4.5,))), np.arange(20))
    dataset = replace(dataset, initial_edges=np.full(20, np.nan), draws=np.arange(20))
    learning = LEARNING | {"cnn": SETTINGS | {"epochs": 2}}
    table = train_networks(dataset, [], learning, tmp_path / "cache", tmp_path / "models", gpus=0)
    assert len(table) == 2 * 20
    network, card = keras_model(tmp_path, "cnn-random-fold0-seed0")
    assert card["inputs"]["channels"] == ["total", "anion", "cation"]
    assert network.output_shape == (None, 1 + ELEMENTS)
