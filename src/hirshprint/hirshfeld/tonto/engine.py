"""The Tonto engine: runs an installed Tonto once per distinct site and reads the surface that it writes.

Tonto (Jayatilaka, Grimwood 2003, doi 10.1007/3-540-44864-0_15) ends with status 0 whatever happens, runs for ever on
some input and draws a wrong surface on other. So each run has an empty folder, a process group and a time limit of its
own; the crystal is checked before; and success is judged by what was written: every cell constant, atom, neighbour and
distance in the surface file is compared with the crystal that was meant.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hirshprint.hirshfeld.surface import Surface, flat_area_and_volume
from hirshprint.hirshfeld.tonto.check import places_outside
from hirshprint.hirshfeld.tonto.errors import TontoError
from hirshprint.hirshfeld.tonto.input import Cell, tonto_cell
from hirshprint.hirshfeld.tonto.run import Tonto, run_site
from hirshprint.structures.structure import Structure, sites_at

Array = NDArray[np.float64]
DENSITY_SOURCE = "thakkar"


def compute_surfaces(structure: Structure, tonto: Tonto) -> list[Surface]:
    """Hirshfeld surfaces of the symmetry-distinct atoms of a crystal, by Tonto, in the order of its sites.

    Each is a whole closed mesh in the frame of the structure (no level, no operation but the identity).

    Parameters
    ----------
    structure : Structure
        The crystal; not modified.
    tonto : Tonto
        The program and how to run it.

    Raises
    ------
    TontoError
        A site has no surface, or the crystal is one that Tonto would take wrongly. `TontoTimeoutError` and
        `TontoPassingError` are those that another attempt can help.
    """
    cell = tonto_cell(structure)
    return [_site_surface(structure, cell, site, tonto) for site in range(len(structure.site_atom))]


def _site_surface(structure: Structure, cell: Cell, site: int, tonto: Tonto) -> Surface:
    atom = int(structure.site_atom[site])
    try:
        cxs, tied = run_site(cell, atom, tonto)
    except TontoError as error:
        error.args = (f"{structure.structure_id}: site {structure.site_labels[site]}: {error}",)
        raise
    numbers = structure.numbers[cxs.outside[:, 0]]
    nearest = np.array([rows[numbers[rows].argmin()] for rows in tied])  # of equally near ones the lightest
    inner = cell.frac[atom] @ cell.basis
    relative, nuclei = ((points - inner) @ cell.axes for points in (cxs.vertices, places_outside(cxs, cell)))
    rivals = _rivals(relative, cxs.triangles, nuclei, cxs.d_e)
    centre = structure.frac[atom] @ structure.lattice
    area, volume = flat_area_and_volume(relative, cxs.triangles)
    return Surface(
        site_label=structure.site_labels[site],
        inside_number=int(structure.numbers[atom]),
        is_anion=bool(structure.is_anion[atom]),
        multiplicity=int(structure.multiplicity[site]),
        formula_units=structure.formula_units,
        centre=centre,
        vertices=relative + centre,
        triangles=cxs.triangles,
        d_i=cxs.d_i,
        d_e=cxs.d_e,
        inside_species=np.full(len(cxs.d_i), structure.numbers[atom], dtype=np.uint8),
        outside_species=numbers[nearest].astype(np.uint8),
        normal=cxs.normals @ cell.axes,
        inside_nuclei=centre[None],
        outside_nuclei=nuclei[rivals] + centre,
        outside_numbers=numbers[rivals].astype(np.uint8),
        outside_sites=sites_at(structure, nuclei[rivals] + centre),
        operations=np.eye(3)[None],
        area=area,
        volume=volume,
        open_fraction=0.0,
        engine=tonto.engine,
        density_source=DENSITY_SOURCE,
        level=None,
    )


def _rivals(vertices: Array, triangles: NDArray[np.int32], nuclei: Array, d_e: Array) -> NDArray[np.int64]:
    """Rows of the nuclei that may be the nearest one to a point between vertices: as near but for two longest edges."""
    margin = 2 * np.linalg.norm(vertices[triangles] - vertices[np.roll(triangles, 1, axis=1)], axis=2).max()
    found = [
        k for k, nucleus in enumerate(nuclei) if (np.linalg.norm(vertices - nucleus, axis=1) <= d_e + margin).any()
    ]
    return np.array(found)
