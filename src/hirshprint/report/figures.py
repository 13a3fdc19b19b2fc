"""Figures of one dataset: parity, residuals, fingerprints. SVG files, byte-equal for equal inputs."""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray
from PIL import Image

from hirshprint.accuracy.predictions import main_split, plain, read_compact, read_targets
from hirshprint.accuracy.standing import headline_metrics, headline_rows, records, shown_model, with_sd, worst_rows
from hirshprint.files.reading import open_hdf5
from hirshprint.files.writing import written_whole

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
EXAMPLES = 6  # fingerprints in a figure
PANEL = 2.05  # edge of a panel, inches
DRAWN = 5_000  # points of one part in a panel; of more, some are drawn
WORST_SHARE = 0.01  # of the points drawn, those of largest error; chance takes the others
MARKS = 400  # places along an axis at which points beyond it are marked


@dataclass(frozen=True)
class FingerprintFile:
    """What is needed to draw from a fingerprint file without reading all of it.

    Attributes
    ----------
    path : the HDF5 file.
    rows : row of each structure_id.
    channels : names of the channels, in order.
    edges : (n_bins + 1,) bin edges in Å, the same for d_i and d_e.
    unit : what a bin holds, e.g. ``Å² per formula unit``.
    """

    path: Path
    rows: dict[str, int]
    channels: tuple[str, ...]
    edges: NDArray[np.float64]
    unit: str


def open_fingerprints(path: str | Path) -> FingerprintFile:
    """Read ids, channels, bins and unit of a fingerprint file, but no counts."""
    with open_hdf5(path, ("ids", "channels", "bin_edges_angstrom", "counts")) as file:
        ids = [str(x) for x in file["ids"].asstr()[:]]
        channels = tuple(str(x) for x in file["channels"].asstr()[:])
        edges = np.asarray(file["bin_edges_angstrom"], dtype=np.float64)
        unit = str(file.attrs["counts_unit"])
    return FingerprintFile(Path(path), {x: i for i, x in enumerate(ids)}, channels, edges, unit)


def read_counts(file: FingerprintFile, ids: Sequence[str], channel: str | None = None) -> NDArray[np.float32]:
    """Fingerprints (n, n_bins, n_bins) of some structures, [structure, d_i bin, d_e bin].

    The channel is `main_channel` unless named.
    """
    column = file.channels.index(channel or main_channel(file))
    with open_hdf5(file.path) as source:
        counts = [source["counts"][file.rows[x], column] for x in ids]
    bins = len(file.edges) - 1
    return np.asarray(counts, dtype=np.float32).reshape(-1, bins, bins)


def main_channel(file: FingerprintFile) -> str:
    """Channel that pictures show: ``total``, or the first of a file that has no ``total``."""
    return "total" if "total" in file.channels else file.channels[0]


def structure_of(row: Any, targets: pd.DataFrame, file: FingerprintFile) -> str | None:
    """Structure whose fingerprint stands for a row of predictions, or None if it has none."""
    if row.structure_id in file.rows:
        return str(row.structure_id)
    ids = targets.loc[targets["compound"] == row.compound, "structure_id"]
    return next((str(x) for x in ids if x in file.rows), None)


def by_lot(names: pd.Series[str]) -> NDArray[np.int64]:
    """Put rows in an order by chance, (n,) numbers from 0, that depends on their names alone: no run changes it."""
    codes, unique = pd.factorize(names)
    drawn = sorted(range(len(unique)), key=lambda k: (zlib.crc32(str(unique[k]).encode()), unique[k]))
    place = np.empty(len(unique), np.int64)
    place[drawn] = np.arange(len(unique))
    order: NDArray[np.int64] = np.argsort(np.argsort(place[codes], kind="stable"), kind="stable")
    return order


def drawn_points(rows: pd.DataFrame, most: int = DRAWN) -> pd.DataFrame:
    """Rows of one model and part to draw: all, or the `WORST_SHARE` of `most` of largest error and some by lot."""
    if len(rows) <= most:
        return rows
    error = (rows["predicted"] - rows["true"]).abs().to_numpy()
    kept = np.zeros(len(rows), dtype=bool)
    kept[np.argsort(-error, kind="stable")[: round(WORST_SHARE * most)]] = True
    rest = np.flatnonzero(~kept)
    kept[rest[by_lot(rows["compound"].iloc[rest]) < most - kept.sum()]] = True
    return rows[kept]


