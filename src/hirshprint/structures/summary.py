"""What a chemist checks a crystal by: formula, cell, space group, shortest distance."""

from __future__ import annotations

from typing import Any

import numpy as np

from hirshprint.structures.crystals import reduced_formula
from hirshprint.structures.geometry import cell_constants, near_pairs
from hirshprint.structures.structure import Structure
from hirshprint.structures.symbols import SYMBOLS
from hirshprint.structures.symmetry import space_group

FIRST_REACH_ANGSTROM = 2.0


def crystal_facts(structure: Structure) -> dict[str, Any]:
    """What can be compared with the source of a crystal.

    Returns
    -------
    dict
        `formula`, `formula_units` in the cell, its constants (Å, degrees), `space_group` and `space_group_number` of
        the atoms as they are (empty and None where none is found), `atoms`, `distinct_sites`, and the
        `shortest_distance` (Å) with the elements that it is between.
    """
    edges, angles = cell_constants(structure.lattice)
    group = space_group(structure.lattice, structure.frac, structure.numbers)
    elements, distance = shortest_distance(structure)
    return {
        "formula": reduced_formula(structure.numbers),
        "formula_units": structure.formula_units,
        **{f"{name}_angstrom": float(edge) for name, edge in zip("abc", edges, strict=True)},
        **{f"{name}_degrees": float(x) for name, x in zip(("alpha", "beta", "gamma"), angles, strict=True)},
        "space_group": group[0] if group else "",
        "space_group_number": group[1] if group else None,
        "atoms": len(structure.numbers),
        "distinct_sites": len(structure.site_atom),
        "shortest_distance_angstrom": distance,
        "shortest_distance_between": elements,
    }


def shortest_distance(structure: Structure) -> tuple[str, float]:
    """The shortest distance between atoms, or an atom and its image, in Å, and between which: ``Al-O``."""
    reach = FIRST_REACH_ANGSTROM
    while not len((found := near_pairs(structure.lattice, structure.frac, reach))[0]):
        reach *= 2
    first, second, distances = found
    nearest = int(np.argmin(distances))
    atoms = sorted((int(first[nearest]), int(second[nearest])), key=lambda k: (structure.is_anion[k], k))
    return "-".join(SYMBOLS[structure.numbers[atom] - 1] for atom in atoms), float(distances[nearest])


def summary_line(structure: Structure) -> str:
    """The facts of a crystal as a line for the terminal."""
    facts = crystal_facts(structure)
    edges = ", ".join(f"{name} {facts[f'{name}_angstrom']:.3f}" for name in "abc")
    angles = " ".join(f"{round(facts[f'{name}_degrees'], 2):g}" for name in ("alpha", "beta", "gamma"))
    return (
        f"{facts['formula']}, {_counted(facts['formula_units'], 'formula unit')} in the cell ({edges} Å, {angles}°), "
        f"{group_text(facts)}, {_counted(facts['atoms'], 'atom')}, "
        f"{_counted(facts['distinct_sites'], 'distinct site')}; {distance_text(facts)}"
    )


def group_text(facts: dict[str, Any]) -> str:
    """The space group in words: ``space group Fd-3m (227)``."""
    number = facts["space_group_number"]
    return f"space group {facts['space_group']} ({number})" if number else "space group not found"


def distance_text(facts: dict[str, Any]) -> str:
    """The shortest distance in words: ``shortest distance Al-O 1.928 Å``."""
    return f"shortest distance {facts['shortest_distance_between']} {facts['shortest_distance_angstrom']:.3f} Å"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"
