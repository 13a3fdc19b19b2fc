"""Edges laid along the ridges of d_e, where two nuclei outside are equally near: d_e is smooth in every triangle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from hirshprint.densities import Densities
from hirshprint.hirshfeld.export import point_data
from hirshprint.hirshfeld.python.engine import compute_surfaces, radii_along
from hirshprint.hirshfeld.surface import Surface, full
from hirshprint.structures.structure import Structure

PICTURE_LEVEL = 20
"""Mesh level of what is drawn."""

NEAR_END = 0.01
"""An edge that a ridge meets within this share of its length from an end is not cut: no slivers."""

_CUTS: dict[tuple[bool, bool, bool], list[list[int]]] = {  # corners 0 1 2, points 3 4 5 on the edges 01 12 20
    (False, False, False): [[0, 1, 2]],
    (True, False, False): [[0, 3, 2], [3, 1, 2]],
    (False, True, False): [[1, 4, 0], [4, 2, 0]],
    (False, False, True): [[2, 5, 1], [5, 0, 1]],
    (True, False, True): [[0, 3, 5], [3, 1, 2], [3, 2, 5]],
    (True, True, False): [[1, 4, 3], [4, 2, 0], [4, 0, 3]],
    (False, True, True): [[2, 5, 4], [5, 0, 1], [5, 1, 4]],
    (True, True, True): [[0, 3, 5], [3, 1, 4], [4, 2, 5], [3, 4, 5]],
}


def closed_meshes(structure: Structure, densities: Densities, surfaces: Sequence[Surface]) -> list[Surface]:
    """Closed meshes of the surfaces of all distinct sites, with edges along their ridges."""
    return [split_at_ridges(full(s), structure, densities, site) for site, s in enumerate(surfaces)]


def split_at_ridges(surface: Surface, structure: Structure, densities: Densities, site: int) -> Surface:
    """Cut the triangles of a closed mesh along the ridges of d_e; the new vertices lie on w = ½ too.

    A surface that is not radial is returned as it is.

    Parameters
    ----------
    surface : Surface
        Closed mesh of the site, see `full`.
    structure : Structure
        What it was computed from.
    densities : Densities
        What it was computed from.
    site : int
        Row of the site in `structure.site_atom`.
    """
    if not surface.is_radial:
        return surface
    triangles = surface.triangles
    sides = np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    edges, side_edge = np.unique(sides, axis=0, return_inverse=True)
    place, cut = _crossings(surface, edges)
    if not cut.any():  # in crystals of high symmetry the ridges lie on edges as it is
        return surface
    ends, share = edges[cut], place[cut]
    added: dict[str, Any] = _new_vertices(surface, ends, share, structure, densities, site)
    number = np.full(len(edges), -1)
    number[cut] = len(surface.vertices) + np.arange(len(ends))
    points = np.concatenate([triangles, number[side_edge].reshape(-1, 3)], axis=1)
    is_cut = points[:, 3:] >= 0
    parts = [points[(is_cut == pattern).all(axis=1)][:, corners].reshape(-1, 3) for pattern, corners in _CUTS.items()]
    return replace(surface, triangles=np.concatenate(parts).astype(np.int32), **added)


def _crossings(surface: Surface, edges: NDArray[np.integer]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Where on each edge (share of its length) the nuclei nearest to its ends are equally near, and whether to cut."""
    nearest = cKDTree(surface.outside_nuclei).query(surface.vertices)[1][edges]
    a, b = surface.vertices[edges].swapaxes(0, 1)
    near_a, near_b = surface.outside_nuclei[nearest].swapaxes(0, 1)

    def lead(points: NDArray[np.float64]) -> NDArray[np.float64]:
        lead: NDArray[np.float64] = ((points - near_b) ** 2).sum(axis=1) - ((points - near_a) ** 2).sum(axis=1)
        return lead

    at_a, at_b = lead(a), lead(b)
    place = np.divide(at_a, at_a - at_b, out=np.zeros(len(edges)), where=at_a > at_b)
    return place, (place > NEAR_END) & (place < 1 - NEAR_END)


def _new_vertices(
    surface: Surface,
    ends: NDArray[np.integer],
    share: NDArray[np.float64],
    structure: Structure,
    densities: Densities,
    site: int,
) -> dict[str, NDArray[Any]]:
    """Every array per vertex with the rows of the new vertices at its end."""
    first, second = ends.T

    def between(values: NDArray[Any]) -> NDArray[Any]:
        part = share.reshape(-1, *[1] * (values.ndim - 1))
        mean: NDArray[Any] = values[first] + part * (values[second] - values[first])
        return mean

    directions = between(surface.vertices) - surface.centre
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    radius = radii_along(structure, densities, site, directions)
    vertices = surface.centre + directions * radius[:, None]
    normal = between(surface.normal)
    d_e, nearest = cKDTree(surface.outside_nuclei).query(vertices)  # where ridges meet it can be a third nucleus
    new: dict[str, NDArray[Any]] = {
        "vertices": vertices,
        "d_i": radius,
        "d_e": d_e,
        "outside_species": surface.outside_numbers[nearest],
        "normal": normal / np.linalg.norm(normal, axis=1)[:, None],
    }
    for name, values in point_data(surface).items():
        if name not in new:
            new[name] = between(values) if values.dtype.kind == "f" else values[first]
    return {name: np.concatenate([getattr(surface, name), values]) for name, values in new.items()}


def refined_surfaces(
    structure: Structure, densities: Densities, surfaces: Sequence[Surface], level: int
) -> list[Surface]:
    """Compute the surfaces of a structure at another level, but for isosurfaces, whose cost grows with its third power.

    Parameters
    ----------
    structure : Structure
        The crystal.
    densities : Densities
        Free-atom densities.
    surfaces : sequence of Surface
        Surface of each of its distinct sites at a first level.
    level : int
        The other level.
    """
    radial = [site for site, surface in enumerate(surfaces) if surface.is_radial]
    place = {site: row for row, site in enumerate(radial)}
    part = replace(
        structure,
        site_atom=structure.site_atom[radial],
        atom_site=np.array([place.get(site, -1) for site in structure.atom_site.tolist()]),
        site_labels=tuple(structure.site_labels[site] for site in radial),
        multiplicity=structure.multiplicity[radial],
        site_operations=tuple(structure.site_operations[site] for site in radial),
    )
    finer = dict(zip(radial, compute_surfaces(part, densities, level), strict=True))
    return [finer.get(site, surface) for site, surface in enumerate(surfaces)]
