"""What a run cost: time and memory of its jobs, stage by stage."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from hirshprint.files.reading import read_json
from hirshprint.status import earlier_seconds, job_cpu_seconds


def read_stages(benchmarks: Path, results: Path, datasets: Iterable[str]) -> list[dict[str, Any]]:
    """Read what each stage cost: jobs, wall and processor seconds in all, largest memory in MB.

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
        One row per dataset and stage: dataset, stage, jobs, wall_seconds, cpu_seconds, gpu_seconds (training alone; 0
        where it ran on the CPU), peak_memory_mb.
    """
    rows = []
    for stage in read_stages(benchmarks, results, datasets):
        folder = results / stage["dataset"] / "models"
        cards = folder.glob("*-fold*.json") if stage["rule"] == "train" else ()
        read = [read_json(path, ("seconds", "device"), unit=folder) for path in cards]
        rows.append(
            {
                "dataset": stage["dataset"],
                "stage": stage["rule"],
                "jobs": stage["jobs"],
                "wall_seconds": stage["seconds"],
                "cpu_seconds": stage["cpu_seconds"],
                "gpu_seconds": sum(card["seconds"] for card in read if card["device"].startswith("GPU")),
                "peak_memory_mb": stage["peak_memory_mb"],
            }
        )
    columns = ["dataset", "stage", "jobs", "wall_seconds", "cpu_seconds", "gpu_seconds", "peak_memory_mb"]
    return pd.DataFrame(rows, columns=columns)


def _read_job(benchmark: Path, batches: Path | None) -> list[dict[str, Any]]:
    """Read what a job used: seconds, cpu_seconds and memory (MB), which may be None; none where that cannot be read."""
    with benchmark.open(newline="", encoding="utf-8", errors="replace") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    seconds = _number(rows[-1].get("s")) if rows else None
    if seconds is None:
        return []
    batch = batches / f"{benchmark.stem}.npz" if batches else None
    cpu = job_cpu_seconds(benchmark, batch)
    return [
        {
            "seconds": seconds + (earlier_seconds(batch) if batch else 0.0),
            "cpu_seconds": cpu if cpu is not None else _number(rows[-1].get("cpu_time")) or 0.0,
            "memory": _number(rows[-1].get("max_rss")),
        }
    ]


def _number(text: str | None) -> float | None:
    """Read a figure; short jobs have none, written as - or NA."""
    try:
        return float(text or "")
    except ValueError:
        return None
