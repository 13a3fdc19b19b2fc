"""Fingerprints and targets joined row by row, and divided into folds that never separate a group."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from hirshprint.config.learning import Learning
from hirshprint.datasets.splits import HOLDOUT, PAPER, SITES, SPLIT_SEED, Parts, dealt, divide, hold_out, paper_split
from hirshprint.files.reading import open_hdf5, read_rows
from hirshprint.fingerprints.layout import ROWS_AT_ONCE
from hirshprint.fingerprints.moments import moments

TARGETS = (  # columns of a table of targets, beside those of the sites
    *("structure_id", "compound", "group", "formula", "initial_edge_angstrom", "property", "unit", "value"),
)
BLOCK = 1_024  # fingerprints that are read at a time
CURVE = "random-{}-percent"  # the random split, trained on so much of its training parts


class DatasetError(ValueError):
    """A dataset that cannot be learned from; the message says why, and what to write."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """Structures that have both a fingerprint and a target, sorted by structure id; n rows.

    Attributes
    ----------
    name : str
        The dataset's name in the configuration.
    property, unit : str
        What `targets` holds and its unit, e.g. ``a_angstrom`` and ``Å``.
    structure_ids : ndarray of str, (n,)
        Unique.
    compounds : ndarray of str, (n,)
        The ordered compound; several structures may share it.
    groups : ndarray of str, (n,)
        What no split may separate.
    elements : dict of str to ndarray of str
        Per site of the prototype (``A``, ``B``, ``X`` ...) an (n,) array of symbols; empty without a prototype.
    formulas : ndarray of str, (n,)
    initial_edges : ndarray of float64, (n,), Å
        The edge each structure was built with; NaN for structures from files.
    targets : ndarray of float64, (n,)
        In `unit`.
    draws : ndarray of int64, (n,)
        Number of the structure among those of its compound, in the order of the table.
    counts : ndarray of float32, (n, c, b, b)
        Fingerprints [structure, channel, d_i bin, d_e bin].
    channels : tuple of str
        Names of the c channels.
    moments : ndarray of float64, (n, s, 12)
        `fingerprints.moments` of the channels of the sites, in the order of `SITES`; s is 0 where they were not asked
        for.
    places : ndarray of int64, (n,), or None
        Row of each structure in the table of targets, whose order the split ``paper`` follows; None where the
        structures are in this order.
    """

    name: str
    property: str
    unit: str
    structure_ids: NDArray[np.str_]
    compounds: NDArray[np.str_]
    groups: NDArray[np.str_]
    elements: dict[str, NDArray[np.str_]]
    formulas: NDArray[np.str_]
    initial_edges: NDArray[np.float64]
    targets: NDArray[np.float64]
    draws: NDArray[np.int64]
    counts: NDArray[np.float32]
    channels: tuple[str, ...]
    moments: NDArray[np.float64]
    places: NDArray[np.int64] | None = None


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


def samples(dataset: Dataset) -> NDArray[np.str_]:
    """Name per row what a training counts as one sample, (n,): a compound with all its initial edges, or a file."""
    return np.where(np.isfinite(dataset.initial_edges), dataset.compounds, dataset.structure_ids)


def same_edges(dataset: Dataset) -> bool:
    """Say whether all compounds were built with the same initial edges (but for structures that failed)."""
    edges, compounds = np.unique(dataset.initial_edges), len(set(samples(dataset).tolist()))
    return bool(np.isfinite(edges).all()) and len(edges) * compounds <= 2 * len(dataset.initial_edges)


def first_rows(dataset: Dataset) -> NDArray[np.int64]:
    """One row per sample: the first initial edge of a compound, every file."""
    return np.flatnonzero((dataset.draws == dataset.draws.min()) | ~np.isfinite(dataset.initial_edges))


def load_dataset(
    name: str,
    fingerprints_h5: str | Path,
    targets_csv: str | Path,
    channels: Sequence[str] | None = None,
    site_moments: bool = False,
    with_targets: bool = True,
) -> Dataset:
    """Join a fingerprint file and a table of targets on the structure id.

    Targets without a fingerprint (structures whose surfaces failed) are left out.

    Parameters
    ----------
    name : str
        Name of the dataset in the configuration.
    fingerprints_h5 : str or Path
        File of its fingerprints.
    targets_csv : str or Path
        Table of its structures and their measured property.
    channels : sequence of str, optional
        The fingerprint channels to read, in this order; all of the file's by default, none if empty.
    site_moments : bool, default False
        Whether to take the moments of the sites' channels, where sites have names; those of thousands of structures are
        little where their fingerprints are much.
    with_targets : bool, default True
        Whether every structure must have one; without, those of a dataset to be predicted are NaN.

    Raises
    ------
    DatasetError
        An id occurs twice, a fingerprint has no target, nothing is left, a channel is absent, a value is
        not a finite number, or the rows differ in property or unit; the message names the ids.
    """
    table, sites = _read_table(targets_csv)
    ids, wanted, counts, of_sites = _read_counts(fingerprints_h5, channels, site_moments and bool(sites))
    _refuse(
        sorted(set(ids) - table.keys()),
        f"{targets_csv} has no target for these structures of {fingerprints_h5} (make both anew from the same table):",
    )
    if not ids:
        raise DatasetError(f"{fingerprints_h5} holds no fingerprint: no structure of '{name}' got a surface")
    _refuse([ids[k] for k in np.flatnonzero(~_finite(counts))], "fingerprints with non-finite counts:")
    rows = [table[one] for one in ids]
    targets = np.array([_number(row["value"]) for row in rows])
    lacking = [i for i, ok in zip(ids, np.isfinite(targets), strict=True) if not ok]
    _refuse(lacking if with_targets else [], "no finite target for")
    properties = sorted({(row["property"], row["unit"]) for row in rows})
    if len(properties) > 1:
        raise DatasetError(f"{targets_csv} mixes properties or units: {properties}; make one dataset of each")
    seen: Counter[str] = Counter()
    draw = {}
    for row in table.values():
        draw[row["structure_id"]] = seen[row["compound"]]
        seen[row["compound"]] += 1
    place = {name: number for number, name in enumerate(table)}

    def column(key: str) -> NDArray[np.str_]:
        return np.array([row[key] for row in rows])

    return Dataset(
        name=name,
        property=properties[0][0],
        unit=properties[0][1],
        structure_ids=column("structure_id"),
        compounds=column("compound"),
        groups=column("group"),
        elements={site: column(site) for site in sites},
        formulas=column("formula"),
        initial_edges=np.array([_number(row["initial_edge_angstrom"]) for row in rows]),
        targets=targets,
        draws=np.array([draw[one] for one in ids]),
        counts=counts,
        channels=wanted,
        moments=np.zeros((len(rows), 0, 12)) if of_sites is None else of_sites,
        places=np.array([place[one] for one in ids]),
    )


def site_columns(header: Sequence[str]) -> list[str]:
    """Columns of a table of targets that have the element on each site; they are empty where sites have no names."""
    return list(header[header.index("formula") + 1 : header.index("initial_edge_angstrom")])


def _read_table(targets_csv: str | Path) -> tuple[dict[str, dict[str, str]], list[str]]:
    """Rows of the targets by structure id, and the columns of the sites, where every row has them."""
    rows = read_rows(targets_csv, TARGETS)
    _refuse(_repeated(row["structure_id"] for row in rows), f"{targets_csv}: more than one row for")
    sites = site_columns(list(rows[0])) if rows else []
    named = all(row[site] for row in rows for site in sites)
    return {row["structure_id"]: row for row in rows}, sites if named else []


def _read_counts(
    fingerprints_h5: str | Path, channels: Sequence[str] | None, site_moments: bool
) -> tuple[list[str], tuple[str, ...], NDArray[np.float32], NDArray[np.float64] | None]:
    """Sorted ids, channels, counts (n, channels, bins, bins), and moments (n, sites, 12) where these are wanted."""
    with open_hdf5(fingerprints_h5, ("ids", "channels", "counts")) as file:
        ids = [text.decode() for text in file["ids"][:]]
        _refuse(_repeated(ids), f"{fingerprints_h5}: more than one fingerprint for")
        present = [text.decode() for text in file["channels"][:]]
        wanted = tuple(present if channels is None else channels)
        if absent := [channel for channel in wanted if channel not in present]:
            raise DatasetError(
                f"{fingerprints_h5} has no channel {', '.join(absent)}; it has {', '.join(present)}. "
                "Add what is missing under fingerprint: channels:"
            )
        order = np.argsort(np.array(ids))
        place = np.argsort(order)
        counts = np.empty((len(ids), len(wanted), *file["counts"].shape[2:]), np.float32)
        for k, channel in enumerate(wanted):
            for start in range(0, len(ids), BLOCK):
                counts[place[start : start + BLOCK], k] = file["counts"][start : start + BLOCK, present.index(channel)]
        of_sites = _site_moments(file["counts"], present, fingerprints_h5)[order] if site_moments and ids else None
    return [ids[k] for k in order], wanted, counts, of_sites


def _finite(counts: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Say of each fingerprint (n, c, b, b) whether all its counts are finite, (n,)."""
    found = [np.isfinite(counts[k : k + BLOCK]).all(axis=(1, 2, 3)) for k in range(0, len(counts), BLOCK)]
    return np.concatenate([np.ones(0, dtype=bool), *found])


