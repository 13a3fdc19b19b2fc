"""What the page says of predictions and their accuracy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from hirshprint.accuracy.comparison import Comparison, comparisons, surfaces_add
from hirshprint.accuracy.metrics import score_of
from hirshprint.accuracy.predictions import main_split, plain
from hirshprint.accuracy.standing import (
    COMPOSITION,
    best_model,
    headline_metrics,
    headline_rows,
    number_text,
    sees,
    shown_model,
    with_sd,
    worst_rows,
)
from hirshprint.datasets.folds import curve_share
from hirshprint.datasets.splits import TOLD_DRAWS
from hirshprint.networks.registry import NETWORKS
from hirshprint.report.fingerprint_file import open_fingerprints, structure_of
from hirshprint.report.page.inputs import DatasetInputs
from hirshprint.report.paper.published import TABLE1
from hirshprint.report.style import display_unit, in_unit, quantity, with_unit
from hirshprint.structures.sources.targets import ANSWER_UNIT
from hirshprint.words import squared

FEW_TESTED = 5  # compounds of a prescribed fold, below which its size is said
WORST_COUNT = 15


def shown_splits(predictions: pd.DataFrame) -> list[str]:
    """Names of the splits, the main one first, without those that only a learning curve is made of."""
    main = main_split(predictions)
    splits = [split for split in predictions["split"].unique() if curve_share(split) in (None, 1.0)]
    return sorted(splits, key=lambda x: (x != main, x))


def headline_of_splits(predictions: pd.DataFrame, splits: Sequence[str]) -> pd.DataFrame:
    """Test rows that the figures are computed from, of every split: far fewer than the table has."""
    rows = (headline_rows(predictions, split) for split in splits)
    return pd.concat([plain(of_split[of_split["part"] == "test"]) for of_split in rows])


def learned_content(
    item: DatasetInputs, predictions: pd.DataFrame, targets: pd.DataFrame, splits: Sequence[str]
) -> dict[str, Any]:
    """Collect what the template shows of predictions and their accuracy."""
    split = splits[0]
    edges = targets.set_index("compound")["initial_edge_angstrom"].dropna()
    main = headline_metrics(predictions, split, item.scale)
    best, shown = best_row(main), shown_model(main)
    unit = display_unit(str(predictions["unit"].iloc[0]))
    return {
        "property": quantity(str(predictions["property"].iloc[0])),
        "unit": unit,
        "split": split,
        "evaluation": evaluation_text(predictions),
        "best": with_start(best, item.started) | _accuracy_text(best),
        "fails": _failures(predictions, split, best),
        "comparisons": [_comparison_dict(x, unit) for x in comparisons(predictions, split)],
        "surfaces_add": _comparison_dict(added, unit) if (added := surfaces_add(predictions, split)) else None,
        "started": dict(item.started),
        "has_edges": bool(len(edges)),
        "tables": [
            {
                "split": x,
                "rows": [
                    with_start(row, item.started) | {"edges": edges_text(row["model"], edges) if len(edges) else ""}
                    for row in accuracy_rows(headline_metrics(predictions, x, item.scale))
                ],
            }
            for x in splits
        ],
        "paper": _published() if unit == "Å" and item.scale == "linear" else (),
        "columns": accuracy_columns(unit, item.scale),
        "score": score_of(unit)[1],
        "headline": headline_text(best, unit),
        "shown_model": shown,
        "worst": _worst(predictions, targets, item, split, shown),
    }


def accuracy_columns(unit: str, scale: str) -> list[tuple[str, str]]:
    """Columns of `metrics` that tables of accuracy show, and their headings.

    Parameters
    ----------
    unit : str
        Unit of the property.
    scale : str
        The dataset's `Target.scale`.
    """
    if unit == ANSWER_UNIT:
        return [("roc_auc", "ROC AUC"), ("balanced_accuracy", "balanced accuracy"), ("mse", "Brier score")]
    columns = [("r2", "r²"), ("mae", in_unit("MAE", unit)), ("mse", in_unit("MSE", squared(unit)))]
    return [*columns, ("mae_log10", "MAE of log10")] if scale == "log" else columns


def headline_text(row: Mapping[str, Any], unit: str) -> tuple[str, str]:
    """Say how good a model is, the figure that it is ranked by first, then others."""

    def told(name: str) -> str:
        return with_sd(row[name], row[f"{name}_sd"])

    if unit == ANSWER_UNIT:
        more = f"ROC AUC {told('roc_auc')}, balanced accuracy {told('balanced_accuracy')}"
        return f"Brier score {told('mse')}", more
    decades = f", MAE of log10 {told('mae_log10')}" if "mae_log10" in row else ""
    return f"MAE {with_unit(told('mae'), unit)}{decades}", f"r² {told('r2')}"


def _published() -> list[tuple[str, str, str, str]]:
    """Table 1 of the paper as text: what was learned from what, test r², MAE in Å, MSE in Å²."""
    return [(what, f"{r2:.4f}", f"{mae:.4f}", f"{mse:.5f}") for what, r2, mae, mse, _, _ in TABLE1]


def _comparison_dict(item: Comparison, unit: str) -> dict[str, Any]:
    unit = f" {unit}" if unit and item.score == "MAE" else ""
    interval = "" if np.isnan(item.half_width) else f" (95 % interval ± {number_text(item.half_width)}{unit})"
    sign = "+" if item.difference >= 0 else "−"
    difference = f"{sign}{number_text(abs(item.difference))}{unit}"
    return {**vars(item), "difference_text": difference + interval}


def accuracy_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table of metrics, with their numbers as text beside them."""
    rows: list[dict[Any, Any]] = table.to_dict("records")
    return [row | _accuracy_text(row) for row in rows]


