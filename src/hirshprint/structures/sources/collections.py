"""One file with many crystals: extended XYZ, JSON lines or list, a CSV table with CIFs, a database of ASE's (light)."""

from __future__ import annotations

import csv
import gzip
import json
import re
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any, cast

from hirshprint.config.keys import needed
from hirshprint.config.model import Dataset
from hirshprint.structures.entries import Entry, InputError, Plan, Rejection
from hirshprint.structures.sources.ase_rows import read_sqlite, record_of_row
from hirshprint.structures.sources.frames import comment_fault, frame_geometry, read_comment, split_frames
from hirshprint.structures.sources.json_text import DELETE, ID_KEYS, legible_id, loaded
from hirshprint.structures.sources.record import Record, record_digest
from hirshprint.structures.sources.rows import NUMBER, read_group
from hirshprint.structures.sources.targets import read_answer, read_targets, value_fault

GEOMETRY = {"lattice", "cell", "pbc", "sites", "species", "sp", "symbols", "numbers"} | {
    *("frac", "frac_coords", "positions", "cart_coords", "lattice_mat", "elements", "coords", "cartesian"),
    *("lattice_vectors", "cartesian_site_positions", "species_at_sites", "dimension_types"),
}
INNER = ("structure", "atoms", "attributes")  # where an object may have its crystal: pymatgen's, JARVIS's, OPTIMADE's
CELLS = {"lattice", "cell", "lattice_mat", "lattice_vectors"}  # one of them is in each object that is a crystal
MORE_FIELDS = ("properties", "attributes", "data")  # the last is that of entries of pymatgen's
LISTS = ("data", "entries")  # where an object may have its list of objects: OPTIMADE's, pymatgen's
LONGEST_TEXT = 2**26  # characters of a crystal in a cell of a table
ROWS_LOOKED_AT = 20  # of a table, for one with a crystal
LONGEST_ID = 120  # characters, for files are named after ids
TEXTS = ("cif", "structure")  # where an object, or a row of a table, may have its crystal as a text: a CIF, or JSON
CIF_TAG = re.compile(r"_cell[._]length_a", re.IGNORECASE)
NO_TEXT = ("it is text that is neither a CIF nor JSON", "write a CIF there, or the JSON of structure.as_dict()")
AS_LINES = "write it with df.to_json(..., orient='records', lines=True) and name it .jsonl"


@dataclass(frozen=True)
class Listed:
    """What a plan needs of a record: its place, id, digest of its geometry, property, group, and fault."""

    number: int
    place: str
    name: str
    digest: str
    target: float | None
    group: str | None
    fault: tuple[str, str] | None


def read_collection(path: Path) -> Iterator[Record]:
    """Read the records of a file one after the other, none of them checked.

    Raises
    ------
    InputError
        It is missing, of no known kind, damaged, or has no records.
    """
    name = path.name.lower().removesuffix(".gz")
    reader = next((read for suffix, read in KINDS.items() if name.endswith(suffix)), None)
    if reader is None or (reader is read_sqlite and path.name.lower() != name):
        raise InputError(f"{path}: no file of many crystals; its name must end with one of {', '.join(KINDS)}")
    number = 0
    try:
        for record in reader(path):
            number += 1
            yield record
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; correct the path in the configuration") from None
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise InputError(f"{path}: damaged or cut off (after {number} records); copy it again") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8 text (after {number} records)") from None
    except csv.Error as error:
        raise InputError(f"{path}: damaged or cut off (after {number} records: {error}); copy it again") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or 'damaged'})") from None
    if not number:
        raise InputError(f"{path}: no crystal in it")


def _open(path: Path) -> IO[str]:
    """Open a file as text, unpacked."""
    if path.suffix.lower() == ".gz":
        return cast("IO[str]", gzip.open(path, "rt", encoding="utf-8-sig"))
    return path.open(encoding="utf-8-sig")


def _read_frames(path: Path) -> Iterator[Record]:
    with _open(path) as lines:
        for number, frame in enumerate(split_frames(lines), 1):
            text = json.dumps([frame_geometry(frame.comment), frame.atoms])
            place = f"frame {number} (line {frame.line})"
            fault = frame.fault or comment_fault(frame.comment)
            yield Record(number, place, "extxyz", text, (read_comment(frame.comment),), fault=fault)


