"""Three-dimensional panels of a structure and its surfaces, drawn off-screen by PyVista.

VTK ends the whole process where it finds no OpenGL. `render_panels` therefore runs this module as a program, in a
process of its own, which reads a scene and writes images.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from io import BytesIO
from itertools import product
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

HELP = "on Debian or Ubuntu this helps: apt-get install libegl1 libgl1-mesa-dri"
SECONDS = 600
PANEL_PIXELS = 600
OVERSAMPLED = 2  # drawn larger by this factor and averaged: smooth edges whatever the driver can do
VIEW = (1.0, 0.6, 0.45)  # from the crystal towards the eye
EXPLODED = 1.5  # factor on the positions of the atoms, so that surfaces in contact can be seen apart
ATOM = 0.42  # radius of an atom's ball, in units of the smallest d_i of its surface
COLOURS = "RdYlBu"  # red: short, blue: long, as is usual for Hirshfeld surfaces
STILL: dict[str, Any] = {"render": False, "reset_camera": False}
SIGNED = "RdBu_r"  # of quantities that are drawn from minus to plus their largest size

RENDERER = "hirshprint.report.pictures.render"


class NoPictureError(RuntimeError):
    """Nothing could be rendered here; the message says why and what helps."""


def render_panels(scene: dict[str, Any]) -> dict[str, NDArray[Any]]:
    """Draw the panels of a scene in a process of its own.

    Parameters
    ----------
    scene : dict
        Arrays as `draw` takes them.

    Returns
    -------
    dict of str to ndarray
        As `draw`.

    Raises
    ------
    NoPictureError
        That process failed: most often there is no OpenGL.
    """
    with np.load(BytesIO(drawn_apart(RENDERER, scene, "panels.npz")), allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays}


def drawn_apart(module: str, scene: Mapping[str, Any], made: str, *words: str) -> bytes:
    """Have a module draw a scene in a process of its own, for OpenGL may end it, or not stand what is loaded here.

    Parameters
    ----------
    module : str
        It is run with the file of the scene (NPZ), the file to make, and `words`.
    scene : mapping of str to array
        What it draws.
    made : str
        Name of the file that it makes, whose content is returned.
    *words : str
        Further words of its command.

    Raises
    ------
    NoPictureError
        That process failed: most often there is no OpenGL.
    """
    source = str(Path(__file__).parents[3])
    paths = os.pathsep.join([source, *filter(None, [os.environ.get("PYTHONPATH")])])
    with tempfile.TemporaryDirectory(prefix="hirshprint-") as folder:
        given, out = Path(folder, "scene.npz"), Path(folder, made)
        np.savez(given, **scene)
        command = [sys.executable, "-m", module, str(given), str(out), *words]
        try:
            result = subprocess.run(
                command,
                env={**os.environ, "PYTHONPATH": paths},
                capture_output=True,
                text=True,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise NoPictureError(f"rendering took longer than {SECONDS} s") from None
        if result.returncode:
            raise NoPictureError(_reason(result))
        return out.read_bytes()


def _reason(result: subprocess.CompletedProcess[str]) -> str:
    if result.returncode < 0:
        name = signal.Signals(-result.returncode).name
        return f"no OpenGL works here (the renderer was ended by {name}); {HELP}"
    lines = result.stderr.strip().splitlines() or ["no message"]
    return f"the renderer failed ({lines[-1][:200]}); if OpenGL is missing: {HELP}"


def draw(scene: dict[str, Any]) -> dict[str, NDArray[Any]]:
    """Draw every panel of a scene; needs OpenGL.

    Parameters
    ----------
    scene : dict
        Arrays: `lattice` (3, 3) Å; `atoms` (n, 3) Å, the atoms of the cell; `site` (n,), the row of each one's distinct
        site; `operations` (n, 3, 3), see `structures.symmetry.atom_images`; `numbers` (s,) atomic numbers of the
        distinct sites; and for site k the closed mesh `vertices_k` (about its nucleus), `triangles_k`, `normals_k`, and
        what it is coloured by: `d_i_k` and `d_e_k`, or `influence_k`, of either sign; `shown` (m,) the sites to draw
        one by one; `cell` bool, whether to draw the surfaces of all atoms.

    Returns
    -------
    dict of str to ndarray
        RGB images uint8 (PANEL_PIXELS, PANEL_PIXELS, 3), white where empty: `structure`; `cell_d_i` and `cell_d_e`;
        `site_d_i_k` and `site_d_e_k` (or `cell_influence` and so on); and `element_colours` (s, 3), 0 to 1, of the
        balls in `structure`.
    """
    from vtkmodules.vtkDomainsChemistry import vtkPeriodicTable

    plotter = _plotter()
    table = vtkPeriodicTable()
    bright = np.array([table.GetDefaultRGBTuple(int(z)) for z in scene["numbers"]])
    colours = 0.8 * bright + 0.2 * np.array([0.62, 0.62, 0.66])  # those that chemists know, a little muted
    meshes = [_mesh(scene, k) for k in range(len(scene["numbers"]))]
    coloured_by = ("influence",) if "influence_0" in scene else ("d_i", "d_e")
    plotter.show(auto_close=False, interactive=False)
    images: dict[str, NDArray[Any]] = {"element_colours": colours}
    images["structure"] = _structure(plotter, scene, meshes, colours)
    for name in coloured_by:
        images |= _coloured(plotter, scene, meshes, name)
    plotter.close()
    return images


def _plotter() -> Any:
    """Make an empty white scene with three lights."""
    import pyvista as pv

    pixels = PANEL_PIXELS * OVERSAMPLED
    plotter = pv.Plotter(off_screen=True, window_size=[pixels, pixels], lighting="none")
    plotter.disable_anti_aliasing()
    plotter.set_background("white")
    for place, strength in (((-0.4, 0.5, 1.0), 0.75), ((1.0, 0.2, 0.6), 0.25), ((0.0, -1.0, 0.4), 0.15)):
        light = pv.Light(position=place, light_type="camera light", intensity=strength)
        plotter.add_light(light)
    return plotter


def _picture(plotter: Any, centre: NDArray[np.float64], half_height: float) -> NDArray[np.uint8]:
    """Take a picture (PANEL_PIXELS, PANEL_PIXELS, 3) about a centre, Å, and empty the scene."""
    plotter.enable_parallel_projection()
    plotter.camera.focal_point = centre
    plotter.camera.position = centre + 100 * np.array(VIEW) / np.linalg.norm(VIEW)
    plotter.camera.up = (0.0, 0.0, 1.0)
    plotter.camera.parallel_scale = half_height
    plotter.reset_camera_clipping_range()
    plotter.render()
    image = np.asarray(plotter.image)[..., :3].astype(np.uint16)
    plotter.clear_actors()
    steps = range(OVERSAMPLED)
    total = sum(image[i::OVERSAMPLED, j::OVERSAMPLED] for i in steps for j in steps)
    return np.asarray(total // OVERSAMPLED**2, dtype=np.uint8)


def _structure(
    plotter: Any, scene: dict[str, Any], meshes: list[Any], colours: NDArray[np.float64]
) -> NDArray[np.uint8]:
    """Draw the atoms of the cell as balls, and the cell's edges."""
    import pyvista as pv

    centre = scene["lattice"].sum(axis=0) / 2
    balls = _balls(scene, meshes)
    shine: dict[str, Any] = {**STILL, "smooth_shading": True, "specular": 0.35, "specular_power": 25, "ambient": 0.2}
    for position, site, radius in balls:
        ball = pv.Sphere(radius=radius, center=position, theta_resolution=48, phi_resolution=48)
        plotter.add_mesh(ball, color=colours[site], **shine)
    edges = _cell_edges(scene["lattice"])
    plotter.add_mesh(edges, **STILL, color="#555555", line_width=2.2 * OVERSAMPLED, lighting=False)
    reach = max(float(np.abs(_across(position - centre)).max()) + radius for position, _, radius in balls)
    corners = np.array(list(product((-0.5, 0.5), repeat=3))) @ scene["lattice"]
    return _picture(plotter, centre, 1.04 * max(reach, float(np.abs(_across(corners)).max())))


