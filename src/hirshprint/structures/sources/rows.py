"""Rows of CSV tables, with their line numbers and what is wrong with them (light)."""

from __future__ import annotations

import csv
import difflib
import gzip
import io
import math
import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hirshprint.structures.entries import InputError

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
"""What is read as a number: Python's own `float` also takes 3_905 and digits of other scripts."""
WHOLE_NUMBER = re.compile(r"(?P<sign>-?)\+?0*(?P<digits>\d+)(\.0*)?", re.ASCII)
NO_NAMES = frozenset(
    [
        *("nan", "NaN", "NAN", "-nan", "-NaN", "NA", "<NA>", "N/A", "n/a", "#N/A", "#NA"),
        *("null", "NULL", "None", "none", "-", "--", "?"),
    ]
)
"""What programs and people write into a cell where there is nothing; Na is an element."""
LOOK_ALIKES = {
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d", "-"),
    **{"\uff0b": "+", "\uff0e": ".", "\uff0c": ",", "\u066b": ","},
}
"""Hyphens, dashes, minus signs and full-width signs, with the plain characters that they look like."""
GZIP = b"\x1f\x8b"
"""What a file packed by gzip begins with."""
NO_TEXT = {
    b"PK\x03\x04": "a workbook of Excel or LibreOffice, or another zip file",
    b"\xd0\xcf\x11\xe0": "an old workbook of Excel",
    GZIP: "a file that was compressed twice",
    b"%PDF": "a PDF file",
    b"\xff\xfe": "text in UTF-16",
    b"\xfe\xff": "text in UTF-16",
}
"""What files that are no table in UTF-8 begin with."""


@dataclass(frozen=True)
class Row:
    """A row of a table: its line number, its cells by column, and what is wrong with it, if anything."""

    number: int
    cells: dict[str, str]
    fault: tuple[str, str] | None = None


def read_rows(
    path: Path, columns: Iterable[str], together: Sequence[str] = (), optional: Sequence[str] = ()
) -> list[Row]:
    """Read a CSV file's rows with their line numbers; rows that do not fit the header carry a fault.

    Parameters
    ----------
    path : Path
        The CSV file; it may be packed by gzip.
    columns : iterable of str
        Names of columns that are needed; a mapping says of each which key of the configuration asks for it.
    together : sequence of str, optional
        Names of columns of which all are needed or none.
    optional : sequence of str, optional
        Names of columns that may be there.

    Raises
    ------
    InputError
        The file cannot be read or unpacked, is no CSV file in UTF-8, has an unclosed quote, lacks a column or names it
        twice, has an optional one in another spelling, or has no row.
    """
    records = list(_records(path, _read_text(path)))
    header = records[0][2] if records else []
    wanted = (*columns, *(together if set(together) & set(header) else ()))
    _check_header(path, header, wanted, columns if isinstance(columns, Mapping) else {})
    _check_spelling(path, [name for name in header if name not in wanted], optional)
    if len(records) == 1:
        raise InputError(f"{path}: a header and no row below it; add rows, or correct the path")
    needed = [header.index(column) for column in wanted]
    rows = []
    for number, last, cells in records[1:]:
        fault = None
        if len(cells) != len(header):
            fault = (
                f"{len(cells)} cells where the header has {len(header)}",
                "give every column one cell; quote cells that have commas, and write numbers with a decimal point",
            )
        if last > number and (fault or _swallows(cells, needed)):
            raise InputError(_open_quote(path, number, last))
        rows.append(Row(number, dict(zip(header, cells, strict=False)), fault))
    _check_unnamed(path, header, [cells for _, _, cells in records[1:]])
    return rows


def _unpacked(path: Path, raw: bytes) -> bytes:
    try:
        return gzip.decompress(raw)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise InputError(
            f"{path}: it begins as a file packed by gzip and cannot be unpacked: it is damaged or cut off; copy it "
            "again, or save it as CSV in UTF-8"
        ) from None


