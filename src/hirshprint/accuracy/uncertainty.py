"""The standard deviation to expect of a prediction: from the spread over seeds and from the elements.

A network's members agree too well, and how wrong they are depends on the elements: those whose compounds a training
does not fit well are also predicted less well. Both are weighed, and the size of all is set, by the errors of the
validation part; test parts are not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hirshprint.accuracy.predictions import basis, by_model
from hirshprint.datasets.gather import site_columns
from hirshprint.structures.sources.targets import ANSWER_UNIT
from hirshprint.structures.symbols import composition

WITHIN_ONE, WITHIN_TWO = 0.6827, 0.9545  # shares of normal errors within one and two standard deviations
ALLOWED_ONE, ALLOWED_TWO = 0.05, 0.03  # misses of these two that count as equally bad
FAMILIAR = 3  # an element's misfit counts as if so many more compounds had the misfit of all
PENALTY = 10  # ridge on the two slopes, in validation rows
LEAST_ERROR = 0.2  # of the median error: a chance hit is not taken for knowledge
RUN = ["dataset", "model", "split", "fold", "seed", "basis"]


def occupants(formulas: Sequence[str], sites: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Name what each compound is made of: ``A=Sr``, ``B=Ti``, ... on named sites, else its elements."""
    if sites:
        return [[f"{site}={of[row]}" for site, of in sites.items()] for row in range(len(formulas))]
    return [list(composition(formula)) for formula in formulas]


def occupants_of_targets(targets: pd.DataFrame) -> dict[str, list[str]]:
    """`occupants` of each compound of a table of targets."""
    sites = site_columns(targets.columns.tolist())
    table = targets.drop_duplicates("compound")
    named = bool((table[sites] != "").all(axis=None))
    found = occupants(table["formula"].tolist(), {site: table[site].tolist() for site in sites if named})
    return dict(zip(table["compound"].tolist(), found, strict=True))


def fit_std(rows: pd.DataFrame, made_of: Mapping[str, Sequence[str]]) -> dict[str, Any] | None:
    """Learn what standard deviation to expect, from one run's errors in its training and validation parts.

    The logarithm of a validation error is a linear function (ridge) of the logarithm of the spread and of the mean
    misfit of what the compound is made of: the mean of √|error| of the training rows that have it, squared. Then
    one factor is chosen, by which one and two standard deviations hold 68 and 95 % of the validation errors, or the
    nearest that one factor comes to both.

    Parameters
    ----------
    rows : DataFrame
        Rows of the predictions table of one model, split, fold, seed and basis; `std` is the spread over seeds.
    made_of : mapping of str to sequence of str
        `occupants` by compound.

    Returns
    -------
    dict or None
        What `expected_std` takes (it fits into JSON), None where there is no validation part.
    """
    error = (rows["predicted"] - rows["true"]).abs()
    training, validation = rows["part"] == "train", rows["part"] == "validation"
    if not validation.any():
        return None
    spread = rows["std"].to_numpy(np.float64, na_value=0.0)[validation]
    of_rows = [made_of[compound] for compound in rows.loc[validation, "compound"]]
    fitted: dict[str, Any] = {"floor": float(np.median(spread))}
    fitted |= _misfits(error[training] ** 0.5, [made_of[name] for name in rows.loc[training, "compound"]])
    features = _features(fitted, spread, of_rows)
    mean, sd = features.mean(axis=0), features.std(axis=0)
    scaled = (features - mean) / np.where(sd > 0, sd, 1.0)
    errors = error[validation].to_numpy()
    wanted = np.log(errors + max(LEAST_ERROR * float(np.median(errors)), np.finfo(float).tiny))
    slopes = np.linalg.solve(scaled.T @ scaled + PENALTY * np.eye(2), scaled.T @ (wanted - wanted.mean()))
    fitted |= {"mean": mean.tolist(), "slopes": (slopes / np.where(sd > 0, sd, 1.0)).tolist(), "factor": 1.0}
    return fitted | {"factor": _factor(errors / expected_std(fitted, spread, of_rows))}


def expected_std(
    fitted: Mapping[str, Any], spread: NDArray[np.float64], of_rows: Sequence[Sequence[str]]
) -> NDArray[np.float64]:
    """Standard deviation (n,) to expect, in the property's unit.

    Parameters
    ----------
    fitted : mapping
        What `fit_std` gives.
    spread : ndarray of float64, (n,)
        Standard deviation over seeds, 0 where there is one.
    of_rows : sequence of sequence of str
        `occupants` of the rows.
    """
    features = _features(fitted, spread, of_rows) - fitted["mean"]
    size: NDArray[np.float64] = fitted["factor"] * np.exp(features @ np.array(fitted["slopes"]))
    return size


