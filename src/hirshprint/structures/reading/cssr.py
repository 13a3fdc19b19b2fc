"""CSSR files of the Cambridge data bank and of pymatgen."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from hirshprint.structures.crystals import Crystal, CrystalError
from hirshprint.structures.reading.atom_names import element_of_label
from hirshprint.structures.reading.expansion import expand
from hirshprint.structures.reading.operations import (
    Operations,
    fits_cell,
    meanings_of_symbol,
    operations_of_hall,
    operations_of_xyz,
    same_group,
)
from hirshprint.structures.reading.parts import (
    lattice_of_constants,
    leading_numbers,
    lines_of,
    shown,
    to_integer,
)

GROUP = re.compile(r"SPGR\s*=\s*(\d+)?\s*(.*?)\s*(?:OPT\s*=\s*(\d+)\s*)?", re.IGNORECASE)
WRITE_ALL = "write all atoms of the cell, with SPGR = 1 P 1, or a CIF"


def read_cssr(text: str) -> Crystal:
    """Read a CSSR file, with the space group of its second line applied.

    Raises
    ------
    CrystalError
        The space group or an atom's label is not understood, or its parts do not fit together.
    """
    rows = [line.split() for line in lines_of(text)]
    while rows and not rows[-1]:
        rows.pop()
    if len(rows) < 5:
        raise CrystalError("not a CSSR file: it has fewer than five lines", "check that it is complete")
    angles, group = leading_numbers(rows[1][:3]), GROUP.fullmatch(" ".join(rows[1][3:]))
    lengths = leading_numbers(rows[0][-3:])
    if lengths is None or angles is None:
        line, words = (1, rows[0]) if lengths is None else (2, rows[1])
        raise CrystalError(f"line {line} is {shown(words)}, without the cell constants", "write three numbers there")
    lattice = lattice_of_constants([*lengths, *angles])
    operations = _operations(group, lattice) if rows[1][3:] else operations_of_xyz(["x,y,z"])
    names, symbols, places = _atoms(rows)
    if rows[2][1:2] == ["1"]:
        if any(angle != 90 for angle in angles):
            raise CrystalError(
                "orthogonal coordinates (1 on line 3) in a cell with other angles than 90°, on axes unknown",
                "give fractional coordinates, and 0 there",
            )
        places = places / np.array(lengths)
    frac, row, remarks = expand(lattice, places, operations, names)
    if not rows[1][3:]:
        remarks = (*remarks, "no space group (SPGR) in it: P 1 is assumed")
    return Crystal(lattice, tuple(symbols[k] for k in row), frac, tuple(names[k] for k in row), remarks)


def _operations(group: re.Match[str] | None, lattice: NDArray[np.float64]) -> Operations:
    """The operations of the space group on line 2."""
    if group is None:
        raise CrystalError("line 2 has no SPGR = after the angles", "write SPGR = 1 P 1 there, and all atoms")
    number, symbol, option = int(group[1] or 0), group[2], group[3] or "1"
    said = f"SPGR = {group[1] or ''} {symbol}".rstrip()
    if number == 1 and symbol.replace(" ", "").upper() in ("", "P1"):
        return operations_of_xyz(["x,y,z"])
    if option not in ("0", "1"):
        raise CrystalError(f"the space group {said} with OPT = {option}", WRITE_ALL)
    meanings = [setting for setting in meanings_of_symbol(symbol) if number in (0, setting.number)]
    found: list[Operations] = []
    for setting in meanings:
        operations = operations_of_hall(setting.hall)
        if operations and fits_cell(operations, lattice) and not any(same_group(operations, one) for one in found):
            found.append(operations)
    if len(found) == 1:
        return found[0]
    why = "has several settings" if found else "does not fit the cell" if meanings else "is not understood"
    raise CrystalError(f"the space group {said} {why}", WRITE_ALL)


def _atoms(rows: list[list[str]]) -> tuple[list[str], list[str], NDArray[np.float64]]:
    """Labels, elements and places of the atoms."""
    count = to_integer(rows[2][0]) if rows[2] else None
    if count is None or rows[2][1:2] not in (["0"], ["1"], []):
        raise CrystalError(
            f"line 3 is {shown(rows[2])}", "write the number of atoms, and 0 (fractional) or 1 (orthogonal) after it"
        )
    if count != len(rows) - 4:
        raise CrystalError(f"{len(rows) - 4} lines of atoms where line 3 says {count}", "complete the list of atoms")
    names, symbols, places = [], [], []
    for number, words in enumerate(rows[4:], 5):
        place = leading_numbers(words[2:5])
        if place is None or to_integer(words[0]) is None:
            raise CrystalError(
                f"line {number} is {shown(words)} and not an atom", "write its number, label and three coordinates"
            )
        element = element_of_label(words[1])
        if len(element.symbols) != 1 or element.hydrogens:
            may_be = f"may be {' or '.join(element.symbols)}" if element.symbols else "is not an element"
            raise CrystalError(
                f"the label {words[1]} on line {number} "
                + ("says that there are hydrogens besides" if element.hydrogens else may_be),
                "write the element's symbol, such as Ca, and a number",
            )
        names.append(words[1])
        symbols.append(element.symbols[0])
        places.append(place)
    return names, symbols, np.array(places, dtype=float)
