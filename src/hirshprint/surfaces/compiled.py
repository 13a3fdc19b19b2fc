"""Code that numba has compiled and keeps on disk: said while it is made, removed where it is damaged."""

from __future__ import annotations

import io
import os
import pickletools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(function: Function) -> Function:
    """Compile a function to machine code when it is first called, and keep the code on disk."""
    compiled: Function = njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})(function)
    return compiled


@contextmanager
def compiling_said() -> Iterator[None]:
    """Have the first compilation in this process said: of the first run of a version."""
    from numba.core import event

    class Teller(event.Listener):  # type: ignore[misc]
        def on_start(self, _: Any) -> None:
            _say_once("compiling the program for surfaces, once for this version: about a minute")

        def on_end(self, _: Any) -> None:
            pass

    with event.install_listener("numba:compile", Teller()):
        yield


@cache
def remove_damaged_code() -> None:
    """Remove files that were cut short, for numba would fail on them in each structure; they are compiled again."""
    folder = os.environ.get("NUMBA_CACHE_DIR")
    for path in sorted(Path(folder).rglob("*.nb[ic]")) if folder else ():
        with suppress(OSError):
            if not _is_whole(path.read_bytes()):
                path.unlink()
                print(f"{path} is damaged (it is cut short): removed, and compiled again", file=sys.stderr, flush=True)


def _is_whole(content: bytes) -> bool:
    """Say whether bytes are whole pickles, one or several, as numba writes them."""
    stream = io.BytesIO(content)
    try:
        while stream.tell() < len(content):
            for _ in pickletools.genops(stream):
                pass
    except (ValueError, IndexError, KeyError):
        return False
    return bool(content)


@cache
def _say_once(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
