"""What the SLURM executor does with what SLURM says, told by programs in its commands' place."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo
from snakemake_interface_executor_plugins.settings import SharedFSUsage

from hirshprint.run import recover, slurm, slurm_executor, slurm_start

AWAY = "echo 'Unable to contact slurm controller (connect failure)' >&2; exit 1"


class Resources(dict[str, Any]):
    """Resources of a job, as attributes too."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class FakeJob:
    """A job of Snakemake, as far as an executor looks at it."""

    numbers = itertools.count(1)

    def __init__(self, batch: str = "batch0of4", **resources: Any) -> None:
        self.name, self.wildcards, self.threads = "surface", ["small", batch], 1
        self.rule = SimpleNamespace(name="surface")
        self.resources = Resources({"slurm_partition": "cpu", "mem_mb": 500, "runtime": 5} | resources)
        self.attempt, self.restart_times, self.jobid = 1, 2, next(self.numbers)
        self.errors: list[str] = []

    def is_group(self) -> bool:
        return False

    def register(self, external_jobid: str) -> None:
        pass

    def log_error(self, msg: str, **_: Any) -> None:
        self.errors.append(msg)


class Log:
    """Keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str, **_: Any) -> None:
        self.lines.append(text)

    info = warning = error = say

    def debug(self, text: str, **_: Any) -> None:
        pass

    def count(self, words: str) -> int:
        return sum(words in line for line in self.lines)


class Watched(slurm_executor.Executor):  # type: ignore[misc]
    """The executor without its thread: a test asks when it wants."""

    logger: Log

    def _wait_thread(self) -> None:
        pass

    def format_job_exec(self, job: Any) -> str:
        return f"compute {job.wildcards[1]}"

    def submitted(self, job: Any) -> SubmittedJobInfo:
        """Submit a job, and start watching it."""
        self.run_job(job)
        assert not job.errors, job.errors
        info: SubmittedJobInfo = self.active_jobs[-1]
        return info

    def look(self, *jobs: SubmittedJobInfo) -> list[SubmittedJobInfo]:
        """Look after jobs once, SLURM being asked; return those that are still open."""
        self.next_query = 0.0

        async def left() -> list[SubmittedJobInfo]:
            return [info async for info in self.check_active_jobs(list(jobs))]

        return asyncio.run(left())

    def sign(self, info: SubmittedJobInfo) -> None:
        """Do what a job does last."""
        (Path(self.tmpdir) / info.aux["sign"]).touch()

    @property
    def ends(self) -> tuple[list[Any], list[Any]]:
        """Jobs that were reported as done, and as failed."""
        scheduler: Any = self.workflow.scheduler
        return scheduler.done, scheduler.failed


@pytest.fixture
def say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Tells what SLURM's commands do from now on, as lines of shell; their calls and input stand in NAME.calls."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bin").mkdir()
    (tmp_path / ".snakemake").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    monkeypatch.setattr(slurm, "pauses", lambda: itertools.repeat(0.0))

    def tell(**programs: str) -> None:
        for name, text in programs.items():
            path = tmp_path / "bin" / name
            path.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/{name}.calls\n{text}\n')
            path.chmod(0o755)

    submission = "cat >> script; echo $(($(wc -l < sbatch.calls) + 10))"
    tell(sbatch=submission, squeue="cat queue", scancel="", scontrol="exit 1", sacct="exit 1", sacctmgr="exit 1")
    (tmp_path / "queue").touch()
    return tell


def calls(name: str) -> list[str]:
    path = Path(f"{name}.calls")
    return path.read_text().splitlines() if path.exists() else []


def set_queue(*jobs: tuple[SubmittedJobInfo, str]) -> None:
    """Let squeue list jobs in these states."""
    names = [info.aux["sign"].removesuffix(".done") for info, _ in jobs]
    lines = [f"{info.external_jobid}|{state}|{name}|/x" for (info, state), name in zip(jobs, names, strict=True)]
    Path("queue").write_text("".join(line + "\n" for line in ["1|RUNNING|another|/x", *lines]))


@pytest.fixture
def executor(say: Callable[..., None]) -> Watched:
    return make_executor()


def make_executor(**settings: Any) -> Watched:
    scheduler = SimpleNamespace(done=[], failed=[], submit_callback=lambda job: None)
    scheduler.finish_callback, scheduler.error_callback = scheduler.done.append, scheduler.failed.append
    defaults = slurm_executor.plugin.ExecutorSettings(status_command="squeue", init_seconds_before_status_checks=5)
    for name, value in settings.items():
        setattr(defaults, name, value)
    workflow = SimpleNamespace(
        dag=None,
        scheduler=scheduler,
        main_snakefile="Snakefile",
        workdir_init=str(Path.cwd()),
        executor_settings=defaults,
        execution_settings=SimpleNamespace(latency_wait=0),
        storage_settings=SimpleNamespace(shared_fs_usage=SharedFSUsage.all()),
        remote_execution_settings=SimpleNamespace(
            max_status_checks_per_second=1, jobname="{jobid}", jobscript=None, immediate_submit=False
        ),
    )
    return Watched(workflow, Log())


def test_a_job_is_submitted_by_a_readable_name_and_leaves_a_sign(executor: Watched) -> None:
    info = executor.submitted(FakeJob(mem_mb=700, gpu=1, slurm_extra="'--nice=7'"))
    (call,) = calls("sbatch")
    name = info.aux["sign"].removesuffix(".done")
    assert name == f"surface:small:batch0of4:hirshprint-{executor.run}-1"
    assert f"--job-name {name} --output {Path.cwd()}/.snakemake/slurm_logs/rule_surface/small_batch0of4/%j.log" in call
    assert "--comment rule_surface_wildcards_small_batch0of4" in call
    for words in (" -p cpu ", " --mem 700 ", " -t 5 ", " --gpus=1", " --nice=7 ", f" -D {Path.cwd()}"):
        assert words in call
    assert "-A" not in call.split()  # SLURM takes the user's default account
    assert calls("sacct") == calls("sacctmgr") == []
    assert info.external_jobid == "11"
    assert str(info.aux["slurm_logfile"]).endswith("small_batch0of4/11.log")
    folder = Path(executor.tmpdir)
    script = Path("script").read_text()
    assert script == f"#!/bin/sh\ncompute batch0of4 && {{ touch {folder}/{name}.done || true; }}\n"
    assert executor.look(info) == [info]


def test_account_partition_and_cluster_that_are_asked_for(executor: Watched) -> None:
    executor.submitted(FakeJob(slurm_account="mine, other", slurm_partition=None))
    info = executor.submitted(FakeJob(cluster="far"))
    first, second = calls("sbatch")
    assert " -A mine " in first
    assert " -p " not in first
    assert " --clusters far " in second
    set_queue((info, "RUNNING"))
    assert executor.look(info) == [info]
    assert calls("squeue")[-1].endswith("--clusters=far")


def test_what_waits_for_the_controller_is_submitted_once_it_answers(
    executor: Watched, say: Callable[..., None]
) -> None:
    say(sbatch="if [ $(wc -l < sbatch.calls) -lt 3 ]; then sleep 0.3; " + AWAY + "; fi; cat > script; echo 7")
    info = executor.submitted(FakeJob())
    assert info.external_jobid == "7"
    assert len(calls("sbatch")) == 3
    assert executor.logger.count("answers again") == 1
    assert executor.logger.count("does not answer (Unable to contact slurm controller (connect failure))") == 1
    assert executor.ends == ([], [])


def test_a_job_that_arrived_without_an_answer_is_not_submitted_again(
    executor: Watched, say: Callable[..., None]
) -> None:
    name = f"surface:small:batch0of4:hirshprint-{executor.run}-1"
    say(sbatch=f"echo '5|PENDING|{name}|/x' > queue; echo 'sbatch: error: Socket timed out on send/recv' >&2; exit 1")
    say(squeue=f"if [ $(wc -l < squeue.calls) -lt 3 ]; then {AWAY}; fi; cat queue")
    info = executor.submitted(FakeJob())
    assert info.external_jobid == "5"
    assert len(calls("sbatch")) == 1
    assert executor.logger.count("does not answer") == executor.logger.count("answers again") == 1


def test_a_job_whose_id_sbatch_does_not_tell_is_looked_for(executor: Watched, say: Callable[..., None]) -> None:
    name = f"surface:small:batch0of4:hirshprint-{executor.run}-1"
    say(sbatch=f"echo '5|PENDING|{name}|/x' > queue; echo 'Welcome to this cluster'")
    assert executor.submitted(FakeJob()).external_jobid == "5"


def test_a_submission_that_was_answered_too_late_is_cancelled(executor: Watched) -> None:
    info, other = executor.submitted(FakeJob()), executor.submitted(FakeJob())
    set_queue((info, "RUNNING"), (other, "RUNNING"))
    name = info.aux["sign"].removesuffix(".done")
    with Path("queue").open("a") as queue:
        queue.write(f"99|PENDING|{name}|/x\n98|COMPLETED|{name}|/x\n")
    assert executor.look(info, other) == [info, other]
    assert calls("scancel") == ["99"]


def test_what_slurm_never_takes_is_said_once_in_a_sentence(
    executor: Watched, say: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    say(sbatch="echo 'sbatch: error: invalid partition specified: nope' >&2; exit 1")
    jobs = [FakeJob(slurm_partition="nope"), FakeJob("batch1of4", slurm_partition="nope")]
    for job in jobs:
        executor.run_job(job)
    assert executor.ends == ([], jobs)
    assert [job.attempt for job in jobs] == [3, 3]  # of three
    assert [job.errors for job in jobs] == [[], []]
    (line,) = [line for line in executor.logger.lines if "partition" in line]
    assert line.startswith("SLURM does not take a job for its partition nope: there is no such partition (")
    assert "Correct slurm_partition in " in line
    assert "\n" not in line
    assert "compute" not in line


def test_options_that_slurm_extra_may_not_have_are_said_once(executor: Watched) -> None:
    jobs = [FakeJob(slurm_extra="--qos=short"), FakeJob("batch1of4", slurm_extra="--qos=short")]
    for job in jobs:
        executor.run_job(job)
    assert executor.ends == ([], jobs)
    assert executor.logger.count("'slurm_extra'") == 1
    assert calls("sbatch") == []


def test_a_full_queue_is_waited_for(executor: Watched, say: Callable[..., None]) -> None:
    full = "echo 'sbatch: error: QOSMaxSubmitJobPerUserLimit' >&2; exit 1"
    say(sbatch=f"cat > script; if [ $(wc -l < sbatch.calls) -lt 4 ]; then {full}; fi; echo 7")
    assert executor.submitted(FakeJob()).external_jobid == "7"
    assert executor.logger.count("no more of your jobs now (QOSMaxSubmitJobPerUserLimit)") == 1
    assert calls("squeue") == []


def test_an_outage_forgets_no_job_and_signs_are_seen_in_it(executor: Watched, say: Callable[..., None]) -> None:
    infos = [executor.submitted(FakeJob(f"batch{i}of4")) for i in range(3)]
    say(squeue=AWAY)
    assert executor.look(*infos) == infos
    executor.sign(infos[1])
    assert executor.look(*infos) == [infos[0], infos[2]]
    assert executor.look(infos[0], infos[2]) == [infos[0], infos[2]]
    assert executor.ends == ([infos[1].job], [])
    say(squeue="cat queue")
    set_queue((infos[0], "COMPLETED"), (infos[2], "RUNNING"))
    assert executor.look(infos[0], infos[2]) == [infos[2]]
    assert executor.ends == ([infos[1].job, infos[0].job], [])
    assert executor.logger.count("does not answer") == executor.logger.count("answers again") == 1


def test_a_job_that_slurm_no_longer_knows_is_judged_by_its_sign(executor: Watched) -> None:
    good, bad, back = (executor.submitted(FakeJob(f"batch{i}of4")) for i in range(3))
    set_queue()
    executor.sign(good)
    assert executor.look(good, bad, back) == [bad, back]
    set_queue((back, "RUNNING"))
    assert executor.look(bad, back) == [back]
    assert executor.ends == ([good.job], [bad.job])
    assert f"SLURM no longer knows job {bad.external_jobid}" in bad.job.errors[0]
    assert str(bad.aux["slurm_logfile"]) in bad.job.errors[0]
    set_queue()
    assert executor.look(back) == [back]  # the first of two misses in a row


def test_a_sign_may_come_late_from_another_node(executor: Watched) -> None:
    executor.workflow.execution_settings.latency_wait = 3600
    info = executor.submitted(FakeJob())
    set_queue()
    for _ in range(3):
        assert executor.look(info) == [info]
    executor.sign(info)
    assert executor.look(info) == []
    assert executor.ends == ([info.job], [])


@pytest.mark.parametrize("state", ["PENDING", "RUNNING", "COMPLETING", "SUSPENDED", "REQUEUED", "CONFIGURING"])
def test_states_of_jobs_that_go_on(executor: Watched, state: str) -> None:
    info = executor.submitted(FakeJob())
    set_queue((info, state))
    for _ in range(4):
        assert executor.look(info) == [info]


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED", "TIMEOUT", "OUT_OF_MEMORY", "NODE_FAIL", "BOOT_FAIL"])
def test_states_of_jobs_that_failed(executor: Watched, state: str) -> None:
    info = executor.submitted(FakeJob())
    set_queue((info, state))
    assert executor.look(info) == []
    assert executor.ends == ([], [info.job])
    (error,) = info.job.errors
    assert error == f"SLURM job 11 ended as {state}; its log: {info.aux['slurm_logfile']}"


def test_a_job_that_started_without_the_controller_is_submitted_again(executor: Watched) -> None:
    """`srun` in a job needs the controller; its failure is none of the job's attempts, but it has an end."""
    job = FakeJob()
    for _ in range(slurm_executor.AGAIN):
        info = executor.submitted(job)
        info.aux["slurm_logfile"].write_text(
            "srun: error: Unable to confirm allocation for job 1: Unable to contact x\n"
        )
        set_queue((info, "FAILED"))
        assert executor.look(info) == []
        assert executor.ends == ([], [])
        executor._job_submission_executor.shutdown(wait=True)
        executor._job_submission_executor = type(executor._job_submission_executor)(1)
    info = executor.active_jobs[-1]
    assert info.external_jobid == str(10 + len(calls("sbatch")))
    set_queue((info, "RUNNING"))
    assert executor.look(info) == [info]
    info.aux["slurm_logfile"].write_text("srun: error: vm: task 0: Exited with exit code 1\n")
    set_queue((info, "FAILED"))
    assert executor.look(info) == []
    assert executor.ends == ([], [job])


