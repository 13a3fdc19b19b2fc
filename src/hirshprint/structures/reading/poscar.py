"""POSCAR and CONTCAR files, as VASP reads them (https://vasp.at/wiki/POSCAR)."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from hirshprint.structures.crystals import Crystal, CrystalError
from hirshprint.structures.reading.parts import (
    LARGE,
    ONE_EACH,
    checked_lattice,
    leading_numbers,
    lines_of,
    shown,
    symbol_of,
    to_integer,
)
from hirshprint.structures.symbols import SYMBOLS

FLAGS = {"T", "F", ".T.", ".F.", ".TRUE.", ".FALSE."}
WRAPPED = 20  # names on a line, after which VASP begins another
Lines = list[list[str]]  # the words of each line


def read_poscar(text: str) -> Crystal:
    """Read a POSCAR file.

    Raises
    ------
    CrystalError
        It is none, it leaves open what the elements are, or its parts do not fit together.
    """
    rows = lines_of(text)
    if rows[0].split()[:1] and re.match(r"vasp\.\d|<\?xml", rows[0].split()[0]):
        raise CrystalError("it is an output file of VASP, not a POSCAR", "give the CONTCAR beside it")
    frames = sum(bool(re.match(r"\s*(direct configuration|konfig)\s*=", row, re.IGNORECASE)) for row in rows)
    if frames > 1:
        raise CrystalError(f"{frames} crystals in one file, an XDATCAR", "give the one that is meant as a POSCAR")
    lines = [re.split("[!#]", row, maxsplit=1)[0].split() for row in rows]
    scale, lattice = _cell(lines)
    names, counts, at = _species(lines)
    selective = bool(_words(lines, at)) and lines[at][0][0] in "sS"
    at += selective
    cartesian = _cartesian(lines, at)
    atoms = lines[at + 1 : at + 1 + sum(counts)]
    places = _places(lines, at + 1, sum(counts))
    _check_rest(lines, at + 1 + sum(counts), sum(counts))
    symbols, remarks = _symbols(names, counts, atoms, rows[0])
    frac = places * scale @ np.linalg.inv(lattice) if cartesian else places
    return Crystal(lattice, symbols, frac, remarks=(*remarks, *_doubts(places * scale, cartesian)))


def _doubts(places: NDArray[np.float64], cartesian: bool) -> tuple[str, ...]:
    """Say where Cartesian places look like fractional ones."""
    if cartesian and len(places) > 1 and 0 < np.abs(places).max() <= 1:
        return ("all its atoms are within 1 Å of the origin along x, y and z: are the coordinates Direct ones?",)
    return ()


def _words(lines: Lines, at: int) -> list[str]:
    return lines[at] if at < len(lines) else []


def _cell(lines: Lines) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Factors (1,) or (3,) that lengths along x, y, z are multiplied with, and the lattice with that done."""
    words = _words(lines, 1)
    scale = leading_numbers(words, 1) or leading_numbers(words)
    if scale is None:
        raise CrystalError(
            f"not a POSCAR: line 2 is {shown(words)} and not a scale factor",
            "write one number there, 1.0 where lengths are in Å, or three (VASP 6)",
        )
    if 0 in scale or (len(scale) == 3 and min(scale) < 0):
        raise CrystalError(f"the scale is {' '.join(words)}", "write 1.0 where the lengths are in Å")
    rows = [leading_numbers(_words(lines, at)) for at in (2, 3, 4)]
    for number, row in enumerate(rows, 3):
        if row is None:
            raise CrystalError(
                f"line {number} is {shown(_words(lines, number - 1))} and not three numbers", "write a lattice vector"
            )
    lattice = checked_lattice(rows)
    volume = abs(np.linalg.det(lattice))
    if np.abs(lattice).max() * max(map(abs, scale)) > LARGE:
        raise CrystalError("the scale makes the cell too large", "write 1.0 where the lengths are in Å")
    factors = np.cbrt(-np.array(scale) / volume) if scale[0] < 0 else np.array(scale)
    return factors, lattice * factors


