"""Data of the counterparts of the paper's supporting information."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from hirshprint.accuracy.predictions import ENSEMBLE
from hirshprint.accuracy.standing import headline_rows
from hirshprint.baselines.registry import MLP
from hirshprint.networks.registry import CGCNN, CNN, HYBRID, OF_PAPER, READOUT
from hirshprint.report.figures.elements import table_place
from hirshprint.report.paper.tables import EDGE_BIN_ANGSTROM, Tables, accuracy
from hirshprint.structures.symbols import SYMBOLS


def edge_errors(tables: Tables, models: Sequence[str]) -> pd.DataFrame:
    """Test error by the edge that the fingerprint was made at, and by how far that is from the true edge.

    Every single structure counts: a model that sees several edges of a compound is taken at one edge at a time.

    Returns
    -------
    DataFrame
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


def estimated_edge_table(random: Tables, estimated: Tables) -> pd.DataFrame:
    """Test accuracy with a random initial edge, and with one estimated from radii; then the estimate's own.

    Returns
    -------
    DataFrame
        One row per initial edge and model: initial_edge, dataset, model, mae (Å), mae_sd, r2, r2_sd, folds, compounds.
        The model ``the estimate itself`` takes the initial edge for the prediction.
    """
    rows: list[dict[str, Any]] = []
    models = [m for m in random.predictions["model"].unique() if m in (*OF_PAPER, CNN, CGCNN, READOUT, HYBRID, MLP)]
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


def group_errors(tables: Tables, models: Sequence[str]) -> pd.DataFrame:
    """Test error by periodic group and row of the element on A and on B.

    Lanthanides (La to Lu) and actinides (Ac to Lr) are groups of their own, ``Ln`` and ``An``, and count to rows 6, 7.

    Returns
    -------
    DataFrame
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
