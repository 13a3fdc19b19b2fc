"""The workflow through `--profile slurm`, as a user runs it, gives what it gives on one machine."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from projects import ROOT, SMALL, make_project
from slurm_site import SlurmSite

NOT_IN_A_CLONE = (".*", "results", "cache", "logs", "__pycache__", "*.egg-info")
EQUAL_THREADS = ("--set-threads", "train=2")
KEYS = ("model", "split", "fold", "seed", "part", "structure_id", "compound")


def _clone(folder: Path) -> Path:
    """Copy what a fresh clone has; the environment that `make env` would make is linked."""
    if not (ROOT / ".venv-densities/bin/python").exists():
        pytest.skip("the environment .venv-densities (make env) is not there")
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*NOT_IN_A_CLONE), symlinks=True)
    (folder / ".venv-densities").symlink_to(ROOT / ".venv-densities")
    return folder


def _snakemake(folder: Path, environment: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "-m", "snakemake", "--configfile", "config/ci.yaml", *EQUAL_THREADS, *arguments]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def _predictions(folder: Path) -> dict[tuple[str, ...], float]:
    with (folder / "results/experimental/predictions.csv").open(newline="", encoding="utf-8") as file:
        return {tuple(row[key] for key in KEYS): float(row["predicted"]) for row in csv.DictReader(file)}


def test_default_dataset_on_slurm_equals_the_local_run(site: SlurmSite, tmp_path: Path) -> None:
    """The literal command, in a path with a space, with a home that nobody can write to."""
    there = _clone(tmp_path / "on a cluster")
    home = {"HOME": "/proc/home", "XDG_CACHE_HOME": str(tmp_path / "user cache")}
    status_checks = ("--slurm-init-seconds-before-status-checks", "3")
    output = _snakemake(there, site.environment(**home), "--profile", "slurm", *status_checks)
    assert "training on CPU" in (there / "logs/experimental/train.log").read_text()
    assert output.rstrip().endswith("results/report.html")
    assert "used of asked" in output
    jobs = {job.what.removeprefix("rule_").split("_wildcards")[0]: job for job in site.jobs(there)}
    others = {"saliency", "contact_saliency"}
    assert set(jobs) == {"surface", "fingerprints", "train", "baselines"} | others  # the rest ran beside the head
    assert {name: (job.partition, job.gpus) for name, job in jobs.items()} == {
        "surface": ("cpu", "N/A"),
        "fingerprints": ("cpu", "N/A"),
        "baselines": ("cpu", "N/A"),
        "train": ("gpu", "gres:gpu:1"),
        "saliency": ("cpu", "N/A"),
        "contact_saliency": ("cpu", "N/A"),
    }
    assert all(job.state == "COMPLETED" for job in site.jobs(there))

    here = _clone(tmp_path / "local")
    _snakemake(here, {**os.environ}, "--profile", "profiles/local", "--cores", "2")
    with (
        h5py.File(here / "results/experimental/fingerprints.h5") as one,
        h5py.File(there / "results/experimental/fingerprints.h5") as two,
    ):
        for name in ("ids", "counts", "in_range_fraction", "site_area_angstrom2"):
            assert np.array_equal(one[name][:], two[name][:]), name
    local, slurm = _predictions(here), _predictions(there)
    assert list(local) == list(slurm)
    assert max(abs(local[key] - slurm[key]) for key in local) < 1e-6


def test_no_gpu_and_one_job_at_a_time(site: SlurmSite, tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", rows=8)
    project.configure(
        learning=SMALL["learning"] | {"gpus": 0, "networks": ["cnn_paper_small"]}, surfaces={"mesh_level": 8}
    )
    output = site.run(project, "--jobs", "1", "--set-resources", "train:slurm_partition=cpu")
    assert output.rstrip().endswith("results/report.html")
    jobs = {job.what.removeprefix("rule_").split("_wildcards")[0]: job for job in site.jobs(project.folder)}
    assert set(jobs) == {"surface", "fingerprints", "train", "baselines", "saliency"}
    assert {(job.partition, job.gpus) for job in jobs.values()} == {("cpu", "N/A")}
