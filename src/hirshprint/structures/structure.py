"""The structure as plain arrays: what surface jobs read, without pymatgen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from hirshprint.files.reading import USER_BLOCK, open_hdf5, seal_hdf5

ARRAYS = (
    *("ids", "lattice", "formula_units", "atom_offsets", "numbers", "frac", "is_anion", "atom_site"),
    *("site_offsets", "site_atom", "site_labels", "multiplicity", "site_operation_set"),
    *("operation_offsets", "operations", "remark_offsets", "remarks"),
)
"""Arrays of a file of structures, in all of them."""


@dataclass(frozen=True, eq=False)
class Structure:
    """One crystal at one geometry, with its symmetry-distinct sites.

    Attributes
    ----------
    structure_id : str
        Stable name, e.g. ``SrTiO3-a4.50000``.
    lattice : ndarray of float64, (3, 3)
        Rows are a, b, c in Å.
    numbers : ndarray of int64, (n_atoms,)
        Atomic numbers.
    frac : ndarray of float64, (n_atoms, 3)
        Fractional coordinates.
    is_anion : ndarray of bool, (n_atoms,)
        Atoms that count as anions (``inside`` channels).
    site_atom : ndarray of int64, (n_sites,)
        One representative atom per distinct site.
    atom_site : ndarray of int64, (n_atoms,)
        Row of the site that each atom is an image of; -1 where that site is left out.
    site_labels : tuple of str
        Names of the sites, ``A``, ``B``, ``X`` in a prototype, else ``Ti1``, ``O1`` ...
    multiplicity : ndarray of int64, (n_sites,)
        Atoms of the cell that a site stands for; sums to n_atoms.
    site_operations : tuple of ndarray of int64
        Per site (m, 3, 3) int64, rotations W in fractional coordinates (x' = W x, x a column) that leave the site and
        the crystal in place; the identity comes first.
    formula_units : int
        Formula units in the cell (Z).
    remarks : tuple of str
        Sentences on what was assumed or corrected when it was read from a file.
    """

    structure_id: str
    lattice: NDArray[np.float64]
    numbers: NDArray[np.int64]
    frac: NDArray[np.float64]
    is_anion: NDArray[np.bool_]
    site_atom: NDArray[np.int64]
    atom_site: NDArray[np.int64]
    site_labels: tuple[str, ...]
    multiplicity: NDArray[np.int64]
    site_operations: tuple[NDArray[np.int64], ...]
    formula_units: int
    remarks: tuple[str, ...] = ()


def sites_at(structure: Structure, places: NDArray[np.float64]) -> NDArray[np.int32]:
    """Rows of the sites (`Structure.atom_site`) of the atoms, or their images, at some places; (m,).

    Parameters
    ----------
    structure : Structure
        The crystal.
    places : ndarray of float64, (m, 3), Å
        Cartesian positions of its atoms or of images of them.
    """
    away = (places @ np.linalg.inv(structure.lattice))[:, None] - structure.frac
    nearest = (((away - np.rint(away)) @ structure.lattice) ** 2).sum(axis=2).argmin(axis=1)
    sites: NDArray[np.int32] = structure.atom_site[nearest].astype(np.int32)
    return sites


def write_structures(path: Path, structures: Sequence[Structure], attributes: dict[str, Any]) -> None:
    """Write structures into one HDF5 file, flat arrays with offsets; equal operation sets are kept once."""
    sets: dict[bytes, int] = {}
    unique: list[NDArray[np.int64]] = []
    site_set: list[int] = []
    for structure in structures:
        for operations in structure.site_operations:
            key = operations.astype(np.int8).tobytes()
            if key not in sets:
                sets[key] = len(unique)
                unique.append(operations)
            site_set.append(sets[key])

    def joined(parts: list[Any], shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
        return np.concatenate(parts).astype(dtype) if parts else np.empty((0, *shape), dtype)

    text = h5py.string_dtype()
    with h5py.File(path, "w", userblock_size=USER_BLOCK) as file:
        file["ids"] = np.array([s.structure_id for s in structures], dtype=text)
        file["lattice"] = np.array([s.lattice for s in structures]).reshape(-1, 3, 3)
        file["formula_units"] = np.array([s.formula_units for s in structures], dtype=np.int64)
        file["atom_offsets"] = np.cumsum([0, *(len(s.numbers) for s in structures)])
        file["numbers"] = joined([s.numbers for s in structures], (), np.int64)
        file["frac"] = joined([s.frac for s in structures], (3,), np.float64)
        file["atom_site"] = joined([s.atom_site for s in structures], (), np.int64)
        file["is_anion"] = joined([s.is_anion for s in structures], (), np.bool_)
        file["site_offsets"] = np.cumsum([0, *(len(s.site_atom) for s in structures)])
        file["site_atom"] = joined([s.site_atom for s in structures], (), np.int64)
        file["site_labels"] = np.array([label for s in structures for label in s.site_labels], dtype=text)
        file["multiplicity"] = joined([s.multiplicity for s in structures], (), np.int64)
        file["site_operation_set"] = np.array(site_set, dtype=np.int64)
        file["operation_offsets"] = np.cumsum([0, *(len(u) for u in unique)])
        file["operations"] = joined(unique, (3, 3), np.int8)
        file["remark_offsets"] = np.cumsum([0, *(len(s.remarks) for s in structures)])
        file["remarks"] = np.array([remark for s in structures for remark in s.remarks], dtype=text)
        file.attrs.update(attributes)
    seal_hdf5(path)


def write_digests(path: Path, digests: Sequence[str]) -> None:
    """Add to a file of structures the digest of the record that each is of, in the same order."""
    with h5py.File(path, "a") as file:
        file["record_digests"] = np.array(digests, dtype=h5py.string_dtype())
    seal_hdf5(path)


def read_digests(path: Path) -> dict[str, str]:
    """Read the digest of the record of each structure, by structure id; none where they are of no records."""
    if not path.exists():
        return {}
    with open_hdf5(path, ("ids",)) as file:
        digests = file["record_digests"][:] if "record_digests" in file else []
        return {name.decode(): digest.decode() for name, digest in zip(file["ids"][:], digests, strict=False)}


def read_structures(path: Path, ids: Iterable[str] | None = None) -> list[Structure]:
    """Read structures in file order; with `ids`, those that the file has among them (no error for others)."""
    with open_hdf5(path, ARRAYS) as file:
        names = [name.decode() for name in file["ids"][:]]
        rows = list(range(len(names)))
        if ids is not None:
            wanted = set(ids)
            rows = [row for row in rows if names[row] in wanted]
        atom_offsets, site_offsets = file["atom_offsets"][:], file["site_offsets"][:]
        remark_offsets = file["remark_offsets"][:]
        operation_offsets = file["operation_offsets"][:]
        operations = file["operations"][:].astype(np.int64)
        sets = [operations[a:b] for a, b in pairwise(operation_offsets)]
        whole = len(rows) > 0.1 * len(names)  # many rows: one read of everything is faster
        source = {name: file[name][:] if whole else file[name] for name in file if name != "operations"}
        found = []
        for row in rows:
            atoms = slice(atom_offsets[row], atom_offsets[row + 1])
            sites = slice(site_offsets[row], site_offsets[row + 1])
            remarks = slice(remark_offsets[row], remark_offsets[row + 1])
            found.append(
                Structure(
                    structure_id=names[row],
                    lattice=source["lattice"][row],
                    numbers=source["numbers"][atoms],
                    frac=source["frac"][atoms],
                    is_anion=source["is_anion"][atoms],
                    site_atom=source["site_atom"][sites],
                    atom_site=source["atom_site"][atoms],
                    site_labels=tuple(label.decode() for label in source["site_labels"][sites]),
                    multiplicity=source["multiplicity"][sites],
                    site_operations=tuple(sets[k] for k in source["site_operation_set"][sites]),
                    formula_units=int(source["formula_units"][row]),
                    remarks=tuple(remark.decode() for remark in source["remarks"][remarks]),
                )
            )
        return found
