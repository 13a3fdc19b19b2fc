"""Fingerprint files as figures and page read them: structure by structure, never the whole file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hirshprint.files.reading import open_hdf5


@dataclass(frozen=True)
class FingerprintFile:
    """What is needed to draw from a fingerprint file without reading all of it.

    Attributes
    ----------
    path : Path
        The HDF5 file.
    rows : dict of str to int
        Row of each structure_id.
    channels : tuple of str
        Names of the channels, in order.
    edges : ndarray of float64, (n_bins + 1,)
        Bin edges in Å, the same for d_i and d_e.
    unit : str
        What a bin holds, e.g. ``Å² per formula unit``.
    """

    path: Path
    rows: dict[str, int]
    channels: tuple[str, ...]
    edges: NDArray[np.float64]
    unit: str


def open_fingerprints(path: str | Path) -> FingerprintFile:
    """Read ids, channels, bins and unit of a fingerprint file, but no counts."""
    with open_hdf5(path, ("ids", "channels", "bin_edges_angstrom", "counts")) as file:
        ids = [str(x) for x in file["ids"].asstr()[:]]
        channels = tuple(str(x) for x in file["channels"].asstr()[:])
        edges = np.asarray(file["bin_edges_angstrom"], dtype=np.float64)
        unit = str(file.attrs["counts_unit"])
    return FingerprintFile(Path(path), {x: i for i, x in enumerate(ids)}, channels, edges, unit)


def read_counts(file: FingerprintFile, ids: Sequence[str], channel: str | None = None) -> NDArray[np.float32]:
    """Fingerprints (n, n_bins, n_bins) of some structures, [structure, d_i bin, d_e bin].

    The channel is `main_channel` unless named.
    """
    column = file.channels.index(channel or main_channel(file))
    with open_hdf5(file.path) as source:
        counts = [source["counts"][file.rows[x], column] for x in ids]
    bins = len(file.edges) - 1
    return np.asarray(counts, dtype=np.float32).reshape(-1, bins, bins)


def main_channel(file: FingerprintFile) -> str:
    """Channel that pictures show: ``total``, or the first of a file that has no ``total``."""
    return "total" if "total" in file.channels else file.channels[0]


def structure_of(row: Any, targets: pd.DataFrame, file: FingerprintFile) -> str | None:
    """Structure whose fingerprint stands for a row of predictions, or None if it has none."""
    if row.structure_id in file.rows:
        return str(row.structure_id)
    ids = targets.loc[targets["compound"] == row.compound, "structure_id"]
    return next((str(x) for x in ids if x in file.rows), None)


BLOCK = 4_096  # fingerprints that are read at a time


def count_blocks(
    file: FingerprintFile, rows: NDArray[np.int64], block: int = BLOCK
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """Some rows (n,), sorted, and their fingerprints (n, n_bins, n_bins) of the main channel, a block at a time.

    The file is read once, from its beginning to its end; no more of it is held than `block` rows.

    Parameters
    ----------
    file : FingerprintFile
        The fingerprints of the dataset.
    rows : ndarray of int64, (n,)
        Rows of the file, in any order.
    block : int, default BLOCK
        Most rows that are held at a time.
    """
    column = file.channels.index(main_channel(file))
    with open_hdf5(file.path) as source:
        for start in range(0, len(file.rows), block):
            here = rows[np.searchsorted(rows, start) : np.searchsorted(rows, start + block)]
            if len(here):
                yield here, source["counts"][start : start + block, column][here - start]


def counts_of_rows(file: FingerprintFile, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Fingerprints (n, n_bins, n_bins) of the main channel of many rows of the file, in any order.

    Parameters
    ----------
    file : FingerprintFile
        The fingerprints of the dataset.
    rows : ndarray of int64, (n,)
        Rows of the file, in any order.
    """
    bins, wanted = len(file.edges) - 1, np.unique(rows)
    counts = np.empty((len(rows), bins, bins), np.float32)
    order = np.argsort(rows, kind="stable")
    for here, block in count_blocks(file, wanted):
        places = order[np.searchsorted(rows[order], here[0]) : np.searchsorted(rows[order], here[-1], side="right")]
        counts[places] = block[np.searchsorted(here, rows[places])]
    return counts


def shown_structures(targets: pd.DataFrame, file: FingerprintFile) -> pd.DataFrame:
    """Rows of `targets`, one per compound: its first structure that has a fingerprint."""
    return targets[targets["structure_id"].isin(list(file.rows))].drop_duplicates("compound")


def example_rows(file: FingerprintFile, targets: pd.DataFrame, count: int) -> pd.DataFrame:
    """Rows of `targets` with a fingerprint at evenly spaced quantiles of the value, lowest first.

    Without values they are evenly spaced in the order of the structures' names.
    """
    rows = targets[targets["structure_id"].isin(list(file.rows))]
    rows = rows.dropna(subset=["value"]) if rows["value"].notna().any() else rows
    rows = rows.sort_values(["value", "structure_id"]).drop_duplicates("compound")
    places = np.unique(np.linspace(0, max(len(rows) - 1, 0), count).round().astype(int))
    return rows.iloc[places[: len(rows)]]


def filled_bins(file: FingerprintFile, ids: Sequence[str], channels: Sequence[str] = ()) -> pd.DataFrame:
    """Bins of some fingerprints that are not empty, as a table: centres in Å, value in the file's unit.

    The channel is `main_channel` unless some are named.
    """
    centres = (file.edges[1:] + file.edges[:-1]) / 2
    parts = []
    for channel in channels or (main_channel(file),):
        for name, counts in zip(ids, read_counts(file, ids, channel), strict=True):
            i, j = np.nonzero(counts)
            part = {"structure_id": name, "channel": channel, "d_i_angstrom": centres[i], "d_e_angstrom": centres[j]}
            parts.append(pd.DataFrame(part | {"value": counts[i, j], "unit": file.unit}))
    columns = ["structure_id", "channel", "d_i_angstrom", "d_e_angstrom", "value", "unit"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