def with_start(row: Mapping[str, Any], started: Mapping[str, str]) -> dict[str, Any]:
    """Add to what a model sees that it was trained on other data before, if it was."""
    name = started.get(row["model"])
    return {**row, "inputs": f"{row['inputs']}; started from {name}"} if name else dict(row)


def edges_text(model: str, edges: pd.Series[float]) -> str:
    """Say at how many initial edges of a compound a model learns and is tested, and whether it is told them.

    Parameters
    ----------
    model : str
        Name of a network or a baseline; one that sees the composition alone sees none.
    edges : Series of float, Å
        Initial edges by compound.
    """
    if sees(model) in COMPOSITION:
        return "none"
    entry = NETWORKS.get(model)
    count = int(edges.groupby(level=0).size().max())
    alike = edges.nunique() == count
    first_alone = not alike if entry is None else entry.images or (alike and entry.one_edge)
    if count == 1:
        text = "one"
    elif first_alone:
        text = f"one of {count}"
    elif alike:
        text = f"{count} together"
    else:
        text = f"mean of {min(count, TOLD_DRAWS)}" + (f", {count} in training" if count > TOLD_DRAWS else "")
    return text + (", known to it" if entry and entry.knows_edge else "")


def _accuracy_text(row: Mapping[str, Any]) -> dict[str, str]:
    shares = [row[f"within_{k}_std"] for k in (1, 2)]
    within = "none" if np.isnan(shares).any() else ", ".join(f"{100 * share:.0f}" for share in shares)
    shown = [name for name in ("r2", "mae", "mse", "mae_log10", "roc_auc", "balanced_accuracy") if name in row]
    texts = {f"{name}_text": with_sd(row[name], row[f"{name}_sd"]) for name in shown}
    return texts | {"within_text": within}


def _failures(predictions: pd.DataFrame, split: str, best: Mapping[str, Any]) -> dict[str, str]:
    """Say how large the test errors of a model are, where the largest is, and how good its error bars are."""
    rows = headline_rows(predictions, split)
    rows = rows[(rows["model"] == best["model"]) & (rows["part"] == "test")]
    error = rows["predicted"] - rows["true"]
    worst = error.abs().idxmax()
    answers = rows["unit"].iloc[0] == ANSWER_UNIT
    within = [best[f"within_{k}_std"] for k in (1, 2)]
    bars = "It states none."
    if answers:
        bars = f"Its probabilities of yes are {rows['predicted'].mean():.3f} in the mean, and the share of yes is "
        bars += f"{rows['true'].mean():.3f}; the figure of calibration has both by probability."
    if not np.isnan(within).any():
        bars = f"{100 * within[0]:.0f} % of its test errors are within one stated standard deviation, "
        bars += f"{100 * within[1]:.0f} % within two (68 and 95 would be right)."
    return {
        "half": f"{error.abs().median():.3g}",
        "twentieth": f"{error.abs().quantile(0.95):.3g}",
        "worst": str(rows.at[worst, "compound"]),
        "error": f"{error[worst]:{'+.3f' if abs(error[worst]) >= 0.01 else '+.2g'}}".replace("-", "−"),
        "bars": bars,
        "wrong": f"{int(((rows['predicted'] >= 0.5) != (rows['true'] > 0.5)).sum()):,} of {len(rows):,}",
        "answers": "yes" if answers else "",
    }


def _worst(
    predictions: pd.DataFrame, targets: pd.DataFrame, item: DatasetInputs, split: str, model: str
) -> list[dict[str, Any]]:
    file = open_fingerprints(item.fingerprints)
    rows: Any = worst_rows(predictions, split, model, WORST_COUNT).itertuples()
    return [
        {
            "compound": row.compound,
            "structure": structure_of(row, targets, file) or "none",
            "fold": row.fold,
            "true": number_text(row.true),
            "predicted": number_text(row.predicted),
            "residual": row.residual,
            "std": "" if np.isnan(row.std) else number_text(row.std),
        }
        for row in rows
    ]


def evaluation_text(predictions: pd.DataFrame) -> str:
    """Say what the figures of accuracy are computed on.

    Folds that a column prescribes may be of any size, and the smallest counts as much as the largest.
    """
    split = main_split(predictions)
    tested = predictions[(predictions["split"] == split) & (predictions["part"] == "test")]
    sizes = tested.groupby("fold")["compound"].nunique()
    kind = "prescribed" if split == "groups" else split
    few = int(sizes.min())
    alone = split == "groups" and few < FEW_TESTED
    smallest = f", the smallest of {few} compound{'' if few == 1 else 's'}" if alone else ""
    return f"test part of {len(sizes)} {kind} fold{'' if len(sizes) == 1 else 's'}{smallest}"


def best_row(table: pd.DataFrame) -> dict[str, Any]:
    """Row of the best model in a table of metrics."""
    best = best_model(table)
    assert best is not None  # the model with the most compounds is always ranked
    return best
