"""The jobs that a run of the workflow in a folder has on a SLURM cluster (light; SLURM's own commands do the work)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

COMMANDS = ("sbatch", "squeue", "scancel")
COMMAND_SECONDS = 60.0  # for an answer of the controller
GRACE_SECONDS = 10.0  # for an answer that nobody waits for any more
ELSEWHERE = (
    "Give the command on a login node of the cluster, or run here without SLURM: snakemake --profile profiles/local"
)
UNCONFIGURED = "establish a configuration source"  # what SLURM's commands say where they find no configuration
END_SECONDS = 120.0  # for cancelled jobs to be gone; clusters give them some 30 s to end by themselves
RUN_FILE = Path(".snakemake/hirshprint-slurm")  # is there from the start of a run on SLURM until all its jobs are gone
NAME_LENGTH = 60  # of what a job computes; the whole name is shown by squeue only in wide columns
OURS = re.compile(r"(?P<what>.*):hirshprint-(?P<run>[0-9a-f]{8})-[0-9]+$")  # what the workflow calls its jobs
FINAL_STATES = (
    *("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "OUT_OF_MEMORY", "NODE_FAIL", "PREEMPTED"),
    *("BOOT_FAIL", "DEADLINE", "ERROR", "LAUNCH_FAILED", "RECONFIG_FAIL", "REVOKED"),
)


class SlurmError(RuntimeError):
    """The cluster does not answer or does not obey; the message says what to do."""


@dataclass(frozen=True)
class SlurmJob:
    """A job that SLURM knows: its id, state, name, working directory, and what it computes (rule and wildcards)."""

    job_id: str
    state: str
    name: str
    folder: str
    what: str

    @property
    def ended(self) -> bool:
        """Say whether it will not run any more."""
        return self.state in FINAL_STATES


def has_slurm() -> bool:
    """Say whether this machine has SLURM's commands."""
    return not _absent()


def ask_for_commands() -> None:
    """See that this machine has SLURM's commands.

    Raises
    ------
    SlurmError
        If it has not, saying what to do.
    """
    if absent := _absent():
        raise SlurmError(
            f"`executor: slurm` needs SLURM's commands, and this machine has no {', '.join(absent)}. {ELSEWHERE}"
        )


def _absent() -> list[str]:
    return [command for command in COMMANDS if not shutil.which(command)]


def job_name(words: Iterable[str], run: str, number: int, prefix: str = "") -> str:
    """Name a job so that a person can read it and `queue` finds it again.

    Parameters
    ----------
    words : iterable of str
        Rule and wildcards; other characters than letters, digits and ``._+-`` become dots.
    run : str
        Eight hexadecimal digits that all jobs of a run share.
    number : int
        Number of the submission within the run.
    prefix : str, optional
        What the user wants before all names.
    """
    text = ":".join(re.sub(r"[^A-Za-z0-9._+-]", ".", word) for word in words if word)
    return f"{prefix}{'_' if prefix else ''}{text[:NAME_LENGTH]}:hirshprint-{run}-{number}"


def queue(cluster: str = "", seconds: float = COMMAND_SECONDS, ended: threading.Event | None = None) -> list[SlurmJob]:
    """List this user's jobs of all runs of the workflow that SLURM still knows, ended ones included.

    Parameters
    ----------
    cluster : str, optional
        Name of another cluster than that of this machine.
    seconds : float, default COMMAND_SECONDS
        How long to wait for an answer.
    ended : Event, optional
        Set when no answer is needed any more.

    Raises
    ------
    SlurmError
        If the controller does not answer.
    """
    # by user and not by name: the controller then sends the jobs of this user alone
    command = ["squeue", "--noheader", "--states=all", "--user", str(os.getuid()), "--format", "%i|%T|%j|%Z"]
    jobs = []
    for line in _call(*command, *([f"--clusters={cluster}"] if cluster else []), seconds=seconds, ended=ended):
        words = line.split("|", 3)
        found = OURS.match(words[2]) if len(words) == 4 else None  # with --clusters a line names the cluster
        if found:
            job_id, state, name, folder = words
            jobs.append(SlurmJob(job_id, state, name, folder, found["what"].replace(":", " ")))
    return jobs