def _coloured(plotter: Any, scene: dict[str, Any], meshes: list[Any], name: str) -> dict[str, NDArray[np.uint8]]:
    """Draw the surfaces of all atoms, and of each site that is shown, coloured by one quantity."""
    limits = _limits([mesh[name] for mesh in meshes])
    if name == "influence":
        largest = max(map(abs, limits)) or 1.0
        limits = (-largest, largest)
    style: dict[str, Any] = {**STILL, "smooth_shading": True, "show_scalar_bar": False, "scalars": name, "clim": limits}
    style |= {"ambient": 0.42, "diffuse": 0.68, "specular": 0.12, "specular_power": 12}
    style["cmap"] = SIGNED if name == "influence" else COLOURS
    images = {}
    if scene["cell"]:
        placed = _placed(scene, meshes)
        middle = np.mean([mesh.center for mesh in placed], axis=0)
        for mesh in placed:
            plotter.add_mesh(mesh, **style)
        extent = np.concatenate([mesh.points for mesh in placed]) - middle
        images[f"cell_{name}"] = _picture(plotter, middle, 1.04 * np.abs(_across(extent)).max())
    height = 1.04 * max(np.linalg.norm(meshes[k].points, axis=1).max() for k in scene["shown"])
    for k in scene["shown"]:
        plotter.add_mesh(meshes[k], **style)
        images[f"site_{name}_{k}"] = _picture(plotter, np.zeros(3), height)
    return images


