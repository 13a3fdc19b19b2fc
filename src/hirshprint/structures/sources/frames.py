"""Frames of an extended XYZ file, as text (light)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

COUNT = re.compile(r"\s*\d{1,9}\s*")
_VALUE = r'"((?:\\.|[^"\\])*)"' r"|'([^']*)'" r"|\{([^}]*)\}" r"|(\[(?:[^\[\]]|\[[^\[\]]*\])*\])" r"|(\S+)"
WORD = re.compile(rf"""(?:"([^"]*)"|'([^']*)'|([^\s="',]+))\s*=\s*(?:{_VALUE})""")
GEOMETRY_WORDS = ("lattice", "properties", "pbc", "occupancy", "occupancies")


@dataclass(frozen=True)
class Frame:
    """A frame: the line that it begins in, its comment, its lines of atoms, and what is wrong with it, if anything."""

    line: int
    comment: str
    atoms: tuple[str, ...]
    fault: tuple[str, str] | None = None


def split_frames(lines: Iterable[str]) -> Iterator[Frame]:
    """Split lines into frames: a number of atoms, a comment, and as many lines.

    After a frame whose number does not fit, the next one is looked for: a line with nothing but a number.
    """
    rows = ((number, line.rstrip("\r\n")) for number, line in enumerate(lines, 1))
    row = next(rows, None)
    while row is not None:
        number, line = row
        if not line.strip():
            row = next(rows, None)
            continue
        atoms: list[str] = []
        comment, fault = "", None
        if COUNT.fullmatch(line):
            comment = next(rows, (0, ""))[1]
            row = next(rows, None)
            while row is not None and len(atoms) < int(line) and not COUNT.fullmatch(row[1]):
                atoms.append(row[1])
                row = next(rows, None)
            if len(atoms) < int(line):
                fault = f"it says {int(line)} atoms, and {len(atoms)} lines of atoms follow"
            elif row is not None and row[1].strip() and not COUNT.fullmatch(row[1]):
                fault = f"it says {int(line)} atoms, and more lines follow"
        else:
            fault = f"{line.strip()[:40]!r} is not a number of atoms, with which a frame begins"
        if fault:
            while row is not None and not COUNT.fullmatch(row[1]):
                row = next(rows, None)
        yield Frame(number, comment, tuple(atoms), (fault, "complete the frame, or delete it") if fault else None)


def read_comment(comment: str) -> dict[str, str]:
    """Read the words KEY=VALUE of a frame's comment; values may stand in quotes or brackets."""
    return dict(_words(comment))


def comment_fault(comment: str) -> tuple[str, str] | None:
    """Say which key has two values in a comment, and what to do; None if none has."""
    found: dict[str, str] = {}
    for key, value in _words(comment):
        if found.setdefault(key, value) != value:
            return f"its comment has two values of {key[:40]}", "keep one of them"
    return None


def _words(comment: str) -> Iterator[tuple[str, str]]:
    for match in WORD.finditer(comment):
        key = next(key for key in match.groups()[:3] if key is not None)
        yield key, next(value for value in match.groups()[3:] if value is not None)


def frame_geometry(comment: str) -> dict[str, str]:
    """Take the words of a frame's comment that determine its crystal, by their names in small letters."""
    words = {key.lower(): value for key, value in read_comment(comment).items()}
    return {key: words[key] for key in GEOMETRY_WORDS if key in words}
