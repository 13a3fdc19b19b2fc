"""Figures and tables of the report as the page shows them, with their captions."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import markupsafe
import numpy as np
import pandas as pd

from hirshprint.accuracy.standing import (
    with_sd,
)
from hirshprint.files.reading import check_table, reading
from hirshprint.report.items import Item, caption
from hirshprint.report.style import column_title

LISTED_ROWS = 200  # of a table among the items
LONG = 30  # characters, from which a column is kept wide
LEAST_SD = 5e-5  # a smaller standard deviation is not worth the digits that it would give the value


def item_tables(items: Sequence[Item], results: Path, dataset: str = "") -> dict[str, Path]:
    """CSV files of the items by the name that the page gives them."""
    return {_table_name(item, dataset): item.files(results)["table"] for item in items}


def _table_name(item: Item, dataset: str) -> str:
    return f"{dataset}/{'-'.join(filter(None, [item.table or item.id, item.subject]))}"


def item_content(items: Sequence[Item], results: Path, captions: Path, dataset: str = "") -> list[dict[str, Any]]:
    """Collect what the template shows of figures and tables, by category in the order of their first item."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for item in items:
        files = item.files(results)
        picture = data_uri(files["figure"]) if "figure" in files else None
        key = "-".join(filter(None, [item.id, item.subject]))
        shown = {
            "id": key,
            "title": ": ".join(filter(None, [item.title, item.subject])),
            "caption": _paragraphs(caption(item, captions, dataset)),
            "picture": picture,
            "table": None if picture else _listed_table(files["table"]),
            "name": "-".join(filter(None, [dataset, key])),
            "file": _table_name(item, dataset),
        }
        groups.setdefault(item.category, []).append(shown)
    return [
        {"category": category, "key": re.sub(r"\W+", "-", category.lower()), "items": shown}
        for category, shown in groups.items()
    ]


def _listed_table(path: Path) -> dict[str, Any]:
    """Collect a table's columns (name, class: ``n`` of numbers, ``long`` of sentences) and cells (text, number).

    A column and its standard deviation, named the same with ``_sd``, become one.
    """
    check_table(path)
    with reading(path):
        table = pd.read_csv(path, keep_default_na=False, na_values=[""])
    listed = table.head(LISTED_ROWS)
    columns, cells = [], []
    for name in [str(name) for name in table.columns]:
        if name.endswith("_sd") and name.removesuffix("_sd") in table.columns:
            continue
        numeric = pd.api.types.is_numeric_dtype(table[name])
        long = not numeric and listed[name].astype("str").str.len().max() > LONG
        columns.append((column_title(name), "n" if numeric else "long" if long else ""))
        spread = listed[f"{name}_sd"] if f"{name}_sd" in table.columns else np.full(len(listed), np.nan)
        pairs = zip(listed[name], spread, strict=True)
        cells.append([(_cell(value, sd), value if numeric and not pd.isna(value) else None) for value, sd in pairs])
    return {"columns": columns, "rows": list(zip(*cells, strict=True)), "total": len(table)}


def _cell(value: Any, sd: float) -> str:
    """Write a cell of a table; a number with its standard deviation where it has one, else with five digits."""
    if isinstance(value, str) or pd.isna(value):
        return "" if pd.isna(value) else value
    if sd > 0:
        return with_sd(value, sd) if sd >= LEAST_SD else f"{value:.4f} ± {sd:.1g}"
    return (f"{int(value):,}" if float(value).is_integer() else f"{value:.5g}").replace("-", "−")


def _paragraphs(text: str) -> list[markupsafe.Markup]:
    """Turn paragraphs with ``code``, *emphasis* and d_i or d_e into HTML; all else stands as it is."""
    found = []
    for paragraph in re.split(r"\n\s*\n", text):
        line = str(markupsafe.escape(" ".join(paragraph.split())))
        line = re.sub(r"``(.+?)``", r"<code>\1</code>", line)
        line = re.sub(r"\*(.+?)\*", r"<em>\1</em>", line)
        line = re.sub(r"\bd_([ie])\b", r"d<sub>\1</sub>", line)
        found.append(markupsafe.Markup(line))
    return found


def data_uri(picture: Path) -> str:
    """Put a picture (SVG or PNG) into an address that holds all of it."""
    if picture.suffix == ".svg":  # as text, for base64 would be a third longer
        return "data:image/svg+xml," + quote(picture.read_text(encoding="utf-8"), safe=" !$()*+,-./:;=?@[]^_`{|}~")
    return "data:image/png;base64," + base64.b64encode(picture.read_bytes()).decode("ascii")
