"""How the groups of a dataset are divided into folds, by their names alone (light: read with the Snakefile)."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SPLIT_SEED = 0  # of the plan; `seeds` in the configuration are those of the trainings
SPLITS = ("random", "leave-A-out", "leave-B-out")
HOLDOUT = "holdout"


@dataclass(frozen=True)
class Parts:
    """The groups of one fold, by part."""

    train: frozenset[str]
    validation: frozenset[str]
    test: frozenset[str]


def divide(
    name: str,
    kind: str,
    groups: Sequence[str],
    elements: Sequence[str] | None,
    folds: int,
    seed: int,
    validation_fraction: float,
) -> list[Parts]:
    """Divide the groups of a dataset into folds: `datasets.make_splits` says how.

    Parameters
    ----------
    name : of the dataset, for messages.
    groups : by row what no split may separate.
    elements : by row the element on the site that `kind` leaves out; None where sites have no names. Unused by
        ``random``.

    Raises
    ------
    ValueError
        As `datasets.make_splits`.
    """
    if kind not in SPLITS:
        raise ValueError(f"unknown split '{kind}'; write one of {', '.join(SPLITS)}")
    if folds < 2:
        raise ValueError(f"learning: folds: {folds} leaves nothing to train on; write 2 or more")
    if not 0 <= validation_fraction < 1:
        raise ValueError(f"learning: validation_fraction: {validation_fraction} is not a share; write e.g. 0.15")
    units, what = _units(name, kind, groups, elements)
    sizes = Counter(units)
    if len(sizes) < folds:
        advice = f"write learning: folds: {len(sizes)}" if len(sizes) > 1 else f"leave out the split '{kind}'"
        raise ValueError(
            f"dataset '{name}' has {len(sizes)} {what}, too few for {folds} folds of the split "
            f"'{kind}'; {advice} or add structures"
        )
    filled = [0] * folds
    fold_of: dict[str, int] = {}
    for unit in dealt(sizes, f"{seed}/{kind}"):
        lightest = filled.index(min(filled))
        fold_of[unit] = lightest
        filled[lightest] += sizes[unit]
    tested: list[set[str]] = [set() for _ in range(folds)]
    for unit, group in zip(units, groups, strict=True):
        tested[fold_of[unit]].add(group)
    made = [
        _parts(set(groups), test, f"{seed}/{kind}/{number}", validation_fraction) for number, test in enumerate(tested)
    ]
    if min(len(parts.train) for parts in made) < 2:
        raise ValueError(
            f"dataset '{name}' has {len(sizes)} {what}, too few for the split '{kind}': a fold would train on "
            "less than two; add structures"
        )
    return made


def hold_out(
    name: str,
    compounds: Sequence[str],
    groups: Sequence[str],
    held: Sequence[str],
    seed: int,
    validation_fraction: float,
) -> Parts:
    """Make one fold that tests the groups of some compounds.

    Parameters
    ----------
    name : of the dataset, for messages.
    compounds, groups : of each row.
    held : the compounds to test.

    Raises
    ------
    ValueError
        None is named, one is not in the dataset, or less than two groups are left to train on.
    """
    if not held:
        raise ValueError(
            f"the split '{HOLDOUT}' tests the compounds named under learning: holdout:, and none is; name some, "
            f"or leave out the split '{HOLDOUT}'"
        )
    if absent := sorted(set(held) - set(compounds)):
        more = f" and {len(absent) - 10} more" if len(absent) > 10 else ""
        raise ValueError(
            f"dataset '{name}' lacks these compounds of learning: holdout: {', '.join(absent[:10])}{more}; write them "
            "as the table does, or delete them"
        )
    test = {group for compound, group in zip(compounds, groups, strict=True) if compound in set(held)}
    parts = _parts(set(groups), test, f"{seed}/{HOLDOUT}", validation_fraction)
    if len(parts.train) < 2:
        raise ValueError(
            f"learning: holdout: leaves less than two compounds of '{name}' to train on, besides those for validation; "
            "name fewer"
        )
    return parts


def dealt(names: Iterable[str], salt: str) -> list[str]:
    """Sort names by a digest: an order that depends on neither their order nor the machine."""
    return sorted(names, key=lambda name: hashlib.sha256(f"{salt}/{name}".encode()).digest())


def _parts(groups: set[str], test: set[str], salt: str, validation_fraction: float) -> Parts:
    others = dealt(groups - test, salt)
    share = min(math.ceil(validation_fraction * len(others)), len(others) - 1)
    return Parts(frozenset(others[share:]), frozenset(others[:share]), frozenset(test))


def _units(name: str, kind: str, groups: Sequence[str], elements: Sequence[str] | None) -> tuple[Sequence[str], str]:
    """Per row the name of what the split deals out, and what that is called."""
    if kind == "random":
        return groups, "groups of compounds"
    site = kind.split("-")[1]
    if elements is None:
        raise ValueError(
            f"the split '{kind}' needs the element of site {site} for every structure, which dataset "
            f"'{name}' lacks; write learning: splits: [random]"
        )
    groups_of: dict[str, set[str]] = {}
    for unit, group in zip(elements, groups, strict=True):
        groups_of.setdefault(group, set()).add(unit)
    name_of: dict[str, str] = {unit: unit for unit in elements}
    for shared in groups_of.values():  # a group with several elements on the site ties them together
        joined = {name_of[unit] for unit in shared}
        name_of = {unit: min(joined) if label in joined else label for unit, label in name_of.items()}
    return [name_of[unit] for unit in elements], f"elements on site {site}"
