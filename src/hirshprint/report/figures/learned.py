"""Figures of every dataset with a property: those of `parity`, worst predictions, the property itself."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from hirshprint.accuracy.predictions import main_split, plain, read_compact, read_targets
from hirshprint.accuracy.standing import headline_metrics, headline_rows, shown_model, worst_rows
from hirshprint.report.figures.answers import probabilities, roc_curves
from hirshprint.report.figures.fingerprints import EXAMPLES, channel_note, fingerprint_panels
from hirshprint.report.figures.parity import parity, residuals
from hirshprint.report.fingerprint_file import (
    FingerprintFile,
    filled_bins,
    open_fingerprints,
    read_counts,
    structure_of,
)
from hirshprint.report.style import (
    STYLE,
    TEST,
    display_unit,
    drawable,
    in_unit,
    message_figure,
    quantity,
    with_unit,
    write_item,
)
from hirshprint.structures.sources.targets import ANSWER_UNIT


def write_learning_figures(
    predictions: str | Path, fingerprints: str | Path, targets: str | Path, folder: str | Path
) -> None:
    """Write the files of `items.LEARNING_ITEMS` for one dataset.

    Parameters
    ----------
    predictions, fingerprints, targets : str or Path
        Files of ``results/<dataset>/``.
    folder : str or Path
        Where the SVG and CSV files go.

    Raises
    ------
    ValueError : the predictions table is no such table or holds more than one dataset.
    """
    table, values = read_compact(predictions), read_targets(targets)
    file = open_fingerprints(fingerprints)
    if (found := table["dataset"].nunique()) != 1:
        raise ValueError(f"{predictions}: expected the predictions of one dataset, found {found}")
    split = main_split(table)
    table = headline_rows(table, split)
    test = plain(table[table["part"] == "test"])
    worst = [name for name, _ in worst_structures(file, values, test, split)]
    of_values = values.groupby(["compound", "property", "unit"], sort=False)["value"].mean().reset_index()
    answers = str(test["unit"].iloc[0]) == ANSWER_UNIT
    write_item(folder, "parity", test, probabilities(test, split) if answers else parity(table, split))
    write_item(folder, "residuals", None, roc_curves(test, split) if answers else residuals(test, split))
    write_item(folder, "worst_predictions", filled_bins(file, worst), worst_predictions(file, values, test, split))
    write_item(folder, "target_histogram", of_values, target_histogram(values))


def worst_predictions(file: FingerprintFile, targets: pd.DataFrame, predictions: pd.DataFrame, split: str) -> Figure:
    """Total fingerprints of the worst test predictions of the model named by `shown_model`."""
    names: list[str] = []
    titles: list[str] = []
    for name, row in worst_structures(file, targets, predictions, split):
        unit = display_unit(str(row.unit))
        names.append(name)
        titles.append(
            f"{name}\ntrue {row.true:.4g}, predicted {with_unit(f'{row.predicted:.4g}', unit)}\n"
            f"predicted − true {'+' if row.residual > 0 else '−'}{with_unit(f'{abs(row.residual):.3f}', unit)}"
        )
    heading = f"Worst test predictions of {shown_model(headline_metrics(predictions, split))}{channel_note(file)}"
    return fingerprint_panels(file, read_counts(file, names), titles, heading)


def worst_structures(
    file: FingerprintFile, targets: pd.DataFrame, predictions: pd.DataFrame, split: str
) -> list[tuple[str, Any]]:
    """Structures with a fingerprint of the worst test predictions of `shown_model`, and their rows."""
    model = shown_model(headline_metrics(predictions, split))
    rows: Any = worst_rows(predictions, split, model, len(predictions)).itertuples()
    found = ((structure_of(row, targets, file), row) for row in rows)
    return list(islice(((name, row) for name, row in found if name is not None), EXAMPLES))


def target_histogram(targets: pd.DataFrame) -> Figure:
    """Distribution of the property, one value per compound (the mean where structures differ)."""
    with mpl.rc_context(STYLE):
        if targets["value"].dropna().empty:
            return message_figure("no target values")
        values = targets.groupby("compound")["value"].mean().dropna()
        figure = Figure(figsize=(4.6, 2.6), layout="constrained")
        axes = figure.add_subplot()
        bins = int(np.clip(np.sqrt(len(values)), 8, 60))
        axes.hist(values, bins=bins, color=TEST, edgecolor="white", linewidth=0.4)
        name, unit = targets[["property", "unit"]].iloc[0]
        axes.set_xlabel(drawable(in_unit(quantity(name), display_unit(unit))), parse_math=False)
        axes.set_ylabel("compounds")
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        text = f"n = {len(values):,}, mean {values.mean():.4g}, sd {values.std(ddof=0):.3g}"
        axes.set_title(text, loc="right", fontsize=7.5)
    return figure
