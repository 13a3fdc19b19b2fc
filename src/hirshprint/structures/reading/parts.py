"""What readers of text files share: lines, numbers, element symbols, cells."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hirshprint.structures.crystals import CrystalError
from hirshprint.structures.symbols import SYMBOLS, element_fault

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eEdD][+-]?\d+)?", re.ASCII)
ONE_ELEMENT = re.compile(r"[A-Z][a-z]?(?:\d*\.?\d*[+-]?|[+-]\d*\.?\d*)(?:[_(].*)?", re.ASCII)  # not H2O
PARTLY = re.compile(r"([A-Z][a-z]?[\d+-]*:?\s*0?\.\d+[\s,]*)+", re.ASCII)  # Sr0.5Ca0.5, Sr:0.5, Ca:0.5
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


def leading_numbers(words: Sequence[str], count: int = 3, where: str = "") -> list[float] | None:
    """Read the numbers that a line begins with; None where these are not `count`.

    Parameters
    ----------
    words : sequence of str
        The words of the line.
    count : int, default 3
        How many numbers there must be.
    where : str, optional
        Text after the number in a message, such as " of atom 3".

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
            raise CrystalError(f"the number {word}{where} is not finite, or too large", "correct the number")
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


def element_of(given: object, where: str) -> str:
    """Element of a symbol, an ion (Ti4+, Ti+4), a label (Ti1, Ti_pv) or an atomic number, also one in text.

    Parameters
    ----------
    given : object
        What the file says.
    where : str
        Text after the element in a message, such as "on line 3".

    Raises
    ------
    CrystalError
        It is none of them, or says that the place is occupied in part.
    """
    word = given.strip() if isinstance(given, str) else given
    if isinstance(word, str) and PARTLY.fullmatch(word):
        raise CrystalError(f"partial occupancy or disorder {where}: {word[:40]}", "give an ordered model")
    number = to_integer(word) if isinstance(word, str) else word
    if isinstance(number, (int, float)) and not isinstance(number, bool) and number in range(1, len(SYMBOLS) + 1):
        return SYMBOLS[int(number) - 1]
    symbol = symbol_of(word) if isinstance(word, str) and ONE_ELEMENT.fullmatch(word) else None
    if symbol is None:
        near = element_fault(word) if isinstance(word, str) else None
        remedy = near[1] if near else "write an element symbol such as Sr"
        raise CrystalError(f"unknown element {_written(given)} {where}", remedy)
    return symbol


def _written(value: object) -> str:
    """A value as it stands in JSON, text in quotes as everywhere; cut for a message."""
    return shown([repr(value) if isinstance(value, str) else json.dumps(value, default=str)])


def three_numbers(given: object, what: str) -> list[float]:
    """Take a list of three finite numbers; one may be written as text.

    Raises
    ------
    CrystalError
        It is something else; the message begins with `what`.
    """
    if not isinstance(given, list) or len(given) != 3:
        raise CrystalError(f"{what} is not three numbers", "write three numbers")
    return [one_number(value, what) for value in given]


def one_number(value: object, what: str) -> float:
    """Take a finite number, which may be written as text.

    Raises
    ------
    CrystalError
        It is something else; the message names `what` it is part of.
    """
    number = to_number(value.strip()) if isinstance(value, str) else value
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        raise CrystalError(f"{_written(value)} in {what} is not a number", "write a number with a decimal point")
    if not abs(number) < LARGE:
        raise CrystalError(
            f"the number {shown([str(value)])} in {what} is not finite, or too large", "correct the number"
        )
    return float(number)


def check_periodic(pbc: object) -> None:
    """Raise CrystalError where a crystal does not repeat in three directions, as `pbc` says; None says nothing."""
    repeats = pbc if isinstance(pbc, list) else [pbc]
    if pbc is None or (len(repeats) in (1, 3) and all(one in (True, 1) for one in repeats)):
        return
    said = shown([str(pbc)])
    if len(repeats) in (1, 3) and all(isinstance(one, (bool, int)) for one in repeats):
        raise CrystalError(f"it does not repeat in three directions (pbc is {said})", "give a crystal, with its cell")
    raise CrystalError(f"its `pbc` is {said}", "write true or false for each direction, or leave it out")


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
    if lattice.shape != (3, 3):
        raise CrystalError("its cell is not three vectors of three numbers", "write three rows of three numbers, in Å")
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
        words = " ".join(f"{x:g}" for x in constants)
        raise CrystalError(f"the cell constants {words} make no cell", "correct them (Å, degrees)")
    a, b, c = lengths
    x, y, z = cosines
    sine = np.sqrt(1 - y**2)
    along = (z - x * y) / sine
    rows = [[a * sine, 0, a * y], [b * along, b * np.sqrt(squared) / sine, b * x], [0, 0, c]]
    return np.array(rows, dtype=float)
