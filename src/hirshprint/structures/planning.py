"""What a dataset consists of: its rows or files, their ids and digests, and the batches they are computed in.

Everything here is read while the Snakefile is parsed, so it needs no pymatgen, numpy or pandas.
"""

from __future__ import annotations

import csv
import hashlib
import io
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from hirshprint.files import digest, file_digest
from hirshprint.structures.prototypes import Prototype, PrototypeError, find_prototype
from hirshprint.structures.radii import SLATER_ANGSTROM, touching_edge
from hirshprint.structures.symbols import SYMBOLS

MAX_ATOMIC_NUMBER = 103  # the last element with a free-atom density
MIN_DISTANCE_ANGSTROM = 0.5  # atoms nearer than this overlap
EDGE_COLUMN = "initial_edge_angstrom"


class InputError(ValueError):
    """A table or folder that cannot be read at all; the message says what to do."""


@dataclass(frozen=True)
class Rejection:
    """A row or file that is left out, and why; `stage` is ``filter`` where the configuration asked for it."""

    structure_id: str
    source: str
    reason: str
    remedy: str
    stage: str = "structures"


@dataclass(frozen=True)
class Entry:
    """One structure to compute.

    Attributes
    ----------
    structure_id : stable name.
    source : table and row, or file.
    content : what determines the geometry of a table's row: prototype, elements, edge in Å; empty for a file.
    compound : ordered formula; for a file its id until it has been read.
    elements : symbols on the sites of the prototype; empty for a file.
    edge_angstrom : the edge of the prototype; None for a file.
    target : measured property, None where there is none.
    path : the file, None for a table's row.
    group : what no split may separate, from a column of the table; None for the compound (a file: its formula).
    """

    structure_id: str
    source: str
    content: tuple[str | float, ...]
    compound: str
    elements: tuple[str, ...]
    edge_angstrom: float | None
    target: float | None
    path: Path | None = None
    group: str | None = None


@dataclass(frozen=True)
class Plan:
    """The structures of a dataset and what was rejected, in the order of the input."""

    entries: tuple[Entry, ...]
    rejections: tuple[Rejection, ...]


def plan_dataset(settings: dict[str, Any]) -> Plan:
    """Read a dataset's table or folder, or combine its lists of elements.

    Parameters
    ----------
    settings : the dataset's part of the configuration. With `model` no property is read.

    Raises
    ------
    InputError
        If the table or folder is missing, unreadable or without the needed columns.
    """
    try:
        if "elements" in settings:
            return _plan_elements(settings)
        return _plan_table(settings) if "table" in settings else _plan_folder(settings)
    except PrototypeError as error:
        raise InputError(str(error)) from None


def target_column(settings: dict[str, Any]) -> str | None:
    """Name the column with the measured property; None where it is to be predicted."""
    return None if settings.get("model") else settings["property"]


# --- tables of compositions ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """A row of a table: its line number, its cells by column, and what is wrong with it, if anything."""

    number: int
    cells: dict[str, str]
    fault: tuple[str, str] | None = None


