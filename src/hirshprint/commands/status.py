"""`hirshprint status`: which structures are new, changed, failed, remarked or rejected, and why."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hirshprint.commands import CommandError
from hirshprint.commands.json_output import print_json
from hirshprint.config.load import ConfigError, read_datasets
from hirshprint.config.model import Dataset
from hirshprint.run.pending import Pending, pending_jobs, pending_line
from hirshprint.run.progress import describe_datasets, structure_states
from hirshprint.structures.entries import InputError
from hirshprint.structures.planning import plan_dataset

RESULTS = Path("results")


def run(arguments: argparse.Namespace) -> None:
    """Print the state of every dataset of a configuration, and what the next run would make."""
    try:
        datasets = read_datasets(arguments.configfile, arguments.config)
        pending = pending_jobs(arguments.configfile, arguments.config)
        if arguments.json:
            states = {name: _states(settings, RESULTS / name, pending) for name, settings in datasets.items()}
            print_json({"datasets": states, "next_run": {"jobs": pending.jobs, "fault": pending.fault or None}})
            return
        lines = describe_datasets(datasets, RESULTS, pending.outputs)
    except (ConfigError, InputError) as error:
        raise CommandError(str(error)) from None
    print("\n".join([*lines, pending_line(pending)]))


def _states(settings: Dataset, folder: Path, pending: Pending) -> dict[str, Any]:
    """How many structures of a dataset are in each state, and those that are not done."""
    plan = plan_dataset(settings)
    found = structure_states(plan, folder, pending.outputs)
    counts: Mapping[str, int] = Counter(state for state, _, _ in found)
    others = [
        {"structure_id": name, "state": state, "reason": reason} for state, name, reason in found if state != "done"
    ]
    return {"counts": counts, "structures": others, "skipped": plan.passed_over}
