"""CIF files."""

from __future__ import annotations

import re

import numpy as np
from pymatgen.core import Structure
from pymatgen.core.operations import SymmOp
from pymatgen.io.cif import CifParser

from hirshprint.structures.crystals import Crystal, CrystalError, of_pymatgen


def read_cif(text: str) -> Crystal:
    """Read a CIF."""
    try:
        parser = CifParser.from_str(text, occupancy_tolerance=1.0)
        crystals = parser.parse_structures(primitive=False, on_error="raise")
    except Exception as error:
        if "ccupanc" in str(error):
            reason = "a place is occupied by more than one atom, or by more than a whole one"
            raise CrystalError(reason, "give an ordered model with one atom in each place") from None
        raise
    if len(crystals) != 1:
        raise CrystalError(f"{len(crystals)} crystals in one file", "give each crystal a file of its own")
    _check_cif(parser, crystals[0])
    return of_pymatgen(crystals[0], crystals[0].labels)


def _check_cif(parser: CifParser, crystal: Structure) -> None:
    """Raise where a CIF says something else than what pymatgen made of it: it passes over what it cannot use."""
    for block in parser.as_dict().values():
        for name, value in block.items():
            bounds = (0, 180) if name.startswith("_cell_angle_") else (0, np.inf)
            number = re.match(r"-?[\d.]+(e[-+]?\d+)?", str(value), re.IGNORECASE)
            if re.match("_cell_(length|angle)_", name) and number and not bounds[0] < float(number[0]) < bounds[1]:
                raise CrystalError(f"{name} is {value}", "correct the cell constant (Å, degrees)")
            if re.match("_(symmetry_equiv_pos_as|space_group_symop_operation)_xyz", name):
                for operation in [value] if isinstance(value, str) else value:
                    _check_operation(str(operation))
        if "_chemical_formula_sum" in block and (fault := parser.check(crystal)):
            raise CrystalError(
                f"its atoms do not make up its _chemical_formula_sum ({fault})", "complete the list of atoms"
            )


def _check_operation(text: str) -> None:
    """Raise where a symmetry operation such as ``-y,x+1/2,z`` is none: pymatgen would leave out all of them."""
    try:
        rotation = SymmOp.from_xyz_str(text).rotation_matrix
        fits = text.count(",") == 2 and "/0" not in text and abs(abs(np.linalg.det(rotation)) - 1) < 1e-6
    except (ValueError, ZeroDivisionError, IndexError):
        fits = False
    if not fits:
        raise CrystalError(f"{text!r} is no symmetry operation", "correct the list of symmetry operations")
