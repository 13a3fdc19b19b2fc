"""How the groups of a dataset are divided into folds, by their names alone (light: read with the Snakefile)."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SPLIT_SEED = 0  # of the plan; `seeds` in the configuration are those of the trainings
TOLD_DRAWS = 8  # initial edges of a compound that predictions are made for; more are for training alone
SITES = ("A", "B", "X")  # sites with names of their own, which networks of sites and formulas learn from
SPLITS = ("random", "leave-A-out", "leave-B-out")
HOLDOUT = "holdout"
PAPER = "paper"
GROUPS = "groups"
MOST_GROUPS = 20  # folds of the split `groups`: more are no folds, but groups that a split must not separate
PAPER_HIGHEST_ANGSTROM = 5.0  # of the property `a_angstrom`
PAPER_TESTED = 0.3  # share of the compounds


class SplitError(ValueError):
    """A dataset that cannot be divided as it is asked; the message says what to write."""


@dataclass(frozen=True)
class Parts:
    """The groups of one fold, by part; of a group that has a part, all compounds that are not left out are in it."""

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
    """Divide the groups of a dataset into folds: `folds.make_splits` says how.

    Parameters
    ----------
    name : str
        Name of the dataset, for messages.
    kind : str
        ``random``, ``leave-A-out`` and so on.
    groups : sequence of str
        By row what no split may separate.
    elements : sequence of str or None
        By row the element on the site that `kind` leaves out; None where sites have no names. Unused by ``random``.
    folds : int
        Number of folds, at least 2.
    seed : int
        Another seed gives another division.
    validation_fraction : float
        Share of the groups outside the test part, at least 0 and below 1.

    Raises
    ------
    SplitError
        As `folds.make_splits`.
    """
    if kind not in SPLITS:
        raise SplitError(f"unknown split '{kind}'; write one of {', '.join(SPLITS)}")
    if folds < 2:
        raise SplitError(f"learning: folds: {folds} leaves nothing to train on; write 2 or more")
    if not 0 <= validation_fraction < 1:
        raise SplitError(f"learning: validation_fraction: {validation_fraction} is not a share; write e.g. 0.15")
    units, what = _units(name, kind, groups, elements)
    sizes = Counter(units)
    if len(sizes) < folds:
        raise SplitError(
            f"dataset '{name}' has {len(sizes)} {what}, too few for {folds} folds of the split "
            f"'{kind}'; {_advice(name, kind, len(sizes))}"
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
        raise SplitError(
            f"dataset '{name}' has {len(sizes)} {what}, too few for the split '{kind}': a fold would train on "
            "less than two; add structures"
        )
    return made


def _advice(name: str, kind: str, units: int) -> str:
    """Say what to do where there are fewer units than folds."""
    if kind != "random":
        return f"write learning: folds: {units} or add structures" if units > 1 else f"leave out the split '{kind}'"
    if units > 1:
        return f"write learning: folds: {units}, or learning: splits: [{GROUPS}], which tests each group once"
    return (
        f"crystals of one formula stay together: name under `datasets: {name}: group:` a column that says which of "
        "them belong together, such as their ids"
    )


def group_folds(
    name: str,
    groups: Sequence[str],
    formulas: Sequence[str],
    compounds: Sequence[str],
    seed: int,
    validation_fraction: float,
) -> list[tuple[str, frozenset[str]]]:
    """Make a fold for each group, which it tests: the folds of a benchmark stand in a column of its table.

    Parameters
    ----------
    name : str
        Name of the dataset, for messages.
    groups, formulas, compounds : sequence of str
        Group, formula and compound of each row.
    seed : int
        Another seed gives other validation parts.
    validation_fraction : float
        Share of the formulas of the other groups; of their compounds, where these have one formula.

    Returns
    -------
    list of tuple (str, frozenset of str)
        The group that each fold tests, in the order of their names, and the compounds of the other groups that are kept
        for validation.

    Raises
    ------
    SplitError
        There is one group, or more than `MOST_GROUPS`.
    """
    names = sorted(set(groups))
    if not 2 <= len(names) <= MOST_GROUPS:
        raise SplitError(
            f"dataset '{name}' has {len(names)} groups, and the split '{GROUPS}' makes a fold of each; write under "
            f"`datasets: {name}: group:` the column that says which fold a row is of (2 to {MOST_GROUPS})"
        )
    found = []
    for one in names:
        others = {
            compound: formula
            for compound, formula, group in zip(compounds, formulas, groups, strict=True)
            if group != one
        }
        if len(set(others.values())) == 1:  # polymorphs alone
            others = {compound: compound for compound in others}
        ordered = dealt(set(others.values()), f"{seed}/{GROUPS}/{one}")
        kept = set(ordered[: _validated(len(ordered), validation_fraction)])
        found.append((one, frozenset(compound for compound, unit in others.items() if unit in kept)))
    return found


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
    name : str
        Name of the dataset, for messages.
    compounds, groups : sequence of str
        Compound and group of each row.
    held : sequence of str
        The compounds to test.
    seed : int
        Another seed gives another division.
    validation_fraction : float
        Share of the groups outside the test part, at least 0 and below 1.

    Raises
    ------
    SplitError
        None is named, one is not in the dataset, or less than two groups are left to train on.
    """
    if not held:
        raise SplitError(
            f"the split '{HOLDOUT}' tests the compounds named under learning: holdout:, and none is; name some, "
            f"or leave out the split '{HOLDOUT}'"
        )
    if absent := sorted(set(held) - set(compounds)):
        more = f" and {len(absent) - 10} more" if len(absent) > 10 else ""
        raise SplitError(
            f"dataset '{name}' lacks these compounds of learning: holdout: {', '.join(absent[:10])}{more}; write them "
            "as the table does, or delete them"
        )
    test = {group for compound, group in zip(compounds, groups, strict=True) if compound in set(held)}
    parts = _parts(set(groups), test, f"{seed}/{HOLDOUT}", validation_fraction)
    if len(parts.train) < 2:
        raise SplitError(
            f"the split '{HOLDOUT}' leaves less than two compounds of '{name}' to train on, besides those for "
            "validation; name fewer under learning: holdout:"
        )
    return parts


