"""What a run was: its settings, versions and cost, for the report."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

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
)


def describe_run(config: Mapping[str, Any], benchmarks: Path, engine: str) -> dict[str, Any]:
    """Gather title, configuration, versions, engine and the cost of each stage.

    Parameters
    ----------
    config : the resolved configuration.
    benchmarks : folder of Snakemake's benchmark files.
    engine : program that made the surfaces.
    """
    return {
        "title": "Hirshfeld-surface fingerprints: " + ", ".join(config["datasets"]),
        "config": dict(config),
        "versions": installed_versions(),
        "engine": engine,
        "stages": read_stages(benchmarks, config["datasets"]),
    }


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
    """Read what each stage cost: jobs, wall seconds in all, largest memory in MB.

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
        ):
            folder = benchmarks / dataset
            files = sorted((folder / rule).glob("*.tsv")) if rule == "surface" else [folder / f"{rule}.tsv"]
            rows = [row for path in files if path.exists() for row in _read_benchmark(path)]
            if rows:
                memory = [_number(row["max_rss"]) for row in rows]
                stages.append(
                    {
                        "name": f"{rule} ({dataset})",
                        "jobs": len(rows),
                        "seconds": sum(_number(row["s"]) or 0.0 for row in rows),
                        "max_rss_mb": max((value for value in memory if value is not None), default=None),
                    }
                )
    return stages


def _read_benchmark(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def _number(text: str) -> float | None:
    """Read a figure; short jobs have none, written as - or NA."""
    try:
        return float(text)
    except ValueError:
        return None
