"""How figures look and are written: style, colours, grids of panels, words; SVG files, byte-equal for equal inputs."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from numpy.typing import NDArray
from PIL import Image

from hirshprint.accuracy.standing import sees
from hirshprint.files.writing import written_whole
from hirshprint.networks.registry import OF_PAPER

STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.titlesize": 8.5,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.dpi": 100,
    "savefig.dpi": 200,
    "svg.hashsalt": "hirshprint",
    "svg.fonttype": "path",
}
TEST, TRAIN, LINE = "#1b5e8c", "#c4c4c4", "#b3421b"
COLUMNS = 3
PANEL = 2.05  # edge of a panel, inches
MARKS = 400  # places along an axis at which points beyond it are marked
MARKERS = "osD^vP*Xd"
INPUT_COLOURS = {
    "fingerprint": "#1b5e8c",
    "fingerprint and composition": "#7a3b8f",
    "contacts and composition": "#b07a00",
    "crystal graph": "#2e7d4f",
    "composition": "#b3421b",
    "nothing": "#777777",
}
PAPER_COLOUR = "#5aa9d6"  # cnn_paper beside the fingerprint network that is better


def model_colour(model: str) -> str:
    """Colour of a model, the same in all figures: that of what it sees."""
    return PAPER_COLOUR if model in OF_PAPER else INPUT_COLOURS[sees(model)]


def write_item(folder: str | Path, name: str, table: pd.DataFrame | None, figure: Figure | None = None) -> None:
    """Write the files of an item of the report: NAME.csv, NAME.svg; a table or a figure of None is left out."""
    if figure is not None:
        write_figure(figure, Path(folder, f"{name}.svg"))
    if table is not None:
        with written_whole(Path(folder, f"{name}.csv")) as temporary:
            table.to_csv(temporary, index=False, float_format="%.7g")


def write_figure(figure: Figure, path: str | Path) -> None:
    """Write a figure as SVG, whole or not at all."""
    with written_whole(path) as temporary:
        temporary.write_bytes(svg_bytes(figure))


def svg_bytes(figure: Figure) -> bytes:
    """Render a figure as SVG, without date or version, so that equal figures are equal bytes."""
    stream = BytesIO()
    with mpl.rc_context(STYLE):
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None}, facecolor="white")
    return re.sub(rb"(?<=data:image/png;base64,)[^\"]+", lambda found: _in_few_colours(found[0]), stream.getvalue())


def _in_few_colours(picture: bytes) -> bytes:
    """Return a PNG, both base64, in a palette of 256 colours: a third of the size, and no eye sees it."""
    with Image.open(BytesIO(base64.b64decode(picture))) as image:
        opaque = image.mode != "RGBA" or image.getchannel("A").getextrema() == (255, 255)
        method = Image.Quantize.MEDIANCUT if opaque else Image.Quantize.FASTOCTREE  # the one that knows transparency
        stream = BytesIO()
        (image.convert("RGB") if opaque else image).quantize(256, method).save(stream, "png", optimize=True)
    return min(picture, base64.b64encode(stream.getvalue()), key=len)


def display_unit(unit: str) -> str:
    """Unit as printed: ``angstrom`` becomes Å; a property without a unit has none."""
    printed = {"angstrom": "Å", "Angstrom": "Å", "angstrom^3": "Å³", "angstrom3": "Å³", "dimensionless": ""}
    return printed.get(unit, unit)


def in_unit(name: str, unit: str) -> str:
    """Title of an axis or column: the unit in brackets where there is one."""
    return f"{name} ({unit})" if unit else name


def column_title(name: str) -> str:
    """Title of a table's column on the page: ``wall_seconds`` becomes "wall (s)"; CSV files keep their names."""
    units = {"_angstrom": "Å", "_angstrom2": "Å²", "_angstrom3": "Å³", "_seconds": "s", "_mb": "MB"}
    for ending, unit in units.items():
        if name.endswith(ending):
            return in_unit(name.removesuffix(ending).replace("_", " "), unit)
    return name.replace("_", " ")


def with_unit(number: str, unit: str) -> str:
    """A number as text, with its unit where there is one."""
    return f"{number} {unit}" if unit else number


def quantity(name: str) -> str:
    """Property as printed: ``a_angstrom`` and ``lattice_parameter`` become words."""
    return {"a_angstrom": "lattice parameter"}.get(name, name.replace("_", " "))


def drawable(text: str, longest: int = 40) -> str:
    """`text` with its long lines shortened, and a question mark for what the figures' font cannot draw."""
    font = get_font(findfont(FontProperties(family="DejaVu Sans")))
    half = longest // 2
    lines = [x if len(x) <= longest else f"{x[:half]}…{x[-half:]}" for x in text.split("\n")]
    return "\n".join("".join(c if font.get_char_index(ord(c)) else "?" for c in line) for line in lines)


def each(table: pd.DataFrame) -> Iterator[Any]:
    """Rows of a table, one after the other, with its columns as attributes."""
    yield from table.itertuples()


def panel_grid(count: int, title_lines: int, right: float = 0.2, head: float = 0.0) -> tuple[Figure, list[Axes]]:
    """Make square panels in rows of `COLUMNS`, placed by hand: no text, however long, can shrink them.

    `right` and `head` are the margins in inches for a colour bar and a heading.
    """
    columns = min(COLUMNS, max(count, 1))
    lines = -(-count // columns)
    title = 0.1 + 0.15 * title_lines
    left, bottom, gap, below = 0.75, 0.6, 0.5, 0.32
    width = left + columns * PANEL + (columns - 1) * gap + right
    height = head + lines * (title + PANEL) + (lines - 1) * below + bottom
    figure = Figure(figsize=(width, height))
    axes = []
    for i in range(count):
        line, column = divmod(i, columns)
        x = left + column * (PANEL + gap)
        y = height - head - (line + 1) * (title + PANEL) - line * below
        axes.append(figure.add_axes((x / width, y / height, PANEL / width, PANEL / height)))
    middle_x = left + (columns * PANEL + (columns - 1) * gap) / 2
    middle_y = (bottom + height - head - title) / 2
    style: dict[str, Any] = {"fontsize": 8.5, "parse_math": False}
    figure.supxlabel("", x=middle_x / width, y=0.12 / height, va="bottom", **style)
    figure.supylabel("", x=0.12 / width, y=middle_y / height, ha="left", **style)
    return figure, axes


def mark_outside(axes: Axes, x: pd.Series, y: pd.Series, low: float, high: float) -> None:
    """Mark points below `low` or above `high` on that edge of the panel, and count them."""
    above, below = y > high, y < low
    for mask, edge, marker in ((above, high, "^"), (below, low, "v")):
        places = _apart(x[mask].to_numpy(float))
        axes.plot(places, np.full(len(places), edge), marker, color=LINE, markersize=4, clip_on=False)
    if (outside := int((above | below).sum())) > 0:
        text = f"{outside:,} beyond the axes"
        axes.text(0.97, 0.03, text, color=LINE, transform=axes.transAxes, ha="right", fontsize=7)


def _apart(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Places along an axis, of many those alone that can be told apart."""
    if len(places) <= MARKS:
        return places
    step = (places.max() - places.min()) / MARKS
    return places[np.unique(np.round((places - places.min()) / step), return_index=True)[1]] if step else places[:1]


def message_figure(message: str) -> Figure:
    """Make a figure that only says why there is nothing to draw."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4, 1))
        figure.text(0.5, 0.5, message, ha="center", va="center")
    return figure
