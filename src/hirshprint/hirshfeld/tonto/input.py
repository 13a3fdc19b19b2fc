"""What Tonto is given: the crystal as CIF, and its commands."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hirshprint.hirshfeld.tonto.errors import TontoError
from hirshprint.hirshfeld.tonto.installation import BASIS_FILE
from hirshprint.structures.geometry import cartesian_axes, cell_constants, near_pairs
from hirshprint.structures.structure import Structure
from hirshprint.structures.symbols import SYMBOLS

Array = NDArray[np.float64]
CIF_FILE, SURFACE_FILE = "crystal.cif", "site.cxs"

LEAST_DISTANCE = 0.5
"""Å between two atoms, below which Tonto would draw a surface all the same."""


class Cell(NamedTuple):
    """A crystal as Tonto gets it: all atoms of a compact cell, in Tonto's own orientation."""

    basis: Array  # (3, 3) rows a (along x), b (in the plane of x and y), c, Å
    frac: Array  # (n_atoms, 3) in [0, 1)
    symbols: tuple[str, ...]
    axes: Array  # (3, 3) rows are Tonto's x, y, z in the frame of the structure


def tonto_cell(structure: Structure) -> Cell:
    """Describe a crystal as Tonto wants it: every atom of a compact right-handed cell in standard orientation.

    A cell that is already compact stays as it is: Tonto's mesh depends a little on how its grid meets the crystal.

    Raises
    ------
    TontoError : cell or coordinates are not finite, an element is unknown, or atoms overlap, all of which Tonto
        would pass over.
    """
    name = structure.structure_id
    if not (np.isfinite(structure.lattice).all() and np.isfinite(structure.frac).all()):
        raise TontoError(f"{name}: the cell or a coordinate is not a finite number")
    if abs(np.linalg.det(structure.lattice)) < 1e-3:
        raise TontoError(f"{name}: the cell has no volume")
    if structure.numbers.min() < 1 or structure.numbers.max() > len(SYMBOLS):
        raise TontoError(f"{name}: an atomic number is not that of an element")
    basis = structure.lattice * np.sign(np.linalg.det(structure.lattice))
    basis = basis if _is_compact(basis) else _reduced(basis)
    axes = cartesian_axes(basis)
    frac = structure.frac @ structure.lattice @ np.linalg.inv(basis)
    frac = frac - np.floor(frac + 1e-9)
    cell = Cell(basis @ axes.T, frac, tuple(SYMBOLS[z - 1] for z in structure.numbers), axes)
    overlapping = near_pairs(cell.basis, cell.frac, LEAST_DISTANCE)[0]
    if len(overlapping):
        atom = int(overlapping.min())
        raise TontoError(
            f"{name}: atoms nearer than {LEAST_DISTANCE} Å to atom {atom + 1} ({cell.symbols[atom]}); "
            "Tonto would count both"
        )
    return cell


def _is_compact(basis: Array) -> bool:
    """Whether angles and volume are those of a reduced cell: Tonto's search counts cells by the length of edges."""
    lengths = np.linalg.norm(basis, axis=1)
    cosines = (basis @ basis.T / np.outer(lengths, lengths))[np.triu_indices(3, 1)]
    volume = np.linalg.det(basis) / lengths.prod()
    return bool(np.abs(cosines).max() <= 0.5 + 1e-6 and volume >= np.sqrt(0.5) - 1e-6)


def _reduced(basis: Array) -> Array:
    """Another basis of the lattice whose vectors no step along the two others shortens; its hand is kept.

    `hirshfeld.python.procrystal.reduced` takes other steps. Its vectors are as short, but may be others, and Tonto's
    mesh depends on them.
    """
    basis = basis.copy()
    shorter = True
    while shorter:
        shorter = False
        for k, i, j in product(range(3), (-1, 0, 1), (-1, 0, 1)):
            candidate = basis[k] + i * basis[k - 1] + j * basis[k - 2]
            if candidate @ candidate < basis[k] @ basis[k] * (1 - 1e-9):
                basis[k], shorter = candidate, True
    return basis


def cif_text(cell: Cell) -> str:
    """Write a crystal as CIF: the cell, the identity alone as symmetry, every atom with full occupancy."""
    lengths, angles = cell_constants(cell.basis)
    lines = ["data_crystal"]
    lines += [f"_cell_length_{name} {value:.8f}" for name, value in zip("abc", lengths, strict=True)]
    lines += [f"_cell_angle_{name} {value:.8f}" for name, value in zip(("alpha", "beta", "gamma"), angles, strict=True)]
    lines += ["loop_", "_symmetry_equiv_pos_as_xyz", "'x,y,z'", "loop_"]
    lines += ["_atom_site_label", "_atom_site_type_symbol"]
    lines += [f"_atom_site_fract_{axis}" for axis in "xyz"] + ["_atom_site_occupancy"]
    lines += [
        f"{_label(cell, atom)} {symbol} {x:.8f} {y:.8f} {z:.8f} 1.0"
        for atom, (symbol, (x, y, z)) in enumerate(zip(cell.symbols, cell.frac, strict=True))
    ]
    return "\n".join(lines) + "\n"


def _label(cell: Cell, atom: int) -> str:
    """Name an atom; Tonto takes the element from the letters."""
    return f"{cell.symbols[atom]}{atom + 1}"


def input_text(cell: Cell, atom: int, separation_bohr: float) -> str:
    """Write Tonto's commands for the surface of one atom of the crystal in `CIF_FILE`."""
    x, y, z = cell.frac[atom] @ cell.basis
    return INPUT.format(
        basis=BASIS_FILE,
        cif=CIF_FILE,
        atom=f"{_label(cell, atom)} {x:.6f} {y:.6f} {z:.6f}",
        separation=f"{separation_bohr:g}",
        surface=SURFACE_FILE,
    )


INPUT = """{{
   slaterbasis_name= "{basis}"

   CIF= {{ file_name= "{cif}" }}
   process_CIF
   name= site

   atoms= {{
      keys= {{ label= {{ units= angstrom }} pos= }}
      new_data= {{
         {atom}
      }}
   }}

   cluster= {{
      generation_method= for_hirshfeld_surface
      atom_density_cutoff= 1.0e-8
      defragment= FALSE
      make_info
   }}
   create_cluster

   interpolator= {{
      interpolation_method= linear
      domain_mapping= sqrt
      table_eps= 1.0d-10
      table_spacing= 0.1
   }}

   CX_surface= {{
      kind= "stockholder_weight"
      triangulation_method= recursive_marching_cube
      iso_value= 0.5
      surface_property= "none"
      minimum_scan_division= 1
      voxel_proximity_factor= 5
      CX_output_distance_properties= TRUE
      CX_output_shape_properties= FALSE
      plot_grid= {{
         use_bounding_cube_and_axes
         cube_scale_factor= 1
         desired_separation= {separation}
      }}
   }}
   isosurface_plot

   CX_uses_angstrom= TRUE
   CX_file_name= "{surface}"
   put_CX_data
}}
"""
