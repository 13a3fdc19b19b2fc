"""Fingerprint or composition: what adds what."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from hirshprint.accuracy.comparison import compare
from hirshprint.accuracy.metrics import score_of
from hirshprint.accuracy.standing import COMPOSITION, best_model, headline_metrics
from hirshprint.report.style import INPUT_COLOURS, STYLE, in_unit


def input_table(predictions: pd.DataFrame, split: str) -> pd.DataFrame:
    """Every ranked model with its test error, and how it differs from the best composition model on the same folds.

    Returns
    -------
    DataFrame
        One row per model: model, inputs, mae, mae_sd (of answers mse, mse_sd: `metrics.score_of`), r2, r2_sd,
        compounds, folds, reference, difference (of the MAE, on the compounds that both predict; negative is better),
        half_width (of its 95 % interval).
    """
    table = headline_metrics(predictions, split)
    reference = best_model(table, COMPOSITION)
    score, _ = score_of(str(table["unit"].iloc[0]))
    names = ("model", "inputs", score, f"{score}_sd", "r2", "r2_sd", "compounds")
    rows = []
    for row in table[table["ranked"]].to_dict("records"):
        shown = {name: row[name] for name in names}
        other = None if reference is None else str(reference["model"])
        found = None if other in (None, row["model"]) else compare(predictions, split, row["model"], str(other))
        rows.append(
            shown
            | {
                "folds": row["n_folds"],
                "reference": other or "",
                "difference": 0.0 if row["model"] == other else np.nan if found is None else found.difference,
                "half_width": np.nan if found is None else found.half_width,
            }
        )
    return pd.DataFrame(rows)


def inputs(table: pd.DataFrame, unit: str) -> Figure:
    """Draw each model's error, coloured by what it sees, and its difference from the best composition model."""
    score, name = score_of(unit)
    table = table[table["inputs"] != "nothing"] if (table["inputs"] != "nothing").any() else table
    places = np.arange(len(table))[::-1]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.6, 0.75 + 0.27 * len(table) + 0.35), layout="constrained", facecolor="white")
        left, right = figure.subplots(1, 2, sharey=True)
        colours = [INPUT_COLOURS[name] for name in table["inputs"]]
        for axes, value, half in ((left, score, f"{score}_sd"), (right, "difference", "half_width")):
            for x, width, y, colour in zip(table[value], table[half].fillna(0.0), places, colours, strict=True):
                axes.errorbar(x, y, xerr=width, fmt="o", color=colour, markersize=4, capsize=2, linewidth=1)
            axes.grid(axis="y", color="#eeeeee", linewidth=0.8)
            axes.set_axisbelow(True)
        left.set_yticks(places, [str(name) for name in table["model"]])
        left.set_xlim(left=0)
        said = in_unit("mean absolute test error", unit) if name == "MAE" else f"{name} of the test parts"
        left.set_xlabel(f"{said}, ± sd over folds")
        right.axvline(0, color="#555555", linewidth=0.8)
        reference = str(table["reference"].iloc[0])
        against = in_unit(f"difference from {reference or 'nothing'}", unit if name == "MAE" else "")
        right.set_xlabel(f"{against}, 95 % interval")
        for kind in dict.fromkeys(table["inputs"]):
            left.plot([], [], "o", color=INPUT_COLOURS[kind], markersize=4, label=f"sees {kind}")
        figure.legend(loc="outside lower center", ncols=4, frameon=False, fontsize=7)
    return figure