def answer_std(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard deviation (n,) of an answer, as 1 or 0, that a probability states: √(p(1 − p)), largest at one half.

    Parameters
    ----------
    probability : ndarray of float64, (n,)
        Of yes.
    """
    p = np.clip(probability, 0.0, 1.0)
    std: NDArray[np.float64] = np.sqrt(p * (1 - p))
    return std


def in_decades(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of a table of predictions with their decimal logarithms, and the spread of these."""
    by_value = rows["predicted"].clip(lower=np.finfo(float).tiny)
    return rows.assign(
        predicted=np.log10(by_value), true=np.log10(rows["true"]), std=rows["std"] / (by_value * np.log(10))
    )


def of_value(decades: NDArray[np.float64], predicted: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard deviation (n,) in a property's unit of one in decades, (n,), for small ones.

    Parameters
    ----------
    decades : ndarray of float64, (n,)
        Of the decimal logarithm.
    predicted : ndarray of float64, (n,)
        In the unit.
    """
    found: NDArray[np.float64] = decades * np.log(10) * predicted
    return found


def with_calibrated_std(
    table: pd.DataFrame, made_of: Mapping[str, Sequence[str]], scale: str = "linear"
) -> pd.DataFrame:
    """Replace the spread in ``std`` by the standard deviation to expect; NaN where a run has no validation part.

    Of a property with the scale ``log`` errors are looked at in decades, so a deviation is a share of the prediction.
    """
    std = np.full(len(table), np.nan)
    for of_model in by_model(table):
        if of_model["unit"].iloc[0] == ANSWER_UNIT:
            std[of_model.index] = answer_std(of_model["predicted"].to_numpy())
            continue
        shown = in_decades(of_model) if scale == "log" else of_model
        for _, rows in shown.assign(basis=basis(of_model)).groupby(RUN, sort=False):
            if fitted := fit_std(rows, made_of):
                of_rows = [made_of[compound] for compound in rows["compound"]]
                std[rows.index] = expected_std(fitted, rows["std"].to_numpy(np.float64, na_value=0.0), of_rows)
    return table.assign(std=of_value(std, table["predicted"].to_numpy()) if scale == "log" else std)


def _misfits(roots: pd.Series[float], of_rows: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Logarithm of the misfit of each occupant, and of one that training had not: that of all rows."""
    if roots.empty or not roots.mean() > 0:
        return {"misfit": {}, "misfit_of_all": 0.0}
    parts = pd.DataFrame({"root": roots.to_numpy(), "part": of_rows}).explode("part").groupby("part")["root"]
    shrunk = (parts.sum() + FAMILIAR * roots.mean()) / (parts.size() + FAMILIAR)
    return {"misfit": (2 * np.log(shrunk)).round(4).to_dict(), "misfit_of_all": float(2 * np.log(roots.mean()))}


def _features(
    fitted: Mapping[str, Any], spread: NDArray[np.float64], of_rows: Sequence[Sequence[str]]
) -> NDArray[np.float64]:
    """Logarithms (n, 2) of the spread, no less than its floor, and of the mean misfit."""
    size = np.hypot(spread, fitted["floor"])
    known, of_all = fitted["misfit"], fitted["misfit_of_all"]
    misfit = [np.mean([known.get(part, of_all) for part in parts]) for parts in of_rows]
    return np.column_stack([np.log(np.where(size > 0, size, 1.0)), misfit])


def _factor(errors: NDArray[np.float64]) -> float:
    """Find the unit of which one and two hold the shares of `errors` that are nearest to those of a normal one."""
    ordered = np.sort(errors)
    choices = np.union1d(ordered, ordered / 2)

    def miss(reach: NDArray[np.float64], wanted: float) -> NDArray[np.float64]:
        held: NDArray[np.float64] = np.searchsorted(ordered, reach, side="right") / len(ordered)
        return np.abs(held - wanted)

    one, two = miss(choices, WITHIN_ONE) / ALLOWED_ONE, miss(2 * choices, WITHIN_TWO) / ALLOWED_TWO
    return float(choices[np.argmin(np.maximum(one, two))])
