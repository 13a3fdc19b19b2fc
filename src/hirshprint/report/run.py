"""What a run was: its settings, versions and cost, for the report."""

from __future__ import annotations

import csv
import subprocess
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd

from hirshprint import __version__
from hirshprint.files.reading import read_json
from hirshprint.status import earlier_seconds, job_cpu_seconds

PACKAGES = (
    "snakemake",
    "numpy",
    "pymatgen",
    "spglib",
    "numba",
    "h5py",
    "pandas",
    "scikit-learn",
    "tensorflow",
    "keras",
    "plotly",
)


def describe_run(
    config: Mapping[str, Any], engine: str, source: Path, digests: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    """Gather what a run was.

    Parameters
    ----------
    config : the resolved configuration.
    engine : program that made the surfaces.
    source : folder of the workflow.
    digests : for each dataset, digests of its tables and of what determines its stages.

    Returns
    -------
    ``title``, ``config``, ``versions`` and ``engine``; ``commit`` of the workflow; ``digests``, dicts with ``dataset``,
    ``of`` and ``digest``.
    """
    return {
        "title": "Hirshfeld-surface fingerprints: " + ", ".join(config["datasets"]),
        "config": dict(config),
        "versions": installed_versions(),
        "engine": engine,
        "commit": read_commit(source),
        "digests": list_digests(config["datasets"], digests),
    }


def read_commit(source: Path) -> str:
    """Git commit of a folder, with a word if its files differ from it, or that there is none."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(source), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.strip()

    try:
        commit = git("rev-parse", "--short=12", "HEAD")
        return f"{commit} with changes" if git("status", "--porcelain", "--untracked-files=no") else commit
    except (OSError, subprocess.SubprocessError):
        return "unknown (no Git checkout)"


def list_digests(datasets: Iterable[str], digests: Mapping[str, Mapping[str, str]]) -> list[dict[str, str]]:
    """Rows of the table of digests: of each dataset's table of compounds or targets, then of its stages."""
    return [
        {"dataset": name, "of": what, "digest": value} for name in datasets for what, value in digests[name].items()
    ]


def installed_versions() -> dict[str, str]:
    """Versions of this package and of those that its results depend on."""
    found = {"hirshprint": __version__}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # an environment of its own, which this stage does not see
            found[package] = "not in this environment"
    return found


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
    One row per dataset and stage: dataset, stage, jobs, wall_seconds, cpu_seconds, gpu_seconds (training alone; 0 where
    it ran on the CPU), peak_memory_mb.
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
