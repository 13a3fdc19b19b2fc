"""A dataset that is told what kind of number its property is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hirshprint.config.model import Dataset as Settings
from hirshprint.datasets.gather import Dataset
from hirshprint.datasets.target_scale import Target
from hirshprint.structures.structure import read_structures


def with_target(dataset: Dataset, settings: Settings, structures_h5: str | Path) -> Dataset:
    """Tell a dataset what kind of number its property is.

    Parameters
    ----------
    dataset : Dataset
        What to learn from.
    settings : Settings
        The dataset's part of the configuration.
    structures_h5 : str or Path
        File of its structures.
    """
    target = Target.of_settings(settings)
    structures = [] if target.per == "atom" else read_structures(Path(structures_h5))
    return replace(dataset, target=target, atoms=target.atoms_of(structures, dataset.structure_ids.tolist()))