def drawn_note(rows: pd.DataFrame, most: int = DRAWN) -> str:
    """Say how many of how many points a panel shows, by part; empty where all are drawn."""
    counts = rows.groupby(["part", "model"], observed=True).size().groupby("part", observed=True).max()
    told = [f"{min(most, n):,} of {n:,} {part}" for part, n in counts.items() if part in ("test", "train")]
    if not (counts > most).any():
        return ""
    share = f"{WORST_SHARE:.0%} of them the largest errors, the others by lot"
    return f"at most {' and '.join(told)} points drawn in a panel, {share}; figures in it are of all"


def display_unit(unit: str) -> str:
    """Unit as printed: ``angstrom`` becomes Å."""
    return {"angstrom": "Å", "Angstrom": "Å", "angstrom^3": "Å³", "angstrom3": "Å³"}.get(unit, unit)


def quantity(name: str) -> str:
    """Property as printed: ``a_angstrom`` and ``lattice_parameter`` become words."""
    return {"a_angstrom": "lattice parameter"}.get(name, name.replace("_", " "))


def parity(predictions: pd.DataFrame, split: str) -> Figure:
    """Predicted against true, one panel per model, best first; test points before train points.

    All panels share their axes; a prediction beyond them is drawn as a triangle on the edge and counted.
    """
    table, rows, label, unit = _panels_data(predictions, split)
    true, points_area = rows["true"], _points_area(rows)
    margin = 0.08 * (true.max() - true.min()) or 0.1
    low, high = true.min() - margin, true.max() + margin

    def draw(axes: Axes, model: dict[str, Any], data: pd.DataFrame) -> None:
        axes.plot([low, high], [low, high], color="#555555", linewidth=0.8, zorder=1)
        for part, color, size in (("train", TRAIN, points_area / 2), ("test", TEST, points_area)):
            points = drawn_points(data[data["part"] == part])
            axes.scatter(
                points["true"], points["predicted"], s=size, color=color, linewidths=0,
                alpha=0.5, rasterized=True, zorder=2 if part == "test" else 0,
            )  # fmt: skip
        test = data[data["part"] == "test"]
        _mark_outside(axes, test["true"], test["predicted"], low, high)
        mae = f"MAE {with_sd(model['mae'], model['mae_sd'])} {unit}"
        text = f"r² {with_sd(model['r2'], model['r2_sd'])}\n{mae}"
        text += "" if model["ranked"] else f"\nonly {model['compounds']:,} compounds"
        axes.text(0.04, 0.96, text, transform=axes.transAxes, va="top", fontsize=7.5)
        axes.set(xlim=(low, high), ylim=(low, high), aspect="equal")

    def key(axes: Axes) -> None:
        for name, color in (("test", TEST), ("train", TRAIN)):
            axes.scatter([], [], s=14, color=color, label=name)
        place = (1.0, 0.09)  # above the count of points beyond the axes
        axes.legend(loc="lower right", bbox_to_anchor=place, frameon=False, fontsize=7, handletextpad=0.1)

    return _model_panels(table, rows, draw, key, f"true {label}", f"predicted {label}")


def _points_area(rows: pd.DataFrame) -> float:
    """Area of a point, in points²: few are drawn large enough to be seen."""
    return float(np.clip(2000 / rows["compound"].nunique(), 4, 16))


def residuals(predictions: pd.DataFrame, split: str) -> Figure:
    """Test residual (predicted - true) against true with its regression line, one panel per model.

    All panels share their axes, which fit the better quarter of the models (by largest |residual|); a point
    beyond them is drawn as a triangle on the edge and counted.
    """
    table, rows, label, unit = _panels_data(predictions, split)
    rows = rows[rows["part"] == "test"].assign(residual=lambda x: x["predicted"] - x["true"])
    points_area = _points_area(rows)
    largest = rows["residual"].abs().groupby(rows["model"]).max()
    limit = 1.1 * float(largest.quantile(0.25)) or 0.1
    margin = 0.05 * (rows["true"].max() - rows["true"].min()) or 0.1
    xlim = (rows["true"].min() - margin, rows["true"].max() + margin)

    def draw(axes: Axes, model: dict[str, Any], data: pd.DataFrame) -> None:
        axes.axhline(0, color="#555555", linewidth=0.8, zorder=1)
        style: dict[str, Any] = {"s": points_area, "color": TEST, "linewidths": 0, "alpha": 0.5, "rasterized": True}
        points = drawn_points(data)
        axes.scatter(points["true"], points["residual"], **style)
        _mark_outside(axes, data["true"], data["residual"], -limit, limit)
        span = np.array([data["true"].min(), data["true"].max()])
        if span[1] > span[0]:
            start, slope = np.polynomial.polynomial.polyfit(data["true"], data["residual"], 1)
            axes.plot(span, start + slope * span, color=LINE, linewidth=1.2, zorder=3)
            text = f"slope {slope:+.3f}".replace("-", "−")
            axes.text(0.04, 0.96, text, color=LINE, transform=axes.transAxes, va="top", fontsize=7.5)
        axes.set(xlim=xlim, ylim=(-limit, limit))

    return _model_panels(table, rows, draw, lambda axes: None, f"true {label}", f"predicted − true ({unit})")


