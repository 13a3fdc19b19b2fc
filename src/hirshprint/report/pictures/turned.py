"""The surfaces of a crystal's sites side by side, to be turned in a window or a notebook, or as a still picture."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

from hirshprint.fingerprints.contact_layout import Contacts
from hirshprint.hirshfeld.surface import Surface
from hirshprint.report.pictures.contact_patches import patch_contacts
from hirshprint.report.pictures.render import COLOURS, NoPictureError, drawn_apart
from hirshprint.report.pictures.scene import site_name

DISTANCES = {"d_i": "d_i (Å)", "d_e": "d_e (Å)"}
APART = 1.15  # of the widest surface: how far the sites are drawn from each other
AMBIENT = 0.35  # so that colours are seen in the shade too
RENDERER = "hirshprint.report.pictures.turned"
NO_CONTACT = (0.8, 0.8, 0.8)

Scene = dict[str, NDArray[Any]]


def scene_of_distances(meshes: Sequence[Surface], colour: str) -> Scene:
    """Arrays of surfaces that are coloured by a distance.

    Parameters
    ----------
    meshes : sequence of Surface
        Closed mesh of each distinct site.
    colour : str
        ``d_i`` or ``d_e``.
    """
    scene = _placed(meshes)
    scene |= {f"values_{k}": getattr(mesh, colour) for k, mesh in enumerate(meshes)}
    return scene | {"title": np.array(DISTANCES[colour])}


def scene_of_contacts(meshes: Sequence[Surface], contacts: Sequence[Contacts], labels: Sequence[str]) -> Scene:
    """Arrays of surfaces whose patches have the colour of the site that they face.

    Parameters
    ----------
    meshes : sequence of Surface
        Closed mesh of each distinct site.
    contacts : sequence of Contacts
        Contacts of each site.
    labels : sequence of str
        Names of the sites.
    """
    met = sorted({int(site) for one in contacts for site in one.sites}, key=lambda site: labels[site])
    colours = {site: mpl.colormaps["tab20"]((2 * k + k // 10) % 20)[:3] for k, site in enumerate(met)}
    scene = _placed(meshes)
    for k, (mesh, of_site) in enumerate(zip(meshes, contacts, strict=True)):
        rows = patch_contacts(mesh, of_site.sites, of_site.distances)
        faced = np.where(rows < 0, -1, of_site.sites[rows])
        scene[f"rgb_{k}"] = np.array([colours.get(int(site), NO_CONTACT) for site in faced])
    legend = np.array([f"faces {labels[site]}" for site in met])
    return scene | {"legend": legend, "legend_rgb": np.array([colours[site] for site in met])}


def _placed(meshes: Sequence[Surface]) -> Scene:
    step = APART * max(float(np.ptp(mesh.vertices, axis=0).max()) for mesh in meshes)
    scene: Scene = {"names": np.array([site_name(mesh) for mesh in meshes])}
    for k, mesh in enumerate(meshes):
        vertices = mesh.vertices - mesh.centre
        scene[f"below_{k}"] = np.array([k * step, 0.0, 1.3 * vertices[:, 2].min()])
        scene |= {f"vertices_{k}": vertices + np.array([k * step, 0.0, 0.0]), f"triangles_{k}": mesh.triangles}
    return scene


def show(scene: Scene, screenshot: str | os.PathLike[str] | None, window_size: tuple[int, int]) -> Any:
    """Show a scene: in a window, in a notebook where trame is installed, else as a still picture.

    A still picture is drawn in a process of its own: on machines without a graphics card OpenGL may bring a compiler
    that does not stand TensorFlow's.

    Parameters
    ----------
    scene : dict of str to ndarray
        From `scene_of_distances` or `scene_of_contacts`.
    screenshot : str or path, optional
        PNG file to write in place of a window.
    window_size : tuple of int, pixels
        Width and height.

    Returns
    -------
    IPython.display.Image or what PyVista returns
        Nothing where a file was written.

    Raises
    ------
    NoPictureError
        Nothing can be rendered here.
    """
    notebook = "ipykernel" in sys.modules
    display = sys.platform != "linux" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if screenshot is None and (find_spec("trame") if notebook else display):
        return plotter_of(scene, window_size).show()
    content = drawn_apart(RENDERER, scene, "picture.png", *map(str, window_size))
    if screenshot is not None:
        Path(screenshot).write_bytes(content)
        return None
    if not notebook:
        raise NoPictureError("there is no display here; name a file: show(screenshot='surfaces.png')")
    from IPython.display import Image

    return Image(data=content)


def plotter_of(scene: Mapping[str, NDArray[Any]], window_size: tuple[int, int], off_screen: bool | None = None) -> Any:
    """Put a scene into a plotter of PyVista's."""
    import pyvista

    plotter = pyvista.Plotter(off_screen=off_screen, window_size=list(window_size))
    names = scene["names"].tolist()
    values = [scene[f"values_{k}"] for k in range(len(names)) if f"values_{k}" in scene]
    for k, name in enumerate(names):
        drawn = pyvista.PolyData.from_regular_faces(scene[f"vertices_{k}"], scene[f"triangles_{k}"])
        if values:
            title = str(scene["title"])
            drawn.point_data[title] = values[k]
            limits = (min(float(one.min()) for one in values), max(float(one.max()) for one in values))
            plotter.add_mesh(drawn, scalars=title, cmap=COLOURS, clim=limits, smooth_shading=True, ambient=AMBIENT)
        else:
            drawn.cell_data["rgb"] = scene[f"rgb_{k}"]
            plotter.add_mesh(drawn, scalars="rgb", rgb=True, ambient=AMBIENT)
        plotter.add_point_labels(
            [scene[f"below_{k}"]], [name], shape=None, show_points=False, always_visible=True, font_size=12
        )
    if "legend" in scene:
        lines = list(zip(scene["legend"].tolist(), map(tuple, scene["legend_rgb"].tolist()), strict=True))
        plotter.add_legend(lines, bcolor="white", face="rectangle", size=(0.16, 0.06 * len(lines)))
    plotter.view_xz()
    plotter.camera.zoom(1.25)
    return plotter


def main(given: str, made: str, width: str, height: str) -> None:
    """Draw the scene of a file into a picture."""
    with np.load(given, allow_pickle=False) as arrays:
        plotter_of({name: arrays[name] for name in arrays}, (int(width), int(height)), off_screen=True).screenshot(made)


if __name__ == "__main__":
    main(*sys.argv[1:])
