"""Pictures of a crystal's surfaces: a figure of them all, and meshes to turn in a window or a notebook."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hirshprint.config.model import Fingerprint
from hirshprint.densities import Densities
from hirshprint.fingerprints.binning import fingerprint_of
from hirshprint.fingerprints.contact_layout import Contacts
from hirshprint.fingerprints.layout import bin_edges
from hirshprint.hirshfeld.ridges import PICTURE_LEVEL, closed_meshes, refined_surfaces
from hirshprint.hirshfeld.surface import Surface
from hirshprint.report.pictures.contact_patches import patch_contacts
from hirshprint.report.pictures.render import COLOURS, render_panels
from hirshprint.report.pictures.scene import scene_of, site_name
from hirshprint.report.pictures.surfaces import surface_picture
from hirshprint.structures.structure import Structure
from hirshprint.structures.symmetry import atom_images

LABELS = {"d_i": "d_i (Å)", "d_e": "d_e (Å)"}
APART = 1.15  # of the widest surface: how far the sites are drawn from each other


def picture_meshes(structure: Structure, densities: Densities, surfaces: Sequence[Surface]) -> list[Surface]:
    """Closed meshes of the distinct sites, fine enough to be looked at."""
    return closed_meshes(structure, densities, refined_surfaces(structure, densities, surfaces, PICTURE_LEVEL))


def surfaces_figure(structure: Structure, densities: Densities, surfaces: Sequence[Surface]) -> Figure:
    """Draw the atoms, their surfaces coloured by d_i and d_e, and the fingerprint.

    Parameters
    ----------
    structure : Structure
        The crystal.
    densities : Densities
        Those of the surfaces.
    surfaces : sequence of Surface
        Surface of each of its distinct sites.

    Raises
    ------
    NoPictureError
        Nothing can be rendered here.
    """
    meshes = picture_meshes(structure, densities, surfaces)
    panels = render_panels(scene_of(structure, meshes, *atom_images(structure)))
    settings = replace(Fingerprint.from_dict({}), channels=["total"])
    counts = fingerprint_of(surfaces, settings)[0][0]
    return surface_picture(structure, meshes, panels, counts, bin_edges(settings.bins))


def plotter_of_distances(meshes: Sequence[Surface], colour: str) -> Any:
    """Put the surfaces of the distinct sites side by side, coloured by a distance.

    Parameters
    ----------
    meshes : sequence of Surface
        Closed meshes.
    colour : str
        ``d_i`` or ``d_e``.

    Returns
    -------
    pyvista.Plotter
    """
    values = [getattr(mesh, colour) for mesh in meshes]
    limits = (min(float(one.min()) for one in values), max(float(one.max()) for one in values))

    def add(plotter: Any, drawn: Any, k: int) -> None:
        drawn.point_data[LABELS[colour]] = values[k]
        plotter.add_mesh(drawn, scalars=LABELS[colour], cmap=COLOURS, clim=limits, smooth_shading=True)

    return _plotter(meshes, add)


def plotter_of_contacts(meshes: Sequence[Surface], contacts: Sequence[Contacts], labels: Sequence[str]) -> Any:
    """Put the surfaces of the distinct sites side by side, each patch in the colour of the site that it faces.

    Parameters
    ----------
    meshes : sequence of Surface
        Closed meshes.
    contacts : sequence of Contacts
        Contacts of each site.
    labels : sequence of str
        Names of the sites.

    Returns
    -------
    pyvista.Plotter
    """
    import matplotlib as mpl

    colours = [tuple(colour[:3]) for colour in mpl.colormaps["tab20"](range(20))]
    met = sorted({int(site) for one in contacts for site in one.sites})
    colour_of = {site: colours[(2 * k + k // 10) % len(colours)] for k, site in enumerate(met)}

    def add(plotter: Any, drawn: Any, k: int) -> None:
        faced = _faced(meshes[k], contacts[k])
        drawn.cell_data["rgb"] = np.array([colour_of.get(int(site), (0.8, 0.8, 0.8)) for site in faced])
        plotter.add_mesh(drawn, scalars="rgb", rgb=True)

    plotter = _plotter(meshes, add)
    plotter.add_legend(
        [(f"faces {labels[site]}", colour_of[site]) for site in met],
        bcolor="white",
        face="rectangle",
        size=(0.16, 0.05 * len(met)),
    )
    return plotter


def shown(plotter: Any, options: Mapping[str, Any]) -> Any:
    """Show a plotter: in a notebook as a picture that turns where trame is installed, else as one that does not."""
    static = {"jupyter_backend": "static"} if plotter.notebook and not find_spec("trame") else {}
    return plotter.show(**(static | dict(options)))


def _faced(mesh: Surface, contacts: Contacts) -> NDArray[np.int64]:
    """Site that each triangle faces, (m,); -1 for none."""
    rows = patch_contacts(mesh, contacts.sites, contacts.distances)
    return np.where(rows < 0, -1, contacts.sites[rows])


def _plotter(meshes: Sequence[Surface], add: Any) -> Any:
    import pyvista

    no_screen = sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    plotter = pyvista.Plotter(off_screen=no_screen or None)
    step = APART * max(float(np.ptp(mesh.vertices, axis=0).max()) for mesh in meshes)
    for k, mesh in enumerate(meshes):
        place = np.array([k * step, 0.0, 0.0])
        drawn = pyvista.PolyData.from_regular_faces(mesh.vertices - mesh.centre + place, mesh.triangles)
        add(plotter, drawn, k)
        below = place.copy()
        below[2] = 1.3 * (mesh.vertices - mesh.centre)[:, 2].min()
        plotter.add_point_labels([below], [site_name(mesh)], shape=None, show_points=False, always_visible=True)
    plotter.view_xz()
    return plotter
