"""Files of a dataset that the page shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hirshprint.accuracy.predictions import read_targets
from hirshprint.report.items import Item


@dataclass(frozen=True)
class DatasetInputs:
    """Files of one dataset that the report reads.

    Attributes
    ----------
    name : str
        Name of the dataset.
    fingerprints, targets, status : Path
        Files of ``results/<dataset>/``.
    predictions : Path or None
        The same; None where there was no property to learn.
    folder : Path
        ``results/<dataset>``, with the files of the items in their folders.
    items : sequence of Item
        Figures and tables to show, in their order.
    surfaces : Path or None
        File that `shown.write_shown_surfaces` wrote; None if there is none.
    engines : Path or None
        Folder with ``comparison.csv`` and ``comparison.svg``; None where the engines were not compared.
    predicted : Path or None
        Table of the predictions of new compounds; None for a dataset that is learned from.
    screen : Path or None
        Maps of a screening, or None.
    started : mapping of str to str
        Models that were trained on other data before, by name, with the name of these data.
    scale : str
        The dataset's `Target.scale`.
    """

    name: str
    fingerprints: Path
    targets: Path
    status: Path
    predictions: Path | None
    folder: Path
    items: Sequence[Item] = ()
    surfaces: Path | None = None
    engines: Path | None = None
    predicted: Path | None = None
    screen: Path | None = None
    started: Mapping[str, str] = field(default_factory=dict)
    scale: str = "linear"


def dataset_inputs(
    folder: Path,
    items: Sequence[Item] = (),
    compared: bool = False,
    predicted: bool = False,
    screened: bool = False,
    started: Mapping[str, str] | None = None,
    scale: str = "linear",
) -> DatasetInputs:
    """Name the files of ``results/<dataset>/``; predictions belong to it if its targets have values.

    `items` are those to show, `compared` says whether this run compared the surface engines, `predicted` whether it
    predicted this dataset with the models of another, `screened` whether that was a screening,
    `started` what its networks started from, `scale` is the key of the dataset.
    """
    targets = folder / "targets.csv"
    learned = bool(read_targets(targets)["value"].notna().any())
    return DatasetInputs(
        name=folder.name,
        fingerprints=folder / "fingerprints.h5",
        targets=targets,
        status=folder / "status.csv",
        predictions=folder / "predictions.csv" if learned else None,
        folder=folder,
        items=tuple(items),
        surfaces=folder / "shown_surfaces.npz",
        engines=folder / "engines" if compared else None,
        predicted=folder / "predicted.csv" if predicted else None,
        screen=folder / "screen.svg" if screened else None,
        started=started or {},
        scale=scale,
    )
