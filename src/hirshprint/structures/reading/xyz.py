"""Extended XYZ files: the cell and what the columns are stand on the second line."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from hirshprint.structures.crystals import Crystal, CrystalError
from hirshprint.structures.reading.parts import (
    ONE_EACH,
    checked_lattice,
    element_on_line,
    leading_numbers,
    lines_of,
    shown,
    to_integer,
)

KEY = re.compile(r"""([A-Za-z_][\w-]*)\s*=\s*("(?:[^"\\]|\\.)*"|'[^']*'|\{[^}]*\}|\[[^]]*\]|[^\s"'{\[]\S*)""")
TRUTHS = {**dict.fromkeys(("t", "true", "1"), True), **dict.fromkeys(("f", "false", "0"), False)}
ELEMENT_COLUMNS = ("species", "z", "numbers", "atomic_numbers", "element", "elements")
DEFAULT_COLUMNS = "species:S:1:pos:R:3"


def read_xyz(text: str) -> Crystal:
    """Read an extended XYZ file (https://github.com/libAtoms/extxyz).

    Raises
    ------
    CrystalError
        It has no cell, several crystals, or parts that do not fit together.
    """
    rows = lines_of(text)
    count = to_integer(rows[0].strip())
    if count is None or count < 1:
        raise CrystalError(f"line 1 is {shown(rows[0].split())} and not the number of atoms", "write it there")
    keys = {key.lower(): value.strip("\"'{}[]") for key, value in KEY.findall("".join(rows[1:2]))}
    lattice = _lattice(keys)
    _check_length(rows, count)
    shares = [float(share) for share in re.findall(r":\s*(\d*\.?\d+)", keys.get("occupancy", ""))]  # ASE's, of a CIF
    if any("occupanc" in key for key in keys) and set(shares) != {1.0}:
        raise CrystalError("partial occupancy or disorder: it has occupancies", "give an ordered model, without them")
    columns, width = _columns(keys.get("properties", DEFAULT_COLUMNS))
    if "pos" not in columns or not set(columns) & set(ELEMENT_COLUMNS):
        raise CrystalError(
            f"its Properties are {keys.get('properties')}, without species or pos", f"write {DEFAULT_COLUMNS} there"
        )
    symbols, places = list[str](), []
    for line, row in enumerate(rows[2 : 2 + count], 3):
        words = row.split()
        place = leading_numbers(words[columns["pos"] :][:3])
        if place is None or (len(words) != width and "properties" in keys):
            raise CrystalError(
                f"line {line} is {shown(words)} and not an atom", f"write an element and three coordinates{_of(keys)}"
            )
        elements = {element_on_line(words[columns[name]], line) for name in ELEMENT_COLUMNS if name in columns}
        if len(elements) > 1:
            raise CrystalError(f"two elements on line {line}: {' and '.join(sorted(elements))}", "correct one of them")
        symbols += elements
        places.append(place)
    return Crystal(lattice, tuple(symbols), np.array(places) @ np.linalg.inv(lattice))


def _of(keys: dict[str, str]) -> str:
    return f", as Properties={keys['properties']} says" if "properties" in keys else ""


def _check_length(rows: list[str], count: int) -> None:
    """Raise where the lines are fewer or more than those of one crystal."""
    listed = next((k for k, row in enumerate(rows[2 : 2 + count]) if not row.strip()), len(rows[2 : 2 + count]))
    if listed < count:
        raise CrystalError(f"{listed} lines of atoms where line 1 says {count}", "complete the list of atoms")
    rest = [row for row in rows[2 + count :] if row.strip()]
    if not rest:
        return
    if to_integer(rest[0].strip()) is None:
        raise CrystalError(f"more lines than the {count} atoms of line 1", "correct the number of atoms")
    frames, at = 0, 0
    while at < len(rows) and rows[at].strip():
        frames, at = frames + 1, at + 2 + (to_integer(rows[at].strip()) or 0)
    raise CrystalError(f"{frames} crystals in one file", ONE_EACH)


def _lattice(keys: dict[str, str]) -> NDArray[np.float64]:
    """The cell, rows a, b, c in Å, where it repeats in all three directions."""
    if "lattice" not in keys:
        raise CrystalError(
            'it has no cell that repeats in three directions (no Lattice="..." on line 2)',
            "give a crystal, with its cell",
        )
    numbers = leading_numbers(keys["lattice"].split(), 9)
    if numbers is None:
        raise CrystalError(
            f"its Lattice is {shown(keys['lattice'].split())}", "write nine numbers: the vectors a, b and c in Å"
        )
    periodic = [TRUTHS.get(word.lower()) for word in re.split(r"[\s,]+", keys.get("pbc", "T T T").strip())]
    if periodic == [True] or periodic == [True] * 3:
        return checked_lattice(np.reshape(numbers, (3, 3)))
    raise CrystalError(
        f"it has no cell that repeats in three directions (pbc is {keys['pbc']})", 'write pbc="T T T" for a crystal'
    )


def _columns(properties: str) -> tuple[dict[str, int], int]:
    """First column of each property, by its name in small letters, and the number of all columns."""
    words = properties.split(":")
    counts = [to_integer(word) for word in words[2::3]]
    if len(words) % 3 or None in counts:
        raise CrystalError(
            f"its Properties are {properties}", f"write names, kinds and columns as in {DEFAULT_COLUMNS}"
        )
    columns, width = {}, 0
    for name, count in zip(words[::3], counts, strict=True):
        columns[name.lower()] = width
        width += count or 0
    return columns, width
