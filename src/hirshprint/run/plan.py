"""What a run of the workflow consists of: its datasets, their batches and sizes (light, and free of Snakemake).

A `RunPlan` is made once by each process that reads the Snakefile. What else the rules ask is functions of it, each in a
module of its own: `hirshprint.run.digests`, `hirshprint.run.inputs`, `hirshprint.run.results`,
`hirshprint.run.resources`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar, cast

from hirshprint.config.model import Config, Dataset
from hirshprint.hirshfeld.registry import Engine, engine_named
from hirshprint.run.frozen import Answers, Frozen, digests_of_files
from hirshprint.structures.batches import expected_sites, plan_batches
from hirshprint.structures.entries import Entry, Plan
from hirshprint.structures.planning import has_property
from hirshprint.structures.prototypes import Prototype, find_prototype
from hirshprint.structures.sources.placement import prototype_id

Answer = TypeVar("Answer")
Names = ParamSpec("Names")

INPUTS = ("table", "folder", "structures")
"""Keys of what a dataset is read from."""


@dataclass(frozen=True, eq=False)
class RunPlan:
    """What a run consists of.

    Attributes
    ----------
    config : Config
        Complete, with the engine chosen and what comes with the models of predicted datasets.
    plans : dict[str, Plan]
        Plans of the datasets whose input is at hand.
    read : Callable[[str], Plan]
        Gives the plan of another dataset, or says why it cannot.
    answers : Answers
        What functions that are `kept` gave in this run.
    """

    config: Config
    plans: dict[str, Plan] = field(default_factory=dict)
    read: Callable[[str], Plan] = field(default=lambda dataset: _missing(dataset))
    answers: Answers = field(default_factory=dict)

    @property
    def engine(self) -> Engine:
        """The engine that makes the surfaces."""
        return engine_named(self.config.surfaces.engine)

    @property
    def datasets(self) -> Mapping[str, Dataset]:
        """The datasets of the configuration, in its order."""
        return self.config.datasets

    @property
    def compounds(self) -> dict[str, str]:
        """Formulas of the compounds to draw one by one, by the names of their folders."""
        return {prototype_id(formula, edge): formula for formula, edge in self.config.compounds.items()}

    def plan(self, dataset: str) -> Plan:
        """Give the plan of a dataset; its table, folder or file is read once."""
        if dataset not in self.plans:
            return self.read(dataset)
        return self.plans[dataset]


def _missing(dataset: str) -> Plan:
    raise KeyError(dataset)


def kept(
    function: Callable[Concatenate[RunPlan, Names], Answer],
) -> Callable[Concatenate[RunPlan, Names], Answer]:
    """Cache what a function of a run gives, for the jobs of this run too: they load no plan to find it again."""
    asked_for = f"{function.__module__}.{function.__name__}"

    @wraps(function)
    def asked(run: RunPlan, /, *names: Names.args, **named: Names.kwargs) -> Answer:
        answers = run.answers.setdefault(asked_for, {})
        key = (*names, *named.values()) if named else names
        if key not in answers:
            answers[key] = function(run, *names, **named)
        return cast("Answer", answers[key])

    return asked


@cache  # and not `kept`: jobs do without it, and it is as large as the plan
def batches(run: RunPlan, dataset: str) -> dict[str, list[Entry]]:
    """Divide the structures of a dataset into the batches that surface jobs compute."""
    surfaces, engine = run.config.surfaces, run.engine
    seconds = engine.seconds_per_site(surfaces)
    return plan_batches(run.plan(dataset), surfaces.structures_per_job, seconds, engine.symmetry_saves)


def has_targets(run: RunPlan, dataset: str) -> bool:
    """Say whether a dataset has a property to learn."""
    return has_property(run.datasets[dataset])


def prototype_of(run: RunPlan, dataset: str) -> Prototype | None:
    """Give the prototype of a dataset; None for crystals from files."""
    name = run.datasets[dataset].prototype
    return find_prototype(name) if name else None


@kept
def site_labels(run: RunPlan, dataset: str) -> list[str]:
    """Names of the prototype's sites, for a channel each; none for crystals from files."""
    prototype = prototype_of(run, dataset)
    return list(prototype.sites) if prototype else []


@kept
def sites(run: RunPlan, dataset: str) -> float:
    """Estimate how many sites without symmetry are as much work as a dataset."""
    return expected_sites(run.plan(dataset).entries, run.engine.symmetry_saves)


@kept
def structures_in(run: RunPlan, dataset: str, batch: str = "") -> int:
    """Count the structures of a dataset, or of one of its batches."""
    return len(batches(run, dataset)[batch] if batch else run.plan(dataset).entries)


@kept
def files_in(run: RunPlan, dataset: str) -> int:
    """Count the structures of a dataset that are read from files."""
    return sum(entry.path is not None for entry in run.plan(dataset).entries)


def answer_for_jobs(run: RunPlan) -> None:
    """Find what the jobs will ask of the plans, which may be large."""
    for dataset in run.plans:
        for asked in (site_labels, sites, structures_in, files_in):
            asked(run, dataset)


def user_files(run: RunPlan) -> list[Path]:
    """List the tables, folders and structure files of the user that a run reads."""
    places = [getattr(run.datasets[name], key) for name in run.plans for key in (*INPUTS, "targets")]
    return [*(Path(place) for place in places if place is not None), *structure_files(run)]


def structure_files(run: RunPlan) -> list[Path]:
    """List the structure files that the plans of a run name, each once, and the files of its prototypes."""
    return [path for dataset in run.plans for path in _files_of(run, dataset)]


def _files_of(run: RunPlan, dataset: str) -> list[Path]:
    """Files that the jobs of a dataset read: those of its structures, and those of its prototype."""
    paths = dict.fromkeys(entry.path for entry in run.plan(dataset).entries if entry.path is not None)
    prototype = prototype_of(run, dataset)
    return [*paths, *(sorted(prototype.file.parent.iterdir()) if prototype and prototype.file else [])]


def frozen_of(run: RunPlan, dataset: str, cards: list[Path]) -> Frozen:
    """Give what a run has read of a dataset, to be kept for its jobs.

    Parameters
    ----------
    run : RunPlan
    dataset : str
    cards : list of Path
        Cards of the models of an earlier run that it is predicted with.
    """
    files = digests_of_files(_files_of(run, dataset))
    return Frozen(plan=run.plan(dataset), files=files, model=digests_of_files(cards))
