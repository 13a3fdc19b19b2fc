"""Crystals read in processes of their own, each crystal under a limit of time and memory.

What a parser does with a broken file cannot be foreseen: it may take for ever, or all memory, in code that no signal
interrupts. The process is ended then, that crystal is rejected, and the next ones get a new process.
"""

from __future__ import annotations

import contextlib
import logging
import os
import resource
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterable
from importlib import import_module
from itertools import chain, islice
from multiprocessing.connection import Connection, wait
from pathlib import Path

from hirshprint.structures.entries import CrystalError, PassingError
from hirshprint.structures.structure import Structure
from hirshprint.telling import TELL_SECONDS, how_far

LOG = logging.getLogger(__name__)

SECONDS = 60.0
START_SECONDS = 600.0
MEMORY_BYTES = 4 * 2**30
AT_ONCE = 16  # crystals that a process is sent in one message: it must not wait for each next one
PER_PROCESS = 200  # crystals that are worth the start of one more process, about a second
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")  # each takes memory

Source = Path | tuple[Path, str] | tuple[str, str]
"""A file, or one with the digest that it must have, or the kind and text of a record."""
Task = tuple[Source, str]
"""What to read, and the structure id."""
Answer = Structure | CrystalError


def read_all(
    tasks: Iterable[Task],
    total: int,
    processes: int = 1,
    seconds: float = SECONDS,
    memory_bytes: int = MEMORY_BYTES,
) -> dict[str, Answer]:
    """Read crystals in several processes, and say every some seconds how far it is.

    Parameters
    ----------
    tasks : iterable of tuple (Path or tuple (Path, str) or tuple (str, str), str)
        What to read; it is asked for more only when a process needs it.
    total : int
        Number of tasks.
    processes : int, default 1
        Most processes at the same time; few crystals get fewer.
    seconds : float, default SECONDS
        Longest time for one crystal.
    memory_bytes : int, default MEMORY_BYTES
        Most memory for one crystal.

    Returns
    -------
    dict
        Of each structure id the structure, or the reason and remedy of why there is none.
    """
    answers: dict[str, Answer] = {}
    coming, again = iter(tasks), deque[Task]()
    start = told = time.monotonic()
    readers = [_Reader(seconds, memory_bytes) for _ in range(max(1, min(processes, -(-total // PER_PROCESS))))]
    try:
        while True:
            for reader in (reader for reader in readers if not reader.asked):
                left = [again.popleft() for _ in range(min(len(again), AT_ONCE))]
                reader.ask(list(islice(chain(left, coming), AT_ONCE)))
            busy = {reader.connection: reader for reader in readers if reader.asked and reader.connection is not None}
            if not busy:
                return answers
            wait(busy, timeout=max(0.0, min(reader.deadline for reader in busy.values()) - time.monotonic()))
            for reader in busy.values():
                answers |= reader.answers()
                if reader.connection is None:  # it was ended: what it had not begun is read by another one
                    again.extend(reader.asked)
                    reader.asked.clear()
            if time.monotonic() - told > TELL_SECONDS:
                told = time.monotonic()
                LOG.info(how_far(len(answers), total, told - start, "crystals read"))
    finally:
        for reader in readers:
            reader.stop()


class _Reader:
    """A process that reads crystals; it starts when it is asked for the first.

    `asked` are the crystals that it was sent and has not answered, `deadline` is when the first of them takes too long.
    """

    def __init__(self, seconds: float, memory_bytes: int) -> None:
        self.seconds, self.memory_bytes = seconds, memory_bytes
        self.process: subprocess.Popen[bytes] | None = None
        self.connection: Connection | None = None
        self.asked: deque[Task] = deque()
        self.ready = False
        self.deadline = 0.0

    def ask(self, tasks: list[Task]) -> None:
        """Have some crystals read, of which `answers` tells later."""
        self.asked.extend(tasks)
        if tasks and self.connection is None:
            self._start()
        elif tasks:
            self._send()

    def _send(self) -> None:
        assert self.connection is not None
        self.deadline = time.monotonic() + self.seconds
        with contextlib.suppress(OSError):  # it has ended: `answers` finds that out
            self.connection.send(list(self.asked))

    def answers(self) -> dict[str, Answer]:
        """Answers that have come by now. A crystal that took too long, or ended the process, is answered by that."""
        assert self.connection is not None
        found: dict[str, Answer] = {}
        fault = None
        try:
            while self.asked and self.connection.poll():
                answer = self.connection.recv()
                if not self.ready:  # it says when: its start is no crystal's fault
                    self.ready = True
                    self._send()
                    continue
                found[self.asked.popleft()[1]] = answer if isinstance(answer, Structure) else _error(*answer)
                self.deadline = time.monotonic() + self.seconds
            if self.asked and time.monotonic() > self.deadline:
                remedy = "give a smaller cell, or check that it is complete"
                fault = PassingError(f"reading it took longer than {self.seconds:g} s", remedy)
        except (EOFError, OSError):
            remedy = "check that it is complete, and its size"
            fault = PassingError("the program that reads it was ended by it", remedy)
        if fault:
            if not self.ready:
                raise RuntimeError(
                    f"the program that reads structure files did not start within {START_SECONDS:g} s: the machine has "
                    "too much other work, or its disk is slow; run the same command again"
                )
            found[self.asked.popleft()[1]] = fault
            self.stop()
        return found

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        source = str(Path(__file__).parents[3])
        paths = os.pathsep.join([source, *filter(None, [os.environ.get("PYTHONPATH")])])
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno()), str(self.memory_bytes)],
                env={**os.environ, "PYTHONPATH": paths, **ONE_THREAD},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        self.connection, self.ready = Connection(ours.detach()), False
        self.deadline = time.monotonic() + START_SECONDS

    def stop(self) -> None:
        """End the process, if there is one."""
        if self.connection is not None:
            self.connection.close()
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        self.process = self.connection = None


def serve(connection: Connection) -> None:
    """Answer each of the tasks that come with a `Structure`, or with the reason and remedy of why there is none."""
    import_module("hirshprint.structures.reading.records")  # slow; until it is ready no crystal's time runs
    connection.send("ready")
    while True:
        for task in connection.recv():
            connection.send(_answer(*task))


def _error(passing: bool, reason: str, remedy: str) -> CrystalError:
    """What a process answers in place of a structure."""
    return (PassingError if passing else CrystalError)(reason, remedy)


def _answer(source: Source, structure_id: str) -> Structure | tuple[bool, str, str]:
    from hirshprint.structures.reading import read_crystal  # slow to import, and not needed by who asks
    from hirshprint.structures.reading.records import read_record

    try:
        if isinstance(source, Path):
            return read_crystal(source, structure_id)
        first, second = source
        return (
            read_crystal(first, structure_id, second)
            if isinstance(first, Path)
            else read_record(first, second, structure_id)
        )
    except CrystalError as error:
        return isinstance(error, PassingError), error.reason, error.remedy
    except MemoryError:
        return True, "reading it takes too much memory", "give a smaller cell, or check that it is complete"
    except OSError as error:
        return True, f"cannot be read ({error.strerror or error})", "check its permissions"
    except Exception as error:  # whatever a library does with a file that nobody thought of
        print(f"{structure_id}: {type(error).__name__}: {error}", file=sys.stderr)  # for who looks into the log
        return (
            True,
            "it cannot be used, for a reason that was not foreseen",
            "check its cell and its atoms; see the log",
        )


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[2]),) * 2)
    with contextlib.suppress(EOFError, KeyboardInterrupt), Connection(int(sys.argv[1])) as opened:
        serve(opened)
