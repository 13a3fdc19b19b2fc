"""What goes wrong on clusters: nothing good is lost, the results are complete and right in the end."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from projects import Project, make_project
from slurm_site import (
    BATCHES,
    PROFILE,
    UNTIL,
    SlurmSite,
    assert_same_fingerprints,
    plan_faults,
    taken_faults,
    wait_until,
)


def test_memory_time_cancelled_job_controller_and_node(site: SlurmSite, undisturbed: Project, tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", rows=12, config=BATCHES)
    plan_faults(project, "memory-1", "sleep-1", "sleep-2", "sleep-3")
    limits = ("--set-resources", "surface:mem_mb=600*attempt", "surface:runtime=attempt")
    head = site.start(project, *UNTIL, *limits)
    wait_until(lambda: len(taken_faults(project)) == 4, "jobs to suffer their faults")
    site.query("scancel", taken_faults(project)["sleep-1"])
    memory = taken_faults(project)["memory-1"]
    wait_until(lambda: {job.job_id: job.state for job in site.jobs(project.folder)}[memory] == "FAILED", "its end")
    site.control("restart-controller")
    site.control("kill-node")
    site.control("start-node")
    output = site.finish(project, head)

    states = {job.job_id: job.state for job in site.jobs(project.folder)}
    taken = taken_faults(project)
    assert states[taken["sleep-1"]] == "CANCELLED"
    assert {states[taken["sleep-2"]], states[taken["sleep-3"]]} == {"TIMEOUT"}
    surface = [job for job in site.jobs(project.folder) if job.what.startswith("rule_surface")]
    again = [job for job in surface if Counter(j.what for j in surface)[job.what] > 1]
    assert Counter(job.memory for job in again) == {"600M": 4, "1200M": 4}
    assert Counter(job.limit for job in again) == {"1:00": 4, "2:00": 4}
    assert "not done" not in output
    assert_same_fingerprints(project, undisturbed)


def test_killed_head_leaves_jobs_that_recover_ends(site: SlurmSite, undisturbed: Project, tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", rows=12, config=BATCHES)
    plan_faults(project, "sleep-1", "sleep-2")
    head = site.start(project, *UNTIL, "--slurm-logdir", "elsewhere")
    surfaces = project.folder / "results/small/surfaces"
    jobs = len(list((undisturbed.folder / "results/small/surfaces").glob("*.npz")))

    def running() -> list[str]:
        return [job.job_id for job in site.jobs(project.folder) if job.state in {"RUNNING", "PENDING", "COMPLETING"}]

    wait_until(lambda: len(list(surfaces.glob("*.npz"))) == jobs - 2 and len(running()) == 2, "the other jobs")
    log = project.folder / "run.log"
    wait_until(lambda: log.read_text().count("(Rule: surface)") == jobs - 2, "the head to know of them")
    assert len(taken_faults(project)) == 2
    alive = site.hirshprint(project, "recover")
    assert alive.returncode == 1
    assert "a run is under way" in alive.stderr
    head.send_signal(signal.SIGKILL)
    head.wait()
    saved = shutil.move(project.folder / ".snakemake/hirshprint-head.json", tmp_path)
    shutil.rmtree(project.folder / ".snakemake/locks")  # as Snakemake's message advises
    assert "SLURM has 2 jobs of an earlier run in this folder" in site.run(project, *UNTIL, fails=True)
    shutil.move(saved, project.folder / ".snakemake")
    done = site.hirshprint(project, "recover")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("cancelled SLURM job") == 2
    assert "same command" in done.stderr
    assert running() == []
    finished = {path: path.stat().st_mtime_ns for path in surfaces.glob("*.npz")}
    site.run(project, *UNTIL)
    assert_same_fingerprints(project, undisturbed)
    assert {path: path.stat().st_mtime_ns for path in finished} == finished
    assert site.hirshprint(project, "recover").stderr == ""


def test_a_partition_that_is_not_there(site: SlurmSite, tmp_path: Path) -> None:
    """One sentence for all jobs, at once, and the work that SLURM takes is done."""
    project = make_project(tmp_path / "project", rows=12, config=BATCHES)
    output = site.run(project, *UNTIL, "--set-resources", "surface:slurm_partition=nope", fails=True)
    (line,) = [line for line in output.splitlines() if line.startswith("SLURM does not take")]
    assert line.startswith("SLURM does not take a job for its partition nope: there is no such partition")
    assert line.endswith(f"Correct slurm_partition in {PROFILE / 'config.yaml'}.")
    assert "sbatch" not in output
    assert "SLURM account" not in output
    assert "Trying to restart" not in output
    assert site.jobs(project.folder) == []


def test_lost_node(site: SlurmSite, undisturbed: Project, tmp_path: Path) -> None:
    """SLURM starts the job anew when the node is back; the run waits for it."""
    project = make_project(tmp_path / "project", rows=12, config=BATCHES | {"surfaces": {"mesh_level": 8}})
    plan_faults(project, "sleep-1")
    head = site.start(project, *UNTIL)
    wait_until(lambda: len(taken_faults(project)) == 1, "the job")
    site.control("lose-node")
    site.control("start-node")
    lost = taken_faults(project)["sleep-1"]
    site.query("scontrol", "update", f"JobId={lost}", "StartTime=now")  # SLURM would wait for two minutes
    output = site.finish(project, head)
    assert "12 structures computed" in output
    assert_same_fingerprints(project, undisturbed)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of its own of 40 kB."""
    folder = tmp_path / "project/results/small/surfaces"
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=40k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("a small disk cannot be mounted here (root only)")
    (folder / "README").touch()  # Snakemake removes folders that are empty
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_full_disk(site: SlurmSite, undisturbed: Project, tmp_path: Path, small_disk: Path) -> None:
    project = make_project(tmp_path / "project", rows=12, config=BATCHES | {"surfaces": {"mesh_level": 8}})
    output = site.run(project, *UNTIL, fails=True)
    assert "not done" in output
    assert "snakemake" in output.rsplit("then again:", 1)[1]
    log = next(project.folder.glob("logs/small/surface/*.log"))
    assert "results/small/surfaces is full, or your quota there is used up: make room" in log.read_text()
    subprocess.run(["mount", "-o", "remount,size=40M", str(small_disk)], check=True)
    site.run(project, *UNTIL)
    assert "12 reused, 0 failed" in log.read_text()
    assert_same_fingerprints(project, undisturbed)
