"""Pictures of one fingerprint by contact, and of the difference of two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm, TwoSlopeNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hirshprint.report.fingerprint_panel import common_limits, draw_fingerprint, frame_fingerprint, root_norm
from hirshprint.report.style import STYLE
from hirshprint.structures.symbols import SYMBOLS

MOST_CONTACTS = 12
GREY = "#666666"


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
    name : str
        Heading.
    counts : ndarray of float32, (n_bins, n_bins)
        Fingerprint [d_i, d_e].
    edges : ndarray of float64, (n_bins + 1,), Å
        Edges of its bins.
    unit : str
        What a bin holds.
    in_range : float
        Share that falls into the bins.
    contacts : mapping of tuple (int, int) to tuple (ndarray of float64, float)
        From `fingerprints.contact_fingerprints`; the largest MOST_CONTACTS are drawn.
    """
    drawn = list(contacts.items())[:MOST_CONTACTS]
    limits = common_limits([counts], edges)
    main, left, head, bottom, bar, gap, above = 3.4, 0.62, 0.62, 0.55, 1.2, 0.36, 0.52
    columns = min(4, -(-len(drawn) // 2))
    rows = -(-len(drawn) // columns)
    small = (main - (rows - 1) * above) / max(rows, 2)
    width = left + main + bar + max(columns * (small + gap), 3.0)
    height = head + main + bottom
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(width, height), facecolor="white")
        figure.text(left / width, 1 - 0.25 / height, name, fontsize=11, weight="bold", va="center", parse_math=False)
        norm = root_norm(counts)
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
            draw_fingerprint(panel, part, edges, limits, root_norm(part))
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
    names : sequence of str
        Names of the two.
    counts : sequence of ndarray of float64
        Two (n_bins, n_bins) fingerprints [d_i, d_e], each of sum one.
    edges : ndarray of float64, (n_bins + 1,), Å
        Bin edges.
    heading : str
        Distances, in words.
    """
    panel, gap, left, head, bottom = 2.5, 0.4, 0.62, 0.65, 0.5
    bars = 1.2
    width = left + 3 * panel + gap + 2 * bars - 0.3
    height = head + panel + bottom
    limits = common_limits(counts, edges)
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
        frame_fingerprint(place, limits)
        place.set_title("second − first")
        place.set_xlabel("dᵢ (Å)")
        figure.colorbar(mesh, cax=axes(start + panel + 0.1, 0.12)).set_label("% of the area per bin")
        figure.text(left / width, 1 - 0.2 / height, heading, fontsize=9.5, va="center", parse_math=False)
    return figure
