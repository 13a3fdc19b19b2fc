"""Figures of a property whose values are yes and no: probabilities, ROC curves, what the probabilities are worth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hirshprint.accuracy.standing import headline_metrics, headline_rows, records, with_sd
from hirshprint.report.style import LINE, STYLE, TEST, TRAIN, drawable, model_colour, panel_grid, quantity

BINS = 10  # of probability


def probabilities(predictions: pd.DataFrame, split: str) -> Figure:
    """Draw how often each probability is stated of test compounds whose answer is yes, and is no, a panel per model."""
    edges = np.linspace(0, 1, 2 * BINS + 1).tolist()

    def draw(axes: Axes, model: dict[str, Any], test: pd.DataFrame) -> None:
        for answer, color, label in ((0, TRAIN, "no"), (1, TEST, "yes")):
            stated = test.loc[test["true"] == answer, "predicted"]
            axes.hist(np.clip(stated, 0, 1), edges, color=color, alpha=0.6, label=f"the answer is {label}")
        axes.text(0.5, 0.96, f"Brier score {with_sd(model['mse'], model['mse_sd'])}", ha="center", **_text(axes))
        axes.set_xlim(0, 1)
        axes.margins(y=0.2)

    name = quantity(str(predictions["property"].iloc[0]))
    return _panels(predictions, split, draw, f"probability of yes, {name}", "test compounds", "center")


def roc_curves(predictions: pd.DataFrame, split: str) -> Figure:
    """Draw the share of yes that is found against the share of no that is taken for yes, a line per fold."""

    def draw(axes: Axes, model: dict[str, Any], test: pd.DataFrame) -> None:
        axes.plot([0, 1], [0, 1], color="#555555", linewidth=0.8, zorder=1)
        for number, (_, fold) in enumerate(test.groupby("fold")):
            yes = fold.sort_values("predicted", ascending=False, kind="stable")
            ends = (yes["predicted"].diff(-1) != 0).to_numpy()  # equal probabilities are one step
            found, taken = ((yes["true"] == answer).cumsum().to_numpy()[ends] for answer in (1, 0))
            if found[-1] and taken[-1]:
                shares = [np.concatenate([[0.0], counts / counts[-1]]) for counts in (taken, found)]
                axes.plot(*shares, color=LINE, linewidth=1, label="" if number else "a fold")
        axes.text(0.96, 0.1, f"area {with_sd(model['roc_auc'], model['roc_auc_sd'])}", ha="right", **_text(axes))
        axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")

    return _panels(predictions, split, draw, "share of no taken for yes", "share of yes found", "center right")


def _text(axes: Axes) -> dict[str, Any]:
    return {"transform": axes.transAxes, "va": "top", "fontsize": 7.5}


def _panels(
    predictions: pd.DataFrame,
    split: str,
    draw: Callable[[Axes, dict[str, Any], pd.DataFrame], None],
    xlabel: str,
    ylabel: str,
    place: str,
) -> Figure:
    rows = headline_rows(predictions, split)
    test = rows[rows["part"] == "test"]
    table = headline_metrics(predictions, split)
    with mpl.rc_context(STYLE):
        figure, panels = panel_grid(len(table), title_lines=2)
        for model, axes in zip(records(table), panels, strict=True):
            draw(axes, model, test[test["model"] == model["model"]])
            axes.set_title(f"{model['model']}\nsees {model['inputs']}", loc="left", parse_math=False)
        style: dict[str, Any] = {"loc": place, "frameon": False, "fontsize": 7}
        panels[0].legend(**style)
        figure.supxlabel(drawable(xlabel))
        figure.supylabel(drawable(ylabel))
    return figure


def reliability_table(test: pd.DataFrame) -> pd.DataFrame:
    """Share of yes among test predictions of about one probability.

    Parameters
    ----------
    test : DataFrame
        Headline rows of the test parts.

    Returns
    -------
    DataFrame
        One row per model and tenth of the probability: stated (mean probability), observed (share of yes),
        observed_sd (of that share, as of independent answers), predictions.
    """
    rows = test.assign(bin=np.minimum((test["predicted"].clip(0, 1) * BINS).astype(int), BINS - 1))
    grouped = rows.groupby(["model", "bin"], sort=False)
    table = grouped.agg(stated=("predicted", "mean"), observed=("true", "mean"), predictions=("true", "size"))
    sd = np.sqrt(table["observed"] * (1 - table["observed"]) / table["predictions"])
    return table.assign(observed_sd=sd).reset_index().sort_values(["model", "bin"], ignore_index=True)


def reliability(table: pd.DataFrame) -> Figure:
    """Draw the share of yes against the probability that was stated."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4.2, 3.8), layout="constrained", facecolor="white")
        axes = figure.add_subplot()
        axes.plot([0, 1], [0, 1], color="#555555", linewidth=0.8)
        for model, part in table.groupby("model", sort=False):
            style: dict[str, Any] = {"color": model_colour(str(model)), "markersize": 3, "linewidth": 1}
            axes.errorbar(part["stated"], part["observed"], part["observed_sd"], fmt="o-", label=str(model), **style)
        axes.set(xlim=(0, 1), ylim=(-0.02, 1.02), aspect="equal")
        axes.set(xlabel="stated probability of yes", ylabel="observed share of yes")
        axes.legend(frameon=False, fontsize=7, loc="upper left")
    return figure
