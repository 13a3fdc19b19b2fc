"""Figures that the paper does not have, of one dataset: written together, for the same models."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from hirshprint.accuracy.predictions import main_split, plain, read_compact, read_targets
from hirshprint.accuracy.standing import COMPOSITION, FINGERPRINT, GRAPHS, best_model, headline_metrics, headline_rows
from hirshprint.networks.registry import of_paper
from hirshprint.report.figures.answers import reliability, reliability_table
from hirshprint.report.figures.calibration import calibration, coverage_table
from hirshprint.report.figures.distances import distance_table, error_by_distance
from hirshprint.report.figures.elements import element_maps, error_by_element
from hirshprint.report.figures.inputs import input_table, inputs
from hirshprint.report.fingerprint_file import open_fingerprints
from hirshprint.report.style import display_unit, write_item
from hirshprint.structures.sources.targets import ANSWER_UNIT


def write_beyond(predictions: str | Path, targets: str | Path, fingerprints: str | Path, folder: str | Path) -> None:
    """Write the figures and tables of `items.BEYOND_ITEMS` for one dataset.

    Parameters
    ----------
    predictions, targets, fingerprints : str or Path
        Files of ``results/<dataset>/``.
    folder : str or Path
        Where the files go.
    """
    table, values = read_compact(predictions), read_targets(targets)
    split = main_split(table)
    table = headline_rows(table, split)
    test = headline_test_rows(table, split)
    models = shown_models(test, split)
    unit = display_unit(str(table["unit"].iloc[0]))
    by_element = error_by_element(test[test["model"] == models[0]], values)
    shown = test[test["model"].isin(models)]
    answers = unit == ANSWER_UNIT
    coverage = reliability_table(shown) if answers else coverage_table(shown)
    distances = distance_table(table, open_fingerprints(fingerprints), values, models)
    tested = len(test.drop_duplicates(["fold", "compound"]))
    by_input = input_table(test, split)
    write_item(folder, "error_by_element", by_element, element_maps(by_element, models[0], unit))
    drawn = reliability(coverage) if answers else calibration(coverage, shown, unit)
    write_item(folder, "calibration", coverage, drawn)
    write_item(folder, "distance", distances, error_by_distance(distances, unit, tested))
    write_item(folder, "inputs", by_input, inputs(by_input, unit))


def shown_models(predictions: pd.DataFrame, split: str) -> list[str]:
    """Models that the figures show: the best of those that see fingerprints, composition, both, or a graph.

    The best fingerprint model comes first; the network of the paper's authors is among them where it was trained.
    """
    table = headline_metrics(predictions, split)
    kinds: list[Sequence[str]] = [[FINGERPRINT[0]], COMPOSITION, *([kind] for kind in GRAPHS), [FINGERPRINT[1]]]
    found = [str(best["model"]) for kind in kinds if (best := best_model(table, kind)) is not None]
    trained = set(table.loc[table["ranked"], "model"])
    paper = of_paper(trained)
    names = list(dict.fromkeys([*found, *([paper] if paper else [])]))
    return names or [str(table["model"].iloc[0])]


def headline_test_rows(predictions: pd.DataFrame, split: str) -> pd.DataFrame:
    """Headline rows of the test parts, with a column ``error``: predicted - true."""
    rows = headline_rows(predictions, split)
    rows = plain(rows[rows["part"] == "test"])
    return rows.assign(error=rows["predicted"] - rows["true"])
