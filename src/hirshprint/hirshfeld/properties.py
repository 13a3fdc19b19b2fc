"""What follows from a surface and is not kept in its file: properties per vertex, per site and per cell.

Curvedness and shape index after Koenderink and van Doorn 1992 (doi 10.1016/0262-8856(92)90076-F), d_norm after
McKinnon, Jayatilaka and Spackman 2007 (doi 10.1039/B704980C).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from hirshprint.densities import GRID_STEP, Densities, look_up
from hirshprint.hirshfeld.kernel import kernel
from hirshprint.hirshfeld.python.procrystal import (
    Array,
    Integers,
    Neighbours,
    cutoffs_for,
    log_ratio,
    neighbours,
    procrystal,
    without,
)
from hirshprint.hirshfeld.python.rays import SHIFT
from hirshprint.hirshfeld.spreading import BEND, spread_area
from hirshprint.hirshfeld.surface import Surface, full, mesh_about_centre
from hirshprint.structures.structure import Structure

RADII = "distance at which the density of the free atom is 0.001 e/bohr³ (Rahm, Hoffmann, Ashcroft 2016)"
"""The radii of d_norm (doi 10.1002/chem.201602949), from the densities in use: every element has one."""

RADIUS_DENSITY = 1e-3
"""e/bohr³ of `RADII`."""

STEP = 1e-3
"""Å between the gradients whose differences give the curvatures."""


@dataclass(frozen=True, eq=False)
class DetailedSurface(Surface):
    """A closed surface with all its properties.

    Attributes
    ----------
    d_norm : ndarray of float64, (n,)
        (d_i - r_i)/r_i + (d_e - r_e)/r_e with the radii `RADII` of the nearest nuclei.
    outside_index : ndarray of int64, (n,)
        Row in the structure of the nearest atom outside (of which it may be an image).
    curvedness : ndarray of float64, (n,)
        2/π ln √((κ₁² + κ₂²)/2), curvatures in 1/Å.
    shape_index : ndarray of float64, (n,)
        2/π arctan((κ₁ + κ₂)/|κ₁ - κ₂|): 1 for a bump, -1 for a hollow, seen from outside.
    sphericity : float
        Area of the ball of the same volume over the area.
    contact_share : dict of int to float
        Share of the area that is nearest to each species outside, by atomic number; sums to 1.
    """

    d_norm: Array
    outside_index: Integers
    curvedness: Array
    shape_index: Array
    sphericity: float
    contact_share: dict[int, float]


@dataclass(frozen=True)
class Volumes:
    """Å³ in a cell: of the cell, of all its atoms' surfaces together, and what no atom has for itself."""

    cell: float
    atoms: float
    voids: float


def with_properties(surface: Surface, structure: Structure, densities: Densities) -> DetailedSurface:
    """Complete a surface of a structure to the closed mesh and add its properties."""
    closed = full(surface)
    _, _, inside, outside, _ = mesh_about_centre(closed)
    vertices = closed.vertices - closed.centre
    inside_atoms = _atom_at(structure, closed.inside_nuclei)
    outside_atoms = _atom_at(structure, closed.outside_nuclei)
    within = _nearest_atoms(vertices, inside, inside_atoms, structure.numbers)
    nearest = _nearest_atoms(vertices, outside, outside_atoms, structure.numbers)
    radii = _radii(densities, structure.numbers)
    r_i, r_e = radii[within], radii[nearest]
    one, two = _curvatures(closed, structure, densities, np.column_stack([inside, structure.numbers[inside_atoms]]))
    return DetailedSurface(
        **{field.name: getattr(closed, field.name) for field in fields(Surface)},
        d_norm=(closed.d_i - r_i) / r_i + (closed.d_e - r_e) / r_e,
        outside_index=nearest,
        curvedness=np.log(np.maximum((one**2 + two**2) / 2, 1e-12)) / np.pi,
        shape_index=2 / np.pi * np.arctan2(one + two, np.abs(one - two)),
        sphericity=sphericity(surface),
        contact_share=contact_share(surface),
    )


def sphericity(surface: Surface) -> float:
    """Area of the ball of the same volume over the area of the surface: 1 for a ball, else less."""
    return float(np.cbrt(np.pi * (6 * surface.volume) ** 2) / surface.area)


