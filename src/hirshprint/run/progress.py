"""How far the work in a folder is: the summary that a run ends with, and `hirshprint status` (light)."""

from __future__ import annotations

import csv
import shlex
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from hirshprint.config.model import Dataset
from hirshprint.files.reading import DamagedError, read_rows
from hirshprint.remarks import REMARKED, remark_lines, split_remarks
from hirshprint.run.frozen import listed
from hirshprint.status import failure_text, job_cpu_seconds, read_status
from hirshprint.structures.batches import batch_of, batches_of
from hirshprint.structures.entries import Entry, Plan, origin_digest, passed_over_text
from hirshprint.structures.planning import plan_dataset
from hirshprint.words import core_hours, duration

BY_REASON = ("rejected", "filtered")  # states that are told by reason, as remarks are
UNMADE = ("new", "changed", "waiting")  # states of structures that are to be computed
PLACE = ": "  # between the row, file or record and the reason
SNAKEMAKE_MB = 320  # of the two Snakemake processes that a job on SLURM has beside its own (docs/slurm.md)
SHOWN = 10  # structures, reasons or rules that are listed before the rest is only counted


@dataclass(frozen=True)
class Job:
    """A job that a run had to do.

    Attributes
    ----------
    rule, dataset : str
        What it was; the dataset is empty for rules that have none.
    output : Path
        Its first output file.
    benchmark : Path or None
        Its benchmark file; None if it has none.
    finished : bool
        Whether it was done.
    mem_mb, minutes : float or None
        Memory in MB and run time that its last attempt asked for; None if it did not run.
    """

    rule: str
    dataset: str
    output: Path
    benchmark: Path | None
    finished: bool
    mem_mb: float | None = None
    minutes: float | None = None


def shortened(reason: str) -> str:
    """Shorten why Snakemake runs a job, where it names every one of many files."""
    return "; ".join(listed(part.split(", ")) for part in reason.split("; "))


def time_left(done: int, jobs: int, seconds: float, core_seconds: float) -> str:
    """Say how far some jobs are, and what the rest takes if it goes on as it went; empty where nobody knows.

    Parameters
    ----------
    done, jobs : int
        Jobs that are done, and all.
    seconds : float
        Time by the clock since the first began.
    core_seconds : float
        CPU time of those that are done.
    """
    if not done or done >= jobs:
        return ""
    rest = jobs / done - 1
    spent, left = ((duration(k * seconds), core_hours(k * core_seconds)) for k in (1.0, rest))
    return f"{done:,} of {jobs:,} batches done in {spent[0]} and {spent[1]}; about {left[0]} and {left[1]} left"


@cache
def batch_core_seconds(benchmark: Path, output: Path) -> float:
    """CPU time of a batch of surfaces that is done, its earlier attempts included; 0 where that cannot be read."""
    return job_cpu_seconds(benchmark, output) or 0.0


def summarise_run(
    jobs: Sequence[Job], command: Sequence[str], edited: Sequence[str] = (), seconds: float | None = None
) -> list[str]:
    """Say in some lines what a run did, what it used of what it asked for, and what to do next.

    Parameters
    ----------
    jobs : sequence of Job
        The jobs that the run had to do, done or not.
    command : sequence of str
        The words of the command line.
    edited : sequence of str, optional
        Files of the user that were edited since the run began.
    seconds : float, optional
        How long it took.
    """
    done = [job for job in jobs if job.finished]
    lines = [] if seconds is None or not done else [_time_line(done, seconds)]
    told, failed = _structure_lines([job for job in done if job.rule == "surface"])
    lines += told + _remark_lines([job for job in done if job.rule in ("structures", "status")])
    undone = Counter(job.rule for job in jobs if not job.finished)
    again = shlex.join(["snakemake", *command[1:]])
    if undone:
        lines.append("not done      " + _listed(f"{count} × {rule}" for rule, count in undone.items()))
    lines += _cost_lines(done)
    if edited:
        lines.append(
            f"edited        {listed(edited)}: edited during this run, whose results are of what stood there when it "
            f"began; for what stands there now: {again}"
        )
    if undone:
        lines.append(f"next          if a job failed, the messages above name its log; then again: {again}")
    if failed:
        lines.append(f"next          to try failed structures again: hirshprint recover --failed && {again}")
    return lines