def paper_split(
    name: str, compounds: Sequence[str], groups: Sequence[str], edges: Sequence[float | None] | None
) -> tuple[Parts, list[int]]:
    """Make the one fold of the paper's authors: 70 % of the compounds to train, 30 % to test, none for validation.

    The compounds are taken in the order of the table and shuffled as scikit-learn's ``train_test_split(test_size=0.3,
    random_state=0)`` does: of a permutation by ``numpy.random.RandomState(0)`` the first 30 %, rounded up, are tested.
    The authors' rows are in the order of OQMD entry ids, as those of the embedded table are. They leave out edges above
    5 Å; such structures are in no part. A group of several compounds goes where its first compound goes.

    Parameters
    ----------
    name : str
        Name of the dataset, for messages.
    compounds, groups : sequence of str
        Compound and group of each structure, in the order of the table.
    edges : sequence of float or None, Å
        The property of each structure where it is the edge `a_angstrom`; else None, and nothing is left out.

    Returns
    -------
    parts : Parts
        Groups by part.
    kept : list of int
        Numbers of the structures that are not left out.

    Raises
    ------
    SplitError
        Less than two groups are left to train on, or none to test.
    """
    import numpy as np  # not where no such split is made

    kept = list(range(len(compounds)))
    if edges is not None:
        kept = [row for row, edge in enumerate(edges) if edge is None or edge <= PAPER_HIGHEST_ANGSTROM]
    group_of: dict[str, str] = {}
    for row in kept:
        group_of.setdefault(compounds[row], groups[row])
    order = np.random.RandomState(0).permutation(len(group_of))  # as scikit-learn does
    tested = set(order[: math.ceil(PAPER_TESTED * len(group_of))].tolist())
    is_tested: dict[str, bool] = {}
    for place, group in enumerate(group_of.values()):
        is_tested.setdefault(group, place in tested)
    test = frozenset(group for group, of_test in is_tested.items() if of_test)
    train = frozenset(is_tested) - test
    if len(train) < 2 or not test:
        above = f" at most {PAPER_HIGHEST_ANGSTROM:g} Å large" if edges is not None else ""
        raise SplitError(
            f"dataset '{name}' has {len(is_tested)} groups of compounds{above}, too few for the split '{PAPER}': it "
            f"would train on {len(train)} and test {len(test)}; leave out the split '{PAPER}' or add structures"
        )
    return Parts(train, frozenset(), test), kept


def main_kind(kinds: Sequence[str]) -> str:
    """Name the split that the headline figures and the models of a folder are of: ``random``, else the first."""
    return "random" if "random" in kinds else next(iter(kinds), "")


def dealt(names: Iterable[str], salt: str) -> list[str]:
    """Sort names by a digest: an order that depends on neither their order nor the machine."""
    return sorted(names, key=lambda name: hashlib.sha256(f"{salt}/{name}".encode()).digest())


def _validated(count: int, validation_fraction: float) -> int:
    """How many of those that are not tested are kept for validation: one at least, and one is left to train on."""
    return min(math.ceil(validation_fraction * count), count - 1)


def _parts(groups: set[str], test: set[str], salt: str, validation_fraction: float) -> Parts:
    others = dealt(groups - test, salt)
    share = _validated(len(others), validation_fraction)
    return Parts(frozenset(others[share:]), frozenset(others[:share]), frozenset(test))


def _units(name: str, kind: str, groups: Sequence[str], elements: Sequence[str] | None) -> tuple[Sequence[str], str]:
    """Per row the name of what the split deals out, and what that is called."""
    if kind == "random":
        return groups, "groups of compounds"
    site = kind.split("-")[1]
    if elements is None:
        raise SplitError(
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