def _read_lines(path: Path) -> Iterator[Record]:
    with _open(path) as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                found, fault = loaded(line)
                if isinstance(found, dict) and ("x-optimade" in found or found.get("type") == "info"):
                    continue  # lines of OPTIMADE's that tell of the file
                yield _of_object(number, f"line {number}", found, legible_id(line) if fault else None, fault)


def _read_table(path: Path) -> Iterator[Record]:
    """Rows of a table with a column of crystals as texts; rows are numbered as a spreadsheet does."""
    with _open(path) as file:
        rows = csv.DictReader(file, strict=True)
        header = [name for name in rows.fieldnames or () if name]
        column = next((name for name in TEXTS if name in header), None)
        if column is None:
            raise InputError(f"{path}: no column {' or '.join(TEXTS)} with crystals (it has: {', '.join(header)})")
        for number, row in enumerate(_with_long_cells(rows), 2):
            cells = {name: cell for name, cell in row.items() if name and isinstance(cell, str) and cell.strip()}
            fault = None if column in cells else (f"its {column} is empty", DELETE)
            if None in row or None in row.values():
                fault = (f"{'more' if None in row else 'fewer'} cells than the first line", DELETE)
            yield _of_object(number, f"row {number}", cells, fault=fault)


def _with_long_cells(rows: Iterator[dict[str, str]]) -> Iterator[dict[str, str]]:
    """Rows whose cells may have `LONGEST_TEXT` characters; the limit of other tables, which is one for all, stays."""
    while True:
        kept = csv.field_size_limit(LONGEST_TEXT)
        try:
            row = next(rows, None)
        finally:
            csv.field_size_limit(kept)
        if row is None:
            return
        yield row


def _read_json(path: Path) -> Iterator[Record]:
    """A list of objects, an object of them by id, a table of pandas', a database of ASE's, or one crystal."""
    with _open(path) as file:
        text = file.read()
    found, fault = loaded(text)
    if fault:
        hint = "; where it has an object in each line, name it .jsonl" if text.count("\n{") else ""
        raise InputError(f"{path}: {fault[0].replace('it is ', '')}{hint}")
    if isinstance(found, dict) and {"ids", "nextid"} <= set(found):
        if not isinstance(found["ids"], list) or not all(type(number) is int for number in found["ids"]):
            raise InputError(
                f"{path}: a database of ASE whose ids are not a list of whole numbers; write it again with ASE"
            )
        for number in found["ids"]:
            yield record_of_row(number, found.get(str(number)))
        return
    objects, names = _objects(found, path)
    for number, one in enumerate(objects, 1):
        yield _of_object(number, f"item {number}", one, names[number - 1] if names else None)


def _objects(found: Any, path: Path) -> tuple[list[Any], list[Any]]:
    """The objects of some JSON, and their names where it gives any."""
    if not isinstance(found, dict):
        if not isinstance(found, list):
            raise InputError(f"{path}: neither a list of crystals nor an object of them")
        return found, []
    if {"index", "columns", "data"} <= set(found):
        index, columns, rows = found["index"], found["columns"], found["data"]
        if (
            not all(isinstance(part, list) for part in (index, columns, rows, *rows))
            or not all(isinstance(name, str) for name in columns)
            or not all(len(row) == len(columns) for row in rows)
            or len(index) != len(rows)
        ):
            raise InputError(f"{path}: its index, columns and data do not fit each other; {AS_LINES}")
        names = [name if isinstance(name, str) else None for name in index]
        return [dict(zip(columns, row, strict=True)) for row in rows], names
    of_crystals = next((found[key] for key in INNER if isinstance(found.get(key), dict)), None)
    if of_crystals and not CELLS & set(of_crystals) and all(isinstance(one, dict) for one in of_crystals.values()):
        raise InputError(f"{path}: a table by columns; {AS_LINES}")
    if CELLS & set(found) or of_crystals or isinstance(found.get("structure"), str):
        return [found], []
    inside = next((found[key] for key in LISTS if isinstance(found.get(key), list)), None)
    if inside is not None:
        return inside, []
    objects = list(found.values())
    if not any(map(_has_crystal, objects)) and any(
        _has_crystal(one) for group in objects if isinstance(group, dict) for one in group.values()
    ):
        raise InputError(
            f"{path}: its crystals are in objects of objects; write each, with its `id`, as a line of .jsonl"
        )
    return objects, list(found)


