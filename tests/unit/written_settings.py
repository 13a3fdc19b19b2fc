"""Functions of the library for settings as a configuration file has them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hirshprint.baselines import composition
from hirshprint.config.learning import Learning
from hirshprint.config.model import Dataset
from hirshprint.datasets import folds, gather
from hirshprint.structures import building, planning, stage


def plan_dataset(settings: Mapping[str, Any]) -> Any:
    return planning.plan_dataset(Dataset.from_dict(settings))


def has_property(settings: Mapping[str, Any]) -> bool:
    return planning.has_property(Dataset.from_dict(settings))


def build_structures(entries: Any, settings: Mapping[str, Any], *arguments: Any, **more: Any) -> Any:
    return building.build_structures(entries, Dataset.from_dict(settings), *arguments, **more)


def make_structures(settings: Mapping[str, Any], *arguments: Any, **more: Any) -> None:
    if learning := more.pop("learning", None):
        more["learning"] = Learning.from_dict(learning)
    stage.make_structures(Dataset.from_dict(settings), *arguments, **more)


def planned_splits(dataset: gather.Dataset, learning: Mapping[str, Any]) -> dict[str, list[folds.Fold]]:
    return folds.planned_splits(dataset, Learning.from_dict(learning))


def predict_baselines(
    dataset: gather.Dataset, learning: Mapping[str, Any], fingerprints: Path | None = None, **more: Any
) -> Any:
    return composition.predict_baselines(dataset, Learning.from_dict(learning), fingerprints or Path("none"), **more)


def train_networks(
    dataset: gather.Dataset, structures: Any, learning: Mapping[str, Any], *given: Any, **more: Any
) -> Any:
    from hirshprint.networks import trainer

    return trainer.train_networks(dataset, structures, Learning.from_dict(learning), *given, **more)
