"""A table of compositions that are placed on a prototype (light)."""

from __future__ import annotations

from pathlib import Path

from hirshprint.config.keys import needed
from hirshprint.config.model import Dataset, InitialEdge
from hirshprint.structures.entries import Entry, Plan, Rejection
from hirshprint.structures.prototypes import Prototype, find_prototype
from hirshprint.structures.sources.filters import check_filters, filter_columns, filtered
from hirshprint.structures.sources.placement import (
    EDGE_COLUMN,
    compound_fault,
    initial_edges,
    overlap_fault,
    prototype_entries,
    radius_fault,
)
from hirshprint.structures.sources.rows import Row, group_fault, read_number, read_rows, with_group
from hirshprint.structures.sources.targets import UNIT_COLUMN, read_value, target_column, unit_fault, wanted_columns


def plan_table(settings: Dataset) -> Plan:
    """Plan the structures of a table: those of its good rows, at each of their initial edges."""
    path, column, group = Path(needed(settings.table)), target_column(settings), settings.group
    prototype = find_prototype(needed(settings.prototype))
    filters = settings.filters or ()
    check_filters(filters, prototype.sites)
    wanted = dict.fromkeys(filter_columns(filters), "filters") | wanted_columns("formula", column, group)
    rows = read_rows(path, wanted, prototype.sites, (EDGE_COLUMN, *([UNIT_COLUMN] if column else [])))
    rows = [with_elements(with_group(row, group), prototype) for row in rows]
    entries: list[Entry] = []
    rejections: list[Rejection] = []
    seen: dict[str, list[tuple[Row, float | None]]] = {}
    good: list[tuple[Row, tuple[str, ...], float | None, list[float]]] = []
    for row in rows:
        name, source = row.cells.get("formula", ""), f"{path} row {row.number}"
        taken_out, filter_fault = (None, None) if row.fault else filtered(row.cells, filters)
        if taken_out:
            rejections.append(Rejection(name, source, *taken_out, stage="filter"))
            continue
        fault = row.fault or compound_fault(row.cells, prototype)
        target, target_fault = read_value(row.cells.get(column, ""), column, settings) if column else (None, None)
        edges, edge_fault = ([], None) if fault else _initial_edges(row.cells, needed(settings.initial_edge), prototype)
        fault = (
            fault or target_fault or filter_fault or edge_fault or (group_fault(row.cells, group) if group else None)
        )
        fault = fault or (unit_fault(row.cells, settings) if column else None)
        if not fault and column == "a_angstrom" and target is not None:
            fault = overlap_fault(target, column, prototype)
        if fault:
            rejections.append(Rejection(name, source, *fault))
            continue
        elements = tuple(row.cells[site] for site in prototype.sites)
        seen.setdefault(prototype.compound(elements), []).append((row, target))
        good.append((row, elements, target, edges))
    mean = settings.duplicates == "mean"
    for row, elements, target, edges in good:
        compound, source = prototype.compound(elements), f"{path} row {row.number}"
        same = seen[compound]
        if mean and len(same) > 1 and None not in {target for _, target in same}:
            if row is not same[0][0]:
                continue
            target = sum(value for _, value in same if value is not None) / len(same)
            source = f"{path} rows {', '.join(str(other.number) for other, _ in same)} (mean)"
            fault = _unequal_fault(same, group)
        else:
            fault = _duplicate_fault(row, same)
        if fault:
            rejections.append(Rejection(compound, source, *fault))
            continue
        of_group = row.cells[group] if group else None
        entries += prototype_entries(prototype, elements, edges, source, target, of_group)
    return Plan(tuple(entries), tuple(rejections))


def with_elements(row: Row, prototype: Prototype) -> Row:
    """Fill in the elements of a table that has no columns for them, from formulas in the order of the prototype."""
    if any(site in row.cells for site in prototype.sites) or row.fault:
        return row
    formula = row.cells["formula"]
    elements = prototype.elements_of(formula)
    if elements is None:
        example = prototype.template.replace("{", "").replace("}", "")
        columns = ", ".join(prototype.sites)
        fault = f"formula {formula or '(empty)'} is not of the form {example}", f"add the columns {columns}"
        return Row(row.number, row.cells, fault)
    return Row(row.number, row.cells | dict(zip(prototype.sites, elements, strict=True)))


def _initial_edges(
    cells: dict[str, str], rule: InitialEdge, prototype: Prototype
) -> tuple[list[float], tuple[str, str] | None]:
    """Give the edges that a row's structures are built with, Å, rounded to 1e-5."""
    if cells.get(EDGE_COLUMN):
        edge, fault = read_number(cells[EDGE_COLUMN], EDGE_COLUMN)
        return [round(edge, 5)] if not fault else [], fault or overlap_fault(edge, EDGE_COLUMN, prototype)
    elements = [cells[site] for site in prototype.sites]
    edges = initial_edges(prototype.compound(elements), rule, elements)
    return edges, radius_fault(elements, edges)


def _unequal_fault(same: list[tuple[Row, float | None]], group: str | None) -> tuple[str, str] | None:
    """Reject rows of one compound that cannot be averaged: they differ in what is not the property."""
    for column in filter(None, (EDGE_COLUMN, group)):
        if len({row.cells.get(column, "") for row, _ in same}) > 1:
            return f"these rows of one compound differ in column {column}", "give all of them the same"
    return None


def _duplicate_fault(row: Row, same: list[tuple[Row, float | None]]) -> tuple[str, str] | None:
    """Reject rows of one compound that contradict each other, and all but the first of equal ones."""
    if len(same) == 1:
        return None
    rows = ", ".join(str(other.number) for other, _ in same)
    contents = {(target, other.cells.get(EDGE_COLUMN, "")) for other, target in same}
    if len(contents) > 1:
        return (
            f"rows {rows} give the same compound different values",
            "keep the row that is right, or write `duplicates: mean`",
        )
    if row is not same[0][0]:
        return (
            f"the same compound and value as row {same[0][0].number}, which is used",
            "delete one of the rows",
        )
    return None