def _species(lines: Lines) -> tuple[list[str], list[int], int]:
    """Elements of the species (none in a file for VASP 4), their numbers of atoms, and where the next line is.

    VASP writes more than twenty names, and their numbers, on several lines.
    """
    names, counts, at = list[str](), list[int](), 5
    while (words := _words(lines, at)) and not re.match(r"[+-]?\.?\d", words[0]):
        if names and (len(lines[at - 1]) < WRAPPED or symbol_of(words[0]) is None):
            break
        names += [_of_potential(word) for word in words]
        at += 1
    while not counts or (len(counts) < len(names) and len(lines[at - 1]) >= WRAPPED):
        words = _words(lines, at)
        if names and len(words) > len(names) - len(counts) and to_integer(words[len(names) - len(counts)]) is None:
            words = words[: len(names) - len(counts)]  # a comment follows
        values = [to_integer(word) for word in words]
        if not values or None in values:
            before = f"names {shown(names)}" if names else "lattice"
            raise CrystalError(
                f"line {at + 1} is {shown(words)} and not the numbers of atoms",
                f"write whole numbers after the {before}, one for each element",
            )
        counts += [value for value in values if value is not None]
        at += 1
    if names and len(names) != len(counts):
        raise CrystalError(
            f"{len(names)} names of elements ({shown(names, 60)}) and {len(counts)} numbers of atoms "
            f"({shown([str(count) for count in counts], 60)})",
            "write one number for each name",
        )
    if min(counts) < 0 or not any(counts):
        raise CrystalError(f"the numbers of atoms are {' '.join(map(str, counts))}", "correct them")
    return names, counts, at


def _cartesian(lines: Lines, at: int) -> bool:
    """Say whether the places are Cartesian, by the first letter of the line that says so."""
    words = _words(lines, at)
    if not words or words[0][0] not in "dDcCkK":
        raise CrystalError(
            f"no Direct or Cartesian line: line {at + 1} is {shown(words)}",
            "write Direct or Cartesian before the atoms",
        )
    return words[0][0] not in "dD"


def _places(lines: Lines, start: int, count: int) -> NDArray[np.float64]:
    """The three numbers of each atom."""
    found = []
    for at in range(start, start + count):
        words = _words(lines, at)
        if not words:
            raise CrystalError(
                f"{at - start} lines of atoms where the numbers of atoms add up to {count}",
                "complete the list of atoms",
            )
        place = leading_numbers(words[:3])
        share = leading_numbers(words[3:4], 1)
        if share and len(words) == 4 and share != [1.0]:
            raise CrystalError(
                f"line {at + 1} has {words[3]} after the position of an atom: partial occupancy or disorder",
                "give an ordered model, or delete these numbers",
            )
        if place is None:
            raise CrystalError(
                f"line {at + 1} is {shown(words)} and not the three numbers of an atom",
                "write its three coordinates, with points and blanks between them",
            )
        found.append(place)
    return np.array(found, dtype=float)


def _check_rest(lines: Lines, at: int, count: int) -> None:
    """Raise where more atoms or crystals follow; velocities, a moving lattice and grids of CHGCAR may follow."""
    if leading_numbers(_words(lines, at)[:3]):
        more = at
        while leading_numbers(_words(lines, more)[:3]):
            more += 1
        raise CrystalError(
            f"{count + more - at} lines of atoms where the numbers of atoms add up to {count}",
            "correct the numbers of atoms, or delete the atoms that are too many",
        )
    for k in range(at, len(lines) - 4):
        is_cell = leading_numbers(_words(lines, k), 1) and all(_is_vector(lines, k + n) for n in (1, 2, 3))
        if is_cell and any(re.match("[cdks]", "".join(_words(lines, k + n)), re.IGNORECASE) for n in (5, 6, 7)):
            raise CrystalError("several crystals in one file", ONE_EACH)
    words = _words(lines, at)
    if words and not re.match(r"[cdk]|lattice", words[0], re.IGNORECASE):
        raise CrystalError(
            f"line {at + 1}, after the {count} atoms, is {shown(words)}",
            "delete it, or correct the numbers of atoms",
        )
    if words:
        return  # lattice velocities, or how velocities are given
    block = []
    for words in lines[at + 1 :]:
        if not words:
            break
        block.append(leading_numbers(words[:3]) is not None and leading_numbers(words[:4], 4) is None)
    if block and all(block) and len(block) != count:
        raise CrystalError(
            f"{len(block)} more lines of three numbers after the {count} atoms and a blank line",
            "correct the numbers of atoms, or delete these lines",
        )


