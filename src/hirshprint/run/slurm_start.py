"""How a run on SLURM begins: this library's executor takes the place of that of Snakemake's plugin."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hirshprint.run.slurm import ask_for_commands, refuse_beside_jobs


def take_slurm_executor(plugin: Any) -> None:
    """Put this library's executor in the place of that of Snakemake's plugin for SLURM; leave other plugins alone.

    It is imported here, where Snakemake has loaded its plugin, and only for runs on SLURM.

    Raises
    ------
    SlurmError
        If this machine lacks SLURM's commands, or an earlier run in this folder has left jobs there.
    """
    if plugin.name == "slurm":
        ask_for_commands()
        refuse_beside_jobs(Path.cwd())
        from hirshprint.run.slurm_executor import Executor

        plugin.executor = Executor
