"""The structures stage: from any source to checked structures, their targets, and what was rejected."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

from hirshprint.files import written_whole
from hirshprint.status import write_status
from hirshprint.structures.building import build_structures, write_targets
from hirshprint.structures.entries import InputError, Rejection
from hirshprint.structures.planning import plan_dataset
from hirshprint.structures.structure import write_digests, write_structures


def make_structures(
    settings: dict[str, Any],
    strict: bool,
    structures_path: Path,
    targets_path: Path,
    rejected_path: Path,
    processes: int = 1,
) -> None:
    """Read a dataset and write its structures (HDF5), targets (CSV) and rejected rows or files (CSV).

    Parameters
    ----------
    settings : the dataset's part of the configuration.
    strict : stop when anything is rejected.
    processes : most processes that read files at the same time.

    Raises
    ------
    InputError
        If nothing usable is left, or with `strict` if anything was rejected.
    """
    plan = plan_dataset(settings)
    structures, targets, unusable = build_structures(plan.entries, settings, processes)
    rejections = [*plan.rejections, *unusable]
    for rejection in (r for r in rejections if r.stage != "filter"):
        print(f"rejected {rejection.source}: {rejection.reason}; {rejection.remedy}", file=sys.stderr)
    place = next((settings[kind] for kind in ("table", "folder", "structures") if kind in settings), "elements")
    faults = [rejection for rejection in rejections if rejection.stage != "filter"]
    if strict and faults:
        raise InputError(f"{place}: {len(faults)} rejected, as listed above, and the configuration says strict: true")
    if not structures:
        raise InputError(f"{place}: nothing usable in it; {len(rejections)} rejected, as listed above")
    with written_whole(structures_path) as temporary:
        write_structures(temporary, structures, {"source": str(place), "planned": len(plan.entries)})
        if "structures" in settings:
            digests = {entry.structure_id: str(entry.content[0]) for entry in plan.entries}
            write_digests(temporary, [digests[structure.structure_id] for structure in structures])
    with written_whole(targets_path) as temporary:
        write_targets(temporary, targets)
    write_status(rejected_path, [_status_row(rejection) for rejection in rejections])
    for reason, rows in Counter(r.reason for r in rejections if r.stage == "filter").items():
        print(f"{place}: {reason} took out {rows}", file=sys.stderr)
    print(f"{place}: {len(structures)} structures, {len(faults)} rejected", file=sys.stderr)


def _status_row(rejection: Rejection) -> dict[str, str]:
    return {
        "structure_id": rejection.structure_id,
        "source": rejection.source,
        "status": "filtered" if rejection.stage == "filter" else "rejected",
        "stage": rejection.stage,
        "reason": rejection.reason,
        "remedy": rejection.remedy,
    }
