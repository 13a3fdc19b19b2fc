"""What the columns of a table, or the fields of records, have in them: which could be a property, a unit, a group."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hirshprint.structures.sources.json_text import ID_KEYS
from hirshprint.structures.sources.placement import EDGE_COLUMN
from hirshprint.structures.sources.rows import NUMBER
from hirshprint.structures.sources.targets import ANSWERS

EDGE = "a_angstrom"
NO_PROPERTY = re.compile(
    r"(.*[\s_-])?(id|ids|index|idx|number|hash|year|row)|nr|no|unnamed.*|level_0"  # names and places of rows
    r"|(n|num|nr)_?(of_?)?(atoms|sites|elements|species|kinds)|nat|z|formula_units|charge"  # counts
    r"|spg|sgr?|sgnum|space_?group.*|international.*|crystal_?system|laue.*|temperature.*|pressure.*",  # circumstances
    re.IGNORECASE,
)
OF_CELL = re.compile(
    r"(lattice_?)?(a|b|c|alpha|beta|gamma)(_(angstrom|deg|degrees))?|(cell_?)?vol(ume)?(_\w+)?|density(_\w+)?", re.I
)
GROUP = re.compile(r"(cv|k|outer|test)?_?folds?|groups?|clusters?|family|families|block", re.IGNORECASE)
FOLD = re.compile(r"(cv|k|outer|test)?_?folds?", re.IGNORECASE)
UNITS = {
    "angstrom": "Å",
    "angstrom2": "Å²",
    "angstrom3": "Å³",
    "ev": "eV",
    "mev": "meV",
    "ev_per_atom": "eV/atom",
    "mev_per_atom": "meV/atom",
    "ev_atom": "eV/atom",
    "mev_atom": "meV/atom",
    "gpa": "GPa",
    "kelvin": "K",
    "kj_per_mol": "kJ/mol",
}
"""Ends of names that can mean one unit only."""
ENOUGH = 0.5  # share of the rows that must have a number in a column for it to come before others
MOST_DISTINCT = 1000  # different values that are counted


@dataclass
class Field:
    """What a column, or a field of records, has in it.

    Attributes
    ----------
    name : str
        Its name.
    filled, numbers, answers : int
        Rows in which it has anything, a finite number, and yes or no (true or false, 1 or 0).
    low, high : float
        Smallest and largest number; infinite where there is none.
    whole : bool
        Whether all numbers are whole.
    distinct : set of str
        Different values, up to `MOST_DISTINCT`.
    """

    name: str
    filled: int = 0
    numbers: int = 0
    answers: int = 0
    low: float = math.inf
    high: float = -math.inf
    whole: bool = True
    distinct: set[str] = field(default_factory=set)

    @property
    def yes_no(self) -> bool:
        """Whether it has both answers and nothing else."""
        return 0 < self.answers == self.filled and len({ANSWERS[text.casefold()] for text in self.distinct}) == 2

    @property
    def decades(self) -> float:
        """How many decades its numbers span; 0 where one is not above zero."""
        return math.log10(self.high / self.low) if 0 < self.low < self.high else 0.0


def fields_of(rows: Iterable[Mapping[str, Any]]) -> list[Field]:
    """Count what each column, or field, has in it, in the order in which they come."""
    found: dict[str, Field] = {}
    for row in rows:
        for name, value in row.items():
            if value is None or isinstance(value, (dict, list)) or (isinstance(value, str) and not value.strip()):
                continue
            if name not in found:
                found[name] = Field(name)
            _count(found[name], value)
    return list(found.values())


def _count(found: Field, value: Any) -> None:
    text = str(value).strip()
    found.filled += 1
    found.answers += text.casefold() in ANSWERS
    if len(found.distinct) < MOST_DISTINCT:
        found.distinct.add(text)
    number = math.nan
    if isinstance(value, str):
        number = float(text) if NUMBER.fullmatch(text) else math.nan
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        number = float(value) if abs(value) < 1e300 else math.nan
    if math.isfinite(number):
        found.numbers += 1
        found.low, found.high = min(found.low, number), max(found.high, number)
        found.whole = found.whole and number.is_integer()


def properties(fields: Sequence[Field], rows: int) -> list[Field]:
    """Fields that could be a property to learn, the likeliest first.

    Parameters
    ----------
    fields : sequence of Field
        All columns or fields.
    rows : int
        How many rows or records there are.
    """
    possible = [
        one
        for one in fields
        if len(one.distinct) > 1
        and ((one.numbers > 0 and one.low < one.high) or one.yes_no)
        and not (NO_PROPERTY.fullmatch(one.name) or GROUP.fullmatch(one.name))
        and one.name not in (*ID_KEYS, EDGE_COLUMN)
    ]

    def rank(one: Field) -> tuple[bool, ...]:
        few = max(one.numbers, one.answers if one.yes_no else 0) < ENOUGH * rows
        return (one.name != EDGE, few, OF_CELL.fullmatch(one.name) is not None, one.yes_no, one.whole)

    return sorted(possible, key=rank)


def group_field(fields: Sequence[Field], rows: int) -> Field | None:
    """The field that names a group, such as ``fold``, in every row; None if there is none."""
    return next((one for one in fields if GROUP.fullmatch(one.name) and one.filled == rows and is_parted(one)), None)


def is_parted(one: Field) -> bool:
    """Say whether a field has at least two values, and some more than once."""
    return 1 < len(one.distinct) < min(MOST_DISTINCT, one.filled)


def unit_of(name: str) -> str | None:
    """Unit that the name of a property says for certain: ``gap (eV)``, ``gap_ev``; None where it does not."""
    if bracketed := re.search(r"[(\[]\s*([^()\[\]]+?)\s*[)\]]$", name):
        return bracketed[1]
    plain = name.casefold()
    return next((UNITS[end] for end in sorted(UNITS, key=len, reverse=True) if plain.endswith(f"_{end}")), None)