def _read_text(path: Path) -> str:
    """Text of a table, unpacked."""
    try:
        raw = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{path}: there is no such table; correct the path") from None
    except IsADirectoryError:
        raise InputError(f"{path}: a folder where a table is expected; write the path of a CSV file") from None
    except OSError as error:
        raise InputError(f"{path}: it cannot be read ({error.strerror}); change its permissions or the path") from None
    if raw.startswith(GZIP):
        raw = _unpacked(path, raw)
    remedy = "save it as CSV in UTF-8"
    for start, kind in NO_TEXT.items():
        if raw.startswith(start):
            raise InputError(f"{path}: it is {kind}, not a CSV file; {remedy}")
    if b"\0" in raw:
        raise InputError(f"{path}: it has NUL bytes, as text in UTF-16 and files that are not text have; {remedy}")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = len(raw[: error.start].splitlines()) or 1
        raise InputError(f"{path} row {row}: not UTF-8 text (byte {error.start} of the file); {remedy}") from None


def _records(path: Path, text: str) -> Iterator[tuple[int, int, list[str]]]:
    """First line, last line and stripped cells of each record that is not blank."""
    lines = list(io.StringIO(text, newline=""))
    reader = csv.reader(lines, skipinitialspace=True)
    first = 1
    while True:
        try:
            cells = next(reader, None)
        except csv.Error:
            raise InputError(
                f"{path} row {first}: a cell of more than {csv.field_size_limit():,} characters; close the quote in it "
                "that is not closed, or shorten the cell"
            ) from None
        if cells is None:
            return
        last = reader.line_num
        if last > first or last == len(lines):
            more = csv.reader([*lines[first - 1 : last], "next"], skipinitialspace=True)
            if sum(1 for _ in more) == 1:  # a further line would belong to the last cell
                raise InputError(_open_quote(path, first, last))
        if any(cell.strip() for cell in cells):
            yield first, last, [cell.strip() for cell in cells]
        first = last + 1


def _swallows(cells: Sequence[str], needed: Sequence[int]) -> bool:
    """Say whether a cell of several lines has swallowed rows: it is to be read, or has a line with cells for all."""
    lines = [line for cell in cells if re.search("[\r\n]", cell) for line in cell.splitlines()]
    return any(re.search("[\r\n]", cells[k]) for k in needed) or any(
        line.count(",") >= len(cells) - 1 > 0 for line in lines
    )


def _open_quote(path: Path, first: int, last: int) -> str:
    so = f", so that rows {first} to {last} are read as one" if last > first else ""
    return f'{path} row {first}: a quote (") is not closed in this row{so}; close it, or delete it'


def _check_header(path: Path, header: Sequence[str], wanted: Sequence[str], keys: Mapping[str, str]) -> None:
    """Refuse a header that lacks a column, or has one twice."""
    if not header:
        raise InputError(f"{path}: the file is empty; write the columns {', '.join(wanted)} in its first line")
    for name, times in Counter(header).items():
        if name and times > 1:
            places = " and ".join(str(k) for k, other in enumerate(header, 1) if other == name)
            raise InputError(f"{path}: columns {places} are all named {name}; rename or delete all but one")
    missing = [column for column in wanted if column not in header]
    if not missing:
        return
    hints = []
    if len(header) == 1 and (mark := re.search("[;\t|]", header[0])):
        kind = {";": "semicolons", "\t": "tabs", "|": "bars"}[mark[0]]
        hints.append(f"separate the columns by commas and not by {kind}, and write numbers with a decimal point")
    else:
        free = {name.casefold(): name for name in header if name and name not in wanted}
        for column in missing:
            if near := difflib.get_close_matches(column.casefold(), free, n=1, cutoff=0.8):
                key, found = keys.get(column, ""), free[near[0]]
                hints.append(f"is {found} meant? " + (f"Write it under `{key}`" if key else f"Rename it to {column}"))
        hints += [f"column {k} has no name" for k, name in enumerate(header, 1) if not name]
        if "cif" in header:
            hints = ["name a table of crystals under `structures` and not here"]
        if len(missing) == len(wanted) and not hints:
            hints.append("the first line must name the columns")
    asked = [f"{column} (`{keys[column]}`)" if keys.get(column) else column for column in missing]
    raise InputError(
        f"{path}: no column {', '.join(asked)} (it has: {', '.join(header)}); "
        + "; ".join(hints or ["add it, or correct its name"])
    )


