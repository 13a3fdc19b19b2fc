"""A batch of structures: computed or taken from the per-structure cache, with a record of how each went."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from hirshprint.files import digest, is_disk_full, written_whole
from hirshprint.opened import kept_or_none, open_hdf5, read_json, read_npz, sealed_json
from hirshprint.status import cpu_seconds
from hirshprint.structures.batches import batch_of, count_batches
from hirshprint.structures.structure import Structure, read_structures
from hirshprint.surfaces.engines import Engine
from hirshprint.surfaces.journal import Note, Past, kept_journal
from hirshprint.surfaces.surface import Surface, pack_surfaces, unpack_surfaces

RETRYABLE = (MemoryError, OSError)  # a further attempt, with more memory or on another node, can help


def read_batch(structures_path: Path, batch: str, structures_per_job: int) -> list[Structure]:
    """Read the structures of one batch; none where all of them were rejected."""
    with open_hdf5(structures_path, ("ids",)) as file:
        ids = [name.decode() for name in file["ids"][:]]
        planned = int(file.attrs["planned"])
    batches = None if structures_per_job == 1 else count_batches(planned, structures_per_job)
    return read_structures(structures_path, [name for name in ids if batch_of(name, batches) == batch])


def structure_digest(structure: Structure) -> str:
    """Digest of a structure's geometry and symmetry."""
    return digest(
        structure.structure_id,
        structure.lattice.tolist(),
        structure.numbers.tolist(),
        structure.frac.tolist(),
        structure.is_anion.tolist(),
        structure.site_atom.tolist(),
        list(structure.site_labels),
        [operations.tolist() for operations in structure.site_operations],
    )


def surface_key(structure: Structure, engine: Engine) -> str:
    """Digest of everything that determines a structure's surfaces: the name of its entry in the cache."""
    return digest(structure_digest(structure), engine.settings(structure))


def run_batch(
    structures: Sequence[Structure],
    engine: Engine,
    cache_folder: Path,
    out: Path,
    attempt: int = 1,
    attempts: int = 1,
    threads: int = 1,
) -> dict[str, dict[str, Any]]:
    """Compute the surfaces of a batch and write them, with their status records, to one file.

    Structures that were under way when an earlier attempt was killed come last.

    Parameters
    ----------
    structures : the batch.
    engine : what computes them.
    cache_folder : per-structure results that outlive the batch file.
    out : batch file, NPZ: the arrays of `pack_surfaces`, `status`, JSON by structure id, `cpu_seconds` of all attempts,
        and `earlier_seconds`, the wall time of those before the last.
    attempt, attempts : which try of the job this is, and how many there are. The last one records what a retry could
        have helped, but for a full disk, and passes over a structure that no earlier attempt got past.
    threads : structures computed at the same time; the file does not depend on it, but for its times.

    Returns
    -------
    The status record of each structure: status (`ok` or `failed`), reason, output (last lines of an external engine's
    report), note (see `_note`), reused (from an earlier run), seconds, geometry.

    Raises
    ------
    MemoryError, OSError
        Before the last attempt, or at any for a full disk, when every structure has been tried; the good ones are in
        the cache by then.
    """
    start = time.monotonic()
    keys = [surface_key(structure, engine) for structure in structures]
    with kept_journal(cache_folder / "started" / f"{digest(str(out), keys)}.jsonl", attempt) as (past, note):
        given_up = past.culprits() if attempt >= attempts else set()

        def one(structure: Structure) -> _Outcome:
            return _one_structure(structure, engine, cache_folder, attempt >= attempts, past, given_up, note)

        ordered = sorted(structures, key=lambda structure: structure.structure_id in past.suspects())
        outcomes: dict[str, _Outcome] = {}
        with ThreadPoolExecutor(threads) as pool:
            # not in the pool if alone: an interrupt would have to wait there for an external engine
            results = pool.map(one, ordered) if threads > 1 else map(one, ordered)
            for number, (structure, outcome) in enumerate(zip(ordered, results, strict=True), 1):
                outcomes[structure.structure_id] = outcome
                _say(f"{number}/{len(structures)} {structure.structure_id}: {_describe(outcome[1])}")
        errors = [error for _, _, error in outcomes.values() if error is not None]
        full = [error for error in errors if is_disk_full(error)]
        if full or (errors and attempt < attempts):
            raise [*full, *errors][0]
        found = [(structure.structure_id, outcomes[structure.structure_id]) for structure in structures]
        status = {name: record for name, (_, record, _) in found}
        _write(out, {name: surfaces for name, (surfaces, _, _) in found if surfaces is not None}, status, past)
    failed = sum(record["status"] == "failed" for record in status.values())
    reused = sum(record["reused"] and record["status"] == "ok" for record in status.values())
    _say(f"{len(status)} structures in {time.monotonic() - start:.1f} s: {reused} reused, {failed} failed")
    return status


