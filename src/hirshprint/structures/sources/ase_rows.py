"""Rows of the databases of ASE, in SQLite or JSON (light)."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hirshprint.structures.entries import InputError
from hirshprint.structures.sources.record import Record


def read_sqlite(path: Path) -> Iterator[Record]:
    """A database of ASE's in SQLite."""
    import sqlite3

    if not path.is_file():
        raise FileNotFoundError
    uri = f"{path.absolute().as_uri()}?mode=ro"
    columns = ("id", "numbers", "positions", "cell", "pbc", "key_value_pairs", "energy")
    try:
        connection = sqlite3.connect(uri, uri=True)
        try:
            for row in connection.execute(f"SELECT {', '.join(columns)} FROM systems ORDER BY id"):
                found = dict(zip(columns, row, strict=True))
                yield record_of_row(found["id"], found | {"pbc": [bool(int(found["pbc"]) & bit) for bit in (1, 2, 4)]})
        finally:
            connection.close()
    except sqlite3.Error:
        raise InputError(f"{path}: damaged, or no database of ASE's") from None


def record_of_row(number: int, row: Any) -> Record:
    """A record of a row of ASE's: arrays are bytes in SQLite, and lists with shape and type in JSON."""
    place = f"row {number}"
    try:
        pairs = row.get("key_value_pairs") or {}
        pairs = json.loads(pairs) if isinstance(pairs, str) else pairs
        positions, cell = _array(row["positions"], "d"), _array(row["cell"], "d")
        crystal = {
            "numbers": _array(row["numbers"], "i"),
            "positions": [positions[k : k + 3] for k in range(0, len(positions), 3)],
            "cell": [cell[k : k + 3] for k in range(0, len(cell), 3)],
            "pbc": _array(row["pbc"], "?") if isinstance(row["pbc"], dict) else row["pbc"],
        }
    except (ValueError, KeyError, TypeError, AttributeError, struct.error):
        return Record(number, place, "json", "", (), None, ("its arrays cannot be read", "write it again with ASE"))
    energy = row.get("energy")
    energy = _array(energy, "d")[0] if isinstance(energy, dict) else energy
    return Record(number, place, "json", json.dumps(crystal, sort_keys=True), (pairs, {"energy": energy}))


def _array(given: Any, kind: str) -> list[Any]:
    """Flat list of the numbers of an array."""
    if isinstance(given, bytes):
        return list(struct.unpack(f"<{len(given) // struct.calcsize(kind)}{kind}", given))
    if isinstance(given, dict):
        given = given.get("array", given)["__ndarray__"][2]
    while given and isinstance(given, list) and isinstance(given[0], list):
        given = [value for row in given for value in row]
    return list(given) if isinstance(given, list) else [given]
