"""From the entries of a plan to structures, and the table of what was measured on them."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from hirshprint.remarks import join_remarks
from hirshprint.structures.crystals import CrystalError, reduced_formula
from hirshprint.structures.entries import Entry, Rejection
from hirshprint.structures.placed import prototype_structure
from hirshprint.structures.prototypes import Prototype, find_prototype
from hirshprint.structures.reading.process import Task, read_all
from hirshprint.structures.sources.collections import read_collection, record_digest
from hirshprint.structures.structure import Structure

FILE_SITES = ("A", "B", "X")  # empty columns of a dataset from files
CHANGED = CrystalError("its file was changed while it was read", "run the workflow again")


def build_structures(
    entries: Sequence[Entry], settings: dict[str, Any], processes: int = 1
) -> tuple[list[Structure], list[dict[str, Any]], list[Rejection]]:
    """Turn the entries of a plan into structures.

    Files and records are read in processes of their own (`reading`), each under a limit of time and memory.

    Parameters
    ----------
    processes : most processes that read at the same time.

    Returns
    -------
    structures : those that could be built, in the order of the entries.
    targets : one row per structure, with its columns as keys.
    rejections : files and records that could not be used.
    """
    prototype = find_prototype(settings["prototype"]) if settings.get("prototype") else None
    structures, targets, rejections = [], [], []
    written = [entry for entry in entries if entry.edge_angstrom is None]
    answers = read_all(_tasks(written), len(written), processes) if written else {}
    for entry in entries:
        try:
            if entry.edge_angstrom is None:
                found = answers.get(entry.structure_id, CHANGED)
                if isinstance(found, CrystalError):
                    raise found
                structure = found
            else:
                assert prototype is not None
                structure = prototype_structure(prototype, entry.elements, entry.edge_angstrom, entry.structure_id)
        except CrystalError as error:
            rejections.append(Rejection(entry.structure_id, entry.source, error.reason, error.remedy))
            continue
        structures.append(structure)
        targets.append(_target(entry, structure, prototype, settings))
    if prototype is None:
        _tell_apart(targets)
    return structures, targets, rejections


def _tasks(entries: Iterable[Entry]) -> Iterator[Task]:
    """What is to be read for each of the entries; a file of many is gone through once."""
    for path, of_path in groupby(entries, key=lambda entry: entry.path):
        wanted = {entry.record: entry for entry in of_path}
        assert path is not None
        if None in wanted:
            yield path, wanted[None].structure_id
            continue
        for record in read_collection(path):
            entry = wanted.get(record.number)
            if entry and entry.content == (record_digest(record),):  # else it was changed since it was planned
                yield (record.kind, record.geometry), entry.structure_id


def _target(
    entry: Entry, structure: Structure, prototype: Prototype | None, settings: dict[str, Any]
) -> dict[str, Any]:
    """The row of one structure in the table of targets."""
    formula = reduced_formula(structure.numbers)
    compound = entry.compound if prototype else formula
    if entry.group and not prototype:  # structures of one formula may be in different groups, and parts
        compound = f"{formula} ({entry.group})"
    sites = dict(zip(prototype.sites, entry.elements, strict=True)) if prototype else dict.fromkeys(FILE_SITES, "")
    return {
        "structure_id": entry.structure_id,
        "source": entry.source,
        "compound": compound,
        "group": entry.group or compound,
        "formula": formula,
        **sites,
        "initial_edge_angstrom": entry.edge_angstrom,
        "property": settings.get("property", ""),
        "unit": settings["unit"],
        "value": entry.target,
        "remarks": join_remarks(structure.remarks),
    }


def _tell_apart(targets: Sequence[dict[str, Any]]) -> None:
    """Name files of one compound, such as polymorphs, after the file too; their group stays that of the compound."""
    files = Counter(row["compound"] for row in targets)
    for row in targets:
        if files[row["compound"]] > 1:
            row["compound"] = f"{row['formula']} ({row['structure_id']})"


def write_targets(path: Path, targets: Sequence[dict[str, Any]]) -> None:
    """Write the measured property of each structure as CSV; an empty cell where there is none."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(targets[0]))
        writer.writeheader()
        writer.writerows(targets)
