"""A figure of a crystal: its atoms, its surfaces, its fingerprint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from matplotlib.figure import Figure

from hirshprint.config.model import Fingerprint
from hirshprint.densities import Densities
from hirshprint.fingerprints.binning import fingerprint_of
from hirshprint.fingerprints.layout import bin_edges
from hirshprint.hirshfeld.ridges import PICTURE_LEVEL, closed_meshes, refined_surfaces
from hirshprint.hirshfeld.surface import Surface
from hirshprint.report.pictures.render import render_panels
from hirshprint.report.pictures.scene import scene_of
from hirshprint.report.pictures.surfaces import surface_picture
from hirshprint.structures.structure import Structure
from hirshprint.structures.symmetry import atom_images


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
