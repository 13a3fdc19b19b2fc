"""What a run cost: time and memory of its jobs, stage by stage."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from hirshprint.files.reading import check_table, read_json, reading
from hirshprint.status import computed_structures, earlier_seconds, job_cpu_seconds
from hirshprint.words import core_hours, duration

ALL = "all stages"
TIMES = ["clock_seconds", "wall_seconds", "cpu_seconds", "gpu_seconds"]


def read_stages(benchmarks: Path, results: Path, datasets: Iterable[str]) -> list[dict[str, Any]]:
    """Read what each stage cost: jobs, structures computed, wall and processor seconds, largest memory in MB, `spans`.

    Spans are the times at which each job began and ended; where jobs ran side by side they overlap.

    They are those of the last time that each job ran; a job that found its results in the cache counts as it went. Of
    a job of surfaces all attempts count, of other jobs the last one, for nothing is left of the others. CPU seconds are
    those that a job counted itself, programs that it ran included; else those of the benchmark.
    """
    stages = []
    for dataset in datasets:
        for rule in (
            "structures",
            "surface",
            "compare_engines",
            "fingerprints",
            "train",
            "baselines",
            "evaluate",
            "fingerprint_figures",
            "learning_figures",
            "shown_surfaces",
            "predict",
        ):
            folder = benchmarks / dataset
            files = sorted((folder / rule).glob("*.tsv")) if rule == "surface" else [folder / f"{rule}.tsv"]
            batches = results / dataset / "surfaces" if rule == "surface" else None
            rows = [row for path in files if path.exists() for row in _read_job(path, batches)]
            if rows:
                memory = [row["memory"] for row in rows]
                stages.append(
                    {
                        "rule": rule,
                        "dataset": dataset,
                        "jobs": len(rows),
                        "structures": sum(row["structures"] for row in rows) if rule == "surface" else None,
                        "spans": [row["span"] for row in rows],
                        "seconds": sum(row["seconds"] for row in rows),
                        "cpu_seconds": sum(row["cpu_seconds"] for row in rows),
                        "peak_memory_mb": max((value for value in memory if value is not None), default=None),
                    }
                )
    return stages


def cost_table(benchmarks: Path, results: Path, datasets: Iterable[str]) -> pd.DataFrame:
    """Cost of each stage of a run.

    Returns
    -------
    DataFrame
        One row per dataset and stage, then one of all together (its dataset is empty, its stage `ALL`): dataset, stage,
        jobs, structures (surfaces alone: those computed, not found in the cache), clock_seconds (in which at least one
        of the jobs ran), wall_seconds (the sum over jobs), cpu_seconds, gpu_seconds (training alone; 0 where it ran on
        the CPU), peak_memory_mb.
    """
    stages = read_stages(benchmarks, results, datasets)
    rows: list[dict[str, Any]] = []
    for stage in stages:
        folder = results / stage["dataset"] / "models"
        cards = folder.glob("*-fold*.json") if stage["rule"] == "train" else ()
        read = [read_json(path, ("seconds", "device"), unit=folder) for path in cards]
        rows.append(
            {
                "dataset": stage["dataset"],
                "stage": stage["rule"],
                "jobs": stage["jobs"],
                "structures": stage["structures"],
                "clock_seconds": clock_seconds(stage["spans"]),
                "wall_seconds": stage["seconds"],
                "cpu_seconds": stage["cpu_seconds"],
                "gpu_seconds": sum(card["seconds"] for card in read if card["device"].startswith("GPU")),
                "peak_memory_mb": stage["peak_memory_mb"],
            }
        )
    table = pd.DataFrame(rows, columns=["dataset", "stage", "jobs", "structures", *TIMES, "peak_memory_mb"])
    if rows:
        clock = clock_seconds([span for stage in stages for span in stage["spans"]])
        together = table[["jobs", "structures", *TIMES]].sum().to_dict() | {"dataset": "", "stage": ALL}
        together |= {"clock_seconds": clock, "peak_memory_mb": table["peak_memory_mb"].max()}
        table = pd.concat([table, pd.DataFrame([together])], ignore_index=True)
    return table


def clock_seconds(spans: Iterable[tuple[float, float]]) -> float:
    """Time in which at least one of some spans, each from its begin to its end, went on."""
    total, reached = 0.0, -math.inf
    for begin, end in sorted(spans):
        total += max(0.0, end - max(begin, reached))
        reached = max(reached, end)
    return total


def cost_line(table: pd.DataFrame) -> str:
    """Say in a line what a run took, and what a thousand more structures would take; empty without any jobs.

    Parameters
    ----------
    table : DataFrame
        From `cost_table`.
    """
    if table.empty:
        return ""
    whole = table[table["stage"] == ALL].iloc[0]
    gpu = f" and {duration(whole['gpu_seconds'])} of a GPU" if whole["gpu_seconds"] else ""
    text = f"The jobs behind this report took {duration(whole['clock_seconds'])} by the clock and "
    text += f"{core_hours(whole['cpu_seconds'])}{gpu}"
    computed = table[(table["stage"] == "surface") & (table["structures"] > 0)]
    if computed.empty:
        return f"{text}; all surfaces came from the cache."
    thousand = 1000 * computed["cpu_seconds"].sum() / computed["structures"].sum()
    return f"{text}; the surfaces of a thousand more structures like these would take about {core_hours(thousand)}."


def read_cost_line(path: Path) -> str:
    """Read a table that `cost_table` made, and say what `cost_line` says of it."""
    check_table(path)
    with reading(path):
        return cost_line(pd.read_csv(path))


def _read_job(benchmark: Path, batches: Path | None) -> list[dict[str, Any]]:
    """Read what a job used: seconds, cpu_seconds, memory (MB), which may be None, its structures and its span in time.

    There is none where that cannot be read.
    """
    with benchmark.open(newline="", encoding="utf-8", errors="replace") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    seconds = _number(rows[-1].get("s")) if rows else None
    if seconds is None:
        return []
    ended = benchmark.stat().st_mtime
    batch = batches / f"{benchmark.stem}.npz" if batches else None
    cpu = job_cpu_seconds(benchmark, batch)
    return [
        {
            "seconds": seconds + (earlier_seconds(batch) if batch else 0.0),
            "cpu_seconds": cpu if cpu is not None else _number(rows[-1].get("cpu_time")) or 0.0,
            "structures": computed_structures(batch) if batch else 0,
            "span": (ended - seconds, ended),
            "memory": _number(rows[-1].get("max_rss")),
        }
    ]


def _number(text: str | None) -> float | None:
    """Read a figure; short jobs have none, written as - or NA."""
    try:
        return float(text or "")
    except ValueError:
        return None
