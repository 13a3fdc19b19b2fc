"""Figures that the paper does not have: where the errors are, what the stated uncertainty is worth, what adds what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import NormalDist
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from hirshprint.accuracy.comparison import compare
from hirshprint.accuracy.metrics import metrics
from hirshprint.accuracy.predictions import ENSEMBLE, main_split, plain, read_compact, read_targets
from hirshprint.accuracy.standing import COMPOSITION, FINGERPRINT, INPUTS, best_model, headline_metrics, headline_rows
from hirshprint.datasets.gather import curve_share
from hirshprint.report.compounds import count_blocks, counts_of_rows
from hirshprint.report.figures import STYLE, FingerprintFile, by_lot, display_unit, open_fingerprints, write_item
from hirshprint.structures.symbols import SYMBOLS, composition

STATED = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.6827, 0.8, 0.9, 0.9545)
ANYWHERE = "anywhere"  # the site of an element in crystals from files
BINS = 8  # of equally many compounds
COMPARED = 5_000  # test compounds whose nearest training fingerprint is looked for; of more, so many by lot
BLOCK = 1_024  # fingerprints that are read at a time
MARKERS = "osD^vP*Xd"
INPUT_COLOURS = {
    "fingerprint": "#1b5e8c",
    "fingerprint and composition": "#7a3b8f",
    "crystal graph": "#2e7d4f",
    "composition": "#b3421b",
    "nothing": "#777777",
}
PAPER_COLOUR = "#5aa9d6"  # cnn_paper beside the fingerprint network that is better


def write_beyond(predictions: str | Path, targets: str | Path, fingerprints: str | Path, folder: str | Path) -> None:
    """Write the figures and tables of `items.BEYOND_ITEMS` for one dataset.

    Parameters
    ----------
    predictions, targets, fingerprints : files of ``results/<dataset>/``.
    folder : where the files go.
    """
    table, values = read_compact(predictions), read_targets(targets)
    split = main_split(table)
    table = headline_rows(table, split)
    test = test_rows(table, split)
    models = shown_models(test, split)
    unit = display_unit(str(table["unit"].iloc[0]))
    by_element = error_by_element(test[test["model"] == models[0]], values)
    coverage = coverage_table(test[test["model"].isin(models)])
    distances = distance_table(table, open_fingerprints(fingerprints), values, models)
    tested = len(test.drop_duplicates(["fold", "compound"]))
    by_input = input_table(test, split)
    write_item(folder, "error_by_element", by_element, element_maps(by_element, models[0], unit))
    write_item(folder, "calibration", coverage, calibration(coverage, test[test["model"].isin(models)], unit))
    write_item(folder, "distance", distances, error_by_distance(distances, unit, tested))
    write_item(folder, "inputs", by_input, inputs(by_input, unit))


def write_learning_curve(predictions: str | Path, folder: str | Path) -> None:
    """Write the files of `items.LEARNING_CURVE` for one dataset, from its table of predictions."""
    rows = plain(read_compact(predictions))
    table = learning_curve_table(rows)
    write_item(folder, "learning_curve", table, learning_curve(table, display_unit(str(rows["unit"].iloc[0]))))


def model_colour(model: str) -> str:
    """Colour of a model, the same in all figures: that of what it sees."""
    return PAPER_COLOUR if model == "cnn_paper" else INPUT_COLOURS[INPUTS.get(model, "composition")]


def shown_models(predictions: pd.DataFrame, split: str) -> list[str]:
    """Models that the figures show: the best of those that see fingerprints, composition, both, or the graph.

    The best fingerprint model comes first; ``cnn_paper`` is among them where it was trained.
    """
    table = headline_metrics(predictions, split)
    kinds: list[Sequence[str]] = [[FINGERPRINT[0]], COMPOSITION, ["crystal graph"], [FINGERPRINT[1]]]
    found = [str(best["model"]) for kind in kinds if (best := best_model(table, kind)) is not None]
    trained = set(table.loc[table["ranked"], "model"])
    names = list(dict.fromkeys([*found, *(["cnn_paper"] if "cnn_paper" in trained else [])]))
    return names or [str(table["model"].iloc[0])]


def test_rows(predictions: pd.DataFrame, split: str) -> pd.DataFrame:
    """Headline rows of the test parts, with a column ``error``: predicted - true."""
    rows = headline_rows(predictions, split)
    rows = plain(rows[rows["part"] == "test"])
    return rows.assign(error=rows["predicted"] - rows["true"])


# --- by element ---------------------------------------------------------------------------------------------------


def table_place(z: int) -> tuple[int, int]:
    """Row and column, from 1, of an element in the long periodic table, lanthanides and actinides in rows 8 and 9.

    La to Lu and Ac to Lr stand in columns 3 to 17 of rows of their own.
    """
    if 57 <= z <= 71 or 89 <= z <= 103:
        return (8, z - 54) if z <= 71 else (9, z - 86)
    row = next(period for period, last in enumerate((2, 10, 18, 36, 54, 86, 118), 1) if z <= last)
    first = (0, 2, 10, 18, 36, 54, 86)[row - 1]
    place = z - first
    if place <= 2 and row > 1:
        return row, place
    last = (2, 10, 18, 36, 54, 86, 118)[row - 1]
    return (row, 18 - (last - z)) if row > 1 else (1, 1 if z == 1 else 18)


def error_by_element(test: pd.DataFrame, targets: pd.DataFrame) -> pd.DataFrame:
    """Test errors of one model by the element on each site that has more than one; of files by all their elements.

    Returns
    -------
    One row per site (of files: `ANYWHERE`) and element: model, site, element, z, compounds, mae, sd (of the absolute
    errors over its compounds; NaN for one), mean_error (predicted - true).
    """
    columns = ["model", "site", "element", "z", "compounds", "mae", "sd", "mean_error"]
    of_compound = targets.drop_duplicates("compound").set_index("compound")
    rows = []
    sites = [site for site in ("A", "B", "B2", "X") if site in of_compound and of_compound[site].fillna("").any()]
    for site in sites or [ANYWHERE]:
        if sites:
            elements = test["compound"].map(of_compound[site].fillna("").astype(str))
        else:
            elements = test["compound"].map(of_compound["formula"].map(lambda formula: list(composition(formula))))
            elements = elements.explode()
        if elements.nunique() < 2:
            continue
        for element, part in test.join(elements.rename("element")).groupby("element"):
            if element not in SYMBOLS:
                continue
            size = part["error"].abs()
            named = [part["model"].iloc[0], site, element, SYMBOLS.index(str(element)) + 1]
            rows.append([*named, part["compound"].nunique(), size.mean(), size.std(ddof=1), part["error"].mean()])
    return pd.DataFrame(rows, columns=columns).sort_values(["site", "z"], ignore_index=True)


def element_maps(table: pd.DataFrame, model: str, unit: str) -> Figure:
    """Draw a periodic table for each site, coloured by the mean absolute error of the compounds of each element."""
    sites = list(table["site"].unique())
    with mpl.rc_context(STYLE):
        if not sites:
            return _message("no site of these structures has more than one named element")
        cell, gap = 0.44, 0.42
        width = 18 * cell + 1.25
        height = 0.1 + len(sites) * (9.3 * cell + gap)
        figure = Figure(figsize=(width, height), facecolor="white")
        high = float(table["mae"].quantile(0.95)) or 1.0
        norm, colours = mpl.colors.Normalize(0.0, high), mpl.colormaps["YlOrRd"]
        for number, site in enumerate(sites):
            bottom = height - 0.1 - (number + 1) * (9.3 * cell + gap) + gap
            place = (0.1 / width, bottom / height, 18 * cell / width, 9.3 * cell / height)
            axes = figure.add_axes(place)
            axes.set(xlim=(0.5, 18.5), ylim=(9.8, 0.5))
            axes.axis("off")
            where = f"on {site}" if site != ANYWHERE else site
            axes.text(4.0, 1.0, f"{model}: error by element {where}", fontsize=9.5, weight="bold", va="center")
            known = table[table["site"] == site].set_index("element")
            for z in range(1, 104):
                row, column = table_place(z)
                y = row + (0.3 if row > 7 else 0.0)
                symbol = SYMBOLS[z - 1]
                seen = symbol in known.index
                colour = colours(norm(known.loc[symbol, "mae"])) if seen else "#f3f3f3"
                axes.add_patch(Rectangle((column - 0.48, y - 0.48), 0.96, 0.96, facecolor=colour, edgecolor="none"))
                ink = ("white" if known.loc[symbol, "mae"] > 0.62 * high else "#111111") if seen else "#bbbbbb"
                axes.text(column, y - 0.14, symbol, ha="center", va="center", fontsize=8, color=ink)
                if seen:
                    text = f"{known.loc[symbol, 'mae']:.3f}"
                    axes.text(column, y + 0.26, text, ha="center", va="center", fontsize=5.6, color=ink)
            spread = f"{known['compounds'].min():,} to {known['compounds'].max():,}"
            axes.text(4.0, 1.75, f"{len(known)} elements, {spread} compounds each", fontsize=7, color="#555555")
        side = figure.add_axes(((18 * cell + 0.3) / width, 0.3, 0.13 / width, 0.4))
        scale = figure.colorbar(mpl.cm.ScalarMappable(norm, colours), cax=side, extend="max")
        scale.set_label(f"mean absolute test error ({unit})")
        scale.outline.set_linewidth(0.5)
    return figure


# --- stated uncertainty -------------------------------------------------------------------------------------------


def coverage_table(test: pd.DataFrame) -> pd.DataFrame:
    """Share of test errors within the central interval that a model's own standard deviation states.

    Returns
    -------
    One row per model and stated share: observed and observed_sd (mean and sd over folds), predictions, folds. Models
    without standard deviations have none.
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
            return _message("no model states a standard deviation")
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
        right.set(xlabel=f"stated standard deviation ({unit})", ylabel=f"root mean square test error ({unit})")
        count = f"{int(table['predictions'].max()):,} test predictions, {int(table['folds'].max())} folds"
        figure.suptitle(f"{count}; bars are ± one standard deviation over folds", fontsize=8)
    return figure


