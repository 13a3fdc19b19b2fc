"""A look at what somebody has: a folder of structure files, a table of compositions, or one file of many crystals."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from hirshprint.config.model import Dataset
from hirshprint.structures.entries import InputError, passed_over_text
from hirshprint.structures.prototypes import PROTOTYPES, Prototype
from hirshprint.structures.sources.collections import GEOMETRY, TEXTS, has_many, named_records
from hirshprint.structures.sources.fields import Field, fields_of, properties
from hirshprint.structures.sources.folders import plan_folder, structure_kind, structure_name
from hirshprint.structures.sources.placement import compound_fault
from hirshprint.structures.sources.record import Record
from hirshprint.structures.sources.rows import Row, read_rows
from hirshprint.structures.sources.tables import with_elements
from hirshprint.structures.sources.targets import UNIT_COLUMN

NOTHING = Dataset.from_dict({"property": "", "unit": ""})  # a dataset that nothing is learned from
TABLE = re.compile(r".*\.(csv|tsv|tab|txt|dat|xlsx?|ods)(\.gz)?", re.IGNORECASE)
CSV = re.compile(r"[^.].*\.csv(\.gz)?", re.IGNORECASE)
MOST_TABLES = 50  # tables beside a folder that are looked into
MOST_FOLDERS = 100  # folders within one without structure files that are looked into
LARGEST_TABLE = 10**8  # bytes of one of them
PARTS = GEOMETRY | {*TEXTS}  # fields of a record that are its crystal
FORMULA, STRUCTURE_ID = "formula", "structure_id"


@dataclass(frozen=True)
class Look:
    """What was found.

    Attributes
    ----------
    sources : dict of str to str
        Keys of a dataset that say where it is: `folder`, `structures` or `table`, and `targets` or `prototype`.
    words : tuple of str
        What it is, in sentences.
    rows : int
        Rows of the table that has the property, or records of the file.
    fields : tuple of Field
        Its columns or fields.
    unit : str or None
        The unit that the table says for all rows.
    """

    sources: dict[str, str]
    words: tuple[str, ...]
    rows: int = 0
    fields: tuple[Field, ...] = ()
    unit: str | None = None


def look_at(path: Path) -> Look:
    """Look at a folder, a table or a file of many crystals.

    Raises
    ------
    InputError
        It is none of these, or cannot be read; the message says what to do.
    """
    if path.is_dir():
        return _look_at_folder(path)
    if not path.exists():
        raise InputError(f"{path}: there is no such file or folder")
    if has_many(path):
        return _look_at_records(path)
    if structure_kind(path.name) in (".json", ".xyz", ".extxyz"):
        record = next(named_records(path))[1]
        if record.fault or record.geometry == "{}":
            raise InputError(f"{path}: {'; '.join(record.fault or ('no crystal in it', 'give another file'))}")
    if structure_kind(path.name):
        raise InputError(
            f"{path}: a file of one crystal, from which nothing can be learned; put such files into a folder, and give "
            f"the folder; `hirshprint surface {path} --out look` shows this one"
        )
    if TABLE.fullmatch(path.name):
        return _look_at_table(path)
    raise InputError(
        f"{path}: its name says neither a table (.csv), a structure file (.cif, .vasp ...) nor a file of many crystals "
        "(.jsonl, .json, .extxyz, .db ...); rename it, or give another"
    )


# --- folders -------------------------------------------------------------------------------------------------------


def _look_at_folder(folder: Path) -> Look:
    try:
        plan = plan_folder(Dataset.from_dict({"property": "", "unit": "", "folder": str(folder)}))
    except InputError as error:
        instead = list(islice(_inside(folder), 4))
        hint = f"; it has {', '.join(map(str, instead))}: give one of these" if instead else ""
        raise InputError(f"{error}{hint}") from None
    kinds = Counter(structure_kind(entry.path.name) or "" for entry in plan.entries if entry.path)
    listed = ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common())
    words = [f"a folder with {_counted(len(plan.entries), 'structure file')} ({listed})"]
    words += [f"{one.source}: {one.reason}; {one.remedy}" for one in plan.rejections[:5]]
    tables = _tables([folder, folder.parent, Path()])
    others = [name for name in plan.passed_over if folder / name not in tables]
    words += [passed_over_text(others)] if others else []
    names = {entry.structure_id for entry in plan.entries}
    return _with_targets({"folder": str(folder)}, words, names, tables, folder)


def _inside(folder: Path) -> Iterator[Path]:
    """What in a folder without structure files can be looked at: files of many crystals, tables, folders."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        folders = islice(os.walk(path), MOST_FOLDERS) if path.is_dir() else ()
        inner = [name for _, _, names in folders for name in names]
        if any(map(structure_kind, inner)) or CSV.fullmatch(path.name) or (path.is_file() and has_many(path)):
            yield path


def _tables(folders: Iterable[Path]) -> list[Path]:
    """CSV files in some folders, each once."""
    found: dict[Path, Path] = {}
    for folder in folders:
        for path in sorted(folder.iterdir()):
            if CSV.fullmatch(path.name) and path.is_file() and path.stat().st_size < LARGEST_TABLE:
                found.setdefault(path.resolve(), path)
    return list(found.values())[:MOST_TABLES]