def _is_vector(lines: Lines, at: int) -> bool:
    return len(_words(lines, at)) == 3 and leading_numbers(_words(lines, at)) is not None


def _symbols(
    names: list[str], counts: list[int], atoms: Lines, comment: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Element of each atom, and remarks.

    They come from the names, else from a name behind each atom's place, else from a comment of as many symbols.
    """
    written = _written(atoms)
    remarks = [f"no atoms of {name}, as the file says" for name, n in zip(names, counts, strict=False) if not n]
    if names:
        kinds = names
    elif written:
        kinds = [written[end - 1] if n else "" for n, end in zip(counts, np.cumsum(counts).tolist(), strict=True)]
    else:
        kinds = comment.split()
        if len(kinds) != len(counts) or not set(kinds) <= set(SYMBOLS):
            raise CrystalError(
                "no names of elements in it (a file for VASP 4)",
                f"write a line of {len(counts)} names, such as Sr Ti O, above the numbers of atoms "
                f"({shown([str(count) for count in counts], 60)})",
            )
        remarks.append(f"the elements {' '.join(kinds)} come from its first line")
    symbols = [kind for kind, n in zip(kinds, counts, strict=True) for _ in range(n)]
    for number, (symbol, other) in enumerate(zip(symbols, written, strict=False), 1):
        if symbol != other:
            raise CrystalError(
                f"atom {number} is {symbol} by the numbers of atoms and {other} by the name after its position",
                "correct one of them",
            )
    if not names and written:
        remarks.append("the elements come from the names after the atoms' positions")
    told = _told(comment)
    if names and told and told != set(symbols):
        remarks.append(f"its first line says {comment.split()[0]}, its names {' '.join(names)}, which are used")
    return tuple(symbols), tuple(remarks)


def _told(comment: str) -> set[str]:
    """Elements of the formula that a comment begins with; none where it is no formula of several."""
    word = (comment.split() or [""])[0]
    found = re.findall("[A-Z][a-z]?", word)
    is_formula = re.fullmatch(r"([A-Z][a-z]?\d*){2,}", word) and set(found) <= set(SYMBOLS)
    return set(found) if is_formula else set()


def _written(atoms: Lines) -> list[str]:
    """Elements that stand behind all places; none where one lacks it. Flags (T, F) may stand before or after."""
    found = []
    for words in atoms:
        rest = words[3:]
        for first in (0, 1):
            flags = rest[first : first + 3]
            if len(flags) == 3 and {flag.upper() for flag in flags} <= FLAGS:
                rest = rest[:first] + rest[first + 3 :]
                break
        symbol = symbol_of(rest[0]) if len(rest) == 1 else None
        if symbol is None:
            return []
        found.append(symbol)
    return found


def _of_potential(name: str) -> str:
    """Element of a potential's name such as Ti_pv, or Fe/1a2b3c of VASP 6."""
    if re.match(r"H_?\d*\.\d", name):
        raise CrystalError(f"{name} is a hydrogen with a part of an electron", "give a crystal of whole atoms")
    symbol = symbol_of(name)
    if symbol is None:
        raise CrystalError(f"unknown element {name!r} in the line of names", "write element symbols such as Sr Ti O")
    return symbol
