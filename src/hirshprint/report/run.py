"""What a run was: its settings, versions and cost, for the report."""

from __future__ import annotations

import csv
import json
import subprocess
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd

from hirshprint import __version__

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


def read_stages(benchmarks: Path, datasets: Iterable[str]) -> list[dict[str, Any]]:
    """Read what each stage cost: jobs, wall and processor seconds in all, largest memory in MB.

    They are those of the last time that each job ran; a job that found its results in the cache counts as it went.
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
            rows = [row for path in files if path.exists() for row in _read_benchmark(path)]
            if rows:
                memory = [_number(row["max_rss"]) for row in rows]
                stages.append(
                    {
                        "rule": rule,
                        "dataset": dataset,
                        "jobs": len(rows),
                        "seconds": sum(_number(row["s"]) or 0.0 for row in rows),
                        "cpu_seconds": sum(_number(row["cpu_time"]) or 0.0 for row in rows),
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
    for stage in read_stages(benchmarks, datasets):
        cards = (results / stage["dataset"] / "models").glob("*-fold*.json") if stage["rule"] == "train" else ()
        read = [json.loads(path.read_text(encoding="utf-8")) for path in cards]
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


def _read_benchmark(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def _number(text: str) -> float | None:
    """Read a figure; short jobs have none, written as - or NA."""
    try:
        return float(text)
    except ValueError:
        return None
