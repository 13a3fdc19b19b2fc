"""The log of a job: what it prints goes to its log file, and to the terminal where somebody may be watching."""

from __future__ import annotations

import atexit
import logging
import os
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TextIO

from hirshprint.files.reading import DamagedError, note_damaged
from hirshprint.files.writing import full_disk_text, is_disk_full
from hirshprint.status import cpu_file, cpu_seconds

MADE_HERE = ("results", "cache")  # folders whose files the same command makes again
BENCHMARKS = Path("logs/benchmarks")


class _Tee:
    """A text stream that writes to several."""

    def __init__(self, *streams: TextIO):
        self.streams = streams

    def write(self, text: str) -> int:
        """Write text to every stream."""
        for stream in self.streams:
            stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush every stream."""
        for stream in self.streams:
            stream.flush()

    def isatty(self) -> bool:
        """Say that nobody types here."""
        return False


class _Lines(logging.Handler):
    """Writes records as plain lines to what is standard error by then: of a job that is its log, as is its output."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        print(self.format(record), file=sys.stderr, flush=True)


def show_log() -> None:
    """Show what this library logs as plain lines, each at once; the results of a command go to standard output."""
    logger = logging.getLogger("hirshprint")
    logger.setLevel(logging.INFO)
    logger.propagate = False  # a library that gives the root logger a handler would have each line twice
    if not any(isinstance(handler, _Lines) for handler in logger.handlers):
        logger.addHandler(_Lines())


def start_log(path: str | Path, echo: bool = False) -> None:
    """Send all output of this process to a log file; with `echo`, what Python prints to the terminal as well.

    Libraries that write to the file descriptors themselves (TensorFlow) fill the log alone. What ends the process and
    is for the user to mend (a damaged file, a full disk) is said in one sentence, in the log and on the terminal. At
    its end the process leaves its processor time beside its benchmark, see `cpu_file`.
    """
    terminal = os.fdopen(os.dup(2), "w", buffering=1, encoding="utf-8")

    def show_error(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        _show_error(kind, error, trace, terminal)

    sys.excepthook = show_error
    log = Path(path).open("w", buffering=1, encoding="utf-8")  # noqa: SIM115 - open until the process ends
    os.dup2(log.fileno(), 1)
    os.dup2(log.fileno(), 2)
    stream = _Tee(log, terminal) if echo else log
    sys.stdout = stream
    sys.stderr = stream
    show_log()
    if Path(path).parts[0] == "logs":
        atexit.register(_write_cpu_seconds, cpu_file(BENCHMARKS.joinpath(*Path(path).parts[1:])))


def _write_cpu_seconds(path: Path) -> None:
    with suppress(OSError):  # a full disk: the job itself has said so
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{cpu_seconds():.2f}\n", encoding="ascii")


def _show_error(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None, terminal: TextIO | None = None
) -> None:
    """Show an error that is a message to the user as that message alone, and all others as Python does."""
    sentence = _sentence(error)
    if sentence and terminal:
        with suppress(OSError):
            terminal.write(f"{sentence}\n")
        with suppress(OSError):  # the log may lie on the full disk
            os.write(2, f"{sentence}\n".encode())
    elif issubclass(kind, ValueError) and kind.__module__.startswith("hirshprint."):
        print(error, file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)


def _sentence(error: BaseException) -> str:
    """What a damaged file or a full disk asks of the user, empty for other errors; what is damaged is noted."""
    if isinstance(error, DamagedError):
        return _set_right(error)
    return full_disk_text(error) if is_disk_full(error) else ""


def _set_right(error: DamagedError) -> str:
    damage = f"{error.path} is damaged ({error.reason})"
    here = Path(os.path.relpath(error.unit))
    if here.parts[0] not in MADE_HERE:
        return f"{damage}: make or copy {error.unit} anew, then give the same command again"
    again = f"the same command makes {here} again"
    if not os.path.lexists(here):
        return f"{damage}: {again}"
    try:
        note_damaged(here)
    except OSError as problem:
        return f"{damage}: remove {here}, for that cannot be noted ({problem.strerror}); then {again}"
    return f"{damage}: it becomes {here}.damaged when this run ends, and then {again}"
