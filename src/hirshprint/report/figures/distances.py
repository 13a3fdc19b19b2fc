"""Error against the distance of a fingerprint from those that were learned from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from hirshprint.accuracy.predictions import plain
from hirshprint.fingerprints.distances import nearest_distances, square_roots
from hirshprint.report.figures.calibration import BINS
from hirshprint.report.figures.point_sample import by_lot
from hirshprint.report.fingerprint_file import FingerprintFile, count_blocks, counts_of_rows
from hirshprint.report.style import STYLE, in_unit, message_figure, model_colour

COMPARED = 5_000  # test compounds whose nearest training fingerprint is looked for; of more, so many by lot
BLOCK = 1_024  # fingerprints that are read at a time


def distance_table(
    rows: pd.DataFrame, file: FingerprintFile, targets: pd.DataFrame, models: Sequence[str]
) -> pd.DataFrame:
    """Test errors with the distance of each compound's fingerprint from the nearest one of its fold's training part.

    Of a compound with several structures the first counts; of more than `COMPARED` test compounds so many by lot.

    Parameters
    ----------
    rows : DataFrame
        Headline rows of one split, every part.
    file : FingerprintFile
        Fingerprints of the dataset.
    targets : DataFrame
        Property of each row.
    models : sequence of str
        Names of the models.

    Returns
    -------
    DataFrame
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
            return message_figure("no distances to show")
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
        axes.set_ylabel(in_unit("mean absolute test error", unit))
        compounds = table.drop_duplicates(["fold", "compound"])
        share = len(compounds) // max(len(np.unique(bins)), 1)
        count = f"{len(compounds):,} test compounds{f' of {total:,}, by lot' if total > len(compounds) else ''}"
        title = f"{count}, about {share:,} in each bin; bars are ± one sd over folds"
        axes.set_title(title, loc="left", fontsize=8)
        axes.legend(frameon=False, fontsize=7)
    return figure
