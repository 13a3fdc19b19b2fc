"""The list of atoms of a CIF: which rows are atoms, of which element, and where."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hirshprint.structures.crystals import CrystalError
from hirshprint.structures.reading.atom_names import NOTHING, AtomName, element_of_label, element_of_type

NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?(\(\d*\))?")
NOT_GIVEN = ("?", ".")
OCCUPANCY_TOLERANCE = 1e-4
ATOM_TAGS = "_atom_site_"
COLUMNS = ("label", "type_symbol", "occupancy", "calc_flag", "disorder_group", "attached_hydrogens")
MULTIPLICITY_TAGS = ("symmetry_multiplicity", "site_symmetry_multiplicity")
DISORDER = "partial occupancy or disorder"

Tags = Mapping[str, Sequence[str]]
"""Values by tag, in small letters and with _ for a dot; one value where a tag is not in a loop."""


@dataclass(frozen=True, eq=False)
class AtomList:
    """The atoms that a CIF lists.

    Attributes
    ----------
    labels, symbols : tuple of str
        Name and element of each.
    places : ndarray of float64, (n, 3)
        Fractional coordinates.
    hydrogens : tuple of int
        Hydrogens that each is, for lack of another word, said to have: two of ``Wat1`` without a type.
    hinted : tuple of int
        Hydrogens that its label hints at although it has a type, or that are said to be attached and not listed.
    multiplicities, orders : tuple of int
        Images of each in the cell, as the file states them, or the same or the order of its site's symmetry, which
        some programs write under an old tag; 0 where it does not.
    remarks : tuple of str
        On rows that were left out.
    """

    labels: tuple[str, ...]
    symbols: tuple[str, ...]
    places: NDArray[np.float64]
    hydrogens: tuple[int, ...]
    hinted: tuple[int, ...]
    multiplicities: tuple[int, ...]
    orders: tuple[int, ...]
    remarks: tuple[str, ...]


def read_number(text: str) -> float | None:
    """Read a number of a CIF, with its standard uncertainty in brackets: ``3.905(2)``; None where it is none."""
    value = float(text.partition("(")[0]) if NUMBER.fullmatch(text) else math.nan
    return value if math.isfinite(value) else None


def number_remedy(text: str, otherwise: str) -> str:
    """What to write in the place of something that is no number of a CIF, such as ``4,0263`` or ``1/3``."""
    if re.fullmatch(r"[-+]?\d+,\d+(\(\d*\))?", text):
        return f"write it with a decimal point: {text.replace(',', '.')}"
    found = re.fullmatch(r"([-+]?\d+)/(\d+)", text)
    return f"write decimals: {int(found[1]) / int(found[2]):.6f}" if found and int(found[2]) else otherwise


def read_atoms(tags: Tags, elements: frozenset[str]) -> AtomList:
    """Read the list of atoms.

    Parameters
    ----------
    tags : mapping
        The block.
    elements : frozenset of str
        Those of the formula, which tell carbon ``CA`` from calcium; empty where there is none.

    Raises
    ------
    CrystalError
        A row has no place or no element, is disordered or occupied in part.
    """
    count = len(tags[f"{ATOM_TAGS}fract_x"])
    columns = {name: tags.get(f"{ATOM_TAGS}{name}", ["."] * count) for name in (*COLUMNS, *MULTIPLICITY_TAGS)}
    places = [tags.get(f"{ATOM_TAGS}fract_{axis}", ["?"] * count) for axis in "xyz"]
    if any(len(values) != count for values in (*columns.values(), *places)):
        raise CrystalError("its list of atoms is in several loops of different lengths", "write it as one loop")
    labels = [
        next((text for text in (label, kind) if text not in NOT_GIVEN), f"row {k + 1}")
        for k, (label, kind) in enumerate(zip(columns["label"], columns["type_symbol"], strict=True))
    ]
    named = [
        NOTHING._replace(is_atom=False) if flag.lower() == "dum" or read_number(share) == 0 else _name(kind, label)
        for flag, share, kind, label in zip(
            *(columns[name] for name in ("calc_flag", "occupancy", "type_symbol", "label")), strict=True
        )
    ]
    rows = [k for k in range(count) if named[k].is_atom]
    for k in rows:
        _check_order(labels[k], columns["occupancy"][k])
    _check_groups({columns["disorder_group"][k]: labels[k] for k in rows})
    return AtomList(
        labels=tuple(labels[k] for k in rows),
        symbols=tuple(_element(labels[k], named[k], elements, columns["type_symbol"][k]) for k in rows),
        places=np.array([[_coordinate(labels[k], places[i][k], "xyz"[i]) for i in range(3)] for k in rows]),
        hydrogens=tuple(named[k].hydrogens for k in rows),
        hinted=tuple(_hinted(columns["label"][k], columns["attached_hydrogens"][k], named[k]) for k in rows),
        multiplicities=tuple(int(read_number(columns[MULTIPLICITY_TAGS[1]][k]) or 0) for k in rows),
        orders=tuple(int(read_number(columns[MULTIPLICITY_TAGS[0]][k]) or 0) for k in rows),
        remarks=(
            *_remark(
                "rows that are not atoms were left out", [labels[k] for k in range(count) if not named[k].is_atom]
            ),
            *_remark("labels that name another element than the type, which was used", _other_labels(columns, rows)),
            *_remark("an occupancy of ? was read as 1", [labels[k] for k in rows if columns["occupancy"][k] == "?"]),
        ),
    )


def _other_labels(columns: Tags, rows: Sequence[int]) -> list[str]:
    """Labels that beyond doubt name another element than the type: ``Ni1`` of type Fe."""
    found = []
    for k in rows:
        label, kind = element_of_label(columns["label"][k]), element_of_type(columns["type_symbol"][k])
        if len(label.symbols) == len(kind.symbols) == 1 and label.symbols != kind.symbols:
            found.append(f"{columns['label'][k]} ({kind.symbols[0]})")
    return found


def _name(kind: str, label: str) -> AtomName:
    """What a row's type says, else its label."""
    if kind not in NOT_GIVEN:
        return element_of_type(kind)
    return element_of_label(label) if label not in NOT_GIVEN else NOTHING


