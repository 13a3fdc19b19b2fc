"""The picture of one structure: its atoms, its surfaces, its fingerprint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hirshprint.hirshfeld.surface import Surface
from hirshprint.report.fingerprint_panel import D_E, D_I, draw_small_fingerprint
from hirshprint.report.pictures.scene import distance_bar, element_key, site_name
from hirshprint.report.style import STYLE
from hirshprint.structures.structure import Structure

PANEL = 1.75  # edge of a rendered panel, inches
FIRST_ROW, WHOLE_ROW = 4, 6  # how many of them side by side, beside and below the structure


def surface_picture(
    structure: Structure,
    surfaces: Sequence[Surface],
    panels: Mapping[str, NDArray[Any]],
    counts: NDArray[np.float32],
    edges: NDArray[np.float64],
) -> Figure:
    """Atoms, the surfaces of the cell's atoms and of each distinct site with d_i above and d_e below, fingerprint.

    Parameters
    ----------
    structure : Structure
        The crystal.
    surfaces : sequence of Surface
        Surface of each of its distinct sites.
    panels : mapping of str to ndarray
        Images from `render.render_panels`.
    counts : ndarray of float32, (n_bins, n_bins)
        Fingerprint [d_i, d_e] of all atoms.
    edges : ndarray of float64, (n_bins + 1,), Å
        Edges of its bins.
    """
    shown = [k for k in range(len(surfaces)) if f"site_d_i_{k}" in panels]
    first = len(shown) if len(shown) <= WHOLE_ROW else FIRST_ROW
    blocks = [shown[:first], *(shown[i : i + WHOLE_ROW] for i in range(first, len(shown), WHOLE_ROW))]
    columns = len(blocks[0])
    head, gap, block = 0.47, 0.34, 2 * PANEL
    left, cell, bar = 2.35, PANEL if "cell_d_i" in panels else 0.0, 1.1
    width = left + cell + columns * PANEL + bar
    height = head + len(blocks) * (block + gap) + 0.08
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(width, height), facecolor="white")

        def axes(x: float, y: float, w: float, h: float) -> Axes:
            """Place axes by their left and upper edges in inches."""
            return figure.add_axes((x / width, 1 - (y + h) / height, w / width, h / height))

        def image(name: str, x: float, y: float, size: float) -> None:
            panel = axes(x, y, size, size)
            panel.imshow(panels[name], interpolation="lanczos")
            panel.axis("off")

        def title(text: str, x: float, y: float, **style: Any) -> None:
            figure.text(x / width, 1 - y / height, text, ha="center", va="center", parse_math=False, **style)

        few = f": {len(shown)} of {len(surfaces)} distinct sites" if len(shown) < len(surfaces) else ""
        title(structure.structure_id + few, width / 2, 0.17, fontsize=11, weight="bold")
        body = head + gap - 0.12
        image("structure", 0.25, body - 0.05, PANEL)
        element_key(figure, surfaces, panels["element_colours"], (0.25 + PANEL / 2) / width, 1 - (head + 0.02) / height)
        if cell:
            atoms = len(structure.numbers)
            title(f"{atoms} atom{'s' * (atoms > 1)} of the cell, drawn apart", left + cell / 2, head, fontsize=8)
            for row, name in enumerate(("d_i", "d_e")):
                image(f"cell_{name}", left, body + row * PANEL, PANEL)
        for number, sites in enumerate(blocks):
            top = head + number * (block + gap)
            for column, k in enumerate(sites):
                x = column * PANEL + (0.25 if number else left + cell)
                title(site_name(surfaces[k]), x + PANEL / 2, top, fontsize=8)
                for row, name in enumerate(("d_i", "d_e")):
                    image(f"site_{name}_{k}", x, top + gap - 0.12 + row * PANEL, PANEL)
        for row, (name, label) in enumerate((("d_i", D_I), ("d_e", D_E))):
            narrow = axes(width - bar + 0.15, body + row * PANEL + 0.12, 0.13, PANEL - 0.24)
            distance_bar(figure, narrow, surfaces, name, label)
        histogram = axes(0.62, body + PANEL + 0.1, PANEL - 0.45, PANEL - 0.45)
        histogram.tick_params(labelsize=7)
        draw_small_fingerprint(histogram, counts, edges)
    return figure
