"""Lines of text files, and the numbers and element symbols in them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hirshprint.structures.crystals import CrystalError
from hirshprint.structures.symbols import SYMBOLS

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eEdD][+-]?\d+)?", re.ASCII)
HYDROGENS = {"D": "H", "T": "H"}


def lines_of(text: str) -> list[str]:
    """Lines of a text with the line ends of any system; other white space ends no line."""
    return re.split(r"\r\n|\r|\n", text)


def to_number(word: str) -> float | None:
    """Read a number, also one of Fortran's such as 1.0D+00; None if the word is none."""
    return float(re.sub("[dD]", "e", word)) if NUMBER.fullmatch(word) else None


def leading_numbers(words: Sequence[str], count: int = 3) -> list[float] | None:
    """Read the numbers that a line begins with; None where these are not `count`."""
    found: list[float] = []
    for word in words:
        value = to_number(word)
        if value is None:
            break
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


def symbol_of_word(word: str, line: int) -> str:
    """Element symbol of a symbol or an atomic number that stands on a line.

    Raises
    ------
    CrystalError
        It is neither.
    """
    number = to_integer(word)
    if number is not None and 0 < number <= len(SYMBOLS):
        return SYMBOLS[number - 1]
    symbol = symbol_of(word) if number is None else None
    if symbol is None:
        raise CrystalError(f"unknown element {word!r} on line {line}", "write an element symbol such as Sr")
    return symbol
