"""Elements placed on the sites of a prototype."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np

from hirshprint.structures.entries import CrystalError
from hirshprint.structures.geometry import near_pairs, standard_orientation
from hirshprint.structures.prototypes import PROTOTYPES, Prototype
from hirshprint.structures.reading import read_crystal
from hirshprint.structures.sources.placement import MIN_DISTANCE_ANGSTROM
from hirshprint.structures.structure import Structure
from hirshprint.structures.symbols import SYMBOLS, atomic_number
from hirshprint.structures.symmetry import find_symmetry


def prototype_structure(
    prototype: Prototype, elements: Sequence[str], edge_angstrom: float, structure_id: str
) -> Structure:
    """Place elements on the sites of a prototype.

    Parameters
    ----------
    prototype : Prototype
        Where the atoms are.
    elements : sequence of str
        Symbols in the order of the prototype's sites.
    edge_angstrom : float, Å
        Its edge.
    structure_id : str
        Name of the structure.

    Raises
    ------
    CrystalError
        The file of a prototype of the user's cannot be used, or atoms overlap at this edge.
    """
    ideal = _ideal(prototype)
    numbers = np.array([atomic_number(symbol) for symbol in elements])
    site_of = ideal.numbers - 1  # the placeholder of site k is element k + 1
    labels = tuple(prototype.sites[k] for k in site_of[ideal.site_atom])
    anions = prototype.anion_sites(elements)
    if edge_angstrom * _closest(prototype) < MIN_DISTANCE_ANGSTROM:
        raise CrystalError(f"atoms overlap at an edge of {edge_angstrom:g} Å", "give a larger edge")
    return replace(
        ideal,
        structure_id=structure_id,
        lattice=ideal.lattice * edge_angstrom,
        numbers=numbers[site_of],
        is_anion=np.isin([prototype.sites[k] for k in site_of], anions),
        site_labels=labels,
    )


def cubic_perovskite(elements: Sequence[str], edge_angstrom: float, structure_id: str) -> Structure:
    """Build the ideal cubic perovskite ABX3: A at 0 0 0, B at ½ ½ ½, X at the face centres.

    Parameters
    ----------
    elements : sequence of str
        Symbols on A, B and X.
    edge_angstrom : float, Å
        Edge of the cubic cell.
    structure_id : str
        Name of the structure.
    """
    return prototype_structure(PROTOTYPES["cubic_perovskite"], elements, edge_angstrom, structure_id)


@cache
def _ideal(prototype: Prototype) -> Structure:
    """The prototype for an edge of 1 Å, with elements 1, 2 ... on its sites: its symmetry is that of every compound."""
    if prototype.file is not None:
        return _ideal_of_file(prototype)
    frac = np.array([place for of_site in prototype.places for place in of_site]) % 1.0
    numbers = np.repeat(np.arange(len(prototype.places)) + 1, [len(of_site) for of_site in prototype.places])
    lattice = np.array(prototype.cell)
    if not np.allclose(lattice, np.diag(np.diag(lattice))):
        lattice = standard_orientation(lattice)
    atoms, atom_site, operations = find_symmetry(lattice * 4.0, frac, numbers)
    return Structure(
        structure_id=prototype.name,
        lattice=lattice,
        numbers=numbers,
        frac=frac,
        is_anion=np.zeros(len(numbers), dtype=bool),
        site_atom=atoms,
        atom_site=atom_site,
        site_labels=("",) * len(atoms),
        multiplicity=np.bincount(atom_site),
        site_operations=operations,
        formula_units=1,
    )


def _ideal_of_file(prototype: Prototype) -> Structure:
    assert prototype.file is not None
    found = read_crystal(prototype.file, prototype.name)
    present = {SYMBOLS[number - 1] for number in found.numbers}
    if present != set(prototype.placeholders):
        raise CrystalError(
            f"{prototype.file} has the elements {', '.join(sorted(present))}, its sites.csv "
            f"{', '.join(prototype.placeholders)}",
            "give each element of the file a row in sites.csv",
        )
    site_of = np.array([prototype.placeholders.index(SYMBOLS[number - 1]) for number in found.numbers])
    counts, wanted = np.bincount(site_of), np.array(list(prototype.counts.values()))
    units = int(counts[0] // wanted[0])
    if not units or (counts != units * wanted).any():
        raise CrystalError(
            f"{prototype.file} has {counts.tolist()} atoms on the sites {', '.join(prototype.sites)}, no multiple of "
            f"{wanted.tolist()}",
            "correct the column atoms of sites.csv",
        )
    edge = float(np.linalg.norm(found.lattice[0]))
    return replace(found, lattice=found.lattice / edge, numbers=site_of + 1, formula_units=units)


@cache
def _closest(prototype: Prototype) -> float:
    """Shortest distance of two atoms, in edges."""
    if prototype.file is None:
        return prototype.closest
    ideal = _ideal(prototype)
    return float(near_pairs(ideal.lattice, ideal.frac, 1.05)[2].min())  # an atom's image is 1 edge away