def _has_crystal(found: Any) -> bool:
    return isinstance(found, dict) and bool((CELLS | set(INNER)) & set(found))


def _of_object(number: int, place: str, found: Any, name: Any = None, fault: tuple[str, str] | None = None) -> Record:
    """A record of an object that is a crystal, or has one in it."""
    if not isinstance(found, dict):
        return Record(number, place, "json", "", (), name, fault or ("it is not an object with a crystal", DELETE))
    inner = next((found[key] for key in INNER if isinstance(found.get(key), dict)), None)
    text_key = next((key for key in TEXTS if isinstance(found.get(key), str)), None)
    kind, geometry = "json", ""
    if text_key and inner is None and not CELLS & set(found):
        text = found[text_key]
        if CIF_TAG.search(text):
            kind, geometry = "cif", text.replace("\r\n", "\n").replace("\r", "\n")
        else:
            inner, unread = loaded(text) if text.lstrip().startswith("{") else (None, NO_TEXT)
            fault = fault or ((f"in `{text_key}`: {unread[0]}", unread[1]) if unread else None)
    crystal = inner if isinstance(inner, dict) else found
    geometry = geometry or json.dumps({key: crystal[key] for key in GEOMETRY & set(crystal)}, sort_keys=True)
    parts = (found, *(found.get(key) for key in MORE_FIELDS), crystal.get("properties"))
    fields = tuple(part for part in parts if isinstance(part, dict))
    return Record(number, place, kind, geometry, fields, name, fault)


KINDS: dict[str, Callable[[Path], Iterator[Record]]] = {
    **dict.fromkeys((".extxyz", ".xyz"), _read_frames),
    **dict.fromkeys((".jsonl", ".ndjson"), _read_lines),
    ".json": _read_json,
    ".csv": _read_table,
    ".db": read_sqlite,
}
"""How a file is read, by the end of its name; all but .db also with .gz behind it."""


def plan_collection(settings: Dataset) -> Plan:
    """Plan the structures of a file, with the property that it or a table of targets gives them.

    Raises
    ------
    InputError
        See `read_collection`; or no record has the property or the group at all.
    """
    path = Path(needed(settings.structures))
    targets, rejections = read_targets(settings)
    own = targets is None and not settings.model
    listed = _list_records(path, settings, own)
    places: dict[str, list[str]] = {}
    for one in listed:
        places.setdefault(one.name, []).append(one.place)
    bad_targets = {rejection.structure_id for rejection in rejections} - set(targets or ())
    entries = []
    for one in listed:
        if one.name in bad_targets:
            continue
        fault = one.fault
        if len(places[one.name]) > 1:
            words = ", ".join(places[one.name][:6]) + (" ..." if len(places[one.name]) > 6 else "")
            fault = f"{len(places[one.name])} records have the id {one.name}: {words}", "keep one, or give each its own"
        elif not fault and targets is not None and one.name not in targets:
            fault = f"no row for {one.name} in {settings.targets}", "add its row, or delete the record"
        source = f"{path} {one.place}"
        if fault:
            rejections.append(Rejection(one.name, source, *fault))
            continue
        target, group = targets[one.name][:2] if targets is not None else (one.target, one.group)
        entries.append(Entry(one.name, source, (one.digest,), one.name, (), None, target, path, group, one.number))
    rejections += [
        Rejection(name, f"{settings.targets} row {row}", f"no record {name} in {path}", "add it, or delete the row")
        for name, (_, _, row) in sorted((targets or {}).items())
        if name not in places
    ]
    return Plan(tuple(entries), tuple(rejections))


def _list_records(path: Path, settings: Dataset, own: bool) -> list[Listed]:
    """List the records of a file with what a plan needs of each; property and group where they are its `own`."""
    column, group = (settings.property, settings.group) if own else (None, None)
    listed, missing = [], {name for name in (column, group) if name}
    known: dict[str, None] = {}
    for name, record, name_fault in named_records(path):
        target, target_fault = _value(record.field(column), column, settings) if column else (None, None)
        of_group, group_fault = _group(record.field(group), group) if group else (None, None)
        fault = name_fault or target_fault or group_fault
        listed.append(Listed(record.number, record.place, name, record_digest(record), target, of_group, fault))
        if missing:
            missing -= {name for name in missing if record.field(name) is not None}
            known |= dict.fromkeys(key for fields in record.fields for key in fields if key not in GEOMETRY)
    if missing:
        fields = ", ".join(list(known)[:30]) or "none"
        raise InputError(f"{path}: no record has the field {', '.join(sorted(missing))} (they have: {fields})")
    return listed


