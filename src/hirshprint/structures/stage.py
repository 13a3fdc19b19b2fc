"""The structures stage: from any source to checked structures, their targets, and what was rejected."""

from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path

from hirshprint.config.learning import Learning
from hirshprint.config.model import Dataset
from hirshprint.datasets.split_faults import asked_in_vain, target_faults
from hirshprint.files.reading import table_written
from hirshprint.files.writing import written_whole
from hirshprint.remarks import remark_lines
from hirshprint.status import write_status
from hirshprint.structures.building import build_structures, formula_of, read_entries, write_targets
from hirshprint.structures.earlier import Earlier, keep_answers, read_earlier, taken_over
from hirshprint.structures.entries import (
    CHANGED,
    InputError,
    PassingError,
    Plan,
    Rejection,
    origin_digest,
    passed_over_text,
)
from hirshprint.structures.planning import plan_dataset
from hirshprint.structures.reading.process import Answer
from hirshprint.structures.structure import Structure, write_digests, write_structures

LOG = logging.getLogger(__name__)


def make_structures(
    settings: Dataset,
    strict: bool,
    structures_path: Path,
    targets_path: Path,
    rejected_path: Path,
    learning: Learning | None = None,
    name: str = "",
    processes: int = 1,
    plan: Plan | None = None,
    earlier_path: Path | None = None,
) -> None:
    """Read a dataset and write its structures (HDF5), targets (CSV) and rejected rows or files (CSV).

    Parameters
    ----------
    settings : Dataset
        The dataset's part of the configuration.
    structures_path : Path
        File of the structures to write.
    targets_path : Path
        Table of the structures that go on, to write.
    rejected_path : Path
        Table of what was rejected, to write.
    learning : Learning, optional
        What is to be learned; only once files are read is it known whether they are enough for it.
    name : str, optional
        Name of the dataset, for messages.
    processes : int, default 1
        Most processes that read files at the same time.
    strict : bool
        Stop when anything is rejected; remarks on what is accepted stop nothing.
    plan : Plan, optional
        What the run planned; read again where none is given.
    earlier_path : Path, optional
        File that keeps what was read for the next run, and has what an earlier one read; see `earlier`.

    Raises
    ------
    InputError
        If nothing usable is left or the learning lacks something, or with `strict` if anything was rejected.
    """
    plan = plan or plan_dataset(settings)
    answers, formulas = _answers(plan, processes, earlier_path)
    structures, targets, unusable = build_structures(plan.entries, settings, known=answers, formulas=formulas)
    rejections = [*plan.rejections, *unusable]
    place = settings.table or settings.folder or settings.structures or "elements"
    if plan.passed_over:
        LOG.info(f"{place}: {passed_over_text(plan.passed_over)}")
    for rejection in (r for r in rejections if r.stage != "filter"):
        LOG.warning(f"rejected {rejection.source}: {rejection.reason}; {rejection.remedy}")
    remarks = [(row["source"], s.remarks) for row, s in zip(targets, structures, strict=True) if s.remarks]
    for line in remark_lines(remarks):
        LOG.warning(f"remark: {line}")
    faults = [rejection for rejection in rejections if rejection.stage != "filter"]
    if strict and faults:
        raise InputError(f"{place}: {len(faults)} rejected, as listed above, and the configuration says strict: true")
    if not structures:
        raise InputError(f"{place}: nothing usable in it; {len(rejections)} rejected, as listed above")
    if learning and targets[0]["value"] is not None:
        reasons = {one.structure_id: f"{one.source} is left out ({one.reason})" for one in reversed(rejections)}
        if lacking := target_faults(name, learning, targets, reasons):
            raise InputError(asked_in_vain(lacking))
    with written_whole(structures_path) as temporary:
        write_structures(temporary, structures, {"source": str(place), "planned": len(plan.entries)})
        if structures[0].structure_id in (digests := _digests(plan)):
            write_digests(temporary, [digests[structure.structure_id] for structure in structures])
    with table_written(targets_path) as temporary:
        write_targets(temporary, targets)
    write_status(rejected_path, [_status_row(rejection) for rejection in rejections])
    for reason, rows in Counter(r.reason for r in rejections if r.stage == "filter").items():
        LOG.info(f"{place}: {reason} removed {rows}")
    remarked = f" ({len(remarks)} with remarks)" if remarks else ""
    LOG.info(f"{place}: {len(structures)} structures{remarked}, {len(faults)} rejected")


def _answers(plan: Plan, processes: int, earlier_path: Path | None) -> tuple[dict[str, Answer], dict[str, str]]:
    """What the files of a plan are read as, and formulas: of unchanged ones what an earlier run read.

    Raises
    ------
    InputError
        A file was changed after it had been planned: the results would be of neither.
    """
    earlier = read_earlier(earlier_path) if earlier_path else Earlier()
    answers, formulas = taken_over(earlier, plan.entries)
    unread = [entry for entry in plan.entries if entry.path is not None and entry.structure_id not in answers]
    taken = len(answers)
    answers |= read_entries(unread, processes)
    found = {name: answer for name, answer in answers.items() if isinstance(answer, Structure)}
    formulas |= {name: formula_of(structure) for name, structure in found.items() if name not in formulas}
    if earlier_path and (unread or taken < len(earlier.answers)):
        keep_answers(earlier_path, plan.entries, answers, formulas)
    if taken:
        LOG.info(f"{taken:,} of {len(answers):,} crystals: as an earlier run read them")
    changed = [
        entry.source
        for entry in unread
        if isinstance(error := answers[entry.structure_id], PassingError) and error.reason == CHANGED[0]
    ]
    if changed:
        more = f" and {len(changed) - 1:,} more" if len(changed) > 1 else ""
        raise InputError(f"{changed[0]}{more}: changed while it was read; run the same command again")
    return answers, formulas


def _digests(plan: Plan) -> dict[str, str]:
    """Digests of what the structures from files are read from, by structure id."""
    return {entry.structure_id: origin_digest(entry) for entry in plan.entries if entry.path is not None}


def _status_row(rejection: Rejection) -> dict[str, str]:
    return {
        "structure_id": rejection.structure_id,
        "source": rejection.source,
        "status": "filtered" if rejection.stage == "filter" else "rejected",
        "stage": rejection.stage,
        "reason": rejection.reason,
        "remedy": rejection.remedy,
    }
