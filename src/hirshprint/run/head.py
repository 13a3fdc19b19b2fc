"""The head process of a run in a folder: whether one is under way, or was killed (light)."""

from __future__ import annotations

import getpass
import json
import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hirshprint.files.reading import DamagedError, put_noted_aside, read_json
from hirshprint.files.writing import written_whole

LOCKS = Path(".snakemake/locks")
HEAD_FILE = Path(".snakemake/hirshprint-head.json")


class RunAliveError(RuntimeError):
    """Another head process works in this folder."""


class UnfinishedError(RuntimeError):
    """An earlier run in this folder was killed, and left jobs or its lock behind."""


def write_head() -> None:
    """Record the head process of a run, so that a dead run can be told from a live one."""
    head = {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "start": start_ticks(os.getpid()),
        "user": getpass.getuser(),
        "since": time.strftime("%d %b %H:%M"),
    }
    with written_whole(HEAD_FILE) as temporary:
        temporary.write_text(json.dumps(head))


def remove_head() -> None:
    """Forget the head process: the run has ended, and what its jobs found damaged is put aside."""
    HEAD_FILE.unlink(missing_ok=True)
    put_noted_aside()


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
    refuse_while_head_lives(locked)
    head = _read_head()
    if head or locked:
        which = f"the run of {_described(head)}" if head else "a run"
        raise UnfinishedError(
            f"{which} in this folder was killed: give `hirshprint recover` first, which ends the jobs that it left and "
            "takes its lock away, then the same command again. What is done stays done."
        )


def refuse_while_head_lives(locked: bool) -> None:
    """Refuse to go on where a run is under way.

    Parameters
    ----------
    locked : bool
        Whether Snakemake has locked this folder.

    Raises
    ------
    RunAliveError
        One is, or it was on another host and may still be.
    """
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


def _described(head: Mapping[str, Any]) -> str:
    """Name a head process in words."""
    began = f", begun {head['since']}" if "since" in head else ""
    return f"{head.get('user', 'somebody')} on {head['host']} (process {head['pid']}{began})"


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
    if start_ticks(head["pid"]) is not None:
        return bool(start_ticks(head["pid"]) == head["start"])
    try:
        os.kill(head["pid"], 0)
    except PermissionError:
        return True
    except ProcessLookupError:
        return False
    return False  # it is gone by now, or has ended and waits for its parent


def start_ticks(pid: int) -> str | None:
    """Start time of a process in ticks since boot, which tells it from a later one of its id; None if it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]
