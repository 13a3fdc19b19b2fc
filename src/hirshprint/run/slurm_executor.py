"""How Snakemake's jobs get to SLURM and are looked after there: its plugin, with a submission and a watch of our own.

The plugin (2.8.0) forgets all running jobs after a poll that fails, waits for ever for jobs that squeue lists no more,
and takes a submission that fails while the controller restarts for a failed job. Here a job leaves a sign (a file
in the temporary folder of the run) when all of it has gone well: it is known to be done whatever SLURM can tell;
SLURM's queue tells of failures.
"""

from __future__ import annotations

import itertools
import re
import shlex
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import snakemake_executor_plugin_slurm as plugin
from snakemake_executor_plugin_slurm.submit_string import get_submit_command
from snakemake_executor_plugin_slurm.utils import get_job_wildcards, set_gres_string
from snakemake_executor_plugin_slurm.validation import validate_slurm_extra
from snakemake_interface_common.exceptions import WorkflowError
from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo

from hirshprint.run import slurm

SUBMIT_SECONDS = 120.0  # for an answer of sbatch
LOOK_SECONDS = 5.0  # between looks for signs
QUERY_SECONDS = 60.0  # between questions to SLURM, at most
MISSES = 2  # answers in a row without a job after which it is gone
STOPPED = 3  # answers in a row that call a job preempted or its node lost after which SLURM does not start it again
AGAIN = 5  # submissions that may come to nothing


class RefusedError(Exception):
    """SLURM will never take the job as it is; the message says why."""


