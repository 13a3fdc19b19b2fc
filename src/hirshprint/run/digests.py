"""Digests of what determines the results of each stage: where one differs, its jobs run again (light)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hirshprint import versions
from hirshprint.files.writing import digest, file_digest
from hirshprint.hirshfeld.registry import COMPARED, PYTHON
from hirshprint.networks.cards import CARD, starts
from hirshprint.run.inputs import model_folder
from hirshprint.run.plan import RunPlan, batches, has_targets, kept, site_labels
from hirshprint.structures.entries import geometry_digest, known_digest, target_digest

HOW_TO_TRAIN = ("gpus", "require_gpu", "tensorboard", "saliency")
"""Keys of `learning` that change no prediction."""

NOT_INPUT = ("learning", "source")
"""Keys of a dataset that do not change what is read of it."""


@kept
def surface_settings(run: RunPlan) -> list[Any]:
    """What determines the surfaces of all structures alike."""
    return [versions.RESULTS_FORMAT, run.engine.settings(run.config)]


def fingerprint_settings(run: RunPlan) -> list[Any]:
    """What determines how fingerprints are made of surfaces."""
    return [run.config.fingerprint.written(), versions.FINGERPRINT_FORMAT]


@kept
def batch_settings(run: RunPlan, dataset: str) -> list[Any]:
    """What determines the surfaces of the batches of a dataset, beside the structures."""
    settings = [surface_settings(run), fingerprint_settings(run), site_labels(run, dataset)]
    return settings + run.engine.failure_settings(run.config)  # with others, what failed gets another chance


@kept
def of_batch(run: RunPlan, dataset: str, batch: str) -> str:
    """Digest of what determines the surfaces of a batch."""
    return geometry_digest(batches(run, dataset)[batch], *batch_settings(run, dataset))


@kept
def of_input(run: RunPlan, dataset: str) -> str:
    """Digest of a dataset's whole input, measured property and rejected rows included."""
    settings = {key: value for key, value in run.datasets[dataset].written().items() if key not in NOT_INPUT}
    return target_digest(run.plan(dataset), settings, run.config.strict, versions.RESULTS_FORMAT)


@kept
def of_fingerprints(run: RunPlan, dataset: str) -> str:
    """Digest of what determines the fingerprints of a dataset: never the measured property.

    The stages that follow carry digests of their own inputs as well, so that a rerun that failed half-way leaves
    nothing stale that would count as current.
    """
    return digest(run.plan(dataset).geometry, surface_settings(run), fingerprint_settings(run))


@kept
def of_comparison(run: RunPlan, dataset: str) -> str:
    """Digest of what determines the comparison of the engines on a dataset."""
    of_engines = [engine.settings(run.config) for engine in COMPARED]
    settings = [*of_engines, run.config.fingerprint.written(), run.config.surfaces.compare_structures]
    return digest(run.plan(dataset).geometry, settings)


@kept
def of_shown(run: RunPlan, dataset: str) -> str:
    """Digest of what determines the pictures of a dataset's fingerprints, which are chosen by the property."""
    return digest(of_input(run, dataset), of_fingerprints(run, dataset))


@kept
def of_learning(run: RunPlan, dataset: str) -> str:
    """Digest of what determines the predictions of a dataset that is learned from."""
    written = run.datasets[dataset].learning.written()
    learning = {key: value for key, value in written.items() if key not in HOW_TO_TRAIN}
    algorithm = [versions.SPLITS, versions.LEARNING_ALGORITHM, versions.MODEL_FORMAT]
    begun = [_of_start(run, *start) for start in starts(run.datasets, dataset)]
    return digest(of_input(run, dataset), of_fingerprints(run, dataset), learning, algorithm, *begun)


def _of_start(run: RunPlan, model: str, folder: Path, other: str) -> str:
    """Digest of the models that trainings start from: those that another dataset of this run gives, or files."""
    if other:
        return of_learning(run, other)
    files = [folder / CARD, *sorted(folder.glob(f"{model}-*-fold*-seed*"))]
    return digest([(path.name, known_digest(path)) for path in files])


def of_predictions(run: RunPlan, dataset: str) -> str:
    """Digest of what determines the predictions of a dataset that is predicted."""
    model = run.datasets[dataset].model
    if model is not None and model in run.datasets:
        of_model = of_learning(run, model)
    else:
        of_model = file_digest(model_folder(run, dataset) / CARD)
    return digest(of_input(run, dataset), of_fingerprints(run, dataset), of_model)


def of_compound(run: RunPlan, compound: str) -> str:
    """Digest of what determines the surfaces of a compound that is drawn."""
    return digest(compound, PYTHON.settings(run.config), run.config.fingerprint.bins.written())


def of_cost(run: RunPlan) -> str:
    """Digest of what determines which stages a run has."""
    return digest([of_learning(run, dataset) for dataset in run.datasets])


def of_paper(run: RunPlan) -> str:
    """Digest of what determines the counterparts of the paper's tables and figures."""
    roles = {role: of_learning(run, name) for role, name in run.config.paper.written().items()}
    return digest(roles, run.config.compounds)


def of_stages(run: RunPlan, dataset: str) -> dict[str, str]:
    """Digests of what determines the stages of a dataset, by the words of the report."""
    settings = run.datasets[dataset]
    tables = [Path(path) for path in (settings.table, settings.targets) if path is not None]
    stages = {f"file {path.name}": known_digest(path) for path in tables}
    stages |= {"input": of_input(run, dataset), "fingerprints": of_fingerprints(run, dataset)}
    return stages | ({"predictions": of_learning(run, dataset)} if has_targets(run, dataset) else {})
