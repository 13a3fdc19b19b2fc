"""From the entries of a plan to structures, and the table of what was measured on them."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from hirshprint.config.model import Dataset
from hirshprint.remarks import join_remarks
from hirshprint.structures.entries import CHANGED, CrystalError, Entry, PassingError, Rejection, origin_digest
from hirshprint.structures.prototypes import Prototype, find_prototype
from hirshprint.structures.reading.process import Answer, Task, read_all
from hirshprint.structures.sources.collections import read_collection
from hirshprint.structures.sources.record import record_digest
from hirshprint.structures.structure import Structure

FILE_SITES = ("A", "B", "X")  # empty columns of a dataset from files


def build_structures(
    entries: Sequence[Entry],
    settings: Dataset,
    processes: int = 1,
    known: Mapping[str, Answer] | None = None,
    formulas: Mapping[str, str] | None = None,
) -> tuple[list[Structure], list[dict[str, Any]], list[Rejection]]:
    """Turn the entries of a plan into structures.

    Parameters
    ----------
    entries : sequence of Entry
        The planned structures.
    settings : Dataset
        The dataset's part of the configuration.
    processes : int, default 1
        Most processes that read files at the same time.
    known : mapping, optional
        What was read from files already, by structure id; it is read here where it is not given.
    formulas : mapping of str to str, optional
        Reduced formulas of some structures, by structure id; finding one takes a slow import.

    Returns
    -------
    structures : list of Structure
        Those that could be built, in the order of the entries.
    targets : list of dict
        One row per structure, with its columns as keys.
    rejections : list of Rejection
        Files and records that could not be used.
    """
    prototype = find_prototype(settings.prototype) if settings.prototype else None
    structures, targets, rejections = [], [], []
    answers = read_entries(entries, processes) if known is None else known
    first: dict[bytes, str] = {}
    for entry in entries:
        try:
            structure = _structure(entry, prototype, answers)
        except CrystalError as error:
            rejections.append(Rejection(entry.structure_id, entry.source, error.reason, error.remedy))
            continue
        same = entry.structure_id if prototype else first.setdefault(_description(structure), entry.structure_id)
        if same != entry.structure_id:
            structure = replace(structure, remarks=(*structure.remarks, f"its cell and atoms are those of {same}"))
        structures.append(structure)
        formula = (formulas or {}).get(entry.structure_id) or formula_of(structure)
        targets.append(_target(entry, structure, formula, prototype, settings))
    if prototype is None:
        _tell_apart(targets)
    return structures, targets, rejections


def read_entries(entries: Iterable[Entry], processes: int = 1) -> dict[str, Answer]:
    """Read files and records, in processes of their own (`reading`), each under a limit of time and memory.

    Returns
    -------
    dict
        Of each structure id the structure, or why there is none; what a table places on a prototype is not among them.
    """
    written = [entry for entry in entries if entry.path is not None]
    if not written:
        return {}
    found = read_all(_tasks(written), len(written), processes)
    return {entry.structure_id: found.get(entry.structure_id, PassingError(*CHANGED)) for entry in written}


def _structure(entry: Entry, prototype: Prototype | None, answers: Mapping[str, Answer]) -> Structure:
    """The structure of an entry.

    Raises
    ------
    CrystalError
        There is none.
    """
    if entry.path is None:
        from hirshprint.structures.placed import prototype_structure  # slow to import

        assert prototype is not None
        assert entry.edge_angstrom is not None
        return prototype_structure(prototype, entry.elements, entry.edge_angstrom, entry.structure_id)
    found = answers[entry.structure_id]
    if isinstance(found, CrystalError):
        raise found
    return found


def _description(structure: Structure) -> bytes:
    """Cell and atoms, in any order, to 0.001 Å or so: the same for copies of a crystal, however they are named."""
    places = np.rint((structure.frac % 1.0) * 10_000).astype(np.int64) % 10_000
    atoms = np.column_stack([structure.numbers, places])
    metric = np.rint(structure.lattice @ structure.lattice.T * 1000).astype(np.int64)
    return metric.tobytes() + atoms[np.lexsort(atoms.T)].tobytes()


def _tasks(entries: Iterable[Entry]) -> Iterator[Task]:
    """What is to be read for each of the entries; a file of many is gone through once."""
    for path, of_path in groupby(entries, key=lambda entry: entry.path):
        wanted = {entry.record: entry for entry in of_path}
        assert path is not None
        if None in wanted:
            yield (path, origin_digest(wanted[None])), wanted[None].structure_id
            continue
        for record in read_collection(path):
            entry = wanted.get(record.number)
            if entry and entry.content == (record_digest(record),):  # else it was changed since it was planned
                yield (record.kind, record.geometry), entry.structure_id


def formula_of(structure: Structure) -> str:
    """Reduced formula of a structure."""
    from hirshprint.structures.crystals import reduced_formula  # slow to import

    return reduced_formula(structure.numbers)


def _target(
    entry: Entry, structure: Structure, formula: str, prototype: Prototype | None, settings: Dataset
) -> dict[str, Any]:
    """The row of one structure in the table of targets."""
    compound = entry.compound if prototype else formula
    sites = dict(zip(prototype.sites, entry.elements, strict=True)) if prototype else dict.fromkeys(FILE_SITES, "")
    return {
        "structure_id": entry.structure_id,
        "source": entry.source,
        "compound": compound,
        "group": entry.group or compound,
        "formula": formula,
        **sites,
        "initial_edge_angstrom": entry.edge_angstrom,
        "property": settings.property or "",
        "unit": settings.unit,
        "value": entry.target,
        "remarks": join_remarks(structure.remarks),
    }


def _tell_apart(targets: Sequence[dict[str, Any]]) -> None:
    """Name files of one formula, such as polymorphs, after the file too; their group stays what it was."""
    files = Counter(row["formula"] for row in targets)
    for row in targets:
        if files[row["formula"]] > 1:
            row["compound"] = f"{row['formula']} ({row['structure_id']})"


def write_targets(path: Path, targets: Sequence[dict[str, Any]]) -> None:
    """Write the measured property of each structure as CSV; an empty cell where there is none."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(targets[0]))
        writer.writeheader()
        writer.writerows(targets)
