"""Counterparts of the tables and figures of the paper, and the table that sets its numbers beside this project's.

Williams, Mukherjee, Rajan, J. Phys. Chem. Lett. 2020, 11, 7462 (doi 10.1021/acs.jpclett.0c02201). The command

    python -m hirshprint.report.paper results/paper/numbers.csv

prints that table, which the workflow's target ``paper`` wrote, as Markdown.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hirshprint.accuracy.metrics import metrics
from hirshprint.accuracy.predictions import ENSEMBLE, basis, main_split, read_predictions, read_targets
from hirshprint.accuracy.standing import COMPOSITION, FINGERPRINT, best_model, headline_metrics, headline_rows, with_sd
from hirshprint.files.writing import written_whole
from hirshprint.report.beyond import model_colour, table_place
from hirshprint.report.figures import (
    LINE,
    STYLE,
    TEST,
    TRAIN,
    each,
    example_rows,
    fingerprint_examples,
    open_fingerprints,
    write_item,
)
from hirshprint.report.networks import first_networks, network_drawing, network_layers, network_table
from hirshprint.structures.symbols import SYMBOLS

ROLES = {
    "oqmd": "OQMD, random edge",
    "experimental": "experimental",
    "second_experimental": "second experimental",
    "estimated_edge": "OQMD, estimated edge",
}
# Table 1 of the paper: what was learned from what, its test r², MAE (Å), MSE (Å²); then the role and the model here.
TABLE1 = (
    ("CGCNN", 0.9483, 0.0402, 0.00402, "oqmd", "cgcnn"),
    ("fingerprint + CNN, OQMD, random edge", 0.9745, 0.0333, 0.00198, "oqmd", "cnn_paper"),
    ("fingerprint + CNN, experimental, edge 4.5 Å", 0.9939, 0.0221, 0.00110, "experimental", "cnn_paper"),
    ("CPANN, experimental", 0.9312, 0.0853, 0.01231, "experimental", "cpann"),
)
# Limits of d_i and d_e over the surfaces of PuCuO3 at the edge of the paper's Fig. 1, Å.
FIGURE1_COMPOUND = "PuCuO3-a3.52582"
FIGURE1 = {"d_i_min": 0.8425, "d_i_max": 1.5890, "d_e_min": 0.8684, "d_e_max": 1.8699}
METRICS = (("r2", "r²", ""), ("mae", "MAE", "Å"), ("mse", "MSE", "Å²"))
EDGE_BIN_ANGSTROM = 0.25
FEWEST = 40  # structures in a bin that is drawn
LABEL = "cubic edge (Å)"


class Tables(NamedTuple):
    """A dataset in a role of the paper: its name, predictions and targets."""

    name: str
    predictions: pd.DataFrame
    targets: pd.DataFrame

    @property
    def split(self) -> str:
        """The split that the figures show."""
        return main_split(self.predictions)


def read_tables(results: Path, roles: Mapping[str, str]) -> dict[str, Tables]:
    """Read predictions and targets of the dataset in each role, from ``results/<dataset>/``."""
    read: dict[str, Tables] = {}
    for name in dict.fromkeys(roles.values()):
        folder = results / name
        read[name] = Tables(name, read_predictions(folder / "predictions.csv"), read_targets(folder / "targets.csv"))
    return {role: read[name] for role, name in roles.items()}


def write_paper(results: str | Path, roles: Mapping[str, str], folder: str | Path) -> None:
    """Write the files of `items.PAPER_ITEMS`, and ``numbers.md``.

    Parameters
    ----------
    results : folder with ``<dataset>/`` for each role and ``compounds/``.
    roles : dataset in each of the roles `ROLES`.
    folder : where the files go.
    """
    results, folder = Path(results), Path(folder)
    tables = read_tables(results, roles)
    oqmd, experimental = tables["oqmd"], tables["experimental"]
    models = results / oqmd.name / "models"
    surfaces = results / "compounds" / FIGURE1_COMPOUND / "figure1.csv"
    limits = pd.read_csv(surfaces) if surfaces.exists() else None
    layers = network_layers(first_networks(models)["cnn_paper"])
    errors = edge_errors(oqmd, ("cnn_paper", "cgcnn", "readout"))
    groups = group_errors(oqmd, ("cnn_paper", "cgcnn"))
    fingerprints = open_fingerprints(results / oqmd.name / "fingerprints.h5")
    estimated = estimated_edge_table(oqmd, tables["estimated_edge"])
    residual = residual_table(oqmd, ("cgcnn", "cnn_paper"))
    fits = parity_table(tables, ("cnn_paper",))
    fourth = parity_table({"experimental": experimental}, ("cpann", "cnn_paper"))
    numbers = comparison_table(tables, limits, layers)
    write_item(folder, "table1", table1(tables))
    write_item(folder, "figure2", layers, network_drawing(layers, "cnn_paper"))
    write_item(folder, "figure3", residual, residual_pair(oqmd, residual))
    write_item(folder, "figure4", fourth, parity_panels({"experimental": experimental}, fourth))
    write_item(folder, "figure5", fits, parity_panels({role: tables[role] for role in list(ROLES)[:3]}, fits))
    write_item(folder, "si_initial_edge", errors, error_by_edge(errors))
    write_item(folder, "si_estimated_edge", estimated, estimated_edge(estimated))
    write_item(folder, "si_groups", groups, error_by_group(groups))
    write_item(
        folder,
        "si_examples",
        example_rows(fingerprints, oqmd.targets, 6),
        fingerprint_examples(fingerprints, oqmd.targets),
    )
    write_item(folder, "si_networks", network_table(models))
    write_item(folder, "numbers", numbers)
    with written_whole(folder / "numbers.md") as temporary:
        temporary.write_text(markdown(numbers), encoding="utf-8")


def accuracy(tables: Tables, model: str, part: str = "test") -> dict[str, Any] | None:
    """Row of `metrics` for a model, of one edge at a time as in the paper; None where it was not trained."""
    rows = tables.predictions[tables.predictions["model"] == model]
    single = basis(rows) == "structure"
    rows = headline_rows(rows[single] if single.any() else rows, tables.split)
    rows = rows[rows["part"] == part]
    return None if rows.empty else {str(k): v for k, v in metrics(rows).iloc[0].to_dict().items()}


def overlap(one: Tables, other: Tables) -> tuple[int, int]:
    """Compounds that two datasets have in common, and how many the second has."""
    names = set(other.targets["compound"])
    return len(names & set(one.targets["compound"])), len(names)


# --- Table 1 ------------------------------------------------------------------------------------------------------


def table1(tables: Mapping[str, Tables]) -> pd.DataFrame:
    """The paper's Table 1 beside the same kind of model here, then the best models here on the same folds.

    Returns
    -------
    One row per model: what, dataset, model, then r2_paper, r2, r2_sd, mae_paper, mae, mae_sd (Å), mse_paper, mse,
    mse_sd (Å²); folds, compounds (test compounds over all folds).
    """
    wanted = [(what, (r2, mae, mse), role, model) for what, r2, mae, mse, role, model in TABLE1]
    for role in ("oqmd", "experimental"):
        found = headline_metrics(tables[role].predictions, tables[role].split)
        for words, kinds in (
            ("best here from the fingerprint alone", [FINGERPRINT[0]]),
            ("best here from the composition alone", COMPOSITION),
        ):
            best = best_model(found, kinds)
            if best is not None:
                wanted.append((f"{words}, {ROLES[role]}", (np.nan,) * 3, role, str(best["model"])))
    rows = []
    for what, figures, role, model in wanted:
        here = accuracy(tables[role], model) or {}
        row: dict[str, Any] = {"what": what, "dataset": tables[role].name, "model": model}
        for (name, _, _), paper in zip(METRICS, figures, strict=True):
            row |= {f"{name}_paper": paper, name: here.get(name, np.nan), f"{name}_sd": here.get(f"{name}_sd", np.nan)}
        rows.append(row | {"folds": here.get("n_folds", 0), "compounds": here.get("n", 0)})
    return pd.DataFrame(rows)


# --- Figures 3 to 5 -----------------------------------------------------------------------------------------------


def residual_table(tables: Tables, models: Sequence[str]) -> pd.DataFrame:
    """Regression of the test residual (predicted - true) on the true edge, per fold, then mean and sd over folds.

    Returns
    -------
    One row per model: model, slope, slope_sd, intercept_angstrom (of all folds together), mean_residual_angstrom and
    residual_sd_angstrom (over all compounds), mae_angstrom, mae_angstrom_sd, folds, compounds.
    """
    rows = []
    every = headline_rows(tables.predictions, tables.split)
    for model in models:
        part = every[(every["model"] == model) & (every["part"] == "test")]
        if part.empty:
            continue
        residual = part["predicted"] - part["true"]
        slopes = [
            np.polyfit(fold["true"], fold["predicted"] - fold["true"], 1)[0]
            for _, fold in part.groupby("fold")
            if fold["true"].nunique() > 1
        ]
        found = accuracy(tables, model) or {}
        rows.append(
            {
                "model": model,
                "slope": np.mean(slopes),
                "slope_sd": np.std(slopes, ddof=1) if len(slopes) > 1 else np.nan,
                "intercept_angstrom": np.polyfit(part["true"], residual, 1)[1],
                "slope_of_all": np.polyfit(part["true"], residual, 1)[0],
                "mean_residual_angstrom": residual.mean(),
                "residual_sd_angstrom": residual.std(ddof=1),
                "mae_angstrom": found["mae"],
                "mae_angstrom_sd": found["mae_sd"],
                "folds": found["n_folds"],
                "compounds": found["n"],
            }
        )
    return pd.DataFrame(rows)


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
    names = {"cgcnn": "CGCNN", "cnn_paper": "fingerprint + CNN (cnn_paper)", "cpann": "CPANN"}
    return names.get(model, model)


def parity_table(tables: Mapping[str, Tables], models: Sequence[str]) -> pd.DataFrame:
    """Accuracy in training and test part of each model on the dataset of each role; mean and sd over folds.

    Returns
    -------
    One row per role, model and part: role, dataset, model, part, r2, r2_sd, mae, mae_sd (Å), mse, mse_sd (Å²), folds,
    rows (predictions over all folds).
    """
    rows = []
    for role in [role for role in list(ROLES)[:3] if role in tables]:
        for model in models:
            for part in ("train", "test"):
                found = accuracy(tables[role], model, part)
                if found is not None:
                    kept = {f"{m}{sd}": found[f"{m}{sd}"] for m in ("r2", "mae", "mse") for sd in ("", "_sd")}
                    named = {"role": role, "dataset": tables[role].name, "model": model, "part": part}
                    rows.append(named | kept | {"folds": found["n_folds"], "rows": found["n"]})
    return pd.DataFrame(rows)


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
                    f"{row.part}: r² {_short(row.r2, row.r2_sd)}, MAE {_short(row.mae, row.mae_sd)} Å"
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


def _short(value: float, sd: float) -> str:
    """Write ``value ± sd`` with two digits of the sd, but never more than four decimals."""
    return with_sd(value, sd) if not sd < 0.0005 else f"{value:.4f} ± {sd:.4f}"


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


# --- supporting information ---------------------------------------------------------------------------------------


def edge_errors(tables: Tables, models: Sequence[str]) -> pd.DataFrame:
    """Test error by the edge that the fingerprint was made at, and by how far that is from the true edge.

    Every single structure counts: a model that sees several edges of a compound is taken at one edge at a time.

    Returns
    -------
    One row per model, against (``initial edge`` or ``initial - true``) and bin: model, against, low_angstrom,
    high_angstrom, mae_angstrom, mae_angstrom_sd (mean and sd over folds), structures.
    """
    columns = ["model", "against", "low_angstrom", "high_angstrom", "mae_angstrom", "mae_angstrom_sd", "structures"]
    rows = tables.predictions[(tables.predictions["split"] == tables.split) & tables.predictions["model"].isin(models)]
    rows = rows[(rows["part"] == "test") & (rows["structure_id"] != "") & (rows["seed"] != ENSEMBLE)]
    rows = rows[rows["seed"].astype(int) == rows["seed"].astype(int).min()] if len(rows) else rows
    edge = rows["structure_id"].map(tables.targets.set_index("structure_id")["initial_edge_angstrom"])
    rows = rows.assign(error=(rows["predicted"] - rows["true"]).abs(), edge=edge).dropna(subset=["edge"])
    found: list[list[Any]] = []
    for model in models:
        of_model = rows[rows["model"] == model]
        for against, x in (("initial edge", of_model["edge"]), ("initial - true", of_model["edge"] - of_model["true"])):
            number = np.floor(x / EDGE_BIN_ANGSTROM + 1e-9).astype(int)
            for k, part in of_model.groupby(number):
                by_fold = part.groupby("fold")["error"].mean()
                ends = [EDGE_BIN_ANGSTROM * float(k), EDGE_BIN_ANGSTROM * (float(k) + 1)]
                found.append([model, against, *ends, by_fold.mean(), by_fold.std(ddof=1), len(part)])
    return pd.DataFrame(found, columns=columns)


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


def estimated_edge_table(random: Tables, estimated: Tables) -> pd.DataFrame:
    """Test accuracy with a random initial edge, and with one estimated from radii; then the estimate's own.

    Returns
    -------
    One row per initial edge and model: initial_edge, dataset, model, mae (Å), mae_sd, r2, r2_sd, folds, compounds. The
    model ``the estimate itself`` takes the initial edge for the prediction.
    """
    rows: list[dict[str, Any]] = []
    models = [
        m for m in random.predictions["model"].unique() if m in ("cnn_paper", "cgcnn", "readout", "hybrid", "mlp")
    ]
    for kind, tables in (("random", random), ("estimated from radii", estimated)):
        for model in models:
            found = accuracy(tables, model)
            if found is not None:
                kept = {name: found[name] for name in ("mae", "mae_sd", "r2", "r2_sd")}
                named = {"initial_edge": kind, "dataset": tables.name, "model": model}
                rows.append(named | kept | {"folds": found["n_folds"], "compounds": found["n"]})
        error = tables.targets["initial_edge_angstrom"] - tables.targets["value"]
        spread = float(((tables.targets["value"] - tables.targets["value"].mean()) ** 2).mean())
        itself: dict[str, Any] = {"initial_edge": kind, "dataset": tables.name, "model": "the estimate itself"}
        itself |= {"mae": error.abs().mean(), "r2": 1 - float((error**2).mean()) / spread if spread else np.nan}
        rows.append(itself | {"mae_sd": np.nan, "r2_sd": np.nan, "folds": 0, "compounds": len(error)})
    return pd.DataFrame(rows)


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


def group_errors(tables: Tables, models: Sequence[str]) -> pd.DataFrame:
    """Test error by periodic group and row of the element on A and on B.

    Lanthanides (La to Lu) and actinides (Ac to Lr) are groups of their own, ``Ln`` and ``An``, and count to rows 6, 7.

    Returns
    -------
    One row per model, site, kind (``group`` or ``row``) and place: model, site, kind, place, mae_angstrom,
    mae_angstrom_sd (mean and sd over folds), compounds.
    """
    of_compound = tables.targets.drop_duplicates("compound").set_index("compound")
    every = headline_rows(tables.predictions, tables.split)
    every = every[(every["part"] == "test") & every["model"].isin(models)]
    every = every.assign(error=(every["predicted"] - every["true"]).abs())
    rows: list[list[Any]] = []
    for site in ("A", "B"):
        places = {e: _group_and_row(e) for e in of_compound[site].unique() if e in SYMBOLS}
        element = every["compound"].map(of_compound[site])
        for k, kind in enumerate(("group", "row")):
            place = element.map({e: both[k] for e, both in places.items()})
            for (model, where), part in every.groupby([every["model"], place]):
                by_fold = part.groupby("fold")["error"].mean()
                count = part["compound"].nunique()
                rows.append([model, site, kind, where, by_fold.mean(), by_fold.std(ddof=1), count])
    return pd.DataFrame(
        rows, columns=["model", "site", "kind", "place", "mae_angstrom", "mae_angstrom_sd", "compounds"]
    )


def _group_and_row(symbol: str) -> tuple[str, str]:
    row, column = table_place(SYMBOLS.index(symbol) + 1)
    return {8: "Ln", 9: "An"}.get(row, str(column)), str({8: 6, 9: 7}.get(row, row))


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


# --- the paper against this project -------------------------------------------------------------------------------


def comparison_table(tables: Mapping[str, Tables], limits: pd.DataFrame | None, layers: pd.DataFrame) -> pd.DataFrame:
    """The numbers of the paper beside those of this run.

    Parameters
    ----------
    tables : a dataset for each of `ROLES`.
    limits : `compound.surface_table` of `FIGURE1_COMPOUND`; None if it was not drawn.
    layers : `network_layers` of ``cnn_paper``.

    Returns
    -------
    One row per number: where (in the paper), what, quantity, unit, paper, here, here_sd (over folds), folds, n, better
    (``paper``, ``here``, ``within sd``, or empty where nothing can be said), differs.
    """
    rows: list[dict[str, Any]] = []

    def add(where: str, what: str, quantity: str, unit: str, paper: float, here: Any, **more: Any) -> None:
        row = {"where": where, "what": what, "quantity": quantity, "unit": unit, "paper": paper, "here": here}
        rows.append(row | {"here_sd": np.nan, "folds": 0, "n": 0, "better": "", "differs": ""} | more)

    def add_accuracy(where: str, what: str, figures: Sequence[float], role: str, model: str, differs: str) -> None:
        part = accuracy(tables[role], model)
        if part is None:
            add(where, what, "MAE", "Å", figures[1], np.nan, differs=f"{model} was not trained in this run")
            return
        if part["n"] > counts[role]:
            differs += "; each of a compound's edges counts"
        for (name, label, unit), paper in zip(METRICS, figures, strict=True):
            sd = part[f"{name}_sd"]
            found = {"here_sd": sd, "folds": part["n_folds"], "n": part["n"], "differs": differs}
            found["better"] = better(paper, part[name], sd, lower=name != "r2")
            add(where, f"{what}: {model} on {tables[role].name}", label, unit, paper, part[name], **found)

    counts = {role: tables[role].targets["compound"].nunique() for role in ROLES}
    oqmd = f"{counts['oqmd']:,} compounds, nothing left out, against the paper's 5,250; five folds against one split"
    for what, r2, mae, mse, role, model in TABLE1:
        other = f"{counts['experimental']} compounds of another table than Kuzmanovski's; five folds against one split"
        add_accuracy("Table 1", what, (r2, mae, mse), role, model, oqmd if role == "oqmd" else other)
    for role in ("oqmd", "experimental"):
        ranking = headline_metrics(tables[role].predictions, tables[role].split)
        for words, kinds, of_paper in (
            ("fingerprint alone, best here", [FINGERPRINT[0]], {"oqmd": 1, "experimental": 2}[role]),
            ("composition alone, best here", COMPOSITION, {"oqmd": 1, "experimental": 3}[role]),
        ):
            best = best_model(ranking, kinds)
            if best is not None:
                paper = TABLE1[of_paper]
                text = f"against the paper's {paper[0]}"
                add_accuracy("Table 1", words, paper[1:4], role, str(best["model"]), text)
    own = None if limits is None else limits[limits["site"] == "all"].iloc[0]
    for name, value in FIGURE1.items():
        here = np.nan if own is None else float(own[f"{name}_angstrom"])
        label = f"{'least' if name.endswith('min') else 'greatest'} {name[:3]}"
        text = (
            "the surface itself, where the paper has the vertices of Tonto's grid" if own is not None else "not drawn"
        )
        add("Fig. 1", "PuCuO3, a = 3.52582 Å", label, "Å", value, here, differs=text)
    total = int(layers["parameters"].sum())
    add("Fig. 2", "network (cnn_paper)", "parameters", "", np.nan, total, differs="the paper's layers are not public")
    for row in each(residual_table(tables["oqmd"], ("cgcnn", "cnn_paper"))):
        text = "the paper shows a figure; no number is at hand"
        found = {"here_sd": row.slope_sd, "folds": row.folds, "n": row.compounds, "differs": text}
        add("Fig. 3", f"{row.model}: residual against true edge", "slope", "", np.nan, row.slope, **found)
    for row in each(parity_table(tables, ("cnn_paper",))):
        text = f"in the place of {_place(str(row.role))}; no number of the paper's figure is at hand"
        if row.role == "second_experimental":
            shared, size = overlap(tables["experimental"], tables["second_experimental"])
            text += f"; {shared} of its {size} compounds are in {tables['experimental'].name} too"
        what = f"cnn_paper on {row.dataset}, {row.part}"
        found = {"here_sd": row.r2_sd, "folds": row.folds, "n": row.rows, "differs": text}
        add("Fig. 5", what, "r²", "", np.nan, row.r2, **found)
        add("Fig. 5", what, "MAE", "Å", np.nan, row.mae, **(found | {"here_sd": row.mae_sd}))
    for row in each(estimated_edge_table(tables["oqmd"], tables["estimated_edge"])):
        if row.model in ("cnn_paper", "cgcnn"):
            other = "the paper's edge is OQMD's before relaxation, no longer published"
            text = "" if row.initial_edge == "random" else other
            found = {"here_sd": row.mae_sd, "folds": row.folds, "n": row.compounds, "differs": text}
            what = f"{row.model}, initial edge {row.initial_edge}"
            add("SI", what, "MAE", "Å", np.nan, row.mae, **found)
    return pd.DataFrame(rows)


def _place(role: str) -> str:
    return {
        "oqmd": "the paper's OQMD set",
        "experimental": "Kuzmanovski's table",
        "second_experimental": "Sidey's table",
    }[role]


def better(paper: float, here: float, sd: float, lower: bool) -> str:
    """Say which number is better: ``within sd`` where they differ by no more than the sd over folds."""
    if np.isfinite(sd) and abs(here - paper) <= sd:
        return "within sd"
    return "here" if (here < paper) == lower else "paper"


def markdown(table: pd.DataFrame) -> str:
    """Write the comparison as a Markdown table."""
    heads = ("where", "what", "quantity", "paper", "here", "folds", "n", "better", "what differs")
    lines = ["| " + " | ".join(heads) + " |", "|---|---|---|--:|--:|--:|--:|---|---|"]
    last = None
    for row in each(table):
        quantity = f"{row.quantity}, {row.unit}" if isinstance(row.unit, str) and row.unit else str(row.quantity)
        whole = float(row.here).is_integer() and abs(row.here) >= 1000
        here = with_sd(row.here, row.here_sd) if row.unit == "Å²" else _short(row.here, row.here_sd)
        cells = (
            row.where,
            row.what,
            quantity,
            "" if np.isnan(row.paper) else f"{row.paper:.5f}" if row.unit == "Å²" else f"{row.paper:.4f}",
            "" if np.isnan(row.here) else f"{int(row.here):,}" if whole else here,
            str(row.folds or ""),
            f"{row.n:,}" if row.n else "",
            row.better if isinstance(row.better, str) else "",
            "″" if row.differs and row.differs == last else row.differs if isinstance(row.differs, str) else "",
        )
        last = row.differs
        lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str]) -> int:
    """Print the comparison in a CSV file as Markdown."""
    if len(arguments) != 1 or not Path(arguments[0]).is_file():
        print("name the table that `snakemake paper` wrote: results/paper/numbers.csv", file=sys.stderr)
        return 2
    sys.stdout.write(markdown(pd.read_csv(arguments[0])))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
