"""Compile oqmd_cubic_abo3.csv.gz: python data/compile_oqmd.py INPUT OUTPUT.

INPUT is a CSV table of cubic ABO3 of the OQMD with the columns formula, A, B, X, a_angstrom (Å) and oqmd_id (empty
where there is none), and any others. OUTPUT has these six alone, rows by OQMD entry id, those without one last by
formula, packed by gzip without name and time: the same rows give the same bytes.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import math
import sys
from collections import Counter
from pathlib import Path

from hirshprint.files.writing import written_whole
from hirshprint.structures.sources.rows import read_number, read_rows
from hirshprint.structures.symbols import element_fault

COLUMNS = ("formula", "A", "B", "X", "a_angstrom", "oqmd_id")


def row_fault(cells: dict[str, str]) -> str:
    """Say what is wrong with a row; nothing where it is right."""
    a, b, x = (cells[site] for site in "ABX")
    for symbol in (a, b, x):
        if fault := element_fault(symbol):
            return fault[0]
    formula = f"{a}{b}{x}3" if a != b else f"{a}2{x}3"
    if cells["formula"] != formula:
        return f"the formula is {cells['formula']}, its sites make {formula}"
    edge, fault = read_number(cells["a_angstrom"], "a_angstrom")
    if fault or edge <= 0:
        return fault[0] if fault else f"the edge {edge:g} Å is not positive"
    if cells["oqmd_id"] and not entry_number(cells["oqmd_id"]):
        return f"{cells['oqmd_id']} is no OQMD entry id"
    return ""


def entry_number(text: str) -> int:
    """OQMD entry id, which programs also write as 4282212.0; 0 where there is none."""
    digits = text.removesuffix(".0")
    return int(digits) if digits.isascii() and digits.isdigit() else 0


def compiled(path: Path) -> list[list[str]]:
    """Rows of the table to write, checked and sorted.

    Raises
    ------
    ValueError
        Naming the rows that cannot be used, and formulas and ids that occur twice.
    """
    table = read_rows(path, COLUMNS)
    faults = [(row.number, row.fault[0] if row.fault else row_fault(row.cells)) for row in table]
    messages = [f"row {number}: {fault}" for number, fault in faults if fault]
    for column in ("formula", "oqmd_id"):
        counts = Counter(row.cells.get(column) for row in table)
        messages += [f"{column} {text}: {times} rows" for text, times in counts.items() if text and times > 1]
    if messages:
        raise ValueError("\n  ".join([f"{path}: it is not written, correct it first:", *messages]))
    rows = sorted(table, key=lambda row: (entry_number(row.cells["oqmd_id"]) or math.inf, row.cells["formula"]))
    return [
        [row.cells[name] for name in COLUMNS[:-1]] + [str(entry_number(row.cells["oqmd_id"]) or "")] for row in rows
    ]


def packed(rows: list[list[str]]) -> bytes:
    """Table with a header, packed by gzip without name and time."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([COLUMNS, *rows])
    contents = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=contents, mtime=0) as file:
        file.write(text.getvalue().encode())
    return contents.getvalue()


def main() -> None:
    """Compile the table that is named on the command line, and say what was written."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("input", type=Path, metavar="INPUT", help="table of cubic ABO3 of the OQMD (CSV)")
    parser.add_argument("output", type=Path, metavar="OUTPUT", help="table to write (.csv.gz)")
    arguments = parser.parse_args()
    try:
        rows = compiled(arguments.input)
    except ValueError as error:
        sys.exit(str(error))
    contents = packed(rows)
    try:
        with written_whole(arguments.output) as temporary:
            temporary.write_bytes(contents)
    except OSError as error:
        sys.exit(f"{arguments.output}: it cannot be written ({error.strerror}); name a file in a folder of yours")
    edges = [float(cells[4]) for cells in rows]
    known = sum(bool(cells[5]) for cells in rows)
    print(
        f"{arguments.output}: {len(rows):,} compounds, {known:,} with an OQMD entry id, "
        f"edges {min(edges):.3f} to {max(edges):.3f} Å, {sum(edge > 5 for edge in edges)} above 5 Å; "
        f"{len(contents):,} bytes"
    )


if __name__ == "__main__":
    main()
