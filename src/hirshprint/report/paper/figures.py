"""Counterparts of the paper's figures 3 to 5."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hirshprint.accuracy.standing import headline_rows, with_sd
from hirshprint.baselines.registry import CPANN
from hirshprint.networks.registry import CGCNN, OF_PAPER
from hirshprint.report.paper.tables import Tables, overlap, short_with_sd
from hirshprint.report.style import LINE, STYLE, TEST, TRAIN, each

LABEL = "cubic edge (Å)"


def residual_pair(tables: Tables, table: pd.DataFrame) -> Figure:
    """Draw the test residuals of the models of `residual_table` one above the other, on the same axes."""
    every = headline_rows(tables.predictions, tables.split)
    every = every[(every["part"] == "test") & every["model"].isin(table["model"])]
    residual = every["predicted"] - every["true"]
    limit = float(np.ceil(10 * residual.abs().quantile(0.995)) / 10) or 0.1
    with mpl.rc_context(STYLE):
        height = 0.55 + 2.5 * max(len(table), 1)
        figure = Figure(figsize=(6.6, height), facecolor="white")
        panels = figure.subplots(max(len(table), 1), 1, sharex=True, squeeze=False)[:, 0]
        figure.subplots_adjust(left=0.105, right=0.985, bottom=0.48 / height, top=1 - 0.42 / height, hspace=0.24)
        for axes, row in zip(panels, each(table), strict=True):
            part = every[every["model"] == row.model]
            y = part["predicted"] - part["true"]
            inside = y.abs() <= limit
            axes.axhline(0, color="#555555", linewidth=0.8)
            style: dict[str, Any] = {"s": 5, "color": TEST, "linewidths": 0, "alpha": 0.45, "rasterized": True}
            axes.scatter(part.loc[inside, "true"], y[inside], **style)
            for sign, marker in ((1, "^"), (-1, "v")):
                x = part.loc[sign * y > limit, "true"]
                axes.plot(x, np.full(len(x), sign * limit), marker, color=LINE, markersize=4, clip_on=False)
            span = np.array([part["true"].min(), part["true"].max()])
            axes.plot(span, row.intercept_angstrom + row.slope_of_all * span, color=LINE, linewidth=1.3)
            axes.set_ylim(-limit, limit)
            axes.set_title(f"{_model_name(str(row.model))}\n{row.compounds:,} compounds", loc="left", parse_math=False)
            beyond = f", {int((~inside).sum())} beyond the axes" if not inside.all() else ""
            lines = [
                f"regression: slope {with_sd(row.slope, row.slope_sd)}{beyond}",
                f"mean {row.mean_residual_angstrom:.4f} Å, sd {row.residual_sd_angstrom:.4f} Å, ".replace("-", "−")
                + f"MAE {with_sd(row.mae_angstrom, row.mae_angstrom_sd)} Å",
            ]
            axes.set_title("\n".join(lines), loc="right", fontsize=7, parse_math=False)
        panels[-1].set_xlabel(f"true {LABEL}")
        figure.supylabel("predicted − true (Å)", fontsize=8.5)
    return figure


def _model_name(model: str) -> str:
    if model in OF_PAPER:
        return f"fingerprint + CNN ({model})"
    return {CGCNN: "CGCNN", CPANN: "CPANN"}.get(model, model)


def parity_panels(tables: Mapping[str, Tables], table: pd.DataFrame) -> Figure:
    """Draw predicted against true for every role and model of `parity_table`; axes are common where the role is."""
    keys = list(dict.fromkeys(zip(table["role"], table["model"], strict=True)))
    with mpl.rc_context(STYLE):
        size, left, gap, head, bottom = 2.35, 0.7, 0.55, 0.95, 0.5  # inches
        width, height = left + len(keys) * (size + gap), head + size + bottom
        figure = Figure(figsize=(width, height), facecolor="white")
        starts = [left + k * (size + gap) for k in range(len(keys))]
        panels = [figure.add_axes((x / width, bottom / height, size / width, size / height)) for x in starts]
        for axes, (role, model) in zip(panels, keys, strict=True):
            _parity(axes, tables[role], model)
            part = table[(table["role"] == role) & (table["model"] == model)]
            lines = [
                f"{tables[role].name}, {model}",
                *(
                    f"{row.part}: r² {short_with_sd(row.r2, row.r2_sd)}, MAE {short_with_sd(row.mae, row.mae_sd)} Å"
                    for row in each(part.sort_values("part"))
                ),
                f"{tables[role].targets['compound'].nunique():,} compounds, {int(part['folds'].max())} folds",
            ]
            if role == "second_experimental" and "experimental" in tables:
                lines.insert(
                    1,
                    "{} of {} compounds are in {} too".format(
                        *overlap(tables["experimental"], tables[role]), tables["experimental"].name
                    ),
                )
            axes.set_title("\n".join(lines), loc="left", fontsize=7, parse_math=False)
        for name, color in (("test", TEST), ("train", TRAIN)):
            panels[0].scatter([], [], s=14, color=color, label=name)
        panels[0].legend(loc="lower right", frameon=False, fontsize=7, handletextpad=0.1)
        for axes in panels:
            axes.set_xlabel(f"true {LABEL}")
        panels[0].set_ylabel(f"predicted {LABEL}")
    return figure


def _parity(axes: Axes, tables: Tables, model: str) -> None:
    every = headline_rows(tables.predictions, tables.split)
    rows = every[every["model"] == model]
    true = every["true"]
    margin = 0.1 * (true.max() - true.min()) or 0.1
    low, high = true.min() - margin, true.max() + margin
    axes.plot([low, high], [low, high], color="#555555", linewidth=0.8)
    for part, color, size in (("train", TRAIN, 3), ("test", TEST, 5)):
        points = rows[rows["part"] == part]
        style: dict[str, Any] = {"s": size, "color": color, "linewidths": 0, "alpha": 0.5, "rasterized": True}
        axes.scatter(points["true"], points["predicted"], **style)
    test = rows[rows["part"] == "test"]
    beyond = int(((test["predicted"] < low) | (test["predicted"] > high)).sum())
    if beyond:
        axes.text(0.03, 0.97, f"{beyond} beyond the axes", transform=axes.transAxes, va="top", fontsize=6.5, color=LINE)
    axes.set(xlim=(low, high), ylim=(low, high), aspect="equal")
    axes.locator_params(nbins=5)