def read_rows(path: Path, columns: Iterable[str], together: Sequence[str] = ()) -> list[Row]:
    """Read a CSV file's rows with their line numbers; rows that do not fit the header carry a fault.

    `columns` are needed, of `together` all or none.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such table; correct the path in the configuration") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text (byte {error.start}); save it as CSV in UTF-8") from None
    reader = csv.reader(io.StringIO(text, newline=""))
    header = [cell.strip() for cell in next(reader, [])]
    wanted = (*columns, *(together if set(together) & set(header) else ()))
    missing = [column for column in wanted if column not in header]
    if missing:
        hint = "; separate the columns by commas" if len(header) == 1 and re.search("[;\t]", header[0]) else ""
        raise InputError(f"{path}: no column {', '.join(missing)} (it has: {', '.join(header) or 'none'}){hint}")
    rows = []
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        fault = None
        if len(cells) != len(header):
            fault = (
                f"{len(cells)} cells where the header has {len(header)}",
                "give every column one cell; quote cells that have commas",
            )
        rows.append(Row(reader.line_num, dict(zip(header, (cell.strip() for cell in cells), strict=False)), fault))
    return rows


def _plan_table(settings: dict[str, Any]) -> Plan:
    path, column, group = Path(settings["table"]), target_column(settings), settings.get("group")
    prototype = find_prototype(settings["prototype"])
    rows = read_rows(path, ("formula", *filter(None, (column, group))), prototype.sites)
    rows = [_with_elements(row, prototype) for row in rows]
    entries: list[Entry] = []
    rejections: list[Rejection] = []
    seen: dict[str, list[tuple[Row, float | None]]] = {}
    good: list[tuple[Row, tuple[str, ...], float | None, list[float]]] = []
    for row in rows:
        name, source = row.cells.get("formula", ""), f"{path} row {row.number}"
        if (fault := _filtered(row.cells, settings.get("filters", ()))) and not row.fault:
            rejections.append(Rejection(name, source, *fault, stage="filter"))
            continue
        fault = row.fault or compound_fault(row.cells, prototype)
        target, target_fault = _number(row.cells.get(column, ""), column) if column else (None, None)
        edges, edge_fault = ([], None) if fault else _initial_edges(row.cells, settings["initial_edge"], prototype)
        fault = fault or target_fault or edge_fault or (_group_fault(row.cells, group) if group else None)
        if not fault and column == "a_angstrom" and target is not None:
            fault = overlap_fault(target, column, prototype)
        if fault:
            rejections.append(Rejection(name, source, *fault))
            continue
        elements = tuple(row.cells[site] for site in prototype.sites)
        seen.setdefault(prototype.compound(elements), []).append((row, target))
        good.append((row, elements, target, edges))
    mean = settings.get("duplicates") == "mean"
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


def _plan_elements(settings: dict[str, Any]) -> Plan:
    """Every combination of the elements that are listed for the sites."""
    prototype = find_prototype(settings["prototype"])
    lists = settings["elements"]
    if set(lists) != set(prototype.sites):
        raise InputError(f"elements: list them for the sites {', '.join(prototype.sites)}, and for no other")
    for site, symbols in lists.items():
        for symbol in symbols:
            if fault := element_fault(str(symbol)):
                raise InputError(f"elements: {site}: {fault[0]}; {fault[1]}")
    entries: list[Entry] = []
    rejections: list[Rejection] = []
    for elements in product(*(dict.fromkeys(lists[site]) for site in prototype.sites)):
        cells = dict(zip(prototype.sites, elements, strict=True)) | {"formula": prototype.compound(elements)}
        if fault := compound_fault(cells, prototype):
            rejections.append(Rejection(cells["formula"], "elements", *fault))
            continue
        edges = initial_edges(cells["formula"], settings["initial_edge"], elements)
        if fault := radius_fault(elements, edges):
            rejections.append(Rejection(cells["formula"], "elements", *fault))
            continue
        entries += prototype_entries(prototype, elements, edges, "elements")
    return Plan(tuple(entries), tuple(rejections))


def prototype_entries(
    prototype: Prototype,
    elements: tuple[str, ...],
    edges: Sequence[float],
    source: str,
    target: float | None = None,
    group: str | None = None,
) -> list[Entry]:
    """The structures of one compound, one for each initial edge."""
    compound = prototype.compound(elements)
    return [
        Entry(
            structure_id=prototype_id(compound, edge),
            source=source,
            content=(*prototype.content, *elements, edge),
            compound=compound,
            elements=elements,
            edge_angstrom=edge,
            target=target,
            group=group,
        )
        for edge in dict.fromkeys(edges)
    ]


def prototype_id(compound: str, edge_angstrom: float) -> str:
    """Name the structure of a compound on a prototype."""
    return f"{compound}-a{edge_angstrom:.5f}"


def _with_elements(row: Row, prototype: Prototype) -> Row:
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


def compound_fault(cells: dict[str, str], prototype: Prototype) -> tuple[str, str] | None:
    """Say what is wrong with the elements or the formula of a row, and what to do."""
    for site in prototype.sites:
        symbol = cells.get(site, "")
        if not symbol:
            return f"no element in column {site}", f"write the symbol of the element on the {site} site"
        fault = element_fault(symbol)
        if fault:
            return f"column {site}: {fault[0]}", fault[1]
    for one, other in prototype.apart:
        if cells[one] == cells[other]:
            return (
                f"the same element, {cells[one]}, on the {other} site and on the {one} site",
                f"check the columns {', '.join(prototype.sites)}",
            )
    elements = [cells[site] for site in prototype.sites]
    if _count_atoms(cells["formula"]) != prototype.atoms(elements):
        counts = prototype.counts.values()
        parts = [f"{n} {s} = {e}" for n, s, e in zip(counts, prototype.sites, elements, strict=True)]
        return (
            f"formula {cells['formula'] or '(empty)'} is not made of {', '.join(parts)}",
            f"write {prototype.compound(elements)}, or correct the columns {', '.join(prototype.sites)}",
        )
    return None


def _filtered(cells: dict[str, str], filters: Iterable[dict[str, Any]]) -> tuple[str, str] | None:
    """Say which filter of the configuration takes a row out, if any: the first that does."""
    for rule in filters:
        out = any(cells.get(site) not in allowed for site, allowed in rule.get("elements", {}).items())
        if "column" in rule:
            value, fault = _number(cells.get(rule["column"], ""), rule["column"])
            out = out or (
                fault is None and (value > rule.get("above", math.inf) or value < rule.get("below", -math.inf))
            )
        if out:
            return f"filter '{rule['name']}'", "nothing, or change `filters` in the configuration"
    return None


def _group_fault(cells: dict[str, str], column: str) -> tuple[str, str] | None:
    """Reject a row that names no group where splits go by a column."""
    return None if cells.get(column) else (f"column {column} is empty", "write the name of its group")


def element_fault(symbol: str) -> tuple[str, str] | None:
    """Say what is wrong with an element symbol, and what to do; None if nothing is."""
    if symbol not in SYMBOLS:
        return f"unknown element {symbol!r}", "write an element symbol such as Sr"
    if SYMBOLS.index(symbol) + 1 > MAX_ATOMIC_NUMBER:
        return (
            f"element {symbol} has no free-atom density (the table ends at Lr, Z = {MAX_ATOMIC_NUMBER})",
            "leave it out",
        )
    return None


def _count_atoms(formula: str) -> Counter[str] | None:
    """Count the atoms of a plain formula such as Sr2TiO4; None if it is not one."""
    if not re.fullmatch(r"([A-Z][a-z]?\d*)+", formula):
        return None
    counts: Counter[str] = Counter()
    for symbol, number in re.findall(r"([A-Z][a-z]?)(\d*)", formula):
        counts[symbol] += int(number or 1)
    return counts


def _number(text: str, column: str) -> tuple[float, tuple[str, str] | None]:
    """Read a finite number, or say what is wrong with the cell."""
    try:
        value = float(text)
    except ValueError:
        what = f"{text!r} in column {column} is no number" if text else f"column {column} is empty"
        return math.nan, (what, "write a number with a decimal point, or delete the row")
    if not math.isfinite(value):
        return math.nan, (
            f"{text} in column {column} is not finite",
            "write a finite number, or delete the row",
        )
    return value, None


def overlap_fault(edge: float, column: str, prototype: Prototype) -> tuple[str, str] | None:
    """Reject an edge at which atoms overlap; of a prototype from a file, one that is not positive."""
    nearest = edge * prototype.closest
    if nearest >= MIN_DISTANCE_ANGSTROM or (prototype.file and edge > 0):
        return None
    return (
        f"with {column} = {edge:g} Å, B and X are {nearest:g} Å apart, less than {MIN_DISTANCE_ANGSTROM} Å",
        "give the edge of the cubic cell in Å",
    )


def _initial_edges(
    cells: dict[str, str], rule: dict[str, Any], prototype: Prototype
) -> tuple[list[float], tuple[str, str] | None]:
    """Give the edges that a row's structures are built with, Å, rounded to 1e-5."""
    if cells.get(EDGE_COLUMN):
        edge, fault = _number(cells[EDGE_COLUMN], EDGE_COLUMN)
        return [round(edge, 5)] if not fault else [], fault or overlap_fault(edge, EDGE_COLUMN, prototype)
    elements = [cells[site] for site in prototype.sites]
    edges = initial_edges(prototype.compound(elements), rule, elements)
    return edges, radius_fault(elements, edges)


