"""SLURM's controller goes away, or forgets jobs: no run waits for ever, no job is done twice, no result is lost."""

from __future__ import annotations

import os
import re
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from projects import Project, make_project
from slurm_site import BATCHES, UNTIL, SlurmSite, assert_same_fingerprints, plan_faults, taken_faults, wait_until

JOBS = 6  # batches of the twelve rows
STAGES = ("submitting", "waiting", "running", "ending")
LONG = os.environ.get("HIRSHPRINT_OUTAGES", "")  # "10 35 75 200": outages of so many seconds at every stage; takes long
OUTAGES = [(stage, int(seconds)) for seconds in LONG.split() for stage in STAGES] or [("ending", 35)]


@pytest.fixture
def forgetful(site: SlurmSite) -> Iterator[SlurmSite]:
    """The cluster, forgetting jobs 30 s after their end."""
    site.control("forget-soon")
    yield site
    site.control("forget-late")


def _held(site: SlurmSite, project: Project) -> None:
    """Wait until all jobs run, each held by its fault."""
    wait_until(lambda: len(taken_faults(project)) == JOBS, "all jobs to run")


def _surfaces(project: Project) -> list[Path]:
    return list((project.folder / "results/small/surfaces").glob("batch*.npz"))


def _assert_nothing_twice(output: str) -> None:
    assert output.count("is SLURM job") == JOBS + 1 + output.count("; submitted again"), output
    assert "Trying to restart" not in output
    assert "Error in rule" not in output
    assert output.count("does not answer") <= output.count("answers again") + 1 <= 2, output


@pytest.mark.parametrize(("stage", "seconds"), OUTAGES)
def test_controller_away(site: SlurmSite, undisturbed: Project, tmp_path: Path, stage: str, seconds: int) -> None:
    project = make_project(tmp_path / "project", rows=12, config=BATCHES)
    plan_faults(project, *(f"hold-{i}" for i in range(JOBS) if stage in ("running", "ending")))
    if stage == "waiting":
        site.query("scontrol", "update", "PartitionName=cpu", "State=DOWN")
    slowly = ("--max-jobs-per-timespan", "1/3s") if stage == "submitting" else ()
    head = site.start(project, *UNTIL, *slowly)
    if stage in ("running", "ending"):
        _held(site, project)
    else:
        count = 1 if stage == "submitting" else JOBS
        wait_until(lambda: len(site.jobs(project.folder)) >= count, "jobs to be submitted")
    site.control("stop-controller")
    if stage == "ending":
        (project.folder / "faults/go").touch()
        wait_until(lambda: len(_surfaces(project)) == JOBS, "the surfaces")
    time.sleep(seconds)
    site.control("start-controller")
    if stage == "waiting":
        site.query("scontrol", "update", "PartitionName=cpu", "State=UP")
    if stage == "running":
        (project.folder / "faults/go").touch()
    output = site.finish(project, head)
    _assert_nothing_twice(output)
    assert_same_fingerprints(project, undisturbed)
    # A job that ended without a controller is RUNNING to SLURM until its node tells of the end once more. By its sign
    # the run has known better for long, and may end before.
    wait_until(lambda: not any(job.state == "RUNNING" for job in site.jobs(project.folder)), "the ends told late", 120)
    jobs = site.jobs(project.folder)
    good = Counter(job.what for job in jobs if job.state in ("COMPLETED", "COMPLETING"))
    assert sorted(good.values()) == [1] * (JOBS + 1), jobs


def test_forgotten_jobs_and_a_suspended_head(forgetful: SlurmSite, undisturbed: Project, tmp_path: Path) -> None:
    """Good jobs are known by the signs that they left, a failed one by the lack of its sign."""
    project = make_project(tmp_path / "project", rows=12, config=BATCHES)
    plan_faults(project, "exit-1", *(f"hold-{i}" for i in range(JOBS - 1)))
    head = forgetful.start(project, *UNTIL, "--latency-wait", "5")
    _held(forgetful, project)
    head.send_signal(signal.SIGSTOP)
    (project.folder / "faults/go").touch()
    wait_until(
        lambda: len(_surfaces(project)) == JOBS - 1 and not forgetful.jobs(project.folder), "SLURM to forget", 180
    )
    head.send_signal(signal.SIGCONT)
    output = forgetful.finish(project, head)
    assert output.count("SLURM no longer knows job") == 1
    assert output.count("Trying to restart") == 1
    assert output.count("is SLURM job") == JOBS + 2
    assert_same_fingerprints(project, undisturbed)


def test_ctrl_c_while_the_controller_is_away(site: SlurmSite, undisturbed: Project, tmp_path: Path) -> None:
    """The run ends soon and says that jobs are left; the next one does not start beside them."""
    project = make_project(tmp_path / "project", rows=12, config=BATCHES)
    plan_faults(project, "hold-1", "hold-2")
    head = site.start(project, *UNTIL)
    wait_until(lambda: len(taken_faults(project)) == 2 and len(_surfaces(project)) == JOBS - 2, "the other jobs")
    site.control("stop-controller")
    head.send_signal(signal.SIGINT)
    output = site.finish(project, head, fails=True, seconds=300)
    assert output.count("jobs of this run may still be there. Give `hirshprint recover`") == 1
    site.control("start-controller")
    output = site.run(project, *UNTIL, fails=True)
    assert re.search(r"SLURM has [0-9]+ jobs of an earlier run in this folder", output), output
    done = site.hirshprint(project, "recover")
    assert done.stderr.count("cancelled SLURM job") >= 2, done.stderr
    site.run(project, *UNTIL)
    assert_same_fingerprints(project, undisturbed)
