"""`hirshprint recover`: clear what a killed run of the workflow left in this folder."""

from __future__ import annotations

import argparse
import sys

from hirshprint.commands import CommandError
from hirshprint.run.head import RunAliveError
from hirshprint.run.recover import recover, recover_failed
from hirshprint.run.slurm import SlurmError


def run(arguments: argparse.Namespace) -> None:
    """Say on standard error what was found and done."""
    try:
        lines = recover()
    except (RunAliveError, SlurmError) as error:
        raise CommandError(str(error)) from None
    if arguments.failed:
        lines += recover_failed() or ["no structure has failed"]
    for line in lines:
        print(f"hirshprint recover: {line}", file=sys.stderr)
    if lines:
        print("hirshprint recover: now give the same command as before; what is done stays done", file=sys.stderr)