def contact_share(surface: Surface) -> dict[int, float]:
    """Share of the area that is nearest to each species outside, by atomic number; the shares sum to 1."""
    species, group = np.unique(surface.outside_numbers, return_inverse=True)
    none = np.zeros((len(species), 1, 1))
    areas = spread_area(*mesh_about_centre(surface), group.astype(np.int64), none, 0.0, 1e3, BEND)[:, 0]
    return {int(z): float(area / areas.sum()) for z, area in zip(species, areas, strict=True) if area > 0}


def volumes(structure: Structure, surfaces: Sequence[Surface]) -> Volumes:
    """How the atoms share the cell; `surfaces` are those of its distinct sites."""
    cell = float(abs(np.linalg.det(structure.lattice)))
    atoms = sum(surface.multiplicity * surface.volume for surface in surfaces)
    return Volumes(cell, atoms, cell - atoms)


def _nearest_atoms(points: Array, nuclei: Array, atoms: Integers, numbers: Integers) -> Integers:
    """Atom whose nucleus (b, 3) is nearest to each point (n, 3); of those equally near to 1e-5 Å a lightest."""
    order = np.argsort(numbers[atoms], kind="stable")
    distance = np.sqrt(((points[:, None] - nuclei[order]) ** 2).sum(axis=2))
    rows = (distance <= distance.min(axis=1, keepdims=True) + 1e-5).argmax(axis=1)
    nearest: Integers = atoms[order[rows]]
    return nearest


def _atom_at(structure: Structure, places: Array) -> Integers:
    """Row of the atom of which there is an image at each place (n, 3)."""
    inverse = np.linalg.inv(structure.lattice)
    frac = places[:, None] @ inverse - structure.frac
    away = np.linalg.norm((frac - np.rint(frac)) @ structure.lattice, axis=2)
    rows: Integers = away.argmin(axis=1)
    return rows


def _radii(densities: Densities, numbers: Integers) -> Array:
    table = look_up(densities)
    table.fill(numbers.tolist())
    return np.array([np.sqrt(GRID_STEP * (table.rho[z, :, 0] > RADIUS_DENSITY).sum()) for z in numbers])


@kernel
def _gradients(points: Array, inside: Array, rho: Array, around: Neighbours) -> Array:
    """∇f (n, 3) per Å at points about the centre."""
    found = np.empty_like(points)
    for k in range(len(points)):
        found[k] = log_ratio(points[k, 0], points[k, 1], points[k, 2], inside, rho, around)[1:4]
    return found


def _curvatures(surface: Surface, structure: Structure, densities: Densities, inside: Array) -> tuple[Array, Array]:
    """Principal curvatures κ₁ >= κ₂ in 1/Å at the vertices, positive where the surface bulges outwards.

    They are the eigenvalues of the derivative of the unit normal -∇f/|∇f| in the tangent plane.
    """
    crystal = procrystal(structure, structure.lattice, densities)
    vertices = surface.vertices - surface.centre
    density = min(crystal.rho[z, int(surface.d_i.max() ** 2 / GRID_STEP), 0] for z in inside[:, 3].astype(int))
    cutoffs = cutoffs_for(crystal, SHIFT * density)
    reach = float(np.linalg.norm(vertices, axis=1).max()) + STEP
    around = without(neighbours(crystal, surface.centre, -1.0, cutoffs, reach), inside[:, :3])
    u = np.cross(surface.normal, np.eye(3)[np.abs(surface.normal).argmin(axis=1)])
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    tangents = (u, np.cross(surface.normal, u))
    size = np.linalg.norm(_gradients(vertices, inside, crystal.rho, around), axis=1)
    change = [
        (
            _gradients(vertices - STEP * tangent, inside, crystal.rho, around)
            - _gradients(vertices + STEP * tangent, inside, crystal.rho, around)
        )
        / (2 * STEP * size[:, None])
        for tangent in tangents
    ]
    a, b, c = (
        np.einsum("ij,ij->i", change[i], tangents[j]) for i, j in ((0, 0), (0, 1), (1, 1))
    )  # symmetric matrix a b c
    mean, half = (a + c) / 2, np.sqrt(((a - c) / 2) ** 2 + b**2)
    return mean + half, mean - half
