"""The surfaces of a crystal's distinct sites, as `hirshprint.surfaces` returns them."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hirshprint.api.compiled import compile_for_library
from hirshprint.api.crystals import structure_of
from hirshprint.api.defaults import CrystalWarning, check_installed
from hirshprint.api.densities import find_densities, shared
from hirshprint.densities import Densities
from hirshprint.hirshfeld.surface import Surface, pack_surfaces, unpack_surfaces
from hirshprint.structures.structure import Structure
from hirshprint.structures.summary import summary_line

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class CrystalSurfaces:
    """The Hirshfeld surfaces of a crystal, one for each symmetry-distinct site; a sequence of `Surface`.

    Attributes
    ----------
    structure : Structure
        The crystal as it was read: lattice, atoms, distinct sites.
    sites : tuple of Surface
        Surface of each distinct site.
    densities : Densities
        Free-atom densities that they were made with.
    mesh_level : int
        How fine the meshes are.
    """

    structure: Structure
    sites: tuple[Surface, ...]
    densities: Densities
    mesh_level: int

    def __iter__(self) -> Iterator[Surface]:
        return iter(self.sites)

    def __len__(self) -> int:
        return len(self.sites)

    def __getitem__(self, key: int | str) -> Surface:
        """Surface of a site, by its row or its name."""
        if not isinstance(key, str):
            return self.sites[key]
        if key not in self.site_labels:
            raise KeyError(f"{key}: the sites are {', '.join(self.site_labels)}")
        return self.sites[self.site_labels.index(key)]

    @property
    def site_labels(self) -> tuple[str, ...]:
        """Names of the distinct sites."""
        return tuple(surface.site_label for surface in self.sites)

    @property
    def multiplicity(self) -> NDArray[np.int64]:
        """Atoms of the cell that each site stands for, (n_sites,)."""
        return np.array([surface.multiplicity for surface in self.sites])

    @property
    def area_angstrom2(self) -> NDArray[np.float64]:
        """Area of the surface of one atom of each site, (n_sites,), Å²."""
        return np.array([surface.area for surface in self.sites])

    @property
    def volume_angstrom3(self) -> NDArray[np.float64]:
        """Volume within it, (n_sites,), Å³."""
        return np.array([surface.volume for surface in self.sites])

    @property
    def density_source(self) -> str:
        """Name of the free-atom densities."""
        return self.densities.source

    @property
    def remarks(self) -> tuple[str, ...]:
        """What was assumed or corrected in the crystal, or is doubtful."""
        return self.structure.remarks

    def table(self) -> pd.DataFrame:
        """A row for each site: area in Å², volume in Å³, ranges of d_i and d_e in Å, shares by element met."""
        import pandas as pd

        from hirshprint.api.tables import site_rows

        return pd.DataFrame(site_rows(self.sites))

    def plot(self) -> Figure:
        """Draw the atoms, their surfaces by d_i and d_e, and the fingerprint (needs PyVista: the extra `report`)."""
        check_installed("pyvista", "report", "a picture of surfaces")
        from hirshprint.report.pictures.crystal import surfaces_figure
        from hirshprint.report.pictures.files import for_notebooks

        return for_notebooks(surfaces_figure(self.structure, self.densities, self.sites))

    def show(
        self,
        colour: str = "d_e",
        *,
        screenshot: str | os.PathLike[str] | None = None,
        window_size: tuple[int, int] = (900, 500),
    ) -> Any:
        """Turn the surfaces of the sites in a window or a notebook (needs PyVista: the extra `report`).

        Parameters
        ----------
        colour : str, default "d_e"
            ``d_i`` or ``d_e``.
        screenshot : str or path, optional
            PNG file to write in place of a window.
        window_size : tuple of int, pixels
            Width and height.

        Raises
        ------
        NoPictureError
            Nothing can be rendered here.
        """
        check_installed("pyvista", "report", "a picture of surfaces")
        from hirshprint.report.pictures.crystal import picture_meshes
        from hirshprint.report.pictures.turned import DISTANCES, scene_of_distances, show

        if colour not in DISTANCES:
            raise ValueError(f"colour = {colour!r}; write one of {', '.join(DISTANCES)}")
        meshes = picture_meshes(self.structure, self.densities, self.sites)
        return show(scene_of_distances(meshes, colour), screenshot, window_size)

    def __reduce__(self) -> tuple[Any, ...]:
        """Be pickled with the densities of its own elements: the table of all has megabytes."""
        numbers = sorted({int(number) for number in self.structure.numbers})
        part = replace(self.densities, density=self.densities.density[[number - 1 for number in numbers]])
        return _unpickled, (self.structure, self.sites, part, numbers, self.mesh_level)

    def __repr__(self) -> str:
        return (
            f"CrystalSurfaces of {summary_line(self.structure)}; {self.density_source} densities, mesh level "
            f"{self.mesh_level}"
        )

    def _repr_html_(self) -> str:
        table = self.table().to_html(index=False, float_format="{:.3f}".format)
        return f"<p>{summary_line(self.structure)}; {self.density_source} densities</p>{table}"


def _unpickled(
    structure: Structure, sites: tuple[Surface, ...], part: Densities, numbers: list[int], mesh_level: int
) -> CrystalSurfaces:
    return CrystalSurfaces(structure, sites, shared(part, numbers), mesh_level)


def check_made(made: CrystalSurfaces, densities: str | os.PathLike[str] | None, mesh_level: int | None) -> None:
    """Check that surfaces were made with what is asked for; None asks for nothing.

    Raises
    ------
    ValueError
        Naming what differs.
    """
    if mesh_level not in (None, made.mesh_level):
        raise ValueError(
            f"the surfaces have mesh_level {made.mesh_level}, not {mesh_level}; make them anew from the crystal"
        )
    if densities is not None and (asked := find_densities(densities)).source != made.density_source:
        raise ValueError(
            f"the surfaces have {made.density_source} densities, not {asked.source}; make them anew from the crystal"
        )


def surfaces_of(
    crystal: Any, edge_angstrom: float, densities: str | os.PathLike[str] | None, mesh_level: int
) -> CrystalSurfaces:
    """Compute the surfaces of a crystal of any kind; see `hirshprint.surfaces`."""
    structure = structure_of(crystal, edge_angstrom)
    for remark in structure.remarks:
        warnings.warn(f"{structure.structure_id}: {remark}", CrystalWarning, stacklevel=3)
    return surfaces_of_structure(structure, find_densities(densities), mesh_level)


def surfaces_of_structure(structure: Structure, densities: Densities, mesh_level: int) -> CrystalSurfaces:
    """Compute the surfaces of a structure, as a run has them: distances and places in single precision.

    Parameters
    ----------
    structure : Structure
        The crystal.
    densities : Densities
        Free-atom densities.
    mesh_level : int
        How fine the meshes are.

    Raises
    ------
    SurfaceError
        An atom has no surface.
    ValueError
        An element without a density.
    """
    from hirshprint.hirshfeld.python.engine import compute_surfaces

    compile_for_library()
    made = pack_surfaces({structure.structure_id: compute_surfaces(structure, densities, mesh_level)})
    (kept,) = unpack_surfaces(made).values()
    return CrystalSurfaces(structure, tuple(kept), densities, mesh_level)
