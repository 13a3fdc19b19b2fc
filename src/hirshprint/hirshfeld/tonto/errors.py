"""Ways in which Tonto fails."""

from __future__ import annotations

from pathlib import Path

from hirshprint.files.writing import disk_full
from hirshprint.hirshfeld.surface import SurfaceError


class TontoError(SurfaceError):
    """Tonto gave no usable surface: the reason in one line; `output` has the last lines of its report."""

    output: str = ""
    lasting: bool = True  # the same input would fail again


class TontoTimeoutError(TontoError, TimeoutError):
    """Tonto passed its time limit; another attempt, on a less loaded machine, may not."""


class TontoPassingError(TontoError, OSError):
    """The machine failed Tonto (killed, disk or memory full): another attempt may go well."""

    lasting = False


class TontoDiskFullError(TontoPassingError):
    """The disk of the scratch folder is full: Tonto then ends as if all were well, its files short or empty."""

    def __init__(self, folder: Path):
        super().__init__(f"{disk_full(folder)} (or set TMPDIR to a folder with room)")
        self.full_folder = folder
