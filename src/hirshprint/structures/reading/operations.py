"""Symmetry operations of a space group, from the words that files have for it: operations, symbols, numbers.

Tables are those of gemmi (settings with their Hall symbols) and spglib (full symbols).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import gemmi
import numpy as np
import spglib
from numpy.typing import NDArray

from hirshprint.structures.crystals import CrystalError
from hirshprint.structures.geometry import cell_constants

PARTS = 27720  # translations are multiples of 1/27720: of all fractions with denominators up to 12, and of 1/24
USUAL = (1, 2, 3, 4, 6, 8, 12, 24)  # denominators of space groups; first, for decimals may be near another too
OTHER = (5, 7, 9, 10, 11)  # of cells that are multiples of another
LENGTH_TOLERANCE = 0.002  # relative: what rounded cell constants may differ by
ANGLE_TOLERANCE_DEGREES = 0.2
SUFFIXES = {"s": "1", "z": "2", "h": "H", "hr": "H", "r": "R", "rs": "R", "hs": "H", "1": "1", "2": "2"}  # S, Z: ICSD's
HAS_AXES = re.compile(r"r[ ]?-?3")  # R 3, R -3 c ...: hexagonal or rhombohedral axes


@dataclass(frozen=True, eq=False)
class Operations:
    """The operations of a space group, those of its centring included; x' = W x + w.

    Attributes
    ----------
    rotations : ndarray of int64, (n, 3, 3)
        W, in fractional coordinates.
    translations : ndarray of float64, (n, 3)
        w, in [0, 1).
    """

    rotations: NDArray[np.int64]
    translations: NDArray[np.float64]


class Setting(NamedTuple):
    """A space group with its axes and origin, one line of gemmi's table."""

    name: str
    number: int
    hall: str
    unique_axis: str
    standard: bool


def operations_of_xyz(texts: Iterable[str]) -> Operations:
    """Take the operations from a file's list, such as ``-y, x-y, z+1/3``.

    Raises
    ------
    CrystalError
        One is not an operation, or together they are not a group.
    """
    return checked_group(listed_operations(texts))


def listed_operations(texts: Iterable[str]) -> Operations:
    """Take the operations from a list that need not be a whole group, as of a magnetic one without its centring.

    Raises
    ------
    CrystalError
        One is not an operation.
    """
    unique = {str(operation): operation for operation in map(_operation, texts)}
    rotations = np.array([rotation for rotation, _ in unique.values()], dtype=np.int64)
    return Operations(rotations, np.array([parts for _, parts in unique.values()]) / PARTS)


def checked_group(operations: Operations) -> Operations:
    """Return the operations if together they are a group; raise CrystalError where they are not."""
    if not _is_group(operations):
        raise CrystalError(
            f"its {len(operations.rotations)} symmetry operations do not form a group: products of them are missing",
            "complete the list of operations",
        )
    return operations


def _is_group(operations: Operations) -> bool:
    """Say whether the product of any two operations is one of them, with its translation (gemmi compares rotations)."""
    keys = _keys(operations)
    for rotation, translation in zip(operations.rotations, operations.translations, strict=True):
        moved = operations.translations @ rotation.T + translation
        if not _keys(Operations(rotation @ operations.rotations, moved)) <= keys:
            return False
    return True


def _operation(text: str) -> tuple[list[list[int]], list[int]]:
    """Read one operation: rows of W, and w in parts."""
    rows, parts = [], []
    fault = CrystalError(f"{text!r} is not a symmetry operation", "correct the list of symmetry operations")
    axes = text.replace(" ", "").strip("'\"").replace("−", "-").lower().split(",")
    for axis in axes:
        if len(axes) != 3 or not re.fullmatch(rf"({TERM})+", axis):
            raise fault
        row, shift = [0, 0, 0], 0
        for sign, number, letter in re.findall(TERM_PARTS, axis):
            value = _parts(number.rstrip("*")) if number else PARTS
            value = -value if sign == "-" else value
            if not letter:
                shift += value
            elif value % PARTS:
                reason = f"{text!r} has a fraction of a coordinate, as in a cell that is not that of its symmetry"
                raise CrystalError(reason, "list all atoms, with only the operation x,y,z")
            else:
                row["xyz".index(letter)] += value // PARTS
        rows.append(row)
        parts.append(shift % PARTS)
    if abs(round(np.linalg.det(rows))) != 1:
        raise fault
    return rows, parts


TERM = r"[+-]?(?:\d+/\d+\*?|\d*\.?\d+\*?|\d+\.\*?)?[xyz]|[+-]?(?:\d+/\d+|\d*\.?\d+|\d+\.)(?![\d./*xyz])"
TERM_PARTS = r"([+-]?)((?:\d+/\d+|\d*\.\d+|\d+\.?)?\*?)([xyz]?)"


