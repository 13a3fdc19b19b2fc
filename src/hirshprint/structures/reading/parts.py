"""What readers of text files share: lines, numbers, element symbols, cells."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hirshprint.structures.crystals import CrystalError
from hirshprint.structures.symbols import SYMBOLS

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eEdD][+-]?\d+)?", re.ASCII)
HYDROGENS = {"D": "H", "T": "H"}
LARGE = 1e9  # no length in Å, coordinate or count of a file is beyond it
SMALL_ANGSTROM = 1e-3  # no edge is shorter
FLAT = 1e-6  # volume of a cell over the product of its edges
ONE_EACH = "give each crystal a file of its own, or name this file by `structures:` in the configuration"


def lines_of(text: str) -> list[str]:
    """Lines of a text with the line ends of any system; other white space ends no line."""
    return re.split(r"\r\n|\r|\n", text)


def shown(words: Sequence[str], width: int = 40) -> str:
    """Words of a line, cut for a message."""
    text = " ".join(words)
    return f"{text[:width]} ..." if len(text) > width else text or "empty"


def to_number(word: str) -> float | None:
    """Read a number, also one of Fortran's such as 1.0D+00; None if the word is none."""
    return float(re.sub("[dD]", "e", word)) if NUMBER.fullmatch(word) else None


def leading_numbers(words: Sequence[str], count: int = 3) -> list[float] | None:
    """Read the numbers that a line begins with; None where these are not `count`.

    Raises
    ------
    CrystalError
        One is not finite, or so large that it can be nothing.
    """
    found: list[float] = []
    for word in words:
        value = to_number(word)
        if value is None:
            break
        if not abs(value) < LARGE:
            raise CrystalError(f"the number {word} is not finite, or too large", "correct the number")
        found.append(value)
    return found if len(found) == count else None


def to_integer(word: str) -> int | None:
    """Read an integer; None if the word is none, or has more than nine digits."""
    return int(word) if re.fullmatch(r"[+-]?\d{1,9}", word, re.ASCII) else None


def symbol_of(word: str) -> str | None:
    """Element symbol of a word such as Ti, Ti4+, Ti1, Ti_pv or Ti(1); None if it begins with none.

    A word of letters alone must be a symbol as a whole. Deuterium and tritium are hydrogen.
    """
    found = re.match(r"([A-Z][a-z]?)(?![A-Za-z])", word)
    symbol = HYDROGENS.get(found[1], found[1]) if found else None
    return symbol if symbol in SYMBOLS else None


def element_on_line(word: str, line: int) -> str:
    """Element of a symbol, a label or an atomic number that stands on a line.

    Raises
    ------
    CrystalError
        It is none of them.
    """
    number = to_integer(word)
    if number is not None and 0 < number <= len(SYMBOLS):
        return SYMBOLS[number - 1]
    symbol = symbol_of(word) if number is None else None
    if symbol is None:
        raise CrystalError(f"unknown element {word!r} on line {line}", "write an element symbol such as Sr")
    return symbol


def checked_lattice(rows: object) -> NDArray[np.float64]:
    """Take three vectors (rows, Å) as a lattice.

    Raises
    ------
    CrystalError
        They are not finite, or lie in one plane.
    """
    lattice = np.array(rows, dtype=float)
    if not (np.abs(lattice) < LARGE).all():
        raise CrystalError("a number in it is not finite, or too large", "correct the number")
    if not abs(np.linalg.det(lattice)) > FLAT * np.prod(np.linalg.norm(lattice, axis=1)):
        raise CrystalError("its lattice vectors lie in one plane", "correct them")
    return lattice


def lattice_of_constants(constants: Sequence[float]) -> NDArray[np.float64]:
    """Lattice (rows, Å) of a, b, c in Å and alpha, beta, gamma in degrees: c along z, a in the xz plane.

    Raises
    ------
    CrystalError
        There is no such cell.
    """
    lengths, angles = np.array(constants[:3]), np.array(constants[3:])
    bounded = lengths.min() > SMALL_ANGSTROM and lengths.max() < LARGE and angles.min() > 0 and angles.max() < 180
    cosines = np.cos(np.radians(angles)) if bounded else np.ones(3)
    squared = 1 + 2 * np.prod(cosines) - np.sum(cosines**2)  # of the volume of a cell with edges of 1
    if not squared > FLAT**2:
        raise CrystalError(f"the cell constants {' '.join(f'{x:g}' for x in constants)}", "correct them (Å, degrees)")
    a, b, c = lengths
    x, y, z = cosines
    sine = np.sqrt(1 - y**2)
    along = (z - x * y) / sine
    rows = [[a * sine, 0, a * y], [b * along, b * np.sqrt(squared) / sine, b * x], [0, 0, c]]
    return np.array(rows, dtype=float)
