"""Counterparts of the figures of the paper's supporting information."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from hirshprint.report.paper.tables import EDGE_BIN_ANGSTROM
from hirshprint.report.style import LINE, STYLE, TEST, model_colour

FEWEST = 40  # structures in a bin that is drawn


def error_by_edge(table: pd.DataFrame) -> Figure:
    """Draw `edge_errors`: mean absolute error against the initial edge, and against initial - true edge."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.6, 3.3), layout="constrained", facecolor="white")
        panels = figure.subplots(1, 2, sharey=True)
        highest: list[float] = []
        labels = {"initial edge": "initial edge (Å)", "initial - true": "initial edge − true edge (Å)"}
        for axes, (against, label) in zip(panels, labels.items(), strict=True):
            for model, part in table[table["against"] == against].groupby("model", sort=False):
                part = part[part["structures"] >= FEWEST] if (part["structures"] >= FEWEST).sum() > 1 else part
                x = (part["low_angstrom"] + part["high_angstrom"]) / 2
                colour = model_colour(str(model))
                single = f"{model} (n = {part['structures'].sum():,})"
                style: dict[str, Any] = {"color": colour, "markersize": 3.5, "linewidth": 1, "capsize": 2}
                axes.errorbar(
                    x, part["mae_angstrom"], part["mae_angstrom_sd"].fillna(0.0), fmt="o-", label=single, **style
                )
                highest.append(float((part["mae_angstrom"] + part["mae_angstrom_sd"].fillna(0.0)).max()))
            axes.set_xlabel(label)
        panels[0].set_ylim(0, 1.05 * max(highest, default=1.0))
        panels[0].set_ylabel("mean absolute test error (Å)")
        panels[0].legend(frameon=False, fontsize=7)
        panels[1].axvline(0, color="#999999", linewidth=0.8)
        title = (
            f"bins of {EDGE_BIN_ANGSTROM} Å with at least {FEWEST} structures; bars are ± sd over folds; n: structures"
        )
        figure.suptitle(title, fontsize=8)
    return figure


def estimated_edge(table: pd.DataFrame) -> Figure:
    """Draw the errors of `estimated_edge_table`, the two kinds of initial edge side by side."""
    shown = table[table["folds"] > 0]
    models = list(dict.fromkeys(shown["model"]))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6.2, 0.9 + 0.36 * len(models)), layout="constrained", facecolor="white")
        axes = figure.add_subplot()
        for shift, colour, (kind, part) in zip(
            (0.13, -0.13), (TEST, LINE), shown.groupby("initial_edge", sort=False), strict=False
        ):
            y = [len(models) - 1 - models.index(model) + shift for model in part["model"]]
            style: dict[str, Any] = {"color": colour, "markersize": 4, "capsize": 2, "linewidth": 1}
            axes.errorbar(part["mae"], y, xerr=part["mae_sd"].fillna(0.0), fmt="o", label=str(kind), **style)
        axes.set_yticks(range(len(models)), models[::-1])
        axes.set_xlim(left=0)
        axes.set_xlabel("mean absolute test error (Å), ± one sd over folds")
        axes.grid(axis="y", color="#eeeeee")
        axes.set_axisbelow(True)
        own = table[(table["model"] == "the estimate itself") & (table["initial_edge"] != "random")]
        count = int(shown["compounds"].max()) if len(shown) else 0
        title = f"{count:,} compounds; taken for the prediction, the estimate is off by {own['mae'].iloc[0]:.2f} Å"
        axes.set_title(title, loc="left", fontsize=8)
        axes.legend(title="initial edge", frameon=False, fontsize=7, title_fontsize=7)
    return figure


def error_by_group(table: pd.DataFrame) -> Figure:
    """Draw `group_errors`: sites in rows of panels, periodic groups left and rows right."""
    order = [str(k) for k in range(1, 4)] + ["Ln", "An"] + [str(k) for k in range(4, 19)]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8.8, 4.8), layout="constrained", facecolor="white")
        panels = figure.subplots(2, 2, width_ratios=(2.3, 1), sharey="row")
        for line, site in zip(panels, ("A", "B"), strict=True):
            for axes, kind in zip(line, ("group", "row"), strict=True):
                part = table[(table["site"] == site) & (table["kind"] == kind)]
                places = [place for place in order if place in set(part["place"])]
                models = list(dict.fromkeys(part["model"]))
                for k, model in enumerate(models):
                    rows = part[part["model"] == model].set_index("place").reindex(places)
                    x = np.arange(len(places)) + 0.2 * (k - (len(models) - 1) / 2)
                    style: dict[str, Any] = {"color": model_colour(model), "markersize": 3.5, "linewidth": 1}
                    axes.errorbar(
                        x,
                        rows["mae_angstrom"],
                        rows["mae_angstrom_sd"].fillna(0.0),
                        fmt="o",
                        capsize=2,
                        label=model,
                        **style,
                    )
                counts = part.drop_duplicates("place").set_index("place")["compounds"]
                axes.set_xticks(range(len(places)), [f"{p}\n{counts[p]:,}" for p in places], fontsize=6.5)
                axes.set_xlabel(
                    f"{'periodic group' if kind == 'group' else 'row'} of {site}; below: compounds", fontsize=8
                )
                axes.set_ylim(bottom=0)
                axes.grid(axis="y", color="#eeeeee")
                axes.set_axisbelow(True)
            line[0].set_ylabel("mean absolute\ntest error (Å)")
        panels[0, 1].legend(frameon=False, fontsize=7)
        figure.suptitle("Ln: La to Lu, An: Ac to Pu; bars are ± one sd over folds", fontsize=8)
    return figure
