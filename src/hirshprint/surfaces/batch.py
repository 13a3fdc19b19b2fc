"""A batch of structures: computed or taken from the per-structure cache, with a record of how each went."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from hirshprint.files import digest, written_whole
from hirshprint.structures.batches import batch_of, count_batches
from hirshprint.structures.structure import Structure, read_structures
from hirshprint.surfaces.engines import Engine
from hirshprint.surfaces.surface import Surface, pack_surfaces, unpack_surfaces

RETRYABLE = (MemoryError, OSError)  # a further attempt, with more memory or on another node, can help


def read_batch(structures_path: Path, batch: str, structures_per_job: int) -> list[Structure]:
    """Read the structures of one batch; none where all of them were rejected."""
    with h5py.File(structures_path) as file:
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

    Parameters
    ----------
    structures : the batch.
    engine : what computes them.
    cache_folder : per-structure results that outlive the batch file.
    out : batch file, NPZ: the arrays of `pack_surfaces`, `status`, JSON by structure id, and `cpu_seconds`.
    attempt, attempts : which try of the job this is, and how many there are. The last one records what a retry could
        have helped, and passes over a structure that killed an earlier try.
    threads : structures computed at the same time; the file does not depend on it, but for its times.

    Returns
    -------
    The status record of each structure: status (`ok` or `failed`), reason, output (last lines of an external engine's
    report), note (see `_note`), reused, seconds, geometry.

    Raises
    ------
    MemoryError, OSError
        Before the last attempt, when every structure has been tried; the good ones are in the cache by then.
    """
    surfaces: dict[str, list[Surface]] = {}
    status: dict[str, dict[str, Any]] = {}
    errors: list[Exception] = []
    start = time.monotonic()

    def one(structure: Structure) -> tuple[list[Surface] | None, dict[str, Any], Exception | None]:
        return _one_structure(structure, engine, cache_folder, attempt, attempts)

    with ThreadPoolExecutor(threads) as pool:
        # not in the pool if alone: an interrupt would have to wait there for an external engine
        results = pool.map(one, structures) if threads > 1 else map(one, structures)
        for number, (structure, (found, record, error)) in enumerate(zip(structures, results, strict=True), 1):
            if found is not None:
                surfaces[structure.structure_id] = found
            if error is not None:
                errors.append(error)
            status[structure.structure_id] = record
            _say(f"{number}/{len(structures)} {structure.structure_id}: {_describe(record)}")
    if errors and attempt < attempts:
        raise errors[0]
    with written_whole(out) as temporary, temporary.open("wb") as file:
        arrays = pack_surfaces(surfaces)
        np.savez(file, **arrays, status=np.array(json.dumps(status)), cpu_seconds=np.array(_cpu_seconds()))
    failed = sum(record["status"] == "failed" for record in status.values())
    reused = sum(record["reused"] and record["status"] == "ok" for record in status.values())
    _say(f"{len(status)} structures in {time.monotonic() - start:.1f} s: {reused} reused, {failed} failed")
    return status


def _one_structure(
    structure: Structure, engine: Engine, cache_folder: Path, attempt: int, attempts: int
) -> tuple[list[Surface] | None, dict[str, Any], Exception | None]:
    """Take one structure from the cache or compute it; return its surfaces, its record, an error worth a retry."""
    key = surface_key(structure, engine)
    cached, marker = cache_folder / key[:2] / f"{key}.npz", cache_folder / "started" / key
    failed = cache_folder / "failed" / f"{digest(key, engine.failures)}.json"
    start = time.monotonic()
    record = {
        "status": "ok",
        "reason": "",
        "output": "",
        "note": "",
        "reused": False,
        "seconds": 0.0,
        "geometry": structure_digest(structure),
    }
    try:
        if cached.exists():
            with np.load(cached, allow_pickle=False) as arrays:
                found = unpack_surfaces(arrays)[structure.structure_id]
                return found, record | {"reused": True, "note": _note(found)}, None
    except (OSError, ValueError, KeyError, EOFError):
        _say(f"{structure.structure_id}: its cached result is damaged and is computed again")
    if engine.failures is not None:
        with suppress(OSError, ValueError):
            return None, record | json.loads(failed.read_text(encoding="utf-8")) | {"reused": True}, None
    last = attempt >= attempts
    if attempt > 1 and last and marker.exists():  # it was under way when an earlier attempt was killed
        marker.unlink()
        return (
            None,
            record | {"status": "failed", "reason": "an earlier attempt was killed while computing it"},
            None,
        )
    try:
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()
        surfaces = engine.compute(structure)
        _keep(cached, structure.structure_id, surfaces, required=not last)
    except Exception as error:  # one bad structure never stops the others
        marker.unlink(missing_ok=True)
        retryable = isinstance(error, RETRYABLE)
        failure = {
            "status": "failed",
            "reason": f"{type(error).__name__}: {error}",
            "output": getattr(error, "output", ""),
        }
        if engine.failures is not None and getattr(error, "lasting", False) and (last or not retryable):
            with written_whole(failed) as temporary:
                temporary.write_text(json.dumps(failure), encoding="utf-8")
        return None, record | failure, error if retryable else None
    marker.unlink(missing_ok=True)
    return surfaces, record | {"seconds": round(time.monotonic() - start, 4), "note": _note(surfaces)}, None


def _cpu_seconds() -> float:
    """CPU seconds of this process and of the programs that it ran.

    Snakemake's benchmark looks at a job every 30 s and misses most runs of an external engine, which are shorter.
    """
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


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
