"""The five lines that are printed at the end of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from hirshprint.accuracy.predictions import main_split, read_compact
from hirshprint.accuracy.standing import (
    COMPOSITION,
    FINGERPRINT,
    best_model,
    headline_metrics,
)
from hirshprint.remarks import REMARKED
from hirshprint.report.page.accuracy import best_row, evaluation_text, headline_of_splits, headline_text
from hirshprint.report.page.dataset import predicted_content, read_status, status_counts, surface_text
from hirshprint.report.page.inputs import DatasetInputs
from hirshprint.report.style import display_unit


def summary_lines(inputs: Sequence[DatasetInputs], run: Mapping[str, Any], report: str | Path) -> list[str]:
    """Five lines for the terminal: structures, fingerprints, best model, comparison, where the report is."""
    structures, fingerprints, best, compared = [], [], [], []
    for item in inputs:
        counts = status_counts(read_status(item.status))
        told = [f"{n:,} {status}" for status, n in counts.items() if n or status != REMARKED]
        structures.append(f"{item.name}: {', '.join(told)}")
        fingerprints.append(f"{item.name}: {surface_text(item.fingerprints)}")
        if item.predictions is None:
            best.append(f"{item.name}: {_no_model_text(item)}")
            continue
        predictions = read_compact(item.predictions)
        predictions = headline_of_splits(predictions, [main_split(predictions)])
        table = headline_metrics(predictions, main_split(predictions), item.scale)
        best.append(f"{item.name}: {_model_text(best_row(table), item.started)}, {evaluation_text(predictions)}")
        compared.append(f"{item.name}: {_comparison_line(table, item.started)}")
    return [
        f"structures    {'; '.join(structures)}",
        f"fingerprints  {'; '.join(fingerprints)} ({run['engine']} engine)",
        f"best model    {'; '.join(best)}",
        f"compare with  {'; '.join(compared) or 'nothing was learned'}",
        f"report        {report}",
    ]


def _no_model_text(item: DatasetInputs) -> str:
    """Say of a dataset that nothing was learned from: what was predicted, or that there was nothing to learn."""
    if item.predicted is None:
        return "none, no property was given"
    found = predicted_content(item.predicted)
    return f"{found['compounds']:,} compounds predicted, {found['outside']:,} of them outside of what training saw"


def _comparison_line(table: pd.DataFrame, started: Mapping[str, str]) -> str:
    best = best_row(table)
    rows = [best_model(table, kind) for kind in (FINGERPRINT, COMPOSITION, ["nothing"])]
    names = {row["model"]: row for row in rows if row is not None and row["model"] != best["model"]}
    return ", ".join(_model_text(row, started, r2=False) for row in names.values()) or "no other model was trained"


def _model_text(row: dict[str, Any], started: Mapping[str, str], r2: bool = True) -> str:
    start = f" (started from {started[row['model']]})" if row["model"] in started else ""
    first, more = headline_text(row, display_unit(row["unit"]))
    return f"{row['model']}{start} {first}{f', {more}' if r2 else ''}"
