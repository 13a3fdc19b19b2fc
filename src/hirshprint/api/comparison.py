"""How far two fingerprints are apart, as `hirshprint.compare` returns it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hirshprint.api.crystal_fingerprint import CrystalFingerprint
from hirshprint.fingerprints.distances import earth_movers_distance, l1_distance

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two fingerprints and the distances between them.

    Attributes
    ----------
    first, second : CrystalFingerprint
        The fingerprints.
    l1_distance : float
        Sum of the differences of the bins, from 0 (equal) to 2 (no bin in common).
    earth_movers_distance_angstrom : float, Å
        Mean distance that area has to move in the plane of d_i and d_e to turn one into the other.
    """

    first: CrystalFingerprint
    second: CrystalFingerprint
    l1_distance: float
    earth_movers_distance_angstrom: float

    def plot(self) -> Figure:
        """Draw both fingerprints and the second minus the first."""
        from hirshprint.report.pictures.files import for_notebooks
        from hirshprint.report.pictures.fingerprints import comparison_picture

        both = (self.first, self.second)
        counts = [one.total.astype(np.float64) / one.total.sum(dtype=np.float64) for one in both]
        heading = (
            f"L1 distance {self.l1_distance:.3f}, earth mover's distance {self.earth_movers_distance_angstrom:.3f} Å"
        )
        names = [one.name for one in both]
        return for_notebooks(comparison_picture(names, counts, self.first.bin_edges_angstrom, heading))

    def __repr__(self) -> str:
        return (
            f"Comparison of {self.first.name} and {self.second.name}: L1 distance {self.l1_distance:.4f}, earth "
            f"mover's distance {self.earth_movers_distance_angstrom:.4f} Å; {self.first.density_source} densities"
        )

    def _repr_png_(self) -> bytes:
        from hirshprint.report.pictures.files import png_of

        return png_of(self.plot())


def compared(first: CrystalFingerprint, second: CrystalFingerprint) -> Comparison:
    """Compare two fingerprints; see `hirshprint.compare`."""
    for what in ("weighting", "density_source"):
        one, other = getattr(first, what), getattr(second, what)
        if one != other:
            raise ValueError(f"{first.name} has {what} {one}, {second.name} {other}; make both with the same")
    for made in (first, second):
        if not made.total.any():
            raise ValueError(f"{made.name}: no part of its surfaces is within the bins")
    levels = first.surfaces.mesh_level, second.surfaces.mesh_level
    if levels[0] != levels[1]:
        raise ValueError(f"{first.name} has mesh_level {levels[0]}, {second.name} {levels[1]}; make both with the same")
    one, other = (made.total.astype(np.float64) / made.total.sum(dtype=np.float64) for made in (first, second))
    movers = earth_movers_distance(one, other, first.bin_edges_angstrom)
    return Comparison(first, second, l1_distance(one, other), movers)