def _time_line(jobs: Sequence[Job], seconds: float) -> str:
    """Say how long a run took by the clock, and its jobs of processors."""
    used = sum(_used(job).get("cpu_time", 0.0) for job in jobs)
    return f"run           {duration(seconds)}, {len(jobs):,} jobs done" + (f", {core_hours(used)}" if used else "")


def _structure_lines(jobs: Sequence[Job]) -> tuple[list[str], int]:
    """Count structures by what became of them in the batches of this run; return the lines and how many failed."""
    records: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for job in jobs:
        with suppress(OSError, DamagedError):  # the job that reads the file next names it
            records[job.dataset] |= read_status(job.output)
    lines, failures = [], 0
    for dataset, found in records.items():
        failed = [  # without the name, or no two would have the same reason
            record["reason"].replace(f"{name}: ", "") for name, record in found.items() if record["status"] == "failed"
        ]
        reused = sum(record["reused"] and record["status"] == "ok" for record in found.values())
        lines.append(
            f"surfaces      {dataset}: {len(found) - reused - len(failed):,} structures computed, {reused:,} reused, "
            f"{len(failed):,} failed"
        )
        lines += [f"  {count:,} failed: {_listed([reason])}" for reason, count in Counter(failed).most_common(SHOWN)]
        failures += len(failed)
    return lines, failures


def _remark_lines(jobs: Sequence[Job]) -> list[str]:
    """Count the structures with remarks of the datasets that these jobs made the tables of; say which remarks."""
    lines = []
    for dataset, folder in {job.dataset: job.output.parent for job in jobs}.items():
        try:
            rows = _read_table(folder / "targets.csv")
        except DamagedError:  # the job that reads it names it
            continue
        remarks = [(row["structure_id"], split_remarks(row.get("remarks"))) for row in rows if row.get("remarks")]
        if remarks:
            lines.append(f"remarks       {dataset}: {len(rows):,} structures, of which {len(remarks):,} with remarks")
            lines += [f"  {REMARKED}: {line}" for line in remark_lines(remarks)]
    return lines


def _cost_lines(jobs: Sequence[Job]) -> list[str]:
    """Compare what the jobs of each rule used with what they asked for."""
    by_rule: dict[str, list[tuple[Job, dict[str, float]]]] = defaultdict(list)
    for job in jobs:
        if job.mem_mb and job.minutes and (used := _used(job)):
            by_rule[job.rule].append((job, used))
    lines = []
    for rule, found in by_rule.items():
        longest = max(used["s"] for _, used in found)
        largest = max(used.get("max_rss", 0.0) for _, used in found) + SNAKEMAKE_MB
        lines.append(
            f"  {rule:<20} {len(found):>6,} {longest:>9,.0f} of {max(job.minutes or 0 for job, _ in found) * 60:>7,.0f}"
            f" {largest:>9,.0f} of {max(job.mem_mb or 0 for job, _ in found):>7,.0f}"
            f" {sum(used.get('cpu_time', 0.0) for _, used in found):>9,.0f}"
        )
    header = f"  {'used of asked':<20} {'jobs':>6} {'longest, s':>20} {f'memory + {SNAKEMAKE_MB}, MB':>20} {'CPU s':>9}"
    return [header, *lines] if lines else []


