"""What the configuration asks of its datasets, checked against their plans before any job (light)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hirshprint.config import learning_of
from hirshprint.splits import HOLDOUT, absence, learning_faults
from hirshprint.structures.entries import Plan, Rejection
from hirshprint.structures.prototypes import find_prototype
from hirshprint.structures.symbols import SYMBOLS

SHOWN = 10  # rows or files that are listed before the rest is only counted


def plan_faults(config: Mapping[str, Any], plans: Mapping[str, Plan]) -> dict[str, list[str]]:
    """Say what makes a run pointless: it would stop only after jobs, or leave out what was asked for.

    Parameters
    ----------
    config : complete, with its predicted datasets.
    plans : of those datasets whose input is at hand.

    Returns
    -------
    Lines by dataset, those of the report under an empty name; of datasets and a report that have none, none.
    """
    faults = {name: _dataset_faults(config, name, plan) for name, plan in plans.items()}
    if set(plans) == set(config["datasets"]) and all(plan.entries for plan in plans.values()):
        faults[""] = _report_faults(config, plans)
    return {name: lines for name, lines in faults.items() if lines}


def left_out(plans: Mapping[str, Plan]) -> list[str]:
    """Say which rows and files are left out, and why; what filters take out is not among them."""
    lines = []
    for name, plan in plans.items():
        faults = _faults_of(plan)
        if faults:
            lines.append(f"datasets.{name}: {len(faults)} rows or files cannot be used and are left out:")
            lines += [f"    {one.source}: {one.reason}; {one.remedy}" for one in faults[:SHOWN]]
        if len(faults) > SHOWN:
            lines.append(f"    and {len(faults) - SHOWN} more, which hirshprint status counts by their reasons")
    return lines


def _faults_of(plan: Plan) -> list[Rejection]:
    return [rejection for rejection in plan.rejections if rejection.stage != "filter"]


def _dataset_faults(config: Mapping[str, Any], name: str, plan: Plan) -> list[str]:
    settings, faults = config["datasets"][name], _faults_of(plan)
    if not plan.entries:
        what = "no row or file can be used" if faults else "the filters take every row out"
        what += ", besides those that filters take out" if 0 < len(faults) < len(plan.rejections) else ""
        return [f"`datasets.{name}`: {what}; {'correct what is listed as left out' if faults else 'change `filters`'}"]
    found = []
    if config["strict"] and faults:
        found.append(
            f"`datasets.{name}`: {len(faults)} rows or files cannot be used, as listed, and `strict: true` asks "
            "to stop; correct them, or write `strict: false`"
        )
    entries, learning = plan.entries, learning_of(config, name)
    if all(entry.target is None for entry in entries):
        return found  # there is nothing to learn
    if settings.get("prototype"):
        sites = find_prototype(settings["prototype"]).sites
        elements = {site: [entry.elements[k] for entry in entries] for k, site in enumerate(sites)}
        compounds = [entry.compound for entry in entries]
        groups = [entry.group or entry.compound for entry in entries]
        reasons = {one.structure_id: f"{one.source} is left out ({one.reason})" for one in reversed(plan.rejections)}
        found += learning_faults(name, learning, compounds, groups, elements, reasons)
    else:
        found += _file_faults(name, learning, plan)
    for key in settings.get("learning", {}):
        found = [fault.replace(f"`learning.{key}`", f"`datasets.{name}.learning.{key}`") for fault in found]
    return found


def _file_faults(name: str, learning: Mapping[str, Any], plan: Plan) -> list[str]:
    """Check what is known of files before they are read: how many there are, and what names they can give."""
    named = [(key, one) for key in ("holdout", "saliency") for one in learning[key]]
    faults = [
        f"`learning.{key}`: dataset {name} can have no compound {one}; files give reduced formulas, such as TiO2, and "
        "TiO2 (STEM) or TiO2 (GROUP) where several have one"
        for key, one in named
        if not _possible(one, plan) and (key != HOLDOUT or HOLDOUT in learning["splits"])
    ]
    groups = [entry.group or entry.structure_id for entry in plan.entries]
    splits = [kind for kind in learning["splits"] if kind == "random"]
    countable = {**learning, "splits": splits, "saliency": [], "learning_curve": []}
    return faults + learning_faults(name, countable, groups, groups, {})


def _possible(name: str, plan: Plan) -> bool:
    """Say whether a compound of files may be named so."""
    match = re.fullmatch(r"((?:[A-Z][a-z]?[0-9.]*)+)(?: \((.+)\))?", name)
    if match is None or not set(re.findall("[A-Z][a-z]?", match[1])) <= set(SYMBOLS):
        return False
    return match[2] is None or match[2] in {word for one in plan.entries for word in (one.structure_id, one.group)}


def _report_faults(config: Mapping[str, Any], plans: Mapping[str, Plan]) -> list[str]:
    """Find compounds of the report that no dataset has."""
    of_files = [plan for name, plan in plans.items() if not config["datasets"][name].get("prototype")]
    known = {entry.compound for plan in plans.values() if plan not in of_files for entry in plan.entries}
    reasons = {
        one.structure_id: f"{one.source} is left out ({one.reason})"
        for plan in plans.values()
        for one in reversed(plan.rejections)
    }
    return [
        f"`report.compounds`: no dataset has a compound {name}{absence(name, known, reasons)}"
        for name in config["report"]["compounds"]
        if name not in known and not any(_possible(name, plan) for plan in of_files)
    ]