def _with_targets(
    sources: dict[str, str], words: list[str], names: set[str], tables: Iterable[Path], place: Path | None = None
) -> Look:
    """Add the table that names most of some crystals; if there is none, say of others why they are not used."""
    best: tuple[int, Path, list[Row]] | None = None
    hints = []
    for path in tables:
        try:
            rows = read_rows(path, ())
            if len(rows[0].cells) == 1:
                rows = read_rows(path, (STRUCTURE_ID,))  # says that its columns are not separated by commas
        except InputError as error:
            hints += [f"a table that cannot be used: {error}"] if path.parent == place or "target" in path.name else []
            continue
        named = sum(row.cells.get(STRUCTURE_ID) in names for row in rows)
        if named > (best[0] if best else 0):
            best = (named, path, rows)
        elif not named and (hint := _other_column(path, rows, names)):
            hints.append(hint)
    if best is None:
        return Look(sources, (*words, *hints))
    named, path, rows = best
    words.append(f"{path}: a table with {_counted(len(rows), 'row')} (for these crystals: {named:,})")
    table = [row.cells for row in rows if row.cells.get(STRUCTURE_ID) in names]
    fields = tuple(one for one in fields_of(table) if one.name not in (STRUCTURE_ID, UNIT_COLUMN))
    return Look({**sources, "targets": str(path)}, tuple(words), len(table), fields, _unit(table))


def _other_column(path: Path, rows: list[Row], names: set[str]) -> str | None:
    """Say which column of a table names the crystals, where it is not the one that is read."""
    for column in rows[0].cells:
        cells = [row.cells.get(column, "") for row in rows]
        named = sum(cell in names for cell in cells)
        of_files = sum(structure_kind(cell) is not None and structure_name(Path(cell)) in names for cell in cells)
        if 2 * max(named, of_files) >= len(names):
            rename = f"rename it to {STRUCTURE_ID}" if column != STRUCTURE_ID else ""
            stems = "write the stems of the files there, without endings" if of_files > named else ""
            todo = " and ".join(filter(None, (rename, stems)))
            return f"{path}: its column {column} names {max(named, of_files):,} of these crystals; to use it {todo}"
    return None


def _unit(table: Iterable[Mapping[str, str]]) -> str | None:
    """The unit that a table says for all of its rows."""
    units = {row.get(UNIT_COLUMN, "") for row in table}
    return units.pop() or None if len(units) == 1 else None


# --- files of many crystals, and tables ----------------------------------------------------------------------------


def _look_at_records(path: Path) -> Look:
    names: set[str] = set()
    count = 0

    def rows() -> Iterator[dict[str, Any]]:
        nonlocal count
        for name, record, _ in named_records(path):
            names.add(name)
            count += 1
            yield _fields(record)

    fields = tuple(fields_of(rows()))
    words = [f"a file with {_counted(count, 'crystal')}"]
    if properties(fields, count):
        return Look({"structures": str(path)}, tuple(words), count, fields)
    tables = _tables([path.parent, Path()])
    found = _with_targets({"structures": str(path)}, words, names, tables)
    return found if "targets" in found.sources else Look(found.sources, found.words, count, fields)


def _fields(record: Record) -> dict[str, Any]:
    """Fields of a record by name, as `Record.field` finds them, but for those of its geometry."""
    found: dict[str, Any] = {}
    for fields in record.fields:
        for name, value in fields.items():
            if found.get(name) is None and name not in PARTS and name.lower() != "lattice":
                found[name] = value
    return found


def _look_at_table(path: Path) -> Look:
    try:
        rows = read_rows(path, (FORMULA,))
    except InputError as error:
        if STRUCTURE_ID not in _columns(path):
            raise
        raise InputError(
            f"{path}: a table of properties of structures, without the structures; give their folder, or the file of "
            "many crystals: the table is found if it is there, beside it, or in the folder that you are in"
        ) from error
    prototype, good = max(((one, _placed(rows, one)) for one in PROTOTYPES.values()), key=lambda found: found[1])
    if not good:
        forms = ", ".join(f"{one.template.replace('{', '').replace('}', '')}" for one in PROTOTYPES.values())
        raise InputError(
            f"{path}: no row has a compound that can be placed on a prototype ({forms}; the first is "
            f"{rows[0].cells[FORMULA] or '(empty)'}); crystals of other kinds come from files: give a folder of them"
        )
    words = (f"a table with {_counted(len(rows), 'row')} (compounds of the prototype {prototype.name}: {good:,})",)
    table = [row.cells for row in rows]
    names = (FORMULA, *prototype.sites, UNIT_COLUMN)
    fields = tuple(one for one in fields_of(table) if one.name and one.name not in names)
    return Look({"table": str(path), "prototype": prototype.name}, words, len(rows), fields, _unit(table))


def _columns(path: Path) -> tuple[str, ...]:
    """Columns of a table; none of one that cannot be read."""
    try:
        return tuple(read_rows(path, ())[0].cells)
    except InputError:
        return ()


def _placed(rows: Iterable[Row], prototype: Prototype) -> int:
    """How many rows are compounds of a prototype."""
    placed = (with_elements(row, prototype) for row in rows)
    return sum(not (row.fault or compound_fault(row.cells, prototype)) for row in placed)


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"
