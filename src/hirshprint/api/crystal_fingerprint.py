"""The fingerprint of a crystal, as `hirshprint.fingerprint` returns it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hirshprint.api.crystal_surfaces import CrystalSurfaces
from hirshprint.config.model import Fingerprint
from hirshprint.fingerprints.binning import fingerprint_of
from hirshprint.fingerprints.contact_kinds import contact_fingerprints
from hirshprint.fingerprints.layout import COUNTS_UNIT, bin_edges, channel_names

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WEIGHTINGS = ("area", "paper")


@dataclass(frozen=True, eq=False)
class CrystalFingerprint:
    """Histograms of d_i and d_e over the surfaces of a crystal's atoms.

    Attributes
    ----------
    name : str
        Of the crystal.
    counts : ndarray of float32, (n_channels, n_bins, n_bins)
        [channel, d_i, d_e], in `counts_unit`.
    channels : tuple of str
        ``total``, one for each distinct site, ``anion``, ``cation``.
    bin_edges_angstrom : ndarray of float64, (n_bins + 1,), Å
        Edges of the bins of d_i and of d_e.
    in_range_fraction : ndarray of float64, (n_channels,)
        Share of each channel that falls into the bins.
    counts_unit : str
        What a bin holds: area in Å² or points, per formula unit.
    weighting : str
        ``area`` or ``paper``.
    surfaces : CrystalSurfaces
        What it was made from.
    """

    name: str
    counts: NDArray[np.float32]
    channels: tuple[str, ...]
    bin_edges_angstrom: NDArray[np.float64]
    in_range_fraction: NDArray[np.float64]
    counts_unit: str
    weighting: str
    surfaces: CrystalSurfaces

    @property
    def total(self) -> NDArray[np.float32]:
        """Fingerprint of all atoms, (n_bins, n_bins): d_i in rows, d_e in columns."""
        return self["total"]

    @property
    def density_source(self) -> str:
        """Name of the free-atom densities."""
        return self.surfaces.density_source

    def __getitem__(self, channel: str) -> NDArray[np.float32]:
        if channel not in self.channels:
            raise KeyError(f"{channel}: the channels are {', '.join(self.channels)}")
        found: NDArray[np.float32] = self.counts[self.channels.index(channel)]
        return found

    def plot(self) -> Figure:
        """Draw the fingerprint of all atoms, and beside it what each kind of contact adds."""
        from hirshprint.report.pictures.files import for_notebooks
        from hirshprint.report.pictures.fingerprints import fingerprint_picture

        contacts = contact_fingerprints(self.surfaces.sites, Fingerprint.from_dict({}).bins)
        in_range = float(self.in_range_fraction[self.channels.index("total")])
        return for_notebooks(
            fingerprint_picture(self.name, self.total, self.bin_edges_angstrom, self.counts_unit, in_range, contacts)
        )

    def __repr__(self) -> str:
        bins = self.counts.shape[-1]
        return (
            f"CrystalFingerprint of {self.name}: channels {', '.join(self.channels)}; {bins} × {bins} bins from "
            f"{self.bin_edges_angstrom[0]:g} to {self.bin_edges_angstrom[-1]:g} Å; {self.counts_unit}; "
            f"{self.density_source} densities, mesh level {self.surfaces.mesh_level}"
        )

    def _repr_png_(self) -> bytes:
        from hirshprint.report.pictures.files import png_of

        return png_of(self.plot())


def fingerprint_of_surfaces(surfaces: CrystalSurfaces, weighting: str = "area") -> CrystalFingerprint:
    """Bin the surfaces of a crystal with the bins of the workflow; see `hirshprint.fingerprint`."""
    if weighting not in WEIGHTINGS:
        raise ValueError(f"weighting = {weighting!r}; write one of {', '.join(WEIGHTINGS)}")
    settings = Fingerprint.from_dict({"weighting": weighting})
    labels = surfaces.structure.site_labels
    counts, in_range = fingerprint_of(surfaces.sites, settings, labels)
    return CrystalFingerprint(
        surfaces.structure.structure_id,
        counts,
        channel_names(settings.channels, labels),
        bin_edges(settings.bins),
        in_range,
        COUNTS_UNIT[settings.weighting, settings.normalise],
        weighting,
        surfaces,
    )
