"""Compounds to be placed on a prototype: faults of their elements, and the edges that they are built with (light)."""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Sequence

from hirshprint.config.keys import needed
from hirshprint.config.model import InitialEdge
from hirshprint.structures.entries import Entry
from hirshprint.structures.prototypes import Prototype
from hirshprint.structures.radii import SLATER_ANGSTROM, touching_edge
from hirshprint.structures.sources.rows import shortened
from hirshprint.structures.symbols import element_fault

EDGE_COLUMN = "initial_edge_angstrom"
MAX_EDGE_ANGSTROM = 30
MIN_DISTANCE_ANGSTROM = 0.5  # atoms nearer than this overlap


def prototype_entries(
    prototype: Prototype,
    elements: tuple[str, ...],
    edges: Sequence[float],
    source: str,
    target: float | None = None,
    group: str | None = None,
) -> list[Entry]:
    """The structures of one compound, one for each initial edge."""
    compound = prototype.compound(elements)
    placed = (*prototype.content, *elements)
    return [
        Entry(prototype_id(compound, edge), source, (*placed, edge), compound, elements, edge, target, None, group)
        for edge in dict.fromkeys(edges)
    ]


def prototype_id(compound: str, edge_angstrom: float) -> str:
    """Name the structure of a compound on a prototype."""
    return f"{compound}-a{edge_angstrom:.5f}"


def compound_fault(cells: dict[str, str], prototype: Prototype) -> tuple[str, str] | None:
    """Say what is wrong with the elements or the formula of a row, and what to do."""
    for site in prototype.sites:
        symbol = cells.get(site, "")
        if not symbol:
            return f"no element in column {site}", f"write the symbol of the element on the {site} site"
        fault = element_fault(symbol)
        if fault:
            return f"column {site}: {fault[0]}", fault[1]
    for one, other in prototype.apart:
        if cells[one] == cells[other]:
            return (
                f"the same element, {cells[one]}, on the {other} site and on the {one} site",
                f"check the columns {', '.join(prototype.sites)}",
            )
    elements = [cells[site] for site in prototype.sites]
    if _count_atoms(cells["formula"]) != prototype.atoms(elements):
        counts = prototype.counts.values()
        parts = [f"{n} {s} = {e}" for n, s, e in zip(counts, prototype.sites, elements, strict=True)]
        return (
            f"formula {shortened(cells['formula']) or '(empty)'} is not made of {', '.join(parts)}",
            f"write {prototype.compound(elements)}, or correct the columns {', '.join(prototype.sites)}",
        )
    return None


def _count_atoms(formula: str) -> Counter[str] | None:
    """Count the atoms of a plain formula such as Sr2TiO4; None if it is not one."""
    if not re.fullmatch("([A-Z][a-z]?[0-9]{0,4})+", formula):
        return None
    counts: Counter[str] = Counter()
    for symbol, number in re.findall("([A-Z][a-z]?)([0-9]*)", formula):
        counts[symbol] += int(number or 1)
    return counts


def overlap_fault(edge: float, column: str, prototype: Prototype) -> tuple[str, str] | None:
    """Reject an edge at which atoms overlap, or one in pm; of a prototype from a file, one that is not positive."""
    nearest = edge * prototype.closest
    if edge > MAX_EDGE_ANGSTROM and not prototype.file:
        return (
            f"{column} = {edge:g} Å is longer than that of any perovskite ({MAX_EDGE_ANGSTROM} Å at most)",
            "give the edge of the cubic cell in Å, with a decimal point",
        )
    if nearest >= MIN_DISTANCE_ANGSTROM or (prototype.file and edge > 0):
        return None
    return (
        f"with {column} = {edge:g} Å, B and X are {nearest:g} Å apart, less than {MIN_DISTANCE_ANGSTROM} Å",
        "give the edge of the cubic cell in Å",
    )


def radius_fault(elements: Sequence[str], edges: Sequence[float]) -> tuple[str, str] | None:
    """Say which of these elements has no radius to estimate an edge with, and what to do; None if there are edges."""
    if all(map(math.isfinite, edges)):
        return None
    missing = " and ".join(element for element in elements if element not in SLATER_ANGSTROM)
    return (
        f"no atomic radius of Slater is known for {missing}",
        f"give the row an edge in a column {EDGE_COLUMN}, or write another kind of initial_edge",
    )


def initial_edges(compound: str, rule: InitialEdge, elements: Sequence[str]) -> list[float]:
    """Give the edges, Å, that a compound is built with by the rule of the configuration's ``initial_edge``.

    Parameters
    ----------
    compound : str
        The compound, e.g. ``SrTiO3``.
    rule : InitialEdge
        `initial_edge` of the configuration.
    elements : sequence of str
        Symbols on the sites A, B, X, for the kind ``radii``; it gives NaN where a radius is not tabulated.
    """
    if rule.kind == "radii":
        return [round(touching_edge(elements), 5)]
    if rule.kind == "fixed":
        return [round(float(needed(rule.edge_angstrom)), 5)]
    if rule.kind == "list":
        return [round(float(edge), 5) for edge in needed(rule.edges_angstrom)]
    low, high, seed = needed(rule.low_angstrom), needed(rule.high_angstrom), needed(rule.seed)
    return [round(low + (high - low) * _uniform(seed, compound, draw), 5) for draw in range(needed(rule.draws))]


def _uniform(seed: int, formula: str, draw: int) -> float:
    """Draw a number in [0, 1) that depends on nothing but its arguments."""
    bits = hashlib.sha256(f"{seed}:{formula}:{draw}".encode()).digest()[:8]
    return int.from_bytes(bits, "big") / 2**64
