"""The networks of the paper's authors: layers, what they see, and how they are trained."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from hirshprint.datasets.gather import Dataset
from hirshprint.networks import cnn_paper, cnn_paper_small
from hirshprint.networks.backend import keras, prepare_device
from hirshprint.networks.cards import ModelError
from hirshprint.networks.cnn_paper import build_cnn_paper, cnn_images
from hirshprint.networks.cnn_paper_small import PENALTY, build_cnn_paper_small
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


def test_the_papers_network_is_that_of_its_authors_layer_by_layer() -> None:
    network = build_cnn_paper((50, 50, 1))
    convolutions = [(name, 3) for name in (32, 32, 64, 64, 64, 128, 128, 128, 128)]
    found = [
        (layer.filters, layer.kernel_size[0]) for layer in network.layers if isinstance(layer, keras.layers.Conv2D)
    ]
    assert found == convolutions
    kinds = [type(layer).__name__ for layer in network.layers]
    block = ["MaxPooling2D", "Dropout", "BatchNormalization"]
    dense = ["Dense", "Dropout", "BatchNormalization"]
    assert kinds == [
        "InputLayer",
        *["Conv2D"] * 2,
        *block,
        *["Conv2D"] * 3,
        *block,
        *["Conv2D"] * 4,
        *("MaxPooling2D", "BatchNormalization", "Flatten"),
        *dense * 2,
        "Dense",
    ]
    rates = [layer.rate for layer in network.layers if isinstance(layer, keras.layers.Dropout)]
    assert rates == [0.3, 0.3, 0.5, 0.5]
    assert network.output_shape == (None, 1)
    assert network.layers[-1].activation is keras.activations.linear
    parameters = [layer.count_params() for layer in network.layers if layer.count_params()]
    convolved = [320, 9248, 128, 18496, 36928, 36928, 256, 73856, 147584, 147584, 147584, 512]
    assert parameters == [*convolved, 589952, 512, 16512, 512, 129]  # the authors' table
    assert network.count_params() == 1_227_041


def test_the_small_network_shrinks_by_strides_and_penalises_its_dense_layers() -> None:
    network = build_cnn_paper_small((50, 50, 1))
    kinds = Counter(type(layer).__name__ for layer in network.layers)
    assert kinds == {
        **{"InputLayer": 1, "Conv2D": 3, "MaxPooling2D": 3, "BatchNormalization": 1, "Flatten": 1},
        **{"Dropout": 4, "Dense": 3},
    }
    convolutions = [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]
    assert [(layer.filters, layer.strides[0]) for layer in convolutions] == [(32, 1), (32, 2), (32, 2)]
    assert {layer.rate for layer in network.layers if isinstance(layer, keras.layers.Dropout)} == {0.5}
    dense = [layer for layer in network.layers if isinstance(layer, keras.layers.Dense)]
    assert [layer.units for layer in dense] == [128, 128, 1]
    weights = [float(np.sum(layer.kernel.numpy() ** 2)) for layer in dense[:2]]
    assert sum(float(loss) for loss in network.losses) == pytest.approx(PENALTY * sum(weights), rel=1e-5)
    assert build_cnn_paper_small((8, 8, 3)).output_shape == (None, 1)  # of few bins too


def test_the_large_one_is_trained_plainly() -> None:
    recipe = cnn_paper.RECIPE
    assert not cnn_paper_small.RECIPE.plain
    assert recipe.scale(np.array([3.0, 5.0])) == (0.0, 1.0)
    assert Recipe().scale(np.array([3.0, 5.0])) == (4.0, 1.0)
    assert Recipe().scale(np.array([4.0, 4.0])) == (4.0, 1.0)
    for plain, limit in ((recipe, None), (Recipe(), 1.0)):
        optimizer = Trainer(lambda: build_cnn_paper_small((4, 4, 1)), plain).optimizer
        assert (optimizer.clipnorm, optimizer.weight_decay) == (limit, None)


def test_what_dropout_draws_next_is_a_part_of_the_state() -> None:
    trainer = Trainer(lambda: build_cnn_paper_small((8, 8, 1)), Recipe(plain=True))
    images = np.random.default_rng(0).exponential(size=(6, 8, 8, 1)).astype(np.float32)
    targets = np.linspace(3, 5, 6).astype(np.float32)

    def steps(rate: float) -> list[float]:
        return [float(trainer.step([images], targets, np.float32(rate))) for _ in range(3)]

    trainer.reset(1)
    begun = steps(0.01)
    saved = trainer.state()
    after = steps(0.01)
    still = steps(0.0)
    assert len(set(still)) == 3  # other units drop out in each step
    trainer.restore(saved)
    assert steps(0.01) == pytest.approx(after, rel=1e-5)
    trainer.reset(1)
    assert steps(0.01) == pytest.approx(begun, rel=1e-5)
    trainer.reset(2)
    assert steps(0.01) != pytest.approx(begun, rel=1e-3)


def test_images_are_the_total_channel() -> None:
    images = cnn_images(dataset(("A", "total")))
    assert images.shape == (3, 4, 4, 1)
    assert images[1, 0, :, 0].tolist() == [48, 49, 50, 51]
    assert cnn_images(dataset(("total", "anion"))).shape == (3, 4, 4, 2)  # without named sites their kinds too
    with pytest.raises(ValueError, match=r"'total'.*fingerprint: channels"):
        cnn_images(dataset(("A", "B")))


def test_a_network_of_scaled_images_is_refused() -> None:
    """An earlier version divided its images by a number, which stands on its card."""
    with pytest.raises(ModelError, match=r"old: .* another scale; train it again"):
        cnn_paper.apply({"channels": ["total"], "divided_by": 3.0}, Path("old"), dataset(("total",)), [])


def test_the_papers_network_comes_near_raw_targets() -> None:
    """From zero to edges of about 4 Å, from images as they are."""
    generator = np.random.default_rng(0)
    images = generator.exponential(size=(24, 8, 8, 1)).astype(np.float32)
    targets = (4 + images.mean(axis=(1, 2, 3)) - 1).astype(np.float32)
    trainer = Trainer(lambda: build_cnn_paper((8, 8, 1)), cnn_paper.RECIPE)
    trainer.reset(0)
    errors = [float(trainer.step([images], targets, np.float32(0.01))) for _ in range(30)]
    assert errors[0] > 8
    assert np.mean(errors[-5:]) < 0.6 * errors[0]  # with dropout of a half