def radius_fault(elements: Sequence[str], edges: Sequence[float]) -> tuple[str, str] | None:
    """Say which of these elements has no radius to estimate an edge with, and what to do; None if there are edges."""
    if all(map(math.isfinite, edges)):
        return None
    missing = " and ".join(element for element in elements if element not in SLATER_ANGSTROM)
    return (
        f"no atomic radius of Slater is known for {missing}",
        f"give the row an edge in a column {EDGE_COLUMN}, or write another kind of initial_edge",
    )


def initial_edges(compound: str, rule: dict[str, Any], elements: Sequence[str]) -> list[float]:
    """Give the edges, Å, that a compound is built with by the rule of the configuration's ``initial_edge``.

    Parameters
    ----------
    elements : symbols on the sites A, B, X, for the kind ``radii``; it gives NaN where a radius is not tabulated.
    """
    if rule["kind"] == "radii":
        return [round(touching_edge(elements), 5)]
    if rule["kind"] == "fixed":
        return [round(float(rule["edge_angstrom"]), 5)]
    if rule["kind"] == "list":
        return [round(float(edge), 5) for edge in rule["edges_angstrom"]]
    low, width = rule["low_angstrom"], rule["high_angstrom"] - rule["low_angstrom"]
    return [round(low + width * _uniform(rule["seed"], compound, draw), 5) for draw in range(rule["draws"])]


