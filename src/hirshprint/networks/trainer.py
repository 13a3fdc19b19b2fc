"""Training of the networks: every split, fold and seed of the plan, resumable at any moment.

A unit is one (model, split, fold, seed). Everything random in it is drawn from (seed, fold, epoch), and its
state is saved every half minute, so that a training that was killed and started again ends with the same
numbers as one that ran through. Nothing here looks at a test part: the number of epochs is fixed, the
learning rate falls to zero along a half cosine, and the weights after the last epoch count.
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import hirshprint
from hirshprint import versions
from hirshprint.accuracy.predictions import fold_predictions, joined, plain, with_compound_means, with_ensembles
from hirshprint.datasets.gather import (
    SITES,
    Dataset,
    DatasetError,
    Fold,
    first_rows,
    planned_splits,
    same_edges,
    samples,
    seeds_of,
)
from hirshprint.files.reading import kept_or_none, read_json, read_npz, sealed_json
from hirshprint.files.writing import digest, written_whole
from hirshprint.networks.backend import keras, load_network, prepare_device, tf
from hirshprint.networks.cards import CARD_KEYS
from hirshprint.networks.cgcnn import build_cgcnn
from hirshprint.networks.cnn_paper import CHANNEL, build_cnn_paper, cnn_channels, cnn_images, image_scale
from hirshprint.networks.graphs import build_graphs, graph_batch
from hirshprint.networks.hybrid import build_hybrid, fit_scales, scaled_inputs
from hirshprint.networks.readout import build_readout, fit_reader, moment_rows
from hirshprint.structures.elements import PROPERTIES
from hirshprint.structures.structure import Structure

WARM_UP = 0.05  # share of the steps over which the learning rate rises from zero
PREDICTION_BATCH = 256
ROWS_AT_ONCE = 1_024  # that are copied for a digest
SECONDS_BETWEEN_LINES = 15.0
KEPT = ("history", "epoch", "seconds")  # in a checkpoint, beside what a network and its optimiser hold

Batch = tuple[NDArray[Any], ...]
Inputs = Callable[[NDArray[np.int64]], Batch]
Start = Callable[[float, float], list[NDArray[Any]]]


class Recipe(NamedTuple):
    """How a network is trained: beyond `huber` standard deviations of the target an error counts linearly."""

    huber: float | None = None
    weight_decay: float | None = None


RECIPES = {
    "cnn_paper": Recipe(),
    "readout": Recipe(huber=0.05, weight_decay=0.01),
    "cgcnn": Recipe(huber=0.2),
    "hybrid": Recipe(huber=0.05, weight_decay=0.3),
}
NETWORKS = tuple(RECIPES)
SITE_NETWORKS = ("readout", "hybrid")  # see the fingerprints of named sites


def needed_of_fingerprints(networks: Sequence[str], sites: Sequence[str]) -> dict[str, Any]:
    """What `load_dataset` shall read for some networks and a dataset with these sites: `channels`, `site_moments`.

    Without named sites ``cnn_paper`` sees every channel: also anions and cations.
    """
    images = ([CHANNEL] if sites else None) if "cnn_paper" in networks else []
    moments = tuple(sites) == SITES and not set(SITE_NETWORKS).isdisjoint(networks)
    return {"channels": images, "site_moments": moments}


class Source(NamedTuple):
    """What a network learns from.

    Attributes
    ----------
    rows : rows of the dataset that it uses.
    joined : whether a row stands for all structures of its compound.
    inputs_of : gives, for the training rows of a fold, how to make inputs of any rows, what a card must say of them,
        and arrays that their use needs.
    build : makes the network.
    digest : of all data that the inputs come from.
    start : weights to start from in place of random ones, for a target of this mean and standard deviation.
    """

    rows: NDArray[np.int64]
    joined: bool
    inputs_of: Callable[[NDArray[np.int64]], tuple[Inputs, dict[str, Any], dict[str, NDArray[Any]]]]
    build: Callable[[], Any]
    digest: str
    start: Start | None = None


@dataclass(frozen=True, eq=False)
class Unit:
    """One training: what to learn, from which rows, and how.

    Attributes
    ----------
    model, split, seed, fold : which training of the plan.
    settings : epochs, batch_size, learning_rate (and the model's own).
    inputs : gives the network's inputs for some rows of the dataset.
    scaling : what the inputs were scaled by, for the card.
    samples : (n,) number of the sample that each row of the dataset is of; an epoch shows each sample once.
    arrays : what the use of the network needs beside its card.
    start : see `Source`.
    """

    model: str
    split: str
    seed: int
    fold: Fold
    settings: Mapping[str, Any]
    inputs: Inputs
    scaling: dict[str, Any]
    samples: NDArray[np.int64]
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)
    start: Start | None = None

    @property
    def name(self) -> str:
        """Stem of the unit's files."""
        return f"{self.model}-{self.split}-fold{self.fold.number}-seed{self.seed}"

    @cached_property
    def size(self) -> int:
        """Samples that an epoch shows."""
        return len(np.unique(self.samples[self.fold.train]))

    def epoch(self, number: int) -> NDArray[np.int64]:
        """Training rows of an epoch, shuffled: of a sample with several rows one, drawn anew in each epoch."""
        order = np.random.default_rng([self.seed, self.fold.number, number]).permutation(self.fold.train)
        first = np.unique(self.samples[order], return_index=True)[1]
        rows: NDArray[np.int64] = order[np.sort(first)]
        return rows


@dataclass(frozen=True, eq=False)
class Trained:
    """What a finished unit leaves: predictions for every row, weights, and how it went."""

    predicted: NDArray[np.float64]
    weights: list[NDArray[Any]]
    history: NDArray[np.float64]
    seconds: float
    device: str


def train_networks(
    dataset: Dataset,
    structures: Sequence[Structure],
    learning: Mapping[str, Any],
    cache_folder: str | Path,
    models_folder: str | Path,
    *,
    gpus: int = 1,
    require_gpu: bool = False,
    threads: int = 2,
    checkpoint_seconds: float = 30.0,
    tensorboard: str | Path | None = None,
) -> pd.DataFrame:
    """Train the networks named in `learning` on every split, fold and seed, and predict every row.

    Finished units and checkpoints live in `cache_folder`, in a folder named by a digest of data, settings
    and versions; a second call takes what is there. `models_folder` gets the weights of each unit
    (``.keras``) beside a card (``.json``) with what their use needs.

    Parameters
    ----------
    structures : of any order; must have every structure of the dataset.
    learning : the configuration's ``learning`` section: splits, folds, seeds, validation_fraction,
        networks, and for each of those its epochs, batch_size and learning_rate, for ``cgcnn`` also
        radius_angstrom. ``cnn_paper`` sees one initial edge of each compound, the first; ``cgcnn`` too, where all
        compounds have the same edges; ``readout`` and ``hybrid`` see all, and are left out where sites have no names.
    gpus, require_gpu, threads : see `backend.prepare_device`.
    checkpoint_seconds : time between two checkpoints of a unit.
    tensorboard : folder for logs that TensorBoard shows, one run per unit; none are written without it.

    Returns
    -------
    Predictions table (`predictions.COLUMNS`), with ensemble rows when there are several seeds, and the mean over the
    structures of a compound when there are several.

    Raises
    ------
    RuntimeError
        A GPU is required and absent, or a training diverges.
    DatasetError
        A structure is missing, or there are too few compounds for the folds.
    """
    device = prepare_device(gpus, require_gpu, threads)
    plan = planned_splits(dataset, learning)
    print(f"training on {device}, TensorFlow {tf.__version__}, {threads} CPU threads", flush=True)
    if unknown := sorted(set(learning["networks"]) - set(NETWORKS)):
        raise DatasetError(f"unknown network {', '.join(unknown)}; write {', '.join(NETWORKS)}")
    tables = []
    for model in learning["networks"]:
        if model in SITE_NETWORKS and tuple(dataset.elements) != SITES:
            print(f"{model}: left out, for it needs a dataset with the sites A, B and X", flush=True)
            continue
        source = SOURCES[model](dataset, structures, dict(learning[model]))
        units, identity = _units(model, source, dataset, learning, plan)
        named = replace(dataset, structure_ids=np.full(len(dataset.targets), "")) if source.joined else dataset
        cache = Path(cache_folder) / digest(identity)[:32]
        trainer = None
        progress = _Progress(model, units, device)
        for unit in units:
            done = cache / f"{unit.name}.npz"
            found = kept_or_none(done, _load, unit.name)
            if found is None:
                checkpoint = cache / f"{unit.name}.checkpoint.npz"
                trainer = trainer or _Trainer(source.build, RECIPES[model])
                writer = tf.summary.create_file_writer(str(Path(tensorboard) / unit.name)) if tensorboard else None
                found = _train(trainer, unit, dataset.targets, checkpoint, checkpoint_seconds, progress, writer)
                _save(done, found)
                checkpoint.unlink(missing_ok=True)
            progress.finished(unit, found)
            _write_model(Path(models_folder), source.build, unit, found, dataset)
            tables.append(fold_predictions(named, model, unit.split, unit.fold, unit.seed, found.predicted))
    if not tables:
        raise DatasetError(f"no network of {', '.join(learning['networks'])} can learn from '{dataset.name}'")
    table = with_ensembles(joined(tables))
    return plain(with_compound_means(table) if np.isfinite(dataset.initial_edges).all() else table)


def _units(
    model: str, source: Source, dataset: Dataset, learning: Mapping[str, Any], plan: Mapping[str, Sequence[Fold]]
) -> tuple[list[Unit], dict[str, Any]]:
    """Units of one model in the order of the plan, and what identifies the lot."""
    settings = dict(learning[model])
    sample = np.unique(samples(dataset), return_inverse=True)[1]
    units = []
    for split, folds in plan.items():
        for fold in folds:
            of_rows = {part: np.intersect1d(rows, source.rows) for part, rows in fold.parts().items()}
            used = Fold(fold.number, **of_rows)
            inputs, scaling, arrays = source.inputs_of(used.train)
            for seed in seeds_of(split, learning):
                units.append(Unit(model, split, seed, used, settings, inputs, scaling, sample, arrays, source.start))
    identity = {
        "algorithm": versions.LEARNING_ALGORITHM,
        "versions": [hirshprint.__version__, tf.__version__, keras.__version__, np.__version__],
        "model": model,
        "settings": settings,
        "recipe": list(RECIPES[model]),
        "data": source.digest,
        "rows": _array_digest(dataset.structure_ids, dataset.targets, source.rows),
        "folds": {
            split: _array_digest(*(rows for fold in folds for rows in fold.parts().values()))
            for split, folds in plan.items()
        },
    }
    return units, identity


def _images(dataset: Dataset, structures: Sequence[Structure], settings: Mapping[str, Any]) -> Source:
    images, rows = cnn_images(dataset), first_rows(dataset)

    def inputs_of(train: NDArray[np.int64]) -> tuple[Inputs, dict[str, Any], dict[str, NDArray[Any]]]:
        scale = image_scale(images, train)
        return (
            lambda rows: (images[rows] / np.float32(scale),),
            {"channels": cnn_channels(dataset), "divided_by": scale},
            {},
        )

    return Source(rows, False, inputs_of, lambda: build_cnn_paper(images.shape[1:]), _rows_digest(images, rows))


def _graphs(dataset: Dataset, structures: Sequence[Structure], settings: Mapping[str, Any]) -> Source:
    by_id = {structure.structure_id: structure for structure in structures}
    if missing := [name for name in dataset.structure_ids.tolist() if name not in by_id]:
        raise DatasetError(f"no structure for the fingerprints of {', '.join(missing[:10])}")
    radius = float(settings["radius_angstrom"])
    every = not same_edges(dataset)  # then the draws of a compound show the network that the edge is not its own
    used = np.arange(len(dataset.targets)) if every else first_rows(dataset)
    seen = {"radius_angstrom": radius, "draws": "all" if every else "first"}
    graphs = build_graphs([by_id[name] for name in dataset.structure_ids[used].tolist()], radius)

    def inputs_of(train: NDArray[np.int64]) -> tuple[Inputs, dict[str, Any], dict[str, NDArray[Any]]]:
        return lambda rows: graph_batch(graphs, np.searchsorted(used, rows)), seen, {}

    arrays = (graphs.numbers, graphs.shares, graphs.node_offsets, graphs.centres, graphs.neighbours)
    edges = (graphs.distances, graphs.multiplicities, graphs.edge_offsets)
    start = started_from(Path(settings["start_from"]), radius) if settings.get("start_from") else None
    begun = start(0.0, 1.0) if start else []
    return Source(used, False, inputs_of, lambda: build_cgcnn(radius), _array_digest(*arrays, *edges, *begun), start)


def started_from(folder: Path, radius: float) -> Start:
    """Weights of the first ``cgcnn`` of a folder of models, its output scaled to a target of other mean and sd.

    Raises
    ------
    DatasetError
        There is none, or it knows neighbours up to another radius (Å).
    """
    cards = sorted(folder.glob("cgcnn-*-fold*-seed*.json"))
    if not cards:
        raise DatasetError(
            f"learning: cgcnn: start_from: {folder} has no cgcnn; name the folder results/DATASET/models"
        )
    card = read_json(cards[0], CARD_KEYS, unit=folder)
    if card["inputs"]["radius_angstrom"] != radius:
        raise DatasetError(
            f"learning: cgcnn: start_from: the network of {folder} has neighbours within "
            f"{card['inputs']['radius_angstrom']} Å; write radius_angstrom: {card['inputs']['radius_angstrom']}"
        )
    weights = load_network(cards[0].with_suffix(".keras")).get_weights()

    def scaled(mean: float, sd: float) -> list[NDArray[Any]]:
        kernel = weights[-2] * (card["target_sd"] / sd)
        bias = (weights[-1] * card["target_sd"] + card["target_mean"] - mean) / sd
        return [*weights[:-2], kernel.astype(np.float32), bias.astype(np.float32)]

    return scaled


def _read_elements(dataset: Dataset, structures: Sequence[Structure], settings: Mapping[str, Any]) -> Source:
    rows, moments, edges = moment_rows(dataset)
    elements = {site: symbols[rows] for site, symbols in dataset.elements.items()}
    latest: dict[Callable[[], Batch], Batch] = {}

    def inputs_of(train: NDArray[np.int64]) -> tuple[Inputs, dict[str, Any], dict[str, NDArray[Any]]]:
        reader = fit_reader(moments, edges, elements, np.searchsorted(rows, train))

        def made() -> Batch:
            return (reader.probabilities(moments, edges),)

        return _of_latest(latest, made, rows), _edges_seen(dataset, rows), reader.arrays()

    return Source(rows, _joins(dataset, rows), inputs_of, build_readout, _array_digest(moments, edges, rows))


def _hybrid(dataset: Dataset, structures: Sequence[Structure], settings: Mapping[str, Any]) -> Source:
    rows, moments, edges = moment_rows(dataset)
    elements = {site: symbols[rows] for site, symbols in dataset.elements.items()}
    latest: dict[Callable[[], Batch], Batch] = {}

    def inputs_of(train: NDArray[np.int64]) -> tuple[Inputs, dict[str, Any], dict[str, NDArray[Any]]]:
        scales = fit_scales(elements, moments, np.searchsorted(rows, train))

        def made() -> Batch:
            return scaled_inputs(elements, moments, scales)

        return _of_latest(latest, made, rows), _edges_seen(dataset, rows), scales

    properties = len(SITES) * len(PROPERTIES)
    digest_of = _array_digest(moments, edges, rows, *elements.values())
    return Source(rows, _joins(dataset, rows), inputs_of, lambda: build_hybrid(properties), digest_of)


def _of_latest(latest: dict[Callable[[], Batch], Batch], made: Callable[[], Batch], rows: NDArray[np.int64]) -> Inputs:
    """Inputs of some rows from those of all, which are made when they are first asked for: of one fold at a time.

    `latest` is shared by the folds of a model, and holds what the last of them made.
    """

    def inputs(some: NDArray[np.int64]) -> Batch:
        if made not in latest:
            latest.clear()
            latest[made] = made()
        return tuple(one[np.searchsorted(rows, some)] for one in latest[made])

    return inputs


def _joins(dataset: Dataset, rows: NDArray[np.int64]) -> bool:
    return len(rows) < len(dataset.targets)


def _edges_seen(dataset: Dataset, rows: NDArray[np.int64]) -> dict[str, Any]:
    edges = np.unique(dataset.initial_edges[np.isin(samples(dataset), samples(dataset)[rows])])
    every = len(rows) < len(dataset.targets) or len(edges) == 1
    return {"edges_angstrom": edges.tolist() if every else "any"}


SOURCES = {"cnn_paper": _images, "readout": _read_elements, "cgcnn": _graphs, "hybrid": _hybrid}


class _Trainer:
    """A network with its optimiser, compiled once and reset for every unit of a model."""

    def __init__(self, build: Callable[[], Any], recipe: Recipe = RECIPES["cnn_paper"]):
        self.build, self.recipe = build, recipe
        self.network = build()
        self.optimizer = keras.optimizers.Adam(clipnorm=1.0, weight_decay=recipe.weight_decay)
        self.optimizer.build(self.network.trainable_variables)
        specs = [tf.TensorSpec(entry.shape, entry.dtype) for entry in self.network.inputs]
        number = tf.TensorSpec((None,), tf.float32)
        rate = tf.TensorSpec((), tf.float32)
        self.step = tf.function(self._step, input_signature=(specs, number, rate), autograph=False)
        self.apply = tf.function(self._apply, input_signature=(specs,), autograph=False)

    def _step(self, inputs: Any, targets: Any, rate: Any) -> Any:
        with tf.GradientTape() as tape:
            error = self.network(inputs, training=True)[:, 0] - targets
            mse = tf.reduce_mean(tf.square(error))
            limit = self.recipe.huber
            size = tf.abs(error)
            loss = (
                mse
                if limit is None
                else tf.reduce_mean(tf.where(size < limit, 0.5 * tf.square(error), limit * (size - 0.5 * limit)))
            )
        gradients = tape.gradient(loss, self.network.trainable_variables)
        self.optimizer.learning_rate.assign(rate)
        self.optimizer.apply(gradients, self.network.trainable_variables)
        return mse

    def _apply(self, inputs: Any) -> Any:
        return self.network(inputs, training=False)[:, 0]

    def reset(self, seed: int) -> None:
        """Give the network the initial weights of a seed and the optimiser an empty memory."""
        keras.utils.set_random_seed(seed)
        self.network.set_weights(self.build().get_weights())
        for variable in self.optimizer.variables:
            variable.assign(np.zeros(variable.shape, variable.dtype))

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything that training changes, as arrays by name."""
        weights = {f"weight_{k}": array for k, array in enumerate(self.network.get_weights())}
        memory = {f"memory_{k}": v.numpy() for k, v in enumerate(self.optimizer.variables)}
        return weights | memory

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Undo what happened since `state` was taken."""
        self.network.set_weights([state[f"weight_{k}"] for k in range(len(self.network.weights))])
        for k, variable in enumerate(self.optimizer.variables):
            variable.assign(state[f"memory_{k}"])

    def predict(self, inputs: Inputs, rows: NDArray[np.int64]) -> NDArray[Any]:
        """Scaled predictions (n,) float64 for rows of the dataset."""
        parts = [
            self.apply(list(inputs(rows[start : start + PREDICTION_BATCH]))).numpy()
            for start in range(0, len(rows), PREDICTION_BATCH)
        ]
        return np.concatenate(parts).astype(np.float64)


def _train(
    trainer: _Trainer,
    unit: Unit,
    targets: NDArray[np.float64],
    checkpoint: Path,
    checkpoint_seconds: float,
    progress: _Progress,
    writer: Any = None,
) -> Trained:
    """Train one unit from its checkpoint, or from the start."""
    train, validation = unit.fold.train, unit.fold.validation
    mean = float(targets[train].mean())
    sd = float(targets[train].std()) or 1.0
    scaled = ((targets - mean) / sd).astype(np.float32)
    epochs, batch_size = int(unit.settings["epochs"]), int(unit.settings["batch_size"])
    parts = math.ceil(unit.size / batch_size)
    history = np.full((epochs, 2), np.nan)
    first, spent = 0, 0.0
    trainer.reset(unit.seed)
    if unit.start:
        trainer.network.set_weights(unit.start(mean, sd))
    saved = kept_or_none(checkpoint, lambda path: read_npz(path, [*trainer.state(), *KEPT]), unit.name)
    if saved is not None:
        trainer.restore(saved)
        history, first, spent = saved["history"], int(saved["epoch"]), float(saved["seconds"])
        print(f"{unit.name}: resumed after epoch {first} of {epochs}", flush=True)
    start = last_saved = time.monotonic()
    for epoch in range(first, epochs):
        order = unit.epoch(epoch)
        losses = []
        for number, rows in enumerate(np.array_split(order, parts)):
            rate = _rate(epoch * parts + number, epochs * parts) * float(unit.settings["learning_rate"])
            losses.append(float(trainer.step(list(unit.inputs(rows)), scaled[rows], rate)) * len(rows))
        history[epoch, 0] = sum(losses) / len(order) * sd**2
        if not math.isfinite(history[epoch, 0]):
            raise RuntimeError(
                f"{unit.name}: the training diverged in epoch {epoch + 1}; "
                f"write a smaller learning: {unit.model}: learning_rate"
            )
        if len(validation) and (epoch + 1) % max(1, epochs // 20) == 0:
            error = trainer.predict(unit.inputs, validation) * sd + mean - targets[validation]
            history[epoch, 1] = float(np.mean(error**2))
        progress.epoch(unit, epoch + 1, history[epoch, 0])
        if writer:
            _log(writer, epoch + 1, history[epoch], rate)
        now = time.monotonic()
        if now - last_saved >= checkpoint_seconds and epoch + 1 < epochs:
            seconds = np.float64(spent + now - start)
            _save_arrays(checkpoint, trainer.state() | {"history": history, "epoch": epoch + 1, "seconds": seconds})
            last_saved = now
    predicted, rows = np.full(len(targets), np.nan), np.concatenate(list(unit.fold.parts().values()))
    predicted[rows] = trainer.predict(unit.inputs, rows) * sd + mean
    return Trained(predicted, trainer.network.get_weights(), history, spent + time.monotonic() - start, progress.device)


def _log(writer: Any, epoch: int, mse: NDArray[np.float64], rate: float) -> None:
    """Write the training and validation MSE of an epoch, and its last learning rate, for TensorBoard."""
    shown = tf.compat.v1.SummaryMetadata  # tf.summary.scalar would need the package tensorboard here too
    scalars = shown(plugin_data=shown.PluginData(plugin_name="scalars"))
    with writer.as_default(step=epoch):
        for name, value in zip(("training MSE", "validation MSE", "learning rate"), (*mse, rate), strict=True):
            if math.isfinite(value):
                tf.summary.write(name, np.float32(value), metadata=scalars)
    writer.flush()


def _rate(step: int, steps: int) -> float:
    """Learning rate relative to its peak: a linear rise, then half a cosine down to zero."""
    rise = max(1, round(WARM_UP * steps))
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise)))


