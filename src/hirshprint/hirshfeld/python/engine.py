"""The bundled surface engine: exact Hirshfeld surfaces, w = ½, found by root finding.

Seen from a nucleus the surface of an atom is, in nearly all crystals, a radial function: its distance is found
along every direction of a triangulated sphere (`rays`). The part of space with w > ½ lies within the Voronoi cell
of the inside atom among the atoms of its own element, since behind such a plane an image is closer than the atom
itself; this bounds every search. Where a ray crosses the surface more than once, and for fragments of several
atoms, an isosurface takes its place (`isosurface`), without a level.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hirshprint.densities import Densities
from hirshprint.hirshfeld.patches import measure
from hirshprint.hirshfeld.python.isosurface import isosurface
from hirshprint.hirshfeld.python.procrystal import (
    RANGE,
    Array,
    Integers,
    Neighbours,
    Procrystal,
    are_open,
    cutoffs_for,
    nearest_inside,
    nearest_outside,
    neighbours,
    procrystal,
    without,
)
from hirshprint.hirshfeld.python.rays import SHIFT, cast, one_by_one
from hirshprint.hirshfeld.python.sphere import OCTAHEDRAL, chain, mesh_frame, wedge
from hirshprint.hirshfeld.python.walk import BURIED, OPEN, SECOND
from hirshprint.hirshfeld.surface import Surface, SurfaceError
from hirshprint.structures.geometry import cartesian_axes
from hirshprint.structures.structure import Structure, sites_at

DEFAULT_MESH_LEVEL = 10
"""Divisions of the edges of the 48 domains of the sphere: 24·10² + 2 = 2402 rays, 66 on a site m-3m."""


def compute_surfaces(structure: Structure, densities: Densities, mesh_level: int = DEFAULT_MESH_LEVEL) -> list[Surface]:
    """Hirshfeld surfaces of the symmetry-distinct atoms of a crystal, in the order of its sites.

    The neighbour sum reaches as far as the densities of this crystal ask for (see `rays.SHIFT`). Directions
    are tied to the axes of the crystal, so the result turns with it.

    Parameters
    ----------
    structure : Structure
        The crystal; not modified.
    densities : Densities
        Free-atom densities of its elements.
    mesh_level : int, default DEFAULT_MESH_LEVEL
        Divisions of the edges of the 48 domains of the sphere, 24·level² + 2 rays without symmetry.

    Returns
    -------
    list of Surface
        One `Surface` per distinct site.

    Raises
    ------
    SurfaceError : a site has no closed surface, or an element has no density.
    """
    frame = cartesian_axes(structure.lattice)
    lattice = structure.lattice @ frame.T
    crystal = procrystal(structure, lattice, densities)
    surfaces = []
    for site, atom in enumerate(structure.site_atom):
        turn, group = _site_frame(_shape(lattice), structure.site_operations[site].tobytes())
        try:
            mesh = _site_mesh(crystal, int(atom), turn, group, mesh_level)
        except SurfaceError as error:
            raise SurfaceError(
                f"{structure.structure_id}: site {structure.site_labels[site]} "
                f"(Z = {structure.numbers[atom]}) has no closed surface: {error}"
            ) from None
        centre = structure.frac[atom] @ structure.lattice
        surfaces.append(
            _surface(
                structure,
                crystal,
                mesh,
                frame,
                centre,
                site_label=structure.site_labels[site],
                inside_number=int(structure.numbers[atom]),
                is_anion=bool(structure.is_anion[atom]),
                multiplicity=int(structure.multiplicity[site]),
                density_source=densities.source,
            )
        )
    return surfaces


def fragment_surface(
    structure: Structure, densities: Densities, atoms: Sequence[int], mesh_level: int = DEFAULT_MESH_LEVEL
) -> Surface:
    """Hirshfeld surface of several atoms together, e.g. a molecule or a formula unit.

    Parameters
    ----------
    structure : Structure
        The crystal; not modified.
    densities : Densities
        Free-atom densities of its elements.
    atoms : sequence of int
        Rows of the atoms inside. Of each its image nearest to those before it counts, so that a molecule which the cell
        cuts apart is whole.
    mesh_level : int, default DEFAULT_MESH_LEVEL
        The isosurface's grid has a step of 1.5/level Å.

    Returns
    -------
    Surface
        A closed mesh without wedge; `site_label` ``fragment``, `inside_number` 0, multiplicity 1.

    Raises
    ------
    SurfaceError : the fragment has no surface, or an element has no density.
    """
    frame = cartesian_axes(structure.lattice)
    crystal = procrystal(structure, structure.lattice @ frame.T, densities)
    places = _whole(crystal, np.asarray(atoms))
    centre = places.mean(axis=0)
    inside = np.column_stack([places - centre, structure.numbers[list(atoms)]])
    low, high = inside[:, :3].min(axis=0) - 1.5, inside[:, :3].max(axis=0) + 1.5
    try:
        mesh = _marching_cubes(
            crystal, centre, inside, cutoffs_for(crystal, SHIFT * RANGE), low, high, 1.5 / mesh_level
        )
    except SurfaceError as error:
        raise SurfaceError(f"{structure.structure_id}: the fragment has no closed surface: {error}") from None
    return _surface(
        structure,
        crystal,
        mesh,
        frame,
        centre @ frame,
        site_label="fragment",
        inside_number=0,
        is_anion=False,
        multiplicity=1,
        density_source=densities.source,
    )


def radii_along(
    structure: Structure, densities: Densities, site: int, directions: Array, shift: float = SHIFT
) -> Array:
    """Distances in Å from the nucleus of a site to its surface along unit vectors (n, 3), Cartesian; (n,).

    `shift` : Å that the atoms beyond the cut-offs may move a vertex; what the convergence is shown with.

    Parameters
    ----------
    structure : Structure
        The crystal.
    densities : Densities
        Free-atom densities of its elements.
    site : int
        Row of the site in `structure.site_atom`.
    directions : ndarray of float64, (n, 3)
        Unit vectors, Cartesian.
    shift : float, Å, default SHIFT
        How far the atoms beyond the cut-offs may move a vertex; the convergence is shown with it.
    """
    crystal = procrystal(structure, structure.lattice, densities)
    rays = np.ascontiguousarray(directions, dtype=np.float64)
    radius: Array = cast(crystal, int(structure.site_atom[site]), rays, one_by_one(rays), shift)[0]
    return radius


class _Mesh(NamedTuple):
    """A surface about its centre in the frame of the crystal's axes, and what is near it."""

    vertices: Array
    triangles: NDArray[np.int32]
    normal: Array
    operations: Array
    level: int | None
    width: float  # of the triangles, Å, about
    inside: Array  # (m, 4), see `log_ratio`
    around: Neighbours
    is_open: NDArray[np.bool_]  # (n,), per vertex


