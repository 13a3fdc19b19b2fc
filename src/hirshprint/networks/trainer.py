"""Training of the networks: every split, fold and seed of the plan, resumable at any moment.

A unit is one (model, split, fold, seed). Everything random in it is drawn from (seed, fold, epoch), and its
state is saved every half minute, so that a training that was killed and started again ends with the same
numbers as one that ran through. Nothing here looks at a test part: the number of epochs is fixed, the
learning rate falls to zero along a half cosine, and the weights after the last epoch count.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import hirshprint
from hirshprint import versions
from hirshprint.accuracy.predictions import fold_predictions, joined, plain, with_compound_means, with_ensembles
from hirshprint.config.learning import Learning
from hirshprint.datasets.folds import Fold, planned_splits, seeds_of
from hirshprint.datasets.gather import Dataset, DatasetError, samples, told_rows
from hirshprint.datasets.splits import SITES
from hirshprint.datasets.target_scale import PLAIN
from hirshprint.files.reading import kept_or_none
from hirshprint.files.writing import digest
from hirshprint.networks.backend import keras, prepare_device, tf
from hirshprint.networks.interface import Source, array_digest, module_of, settings_of
from hirshprint.networks.model_files import read_unit, save_unit, write_model
from hirshprint.networks.progress import Progress
from hirshprint.networks.registry import network
from hirshprint.networks.start import Start, started
from hirshprint.networks.training import Trainer, train_unit
from hirshprint.networks.unit import Unit
from hirshprint.structures.structure import Structure

LOG = logging.getLogger(__name__)


def train_networks(
    dataset: Dataset,
    structures: Sequence[Structure],
    learning: Learning,
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
    dataset : Dataset
        What to learn from.
    structures : sequence of Structure
        Every structure of the dataset, in any order.
    learning : Learning
        The configuration's ``learning`` section. ``cnn_paper`` sees one initial edge of each compound, the first;
        ``cgcnn`` too, where all compounds have the same edges; ``readout`` and ``hybrid`` see all, and are left out
        where sites have no names.
    cache_folder : str or Path
        Folder of the checkpoints, from which a stopped training resumes.
    models_folder : str or Path
        Folder for the weights and cards of the trained networks.
    gpus : int, default 1
        See `backend.prepare_device`.
    require_gpu : bool, default False
        See `backend.prepare_device`.
    threads : int, default 2
        See `backend.prepare_device`.
    checkpoint_seconds : float, default 30.0
        Time between two checkpoints of a unit.
    tensorboard : str or Path, optional
        Folder for logs that TensorBoard shows, one run per unit; none are written without it.

    Returns
    -------
    DataFrame
        Predictions table (`predictions.COLUMNS`), with ensemble rows when there are several seeds, and the mean over
        the structures of a compound when there are several.

    Raises
    ------
    RuntimeError
        A GPU is required and absent, or a training diverges.
    DatasetError
        A structure is missing, or there are too few compounds for the folds.
    """
    device = prepare_device(gpus, require_gpu, threads)
    plan = planned_splits(dataset, learning)
    LOG.info(f"training on {device}, TensorFlow {tf.__version__}, {threads} CPU threads")
    tables = []
    for model in learning.networks:
        if network(model).site_moments and tuple(dataset.elements) != SITES:
            LOG.info(f"{model}: left out, for it needs a dataset with the sites A, B and X")
            continue
        settings = settings_of(learning, model)
        source = module_of(model).learn(dataset, structures, settings)
        source, starts = started(source, model, settings, dataset, structures, learning.seeds)
        units, identity = _units(model, source, starts, dataset, learning, plan)
        named = replace(dataset, structure_ids=np.full(len(dataset.targets), "")) if source.joined else dataset
        cache = Path(cache_folder) / digest(identity)[:32]
        trainer = None
        progress = Progress(model, units, device, dataset.target.error_title(dataset.unit))
        for unit in units:
            done = cache / f"{unit.name}.npz"
            found = kept_or_none(done, read_unit, unit.name)
            if found is None:
                checkpoint = cache / f"{unit.name}.checkpoint.npz"
                trainer = trainer or Trainer(source.build, module_of(model).RECIPE, dataset.target.answers)
                writer = tf.summary.create_file_writer(str(Path(tensorboard) / unit.name)) if tensorboard else None
                found = train_unit(trainer, unit, dataset, checkpoint, checkpoint_seconds, progress, writer)
                save_unit(done, found)
                checkpoint.unlink(missing_ok=True)
            progress.finished(unit, found)
            write_model(Path(models_folder), source.build, unit, found, dataset)
            tables.append(fold_predictions(named, model, unit.split, unit.fold, unit.seed, found.predicted))
    if not tables:
        raise DatasetError(f"no network of {', '.join(learning.networks)} can learn from '{dataset.name}'")
    table = with_ensembles(joined(tables))
    return plain(with_compound_means(table) if np.isfinite(dataset.initial_edges).all() else table)


def _units(
    model: str,
    source: Source,
    starts: Mapping[int, Start],
    dataset: Dataset,
    learning: Learning,
    plan: Mapping[str, Sequence[Fold]],
) -> tuple[list[Unit], dict[str, Any]]:
    """Units of one model in the order of the plan, and what identifies the lot."""
    settings = settings_of(learning, model)
    sample = np.unique(samples(dataset), return_inverse=True)[1]
    told = np.intersect1d(told_rows(dataset), source.rows)
    units = []
    for split, folds in plan.items():
        for fold in folds:
            learned = np.intersect1d(fold.train, source.rows)
            used = Fold(fold.number, *(np.intersect1d(rows, told) for rows in fold.parts().values()))
            own = None if starts else source.inputs_of(learned)
            for seed in seeds_of(split, learning):
                start = starts.get(seed)
                inputs, scaling, arrays = own or starts[seed].fitted
                more = (sample, arrays, start, source.elements)
                units.append(Unit(model, split, seed, used, learned, settings, inputs, scaling, *more))
    identity = {
        "algorithm": versions.LEARNING_ALGORITHM,
        "versions": [hirshprint.__version__, tf.__version__, keras.__version__, np.__version__],
        "model": model,
        "settings": {key: value for key, value in settings.written().items() if key != "start_from"},
        "recipe": list(module_of(model).RECIPE),
        "data": source.digest,
        "rows": array_digest(dataset.structure_ids, dataset.targets, source.rows),
        "folds": {
            split: array_digest(*(rows for fold in folds for rows in fold.parts().values()))
            for split, folds in plan.items()
        },
    }
    if dataset.target != PLAIN:
        identity["target"] = [dataset.target.written(), None if dataset.atoms is None else array_digest(dataset.atoms)]
    return units, identity | ({"starts": {seed: start.digest() for seed, start in starts.items()}} if starts else {})
