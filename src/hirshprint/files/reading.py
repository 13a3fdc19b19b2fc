"""Every file that a stage or a command reads back is opened here: one that is not whole is named, never a traceback.

NPZ and Keras files carry checksums of their members, which are read in full; HDF5 files carry a digest of all their
bytes in the block before their content, which HDF5 leaves to its users; beside a table lies one in a hidden file.
"""

from __future__ import annotations

import csv
import errno
import hashlib
import io
import json
import logging
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hirshprint.files.writing import digest, file_digest, put_aside, written_whole

LOG = logging.getLogger(__name__)

if TYPE_CHECKING:
    import h5py
    from numpy.typing import NDArray

USER_BLOCK = 512
SEAL = b"BLAKE2b of all that follows this block of 512 bytes: "
HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
SECONDS_TO_AGREE = 2.0  # until a table and the digest beside it, just replaced, are both seen on a shared file system
DIGEST = "digest"  # key in a JSON file of ours: of all its other keys
CUT_OR_CHANGED = "it is cut short, or its content was changed"

NOTED = Path(".snakemake/hirshprint-damaged.jsonl")
"""What the jobs of a run found damaged."""

PASSING = (
    *(errno.ENOENT, errno.EAGAIN, errno.EINTR, errno.ENOLCK, errno.ENOSYS, errno.EMFILE, errno.ENFILE, errno.ENOMEM),
    *(errno.ESTALE, errno.ETIMEDOUT, errno.ENOSPC, errno.EDQUOT),
)
"""Errors that tell nothing of a file's content."""


class DamagedError(ValueError):
    """A file is not whole, or not what it should be.

    Attributes
    ----------
    path : Path
        The file.
    reason : str
        What is wrong with it, a clause.
    unit : Path
        File or folder that is made again as one.
    """

    def __init__(self, path: str | Path, reason: str, unit: str | Path | None = None):
        self.path, self.reason, self.unit = Path(path), reason, Path(unit or path)
        super().__init__(
            f"{path} is damaged ({reason}); delete {self.unit}: the same snakemake command then makes it again"
        )


def note_damaged(path: Path) -> None:
    """Have a file or folder put aside when the run ends; by then no attempt of a job waits for it."""
    stat = path.stat()
    NOTED.parent.mkdir(parents=True, exist_ok=True)
    with NOTED.open("a", encoding="utf-8") as file:
        file.write(json.dumps([str(path), stat.st_mtime_ns, stat.st_ino]) + "\n")


def put_noted_aside() -> None:
    """Put aside what the jobs of a run noted as damaged, where it has not been made again."""
    with suppress(OSError):
        lines = NOTED.read_text(encoding="utf-8").splitlines()
        NOTED.unlink()
        for line in lines:
            with suppress(OSError, ValueError):
                name, *was = json.loads(line)
                stat = Path(name).stat()
                if was == [stat.st_mtime_ns, stat.st_ino]:
                    put_aside(Path(name))


@contextmanager
def reading(path: str | Path, unit: str | Path | None = None) -> Iterator[None]:
    """Have whatever goes wrong while `path` is read, or its content is made use of, said as a `DamagedError`.

    Raises
    ------
    DamagedError
        In place of any other error, but for those of the machine (memory, disk, network), which pass.
    """
    try:
        yield
    except (DamagedError, MemoryError):
        raise
    except OSError as error:
        aside = Path(path).with_name(f"{Path(path).name}.damaged")
        if isinstance(error, FileNotFoundError) and aside.exists() and not Path(path).exists():
            raise DamagedError(path, f"it was put aside as {aside}", unit) from None
        if isinstance(error, FileNotFoundError) and unit and Path(unit).is_dir():
            raise DamagedError(path, "it is not there", unit) from None
        if error.errno in PASSING:
            raise
        raise DamagedError(path, _reason(Path(path), error), unit) from None
    except Exception as error:  # zip, HDF5, JSON and numpy each have errors of their own
        raise DamagedError(path, _reason(Path(path), error), unit) from None


