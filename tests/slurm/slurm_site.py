"""Runs of the workflow on the one-node cluster, and what SLURM says of their jobs."""

from __future__ import annotations

import getpass
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from projects import ROOT, Project, environment

CLUSTER = ROOT / "tests/slurm/cluster"
PROFILE = ROOT / "profiles/slurm"
HOOKS = ROOT / "tests/slurm/hooks"
BATCHES: dict[str, Any] = {
    "datasets": {"small": {"table": "table.csv"}},
    "surfaces": {"structures_per_job": 2, "mesh_level": 8},
}
UNTIL = ("--until", "fingerprints")
QUICK = ("--slurm-init-seconds-before-status-checks", "3")


@dataclass(frozen=True)
class SlurmJob:
    """What SLURM says of a job: gpus as `gres:gpu:1` or `N/A`, memory as `500M`, limit as `1:00`."""

    job_id: str
    state: str
    what: str
    partition: str
    gpus: str
    memory: str
    limit: str


@dataclass(frozen=True)
class SlurmSite:
    """A running cluster, known by its folder."""

    folder: Path
    heads: list[subprocess.Popen[str]] = field(default_factory=list)

    def end_heads(self) -> None:
        """End what a failed test has left: the head processes and their jobs."""
        for head in self.heads:
            head.kill()
            head.wait()
        self.heads.clear()
        try:
            self.query("scancel", "--user", getpass.getuser())
        except subprocess.SubprocessError:  # a test that failed has left the controller stopped
            self.control("start-controller")
            self.query("scancel", "--user", getpass.getuser())

    def control(self, action: str) -> None:
        """Start or stop the cluster or a part of it."""
        done = subprocess.run(
            [str(CLUSTER), action, str(self.folder)], capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def environment(self, **changes: str) -> dict[str, str]:
        """Environment in which SLURM's commands find this cluster, and jobs their faults (see hooks)."""
        site = {
            "SLURM_CONF": str(self.folder / "slurm.conf"),
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "PYTHONPATH": str(HOOKS),
        }
        return environment(**(site | changes))

    def start(self, project: Project, *arguments: str) -> subprocess.Popen[str]:
        """Start a run through the profile; its output goes to run.log."""
        command = project.command("--profile", str(PROFILE), *QUICK, *arguments)
        with (project.folder / "run.log").open("w") as log:
            self.heads.append(
                subprocess.Popen(command, cwd=project.folder, env=self.environment(), stdout=log, stderr=log, text=True)
            )
        return self.heads[-1]

    def run(self, project: Project, *arguments: str, fails: bool = False, seconds: float = 900) -> str:
        """Run through the profile to the end; return what it printed."""
        return self.finish(project, self.start(project, *arguments), fails, seconds)

    def finish(self, project: Project, head: subprocess.Popen[str], fails: bool = False, seconds: float = 900) -> str:
        """Wait for the end of a run, and no longer than `seconds`; return what it printed."""
        try:
            code = head.wait(seconds)
        except subprocess.TimeoutExpired:
            head.kill()
            head.wait()
            code = None
        output = (project.folder / "run.log").read_text()
        assert code is not None, f"the run did not end within {seconds} s:\n{output}"
        assert (code != 0) == fails, output
        return output

    def query(self, *command: str) -> str:
        """Ask SLURM."""
        done = subprocess.run(command, env=self.environment(), capture_output=True, text=True, timeout=60, check=True)
        return done.stdout

    def jobs(self, folder: Path) -> list[SlurmJob]:
        """All jobs of a folder that SLURM remembers."""
        fields = "JobID:_,WorkDir:_,State:_,Comment:_,Partition:_,tres-per-job:_,MinMemory:_,TimeLimit:_"
        width = 400
        lines = self.query(
            "squeue", "--states=all", "--noheader", "--Format", fields.replace("_", str(width))
        ).splitlines()
        rows = [[line[i : i + width].strip() for i in range(0, len(line), width)] for line in lines]
        return [SlurmJob(row[0], *row[2:]) for row in rows if row[1] == str(folder)]

    def hirshprint(self, project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command hirshprint in a project's folder."""
        return subprocess.run(
            [sys.executable, "-m", "hirshprint.cli", *arguments],
            cwd=project.folder,
            env=self.environment(PYTHONPATH=str(ROOT / "src")),
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )


def wait_until(ready: Callable[[], bool], what: str, seconds: float = 400) -> None:
    """Wait for something, but not for ever."""
    until = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < until, f"waited {seconds} s for {what}"
        time.sleep(0.2)


def plan_faults(project: Project, *faults: str) -> None:
    """Let surface jobs suffer faults, each once (see hooks)."""
    (project.folder / "faults/taken").mkdir(parents=True, exist_ok=True)
    for fault in faults:
        (project.folder / "faults" / fault).touch()


def taken_faults(project: Project) -> dict[str, str]:
    """SLURM job of each fault that has struck."""
    names = [path.name.split("-", 1) for path in (project.folder / "faults/taken").iterdir()]
    return {fault: job for job, fault in names}


def assert_same_fingerprints(project: Project, other: Project) -> None:
    """Compare the fingerprints of two runs, bit for bit."""
    with (
        h5py.File(project.folder / "results/small/fingerprints.h5") as one,
        h5py.File(other.folder / "results/small/fingerprints.h5") as two,
    ):
        assert list(one["ids"][:]) == list(two["ids"][:])
        assert np.array_equal(one["counts"][:], two["counts"][:])
