"""A run of the workflow in a folder: its head process, what a killed one leaves behind, the closing summary (light)."""

from __future__ import annotations

import atexit
import getpass
import json
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from hirshprint import versions
from hirshprint.batch.places import SURFACE_CACHE
from hirshprint.files.reading import DamagedError, put_noted_aside, read_json
from hirshprint.files.writing import FULL, digest, file_digest, put_aside, written_whole
from hirshprint.run import slurm
from hirshprint.status import read_status

LEARNING_IS_ASKED_FOR = "HIRSHPRINT_LEARNING"
LOCKS = Path(".snakemake/locks")
HEAD_FILE = Path(".snakemake/hirshprint-head.json")
FORMAT_FILE = "format.txt"
WRITTEN = (Path(".snakemake"), Path("results"), Path("cache"), Path("logs"))
COMPILED_AHEAD = "hirshprint-compiled"
DISK_BYTES = 2**18  # that a disk must still take


class RunAliveError(RuntimeError):
    """Another head process works in this folder."""


class UnfinishedError(RuntimeError):
    """An earlier run in this folder was killed, and left jobs or its lock behind."""


class DiskFullError(RuntimeError):
    """A folder that a run writes to takes no more data."""


class FormatError(RuntimeError):
    """A folder of results was written by another version, which names or lays out its files in another way."""


def check_results(folder: Path) -> None:
    """Refuse a folder of results of another format; one that does not say its format is made again where it differs.

    Raises
    ------
    FormatError
        Saying which format it has, and what to do.
    """
    path = folder / FORMAT_FILE
    found = path.read_text(encoding="utf-8", errors="replace").strip() if path.is_file() else ""
    if found not in ("", versions.RESULTS_FORMAT):
        raise FormatError(
            f"{folder}/ has files of format {found}, and this version of hirshprint writes format "
            f"{versions.RESULTS_FORMAT}. Move the folder away (mv {folder} {folder}-format{found}) or delete it, and "
            "run again; what still holds is taken from cache/. Or use the version of hirshprint that wrote it."
        )


def stamp_results(folder: Path) -> None:
    """Write down the format of the files in a folder of results."""
    path = folder / FORMAT_FILE
    if not (path.is_file() and path.read_text(encoding="utf-8").strip()):
        with written_whole(path) as temporary:
            temporary.write_text(f"{versions.RESULTS_FORMAT}\n", encoding="utf-8")


def ask_for_learning() -> None:
    """Let the jobs of this run know that something learns from its datasets.

    A parameter of the rule `structures` would rerun it with every change of what is learned.
    """
    os.environ[LEARNING_IS_ASKED_FOR] = "yes"


def learning_is_asked_for() -> bool:
    """Say whether something learns from the datasets in the run of this job."""
    return LEARNING_IS_ASKED_FOR in os.environ


def prepare_environment(source: Path) -> None:
    """Let the jobs of a run find this library, installed or not, and keep compiled code beside the other caches."""
    paths = [str(source), *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(paths))
    folder = compiled_code_folder(Path("cache/numba").resolve())
    os.environ.setdefault("NUMBA_CACHE_DIR", str(folder))
    if (ahead := compiled_code_folder(Path(sys.prefix) / COMPILED_AHEAD)).is_dir() and not folder.exists():
        with suppress(OSError), written_whole(folder) as part:
            shutil.copytree(ahead, part)  # the environment may be read-only, and nodes add to it


def compile_ahead() -> None:
    """Compile the program for surfaces into a folder of this environment, for `prepare_environment`."""
    os.environ["NUMBA_CACHE_DIR"] = str(compiled_code_folder(Path(sys.prefix) / COMPILED_AHEAD))
    from hirshprint.surfaces.compiled import compile_once  # after the folder is set, which numba reads once

    compile_once()


def compiled_code_folder(parent: Path) -> Path:
    """Folder for compiled code, another one for other sources: numba does not see a change of what is called."""
    here = Path(__file__).parents[1]
    sources = sorted([*(here / "surfaces").rglob("*.py"), here / "densities.py"])
    return parent / digest([file_digest(path) for path in sources])[:16]


def write_head() -> None:
    """Record the head process of a run, so that a dead run can be told from a live one."""
    head = {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "start": _start(os.getpid()),
        "user": getpass.getuser(),
        "since": time.strftime("%d %b %H:%M"),
    }
    with written_whole(HEAD_FILE) as temporary:
        temporary.write_text(json.dumps(head))


def refuse_unfinished() -> None:
    """Refuse to begin where a run is under way, or where one was killed and has left its jobs.

    Snakemake would say the same of its lock alone, and advise to take it away: the jobs would then run twice.

    Raises
    ------
    RunAliveError
        A run is under way, or was on another host.
    UnfinishedError
        It was killed.
    """
    locked = LOCKS.is_dir() and any(LOCKS.iterdir())
    _refuse_while_head_lives(locked)
    head = _read_head()
    if head or locked:
        which = f"the run of {_described(head)}" if head else "a run"
        raise UnfinishedError(
            f"{which} in this folder was killed: give `hirshprint recover` first, which ends the jobs that it left and "
            "takes its lock away, then the same command again. What is done stays done."
        )


