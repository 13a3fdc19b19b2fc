"""Which crystals are those of a prototype, and which element sits on which site: by coordination, not by order."""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from hirshprint.structures.geometry import near_pairs
from hirshprint.structures.placed import prototype_structure
from hirshprint.structures.prototypes import Prototype
from hirshprint.structures.structure import Structure
from hirshprint.structures.symbols import SYMBOLS
from hirshprint.structures.symmetry import primitive_cell

TOLERANCE = 0.002
"""Of distances, in edges: what still counts as the ideal places."""

REACH = (1.2, 1.7)
"""In edges: distances are compared up to the middle of the widest gap between shells in this range."""

Shells = dict[tuple[int, int], NDArray[np.float64]]


def prototype_elements(
    structure: Structure, prototype: Prototype, tolerance: float = TOLERANCE
) -> tuple[str, ...] | None:
    """Find the elements on the sites of a prototype that a crystal is of; None if it is not.

    Its atoms must see each other at the distances of the prototype, to within `tolerance` edges, in any setting and
    supercell. The volume per formula unit gives the edge.
    """
    lattice, frac, numbers = primitive_cell(structure)
    kinds, counts = np.unique(numbers, return_counts=True)
    amounts = list(prototype.counts.values())
    units = len(numbers) // sum(amounts)
    if len(numbers) != units * sum(amounts):
        return None
    shells, reach = _ideal_shells(prototype)
    edge = (abs(np.linalg.det(lattice)) / units / _volume(prototype)) ** (1 / 3)
    seen = _shells(lattice / edge, frac, numbers, reach)
    per_unit = {int(z): int(n) // units for z, n in zip(kinds, counts, strict=True) if n % units == 0}
    for choice in _choices(per_unit, amounts):
        if _agree(seen, shells, choice, units, tolerance):
            return tuple(SYMBOLS[z - 1] for z in choice)
    return None


def prototype_edge(structure: Structure, prototype: Prototype) -> float:
    """Edge in Å that the prototype has at the volume per formula unit of a crystal."""
    units = len(structure.numbers) / sum(prototype.counts.values())
    return float((abs(np.linalg.det(structure.lattice)) / units / _volume(prototype)) ** (1 / 3))


def _choices(per_unit: dict[int, int], amounts: list[int]) -> list[tuple[int, ...]]:
    """Ways to put the elements of a formula unit on the sites; an element may be on several."""
    found = []
    for choice in product(sorted(per_unit), repeat=len(amounts)):
        used: Counter[int] = Counter()
        for z, n in zip(choice, amounts, strict=True):
            used[z] += n
        if used == Counter(per_unit):
            found.append(choice)
    return found


def _agree(seen: Shells, ideal: Shells, choice: tuple[int, ...], units: int, tolerance: float) -> bool:
    wanted: dict[tuple[int, int], list[NDArray[np.float64]]] = {}
    for (one, other), distances in ideal.items():
        wanted.setdefault((choice[one], choice[other]), []).append(distances)
    if set(wanted) != set(seen):
        return False
    for pair, parts in wanted.items():
        distances = np.sort(np.repeat(np.concatenate(parts), units))
        if len(distances) != len(seen[pair]) or np.abs(distances - seen[pair]).max(initial=0.0) > tolerance:
            return False
    return True


@cache
def _ideal_shells(prototype: Prototype) -> tuple[Shells, float]:
    ideal = prototype_structure(prototype, SYMBOLS[: len(prototype.sites)], 10.0, prototype.name)
    every = _shells(ideal.lattice / 10, ideal.frac, ideal.numbers - 1, REACH[1])
    steps = np.unique(np.concatenate([*every.values(), np.array(REACH)]))
    steps = steps[(steps >= REACH[0]) & (steps <= REACH[1])]
    widest = int(np.argmax(np.diff(steps)))
    reach = float(steps[widest] + steps[widest + 1]) / 2
    near = {pair: distances[distances < reach] for pair, distances in every.items()}
    units = ideal.formula_units
    return {pair: distances[::units] for pair, distances in near.items() if len(distances)}, reach


@cache
def _volume(prototype: Prototype) -> float:
    """Volume of a formula unit for an edge of 1."""
    ideal = prototype_structure(prototype, SYMBOLS[: len(prototype.sites)], 10.0, prototype.name)
    return float(abs(np.linalg.det(ideal.lattice))) / 1000 / ideal.formula_units


def _shells(
    lattice: NDArray[np.float64], frac: NDArray[np.float64], numbers: NDArray[np.int64], reach: float
) -> Shells:
    """Sorted distances from all atoms of one kind to those of another, by their numbers, up to `reach`."""
    first, second, distances = near_pairs(lattice, frac, reach)
    pairs = np.stack([numbers[first], numbers[second]], axis=1)
    return {
        (int(a), int(b)): np.sort(distances[(pairs == (a, b)).all(axis=1)])
        for a, b in np.unique(pairs, axis=0).tolist()
    }