def stated_bins(test: pd.DataFrame) -> pd.DataFrame:
    """Bins of one model's predictions by stated std, about equally many each: std (mean), rmse, predictions."""
    labels = pd.qcut(test["std"], BINS, labels=False, duplicates="drop") if test["std"].nunique() > 1 else 0
    groups = test.assign(bin=labels, square=test["error"] ** 2).groupby("bin")
    table = groups.agg(std=("std", "mean"), rmse=("square", "mean"), predictions=("std", "size"))
    return table.assign(rmse=np.sqrt(table["rmse"]))


# --- distance from the training set -------------------------------------------------------------------------------


def square_roots(counts: NDArray[np.float32]) -> NDArray[np.float32]:
    """Roots (n, b²) of fingerprints (n, b, b), not negative, that are each scaled to a sum of one."""
    flat = counts.reshape(len(counts), -1)
    scaled: NDArray[np.float32] = flat / np.maximum(flat.sum(axis=1, keepdims=True), np.finfo(np.float32).tiny)
    return np.sqrt(scaled, out=scaled)


def nearest_distances(
    blocks: Iterable[tuple[NDArray[np.int64], NDArray[np.float32]]],
    tests: Sequence[tuple[NDArray[np.int64], NDArray[np.float32]]],
) -> list[NDArray[np.float64]]:
    """Hellinger distance of test fingerprints to the nearest training one, 0 (equal) to 1 (no bin in common).

    √(1 - Σ √(p q)) of fingerprints p, q that are each scaled to a sum of one. Of those that are learned from only one
    block is in memory.

    Parameters
    ----------
    blocks : rows (k,), and their fingerprints (k, b, b): of all that any fold trains on.
    tests : of each fold the rows (sorted) that it trains on, and `square_roots` of the fingerprints that it tests.

    Returns
    -------
    Of each fold (n,) float64; NaN where it trains on no row.
    """
    overlaps = [np.full(len(roots), -np.inf, np.float32) for _, roots in tests]
    for rows, counts in blocks:
        known = square_roots(counts)
        for overlap, (train, roots) in zip(overlaps, tests, strict=True):
            here = known[np.isin(rows, train, assume_unique=True)]
            if len(here) and len(roots):
                np.maximum(overlap, (roots @ here.T).max(axis=1), out=overlap)
    found = [np.sqrt(np.clip(1.0 - overlap.astype(np.float64), 0.0, None)) for overlap in overlaps]
    return [np.where(np.isfinite(of_fold), of_fold, np.nan) for of_fold in found]


