"""The file of what is drawn of one compound, and its contents as an object: light, so that the report reads it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hirshprint.files.reading import read_npz
from hirshprint.files.writing import written_whole
from hirshprint.hirshfeld.surface import Surface, pack_surfaces, unpack_surfaces
from hirshprint.structures.structure import Structure

_STRUCTURE = ("lattice", "numbers", "frac", "is_anion", "site_atom", "atom_site", "multiplicity")
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
    structure : Structure
        The crystal; its site operations are left out.
    meshes : list of Surface
        Closed surface of each distinct atom.
    site : ndarray of int64
        What `structures.symmetry.atom_images` gives.
    operations : ndarray of float64
        What `structures.symmetry.atom_images` gives.
    cell : Surface
        Surface around the five atoms of the cell together.
    bin_edges : ndarray of float64, (b + 1,), Å
    counts : ndarray of float32, (b, b)
        Fingerprint [d_i, d_e] of the surfaces of all atoms, Å² per formula unit.
    cell_counts : ndarray of float32, (b, b)
        That of `cell`, in the same unit.
    edges : ndarray of float64, (k,), Å
        Cubic edges.
    counts_by_edge : ndarray of float32, (k, b, b)
        Fingerprints at these edges.
    in_range_by_edge : ndarray of float64, (k,)
        Share of the area that falls into the bins.
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


def save_compound(compound: Compound, path: str | Path) -> None:
    """Write a compound as one NPZ file, for `read_compound`."""
    packed = pack_surfaces({"": [*compound.meshes, compound.cell]})
    arrays = {f"surface_{name}": array for name, array in packed.items()}
    arrays |= {f"structure_{name}": getattr(compound.structure, name) for name in _STRUCTURE}
    arrays |= {name: getattr(compound, name) for name in _ARRAYS}
    with written_whole(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, structure_id=compound.structure.structure_id, **arrays)


def read_compound(path: str | Path) -> Compound:
    """Read what `save_compound` wrote."""
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
