"""How the network of the paper's authors learns over its 1,400 epochs, and what their text and code leave open.

python benchmarks/paper_network.py results/oqmd_paper --epochs 1400 --out curve.csv     (a GPU: minutes a variant)
python benchmarks/paper_network.py results/oqmd_paper --epochs 60 --variants published   (two CPU cores: an hour)

Trains variants of `cnn_paper` on the authors' split of a dataset of random initial edges, and prints the mean absolute
error of the training and the test part every fiftieth epoch. Nothing is chosen by it: the published figure is that of
the last epoch. With other bins (`fingerprint: {bins: {low_angstrom: 0.8}}`) the same command tells what the axis does;
with `draws: 32` the variant `new_edges` can draw another edge of each compound in each epoch.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

ROOT = Path(__file__).parents[1]
EVERY = 50  # epochs


@dataclass(frozen=True)
class Variant:
    """What is changed: layers, the target, the images, the edges."""

    dense_normalised: bool = True
    standardised: bool = False
    image: Callable[[Any], Any] = lambda images: images
    new_edges: bool = False


VARIANTS = {
    "published": Variant(),
    "code": Variant(dense_normalised=False),  # their code has no batch normalisation after the dense layers
    "standardised_target": Variant(standardised=True),
    "sum_one": Variant(image=lambda images: images / images.sum(axis=(1, 2), keepdims=True)),
    "new_edges": Variant(new_edges=True),
}


def without_dense_normalisation(network: Any) -> Any:
    """Build the network again without the batch normalisation of vectors."""
    from hirshprint.networks.backend import keras

    features = image = keras.Input(network.input_shape[1:])
    for layer in network.layers[1:]:
        if not (isinstance(layer, keras.layers.BatchNormalization) and len(layer.output.shape) == 2):
            features = layer.__class__.from_config(layer.get_config())(features)
    return keras.Model([image], features)


def train(dataset: Any, name: str, epochs: int, batch: int) -> Iterator[dict[str, Any]]:
    """Train a variant on the authors' split; give its errors every `EVERY` epochs and at the end."""
    from hirshprint.datasets.folds import planned_splits
    from hirshprint.datasets.gather import first_rows
    from hirshprint.networks.cnn_paper import RECIPE, build_cnn_paper, cnn_images
    from hirshprint.networks.interface import Recipe
    from hirshprint.networks.training import Trainer

    variant = VARIANTS[name]
    images, first = variant.image(cnn_images(dataset)), first_rows(dataset)
    fold = planned_splits(dataset, _learning())["paper"][0]
    parts = {part: np.intersect1d(rows, first) for part, rows in fold.parts().items()}
    by_compound = pd.Series(np.arange(len(dataset.targets))).groupby(dataset.compounds).apply(np.array)
    train_rows, targets = parts["train"], dataset.targets
    mean, sd = (Recipe() if variant.standardised else RECIPE).scale(targets[train_rows])

    def build() -> Any:
        network = build_cnn_paper(images.shape[1:])
        return network if variant.dense_normalised else without_dense_normalisation(network)

    trainer, random, start = Trainer(build, RECIPE), np.random.default_rng(0), time.monotonic()
    trainer.reset(0)
    for epoch in range(1, epochs + 1):
        rows = random.permutation(train_rows)
        if variant.new_edges:
            rows = np.array([random.choice(by_compound[name]) for name in dataset.compounds[rows]])
        for some in np.array_split(rows, -(-len(rows) // batch)):
            trainer.step([images[some]], ((targets[some] - mean) / sd).astype(np.float32), 0.001)
        if epoch % EVERY == 0 or epoch == epochs:
            found = {"variant": name, "epoch": epoch, "seconds": time.monotonic() - start}
            for part in ("train", "test"):
                predicted = trainer.predict(lambda asked: (images[asked],), parts[part]) * sd + mean
                found[f"{part}_mae_angstrom"] = float(np.abs(predicted - targets[parts[part]]).mean())
            yield found


def _learning() -> Any:
    """The default section `learning`, on the authors' split."""
    from hirshprint.config.learning import Learning

    section = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))["learning"]
    return Learning.from_dict(section | {"splits": ["paper"]})


def main(arguments: list[str]) -> int:
    """Train the variants one after the other and print a line for each `EVERY` epochs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("--epochs", type=int, default=1400)
    parser.add_argument("--batch", type=int, default=300)
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--out", type=Path, help="CSV")
    given = parser.parse_args(arguments)
    from hirshprint.datasets.gather import load_dataset
    from hirshprint.networks.backend import prepare_device

    device = prepare_device(1, require_gpu=False, threads=8)
    files = (given.results / "fingerprints.h5", given.results / "targets.csv")
    dataset = load_dataset(given.results.name, *files, channels=["total"])
    print(f"{device}; {len(dataset.targets):,} fingerprints, batches of {given.batch}", flush=True)
    rows = []
    for name in given.variants:
        for found in train(dataset, name, given.epochs, given.batch):
            rows.append(found)
            texts = (f"{key} {value:.4f}" if isinstance(value, float) else f"{value}" for key, value in found.items())
            print("  ".join(texts), flush=True)
            if given.out:
                pd.DataFrame(rows).to_csv(given.out, index=False)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
