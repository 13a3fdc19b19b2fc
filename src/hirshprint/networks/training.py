"""One training: a network, its optimiser, and the epochs from a checkpoint or from the start to the end."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hirshprint.datasets.gather import Dataset
from hirshprint.datasets.target_scale import rows_of
from hirshprint.files.reading import kept_or_none, read_npz
from hirshprint.networks.backend import keras, tf
from hirshprint.networks.interface import Inputs, Recipe
from hirshprint.networks.progress import Progress
from hirshprint.networks.unit import Trained, Unit, save_arrays

LOG = logging.getLogger(__name__)
WARM_UP = 0.05  # share of the steps over which the learning rate rises from zero
PREDICTION_BATCH = 256
KEPT = ("history", "epoch", "seconds")  # in a checkpoint, beside what a network and its optimiser hold


class Trainer:
    """A network with its optimiser, compiled once and reset for every unit of a model."""

    def __init__(self, build: Callable[[], Any], recipe: Recipe, answers: bool = False):
        self.build, self.recipe, self.answers = build, recipe, answers
        self.network = build()
        self.optimizer = keras.optimizers.Adam(clipnorm=None if recipe.plain else 1.0, weight_decay=recipe.weight_decay)
        self.optimizer.build(self.network.trainable_variables)
        specs = [tf.TensorSpec(entry.shape, entry.dtype) for entry in self.network.inputs]
        number = tf.TensorSpec((None,), tf.float32)
        rate = tf.TensorSpec((), tf.float32)
        shares = [tf.TensorSpec((None, None, None), tf.float32)] if recipe.elements else []
        self.step = tf.function(self._step, input_signature=(specs, number, rate, *shares), autograph=False)
        self.apply = tf.function(self._apply, input_signature=(specs,), autograph=False)

    def _step(self, inputs: Any, targets: Any, rate: Any, elements: Any = None) -> Any:
        with tf.GradientTape() as tape:
            output = self.network(inputs, training=True)
            said = tf.sigmoid(output[:, 0]) if self.answers else output[:, 0]
            error = said - targets
            mse = tf.reduce_mean(tf.square(error))
            loss = self._loss(output[:, 0], targets, error, mse)
            if self.network.losses:
                loss += tf.add_n(self.network.losses)
            if elements is not None:
                logits = tf.reshape(output[:, 1:], tf.shape(elements))
                named = tf.nn.softmax_cross_entropy_with_logits(elements, logits)
                loss += self.recipe.elements * tf.reduce_mean(tf.reduce_sum(named, axis=1))
        gradients = tape.gradient(loss, self.network.trainable_variables)
        self.optimizer.learning_rate.assign(rate)
        self.optimizer.apply(gradients, self.network.trainable_variables)
        return mse

    def _loss(self, output: Any, targets: Any, error: Any, mse: Any) -> Any:
        """Cross-entropy of answers, else Huber's loss where the recipe has one."""
        if self.answers:
            return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(targets, output))
        limit, size = self.recipe.huber, tf.abs(error)
        if limit is None:
            return mse
        return tf.reduce_mean(tf.where(size < limit, 0.5 * tf.square(error), limit * (size - 0.5 * limit)))

    def _apply(self, inputs: Any) -> Any:
        return self.network(inputs, training=False)[:, 0]

    def reset(self, seed: int) -> None:
        """Give the network the initial weights of a seed and the optimiser an empty memory."""
        keras.utils.set_random_seed(seed)
        for variable, fresh in zip(self.network.variables, self.build().variables, strict=True):
            variable.assign(fresh)
        for variable in self.optimizer.variables:
            variable.assign(np.zeros(variable.shape, variable.dtype))

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything that training changes, as arrays by name."""
        weights = {f"weight_{k}": v.numpy() for k, v in enumerate(self.network.variables)}
        memory = {f"memory_{k}": v.numpy() for k, v in enumerate(self.optimizer.variables)}
        return weights | memory

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Undo what happened since `state` was taken.

        Parameters
        ----------
        state : mapping of str to ndarray
            Weights and states of random layers as ``weight_<k>``, what the optimizer remembers as ``memory_<k>``.
        """
        for k, variable in enumerate(self.network.variables):
            variable.assign(state[f"weight_{k}"])
        for k, variable in enumerate(self.optimizer.variables):
            variable.assign(state[f"memory_{k}"])

    def predict(self, inputs: Inputs, rows: NDArray[np.int64]) -> NDArray[Any]:
        """Scaled predictions (n,) float64 for rows of the dataset.

        Parameters
        ----------
        inputs : callable
            Gives the arrays of the network for some rows.
        rows : ndarray of int64, (n,)
            Rows of the dataset.
        """
        parts = [
            self.apply(list(inputs(rows[start : start + PREDICTION_BATCH]))).numpy()
            for start in range(0, len(rows), PREDICTION_BATCH)
        ]
        return np.concatenate(parts).astype(np.float64)