def fingerprint_examples(file: FingerprintFile, targets: pd.DataFrame, count: int = EXAMPLES) -> Figure:
    """Total fingerprints of structures spread evenly over the property's range (its quantiles)."""
    rows = records(example_rows(file, targets, count))
    counts = read_counts(file, [row["structure_id"] for row in rows])
    titles = [row["structure_id"] for row in rows]
    if targets["value"].notna().any():
        values = [f"{quantity(x['property'])} {x['value']:.4g} {display_unit(x['unit'])}" for x in rows]
        titles = [f"{title}\n{value}" for title, value in zip(titles, values, strict=True)]
    return _fingerprint_panels(file, counts, titles, _channel_note(file).removeprefix(", "))


def fingerprint_channels(file: FingerprintFile, targets: pd.DataFrame) -> Figure:
    """Every channel of one structure: the one of median property among the examples."""
    rows = example_rows(file, targets, EXAMPLES)
    if rows.empty:
        return _empty("no fingerprint to show")
    name = str(rows["structure_id"].iloc[len(rows) // 2])
    counts = np.concatenate([read_counts(file, [name], channel) for channel in file.channels])
    return _fingerprint_panels(file, counts, list(file.channels), f"Channels of {name}")


def worst_predictions(file: FingerprintFile, targets: pd.DataFrame, predictions: pd.DataFrame, split: str) -> Figure:
    """Total fingerprints of the worst test predictions of the model named by `shown_model`."""
    names: list[str] = []
    titles: list[str] = []
    for name, row in _worst_structures(file, targets, predictions, split):
        unit = display_unit(str(row.unit))
        names.append(name)
        titles.append(
            f"{name}\ntrue {row.true:.4g}, predicted {row.predicted:.4g} {unit}\n"
            f"predicted − true {'+' if row.residual > 0 else '−'}{abs(row.residual):.3f} {unit}"
        )
    heading = f"Worst test predictions of {shown_model(headline_metrics(predictions, split))}{_channel_note(file)}"
    return _fingerprint_panels(file, read_counts(file, names), titles, heading)


def _worst_structures(
    file: FingerprintFile, targets: pd.DataFrame, predictions: pd.DataFrame, split: str
) -> list[tuple[str, Any]]:
    """Structures with a fingerprint of the worst test predictions of `shown_model`, and their rows."""
    model = shown_model(headline_metrics(predictions, split))
    rows: Any = worst_rows(predictions, split, model, len(predictions)).itertuples()
    found = ((structure_of(row, targets, file), row) for row in rows)
    return list(islice(((name, row) for name, row in found if name is not None), EXAMPLES))


def target_histogram(targets: pd.DataFrame) -> Figure:
    """Distribution of the property, one value per compound (the mean where structures differ)."""
    with mpl.rc_context(STYLE):
        if targets["value"].dropna().empty:
            return _empty("no target values")
        values = targets.groupby("compound")["value"].mean().dropna()
        figure = Figure(figsize=(4.6, 2.6), layout="constrained")
        axes = figure.add_subplot()
        bins = int(np.clip(np.sqrt(len(values)), 8, 60))
        axes.hist(values, bins=bins, color=TEST, edgecolor="white", linewidth=0.4)
        name, unit = targets[["property", "unit"]].iloc[0]
        axes.set_xlabel(_drawable(f"{quantity(name)} ({display_unit(unit)})"), parse_math=False)
        axes.set_ylabel("compounds")
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        text = f"n = {len(values):,}, mean {values.mean():.4g}, sd {values.std(ddof=0):.3g}"
        axes.set_title(text, loc="right", fontsize=7.5)
    return figure


def write_learning_figures(
    predictions: str | Path, fingerprints: str | Path, targets: str | Path, folder: str | Path
) -> None:
    """Write the files of `items.LEARNING_ITEMS` for one dataset.

    Parameters
    ----------
    predictions, fingerprints, targets : files of ``results/<dataset>/``.
    folder : where the SVG and CSV files go.

    Raises
    ------
    ValueError : the predictions table is no such table or holds more than one dataset.
    """
    table, values = read_compact(predictions), read_targets(targets)
    file = open_fingerprints(fingerprints)
    if (found := table["dataset"].nunique()) != 1:
        raise ValueError(f"{predictions}: expected the predictions of one dataset, found {found}")
    split = main_split(table)
    table = headline_rows(table, split)
    test = plain(table[table["part"] == "test"])
    worst = [name for name, _ in _worst_structures(file, values, test, split)]
    of_values = values.groupby(["compound", "property", "unit"], sort=False)["value"].mean().reset_index()
    write_item(folder, "parity", test, parity(table, split))
    write_item(folder, "residuals", None, residuals(test, split))
    write_item(folder, "worst_predictions", filled_bins(file, worst), worst_predictions(file, values, test, split))
    write_item(folder, "target_histogram", of_values, target_histogram(values))


def write_fingerprint_figures(fingerprints: str | Path, targets: str | Path, folder: str | Path) -> None:
    """Write the files of `items.FINGERPRINT_ITEMS` for one dataset, its fingerprints and targets given."""
    file, values = open_fingerprints(fingerprints), read_targets(targets)
    names = list(example_rows(file, values, EXAMPLES)["structure_id"])
    middle = names[len(names) // 2 :][:1]
    write_item(folder, "fingerprint_examples", filled_bins(file, names), fingerprint_examples(file, values))
    channels = filled_bins(file, middle, file.channels)
    write_item(folder, "fingerprint_channels", channels, fingerprint_channels(file, values))


def write_item(folder: str | Path, name: str, table: pd.DataFrame | None, figure: Figure | None = None) -> None:
    """Write the files of an item of the report: NAME.csv, NAME.svg; a table or a figure of None is left out."""
    if figure is not None:
        write_figure(figure, Path(folder, f"{name}.svg"))
    if table is not None:
        with written_whole(Path(folder, f"{name}.csv")) as temporary:
            table.to_csv(temporary, index=False, float_format="%.7g")


def filled_bins(file: FingerprintFile, ids: Sequence[str], channels: Sequence[str] = ()) -> pd.DataFrame:
    """Bins of some fingerprints that are not empty, as a table: centres in Å, value in the file's unit.

    The channel is `main_channel` unless some are named.
    """
    centres = (file.edges[1:] + file.edges[:-1]) / 2
    parts = []
    for channel in channels or (main_channel(file),):
        for name, counts in zip(ids, read_counts(file, ids, channel), strict=True):
            i, j = np.nonzero(counts)
            part = {"structure_id": name, "channel": channel, "d_i_angstrom": centres[i], "d_e_angstrom": centres[j]}
            parts.append(pd.DataFrame(part | {"value": counts[i, j], "unit": file.unit}))
    columns = ["structure_id", "channel", "d_i_angstrom", "d_e_angstrom", "value", "unit"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


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


def example_rows(file: FingerprintFile, targets: pd.DataFrame, count: int) -> pd.DataFrame:
    """Rows of `targets` with a fingerprint at evenly spaced quantiles of the value, lowest first.

    Without values they are evenly spaced in the order of the structures' names.
    """
    rows = targets[targets["structure_id"].isin(list(file.rows))]
    rows = rows.dropna(subset=["value"]) if rows["value"].notna().any() else rows
    rows = rows.sort_values(["value", "structure_id"]).drop_duplicates("compound")
    places = np.unique(np.linspace(0, max(len(rows) - 1, 0), count).round().astype(int))
    return rows.iloc[places[: len(rows)]]


def each(table: pd.DataFrame) -> Iterator[Any]:
    """Rows of a table, one after the other, with its columns as attributes."""
    yield from table.itertuples()


def _channel_note(file: FingerprintFile) -> str:
    return "" if main_channel(file) == "total" else f", channel {main_channel(file)}"


def _panels_data(predictions: pd.DataFrame, split: str) -> tuple[pd.DataFrame, pd.DataFrame, str, str]:
    rows = headline_rows(predictions, split)
    unit = display_unit(str(rows["unit"].iloc[0]))
    label = f"{quantity(str(rows['property'].iloc[0]))} ({unit})"
    return headline_metrics(predictions, split), rows, label, unit


def _model_panels(
    table: pd.DataFrame,
    rows: pd.DataFrame,
    draw: Callable[[Axes, dict[str, Any], pd.DataFrame], None],
    key: Callable[[Axes], None],
    xlabel: str,
    ylabel: str,
) -> Figure:
    with mpl.rc_context(STYLE):
        figure, panels = _grid(len(table), title_lines=2)
        for model, axes in zip(records(table), panels, strict=True):
            draw(axes, model, rows[rows["model"] == model["model"]])
            axes.set_title(f"{model['model']}\nsees {model['inputs']}", loc="left", parse_math=False)
            axes.locator_params(nbins=6)
        key(panels[0])
        title = figure.supxlabel(_drawable(xlabel))
        figure.supylabel(_drawable(ylabel))
        if note := drawn_note(rows):
            height = figure.get_figheight()
            title.set_y(0.2 / height)
            figure.text(title.get_position()[0], 0.03 / height, note, ha="center", va="bottom", fontsize=5.5)
    return figure


def _grid(count: int, title_lines: int, right: float = 0.2, head: float = 0.0) -> tuple[Figure, list[Axes]]:
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


def _mark_outside(axes: Axes, x: pd.Series, y: pd.Series, low: float, high: float) -> None:
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


def _fingerprint_panels(
    file: FingerprintFile, counts: NDArray[np.float32], titles: Sequence[str], heading: str = ""
) -> Figure:
    """Panels with common axes and colour scale; x is d_i, y is d_e; empty bins stay white."""
    if len(counts) == 0:
        return _empty("no fingerprint to show")
    low, high, note = _crop(file.edges, counts)
    with mpl.rc_context(STYLE):
        lines = 1 + max(title.count("\n") for title in titles)
        figure, panels = _grid(len(counts), lines, right=1.2, head=0.35 if heading else 0.0)
        norm = PowerNorm(0.5, vmin=0, vmax=float(counts.max()) or 1.0)
        style: dict[str, Any] = {"cmap": "viridis_r", "norm": norm, "rasterized": True}
        for axes, image, title in zip(panels, counts, titles, strict=True):
            values = np.ma.masked_equal(image.T, 0)
            mesh = axes.pcolormesh(file.edges, file.edges, values, **style)
            axes.plot([low, high], [low, high], color="#999999", linewidth=0.5, zorder=0)
            axes.set(xlim=(low, high), ylim=(low, high), aspect="equal")
            axes.set_title(_drawable(title), fontsize=7.5, parse_math=False)
            axes.locator_params(nbins=6)
            axes.spines[["top", "right"]].set_visible(True)
        figure.supxlabel("dᵢ (Å)" + note)
        figure.supylabel("dₑ (Å)")
        first, (width, height) = panels[0].get_position(), figure.get_size_inches()
        place = ((width - 1.0) / width, first.y1 - PANEL / height, 0.12 / width, PANEL / height)
        bar = figure.colorbar(mesh, cax=figure.add_axes(place))
        bar.set_label(f"{file.unit}\nper bin, square-root scale")
        place_y = 1 - 0.08 / height
        figure.text(0.5, place_y, _drawable(heading), ha="center", va="top", fontsize=9, parse_math=False)
    return figure


def _crop(edges: NDArray[np.float64], counts: NDArray[np.float32]) -> tuple[float, float, str]:
    """Limits in Å that hold every filled bin of `counts`, and a note where they leave bins out."""
    filled = np.flatnonzero(counts.any(axis=(0, 1)) | counts.any(axis=(0, 2)))
    first, last = (filled[0], filled[-1] + 1) if len(filled) else (0, len(edges) - 1)
    low, high = edges[max(first - 1, 0)], edges[min(last + 1, len(edges) - 1)]
    if low == edges[0] and high == edges[-1]:
        return float(low), float(high), ""
    note = f"; bins run from {edges[0]:.2f} to {edges[-1]:.2f} Å, empty margins are cropped"
    return float(low), float(high), note


def _empty(message: str) -> Figure:
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4, 1))
        figure.text(0.5, 0.5, message, ha="center", va="center")
    return figure


def _drawable(text: str, longest: int = 40) -> str:
    """`text` with its long lines shortened, and a question mark for what the figures' font cannot draw."""
    font = get_font(findfont(FontProperties(family="DejaVu Sans")))
    half = longest // 2
    lines = [x if len(x) <= longest else f"{x[:half]}…{x[-half:]}" for x in text.split("\n")]
    return "\n".join("".join(c if font.get_char_index(ord(c)) else "?" for c in line) for line in lines)
