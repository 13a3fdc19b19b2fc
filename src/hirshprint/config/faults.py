"""Faults of several keys of the configuration together, each with what to write instead (light)."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from hirshprint.config.keys import keys_of, keys_only_for, needed
from hirshprint.config.learning import Learning
from hirshprint.config.model import TARGET_KEYS, Config, Dataset, InitialEdge, Paper
from hirshprint.datasets.splits import PAPER, main_kind
from hirshprint.networks.registry import NETWORKS, networks_of_any_sites, site_networks
from hirshprint.structures.planning import has_property
from hirshprint.structures.sources.targets import ANSWER_UNIT, UNIT_UNKNOWN
from hirshprint.structures.symbols import element_fault

EDGE_KEYS = keys_only_for(InitialEdge)
DATASET_KEYS = keys_only_for(Dataset)
KINDS_IN_WORDS = {"table": "a table", "folder": "a folder"}
OF_MODEL = {"prototype", "initial_edge", "property", "unit", "targets", "group", "duplicates", *TARGET_KEYS}
TOUCHING = ("cubic_perovskite", "anti_perovskite")  # prototypes with an edge at which A, B and X touch
PAPER_ROLES = tuple(keys_of(Paper))


def cross_faults(config: dict[str, Any]) -> list[str]:
    """Find faults that concern several keys of a dataset as it was written."""
    faults = []
    for name, dataset in config["datasets"].items():
        place = f"datasets.{name}"
        kinds = [kind for kind in DATASET_KEYS if kind in dataset]
        if len(kinds) != 1:
            faults.append(
                f"`{place}`: write either `table:` (compositions on a prototype), `folder:` (structure files), "
                "`structures:` (one file with many crystals) or `elements:` (lists to combine)"
            )
        own = {key for kind in kinds for key in DATASET_KEYS[kind]}
        faults += [
            f"`{place}.{key}`: has no meaning for {KINDS_IN_WORDS.get(kinds[0], kinds[0])}; delete it"
            for key in sorted(set().union(*DATASET_KEYS.values()) & set(dataset) - own)
            if kinds
        ]
        if "model" in dataset:
            faults += [
                f"`{place}.{key}`: comes with the model; delete it, or delete `model`"
                for key in sorted(OF_MODEL & set(dataset))
            ]
        elif kinds == ["elements"]:
            faults.append(
                f"`{place}.elements`: has no property to learn; add `model:`, a dataset or a folder of models"
            )
        faults += _unit_faults(place, dataset) + _answer_faults(place, dataset)
        faults += _filter_faults(place, dataset.get("filters", []))
        edge = dataset.get("initial_edge", {})
        kind = edge.get("kind", "fixed")
        for key in sorted(set(edge) - {"kind"} - EDGE_KEYS.get(kind, set())):
            right = next(k for k, keys in EDGE_KEYS.items() if key in keys)
            faults.append(
                f"`{place}.initial_edge.{key}`: belongs to `kind: {right}`, but kind is {kind}; "
                f"delete it or write `kind: {right}`"
            )
    return faults + _paper_faults(config)


def _unit_faults(place: str, dataset: Mapping[str, Any]) -> list[str]:
    """Find an empty unit."""
    write = "write `unit: eV` or what it is in, or `unit: dimensionless` where it has none"
    if dataset.get("unit") == ANSWER_UNIT and dataset.get("values") != "yes_no":
        return [f"`{place}.unit`: {ANSWER_UNIT} is that of answers; write `values: yes_no` in its place"]
    if not dataset.get("unit", "Å").strip():
        return [f"`{place}.unit`: is empty; {write}"]
    return []


def _answer_faults(place: str, dataset: Mapping[str, Any]) -> list[str]:
    """Find keys that have no meaning for answers."""
    if dataset.get("values") != "yes_no":
        return []
    said = {
        "unit": "answers have no unit" if "unit" in dataset else "",
        "per": "an answer does not grow with the cell" if dataset.get("per", "atom") != "atom" else "",
        "scale": "answers have no logarithm" if dataset.get("scale", "linear") != "linear" else "",
        "duplicates": "yes and no have no mean" if dataset.get("duplicates") == "mean" else "",
    }
    write = "; delete it, or `values: yes_no`"
    return [f"`{place}.{key}`: {reason}{write}" for key, reason in said.items() if reason]


def unknown_units(config: Config) -> list[str]:
    """Say which properties of a complete configuration have a unit that nobody told."""
    return [
        f"datasets.{name}: the unit of {dataset.property} is not given and is shown as unknown; write `unit: eV` or "
        "what it is in, or `unit: dimensionless`"
        for name, dataset in config.datasets.items()
        if dataset.unit == UNIT_UNKNOWN
    ]


def _filter_faults(place: str, filters: list[dict[str, Any]]) -> list[str]:
    """Find filters that take out no row, or every row."""
    faults = []
    for rule in filters:
        at = f"`{place}.filters`: '{rule['name']}'"
        if not {"column", "elements", "above", "below"} & set(rule):
            faults.append(f"{at} takes nothing out; add `column` with `above` or `below`, or `elements`")
        if ("column" in rule) != bool({"above", "below"} & set(rule)):
            faults.append(f"{at} needs `column` and a number, `above` or `below`; write both, or neither")
        if rule.get("above", math.inf) < rule.get("below", -math.inf):
            faults.append(f"{at} takes every row out: `above` {rule['above']:g} is less than `below` {rule['below']:g}")
    return faults


def _paper_faults(config: dict[str, Any]) -> list[str]:
    """Find roles of the paper's datasets that no dataset has, and compounds that are not ABX3."""
    roles = config.get("paper", {})
    known = ", ".join(config["datasets"])
    faults = [
        f"`paper.{role}`: there is no dataset {name}; the configuration has {known}"
        for role, name in roles.items()
        if name not in config["datasets"]
    ]
    missing = [role for role in PAPER_ROLES if role not in roles]
    if roles and missing:
        faults.append(f"`paper`: names no dataset as {', '.join(missing)}; write all of {', '.join(PAPER_ROLES)}")
    faults += [
        f"`compounds.{formula}`: is no formula ABX3 of a cubic perovskite; write it like SrTiO3"
        for formula in config.get("compounds", {})
        if not re.fullmatch(r"([A-Z][a-z]?){3}3", formula)
    ]
    faults += [
        f"`compounds.{formula}`: {fault[0]}; {fault[1]}"
        for formula in config.get("compounds", {})
        for symbol in re.findall("[A-Z][a-z]?", formula)
        if (fault := element_fault(symbol))
    ]
    return faults


