"""What `render` draws of a structure and its surfaces, and how sites and elements are named in a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from hirshprint.hirshfeld.surface import Surface
from hirshprint.report.pictures.render import COLOURS
from hirshprint.structures.structure import Structure
from hirshprint.structures.symbols import SYMBOLS

MOST_SITES = 10  # sites drawn one by one
MOST_TRIANGLES = 4_000_000  # beyond this the surfaces of all atoms together are left out


def scene_of(
    structure: Structure,
    meshes: Sequence[Surface],
    site: NDArray[np.int64],
    operations: NDArray[np.float64],
) -> dict[str, Any]:
    """Arrays that `render.render_panels` draws: closed meshes, one per site, and the results of `atom_images`.

    Parameters
    ----------
    structure : Structure
        The crystal.
    meshes : sequence of Surface
        Closed mesh of each distinct site.
    site : ndarray of int64, (n_atoms,)
        Row of each atom's site, from `structures.symmetry.atom_images`.
    operations : ndarray of float64, (n_atoms, 3, 3)
        From `structures.symmetry.atom_images`.
    """
    triangles = sum(len(meshes[k].triangles) for k in site)
    scene: dict[str, Any] = {
        "lattice": structure.lattice,
        "atoms": structure.frac @ structure.lattice,
        "site": site,
        "operations": operations,
        "numbers": np.array([mesh.inside_number for mesh in meshes]),
        "shown": _shown(meshes),
        "cell": triangles <= MOST_TRIANGLES,
    }
    for k, mesh in enumerate(meshes):
        scene |= {f"vertices_{k}": mesh.vertices - mesh.centre, f"triangles_{k}": mesh.triangles}
        scene |= {f"normals_{k}": mesh.normal}
        scene |= {f"d_i_{k}": mesh.d_i, f"d_e_{k}": mesh.d_e}
    return scene


def _shown(meshes: Sequence[Surface]) -> NDArray[np.int64]:
    """Sites to draw one by one: of each element the first, then of each the second ..., in their order."""
    numbers = [mesh.inside_number for mesh in meshes]
    turn = [numbers[:k].count(number) for k, number in enumerate(numbers)]
    return np.sort(np.argsort(turn, kind="stable")[:MOST_SITES])


def site_name(surface: Surface) -> str:
    """Name a site by its label, its element and how often it is in the cell."""
    element = SYMBOLS[surface.inside_number - 1]
    label = surface.site_label if surface.site_label.startswith(element) else f"{surface.site_label} ({element})"
    return f"{label}, {surface.multiplicity} in the cell" if surface.multiplicity > 1 else label


def element_key(figure: Figure, surfaces: Sequence[Surface], colours: NDArray[np.float64], x: float, y: float) -> None:
    """Name the elements by the colours of their balls; the key is centred at (x, y) of the figure.

    Parameters
    ----------
    figure : Figure
        Where to draw.
    surfaces : sequence of Surface
        Surface of each distinct site.
    colours : ndarray of float64, (n_sites, 3)
        Colour of each site, 0 to 1.
    x : float
        Centre of the key, as a share of the figure's width.
    y : float
        Centre of the key, as a share of the figure's height.
    """
    kinds = {surface.inside_number: colours[k] for k, surface in enumerate(surfaces)}
    handles = [
        Line2D([], [], linestyle="", marker="o", markersize=6, color=colour, label=SYMBOLS[z - 1],
               markeredgecolor="#555555", markeredgewidth=0.4)
        for z, colour in kinds.items()
    ]  # fmt: skip
    figure.legend(
        handles=handles, loc="center", bbox_to_anchor=(x, y), ncols=min(len(handles), 5), frameon=False,
        fontsize=8, handletextpad=0.0, columnspacing=0.9, borderpad=0,
    )  # fmt: skip


def distance_bar(figure: Figure, axes: Axes, surfaces: Sequence[Surface], name: str, label: str) -> None:
    """Fill narrow axes with the colours of a distance, ``d_i`` or ``d_e``, over all these surfaces."""
    values = [getattr(surface, name) for surface in surfaces]
    norm = Normalize(min(v.min() for v in values), max(v.max() for v in values))
    bar = figure.colorbar(ScalarMappable(norm, COLOURS), cax=axes)
    bar.set_label(label, fontsize=9)
    bar.outline.set_linewidth(0.5)