def distance_table(
    rows: pd.DataFrame, file: FingerprintFile, targets: pd.DataFrame, models: Sequence[str]
) -> pd.DataFrame:
    """Test errors with the distance of each compound's fingerprint from the nearest one of its fold's training part.

    Of a compound with several structures the first counts; of more than `COMPARED` test compounds so many by lot.

    Parameters
    ----------
    rows : headline rows of one split, every part.

    Returns
    -------
    One row per model, fold and test compound: model, fold, compound, distance, absolute_error.
    """
    first = targets[targets["structure_id"].isin(list(file.rows))].drop_duplicates("compound")
    row_of = pd.Series(first["structure_id"].map(file.rows).to_numpy(np.int64), index=first["compound"].to_numpy(str))
    parts = rows[["fold", "part", "compound"]].drop_duplicates().astype({"part": "str", "compound": "str"})
    parts = parts[parts["compound"].isin(row_of.index)]
    parts = parts.assign(row=row_of.reindex(parts["compound"]).to_numpy())
    tested = parts[parts["part"] == "test"]
    tested = tested[by_lot(tested["compound"]) < COMPARED]
    folds = {fold: of_fold["row"].to_numpy(np.int64) for fold, of_fold in tested.groupby("fold")}
    trained = parts[parts["part"] == "train"].groupby("fold")["row"]
    train = {fold: np.sort(of_fold.to_numpy(np.int64)) for fold, of_fold in trained}
    none = np.array([], dtype=np.int64)
    tests = [(train.get(fold, none), square_roots(counts_of_rows(file, of_fold))) for fold, of_fold in folds.items()]
    blocks = count_blocks(file, np.unique(np.concatenate([none, *train.values()])), BLOCK)
    distances = tested[["fold", "compound"]].assign(distance=np.nan)
    for fold, of_fold in zip(folds, nearest_distances(blocks, tests), strict=True):
        distances.loc[distances["fold"] == fold, "distance"] = of_fold
    of_models = plain(rows[(rows["part"] == "test") & rows["model"].isin(models)])
    of_models = of_models.assign(absolute_error=(of_models["predicted"] - of_models["true"]).abs())
    joined = of_models.merge(distances, on=["fold", "compound"]).sort_values("fold", kind="stable", ignore_index=True)
    return joined[["model", "fold", "compound", "distance", "absolute_error"]]


