"""Rows of CSV tables, with their line numbers and what is wrong with them (light)."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hirshprint.structures.entries import InputError


@dataclass(frozen=True)
class Row:
    """A row of a table: its line number, its cells by column, and what is wrong with it, if anything."""

    number: int
    cells: dict[str, str]
    fault: tuple[str, str] | None = None


def read_rows(path: Path, columns: Iterable[str], together: Sequence[str] = ()) -> list[Row]:
    """Read a CSV file's rows with their line numbers; rows that do not fit the header carry a fault.

    `columns` are needed, of `together` all or none.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such table; correct the path in the configuration") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text (byte {error.start}); save it as CSV in UTF-8") from None
    reader = csv.reader(io.StringIO(text, newline=""))
    header = [cell.strip() for cell in next(reader, [])]
    wanted = (*columns, *(together if set(together) & set(header) else ()))
    missing = [column for column in wanted if column not in header]
    if missing:
        hint = "; separate the columns by commas" if len(header) == 1 and re.search("[;\t]", header[0]) else ""
        raise InputError(f"{path}: no column {', '.join(missing)} (it has: {', '.join(header) or 'none'}){hint}")
    rows = []
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        fault = None
        if len(cells) != len(header):
            fault = (
                f"{len(cells)} cells where the header has {len(header)}",
                "give every column one cell; quote cells that have commas",
            )
        rows.append(Row(reader.line_num, dict(zip(header, (cell.strip() for cell in cells), strict=False)), fault))
    return rows


def read_number(text: str, column: str) -> tuple[float, tuple[str, str] | None]:
    """Read a finite number, or say what is wrong with the cell."""
    try:
        value = float(text)
    except ValueError:
        what = f"{text!r} in column {column} is no number" if text else f"column {column} is empty"
        return math.nan, (what, "write a number with a decimal point, or delete the row")
    if not math.isfinite(value):
        return math.nan, (
            f"{text} in column {column} is not finite",
            "write a finite number, or delete the row",
        )
    return value, None


def group_fault(cells: dict[str, str], column: str) -> tuple[str, str] | None:
    """Reject a row that names no group where splits go by a column."""
    return None if cells.get(column) else (f"column {column} is empty", "write the name of its group")