def complete_faults(config: Config) -> list[str]:
    """Find faults that concern several keys once the defaults are filled in."""
    sections = [dataset.learning for dataset in config.datasets.values()]
    own = [dataset.learning for dataset in config.datasets.values() if dataset.own_learning]
    learning = [fault for section in (config.learning, *own) for fault in _learning_faults(config, section)]
    if not any("holdout" in section.splits for section in sections) and any(one.holdout for one in sections):
        learning.append("`learning.holdout`: no split tests these compounds; write `splits: [holdout]`, or delete them")
    of_datasets = _range_faults(config) + _radii_faults(config) + _model_faults(config)
    return of_datasets + list(dict.fromkeys([*learning, *_file_faults(config)]))


def _file_faults(config: Config) -> list[str]:
    """Find splits and networks that need sites with names, for datasets from files, which have none."""
    faults = []
    for name, dataset in config.datasets.items():
        if dataset.table is not None or not has_property(dataset):
            continue
        learning = dataset.learning
        by_site = [split for split in learning.splits if split.startswith("leave-")]
        if by_site:
            faults.append(
                f"`learning.splits`: {', '.join(by_site)} need the elements of the sites, which files "
                f"(`datasets.{name}`) do not tell; write `splits: [random]`{_of_own(dataset, name, 'splits')}"
            )
        if set(learning.networks) <= set(site_networks()):
            faults.append(
                f"`learning.networks`: {' and '.join(learning.networks)} cannot learn from files "
                f"(`datasets.{name}`), whose sites have no names; write "
                f"`networks: [{', '.join(networks_of_any_sites())}]`"
                f"{_of_own(dataset, name, 'networks')}"
            )
    return faults


