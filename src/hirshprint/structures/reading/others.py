"""Files of XCrySDen (.xsf) and DFTB+ (.gen)."""

from __future__ import annotations

import numpy as np

from hirshprint.structures.crystals import Crystal, CrystalError
from hirshprint.structures.reading.parts import (
    ONE_EACH,
    checked_lattice,
    element_of,
    leading_numbers,
    lines_of,
    shown,
    to_integer,
)

Rows = list[tuple[int, list[str]]]  # number of each line that is not empty, and its words
FLAT_KINDS = ("MOLECULE", "POLYMER", "SLAB", "ATOMS")
NO_CELL = "give a crystal, with its cell"


def read_xsf(text: str) -> Crystal:
    """Read a crystal of XCrySDen: its PRIMVEC and PRIMCOORD (http://www.xcrysden.org/doc/XSF.html).

    Raises
    ------
    CrystalError
        It has several crystals, or none that repeats in three directions.
    """
    rows = [row for row in _rows(text) if not row[1][0].startswith("#")]
    keys = [words[0].upper() for _, words in rows]
    for kind in FLAT_KINDS:
        if kind in keys:
            raise CrystalError(f"it has no cell that repeats in three directions ({kind})", NO_CELL)
    if "DIM-GROUP" in keys and rows[keys.index("DIM-GROUP") + 1 :][:1] and _after(rows, keys, "DIM-GROUP")[1][0] != "3":
        raise CrystalError("it has no cell that repeats in three directions (DIM-GROUP)", NO_CELL)
    kind = "PRIM" if "PRIMCOORD" in keys or "CONVCOORD" not in keys else "CONV"
    frames = keys.count(f"{kind}COORD")
    if frames > 1:
        raise CrystalError(f"{frames} crystals in one file", ONE_EACH)
    vectors = [_numbers(row) for row in _block(rows, keys, f"{kind}VEC", 3)]
    lattice = checked_lattice(vectors)
    line, head = _after(rows, keys, f"{kind}COORD")
    count = to_integer(head[0])
    if not count or count < 0:
        raise CrystalError(f"line {line} is {shown(head)} and not a number of atoms", "write it, and a 1 after it")
    start = keys.index(f"{kind}COORD") + 2
    if any(_is_atom(words) for _, words in rows[start + count :][:1]):
        raise CrystalError(f"more atoms than the {count} of line {line}", "correct their number")
    atoms = rows[start : start + count]
    if len(atoms) < count or not all(_is_atom(words) for _, words in atoms):
        found = sum(_is_atom(words) for _, words in atoms)
        raise CrystalError(f"{found} atoms where line {line} says {count}", "complete the list of atoms")
    symbols = tuple(element_of(words[0], f"on line {number}") for number, words in atoms)
    places = np.array([leading_numbers(words[1:4]) for _, words in atoms], dtype=float)
    return Crystal(lattice, symbols, places @ np.linalg.inv(lattice))


def read_gen(text: str) -> Crystal:
    """Read a crystal in DFTB+'s own format, with Cartesian (S) or fractional (F) places.

    Raises
    ------
    CrystalError
        It is a cluster (C) or a helix (H), or its parts do not fit together.
    """
    rows = [(number, words) for number, line in _rows(text) if (words := " ".join(line).split("#")[0].split())]
    head = rows[0][1] if rows else []
    count = to_integer(head[0]) if len(head) == 2 else None
    if not count or count < 0 or head[1].upper() not in ("S", "F", "C", "H"):
        raise CrystalError(f"its first line is {shown(head)}", "write the number of atoms and S (Cartesian) or F there")
    if head[1].upper() in ("C", "H"):
        raise CrystalError("it has no cell that repeats in three directions (C or H on its first line)", NO_CELL)
    if len(rows) != count + 6:
        raise CrystalError(
            f"{len(rows)} lines where {count} atoms, their elements, an origin and three vectors make {count + 6}",
            "correct the number of atoms, or complete the file; a second crystal needs a file of its own",
        )
    kinds = [element_of(word, f"on line {rows[1][0]}") for word in rows[1][1]]
    symbols, places = [], []
    for number, words in rows[2 : 2 + count]:
        kind = to_integer(words[1]) if len(words) > 1 else None
        if to_integer(words[0]) is None or kind is None or not 0 < kind <= len(kinds):
            raise CrystalError(
                f"line {number} is {shown(words)} and not an atom",
                f"write its number, that of its element (1 to {len(kinds)}) and three coordinates",
            )
        symbols.append(kinds[kind - 1])
        places.append(_numbers((number, words[2:])))
    lattice = checked_lattice([_numbers(row) for row in rows[-3:]])
    frac = np.array(places) if head[1].upper() == "F" else np.array(places) @ np.linalg.inv(lattice)
    return Crystal(lattice, tuple(symbols), frac)


def _rows(text: str) -> Rows:
    return [(number, line.split()) for number, line in enumerate(lines_of(text), 1) if line.strip()]


def _numbers(row: tuple[int, list[str]]) -> list[float]:
    found = leading_numbers(row[1])
    if found is None:
        raise CrystalError(f"line {row[0]} has {shown(row[1])} in place of three numbers", "correct the line")
    return found


def _is_atom(words: list[str]) -> bool:
    return len(words) > 3 and leading_numbers(words[1:4]) is not None


def _block(rows: Rows, keys: list[str], key: str, count: int) -> Rows:
    """The lines after a keyword."""
    found = rows[keys.index(key) + 1 :][:count] if key in keys else []
    if len(found) < count:
        raise CrystalError(f"no {key} in it, or nothing after it", "give a whole file of a CRYSTAL")
    return found


def _after(rows: Rows, keys: list[str], key: str) -> tuple[int, list[str]]:
    return _block(rows, keys, key, 1)[0]
