"""What a killed run leaves behind in a folder, and how to go on without it (light)."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any

from hirshprint.batch.places import SURFACE_CACHE
from hirshprint.files.reading import DamagedError
from hirshprint.files.writing import put_aside
from hirshprint.run import slurm
from hirshprint.run.head import LOCKS, refuse_while_head_lives, remove_head, start_ticks
from hirshprint.status import read_status


def recover() -> list[str]:
    """Clear what a killed run left in this folder: its jobs on this host and on SLURM, and its lock.

    Returns
    -------
    list of str
        What was found and done, in lines for the terminal; empty if there was nothing.

    Raises
    ------
    RunAliveError
        If the head process lives, or ran on another host, where alone one can tell.
    SlurmError
        If this folder's jobs cannot be listed or cancelled.
    """
    lines: list[str] = []
    locks = sorted(LOCKS.glob("*")) if LOCKS.is_dir() else []
    refuse_while_head_lives(locked=bool(locks))
    for pid in _orphans():
        _end(pid)
        lines.append(f"ended process {pid}, a job that a killed run had left behind")
    lines += _cancel_slurm_orphans()
    if locks:
        shutil.rmtree(LOCKS)  # what `snakemake --unlock` does, without asking for Snakefile and configuration again
        lines.append("cleared the stale lock of a run that was killed; going on from what it had done")
    if parts := [path for folder in ("results", "cache") for path in Path(folder).rglob(".*.part") if _is_left(path)]:
        for path in parts:
            path.unlink(missing_ok=True)
        lines.append(f"removed {len(parts)} half-written file{'s' if len(parts) > 1 else ''}")
    remove_head()
    return lines


def _is_left(part: Path) -> bool:
    """Say whether nobody writes this temporary file of `written_whole` any more."""
    pid = part.name.split(".")[-2]
    return pid.isdigit() and start_ticks(int(pid)) is None


def recover_failed() -> list[str]:
    """Set aside what was computed without structures that failed, so that the next run computes these again.

    Removes their batch files and what was gathered from them; every good structure is still in the cache.

    Returns
    -------
    list of str
        What was found and done, in lines for the terminal.

    Raises
    ------
    RunAliveError
        If the head process of a run lives.
    """
    from hirshprint.batch.kept import forget_failures  # numpy, which no other part of a run needs

    refuse_while_head_lives(locked=LOCKS.is_dir() and any(LOCKS.iterdir()))
    lines = []
    for dataset in sorted(path.parent for path in Path("results").glob("*/surfaces")):
        records: dict[Path, dict[str, Any]] = {}
        for path in sorted(dataset.glob("surfaces/*.npz")):
            try:
                records[path] = read_status(path)
            except DamagedError as error:
                lines.append(f"{path} is damaged ({error.reason}): now {put_aside(path)}, and will be made again")
        failed = {path: [n for n, r in found.items() if r["status"] == "failed"] for path, found in records.items()}
        names = [name for found in failed.values() for name in found]
        if not names:
            continue
        gathered = [dataset / "fingerprints.h5", dataset / "status.csv", Path("results/report.html")]
        for path in [*(path for path, found in failed.items() if found), *gathered]:
            path.unlink(missing_ok=True)
        lines.append(f"{dataset.name}: will be computed again: {', '.join(names)}")
    for path in sorted(SURFACE_CACHE.glob("*/*/*.npz")):  # where failures are known without a further try
        forget_failures(path)
    return lines


def _cancel_slurm_orphans() -> list[str]:
    """Cancel this folder's jobs on SLURM: with their head gone nobody would take their results."""
    if not slurm.has_slurm():
        return []
    left = slurm.RUN_FILE.exists()  # a run on SLURM did not end as it should
    try:
        orphans = slurm.folder_jobs(Path.cwd(), slurm.COMMAND_SECONDS if left else slurm.GRACE_SECONDS)
    except slurm.SlurmError:
        if left:
            raise
        return []  # as on a laptop that has SLURM's commands and no cluster
    slurm.cancel(orphans, Path.cwd())
    slurm.RUN_FILE.unlink(missing_ok=True)
    return [
        f"cancelled SLURM job {job.job_id} ({job.what}, {job.state.lower()}), left behind by a killed run"
        for job in orphans
    ]


def _orphans() -> list[int]:
    """Processes of this user that run a script of this folder's workflow and whose head is gone."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().split(b"\0")
            here = (folder / "cwd").resolve() == Path.cwd()
            mine = folder.stat().st_uid == os.getuid()
        except OSError:
            continue
        script = any(b"/.snakemake/scripts/" in word or b"/workflow/scripts/" in word for word in command)
        if here and mine and script and int(folder.name) != os.getpid():
            found.append(int(folder.name))
    return found


def _end(pid: int, seconds: float = 5.0) -> None:
    """End a process, politely first."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
        until = time.monotonic() + seconds
        while time.monotonic() < until and start_ticks(pid) is not None:
            time.sleep(0.05)
