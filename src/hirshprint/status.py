"""What became of every row or file of a dataset: the records of the batches, and the status table (light)."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hirshprint.files import written_whole
from hirshprint.remarks import REMARKED, REMEDY, SEPARATOR

STATUS_COLUMNS = ("structure_id", "source", "status", "stage", "reason", "remedy")
REMEDIES = {
    "TontoTimeoutError": "raise surfaces.tonto.time_limit_seconds, and run the workflow again",
    "TontoPassingError": "run hirshprint recover --failed, and the workflow again",
}
"""What helps where the machine and not the structure is at fault, by the kind of error that a reason begins with."""


def write_status(path: Path, rows: Iterable[Mapping[str, str]]) -> None:
    """Write rows with the columns STATUS_COLUMNS as CSV."""
    with written_whole(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, STATUS_COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def read_status(batch_file: Path) -> dict[str, dict[str, Any]]:
    """Read the status records of a batch file, by structure id."""
    import numpy as np  # not needed by those that only write the table

    with np.load(batch_file, allow_pickle=False) as arrays:
        status: dict[str, dict[str, Any]] = json.loads(str(arrays["status"]))
    return status


def read_cpu_seconds(batch_file: Path) -> float | None:
    """Read the CPU seconds of the job that wrote a batch file; None where it did not say."""
    import numpy as np  # as above

    with np.load(batch_file, allow_pickle=False) as arrays:
        return float(arrays["cpu_seconds"]) if "cpu_seconds" in arrays else None


def merge_status(rejected: Path, targets: Path, batches: Sequence[dict[str, dict[str, Any]]]) -> list[dict[str, str]]:
    """Join what the structures stage rejected (CSV) with the status records of the surface batches.

    Parameters
    ----------
    rejected : CSV with the columns STATUS_COLUMNS.
    targets : CSV with the columns structure_id, source and remarks of the structures that went on.
    batches : status records of each batch, by structure id.
    """
    records = {name: record for batch in batches for name, record in batch.items()}
    with targets.open(newline="", encoding="utf-8") as file:
        rows = [_status_row(row, records.get(row["structure_id"])) for row in csv.DictReader(file)]
    with rejected.open(newline="", encoding="utf-8") as file:
        return rows + [dict(row) for row in csv.DictReader(file)]


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