def _described(head: Mapping[str, Any]) -> str:
    """Name a head process in words."""
    began = f", begun {head['since']}" if "since" in head else ""
    return f"{head.get('user', 'somebody')} on {head['host']} (process {head['pid']}{began})"


def remove_head() -> None:
    """Forget the head process: the run has ended, and what its jobs found damaged is put aside."""
    HEAD_FILE.unlink(missing_ok=True)
    put_noted_aside()


def take_slurm_executor(plugin: Any) -> None:
    """Put this library's executor in the place of that of Snakemake's plugin for SLURM; leave other plugins alone.

    It is imported here, where Snakemake has loaded its plugin, and only for runs on SLURM.

    Raises
    ------
    SlurmError
        If this machine lacks SLURM's commands, or an earlier run in this folder has left jobs there.
    """
    if plugin.name == "slurm":
        slurm.ask_for_commands()
        slurm.refuse_beside_jobs(Path.cwd())
        from hirshprint.run.slurm_executor import Executor

        plugin.executor = Executor


def full_disks(folders: Sequence[Path] = WRITTEN) -> list[str]:
    """Those of some folders that take no more data: their disk is full, or the user's share of it."""
    full = []
    for folder in (folder for folder in folders if folder.is_dir()):
        probe = folder / f".hirshprint-disk.{os.getpid()}.part"
        try:
            probe.write_bytes(b"x" * DISK_BYTES)
        except OSError as error:
            if error.errno in FULL:
                full.append(f"{folder}/")
        finally:
            with suppress(OSError):
                probe.unlink()
    return full


def refuse_full_disk() -> None:
    """Refuse to begin where nothing can be written; and where a run ends on a full disk, have it say so last.

    Raises
    ------
    DiskFullError
    """
    if full := full_disks():
        raise DiskFullError(f"the disk of {', '.join(full)} is full: make room, then the same command again")

    def tell() -> None:
        if full := full_disks():
            print(
                f"\nThe disk of {', '.join(full)} is full: make room, give `hirshprint recover`, then the same command "
                "again. What is done stays done.",
                file=sys.stderr,
            )

    atexit.register(tell)


def show_engine(config: dict[str, Any]) -> None:
    """Say which surface engine this run uses."""
    surfaces = config["surfaces"]
    where = f" ({surfaces['tonto']['binary']})" if surfaces["engine"] == "tonto" else ", bundled"
    print(f"Surface engine: {surfaces['engine'].capitalize()}{where}", file=sys.stderr)


def show_summary(lines: Sequence[str], report: Path | None = None) -> None:
    """Print what a run did when this process ends: below Snakemake's closing lines.

    `report` is the summary that the report rule wrote; it comes last, and not at all where only a part of the workflow
    was asked for.
    """
    text = "\n" + "\n".join(lines)
    if report is not None and report.exists():
        text += "\n\n" + report.read_text(encoding="utf-8").rstrip()
    atexit.register(print, text, file=sys.stderr)


def recover() -> list[str]:
    """Clear what a killed run left in this folder: its jobs on this host and on SLURM, and its lock.

    Returns
    -------
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
    _refuse_while_head_lives(locked=bool(locks))
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
    return pid.isdigit() and _start(int(pid)) is None


def recover_failed() -> list[str]:
    """Set aside what was computed without structures that failed, so that the next run computes these again.

    Removes their batch files and what was gathered from them; every good structure is still in the cache.

    Returns
    -------
    What was found and done, in lines for the terminal.

    Raises
    ------
    RunAliveError
        If the head process of a run lives.
    """
    from hirshprint.batch.kept import forget_failures  # numpy, which no other part of a run needs

    _refuse_while_head_lives(locked=LOCKS.is_dir() and any(LOCKS.iterdir()))
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


def _refuse_while_head_lives(locked: bool) -> None:
    head = _read_head()
    if head and head["host"] != socket.gethostname() and locked:
        raise RunAliveError(
            f"this folder is locked by the run of {_described(head)}: wait for it. If it was killed, give `hirshprint "
            f"recover` on that host; if that host is no more: remove {HEAD_FILE}, then recover here."
        )
    if head and head["host"] == socket.gethostname() and _lives(head):
        raise RunAliveError(
            f"a run is under way in this folder, that of {_described(head)}: wait for it, or stop it by Ctrl-C."
        )


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


def _read_head() -> dict[str, Any] | None:
    try:
        return read_json(HEAD_FILE, ("host", "pid", "start"))
    except FileNotFoundError:
        return None
    except DamagedError as error:
        raise RunAliveError(
            f"{HEAD_FILE}, which says whether a run is under way here, is damaged ({error.reason}): make sure that "
            f"none is, remove it, and recover again"
        ) from None


def _lives(head: Mapping[str, Any]) -> bool:
    """Say whether a head process of this host lives; one of another user may be hidden from this one."""
    if _start(head["pid"]) is not None:
        return bool(_start(head["pid"]) == head["start"])
    try:
        os.kill(head["pid"], 0)
    except PermissionError:
        return True
    except ProcessLookupError:
        return False
    return False  # it is gone by now, or has ended and waits for its parent


def _start(pid: int) -> str | None:
    """Start time of a process in ticks since boot, which tells it from a later one of its id; None if it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]


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
        while time.monotonic() < until and _start(pid) is not None:
            time.sleep(0.05)
