"""What the configuration asks of its datasets, checked against their plans before any job (light)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from hirshprint.config.learning import Learning
from hirshprint.config.load import where_from
from hirshprint.config.model import Config, Dataset
from hirshprint.datasets.split_faults import absence, learning_faults, target_faults
from hirshprint.datasets.splits import HOLDOUT, SITES
from hirshprint.files.reading import DamagedError, read_rows
from hirshprint.networks.registry import networks_of_any_sites, site_networks
from hirshprint.structures.entries import InputError, Plan, Rejection, passed_over_text
from hirshprint.structures.planning import plan_dataset
from hirshprint.structures.prototypes import find_prototype
from hirshprint.structures.symbols import SYMBOLS

WHAT = "rows, files or records"
SHOWN = 10  # of them that are listed before the rest is only counted


@dataclass(frozen=True)
class Inputs:
    """What is known of the input of a run before its first job.

    Attributes
    ----------
    plans : dict[str, Plan]
        Plans of the datasets whose input can be used.
    faults : dict[str, list[str]]
        What cannot be used, and what is asked of it in vain, by dataset; those of the report under an empty name.
    remarks : list of str
        What the user should know of what was read.
    """

    plans: dict[str, Plan] = field(default_factory=dict)
    faults: dict[str, list[str]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


def read_inputs(config: Config) -> Inputs:
    """Read the table, folder or file of every dataset, and check what the configuration asks of them."""
    plans: dict[str, Plan] = {}
    faults: dict[str, list[str]] = {}
    absent: dict[str, list[str]] = {}
    remarks = []
    for name, settings in config.datasets.items():
        try:
            plan = plans[name] = read_dataset(config, name)
        except InputError as error:
            (faults if _is_there(settings) else absent)[name] = [str(error)]
        else:
            remarks += [f"datasets.{name}: {passed_over_text(plan.passed_over)}"] if plan.passed_over else []
    faults |= plan_faults(config, plans) if plans else {}
    return Inputs(plans, faults | absent, remarks)


def read_dataset(config: Config, name: str) -> Plan:
    """Read what a dataset consists of.

    Raises
    ------
    InputError
        Naming the dataset, and where its input comes from if that is not there.
    """
    settings = config.datasets[name]
    try:
        return plan_dataset(settings)
    except InputError as error:
        source = "" if _is_there(settings) else where_from(settings.written())
        raise InputError(f"`datasets.{name}`: {error}{source}") from None


def _is_there(settings: Dataset) -> bool:
    """Say whether what a dataset is read from exists; a table that is still to be fetched does not."""
    places = (settings.table, settings.folder, settings.structures)
    return all(Path(place).exists() for place in places if place is not None)


def faults_text(faults: Mapping[str, Sequence[str]]) -> str:
    """List the faults of all datasets in one message."""
    lines = [f"  - {fault}" for of_dataset in faults.values() for fault in of_dataset]
    return "\n".join(["The configuration and its input do not go together:", *lines])


def plan_faults(config: Config, plans: Mapping[str, Plan]) -> dict[str, list[str]]:
    """Say what makes a run pointless: it would stop only after jobs, or leave out what was asked for.

    Parameters
    ----------
    config : Config
        Complete configuration, with its predicted datasets.
    plans : mapping of str to Plan
        Plans of those datasets whose input is at hand.

    Returns
    -------
    dict of str to list of str
        Lines by dataset, those of the report under an empty name; of datasets and a report that have none, none.
    """
    faults = {name: _dataset_faults(config, name, plan) for name, plan in plans.items()}
    if set(plans) == set(config.datasets) and all(plan.entries for plan in plans.values()):
        faults[""] = _report_faults(config, plans)
    return {name: lines for name, lines in faults.items() if lines}


def left_out(plans: Mapping[str, Plan]) -> list[str]:
    """Say which rows, files and records are left out, and why; what filters take out is not among them."""
    lines = []
    for name, plan in plans.items():
        faults = _faults_of(plan)
        if faults:
            lines.append(
                f"datasets.{name}: {_count(faults)} cannot be used and {'is' if len(faults) == 1 else 'are'} left out:"
            )
            lines += [f"    {one.source}: {one.reason}; {one.remedy}" for one in faults[:SHOWN]]
        if len(faults) > SHOWN:
            lines.append(f"    and {len(faults) - SHOWN} more, which hirshprint status counts by their reasons")
    return lines


def _count(faults: Sequence[Rejection]) -> str:
    return "1 row, file or record" if len(faults) == 1 else f"{len(faults)} {WHAT}"


def _faults_of(plan: Plan) -> list[Rejection]:
    return [rejection for rejection in plan.rejections if rejection.stage != "filter"]


def _dataset_faults(config: Config, name: str, plan: Plan) -> list[str]:
    settings, faults = config.datasets[name], _faults_of(plan)
    if not plan.entries:
        what = "no row, file or record can be used" if faults else "the filters take every row out"
        what += ", besides those that filters take out" if 0 < len(faults) < len(plan.rejections) else ""
        return [f"`datasets.{name}`: {what}; {'correct what is listed as left out' if faults else 'change `filters`'}"]
    found = []
    if config.strict and faults:
        found.append(
            f"`datasets.{name}`: {_count(faults)} cannot be used, as listed, and `strict: true` asks "
            "to stop; correct them, or write `strict: false`"
        )
    entries, learning = plan.entries, settings.learning
    if all(entry.target is None for entry in entries):
        return found  # there is nothing to learn
    if settings.prototype:
        sites = find_prototype(settings.prototype).sites
        networks = learning.networks
        if set(networks) <= set(site_networks()) and sites != SITES:
            found.append(
                f"`learning.networks`: {' and '.join(networks)} cannot learn from dataset {name}, whose prototype has "
                f"the sites {', '.join(sites)} and not {', '.join(SITES)}; write "
                f"`networks: [{', '.join(networks_of_any_sites())}]`"
            )
        elements = {site: [entry.elements[k] for entry in entries] for k, site in enumerate(sites)}
        compounds = [entry.compound for entry in entries]
        groups = [entry.group or entry.compound for entry in entries]
        reasons = {one.structure_id: f"{one.source} is left out ({one.reason})" for one in reversed(plan.rejections)}
        edges = [entry.target for entry in entries] if settings.property == "a_angstrom" else None
        found += learning_faults(name, learning, compounds, groups, elements, reasons, edges)
    else:
        found += _file_faults(name, learning, plan)
    for key in settings.own_learning:
        found = [fault.replace(f"`learning.{key}`", f"`datasets.{name}.learning.{key}`") for fault in found]
    return found


def _file_faults(name: str, learning: Learning, plan: Plan) -> list[str]:
    """Check what is known of files before they are read: how many there are, and what names they can give."""
    named = [(key, one) for key in ("holdout", "saliency") for one in getattr(learning, key)]
    faults = [
        f"`learning.{key}`: dataset {name} can have no compound {one}; files give reduced formulas, such as TiO2, and "
        "TiO2 (STEM) or TiO2 (GROUP) where several have one"
        for key, one in named
        if not _possible(one, plan) and (key != HOLDOUT or HOLDOUT in learning.splits)
    ]
    groups = [entry.group or entry.structure_id for entry in plan.entries]
    splits = learning.splits[:0] + [kind for kind in learning.splits if kind == "random"]
    if (splits or learning.learning_curve) and len(set(groups)) < learning.folds:
        return [  # no number of folds is named: files that cannot be read, and those of one formula, are in it
            *faults,
            f"`learning.folds`: dataset '{name}' has at most {len(set(groups))} groups of compounds, too few for "
            f"{learning.folds} folds; write fewer folds, or `splits: [groups]`, which tests each group once",
        ]
    countable = replace(learning, splits=splits, saliency=[], learning_curve=[])
    return faults + learning_faults(name, countable, groups, groups, {})


def known_faults(name: str, learning: Learning, folder: Path) -> list[str]:
    """Say what the learning asks of a dataset in vain whose files were read by an earlier run.

    Parameters
    ----------
    name : str
        Name of the dataset.
    learning : Learning
        Settings of the learning.
    folder : Path
        Folder of the tables of targets and of what was rejected, both of the same input as now.
    """
    targets, rejected = (_read_table(folder / file) for file in ("targets.csv", "rejected.csv"))
    if not targets or not targets[0]["value"]:
        return []
    reasons = {row["structure_id"]: f"{row['source']} is left out ({row['reason']})" for row in reversed(rejected)}
    return target_faults(name, learning, targets, reasons)


def _read_table(path: Path) -> list[dict[str, str]]:
    try:
        return read_rows(path)
    except (FileNotFoundError, DamagedError):  # the job that reads it names what is damaged
        return []


def _possible(name: str, plan: Plan) -> bool:
    """Say whether a compound of files may be named so."""
    match = re.fullmatch(r"((?:[A-Z][a-z]?[0-9.]*)+)(?: \((.+)\))?", name)
    if match is None or not set(re.findall("[A-Z][a-z]?", match[1])) <= set(SYMBOLS):
        return False
    return match[2] is None or match[2] in {word for one in plan.entries for word in (one.structure_id, one.group)}


def _report_faults(config: Config, plans: Mapping[str, Plan]) -> list[str]:
    """Find compounds of the report that no dataset has."""
    of_files = [plan for name, plan in plans.items() if not config.datasets[name].prototype]
    known = {entry.compound for plan in plans.values() if plan not in of_files for entry in plan.entries}
    reasons = {
        one.structure_id: f"{one.source} is left out ({one.reason})"
        for plan in plans.values()
        for one in reversed(plan.rejections)
    }
    return [
        f"`report.compounds`: no dataset has a compound {name}{absence(name, known, reasons)}"
        for name in config.report.compounds
        if name not in known and not any(_possible(name, plan) for plan in of_files)
    ]
