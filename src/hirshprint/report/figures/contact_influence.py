"""Which contacts a prediction comes from: bars, and the surfaces coloured by what each patch adds per area."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hirshprint.densities import Densities, read_densities
from hirshprint.hirshfeld.surface import Surface
from hirshprint.networks.contact_saliency import ContactExplanation, contact_table, contributions_per_area
from hirshprint.report.pictures.contact_patches import patch_contacts
from hirshprint.report.pictures.render import SIGNED
from hirshprint.report.pictures.signed_sites import SiteImages, signed_images
from hirshprint.report.style import STYLE, display_unit, each, in_unit, message_figure, with_unit, write_item
from hirshprint.structures.structure import Structure

MOST_BARS = 14
"""Of a compound; the smaller contributions are one bar together."""

BAR_INCHES, IMAGE_INCHES, IMAGES_IN_ROW = 0.2, 1.75, 5


def write_contact_saliency(
    explanations: Sequence[ContactExplanation],
    structures: Sequence[Structure],
    densities: str | Path | None,
    unit: str,
    folder: str | Path,
) -> None:
    """Write the files of `items.CONTACT_SALIENCY` for one dataset.

    Parameters
    ----------
    explanations : sequence of ContactExplanation
        One per compound.
    structures : sequence of Structure
        Their structures among others.
    densities : str or Path or None
        Free-atom densities; where None, nothing is drawn on surfaces.
    unit : str
        Unit of the property.
    folder : str or Path
        Where the files go.
    """
    by_id = {one.structure_id: one for one in structures}
    explained = [by_id[one.structure_id] for one in explanations]
    table = contact_table(explanations, explained, unit)
    images: list[SiteImages] = [SiteImages([], 0.0) for _ in explanations]
    if densities is not None and explained:
        atoms = read_densities(densities)
        images = [drawn_contacts(*pair, atoms) for pair in zip(explained, explanations, strict=True)]
    write_item(folder, "contact_saliency", table, contact_influence(table, images, display_unit(unit)))


def drawn_contacts(structure: Structure, explanation: ContactExplanation, densities: Densities) -> SiteImages:
    """Render the surface of each distinct site, each patch in the colour of what its contact adds per area.

    Parameters
    ----------
    structure : Structure
        The crystal.
    explanation : ContactExplanation
        What its contacts add.
    densities : Densities
        Free-atom densities of its elements.
    """
    per_area = contributions_per_area(explanation)

    def values_of(site: int, mesh: Surface) -> NDArray[np.float64]:
        of_site = np.flatnonzero(explanation.sites == site)
        met = (explanation.contacts.sites[of_site], explanation.contacts.distances[of_site])
        values: NDArray[np.float64] = np.append(per_area[of_site], 0.0)[patch_contacts(mesh, *met)]
        return values

    return signed_images(structure, densities, values_of)


def contact_influence(table: pd.DataFrame, images: Sequence[SiteImages], unit: str) -> Figure:
    """Draw for each compound a bar per contact, and its sites.

    Parameters
    ----------
    table : DataFrame
        From `contact_saliency.contact_table`.
    images : sequence of SiteImages
        Of each of its structures, in their order.
    unit : str
        Unit of the property, as printed.
    """
    if table.empty:
        return message_figure("no compound was explained: the log says why")
    parts = [part for _, part in table.groupby("structure_id", sort=False)]
    bars = [_bars(part) for part in parts]
    left, panel, gap, bar, head, below = 2.0, 2.9, 0.7, 1.0, 0.62, 0.55
    columns = min(max(len(one.images) for one in images), IMAGES_IN_ROW)
    width = left + panel + gap + (columns * IMAGE_INCHES + bar if columns else 0.0)
    rows_of = [-(-len(one.images) // IMAGES_IN_ROW) for one in images]
    sizes = [max(BAR_INCHES * len(b) + 0.1, (IMAGE_INCHES + 0.2) * r) for b, r in zip(bars, rows_of, strict=True)]
    height = sum(sizes) + len(parts) * (head + below)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(width, height), facecolor="white")
        top = 0.0
        for part, listed, one, size in zip(parts, bars, images, sizes, strict=True):

            def place(x: float, down: float, w: float, h: float, top: float = top) -> Any:
                """Place axes by their left edge, distance below the heading and size, in inches."""
                return figure.add_axes((x / width, 1 - (top + head + down + h) / height, w / width, h / height))

            figure.text(0.1 / width, 1 - (top + 0.22) / height, _heading(part, unit), fontsize=9, parse_math=False)
            strongest = one.strongest or float(listed["per_area"].abs().max()) or 1.0
            colours = ScalarMappable(Normalize(-strongest, strongest), SIGNED)
            _draw_bars(place(left, 0.0, panel, BAR_INCHES * len(listed) + 0.1), listed, colours, unit)
            for number, (name, picture) in enumerate(one.images):
                row, column = divmod(number, IMAGES_IN_ROW)
                x, y = left + panel + gap + column * IMAGE_INCHES, row * (IMAGE_INCHES + 0.2) + 0.1
                axes = place(x, y, IMAGE_INCHES, IMAGE_INCHES)
                axes.imshow(picture, interpolation="lanczos")
                axes.axis("off")
                axes.set_title(name, fontsize=8, parse_math=False)
            if one.images:
                x = left + panel + gap + min(len(one.images), IMAGES_IN_ROW) * IMAGE_INCHES + 0.1
                scale = figure.colorbar(colours, cax=place(x, 0.15, 0.12, IMAGE_INCHES - 0.1))
                scale.set_label(f"{unit or 'contribution'} per Å²")
            top += head + size + below
    return figure


def _heading(part: pd.DataFrame, unit: str) -> str:
    """What was predicted, and from how many networks; what is missed, where the contributions do not add up."""
    row = next(each(part))
    told = f"true {row.true:.4g}, predicted {row.predicted:.4g}, without contacts {row.without_contacts:.4g}"
    told = with_unit(told, unit)
    networks = f" (mean of {row.networks} networks)" if row.networks > 1 else ""
    missed = f"; the contributions miss the difference by {row.missed:.2g}" if row.missed else ""
    name = row.structure_id if row.structure_id.startswith(row.compound) else f"{row.compound}, {row.structure_id}"
    return f"{name}: " + f"{told}{networks}{missed}".replace(" -", " −")


def _bars(part: pd.DataFrame) -> pd.DataFrame:
    """Bars of one compound: label, value, sd and per_area, the largest contributions first, small ones together."""
    ordered = part.loc[part["contribution"].abs().sort_values(ascending=False, kind="stable").index]
    shown = ordered if len(ordered) <= MOST_BARS else ordered.head(MOST_BARS - 1)
    bars = pd.DataFrame(
        {
            "label": [_label(row) for row in each(shown)],
            "value": shown["contribution"].to_numpy(),
            "sd": shown["contribution_sd"].to_numpy(),
            "per_area": shown["contribution_per_angstrom2"].to_numpy(),
        }
    )
    if len(rest := ordered.iloc[len(shown) :]):
        together = {"label": f"{len(rest)} other contacts", "value": rest["contribution"].sum()}
        bars = pd.concat([bars, pd.DataFrame([together | {"sd": np.nan, "per_area": 0.0}])], ignore_index=True)
    return bars


def _label(row: Any) -> str:
    """Name a contact: whose it is, with what, how far away; sites of a prototype are named with their elements."""
    own, met = (
        site if site.startswith(element) else f"{site} ({element})"
        for site, element in ((row.site, row.element), (row.meets, row.met_element))
    )
    return f"{own} — {row.atoms} × {met}, {row.distance_angstrom:.2f} Å"


def _draw_bars(axes: Any, bars: pd.DataFrame, colours: ScalarMappable, unit: str) -> None:
    """Draw bars from zero to each contribution, with its number at the end."""
    places, values = np.arange(len(bars)), bars["value"].to_numpy()
    axes.barh(
        places, values, 0.72, color=colours.to_rgba(bars["per_area"].to_numpy()), edgecolor="#444444", linewidth=0.6
    )
    known = np.isfinite(bars["sd"].to_numpy())
    axes.errorbar(
        values[known], places[known], xerr=bars["sd"].to_numpy()[known], fmt="none", ecolor="#444444", elinewidth=0.8
    )
    axes.axvline(0, color="#444444", linewidth=0.7)
    spread = np.nan_to_num(bars["sd"].to_numpy())
    reach = float((np.abs(values) + spread).max()) or 1.0
    low, high = min(0.0, float((values - spread).min())), max(0.0, float((values + spread).max()))
    axes.set(xlim=(low - 0.35 * reach * (low < 0), high + 0.35 * reach * (high > 0)), ylim=(len(bars) - 0.45, -0.55))
    for y, value, sd in zip(places, values, spread, strict=True):
        end = value + np.copysign(sd + 0.03 * reach, value)
        text = f"{value:+.3g}".replace("-", "−")
        axes.text(end, y, text, ha="left" if value >= 0 else "right", va="center", fontsize=7)
    axes.set_yticks(places, bars["label"], fontsize=7, parse_math=False)
    axes.tick_params(left=False)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(in_unit("contribution", unit), parse_math=False)
