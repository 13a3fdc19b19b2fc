"""Fingerprints and targets joined row by row."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from hirshprint.datasets.contacts import SiteContacts, read_contacts
from hirshprint.datasets.splits import SITES, TOLD_DRAWS
from hirshprint.datasets.target_scale import PLAIN, Counts, Target
from hirshprint.files.reading import open_hdf5, read_rows
from hirshprint.fingerprints.half_resolution import half_resolution
from hirshprint.fingerprints.layout import ROWS_AT_ONCE
from hirshprint.fingerprints.moments import moments
from hirshprint.structures.structure import Structure

TARGETS = (  # columns of a table of targets, beside those of the sites
    *("structure_id", "compound", "group", "formula", "initial_edge_angstrom", "property", "unit", "value"),
)
LOG = logging.getLogger(__name__)
BLOCK = 1_024  # fingerprints that are read at a time


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
    halves : dict of str to ndarray of float32, (n, h, h)
        `half_resolution` of the fingerprints, by channel; of those that were asked for.
    places : ndarray of int64, (n,), or None
        Row of each structure in the table of targets, whose order the split ``paper`` follows; None where the
        structures are in this order.
    contacts : SiteContacts or None
        Sites and contacts of the structures; None where they were not asked for.
    target : Target
        What kind of number `targets` are.
    atoms : ndarray of int64, (n,), or None
        Atoms that each of them is of (`Target.atoms_of`); None where they do not grow with these.
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
    halves: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    places: NDArray[np.int64] | None = None
    contacts: SiteContacts | None = None
    target: Target = PLAIN
    atoms: Counts = None


def samples(dataset: Dataset) -> NDArray[np.str_]:
    """Name per row what a training counts as one sample, (n,): a compound with all its initial edges, or a file."""
    return np.where(np.isfinite(dataset.initial_edges), dataset.compounds, dataset.structure_ids)


def same_edges(dataset: Dataset) -> bool:
    """Say whether all compounds were built with the same initial edges.

    Some may lack one, since their surfaces failed; a compound with an edge that no other has makes the edges differ.
    """
    edges = np.unique(dataset.initial_edges)
    _, count = np.unique(samples(dataset), return_counts=True)
    return bool(np.isfinite(edges).all()) and 2 * int((count == len(edges)).sum()) >= len(count)


def told_rows(dataset: Dataset) -> NDArray[np.int64]:
    """Rows that predictions are made for: every file, and the first `TOLD_DRAWS` initial edges of a compound."""
    return np.flatnonzero((dataset.draws < TOLD_DRAWS) | ~np.isfinite(dataset.initial_edges))


def side_by_side(dataset: Dataset) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Rows of each compound at all its initial edges, where all compounds have the same ones.

    A compound that lacks one of them, since its surfaces failed, is left out.

    Returns
    -------
    rows : ndarray of int64, (m,)
        The first structure of each compound, increasing.
    by_edge : ndarray of int64, (m, e)
        Its structures in the order of their edges.
    None
        Where the compounds differ in their edges.
    """
    if not same_edges(dataset):
        return None
    edges = np.unique(dataset.initial_edges)
    names, number, count = np.unique(samples(dataset), return_inverse=True, return_counts=True)
    if lacking := names[count < len(edges)].tolist():
        LOG.info("left out for want of a fingerprint at one of the edges: %s", ", ".join(lacking))
    whole = np.flatnonzero(count[number] == len(edges))
    by_edge = whole[np.lexsort((dataset.initial_edges[whole], number[whole]))].reshape(-1, len(edges))
    rows = by_edge[np.arange(len(by_edge)), dataset.draws[by_edge].argmin(axis=1)]
    by_row = np.argsort(rows)
    return rows[by_row], by_edge[by_row]


