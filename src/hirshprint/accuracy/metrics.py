"""Accuracy figures of predictions: per fold, and over the folds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hirshprint.accuracy.predictions import basis, by_model
from hirshprint.structures.sources.targets import ANSWER_UNIT

GROUPS = ("dataset", "model", "split", "seed", "part", "basis")  # what accuracy is stated of


def accuracy(true: NDArray[np.float64], predicted: NDArray[np.float64]) -> dict[str, float]:
    """Return r² = 1 − SS_res / SS_tot of predicted against true (NaN if `true` is constant), MAE and MSE.

    Parameters
    ----------
    true : ndarray of float64, (n,)
        Measured values.
    predicted : ndarray of float64, (n,)
        Predicted values.
    """
    residual = np.asarray(predicted) - np.asarray(true)
    spread = float(np.sum(np.square(true - np.mean(true))))
    return {
        "r2": 1 - float(np.sum(residual**2)) / spread if spread > 0 else np.nan,
        "mae": float(np.mean(np.abs(residual))),
        "mse": float(np.mean(residual**2)),
    }


def score_of(unit: str) -> tuple[str, str]:
    """Column of `metrics` that models are ranked and compared by, and its name: the lowest is best.

    Of answers it is the mean squared error of the probability, Brier's score, which is least for the true
    probabilities; the mean absolute error is least for the more frequent answer.
    """
    return ("mse", "Brier score") if unit == ANSWER_UNIT else ("mae", "MAE")


def of_answers(true: NDArray[np.float64], predicted: NDArray[np.float64]) -> dict[str, float]:
    """Area under the ROC curve, and the mean share of right answers of yes and of no; NaN where one never occurs.

    Parameters
    ----------
    true : ndarray of float64, (n,)
        1 for yes, 0 for no.
    predicted : ndarray of float64, (n,)
        Probability of yes; from one half on it counts as yes.
    """
    yes, said = true > 0.5, predicted >= 0.5
    if yes.all() or not yes.any():
        return {"roc_auc": np.nan, "balanced_accuracy": np.nan}
    count = int(yes.sum())
    above = pd.Series(predicted).rank().to_numpy()[yes].sum() - count * (count + 1) / 2  # Mann and Whitney's U
    right = 0.5 * (float(said[yes].mean()) + float((~said[~yes]).mean()))
    return {"roc_auc": float(above / (count * (len(yes) - count))), "balanced_accuracy": right}


def decades(true: NDArray[np.float64], predicted: NDArray[np.float64]) -> dict[str, float]:
    """Return the MAE of the decimal logarithm, as benchmarks report what spans decades.

    Parameters
    ----------
    true : ndarray of float64, (n,)
        Measured values, above zero.
    predicted : ndarray of float64, (n,)
        Predicted values, above zero.
    """
    return {"mae_log10": float(np.mean(np.abs(np.log10(predicted) - np.log10(true))))}


def metrics(table: pd.DataFrame, scale: str = "linear") -> pd.DataFrame:
    """Compute accuracy per fold, then mean and standard deviation (n − 1) over the folds.

    Parameters
    ----------
    table : DataFrame
        Predictions table (`predictions.COLUMNS`), or some rows of it.
    scale : str, default "linear"
        The dataset's `Target.scale`.

    Returns
    -------
    DataFrame
        One row per dataset, model, split, seed, part and basis (`basis`: are single structures predicted, or compounds)
        with n_folds, n (rows over all folds), r2, r2_sd, mae, mae_sd (in `unit`), mse, mse_sd (in `unit`²), unit, and
        within_1_std, within_2_std: shares of the rows whose error is within so many of their own std; and
        std_correlation: rank correlation (Spearman) of the size of the error with std, NaN where all have one std. The
        sd of a single fold is NaN. With the scale ``log`` also mae_log10 and its sd, the MAE in decades.
        Of answers also roc_auc and balanced_accuracy; mse is then the Brier score, and no std is that of an error.
    """
    found: list[tuple[int, dict[str, object]]] = []  # each with the place of its first row
    for rows in by_model(table):
        groups = rows.assign(basis=basis(rows)).groupby(list(GROUPS), sort=False)
        found += [(int(part.index[0]), _metrics_row(values, part, scale)) for values, part in groups]
    return pd.DataFrame([row for _, row in sorted(found, key=lambda one: one[0])])


def _metrics_row(values: tuple[Any, ...], of_part: pd.DataFrame, scale: str) -> dict[str, object]:
    pairs = [(fold["true"].to_numpy(float), fold["predicted"].to_numpy(float)) for _, fold in of_part.groupby("fold")]
    answers = of_part["unit"].iloc[0] == ANSWER_UNIT
    more = of_answers if answers else decades if scale == "log" else lambda true, predicted: {}
    folds = pd.DataFrame([accuracy(*pair) | more(*pair) for pair in pairs])
    row: dict[str, object] = dict(zip(GROUPS, values, strict=True))
    row |= {"n_folds": len(folds), "n": len(of_part)}
    for name in folds.columns.astype(str):
        row |= {name: folds[name].mean(), f"{name}_sd": folds[name].std(ddof=1)}
    error = (of_part["predicted"] - of_part["true"]).abs()
    known = of_part["std"].notna().any() and not answers
    within = {f"within_{k}_std": float((error <= k * of_part["std"]).mean()) if known else np.nan for k in (1, 2)}
    several = of_part["std"].nunique() > 1 and error.nunique() > 1
    correlation = error.rank().corr(of_part["std"].rank()) if several else np.nan
    return row | {"unit": of_part["unit"].iloc[0]} | within | {"std_correlation": correlation}
