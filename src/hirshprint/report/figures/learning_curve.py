"""Error against the number of compounds to learn from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from hirshprint.accuracy.metrics import metrics
from hirshprint.accuracy.predictions import ENSEMBLE, plain, read_compact
from hirshprint.accuracy.standing import headline_rows, sees
from hirshprint.datasets.folds import curve_share
from hirshprint.report.style import INPUT_COLOURS, MARKERS, STYLE, display_unit, in_unit, write_item


def write_learning_curve(predictions: str | Path, folder: str | Path) -> None:
    """Write the files of `items.LEARNING_CURVE` for one dataset, from its table of predictions."""
    rows = plain(read_compact(predictions))
    table = learning_curve_table(rows)
    write_item(folder, "learning_curve", table, learning_curve(table, display_unit(str(rows["unit"].iloc[0]))))


def learning_curve_table(predictions: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy by the share of the training parts of the split ``random``, all with the seed of the small shares.

    Returns
    -------
    DataFrame
        One row per model and share: model, inputs, share, training_compounds (mean over folds), mae, mae_sd, r2, r2_sd
        (mean and sd over folds), folds.
    """
    rows = predictions.assign(share=predictions["split"].map(curve_share))
    rows = rows[rows["share"].notna() & (rows["seed"] != ENSEMBLE)]
    rows = rows[rows["seed"] == rows.loc[rows["share"] < 1, "seed"].iloc[0]]
    found = []
    for share, part in rows.groupby("share"):
        headline = headline_rows(part, str(part["split"].iloc[0]))
        train = headline[headline["part"] == "train"].groupby(["model", "fold"])["compound"].nunique()
        table = metrics(headline[headline["part"] == "test"]).set_index("model")
        table = table.assign(share=share, training_compounds=train.groupby("model").mean())
        found.append(table.rename(columns={"n_folds": "folds"}).reset_index())
    joined = pd.concat(found).sort_values(["model", "share"], ignore_index=True)
    joined["inputs"] = [sees(model) for model in joined["model"]]
    columns = ["model", "inputs", "share", "training_compounds", "mae", "mae_sd", "r2", "r2_sd", "folds"]
    return joined[columns]


def learning_curve(table: pd.DataFrame, unit: str) -> Figure:
    """Draw the error of each model against the number of training compounds, best first; axes are logarithmic."""
    best = table.sort_values("share").groupby("model")["mae"].last().sort_values()
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.4, 4.0), layout="constrained", facecolor="white")
        axes = figure.add_subplot()
        drawn: dict[str, int] = {}
        for model in best.index:
            part = table[table["model"] == model]
            kind = str(part["inputs"].iloc[0])
            number = drawn[kind] = drawn.get(kind, -1) + 1
            style: dict[str, Any] = {"color": INPUT_COLOURS[kind], "linewidth": 1, "markersize": 4, "capsize": 2}
            style |= {"marker": MARKERS[number % len(MARKERS)], "linestyle": "-" if number == 0 else "--"}
            sd = part["mae_sd"].fillna(0.0)
            axes.errorbar(part["training_compounds"], part["mae"], sd, label=f"{model}, sees {kind}", **style)
        axes.set(xscale="log", yscale="log")
        sizes = table.groupby("share")["training_compounds"].max()
        axes.set_xticks(sizes, [f"{size:,.0f}" for size in sizes])
        axes.minorticks_off()
        low, high = axes.get_ylim()
        steps = [k * 10.0**e for e in range(-6, 6) for k in (1, 2, 5)]
        ticks = [step for step in steps if low <= step <= high]
        axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.set_xlabel("training compounds (mean over folds)")
        axes.set_ylabel(in_unit("mean absolute test error", unit))
        axes.set_title(f"bars are ± one sd over {int(table['folds'].max())} folds", loc="left", fontsize=8)
        figure.legend(loc="outside right upper", frameon=False, fontsize=7)
    return figure
