"""All combinations of some elements on the sites of a prototype (light)."""

from __future__ import annotations

from itertools import product

from hirshprint.config.keys import needed
from hirshprint.config.model import Dataset
from hirshprint.structures.entries import Entry, InputError, Plan, Rejection
from hirshprint.structures.prototypes import find_prototype
from hirshprint.structures.sources.placement import (
    compound_fault,
    initial_edges,
    prototype_entries,
    radius_fault,
)
from hirshprint.structures.symbols import element_fault


def plan_elements(settings: Dataset) -> Plan:
    """Every combination of the elements that are listed for the sites."""
    prototype = find_prototype(needed(settings.prototype))
    lists = needed(settings.elements)
    if set(lists) != set(prototype.sites):
        raise InputError(f"elements: list them for the sites {', '.join(prototype.sites)}, and for no other")
    faults = [(site, fault) for site, symbols in lists.items() for one in symbols if (fault := element_fault(str(one)))]
    if faults:
        raise InputError("\n    ".join(f"elements: {site}: {reason}; {remedy}" for site, (reason, remedy) in faults))
    entries: list[Entry] = []
    rejections: list[Rejection] = []
    for elements in product(*(dict.fromkeys(lists[site]) for site in prototype.sites)):
        cells = dict(zip(prototype.sites, elements, strict=True)) | {"formula": prototype.compound(elements)}
        if fault := compound_fault(cells, prototype):
            rejections.append(Rejection(cells["formula"], "elements", *fault))
            continue
        edges = initial_edges(cells["formula"], needed(settings.initial_edge), elements)
        if fault := radius_fault(elements, edges):
            rejections.append(Rejection(cells["formula"], "elements", *fault))
            continue
        entries += prototype_entries(prototype, elements, edges, "elements")
    return Plan(tuple(entries), tuple(rejections))
