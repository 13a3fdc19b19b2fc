"""The networks that see the fingerprints of the sites: what they read, what they must not look at."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_up import perovskite_dataset, perovskite_rows
from written_settings import planned_splits, train_networks

from hirshprint.accuracy.metrics import metrics
from hirshprint.datasets.gather import Dataset, same_edges, side_by_side
from hirshprint.fingerprints.moments import moments
from hirshprint.networks.backend import keras, prepare_device
from hirshprint.networks.hybrid import build_hybrid, fit_scales, scaled_inputs
from hirshprint.networks.progress import Progress
from hirshprint.networks.readout import build_readout, fit_reader, read_reader
from hirshprint.networks.site_moments import moment_rows
from hirshprint.networks.unit import Unit
from hirshprint.structures.symbols import SYMBOLS

prepare_device(gpus=0, require_gpu=False, threads=2)  # as test_training does: it can be set only once in a process

PLAN: dict[str, Any] = {"splits": ["random"], "folds": 3, "seeds": [0], "validation_fraction": 0.15}
SETTINGS = {"epochs": 60, "batch_size": 16, "learning_rate": 0.01}
A, B = ("Ca", "Sr", "Ba", "La", "Y", "K", "Na", "Cs"), ("Ti", "Zr", "Hf", "Nb", "Ta", "V", "Al", "Fe", "Mn", "Sn")


def perovskites(edges: tuple[float, ...] | None = (4.0, 4.5), draws: int = 3) -> Dataset:
    """80 compounds whose moments are smooth in the elements and the edge, at given edges or at drawn ones."""
    generator = np.random.default_rng(1)
    of_a = {a: generator.normal(size=12) for a in A}
    of_b = {b: generator.normal(size=12) for b in B}
    rows = perovskite_rows([(a, b) for a in A for b in B], edges, draws, generator, (3.5, 5.5))
    made = np.array([np.outer((1.0, 0.1, 0.5), of_a[a]) + np.outer((0.1, 1.0, 0.5), of_b[b]) for a, b, _, _ in rows])
    symbols_a, symbols_b, edge, draw = (np.array(column) for column in zip(*rows, strict=True))
    value = {a: generator.normal(scale=0.1) for a in A} | {b: generator.normal(scale=0.2) for b in B}
    return perovskite_dataset(
        *(symbols_a, symbols_b, edge, draw, [4 + value[a] + value[b] for a, b, _, _ in rows]),
        counts=np.zeros((len(rows), 0, 4, 4), np.float32),
        moments=made * (1 + 0.2 * (edge - 4.5))[:, None, None] + (edge**2)[:, None, None],
    )


def test_moments_of_two_bins_by_hand() -> None:
    counts = np.zeros((10, 10), np.float32)
    counts[2, 3], counts[4, 7] = 3, 1  # at (0.25, 0.35) and (0.45, 0.75)
    total, mean_i, mean_e, ii, ee, iii, eee, iiii, eeee, ie, iie, iee = moments(counts[None])[0]
    assert (total, mean_i, mean_e) == pytest.approx((4, 0.3, 0.45))
    i, e = np.array([-0.05, 0.15]), np.array([-0.1, 0.3])
    shares = np.array([0.75, 0.25])
    powers = [
        shares @ (i**k * e**m) for k, m in ((2, 0), (0, 2), (3, 0), (0, 3), (4, 0), (0, 4), (1, 1), (2, 1), (1, 2))
    ]
    assert (ii, ee, iii, eee, iiii, eeee, ie, iie, iee) == pytest.approx(powers)
    assert not moments(np.zeros((1, 5, 5), np.float32)).any()


def test_structures_at_the_same_edges_are_joined() -> None:
    dataset = perovskites()
    rows, joined, edges = moment_rows(dataset)
    assert len(rows) == 80
    assert joined.shape == (80, 2 * 3 * 12)
    assert not edges.any()
    first = np.flatnonzero(dataset.compounds == dataset.compounds[rows[5]])
    np.testing.assert_array_equal(joined[5], dataset.moments[first].ravel())
    drawn = perovskites(edges=None)
    assert side_by_side(drawn) is None
    rows, single, edges = moment_rows(drawn)
    assert rows.tolist() == list(range(240))
    assert single.shape == (240, 3 * 12)
    np.testing.assert_array_equal(edges, drawn.initial_edges)


def test_one_edge_of_its_own_makes_the_edges_differ() -> None:
    dataset = perovskites((4.5,))
    assert same_edges(dataset)
    own = np.where(np.arange(80) == 7, 4.2, dataset.initial_edges)
    half = np.where(np.arange(80) % 2 == 0, 4.0, 4.5)
    for edges in (own, half):
        mixed = replace(dataset, initial_edges=edges)
        assert not same_edges(mixed)
        assert moment_rows(mixed)[0].tolist() == list(range(80))


def test_the_first_edge_of_a_list_names_the_row_and_the_least_edge_comes_first() -> None:
    dataset = perovskites((4.5, 4.0))  # draw 0 is the larger edge
    rows, by_edge = side_by_side(dataset) or pytest.fail("not joined")
    assert (dataset.draws[rows] == 0).all()
    assert (np.diff(rows) > 0).all()
    np.testing.assert_array_equal(dataset.initial_edges[by_edge], np.tile([4.0, 4.5], (80, 1)))
    assert (dataset.compounds[by_edge] == dataset.compounds[rows][:, None]).all()


def test_a_compound_that_lacks_an_edge_is_left_out_and_named(caplog: pytest.LogCaptureFixture) -> None:
    dataset = perovskites()
    kept = np.arange(len(dataset.targets)) != 7
    arrays = {k: v[kept] for k, v in vars(dataset).items() if isinstance(v, np.ndarray)}
    rows, by_edge = side_by_side(replace(dataset, **arrays, elements={})) or pytest.fail("not joined")
    assert len(rows) == len(by_edge) == 79
    assert dataset.compounds[7] in caplog.text


@pytest.mark.parametrize("edges", [(4.0, 4.5), None])
def test_elements_are_read_off_rows_that_were_not_fitted(edges: tuple[float, ...] | None) -> None:
    dataset = perovskites(edges)
    train = np.flatnonzero(np.arange(len(dataset.targets)) // 6 % 4 > 0)
    flat = dataset.moments.reshape(len(dataset.targets), -1)
    reader = fit_reader(flat, dataset.initial_edges, dataset.elements, train)
    read = reader.probabilities(flat, dataset.initial_edges)
    np.testing.assert_allclose(read.sum(axis=2), 1, rtol=1e-5)
    others = np.setdiff1d(np.arange(len(flat)), train)
    for site in (0, 1, 2):
        found = np.array(SYMBOLS)[read[others, site].argmax(axis=1)]
        assert (found == dataset.elements["ABX"[site]][others]).mean() > 0.95
    again = read_reader(reader.arrays()).probabilities(flat, dataset.initial_edges)
    np.testing.assert_array_equal(read, again)


def test_reader_and_scales_see_training_rows_alone() -> None:
    dataset = perovskites(None)
    train = np.arange(0, len(dataset.targets), 2)
    flat = dataset.moments.reshape(len(dataset.targets), -1)
    poisoned = flat.copy()
    poisoned[1::2] = 1e6
    elements = {site: symbols.copy() for site, symbols in dataset.elements.items()}
    elements["A"][1::2] = "U"
    one = fit_reader(flat, dataset.initial_edges, dataset.elements, train).arrays()
    two = fit_reader(poisoned, dataset.initial_edges, elements, train).arrays()
    assert all(np.array_equal(one[name], two[name]) for name in one)
    three, four = fit_scales(dataset.elements, flat, train), fit_scales(elements, poisoned, train)
    assert all(np.array_equal(three[name], four[name]) for name in three)


def test_an_unseen_element_is_known_by_its_properties_alone() -> None:
    dataset = perovskites()
    train = np.flatnonzero(dataset.elements["A"] != "Cs")
    flat = dataset.moments.reshape(len(dataset.targets), -1)
    elements, properties, leading = scaled_inputs(dataset.elements, flat, fit_scales(dataset.elements, flat, train))
    unseen = dataset.elements["A"] == "Cs"
    assert not elements[unseen, 0].any()
    assert elements[~unseen, 0].sum() == len(train)
    assert properties[unseen].any()
    assert all(np.isfinite(values).all() for values in (elements, properties, leading))


def test_fewer_training_rows_than_components_leave_the_network_its_inputs() -> None:
    dataset = perovskites((4.0,))
    flat, few = dataset.moments.reshape(len(dataset.targets), -1), np.arange(5)
    inputs = scaled_inputs(dataset.elements, flat, fit_scales(dataset.elements, flat, few))
    properties = inputs[1].shape[1]
    assert np.isfinite(build_hybrid(properties)(list(inputs)).numpy()).all()
    assert not inputs[2][:, 5:].any()


@pytest.mark.parametrize("edges", [(4.0, 4.5), None])
@pytest.mark.parametrize("model", ["readout", "hybrid"])
def test_they_learn_and_not_from_shuffled_targets(model: str, edges: tuple[float, ...] | None, tmp_path: Path) -> None:
    dataset = perovskites(edges)
    learning = PLAN | {"networks": [model], model: SETTINGS}
    table = train_networks(dataset, [], learning, tmp_path / "cache", tmp_path / "models", gpus=0)
    assert table["std"].dtype.kind == "f"
    found = metrics(table)
    of_compounds = found[(found["part"] == "test") & (found["basis"] == "compound")].iloc[0]
    assert of_compounds["r2"] > 0.7
    assert of_compounds["n"] == 80
    assert (found["basis"] == "structure").any() == (edges is None)  # joined structures have no row of their own
    names = sorted(set(dataset.compounds.tolist()))
    other = dict(zip(names, np.random.default_rng(0).permutation(names).tolist(), strict=True))
    target = dict(zip(dataset.compounds.tolist(), dataset.targets.tolist(), strict=True))
    shuffled = replace(dataset, targets=np.array([target[other[name]] for name in dataset.compounds.tolist()]))
    table = train_networks(shuffled, [], learning, tmp_path / "cache", tmp_path / "shuffled", gpus=0)
    found = metrics(table)
    assert found[(found["part"] == "test") & (found["basis"] == "compound")].iloc[0]["r2"] < 0.2


@pytest.mark.parametrize("model", ["readout", "hybrid"])
def test_a_training_that_was_interrupted_ends_with_the_same_numbers(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learning = PLAN | {"folds": 2, "networks": [model], model: SETTINGS | {"epochs": 5}}
    folders = [(tmp_path / name / "cache", tmp_path / name / "models") for name in ("undisturbed", "interrupted")]
    expected = train_networks(perovskites(None), [], learning, *folders[0], gpus=0)
    told = Progress.epoch

    def interrupt(self: Any, unit: Unit, epoch: int, mse: float) -> None:
        if epoch == 4:  # the checkpoint is that of the third epoch
            raise KeyboardInterrupt
        told(self, unit, epoch, mse)

    with monkeypatch.context() as patched:
        patched.setattr(Progress, "epoch", interrupt)
        with pytest.raises(KeyboardInterrupt):
            train_networks(perovskites(None), [], learning, *folders[1], gpus=0, checkpoint_seconds=0.0)
    table = train_networks(perovskites(None), [], learning, *folders[1], gpus=0, checkpoint_seconds=0.0)
    np.testing.assert_allclose(table["predicted"], expected["predicted"], atol=1e-6, rtol=0)


def test_saved_models_give_the_table_again(tmp_path: Path) -> None:
    dataset = perovskites()
    learning = PLAN | {"networks": ["readout"], "readout": SETTINGS}
    table = train_networks(dataset, [], learning, tmp_path / "cache", tmp_path / "models", gpus=0)
    with np.load(tmp_path / "models/readout-random-fold1-seed0.npz") as arrays:
        reader = read_reader(arrays)
    network = keras.models.load_model(tmp_path / "models/readout-random-fold1-seed0.keras")
    rows, joined, edges = moment_rows(dataset)
    train = np.intersect1d(planned_splits(dataset, learning)["random"][1].train, rows)
    predicted = network.predict(reader.probabilities(joined, edges), verbose=0)[:, 0]
    predicted = predicted * dataset.targets[train].std() + dataset.targets[train].mean()
    of_fold = table[table["fold"] == 1].set_index("compound")["predicted"]
    np.testing.assert_allclose(of_fold[dataset.compounds[rows]], predicted, atol=1e-5)


def test_networks_have_one_output() -> None:
    assert build_readout().output_shape == (None, 1)
    assert build_hybrid(78).output_shape == (None, 1)
