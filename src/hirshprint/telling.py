"""How far long work is and how long the rest takes, told on the log every some seconds (light)."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from hirshprint.words import duration

LOG = logging.getLogger(__name__)
TELL_SECONDS = 10.0
TOLD_FROM = 0.05  # share of the work from which on the time that is left is told

T = TypeVar("T")


def how_far(done: int, total: int, seconds: float, what: str) -> str:
    """Say how far work is, and how long the rest takes if it goes on as it went.

    Parameters
    ----------
    done, total : int
        How much is done, and how much there is.
    seconds : float
        How long it took so far.
    what : str
        What it is, in the plural: ``crystals read``.
    """
    left = f", about {duration(seconds * (total - done) / done)} left" if done and done >= TOLD_FROM * total else ""
    return f"{done:,} of {total:,} {what}{left}"


def told(items: Iterable[T], total: int, what: str) -> Iterator[T]:
    """Hand on some items, and tell every `TELL_SECONDS` how many are done; nothing of what is done sooner."""
    start = last = time.monotonic()
    for done, item in enumerate(items):
        now = time.monotonic()
        if now - last > TELL_SECONDS:
            last = now
            LOG.info(how_far(done, total, now - start, what))
        yield item
