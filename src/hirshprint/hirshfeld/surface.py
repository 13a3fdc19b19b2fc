"""The Hirshfeld surface of one atom as plain arrays, whichever engine made it, and its form on disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Sized
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

SEAM = 1e-4
"""Images of a wedge's border, seen from the centre (radians), or of a nucleus (Å), that agree within this are one."""


class SurfaceError(ValueError):
    """A site of a structure has no surface that this engine can give; the message names both and says why."""


@dataclass(frozen=True, eq=False)
class Surface:
    """The surface w = ½ of one symmetry-distinct atom: a wedge of it and the operations that complete it.

    Attributes
    ----------
    site_label : str
        ``A``, ``B``, ``X`` in a prototype, else ``Ti1`` ...
    inside_number : int
        Atomic number of the inside atom.
    is_anion : bool
        Whether it counts as an anion.
    multiplicity : int
        Atoms of the cell that the surface stands for.
    formula_units : int
        Formula units in the cell of the structure.
    centre : ndarray of float64, (3,)
        The nucleus, Cartesian (frac @ lattice), in Å.
    vertices : ndarray of float64, (n, 3)
        Cartesian, in Å, in the frame of the crystal.
    triangles : ndarray of int32, (m, 3)
        Rows into `vertices`, counter-clockwise seen from outside.
    d_i, d_e : ndarray of float64, (n,), Å
        Distance to the nearest nucleus inside and outside.
    inside_species, outside_species : ndarray of uint8, (n,)
        Atomic numbers of these nuclei.
    normal : ndarray of float64, (n, 3)
        Unit vector away from the inside, -∇w/|∇w|.
    inside_nuclei : ndarray of float64, (a, 3)
        Nuclei inside that are, or nearly are, nearest to a point of the stored triangles, in Å in the frame of the
        crystal.
    outside_nuclei : ndarray of float64, (b, 3)
        The same of the nuclei outside.
    outside_numbers : ndarray of uint8, (b,)
        Atomic numbers of `outside_nuclei`.
    outside_sites : ndarray of int32, (b,)
        Their rows among the distinct sites of the structure (`Structure.atom_site`).
    operations : ndarray of float64, (k, 3, 3)
        Cartesian rotations R about the centre (x' = R x, x a column), identity first; the images of the stored
        triangles under all of them make the closed surface, each part once.
    area, volume : float
        Area (Å²) and volume (Å³) of the full closed surface, curved between the vertices (see `patches`).
    open_fraction : float
        Share of the area that meets no other atom within the range of the density.
    engine, density_source : str
        What made it.
    level : int or None
        How fine the mesh is; None where its vertices do not lie on rays from the nucleus (an isosurface, or a mesh of
        Tonto's). The triangles of such a mesh are flat. Files have 0 for it.
    """

    site_label: str
    inside_number: int
    is_anion: bool
    multiplicity: int
    formula_units: int
    centre: NDArray[np.float64]
    vertices: NDArray[np.float64]
    triangles: NDArray[np.int32]
    d_i: NDArray[np.float64]
    d_e: NDArray[np.float64]
    inside_species: NDArray[np.uint8]
    outside_species: NDArray[np.uint8]
    normal: NDArray[np.float64]
    inside_nuclei: NDArray[np.float64]
    outside_nuclei: NDArray[np.float64]
    outside_numbers: NDArray[np.uint8]
    outside_sites: NDArray[np.int32]
    operations: NDArray[np.float64]
    area: float
    volume: float
    open_fraction: float
    engine: str
    density_source: str
    level: int | None

    @property
    def is_radial(self) -> bool:
        """Whether the vertices lie on rays from the nucleus, with curved triangles between them."""
        return self.level is not None


def mesh_about_centre(
    surface: Surface,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.int32]]:
    """Vertices, normals, inside and outside nuclei (relative to the centre), and triangles: what `patches` takes.

    A mesh that is not radial has flat triangles: its normals are given as 0 0 0.
    """
    places = (surface.vertices, surface.inside_nuclei, surface.outside_nuclei)
    vertices, inside, outside = (place - surface.centre for place in places)
    return vertices, surface.normal * surface.is_radial, inside, outside, surface.triangles


