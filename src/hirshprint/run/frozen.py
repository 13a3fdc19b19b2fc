"""What a run read of the user's files when it began, kept for its jobs: an edit meanwhile changes the next run (light).

The head process reads the configuration, tables and folders once. Its jobs, which may wait for days in a queue, take
what it read from a folder of this run; a structure file, which only a job reads, must be the one that was planned.
"""

from __future__ import annotations

import json
import os
import pickle
import shutil
import socket
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from hirshprint.files.writing import digest, written_whole
from hirshprint.structures.entries import InputError, Plan, known_digest

FOLDERS = Path(".snakemake/hirshprint-runs")
RUN_VARIABLE = "HIRSHPRINT_RUN"
CONFIG = "config.json"
ANSWERS = "answers.pickle"
SHOWN = 3  # files that a message names before it counts the rest


Answers = dict[str, dict[tuple[Any, ...], Any]]
"""What functions of the plan of a run gave that are `kept`, by function and arguments."""


class RunGoneError(RuntimeError):
    """A job does not find what its run read: the run has ended, and another one has begun."""


@dataclass(frozen=True)
class Frozen:
    """What a run read of a dataset.

    Attributes
    ----------
    plan : Plan
        Its structures and what was rejected.
    files : mapping of str to str
        Digest by path of each structure file and of each file of the prototype, which a job reads.
    model : mapping of str to str
        The same of the models of an earlier run that its property is predicted with.
    """

    plan: Plan
    files: Mapping[str, str]
    model: Mapping[str, str]


def freeze(config: Mapping[str, Any], datasets: Mapping[str, Frozen]) -> Path:
    """Write what a run read to a folder of its own, and name it to all processes that this one starts.

    Returns
    -------
    Path
        The resolved configuration, as a file.
    """
    _forget_ended_runs()
    folder = FOLDERS / f"{socket.gethostname()}-{os.getpid()}"
    with written_whole(folder / CONFIG) as temporary:
        temporary.write_text(json.dumps(config), encoding="utf-8")
    for name, frozen in datasets.items():
        with written_whole(_dataset_file(folder, name)) as temporary:
            temporary.write_bytes(pickle.dumps(frozen))
    os.environ[RUN_VARIABLE] = str(folder.absolute())
    return folder / CONFIG


def _forget_ended_runs() -> None:
    """Remove what runs of this host had read that are no more."""
    for folder in FOLDERS.glob(f"{socket.gethostname()}-*"):
        if not Path("/proc", folder.name.rpartition("-")[2]).exists():
            shutil.rmtree(folder, ignore_errors=True)


def take_config(config: dict[str, Any]) -> Answers:
    """Replace a configuration by that of the run that this process is a job of, and give what that run has answered.

    Raises
    ------
    RunGoneError
    """
    found = json.loads(_read(_run_folder() / CONFIG))
    config.clear()
    config.update(found)
    if not (_run_folder() / ANSWERS).exists():
        return {}  # they are found again, from the plans
    answers: Answers = pickle.loads(_read(_run_folder() / ANSWERS))
    return answers


def keep_answers(answers: Answers) -> None:
    """Write down, for the jobs of this run, what was found of its plans while its graph was made."""
    with written_whole(_run_folder() / ANSWERS) as temporary:
        temporary.write_bytes(pickle.dumps(answers))


@cache
def frozen_dataset(name: str) -> Frozen:
    """What the run that this process is a job of read of a dataset.

    Raises
    ------
    RunGoneError
    """
    frozen: Frozen = pickle.loads(_read(_dataset_file(_run_folder(), name)))
    return frozen


def _run_folder() -> Path:
    if RUN_VARIABLE not in os.environ:
        raise RunGoneError(
            f"this job does not know its run: {RUN_VARIABLE} is not in its environment. Jobs need the environment of "
            "the process that submitted them (SLURM: --export=ALL)"
        )
    return Path(os.environ[RUN_VARIABLE])


def _dataset_file(folder: Path, name: str) -> Path:
    return folder / f"{name}.pickle"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise RunGoneError(
            f"what this job's run had read is gone ({path.parent.name}): the run has ended. Give the same command again"
        ) from None


def digests_of_files(paths: Iterable[Path]) -> dict[str, str]:
    """Digests of files by path; of a folder, that of the names in it; empty for what is not there."""
    return {str(path): _digest(path) for path in dict.fromkeys(paths)}


def _digest(path: Path) -> str:
    try:
        return digest(sorted(one.name for one in path.iterdir())) if path.is_dir() else known_digest(path)
    except OSError:
        return ""


def edited(files: Mapping[str, str]) -> list[str]:
    """Those of some files that are no longer what they were."""
    return [path for path, was in files.items() if _digest(Path(path)) != was]


def refuse_edited(files: Mapping[str, str]) -> None:
    """Stop a job that has read files which are no longer those that its run began with.

    Raises
    ------
    InputError
        Naming them.
    """
    if others := edited(files):
        raise InputError(
            f"{listed(others)}: edited or removed after this run had begun, so that its results would be of neither; "
            "give the same command again"
        )


def listed(paths: Sequence[str]) -> str:
    """Name the first of some files, and how many more there are."""
    more = f" and {len(paths) - SHOWN:,} more" if len(paths) > SHOWN else ""
    return ", ".join(paths[:SHOWN]) + more
