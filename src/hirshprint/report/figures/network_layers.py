"""The networks as they were trained: a table of layers and a drawing, read from a saved network without TensorFlow."""

from __future__ import annotations

import io
import json
import math
import re
import zipfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from hirshprint.files.reading import check_zip
from hirshprint.report.style import STYLE, each

KIND_COLOURS = {"Conv2D": "#1b5e8c", "MaxPooling2D": "#7fb2d6", "Dense": "#b3421b", "InputLayer": "#777777"}


HIDDEN = ("GetItem", "Flatten", "Activation", "InputLayer")  # without parameters; not in the table


def network_layers(path: str | Path) -> pd.DataFrame:
    """Layers of a network saved by Keras (``.keras``), in their order.

    Returns
    -------
    DataFrame
        One row per layer: layer (its number), kind, input, output (sizes, without the batch; empty where they depend on
        the crystal), activation, parameters (all numbers that the layer holds, fixed tables included).
    """
    check_zip(path, unit=Path(path).parent)
    with zipfile.ZipFile(path) as saved:
        layers = json.loads(saved.read("config.json"))["config"]["layers"]
        weights = io.BytesIO(saved.read("model.weights.h5"))
    counted: dict[str, int] = {}
    rows: list[dict[str, Any]] = []
    shape: tuple[int, ...] = ()
    with h5py.File(weights) as file:
        for layer in layers:
            kind, settings = layer["class_name"], layer["config"]
            name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", kind).lower().replace("2_d", "2d")
            number = counted.get(name, 0)
            counted[name] = number + 1
            group = f"layers/{name}{f'_{number}' if number else ''}"
            given = _shape((layer.get("build_config") or {}).get("input_shape")) or shape
            shape = _shape(settings.get("batch_shape")) or _output(kind, settings, given)
            rows.append(
                {
                    "layer": len(rows) + 1,
                    "kind": kind,
                    "input": " × ".join(map(str, given)) if kind != "InputLayer" else "",
                    "output": " × ".join(map(str, shape)),
                    "activation": str(settings.get("activation") or ""),
                    "parameters": _size(file[group]) if group in file else 0,
                }
            )
    return pd.DataFrame(rows)


def _shape(given: Any) -> tuple[int, ...]:
    """Sizes after that of the batch; none where a layer has several inputs or sizes are not fixed."""
    sizes = given[1:] if isinstance(given, list) else []
    return tuple(sizes) if all(isinstance(size, int) for size in sizes) else ()


def _output(kind: str, settings: dict[str, Any], given: tuple[int, ...]) -> tuple[int, ...]:
    """Sizes of what the layers of the fingerprint network make (convolution of same size, pooling, dense)."""
    if kind == "Dense":
        return (int(settings["units"]),)
    if not given:
        return ()
    if kind == "Conv2D":
        return (*given[:2], int(settings["filters"]))
    if kind == "MaxPooling2D":
        return (given[0] // settings["pool_size"][0], given[1] // settings["pool_size"][1], given[2])
    return (math.prod(given),) if kind == "Flatten" else given


def _size(group: Any) -> int:
    """Numbers in an HDF5 group, subgroups included."""
    return sum(_size(item) if isinstance(item, h5py.Group) else int(item.size) for item in group.values())


def network_table(folder: str | Path) -> pd.DataFrame:
    """Layers with parameters or pooling of one network of each model in a folder ``models``, the first of each."""
    tables = []
    for model, path in first_networks(folder).items():
        layers = network_layers(path)
        layers = layers[~layers["kind"].isin(HIDDEN)].drop(columns="layer")
        tables.append(layers.assign(model=model))
    if not tables:
        return pd.DataFrame(columns=["model", "kind", "input", "output", "activation", "parameters"])
    table = pd.concat(tables, ignore_index=True)
    return table[["model", *(name for name in table.columns if name != "model")]]


def first_networks(folder: str | Path) -> dict[str, Path]:
    """The first saved network of each model in a folder, by the model's name."""
    found: dict[str, Path] = {}
    for path in sorted(Path(folder).glob("*.keras")):
        found.setdefault(path.name.split("-")[0], path)
    return found


def network_drawing(layers: pd.DataFrame, name: str) -> Figure:
    """Draw a chain of layers from left to right: heights follow the size of the maps, widths their number."""
    layers = layers[~layers["kind"].isin(["Flatten"])]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9.4, 3.5), facecolor="white")
        axes = figure.add_axes((0.01, 0.02, 0.98, 0.86))
        axes.axis("off")
        x, ends = 0.0, []
        for row in each(layers):
            sizes = [int(size) for size in str(row.output).split(" × ")]
            flat = len(sizes) == 1
            height = 0.35 + 0.42 * math.log2(sizes[0] + 1) if flat else 3.2 * sizes[0] / 50
            width = 0.14 if flat else 0.12 + 0.012 * sizes[2]
            colour = KIND_COLOURS.get(str(row.kind), "#999999")
            depth = 1 if flat else min(4, 1 + sizes[2] // 16)
            for k in reversed(range(depth)):  # a stack of maps, the first in front
                place = (x + 0.05 * k, -height / 2 + 0.05 * k)
                patch = Rectangle(place, width, height, facecolor=colour, edgecolor="white", linewidth=0.8)
                axes.add_patch(patch)
            ends.append((x, x + width + 0.05 * depth))
            words = {"Conv2D": "convolution\n3 × 3", "MaxPooling2D": "max pooling\n2 × 2", "Dense": "dense"}
            label = words.get(str(row.kind), "fingerprint")
            label += "" if "\n" in label else "\n"
            if row.activation not in ("", "linear"):
                label += f"\n{'ReLU' if row.activation == 'relu' else row.activation}"
            if row.parameters:
                label += f"\n{row.parameters:,}"
            middle = x + width / 2
            axes.text(middle, height / 2 + 0.05 * depth + 0.08, row.output, ha="center", va="bottom", fontsize=7)
            axes.text(middle, -2.0, label, ha="center", va="top", fontsize=6.6, color=colour, linespacing=1.35)
            x += max(width + 0.05 * depth + 0.3, 1.08)
        for (_, end), (start, _) in pairwise(ends):
            style = {"arrowstyle": "->", "color": "#888888", "linewidth": 0.7, "shrinkA": 0, "shrinkB": 0}
            axes.annotate("", (start - 0.03, 0), (end + 0.03, 0), arrowprops=style)
        axes.set(xlim=(-0.45, x - 0.3), ylim=(-2.75, 2.15))
        total = int(layers["parameters"].sum())
        title = f"{name}: {total:,} parameters; under each layer the number of its own"
        figure.text(0.015, 0.93, title, fontsize=9.5, weight="bold", va="center")
    return figure
