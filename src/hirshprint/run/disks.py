"""Whether the disks that a run writes to are full (light)."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from hirshprint.files.writing import FULL

WRITTEN = (Path(".snakemake"), Path("results"), Path("cache"), Path("logs"))
DISK_BYTES = 2**18  # that a disk must still take


class DiskFullError(RuntimeError):
    """A folder that a run writes to takes no more data."""


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