def _check_spelling(path: Path, header: Sequence[str], optional: Sequence[str]) -> None:
    """Refuse a column that would be passed over for its spelling."""
    for name in header:
        plain = re.sub(r"[\s_-]+", "_", name).casefold()
        for column in optional:
            if name != column and plain in (column, f"{column}s"):
                raise InputError(f"{path}: column {name}: is {column} meant? Rename it to {column}, or delete it")


def _check_unnamed(path: Path, header: Sequence[str], records: Sequence[Sequence[str]]) -> None:
    """Refuse cells under an empty name, but in the first column, where programs write the numbers of the rows."""
    for k, name in enumerate(header):
        if k and not name and any(cells[k] for cells in records if len(cells) > k):
            raise InputError(f"{path}: column {k + 1} has cells and no name; name it in the first line, or delete it")


def read_number(text: str, column: str) -> tuple[float, tuple[str, str] | None]:
    """Read a finite number, or say what is wrong with the cell."""
    remedy = "or delete the row"
    if not text:
        return math.nan, (f"column {column} is empty", f"write a number with a decimal point, such as 3.905, {remedy}")
    number = float(text) if NUMBER.fullmatch(text) else math.nan
    if math.isfinite(number):
        return number, None
    if NUMBER.fullmatch(text) or re.fullmatch("[+-]?(nan|inf|infinity)", text, re.IGNORECASE):
        return math.nan, (f"{shortened(text)} in column {column} is not finite", f"write a finite number, {remedy}")
    why, meant = _number_meant(text)
    return math.nan, (f"{shortened(text)!r} in column {column} {why}", f"write {meant}, {remedy}")


def _number_meant(text: str) -> tuple[str, str]:
    """Say why a cell is no number, and what to write."""
    odd = [char for char in dict.fromkeys(text) if _plain(char) != char]
    plain = "".join(map(_plain, text))
    comma = re.fullmatch(r"[+-]?\d*,\d+([eE][+-]?\d+)?", plain, re.ASCII) is not None
    meant = plain.replace(",", ".")
    if not (comma or NUMBER.fullmatch(plain)) or not math.isfinite(float(meant)):
        return "is not a number", "a number with a decimal point, such as 3.905"
    names = " and ".join(f"U+{ord(char):04X} ({unicodedata.name(char, 'no name').lower()})" for char in odd)
    reasons = [f"has {names}{_in_place_of(odd)}"] if odd else []
    reasons += ["has a comma in place of the decimal point"] if comma else []
    return " and ".join(reasons), f"{meant}, with a decimal point" if comma else f"{meant} in plain characters"


def _in_place_of(odd: Sequence[str]) -> str:
    return " in place of a minus" if odd and _plain(odd[0]) == "-" and len(odd) == 1 else ""


def _plain(char: str) -> str:
    """The plain character that another one looks like; nothing for one that does not show."""
    if unicodedata.category(char) in ("Cf", "Zs"):
        return ""
    return LOOK_ALIKES.get(char) or str(unicodedata.decimal(char, char))


def shortened(text: str) -> str:
    """The beginning of a long cell, for messages."""
    return text if len(text) <= 40 else f"{text[:40]} ..."


def read_group(text: str, column: str) -> tuple[str, tuple[str, str] | None]:
    """Read the name of a group, or say what is wrong with the cell.

    Whole numbers are one name however they are written (1, 1.0, 01), for programs write them so. A group by the name of
    what programs write where they have none would be tested as if its rows belonged together.
    """
    name = text.strip()
    if not name or name in NO_NAMES:
        said = f"column {column} is {name!r}, no name" if name else f"column {column} is empty"
        return "", (said, "write the name of its group")
    whole = WHOLE_NUMBER.fullmatch(name)
    return (whole["sign"] + whole["digits"] if whole else name), None


def group_fault(cells: Mapping[str, str], column: str) -> tuple[str, str] | None:
    """Reject a row that names no group where splits go by a column."""
    return read_group(cells.get(column, ""), column)[1]


def with_group(row: Row, column: str | None) -> Row:
    """Write the name of a row's group as `read_group` reads it; what is no name stays, for `group_fault`."""
    if column is None:
        return row
    name, fault = read_group(row.cells.get(column, ""), column)
    return row if fault or row.cells[column] == name else Row(row.number, row.cells | {column: name}, row.fault)