def _mesh(scene: dict[str, Any], k: int) -> Any:
    """The closed surface of site k about its nucleus."""
    values = {name: scene[f"{name}_{k}"] for name in ("d_i", "d_e", "influence") if f"{name}_{k}" in scene}
    return _polygons(scene[f"vertices_{k}"], scene[f"triangles_{k}"], scene[f"normals_{k}"], values)


def _polygons(
    points: NDArray[np.float64],
    triangles: NDArray[np.int64],
    normals: NDArray[np.float64],
    values: dict[str, NDArray[np.float64]],
) -> Any:
    import pyvista as pv

    mesh = pv.PolyData.from_regular_faces(points, triangles)
    mesh.point_data.active_normals = normals
    for name, of_points in values.items():
        mesh[name] = of_points
    return mesh


def _limits(values: list[NDArray[np.float64]]) -> tuple[float, float]:
    return min(float(v.min()) for v in values), max(float(v.max()) for v in values)


def _placed(scene: dict[str, Any], meshes: list[Any]) -> list[Any]:
    """The surface of every atom of the cell at its place, drawn apart."""
    placed = []
    for position, site, operation in zip(scene["atoms"], scene["site"], scene["operations"], strict=True):
        mesh = meshes[site]
        triangles = mesh.regular_faces if np.linalg.det(operation) > 0 else mesh.regular_faces[:, ::-1]
        points = mesh.points @ operation.T + EXPLODED * position
        normals = mesh.point_data.active_normals @ operation.T
        values = {name: mesh[name] for name in ("d_i", "d_e", "influence") if name in mesh.point_data}
        placed.append(_polygons(points, triangles, normals, values))
    return placed


def _balls(scene: dict[str, Any], meshes: list[Any]) -> list[tuple[NDArray[np.float64], int, float]]:
    """Position, site and radius of the atoms in the cell and, for those on its border, of their images there."""
    radii = [ATOM * float(mesh["d_i"].min()) for mesh in meshes]
    inverse = np.linalg.inv(scene["lattice"])
    balls = []
    for position, site in zip(scene["atoms"], scene["site"], strict=True):
        frac = position @ inverse
        choices = [[0.0, 1.0] if f < 1e-3 else [0.0, -1.0] if f > 1 - 1e-3 else [0.0] for f in frac]
        for shift in product(*choices):
            balls.append((position + np.array(shift) @ scene["lattice"], int(site), radii[site]))
    return balls


def _cell_edges(lattice: NDArray[np.float64]) -> Any:
    import pyvista as pv

    corners = np.array(list(product((0, 1), repeat=3)))
    lines = [(i, j) for i in range(8) for j in range(i) if np.abs(corners[i] - corners[j]).sum() == 1]
    return pv.PolyData(corners @ lattice, lines=np.column_stack([np.full(12, 2), lines]).reshape(-1))


def _across(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Components of points (..., 3) along the picture's horizontal and vertical, (..., 2)."""
    view = np.array(VIEW) / np.linalg.norm(VIEW)
    right = np.cross((0.0, 0.0, 1.0), view)
    right /= np.linalg.norm(right)
    along: NDArray[np.float64] = points @ np.stack([right, np.cross(view, right)], axis=1)
    return along


if __name__ == "__main__":
    with np.load(sys.argv[1], allow_pickle=False) as loaded:
        panels = draw({name: loaded[name] for name in loaded})
    np.savez(sys.argv[2], **cast(dict[str, Any], panels))
