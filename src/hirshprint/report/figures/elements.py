"""Error by the element on each site, drawn on periodic tables."""

from __future__ import annotations

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from hirshprint.report.style import STYLE, in_unit, message_figure
from hirshprint.structures.symbols import SYMBOLS, composition

ANYWHERE = "anywhere"  # the site of an element in crystals from files


def table_place(z: int) -> tuple[int, int]:
    """Row and column, from 1, of an element in the long periodic table, lanthanides and actinides in rows 8 and 9.

    La to Lu and Ac to Lr stand in columns 3 to 17 of rows of their own.
    """
    if 57 <= z <= 71 or 89 <= z <= 103:
        return (8, z - 54) if z <= 71 else (9, z - 86)
    row = next(period for period, last in enumerate((2, 10, 18, 36, 54, 86, 118), 1) if z <= last)
    first = (0, 2, 10, 18, 36, 54, 86)[row - 1]
    place = z - first
    if place <= 2 and row > 1:
        return row, place
    last = (2, 10, 18, 36, 54, 86, 118)[row - 1]
    return (row, 18 - (last - z)) if row > 1 else (1, 1 if z == 1 else 18)


def error_by_element(test: pd.DataFrame, targets: pd.DataFrame) -> pd.DataFrame:
    """Test errors of one model by the element on each site that has more than one; of files by all their elements.

    Returns
    -------
    DataFrame
        One row per site (of files: `ANYWHERE`) and element: model, site, element, z, compounds, mae, sd (of the
        absolute errors over its compounds; NaN for one), mean_error (predicted - true).
    """
    columns = ["model", "site", "element", "z", "compounds", "mae", "sd", "mean_error"]
    of_compound = targets.drop_duplicates("compound").set_index("compound")
    rows = []
    sites = [site for site in ("A", "B", "B2", "X") if site in of_compound and of_compound[site].fillna("").any()]
    for site in sites or [ANYWHERE]:
        if sites:
            elements = test["compound"].map(of_compound[site].fillna("").astype(str))
        else:
            elements = test["compound"].map(of_compound["formula"].map(lambda formula: list(composition(formula))))
            elements = elements.explode()
        if elements.nunique() < 2:
            continue
        for element, part in test.join(elements.rename("element")).groupby("element"):
            if element not in SYMBOLS:
                continue
            size = part["error"].abs()
            named = [part["model"].iloc[0], site, element, SYMBOLS.index(str(element)) + 1]
            rows.append([*named, part["compound"].nunique(), size.mean(), size.std(ddof=1), part["error"].mean()])
    return pd.DataFrame(rows, columns=columns).sort_values(["site", "z"], ignore_index=True)


def element_maps(table: pd.DataFrame, model: str, unit: str) -> Figure:
    """Draw a periodic table for each site, coloured by the mean absolute error of the compounds of each element."""
    sites = list(table["site"].unique())
    with mpl.rc_context(STYLE):
        if not sites:
            return message_figure("no site of these structures has more than one named element")
        cell, gap = 0.44, 0.42
        width = 18 * cell + 1.25
        height = 0.1 + len(sites) * (9.3 * cell + gap)
        figure = Figure(figsize=(width, height), facecolor="white")
        high = float(table["mae"].quantile(0.95)) or 1.0
        norm, colours = mpl.colors.Normalize(0.0, high), mpl.colormaps["YlOrRd"]
        for number, site in enumerate(sites):
            bottom = height - 0.1 - (number + 1) * (9.3 * cell + gap) + gap
            place = (0.1 / width, bottom / height, 18 * cell / width, 9.3 * cell / height)
            axes = figure.add_axes(place)
            axes.set(xlim=(0.5, 18.5), ylim=(9.8, 0.5))
            axes.axis("off")
            where = f"on {site}" if site != ANYWHERE else site
            axes.text(4.0, 1.0, f"{model}: error by element {where}", fontsize=9.5, weight="bold", va="center")
            known = table[table["site"] == site].set_index("element")
            for z in range(1, 104):
                row, column = table_place(z)
                y = row + (0.3 if row > 7 else 0.0)
                symbol = SYMBOLS[z - 1]
                seen = symbol in known.index
                colour = colours(norm(known.loc[symbol, "mae"])) if seen else "#f3f3f3"
                axes.add_patch(Rectangle((column - 0.48, y - 0.48), 0.96, 0.96, facecolor=colour, edgecolor="none"))
                ink = ("white" if known.loc[symbol, "mae"] > 0.62 * high else "#111111") if seen else "#bbbbbb"
                axes.text(column, y - 0.14, symbol, ha="center", va="center", fontsize=8, color=ink)
                if seen:
                    text = f"{known.loc[symbol, 'mae']:.3f}"
                    axes.text(column, y + 0.26, text, ha="center", va="center", fontsize=5.6, color=ink)
            spread = f"{known['compounds'].min():,} to {known['compounds'].max():,}"
            axes.text(4.0, 1.75, f"{len(known)} elements, {spread} compounds each", fontsize=7, color="#555555")
        side = figure.add_axes(((18 * cell + 0.3) / width, 0.3, 0.13 / width, 0.4))
        scale = figure.colorbar(mpl.cm.ScalarMappable(norm, colours), cax=side, extend="max")
        scale.set_label(in_unit("mean absolute test error", unit))
        scale.outline.set_linewidth(0.5)
    return figure
