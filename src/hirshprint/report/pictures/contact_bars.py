"""The picture of who meets whom: each site's surface as a bar, divided by the sites that it faces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

from hirshprint.report.style import STYLE

ROW_INCHES, WIDTH_INCHES = 0.42, 8.5
MOST_SITES = 24
LABELLED_SHARE = 0.07  # smaller parts of a bar have no room for a label
MOST_NAMED = 20  # of the sites that are met, in the key: there are as many colours


def contact_bars(title: str, rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Draw a bar for each distinct site: parts by the site that is met and the distance, long as their share.

    Parameters
    ----------
    title : str
        Name of the structure.
    rows : sequence of mapping
        Rows of the table `contacts.csv`, those of a site together.
    """
    sites = {row["site"]: _name(row["site"], row["element"]) for row in rows}
    names = {row["met_site"]: _name(row["met_site"], row["met_element"]) for row in rows}
    shown, met = list(sites)[:MOST_SITES], sorted(names)
    colours = {name: mpl.colormaps["tab20"]((2 * k + k // 10) % 20) for k, name in enumerate(met)}
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH_INCHES, 1.3 + ROW_INCHES * len(shown)), layout="constrained", facecolor="white")
        axes = figure.subplots()
        for line, site in enumerate(shown):
            start = 0.0
            for row in (row for row in rows if row["site"] == site):
                share, colour = row["share"], colours[row["met_site"]]
                axes.barh(
                    line, share, left=start, height=0.8, color=(*colour[:3], 0.75), edgecolor="white", linewidth=0.8
                )
                if share >= LABELLED_SHARE:
                    text = f"{row['atoms']} × {names[row['met_site']]}\n{row['distance_angstrom']:.2f} Å"
                    place = (start + share / 2, line)
                    axes.text(*place, text, ha="center", va="center", fontsize=6.5, parse_math=False)
                start += share
        few = f": {len(shown)} of {len(sites)} distinct sites" if len(shown) < len(sites) else ""
        axes.set_title(
            f"{title}{few}: which atoms the surface of an atom of each site faces",
            fontsize=9,
            loc="left",
            parse_math=False,
        )
        axes.set(xlim=(0, 1), ylim=(len(shown) - 0.45, -0.55), xlabel="share of the surface")
        axes.xaxis.set_major_formatter(PercentFormatter(1.0))
        axes.set_yticks(range(len(shown)), [sites[site] for site in shown], parse_math=False)
        axes.tick_params(left=False)
        axes.spines["left"].set_visible(False)
        named = met[:MOST_NAMED]
        keys = [Patch(color=(*colours[name][:3], 0.75), label=names[name]) for name in named]
        more = f", {len(named)} of {len(met)} sites" if len(named) < len(met) else ""
        told = f"colour: the site of the atoms faced{more}; 12 × X: twelve of them, at the distance below"
        style: dict[str, Any] = {"frameon": False, "fontsize": 8, "title_fontsize": 7.5}
        figure.legend(handles=keys, title=told, loc="outside lower center", ncols=min(len(keys), 8), **style)
    return figure


def _name(site: str, element: str) -> str:
    """Name a site by its label and element, which the labels of crystals from files begin with."""
    return site if site.startswith(element) else f"{site} ({element})"
