"""What the standard deviations that a model states are worth."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from hirshprint.report.style import STYLE, in_unit, message_figure, model_colour

STATED = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.6827, 0.8, 0.9, 0.9545)
BINS = 8  # of equally many compounds


def coverage_table(test: pd.DataFrame) -> pd.DataFrame:
    """Share of test errors within the central interval that a model's own standard deviation states.

    Returns
    -------
    DataFrame
        One row per model and stated share: observed and observed_sd (mean and sd over folds), predictions, folds.
        Models without standard deviations have none.
    """
    rows = []
    known = test[test["std"] > 0]
    for model, part in known.groupby("model", sort=False):
        size = part["error"].abs() / part["std"]
        for stated in STATED:
            within = (size <= NormalDist().inv_cdf(0.5 + stated / 2)).groupby(part["fold"]).mean()
            rows.append([model, stated, within.mean(), within.std(ddof=1), len(part), len(within)])
    return pd.DataFrame(rows, columns=["model", "stated", "observed", "observed_sd", "predictions", "folds"])


def calibration(table: pd.DataFrame, test: pd.DataFrame, unit: str) -> Figure:
    """Draw observed against stated coverage, and the root mean square error against the stated standard deviation."""
    with mpl.rc_context(STYLE):
        if table.empty:
            return message_figure("no model states a standard deviation")
        figure = Figure(figsize=(7.4, 3.5), layout="constrained", facecolor="white")
        left, right = figure.subplots(1, 2)
        left.plot([0, 100], [0, 100], color="#555555", linewidth=0.8)
        for model, part in table.groupby("model", sort=False):
            style: dict[str, Any] = {"color": model_colour(str(model)), "markersize": 3, "linewidth": 1}
            style |= {"label": str(model)}
            left.errorbar(100 * part["stated"], 100 * part["observed"], 100 * part["observed_sd"], fmt="o-", **style)
        left.set(xlim=(0, 100), ylim=(0, 100), aspect="equal")
        left.set(xlabel="stated: errors within (%)", ylabel="observed: errors within (%)")
        left.legend(frameon=False, fontsize=7, loc="upper left")
        left.text(97, 6, "below the line: too sure", ha="right", fontsize=7, color="#555555")
        points = []
        for model in table["model"].unique():
            bins = stated_bins(test[test["model"] == model])
            points.append(bins)
            right.plot(bins["std"], bins["rmse"], "o", color=model_colour(model), markersize=3.5)
        reach = 1.15 * float(pd.concat(points)[["std", "rmse"]].max().max())
        right.plot([0, reach], [0, reach], color="#555555", linewidth=0.8)
        right.set(xlim=(0, reach), ylim=(0, reach), aspect="equal")
        right.set_xlabel(in_unit("stated standard deviation", unit))
        right.set_ylabel(in_unit("root mean square test error", unit))
        count = f"{int(table['predictions'].max()):,} test predictions, {int(table['folds'].max())} folds"
        figure.suptitle(f"{count}; bars are ± one standard deviation over folds", fontsize=8)
    return figure


def stated_bins(test: pd.DataFrame) -> pd.DataFrame:
    """Bins of one model's predictions by stated std, about equally many each: std (mean), rmse, predictions."""
    labels = pd.qcut(test["std"], BINS, labels=False, duplicates="drop") if test["std"].nunique() > 1 else 0
    groups = test.assign(bin=labels, square=test["error"] ** 2).groupby("bin")
    table = groups.agg(std=("std", "mean"), rmse=("square", "mean"), predictions=("std", "size"))
    return table.assign(rmse=np.sqrt(table["rmse"]))
