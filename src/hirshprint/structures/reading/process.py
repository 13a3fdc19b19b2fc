"""Files read one after the other in a process of their own, each under a limit of time and memory.

What a parser does with a broken file cannot be foreseen: it may take for ever, or all memory, in code that no signal
interrupts. The process is ended then, that file is rejected, and the next one gets a new process.
"""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import subprocess
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType

from hirshprint.structures.crystals import CrystalError
from hirshprint.structures.reading import read_crystal
from hirshprint.structures.structure import Structure

SECONDS = 60.0
START_SECONDS = 120.0
MEMORY_BYTES = 4 * 2**30
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")  # each takes memory


class Reader:
    """Reads structure files in another process, which starts with the first file; to be used in a ``with``."""

    def __init__(self, seconds: float = SECONDS, memory_bytes: int = MEMORY_BYTES) -> None:
        self.seconds, self.memory_bytes = seconds, memory_bytes
        self.process: subprocess.Popen[bytes] | None = None
        self.connection: Connection | None = None

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def read(self, path: Path, structure_id: str) -> Structure:
        """Read one file as `reading.read_crystal` does.

        Raises
        ------
        CrystalError
            Its own reasons, and that it takes too long, or ends the process.
        """
        connection = self.connection or self._start()
        answer: Structure | tuple[str, str] | None = None
        try:
            connection.send((path, structure_id))
            if not connection.poll(self.seconds):
                self.stop()
                raise CrystalError(
                    f"reading it took longer than {self.seconds:g} s",
                    "give a smaller cell, or check that it is complete",
                )
            answer = connection.recv()
        except (EOFError, OSError):
            self.stop()
        if answer is None:
            raise CrystalError("the program that reads it was ended by it", "check that it is complete, and its size")
        if isinstance(answer, Structure):
            return answer
        raise CrystalError(*answer)

    def _start(self) -> Connection:
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
        self.connection = Connection(ours.detach())
        if not self.connection.poll(START_SECONDS):  # it says when it is ready: its start is no file's fault
            self.stop()
            raise RuntimeError(f"the program that reads structure files did not start within {START_SECONDS:g} s")
        self.connection.recv()
        return self.connection

    def stop(self) -> None:
        """End the process, if there is one."""
        if self.connection is not None:
            self.connection.close()
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        self.process = self.connection = None


def serve(connection: Connection) -> None:
    """Answer each (path, structure_id) with a `Structure`, or with the reason and remedy of why there is none."""
    connection.send("ready")
    while True:
        path, structure_id = connection.recv()
        try:
            answer: Structure | tuple[str, str] = read_crystal(path, structure_id)
        except CrystalError as error:
            answer = error.reason, error.remedy
        except MemoryError:
            answer = "reading it takes too much memory", "give a smaller cell, or check that it is complete"
        except OSError as error:
            answer = f"cannot be read ({error.strerror or error})", "check its permissions"
        except Exception as error:  # whatever a library does with a file that nobody thought of
            answer = f"cannot be used ({type(error).__name__}: {error})", "check that it is a complete structure file"
        connection.send(answer)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[2]),) * 2)
    with contextlib.suppress(EOFError, KeyboardInterrupt), Connection(int(sys.argv[1])) as opened:
        serve(opened)
