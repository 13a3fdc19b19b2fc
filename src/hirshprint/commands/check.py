"""`hirshprint check`: read structure files, folders and files of many crystals, and say what each was read as."""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hirshprint.commands import FAILED, UNUSABLE, CommandError
from hirshprint.commands.json_output import print_json
from hirshprint.config.model import Dataset
from hirshprint.files.writing import written_whole
from hirshprint.machine import cores
from hirshprint.remarks import join_remarks, split_remarks
from hirshprint.structures.building import build_structures
from hirshprint.structures.entries import Entry, InputError, Plan, Rejection, passed_over_text
from hirshprint.structures.planning import plan_dataset
from hirshprint.structures.sources.collections import has_many
from hirshprint.structures.structure import Structure
from hirshprint.structures.summary import crystal_facts, distance_text, group_text
from hirshprint.telling import told

SETTINGS = Dataset.from_dict({"property": "", "unit": ""})  # of a dataset that nothing is learned from
Row = dict[str, Any]


def run(arguments: argparse.Namespace) -> None:
    """Print a line for each crystal, and write the table if one is asked for; fail if any is rejected."""
    try:
        plans = _plans(arguments.path)
        rows = [row for plan in plans for row in _rows(plan)]
    except InputError as error:
        raise CommandError(str(error), UNUSABLE) from None
    usable, rejected = ([row for row in rows if (row["state"] == "rejected") == bad] for bad in (False, True))
    if arguments.csv:
        _write(rows, arguments.csv)
    if arguments.json:
        crystals = [{**row, "remarks": split_remarks(row["remarks"])} for row in usable]
        print_json({"crystals": crystals, "rejected": rejected, "skipped": [x for p in plans for x in p.passed_over]})
    else:
        _print(usable)
        for row in rejected:
            print(f"rejected {row['source']}: {row['reason']}; {row['remedy']}")
        for plan in plans:
            if plan.passed_over:
                print(passed_over_text(plan.passed_over))
        if arguments.csv:
            print(f"written: {arguments.csv}")
    if rejected:
        raise CommandError(f"{len(rejected):,} of {len(rows):,} cannot be used", FAILED)


def _plans(paths: Iterable[Path]) -> list[Plan]:
    """What is to be read: a plan of each folder and of each file of many crystals, and one of all other files."""
    plans, single = [], []
    for path in dict.fromkeys(paths):
        if path.is_dir():
            plans.append(plan_dataset(replace(SETTINGS, folder=str(path))))
        elif path.is_file() and not has_many(path):
            single.append(Entry(str(path), str(path), (), str(path), (), None, None, path))
        elif path.is_file():
            plans.append(plan_dataset(replace(SETTINGS, property=None, structures=str(path))))
        else:
            raise InputError(f"{path}: there is no such file or folder")
    return [*([Plan(tuple(single), ())] if single else []), *plans]


def _rows(plan: Plan) -> list[Row]:
    """A row for each crystal of a plan, then one for each that is rejected."""
    structures, targets, unusable = build_structures(plan.entries, SETTINGS, cores())
    pairs = told(zip(structures, targets, strict=True), len(structures), "space groups found")
    read = [_row(structure, target["source"]) for structure, target in pairs]
    return read + [_rejected(rejection) for rejection in (*plan.rejections, *unusable)]


def _row(structure: Structure, source: str) -> Row:
    state = "remarked" if structure.remarks else "ok"
    facts = {**crystal_facts(structure), "remarks": join_remarks(structure.remarks)}
    return {"structure_id": structure.structure_id, "source": source, "state": state, **facts}


def _rejected(rejection: Rejection) -> Row:
    return {
        "structure_id": rejection.structure_id,
        "source": rejection.source,
        "state": "rejected",
        "reason": rejection.reason,
        "remedy": rejection.remedy,
    }


def _print(rows: Sequence[Row]) -> None:
    """A line for each crystal in columns, and one for each remark on it."""
    cells = [
        [
            row["structure_id"],
            row["formula"],
            group_text(row),
            f"{row['atoms']} atom{'s' * (row['atoms'] != 1)}",
            distance_text(row),
        ]
        for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row, line in zip(rows, cells, strict=True):
        print("  ".join(f"{cell:{width}}" for cell, width in zip(line, widths, strict=True)).rstrip())
        for remark in split_remarks(row["remarks"]):
            print(f"  remark: {remark}")


def _write(rows: Sequence[Row], path: Path) -> None:
    """Write the table as CSV, numbers with six digits."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    with written_whole(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        for row in rows:
            writer.writerow({key: f"{x:.6g}" if isinstance(x, float) else x for key, x in row.items()})