def _model_faults(config: Config) -> list[str]:
    """Find datasets to be predicted by models among which no validation part chooses."""
    return [
        f"`datasets.{name}.model`: the models of {dataset.model} are of the split {PAPER}, which has no validation "
        f"part to choose a network by; write `splits: [random, {PAPER}]` under `learning`"
        for name, dataset in config.datasets.items()
        if dataset.model in config.datasets and main_kind(config.datasets[dataset.model].learning.splits) == PAPER
    ]


def _of_own(dataset: Dataset, name: str, key: str) -> str:
    """Say where to write what holds for one dataset only, unless it says it there."""
    return "" if key in dataset.own_learning else f" there, or under `datasets.{name}.learning` for it only"


def _radii_faults(config: Config) -> list[str]:
    """Find edges to be estimated where the estimate is not made for the prototype."""
    return [
        f"`datasets.{name}.initial_edge.kind`: radii is for {' and '.join(TOUCHING)}, not for {dataset.prototype}"
        for name, dataset in config.datasets.items()
        if dataset.initial_edge and dataset.initial_edge.kind == "radii" and dataset.prototype not in TOUCHING
    ]


def _range_faults(config: Config) -> list[str]:
    """Find ranges whose ends are in the wrong order."""
    bins = config.fingerprint.bins
    ranges = {"fingerprint.bins": (bins.low_angstrom, bins.high_angstrom)}
    for name, dataset in config.datasets.items():
        if (edge := dataset.initial_edge) and edge.kind == "random":
            ranges[f"datasets.{name}.initial_edge"] = (needed(edge.low_angstrom), needed(edge.high_angstrom))
    return [
        f"`{place}`: low_angstrom ({low}) must be below high_angstrom ({high})"
        for place, (low, high) in ranges.items()
        if low >= high
    ]


def _learning_faults(config: Config, learning: Learning) -> list[str]:
    """Find what the learning cannot get: it would stop there only after all surfaces were made."""
    channels = config.fingerprint.channels
    learned = [dataset for dataset in config.datasets.values() if has_property(dataset)]
    tables = any(dataset.table is not None for dataset in learned)
    faults = []
    for network in learning.networks:
        learns = tables or (learned and not NETWORKS[network].site_moments)
        # what lies outside of training is told by the channel total
        needed = dict.fromkeys(("total", NETWORKS[network].channel or "total"))
        lacking = [channel for channel in needed if channel not in channels]
        if learns and lacking:
            words = " and ".join(f"`{channel}`" for channel in lacking)
            faults.append(
                f"`learning.networks`: {network} needs the channel {words}; write "
                f"`fingerprint: {{channels: [{', '.join([*channels, *lacking])}]}}`"
                + ("" if "total" in lacking else f", or take {network} out")
            )
    if "holdout" in learning.splits and not learning.holdout:
        faults.append("`learning.splits`: holdout tests the compounds of `learning.holdout`; write `holdout: [SrTiO3]`")
    if learning.learning_curve and "random" not in learning.splits:
        faults.append(
            "`learning.learning_curve`: takes shares of the split random; add `random` to `splits`, or write "
            "`learning_curve: []`"
        )
    if learning.require_gpu and not learning.gpus:
        faults.append("`learning.require_gpu`: true, but `learning.gpus` is 0; write `gpus: 1` or `require_gpu: false`")
    return faults
