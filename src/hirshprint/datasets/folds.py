"""The folds of a dataset: its rows divided so that no group is ever in two parts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hirshprint.config.learning import Learning
from hirshprint.datasets.gather import Dataset
from hirshprint.datasets.splits import (
    GROUPS,
    HOLDOUT,
    PAPER,
    SPLIT_SEED,
    Parts,
    dealt,
    divide,
    group_folds,
    hold_out,
    paper_split,
)

CURVE = "random-{}-percent"  # the random split, trained on so much of its training parts


@dataclass(frozen=True, eq=False)
class Fold:
    """One part of a split: sorted row numbers for training, validation and test.

    No row is in two of them. Each is in one, but for those that the split ``paper`` leaves out; it has no validation.
    """

    number: int
    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]

    def parts(self) -> dict[str, NDArray[np.int64]]:
        """Rows by the name of their part, as the predictions tables call it."""
        return {"train": self.train, "validation": self.validation, "test": self.test}


def make_splits(dataset: Dataset, kind: str, folds: int, seed: int, validation_fraction: float) -> list[Fold]:
    """Divide a dataset into folds: each row is tested exactly once, no group is ever in two parts.

    ``random`` deals out groups; ``leave-A-out`` and ``leave-B-out`` deal out the elements of that site, so
    a test part has only elements that its training part lacks there. The order in which they are dealt
    comes from hashing (seed, name): it depends on neither the order of the rows nor the machine. Each goes
    to the fold with the fewest rows so far. The validation part is that share of the remaining groups.

    Parameters
    ----------
    dataset : Dataset
        What to divide.
    kind : str
        ``random``, ``leave-A-out`` or ``leave-B-out``.
    folds : int
        Number of folds, at least 2.
    seed : int
        Another seed gives another division.
    validation_fraction : float
        Share of the groups outside the test part, at least 0 and below 1.

    Raises
    ------
    SplitError
        Unknown kind, fewer groups or elements than folds, less than two groups to train on, or a share out of
        range; says what to write.
    """
    site = kind.split("-")[1] if "-" in kind else ""
    elements = dataset.elements[site].tolist() if site in dataset.elements else None
    groups = dataset.groups.tolist()
    parts = divide(dataset.name, kind, groups, elements, folds, seed, validation_fraction)
    return [_fold(dataset, number, one) for number, one in enumerate(parts)]


def holdout_split(dataset: Dataset, compounds: Sequence[str], seed: int, validation_fraction: float) -> list[Fold]:
    """Make one fold whose test part is the groups of the named compounds.

    Raises
    ------
    SplitError
        None is named, one is not in the dataset, or less than two groups are left to train on.
    """
    rows = (dataset.compounds.tolist(), dataset.groups.tolist())
    return [_fold(dataset, 0, hold_out(dataset.name, *rows, compounds, seed, validation_fraction))]


def with_share_of_training(dataset: Dataset, fold: Fold, share: float, salt: str) -> Fold:
    """Keep a share of the groups of a fold's training part, at least two; validation and test part stay."""
    groups = dealt(set(dataset.groups[fold.train].tolist()), salt)
    kept = groups[: max(2, round(share * len(groups)))]
    return Fold(fold.number, fold.train[np.isin(dataset.groups[fold.train], kept)], fold.validation, fold.test)


def planned_splits(dataset: Dataset, learning: Learning) -> dict[str, list[Fold]]:
    """Make the folds of every split of the configuration's ``learning`` section, the same for every model.

    Each share of its ``learning_curve`` adds a split named like ``random-25-percent``: the same folds, less to learn
    from, a smaller share always a part of a larger one.
    """
    fraction = learning.validation_fraction

    def made(kind: str) -> list[Fold]:
        if kind == HOLDOUT:
            return holdout_split(dataset, learning.holdout, SPLIT_SEED, fraction)
        if kind == PAPER:
            return [_paper_fold(dataset)]
        if kind == GROUPS:
            return _group_folds(dataset, fraction)
        return make_splits(dataset, kind, learning.folds, SPLIT_SEED, fraction)

    plan: dict[str, list[Fold]] = {kind: made(kind) for kind in learning.splits}
    for share in learning.learning_curve:
        plan[CURVE.format(f"{100 * share:g}")] = [
            with_share_of_training(dataset, fold, share, f"{SPLIT_SEED}/curve/{fold.number}") for fold in made("random")
        ]
    return plan


def curve_share(split: str) -> float | None:
    """Share of the training part that a split of a learning curve has; 1 for ``random``, None for other splits."""
    if split == "random":
        return 1.0
    match = re.fullmatch(CURVE.format(r"([\d.]+)"), split)
    return float(match[1]) / 100 if match else None


def seeds_of(split: str, learning: Learning) -> list[int]:
    """Seeds to train a split with: all of the plan, one where only a learning curve needs it."""
    seeds = [int(seed) for seed in learning.seeds]
    return seeds if split == "random" or curve_share(split) is None else seeds[:1]


def _fold(dataset: Dataset, number: int, parts: Parts) -> Fold:
    names = (sorted(part) for part in (parts.train, parts.validation, parts.test))
    train, validation, test = (np.flatnonzero(np.isin(dataset.groups, part)) for part in names)
    return Fold(number=number, train=train, validation=validation, test=test)


def _paper_fold(dataset: Dataset) -> Fold:
    """Make the fold of `splits.paper_split`, the structures in the order of the table."""
    rows = np.arange(len(dataset.targets)) if dataset.places is None else np.argsort(dataset.places)
    edges = dataset.targets[rows].tolist() if dataset.property == "a_angstrom" else None
    parts, kept = paper_split(dataset.name, dataset.compounds[rows].tolist(), dataset.groups[rows].tolist(), edges)
    fold = _fold(dataset, 0, parts)
    return Fold(0, *(np.intersect1d(of_part, rows[kept]) for of_part in fold.parts().values()))


def _group_folds(dataset: Dataset, validation_fraction: float) -> list[Fold]:
    """Make the folds of `splits.group_folds`; rows of one formula are not divided between training and validation."""
    of_rows = (dataset.groups.tolist(), dataset.formulas.tolist(), dataset.compounds.tolist())
    found = group_folds(dataset.name, *of_rows, SPLIT_SEED, validation_fraction)
    folds = []
    for number, (group, kept) in enumerate(found):
        tested = dataset.groups == group
        validation = ~tested & np.isin(dataset.compounds, sorted(kept))
        folds.append(Fold(number, *(np.flatnonzero(part) for part in (~tested & ~validation, validation, tested))))
    return folds
