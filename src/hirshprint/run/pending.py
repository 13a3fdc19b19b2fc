"""What the next run would make, in Snakemake's own words (light)."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SNAKEFILE = Path(__file__).parents[3] / "Snakefile"
UPDATE = "update pending"
NO_LOG = "-"  # which the summary has for a job that has not run yet
LIBRARY_ALONE = "the workflow is not here, only the library: give this command in a clone of hirshprint's repository"
NOISE = ("Building DAG", "Assuming unrestricted", "Migrating")


@dataclass(frozen=True)
class Pending:
    """What the next run would make.

    Attributes
    ----------
    jobs : mapping of str to int
        Number of jobs of each rule.
    outputs : frozenset of str
        Files that the run would write.
    fault : str
        Why the run would stop before any job; empty if it would not.
    """

    jobs: Mapping[str, int] = field(default_factory=dict)
    outputs: frozenset[str] = frozenset()
    fault: str = ""


def pending_jobs(configfiles: Sequence[Path], given: Sequence[str] = ()) -> Pending:
    """Ask Snakemake what it would do now with a configuration, in this folder; nothing is changed.

    Parameters
    ----------
    configfiles : sequence of Path
        Its files.
    given : sequence of str
        What the command line adds, each as ``KEY=VALUE``.
    """
    if not SNAKEFILE.is_file():
        return Pending(fault=LIBRARY_ALONE)
    configuration = ["--configfile", *map(str, configfiles), *(["--config", *given] if given else [])]
    done = _asked(configuration, "--summary")
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip() and not line.startswith(NOISE)]
        return Pending(fault="\n".join(lines))
    rows = [row for row in csv.DictReader(done.stdout.splitlines(), delimiter="\t") if row["plan"] == UPDATE]
    outputs = frozenset(row["output_file"] for row in rows)
    jobs = {(row["rule"], row["log-file(s)"]) for row in rows}  # a job may have several outputs, and has one log
    if all(log != NO_LOG for _, log in jobs):
        return Pending(dict(Counter(rule for rule, _ in sorted(jobs))), outputs)
    return Pending(_counted(_asked(configuration, "--dry-run", "--quiet", "rules").stdout), outputs)


def _asked(configuration: Sequence[str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(SNAKEFILE), *configuration]
    return subprocess.run(
        [*command, "--cores", "1", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={key: value for key, value in os.environ.items() if key != "SNAKEMAKE_PROFILE"},
    )


def _counted(text: str) -> dict[str, int]:
    """Jobs by rule in the table that a dry run prints, without the rule that only asks for the others."""
    table = text.split("Job stats:")[1].split("\ntotal")[0]
    found = re.findall(r"^(\w+) +(\d+)$", table, flags=re.MULTILINE)
    return {rule: int(count) for rule, count in sorted(found) if rule not in ("all", "job")}


def pending_line(pending: Pending) -> str:
    """Say what the next run would make, as the last line of a status."""
    if pending.fault:
        return f"the next run stops before any job:\n{pending.fault}"
    if not pending.jobs:
        return "the results are up to date: a run has nothing to do"
    jobs = sum(pending.jobs.values())
    return f"the next run has {jobs:,} job{'s' if jobs > 1 else ''}: " + ", ".join(
        f"{count:,} {rule}" for rule, count in pending.jobs.items()
    )