def folder_jobs(folder: Path, seconds: float = COMMAND_SECONDS) -> list[SlurmJob]:
    """List this user's jobs that runs of the workflow submitted from a folder and that have not ended.

    Other jobs of the folder are not listed.

    Raises
    ------
    SlurmError
        If the controller does not answer.
    """
    here = folder.resolve()
    return [job for job in queue(seconds=seconds) if not job.ended and Path(job.folder).resolve() == here]


def refuse_beside_jobs(folder: Path) -> None:
    """Refuse to start while jobs of an earlier run of a folder are in SLURM: each would be done twice.

    Raises
    ------
    SlurmError
        Saying how to end them; also where the commands know of no cluster, for which a run would wait in vain.
    """
    until = time.monotonic() + END_SECONDS
    while True:
        try:
            left = folder_jobs(folder)
        except SlurmError as error:
            if UNCONFIGURED in str(error):
                raise SlurmError(
                    "SLURM's commands are on this machine, but nothing tells them of a cluster (`squeue`: no "
                    f"configuration). {ELSEWHERE}"
                ) from None
            if not RUN_FILE.exists():
                return  # submissions wait for the controller
            raise SlurmError(
                f"An earlier run in this folder may have left jobs in SLURM, which does not answer now ({error}). Wait "
                "until it does, then: hirshprint recover"
            ) from None
        if any(job.state != "COMPLETING" for job in left) or time.monotonic() > until:
            break
        if not left:
            return
        time.sleep(1)  # cancelled jobs take their time
    raise SlurmError(
        f"SLURM has {len(left)} job{'s' if len(left) > 1 else ''} of an earlier run in this folder ({left[0].job_id}: "
        f"{left[0].what}), which would be done twice. To end what is left: hirshprint recover"
    )


def cancel(jobs: Sequence[SlurmJob], folder: Path) -> None:
    """Cancel jobs of a folder and wait until they are gone.

    Raises
    ------
    SlurmError
        If they are still there after END_SECONDS, or if the controller does not answer.
    """
    send_cancel(job.job_id for job in jobs)
    ids = {job.job_id for job in jobs}
    until = time.monotonic() + END_SECONDS
    while left := sorted(ids & {job.job_id for job in folder_jobs(folder)}) if ids else []:
        if time.monotonic() > until:
            raise SlurmError(
                f"SLURM has not yet ended the cancelled jobs {', '.join(left)}; recover again in a minute."
            )
        time.sleep(1)


def send_cancel(job_ids: Iterable[str], cluster: str = "", seconds: float = COMMAND_SECONDS) -> None:
    """Ask SLURM to cancel jobs; those that have ended are none of its cares.

    Raises
    ------
    SlurmError
        If the controller does not answer.
    """
    ids = list(job_ids)
    for first in range(0, len(ids), 500):  # a command line has an end
        command = ["scancel", *([f"--clusters={cluster}"] if cluster else []), *ids[first : first + 500]]
        done = run(command, seconds)
        if done is None or (done.returncode != 0 and is_away(done.stderr)):
            raise SlurmError(_no_answer(command[0], done, seconds))


def run(
    command: Sequence[str], seconds: float, ended: threading.Event | None = None, text: str = ""
) -> subprocess.CompletedProcess[str] | None:
    """Run one of SLURM's commands with `text` as its input; None if it took longer than `seconds` and was killed.

    Once `ended` is set it gets GRACE_SECONDS more at most. It has a session of its own, so that Ctrl-C, which ends the
    run, does not end a submission half-way.
    """
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        return subprocess.CompletedProcess(command, 127, "", f"{command[0]}: {error.strerror}")
    until = time.monotonic() + seconds
    asked = shortened = False
    while True:
        try:
            out, err = process.communicate(None if asked else text, timeout=0.2)
            return subprocess.CompletedProcess(command, process.returncode, out, err)
        except subprocess.TimeoutExpired:
            asked = True
            if ended is not None and ended.is_set() and not shortened:
                shortened, until = True, min(until, time.monotonic() + GRACE_SECONDS)
            if time.monotonic() > until:
                process.kill()
                process.communicate()
                return None


