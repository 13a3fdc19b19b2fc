"""What a run says of itself: its engine when it begins, what it did when it ends (light)."""

from __future__ import annotations

import atexit
import sys
from collections.abc import Sequence
from pathlib import Path

from hirshprint.config.model import Config
from hirshprint.hirshfeld.registry import engine_named


def show_engine(config: Config) -> None:
    """Say which surface engine this run uses."""
    engine = engine_named(config.surfaces.engine)
    print(f"Surface engine: {engine.title}{engine.where(config.surfaces)}", file=sys.stderr)


def show_summary(lines: Sequence[str], report: Path | None = None) -> None:
    """Print what a run did when this process ends: below Snakemake's closing lines.

    `report` is the summary that the report rule wrote; it comes last, and not at all where only a part of the workflow
    was asked for.
    """
    text = "\n" + "\n".join(lines)
    if report is not None and report.exists():
        text += "\n\n" + report.read_text(encoding="utf-8").rstrip()
    atexit.register(print, text, file=sys.stderr)
