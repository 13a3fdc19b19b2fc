"""Extended XYZ: the cell and what the columns are stand in the comment of a frame, on its second line."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from hirshprint.structures.crystals import Crystal, CrystalError
from hirshprint.structures.reading.parts import (
    ONE_EACH,
    checked_lattice,
    element_of,
    leading_numbers,
    lines_of,
    shown,
    to_integer,
    to_number,
)
from hirshprint.structures.sources.frames import frame_geometry

TRUTHS = {**dict.fromkeys(("t", "true", "1"), True), **dict.fromkeys(("f", "false", "0"), False)}
ELEMENT_COLUMNS = ("species", "z", "numbers", "atomic_numbers", "element", "elements")
OCCUPANCIES = ("occupancy", "occupancies")
DEFAULT_COLUMNS = "species:S:1:pos:R:3"


def read_xyz(text: str) -> Crystal:
    """Read a file with one frame of extended XYZ (https://github.com/libAtoms/extxyz).

    Raises
    ------
    CrystalError
        It has several crystals, or a number of lines that does not fit; or see `read_frame`.
    """
    rows = lines_of(text)
    count = to_integer(rows[0].strip())
    if count is None or count < 1:
        raise CrystalError(f"line 1 is {shown(rows[0].split())} and not the number of atoms", "write it there")
    _check_length(rows, count)
    return read_frame(frame_geometry(rows[1]), rows[2 : 2 + count])


def read_frame(words: Mapping[str, str], atoms: Sequence[str]) -> Crystal:
    """Read one frame of extended XYZ.

    Parameters
    ----------
    words : mapping of str to str
        Keys and values of its comment, as `frame_geometry` takes them.
    atoms : sequence of str
        Its lines of atoms.

    Raises
    ------
    CrystalError
        It has no cell, occupancies, or parts that do not fit together.
    """
    lattice = _lattice(words)
    said = " ".join(words[key] for key in OCCUPANCIES if key in words)
    _check_occupancies([to_number(share) for share in re.findall(r":\s*([^\s,{}]+)", said)], any(said))
    properties = words.get("properties", DEFAULT_COLUMNS)
    columns, width = _columns(properties)
    symbols, places, shares = list[str](), [], []
    for number, row in enumerate(atoms, 1):
        cells, where = row.split(), f" of atom {number}"
        place = leading_numbers(cells[columns["pos"] :][:3], where=where)
        if place is None or (len(cells) != width and "properties" in words):
            so = f", as Properties={properties} says" if "properties" in words else ""
            raise CrystalError(
                f"atom {number} is {shown(cells)} and not {width} columns with an element and three coordinates",
                f"correct its line{so}",
            )
        elements = {element_of(cells[columns[name]], where.strip()) for name in ELEMENT_COLUMNS if name in columns}
        if len(elements) > 1:
            raise CrystalError(f"two elements for atom {number}: {' and '.join(sorted(elements))}", "correct one")
        symbols += elements
        places.append(place)
        shares += [to_number(cells[columns[name]]) for name in OCCUPANCIES if name in columns]
    _check_occupancies(shares, any(name in columns for name in OCCUPANCIES))
    return Crystal(lattice, tuple(symbols), np.array(places).reshape(-1, 3) @ np.linalg.inv(lattice))


def _check_occupancies(shares: Sequence[float | None], given: bool) -> None:
    """Raise where there are occupancies other than one; ASE writes them, all one, for a crystal from a CIF."""
    if given and set(shares) != {1.0}:
        raise CrystalError("partial occupancy or disorder: it has occupancies", "give an ordered model, without them")


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


def _lattice(words: Mapping[str, str]) -> NDArray[np.float64]:
    """The cell, rows a, b, c in Å, where it repeats in all three directions."""
    if "lattice" not in words:
        raise CrystalError(
            'it has no cell that repeats in three directions (no Lattice="..." in its comment, on its second line)',
            "give a crystal, with its cell",
        )
    # rows in brackets of their own are none: of these, some programs take the columns as vectors
    numbers = leading_numbers(re.findall(r"[^\s,]+", words["lattice"].strip("[] ")), 9, " of Lattice")
    if numbers is None:
        raise CrystalError(
            f"its Lattice is {shown(words['lattice'].split())}",
            "write nine numbers in quotes: the vectors a, b and c in Å",
        )
    periodic = [TRUTHS.get(word.lower()) for word in re.split(r"[\s,]+", words.get("pbc", "T").strip("[] "))]
    if periodic == [True] or periodic == [True] * 3:
        return checked_lattice(np.reshape(numbers, (3, 3)))
    raise CrystalError(
        f"it has no cell that repeats in three directions (pbc is {words['pbc']})", 'write pbc="T T T" for a crystal'
    )


def _columns(properties: str) -> tuple[dict[str, int], int]:
    """First column of each property, by its name in small letters, and the number of all columns."""
    words = properties.split(":")
    counts = [to_integer(word) for word in words[2::3]]
    if len(words) % 3 or None in counts:
        raise CrystalError(
            f"its Properties are {shown([properties])}", f"write names, kinds and columns as in {DEFAULT_COLUMNS}"
        )
    columns, widths, width = {}, {}, 0
    for name, count in zip(words[::3], counts, strict=True):
        columns[name.lower()], widths[name.lower()] = width, count
        width += count or 0
    elements = [name for name in ELEMENT_COLUMNS if name in columns]
    if widths.get("pos") != 3 or not elements or any(widths[name] != 1 for name in elements):
        raise CrystalError(
            f"its Properties are {shown([properties])}, without species or pos", f"write {DEFAULT_COLUMNS} there"
        )
    return columns, width
