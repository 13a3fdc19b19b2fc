"""Compiled code is made by one process for all: the lock, and what happens where its owner is gone."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from hirshprint.hirshfeld import compiled
from hirshprint.run import environment


def test_lock_has_one_owner_and_a_dead_one_does_not_block(tmp_path: Path) -> None:
    lock, made = tmp_path / "compiling", tmp_path / "made"
    assert compiled._taken(lock, made)
    assert lock.read_text() == f"{socket.gethostname()} {os.getpid()}"
    threading.Timer(0.3, made.touch).start()
    assert not compiled._taken(lock, made)  # waits for this process, until the code is there
    assert made.exists()
    made.unlink()
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    lock.write_text(f"{socket.gethostname()} {ended.pid}")
    assert compiled._taken(lock, made)


def test_owner_on_another_host_is_dead_without_a_sign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock, made = tmp_path / "compiling", tmp_path / "made"
    monkeypatch.setattr(compiled, "DEAD_SECONDS", 1.0)
    lock.write_text("elsewhere 1")
    start = time.monotonic()
    assert compiled._taken(lock, made)
    assert time.monotonic() - start >= 1.0
    lock.write_text("elsewhere 1")
    monkeypatch.setattr(compiled, "DEAD_SECONDS", 60.0)
    monkeypatch.setattr(compiled, "WAIT_SECONDS", 0.1)
    assert not compiled._taken(lock, made)


def test_lock_is_touched_while_held_and_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "BEAT_SECONDS", 0.05)
    lock = tmp_path / "compiling"
    lock.touch()
    os.utime(lock, (1, 1))
    with compiled._kept_alive(lock):
        time.sleep(0.3)
        assert lock.stat().st_mtime > 1
    assert not lock.exists()


def test_code_compiled_ahead_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "environment"))
    monkeypatch.setenv("PYTHONPATH", "")
    monkeypatch.setenv("NUMBA_CACHE_DIR", "")
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    ahead = environment.compiled_code_folder(tmp_path / "environment" / environment.COMPILED_AHEAD)
    ahead.mkdir(parents=True)
    (ahead / "made-1").write_text("x")
    environment.prepare_environment(tmp_path)
    folder = Path(os.environ["NUMBA_CACHE_DIR"])
    assert folder.is_relative_to(tmp_path / "cache")
    assert (folder / "made-1").read_text() == "x"
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def _command_folder(monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NUMBA_CACHE_DIR", "")
    environment.prepare_command()
    return Path(os.environ["NUMBA_CACHE_DIR"])


def test_commands_use_what_was_compiled_ahead_wherever_it_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "environment"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    ahead = environment.compiled_code_folder(tmp_path / "environment" / environment.COMPILED_AHEAD)
    of_user = environment.compiled_code_folder(tmp_path / "cache/hirshprint/numba")
    assert _command_folder(monkeypatch) == of_user  # nothing was compiled ahead
    assert of_user.is_dir()
    of_user.rmdir()
    ahead.mkdir(parents=True)
    (ahead / "kernel.nbi").write_text("code")
    assert _command_folder(monkeypatch) == ahead
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # a read-only installation
    assert _command_folder(monkeypatch) == of_user
    assert (of_user / "kernel.nbi").read_text() == "code"
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))  # and no cache of the user
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(environment.tempfile, "tempdir", None)
    assert (_command_folder(monkeypatch) / "kernel.nbi").read_text() == "code"
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "chosen"))
    environment.prepare_command()
    assert os.environ["NUMBA_CACHE_DIR"] == str(tmp_path / "chosen")