def _site_mesh(crystal: Procrystal, atom: int, turn: Array, group: tuple[int, ...], mesh_level: int) -> _Mesh:
    directions, triangles = _directions(turn.tobytes(), group, mesh_level)
    radius, status, normal, vertices, around, outermost = cast(
        crystal, atom, directions, chain(mesh_level, group), SHIFT
    )
    inside = np.array([[0.0, 0.0, 0.0, float(crystal.numbers[atom])]])
    if (status == BURIED).any():
        raise SurfaceError("at the nucleus the other atoms have the higher density")
    if (status == SECOND).any():
        end = np.full(3, outermost + 0.4)
        return _marching_cubes(crystal, crystal.positions[atom], inside, around.cutoffs, -end, end, 1.5 / mesh_level)
    operations = turn @ OCTAHEDRAL[list(group)] @ turn.T
    width = float(radius.max()) / mesh_level
    return _Mesh(vertices, triangles, normal, operations, mesh_level, width, inside, around, status == OPEN)


def _marching_cubes(
    crystal: Procrystal, centre: Array, inside: Array, cutoffs: Array, low: Array, high: Array, step: float
) -> _Mesh:
    """Isosurface in a box (low and high, about the centre), which may grow as far as the densities reach."""
    most = float(np.linalg.norm(inside[:, :3], axis=1).max()) + crystal.reach
    around = without(neighbours(crystal, centre, -1.0, cutoffs, np.sqrt(3.0) * (most + 1.0)), inside[:, :3])
    vertices, triangles, normal = isosurface(low, high, step, most, inside, crystal.rho, around)
    is_open = are_open(vertices, inside, crystal.rho, around)
    return _Mesh(vertices, triangles, normal, np.eye(3)[None], None, step, inside, around, is_open)