def error_by_distance(table: pd.DataFrame, unit: str, total: int = 0) -> Figure:
    """Draw the mean absolute error (mean ± sd over folds) against distance, in bins of equally many compounds.

    `total` is the number of test compounds that those of the table were drawn from; said where it is larger.
    """
    with mpl.rc_context(STYLE):
        table = table.dropna(subset=["distance"])
        if table.empty or table["distance"].nunique() < 2:
            return _message("no distances to show")
        _, edges = pd.qcut(table["distance"], BINS, retbins=True, duplicates="drop")
        bins = np.clip(np.searchsorted(edges, table["distance"], side="left") - 1, 0, len(edges) - 2)
        figure = Figure(figsize=(6.2, 3.6), layout="constrained", facecolor="white")
        axes = figure.add_subplot()
        table = table.assign(bin=bins)
        for model, part in table.groupby("model", sort=False):
            by_fold = part.groupby(["bin", "fold"])["absolute_error"].mean().groupby("bin").agg(["mean", "std"])
            x = part.groupby("bin")["distance"].median()
            style: dict[str, Any] = {"color": model_colour(str(model)), "markersize": 3.5, "linewidth": 1, "capsize": 2}
            axes.errorbar(x, by_fold["mean"], by_fold["std"].fillna(0.0), fmt="o-", label=str(model), **style)
        axes.set_ylim(bottom=0)
        axes.set_xlabel("Hellinger distance to the nearest training fingerprint (0: equal, 1: no bin in common)")
        axes.set_ylabel(f"mean absolute test error ({unit})")
        compounds = table.drop_duplicates(["fold", "compound"])
        share = len(compounds) // max(len(np.unique(bins)), 1)
        count = f"{len(compounds):,} test compounds{f' of {total:,}, by lot' if total > len(compounds) else ''}"
        title = f"{count}, about {share:,} in each bin; bars are ± one sd over folds"
        axes.set_title(title, loc="left", fontsize=8)
        axes.legend(frameon=False, fontsize=7)
    return figure


