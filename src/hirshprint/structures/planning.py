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
from pathlib import Path
from typing import Any

from hirshprint.files import digest, file_digest
from hirshprint.structures.symbols import SYMBOLS

MAX_ATOMIC_NUMBER = 103  # the last element with a free-atom density
MIN_DISTANCE_ANGSTROM = 0.5  # atoms nearer than this overlap
SITES = ("A", "B", "X")
EDGE_COLUMN = "initial_edge_angstrom"


class InputError(ValueError):
    """A table or folder that cannot be read at all; the message says what to do."""


@dataclass(frozen=True)
class Rejection:
    """A row or file that is left out, and why."""

    structure_id: str
    source: str
    reason: str
    remedy: str


@dataclass(frozen=True)
class Entry:
    """One structure to compute.

    Attributes
    ----------
    structure_id : stable name.
    source : table and row, or file.
    content : what determines the geometry of a table's row: prototype, elements, edge in Å; empty for a file.
    compound : ordered formula; for a file its id until it has been read.
    elements : symbols on A, B, X; empty for a file.
    edge_angstrom : the edge of the cubic cell; None for a file.
    target : measured property, None where there is none.
    path : the file, None for a table's row.
    """

    structure_id: str
    source: str
    content: tuple[str | float, ...]
    compound: str
    elements: tuple[str, ...]
    edge_angstrom: float | None
    target: float | None
    path: Path | None = None


@dataclass(frozen=True)
class Plan:
    """The structures of a dataset and what was rejected, in the order of the input."""

    entries: tuple[Entry, ...]
    rejections: tuple[Rejection, ...]


def plan_dataset(settings: dict[str, Any]) -> Plan:
    """Read a dataset's table or folder.

    Raises
    ------
    InputError
        If the table or folder is missing, unreadable or without the needed columns.
    """
    return _plan_table(settings) if "table" in settings else _plan_folder(settings)


# --- tables of compositions ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """A row of a table: its line number, its cells by column, and what is wrong with it, if anything."""

    number: int
    cells: dict[str, str]
    fault: tuple[str, str] | None = None


def read_rows(path: Path, columns: Iterable[str]) -> list[Row]:
    """Read a CSV file's rows with their line numbers; rows that do not fit the header carry a fault."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such table; correct the path in the configuration") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text (byte {error.start}); save it as CSV in UTF-8") from None
    reader = csv.reader(io.StringIO(text, newline=""))
    header = [cell.strip() for cell in next(reader, [])]
    missing = [column for column in columns if column not in header]
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
    path, column = Path(settings["table"]), settings["property"]
    entries: list[Entry] = []
    rejections: list[Rejection] = []
    seen: dict[str, list[tuple[Row, float]]] = {}
    good: list[tuple[Row, tuple[str, ...], float, list[float]]] = []
    for row in read_rows(path, ("formula", *SITES, column)):
        fault = row.fault or compound_fault(row.cells)
        target, target_fault = _number(row.cells.get(column, ""), column)
        edges, edge_fault = _initial_edges(row.cells, settings["initial_edge"])
        fault = fault or target_fault or edge_fault
        if not fault and column == "a_angstrom":
            fault = overlap_fault(target, column)
        if fault:
            rejections.append(Rejection(row.cells.get("formula", ""), f"{path} row {row.number}", *fault))
            continue
        elements = tuple(row.cells[site] for site in SITES)
        seen.setdefault(_compound(elements), []).append((row, target))
        good.append((row, elements, target, edges))
    for row, elements, target, edges in good:
        same = seen[_compound(elements)]
        fault = _duplicate_fault(row, same)
        if fault:
            rejections.append(Rejection(_compound(elements), f"{path} row {row.number}", *fault))
            continue
        for edge in dict.fromkeys(edges):
            entries.append(
                Entry(
                    structure_id=prototype_id(_compound(elements), edge),
                    source=f"{path} row {row.number}",
                    content=(settings["prototype"], *elements, edge),
                    compound=_compound(elements),
                    elements=elements,
                    edge_angstrom=edge,
                    target=target,
                )
            )
    return Plan(tuple(entries), tuple(rejections))


def prototype_id(compound: str, edge_angstrom: float) -> str:
    """Name the structure of a compound on a prototype."""
    return f"{compound}-a{edge_angstrom:.5f}"


def _compound(elements: Sequence[str]) -> str:
    """Name an ordered compound; AcAgO3 and AgAcO3 are two."""
    return "{}{}{}3".format(*elements)


def compound_fault(cells: dict[str, str]) -> tuple[str, str] | None:
    """Say what is wrong with the elements or the formula of a row, and what to do."""
    for site in SITES:
        symbol = cells.get(site, "")
        if not symbol:
            return f"no element in column {site}", f"write the symbol of the element on the {site} site"
        fault = element_fault(symbol)
        if fault:
            return f"column {site}: {fault[0]}", fault[1]
    a, b, x = (cells[site] for site in SITES)
    if x in (a, b):
        return f"the same element, {x}, on the X site and on a metal site", "check the columns A, B and X"
    if _count_atoms(cells["formula"]) != Counter({a: 1}) + Counter({b: 1}) + Counter({x: 3}):
        return (
            f"formula {cells['formula'] or '(empty)'} is not made of A = {a}, B = {b} and three X = {x}",
            f"write {_compound((a, b, x))}, or correct the columns A, B and X",
        )
    return None


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


def overlap_fault(edge: float, column: str) -> tuple[str, str] | None:
    """Reject a cubic edge at which B and X, half an edge apart, overlap."""
    if edge / 2 >= MIN_DISTANCE_ANGSTROM:
        return None
    return (
        f"with {column} = {edge:g} Å, B and X are {edge / 2:g} Å apart, less than {MIN_DISTANCE_ANGSTROM} Å",
        "give the edge of the cubic cell in Å",
    )


def _initial_edges(cells: dict[str, str], rule: dict[str, Any]) -> tuple[list[float], tuple[str, str] | None]:
    """Give the edges that a row's structures are built with, Å, rounded to 1e-5."""
    if cells.get(EDGE_COLUMN):
        edge, fault = _number(cells[EDGE_COLUMN], EDGE_COLUMN)
        return [round(edge, 5)] if not fault else [], fault or overlap_fault(edge, EDGE_COLUMN)
    return initial_edges(_compound([cells.get(site, "") for site in SITES]), rule), None


