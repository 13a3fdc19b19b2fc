"""Items of the report: a figure with the data that it shows, and a caption."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup
from matplotlib.figure import Figure

from hirshprint.files import written_whole
from hirshprint.report.figures import with_sd, write_figure

CAPTIONS = Path(__file__).parents[3] / "workflow/report"
"""Captions are text files that `snakemake --report` reads too."""

REPEATED = ("where", "what", "differs")
LISTED_ROWS = 60  # a longer table is named, not shown

TEMPLATE = """
<section id="{{ key }}" aria-labelledby="{{ key }}-title">
<h2 id="{{ key }}-title">{{ title }}</h2>
{% for item in items %}
<h3 id="{{ item.key }}">{{ item.heading }}</h3>
<figure>
{% if item.figure %}<div class="paper" tabindex="0" role="group" aria-label="Figure, scrolls sideways on small screens">
<img src="{{ item.figure }}" alt="{{ item.heading }}; its data stand in the table below"></div>{% endif %}
<figcaption>{{ item.text }}</figcaption>
</figure>
{% if item.rows %}
<details{% if not item.figure %} open{% endif %}><summary>Data, {{ item.rows|length }} rows</summary>
<div class="wide" tabindex="0" role="region" aria-label="Data: {{ item.heading }}"><table>
<caption><code>{{ item.file }}</code></caption>
<thead><tr>
{%- for name, kind in item.columns %}<th scope="col" class="{{ kind }}">{{ name }}</th>{% endfor %}</tr></thead>
<tbody>{% for row in item["rows"] %}<tr>
{%- for cell in row %}<td class="{{ item.columns[loop.index0][1] }}">{{ cell }}</td>{% endfor %}</tr>
{% endfor %}</tbody></table></div></details>
{% else %}<p class="soft">Data: <code>{{ item.file }}</code></p>{% endif %}
{% endfor %}
</section>
"""


@dataclass(frozen=True)
class Item:
    """A figure and its data.

    Attributes
    ----------
    table : what the figure shows, a row per mark; units at the end of the columns' names.
    figure : None where the table is all.
    """

    table: pd.DataFrame
    figure: Figure | None = None


def write_items(items: Mapping[str, Item], folder: str | Path) -> None:
    """Write ``NAME.csv`` and, where there is a figure, ``NAME.svg``."""
    for name, item in items.items():
        write_table(item.table, Path(folder) / f"{name}.csv")
        if item.figure is not None:
            write_figure(item.figure, Path(folder) / f"{name}.svg")


def write_table(table: pd.DataFrame, path: str | Path) -> None:
    """Write a table as CSV with six digits, whole or not at all."""
    with written_whole(path) as temporary:
        table.to_csv(temporary, index=False, float_format="%.6g")


def each(table: pd.DataFrame) -> Iterator[Any]:
    """Rows of a table, one after the other, with its columns as attributes."""
    yield from table.itertuples()


def caption(name: str) -> str:
    """Caption of an item, plain text."""
    return " ".join((CAPTIONS / f"{name}.rst").read_text(encoding="utf-8").split())


@dataclass(frozen=True)
class Section:
    """A part of the page: `key` names it in links, `html` holds its items."""

    key: str
    title: str
    html: Markup


def sections(paths: Iterable[str | Path]) -> list[Section]:
    """Lay out items as parts of the page: the paper's with its compounds, and for each dataset what goes beyond.

    Parameters
    ----------
    paths : ``results/paper/NAME.svg`` (or ``.csv`` of an item without figure), ``results/compounds/ID/NAME.svg``,
        ``results/DATASET/beyond/NAME.svg``, ``results/cost.csv``. A figure's table is read beside it.
    """
    paper: list[Path] = []
    beyond: list[Path] = []
    for path in map(Path, paths):
        (paper if path.parent.name == "paper" or path.parent.parent.name == "compounds" else beyond).append(path)
    found = []
    if paper:
        first = sorted(paper, key=lambda path: path.stem not in ("numbers", "table1"))  # these two, then as they come
        found.append(_section("paper", "The paper, reproduced", first))
    if beyond:
        found.append(_section("beyond", "Beyond the paper", beyond))
    return found


def _section(key: str, title: str, paths: Iterable[Path]) -> Section:
    items = []
    for number, path in enumerate(paths, 1):
        heading, text = caption(path.stem).split(". ", 1)
        named = path.parent.name if path.parent.parent.name == "compounds" else ""
        named = path.parent.parent.name if path.parent.name == "beyond" else named
        table = pd.read_csv(path.with_suffix(".csv"))
        columns, rows = readable(table.head(LISTED_ROWS))
        items.append(
            {
                "key": f"{key}-{number}",
                "heading": f"{heading}{f': {named}' if named else ''}",
                "text": text,
                "figure": _data_uri(path.read_bytes()) if path.suffix == ".svg" else "",
                "columns": columns,
                "rows": rows if len(table) <= LISTED_ROWS else [],
                "file": path.with_suffix(".csv").as_posix(),
            }
        )
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    return Section(key, title, Markup(environment.from_string(TEMPLATE).render(key=key, title=title, items=items)))


def readable(table: pd.DataFrame) -> tuple[list[tuple[str, str]], list[list[str]]]:
    """Columns and cells of a table as text: a column and its ``_sd`` become one, words that repeat are left out.

    Returns
    -------
    Name and class (``n`` for numbers) of each column, and the rows.
    """
    columns: list[tuple[str, str]] = []
    texts: list[list[str]] = []
    for name in table.columns:
        if str(name).endswith("_sd") and str(name)[:-3] in table.columns:
            continue
        values = table[name]
        sds = table.get(f"{name}_sd")
        if pd.api.types.is_numeric_dtype(values):
            spread = [math.nan] * len(values) if sds is None else list(sds)
            texts.append([_number(value, sd) for value, sd in zip(values, spread, strict=True)])
        else:
            words = ["" if pd.isna(value) else str(value) for value in values]
            last = ["", *words[:-1]] if name in REPEATED else [""] * len(words)
            texts.append(["" if word == before else word for word, before in zip(words, last, strict=True)])
        columns.append((str(name).replace("_", " "), "n" if pd.api.types.is_numeric_dtype(values) else ""))
    return columns, [list(row) for row in zip(*texts, strict=True)]


def _number(value: float, sd: float) -> str:
    if math.isnan(value):
        return ""
    if sd > 0:
        return with_sd(value, sd) if sd >= 5e-5 else f"{value:.4f} ± {sd:.1g}"
    return f"{int(value):,}" if float(value).is_integer() else f"{value:.5g}".replace("-", "−")


def _data_uri(svg: bytes) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg).decode("ascii")