@pytest.mark.parametrize(("state", "requeue"), [("PREEMPTED", False), ("NODE_FAIL", True)])
def test_jobs_that_slurm_may_start_again(say: Callable[..., None], state: str, requeue: bool) -> None:
    executor = make_executor(requeue=requeue)
    info, other = executor.submitted(FakeJob()), executor.submitted(FakeJob())
    set_queue((info, state), (other, state))
    assert executor.look(info, other) == [info, other]
    assert executor.look(info, other) == [info, other]
    set_queue((info, "PENDING"), (other, state))
    assert executor.look(info, other) == [info]
    assert executor.ends == ([], [other.job])
    assert "does not start it again" in other.job.errors[0]


@pytest.mark.parametrize("keep", [False, True])
def test_logs_of_good_jobs_go_unless_they_are_to_stay(say: Callable[..., None], keep: bool) -> None:
    executor = make_executor(keep_successful_logs=keep)
    infos = [executor.submitted(FakeJob()), executor.submitted(FakeJob("batch1of4"))]
    for info in infos:
        info.aux["slurm_logfile"].touch()
    executor.sign(infos[0])
    set_queue((infos[0], "COMPLETING"), (infos[1], "COMPLETED"))
    assert executor.look(*infos) == []
    assert [info.aux["slurm_logfile"].exists() for info in infos] == [keep, keep]


