"""What a configuration asks of the splits of a dataset that it cannot give (light: read with the Snakefile)."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from hirshprint.config.learning import Learning
from hirshprint.datasets.splits import (
    GROUPS,
    HOLDOUT,
    PAPER,
    SPLIT_SEED,
    SplitError,
    divide,
    group_folds,
    hold_out,
    main_kind,
    paper_split,
)
from hirshprint.structures.symbols import composition
from hirshprint.words import either


def learning_faults(
    name: str,
    learning: Learning,
    compounds: Sequence[str],
    groups: Sequence[str],
    elements: Mapping[str, Sequence[str]],
    left_out: Mapping[str, str] = MappingProxyType({}),
    edges: Sequence[float | None] | None = None,
) -> list[str]:
    """Say what the learning asks of a dataset that it lacks: enough to divide, and the compounds that are named.

    Parameters
    ----------
    name : str
        Name of the dataset.
    learning : Learning
        Complete section of the configuration that holds for it.
    compounds, groups : sequence of str
        Compound and group of each structure.
    elements : mapping of str to sequence of str
        By site the element of each structure; empty where sites have no names.
    left_out : mapping of str to str, optional
        Why compounds are no structures of the dataset, by name.
    edges : sequence of float, optional, Å
        The property of each structure, where it is the edge `a_angstrom`.

    Returns
    -------
    list of str
        Lines that name the key; none where all is well.
    """
    faults = _named_faults(name, learning, compounds, groups, left_out)
    known = set(compounds)
    for kind in dict.fromkeys([*learning.splits, *(["random"] if learning.learning_curve else [])]):
        site = kind.split("-")[1] if kind.startswith("leave-") else ""
        try:
            if kind == PAPER:
                parts, kept = paper_split(name, compounds, groups, edges)
                tested = {compounds[row] for row in kept if groups[row] in parts.test}
                faults += _untested_faults(learning, known - tested)
            elif kind == GROUPS:
                group_folds(name, groups, compounds, compounds, SPLIT_SEED, learning.validation_fraction)
            elif kind != HOLDOUT:
                fraction = learning.validation_fraction
                divide(name, kind, groups, elements.get(site), learning.folds, SPLIT_SEED, fraction)
            elif known.issuperset(learning.holdout):
                hold_out(name, compounds, groups, learning.holdout, SPLIT_SEED, learning.validation_fraction)
        except SplitError as error:
            key = {HOLDOUT: "holdout", "random": "folds"}.get(kind, "splits")
            faults.append(f"`learning.{key}`: {error}")
    return faults


def target_faults(
    name: str, learning: Learning, targets: Sequence[Mapping[str, Any]], left_out: Mapping[str, str]
) -> list[str]:
    """Say what the learning asks of a dataset that its table of targets lacks, as `learning_faults` does.

    Parameters
    ----------
    name : str
        Name of the dataset.
    learning : Learning
        Complete section of the configuration that holds for it.
    targets : sequence of mapping
        Rows of the table.
    left_out : mapping of str to str
        Why structures that are not in it were left out, by name.
    """
    columns = list(targets[0])
    sites = columns[columns.index("formula") + 1 : columns.index("initial_edge_angstrom")]
    elements = {site: [row[site] for row in targets] for site in sites if all(row[site] for row in targets)}
    compounds, groups = ([str(row[key]) for row in targets] for key in ("compound", "group"))
    edges = [float(row["value"]) for row in targets] if targets[0]["property"] == "a_angstrom" else None
    return learning_faults(name, learning, compounds, groups, elements, left_out, edges)


def asked_in_vain(faults: Sequence[str]) -> str:
    """Join what `target_faults` found to one message."""
    return "The configuration asks for what the structures do not have:\n  - " + "\n  - ".join(faults)


def _named_faults(
    name: str,
    learning: Learning,
    compounds: Sequence[str],
    groups: Sequence[str],
    left_out: Mapping[str, str],
) -> list[str]:
    """Find compounds under `holdout` and `saliency` that the dataset does not have, or never tests."""
    splits, group_of = learning.splits, dict(zip(compounds, groups, strict=True))
    held = learning.holdout if HOLDOUT in splits else []
    faults = [
        f"`learning.{key}`: dataset {name} has no compound {one}{absence(one, compounds, left_out)}"
        for key, named in (("holdout", held), ("saliency", learning.saliency))
        for one in named
        if one not in group_of
    ]
    if main_kind(splits) == HOLDOUT:  # those explained are those that the main split tests
        tested = {group_of.get(one) for one in held}
        faults += [
            f"`learning.saliency`: the split {HOLDOUT} does not test {one}; add it to `holdout`, or name another"
            for one in learning.saliency
            if one in group_of and group_of[one] not in tested
        ]
    return faults


def _untested_faults(learning: Learning, untested: Collection[str]) -> list[str]:
    """Find compounds under `saliency` that the split ``paper`` does not test, where it is the main one."""
    return [
        f"`learning.saliency`: the split {PAPER} does not test {one}; name another, or add `random` to `splits`"
        for one in learning.saliency
        if one in untested and main_kind(learning.splits) == PAPER
    ]


def absence(name: str, compounds: Iterable[str], left_out: Mapping[str, str]) -> str:
    """Say, as the end of a sentence, why a compound is not there, or which one is probably meant."""
    formula, _, inner = name.removesuffix(")").partition(" (")
    if reason := left_out.get(name) or left_out.get(inner):
        return f": {reason}"
    known = sorted(set(compounds))
    same = [one for one in known if _atoms(formula) and _atoms(one.partition(" (")[0]) == _atoms(formula)]
    near = same or difflib.get_close_matches(name, known, n=1)
    more = f" (or one of {len(near) - 4} more)" if len(near) > 4 else ""
    return f"; did you mean {either(near[:4])}?{more}" if near else "; write it as the table does, or delete it"


def _atoms(formula: str) -> dict[str, float]:
    """Atoms of a plain formula; empty where it is none."""
    try:
        return composition(formula)
    except ValueError:
        return {}