AWAY = re.compile(
    r"unable to contact|connection (refused|timed out|failure|reset)|connect failure|timed out|timeout|zero bytes"
    r"|temporarily (unavailable|unable)|in standby mode|message (send|receive) failure|not connected|no route to host"
    r"|communication (connection )?(failure|error)|munge|authentication|name resolution|configuration source"
    r"|talking to database|socket error",
    re.IGNORECASE,
)
FULL = re.compile(r"(Assoc|QOS)\w*Submit\w*")
REFUSALS = (  # what sbatch says, what is wrong, and what to correct in the profile
    (r"accounting/QOS policy", "it asks for more than you may have", "runtime, mem_mb, threads, slurm_account or qos"),
    (r"invalid partition|partition name", "there is no such partition", "slurm_partition"),
    (r"group not permitted|partition configuration", "the partition does not take such a job", "slurm_partition"),
    (r"invalid account|account/partition", "the account may not be used there", "slurm_account"),
    (r"invalid qos", "there is no such QOS, or it may not be used", "qos or slurm-qos"),
    (r"reservation", "the reservation cannot be used", "slurm-reservation or slurm_extra"),
    (r"unrecognized option|invalid option", "SLURM knows no such option", "slurm_extra"),
    (r"generic resource|gres", "no node has such a GPU", "gpu, gpu_model or gres"),
    (r"feature|constraint", "no node meets the constraint", "constraint"),
    (r"memory", "no node of the partition has so much memory", "mem_mb or slurm_partition"),
    (r"time limit|--time", "the partition does not allow so long a job", "runtime or slurm_partition"),
    (r"cpu count|processors", "no node of the partition has so many CPUs", "threads or slurm_partition"),
    (
        r"node configuration",
        "no node of the partition has so many CPUs, so much memory or such a GPU",
        "slurm_partition, threads, mem_mb or gpu",
    ),
)


def is_away(message: str) -> bool:
    """Say whether a command's error message means that the controller does not answer for now."""
    return AWAY.search(message) is not None


def has_no_step(log: Path) -> bool:
    """Say whether a job's log of SLURM tells that srun in it did not reach the controller, so that nothing was done."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 20_000))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return False
    return any(line.startswith("srun: error:") and is_away(line) for line in lines)


def limit_met(message: str) -> str:
    """Name the limit if sbatch's error message means that this user has as many jobs in the queue as are allowed."""
    found = FULL.search(message)
    return found[0] if found else ""


def refusal_text(message: str, partition: str, where: str) -> str:
    """Say in a sentence why SLURM does not take a job and what to edit.

    Parameters
    ----------
    message : str
        What sbatch wrote.
    partition : str
        Partition that was asked for; empty for SLURM's default.
    where : str
        File of the profile.
    """
    own = [re.sub(r"^sbatch: (error: )?(Batch job submission failed: )?", "", line) for line in message.splitlines()]
    words = "; ".join(dict.fromkeys(line.strip() for line in own if line.strip() and "--help" not in line))
    rows = [row[1:] for row in REFUSALS if re.search(row[0], message, re.IGNORECASE)]
    wrong, keys = rows[0] if rows else ("it says why", "what it names")
    asked = f"partition {partition}" if partition else "default partition"
    return f"SLURM does not take a job for its {asked}: {wrong} ({words}). Correct {keys} in {where}."


def profile_file(command: Sequence[str]) -> str:
    """Name the file of the profile that a command line of Snakemake asks for."""
    names = [os.environ.get("SNAKEMAKE_PROFILE", "")]
    for word, following in zip(command, [*command[1:], ""], strict=True):
        name, is_joined, value = word.partition("=")
        if name in ("--profile", "--workflow-profile"):
            names.append(value if is_joined else following)
    name = next((name for name in reversed(names) if name), "")
    for path in (Path(name, "config.yaml"), Path(name)):
        if name and path.is_file():
            return str(path)
    return f"the profile {name}" if name else "the profile, or on the command line"


def pauses() -> Iterator[float]:
    """Growing pauses between attempts, in seconds."""
    yield from (5.0, 10.0, 20.0, 40.0)
    while True:
        yield 60.0


def _call(*command: str, seconds: float, ended: threading.Event | None = None) -> list[str]:
    done = run(command, seconds, ended)
    if done is None or done.returncode != 0:
        raise SlurmError(_no_answer(command[0], done, seconds))
    return done.stdout.splitlines()


def _no_answer(name: str, done: subprocess.CompletedProcess[str] | None, seconds: float) -> str:
    if done is None:
        return f"{name} has not answered for {seconds:.0f} s; try again later."
    return f"{name} failed: {done.stderr.strip() or f'it ended with {done.returncode}'}"
