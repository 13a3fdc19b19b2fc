"""What a run was: its settings, versions and digests, for the page."""

from __future__ import annotations

import subprocess
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
    "plotly",
)


def describe_run(
    config: Mapping[str, Any], engine: str, source: Path, digests: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    """Gather what a run was.

    Parameters
    ----------
    config : mapping
        The resolved configuration.
    engine : str
        Program that made the surfaces.
    source : Path
        Folder of the workflow.
    digests : mapping of str to mapping of str to str
        For each dataset, digests of its tables and of what determines its stages.

    Returns
    -------
    dict
        ``title``, ``config``, ``versions`` and ``engine``; ``commit`` of the workflow; ``digests``, dicts with
        ``dataset``, ``of`` and ``digest``.
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
