"""The measured property of each structure that is read from a file, from a table beside the files (light)."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from hirshprint.config.keys import needed
from hirshprint.config.model import Dataset
from hirshprint.structures.entries import Rejection
from hirshprint.structures.sources.rows import group_fault, read_number, read_rows, shortened, with_group

UNIT_UNKNOWN = "unit unknown"  # of a property other than the edge where the configuration gives none
UNIT_COLUMN = "unit"  # that a table may have
ANSWER_UNIT = "probability of yes"  # of a property whose values are answers: of what is predicted
ANSWERS = {  # t and f are those of extended XYZ
    **dict.fromkeys(("yes", "true", "t", "1", "1.0"), 1.0),
    **dict.fromkeys(("no", "false", "f", "0", "0.0"), 0.0),
}


def target_column(settings: Dataset) -> str | None:
    """Name the column with the measured property; None where it is to be predicted."""
    return None if settings.model else settings.property


def wanted_columns(name: str, column: str | None, group: str | None) -> dict[str, str]:
    """Columns that a table must have, each with the key of the configuration that asks for it."""
    asked = {column: "property", group: "group"}
    return {name: ""} | {column: key for column, key in asked.items() if column}


def read_value(text: str, column: str, settings: Dataset) -> tuple[float, tuple[str, str] | None]:
    """Read a value of the property, or say what is wrong with the cell."""
    if settings.values == "yes_no":
        return read_answer(text, column)
    value, fault = read_number(text, column)
    return value, fault or value_fault(value, column, settings)


def read_answer(text: str, column: str) -> tuple[float, tuple[str, str] | None]:
    """Read yes as 1 and no as 0, or say what is wrong with the cell."""
    answer = ANSWERS.get(text.strip().casefold())
    if answer is not None:
        return answer, None
    reason = f"{column} is {shortened(text)}, neither yes nor no" if text.strip() else f"{column} is empty"
    return math.nan, (reason, "write yes or no (true or false, 1 or 0), or delete the row")


def value_fault(value: float, column: str, settings: Dataset) -> tuple[str, str] | None:
    """Reject a number that has no logarithm where this is learned."""
    if settings.scale != "log" or value > 0:
        return None
    return f"{column} is {value:g}, which has no logarithm", "write a number above zero, or `scale: linear` for all"


def unit_fault(cells: Mapping[str, str], settings: Dataset) -> tuple[str, str] | None:
    """Reject a row whose column `unit`, if it has one, is not the unit of the property."""
    wanted = settings.unit
    found = cells.get(UNIT_COLUMN, wanted)
    if wanted in (UNIT_UNKNOWN, ANSWER_UNIT) or _plain_unit(found) == _plain_unit(wanted):
        return None
    remedy = f"convert the value, or write `unit: {found}` if all are" if found else "write the unit there"
    return f"its unit is {found or '(empty)'} where that of {settings.property} is {wanted}", remedy


def _plain_unit(unit: str) -> str:
    """A unit of which Å is written in one way."""
    return re.sub(r"\b[aA]ngstroms?\b", "Å", unicodedata.normalize("NFC", unit.strip()))


def read_targets(
    settings: Dataset, name_of: Callable[[Path], str] | None = None
) -> tuple[dict[str, tuple[float, str | None, int]] | None, list[Rejection]]:
    """Read the measured property, the group and the row of each structure; bad rows are rejected.

    Parameters
    ----------
    settings : Dataset
        The dataset's part of the configuration.
    name_of : callable, optional
        Gives the name of a structure by its file, for a folder of them.
    """
    if settings.targets is None or settings.model:
        return None, []
    column, group = needed(settings.property), settings.group
    path = Path(settings.targets)
    rows = [
        with_group(row, group)
        for row in read_rows(path, wanted_columns("structure_id", column, group), optional=(UNIT_COLUMN,))
    ]
    names = Counter(row.cells.get("structure_id", "") for row in rows)
    contents: dict[str, set[tuple[float, str]]] = {}
    for row in rows:
        content = (
            read_value(row.cells.get(column, ""), column, settings)[0],
            row.cells.get(group, "") if group else "",
        )
        contents.setdefault(row.cells.get("structure_id", ""), set()).add(content)
    targets: dict[str, tuple[float, str | None, int]] = {}
    values: dict[str, list[float]] = {}
    rejections = []
    mean = settings.duplicates == "mean"
    for row in rows:
        name = row.cells.get("structure_id", "")
        value, fault = read_value(row.cells.get(column, ""), column, settings)
        fault = row.fault or fault or (group_fault(row.cells, group) if group else None)
        fault = fault or unit_fault(row.cells, settings)
        if not fault and not name:
            fault = ("column structure_id is empty", "write the stem of the structure's file, or the id of its record")
        fault = fault or _file_fault(Path(settings.folder or "") / name, name, name_of)
        if not fault and len(contents[name]) > 1 and not mean:
            fault = (f"{names[name]} rows for {name}", "keep the row that is right, or write `duplicates: mean`")
        if not fault and name in targets and not mean:
            fault = (f"the same value as in row {targets[name][2]}, which is used", "delete one of the rows")
        if fault:
            rejections.append(Rejection(name, f"{path} row {row.number}", *fault))
        else:
            values.setdefault(name, []).append(value)
            mean_value = sum(values[name]) / len(values[name])
            targets[name] = (mean_value, row.cells[group] if group else None, row.number)
    return targets, rejections


def _file_fault(path: Path, name: str, name_of: Callable[[Path], str] | None) -> tuple[str, str] | None:
    """Reject a row that names a file and not the structure in it."""
    if name_of is None or not path.is_file() or name_of(path) == name:
        return None
    return f"structure_id {name} is the name of a file", f"write the name of its structure, {name_of(path)}"


def spellings(known: Iterable[str]) -> dict[str, str]:
    """Of names without small letters and signs the first that is written with these."""
    return {_letters(name): name for name in reversed(list(known))}


def other_spelling(name: str, known: Mapping[str, str]) -> str:
    """Ask, at the end of a message, whether one of the known `spellings` is meant."""
    near = known.get(_letters(name))
    return f"; is {near} meant?" if near else ""


def _letters(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()
