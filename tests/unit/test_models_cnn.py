from __future__ import annotations

import numpy as np
import pytest

from hirshprint.datasets.gather import Dataset
from hirshprint.networks.backend import keras, prepare_device
from hirshprint.networks.cnn_paper import build_cnn_paper, cnn_images, image_scale
from hirshprint.networks.interface import Recipe
from hirshprint.networks.training import Trainer

prepare_device(gpus=0, require_gpu=False, threads=2)  # as test_training does: it can be set only once in a process


def dataset(channels: tuple[str, ...]) -> Dataset:
    names = np.array(["a", "b", "c"])
    counts = np.arange(3 * len(channels) * 16, dtype=np.float32).reshape(3, len(channels), 4, 4)
    return Dataset(
        "d",
        "a_angstrom",
        "Å",
        names,
        names,
        names,
        {},
        names,
        np.full(3, np.nan),
        np.ones(3),
        np.zeros(3, dtype=np.int64),
        counts,
        channels,
        np.zeros((3, 0, 12)),
    )


def test_it_is_a_small_vgg_with_one_output() -> None:
    network = build_cnn_paper((50, 50, 1))
    kinds = [type(layer) for layer in network.layers]
    assert kinds.count(keras.layers.Conv2D) >= 3
    assert kinds.count(keras.layers.MaxPooling2D) >= 3
    assert kinds.count(keras.layers.Dense) >= 2
    assert network.output_shape == (None, 1)
    assert network.layers[-1].activation is keras.activations.linear
    assert network.count_params() < 1_000_000


def test_images_are_the_total_channel() -> None:
    images = cnn_images(dataset(("A", "total")))
    assert images.shape == (3, 4, 4, 1)
    assert images[1, 0, :, 0].tolist() == [48, 49, 50, 51]
    with pytest.raises(ValueError, match=r"'total'.*fingerprint: channels"):
        cnn_images(dataset(("A", "B")))


def test_the_scale_comes_from_training_rows_only() -> None:
    images = np.ones((4, 2, 2, 1), np.float32)
    images[3] = 1e6
    images[1] = 3
    assert image_scale(images, np.array([0, 1])) == pytest.approx(np.sqrt(5))
    assert image_scale(np.zeros_like(images), np.array([0])) == 1.0


def test_learns_where_a_spot_lies() -> None:
    generator = np.random.default_rng(0)
    places = generator.uniform(5, 15, size=(160, 2))
    grid = np.arange(20)
    spots = np.exp(
        -((grid[None, :, None] - places[:, 0, None, None]) ** 2) - (grid[None, None, :] - places[:, 1, None, None]) ** 2
    )
    images = (spots[..., None] / np.sqrt(np.mean(spots**2))).astype(np.float32)
    targets = ((places[:, 0] - 10) / 3).astype(np.float32)
    trainer = Trainer(lambda: build_cnn_paper((20, 20, 1)), Recipe())
    trainer.reset(0)
    train, test = np.arange(120), np.arange(120, 160)
    for _ in range(150):
        trainer.step([images[train]], targets[train], np.float32(0.001))
    predicted = trainer.predict(lambda rows: (images[rows],), test)
    assert np.mean((predicted - targets[test]) ** 2) < 0.1 * np.var(targets[test])