def flat_area_and_volume(vertices: NDArray[np.float64], triangles: NDArray[np.int32]) -> tuple[float, float]:
    """Area in Å² of a mesh of flat triangles, and volume in Å³ between it and the origin (divergence theorem).

    Parameters
    ----------
    vertices : ndarray of float64, (n, 3), Å
        Vertices of the mesh.
    triangles : ndarray of int32, (m, 3)
        Rows into `vertices`.
    """
    a, b, c = np.moveaxis(vertices[triangles], 1, 0)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2
    return float(area), float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)


def full(surface: Surface) -> Surface:
    """Complete a wedge to the closed mesh: apply the operations, keep the orientation, merge the seams."""
    if len(surface.operations) == 1:
        return surface
    n = len(surface.vertices)

    def images(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        turned: NDArray[np.float64] = np.einsum("kij,nj->kni", surface.operations, vectors)
        return turned.reshape(-1, 3)

    vertices, _, _, outside, _ = mesh_about_centre(surface)
    copies = images(vertices)
    triangles = np.concatenate(
        [
            (surface.triangles if np.linalg.det(operation) > 0 else surface.triangles[:, ::-1]) + k * n
            for k, operation in enumerate(surface.operations)
        ]
    )
    kept, merged = _merged(copies / np.linalg.norm(copies, axis=1)[:, None])
    nuclei = images(outside)
    once, _ = _merged(nuclei)
    source = kept % n
    return replace(
        surface,
        vertices=copies[kept] + surface.centre,
        triangles=merged[triangles].astype(np.int32),
        d_i=surface.d_i[source],
        d_e=surface.d_e[source],
        inside_species=surface.inside_species[source],
        outside_species=surface.outside_species[source],
        normal=images(surface.normal)[kept],
        outside_nuclei=nuclei[once] + surface.centre,
        outside_numbers=surface.outside_numbers[once % len(outside)],
        outside_sites=surface.outside_sites[once % len(outside)],
        operations=np.eye(3)[None],
    )


def _merged(points: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Take points (n, 3) that agree within `SEAM` for one: rows of those to keep (m,), and which one each is (n,)."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    pairs = cKDTree(points).query_pairs(SEAM, output_type="ndarray")
    graph = coo_array((np.ones(len(pairs)), pairs.T), shape=(len(points), len(points)))
    _, label = connected_components(graph, directed=False)
    _, kept, merged = np.unique(label, return_index=True, return_inverse=True)
    return kept, merged


SCALARS: dict[str, Any] = {
    "site_label": np.str_,
    "inside_number": np.uint8,
    "is_anion": np.bool_,
    "multiplicity": np.int32,
    "formula_units": np.int32,
    "area": np.float64,
    "volume": np.float64,
    "open_fraction": np.float64,
    "engine": np.str_,
    "density_source": np.str_,
    "level": np.int32,
}
ARRAYS: dict[str, tuple[Any, tuple[int, ...], str]] = {  # kind on disk, shape of a row, what a row is
    "vertices": (np.float32, (3,), "vertex"),
    "d_i": (np.float32, (), "vertex"),
    "d_e": (np.float32, (), "vertex"),
    "inside_species": (np.uint8, (), "vertex"),
    "outside_species": (np.uint8, (), "vertex"),
    "normal": (np.float32, (3,), "vertex"),
    "inside_nuclei": (np.float32, (3,), "inside"),
    "outside_nuclei": (np.float32, (3,), "outside"),
    "outside_numbers": (np.uint8, (), "outside"),
    "outside_sites": (np.int32, (), "outside"),
}
_PLACES = ("vertices", "inside_nuclei", "outside_nuclei")  # kept relative to the centre


def pack_surfaces(by_id: Mapping[str, Sequence[Surface]]) -> dict[str, Any]:
    """Lay surfaces out as flat arrays for ``np.savez``, one entry per structure, per surface or per vertex.

    Distances and positions, these about the centre, are kept in single precision, 1e-7 of their value; equal
    sets of operations and equal lists of triangles once. No object arrays: load with ``allow_pickle=False``.
    """
    surfaces = [surface for listed in by_id.values() for surface in listed]
    triangles, triangle_set = _once([s.triangles for s in surfaces])
    operations, operation_set = _once([s.operations for s in surfaces])

    def joined(parts: list[NDArray[Any]], shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
        return np.concatenate([np.empty((0, *shape), dtype), *parts], dtype=dtype, casting="unsafe")

    def offsets(parts: Sequence[Sized]) -> NDArray[np.int64]:
        return np.array([0, *accumulate(map(len, parts))], dtype=np.int64)

    arrays: dict[str, Any] = {
        "ids": np.array(list(by_id), dtype=np.str_),
        "surface_offsets": offsets(list(by_id.values())),
        "triangle_offsets": offsets(triangles),
        "triangle_set": np.array(triangle_set, dtype=np.int32),
        "triangles": joined(triangles, (3,), np.int32),
        "operation_offsets": offsets(operations),
        "operation_set": np.array(operation_set, dtype=np.int32),
        "operations": joined(operations, (3, 3), np.float64),
        "centre": joined([s.centre[None] for s in surfaces], (3,), np.float64),
    }
    for name, dtype in SCALARS.items():
        values = [getattr(s, name) for s in surfaces]
        arrays[name] = np.array([0 if value is None else value for value in values], dtype=dtype)
    for name, (dtype, shape, row) in ARRAYS.items():
        parts = [getattr(s, name) - s.centre if name in _PLACES else getattr(s, name) for s in surfaces]
        arrays[name] = joined(parts, shape, dtype)
        if f"{row}_offsets" not in arrays:
            arrays[f"{row}_offsets"] = offsets(parts)
    return arrays


def _once(parts: Sequence[NDArray[Any]]) -> tuple[list[NDArray[Any]], list[int]]:
    """Drop repeated arrays; also say which of the kept ones each was."""
    place: dict[bytes, int] = {}
    kept: list[NDArray[Any]] = []
    which: list[int] = []
    for part in parts:
        key = part.tobytes()
        if key not in place:
            place[key] = len(kept)
            kept.append(part)
        which.append(place[key])
    return kept, which


def unpack_surfaces(arrays: Mapping[str, NDArray[Any]]) -> dict[str, list[Surface]]:
    """Undo `pack_surfaces`; entries that it does not know are ignored.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        The arrays of `pack_surfaces` by name.
    """
    data = {name: arrays[name] for name in (*SCALARS, *ARRAYS, "centre")}
    offsets = {row: arrays[f"{row}_offsets"] for row in ("surface", "vertex", "inside", "outside")}
    triangles, operations = (
        np.split(arrays[f"{name}s"], arrays[f"{name}_offsets"][1:-1]) for name in ("triangle", "operation")
    )
    triangle_set, operation_set = arrays["triangle_set"], arrays["operation_set"]

    def one(k: int) -> Surface:
        values: dict[str, Any] = {name: data[name][k].item() for name in SCALARS}
        values["level"] = values["level"] or None
        centre = data["centre"][k]
        for name, (dtype, _, row) in ARRAYS.items():
            part = data[name][offsets[row][k] : offsets[row][k + 1]]
            values[name] = part.astype(np.float64 if dtype is np.float32 else dtype)
            if name in _PLACES:
                values[name] += centre
        return Surface(
            **values,
            centre=centre,
            triangles=triangles[triangle_set[k]],
            operations=operations[operation_set[k]],
        )

    surface_at = offsets["surface"]
    return {
        str(name): [one(k) for k in range(surface_at[row], surface_at[row + 1])]
        for row, name in enumerate(arrays["ids"])
    }