class Executor(plugin.Executor):  # type: ignore[misc]
    """The plugin's executor with a submission that waits for the controller and a watch that forgets no job."""

    def __init__(self, workflow: Any, logger: Any) -> None:
        slurm.RUN_FILE.touch()
        self.ended = threading.Event()  # nobody waits for jobs any more
        self.open: dict[str, str] = {}  # cluster of each job that has not ended, by SLURM's id
        self.ids: dict[str, str] = {}  # SLURM's id of each job, by name; empty if SLURM refused it
        self.numbers = itertools.count(1)
        self.again: Counter[Any] = Counter()  # submissions of a job that came to nothing, beside Snakemake's attempts
        self.misses: dict[str, tuple[int, float]] = {}  # answers that gave up a job, and when the first came
        self.said: set[str] = set()
        self.away: set[str] = set()  # commands that SLURM does not answer
        self.cancelled = False
        self.lock_of_words = threading.Lock()
        self.interval = self.first_interval = max(
            1.0, float(workflow.executor_settings.init_seconds_before_status_checks)
        )
        self.next_query = time.monotonic() + self.interval
        self.profile = slurm.profile_file(sys.argv)
        super().__init__(workflow, logger)

    def __post_init__(self, test_mode: bool = False) -> None:
        settings = self.workflow.executor_settings
        settings.status_command = None  # the plugin would warn of a command that is not used
        if settings.array_jobs:
            self.logger.warning("slurm-array-jobs is not used: profiles/slurm/README.md says why.")
            settings.array_jobs = None
        if settings.efficiency_report:
            self.logger.warning("slurm-efficiency-report is not used: the run ends with a table of what its jobs used.")
            settings.efficiency_report = False
        super().__post_init__(test_mode)
        self.run = self.run_uuid[-36:][:8]
        self.signs = Path(self.tmpdir)  # made here, once: the threads that submit would each make one

    def get_account_arg(self, job: Any) -> Iterator[str]:
        """Give the account that is asked for; without one SLURM takes the user's default."""
        accounts = [word for word in re.split(r"[,\s]+", str(job.resources.get("slurm_account") or "")) if word]
        yield from (f" -A {shlex.quote(account)}" for account in accounts)
        yield ""

    def get_partition_arg(self, job: Any) -> str:
        """Give the partition that is asked for; without one SLURM takes its default."""
        asked = job.resources.get("slurm_partition") or self._partitions
        return str(super().get_partition_arg(job)) if asked else ""

    # submission, in threads of the plugin

    def run_job(self, job: Any) -> None:
        """Submit a job, however long it takes; what SLURM will never take is a failed job."""
        try:
            info = self.submit(job)
        except (RefusedError, WorkflowError) as refusal:
            job.attempt = max(job.attempt, job.restart_times + 1)  # asking again would change nothing
            self.say_once(str(refusal), self.logger.error)
            self.workflow.scheduler.error_callback(job)
        except Exception as error:  # whatever happens, Snakemake must hear of the job's end
            self.report_job_error(SubmittedJobInfo(job), f"The job could not be submitted: {error}")
        else:
            if info is not None:
                self.logger.info(
                    f"Job {job.jobid} is SLURM job {info.external_jobid} (log: {info.aux['slurm_logfile']})."
                )
                self.report_job_submission(info)

    def submit(self, job: Any) -> SubmittedJobInfo | None:
        """Bring a job to SLURM; None if the run ended before it was there."""
        kind, wildcards = ("group" if job.is_group() else "rule"), get_job_wildcards(job)
        prefix = self.workflow.executor_settings.jobname_prefix or ""
        words = [job.name, *([] if job.is_group() else list(job.wildcards))]
        name = slurm.job_name(words, self.run, next(self.numbers), prefix)
        folder = self.slurm_logdir / f"{kind}_{job.name}" / wildcards
        folder.mkdir(parents=True, exist_ok=True)
        validate_slurm_extra(job)
        partition = self.get_partition_arg(job)
        values = {
            "run_uuid": name,
            "slurm_logfile": folder / "%j.log",
            "comment_str": f"{kind}_{job.name}" + (f"_wildcards_{wildcards}" if wildcards else ""),
            "account": next(self.get_account_arg(job)),
            "partition": partition,
            "workdir": self.workflow.workdir_init,
        }
        settings = self.workflow.executor_settings
        call = get_submit_command(job, values, settings=settings, failed_nodes=self._failed_nodes)
        sign = self.signs / f"{name}.done"
        script = f"#!/bin/sh\n{self.format_job_exec(job)} && {{ touch {shlex.quote(str(sign))} || true; }}\n"
        cluster = str(next(filter(None, map(job.resources.get, ("cluster", "clusters", "slurm_cluster"))), ""))
        command = ["/bin/sh", "-c", f"exec {call}{set_gres_string(job)}"]
        job_id = self.send(command, script, name, cluster, partition.removeprefix(" -p "))
        if not job_id:
            return None
        aux = {"slurm_logfile": folder / f"{job_id}.log", "sign": sign.name, "cluster": cluster}
        return SubmittedJobInfo(job, external_jobid=job_id, aux=aux)

    def send(self, command: list[str], script: str, name: str, cluster: str, partition: str) -> str:
        """Call sbatch until it answers; return SLURM's job id, empty if the run ended before.

        Raises
        ------
        RefusedError
            If SLURM will never take the job.
        """
        pauses = slurm.pauses()
        while not self.ended.is_set():
            done = slurm.run(command, SUBMIT_SECONDS, self.ended, script)
            message = f"no answer for {SUBMIT_SECONDS:.0f} s" if done is None else done.stderr
            taken = done is not None and done.returncode == 0 and "submission failed" not in done.stderr
            found = re.match(r"[0-9]+", done.stdout.strip()) if taken and done is not None else None
            if found:
                self.hear("sbatch")
                return self.register(name, found[0], cluster)
            if limit := slurm.limit_met(message):
                self.say_once(
                    f"SLURM takes no more of your jobs now ({limit}); the others wait. "
                    f"`jobs` in {self.profile} says how many are in the queue at once."
                )
                self.ended.wait(next(pauses))
            elif done is None or taken or slurm.is_away(message):
                self.miss("sbatch", message)
                job_id = self.arrived(name, cluster, pauses)
                if job_id:
                    self.hear("sbatch")
                    return self.register(name, job_id, cluster)
            else:
                self.ids[name] = ""
                raise RefusedError(slurm.refusal_text(message, partition, self.profile))
        return ""

    def arrived(self, name: str, cluster: str, pauses: Iterator[float]) -> str:
        """Look, as soon as SLURM answers, whether it has a job whose submission it did not answer; return its id."""
        while not self.ended.wait(next(pauses)):
            try:
                found = [job.job_id for job in slurm.queue(cluster, ended=self.ended) if job.name == name]
            except slurm.SlurmError:
                continue
            return found[0] if found else ""
        return ""

    def register(self, name: str, job_id: str, cluster: str) -> str:
        """Remember a job that SLURM has taken."""
        self.open[job_id] = cluster
        self.ids[name] = job_id
        self._submitted_job_clusters |= {cluster} if cluster else set()
        return job_id

    # the watch, in a thread of its own

    async def check_active_jobs(self, active_jobs: list[SubmittedJobInfo]) -> AsyncIterator[SubmittedJobInfo]:
        """Report what has ended, by the signs that jobs leave and by SLURM's answers; yield all others."""
        if self.ended.is_set():
            for info in active_jobs:
                yield info
            return
        if not active_jobs:
            self.interval, self.next_query = self.first_interval, time.monotonic() + self.first_interval
            return
        left = self.take_signed(active_jobs)
        if time.monotonic() >= self.next_query:
            clusters = defaultdict(list)
            for info in left:
                clusters[info.aux["cluster"]].append(info)
            waiting = [info for cluster, jobs in clusters.items() for info in self.ask(cluster, jobs)]
            self.interval = (
                self.first_interval
                if len(waiting) < len(active_jobs)
                else min(self.interval + 10, max(QUERY_SECONDS, self.first_interval))
            )
            self.next_query = time.monotonic() + self.interval
            left = waiting
        for info in left:
            yield info

    def take_signed(self, jobs: list[SubmittedJobInfo]) -> list[SubmittedJobInfo]:
        """Report the jobs that have left their sign; return the others."""
        signs: set[str] = set()
        with suppress(OSError):
            signs = {path.name for path in self.signs.iterdir()}
        for info in jobs:
            if info.aux["sign"] in signs:
                self.succeed(info)
        return [info for info in jobs if info.aux["sign"] not in signs]

    def ask(self, cluster: str, jobs: list[SubmittedJobInfo]) -> list[SubmittedJobInfo]:
        """Ask SLURM for the states of jobs and report those that have ended; return the others."""
        try:
            known = slurm.queue(cluster, ended=self.ended)
        except slurm.SlurmError as error:
            self.miss("squeue", str(error))
            return jobs
        self.hear("squeue")
        self.cancel_doubles(known, cluster)
        states = {job.job_id: job.state for job in known}
        return [info for info in self.take_signed(jobs) if not self.settle(info, states.get(info.external_jobid, ""))]

    def settle(self, info: SubmittedJobInfo, state: str) -> bool:
        """Report a job if its state, empty if SLURM does not know it, is an end; say whether it is."""
        job_id, log = info.external_jobid, info.aux["slurm_logfile"]
        starts_again = state == "PREEMPTED" or (state == "NODE_FAIL" and self.workflow.executor_settings.requeue)
        if state == "COMPLETED":
            self.succeed(info)
        elif not state or starts_again:
            count, since = self.misses.get(job_id, (0, time.monotonic()))
            self.misses[job_id] = (count + 1, since)
            waited = (
                time.monotonic() - since >= self.workflow.execution_settings.latency_wait
            )  # for a sign of another node
            if starts_again and count + 1 >= STOPPED:
                self.fail(info, f"SLURM has ended job {job_id} ({state}) and does not start it again; its log: {log}")
            elif not state and count + 1 >= MISSES and waited:
                self.fail(
                    info, f"SLURM no longer knows job {job_id}, and nothing says that it ended well; its log: {log}. "
                )
            else:
                return False
        elif state in slurm.FINAL_STATES:
            self.fail(info, f"SLURM job {job_id} ended as {state}; its log: {log}")
        else:
            self.misses.pop(job_id, None)
            return False
        return True

    def succeed(self, info: SubmittedJobInfo) -> None:
        """Report a job as done; its log of SLURM goes, unless it is to stay."""
        self.open.pop(info.external_jobid, None)
        if not self.workflow.executor_settings.keep_successful_logs:
            try:
                info.aux["slurm_logfile"].unlink(missing_ok=True)
            except OSError as error:
                self.say_once(f"The logs of good SLURM jobs cannot be removed: {error}")
        self.report_job_success(info)

    def fail(self, info: SubmittedJobInfo, message: str) -> None:
        """Report a job as failed; one that could do nothing without the controller is submitted again instead."""
        self.open.pop(info.external_jobid, None)
        self.misses.pop(info.external_jobid, None)
        if self.again[info.job] < AGAIN and not self.ended.is_set() and slurm.has_no_step(info.aux["slurm_logfile"]):
            self.again[info.job] += 1
            self.logger.info(f"SLURM job {info.external_jobid} started while the controller was away; submitted again.")
            self._job_submission_executor.submit(self.run_job, info.job)
            return
        self.report_job_error(info, msg=message, aux_logs=[str(info.aux["slurm_logfile"])])

    def print_job_error(self, job_info: SubmittedJobInfo, msg: str | None = None, **kwargs: Any) -> None:
        """Say that a job failed; its logs stand below the message anyway."""
        job_info.job.log_error(msg, external_jobid=job_info.external_jobid, **kwargs)

    def cancel_doubles(self, known: list[slurm.SlurmJob], cluster: str) -> None:
        """Cancel jobs of this run whose submission was answered too late: they were submitted again."""
        of_run = [job for job in known if not job.ended and self.is_own(job) and job.name in self.ids]
        doubles = [job.job_id for job in of_run if self.ids[job.name] != job.job_id]
        if doubles:
            self.logger.info(f"SLURM has taken jobs twice; the second ones ({', '.join(doubles)}) are cancelled.")
            slurm.send_cancel(doubles, cluster)

    def is_own(self, job: slurm.SlurmJob) -> bool:
        """Say whether a job is one of this run."""
        found = slurm.OURS.match(job.name)
        return found is not None and found["run"] == self.run

    async def sleep(self) -> None:
        """Wait until the next look for signs; the end of the run ends it."""
        if self.ended.wait(min(LOOK_SECONDS, self.first_interval)):
            time.sleep(0.2)  # this thread is about to be told so

    # the end

    def cancel(self) -> None:
        """End the run: no more submissions, no more jobs."""
        self.stop_submitting()
        super().cancel()

    def cancel_jobs(self, active_jobs: list[SubmittedJobInfo]) -> None:
        """Cancel all jobs of this run, those too whose submission SLURM has not answered."""
        self.cancelled = True
        try:
            for cluster in {"", *self._submitted_job_clusters}:
                own = [job_id for job_id, place in list(self.open.items()) if place == cluster]
                slurm.send_cancel(own, cluster, slurm.GRACE_SECONDS)
                found = slurm.queue(cluster, slurm.GRACE_SECONDS)
                late = [job.job_id for job in found if self.is_own(job) and job.state in ("PENDING", "RUNNING")]
                slurm.send_cancel(late, cluster, slurm.GRACE_SECONDS)
        except slurm.SlurmError:
            self.logger.error(
                "SLURM does not answer: jobs of this run may still be there. Give `hirshprint recover` when it does."
            )
        else:
            self.open.clear()

    def stop_submitting(self) -> None:
        """Let submissions that wait for SLURM end without it."""
        at_once = self.workflow.remote_execution_settings.immediate_submit  # then nobody waits for jobs
        if not at_once:
            self.ended.set()
        self._job_submission_executor.shutdown(wait=True, cancel_futures=not at_once)
        self.ended.set()

    def shutdown(self) -> None:
        """End the watch; jobs that an error of this process leaves are cancelled."""
        self.stop_submitting()
        if self.open and not self.cancelled and not self.workflow.remote_execution_settings.immediate_submit:
            self.cancel_jobs([])
        super().shutdown()
        if not self.open:
            slurm.RUN_FILE.unlink(missing_ok=True)

    # what is said

    def say_once(self, text: str, write: Any = None) -> None:
        """Say something that holds for many jobs a single time."""
        with self.lock_of_words:
            if text not in self.said:
                self.said.add(text)
                (write or self.logger.warning)(text)

    def miss(self, command: str, message: str) -> None:
        """Say once that the controller does not answer."""
        with self.lock_of_words:
            if not self.away:
                why = message.strip().splitlines()[-1] if message.strip() else "no answer"
                self.logger.warning(
                    f"The SLURM controller does not answer ({why}). Jobs go on; it is asked again at least every "
                    f"{max(QUERY_SECONDS, self.first_interval):.0f} s."
                )
            self.away.add(command)

    def hear(self, command: str) -> None:
        """Say that the controller answers again: what it did not answer, or a submission."""
        with self.lock_of_words:
            was_away = bool(self.away)
            self.away = set() if command == "sbatch" else self.away - {command}
            if was_away and not self.away:
                self.logger.warning("The SLURM controller answers again.")
