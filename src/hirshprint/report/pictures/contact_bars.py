"""The picture of who meets whom: each site's surface as a bar, divided by the sites that it faces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from hirshprint.report.style import STYLE

ROW_INCHES, WIDTH_INCHES = 0.42, 8.5
MOST_SITES = 24
LABELLED_SHARE = 0.055  # smaller parts of a bar have no room for a label


def contact_bars(title: str, rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Draw a bar for each distinct site: parts by the site that is met and the distance, long as their share.

    Parameters
    ----------
    title : str
        Name of the structure.
    rows : sequence of mapping
        Rows of the table `contacts.csv`, those of a site together.
    """
    sites = list(dict.fromkeys(row["site"] for row in rows))
    shown, met = sites[:MOST_SITES], sorted({row["met_site"] for row in rows})
    colours = {name: mpl.colormaps["tab20"]((2 * k + k // 10) % 20) for k, name in enumerate(met)}
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH_INCHES, 0.9 + ROW_INCHES * len(shown)), layout="constrained", facecolor="white")
        axes = figure.subplots()
        for line, site in enumerate(shown):
            start = 0.0
            for row in (row for row in rows if row["site"] == site):
                share, colour = row["share"], colours[row["met_site"]]
                axes.barh(
                    line, share, left=start, height=0.8, color=(*colour[:3], 0.75), edgecolor="white", linewidth=0.8
                )
                if share >= LABELLED_SHARE:
                    text = f"{row['atoms']} × {row['met_site']}\n{row['distance_angstrom']:.2f} Å"
                    place = (start + share / 2, line)
                    axes.text(*place, text, ha="center", va="center", fontsize=6.5, parse_math=False)
                start += share
        few = f": {len(shown)} of {len(sites)} distinct sites" if len(shown) < len(sites) else ""
        axes.set_title(f"{title}{few}: whom each site's surface faces", fontsize=9, loc="left", parse_math=False)
        axes.set(xlim=(0, 1), ylim=(len(shown) - 0.45, -0.55), xlabel="share of the surface")
        axes.set_yticks(range(len(shown)), shown, parse_math=False)
        axes.tick_params(left=False)
        axes.spines["left"].set_visible(False)
    return figure