def _uniform(seed: int, formula: str, draw: int) -> float:
    """Draw a number in [0, 1) that depends on nothing but its arguments."""
    bits = hashlib.sha256(f"{seed}:{formula}:{draw}".encode()).digest()[:8]
    return int.from_bytes(bits, "big") / 2**64


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


# --- folders of crystal structure files ---------------------------------------------------------------------------


def _plan_folder(settings: dict[str, Any]) -> Plan:
    folder = Path(settings["folder"])
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder; correct the path in the configuration")
    files = sorted(path for path in (*folder.glob("*"), *folder.glob("*/POSCAR")) if _is_structure_file(path))
    if not files:
        raise InputError(f"{folder}: no structure file in it ({', '.join(PATTERNS)})")
    targets, rejections = _read_targets(settings)
    names = Counter(structure_name(path) for path in files)
    bad_targets = {rejection.structure_id for rejection in rejections} - set(targets or ())
    entries = []
    for path in files:
        name = structure_name(path)
        if name in bad_targets:
            continue
        fault = None
        if names[name] > 1:
            fault = (
                f"{names[name]} files are named {name}",
                "rename all but one; a structure is known by its file's stem",
            )
        elif targets is not None and name not in targets:
            fault = (
                f"no row for {name} in {settings['targets']}",
                "add its row, or take the file out of the folder",
            )
        if fault:
            rejections.append(Rejection(name, str(path), *fault))
            continue
        target, group, _ = targets[name] if targets is not None else (None, None, 0)
        entries.append(Entry(name, str(path), (), name, (), None, target, path, group))
    known = set(names)
    rejections += [
        Rejection(
            name,
            f"{settings['targets']} row {row}",
            f"no file for {name} in {folder}",
            "add the file, or delete the row",
        )
        for name, (_, _, row) in sorted((targets or {}).items())
        if name not in known
    ]
    return Plan(tuple(entries), tuple(rejections))


SUFFIXES = (".cif", ".vasp", ".poscar", ".json", ".res", ".cssr", ".xsf", ".xyz", ".extxyz", ".gen")
PATTERNS = (*(f"*{suffix}" for suffix in SUFFIXES), "POSCAR_*", "*/POSCAR")


def _is_structure_file(path: Path) -> bool:
    suffix = path.suffix.lower() in SUFFIXES
    return path.is_file() and (suffix or path.name == "POSCAR" or path.name.startswith("POSCAR_"))


def structure_name(path: Path) -> str:
    """Name a structure after its file: the stem; POSCAR_x is x, and x/POSCAR is x."""
    if path.name == "POSCAR":
        return path.parent.name
    return path.stem if path.suffix.lower() in SUFFIXES else path.name.removeprefix("POSCAR_")