def _hinted(label: str, attached: str, named: AtomName) -> int:
    hint = element_of_label(label)
    from_label = hint.hydrogens if named.symbols == hint.symbols == ("O",) else 0
    return max(int(read_number(attached) or 0), from_label, 0)


def _element(label: str, named: AtomName, elements: frozenset[str], kind: str) -> str:
    """The element of a row; where its label may mean several, the one that the formula has."""
    possible = [symbol for symbol in named.symbols if len(named.symbols) == 1 or not elements or symbol in elements]
    if len(possible) == 1:
        return possible[0]
    remedy = "give each atom its element in the column _atom_site_type_symbol"
    if possible:
        raise CrystalError(f"atom {label} may be {' or '.join(possible)}", remedy)
    unknown = label if kind in NOT_GIVEN else kind
    raise CrystalError(f"atom {label} is of an unknown element {unknown!r}", remedy)


def _check_order(label: str, occupancy: str) -> None:
    """Raise where a row is not occupied by one whole atom."""
    value = 1.0 if occupancy in NOT_GIVEN else read_number(occupancy)
    if value is None:
        raise CrystalError(f"the occupancy of {label} is {occupancy!r}", number_remedy(occupancy, "write a number"))
    if not 0 <= value <= 1 + OCCUPANCY_TOLERANCE:
        reason = f"the position of {label} is occupied by more than one atom, or by less than none: {value:g}"
        raise CrystalError(reason, "correct its occupancy")
    if value < 1 - OCCUPANCY_TOLERANCE:
        raise CrystalError(f"{DISORDER}: {label} has an occupancy of {value:g}", "give an ordered model")


def _check_groups(groups: Mapping[str, str]) -> None:
    """Raise where atoms (by group of disorder, a label of each) are in several groups, or in one about an axis."""
    groups = {group: label for group, label in groups.items() if group not in (*NOT_GIVEN, "0")}
    if len(groups) > 1 or any(group.startswith("-") for group in groups):
        where = ", ".join(f"{label} in group {group}" for group, label in groups.items())
        raise CrystalError(f"{DISORDER}: {where}", "give an ordered model, of one group")


def _coordinate(label: str, text: str, axis: str) -> float:
    value = read_number(text)
    if value is None and text.lower().strip("+-") in ("nan", "inf", "infinity"):
        raise CrystalError(f"a number in it is not finite: {axis} of {label}", "correct the number")
    if value is None:
        remedy = number_remedy(text, "give every atom three numbers")
        raise CrystalError(f"the coordinate {axis} of {label} is {text}", remedy)
    return value


def _remark(sentence: str, labels: Sequence[str]) -> list[str]:
    more = f" and {len(labels) - 4} more" if len(labels) > 4 else ""
    return [f"{sentence}: {', '.join(labels[:4])}{more}"] if labels else []
