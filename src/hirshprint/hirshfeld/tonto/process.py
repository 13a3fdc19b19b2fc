"""An external program in a process group of its own: bounded in time and output, and never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

GRACE = 2.0
"""Seconds that a stopped program has to end by itself before it is killed."""

GUARD = 'trap \'\' HUP INT TERM; read -r _; kill -s KILL -- "-$0"; [ -z "$1" ] || rm -rf -- "$1"'
"""Shell program that outlives its parent: when the pipe to it breaks, it kills a process group, removes a folder."""


class LimitError(Exception):
    """A program passed a limit and was stopped; the message says which."""


class TimeLimitError(LimitError):
    """The limit was that of time."""


def run_bounded(
    command: Sequence[str | Path],
    folder: Path,
    environment: Mapping[str, str],
    seconds: float,
    most_bytes: int,
    remove: Path | None = None,
) -> tuple[int, LimitError | None]:
    """Run a program in `folder`; its console goes to the file ``console`` there.

    No process of its group is alive afterwards, whether it ended, was stopped, or an exception passed through. If this
    process dies, even of SIGKILL, the group is killed too.

    Parameters
    ----------
    command : sequence of str or Path
        Program and arguments.
    folder : Path
        Where the program runs.
    environment : mapping of str to str
        All environment variables of the program.
    seconds : float
        Time limit.
    most_bytes : int
        The program is stopped when the files in `folder` are larger than this in all.
    remove : Path, optional
        Folder to remove if this process dies.

    Returns
    -------
    tuple (int, LimitError or None)
        Exit status (negative: the signal that ended it), and the limit that it passed; None if it ended by itself.

    Raises
    ------
    OSError : the program cannot be started.
    """
    with (folder / "console").open("wb") as console:
        process = subprocess.Popen(
            list(map(str, command)),
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    with _guarded(process.pid, remove):
        try:
            stopped = _wait(process, folder, seconds, most_bytes)
        finally:
            _end_group(process)
    return process.returncode, stopped


def _wait(process: subprocess.Popen[bytes], folder: Path, seconds: float, most_bytes: int) -> LimitError | None:
    """Wait until a program ends; else say which limit it passed."""
    until = time.monotonic() + seconds
    pause = 0.005
    while process.poll() is None:
        if time.monotonic() > until:
            return TimeLimitError(f"it had not ended after {seconds:g} s")
        if sum(path.stat().st_size for path in folder.iterdir() if path.is_file()) > most_bytes:
            return LimitError(f"it wrote more than {most_bytes / 1e6:.0f} MB")
        time.sleep(pause)
        pause = min(2 * pause, 0.1)
    return None


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process politely, then whatever is left of its group."""
    if process.poll() is None:
        _signal_group(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
    _signal_group(process.pid, signal.SIGKILL)
    process.wait()
    until = time.monotonic() + GRACE  # a killed process takes a moment to go; a zombie that nobody reaps may stay
    while _signal_group(process.pid, signal.SIGKILL) and time.monotonic() < until:
        time.sleep(0.005)


def _signal_group(group: int, number: int) -> bool:
    """Send a signal to a process group; False if nothing is left of it."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):  # the latter: only zombies are left, on macOS
        return False
    return True


@contextmanager
def _guarded(group: int, remove: Path | None) -> Iterator[None]:
    """Have a process group killed, and a folder removed, if this process dies before the block ends."""
    guard = subprocess.Popen(
        ["/bin/sh", "-c", GUARD, str(group), str(remove or "")],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        guard.kill()
        guard.wait()
        if guard.stdin:
            guard.stdin.close()
