"""How models stand beside each other: the rows that count, the ranking, the best of those that see the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from hirshprint.accuracy.metrics import metrics, score_of
from hirshprint.accuracy.predictions import ENSEMBLE, basis, plain
from hirshprint.baselines.registry import BASELINES
from hirshprint.networks.registry import NETWORKS, UnknownNameError

FINGERPRINT = ("fingerprint", "fingerprint and composition")
GRAPHS = ("contacts and composition", "crystal graph")
COMPOSITION = ("composition", "nothing")
SURFACES = (*FINGERPRINT, "contacts and composition")
NO_SURFACES = (*COMPOSITION, "crystal graph")
SMALLEST_SD = 1e-6  # that is written with decimals
RANKED_SHARE = 0.95  # a model that predicts a smaller share of the compounds is shown, not ranked


def sees(model: str) -> str:
    """Say what a model sees of a compound: ``fingerprint``, ``composition`` ... (`networks.registry.Sees`).

    Parameters
    ----------
    model : str
        Name of a network or a baseline, as the predictions write it.

    Raises
    ------
    UnknownNameError
        It is neither: it must not be compared as if it saw something else than it does.
    """
    if entry := NETWORKS.get(model) or BASELINES.get(model):
        return entry.sees
    raise UnknownNameError(
        f"the model {model} is neither a network nor a baseline; this version knows "
        f"{', '.join([*NETWORKS, *BASELINES])}"
    )


def headline_rows(predictions: pd.DataFrame, split: str) -> pd.DataFrame:
    """Rows of one split with one seed per model: ``ensemble`` where there is one, else the lowest seed.

    The lowest seed, not the best one: choosing the best would choose on the test part. Where a model predicts
    several structures of a compound, rows for their mean stand beside theirs; those rows count.
    """
    rows = predictions[predictions["split"] == split]
    kept = np.zeros(len(rows), dtype=bool)
    for places in rows.groupby("model", sort=False, observed=True).indices.values():
        of_model = rows.iloc[places]
        of_compounds = (basis(of_model) == "compound").to_numpy()
        wanted = of_compounds | ~of_compounds.any()
        order = of_model["seed"].astype("str").replace(ENSEMBLE, "-1").astype(int).to_numpy()
        kept[places] = wanted & (order == order[wanted].min())
    return rows[kept]


def headline_metrics(predictions: pd.DataFrame, split: str, scale: str = "linear") -> pd.DataFrame:
    """Test figures of the headline rows, one row per model, lowest MAE (`score_of`) first.

    Columns are those of `metrics` with ``inputs`` (what the model sees), ``compounds`` (test compounds
    predicted) and ``ranked``: False for a model that predicts less than 95 % of the compounds.
    """
    rows = headline_rows(predictions, split)
    test = plain(rows[rows["part"] == "test"])
    score, _ = score_of(str(test["unit"].iloc[0]))
    table = metrics(test, scale).sort_values([score, "model"], ignore_index=True)
    table["inputs"] = [sees(model) for model in table["model"]]
    table["compounds"] = table["model"].map(test.groupby("model")["compound"].nunique())
    table["ranked"] = table["compounds"] >= RANKED_SHARE * table["compounds"].max()
    return table


def best_model(table: pd.DataFrame, inputs: Sequence[str] | None = None) -> dict[str, Any] | None:
    """Row of lowest MAE among the ranked models, among those with these `inputs` if given; None if none."""
    ranked = (row for row in records(table) if row["ranked"])
    return next((row for row in ranked if inputs is None or row["inputs"] in inputs), None)


def shown_model(table: pd.DataFrame) -> str:
    """Name of the model whose worst predictions are shown: the best that sees surfaces, else the best."""
    best = best_model(table, SURFACES) or best_model(table) or records(table)[0]
    return str(best["model"])


def worst_rows(predictions: pd.DataFrame, split: str, model: str, count: int) -> pd.DataFrame:
    """Test rows of largest |predicted - true|, at most one per compound, with a column ``residual``."""
    rows = headline_rows(predictions, split)
    rows = rows[(rows["model"] == model) & (rows["part"] == "test")]
    rows = rows.assign(residual=rows["predicted"] - rows["true"])
    order = rows["residual"].abs().sort_values(ascending=False, kind="stable").index
    return rows.loc[order].drop_duplicates("compound").head(count)


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table as dictionaries by column."""
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def number_text(value: float) -> str:
    """Write a number with four decimals; a small one with three significant digits."""
    return f"{value:.4f}" if abs(value) >= 0.01 or value == 0 else f"{value:.3g}"


def with_sd(value: float, sd: float) -> str:
    """Write ``value ± sd`` with two significant digits of the sd; three or four where there is no sd."""
    if not np.isfinite(value):
        return "not defined"
    if not np.isfinite(sd) or sd <= 0:
        text = number_text(value)
    elif sd < SMALLEST_SD:
        text = f"{value:.3g} ± {sd:.1e}"
    else:
        decimals = int(np.clip(1 - np.floor(np.log10(sd)), 0, 6))
        text = f"{value:.{decimals}f} ± {sd:.{decimals}f}"
    return text.replace("-", "−") if value < 0 else text