def joined_rows(dataset: Dataset) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows to learn from, increasing, and (m, e) the structures that each stands for: `side_by_side` if it can be."""
    every = np.arange(len(dataset.targets))
    return side_by_side(dataset) or (every, every[:, None])


def first_rows(dataset: Dataset) -> NDArray[np.int64]:
    """One row per sample: the first initial edge of a compound, every file."""
    return np.flatnonzero((dataset.draws == dataset.draws.min()) | ~np.isfinite(dataset.initial_edges))


def in_order(dataset: Dataset, structures: Sequence[Structure]) -> list[Structure]:
    """Put the structures in the order of a dataset's rows.

    Raises
    ------
    DatasetError
        A structure of the dataset is missing.
    """
    by_id = {one.structure_id: one for one in structures}
    if missing := [name for name in dataset.structure_ids.tolist() if name not in by_id]:
        raise DatasetError(f"no structure for the fingerprints of {', '.join(missing[:10])}")
    return [by_id[name] for name in dataset.structure_ids.tolist()]


def load_dataset(
    name: str,
    fingerprints_h5: str | Path,
    targets_csv: str | Path,
    channels: Sequence[str] | None = None,
    site_moments: bool = False,
    halved: Sequence[str] = (),
    with_targets: bool = True,
    contacts: bool = False,
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
    halved : sequence of str, optional
        The channels to read at half resolution, of those that the file has: a quarter of the memory.
    with_targets : bool, default True
        Whether every structure must have one; without, those of a dataset to be predicted are NaN.
    contacts : bool, default False
        Whether to read the contacts of the sites.

    Raises
    ------
    DatasetError
        An id occurs twice, a fingerprint has no target, nothing is left, a channel is absent, a value is
        not a finite number, or the rows differ in property or unit; the message names the ids.
    """
    table, sites = _read_table(targets_csv)
    ids, wanted, counts, of_sites, halves = _read_counts(
        fingerprints_h5, channels, site_moments and bool(sites), halved
    )
    _refuse(
        sorted(set(ids) - table.keys()),
        f"{targets_csv} has no target for these structures of {fingerprints_h5} (make both anew from the same table):",
    )
    if not ids:
        raise DatasetError(f"{fingerprints_h5} holds no fingerprint: no structure of '{name}' got a surface")
    finite = np.logical_and.reduce([_finite(counts), *(_finite(one[:, None]) for one in halves.values())])
    _refuse([ids[k] for k in np.flatnonzero(~finite)], "fingerprints with non-finite counts:")
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
        halves=halves,
        places=np.array([place[one] for one in ids]),
        contacts=read_contacts(fingerprints_h5, ids) if contacts else None,
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
    fingerprints_h5: str | Path, channels: Sequence[str] | None, site_moments: bool, halved: Sequence[str]
) -> tuple[list[str], tuple[str, ...], NDArray[np.float32], NDArray[np.float64] | None, dict[str, NDArray[np.float32]]]:
    """Sorted ids, channels, counts (n, channels, bins, bins), moments (n, sites, 12) or None, and halves by channel."""
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
        bins = file["counts"].shape[2]
        counts = np.empty((len(ids), len(wanted), bins, bins), np.float32)
        half = (len(ids), *(2 * [(bins + 1) // 2]))
        halves = {channel: np.empty(half, np.float32) for channel in halved if channel in present}
        for channel in dict.fromkeys([*wanted, *halves]):
            for start in range(0, len(ids), BLOCK):
                read = file["counts"][start : start + BLOCK, present.index(channel)]
                if channel in wanted:
                    counts[place[start : start + BLOCK], wanted.index(channel)] = read
                if channel in halves:
                    halves[channel][place[start : start + BLOCK]] = half_resolution(read)
        of_sites = _site_moments(file["counts"], present, fingerprints_h5)[order] if site_moments and ids else None
    return [ids[k] for k in order], wanted, counts, of_sites, halves


def _finite(counts: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Say of each fingerprint (n, c, b, b) whether all its counts are finite, (n,)."""
    found = [np.isfinite(counts[k : k + BLOCK]).all(axis=(1, 2, 3)) for k in range(0, len(counts), BLOCK)]
    return np.concatenate([np.ones(0, dtype=bool), *found])


def channels_of(fingerprints_h5: str | Path) -> list[str]:
    """Names of the channels of a file of fingerprints."""
    with open_hdf5(fingerprints_h5, ("ids", "channels", "counts")) as file:
        return [text.decode() for text in file["channels"][:]]


def total_moments(fingerprints_h5: str | Path, structure_ids: Sequence[str]) -> NDArray[np.float64]:
    """Moments (n, 12) of the total channel of some structures, in the order of `structure_ids`.

    Raises
    ------
    DatasetError
        The file has no such channel.
    """
    if "total" not in channels_of(fingerprints_h5):
        raise DatasetError(f"{fingerprints_h5} has no channel total; add it under fingerprint: channels:")
    return described_channels(fingerprints_h5, structure_ids, ["total"], moments)[:, 0]


def described_channels(
    fingerprints_h5: str | Path,
    structure_ids: Sequence[str],
    channels: Sequence[str],
    describe: Callable[[NDArray[np.float32]], NDArray[np.float64]],
) -> NDArray[np.float64]:
    """Describe channels of structures by a few numbers each, some of them in memory at a time.

    Parameters
    ----------
    fingerprints_h5 : str or Path
        File of fingerprints.
    structure_ids : sequence of str, (n,)
        Structures of the file.
    channels : sequence of str, (c,)
        Channels of the file.
    describe : callable
        Makes p numbers (m, p) of m histograms (m, b, b).

    Returns
    -------
    ndarray of float64, (n, c, p)
    """
    with open_hdf5(fingerprints_h5, ("ids", "channels", "counts")) as file:
        present = [text.decode() for text in file["channels"][:]]
        row_of = {text.decode(): row for row, text in enumerate(file["ids"][:])}
        rows = np.array([row_of[name] for name in structure_ids])
        order = np.argsort(rows, kind="stable")
        chunks, starts = np.unique(rows[order] // ROWS_AT_ONCE, return_index=True)
        found: list[list[NDArray[np.float64]]] = [[] for _ in channels]
        for chunk, of_chunk in zip(chunks.tolist(), np.split(order, starts[1:]), strict=True):
            read = slice(chunk * ROWS_AT_ONCE, (chunk + 1) * ROWS_AT_ONCE)
            for channel, numbers in zip(channels, found, strict=True):
                numbers.append(describe(file["counts"][read, present.index(channel)][rows[of_chunk] - read.start]))
    return np.stack([np.concatenate(numbers) for numbers in found], axis=1)[np.argsort(order)]


def _site_moments(counts: h5py.Dataset, present: Sequence[str], path: str | Path) -> NDArray[np.float64]:
    """Moments (n, 3, 12) of the channels of the sites, read some structures at a time."""
    if absent := [site for site in SITES if site not in present]:
        raise DatasetError(f"{path} has no channel {', '.join(absent)}; add `site` under fingerprint: channels:")
    columns = [present.index(site) for site in SITES]
    found = [moments(counts[k : k + ROWS_AT_ONCE])[:, columns] for k in range(0, len(counts), ROWS_AT_ONCE)]
    return np.concatenate(found)


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
