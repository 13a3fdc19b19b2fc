"""Files that appear whole or not at all, and digests that name their contents."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

FULL = (errno.ENOSPC, errno.EDQUOT)
FULL_TEXT = re.compile(r"No space left on device|[Dd]isk quota exceeded|requested and \d+ written")
"""How libraries that lose the number of the error say that a disk is full."""

LARGE_BYTES = 2**24  # a file that is not read at once
NO_PLACE = "No usable temporary directory"  # which Python says where it cannot write into any


class ForeignFolderError(RuntimeError):
    """Another user has run in this folder, and this one may not write to it."""


@contextmanager
def written_whole(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside `path` to write to; rename it into place only when the block succeeds."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield temporary
        if path.is_dir() and not path.is_symlink():
            put_aside(path)  # whose it is, nobody here knows
        temporary.replace(path)
    except OSError as error:
        if error.errno in FULL and error.filename is None:
            error.filename = str(path)  # the error of a write does not say where
        raise
    finally:
        temporary.unlink(missing_ok=True)


def put_aside(path: Path) -> Path:
    """Rename a file or folder to its name with ``.damaged``, in place of an earlier one of this name; return it."""
    aside = path.with_name(f"{path.name}.damaged")
    if aside.is_dir() and not aside.is_symlink():
        shutil.rmtree(aside, ignore_errors=True)
    else:
        aside.unlink(missing_ok=True)
    with suppress(FileNotFoundError):  # another job was quicker
        path.rename(aside)
    return aside


def refuse_unwritable(folder: Path) -> None:
    """Refuse to go on where this user may not write what Snakemake keeps: it would end in a traceback.

    Raises
    ------
    ForeignFolderError
        Naming the folder and whose it is.
    """
    parts = [one for one in (folder, *sorted(folder.glob("*"))) if one.is_dir()]
    for one in parts or [folder.absolute().parent]:
        if not os.access(one, os.W_OK | os.X_OK):
            try:
                owner = one.owner()
            except KeyError:
                owner = f"user {one.stat().st_uid}"
            raise ForeignFolderError(
                f"{one} belongs to {owner}, and you may not write to it: work in a folder of your own, with the same "
                f"configuration, or have {owner} let you write to this one"
            )


def is_disk_full(error: BaseException | None) -> bool:
    """Say whether an error, or what caused it, is that a disk is full or a quota used up."""
    while error is not None:
        if getattr(error, "full_folder", None) or (isinstance(error, OSError) and error.errno in FULL):
            return True
        if isinstance(error, (OSError, RuntimeError)) and FULL_TEXT.search(str(error)):
            return True
        if NO_PLACE in str(error) and not shutil.disk_usage(scratch_place()).free:
            return True
        error = error.__cause__ or error.__context__
    return False


def full_disk_text(error: BaseException | None) -> str:
    """Say in one sentence which disk is full, after an error of which `is_disk_full`."""
    names = []
    while error is not None:
        if folder := getattr(error, "full_folder", None):
            return disk_full(folder)
        if isinstance(error, OSError) and error.errno in FULL and error.filename:
            names.append(str(error.filename))
        error = error.__cause__ or error.__context__
    if names:
        return disk_full(Path(names[0]).absolute().parent)
    folders = [Path.cwd(), *(Path.cwd() / name for name in ("results", "cache", "logs")), scratch_place()]
    return disk_full(min((one for one in folders if one.is_dir()), key=lambda one: shutil.disk_usage(one).free))


def scratch_place() -> Path:
    """Folder for temporary files, also where none can be written for a full disk."""
    try:
        return Path(tempfile.gettempdir())
    except FileNotFoundError:
        return Path(os.environ.get("TMPDIR", "/tmp"))


def disk_full(folder: Path) -> str:
    """Sentence on the full disk of a folder."""
    return f"the disk of {folder} is full, or your quota there is used up: make room, then run the same command again"


def digest(*parts: Any) -> str:
    """Hexadecimal SHA-256 of JSON-serialisable parts; equal for equal contents, whatever the key order."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def file_digest(path: str | Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123  # `Path` takes twice as long, of many files
        if os.fstat(file.fileno()).st_size > LARGE_BYTES:
            return hashlib.file_digest(file, "sha256").hexdigest()
        return hashlib.sha256(file.read()).hexdigest()
