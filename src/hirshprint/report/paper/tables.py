"""Data of the counterparts of the paper's tables and figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from hirshprint.accuracy.metrics import metrics
from hirshprint.accuracy.predictions import basis, main_split, read_predictions, read_targets
from hirshprint.accuracy.standing import COMPOSITION, FINGERPRINT, best_model, headline_metrics, headline_rows, with_sd
from hirshprint.networks.registry import CNN_PAPER, of_paper
from hirshprint.report.paper.published import METRICS, ROLES, TABLE1

EDGE_BIN_ANGSTROM = 0.25


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


def model_here(tables: Tables, model: str) -> str:
    """Name the model that stands for one of the paper: for its network the one of its authors that was trained."""
    return (of_paper(tables.predictions["model"].unique()) or model) if model == CNN_PAPER else model


def table1(tables: Mapping[str, Tables]) -> pd.DataFrame:
    """The paper's Table 1 beside the same kind of model here, then the best models here on the same folds.

    Returns
    -------
    DataFrame
        One row per model: what, dataset, model, then r2_paper, r2, r2_sd, mae_paper, mae, mae_sd (Å), mse_paper, mse,
        mse_sd (Å²); folds, compounds (test compounds over all folds).
    """
    wanted = [(what, figures, role, model_here(tables[role], model)) for what, *figures, role, model in TABLE1]
    for role in ("oqmd", "experimental"):
        found = headline_metrics(tables[role].predictions, tables[role].split)
        for words, kinds in (
            ("best here from the fingerprint alone", [FINGERPRINT[0]]),
            ("best here from the composition alone", COMPOSITION),
        ):
            best = best_model(found, kinds)
            if best is not None:
                wanted.append((f"{words}, {ROLES[role]}", [np.nan] * 3, role, str(best["model"])))
    rows = []
    for what, figures, role, model in wanted:
        here = accuracy(tables[role], model) or {}
        row: dict[str, Any] = {"what": what, "dataset": tables[role].name, "model": model}
        for (name, _, _), paper in zip(METRICS, figures, strict=True):
            row |= {f"{name}_paper": paper, name: here.get(name, np.nan), f"{name}_sd": here.get(f"{name}_sd", np.nan)}
        rows.append(row | {"folds": here.get("n_folds", 0), "compounds": here.get("n", 0)})
    return pd.DataFrame(rows)


def residual_table(tables: Tables, models: Sequence[str]) -> pd.DataFrame:
    """Regression of the test residual (predicted - true) on the true edge, per fold, then mean and sd over folds.

    Returns
    -------
    DataFrame
        One row per model: model, slope, slope_sd, intercept_angstrom (of all folds together), mean_residual_angstrom
        and residual_sd_angstrom (over all compounds), mae_angstrom, mae_angstrom_sd, folds, compounds.
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


def parity_table(tables: Mapping[str, Tables], models: Sequence[str]) -> pd.DataFrame:
    """Accuracy in training and test part of each model on the dataset of each role; mean and sd over folds.

    Returns
    -------
    DataFrame
        One row per role, model and part: role, dataset, model, part, r2, r2_sd, mae, mae_sd (Å), mse, mse_sd (Å²),
        folds, rows (predictions over all folds).
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


def short_with_sd(value: float, sd: float) -> str:
    """Write ``value ± sd`` with two digits of the sd, but never more than four decimals."""
    return with_sd(value, sd) if not sd < 0.0005 else f"{value:.4f} ± {sd:.4f}"
