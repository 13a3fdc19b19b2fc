"""The format of the files in a folder of results (light)."""

from __future__ import annotations

from pathlib import Path

from hirshprint import versions
from hirshprint.files.writing import written_whole

FORMAT_FILE = "format.txt"


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
