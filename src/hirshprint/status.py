"""What became of every row or file of a dataset: the records of the batches, and the status table (light)."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hirshprint.files.reading import read_npz, read_rows, reading, table_written
from hirshprint.hirshfeld.registry import ENGINES
from hirshprint.remarks import REMARKED, REMEDY, SEPARATOR

STATUS_COLUMNS = ("structure_id", "source", "status", "stage", "reason", "remedy")
REMEDIES = {kind: remedy for engine in ENGINES.values() for kind, remedy in engine.remedies.items()}
"""What helps where the machine and not the structure is at fault, by the kind of error that a reason begins with."""


def write_status(path: Path, rows: Iterable[Mapping[str, str]]) -> None:
    """Write rows with the columns STATUS_COLUMNS as CSV."""
    with table_written(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, STATUS_COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def read_status(batch_file: Path) -> dict[str, dict[str, Any]]:
    """Read the status records of a batch file, by structure id.

    Raises
    ------
    DamagedError
        They are not as they were written.
    """
    with reading(batch_file):
        status: dict[str, dict[str, Any]] = json.loads(str(read_npz(batch_file, ["status"])["status"]))
    return status


def read_cpu_seconds(batch_file: Path) -> float:
    """Read the CPU seconds of the job that wrote a batch file, its earlier attempts included."""
    return float(read_npz(batch_file, ["cpu_seconds"])["cpu_seconds"])


def computed_structures(batch_file: Path) -> int:
    """Count the structures that a job of surfaces computed, not found in the cache; 0 where that cannot be read."""
    try:
        records = json.loads(str(read_npz(batch_file, ["status"])["status"]))
    except (OSError, ValueError):
        return 0
    return sum(record["status"] == "ok" and not record["reused"] for record in records.values())


def earlier_seconds(batch_file: Path) -> float:
    """Read the wall time of the attempts of a job of surfaces before the last one; 0 where that cannot be read."""
    try:
        return float(read_npz(batch_file, ["earlier_seconds"])["earlier_seconds"])
    except (OSError, ValueError):
        return 0.0


def cpu_seconds() -> float:
    """CPU seconds of this process and of the programs that it ran and that have ended."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def cpu_file(benchmark: Path) -> Path:
    """File with the CPU seconds of a job, beside its benchmark."""
    return benchmark.with_suffix(".cpu")


def job_cpu_seconds(benchmark: Path, output: Path | None = None) -> float | None:
    """CPU seconds of a job as it knows them itself; None where it left no word.

    Snakemake's benchmark looks at a job every 30 s and misses most of its child processes, which are shorter.

    Parameters
    ----------
    benchmark : Path
        Its benchmark file.
    output : Path, optional
        Batch file of a job of surfaces, whose earlier attempts count too; of other jobs the last one counts.
    """
    try:
        return read_cpu_seconds(output) if output else float(cpu_file(benchmark).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def merge_status(rejected: Path, targets: Path, batches: Sequence[dict[str, dict[str, Any]]]) -> list[dict[str, str]]:
    """Join what the structures stage rejected (CSV) with the status records of the surface batches.

    Parameters
    ----------
    rejected : Path
        CSV with the columns STATUS_COLUMNS.
    targets : Path
        CSV with the columns structure_id, source and remarks of the structures that went on.
    batches : sequence of dict of str to dict
        Status records of each batch, by structure id.
    """
    records = {name: record for batch in batches for name, record in batch.items()}
    rows = [
        _status_row(row, records.get(row["structure_id"])) for row in read_rows(targets, ("structure_id", "source"))
    ]
    return rows + read_rows(rejected, STATUS_COLUMNS)


def _status_row(target: dict[str, str], record: dict[str, Any] | None) -> dict[str, str]:
    """Give the row of one structure; one without a record never came out of its batch."""
    row = {"structure_id": target["structure_id"], "source": target["source"]}
    remarks = target.get("remarks") or ""
    if record is None:
        reason, remedy = "no result", "run the workflow again"
    elif record["status"] == "failed":
        reason = record["reason"]
        remedy = REMEDIES.get(reason.partition(":")[0], "check the structure; the log of its batch has more")
    elif remarks:
        reason = SEPARATOR.join(filter(None, (remarks, record.get("note", ""))))
        return row | {"status": REMARKED, "stage": "structures", "reason": reason, "remedy": REMEDY}
    else:
        return row | {"status": "ok", "stage": "", "reason": record.get("note", ""), "remedy": ""}
    return row | {"status": "failed", "stage": "surface", "reason": failure_text(reason, remarks), "remedy": remedy}


def failure_text(reason: str, remarks: str) -> str:
    """Why a structure failed, with the remarks on it, in which the cause may lie."""
    return f"{reason}{SEPARATOR}remarks: {remarks}" if remarks else reason