def named_records(path: Path) -> Iterator[tuple[str, Record, tuple[str, str] | None]]:
    """Read the records of a file, each with its id, and what is wrong with the record or its id."""
    stem = path.name.removesuffix(".gz").rpartition(".")[0]
    for record in read_collection(path):
        name, fault = _name(record, stem)
        yield name, record, record.fault or fault


def has_many(path: Path) -> bool:
    """Say whether a file is to be read as one of many crystals: by its name, or by what is in its JSON or XYZ.

    JSON of one crystal is too, where it is in another form than that of a pymatgen Structure; a CSV table is, where it
    has a column of crystals.
    """
    name = path.name.lower().removesuffix(".gz")
    if not name.endswith(tuple(KINDS)):
        return False
    if not name.endswith((".json", ".xyz", ".extxyz", ".csv")):
        return True
    try:
        if name.endswith(".csv"):
            return any(not record.fault for record in islice(read_collection(path), ROWS_LOOKED_AT))
        first = list(islice(read_collection(path), 2))
        if first[0].kind == "extxyz":
            return len(first) > 1
        if not any(json.loads(record.geometry) for record in first if not record.fault):
            return False
        with _open(path) as file:
            is_list = file.read(80).lstrip().startswith("[")
        return is_list or len(first) > 1 or "sites" not in first[0].fields[0]
    except InputError:
        return False


def _name(record: Record, stem: str) -> tuple[str, tuple[str, str] | None]:
    """The id of a record: what the file gives it, else its number behind the stem of the file's name."""
    given = next((value for key in ID_KEYS if (value := record.field(key)) is not None), record.name)
    numbered = f"{stem}-{record.number:04d}"
    if given is None:
        return numbered, None
    remedy = f"write text of at most {LONGEST_ID} printable characters"
    if isinstance(given, bool) or not isinstance(given, (str, int)):
        return numbered, (f"its id is {str(given)[:40]}, neither text nor a whole number", remedy)
    name = str(given).strip()
    if not name or len(name) > LONGEST_ID or not name.isprintable():
        return numbered, (f"its id {name[:40]!r} cannot name a structure", remedy)
    return name, None


def _value(value: Any, name: str, settings: Dataset) -> tuple[float | None, tuple[str, str] | None]:
    """Read a value of the property, or say what is wrong with it."""
    if settings.values == "yes_no" and value is not None:
        return read_answer(str(value), name)
    number, fault = _number(value, name)
    return number, fault or value_fault(needed(number), name, settings)


def _number(value: Any, name: str) -> tuple[float | None, tuple[str, str] | None]:
    """Read a finite number, or say what is wrong with it."""
    if value is None:
        return None, (f"it has no {name}", "add it, or delete the record")
    if isinstance(value, str):
        number = float(value) if NUMBER.fullmatch(value.strip()) else None
    else:
        number = value if isinstance(value, (int, float)) and not isinstance(value, bool) else None
    if number is None:
        return None, (f"{str(value)[:40]!r} as {name} is not a number", "write a number with a decimal point")
    if not abs(number) <= sys.float_info.max:
        return None, (f"{name} is {str(value)[:40]}, no finite number", "write a finite number, or delete the record")
    return float(number), None


def _group(value: Any, name: str) -> tuple[str | None, tuple[str, str] | None]:
    """Read the name of a group, or say what is wrong with it."""
    remedy = "give it one, the name of its group"
    if value is None or value != value or not str(value).strip():
        return None, (f"it has no {name}", remedy)
    if isinstance(value, (dict, list)):
        return None, (f"{name} is {str(value)[:40]}, neither text nor a number", remedy)
    found, fault = read_group(str(value), name)
    return (None, (f"its {name} is {str(value).strip()!r}, no name", remedy)) if fault else (found, None)