def _reason(path: Path, error: Exception) -> str:
    if path.is_dir():
        return "it is a folder"
    if isinstance(error, PermissionError):
        return "its permissions do not let it be read"
    with suppress(OSError):
        if path.stat().st_size == 0:
            return "it is empty"
    return CUT_OR_CHANGED


# --- NPZ, and other files that are zip archives -----------------------------------------------------------------------


def read_npz(
    path: str | Path, names: Iterable[str] | None = None, unit: str | Path | None = None
) -> dict[str, NDArray[Any]]:
    """Read the arrays of an NPZ file, or those named, each with its checksum.

    Raises
    ------
    DamagedError
        One is not as it was written, or is not there.
    """
    with reading(path, unit), Path(path).open("rb") as file, zipfile.ZipFile(file) as archive:
        present = {name.removesuffix(".npy"): name for name in archive.namelist()}
        wanted = list(present) if names is None else list(names)
        if absent := [name for name in wanted if name not in present]:
            raise DamagedError(path, f"it lacks {', '.join(absent)}", unit)
        return {name: read_member(archive, present[name]) for name in wanted}


def read_member(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    """Read one array of an open NPZ file, with its checksum."""
    import numpy as np  # not needed by those that read tables

    array: NDArray[Any] = np.lib.format.read_array(io.BytesIO(archive.read(name)), allow_pickle=False)
    return array


def check_zip(path: str | Path, unit: str | Path | None = None) -> None:
    """Check the members of a zip archive, such as a network saved by Keras.

    Raises
    ------
    DamagedError
        One is not as it was written.
    """
    with reading(path, unit), Path(path).open("rb") as file, zipfile.ZipFile(file) as archive:
        if archive.testzip():
            raise DamagedError(path, CUT_OR_CHANGED, unit)


# --- HDF5 -------------------------------------------------------------------------------------------------------------


def seal_hdf5(path: str | Path) -> None:
    """Write the digest of an HDF5 file, made with ``userblock_size=USER_BLOCK``, into its user block."""
    with Path(path).open("r+b") as file:
        seal = SEAL + _digest_from_here(file, USER_BLOCK).encode() + b"\n"
        file.seek(0)
        file.write(seal.ljust(USER_BLOCK, b"\0"))


@contextmanager
def open_hdf5(path: str | Path, needed: Iterable[str] = ()) -> Iterator[h5py.File]:
    """Open an HDF5 file to read; a sealed one is checked, each byte, a foreign one as HDF5 does.

    Raises
    ------
    DamagedError
        It is not as it was written, or lacks one of the arrays `needed`. What else happens in the block, passes.
    """
    import h5py  # not needed by those that read tables

    with reading(path):
        stat = Path(path).stat()
        _check_seal(str(path), stat.st_mtime_ns, stat.st_size, stat.st_ino)
        file = h5py.File(path)
    with file:
        if absent := [name for name in needed if name not in file]:
            raise DamagedError(path, f"it lacks {', '.join(absent)}")
        try:
            yield file
        except (OSError, RuntimeError) as error:
            with reading(path):
                raise error


@lru_cache(maxsize=64)
def _check_seal(path: str, changed: int, size: int, inode: int) -> None:
    """Compare an HDF5 file with its seal, once for each version of it."""
    with Path(path).open("rb") as file:
        block = file.read(USER_BLOCK)
        if block.startswith(HDF5_SIGNATURE):  # made by another program, or an older version of this one
            return
        seal = block.removeprefix(SEAL).partition(b"\n")[0].decode("ascii", errors="replace")
        if not block.startswith(SEAL) or _digest_from_here(file, USER_BLOCK) != seal:
            raise DamagedError(path, CUT_OR_CHANGED if size else "it is empty")


def _digest_from_here(file: Any, start: int) -> str:
    file.seek(start)
    total = hashlib.blake2b(digest_size=16)
    while block := file.read(1 << 20):
        total.update(block)
    return total.hexdigest()


# --- JSON -------------------------------------------------------------------------------------------------------------


def sealed_json(record: dict[str, Any]) -> dict[str, Any]:
    """Give a record the digest by which `read_json` checks it."""
    written: dict[str, Any] = json.loads(
        json.dumps(record)
    )  # keys as text, in which they are sorted otherwise than as numbers
    written.pop(DIGEST, None)
    return written | {DIGEST: digest(written)}


def read_json(path: str | Path, needed: Iterable[str] = (), unit: str | Path | None = None) -> dict[str, Any]:
    """Read a JSON object, without the digest that it may carry.

    Raises
    ------
    DamagedError
        It is no JSON object, lacks a key, or is not as it was written.
    """
    with reading(path, unit):
        record = json.loads(Path(path).read_text(encoding="utf-8"))
        if not isinstance(record, dict):
            raise DamagedError(path, "it holds something else", unit)
        if absent := [key for key in needed if key not in record]:
            raise DamagedError(path, f"it lacks {', '.join(absent)}", unit)
        if DIGEST in record and record.pop(DIGEST) != digest(record):
            raise DamagedError(path, CUT_OR_CHANGED, unit)
        return record


# --- tables -----------------------------------------------------------------------------------------------------------


@contextmanager
def table_written(path: str | Path) -> Iterator[Path]:
    """Like `written_whole`, for a table that is read again: keeps its digest in a hidden file beside it."""
    with written_whole(path) as temporary:
        yield temporary
        with written_whole(_beside(Path(path))) as seal:
            seal.write_text(f"{file_digest(temporary)}\n", encoding="ascii")


def check_table(path: str | Path, needed: Iterable[str] = ()) -> None:
    """Check a table (CSV): its digest where one is kept, its header, its end.

    Raises
    ------
    DamagedError
        It is not as it was written, or lacks a column.
    """
    with reading(path):
        content = Path(path).read_bytes()
        if not content:
            raise DamagedError(path, "it is empty")
        if not _agrees(Path(path)):
            time.sleep(SECONDS_TO_AGREE)
            if not _agrees(Path(path)):
                raise DamagedError(path, CUT_OR_CHANGED)
        if not content.endswith(b"\n"):
            raise DamagedError(path, "it is cut short")
        header = next(csv.reader(io.StringIO(content.partition(b"\n")[0].decode("utf-8"))), [])
        if absent := [name for name in needed if name not in header]:
            raise DamagedError(path, f"it has no column {', '.join(absent)}")


def read_rows(path: str | Path, needed: Iterable[str] = ()) -> list[dict[str, str]]:
    """Read the rows of a table, see `check_table`; none may have more or fewer cells than the header."""
    check_table(path, needed)
    with reading(path), Path(path).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, strict=True))
        for number, row in enumerate(rows, 2):
            if None in row or None in row.values():
                raise DamagedError(path, f"row {number} has another number of cells than the header")
        return rows


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.digest")


def _agrees(path: Path) -> bool:
    """Compare a table with its digest; one that has none is taken as it is."""
    try:
        kept = _beside(path).read_bytes()
    except OSError:
        return True
    return kept.decode("ascii", errors="replace").strip() == file_digest(path)


# --- what is computed again -------------------------------------------------------------------------------------------


def kept_or_none(path: Path, read: Callable[[Path], Any], what: str) -> Any:
    """Read a file of the cache; a damaged one is put aside and said, and counts as none.

    Parameters
    ----------
    path : Path
        File of the cache; it need not exist.
    read : callable
        Gives the content; any error in it, but one of the machine, counts as damage.
    what : str
        Whose result it is, for the log.
    """
    try:
        with reading(path):
            return read(path)
    except FileNotFoundError:
        return None
    except DamagedError as error:
        if not path.exists():
            return None
        where = "not to be moved"
        with suppress(OSError):
            where = f"now {put_aside(path)}"
        LOG.warning(f"{what}: {path} is damaged ({error.reason}): {where}, and computed again")
        return None
