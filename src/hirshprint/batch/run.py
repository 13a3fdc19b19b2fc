"""A batch of structures: surfaces and fingerprints computed or taken over, with a record of how each went."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hirshprint.batch.binning import Binning, binned, pack_batch
from hirshprint.batch.file import Arrays, Pack, Reader, join_packs, notes_of, without_fingerprints, write_arrays
from hirshprint.batch.journal import Note, Past, kept_journal
from hirshprint.batch.kept import (
    Found,
    failure_key,
    find_kept,
    keep,
    keep_part,
    remove_parts,
)
from hirshprint.batch.keys import structure_digest, surface_key
from hirshprint.files.reading import open_hdf5
from hirshprint.files.writing import digest, is_disk_full, written_whole
from hirshprint.hirshfeld.engines import OpenEngine
from hirshprint.hirshfeld.surface import Surface
from hirshprint.status import cpu_seconds
from hirshprint.structures.batches import members
from hirshprint.structures.structure import Structure, read_structures

LOG = logging.getLogger(__name__)

RETRYABLE = (MemoryError, OSError)  # a further attempt, with more memory or on another node, can help

SECONDS_AT_RISK = 20.0
"""Work that a job may lose when it is killed; what was done before is in files."""

TELL_SECONDS = 1.0  # between two lines of the log on structures that went well


def read_batch(structures_path: Path, batch: str) -> list[Structure]:
    """Read the structures of one batch; none where all of them were rejected."""
    with open_hdf5(structures_path, ("ids",)) as file:
        ids = [name.decode() for name in file["ids"][:]]
    return read_structures(structures_path, members(ids, batch))


class Outcome(NamedTuple):
    """What became of a structure: its record, its surfaces and fingerprint, an error worth a retry."""

    record: dict[str, Any]
    pack: Pack | None = None
    error: Exception | None = None


def run_batch(
    structures: Sequence[Structure],
    engine: OpenEngine,
    binning: Binning,
    kept: Path,
    out: Path,
    attempt: int = 1,
    attempts: int = 1,
    threads: int = 1,
    seconds_at_risk: float = SECONDS_AT_RISK,
) -> dict[str, dict[str, Any]]:
    """Compute the surfaces and fingerprints of a batch and write them, with their status records, to one file.

    Structures that were under way when an earlier attempt was killed come last.

    Parameters
    ----------
    structures : sequence of Structure
        The batch.
    engine : OpenEngine
        What computes them.
    binning : Binning
        How their fingerprints are made.
    kept : Path
        File of the cache that becomes the same as `out`; results are taken over from it and from those beside it.
    out : Path
        Batch file, see `batch.file`; with `status`, JSON by structure id, `cpu_seconds` of all attempts, and
        `earlier_seconds`, the wall time of those before the last.
    attempt, attempts : int, default 1
        Which try of the job this is, and how many there are. The last one records what a retry could have helped, but
        for a full disk, and passes over a structure that no earlier attempt got past.
    threads : int, default 1
        Structures computed at the same time; the file does not depend on it, but for its times.
    seconds_at_risk : float, default SECONDS_AT_RISK
        See `SECONDS_AT_RISK`.

    Returns
    -------
    dict of str to dict
        The status record of each structure: status (`ok` or `failed`), reason, output (last lines of an external
        engine's report), note (see `notes_of`), reused (from an earlier run), seconds, geometry, and failure, which
        names what would fail again.

    Raises
    ------
    MemoryError, OSError
        Before the last attempt, or at any for a full disk, when every structure has been tried; the good ones are in
        the cache by then.
    """
    start = time.monotonic()
    geometry = {structure.structure_id: structure_digest(structure) for structure in structures}
    keys = {one.structure_id: surface_key(one, engine, geometry[one.structure_id]) for one in structures}
    journal = kept.parents[2] / "started" / f"{digest(str(kept), list(keys.values()))}.jsonl"
    with kept_journal(journal, attempt) as (past, note), ExitStack() as files:
        found = find_kept(kept, keys, engine.failures, files)
        results = Results(kept, binning, files, required=attempt < attempts)
        for name, one in found.items():
            results.take_over(name, one, geometry[name], past)
        given_up = past.culprits() if attempt >= attempts else set()

        def compute(structure: Structure) -> Outcome:
            name = structure.structure_id
            record, key = _record(geometry[name]), keys[name]
            if name in given_up:
                reason = "every earlier attempt was killed while computing it"
                return Outcome(record | {"status": "failed", "reason": reason})
            return _computed(structure, record, key, engine, binning, attempt >= attempts, note)

        waiting = [structure for structure in structures if structure.structure_id not in found]
        waiting.sort(key=lambda structure: structure.structure_id in past.suspects())
        try:
            with ThreadPoolExecutor(threads) as pool:
                # not in the pool if alone: an interrupt would have to wait there for an external engine
                outcomes = pool.map(compute, waiting) if threads > 1 else map(compute, waiting)
                for number, (structure, outcome) in enumerate(zip(waiting, outcomes, strict=True), 1):
                    results.add(structure.structure_id, outcome, f"{number}/{len(waiting)}")
                    results.save(seconds_at_risk)
            full = [error for error in results.errors if is_disk_full(error)]
            if full or (results.errors and attempt < attempts):
                raise [*full, *results.errors][0]
            status = {structure.structure_id: results.records[structure.structure_id] for structure in structures}
            _write(out, kept, results.arrays(list(status)), status, past)
        except (Exception, KeyboardInterrupt):
            with suppress(OSError):  # it is the first error that counts
                results.save()
            raise
    failed = sum(record["status"] == "failed" for record in status.values())
    reused = sum(record["reused"] and record["status"] == "ok" for record in status.values())
    _say(f"{len(status)} structures in {time.monotonic() - start:.1f} s: {reused} reused, {failed} failed")
    return status


def _write(out: Path, kept: Path, arrays: Arrays, status: dict[str, dict[str, Any]], past: Past) -> None:
    with written_whole(out) as temporary:
        about = {
            "status": np.array(json.dumps(status)),
            "cpu_seconds": np.array(cpu_seconds() + past.cpu_seconds),
            "earlier_seconds": np.array(float(past.wall_seconds)),
        }
        write_arrays(temporary, chain(arrays, about.items()))
        try:
            keep(temporary, kept)
        except OSError as error:  # results are whole without it, and what the cache had stays there
            _say(f"{len(status)} results are not kept in the cache: {error}")
            return
    remove_parts(out, kept)


class Results:
    """The results of a batch as they come: in memory, and every now and then put into a file of the cache.

    Attributes
    ----------
    records : dict of str to dict
        Status record of each structure, by its id.
    errors : list of Exception
        Those that another attempt may help.
    """

    def __init__(self, kept: Path, binning: Binning, files: ExitStack, required: bool):
        """`required` : not to be kept in the cache is an error, and not the loss of a file that nobody may need."""
        self.records: dict[str, dict[str, Any]] = {}
        self.errors: list[Exception] = []
        self._kept, self._binning, self._files, self._required = kept, binning, files, required
        self._place: dict[str, tuple[Reader, int]] = {}
        self._unsaved: list[str] = []
        self._saved = self._said = time.monotonic()

    def take_over(self, name: str, found: Found, geometry: str, past: Past) -> None:
        """Take an earlier result; what an earlier attempt of this job made counts as computed."""
        if found.read is not None:
            self._place[name] = (found.read, found.row)
        seconds = past.ended.get(name)
        self.records[name] = _record(geometry) | found.record | {"reused": seconds is None, "seconds": seconds or 0.0}
        if self.records[name]["status"] == "failed":
            _say(f"{name}: {_describe(self.records[name])}")

    def add(self, name: str, outcome: Outcome, number: str) -> None:
        """Take what became of a structure; say it if it failed, or if nothing was said for a while."""
        self.records[name] = outcome.record
        self._unsaved.append(name)
        if outcome.pack is not None:
            self._place[name] = (outcome.pack.__getitem__, 0)
        if outcome.error:
            self.errors.append(outcome.error)
        if outcome.record["status"] == "failed" or time.monotonic() - self._said > TELL_SECONDS:
            _say(f"{number} {name}: {_describe(outcome.record)}")
            self._said = time.monotonic()

    def save(self, seconds: float = 0.0) -> None:
        """Put what is in memory alone into a file of the cache, if the last time was some seconds ago."""
        if not self._unsaved or time.monotonic() - self._saved < seconds:
            return
        names = [name for name in self._unsaved if name in self._place]
        records = {name: self.records[name] for name in self._unsaved}
        try:
            read = keep_part(self._kept, self._joined(names), records, self._files)
        except OSError as error:
            if self._required:
                raise
            _say(f"{len(names)} results are not kept in the cache: {error}")
        else:
            self._place |= {name: (read, row) for row, name in enumerate(names)}
            self._unsaved.clear()
        self._saved = time.monotonic()

    def arrays(self, names: Sequence[str]) -> Arrays:
        """Arrays of all results in the order of these structures, with fingerprints of one kind."""
        of_source: dict[Reader, list[str]] = {}
        for name in names:
            if name in self._place:
                of_source.setdefault(self._place[name][0], []).append(name)
        for read, listed in of_source.items():
            if str(read("binning")) != self._binning.digest:
                _say(f"{len(listed)} structures: fingerprints made anew of the surfaces that are there")
                rows = [(0, self._place[name][1]) for name in listed]
                pack = binned(dict(join_packs([without_fingerprints(read)], rows)), self._binning)
                self._place |= {name: (pack.__getitem__, row) for row, name in enumerate(listed)}
        return self._joined([name for name in names if name in self._place])

    def _joined(self, names: Sequence[str]) -> Arrays:
        sources = dict.fromkeys(self._place[name][0] for name in names)
        number = {read: k for k, read in enumerate(sources, start=1)}
        order = [(number[self._place[name][0]], self._place[name][1]) for name in names]
        return join_packs([pack_batch({}, {}, self._binning).__getitem__, *sources], order)


def _computed(
    structure: Structure,
    record: dict[str, Any],
    key: str,
    engine: OpenEngine,
    binning: Binning,
    last: bool,
    note: Note,
) -> Outcome:
    """Compute one structure.

    Parameters
    ----------
    record : dict
        See `_record`.
    key : str
        See `surface_key`.
    last : bool
        Whether no further attempt is left.
    note : callable
        See `kept_journal`.
    """
    name = structure.structure_id
    start = time.monotonic()
    note(began=name)
    try:
        surfaces = engine.compute(structure)
        record["seconds"] = round(time.monotonic() - start, 4)
        outcome = _outcome(record, name, surfaces, key, binning)
    except Exception as error:  # one bad structure never stops the others
        note(ended=name, seconds=round(time.monotonic() - start, 4))
        return _failure(error, key, engine, last, record | {"seconds": 0.0})
    note(ended=name, seconds=record["seconds"])
    return outcome


def _outcome(record: dict[str, Any], name: str, surfaces: Sequence[Surface], key: str, binning: Binning) -> Outcome:
    pack = pack_batch({name: surfaces}, {name: key}, binning)
    return Outcome(record | {"note": notes_of(pack.__getitem__).get(0, "")}, pack)


def _record(geometry: str) -> dict[str, Any]:
    """Record of a structure that went well; `geometry` is its digest."""
    return {
        "status": "ok",
        "reason": "",
        "output": "",
        "note": "",
        "reused": False,
        "seconds": 0.0,
        "geometry": geometry,
        "failure": "",
    }


def _failure(error: Exception, key: str, engine: OpenEngine, last: bool, record: dict[str, Any]) -> Outcome:
    """Describe a failure; one that would come again is remembered."""
    retryable = isinstance(error, RETRYABLE)
    remembered = engine.failures is not None and getattr(error, "lasting", False) and (last or not retryable)
    failed = {
        "status": "failed",
        "reason": f"{type(error).__name__}: {error}",
        "output": getattr(error, "output", ""),
        "failure": failure_key(key, engine.failures) if remembered else "",
    }
    return Outcome(record | failed, None, error if retryable else None)


def _describe(record: dict[str, Any]) -> str:
    if record["status"] == "failed":
        known = " (known from an earlier run)" if record["reused"] else ""
        return "\n    | ".join([f"failed: {record['reason']}{known}", *record["output"].splitlines()])
    how = "reused" if record["reused"] else f"{1000 * record['seconds']:.0f} ms"
    return f"{how} ({record['note']})" if record["note"] else how


def _say(line: str) -> None:
    LOG.info(line)