def initial_edges(compound: str, rule: dict[str, Any]) -> list[float]:
    """Give the edges, Å, that a compound is built with by the rule of the configuration's ``initial_edge``."""
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


def _duplicate_fault(row: Row, same: list[tuple[Row, float]]) -> tuple[str, str] | None:
    """Reject rows of one compound that contradict each other, and all but the first of equal ones."""
    if len(same) == 1:
        return None
    rows = ", ".join(str(other.number) for other, _ in same)
    contents = {(target, other.cells.get(EDGE_COLUMN, "")) for other, target in same}
    if len(contents) > 1:
        return f"rows {rows} give the same compound different values", "keep the row that is right"
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
        raise InputError(f"{folder}: no structure file in it (*.cif, *.vasp, *.poscar, POSCAR_*, */POSCAR)")
    targets, rejections = _read_targets(settings)
    names = Counter(structure_name(path) for path in files)
    bad_targets = {rejection.structure_id for rejection in rejections}
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
        target = targets[name] if targets is not None else None
        entries.append(Entry(name, str(path), (), name, (), None, target, path))
    known = set(names)
    rejections += [
        Rejection(
            name,
            f"{settings['targets']}",
            f"no file for {name} in {folder}",
            "add the file, or delete the row",
        )
        for name in sorted(set(targets or ()) - known)
    ]
    return Plan(tuple(entries), tuple(rejections))


def _is_structure_file(path: Path) -> bool:
    suffix = path.suffix.lower() in {".cif", ".vasp", ".poscar"}
    return path.is_file() and (suffix or path.name == "POSCAR" or path.name.startswith("POSCAR_"))


def structure_name(path: Path) -> str:
    """Name a structure after its file: the stem; POSCAR_x is x, and x/POSCAR is x."""
    if path.name == "POSCAR":
        return path.parent.name
    return path.stem if path.suffix.lower() in {".cif", ".vasp", ".poscar"} else path.name.removeprefix("POSCAR_")


def _read_targets(settings: dict[str, Any]) -> tuple[dict[str, float] | None, list[Rejection]]:
    """Read the measured property of each structure; bad rows are rejected."""
    if "targets" not in settings:
        return None, []
    path, column = Path(settings["targets"]), settings["property"]
    rows = read_rows(path, ("structure_id", column))
    names = Counter(row.cells.get("structure_id", "") for row in rows)
    targets, rejections = {}, []
    for row in rows:
        name = row.cells.get("structure_id", "")
        value, fault = _number(row.cells.get(column, ""), column)
        fault = row.fault or fault
        if not fault and not name:
            fault = ("column structure_id is empty", "write the stem of the structure's file")
        if not fault and names[name] > 1:
            fault = (f"{names[name]} rows for {name}", "keep the row that is right")
        if fault:
            rejections.append(Rejection(name, f"{path} row {row.number}", *fault))
        else:
            targets[name] = value
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
    return [] if path is None else [path.name, file_digest(path)]


def target_digest(plan: Plan, *settings: Any) -> str:
    """Digest of the whole input of a dataset: geometry, measured property and what was rejected."""
    targets = [[entry.structure_id, entry.source, entry.target] for entry in plan.entries]
    rejected = [[r.structure_id, r.source, r.reason] for r in plan.rejections]
    return digest(targets, rejected, geometry_digest(plan.entries), *settings)
