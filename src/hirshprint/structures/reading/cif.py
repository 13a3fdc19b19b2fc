"""CIF files: grammar by gemmi, symmetry from what the file says of it, and nothing that contradicts itself.

Tags are those of the core dictionary, in its old spelling (``_atom_site_fract_x``) and its new one
(``_atom_site.fract_x``), and those of magnetic structures, whose moments are left out.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from math import gcd

import numpy as np
from numpy.typing import NDArray

from hirshprint.structures.crystals import MAX_EDGE_ANGSTROM, Crystal, CrystalError, check_distances
from hirshprint.structures.reading.cif_atoms import NOT_GIVEN, AtomList, Tags, number_remedy, read_atoms, read_number
from hirshprint.structures.reading.cif_blocks import crystal_block
from hirshprint.structures.reading.cif_symmetry import WRITE, Claim, Meaning, fitting, symmetry_claims
from hirshprint.structures.reading.expansion import expand, made_by, same_atoms
from hirshprint.structures.reading.formula import formula_meanings, formula_units, spelled
from hirshprint.structures.reading.operations import fits_cell, number_of, operations_of_xyz, same_group
from hirshprint.structures.reading.parts import lattice_of_constants, shown

VOLUME_TOLERANCE = 0.01
CELL = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
FORMULA_TAGS = ("_chemical_formula_sum", "_chemical_formula_moiety", "_chemical_formula_structural")
NAME_TAGS = ("_chemical_name_systematic", "_chemical_name_common", "_chemical_name_mineral")
HYDROGEN_WORDS = re.compile(  # not anhydrous, dehydrated
    r"(?<!an)(?<!de)hydr(ate|ogen|ox|ide|on(e|ium)\b|azin)|ammoni|ammine|deuter|\b(water|ice|acid)\b", re.IGNORECASE
)


def read_cif(text: str) -> Crystal:
    """Read the crystal of a CIF.

    Symmetry comes from the list of operations, else the Hall symbol, else the Hermann-Mauguin symbol where it has one
    meaning that fits the cell, else the number in its standard setting; where nothing is said of it, P 1 is taken.

    Raises
    ------
    CrystalError
        It is no CIF, has no crystal or several, is disordered, or contradicts itself.
    """
    tags, mended = crystal_block(text)
    lattice, angles = _lattice(tags)
    elements = frozenset(symbol for amounts in _formula(tags)[1] for symbol in amounts)
    atoms = read_atoms(tags, elements)
    if not atoms.labels:
        raise CrystalError("no atoms in it", "check the atom list")
    claims = symmetry_claims(tags)
    known = [claim for claim in claims if claim.meanings]
    if claims and not known:
        raise CrystalError(f"{claims[0].text} is not known", WRITE)
    if known:
        chosen, crystal, remarks = _with_symmetry(tags, lattice, atoms, known)
    else:
        chosen = Meaning("P 1", operations_of_xyz(["x,y,z"]), 1)
        crystal = _filled(tags, lattice, atoms, chosen, sure=False)
        remarks = ["no symmetry is given: P 1 is assumed"]
    for claim in claims:
        if not claim.meanings:
            remarks.append(f"{claim.text} is not known: {known[0].text} was used")
        elif claim is not known[0]:
            remarks += _disagreement(known[0], chosen, claim, crystal, atoms)
    return replace(crystal, remarks=(*mended, *angles, *atoms.remarks, *remarks, *crystal.remarks))


def _lattice(tags: Tags) -> tuple[NDArray[np.float64], list[str]]:
    """Rows a, b, c, Å, and a remark where an angle is not given: the dictionary says 90 degrees then."""
    constants, missing = [], []
    for name in CELL:
        tag = f"_cell_{name}"
        values = tags.get(tag, ["90" if "angle" in name else "missing"])
        missing += [tag] if "angle" in name and tag not in tags else []
        if len(values) > 1:
            raise CrystalError("it is a table of several crystals: its cell constants are in a loop", "give one a file")
        number = read_number(values[0])
        if number is None or not 0 < number < (180 if "angle" in name else np.inf):
            remedy = number_remedy(values[0], "correct the cell constant (Å, degrees)")
            raise CrystalError(f"{tag} is {values[0]}", remedy)
        if "length" in name and number > MAX_EDGE_ANGSTROM:
            raise CrystalError(f"a cell edge of {number:.3g} Å", "check the cell constants (Å)")
        constants.append(number)
    lattice = lattice_of_constants(constants)
    made = float(np.linalg.det(lattice))
    volume = read_number(tags.get("_cell_volume", ["?"])[0])
    if volume and abs(volume / made - 1) > VOLUME_TOLERANCE:
        raise CrystalError(
            f"its _cell_volume is {volume:g} Å³, but its cell constants make {made:.2f} Å³",
            "correct one of them",
        )
    remarks = [f"{' and '.join(missing)} not given: 90 degrees are assumed"] if missing else []
    return lattice, remarks


def _formula(tags: Tags) -> tuple[str, list[dict[str, float]]]:
    """The tag of the formula that a block gives first, and what it may mean; an empty tag where it gives none."""
    for tag in FORMULA_TAGS:
        text = tags.get(tag, ["?"])[0].strip()
        if text and text not in NOT_GIVEN:
            return tag, formula_meanings(text)
    return "", []


# --- symmetry -----------------------------------------------------------------------------------------------------


def _with_symmetry(
    tags: Tags, lattice: NDArray[np.float64], atoms: AtomList, known: list[Claim]
) -> tuple[Meaning, Crystal, list[str]]:
    """Take the meaning of the first claim under which the file agrees with itself.

    Raises
    ------
    CrystalError
        There is none, or there are several that give different crystals and no convention tells which.
    """
    first = known[0]
    possible = fitting(first, lattice)
    sure = len(possible) == 1 and not first.is_number
    filled: list[tuple[Meaning, Crystal]] = []
    faults = []
    for meaning in possible:
        try:
            crystal = _filled(tags, lattice, atoms, meaning, sure)
            if len(possible) > 1:
                check_distances(lattice, crystal.frac, crystal.symbols, crystal.names)
            filled.append((meaning, crystal))
        except CrystalError as fault:
            faults.append(fault)
    if not filled:
        raise faults[0]
    chosen, crystal = filled[0]
    remarks = (
        [f"{first.text} is all that it says about the symmetry: {chosen.name} was used"] if first.is_number else []
    )
    if any(not _same(crystal, other) for _, other in filled[1:]):
        chosen, crystal = _by_convention(first, filled, any(claim.is_number for claim in known))
        remarks = [f"{first.text} has several settings: {chosen.name} was used, by convention"]
    elif faults:
        remarks = [f"{first.text} has several settings: {chosen.name} is the one that the rest of the file agrees with"]
    return chosen, crystal, remarks


def _by_convention(claim: Claim, filled: list[tuple[Meaning, Crystal]], has_number: bool) -> tuple[Meaning, Crystal]:
    """Take the standard setting where a number asks for it, and the unique axis b of a monoclinic group.

    Raises
    ------
    CrystalError
        No convention tells.
    """
    axis_b = [pair for pair in filled if pair[0].unique_axis == "b"]
    if all(meaning.unique_axis for meaning, _ in filled) and len(axis_b) == 1:
        return axis_b[0]
    standard = [pair for pair in filled if pair[0].standard]
    if has_number and len(standard) == 1:
        return standard[0]
    names = [meaning.name for meaning, _ in filled]
    raise CrystalError(f"{claim.text} may be {' or '.join(names)}", f"write which of them, or {WRITE}")


def _same(one: Crystal, other: Crystal) -> bool:
    return same_atoms(one.lattice, (one.frac, one.symbols), (other.frac, other.symbols))


def _disagreement(first: Claim, chosen: Meaning, claim: Claim, crystal: Crystal, atoms: AtomList) -> list[str]:
    """Remark that another claim names another setting; nothing where it agrees.

    Raises
    ------
    CrystalError
        It names another space group, which makes another crystal of the listed atoms.
    """
    if any(same_group(meaning.operations, chosen.operations) for meaning in claim.meanings):
        return []
    number = chosen.number or number_of(chosen.operations, crystal.lattice)
    numbers = {meaning.number or number_of(meaning.operations, crystal.lattice) for meaning in claim.meanings}
    if claim.is_number and number in numbers:
        return []
    for meaning in claim.meanings:
        if fits_cell(meaning.operations, crystal.lattice) and made_by(
            crystal.lattice, (crystal.frac, crystal.symbols), (atoms.places, atoms.symbols), meaning.operations
        ):
            return []
    if number in numbers:
        return [f"{claim.text} is in another setting than {first.text}, which was used"]
    others = " or ".join(str(other) for other in sorted(numbers))
    raise CrystalError(
        f"{_of_number(first, str(number))}, but {_of_number(claim, others)}", "correct the wrong one of the two"
    )


def _of_number(claim: Claim, number: str) -> str:
    """Say of which space group a claim is."""
    if claim.text.startswith("its space-group number"):
        return f"its space-group number is {number}"
    return f"{claim.text} is {'number' if claim.text.startswith('its space group') else 'of space group'} {number}"


# --- what the atoms must agree with -------------------------------------------------------------------------------


def _filled(tags: Tags, lattice: NDArray[np.float64], atoms: AtomList, meaning: Meaning, sure: bool) -> Crystal:
    """Fill the cell, and compare with formula, Z, multiplicities and hydrogens.

    `sure` is whether the symmetry is beyond doubt: then a Z or a multiplicity that does not fit is a remark only.

    Raises
    ------
    CrystalError
        The atoms contradict what the file says of them.
    """
    frac, row, remarks = expand(lattice, atoms.places, meaning.operations, atoms.labels)
    images = np.bincount(row, minlength=len(atoms.labels))
    fault = _multiplicity_fault(atoms, images, len(meaning.operations.rotations))
    if fault and not sure:
        raise CrystalError(fault, "correct its coordinates, the multiplicity or the symmetry")
    symbols = tuple(atoms.symbols[k] for k in row)
    names = tuple(atoms.labels[k] for k in row)
    more = _check_formula(tags, Counter(symbols), atoms, images, sure)
    return Crystal(lattice, symbols, frac, names, (*remarks, *([fault] if fault else []), *more))


def _multiplicity_fault(atoms: AtomList, images: NDArray[np.int64], order: int) -> str:
    """Say where stated multiplicities differ."""
    for numbers, may_be_order in ((atoms.multiplicities, False), (atoms.orders, True)):
        stated = np.array(numbers)
        given = stated > 0
        if (stated == images)[given].all() or (may_be_order and (stated * images == order)[given].all()):
            continue
        k = int(np.flatnonzero(given & (stated != images))[0])
        return f"the multiplicity of {atoms.labels[k]} is {stated[k]}, but symmetry makes {images[k]} of it"
    return ""


def _check_formula(
    tags: Tags, counts: Counter[str], atoms: AtomList, images: NDArray[np.int64], sure: bool
) -> list[str]:
    """Compare with the formula and Z, and look for hydrogens that are nowhere; remarks on what is not certain."""
    tag, meanings = _formula(tags)
    units = formula_units(counts, meanings)
    needed = int(images @ np.array(atoms.hydrogens))
    if units is None:
        needed = max(needed, int(images @ np.maximum(atoms.hydrogens, atoms.hinted)))
    attached = units is None and any("_atom_site_attached_hydrogens" in t for t in tags) and max(atoms.hinted) > 0
    if meanings and units is None:
        fault, is_of_hydrogens = _formula_fault(tags[tag][0], counts, meanings)
        if tag == FORMULA_TAGS[0] or is_of_hydrogens:
            raise CrystalError(fault, "complete the list of atoms, or correct the formula or the symmetry")
    if needed > counts["H"] or attached:
        raise CrystalError(
            "it has hydrogens without a position (labels such as Wat and O-H, or attached hydrogens)",
            "add the hydrogens to the list of atoms",
        )
    if meanings and units is None:
        return [f"its {tag} {tags[tag][0]!r} is not made up by its atoms ({spelled(counts)} in the cell)"]
    remarks = [f"its {tag} {tags[tag][0]!r} was not understood"] if tag and not meanings else []
    remarks += [] if meanings or counts["H"] else _hydrogens_of_name(tags)
    z = read_number(tags.get("_cell_formula_units_z", ["?"])[0])
    of_cell = units is not None and round(units, 2) == 1 and z == gcd(*counts.values())  # pymatgen: Fe4 P4 O16, Z 4
    if units and z and abs(z - units) > 0.02 * units and not of_cell:
        fault = f"its _cell_formula_units_Z is {z:g}, but its cell has {units:g} formula units"
        if not sure:
            raise CrystalError(fault, f"correct Z, or the symmetry: {WRITE}")
        remarks.append(fault)
    return remarks


def _hydrogens_of_name(tags: Tags) -> list[str]:
    """Remark that the name of a crystal without hydrogens speaks of them."""
    names = [tags.get(tag, ["?"])[0].strip() for tag in NAME_TAGS]
    told = [name for name in names if HYDROGEN_WORDS.search(name)]
    return [f"its name {shown([told[0]])!r} implies hydrogens, but it has none"] if told else []


def _formula_fault(text: str, counts: Counter[str], meanings: list[dict[str, float]]) -> tuple[str, bool]:
    """Say how the atoms differ from the formula, and whether they do in hydrogens alone."""
    without = Counter({symbol: count for symbol, count in counts.items() if symbol != "H"})
    for amounts in meanings:
        units = formula_units(without, [{s: n for s, n in amounts.items() if s != "H"}]) if "H" in amounts else None
        if without and units:
            return (
                f"its formula {text!r} has other hydrogens than its atoms: H{amounts['H']:g}, not "
                f"H{counts['H'] / units:g} ({spelled(counts)} in the cell)"
            ), True
    return f"its atoms do not make up its formula {text!r} (they are {spelled(counts)} in the cell)", False