def test_slurm_is_asked_seldom_and_never_less_than_once_a_minute(executor: Watched) -> None:
    info = executor.submitted(FakeJob())
    set_queue((info, "RUNNING"))
    intervals = [executor.interval for _ in range(8) if executor.look(info)]
    assert intervals == [15.0, 25.0, 35.0, 45.0, 55.0, 60.0, 60.0, 60.0]
    executor.sign(info)
    executor.look(info)
    assert executor.interval == 5.0


def test_the_end_of_a_run_cancels_its_jobs_and_what_slurm_took_without_an_answer(
    executor: Watched, say: Callable[..., None]
) -> None:
    info = executor.submitted(FakeJob())
    assert slurm.RUN_FILE.exists()
    late, foreign = f"x:hirshprint-{executor.run}-7", "x:hirshprint-00000000-7"
    Path("queue").write_text(f"70|PENDING|{late}|/x\n71|COMPLETED|{late}|/x\n72|RUNNING|{foreign}|/x\n")
    executor.cancel()
    assert calls("scancel") == [info.external_jobid, "70"]
    assert not slurm.RUN_FILE.exists()
    executor.run_job(FakeJob())  # one that still waited
    assert len(calls("sbatch")) == 1


def test_the_end_of_a_run_while_the_controller_is_away(executor: Watched, say: Callable[..., None]) -> None:
    executor.submitted(FakeJob())
    say(scancel=AWAY, squeue=AWAY)
    executor.cancel()
    assert executor.logger.count("hirshprint recover") == 1
    assert slurm.RUN_FILE.exists()


