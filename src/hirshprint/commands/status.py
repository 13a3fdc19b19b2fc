"""`hirshprint status`: which structures are new, changed, failed, remarked or rejected, and why."""

from __future__ import annotations

import argparse

from hirshprint.commands import CommandError
from hirshprint.config.load import ConfigError, read_datasets
from hirshprint.run.pending import pending_jobs, pending_line
from hirshprint.run.progress import describe_datasets
from hirshprint.structures.entries import InputError


def run(arguments: argparse.Namespace) -> None:
    """Print the state of every dataset of a configuration, and what the next run would make."""
    try:
        datasets = read_datasets(arguments.configfile)
        pending = pending_jobs(arguments.configfile)
        lines = describe_datasets(datasets, pending=pending.outputs)
    except (ConfigError, InputError) as error:
        raise CommandError(str(error)) from None
    print("\n".join([*lines, pending_line(pending)]))