class _Progress:
    """Says now and then how far a model's trainings are and when they will be done."""

    def __init__(self, model: str, units: Sequence[Unit], device: str):
        self.device = device
        self.left = sum(int(unit.settings["epochs"]) * unit.size for unit in units)
        self.total, self.number = len(units), 0
        self.done = 0  # rows passed through a network in this process
        self.start = self.said = time.monotonic()
        self.reached = 0

    def epoch(self, unit: Unit, epoch: int, mse: float) -> None:
        """Count one epoch of a unit."""
        self.done += unit.size
        self.reached = epoch
        now = time.monotonic()
        if now - self.said >= SECONDS_BETWEEN_LINES:
            self.said = now
            ahead = self.left - epoch * unit.size
            eta = round(ahead * (now - self.start) / self.done)
            print(
                f"{unit.name} ({self.number + 1} of {self.total}): "
                f"epoch {epoch} of {unit.settings['epochs']}, "
                f"training MSE {mse:.3g}, {eta // 60}:{eta % 60:02d} min left for {unit.model}",
                flush=True,
            )

    def finished(self, unit: Unit, trained: Trained) -> None:
        """Count one unit as done, whether trained now or found."""
        how = f"in {trained.seconds:.1f} s" if self.reached else "found in the cache"
        self.left -= int(unit.settings["epochs"]) * unit.size
        self.number, self.reached = self.number + 1, 0
        print(f"{unit.name} ({self.number} of {self.total}): done, {how}", flush=True)


