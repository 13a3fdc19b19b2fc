"""Screening: all combinations of some elements, predicted; what to compute next, and maps of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hirshprint.baselines.formulas import ions
from hirshprint.datasets.splits import SITES
from hirshprint.files.reading import check_table, reading
from hirshprint.files.writing import written_whole
from hirshprint.report.style import display_unit, in_unit, quantity, svg_bytes
from hirshprint.structures.elements import element_properties

MOST_ROWS = 6  # of maps in the figure; one for each choice of elements on the other sites
BEFORE = ("name", "formula")


def screen_table(predicted: pd.DataFrame) -> pd.DataFrame:
    """Rank predictions by their uncertainty, the largest first, with what is known of stability beside them.

    Parameters
    ----------
    predicted : DataFrame
        What ``rule predict`` wrote: name, formula, the sites, a value, its std, unseen, fingerprint_distance,
        outside_domain.

    Returns
    -------
    DataFrame
        The same rows with rank, and for ABX3 tolerance_factor (r_A + r_X) / √2 (r_B + r_X) and octahedral_factor r_B /
        r_X of Shannon's radii (`formulas.ions`); NaN where the ions are not tabulated. Of equal std (as where a model
        was trained with one seed) the one comes first on which the networks of the folds agree less.
    """
    table = predicted.copy()
    if tuple(_sites(table)) == SITES:
        radii = ions({site: table[site].to_numpy(str) for site in SITES})[1]
        table["tolerance_factor"] = (radii[:, 0] + radii[:, 2]) / (np.sqrt(2) * (radii[:, 1] + radii[:, 2]))
        table["octahedral_factor"] = radii[:, 1] / radii[:, 2]
    order = [_std_column(table), _std_column(table, "_spread"), "name"]
    table = table.sort_values(order, ascending=[False, False, True], ignore_index=True)
    table.insert(0, "rank", np.arange(1, len(table) + 1))
    return table


def write_screen(predicted: Path, property_name: str, unit: str, table: Path, figure: Path) -> None:
    """Write the ranked table (CSV) and the maps (SVG)."""
    check_table(predicted)
    with reading(predicted):
        table_read = pd.read_csv(predicted, keep_default_na=False, na_values={"fingerprint_distance": [""]})
    found = screen_table(table_read)
    with written_whole(table) as temporary:
        found.to_csv(temporary, index=False, float_format="%.8g")
    with written_whole(figure) as temporary:
        temporary.write_bytes(screen_maps(found, property_name, unit))


def screen_maps(table: pd.DataFrame, property_name: str, unit: str) -> bytes:
    """Draw maps of the predictions and of the two factors over the two sites with the most elements (SVG).

    Elements stand in the order of their Mendeleev number, so that those that are alike are neighbours; a cross marks
    what lies outside of what training saw.
    """
    sites = _sites(table)
    down, across = sorted(sorted(sites, key=lambda site: -table[site].nunique())[:2])
    rest = [site for site in sites if site not in (down, across)]
    parts = [(names, part) for names, part in table.groupby(rest, sort=True)] if rest else [((), table)]
    shown: list[tuple[Any, pd.DataFrame]] = parts[:MOST_ROWS]
    shown_unit = display_unit(unit)
    columns = {
        _value_column(table): in_unit(f"predicted {quantity(property_name)}", shown_unit),
        _std_column(table): in_unit("standard deviation", shown_unit),
        _std_column(table, "_spread"): in_unit("spread of the networks", shown_unit),
        "tolerance_factor": "tolerance factor",
        "octahedral_factor": "octahedral factor",
    }
    columns = {name: title for name, title in columns.items() if name in table}
    size = 1.2 + 0.085 * max(table[down].nunique(), table[across].nunique())
    size = max(size, 3.2)
    figure = Figure(figsize=(len(columns) * (size + 1.3), len(shown) * (size + 0.9)), layout="constrained")
    axes = figure.subplots(len(shown), len(columns), squeeze=False)
    rows, places = _ordered(table[down]), _ordered(table[across])
    text = 5 if max(len(rows), len(places)) > 20 else 8
    for line, (names, part) in zip(axes, shown, strict=True):
        fixed = ", ".join(f"{site} = {name}" for site, name in zip(rest, names, strict=True))
        outside = _grid(part, "outside_domain", down, across, rows, places)
        for axis, (column, title) in zip(line, columns.items(), strict=True):
            values = _grid(part, column, down, across, rows, places)
            image = axis.imshow(values, cmap="viridis", aspect="auto", interpolation="nearest")
            if column == _value_column(table):
                axis.scatter(*np.nonzero(outside == 1)[::-1], marker="x", s=5, linewidths=0.5, color="white")
            figure.colorbar(image, ax=axis, shrink=0.8)
            axis.set_title(f"{title}{', ' if fixed else ''}{fixed}", fontsize=9)
            axis.set_xticks(range(len(places)), places, rotation=90, fontsize=text)
            axis.set_yticks(range(len(rows)), rows, fontsize=text)
            axis.set_xlabel(f"element on {across}", fontsize=8)
            axis.set_ylabel(f"element on {down}", fontsize=8)
    return svg_bytes(figure)


def _sites(table: pd.DataFrame) -> list[str]:
    """Columns of the sites: those between the names and the value."""
    columns = [column for column in table.columns if column not in (*BEFORE, "rank")]
    return columns[: columns.index(_value_column(table))]


def _value_column(table: pd.DataFrame) -> str:
    return next(column for column in table.columns if column.removesuffix("_angstrom").endswith("_predicted"))


def _std_column(table: pd.DataFrame, kind: str = "_std") -> str:
    return _value_column(table).replace("_predicted", kind)


def _ordered(symbols: pd.Series[str]) -> list[str]:
    names = sorted(set(symbols))
    properties, values = element_properties(names)
    number = values[:, properties.index("mendeleev_number")]
    return [names[k] for k in np.argsort(np.nan_to_num(number, nan=np.inf), kind="stable")]


def _grid(
    table: pd.DataFrame, column: str, down: str, across: str, rows: list[str], places: list[str]
) -> NDArray[np.float64]:
    """Values of a column by the elements on two sites; NaN where there is no row."""
    numbers = table.assign(value=pd.to_numeric(table[column], errors="coerce").astype(float))
    grid = numbers.pivot_table(index=down, columns=across, values="value", aggfunc="mean", dropna=False)
    found: NDArray[np.float64] = grid.reindex(index=rows, columns=places).to_numpy(dtype=np.float64)
    return found