def train_unit(
    trainer: Trainer,
    unit: Unit,
    dataset: Dataset,
    checkpoint: Path,
    checkpoint_seconds: float,
    progress: Progress,
    writer: Any = None,
) -> Trained:
    """Train one unit from its checkpoint, or from the start.

    Parameters
    ----------
    trainer : Trainer
        Network and optimizer, set back to the seed of the unit first.
    unit : Unit
        What to train: seed, fold, settings and inputs.
    dataset : Dataset
        What to learn from.
    checkpoint : Path
        File to go on from, where it exists.
    checkpoint_seconds : float, s
        Time between two checkpoints.
    progress : Progress
        Is told how far the training is.
    writer : object, optional
        Summary writer of TensorBoard; where None, none is written.
    """
    train, validation = unit.learned, unit.fold.validation
    target, atoms = dataset.target, dataset.atoms
    wanted = target.learned(dataset.targets, atoms)
    mean, sd = trainer.recipe.scale_of(dataset, train)
    scaled = ((wanted - mean) / sd).astype(np.float32)
    epochs, batch_size = int(unit.settings.epochs), int(unit.settings.batch_size)
    parts = math.ceil(unit.size / batch_size)
    history = np.full((epochs, 2), np.nan)
    first, spent = 0, 0.0
    trainer.reset(unit.seed)
    if unit.start:
        trainer.network.set_weights(unit.start.scaled(mean, sd, trainer.network.get_weights()))
    saved = kept_or_none(checkpoint, lambda path: read_npz(path, [*trainer.state(), *KEPT]), unit.name)
    if saved is not None:
        trainer.restore(saved)
        history, first, spent = saved["history"], int(saved["epoch"]), float(saved["seconds"])
        LOG.info(f"{unit.name}: resumed after epoch {first} of {epochs}")
    start = last_saved = time.monotonic()
    for epoch in range(first, epochs):
        order = unit.epoch(epoch)
        losses = []
        for number, rows in enumerate(np.array_split(order, parts)):
            share = 1.0 if trainer.recipe.plain else learning_rate(epoch * parts + number, epochs * parts)
            rate = share * float(unit.settings.learning_rate)
            shares = [unit.elements(rows)] if unit.elements else []
            losses.append(float(trainer.step(list(unit.inputs(rows)), scaled[rows], rate, *shares)) * len(rows))
        history[epoch, 0] = sum(losses) / len(order) * sd**2
        if not math.isfinite(history[epoch, 0]):
            raise RuntimeError(
                f"{unit.name}: the training diverged in epoch {epoch + 1}; "
                f"write a smaller learning: {unit.model}: learning_rate"
            )
        if len(validation) and (epoch + 1) % max(1, epochs // 20) == 0:
            error = target.linked(trainer.predict(unit.inputs, validation) * sd + mean) - wanted[validation]
            history[epoch, 1] = float(np.mean(error**2))
        progress.epoch(unit, epoch + 1, history[epoch, 0])
        if writer:
            _log(writer, epoch + 1, history[epoch], rate, progress.error)
        now = time.monotonic()
        if now - last_saved >= checkpoint_seconds and epoch + 1 < epochs:
            seconds = np.float64(spent + now - start)
            save_arrays(checkpoint, trainer.state() | {"history": history, "epoch": epoch + 1, "seconds": seconds})
            last_saved = now
    predicted, rows = np.full(len(wanted), np.nan), np.concatenate(list(unit.fold.parts().values()))
    said = target.linked(trainer.predict(unit.inputs, rows) * sd + mean)
    predicted[rows] = target.stated(said, rows_of(atoms, rows))
    return Trained(predicted, trainer.network.get_weights(), history, spent + time.monotonic() - start, progress.device)


def _log(writer: Any, epoch: int, errors: NDArray[np.float64], rate: float, title: str) -> None:
    """Write the training and validation error of an epoch, and its last learning rate, for TensorBoard.

    The validation error of answers is the mean square of probabilities. A stroke would divide a name there.
    """
    validation = "Brier score" if title == "logistic loss" else title
    names = [f"training {title}", f"validation {validation}", "learning rate"]
    shown = tf.compat.v1.SummaryMetadata  # tf.summary.scalar would need the package tensorboard here too
    scalars = shown(plugin_data=shown.PluginData(plugin_name="scalars"))
    with writer.as_default(step=epoch):
        for name, value in zip(names, (*errors, rate), strict=True):
            if math.isfinite(value):
                tf.summary.write(name.replace("/", " per "), np.float32(value), metadata=scalars)
    writer.flush()


def learning_rate(step: int, steps: int) -> float:
    """Learning rate relative to its peak: a linear rise, then half a cosine down to zero."""
    rise = max(1, round(WARM_UP * steps))
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise)))
