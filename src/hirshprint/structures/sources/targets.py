"""The measured property of each structure that is read from a file, from a table beside the files (light)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from hirshprint.structures.entries import Rejection
from hirshprint.structures.sources.rows import group_fault, read_number, read_rows


def target_column(settings: dict[str, Any]) -> str | None:
    """Name the column with the measured property; None where it is to be predicted."""
    return None if settings.get("model") else settings["property"]


def wanted_columns(name: str, column: str | None, group: str | None) -> dict[str, str]:
    """Columns that a table must have, each with the key of the configuration that asks for it."""
    asked = {column: "property", group: "group"}
    return {name: ""} | {column: key for column, key in asked.items() if column}


def read_targets(settings: dict[str, Any]) -> tuple[dict[str, tuple[float, str | None, int]] | None, list[Rejection]]:
    """Read the measured property, the group and the row of each structure; bad rows are rejected."""
    if "targets" not in settings or settings.get("model"):
        return None, []
    column, group = settings["property"], settings.get("group")
    path = Path(settings["targets"])
    rows = read_rows(path, wanted_columns("structure_id", column, group))
    names = Counter(row.cells.get("structure_id", "") for row in rows)
    contents: dict[str, set[tuple[float, str]]] = {}
    for row in rows:
        content = (read_number(row.cells.get(column, ""), column)[0], row.cells.get(group, "") if group else "")
        contents.setdefault(row.cells.get("structure_id", ""), set()).add(content)
    targets: dict[str, tuple[float, str | None, int]] = {}
    values: dict[str, list[float]] = {}
    rejections = []
    mean = settings.get("duplicates") == "mean"
    for row in rows:
        name = row.cells.get("structure_id", "")
        value, fault = read_number(row.cells.get(column, ""), column)
        fault = row.fault or fault or (group_fault(row.cells, group) if group else None)
        if not fault and row.cells.get("unit", settings["unit"]) != settings["unit"]:
            fault = (
                f"its unit is {row.cells['unit'] or '(empty)'} where the configuration says {settings['unit']}",
                "convert the value, or correct `unit` in the configuration",
            )
        if not fault and not name:
            fault = ("column structure_id is empty", "write the stem of the structure's file, or the id of its record")
        if not fault and "folder" in settings and (Path(settings["folder"]) / name).is_file():
            fault = (f"structure_id {name} is the name of a file", f"write its stem, {Path(name).stem}")
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
