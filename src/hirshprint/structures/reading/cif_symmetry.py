"""What a CIF says of its symmetry: a list of operations, a Hall symbol, Hermann-Mauguin symbols, a number."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hirshprint.structures.crystals import CrystalError
from hirshprint.structures.reading.cif_atoms import NOT_GIVEN, Tags, read_number
from hirshprint.structures.reading.cif_blocks import ELSEWHERE, SYMMETRY_TAGS
from hirshprint.structures.reading.operations import (
    Operations,
    Setting,
    checked_group,
    fits_cell,
    listed_operations,
    meanings_of_symbol,
    operations_of_hall,
    operations_of_xyz,
    products,
    same_group,
    standard_settings,
)

OPERATIONS_TAGS = ("_space_group_symop_operation_xyz", "_symmetry_equiv_pos_as_xyz")
HALL_TAGS = ("_space_group_name_hall", "_symmetry_space_group_name_hall")
SYMBOL_TAGS = (
    "_space_group_name_h-m_alt",
    "_symmetry_space_group_name_h-m",
    "_space_group_name_h-m_full",
    "_space_group_name_h-m",
)
REFERENCE_TAGS = ("_space_group_name_h-m_ref",)  # of the standard setting, whatever that of the file
NUMBER_TAGS = ("_space_group_it_number", "_symmetry_int_tables_number")
NO_SYMMETRY = re.compile(r"(_id|_cell_setting|_crystal_system|_comment|_details|_transform_\w+)$")  # nor a name of it
MAGNETIC_TAG = "_space_group_symop_magn_operation_xyz"
CENTRING_TAG = "_space_group_symop_magn_centering_xyz"
MODULATED = ("_cell_modulation", "_space_group_ssg", "_cell_wave_vector", "_atom_site_fourier", "_cell_subsystem")
LIST = "its list of operations"
WRITE = "write its operations as a loop of _space_group_symop_operation_xyz"


class Meaning(NamedTuple):
    """What a claim may mean; `number` is 0 where it is not known, `standard` says that a convention prefers it."""

    name: str
    operations: Operations
    number: int = 0
    unique_axis: str = ""
    standard: bool = False


@dataclass(frozen=True, eq=False)
class Claim:
    """One thing that a file says of its symmetry.

    Attributes
    ----------
    text : str
        In words, for messages.
    meanings : list of Meaning
        None where it is unknown.
    is_number : bool
        It is a number or the symbol of a standard setting: the setting rests on a convention.
    """

    text: str
    meanings: list[Meaning]
    is_number: bool = False


def symmetry_claims(tags: Tags) -> list[Claim]:
    """Collect what a block says of its symmetry, the surest first.

    Raises
    ------
    CrystalError
        A list of operations is wrong, a number is none of a space group, or the structure is modulated.
    """
    if modulated := next((tag for tag in tags if tag.startswith(MODULATED)), None):
        raise CrystalError(f"a modulated structure ({modulated})", "give a commensurate approximant")
    symbols, references = (_values(tags, names) for names in (SYMBOL_TAGS, REFERENCE_TAGS))
    named = [*(_symbol_claim(text) for text in symbols), *(_symbol_claim(text, is_number=True) for text in references)]
    listed = _operation_claims(tags)
    if listed and MAGNETIC_TAG in tags:
        return listed  # symbols and numbers are those of the parent
    return [*listed, *_hall_claims(tags), *named, *_number_claims(tags)] or [
        Claim(f"its symmetry, given by {tag} {values[0]!r},", [])
        for tag in tags
        if tag.removeprefix(ELSEWHERE).startswith(SYMMETRY_TAGS) and not NO_SYMMETRY.search(tag)
        if (values := _values(tags, (tag,)))
    ]


def _values(tags: Tags, names: tuple[str, ...]) -> list[str]:
    """Values that are given, of any of the tags, each once."""
    values = (value.strip() for name in names for value in tags.get(name, ()))
    return list(dict.fromkeys(value for value in values if value and value not in NOT_GIVEN))


def _operation_claims(tags: Tags) -> list[Claim]:
    lists = [texts for name in OPERATIONS_TAGS if (texts := _values(tags, (name,)))]
    found = [operations_of_xyz(texts) for texts in lists]
    if magnetic := _values(tags, (MAGNETIC_TAG,)):  # x,y,z,+1: where atoms go, whatever their moments do
        some = _unprimed(magnetic)
        centring = _values(tags, (CENTRING_TAG,))
        names = _values(tags, ("_space_group_magn_name_bns",))
        if any("_" in name.split()[0] for name in names) and not centring:
            raise CrystalError(
                f"its magnetic group {names[0]!r} has a centring that is not listed", f"add {CENTRING_TAG}"
            )
        found.append(checked_group(products(some, _unprimed(centring)) if centring else some))
    if len(found) > 1 and not all(same_group(found[0], other) for other in found[1:]):
        raise CrystalError("it has two lists of symmetry operations that differ", "delete the wrong one")
    return [Claim(LIST, [Meaning(LIST, found[0])])] if found else []


def _unprimed(texts: list[str]) -> Operations:
    """Magnetic operations without their last part, the reversal of time."""
    return listed_operations([text.rpartition(",")[0] if text.count(",") == 3 else text for text in texts])


def _hall_claims(tags: Tags) -> list[Claim]:
    claims = []
    for symbol in _values(tags, HALL_TAGS):
        operations = operations_of_hall(symbol)
        claims.append(Claim(f"its Hall symbol {symbol!r}", [Meaning(symbol, operations)] if operations else []))
    return claims


def _symbol_claim(symbol: str, is_number: bool = False) -> Claim:
    return Claim(f"its space group {symbol!r}", _meanings(meanings_of_symbol(symbol)), is_number)


def _number_claims(tags: Tags) -> list[Claim]:
    claims = []
    for text in _values(tags, NUMBER_TAGS):
        number = read_number(text)
        if number == 0:
            claims.append(Claim(f"its space-group number {text}", []))
            continue
        if number is None or number not in range(1, 231):
            raise CrystalError(f"its space-group number is {text}", "write a number from 1 to 230, or delete it")
        settings = standard_settings(int(number))
        claims.append(Claim(f"its space-group number {int(number)}", _meanings(settings), is_number=True))
    return claims


def _meanings(settings: list[Setting]) -> list[Meaning]:
    return [
        Meaning(setting.name, operations, setting.number, setting.unique_axis, setting.standard)
        for setting in settings
        if (operations := operations_of_hall(setting.hall))
    ]


def fitting(claim: Claim, lattice: NDArray[np.float64]) -> list[Meaning]:
    """Take those meanings of a claim that keep the cell.

    Parameters
    ----------
    claim : Claim
        What the file says of its symmetry.
    lattice : ndarray of float64, (3, 3), Å
        Rows are a, b, c.

    Raises
    ------
    CrystalError
        There are some, and none does.
    """
    found = [meaning for meaning in claim.meanings if fits_cell(meaning.operations, lattice)]
    if claim.meanings and not found:
        raise CrystalError(
            f"{claim.text} does not fit the lengths and angles of its cell", f"correct one of them, or {WRITE}"
        )
    return found