def test_recover_finds_jobs_whatever_the_log_folder_is(executor: Watched, say: Callable[..., None]) -> None:
    info = executor.submitted(FakeJob())
    name = info.aux["sign"].removesuffix(".done")
    say(squeue="if [ -e scancel.calls ]; then exit 0; fi; cat queue")
    Path("queue").write_text(f"11|RUNNING|{name}|{Path.cwd()}\n")
    assert recover._cancel_slurm_orphans() == [
        "cancelled SLURM job 11 (surface small batch0of4, running), left behind by a killed run"
    ]
    assert calls("scancel") == ["11"]
    assert not slurm.RUN_FILE.exists()
    assert recover._cancel_slurm_orphans() == []


def test_recover_while_the_controller_is_away(say: Callable[..., None]) -> None:
    say(squeue=AWAY)
    assert recover._cancel_slurm_orphans() == []  # no run on it was killed here
    slurm.RUN_FILE.touch()
    with pytest.raises(slurm.SlurmError, match="Unable to contact"):
        recover._cancel_slurm_orphans()


def test_no_run_starts_beside_jobs_of_an_earlier_one(say: Callable[..., None]) -> None:
    name, here = "surface:small:batch0of4:hirshprint-01234567-1", Path.cwd()
    Path("queue").write_text(f"11|RUNNING|{name}|{here}\n")
    with pytest.raises(slurm.SlurmError, match=r"1 job of an earlier run .*11: surface small batch0of4.*recover"):
        slurm.refuse_beside_jobs(here)
    Path("queue").write_text(f"11|FAILED|{name}|{here}\n12|RUNNING|{name}|/elsewhere\n")
    slurm.refuse_beside_jobs(here)
    say(squeue=f"if [ $(wc -l < squeue.calls) -lt 4 ]; then echo '11|COMPLETING|{name}|{here}'; fi")
    slurm.refuse_beside_jobs(here)
    assert len(calls("squeue")) == 4
    say(squeue=AWAY)
    slurm.refuse_beside_jobs(here)  # its submissions wait
    slurm.RUN_FILE.touch()
    with pytest.raises(slurm.SlurmError, match="may have left jobs in SLURM, which does not answer now"):
        slurm.refuse_beside_jobs(here)


