"""Integrated gradients: complete, right where the answer is known, and the same on the surface as in the bins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_training import SMALL, crystals
from written_settings import train_networks

from hirshprint.networks.backend import keras, prepare_device
from hirshprint.networks.cnn_paper import build_cnn_paper
from hirshprint.networks.explaining import LEAST, QUANTILES, TOLERANCE
from hirshprint.networks.saliency import Explanation, explain, influence, integrated_gradients

prepare_device(gpus=0, require_gpu=False, threads=2)


def test_of_a_linear_network_they_are_the_products() -> None:
    image = keras.Input((3, 4, 1))
    network = keras.Model([image], keras.layers.Dense(1)(keras.layers.Flatten()(image)))
    rng = np.random.default_rng(0)
    end, start = rng.normal(size=(2, 3, 4, 1)).astype(np.float32)
    slope = network.get_weights()[0].reshape(3, 4, 1)
    found = integrated_gradients(network, end, start)
    np.testing.assert_allclose(found.contributions, slope * (end - start), rtol=1e-5)
    assert found.settled


def test_of_the_papers_network_they_sum_up_to_the_change(monkeypatch: pytest.MonkeyPatch) -> None:
    """The path has many kinks: how many points it needs to settle depends on the processor's rounding."""
    monkeypatch.setattr("hirshprint.networks.explaining.MOST", 2**18)
    keras.utils.set_random_seed(1)
    network = build_cnn_paper((8, 8, 1))
    rng = np.random.default_rng(1)
    end, start = (2000 * rng.exponential(size=(2, 8, 8, 1))).astype(np.float32)
    change = np.diff(network([np.stack([start, end])], training=False).numpy()[:, 0])[0]
    assert abs(change) > 0.2 * LEAST
    promised = TOLERANCE * max(abs(float(change)), LEAST)
    assert integrated_gradients(network, end, start).contributions.sum() == pytest.approx(change, abs=promised)


def test_of_a_network_that_jumps_what_is_missed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    image = keras.Input((2, 2, 1))
    jump = keras.layers.Lambda(lambda x: keras.ops.sum(keras.ops.sign(x), axis=(1, 2)))(image)
    monkeypatch.setattr("hirshprint.networks.explaining.MOST", 256)
    ones = np.ones((2, 2, 1), np.float32)
    found = integrated_gradients(keras.Model([image], jump), ones, -ones)
    assert (found.settled, found.missed) == (False, 8.0)
    assert not found.contributions.any()


@pytest.fixture(scope="module")
def explained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any, Path]:
    folder = tmp_path_factory.mktemp("explained")
    dataset, structures = crystals()
    plan = {"splits": ["random"], "folds": 3, "seeds": [1, 2], "validation_fraction": 0.15}
    learning = plan | {"networks": ["cnn", "cnn_paper_small"], "cnn": SMALL, "cnn_paper_small": SMALL}
    table = train_networks(dataset, structures, learning, folder / "cache", folder / "models", gpus=0)
    return dataset, table, folder / "models"


def test_predictions_are_explained_by_a_network_that_never_saw_the_compound(
    explained: tuple[Any, Any, Path], caplog: pytest.LogCaptureFixture
) -> None:
    dataset, table, models = explained
    found = explain(dataset, table, models)
    tested = table[(table["model"] == "cnn_paper_small") & (table["part"] == "test")]
    assert len(found) == len(QUANTILES)
    assert [one.true for one in found] == sorted(one.true for one in found)
    for one in found:
        row = tested[(tested["seed"] == "1") & (tested["compound"] == one.compound)].iloc[0]
        assert one.predicted == pytest.approx(row["predicted"], abs=1e-5)
        assert one.contributions.sum() == pytest.approx(one.predicted - one.reference, rel=2e-3, abs=1e-4)
        assert one.counts.sum() == pytest.approx(float(dataset.counts[dataset.structure_ids == one.structure_id].sum()))
    (named,) = explain(dataset, table, models, [found[0].compound])
    np.testing.assert_array_equal(named.contributions, found[0].contributions)
    with caplog.at_level("INFO"):
        assert explain(dataset, table, models, ["Unknown"]) == []
    assert "cnn_paper_small never tested Unknown; name others under learning: saliency:, as the column" in caplog.text


def test_an_integration_that_does_not_end_is_said_and_stops_nothing(
    explained: tuple[Any, Any, Path], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("hirshprint.networks.explaining.TOLERANCE", 1e-12)
    monkeypatch.setattr("hirshprint.networks.explaining.MOST", 64)
    with caplog.at_level("INFO"):
        found = explain(*explained)
    assert len(found) == len(QUANTILES)
    for one in found:
        assert one.missed == pytest.approx(one.predicted - one.reference - one.contributions.sum(), abs=1e-6)
        assert one.missed != 0
        assert f"{one.structure_id}: the contributions miss the change of the prediction by" in caplog.text


def test_the_surface_carries_what_its_bins_contribute() -> None:
    edges = np.linspace(0.0, 1.0, 5)
    counts, contributions = np.zeros((4, 4)), np.zeros((4, 4))
    counts[1, 2], counts[3, 0] = 2.0, 0.5
    contributions[1, 2], contributions[3, 0], contributions[0, 0] = 0.1, -0.2, 0.7  # of the last there is no surface
    one = Explanation("id", "ABX3", 4.0, 4.0, 4.0, counts, counts, contributions)
    d_i, d_e = np.array([0.3, 0.9, 0.1, 1.5]), np.array([0.6, 0.1, 0.1, 0.5])
    np.testing.assert_allclose(influence(one, edges, d_i, d_e), [0.05, -0.4, 0.0, 0.0])
