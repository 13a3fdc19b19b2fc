"""The structures of a dataset before any is read: what each is, where it comes from, and what was left out (light)."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

from hirshprint.files.writing import digest, file_digest
from hirshprint.versions import READING

AT_ONCE = 10_000  # rows of a plan


class InputError(ValueError):
    """A table, folder or file that cannot be read at all; the message says what to do."""


class CrystalError(ValueError):
    """A file that gives no usable crystal.

    Attributes
    ----------
    reason, remedy : str
        What is wrong, and what to do.
    """

    def __init__(self, reason: str, remedy: str):
        super().__init__(f"{reason}; {remedy}")
        self.reason = reason
        self.remedy = remedy


class PassingError(CrystalError):
    """A crystal that could not be read this time, for want of time, memory or access: another try may read it."""


CHANGED = ("its file was changed while it was read", "run the workflow again")
"""Reason and remedy of a structure whose file is not what was planned."""


@dataclass(frozen=True)
class Rejection:
    """A row or file that is left out, and why; `stage` is ``filter`` where the configuration asked for it."""

    structure_id: str
    source: str
    reason: str
    remedy: str
    stage: str = "structures"


class Entry(NamedTuple):
    """One structure to compute; a tuple, for there may be millions.

    Attributes
    ----------
    structure_id : str
        Stable name.
    source : str
        Table and row, or file.
    content : tuple of str or float
        What determines the geometry. Of a table's row prototype, elements, edge in Å; of a file its name and the digest
        of its bytes, which is empty where it cannot be read; of a record in a file of many the digest of what it says
        of the geometry.
    compound : str
        Ordered formula; for a file its id until it has been read.
    elements : tuple of str
        Symbols on the sites of the prototype; empty for a file.
    edge_angstrom : float or None
        The edge of the prototype; None for a file.
    target : float or None
        Measured property, None where there is none.
    path : Path or None
        The file, None for a table's row.
    group : str or None
        What no split may separate, from a column of the table; None for the compound (a file: its formula).
    record : int or None
        Number of the record in a file of many crystals; None where the file is one crystal.
    """

    structure_id: str
    source: str
    content: tuple[str | float, ...]
    compound: str
    elements: tuple[str, ...]
    edge_angstrom: float | None
    target: float | None
    path: Path | None = None
    group: str | None = None
    record: int | None = None


@dataclass(frozen=True)
class Plan:
    """The structures of a dataset and what was rejected, in the order of the input.

    Attributes
    ----------
    passed_over : tuple of str
        Files in a folder that are of no known kind, or in folders below it.
    """

    entries: tuple[Entry, ...]
    rejections: tuple[Rejection, ...]
    passed_over: tuple[str, ...] = ()

    @cached_property
    def geometry(self) -> str:
        """Digest of what determines the surfaces of all structures."""
        return geometry_digest(self.entries)


def passed_over_text(names: Sequence[str], shown: int = 4) -> str:
    """Say how many files of a folder were passed over, and name the first."""
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    files = "1 file was" if len(names) == 1 else f"{len(names)} files were"
    return f"{files} skipped, of an unknown kind or in a subfolder: {', '.join(names[:shown])}{more}"


def geometry_digest(entries: Iterable[Entry], *settings: Any) -> str:
    """Digest of what determines the surfaces of these structures: ids and geometry, not the measured property."""
    ordered = sorted(entries, key=itemgetter(0))
    return digest(_digest_of_many((entry.structure_id, *_geometry(entry)) for entry in ordered), *settings)


def _digest_of_many(rows: Iterable[tuple[Any, ...]]) -> str:
    """Digest of many rows, of which not all are in memory at once."""
    total, left = hashlib.sha256(), iter(rows)
    while some := list(islice(left, AT_ONCE)):
        total.update(json.dumps(some, separators=(",", ":"), allow_nan=False).encode())
    return total.hexdigest()


def _geometry(entry: Entry) -> tuple[str | float, ...]:
    """What determines the geometry of a structure; of one that is read, how it is read too."""
    return entry.content if entry.path is None else (READING, *entry.content)


def origin_digest(entry: Entry) -> str:
    """Digest of what a structure from a file is read from: the file, or what a record in it says of the geometry."""
    return str(entry.content[-1]) if entry.content else ""


def known_digest(path: str | Path) -> str:
    """Digest of a file, read again only where its times or size are others; empty for what cannot be read."""
    try:
        found = os.stat(path)  # noqa: PTH116  # of a hundred thousand files
        return _digest_of(str(path), found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
    except OSError:  # it is rejected by name when it is to be read
        return ""


@cache
def _digest_of(path: str, size: int, mtime_ns: int, ctime_ns: int, inode: int) -> str:
    """Digest of a file, which several digests of a dataset need."""
    return file_digest(path)


def target_digest(plan: Plan, *settings: Any) -> str:
    """Digest of the whole input of a dataset: geometry, measured property and what was rejected."""
    targets = ((entry.structure_id, entry.source, entry.target, entry.group or "") for entry in plan.entries)
    rejected = ((one.structure_id, one.source, one.reason) for one in plan.rejections)
    return digest(_digest_of_many(targets), _digest_of_many(rejected), plan.geometry, *settings)
