"""The report of a property that is yes or no, and of one with a logarithm."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from test_report import CAPTIONS, RUN, Elements, synthetic_run

from hirshprint.accuracy.comparison import compare
from hirshprint.accuracy.metrics import metrics
from hirshprint.accuracy.predictions import COLUMNS, read_predictions, write_predictions
from hirshprint.report.figures.answers import reliability_table
from hirshprint.report.figures.beyond import write_beyond
from hirshprint.report.figures.learned import write_learning_figures
from hirshprint.report.page.inputs import DatasetInputs
from hirshprint.report.page.summary import summary_lines
from hirshprint.report.page.write import write_report
from hirshprint.structures.sources.targets import ANSWER_UNIT


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> DatasetInputs:
    return synthetic_run(tmp_path_factory.mktemp("run") / "oqmd", compounds=24, folds=3)


def page_text(item: DatasetInputs, path: Path) -> str:
    write_report([item], RUN, path, CAPTIONS)
    return re.sub(r"\s+", " ", Elements(path.read_text(encoding="utf-8")).text)


def test_answers_are_judged_by_their_probabilities(made: DatasetInputs, tmp_path: Path) -> None:
    assert made.predictions is not None
    targets = pd.read_csv(made.targets)
    yes = (targets["value"] > targets["value"].median()).astype(float)
    targets.assign(value=yes, property="is_metal", unit=ANSWER_UNIT).to_csv(tmp_path / "targets.csv", index=False)
    table = read_predictions(made.predictions)
    middle = table["true"].median()
    odds = np.exp(-12 * (table["predicted"] - middle))
    table = table.assign(true=(table["true"] > middle).astype(float), predicted=1 / (1 + odds))
    table = table.assign(property="is_metal", unit=ANSWER_UNIT, dataset="metals")
    write_predictions(tmp_path / "predictions.csv", table)
    item = replace(made, targets=tmp_path / "targets.csv", predictions=tmp_path / "predictions.csv", name="metals")
    files = (item.predictions, item.fingerprints, item.targets)
    write_learning_figures(*files, tmp_path)
    write_beyond(files[0], files[2], files[1], tmp_path)
    drawn = {name: (tmp_path / f"{name}.svg").read_text(encoding="utf-8") for name in ("parity", "residuals", "inputs")}
    assert "probability of yes" in drawn["parity"]
    assert "share of yes found" in drawn["residuals"]
    assert "Brier score of the test parts" in drawn["inputs"]
    coverage = pd.read_csv(tmp_path / "calibration.csv")
    assert coverage.columns.tolist() == ["model", "bin", "stated", "observed", "predictions", "observed_sd"]
    assert coverage["observed"].between(0, 1).all()
    text = page_text(item, tmp_path / "report.html")
    for part in ("ROC AUC", "balanced accuracy", "Lowest Brier score first", "test answers are wrong"):
        assert part in text
    assert re.search(r": Brier score [\d. ±]+ against [\d. ±]+, difference [−+]0\.\d+ \(95 %", text)
    assert "MAE (" not in text
    assert "the share of yes is 0.5" in text
    best = summary_lines([item], RUN, "r.html")[2]
    assert re.search(r"Brier score 0\.\d+ ± 0\.\d+, ROC AUC .*, balanced accuracy ", best)


def test_the_comparison_of_answers_is_by_a_proper_score() -> None:
    """A model that is too sure has the lower MAE; the one that knows how sure to be has the lower score."""
    generator = np.random.default_rng(0)
    yes = (generator.uniform(size=200) < 0.7).astype(float)
    rows = []
    for model, stated in (("cnn", 0.7), ("ridge", 1.0)):
        for k, true in enumerate(yes):
            rows.append(("d", model, "random", k % 4, "0", "test", "", f"c{k}", "p", ANSWER_UNIT, true, stated, np.nan))
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    found = metrics(table).set_index("model")
    assert found.loc["ridge", "mae"] < found.loc["cnn", "mae"]
    result = compare(table, "random", "cnn", "ridge")
    assert result is not None
    assert (result.verdict, result.score) == ("better", "Brier score")
    bins = reliability_table(table).set_index("model")
    assert bins.loc["cnn", "observed"] == pytest.approx(yes.mean())
    assert bins.loc["cnn", "stated"] == pytest.approx(0.7)


def test_the_error_in_decades_is_in_tables_and_headline(made: DatasetInputs, tmp_path: Path) -> None:
    text = page_text(replace(made, scale="log"), tmp_path / "report.html")
    assert text.count("MAE of log10") >= 3
    plain = page_text(made, tmp_path / "plain.html")
    assert "log10" not in plain
    best = summary_lines([replace(made, scale="log")], RUN, "r.html")[2]
    assert re.search(r"MAE 0\.\d+ ± 0\.\d+ Å, MAE of log10 0\.00\d+ ± 0\.00\d+, r²", best)
