"""Figures of one compound: structure and surfaces, fingerprints by edge, atoms against the cell as a whole."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from hirshprint.fingerprints.compound_file import Compound, read_compound
from hirshprint.hirshfeld.surface import Surface
from hirshprint.report.figures.one_compound_tables import DISTANCES, pattern_table, surface_table, whole_cell_table
from hirshprint.report.fingerprint_panel import common_limits, draw_fingerprint, draw_small_fingerprint, root_norm
from hirshprint.report.pictures.render import NoPictureError, render_panels
from hirshprint.report.pictures.scene import distance_bar, scene_of
from hirshprint.report.style import STYLE, each, write_item
from hirshprint.structures.symbols import SYMBOLS

LOG = logging.getLogger(__name__)
PANEL = 2.0  # edge of a panel, inches
LABEL: dict[str, Any] = {"fontsize": 11, "weight": "bold", "va": "center"}


def write_compound_figures(path: str | Path, folder: str | Path) -> None:
    """Write the figures and tables of `items.compound_items` for one compound.

    Parameters
    ----------
    path : str or Path
        What `compounds.write_compound` wrote.
    folder : str or Path
        Where the files go.
    """
    compound = read_compound(path)
    scene = scene_of(compound.structure, compound.meshes, compound.site, compound.operations)
    try:
        panels: Mapping[str, NDArray[Any]] = render_panels(scene)
    except NoPictureError as error:
        LOG.info(f"{compound.structure.structure_id}: no 3-D panels: {error}")
        panels = {}
    write_item(folder, "figure1", surface_table(compound), structure_and_surfaces(compound, panels))
    write_item(folder, "edge_patterns", pattern_table(compound), edge_patterns(compound))
    write_item(folder, "whole_cell", whole_cell_table(compound), whole_cell(compound))


def structure_and_surfaces(compound: Compound, panels: Mapping[str, NDArray[Any]]) -> Figure:
    """Draw a: the structure, b: the surfaces of its five atoms, c: each site by d_i and d_e, d: the fingerprint.

    Parameters
    ----------
    compound : Compound
        The compound, e.g. ``SrTiO3``.
    panels : mapping of str to ndarray
        From `render.render_panels`; without them a to c say that nothing could be rendered.
    """
    structure, meshes = compound.structure, compound.meshes
    left, bar, head, gap, bottom = 0.75, 0.95, 0.62, 0.42, 0.55
    width = left + 5 * PANEL + bar + 1.05
    height = head + 2 * PANEL + gap + bottom
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(width, height), facecolor="white")

        def axes(x: float, y: float, w: float, h: float) -> Axes:
            """Place axes by their left and upper edges in inches."""
            return figure.add_axes((x / width, 1 - (y + h) / height, w / width, h / height))

        def text(x: float, y: float, words: str, **style: Any) -> None:
            figure.text(x / width, 1 - y / height, words, parse_math=False, **style)

        def image(name: str, x: float, y: float) -> None:
            panel = axes(x, y, PANEL, PANEL)
            panel.axis("off")
            if name in panels:
                panel.imshow(panels[name], interpolation="lanczos")
            else:
                panel.text(0.5, 0.5, "no OpenGL here", ha="center", va="center", color="#666666")

        formula = structure.structure_id.split("-a")[0]
        text(0.15, 0.2, f"{formula}, ideal cubic perovskite, a = {structure.lattice[0, 0]:.6g} Å", **LABEL)
        lower = head + PANEL + gap
        image("structure", left / 2, head)
        text(0.15, head - 0.12, "a  atoms of the cell", va="center", fontsize=9)
        if "element_colours" in panels:
            place = ((left / 2 + PANEL / 2) / width, 1 - (head + PANEL + 0.06) / height)
            _site_key(figure, meshes, panels["element_colours"], place)
        second = left + PANEL + 0.15
        text(second, head - 0.12, "b  five surfaces, drawn apart", va="center", fontsize=9)
        third = second + PANEL + 0.4
        text(third, head - 0.12, "c  surface of each distinct atom", va="center", fontsize=9)
        for row, name in enumerate(DISTANCES):
            y = head + row * (PANEL + gap)
            image(f"cell_{name}", second, y)
            for k, mesh in enumerate(meshes):
                image(f"site_{name}_{k}", third + k * PANEL, y)
                values = getattr(mesh, name)
                words = (
                    f"{mesh.site_label} ({SYMBOLS[mesh.inside_number - 1]})   {values.min():.3f}–{values.max():.3f} Å"
                )
                text(third + (k + 0.5) * PANEL, y + PANEL + 0.08, words, ha="center", va="center", fontsize=7.5)
            narrow = axes(third + 3 * PANEL + 0.1, y + 0.1, 0.13, PANEL - 0.2)
            distance_bar(figure, narrow, meshes, name, DISTANCES[name])
        text(0.15, lower + 0.13, "d  fingerprint", va="center", fontsize=9)
        size = PANEL - 0.25
        histogram = axes(left, lower + 0.3, size, size)
        drawn = draw_small_fingerprint(histogram, compound.counts, compound.bin_edges)
        scale = figure.colorbar(drawn, cax=histogram.inset_axes((1.03, 0, 0.05, 1)))
        scale.ax.tick_params(labelsize=6)
        scale.ax.set_title("Å²", fontsize=7)
    return figure


def _site_key(
    figure: Figure, meshes: Sequence[Surface], colours: NDArray[np.float64], place: tuple[float, float]
) -> None:
    """Name the sites by the colours of their balls; the key is centred at a place of the figure."""
    handles = [
        Line2D([], [], linestyle="", marker="o", markersize=6, color=colour, markeredgecolor="#555555",
               markeredgewidth=0.4, label=f"{mesh.site_label}: {SYMBOLS[mesh.inside_number - 1]}")
        for mesh, colour in zip(meshes, colours, strict=True)
    ]  # fmt: skip
    style: dict[str, Any] = {"frameon": False, "fontsize": 8, "handletextpad": 0.0, "columnspacing": 0.9}
    figure.legend(handles=handles, loc="center", bbox_to_anchor=place, ncols=3, **style)


def edge_patterns(compound: Compound) -> Figure:
    """Draw the fingerprints at several edges side by side, on common axes and colours."""
    titles = [
        f"a = {edge:.2f} Å" + (f"\n{100 * (1 - share):.1f} % of the area beyond the bins" if share < 0.9995 else "\n")
        for edge, share in zip(compound.edges, compound.in_range_by_edge, strict=True)
    ]
    heading = f"{compound.structure.structure_id.split('-a')[0]}, ideal cubic perovskite: fingerprint by edge"
    return _row_of_fingerprints(list(compound.counts_by_edge), compound.bin_edges, titles, heading)


def whole_cell(compound: Compound) -> Figure:
    """Draw the fingerprint of the surfaces of all atoms beside that of one surface around the whole cell."""
    table = whole_cell_table(compound)
    titles = [f"{row.surfaces}: area {row.area_angstrom2:.1f} Å²\nin {row.filled_bins} bins" for row in each(table)]
    heading = f"{compound.structure.structure_id}: atoms one by one, or the cell as one molecule"
    return _row_of_fingerprints([compound.counts, compound.cell_counts], compound.bin_edges, titles, heading)


def _row_of_fingerprints(
    counts: list[NDArray[np.float32]], edges: NDArray[np.float64], titles: list[str], heading: str
) -> Figure:
    left, gap, head, bottom, bar = 0.65, 0.25, 0.85, 0.55, 1.1
    count = len(counts)
    width = max(left + count * PANEL + (count - 1) * gap + bar, 5.6)
    height = head + PANEL + bottom
    limits, norm = common_limits(counts, edges), root_norm(*counts)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(width, height), facecolor="white")
        figure.text(0.15 / width, 1 - 0.2 / height, heading, parse_math=False, **{**LABEL, "fontsize": 9.5})
        for k, (one, title) in enumerate(zip(counts, titles, strict=True)):
            x = left + k * (PANEL + gap)
            axes = figure.add_axes((x / width, bottom / height, PANEL / width, PANEL / height))
            mesh = draw_fingerprint(axes, one, edges, limits, norm)
            axes.set_title(title, fontsize=7.5, parse_math=False)
            axes.set_xlabel(DISTANCES["d_i"])
            if k:
                axes.tick_params(labelleft=False)
            else:
                axes.set_ylabel(DISTANCES["d_e"])
        place = (
            (left + count * PANEL + (count - 1) * gap + 0.1) / width,
            bottom / height,
            0.12 / width,
            PANEL / height,
        )
        scale = figure.colorbar(mesh, cax=figure.add_axes(place))
        scale.set_label("Å² per formula unit and bin,\nsquare-root scale", fontsize=7)
        scale.outline.set_linewidth(0.5)
    return figure
