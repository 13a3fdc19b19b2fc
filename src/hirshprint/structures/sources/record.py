"""One crystal of a file of many, as it is written there (light)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Record:
    """One crystal of a file.

    Attributes
    ----------
    number : int
        Its place in the file: number of the line, frame, item or row.
    place : str
        Its place in words.
    kind, geometry : str
        ``json``, ``extxyz`` or ``cif``, and as text what determines its geometry, and nothing else.
    fields : tuple of mapping
        Where its id, property and group are looked for, one after the other.
    name : object
        Id that the file gives it otherwise; None where it gives none.
    fault : tuple (str, str) or None
        What is wrong with it and what to do, where no geometry could be taken from it.
    """

    number: int
    place: str
    kind: str
    geometry: str
    fields: tuple[Mapping[str, Any], ...]
    name: Any = None
    fault: tuple[str, str] | None = None

    def field(self, name: str) -> Any:
        """Value of a field; None where it has none."""
        return next((fields[name] for fields in self.fields if fields.get(name) is not None), None)


def record_digest(record: Record) -> str:
    """Digest of what determines the geometry of a record."""
    return hashlib.sha256(f"{record.kind}\n{record.geometry}".encode()).hexdigest()
