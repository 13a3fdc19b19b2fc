"""One run of Tonto: a folder, a process group and a time limit of its own."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hirshprint.files.writing import is_disk_full, scratch_place
from hirshprint.hirshfeld.tonto.check import Nearest, check_surface
from hirshprint.hirshfeld.tonto.cxs import Cxs, CxsError
from hirshprint.hirshfeld.tonto.errors import TontoDiskFullError, TontoError
from hirshprint.hirshfeld.tonto.input import CIF_FILE, Cell, cif_text, input_text
from hirshprint.hirshfeld.tonto.installation import Installation
from hirshprint.hirshfeld.tonto.process import LimitError, run_bounded
from hirshprint.hirshfeld.tonto.report import MOST_BYTES, judge, last_lines

ROOM = 1_000_000
"""Bytes that a disk must still take after a run that failed, or it counts as full."""

SINGLE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Tonto:
    """An installed Tonto and how to run it.

    Attributes
    ----------
    installation : Installation
        Program and basis directory.
    engine : str
        Name that goes into every surface, see `Identity.name`.
    separation_bohr : float, bohr
        Length of a cell of Tonto's grid.
    time_limit_seconds : float
        Time limit for one surface.
    keep_scratch : bool
        Keep the folder of a run that failed.
    """

    installation: Installation
    engine: str = "tonto"
    separation_bohr: float = 0.15
    time_limit_seconds: float = 300.0
    keep_scratch: bool = False


def run_site(cell: Cell, atom: int, tonto: Tonto) -> tuple[Cxs, Nearest]:
    """Let Tonto make the surface of one atom of a cell; return what it wrote, and what `check_surface` gives.

    Raises
    ------
    TontoError : see `compute_surfaces`.
    """
    with scratch(tonto.keep_scratch) as folder:
        (folder / CIF_FILE).write_text(cif_text(cell), encoding="ascii")
        (folder / "stdin").write_text(input_text(cell, atom, tonto.separation_bohr), encoding="ascii")
        status, stopped = run_tonto(tonto.installation, (), folder, tonto.time_limit_seconds, tonto.keep_scratch)
        try:
            cxs = judge(folder, status, stopped)
            nearest = check_surface(cxs, cell, atom)
        except (TontoError, CxsError) as error:
            failure = error if isinstance(error, TontoError) else TontoError(str(error))
            if has_no_room(folder) and not isinstance(failure, TontoDiskFullError):
                failure = TontoDiskFullError(folder.parent)
            failure.output = last_lines(folder)
            raise failure from None
    return cxs, nearest


@contextmanager
def scratch(keep: bool) -> Iterator[Path]:
    """Make a folder where TMPDIR says, and remove it; with `keep`, not after a failure.

    Raises
    ------
    TontoDiskFullError : what is written into it by us does not fit.
    """
    try:
        with _scratch_folder(keep) as folder:
            yield folder
    except OSError as error:
        if is_disk_full(error) and not isinstance(error, TontoError):
            raise TontoDiskFullError(scratch_place()) from None
        raise


def has_no_room(folder: Path) -> bool:
    """Say whether a file that Tonto's might have been finds no room; a quota is seen in no other way.

    A run that filled the disk by itself is no matter of room.
    """
    if sum(path.stat().st_size for path in folder.iterdir() if path.is_file()) > MOST_BYTES / 10:
        return False
    path = folder / "room"
    try:
        with path.open("wb") as file:
            file.write(bytes(ROOM))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return is_disk_full(error)
    finally:
        path.unlink(missing_ok=True)
    return False


@contextmanager
def _scratch_folder(keep: bool) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="hirshprint-tonto-"))
    try:
        yield folder
    except TontoError as error:
        if keep and not isinstance(error, TontoDiskFullError):
            error.output += f"\nscratch kept: {socket.gethostname()}:{folder}"
        else:
            shutil.rmtree(folder, ignore_errors=True)
        raise
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)


def run_tonto(
    installation: Installation, arguments: tuple[str, ...], folder: Path, seconds: float, keep: bool = False
) -> tuple[int, LimitError | None]:
    """Run Tonto in a folder with a time limit: what `run_bounded` gives."""
    environment = {**os.environ, **SINGLE_THREAD, "TONTO_BASIS_SET_DIRECTORY": installation.basis_directory}
    command = [installation.binary, *arguments]
    return run_bounded(command, folder, environment, seconds, MOST_BYTES, remove=None if keep else folder)
