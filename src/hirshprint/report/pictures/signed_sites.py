"""Surfaces of the distinct sites, coloured by a quantity of either sign."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hirshprint.densities import Densities
from hirshprint.hirshfeld.python.engine import compute_surfaces
from hirshprint.hirshfeld.ridges import PICTURE_LEVEL, closed_meshes
from hirshprint.hirshfeld.surface import Surface, SurfaceError
from hirshprint.report.pictures.render import NoPictureError, render_panels
from hirshprint.report.pictures.scene import scene_of, site_name
from hirshprint.structures.structure import Structure
from hirshprint.structures.symmetry import atom_images

LOG = logging.getLogger(__name__)
DRAWN_SHARE = 0.98
"""Of the points of the surfaces lie within the range of the colours; values are wild where there is hardly any area."""


class SiteImages(NamedTuple):
    """Pictures of sites.

    Attributes
    ----------
    images : list of tuple (str, ndarray)
        Name and image of each; none where nothing can be rendered.
    strongest : float
        The value that the strongest colour stands for.
    """

    images: list[tuple[str, NDArray[Any]]]
    strongest: float


def signed_images(
    structure: Structure, densities: Densities, values_of: Callable[[int, Surface], NDArray[np.float64]]
) -> SiteImages:
    """Render the surface of each distinct site; where that cannot be, the log says why.

    Parameters
    ----------
    structure : Structure
        The crystal.
    densities : Densities
        Free-atom densities of its elements.
    values_of : callable
        Gives for a row of a site and its closed mesh what it is coloured by, of every vertex or of every triangle.
    """
    try:
        meshes = closed_meshes(structure, densities, compute_surfaces(structure, densities, PICTURE_LEVEL))
    except SurfaceError as error:  # which the mesh of the fingerprints did not have
        LOG.info(f"{structure.structure_id}: surfaces are left out: {error}")
        return SiteImages([], 0.0)
    values = [values_of(site, mesh) for site, mesh in enumerate(meshes)]
    scene = scene_of(structure, meshes, *atom_images(structure)) | {"cell": False}
    strongest = float(np.quantile(np.abs(np.concatenate(values)), DRAWN_SHARE))
    scene |= {f"influence_{k}": np.clip(of_mesh, -strongest, strongest) for k, of_mesh in enumerate(values)}
    try:
        panels = render_panels(scene)
    except NoPictureError as error:
        LOG.info(f"surfaces are left out: {error}")
        return SiteImages([], 0.0)
    names = [site_name(mesh) for mesh in meshes]
    return SiteImages([(names[k], panels[f"site_influence_{k}"]) for k in scene["shown"]], strongest)