def _used(job: Job) -> dict[str, float]:
    """Figures of a job's benchmark file; its CPU time as it counted it itself, with that of programs that it ran."""
    used = _read_benchmark(job.benchmark) if job.benchmark is not None else {}
    if used and job.benchmark is not None:
        seconds = job_cpu_seconds(job.benchmark, job.output if job.rule == "surface" else None)
        used |= {"cpu_time": seconds} if seconds is not None else {}
    return used


def _read_benchmark(path: Path) -> dict[str, float]:
    """Read the figures of a benchmark file; those that a short job lacks (-, NA) are left out."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            row = next(csv.DictReader(file, delimiter="\t"))
    except (OSError, StopIteration):
        return {}
    figures = {}
    for name, text in row.items():
        try:
            figures[name] = float(text)
        except (TypeError, ValueError):
            continue
    return figures if "s" in figures else {}


def _listed(words: Iterable[str]) -> str:
    text = ", ".join(words)
    return text if len(text) <= 160 else text[:157] + "..."


def describe_datasets(
    datasets: Mapping[str, Dataset], results: Path = Path("results"), pending: Collection[str] = ()
) -> list[str]:
    """Say of every dataset which structures are done, new, changed, removed, failed, remarked or rejected, and why.

    Parameters
    ----------
    datasets : mapping of str to Dataset
        The datasets of the configuration.
    results : Path, optional
        Folder of the results.
    pending : collection of str, optional
        Files that the next run would write.

    Raises
    ------
    InputError
        If a table, folder or file cannot be read at all.
    """
    lines = []
    for name, settings in datasets.items():
        plan = plan_dataset(settings)
        found = structure_states(plan, results / name, pending)
        counts = Counter(state for state, _, _ in found)
        lines.append(f"{name}: " + (", ".join(f"{n:,} {state}" for state, n in counts.most_common()) or "nothing"))
        lines += [f"  {passed_over_text(plan.passed_over)}"] if plan.passed_over else []
        for state in (state for state in counts if state != "done"):
            told = [(structure, why) for other, structure, why in found if other == state]
            lines += [f"  {state:<9} {text}" for text in _told(state, told)]
        table = results / name / "rejected.csv"
        if sum(counts[state] for state in BY_REASON) > SHOWN and table.exists():
            lines.append(f"  all that are rejected or filtered, each with its reason: {table}")
        if counts["failed"]:
            lines.append("  to try the failed structures again: hirshprint recover --failed, then run the workflow")
    return lines


def _told(state: str, structures: Sequence[tuple[str, str]]) -> list[str]:
    """Lines on structures of one state and why: one for each remark or reason, else the first and how many more."""
    if state == REMARKED:
        return remark_lines((structure, split_remarks(why)) for structure, why in structures)
    if state in BY_REASON:
        reasons = [why.partition(PLACE) for _, why in structures]
        return remark_lines(((source, [reason]) for source, _, reason in reasons), most=None)
    lines = [f"{structure}: {why}" for structure, why in structures[:SHOWN]]
    return lines + ([f"... and {len(structures) - SHOWN:,} more"] if len(structures) > SHOWN else [])


def structure_states(plan: Plan, folder: Path, pending: Collection[str] = ()) -> list[tuple[str, str, str]]:
    """Compare a dataset's input with its results in `folder`.

    Parameters
    ----------
    plan : Plan
        What the dataset has now.
    folder : Path
        Its folder of results.
    pending : collection of str, optional
        Files that the next run would write.

    Returns
    -------
    list of tuple (str, str, str)
        State, structure id and reason, one for each row, file or record: `done`, `new` (not in the results), `changed`
        (its file, record or measured property differs), `removed` (in the results alone), `waiting` (its surfaces are
        missing or of other settings), `failed`, `remarked` (done, with remarks, which are the reason), `rejected`,
        `filtered`.
    """
    known = {row["structure_id"]: row for row in _read_table(folder / "targets.csv")}
    records = _read_records(folder / "surfaces")
    made = (folder / "structures.h5").stat().st_mtime if (folder / "structures.h5").exists() else 0.0
    changed = _changed(plan.entries, folder / "structures.h5")
    old = {entry.source for entry in plan.entries if entry.path is None or entry.path.stat().st_mtime <= made}
    late = [row for row in _read_table(folder / "rejected.csv") if row["source"] in old]  # what only pymatgen could see
    faulty = {row["structure_id"] for row in late if row["structure_id"] not in known}
    states = [
        _structure_state(
            entry, known.get(entry.structure_id), records.get(entry.structure_id), changed.get(entry.structure_id, "")
        )
        for entry in plan.entries
        if entry.structure_id not in faulty
    ]
    names = {entry.structure_id for entry in plan.entries}
    states = _with_settings(states, [name for name in known if name not in names], folder / "surfaces", pending)
    states += [("removed", name, "no longer in the input") for name in known if name not in names]
    faults = [rejection for rejection in plan.rejections if rejection.stage != "filter"]
    rejected = {r.source: (r.structure_id, f"{r.source}{PLACE}{r.reason}; {r.remedy}") for r in faults}
    states += [("filtered", r.structure_id, f"{r.source}{PLACE}{r.reason}") for r in plan.rejections if r not in faults]
    rejected |= {
        row["source"]: (row["structure_id"], f"{row['source']}{PLACE}{row['reason']}; {row['remedy']}") for row in late
    }
    return states + [("rejected", *text) for text in rejected.values()]


def _with_settings(
    states: list[tuple[str, str, str]], removed: Sequence[str], surfaces: Path, pending: Collection[str]
) -> list[tuple[str, str, str]]:
    """Have structures wait whose batches are to be computed though nothing in them changed: for the settings did."""
    batches = {Path(path).stem for path in pending if Path(path).parent == surfaces}
    if not batches:
        return states
    total = next(filter(None, map(batches_of, batches)), None)
    of = {name: batch_of(name, total) for name in [*(name for _, name, _ in states), *removed]}
    explained = {of[name] for name in removed} | {of[name] for state, name, _ in states if state in UNMADE}
    if batches <= explained:
        return states
    return [
        ("waiting", name, "surfaces or fingerprints of other settings")
        if state not in UNMADE and of[name] in batches
        else one
        for one in states
        for state, name, _ in [one]
    ]


def _changed(entries: Iterable[Entry], structures: Path) -> dict[str, str]:
    """Say of the structures whose file, or record in it, is not that of the results that it has changed."""
    of_files = [entry for entry in entries if entry.path is not None]
    if not of_files or not structures.exists():
        return {}
    from hirshprint.structures.structure import read_digests  # not needed by those that only sum up a run

    known = read_digests(structures)
    return {
        entry.structure_id: f"{entry.source} is another crystal than in the results"
        for entry in of_files
        if known.get(entry.structure_id) != origin_digest(entry)
    }


def _structure_state(
    entry: Entry, known: Mapping[str, str] | None, record: Mapping[str, Any] | None, change: str
) -> tuple[str, str, str]:
    name, remarks = entry.structure_id, (known or {}).get("remarks") or ""
    if known is None:
        return "new", name, entry.source
    if change:
        return "changed", name, change
    if entry.target is not None and known["value"] and float(known["value"]) != entry.target:
        return "changed", name, f"measured property {known['value']} is now {entry.target}"
    if record is None:
        return "waiting", name, "no surfaces yet"
    if record["status"] == "failed":
        return "failed", name, failure_text(f"{entry.source}: {record['reason']}", remarks)
    return (REMARKED, name, remarks) if remarks else ("done", name, "")


def _read_table(path: Path) -> list[dict[str, str]]:
    return read_rows(path) if path.exists() else []


def _read_records(folder: Path) -> dict[str, dict[str, Any]]:
    """Read the newest record of every structure."""
    records: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.glob("*.npz"), key=lambda path: path.stat().st_mtime):
        records |= read_status(path)
    return records
