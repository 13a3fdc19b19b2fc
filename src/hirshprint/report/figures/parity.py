"""Parity and residuals, a panel for each model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hirshprint.accuracy.standing import headline_metrics, headline_rows, records, with_sd
from hirshprint.report.figures.point_sample import drawn_note, drawn_points
from hirshprint.report.style import (
    LINE,
    STYLE,
    TEST,
    TRAIN,
    display_unit,
    drawable,
    in_unit,
    mark_outside,
    panel_grid,
    quantity,
    with_unit,
)


def parity(predictions: pd.DataFrame, split: str) -> Figure:
    """Predicted against true, one panel per model, best first; test points before train points.

    All panels share their axes; a prediction beyond them is drawn as a triangle on the edge and counted.
    """
    table, rows, label, unit = _panels_data(predictions, split)
    true, points_area = rows["true"], _points_area(rows)
    margin = 0.08 * (true.max() - true.min()) or 0.1
    low, high = true.min() - margin, true.max() + margin

    def draw(axes: Axes, model: dict[str, Any], data: pd.DataFrame) -> None:
        axes.plot([low, high], [low, high], color="#555555", linewidth=0.8, zorder=1)
        for part, color, size in (("train", TRAIN, points_area / 2), ("test", TEST, points_area)):
            points = drawn_points(data[data["part"] == part])
            axes.scatter(
                points["true"], points["predicted"], s=size, color=color, linewidths=0,
                alpha=0.5, rasterized=True, zorder=2 if part == "test" else 0,
            )  # fmt: skip
        test = data[data["part"] == "test"]
        mark_outside(axes, test["true"], test["predicted"], low, high)
        mae = f"MAE {with_unit(with_sd(model['mae'], model['mae_sd']), unit)}"
        text = f"r² {with_sd(model['r2'], model['r2_sd'])}\n{mae}"
        text += "" if model["ranked"] else f"\nonly {model['compounds']:,} compounds"
        axes.text(0.04, 0.96, text, transform=axes.transAxes, va="top", fontsize=7.5)
        axes.set(xlim=(low, high), ylim=(low, high), aspect="equal")

    def key(axes: Axes) -> None:
        for name, color in (("test", TEST), ("train", TRAIN)):
            axes.scatter([], [], s=14, color=color, label=name)
        place = (1.0, 0.09)  # above the count of points beyond the axes
        axes.legend(loc="lower right", bbox_to_anchor=place, frameon=False, fontsize=7, handletextpad=0.1)

    return _model_panels(table, rows, draw, key, f"true {label}", f"predicted {label}")


def _points_area(rows: pd.DataFrame) -> float:
    """Area of a point, in points²: few are drawn large enough to be seen."""
    return float(np.clip(2000 / rows["compound"].nunique(), 4, 16))


def residuals(predictions: pd.DataFrame, split: str) -> Figure:
    """Test residual (predicted - true) against true with its regression line, one panel per model.

    All panels share their axes, which fit the better quarter of the models (by largest |residual|); a point
    beyond them is drawn as a triangle on the edge and counted.
    """
    table, rows, label, unit = _panels_data(predictions, split)
    rows = rows[rows["part"] == "test"].assign(residual=lambda x: x["predicted"] - x["true"])
    points_area = _points_area(rows)
    largest = rows["residual"].abs().groupby(rows["model"]).max()
    limit = 1.1 * float(largest.quantile(0.25)) or 0.1
    margin = 0.05 * (rows["true"].max() - rows["true"].min()) or 0.1
    xlim = (rows["true"].min() - margin, rows["true"].max() + margin)

    def draw(axes: Axes, model: dict[str, Any], data: pd.DataFrame) -> None:
        axes.axhline(0, color="#555555", linewidth=0.8, zorder=1)
        style: dict[str, Any] = {"s": points_area, "color": TEST, "linewidths": 0, "alpha": 0.5, "rasterized": True}
        points = drawn_points(data)
        axes.scatter(points["true"], points["residual"], **style)
        mark_outside(axes, data["true"], data["residual"], -limit, limit)
        span = np.array([data["true"].min(), data["true"].max()])
        if span[1] > span[0]:
            start, slope = np.polynomial.polynomial.polyfit(data["true"], data["residual"], 1)
            axes.plot(span, start + slope * span, color=LINE, linewidth=1.2, zorder=3)
            text = f"slope {slope:+.3f}".replace("-", "−")
            axes.text(0.04, 0.96, text, color=LINE, transform=axes.transAxes, va="top", fontsize=7.5)
        axes.set(xlim=xlim, ylim=(-limit, limit))

    return _model_panels(table, rows, draw, lambda axes: None, f"true {label}", in_unit("predicted − true", unit))


def _panels_data(predictions: pd.DataFrame, split: str) -> tuple[pd.DataFrame, pd.DataFrame, str, str]:
    rows = headline_rows(predictions, split)
    unit = display_unit(str(rows["unit"].iloc[0]))
    label = in_unit(quantity(str(rows["property"].iloc[0])), unit)
    return headline_metrics(predictions, split), rows, label, unit


def _model_panels(
    table: pd.DataFrame,
    rows: pd.DataFrame,
    draw: Callable[[Axes, dict[str, Any], pd.DataFrame], None],
    key: Callable[[Axes], None],
    xlabel: str,
    ylabel: str,
) -> Figure:
    with mpl.rc_context(STYLE):
        figure, panels = panel_grid(len(table), title_lines=2)
        for model, axes in zip(records(table), panels, strict=True):
            draw(axes, model, rows[rows["model"] == model["model"]])
            axes.set_title(f"{model['model']}\nsees {model['inputs']}", loc="left", parse_math=False)
            axes.locator_params(nbins=6)
        key(panels[0])
        title = figure.supxlabel(drawable(xlabel))
        figure.supylabel(drawable(ylabel))
        if note := drawn_note(rows):
            height = figure.get_figheight()
            title.set_y(0.2 / height)
            figure.text(title.get_position()[0], 0.03 / height, note, ha="center", va="bottom", fontsize=5.5)
    return figure