def _write_model(folder: Path, build: Callable[[], Any], unit: Unit, trained: Trained, dataset: Dataset) -> None:
    """Write a unit's weights as ``.keras`` and its card as ``.json``."""
    network = build()
    network.set_weights(trained.weights)
    with tempfile.TemporaryDirectory() as temporary, written_whole(folder / f"{unit.name}.keras") as target:
        with warnings.catch_warnings():  # Keras 3.15 hands TensorFlow's variables to numpy 2 the old way
            warnings.filterwarnings("ignore", message="__array__ implementation doesn't accept a copy")
            network.save(Path(temporary) / "model.keras")
        shutil.copyfile(Path(temporary) / "model.keras", target)
    if unit.arrays:
        _save_arrays(folder / f"{unit.name}.npz", unit.arrays)
    targets = dataset.targets[unit.fold.train]
    card = {
        "model": unit.model,
        "dataset": dataset.name,
        "split": unit.split,
        "fold": unit.fold.number,
        "seed": unit.seed,
        "property": dataset.property,
        "unit": dataset.unit,
        "prediction": "network output * target_sd + target_mean",
        "target_mean": float(targets.mean()),
        "target_sd": float(targets.std()) or 1.0,
        "inputs": unit.scaling | ({"arrays": f"{unit.name}.npz"} if unit.arrays else {}),
        "settings": dict(unit.settings),
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


def _save(path: Path, trained: Trained) -> None:
    weights = {f"weight_{k}": array for k, array in enumerate(trained.weights)}
    rest = {"predicted": trained.predicted, "history": trained.history, "seconds": trained.seconds}
    _save_arrays(path, weights | rest | {"device": np.array(trained.device)})


def _load(path: Path) -> Trained:
    saved = read_npz(path)
    weights = [saved[f"weight_{k}"] for k in range(sum(name.startswith("weight_") for name in saved))]
    return Trained(saved["predicted"], weights, saved["history"], float(saved["seconds"]), str(saved["device"]))


def _save_arrays(path: Path, arrays: Mapping[str, Any]) -> None:
    with written_whole(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)


def _array_digest(*arrays: NDArray[Any]) -> str:
    total = hashlib.sha256()
    for array in arrays:
        total.update(f"{array.dtype}{array.shape}".encode())
        total.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return total.hexdigest()


def _rows_digest(array: NDArray[Any], rows: NDArray[np.int64]) -> str:
    """Digest (`_array_digest`) of some rows of an array, of which only a part is copied at a time."""
    total = hashlib.sha256(f"{array.dtype}{(len(rows), *array.shape[1:])}".encode())
    for start in range(0, len(rows), ROWS_AT_ONCE):
        total.update(array[rows[start : start + ROWS_AT_ONCE]].tobytes())
    return total.hexdigest()
