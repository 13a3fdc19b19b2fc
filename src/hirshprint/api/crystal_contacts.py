"""The contacts of a crystal, as `hirshprint.contacts` returns them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hirshprint.api.crystal_surfaces import CrystalSurfaces
from hirshprint.api.defaults import check_installed
from hirshprint.api.tables import contact_rows
from hirshprint.fingerprints.contact_layout import Contacts, join_contacts
from hirshprint.fingerprints.contacts import site_contacts

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class CrystalContacts:
    """Who meets whom in a crystal.

    Attributes
    ----------
    name : str
        Of the crystal.
    sites : tuple of Contacts
        Contacts of each distinct site, with all that a file of fingerprints has of them.
    surfaces : CrystalSurfaces
        What they were made from.
    """

    name: str
    sites: tuple[Contacts, ...]
    surfaces: CrystalSurfaces

    @property
    def site(self) -> NDArray[np.int64]:
        """Row of the site that meets, of each contact, (k,): of the sites of the structure, one after the other."""
        return np.repeat(np.arange(len(self.sites)), [len(one.sites) for one in self.sites])

    @property
    def met_site(self) -> NDArray[np.int32]:
        """Row of the site that is met, of each contact, (k,)."""
        return join_contacts(self.sites).sites

    @property
    def atoms(self) -> NDArray[np.int32]:
        """How many atoms of that site are met so, (k,)."""
        return join_contacts(self.sites).atoms

    @property
    def distance_angstrom(self) -> NDArray[np.float32]:
        """Distance between the nuclei of each contact, (k,), Å."""
        return join_contacts(self.sites).distances

    @property
    def area_angstrom2(self) -> NDArray[np.float32]:
        """Area of all patches of each contact together, around one atom, (k,), Å²."""
        return join_contacts(self.sites).areas

    @property
    def share(self) -> NDArray[np.float64]:
        """Share of the area of its site that each contact has, (k,)."""
        found: NDArray[np.float64] = self.area_angstrom2 / self.surfaces.area_angstrom2[self.site]
        return found

    @property
    def density_source(self) -> str:
        """Name of the free-atom densities."""
        return self.surfaces.density_source

    def table(self) -> pd.DataFrame:
        """A row for each contact, those of a site largest share first: distance in Å, area in Å², share of the area."""
        import pandas as pd

        return pd.DataFrame(self._rows())

    def plot(self) -> Figure:
        """Draw each site's surface as a bar, divided by the sites that it faces."""
        from hirshprint.report.pictures.contact_bars import contact_bars
        from hirshprint.report.pictures.files import for_notebooks

        return for_notebooks(contact_bars(self.name, self._rows()))

    def show(
        self, *, screenshot: str | os.PathLike[str] | None = None, window_size: tuple[int, int] = (900, 500)
    ) -> Any:
        """Turn the surfaces in a window or a notebook, each patch in the colour of the site that it faces.

        Parameters
        ----------
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
        from hirshprint.report.pictures.turned import scene_of_contacts, show

        made = self.surfaces
        meshes = picture_meshes(made.structure, made.densities, made.sites)
        return show(scene_of_contacts(meshes, self.sites, made.structure.site_labels), screenshot, window_size)

    def _rows(self) -> list[dict[str, Any]]:
        return contact_rows(self.surfaces.structure, self.surfaces.sites)

    def __repr__(self) -> str:
        count = sum(len(one.sites) for one in self.sites)
        return (
            f"CrystalContacts of {self.name}: {count} contacts of {len(self.sites)} distinct sites; "
            f"{self.density_source} densities, mesh level {self.surfaces.mesh_level}"
        )

    def _repr_html_(self) -> str:
        table = self.table().to_html(index=False, float_format="{:.3f}".format)
        return f"<p>{self!r}</p>{table}"


def contacts_of_surfaces(surfaces: CrystalSurfaces) -> CrystalContacts:
    """Divide the surfaces of a crystal by the atoms that they face; see `hirshprint.contacts`."""
    sites = tuple(site_contacts(surface) for surface in surfaces.sites)
    return CrystalContacts(surfaces.structure.structure_id, sites, surfaces)