_Outcome = tuple[list[Surface] | None, dict[str, Any], Exception | None]
"""Surfaces of a structure, its record, an error worth a retry."""


def _write(out: Path, surfaces: dict[str, list[Surface]], status: dict[str, dict[str, Any]], past: Past) -> None:
    with written_whole(out) as temporary, temporary.open("wb") as file:
        arrays = pack_surfaces(surfaces) | {
            "status": np.array(json.dumps(status)),
            "cpu_seconds": np.array(cpu_seconds() + past.cpu_seconds),
            "earlier_seconds": np.array(float(past.wall_seconds)),
        }
        np.savez(file, **arrays)


def _one_structure(
    structure: Structure,
    engine: Engine,
    cache_folder: Path,
    last: bool,
    past: Past,
    given_up: set[str],
    note: Note,
) -> _Outcome:
    """Take one structure from the cache or compute it.

    Parameters
    ----------
    last : whether no further attempt is left.
    given_up : structures that are not computed any more.
    past, note : see `kept_journal`.
    """
    name, key = structure.structure_id, surface_key(structure, engine)
    cached = cache_folder / key[:2] / f"{key}.npz"
    failed = cache_folder / "failed" / f"{digest(key, engine.failures)}.json"
    start = time.monotonic()
    record = {
        "status": "ok",
        "reason": "",
        "output": "",
        "note": "",
        "reused": name not in past.ended,
        "seconds": past.ended.get(name, 0.0),
        "geometry": structure_digest(structure),
    }
    found = kept_or_none(cached, lambda path: unpack_surfaces(read_npz(path))[name], name)
    if found is not None:
        return found, record | {"note": _note(found)}, None
    if engine.failures is not None:
        failure = kept_or_none(failed, lambda path: read_json(path, ("status", "reason", "output")), name)
        if failure is not None:
            return None, record | failure, None
    record |= {"reused": False, "seconds": 0.0}
    if name in given_up:
        reason = "every earlier attempt was killed while computing it"
        return None, record | {"status": "failed", "reason": reason}, None
    note(began=name)
    try:
        surfaces = engine.compute(structure)
        _keep(cached, name, surfaces, required=not last)
    except Exception as error:  # one bad structure never stops the others
        note(ended=name, seconds=round(time.monotonic() - start, 4))
        return _failure(error, failed, engine, last, record)
    seconds = round(time.monotonic() - start, 4)
    note(ended=name, seconds=seconds)
    return surfaces, record | {"seconds": seconds, "note": _note(surfaces)}, None


def _failure(error: Exception, failed: Path, engine: Engine, last: bool, record: dict[str, Any]) -> _Outcome:
    """Describe a failure; one that would come again is remembered."""
    retryable = isinstance(error, RETRYABLE)
    failure = {
        "status": "failed",
        "reason": f"{type(error).__name__}: {error}",
        "output": getattr(error, "output", ""),
    }
    if engine.failures is not None and getattr(error, "lasting", False) and (last or not retryable):
        with written_whole(failed) as temporary:
            temporary.write_text(json.dumps(sealed_json(failure)), encoding="utf-8")
    return None, record | failure, error if retryable else None


def _keep(cached: Path, structure_id: str, surfaces: list[Surface], required: bool) -> None:
    """Write a result to the cache; a full disk there must not cost the result itself, where no further try is left."""
    try:
        with written_whole(cached) as temporary, temporary.open("wb") as file:
            np.savez(file, **pack_surfaces({structure_id: surfaces}))
    except OSError as error:
        if required:
            raise
        _say(f"{structure_id}: not kept in the cache: {error}")


def _note(surfaces: Sequence[Surface]) -> str:
    """What one should know of surfaces that are not closed radial functions; empty for nearly all structures."""
    notes = []
    for surface in surfaces:
        if surface.engine == "python" and surface.level == 0:
            notes.append(f"{surface.site_label}: rays cross w = 1/2 more than once, so it is an isosurface")
        if surface.open_fraction > 0:
            notes.append(f"{surface.site_label}: {surface.open_fraction:.1%} of its area meets no other atom")
    return "; ".join(notes)


def _describe(record: dict[str, Any]) -> str:
    if record["status"] == "failed":
        known = " (known from an earlier run)" if record["reused"] else ""
        return "\n    | ".join([f"failed: {record['reason']}{known}", *record["output"].splitlines()])
    how = "reused" if record["reused"] else f"{1000 * record['seconds']:.0f} ms"
    return f"{how} ({record['note']})" if record["note"] else how


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