def total_moments(fingerprints_h5: str | Path, structure_ids: Iterable[str]) -> NDArray[np.float64]:
    """Moments (n, 12) of the total channel of some structures, in the order of `structure_ids`.

    Raises
    ------
    DatasetError
        The file has no such channel.
    """
    with open_hdf5(fingerprints_h5, ("ids", "channels", "counts")) as file:
        present = [text.decode() for text in file["channels"][:]]
        if "total" not in present:
            raise DatasetError(f"{fingerprints_h5} has no channel total; add it under fingerprint: channels:")
        row_of = {text.decode(): row for row, text in enumerate(file["ids"][:])}
        counts, column = file["counts"], present.index("total")
        found = [moments(counts[k : k + ROWS_AT_ONCE, column]) for k in range(0, len(counts), ROWS_AT_ONCE)]
    wanted: NDArray[np.float64] = np.concatenate(found)[[row_of[name] for name in structure_ids]]
    return wanted


def _site_moments(counts: h5py.Dataset, present: Sequence[str], path: str | Path) -> NDArray[np.float64]:
    """Moments (n, 3, 12) of the channels of the sites, read some structures at a time."""
    if absent := [site for site in SITES if site not in present]:
        raise DatasetError(f"{path} has no channel {', '.join(absent)}; add `site` under fingerprint: channels:")
    columns = [present.index(site) for site in SITES]
    found = [moments(counts[k : k + ROWS_AT_ONCE])[:, columns] for k in range(0, len(counts), ROWS_AT_ONCE)]
    return np.concatenate(found)


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


def _repeated(ids: Iterable[str]) -> list[str]:
    return sorted(name for name, times in Counter(ids).items() if times > 1)


def _refuse(ids: Sequence[str], problem: str) -> None:
    if ids:
        more = f" and {len(ids) - 10} more" if len(ids) > 10 else ""
        raise DatasetError(f"{problem} {', '.join(ids[:10])}{more}")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
