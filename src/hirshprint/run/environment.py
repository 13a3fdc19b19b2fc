"""What a run tells its jobs by their environment: where the library and compiled code are (light)."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from hirshprint.files.writing import digest, file_digest, written_whole
from hirshprint.machine import user_cache_folder

LEARNING_IS_ASKED_FOR = "HIRSHPRINT_LEARNING"
COMPILED_AHEAD = "hirshprint-compiled"


def ask_for_learning() -> None:
    """Let the jobs of this run know that something learns from its datasets.

    A parameter of the rule `structures` would rerun it with every change of what is learned.
    """
    os.environ[LEARNING_IS_ASKED_FOR] = "yes"


def learning_is_asked_for() -> bool:
    """Say whether something learns from the datasets in the run of this job."""
    return LEARNING_IS_ASKED_FOR in os.environ


def prepare_environment(source: Path) -> None:
    """Let the jobs of a run find this library, installed or not, and keep compiled code beside the other caches."""
    paths = [str(source), *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(paths))
    folder = compiled_code_folder(Path("cache/numba").resolve())
    os.environ.setdefault("NUMBA_CACHE_DIR", str(folder))
    if (ahead := compiled_code_folder(Path(sys.prefix) / COMPILED_AHEAD)).is_dir() and not folder.exists():
        with suppress(OSError), written_whole(folder) as part:
            shutil.copytree(ahead, part)  # the environment may be read-only, and nodes add to it


def prepare_command() -> None:
    """Let a command use the code that `make env` compiled, or keep what it compiles for the next one.

    The environment may be read-only, and numba uses nothing of such a folder: its code is copied to the user's cache,
    or where that cannot be written either, to a folder that is there as long as the command.
    """
    if os.environ.get("NUMBA_CACHE_DIR"):
        return
    ahead = compiled_code_folder(Path(sys.prefix) / COMPILED_AHEAD)
    if ahead.is_dir() and os.access(ahead, os.W_OK):
        os.environ["NUMBA_CACHE_DIR"] = str(ahead)
        return
    folder = compiled_code_folder(user_cache_folder() / "numba")
    try:
        _copied(ahead, folder)
    except OSError:
        temporary = Path(tempfile.mkdtemp(prefix="hirshprint-compiled-"))
        atexit.register(shutil.rmtree, temporary, ignore_errors=True)
        folder = temporary / "numba"
        _copied(ahead, folder)
    os.environ["NUMBA_CACHE_DIR"] = str(folder)


def _copied(ahead: Path, folder: Path) -> None:
    """Have a folder that can be written, with the code that was compiled ahead, if any was."""
    if ahead.is_dir() and not folder.exists():
        with written_whole(folder) as part:
            shutil.copytree(ahead, part)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass


def compile_ahead() -> None:
    """Compile the program for surfaces into a folder of this environment, for `prepare_environment`."""
    os.environ["NUMBA_CACHE_DIR"] = str(compiled_code_folder(Path(sys.prefix) / COMPILED_AHEAD))
    from hirshprint.hirshfeld.compiled import compile_once  # after the folder is set, which numba reads once

    compile_once()


def compiled_code_folder(parent: Path) -> Path:
    """Folder for compiled code, another one for other sources: numba does not see a change of what is called."""
    here = Path(__file__).parents[1]
    sources = sorted([*(here / "hirshfeld").rglob("*.py"), here / "densities.py"])
    return parent / digest([file_digest(path) for path in sources])[:16]
