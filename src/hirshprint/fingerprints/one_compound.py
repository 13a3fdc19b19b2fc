"""One compound drawn for the report: its surfaces, and its fingerprints at several edges and of the cell as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hirshprint.densities import Densities
from hirshprint.files.reading import read_npz
from hirshprint.files.writing import written_whole
from hirshprint.fingerprints.binning import bin_edges, fingerprint_of
from hirshprint.structures.structure import Structure
from hirshprint.surfaces.surface import Surface, pack_surfaces, unpack_surfaces

EDGES_ANGSTROM = (3.5, 4.0, 4.5, 5.0, 5.5)
"""Edges whose fingerprints are shown side by side: the range that the paper draws initial edges from."""

CELL_LEVEL = 10
"""Mesh level of the surface around the whole cell: an isosurface on a grid of 0.15 Å."""

_STRUCTURE = ("lattice", "numbers", "frac", "is_anion", "site_atom", "multiplicity")
_ARRAYS = (
    "site",
    "operations",
    "bin_edges",
    "counts",
    "cell_counts",
    "edges",
    "counts_by_edge",
    "in_range_by_edge",
)


@dataclass(frozen=True, eq=False)
class Compound:
    """A compound at one edge, as `write_compound` computes it.

    Attributes
    ----------
    structure : the crystal; its site operations are left out.
    meshes : closed surface of each distinct atom.
    site, operations : what `structures.symmetry.atom_images` gives.
    cell : surface around the five atoms of the cell together.
    bin_edges : (b + 1,) Å.
    counts : (b, b) fingerprint [d_i, d_e] of the surfaces of all atoms, Å² per formula unit.
    cell_counts : (b, b) that of `cell`, in the same unit.
    edges : (k,) Å, cubic edges.
    counts_by_edge : (k, b, b) fingerprints at these edges.
    in_range_by_edge : (k,) share of the area that falls into the bins.
    """

    structure: Structure
    meshes: list[Surface]
    site: NDArray[np.int64]
    operations: NDArray[np.float64]
    cell: Surface
    bin_edges: NDArray[np.float64]
    counts: NDArray[np.float32]
    cell_counts: NDArray[np.float32]
    edges: NDArray[np.float64]
    counts_by_edge: NDArray[np.float32]
    in_range_by_edge: NDArray[np.float64]


def write_compound(
    elements: Sequence[str],
    edge_angstrom: float,
    densities: Densities,
    bins: Mapping[str, Any],
    path: str | Path,
) -> None:
    """Compute what is drawn of a compound with the bundled engine, and write it as one NPZ file.

    Parameters
    ----------
    elements : symbols on A, B, X of the ideal cubic perovskite.
    edge_angstrom : its edge, Å.
    bins : count, low_angstrom and high_angstrom of the configuration; area counts, per formula unit.
    """
    from hirshprint.structures.placed import cubic_perovskite
    from hirshprint.structures.sources.placement import prototype_id
    from hirshprint.structures.symmetry import atom_images
    from hirshprint.surfaces.python_engine import compute_surfaces, fragment_surface
    from hirshprint.surfaces.ridges import PICTURE_LEVEL, closed_meshes

    settings = {"weighting": "area", "normalise": "formula_unit", "channels": ["total"], "bins": bins}

    def at(edge: float) -> Structure:
        return cubic_perovskite(elements, edge, prototype_id("{}{}{}3".format(*elements), edge))

    structure = at(edge_angstrom)
    meshes = closed_meshes(structure, densities, compute_surfaces(structure, densities, PICTURE_LEVEL))
    cell = fragment_surface(structure, densities, range(len(structure.numbers)), CELL_LEVEL)
    site, operations = atom_images(structure)
    by_edge = [fingerprint_of(compute_surfaces(at(edge), densities), settings) for edge in EDGES_ANGSTROM]
    compound = Compound(
        structure=structure,
        meshes=meshes,
        site=site,
        operations=operations,
        cell=cell,
        bin_edges=bin_edges(bins),
        counts=fingerprint_of(compute_surfaces(structure, densities), settings)[0][0],
        cell_counts=fingerprint_of([cell], settings)[0][0],
        edges=np.array(EDGES_ANGSTROM),
        counts_by_edge=np.array([counts[0] for counts, _ in by_edge]),
        in_range_by_edge=np.array([fraction[0] for _, fraction in by_edge]),
    )
    arrays = {f"surface_{name}": array for name, array in pack_surfaces({"": [*meshes, cell]}).items()}
    arrays |= {f"structure_{name}": getattr(structure, name) for name in _STRUCTURE}
    arrays |= {name: getattr(compound, name) for name in _ARRAYS}
    with written_whole(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, structure_id=structure.structure_id, **arrays)


def read_compound(path: str | Path) -> Compound:
    """Read what `write_compound` wrote."""
    arrays: dict[str, Any] = read_npz(path)
    packed = {name.removeprefix("surface_"): array for name, array in arrays.items() if name.startswith("surface_")}
    *meshes, cell = unpack_surfaces(packed)[""]
    structure = Structure(
        structure_id=str(arrays["structure_id"]),
        **{name: arrays[f"structure_{name}"] for name in _STRUCTURE},
        site_labels=tuple(mesh.site_label for mesh in meshes),
        site_operations=(),
        formula_units=1,
    )
    return Compound(structure=structure, meshes=meshes, cell=cell, **{name: arrays[name] for name in _ARRAYS})
