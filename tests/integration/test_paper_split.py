"""The split of the paper's authors, from the table to the report: one fold without validation, some rows in no part."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
from projects import SMALL, Project, make_project

LEARNING = SMALL["learning"] | {
    "cnn_paper_small": {"epochs": 1},
    "cnn": {"epochs": 1},
    "cgcnn": {"epochs": 1},
    "contacts": {"epochs": 1},
    "seeds": [0, 1],
}
LEARNING |= {"baselines": ["mean", "ridge", "bond_lengths"]}
ROLES = ("oqmd", "experimental", "second_experimental", "estimated_edge")


def expected_test(folder: Path) -> tuple[set[str], set[str]]:
    """Compounds that the split leaves out, and those that it tests, by the order of the table."""
    rows = pd.read_csv(folder / "table.csv")
    low = rows[rows["a_angstrom"] <= 5]["formula"].to_numpy(str)
    drawn = np.random.RandomState(0).permutation(len(low))[: -(-3 * len(low) // 10)]
    return set(rows["formula"]) - set(low), set(low[drawn])


def check_fold(predictions: pd.DataFrame, folder: Path) -> None:
    left_out, tested = expected_test(folder)
    assert left_out  # of twelve evenly spread rows of the embedded table some are halides with a large cell
    of_split = predictions[predictions["split"] == "paper"]
    assert not set(of_split["compound"]) & left_out
    assert set(of_split["part"]) == {"train", "test"}
    assert set(of_split["fold"]) == {0}
    for _, of_model in of_split[of_split["model"] != "bond_lengths"].groupby("model"):
        assert set(of_model.loc[of_model["part"] == "test", "compound"]) == tested


def test_the_paper_split_alone(tmp_path: Path) -> None:
    config = SMALL | {"learning": LEARNING | {"splits": ["paper"]}, "paper": dict.fromkeys(ROLES, "small")}
    project = make_project(tmp_path / "project", rows=12, config=config)
    output = project.run()
    folder, results = project.folder, project.folder / "results/small"
    assert "test part of 1 paper fold" in output
    predictions = pd.read_csv(results / "predictions.csv", keep_default_na=False, na_values={"std": [""]})
    check_fold(predictions, folder)
    assert predictions["std"].isna().all()  # there is nothing to fit a standard deviation on
    metrics = pd.read_csv(results / "metrics.csv")
    assert set(metrics["part"]) == {"train", "test"}
    assert (metrics["n_folds"] == 1).all()
    card = json.loads((results / "models/cnn_paper_small-paper-fold0-seed0.json").read_text())
    assert card["rows"]["validation"] == 0
    assert card["mean_absolute_error"]["validation"] is None
    assert card["mean_absolute_error"]["test"] > 0
    page = (folder / "results/report.html").read_text(encoding="utf-8")
    assert "Test accuracy, paper split" in page
    assert "It states none." in page
    numbers = pd.read_csv(folder / "results/paper/numbers.csv", keep_default_na=False)
    left_out, _ = expected_test(folder)
    assert f"12 compounds, {len(left_out)} left out, against the paper's 5,250; one split (paper)" in set(
        numbers["differs"]
    )
    refused = project.ask("predict", "SrTiO3", "--model", "results/small/models")
    assert refused.returncode != 0
    assert "its training had no validation part to choose a network by; train again with `random`" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert "small" in project.hirshprint("status", "--configfile", "config.yaml")
    project.edit_table(lambda lines: [lines[0], *reversed(lines[1:])])  # another order, another split
    assert project.jobs()["train"] == 1


def test_the_paper_split_beside_the_random_one(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", rows=12)
    project.configure(learning=LEARNING | {"splits": ["paper", "random"], "saliency": ["BaAmO3"]})
    output = project.run()
    folder, results = project.folder, project.folder / "results/small"
    assert "test part of 2 random folds" in output
    predictions = pd.read_csv(results / "predictions.csv", keep_default_na=False, na_values={"std": [""]})
    check_fold(predictions, folder)
    of_random = predictions[predictions["split"] == "random"]
    assert of_random["std"].notna().all()
    assert set(of_random.loc[of_random["part"] == "test", "compound"]) == set(predictions["compound"])
    assert predictions.loc[predictions["split"] == "paper", "std"].isna().all()
    card = json.loads((results / "models/model.json").read_text())
    assert card["split"] == "random"
    assert set(card["validation_mean_absolute_error"]) == {"cnn_paper_small", "cnn", "cgcnn", "contacts"}
    page = (folder / "results/report.html").read_text(encoding="utf-8")
    assert page.index("Test accuracy, random split") < page.index("Test accuracy, paper split")
    predicted = project.ask("predict", "SrTiO3", "--model", "results/small/models")
    assert predicted.returncode == 0, predicted.stderr
    assert "SrTiO3" in predicted.stdout


def test_too_few_rows_are_refused_before_any_job(tmp_path: Path) -> None:
    """A dry run says at once what such a split lacks."""
    project: Project = make_project(tmp_path / "project", rows=2)
    project.configure(learning=LEARNING | {"splits": ["paper"]})
    output = project.run("-n", fails=True)
    assert "too few for the split 'paper'" in output
