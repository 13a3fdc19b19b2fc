"""The interface for notebooks and scripts: surfaces, fingerprints and contacts of a crystal in one call each.

A crystal is a structure of pymatgen's, Atoms of ASE's, the name of a structure file, ``FILE:ID`` of a file of many
crystals, or a formula ABX3, which is placed on the ideal cubic perovskite. The results are those of the workflow, to
the last bit, for the same crystal, densities and mesh level. What is assumed or corrected in a crystal is said as a
`CrystalWarning` and kept as `remarks`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from hirshprint.api.defaults import EDGE_ANGSTROM, MESH_LEVEL, check_settings

if TYPE_CHECKING:
    import pandas as pd

    from hirshprint.api.comparison import Comparison
    from hirshprint.api.crystal_contacts import CrystalContacts
    from hirshprint.api.crystal_fingerprint import CrystalFingerprint
    from hirshprint.api.crystal_surfaces import CrystalSurfaces


def surfaces(
    crystal: Any,
    *,
    edge_angstrom: float = EDGE_ANGSTROM,
    densities: str | os.PathLike[str] | None = None,
    mesh_level: int | None = None,
) -> CrystalSurfaces:
    """Compute the Hirshfeld surfaces of the symmetry-distinct atoms of a crystal.

    Parameters
    ----------
    crystal : pymatgen.core.Structure, ase.Atoms, str or path
        See `hirshprint.api.functions`; what this function returned is returned as it is.
    edge_angstrom : float, default 4.5, Å
        Edge of the cubic perovskite that a formula is placed on; of no meaning for other crystals.
    densities : str or path, optional
        Free-atom densities: ``thakkar``, ``x2c``, or a file of them. By default ``thakkar`` where its table is at hand
        (the package chmpy, or `make env` in a checkout), else ``x2c`` (the package atomref). The result says which.
    mesh_level : int, optional
        How fine the meshes are: 10 by default, as in a run.

    Returns
    -------
    CrystalSurfaces

    Raises
    ------
    CrystalError
        No usable crystal: partial occupancy, overlapping atoms, no cell that repeats in three directions ...
    InputError
        Neither a crystal nor such a file or formula.
    DensitiesError
        Densities that are not at hand.
    SurfaceError
        An atom has no surface.
    ValueError
        A mesh level or an edge that is none, or surfaces that were made with others than those that are named.

    Examples
    --------
    >>> hirshprint.surfaces("SrTiO3", edge_angstrom=3.905).table()
    """
    from hirshprint.api.crystal_surfaces import CrystalSurfaces, check_made, surfaces_of

    check_settings(MESH_LEVEL if mesh_level is None else mesh_level, edge_angstrom)
    if isinstance(crystal, CrystalSurfaces):
        check_made(crystal, densities, mesh_level)
        return crystal
    return surfaces_of(crystal, edge_angstrom, densities, MESH_LEVEL if mesh_level is None else mesh_level)


def fingerprint(
    crystal: Any,
    *,
    weighting: str = "area",
    edge_angstrom: float = EDGE_ANGSTROM,
    densities: str | os.PathLike[str] | None = None,
    mesh_level: int | None = None,
) -> CrystalFingerprint:
    """Compute the fingerprint of a crystal: the area of its atoms' surfaces by d_i and d_e.

    Parameters
    ----------
    crystal : pymatgen.core.Structure, ase.Atoms, str, path or CrystalSurfaces
        See `hirshprint.api.functions`; or what `surfaces` returned.
    weighting : str, default "area"
        What is counted: ``area`` in Å², or ``paper``, points as in the paper.
    edge_angstrom : float, default 4.5, Å
        Edge of the cubic perovskite that a formula is placed on.
    densities : str or path, optional
        ``thakkar``, ``x2c``, or a file; see `surfaces`.
    mesh_level : int, optional
        How fine the meshes are: 10 by default.

    Returns
    -------
    CrystalFingerprint
        A channel for all atoms, one for each distinct site, one for anions and one for cations.

    Raises
    ------
    CrystalError, InputError, DensitiesError, SurfaceError
        See `surfaces`.

    Examples
    --------
    >>> hirshprint.fingerprint(structure).total.shape
    (50, 50)
    """
    from hirshprint.api.crystal_fingerprint import fingerprint_of_surfaces

    made = surfaces(crystal, edge_angstrom=edge_angstrom, densities=densities, mesh_level=mesh_level)
    return fingerprint_of_surfaces(made, weighting)


def contacts(
    crystal: Any,
    *,
    edge_angstrom: float = EDGE_ANGSTROM,
    densities: str | os.PathLike[str] | None = None,
    mesh_level: int | None = None,
) -> CrystalContacts:
    """Compute who meets whom in a crystal: the patches of each atom's surface by the atom that they face.

    Parameters
    ----------
    crystal : pymatgen.core.Structure, ase.Atoms, str, path or CrystalSurfaces
        See `hirshprint.api.functions`; or what `surfaces` returned.
    edge_angstrom : float, default 4.5, Å
        Edge of the cubic perovskite that a formula is placed on.
    densities : str or path, optional
        ``thakkar``, ``x2c``, or a file; see `surfaces`.
    mesh_level : int, optional
        How fine the meshes are: 10 by default.

    Returns
    -------
    CrystalContacts

    Raises
    ------
    CrystalError, InputError, DensitiesError, SurfaceError
        See `surfaces`.

    Examples
    --------
    >>> hirshprint.contacts(structure).table()
    """
    from hirshprint.api.crystal_contacts import contacts_of_surfaces

    return contacts_of_surfaces(
        surfaces(crystal, edge_angstrom=edge_angstrom, densities=densities, mesh_level=mesh_level)
    )


def compare(
    first: Any,
    second: Any,
    *,
    edge_angstrom: float = EDGE_ANGSTROM,
    densities: str | os.PathLike[str] | None = None,
    mesh_level: int | None = None,
) -> Comparison:
    """Compare the fingerprints of two crystals, each of all atoms and scaled to a sum of one.

    Parameters
    ----------
    first, second : pymatgen.core.Structure, ase.Atoms, str, path, CrystalSurfaces or CrystalFingerprint
        See `hirshprint.api.functions`; or what `surfaces` or `fingerprint` returned.
    edge_angstrom : float, default 4.5, Å
        Edge of the cubic perovskite that a formula is placed on.
    densities : str or path, optional
        ``thakkar``, ``x2c``, or a file; see `surfaces`.
    mesh_level : int, optional
        How fine the meshes are: 10 by default.

    Returns
    -------
    Comparison
        The L1 distance, from 0 to 2, and the earth mover's distance in Å.

    Raises
    ------
    CrystalError, InputError, DensitiesError, SurfaceError
        See `surfaces`.
    ValueError
        Two fingerprints that differ in bins, weighting, densities or mesh level.

    Examples
    --------
    >>> hirshprint.compare("rutile.cif", "anatase.cif").earth_movers_distance_angstrom
    """
    from hirshprint.api.comparison import compared
    from hirshprint.api.crystal_fingerprint import CrystalFingerprint

    def printed(given: Any) -> CrystalFingerprint:
        if isinstance(given, CrystalFingerprint):
            return given
        return fingerprint(given, edge_angstrom=edge_angstrom, densities=densities, mesh_level=mesh_level)

    return compared(printed(first), printed(second))


def predict(
    crystals: Iterable[Any] | Any, *, model: str | os.PathLike[str] | None = None, network: str | None = None
) -> pd.DataFrame:
    """Predict the property that a run has learned, with the networks that it trained.

    Parameters
    ----------
    crystals : one crystal or iterable of crystals
        See `hirshprint.api.functions`; a file of many crystals, or a folder, gives all that is in it. Formulas need a
        model that learned from a prototype.
    model : str or path, optional
        Folder of models, ``results/DATASET/models`` of a run; without it, those of the checkout of hirshprint.
    network : str, optional
        A network of the folder; without it, that of the lowest validation error.

    Returns
    -------
    pandas.DataFrame
        The columns of `hirshprint predict`: name, formula, value, standard deviation, and whether the compound is
        outside of what training saw. Without folders and files of many crystals it has a row for each of `crystals`, in
        their order, NaN for one that is left out; names are formulas, or the crystal's name and its place from 0. What
        is left out is said as a `CrystalWarning`.

    Raises
    ------
    InputError
        Nothing to predict, or nothing of it usable.
    ModelError
        A folder of models that cannot be used.

    Examples
    --------
    >>> hirshprint.predict([rutile, anatase], model="results/mine/models")
    """
    from hirshprint.api.predicted_crystals import predicted

    return predicted(crystals, model, network)
