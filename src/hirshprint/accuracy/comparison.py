"""Whether one model beats another: paired differences over the folds, with their interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from hirshprint.accuracy.metrics import metrics, score_of
from hirshprint.accuracy.standing import (
    COMPOSITION,
    FINGERPRINT,
    GRAPHS,
    NO_SURFACES,
    SURFACES,
    best_model,
    headline_metrics,
    headline_rows,
    with_sd,
)

# 97.5 % points of Student's t for 1, 2, ... 9 degrees of freedom; more are treated as 9
STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)


@dataclass(frozen=True)
class Comparison:
    """Two models on the same compounds of the same folds.

    Attributes
    ----------
    model, baseline : str
        Their names.
    mae, baseline_mae : str
        ``value ± sd`` over folds, without unit.
    folds, compounds : int
        How many they share.
    wins : int
        Folds in which the model's MAE is the smaller one.
    difference : float
        Mean over folds of MAE(model) - MAE(baseline).
    half_width : float
        Half of its 95 % confidence interval; NaN with one fold.
    verdict : str
        ``better``, ``worse``, ``undecided`` (the interval holds zero) or ``one fold``.
    score : str
        What they are compared by (`metrics.score_of`), where it is not the MAE.
    """

    model: str
    baseline: str
    mae: str
    baseline_mae: str
    folds: int
    compounds: int
    wins: int
    difference: float
    half_width: float
    verdict: str
    score: str = "MAE"


def compare(predictions: pd.DataFrame, split: str, model: str, baseline: str) -> Comparison | None:
    """Compare two models' test MAE fold by fold, on the compounds that both predict; None if they share none.

    The interval uses the corrected resampled t-test (Nadeau and Bengio, Mach. Learn. 2003, 52, 239): the
    training parts of k folds overlap, so the variance of the mean difference is s² (1/k + 1/(k-1)), not s²/k.
    """
    rows = headline_rows(predictions, split)
    rows = rows[(rows["part"] == "test") & rows["model"].isin([model, baseline])]
    both = rows.groupby(["fold", "compound"])["model"].transform("nunique") == 2
    rows = rows[both]
    if rows.empty:
        return None
    score, name = score_of(str(rows["unit"].iloc[0]))
    by_fold = [metrics(part).set_index("model")[score] for _, part in rows.groupby("fold")]
    differences = np.array([of_fold[model] - of_fold[baseline] for of_fold in by_fold])
    folds, mean = len(differences), float(differences.mean())
    half_width = float("nan")
    verdict = "one fold"
    if folds > 1:
        scatter = float(differences.std(ddof=1)) * np.sqrt(1 / folds + 1 / (folds - 1))
        half_width = STUDENT[min(folds - 1, len(STUDENT)) - 1] * scatter
        verdict = "undecided" if abs(mean) <= half_width else ("better" if mean < 0 else "worse")
    total = {row["model"]: with_sd(row[score], row[f"{score}_sd"]) for row in metrics(rows).to_dict("records")}
    return Comparison(
        model=model,
        baseline=baseline,
        mae=total[model],
        baseline_mae=total[baseline],
        folds=folds,
        compounds=rows["compound"].nunique(),
        wins=int((differences < 0).sum()),
        difference=mean,
        half_width=half_width,
        verdict=verdict,
        score=name,
    )


def comparisons(predictions: pd.DataFrame, split: str) -> list[Comparison]:
    """Compare the best fingerprint model, hybrid and graph models with the best model of the composition."""
    table = headline_metrics(predictions, split)
    baseline = best_model(table, COMPOSITION)
    models = [best_model(table, [x]) for x in (*FINGERPRINT, *GRAPHS)]
    if baseline is None:
        return []
    found = (compare(predictions, split, x["model"], baseline["model"]) for x in models if x is not None)
    return [x for x in found if x is not None]


def surfaces_add(predictions: pd.DataFrame, split: str) -> Comparison | None:
    """Compare the best model that sees surfaces with the best that sees none; None where one of them is missing."""
    table = headline_metrics(predictions, split)
    with_surfaces, without = best_model(table, SURFACES), best_model(table, NO_SURFACES)
    if with_surfaces is None or without is None:
        return None
    return compare(predictions, split, with_surfaces["model"], without["model"])
