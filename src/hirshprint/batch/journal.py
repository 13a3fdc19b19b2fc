"""The journal of a surface job: what each of its attempts began and ended, for those that come after a killed one."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from hirshprint.status import cpu_seconds

Note = Callable[..., None]


@dataclass(frozen=True)
class Past:
    """What the earlier attempts of a job did, the killed ones as far as they came to write it down.

    Attributes
    ----------
    ended : dict of str to float
        Seconds that each structure took that they computed, whether it went well or failed.
    under_way : tuple of frozenset of str
        Of each attempt the structures that were under way when it died; none where it ended by itself.
    cpu_seconds, wall_seconds : float
        CPU time and wall time of all attempts together.
    """

    ended: dict[str, float] = field(default_factory=dict)
    under_way: tuple[frozenset[str], ...] = ()
    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0

    def suspects(self) -> set[str]:
        """Structures that were under way when any attempt died."""
        return set().union(*self.under_way)

    def culprits(self) -> set[str]:
        """Structures that were under way when each of the attempts died: none got past them."""
        return set(frozenset.intersection(*self.under_way)) if self.under_way else set()


def read_past(path: Path, attempt: int) -> Past:
    """Read what a journal tells of the attempts before this one; lines that were cut short tell nothing."""
    lines: list[dict[str, Any]] = []
    with suppress(OSError):
        for text in path.read_text(encoding="utf-8", errors="replace").splitlines():
            with suppress(ValueError, TypeError, KeyError):
                line = json.loads(text)
                lines.append(line | {key: float(line[key]) for key in ("attempt", "cpu_seconds", "wall_seconds")})
    ended: dict[str, float] = {}
    last: dict[int, dict[str, Any]] = {}
    under_way: dict[int, set[str]] = {}
    for line in lines:
        last[int(line["attempt"])] = line
        running = under_way.setdefault(int(line["attempt"]), set())
        if name := line.get("began"):
            running.add(str(name))
        elif name := line.get("ended"):
            running.discard(str(name))
            ended[str(name)] = float(line.get("seconds") or 0.0)
    return Past(
        ended=ended,
        under_way=tuple(frozenset(under_way.get(number, ())) for number in range(1, attempt)),
        cpu_seconds=sum(line["cpu_seconds"] for line in last.values()),
        wall_seconds=sum(line["wall_seconds"] for line in last.values()),
    )


@contextmanager
def kept_journal(path: Path, attempt: int) -> Iterator[tuple[Past, Note]]:
    """Open the journal of a job for an attempt; it is begun anew by the first, and removed when the job is done.

    Yields
    ------
    tuple (Past, callable)
        What earlier attempts did, and what writes a line: ``note(began=ID)``, ``note(ended=ID, seconds=S)``. A journal
        that cannot be written, for a full disk, costs no result.
    """
    start = time.monotonic()
    if attempt == 1:
        _remove(path)
    past = read_past(path, attempt)
    with ExitStack() as opened:
        file: BinaryIO | None = None
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            file = opened.enter_context(path.open("ab", buffering=0))  # each line is out when it is written

        def note(**what: Any) -> None:
            used = {"cpu_seconds": round(cpu_seconds(), 3), "wall_seconds": round(time.monotonic() - start, 3)}
            line = json.dumps({"attempt": attempt, **what, **used})
            with suppress(OSError):
                if file:
                    file.write(f"{line}\n".encode())

        note()
        try:
            yield past, note
        except Exception:
            note()
            raise
    _remove(path)


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
