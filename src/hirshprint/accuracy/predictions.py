"""The predictions table that every model and baseline writes, and the accuracy figures computed from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hirshprint.datasets.folds import Fold
from hirshprint.datasets.gather import Dataset
from hirshprint.datasets.splits import main_kind
from hirshprint.files.reading import DamagedError, check_table, reading, table_written

COLUMNS = (
    "dataset",
    "model",
    "split",
    "fold",
    "seed",
    "part",
    "structure_id",
    "compound",
    "property",
    "unit",
    "true",
    "predicted",
    "std",
)
PARTS = ("train", "validation", "test")
ENSEMBLE = "ensemble"
_TEXT = ("dataset", "model", "split", "seed", "part", "structure_id", "compound", "property", "unit")


def fold_predictions(
    dataset: Dataset, model: str, split: str, fold: Fold, seed: int, predicted: NDArray[np.float64]
) -> pd.DataFrame:
    """Table of one trained model, a row per structure, from its predictions for every row of the dataset; compact.

    Parameters
    ----------
    dataset : Dataset
        The dataset, whose targets are the true values.
    model : str
        Name of the model.
    split : str
        Kind of the split.
    fold : Fold
        Which rows are trained on, validated and tested.
    seed : int
        Seed of the training.
    predicted : ndarray of float64, (n,)
        What the model predicts for each row of the dataset.
    """
    parts = fold.parts()
    rows = np.concatenate(list(parts.values()))

    def same(text: str) -> Any:
        return pd.Categorical.from_codes(np.zeros(len(rows), np.int8), pd.Index([text]))

    return pd.DataFrame(
        {
            "dataset": same(dataset.name),
            "model": same(model),
            "split": same(split),
            "fold": fold.number,
            "seed": same(str(seed)),
            "part": pd.Categorical(np.repeat(list(parts), [len(of_part) for of_part in parts.values()])),
            "structure_id": pd.Categorical(dataset.structure_ids[rows]),
            "compound": pd.Categorical(dataset.compounds[rows]),
            "property": same(dataset.property),
            "unit": same(dataset.unit),
            "true": dataset.targets[rows],
            "predicted": predicted[rows],
            "std": np.full(len(rows), np.nan),
        },
        columns=list(COLUMNS),
    )


def joined(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Put tables one below the other, compact: each different text is kept once, and a number in each row."""
    found = {}
    for name in COLUMNS:
        columns = [table[name] for table in tables]
        if name in _TEXT:
            as_categories = [column.astype("str").astype("category") for column in columns]
            found[name] = pd.Series(pd.api.types.union_categoricals(as_categories, sort_categories=True))
        else:
            found[name] = pd.concat(columns, ignore_index=True)
    return pd.DataFrame(found)


def plain(table: pd.DataFrame) -> pd.DataFrame:
    """Give a compact table its text back; equal texts are one in memory."""
    return table.astype({name: "str" for name in _TEXT if isinstance(table[name].dtype, pd.CategoricalDtype)})