# --- what adds what -----------------------------------------------------------------------------------------------


def input_table(predictions: pd.DataFrame, split: str) -> pd.DataFrame:
    """Every ranked model with its test error, and how it differs from the best composition model on the same folds.

    Returns
    -------
    One row per model: model, inputs, mae, mae_sd, r2, r2_sd, compounds, folds, reference, difference (of the MAE, on
    the compounds that both predict; negative is better), half_width (of its 95 % interval).
    """
    table = headline_metrics(predictions, split)
    reference = best_model(table, COMPOSITION)
    rows = []
    for row in table[table["ranked"]].to_dict("records"):
        shown = {name: row[name] for name in ("model", "inputs", "mae", "mae_sd", "r2", "r2_sd", "compounds")}
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
    table = table[table["inputs"] != "nothing"] if (table["inputs"] != "nothing").any() else table
    places = np.arange(len(table))[::-1]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.6, 0.75 + 0.27 * len(table) + 0.35), layout="constrained", facecolor="white")
        left, right = figure.subplots(1, 2, sharey=True)
        colours = [INPUT_COLOURS[name] for name in table["inputs"]]
        for axes, value, half in ((left, "mae", "mae_sd"), (right, "difference", "half_width")):
            for x, width, y, colour in zip(table[value], table[half].fillna(0.0), places, colours, strict=True):
                axes.errorbar(x, y, xerr=width, fmt="o", color=colour, markersize=4, capsize=2, linewidth=1)
            axes.grid(axis="y", color="#eeeeee", linewidth=0.8)
            axes.set_axisbelow(True)
        left.set_yticks(places, [str(name) for name in table["model"]])
        left.set_xlim(left=0)
        left.set_xlabel(f"mean absolute test error ({unit}), ± sd over folds")
        right.axvline(0, color="#555555", linewidth=0.8)
        reference = str(table["reference"].iloc[0])
        right.set_xlabel(f"difference from {reference or 'nothing'} ({unit}), 95 % interval")
        for name in dict.fromkeys(table["inputs"]):
            left.plot([], [], "o", color=INPUT_COLOURS[name], markersize=4, label=f"sees {name}")
        figure.legend(loc="outside lower center", ncols=4, frameon=False, fontsize=7)
    return figure


# --- more or less to learn from -----------------------------------------------------------------------------------


def learning_curve_table(predictions: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy by the share of the training parts of the split ``random``, all with the seed of the small shares.

    Returns
    -------
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
    joined["inputs"] = [INPUTS.get(model, "composition") for model in joined["model"]]
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
        axes.set_ylabel(f"mean absolute test error ({unit})")
        axes.set_title(f"bars are ± one sd over {int(table['folds'].max())} folds", loc="left", fontsize=8)
        figure.legend(loc="outside right upper", frameon=False, fontsize=7)
    return figure


def _message(text: str) -> Figure:
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5, 0.8), facecolor="white")
        figure.text(0.5, 0.5, text, ha="center", va="center")
    return figure
