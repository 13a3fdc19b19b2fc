"""The log of a job: what it prints goes to its log file, and to the terminal where somebody may be watching."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import TracebackType
from typing import TextIO


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


def start_log(path: str | Path, echo: bool = False) -> None:
    """Send all output of this process to a log file; with `echo`, what Python prints to the terminal as well.

    Libraries that write to the file descriptors themselves (TensorFlow) fill the log alone.
    """
    log = Path(path).open("w", buffering=1, encoding="utf-8")  # noqa: SIM115 - open until the process ends
    terminal = os.fdopen(os.dup(2), "w", buffering=1, encoding="utf-8")
    os.dup2(log.fileno(), 1)
    os.dup2(log.fileno(), 2)
    stream = _Tee(log, terminal) if echo else log
    sys.stdout = stream
    sys.stderr = stream
    sys.excepthook = _show_error


def _show_error(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Show an error that is a message to the user as that message alone, and all others as Python does."""
    if issubclass(kind, ValueError) and kind.__module__.startswith("hirshprint."):
        print(error, file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)
