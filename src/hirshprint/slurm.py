"""The jobs that a run of the workflow in a folder has on a SLURM cluster (light; SLURM's own commands do the work)."""

from __future__ import annotations

import getpass
import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

COMMAND_SECONDS = 60.0  # for an answer of the controller
END_SECONDS = 120.0  # for cancelled jobs to be gone; clusters give them some 30 s to end by themselves
RUN_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")  # what Snakemake's SLURM plugin calls its jobs


class SlurmError(RuntimeError):
    """The cluster does not answer or does not obey; the message says what to do."""


@dataclass(frozen=True)
class SlurmJob:
    """A job in the queue: its id, state, and what it computes (rule and wildcards)."""

    job_id: str
    state: str
    what: str


def has_slurm() -> bool:
    """Say whether this machine has SLURM's commands."""
    return shutil.which("squeue") is not None


def folder_jobs(folder: Path) -> list[SlurmJob]:
    """List this user's jobs that Snakemake submitted from a folder and that have not ended.

    Other jobs of the folder are not listed, nor the one that this process itself may run in.

    Raises
    ------
    SlurmError
        If the controller does not answer.
    """
    output = _call("squeue", "--noheader", "--user", getpass.getuser(), "--format", "%i|%T|%j|%k|%Z")
    jobs = []
    for line in output.splitlines():
        job_id, state, name, comment, place = line.split("|", 4)
        submitted = RUN_ID.search(name) and comment.startswith("rule_")
        if submitted and Path(place).resolve() == folder.resolve():
            jobs.append(SlurmJob(job_id, state, comment.removeprefix("rule_").replace("_wildcards_", " ", 1)))
    return jobs


def cancel(jobs: list[SlurmJob], folder: Path) -> None:
    """Cancel jobs of a folder and wait until they are gone.

    Raises
    ------
    SlurmError
        If they are still there after END_SECONDS.
    """
    for first in range(0, len(jobs), 500):  # a command line has an end
        _call("scancel", *(job.job_id for job in jobs[first : first + 500]))
    ids = {job.job_id for job in jobs}
    until = time.monotonic() + END_SECONDS
    while left := sorted(ids & {job.job_id for job in folder_jobs(folder)}):
        if time.monotonic() > until:
            raise SlurmError(
                f"SLURM has not yet ended the cancelled jobs {', '.join(left)}; recover again in a minute."
            )
        time.sleep(1)


def _call(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=True)
    except subprocess.TimeoutExpired:
        raise SlurmError(f"{command[0]} has not answered for {COMMAND_SECONDS:.0f} s; try again later.") from None
    except subprocess.CalledProcessError as error:
        raise SlurmError(f"{command[0]} failed: {error.stderr.strip()}") from None
    return done.stdout