def _parts(number: str) -> int:
    """A fraction or a decimal in parts; decimals of few digits are the usual fraction that they are near."""
    over, _, under = number.partition("/")
    if under and int(under) == 0:
        raise CrystalError(f"{number} in a symmetry operation", "correct the list of symmetry operations")
    value = int(over) / int(under) if under else float(number)
    digits = len(number.partition(".")[2])
    tolerance = 0.55 * 10.0**-digits if digits > 1 else 1e-9
    for denominator in (*USUAL, *OTHER):
        if abs(value * denominator - round(value * denominator)) < tolerance * denominator:
            return round(value * denominator) * PARTS // denominator
    raise CrystalError(
        f"{number} in a symmetry operation is not a simple fraction", "write it as a fraction, such as 1/3"
    )


def _from_gemmi(operations: Iterable[gemmi.Op]) -> Operations:
    pairs = [(op.rot, op.tran) for op in operations]
    rotations = np.array([rotation for rotation, _ in pairs], dtype=np.int64) // gemmi.Op.DEN
    return Operations(rotations, np.array([tran for _, tran in pairs]) % gemmi.Op.DEN / gemmi.Op.DEN)


@cache
def operations_of_hall(symbol: str) -> Operations | None:
    """Work out the operations of a Hall symbol; None where it is none."""
    try:
        return _from_gemmi(gemmi.symops_from_hall(symbol.replace("_", " ")))
    except (RuntimeError, ValueError):
        return None


def products(some: Operations, others: Operations) -> Operations:
    """Combine each of some operations with each of others, as magnetic groups list them apart."""
    rotations = np.einsum("aij,bjk->abik", others.rotations, some.rotations).reshape(-1, 3, 3)
    moved = np.einsum("aij,bj->abi", others.rotations, some.translations) + others.translations[:, None]
    parts = np.rint(moved.reshape(-1, 3) * PARTS).astype(np.int64) % PARTS
    _, first = np.unique(np.c_[rotations.reshape(-1, 9), parts], axis=0, return_index=True)
    return Operations(rotations[np.sort(first)], parts[np.sort(first)] / PARTS)


def same_group(one: Operations, other: Operations) -> bool:
    """Say whether two lists have the same operations, in whatever order."""
    return len(one.rotations) == len(other.rotations) and _keys(one) == _keys(other)


def _keys(operations: Operations) -> set[bytes]:
    parts = np.rint(operations.translations * PARTS).astype(np.int64) % PARTS
    return {row.tobytes() for row in np.c_[operations.rotations.reshape(-1, 9), parts]}


def fits_cell(operations: Operations, lattice: NDArray[np.float64]) -> bool:
    """Say whether the operations keep lengths and angles of a cell (rows, Å), but for rounding.

    Parameters
    ----------
    operations : Operations
        Symmetry operations of the space group.
    lattice : ndarray of float64, (3, 3), Å
        Rows are a, b, c.
    """
    images = np.einsum("nij,ik->njk", operations.rotations, lattice)  # rows: images of a, b, c
    cells = [cell_constants(image) for image in (lattice, *np.unique(images, axis=0))]
    lengths, angles = np.array([cell[0] for cell in cells]), np.array([cell[1] for cell in cells])
    same_lengths = np.abs(lengths / lengths[0] - 1).max() < LENGTH_TOLERANCE
    return bool(same_lengths and np.abs(angles - angles[0]).max() < ANGLE_TOLERANCE_DEGREES)


def number_of(operations: Operations, lattice: NDArray[np.float64]) -> int:
    """Find the number of the space group that some operations make, in the International Tables.

    Parameters
    ----------
    operations : Operations
        Symmetry operations of the space group.
    lattice : ndarray of float64, (3, 3), Å
        Rows are a, b, c.
    """
    found = spglib.get_spacegroup_type_from_symmetry(operations.rotations, operations.translations, lattice)
    return int(found.number) if found else 0


# --- symbols and numbers ------------------------------------------------------------------------------------------


@cache
def settings() -> tuple[Setting, ...]:
    """All settings of gemmi's table."""
    return tuple(
        Setting(group.xhm(), group.number, group.hall, _unique_axis(group), group.is_reference_setting())
        for group in gemmi.spacegroup_table()
    )


def _unique_axis(group: gemmi.SpaceGroup) -> str:
    return group.qualifier.strip("-0123456789") if 3 <= group.number <= 15 else ""


