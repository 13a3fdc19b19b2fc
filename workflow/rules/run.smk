"""The life of a run: where it may begin, what its jobs are given, what it says on its way and at its end."""

import threading
import time

from snakemake.logging import logger
from snakemake.settings.enums import RerunTrigger
from snakemake.settings.types import Quietness
from snakemake_interface_logger_plugins.common import LogEvent

from hirshprint.run import closing, disks, head, progress, slurm, slurm_start
from hirshprint.run.format import stamp_results
from hirshprint.run.plan import answer_for_jobs, frozen_of, user_files

START = time.monotonic()
IS_OUTERMOST = workflow.modifier.is_main_snakefile()  # and no module of another workflow


onstart:
    # SIGTERM is handled in a thread that may hold this lock already. It has no public name, nor a setting (9.27).
    workflow.scheduler._lock = threading.RLock()
    head.write_head()
    answer_for_jobs(PLAN)
    frozen.keep_answers(PLAN.answers)
    closing.show_engine(CONFIG)


onsuccess:
    head.remove_head()
    asked = (
        any(job.rule.name == "report" for job in workflow.dag.jobs) and Path(results.REPORT).exists()
    )  # of this run
    closing.show_summary(
        progress.summarise_run(run_jobs(), sys.argv, edited_inputs(), time.monotonic() - START),
        Path(results.SUMMARY) if asked else None,
    )


onerror:
    head.remove_head()
    closing.show_summary(progress.summarise_run(run_jobs(), sys.argv, edited_inputs(), time.monotonic() - START))


def run_jobs():
    """The jobs that this run had to do, for the summary that it ends with."""
    jobs = [job for job in workflow.dag.needrun_jobs(exclude_finished=False) if job.output]
    return [describe_job(job, workflow.dag.finished(job)) for job in jobs]


def describe_job(job, finished):
    """One job of this run; only where it ran are its resources known."""
    resources = job.resources if finished else {}
    return progress.Job(
        job.rule.name,
        dataset=job.wildcards.get("dataset", ""),
        output=Path(job.output[0]),
        benchmark=Path(job.benchmark) if job.benchmark else None,
        finished=finished,
        mem_mb=resources.get("mem_mb"),
        minutes=resources.get("runtime"),
    )


RERUN_TRIGGERS = RerunTrigger.all() - {RerunTrigger.INPUT}  # digests tell more than sets of inputs: `unless_current`


@cache
def begin_run():
    """See that this folder is free, and keep what was read for the jobs; once, while the graph is made.

    Called where the graph has its roots. By then it is known whether this is a run, and Snakemake has not yet looked at
    its lock, of which it says what does harm here.
    """
    settings = workflow.dag_settings
    if MAIN and settings is not None:
        settings.force_incomplete = True  # what a killed run was about to write is made again, whatever the profile
        asked, settings.rerun_triggers = settings.rerun_triggers, RERUN_TRIGGERS
        if RERUN_TRIGGERS - asked:
            print("--rerun-triggers: not followed, for results would be stale without a word", file=sys.stderr)
        remake_unrecorded()
    if workflow.touch:
        stop("--touch would let results pass for those of this configuration; leave it out: cache/ spares what holds")
    if MAIN and workflow.executor_plugin is not None and not workflow.dryrun:
        try:
            head.refuse_unfinished()
            for folder in disks.WRITTEN:
                refuse_unwritable(folder)
            disks.refuse_full_disk()
            slurm_start.take_slurm_executor(workflow.executor_plugin)
        except (
            head.RunAliveError,
            head.UnfinishedError,
            disks.DiskFullError,
            slurm.SlurmError,
            ForeignFolderError,
        ) as error:
            stop(str(error))
        stamp_results(Path("results"))
        path = frozen.freeze(
            config, {name: frozen_of(PLAN, name, inputs.outside_cards(PLAN, name)) for name in PLAN.plans}
        )
        WATCHED.update(frozen.digests_of_files([*map(Path, workflow.configfiles), *user_files(PLAN)]))
        if IS_OUTERMOST and workflow.config_settings.configfiles:
            workflow.config_settings.configfiles = [path]  # for the jobs: the user's may be half edited by then
    return []


def begun(wildcards):
    """No input: what asks for it needs none, and is a root of the graph."""
    return begin_run()


WATCHED = {}  # what the user may edit during this run, with digests


def edited_inputs():
    """Files and folders of the user that were edited during this run."""
    return frozen.edited(WATCHED)


def remake_unrecorded():
    """Have made again what is not as the run left it that made it, or of which no run left a record."""
    changed = [path for path in results.all_results(PLAN) if Path(path).exists() and not is_as_made(path)]
    workflow.dag.forcefiles.update(map(IOFile, changed))
    if changed:
        print(
            f"{frozen.listed(changed)}: changed since made, or made by a run of which .snakemake has no record; made "
            "again, but for what is taken from cache/",
            file=sys.stderr,
        )


TOLD = {"surface": None, "at": 0.0}  # when the first surface job began, and when the time left was last told


def tell(record):
    """Shorten what Snakemake says of a job, and say every half a minute how far the surfaces are, and what is left."""
    event = getattr(record, "event", None)
    if event == LogEvent.JOB_INFO:
        record.reason = progress.shortened(str(record.reason))
        if record.rule_name == "surface" and TOLD["surface"] is None:
            TOLD["surface"] = time.monotonic()
    if event == LogEvent.PROGRESS and TOLD["surface"] and time.monotonic() > TOLD["at"] + 30:
        jobs = [job for job in workflow.dag.needrun_jobs(exclude_finished=False) if job.rule.name == "surface"]
        done = [job for job in jobs if workflow.dag.finished(job)]
        used = sum(progress.batch_core_seconds(Path(job.benchmark), Path(job.output[0])) for job in done)
        if text := progress.time_left(len(done), len(jobs), time.monotonic() - TOLD["surface"], used):
            TOLD["at"] = time.monotonic()
            logger.info(f"surfaces: {text}", extra={"quietness": Quietness.PROGRESS})
    return True


if MAIN:
    logger.addFilter(tell)
