"""How far the two surface engines differ: a figure, and lines for the page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from hirshprint.files.reading import check_table, reading
from hirshprint.report.style import LINE, STYLE, TEST, write_figure


def read_comparison(path: str | Path) -> pd.DataFrame:
    """Read what `hirshprint.batch.comparison.write_comparison` wrote."""
    types = {"unit": "str", "element": "str"}
    check_table(path, (*types, "quantity", "python", "tonto", "difference"))
    with reading(path):
        return pd.read_csv(path, dtype=types, keep_default_na=False, na_values={"python": [""]})


def comparison_figure(table: pd.DataFrame) -> Figure:
    """Draw a panel per quantity: the difference Tonto - Python for each site, or each structure, by size."""
    quantities = list(dict.fromkeys(table["quantity"]))
    columns = 4
    lines = max(1, -(-len(quantities) // columns))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9.0, 2.1 * lines + 0.3), layout="constrained")
        for place, quantity in enumerate(quantities, 1):
            rows = table[table["quantity"] == quantity]
            axes = figure.add_subplot(lines, columns, place)
            values = rows["difference"].astype(float).sort_values(ignore_index=True)
            axes.axhline(0.0, color=LINE, linewidth=0.8)
            axes.plot(range(1, len(values) + 1), values, "o", color=TEST, markersize=3, markeredgewidth=0)
            unit = rows["unit"].iloc[0]
            axes.set_title(f"{quantity}{f', {unit}' if unit else ''}", loc="left")
            axes.set_xticks([])
        if not quantities:
            figure.text(0.5, 0.5, "no structure was computed by both engines", ha="center")
        figure.supylabel("Tonto − Python", fontsize=8.5)
        figure.supxlabel("sites (fingerprint: structures), sorted by difference", fontsize=8.5)
    return figure


def write_comparison_figure(table: str | Path, path: str | Path) -> None:
    """Draw the comparison in a CSV file as an SVG file."""
    write_figure(comparison_figure(read_comparison(table)), path)


def comparison_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Sum up a comparison by quantity: how many, mean and largest absolute difference with its place, as text."""
    rows = []
    for quantity, part in table.groupby("quantity", sort=False):
        size = part["difference"].astype(float).abs()
        worst = part.iloc[int(size.argmax())]
        rows.append(
            {
                "quantity": quantity,
                "unit": worst["unit"],
                "count": len(part),
                "mean": f"{size.mean():.4f}",
                "largest": f"{size.max():.4f}",
                "where": f"{worst['structure_id']} {worst['site_label']}",
            }
        )
    return rows
