"""Fingerprints across the range of the property, and the channels of one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hirshprint.accuracy.predictions import read_targets
from hirshprint.accuracy.standing import records
from hirshprint.report.fingerprint_file import (
    FingerprintFile,
    example_rows,
    filled_bins,
    main_channel,
    open_fingerprints,
    read_counts,
)
from hirshprint.report.fingerprint_panel import D_E, D_I, common_limits, draw_fingerprint, root_norm
from hirshprint.report.style import (
    PANEL,
    STYLE,
    display_unit,
    drawable,
    message_figure,
    panel_grid,
    quantity,
    with_unit,
    write_item,
)

EXAMPLES = 6  # fingerprints in a figure


def write_fingerprint_figures(fingerprints: str | Path, targets: str | Path, folder: str | Path) -> None:
    """Write the files of `items.FINGERPRINT_ITEMS` for one dataset, its fingerprints and targets given."""
    file, values = open_fingerprints(fingerprints), read_targets(targets)
    names = list(example_rows(file, values, EXAMPLES)["structure_id"])
    middle = names[len(names) // 2 :][:1]
    write_item(folder, "fingerprint_examples", filled_bins(file, names), fingerprint_examples(file, values))
    channels = filled_bins(file, middle, file.channels)
    write_item(folder, "fingerprint_channels", channels, fingerprint_channels(file, values))


def fingerprint_examples(file: FingerprintFile, targets: pd.DataFrame, count: int = EXAMPLES) -> Figure:
    """Total fingerprints of structures spread evenly over the property's range (its quantiles)."""
    rows = records(example_rows(file, targets, count))
    counts = read_counts(file, [row["structure_id"] for row in rows])
    titles = [row["structure_id"] for row in rows]
    if targets["value"].notna().any():
        values = [with_unit(f"{quantity(x['property'])} {x['value']:.4g}", display_unit(x["unit"])) for x in rows]
        titles = [f"{title}\n{value}" for title, value in zip(titles, values, strict=True)]
    return fingerprint_panels(file, counts, titles, channel_note(file).removeprefix(", "))


def fingerprint_channels(file: FingerprintFile, targets: pd.DataFrame) -> Figure:
    """Every channel of one structure: the one of median property among the examples."""
    rows = example_rows(file, targets, EXAMPLES)
    if rows.empty:
        return message_figure("no fingerprint to show")
    name = str(rows["structure_id"].iloc[len(rows) // 2])
    counts = np.concatenate([read_counts(file, [name], channel) for channel in file.channels])
    return fingerprint_panels(file, counts, list(file.channels), f"Channels of {name}")


def channel_note(file: FingerprintFile) -> str:
    """Words that name the channel that is shown; none for `total`."""
    return "" if main_channel(file) == "total" else f", channel {main_channel(file)}"


def fingerprint_panels(
    file: FingerprintFile, counts: NDArray[np.float32], titles: Sequence[str], heading: str = ""
) -> Figure:
    """Panels with common axes and colour scale; x is d_i, y is d_e; empty bins stay white.

    Parameters
    ----------
    file : FingerprintFile
        What the fingerprints are from, for the bins and the unit.
    counts : ndarray of float32, (n, n_bins, n_bins)
        Fingerprint [d_i, d_e] of each panel.
    titles : sequence of str
        Title of each panel.
    heading : str, optional
        Heading of the figure.
    """
    if len(counts) == 0:
        return message_figure("no fingerprint to show")
    limits = common_limits(list(counts), file.edges)
    with mpl.rc_context(STYLE):
        lines = 1 + max(title.count("\n") for title in titles)
        figure, panels = panel_grid(len(counts), lines, right=1.2, head=0.35 if heading else 0.0)
        for axes, image, title in zip(panels, counts, titles, strict=True):
            mesh = draw_fingerprint(axes, image, file.edges, limits, root_norm(counts))
            axes.set_title(drawable(title), fontsize=7.5, parse_math=False)
        figure.supxlabel(D_I + _cropped_note(file.edges, limits))
        figure.supylabel(D_E)
        first, (width, height) = panels[0].get_position(), figure.get_size_inches()
        place = ((width - 1.0) / width, first.y1 - PANEL / height, 0.12 / width, PANEL / height)
        bar = figure.colorbar(mesh, cax=figure.add_axes(place))
        bar.set_label(f"{file.unit}\nper bin, square-root scale")
        place_y = 1 - 0.08 / height
        figure.text(0.5, place_y, drawable(heading), ha="center", va="top", fontsize=9, parse_math=False)
    return figure


def _cropped_note(edges: NDArray[np.float64], limits: tuple[float, float]) -> str:
    """Say that limits (Å) leave bins out, where they do."""
    if limits == (edges[0], edges[-1]):
        return ""
    return f"; bins run from {edges[0]:.2f} to {edges[-1]:.2f} Å, empty margins are cropped"
