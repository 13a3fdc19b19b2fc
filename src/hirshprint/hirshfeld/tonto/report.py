"""What a run of Tonto left in its folder: whether it went well, and if not, why."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

from hirshprint.files.writing import FULL_TEXT
from hirshprint.hirshfeld.tonto.cxs import Cxs, parse_cxs
from hirshprint.hirshfeld.tonto.errors import TontoDiskFullError, TontoError, TontoPassingError, TontoTimeoutError
from hirshprint.hirshfeld.tonto.input import SURFACE_FILE
from hirshprint.hirshfeld.tonto.installation import BASIS_FILE
from hirshprint.hirshfeld.tonto.process import LimitError, TimeLimitError

MOST_BYTES = 1_000_000_000
"""Most that a run may write: 137 bytes per vertex are some megabytes."""

MOST_TEXT = 20_000_000
"""Most characters of a report that are looked at."""

KEPT_LINES = 12
"""Last lines of Tonto's report that are kept when a run fails."""

KILLED = (signal.SIGKILL, signal.SIGBUS, signal.SIGTERM)
"""Signals by which a system ends a program, for want of memory for instance."""

CAUSES = (
    (r"no library basis set", f"the basis directory has no file {BASIS_FILE}"),
    (r"forget to set ignore_end_of_file", f"an element has no density in the basis file {BASIS_FILE}"),
    (r"not an existing file", "a file that Tonto needs is not there"),
    (r"crystal data block|EOF after _data labels", "the crystal lacks its cell, symmetry or atoms"),
    (r"SPACEGROUP:", "the symmetry operations were not understood"),
    (r"unknown element symbol", "Tonto does not know an element"),
    (r"was not found in the unit cell", "the inside atom is not on a site of the crystal"),
    (r"search too low", "the cell is too small for Tonto's search of neighbours"),
    (r"No isosurface points found", "Tonto found no surface at this separation"),
    (r"unknown option", "this Tonto does not know a keyword or option"),
    (r"error opening new file", "the surface file could not be written"),
    (r"unexpected end of file", "the input or the crystal ended early"),
    (r"read error", "the input could not be read"),
)
"""What stands behind Tonto's error messages: pattern in the line ``Error in``, plain words; the first that fits."""

PASSING = re.compile(
    r"Input/output error|Stale file handle|Cannot allocate memory|[Oo]ut of memory|Allocation would exceed memory"
)
"""Messages of the system, on the console, that another attempt may not meet again."""


def judge(folder: Path, status: int, stopped: LimitError | None) -> Cxs:
    """Tell by what a run left in its folder whether it went well, and read its surface.

    Parameters
    ----------
    folder : Path
        Folder of the run.
    status : int
        See `run_bounded`; the exit status tells only whether a signal ended the run.
    stopped : LimitError or None
        See `run_bounded`.

    Raises
    ------
    TontoError, CxsError : it did not go well.
    """
    report, console = read(folder / "stdout"), read(folder / "console")
    if stopped:
        raise (TontoTimeoutError if isinstance(stopped, TimeLimitError) else TontoError)(f"stopped: {stopped}")
    if FULL_TEXT.search(console):
        raise TontoDiskFullError(folder.parent)
    if found := PASSING.search(console):
        raise TontoPassingError(f"the machine failed Tonto: {found[0]}")
    if (number := -status if status < 0 else status - 128) in KILLED:  # a shell that starts Tonto adds 128
        raise TontoPassingError(f"killed by signal {number}")
    for text in (report, read(folder / "stderr"), console):
        if message := error_message(text):
            raise TontoError(message)
    if status < 0:
        raise TontoError(f"Tonto broke down (signal {-status})")
    if not (folder / SURFACE_FILE).is_file():
        raise TontoError(f"Tonto ended (status {status}) without an error message and without a surface")
    return parse_cxs(read(folder / SURFACE_FILE, MOST_BYTES))


def error_message(text: str) -> str:
    """Say in one line what the first ``Error in`` of a report means; empty if there is none."""
    found = re.search(r"Error in (\S+) ?\.* ?(.*)", text)
    if not found:
        return ""
    line = found[0].strip()
    meaning = next((words for pattern, words in CAUSES if re.search(pattern, line)), "Tonto stopped with an error")
    place = re.search(r"File name +=(.*)\n+Line number =(.*)", text[found.end() :])
    where = f" ({Path(place[1].strip()).name}, line {place[2].strip()})" if place else ""
    return f"{meaning}: {line[:200]}{where}"


def last_lines(folder: Path) -> str:
    """Give the last lines of a run's report and console, and those about its first error."""
    lines = [line.rstrip()[:200] for line in read(folder / "stdout").splitlines() if line.strip()]
    first = next((k for k, line in enumerate(lines) if "Error in" in line), len(lines))
    about = lines[first : min(first + 5, max(first, len(lines) - KEPT_LINES))]
    console = [line.rstrip()[:200] for line in read(folder / "console").splitlines() if line.strip()]
    return "\n".join([*about, *lines[-KEPT_LINES:], *console[-3:]])


def read(path: Path, most: int = MOST_TEXT) -> str:
    """Read a text that may be missing, huge or of any encoding; of a longer one its two ends."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            if size <= most:
                content = file.read()
            else:
                content = file.read(most // 2) + b"\n"
                file.seek(-most // 2, os.SEEK_END)
                content += file.read()
    except FileNotFoundError:
        return ""
    return content.decode("utf-8", errors="replace").replace("\r\n", "\n")
