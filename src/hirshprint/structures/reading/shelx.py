"""SHELX result files (.res), also as AIRSS and pymatgen write them.

The rules are those of the SHELXL manual: https://shelx.uni-goettingen.de/shelxl_html.php
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hirshprint.structures.crystals import Crystal, CrystalError
from hirshprint.structures.reading.atom_names import element_of_type
from hirshprint.structures.reading.expansion import expand
from hirshprint.structures.reading.operations import Operations, fits_cell, operations_of_xyz
from hirshprint.structures.reading.parts import (
    ONE_EACH,
    lattice_of_constants,
    leading_numbers,
    lines_of,
    shown,
    to_integer,
    to_number,
)

PASSED_OVER = frozenset(
    """ABIN ACTA AFIX ANIS ANSC ANSR BASF BIND BLOC BOND BUMP CGLS CHIV CONF CONN DAMP DANG DEFS DELU DFIX DISP EADP
    EGEN EQIV ESEL EXTI EXYZ FLAT FMAP FREE GRID HFIX HOPE HTAB INIT ISOR L.S. LAUE LIST MERG MOLE MORE MPLA NCSY NEUT
    OMIT PATT PHAN PHAS PLAN PRIG PSEE REM RESI RIGU RTAB SADI SAME SHEL SIMU SIZE SPEC SPIN STIR SUMP SWAT TEMP TEXP
    BEDE LONE TIME TITL TREF TWIN TWST VECT WGHT WIGL WPDB XNPD ZERR""".split()  # noqa: SIM905
)
USED = frozenset(("CELL", "END", "FRAG", "FEND", "FVAR", "HKLF", "LATT", "MOVE", "PART", "SFAC", "SYMM", "UNIT"))
CENTRINGS = {
    1: ("0,0,0",),
    2: ("0,0,0", "1/2,1/2,1/2"),
    3: ("0,0,0", "2/3,1/3,1/3", "1/3,2/3,2/3"),
    4: ("0,0,0", "0,1/2,1/2", "1/2,0,1/2", "1/2,1/2,0"),
    5: ("0,0,0", "0,1/2,1/2"),
    6: ("0,0,0", "1/2,0,1/2"),
    7: ("0,0,0", "1/2,1/2,0"),
}
FULL = 0.005  # an occupancy that differs less from a full one is a rounded one


@dataclass
class Contents:
    """What the lines of a file say; atoms as they stand, before free variables and symmetry."""

    constants: list[float] | None = None
    latt: int | None = None
    symm: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    unit: list[float] = field(default_factory=list)
    variables: list[float] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    atom_kinds: list[int] = field(default_factory=list)
    numbers: list[list[float]] = field(default_factory=list)
    peaks: int = 0


def read_res(text: str) -> Crystal:
    """Read a crystal of SHELX's, with the symmetry of LATT and SYMM applied.

    Raises
    ------
    CrystalError
        It has several crystals, atoms in parts or that are occupied in part, does not make up its UNIT, or says what
        is not understood.
    """
    found = _contents(text)
    if found.constants is None or not found.names:
        missing = "CELL line" if found.constants is None else "atoms"
        raise CrystalError(f"no {missing} in it", "check that it is a complete .res file")
    lattice = lattice_of_constants(found.constants)
    operations = _operations(found.latt if found.latt is not None else 1, found.symm)
    if not fits_cell(operations, lattice):
        raise CrystalError("its LATT and SYMM do not keep the cell", "correct CELL, LATT or SYMM")
    values = [[_value(number, found.variables) for number in numbers] for numbers in found.numbers]
    frac, row, moved = expand(lattice, np.array([place[:3] for place in values]), operations, found.names)
    overfull = _check_occupancies(found.names, [place[3] for place in values], row, len(operations.rotations))
    symbols, renamed = _symbols(found)
    _check_unit(found, row)
    remarks = [*moved, *renamed]
    if found.latt is None:
        remarks.append("no LATT line: LATT 1, which is centrosymmetric, is assumed, as SHELX does")
    if overfull:
        remarks.append(f"an occupancy of 1 on a special position is read as a full one: {shown(overfull)}")
    if found.peaks:
        remarks.append(f"{found.peaks} peaks of residual density (Q) were left out")
    return Crystal(
        lattice,
        tuple(symbols[k] for k in row),
        frac,
        tuple(found.names[k] for k in row),
        tuple(remarks),
    )


def _contents(text: str) -> Contents:
    """Take apart the lines up to END."""
    lines = _lines(text)
    crystals = sum(words[0].upper() == "CELL" for _, words in lines)
    if crystals > 1:
        raise CrystalError(f"{crystals} crystals in one file", ONE_EACH)
    found, part, fragment = Contents(), 0.0, False
    for number, words in lines:
        key = words[0].upper().partition("_")[0]
        if key in ("END", "HKLF"):
            break
        if key in ("FRAG", "FEND"):  # in between: atoms of a model, on axes of its own
            fragment = key == "FRAG"
        elif fragment or key in PASSED_OVER:
            continue
        elif key == "PART":
            part = (leading_numbers(words[1:2], 1) or [0.0])[0]
        elif key in USED:
            _take(found, key, words[1:], number)
        elif re.fullmatch(r"Q\d+[A-Z]?", words[0]):
            found.peaks += 1
        elif key.startswith("+"):
            raise CrystalError(f"line {number} takes lines from another file, {shown(words)}", "write its lines there")
        else:
            if part:
                raise CrystalError(f"disorder: {words[0]} is in PART {part:g}", "give an ordered model")
            _take_atom(found, words, number)
    return found


def _lines(text: str) -> list[tuple[int, list[str]]]:
    """Lines that say something: their number and words, continued lines joined, comments left out."""
    found: list[tuple[int, list[str]]] = []
    open_line = False
    for number, line in enumerate(lines_of(text), 1):
        free = line[:4].upper() in ("TITL", "REM ") or line.strip().upper() == "REM"
        words = line.split() if free else line.split("!")[0].partition("=")[0].split()
        goes_on = not free and "=" in line.split("!")[0]
        if open_line:
            found[-1][1].extend(words)
            open_line = goes_on
        elif words and line[0] in " \t":
            if words[0].upper() in USED or (len(words) > 4 and _is_atom(words)):
                raise CrystalError(
                    f"line {number} begins with a blank, which makes it a comment in SHELX", "begin it without blanks"
                )
        elif words:
            found.append((number, words))
            open_line = goes_on
    return found


def _take(found: Contents, key: str, words: list[str], number: int) -> None:
    """Take what an instruction says."""
    if key == "CELL" and (constants := leading_numbers(words, 7)):
        found.constants = constants[1:]
    elif key == "LATT" and words and abs(to_integer(words[0]) or 0) in CENTRINGS:
        found.latt = to_integer(words[0])
    elif key == "SYMM" and words:
        found.symm.append("".join(words))
    elif key == "SFAC" and words:
        alone = len(words) > 1 and to_number(words[1]) is not None  # followed by its scattering factors
        found.kinds += [word.lstrip("$") for word in (words[:1] if alone else words)]
    elif key in ("UNIT", "FVAR") and (values := leading_numbers(words, len(words))):
        (found.unit if key == "UNIT" else found.variables).extend(values)
    else:
        raise CrystalError(f"line {number} is {shown([key, *words])}", f"write {key} as the manual of SHELX has it")


def _is_atom(words: list[str]) -> bool:
    return to_integer(words[1]) is not None and leading_numbers(words[2:5]) is not None


def _take_atom(found: Contents, words: list[str], number: int) -> None:
    kind = to_integer(words[1]) if len(words) > 4 and _is_atom(words) else None
    if kind is None:
        raise CrystalError(
            f"line {number} is {shown(words)}: neither an instruction of SHELX's nor an atom", "correct the line"
        )
    if not 0 < kind <= len(found.kinds):
        raise CrystalError(f"atom {words[0]} is of SFAC {kind}, of {len(found.kinds)}", "correct it, or SFAC")
    occupancy = leading_numbers(words[5:6], 1) or [11.0]
    found.names.append(words[0])
    found.atom_kinds.append(kind - 1)
    found.numbers.append([*(leading_numbers(words[2:5]) or []), *occupancy])


def _value(number: float, variables: Sequence[float]) -> float:
    """Value of a parameter p: 10 m + p is p with m = 1 (fixed), p v(m) with m > 1, p (v(-m) - 1) with m < -1."""
    which = round(number / 10)
    rest = number - 10 * which
    if which in (0, 1):
        return rest
    if which == -1 or abs(which) > len(variables):
        raise CrystalError(f"the parameter {number:g} needs a free variable that FVAR does not give", "correct FVAR")
    return rest * (variables[which - 1] if which > 1 else variables[-which - 1] - 1)


def _operations(latt: int, symm: list[str]) -> Operations:
    """The operations of LATT and SYMM."""
    some = ["x,y,z", *(text.lower() for text in symm)]
    if latt > 0:
        some += [_inverted(text) for text in some]
    return operations_of_xyz(_moved(text, by) for text in some for by in CENTRINGS[abs(latt)])


def _inverted(text: str) -> str:
    signs = {"+": "-", "-": "+"}
    parts = [part if part[:1] in signs else f"+{part}" for part in text.split(",")]
    return ",".join(re.sub("[+-]", lambda sign: signs[sign[0]], part) for part in parts)


def _moved(text: str, by: str) -> str:
    parts, steps = text.split(","), by.split(",")
    return ",".join(f"{part}+{step}" for part, step in zip(parts, steps, strict=False)) if by != "0,0,0" else text


def _check_occupancies(
    names: Sequence[str], occupancies: Sequence[float], row: NDArray[np.int64], order: int
) -> list[str]:
    """Raise where an atom is there in part; the names of those on special positions with an occupancy of 1.

    SHELX multiplies the occupancy of an atom by the multiplicity of its position over that of a general one.
    """
    overfull = []
    for k, (name, occupancy) in enumerate(zip(names, occupancies, strict=True)):
        whole = np.count_nonzero(row == k) / order
        if abs(occupancy / whole - 1) < FULL:
            continue
        if abs(occupancy - 1) > FULL:
            raise CrystalError(
                f"{name} is occupied in part: {occupancy:g} where {whole:g} is a full place", "give an ordered model"
            )
        overfull.append(name)
    return overfull


def _symbols(found: Contents) -> tuple[list[str], list[str]]:
    """Element of each listed atom by its SFAC number, and remarks where its name says another."""
    kinds = []
    for kind in found.kinds:
        symbols = element_of_type(kind).symbols
        if len(symbols) != 1:
            raise CrystalError(f"unknown element {kind!r} in SFAC", "write an element symbol such as Sr")
        kinds.append(symbols[0])
    others = []
    for name, k in zip(found.names, found.atom_kinds, strict=True):
        letters = re.match("[A-Za-z]*", name)[0].capitalize()  # type: ignore[index]
        if letters != kinds[k] and letters in kinds:
            raise CrystalError(f"atom {name} is {kinds[k]} by its SFAC number", "correct its name, or the number")
        if not letters.startswith(kinds[k]):
            others.append(f"{name} is {kinds[k]}")
    remarks = [f"elements come from the SFAC numbers and not from names: {shown(others)}"] if others else []
    return [kinds[k] for k in found.atom_kinds], remarks


def _check_unit(found: Contents, row: NDArray[np.int64]) -> None:
    """Raise where the atoms of the cell are not those of UNIT; zeros there say nothing."""
    if not any(found.unit):
        return
    counts = Counter(found.atom_kinds[k] for k in row)
    made = [counts[k] for k in range(len(found.kinds))]
    if len(found.unit) != len(made) or np.abs(np.array(found.unit) - made).max() > FULL:
        said, is_made = (
            " ".join(f"{kind}{count:g}" for kind, count in zip(found.kinds, counts, strict=False))
            for counts in (found.unit, made)
        )
        raise CrystalError(
            f"UNIT says {said} and its atoms make {is_made}",
            "complete the list of atoms (are hydrogens missing?), or correct LATT, SYMM or UNIT",
        )
