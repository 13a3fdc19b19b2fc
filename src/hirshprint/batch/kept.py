"""What the cache keeps of surfaces: a file for each batch, the one in `results/` under a second name.

In `cache/surfaces/ENGINE/DATASET/` lie `BATCH.npz`, the latest file of a batch; `BATCH~part1.npz` ..., what a job had
done that was ended; and `BATCH~before.npz`, results of structures that the batch had and has no more, such as rows that
were edited or filtered out. Structures are found in them by their keys, whichever file they are in.
"""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, suppress
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hirshprint.batch.file import Arrays, Reader, join_packs, notes_of, without_fingerprints, write_arrays
from hirshprint.files.reading import DamagedError, check_zip, kept_or_none, read_member, read_npz
from hirshprint.files.writing import written_whole
from hirshprint.structures.batches import batch_of, batches_of


class Found(NamedTuple):
    """A result of an earlier run: its row among the arrays of a file, and what its record says beside the usual."""

    read: Reader | None
    row: int
    record: dict[str, Any]


def find_kept(kept: Path, keys: Mapping[str, str], failures: str | None, files: ExitStack) -> dict[str, Found]:
    """Find earlier results of structures in the cache, whichever batch they were in.

    Parameters
    ----------
    kept : Path
        File of the cache for this batch; results are also looked for in those beside it, and in other datasets'.
    keys : mapping of str to str
        What names the surfaces of each structure.
    failures : str or None
        What names the settings of the engine that a failure depends on; None looks for no failures.
    files : ExitStack
        Keeps open what the results are read from.
    """
    found: dict[str, Found] = {}
    for path in _files_with(kept, keys):
        missing = {name for name in keys if name not in found}
        if not missing:
            break
        if read := open_pack(path, files):
            status, notes = json.loads(str(read("status"))), notes_of(read)
            for row, (name, key) in enumerate(zip(read("ids").tolist(), read("keys").tolist(), strict=True)):
                if name in missing and key.decode() == keys[name]:
                    found[name] = Found(read, row, {"note": notes.get(row, "")})
            for name in missing & status.keys() if failures is not None else ():
                if status[name].get("failure") == failure_key(keys[name], failures):
                    found[name] = Found(None, 0, status[name])
    return found


def failure_key(key: str, failures: str | None) -> str:
    """Name what would fail again: the surfaces of a structure, and the settings that a failure depends on."""
    return f"{key} {failures}"


def _files_with(kept: Path, ids: Iterable[str]) -> list[Path]:
    """Files of the cache in which some structures may be, those of their own batch first."""
    paths = [*kept.parent.glob("*.npz"), *kept.parents[1].glob("*/*.npz")]
    batch = {path: _batch_in(path) for path in dict.fromkeys(paths)}
    divisions = {batches_of(name) for name in batch.values()}
    wanted = {kept.stem, *(batch_of(name, number) for number in divisions for name in ids)}
    chosen = [path for path, name in batch.items() if name in wanted]
    return sorted(chosen, key=lambda path: (path.parent != kept.parent, batch[path] != kept.stem, path))


def _batch_in(path: Path) -> str:
    """Name of the batch that a file of the cache is of, whatever follows it."""
    return path.stem.partition("~")[0]


def open_pack(path: Path, files: ExitStack) -> Reader | None:
    """Open a batch file of the cache, which stays as it is until `files` are closed; a damaged one is put aside."""

    def opened(path: Path) -> Reader:
        check_zip(path)
        archive = files.enter_context(zipfile.ZipFile(files.enter_context(path.open("rb"))))

        def read(name: str) -> NDArray[Any]:
            return read_member(archive, f"{name}.npy")

        for name in ("ids", "keys", "status", "binning"):
            read(name)
        return read

    found: Reader | None = kept_or_none(path, opened, f"{path.parent.name}, {path.stem}")
    return found