def by_model(table: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Rows of one model after the other, with plain text; their index is their place in the table.

    What is computed of many rows takes several times the memory of the rows; no model needs those of another.
    """
    for places in table.groupby(["dataset", "model"], sort=False, observed=True).indices.values():
        yield plain(table.iloc[places].set_axis(places))


def with_ensembles(table: pd.DataFrame) -> pd.DataFrame:
    """Add, where a model was trained with several seeds, rows ``seed = ensemble``: mean and sd over them."""
    single = table[table["seed"] != ENSEMBLE]
    if single["seed"].nunique() < 2:
        return single
    keys = [column for column in COLUMNS if column not in ("seed", "predicted", "std")]
    found = []
    for rows in by_model(single):
        grouped = rows.groupby(keys, sort=False)["predicted"]
        joint = grouped.agg(predicted="mean", std="std", members="size").reset_index()
        found.append(joint[joint["members"] > 1].assign(seed=ENSEMBLE)[list(COLUMNS)])
    return _with_more(single, found)


def with_compound_means(table: pd.DataFrame) -> pd.DataFrame:
    """Add, where a model predicts several structures of a compound, rows without structure_id: their mean and sd."""
    keys = [column for column in COLUMNS if column not in ("structure_id", "predicted", "std")]
    found = []
    for rows in by_model(table):
        several = rows[basis(rows) == "structure"]
        joint = several.groupby(keys, sort=False)["predicted"].agg(predicted="mean", std="std").reset_index()
        found.append(joint.assign(structure_id="")[list(COLUMNS)])
    return _with_more(table, found)


def _with_more(table: pd.DataFrame, found: Sequence[pd.DataFrame]) -> pd.DataFrame:
    more = [rows for rows in found if len(rows)]
    return joined([table, *more]) if more else table


def basis(table: pd.DataFrame) -> pd.Series[Any]:
    """Say of each row whether it stands for a ``compound``, or for a ``structure``: one of several of its compound.

    Where a model has several rows for any compound, its rows with a structure_id are those of structures.
    """
    named = table["structure_id"] != ""
    counted = named.groupby([table[column] for column in ("dataset", "model", "split", "fold", "seed", "compound")])
    several = (counted.transform("sum") > 1).groupby([table["dataset"], table["model"], table["split"]])
    return pd.Series(np.where(named & several.transform("any"), "structure", "compound"), table.index)


def main_split(predictions: pd.DataFrame) -> str:
    """Name of the split the headline figures use: ``random`` where there is one, else the first."""
    return main_kind([str(split) for split in predictions["split"].unique()])


def write_predictions(path: str | Path, table: pd.DataFrame) -> None:
    """Check the table (`validate_predictions`) and write it as CSV, whole or not at all."""
    validate_predictions(table)
    with table_written(path) as temporary:
        table.to_csv(temporary, index=False, columns=list(COLUMNS), float_format="%.9g")


def read_predictions(path: str | Path) -> pd.DataFrame:
    """Read and check a predictions table; text stays text, an absent std is NaN."""
    return plain(read_compact(path))


def read_compact(path: str | Path) -> pd.DataFrame:
    """Read and check a predictions table as `read_predictions`, but leave it compact (`joined`): half the memory.

    `plain` gives some of its rows their text back.
    """
    types: dict[str, Any] = dict.fromkeys(_TEXT, "category") | {"fold": int}
    check_table(path)
    try:
        table = pd.read_csv(path, dtype=types, keep_default_na=False, na_values={"std": [""]})
        validate_predictions(table)
    except ValueError as problem:
        raise DamagedError(path, str(problem)) from problem
    return table.astype({"true": float, "predicted": float, "std": float})


def read_targets(path: str | Path) -> pd.DataFrame:
    """Read the table of targets, one row per structure."""
    number = ("initial_edge_angstrom", "value")
    check_table(path, ("structure_id", "compound", *number))
    with reading(path):
        return pd.read_csv(
            path,
            dtype=dict.fromkeys(number, "float64"),
            keep_default_na=False,
            na_values={column: ["", "nan"] for column in number},
        ).astype({"structure_id": "str", "compound": "str"})


def validate_predictions(table: pd.DataFrame) -> None:
    """Check a predictions table.

    Raises
    ------
    ValueError
        Wrong columns, no rows, an unknown part or seed, a number that is not finite, a row twice, or a
        compound that one model's fold has in more than one part (a leak).
    """
    if tuple(table.columns) != COLUMNS:
        raise ValueError(f"the columns must be {', '.join(COLUMNS)}; found {', '.join(table.columns)}")
    if table.empty:
        raise ValueError("the table has no predictions")
    if unknown := sorted(set(table["part"].unique()) - set(PARTS)):
        raise ValueError(f"unknown part {', '.join(unknown)}; write {', '.join(PARTS)}")
    seeds = table["seed"].drop_duplicates().astype(str)
    if wrong := sorted(set(seeds[~(seeds.str.fullmatch(r"\d+") | (seeds == ENSEMBLE))])):
        raise ValueError(f"seed {', '.join(wrong)} is neither a whole number nor '{ENSEMBLE}'")
    if {table[name].dtype.kind for name in ("true", "predicted")} - set("fi"):  # 0 and 1 are read as whole numbers
        raise ValueError("'true' and 'predicted' must be numbers")
    finite = np.isfinite(table["true"]) & np.isfinite(table["predicted"])
    if not finite.all():
        raise ValueError(f"no finite value for {', '.join(table.loc[~finite, 'compound'].unique()[:10])}")
    run = ["split", "fold", "seed"]
    twice: list[str] = []
    leaked: set[str] = set()
    for _, rows in table.groupby(["dataset", "model"], sort=False, observed=True):
        twice += rows.loc[rows.duplicated([*run, "part", "structure_id", "compound"]), "compound"].tolist()
        once = rows[[*run, "compound", "part"]].drop_duplicates()
        leaked |= set(once.loc[once.duplicated([*run, "compound"]), "compound"])
    if twice:
        raise ValueError(f"more than one row for {', '.join(list(dict.fromkeys(twice))[:10])}")
    if leaked:
        raise ValueError(f"in more than one part of the same fold: {', '.join(sorted(leaked)[:10])}")