def _read_targets(settings: dict[str, Any]) -> tuple[dict[str, tuple[float, str | None, int]] | None, list[Rejection]]:
    """Read the measured property, the group and the row of each structure; bad rows are rejected."""
    if "targets" not in settings or settings.get("model"):
        return None, []
    column, group = settings["property"], settings.get("group")
    path = Path(settings["targets"])
    rows = read_rows(path, ("structure_id", *filter(None, (column, group))))
    names = Counter(row.cells.get("structure_id", "") for row in rows)
    contents: dict[str, set[tuple[float, str]]] = {}
    for row in rows:
        content = (_number(row.cells.get(column, ""), column)[0], row.cells.get(group, "") if group else "")
        contents.setdefault(row.cells.get("structure_id", ""), set()).add(content)
    targets: dict[str, tuple[float, str | None, int]] = {}
    values: dict[str, list[float]] = {}
    rejections = []
    mean = settings.get("duplicates") == "mean"
    for row in rows:
        name = row.cells.get("structure_id", "")
        value, fault = _number(row.cells.get(column, ""), column)
        fault = row.fault or fault or (_group_fault(row.cells, group) if group else None)
        if not fault and row.cells.get("unit", settings["unit"]) != settings["unit"]:
            fault = (
                f"its unit is {row.cells['unit'] or '(empty)'} where the configuration says {settings['unit']}",
                "convert the value, or correct `unit` in the configuration",
            )
        if not fault and not name:
            fault = ("column structure_id is empty", "write the stem of the structure's file")
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


# --- batches -----------------------------------------------------------------------------------------------------


def count_batches(structures: int, structures_per_job: int) -> int:
    """Return the power of two that is at least structures / structures_per_job."""
    return 1 << max(0, math.ceil(math.log2(max(1, structures) / structures_per_job)))


def batch_of(structure_id: str, batches: int | None) -> str:
    """Name the batch of a structure: leading bits of its id's hash, or its own name where `batches` is None.

    Growth moves nothing until the number of batches doubles.
    """
    hashed = hashlib.sha256(structure_id.encode())
    if batches is None:
        plain = re.sub(r"[^A-Za-z0-9._+-]", "_", structure_id)
        return plain if plain == structure_id else f"{plain}-{hashed.hexdigest()[:8]}"
    bits = batches.bit_length() - 1
    index = int.from_bytes(hashed.digest()[:8], "big") >> (64 - bits)
    width = max(1, math.ceil(bits / 4))
    return f"batch{index:0{width}x}of{batches:x}"


def plan_batches(plan: Plan, structures_per_job: int) -> dict[str, list[Entry]]:
    """Divide the structures into batches, by name; batches without a member are left out."""
    batches = None if structures_per_job == 1 else count_batches(len(plan.entries), structures_per_job)
    members: dict[str, list[Entry]] = {}
    for entry in plan.entries:
        members.setdefault(batch_of(entry.structure_id, batches), []).append(entry)
    return dict(sorted(members.items()))


def geometry_digest(entries: Iterable[Entry], *settings: Any) -> str:
    """Digest of what determines the surfaces of these structures: ids and geometry, not the measured property."""
    contents = ([entry.structure_id, *entry.content, *_file_content(entry.path)] for entry in entries)
    return digest(sorted(contents, key=lambda content: content[0]), *settings)


def _file_content(path: Path | None) -> list[str]:
    """Name and digest of a structure's file; read only where needed, as a job needs its own batch alone."""
    if path is None:
        return []
    try:
        return [path.name, file_digest(path)]
    except OSError:  # it is rejected by name when it is to be read
        return [path.name, ""]


def target_digest(plan: Plan, *settings: Any) -> str:
    """Digest of the whole input of a dataset: geometry, measured property and what was rejected."""
    targets = [
        [entry.structure_id, entry.source, entry.target, *filter(None, (entry.group,))] for entry in plan.entries
    ]
    rejected = [[r.structure_id, r.source, r.reason] for r in plan.rejections]
    return digest(targets, rejected, geometry_digest(plan.entries), *settings)