def keep_part(kept: Path, arrays: Arrays, status: Mapping[str, Any], files: ExitStack) -> Reader:
    """Write results of a job that is not done yet to a file of the cache, and open it.

    Parameters
    ----------
    kept : Path
        File of the cache that the finished job would write; the part lies beside it.
    arrays : iterable of tuple (str, ndarray)
        Name and content of each array of the results.
    status : mapping of str to object
        What is said of the job so far, kept as JSON.
    files : ExitStack
        Closes the opened file.

    Raises
    ------
    OSError
        It cannot be written.
    """
    numbers = [path.stem.rpartition("part")[2] for path in _parts(kept)]
    number = 1 + max((int(text) for text in numbers if text.isdecimal()), default=0)  # of a copy: "1 (copy)"
    path = kept.with_name(f"{kept.stem}~part{number}.npz")
    with written_whole(path) as temporary:
        write_arrays(temporary, chain(arrays, [("status", np.array(json.dumps(status)))]))
    read = open_pack(path, files)
    assert read is not None
    return read


def _parts(kept: Path) -> list[Path]:
    return sorted(path for path in kept.parent.glob("*~part*.npz") if _batch_in(path) == kept.stem)


def keep(written: Path, kept: Path) -> None:
    """Give a batch file a second name in the cache; where the file system has no such thing, copy it.

    Results in the file of that name which the new one has not, go into the one of results before.

    Raises
    ------
    OSError
        Something cannot be written; the cache has what it had.
    """
    kept.parent.mkdir(parents=True, exist_ok=True)
    _keep_before(written, kept)
    with written_whole(kept) as second:
        second.unlink(missing_ok=True)
        try:
            os.link(written, second)
        except OSError:
            shutil.copyfile(written, second)


def _keep_before(written: Path, kept: Path) -> None:
    """Keep results that a file of the cache has and the one that is to replace it has not."""
    before = kept.with_name(f"{kept.stem}~before.npz")
    with ExitStack() as files:
        seen = set(read_npz(written, ["keys"])["keys"].tolist())
        sources: list[Reader] = []
        order: list[tuple[int, int]] = []
        for path in (kept, before):
            read = open_pack(path, files) if path.exists() else None
            rows = [row for row, key in enumerate(read("keys").tolist()) if key not in seen] if read else []
            if read is None or not rows:
                continue
            if path == before and not sources:
                return  # nothing new
            seen.update(read("keys")[rows].tolist())
            order += [(len(sources), row) for row in rows]
            sources.append(without_fingerprints(read))
        if sources:
            with written_whole(before) as temporary:
                write_arrays(temporary, chain(join_packs(sources, order), [("status", np.array("{}"))]))


def remove_parts(out: Path, kept: Path) -> None:
    """Remove the parts of a job that is done, and what killed attempts at it were about to write."""
    half_written = [kept.parent.glob(f".{kept.stem}{kind}.*.part") for kind in (".npz", "~*")]
    for path in chain(_parts(kept), *half_written, out.parent.glob(f".{out.name}.*.part")):
        path.unlink(missing_ok=True)


def forget_failures(kept: Path) -> None:
    """Write a file of the cache anew without its failures, so that they are tried again."""
    with ExitStack() as files:
        read = open_pack(kept, files)
        status = json.loads(str(read("status"))) if read else {}
        good = {name: record for name, record in status.items() if record["status"] != "failed"}
        if read and len(good) < len(status):
            rows = [(0, row) for row in range(len(read("ids")))]
            arrays = [("status", np.array(json.dumps(good)))]
            with written_whole(kept) as temporary:
                write_arrays(temporary, chain(join_packs([read], rows), arrays))


def drop_superseded(results: Path, kept: Path, batches: Iterable[str]) -> None:
    """Remove a dataset's batch files of another division into batches than now.

    Parameters
    ----------
    results : Path
        Its folder of batch files; of those, only the batches of now hold.
    kept : Path
        Its folder of the cache; there a file stays that has results which no batch of now has.
    batches : iterable of str
        Names of the batches of now.
    """
    now = set(batches)
    for path in results.glob("*.npz"):
        if path.stem not in now:
            path.unlink(missing_ok=True)
    keys = {}
    for path in kept.glob("*.npz"):
        with suppress(DamagedError, OSError):
            keys[path] = read_npz(path, ["keys"])["keys"].tolist()
    batch = {path: _batch_in(path) for path in keys}
    current = {key for path in keys if batch[path] in now for key in keys[path]}
    for path in keys:
        if batch[path] not in now and current.issuperset(keys[path]):
            path.unlink(missing_ok=True)
