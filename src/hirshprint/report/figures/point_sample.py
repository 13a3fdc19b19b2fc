"""Which of many points a figure shows: the largest errors, and others by lot."""

from __future__ import annotations

import zlib

import numpy as np
import pandas as pd
from numpy.typing import NDArray

DRAWN = 5_000  # points of one part in a panel; of more, some are drawn
WORST_DRAWN = 0.01  # of the points drawn, those of largest error; chance takes the others


def by_lot(names: pd.Series[str]) -> NDArray[np.int64]:
    """Put rows in an order by chance, (n,) numbers from 0, that depends on their names alone: no run changes it."""
    codes, unique = pd.factorize(names)
    drawn = sorted(range(len(unique)), key=lambda k: (zlib.crc32(str(unique[k]).encode()), unique[k]))
    place = np.empty(len(unique), np.int64)
    place[drawn] = np.arange(len(unique))
    order: NDArray[np.int64] = np.argsort(np.argsort(place[codes], kind="stable"), kind="stable")
    return order


def drawn_points(rows: pd.DataFrame, most: int = DRAWN) -> pd.DataFrame:
    """Rows of one model and part to draw: all, or the `WORST_SHARE` of `most` of largest error and some by lot."""
    if len(rows) <= most:
        return rows
    error = (rows["predicted"] - rows["true"]).abs().to_numpy()
    kept = np.zeros(len(rows), dtype=bool)
    kept[np.argsort(-error, kind="stable")[: round(WORST_DRAWN * most)]] = True
    rest = np.flatnonzero(~kept)
    kept[rest[by_lot(rows["compound"].iloc[rest]) < most - kept.sum()]] = True
    return rows[kept]


def drawn_note(rows: pd.DataFrame, most: int = DRAWN) -> str:
    """Say how many of how many points a panel shows, by part; empty where all are drawn."""
    counts = rows.groupby(["part", "model"], observed=True).size().groupby("part", observed=True).max()
    told = [f"{min(most, n):,} of {n:,} {part}" for part, n in counts.items() if part in ("test", "train")]
    if not (counts > most).any():
        return ""
    share = f"{WORST_DRAWN:.0%} of them the largest errors, the others by lot"
    return f"at most {' and '.join(told)} points drawn in a panel, {share}; figures in it are of all"
