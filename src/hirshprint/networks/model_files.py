"""Files of trained networks: those of the cache, and the weights and card of a folder of models."""

from __future__ import annotations

import json
import math
import shutil
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import hirshprint
from hirshprint.datasets.gather import Dataset
from hirshprint.files.reading import read_npz, sealed_json
from hirshprint.files.writing import written_whole
from hirshprint.networks.backend import keras, tf
from hirshprint.networks.interface import module_of
from hirshprint.networks.unit import Trained, Unit, save_arrays


def write_model(folder: Path, build: Callable[[], Any], unit: Unit, trained: Trained, dataset: Dataset) -> None:
    """Write a unit's weights as ``.keras`` and its card as ``.json``."""
    network = build()
    network.set_weights(trained.weights)
    with tempfile.TemporaryDirectory() as temporary, written_whole(folder / f"{unit.name}.keras") as target:
        with warnings.catch_warnings():  # Keras 3.15 hands TensorFlow's variables to numpy 2 the old way
            warnings.filterwarnings("ignore", message="__array__ implementation doesn't accept a copy")
            network.save(Path(temporary) / "model.keras")
        shutil.copyfile(Path(temporary) / "model.keras", target)
    if unit.arrays:
        save_arrays(folder / f"{unit.name}.npz", unit.arrays)
    mean, sd = module_of(unit.model).RECIPE.scale_of(dataset, unit.learned)
    card = {
        "model": unit.model,
        "dataset": dataset.name,
        "split": unit.split,
        "fold": unit.fold.number,
        "seed": unit.seed,
        "property": dataset.property,
        "unit": dataset.unit,
        **dataset.target.written(),
        "prediction": dataset.target.formula(),
        "target_mean": mean,
        "target_sd": sd,
        "inputs": unit.scaling | ({"arrays": f"{unit.name}.npz"} if unit.arrays else {}),
        "started_from": unit.start.told if unit.start else None,
        "settings": unit.settings.written(),
        "rows": {part: len(rows) for part, rows in unit.fold.parts().items()},
        "mean_absolute_error": {
            part: float(np.abs(trained.predicted[rows] - dataset.targets[rows]).mean()) if len(rows) else None
            for part, rows in unit.fold.parts().items()
        },
        "training_mse": trained.history[:, 0].tolist(),
        "validation_mse": [value if math.isfinite(value) else None for value in trained.history[:, 1]],
        "seconds": trained.seconds,
        "device": trained.device,
        "versions": {
            "hirshprint": hirshprint.__version__,
            "tensorflow": tf.__version__,
            "keras": keras.__version__,
        },
    }
    with written_whole(folder / f"{unit.name}.json") as target:
        target.write_text(json.dumps(sealed_json(card), indent=1, allow_nan=False) + "\n", encoding="utf-8")


def save_unit(path: Path, trained: Trained) -> None:
    """Write a finished unit into the cache."""
    weights = {f"weight_{k}": array for k, array in enumerate(trained.weights)}
    rest = {"predicted": trained.predicted, "history": trained.history, "seconds": trained.seconds}
    save_arrays(path, weights | rest | {"device": np.array(trained.device)})


def read_unit(path: Path) -> Trained:
    """Read a finished unit of the cache."""
    saved = read_npz(path)
    weights = [saved[f"weight_{k}"] for k in range(sum(name.startswith("weight_") for name in saved))]
    return Trained(saved["predicted"], weights, saved["history"], float(saved["seconds"]), str(saved["device"]))