def test_no_run_waits_for_a_cluster_that_nothing_names(say: Callable[..., None]) -> None:
    say(squeue="echo 'squeue: fatal: Could not establish a configuration source' >&2; exit 1")
    with pytest.raises(slurm.SlurmError, match=r"nothing tells them of a cluster .* --profile profiles/local"):
        slurm.refuse_beside_jobs(Path.cwd())


def test_a_machine_without_slurm_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    local, there = SimpleNamespace(name="local", executor=None), SimpleNamespace(name="slurm", executor=None)
    slurm_start.take_slurm_executor(local)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(slurm.SlurmError, match="this machine has no sbatch, squeue, scancel"):
        slurm_start.take_slurm_executor(there)
    assert local.executor is there.executor is None
    assert recover._cancel_slurm_orphans() == []
    slurm_start.take_slurm_executor(local)


def test_the_executor_takes_the_place_of_the_plugins(say: Callable[..., None]) -> None:
    there = SimpleNamespace(name="slurm", executor=None)
    slurm_start.take_slurm_executor(there)
    assert there.executor is slurm_executor.Executor


def test_settings_of_the_plugin_that_are_not_used(say: Callable[..., None]) -> None:
    executor = make_executor(array_jobs="all", efficiency_report=True)
    assert executor.array_jobs == set()
    assert executor.logger.count("slurm-array-jobs is not used") == 1
    assert executor.logger.count("slurm-efficiency-report is not used") == 1
