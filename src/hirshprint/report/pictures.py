"""Pictures of one structure: its atoms and surfaces, its fingerprint by contact, the difference of two fingerprints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, PowerNorm, TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from hirshprint.files.writing import written_whole
from hirshprint.report.figures import STYLE
from hirshprint.report.render import COLOURS
from hirshprint.structures.structure import Structure
from hirshprint.structures.symbols import SYMBOLS
from hirshprint.surfaces.surface import Surface

DPI = 160
PANEL = 1.75  # edge of a rendered panel, inches
MOST_SITES = 10  # sites drawn one by one
FIRST_ROW, WHOLE_ROW = 4, 6  # how many of them side by side, beside and below the structure
MOST_TRIANGLES = 4_000_000  # beyond this the surfaces of all atoms together are left out
MOST_CONTACTS = 12
COUNTS = {"cmap": "viridis_r", "rasterized": True}
GREY = "#666666"


def scene_of(
    structure: Structure,
    meshes: Sequence[Surface],
    site: NDArray[np.int64],
    operations: NDArray[np.float64],
) -> dict[str, Any]:
    """Arrays that `render.render_panels` draws: closed meshes, one per site, and the results of `atom_images`."""
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
    structure, surfaces : the crystal and the surface of each of its distinct sites.
    panels : images from `render.render_panels`.
    counts, edges : (n_bins, n_bins) fingerprint [d_i, d_e] of all atoms, and its (n_bins + 1,) bin edges, Å.
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
        _element_key(
            figure, surfaces, panels["element_colours"], (0.25 + PANEL / 2) / width, 1 - (head + 0.02) / height
        )
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
        for row, (name, label) in enumerate((("d_i", "dᵢ (Å)"), ("d_e", "dₑ (Å)"))):
            values = [getattr(surface, name) for surface in surfaces]
            norm = Normalize(min(v.min() for v in values), max(v.max() for v in values))
            place = axes(width - bar + 0.15, body + row * PANEL + 0.12, 0.13, PANEL - 0.24)
            colour_bar = figure.colorbar(ScalarMappable(norm, COLOURS), cax=place)
            colour_bar.set_label(label, fontsize=9)
            colour_bar.outline.set_linewidth(0.5)
        histogram = axes(0.62, body + PANEL + 0.1, PANEL - 0.45, PANEL - 0.45)
        histogram.tick_params(labelsize=7)
        draw_fingerprint(histogram, counts, edges, crop([counts], edges), PowerNorm(0.5, vmin=0, vmax=counts.max()))
        histogram.locator_params(nbins=4)
        histogram.set_xlabel("dᵢ (Å)", labelpad=1)
        histogram.set_ylabel("dₑ (Å)", labelpad=2)
    return figure


def fingerprint_picture(
    name: str,
    counts: NDArray[np.float32],
    edges: NDArray[np.float64],
    unit: str,
    in_range: float,
    contacts: Mapping[tuple[int, int], tuple[NDArray[np.float64], float]],
) -> Figure:
    """Draw a fingerprint with d_i to the right and d_e upwards, and beside it what each kind of contact adds.

    Parameters
    ----------
    name : heading.
    counts, edges, unit : (n_bins, n_bins) fingerprint [d_i, d_e], its bin edges in Å, what a bin holds.
    in_range : share that falls into the bins.
    contacts : from `fingerprints.contact_fingerprints`; the largest MOST_CONTACTS are drawn.
    """
    drawn = list(contacts.items())[:MOST_CONTACTS]
    limits = crop([counts], edges)
    main, left, head, bottom, bar, gap, above = 3.4, 0.62, 0.62, 0.55, 1.2, 0.36, 0.52
    columns = min(4, -(-len(drawn) // 2))
    rows = -(-len(drawn) // columns)
    small = (main - (rows - 1) * above) / max(rows, 2)
    width = left + main + bar + max(columns * (small + gap), 3.0)
    height = head + main + bottom
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(width, height), facecolor="white")
        figure.text(left / width, 1 - 0.25 / height, name, fontsize=11, weight="bold", va="center", parse_math=False)
        norm = PowerNorm(0.5, vmin=0, vmax=float(counts.max()) or 1.0)
        axes = figure.add_axes((left / width, bottom / height, main / width, main / height))
        mesh = draw_fingerprint(axes, counts, edges, limits, norm)
        beyond = f", {100 * (1 - in_range):.1f} % beyond the bins" if in_range < 0.9995 else ""
        axes.set(xlabel="dᵢ (Å)", ylabel="dₑ (Å)", title=f"all contacts{beyond}")
        place = ((left + main + 0.12) / width, bottom / height, 0.12 / width, main / height)
        bar_axes = figure.colorbar(mesh, cax=figure.add_axes(place))
        bar_axes.set_label(f"{unit} per bin, square-root scale")
        bar_axes.outline.set_linewidth(0.5)
        whole = np.where(counts > 0, 1.0, np.nan)
        start = left + main + bar
        for k, ((inside, outside), (part, share)) in enumerate(drawn):
            row, column = divmod(k, columns)
            x, y = start + column * (small + gap), head + row * (small + above)
            panel = figure.add_axes((x / width, 1 - (y + small) / height, small / width, small / height))
            panel.pcolormesh(edges, edges, whole.T, cmap="Greys", vmin=0, vmax=5, rasterized=True)
            draw_fingerprint(panel, part, edges, limits, PowerNorm(0.5, vmin=0, vmax=float(part.max()) or 1.0))
            panel.set_title(
                f"{SYMBOLS[inside - 1]} → {SYMBOLS[outside - 1]}   {100 * share:.1f} %", fontsize=7.5, pad=3
            )
            panel.tick_params(labelsize=6)
            panel.locator_params(nbins=4)
        left_out = len(contacts) - len(drawn)
        smaller = f"; {left_out} smaller left out" if left_out else ""
        note = f"inside → outside atom, share of the area of all atoms{smaller}\n"
        note += "colours: from zero to the largest bin of each panel"
        figure.text(start / width, 1 - 0.25 / height, note, fontsize=6.5, color=GREY, va="center")
    return figure


def comparison_picture(
    names: Sequence[str], counts: Sequence[NDArray[np.float64]], edges: NDArray[np.float64], heading: str
) -> Figure:
    """Draw two fingerprints, each scaled to a sum of one, and the second minus the first.

    Parameters
    ----------
    names : of the two.
    counts : two (n_bins, n_bins) fingerprints [d_i, d_e], each of sum one.
    edges : (n_bins + 1,) bin edges, Å.
    heading : distances, in words.
    """
    panel, gap, left, head, bottom = 2.5, 0.4, 0.62, 0.65, 0.5
    bars = 1.2
    width = left + 3 * panel + gap + 2 * bars - 0.3
    height = head + panel + bottom
    limits = crop(counts, edges)
    difference = counts[1] - counts[0]
    largest = float(max(counts[0].max(), counts[1].max()))
    reach = float(np.abs(difference).max()) or largest
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(width, height), facecolor="white")

        def axes(x: float, w: float) -> Axes:
            return figure.add_axes((x / width, bottom / height, w / width, panel / height))

        shares = PowerNorm(0.5, vmin=0, vmax=100 * largest)
        start = left
        for name, values in zip(names, counts, strict=True):
            place = axes(start, panel)
            mesh = draw_fingerprint(place, 100 * values, edges, limits, shares)
            place.set_title(name, parse_math=False)
            place.set_xlabel("dᵢ (Å)")
            start += panel + gap
        figure.axes[0].set_ylabel("dₑ (Å)")
        bar = figure.colorbar(mesh, cax=axes(start - gap + 0.1, 0.12))
        bar.set_label("% of the area per bin")
        start += bars - gap
        place = axes(start, panel)
        style: dict[str, Any] = {"cmap": "RdBu_r", "norm": TwoSlopeNorm(0, -100 * reach, 100 * reach)}
        mesh = place.pcolormesh(edges, edges, np.ma.masked_equal(100 * difference.T, 0), rasterized=True, **style)
        finish(place, limits)
        place.set_title("second − first")
        place.set_xlabel("dᵢ (Å)")
        figure.colorbar(mesh, cax=axes(start + panel + 0.1, 0.12)).set_label("% of the area per bin")
        figure.text(left / width, 1 - 0.2 / height, heading, fontsize=9.5, va="center", parse_math=False)
    return figure


def write_picture(figure: Figure, path: str | Path) -> None:
    """Write a figure as PNG, or as its suffix says (pdf, svg), whole or not at all."""
    kind = Path(path).suffix.lstrip(".").lower() or "png"
    with written_whole(path) as temporary, mpl.rc_context(STYLE):
        figure.savefig(temporary, format=kind, dpi=DPI, facecolor="white")


def site_name(surface: Surface) -> str:
    """Name a site by its label, its element and how often it is in the cell."""
    element = SYMBOLS[surface.inside_number - 1]
    label = surface.site_label if surface.site_label.startswith(element) else f"{surface.site_label} ({element})"
    return f"{label}, {surface.multiplicity} in the cell" if surface.multiplicity > 1 else label


def _element_key(figure: Figure, surfaces: Sequence[Surface], colours: NDArray[np.float64], x: float, y: float) -> None:
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


def draw_fingerprint(
    axes: Axes, counts: NDArray[Any], edges: NDArray[np.float64], limits: tuple[float, float], norm: Normalize
) -> Any:
    """Draw one histogram, d_i to the right; empty bins stay as they are."""
    style: dict[str, Any] = dict(COUNTS)
    mesh = axes.pcolormesh(edges, edges, np.ma.masked_equal(counts.T, 0), norm=norm, **style)
    finish(axes, limits)
    return mesh


def finish(axes: Axes, limits: tuple[float, float]) -> None:
    """Give a fingerprint its limits, its diagonal and its frame."""
    axes.plot(limits, limits, color="#999999", linewidth=0.5, zorder=0)
    axes.set(xlim=limits, ylim=limits, aspect="equal")
    axes.locator_params(nbins=6)
    axes.spines[["top", "right"]].set_visible(True)


def crop(counts: Sequence[NDArray[Any]], edges: NDArray[np.float64]) -> tuple[float, float]:
    """Limits in Å, the same for both axes, that hold every filled bin with a margin of two."""
    filled = np.flatnonzero(sum((c != 0).any(axis=0) | (c != 0).any(axis=1) for c in counts))
    first, last = (filled[0], filled[-1] + 1) if len(filled) else (0, len(edges) - 1)
    return float(edges[max(first - 2, 0)]), float(edges[min(last + 2, len(edges) - 1)])
