"""One compound drawn for the report: its surfaces, and its fingerprints at several edges and of the cell as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hirshprint.config.model import Bins, Fingerprint
from hirshprint.densities import Densities
from hirshprint.fingerprints.binning import fingerprint_of
from hirshprint.fingerprints.compound_file import Compound, save_compound
from hirshprint.fingerprints.layout import bin_edges
from hirshprint.structures.structure import Structure

EDGES_ANGSTROM = (3.5, 4.0, 4.5, 5.0, 5.5)
"""Edges whose fingerprints are shown side by side: the range that the paper draws initial edges from."""

CELL_LEVEL = 10
"""Mesh level of the surface around the whole cell: an isosurface on a grid of 0.15 Å."""


def write_compound(
    elements: Sequence[str],
    edge_angstrom: float,
    densities: Densities,
    bins: Bins,
    path: str | Path,
) -> None:
    """Compute what is drawn of a compound with the bundled engine, and write it as one NPZ file.

    Parameters
    ----------
    elements : sequence of str
        Symbols on A, B, X of the ideal cubic perovskite.
    edge_angstrom : float, Å
        Its edge.
    densities : Densities
        Free-atom densities of its elements.
    bins : Bins
        Those of the fingerprints, in which area counts, per formula unit.
    path : str or Path
        Path File to write.
    """
    from hirshprint.hirshfeld.python.engine import compute_surfaces, fragment_surface
    from hirshprint.hirshfeld.ridges import PICTURE_LEVEL, closed_meshes
    from hirshprint.structures.placed import cubic_perovskite
    from hirshprint.structures.sources.placement import prototype_id
    from hirshprint.structures.symmetry import atom_images

    settings = Fingerprint(weighting="area", normalise="formula_unit", channels=["total"], bins=bins)

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
    save_compound(compound, path)