def _surface(
    structure: Structure, crystal: Procrystal, mesh: _Mesh, frame: Array, centre: Array, **site: Any
) -> Surface:
    """Turn a mesh back into the frame of the crystal and add what follows from it."""
    d_i, inside_species = nearest_inside(mesh.vertices, mesh.inside)
    d_e, outside_species, nuclei, numbers = _nearest_outside(crystal, mesh, centre @ frame.T)
    normal = np.zeros_like(mesh.normal) if mesh.level is None else mesh.normal
    areas, volume = measure(mesh.vertices, normal, mesh.triangles)
    area = float(areas.sum())
    places = nuclei @ frame + centre
    copies = len(mesh.operations)
    open_area = float(areas @ mesh.is_open[mesh.triangles].mean(axis=1)) if mesh.is_open.any() else 0.0
    return Surface(
        centre=centre,
        vertices=mesh.vertices @ frame + centre,
        triangles=mesh.triangles,
        d_i=d_i,
        d_e=d_e,
        inside_species=inside_species,
        outside_species=outside_species,
        normal=mesh.normal @ frame,
        inside_nuclei=mesh.inside[:, :3] @ frame + centre,
        outside_nuclei=places,
        outside_numbers=numbers,
        outside_sites=sites_at(structure, places),
        formula_units=structure.formula_units,
        operations=frame.T @ mesh.operations @ frame,
        area=copies * area,
        volume=copies * float(volume),
        open_fraction=open_area / area,
        engine="python",
        level=mesh.level,
        **site,
    )


def _nearest_outside(
    crystal: Procrystal, mesh: _Mesh, centre: Array
) -> tuple[Array, NDArray[np.uint8], Array, NDArray[np.uint8]]:
    """`nearest_outside`, from as far as it takes: beside a vacuum the nearest atom may be beyond the cut-offs."""
    around, reach = mesh.around, float(mesh.around.cutoffs.min())
    while True:
        distance, number, places, numbers = nearest_outside(mesh.vertices, around, mesh.width)
        if distance.max() + mesh.width <= reach:
            return distance, number, places, numbers
        reach *= 2.0
        within = float(np.linalg.norm(mesh.vertices, axis=1).max())
        everywhere = neighbours(crystal, centre, -1.0, np.full(len(crystal.elements), reach), within)
        around = without(everywhere, mesh.inside[:, :3])


def _whole(crystal: Procrystal, atoms: Integers) -> Array:
    """Places (m, 3) of some atoms, each the image nearest to one before it."""
    places = [crystal.positions[atoms[0]]]
    for atom in atoms[1:]:
        frac = (crystal.positions[atom] - np.array(places)) @ crystal.inverse
        offsets = (frac - np.rint(frac)) @ crystal.basis
        nearest = (offsets**2).sum(axis=1).argmin()
        places.append(places[nearest] + offsets[nearest])
    return np.array(places)


def _shape(lattice: Array) -> bytes:
    """The lattice without its size, to 1e-9: what the directions of its symmetry axes follow from."""
    shape: bytes = ((lattice / np.sqrt((lattice[0] ** 2).sum())).round(9) + 0.0).tobytes()
    return shape


@lru_cache(maxsize=1024)
def _site_frame(shape: bytes, operations: bytes) -> tuple[Array, tuple[int, ...]]:
    """`mesh_frame` of fractional rotations (int64), made orthogonal where the lattice is slightly off."""
    lattice = np.frombuffer(shape).reshape(3, 3)
    raw = lattice.T @ np.frombuffer(operations, dtype=np.int64).reshape(-1, 3, 3) @ np.linalg.inv(lattice.T)
    u, _, v = np.linalg.svd(raw)
    return mesh_frame((u @ v).round(6) + 0.0)


@lru_cache(maxsize=64)
def _directions(turn: bytes, group: tuple[int, ...], mesh_level: int) -> tuple[Array, NDArray[np.int32]]:
    """`wedge` turned into the frame of the crystal's axes."""
    directions, triangles = wedge(mesh_level, group)
    return np.ascontiguousarray(directions @ np.frombuffer(turn).reshape(3, 3).T), triangles
