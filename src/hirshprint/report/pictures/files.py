"""Pictures as files."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from hirshprint.files.writing import written_whole
from hirshprint.report.style import STYLE

DPI = 160


def write_picture(figure: Figure, path: str | Path) -> None:
    """Write a figure as PNG, or as its suffix says (pdf, svg), whole or not at all."""
    kind = Path(path).suffix.lstrip(".").lower() or "png"
    with written_whole(path) as temporary, mpl.rc_context(STYLE):
        figure.savefig(temporary, format=kind, dpi=DPI, facecolor="white")


def png_of(figure: Figure) -> bytes:
    """A figure as the bytes of a PNG file: what a notebook shows."""
    stream = BytesIO()
    with mpl.rc_context(STYLE):
        figure.savefig(stream, format="png", dpi=DPI, facecolor="white")
    return stream.getvalue()


def for_notebooks(figure: Figure) -> Figure:
    """Have a figure shown where it ends a cell, whether or not Matplotlib was set up for the notebook."""
    figure._repr_png_ = lambda: png_of(figure)  # type: ignore[attr-defined]
    return figure