def standard_settings(number: int) -> list[Setting]:
    """The standard setting of a space group (unique axis b, second origin); of R groups also the other axes."""
    same = [setting for setting in settings() if setting.number == number]
    return [s for s in same if s.standard or s.name.endswith((":H", ":R"))]


def meanings_of_symbol(text: str) -> list[Setting]:
    """Find the settings that a Hermann-Mauguin symbol may mean: short, full, old, with its setting or without.

    Parameters
    ----------
    text : str
        As files spell it: ``P 21/c``, ``P2_1/c``, ``P 1 21/n 1``, ``F d -3 m :2``, ``R -3 m H``, ``Fd-3mS``.

    Returns
    -------
    list of Setting
        One where the symbol is unique; none where it is unknown.
    """
    name, _, wanted = _plain(text).partition(":")
    if name.startswith("h"):  # H 3, H -3 m: an R group on hexagonal axes
        name, wanted = f"r{name[1:]}", "h"
    ways = [(_compact(name), _compact(wanted))]
    for key, suffix in ways if wanted else [*_split_suffix(name), *ways]:
        found = _of_name(key)
        if suffix:
            group = {s.number for s in found if s.standard}  # P n m a :cab is P b n m
            found = [s for s in found if _has_suffix(s, suffix)] or [
                s for s in settings() if s.number in group and _has_suffix(s, suffix)
            ]
        if found:
            return found
    return []


def _plain(text: str) -> str:
    """A symbol without underscores, brackets round screw axes, a bar written as word, and a number behind it."""
    text = re.sub(r"[(\[]\s*(#|no\.?|nr\.?|it)\s*\d+\s*[)\]]|#\s*\d+|\s[(\[](\d{2,3}|[7-9])[)\]]\s*$", "", text.lower())
    text = re.sub(r"\\(bar|overline) ?\{?([1346])\}?|([1346]) ?bar|bar ?([1346])", r"-\2\3\4", text)
    text = re.sub(r"sub|[\\_(){}$*'\"~]", "", text.replace("\\=", "-").replace("−", "-"))
    return re.sub(r"[ ,;]+$", "", re.sub(r"\s+", " ", text)).strip()


def _compact(name: str) -> str:
    return name.replace(" ", "")


def _split_suffix(name: str) -> list[tuple[str, str]]:
    """Ways to take the setting off the end of a symbol without a colon: ``R -3 m H``, ``Fd-3mZ``."""
    ways = []
    for length in (2, 1):
        head, tail = _compact(name)[:-length], _compact(name)[-length:]
        is_axes = tail in ("h", "r", "hr", "rs", "hs") and HAS_AXES.match(head)
        spaced = name.endswith(f" {tail}")
        if is_axes or (tail in ("s", "z")) or (tail in ("1", "2") and spaced and len(name.split()) > 4):
            ways.append((head, tail))
    return ways


def _has_suffix(setting: Setting, suffix: str) -> bool:
    """Say whether a setting is that of a suffix: an origin, axes, or the permutation of axes such as ``cab``."""
    _, _, own = setting.name.partition(":")
    qualifier = _qualifiers()[setting.name, setting.hall]
    wanted = SUFFIXES.get(suffix)
    if wanted:
        return own == wanted or (wanted == "2" and not own)  # `Z` behind a group that has one origin
    origin, rest = (suffix[0], suffix[1:]) if suffix[0] in "12" else ("", suffix)
    return rest in (qualifier, qualifier or "abc") and origin in ("", own)


@cache
def _qualifiers() -> dict[tuple[str, str], str]:
    return {(group.xhm(), group.hall): group.qualifier for group in gemmi.spacegroup_table()}


@cache
def _of_name(key: str) -> list[Setting]:
    """Settings of a compact symbol without its suffix."""
    if key in _names():
        return _names()[key]
    old = gemmi.find_spacegroup_by_name(key)  # old symbols: F m 3 m
    return _names().get(_compact(old.hm.lower()), []) if old else []


@cache
def _names() -> dict[str, list[Setting]]:
    """Settings by their compact symbols: as in the table, the short ones of monoclinic groups, and the full ones."""
    full = {}
    for hall_number in range(1, 531):
        kind = spglib.get_spacegroup_type(hall_number)
        full[kind.hall_symbol.replace("=", '"')] = kind.international_full.replace("_", "")
    names: dict[str, list[Setting]] = {}
    for setting, group in zip(settings(), gemmi.spacegroup_table(), strict=True):
        spelled = {group.hm, full.get(group.hall, group.hm)}
        if setting.unique_axis in ("b", "c"):  # those of unique axis a have no short ones
            spelled.add(" ".join(word for word in group.hm.split() if word != "1"))
        for name in spelled:
            names.setdefault(_compact(_plain(name)), []).append(setting)
    return names
