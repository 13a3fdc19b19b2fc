"""Code that numba has compiled and keeps on disk: made once, said while it is made, removed where it is damaged.

`make env` compiles ahead, into a folder of the environment; `hirshprint.run.environment` takes it from there.
"""

from __future__ import annotations

import io
import logging
import os
import pickletools
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

LOG = logging.getLogger(__name__)

BEAT_SECONDS = 2.0
"""How often a process that compiles shows that it lives."""

DEAD_SECONDS = 60.0
"""Without a sign for so long it is taken for dead; file systems of clusters may show changes half a minute late."""

WAIT_SECONDS = 600.0
"""A process waits no longer for another one to compile, and does so itself."""


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
                for made in Path(str(folder)).glob("made-*"):
                    made.unlink(missing_ok=True)
                LOG.warning(f"{path} is damaged (it is cut short): removed, and compiled again")


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
    LOG.warning(line)  # also where nobody asked for the log: it takes a minute


@cache
def compile_once() -> None:
    """Compile all kernels, unless that is done for this kind of processor; many processes at once leave it to one.

    A process that compiles holds a lock file and touches it; one that has died is found out by that. Where no lock is
    to be had, e.g. in a folder that cannot be written, each process compiles for itself, as it needs.
    """
    remove_damaged_code()
    folder = os.environ.get("NUMBA_CACHE_DIR")
    if folder is None:
        return
    made, lock = Path(folder) / f"made-{_processor()}", Path(folder) / f"compiling-{_processor()}"
    with suppress(OSError):
        Path(folder).mkdir(parents=True, exist_ok=True)
        if _taken(lock, made):
            with _kept_alive(lock), compiling_said():
                compile_all()
                made.touch()


def declare_all() -> None:
    """Import every module that has compiled functions: numba asks then where their code is to be kept."""
    from hirshprint.hirshfeld import patches, properties, spreading  # noqa: F401
    from hirshprint.hirshfeld.python import engine  # noqa: F401  # and what it imports


def compile_all() -> None:
    """Call everything that is compiled, with the kinds of arguments that it has in use, for a small crystal."""
    import numpy as np

    from hirshprint.densities import Densities
    from hirshprint.hirshfeld import patches, spreading
    from hirshprint.hirshfeld.python import engine, procrystal
    from hirshprint.hirshfeld.surface import mesh_about_centre
    from hirshprint.structures.placed import cubic_perovskite

    r = np.linspace(0.1, 20.0, 400)
    densities = Densities(r, np.tile(np.exp(-2.0 * r), (103, 1)), *[""] * 5)
    structure = cubic_perovskite(("Sr", "Ti", "O"), 3.9, "compiled")
    surface = engine.compute_surfaces(structure, densities, 2)[0]
    engine.radii_along(structure, densities, 0, np.eye(3))
    engine.fragment_surface(structure, densities, [1], 2)
    vertices, normals, inside, outside, triangles = mesh_about_centre(surface)
    spreading.spread_area(
        vertices,
        normals,
        inside,
        outside,
        triangles,
        np.zeros(len(outside), np.int64),
        np.zeros((1, 9, 9)),
        0.5,
        0.5,
        1e-2,
    )
    patches.nearest_rows(vertices, outside)
    patches.nearest_distances(patches.lattice_points(vertices, normals, triangles, 3), outside)
    procrystal.nearest_inside(vertices, np.zeros((1, 4)))


def _processor() -> str:
    """What numba makes code for: another processor needs its own."""
    from hashlib import sha256

    from llvmlite import binding

    kind = f"{binding.get_host_cpu_name()} {binding.get_host_cpu_features().flatten()}"
    return sha256(kind.encode()).hexdigest()[:12]


def _taken(lock: Path, made: Path) -> bool:
    """Take the lock, or wait until another process has made the code (False), is dead, or takes too long."""
    start = changed = time.monotonic()
    seen = 0.0
    while not made.exists():
        try:
            with lock.open("x", encoding="utf-8") as file:
                file.write(f"{socket.gethostname()} {os.getpid()}")
            return True
        except FileExistsError:
            pass
        now = time.monotonic()
        with suppress(OSError):
            if lock.stat().st_mtime != seen:
                seen, changed = lock.stat().st_mtime, now
            if now - changed > DEAD_SECONDS or _owner_is_gone(lock):
                lock.unlink(missing_ok=True)
                continue
        if now - start > WAIT_SECONDS:
            _say_once(f"{lock} has been held for {WAIT_SECONDS:.0f} s: not waiting any longer")
            return False
        _say_once("waiting for another job that compiles the program for surfaces")
        time.sleep(0.5)
    return False


def _owner_is_gone(lock: Path) -> bool:
    """Say whether the process that holds a lock ran on this host and has ended."""
    host, _, pid = lock.read_text(encoding="utf-8").partition(" ")
    if host != socket.gethostname() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


@contextmanager
def _kept_alive(lock: Path) -> Iterator[None]:
    """Touch a lock while something is done, and remove it after that."""
    done = threading.Event()

    def beat() -> None:
        while not done.wait(BEAT_SECONDS):
            with suppress(OSError):
                os.utime(lock)

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        lock.unlink(missing_ok=True)
