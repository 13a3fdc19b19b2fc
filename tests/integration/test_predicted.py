"""Real runs: datasets that are predicted with the models of another, a screening, prototypes and presets."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from projects import ROOT, SMALL, Project, environment, make_project

NEW: dict[str, Any] = {
    "datasets": {
        "small": {"table": "table.csv", "filters": [{"name": "a > 4.3 Å", "column": "a_angstrom", "above": 4.3}]},
        "new": {"table": "new.csv", "model": "small"},
        "square": {"elements": {"A": ["Sr", "Ba"], "B": ["Ti", "Zr", "Sr"], "X": ["O", "F"]}, "model": "small"},
    },
    "surfaces": {"structures_per_job": 64, "mesh_level": 8},
    "learning": SMALL["learning"] | {"baselines": ["mean"]},
}


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A run that learns from a table, and predicts two other datasets with what it learned."""
    project = make_project(tmp_path_factory.mktemp("predicted") / "project", 24, NEW)
    (project.folder / "new.csv").write_text("formula\nSrHfO3\nXxTiO3\nRaTiO3\n", encoding="utf-8")
    project.run()
    return project


def test_a_dataset_is_predicted_with_the_models_of_another(project: Project) -> None:
    folder = project.folder / "results/new"
    rows = _rows(folder / "predicted.csv")
    assert [row["name"] for row in rows] == ["RaTiO3", "SrHfO3"]
    assert rows[0]["unseen"] == "A=Ra"
    assert rows[0]["outside_domain"] == "True"
    assert 3 < float(rows[1]["a_predicted_angstrom"]) < 7
    assert float(rows[1]["a_std_angstrom"]) > 0
    assert not (folder / "predictions.csv").exists()
    assert "unknown element 'Xx'" in (folder / "status.csv").read_text(encoding="utf-8")
    command = [sys.executable, "-m", "hirshprint.cli", "predict", "SrHfO3", "--out", "one.csv"]
    paths = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [*command, "--model", "results/small/models"],
        cwd=project.folder,
        env=environment(PYTHONPATH=paths),
        capture_output=True,
        text=True,
        timeout=3600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (alone,) = _rows(project.folder / "one.csv")  # the command makes what the rules make
    assert float(alone["a_predicted_angstrom"]) == pytest.approx(float(rows[1]["a_predicted_angstrom"]), abs=1e-5)
    assert alone["fingerprint_distance"] == rows[1]["fingerprint_distance"]


def test_a_screening_is_ranked_and_mapped(project: Project) -> None:
    folder = project.folder / "results/square"
    table = pd.read_csv(folder / "screen.csv", keep_default_na=False)
    assert len(table) == 2 * 3 * 2
    assert table["rank"].tolist() == list(range(1, 13))
    assert table["a_std_angstrom"].is_monotonic_decreasing
    of = table.set_index("name")
    # Shannon: Sr 1.44 (12), Ti 0.605 (6), O 1.40 (6)
    assert float(of.loc["SrTiO3", "tolerance_factor"]) == pytest.approx(2.84 / (2**0.5 * 2.005), abs=1e-4)
    assert float(of.loc["SrTiO3", "octahedral_factor"]) == pytest.approx(0.605 / 1.40, abs=1e-4)
    assert of.loc["SrTiF3", "tolerance_factor"] == ""  # charges that do not balance
    assert "<svg" in (folder / "screen.svg").read_text(encoding="utf-8")
    report = (project.folder / "results/report.html").read_text(encoding="utf-8")
    assert "12 compounds, of which" in report
    assert "results/square/screen.csv" in report
    assert "filter &#39;a &gt; 4.3 Å&#39;:" in report
    kinds = {row["status"] for row in _rows(project.folder / "results/small/status.csv")}
    assert kinds == {"ok", "filtered"}


def test_only_what_changed_is_predicted_again(project: Project) -> None:
    assert project.jobs() == {}
    table = project.folder / "new.csv"
    before = table.read_text(encoding="utf-8")
    table.write_text(before + "CaZrO3\n", encoding="utf-8")
    made = {"structures", "surface", "fingerprints", "status", "predict", "fingerprint_figures", "shown_surfaces"}
    assert set(project.jobs()) == made | {"cost", "report", "all"}
    table.write_text(before, encoding="utf-8")


def test_models_that_do_not_fit_stop_the_run_at_its_start(project: Project) -> None:
    config = project.folder / "config.yaml"
    before = config.read_text(encoding="utf-8")
    only = {"new": {"table": "new.csv", "model": "results/small/models"}}
    for change, message in (
        ({"densities": "x2c"}, "densities is thakkar in the model, here x2c"),
        ({"surfaces": {"mesh_level": 9}}, "mesh_level is 8 in the model, here 9"),
        ({"datasets": {"new": {"folder": ".", "model": "results/small/models"}}}, "learned from the prototype"),
        ({"datasets": {"new": {"table": "new.csv", "model": "nothing"}}}, "no model.json in it"),
        ({"datasets": only | {"old": {"table": "new.csv", "model": "new"}}}, "nothing is learned from dataset new"),
    ):
        project.configure(**({"datasets": only} | change))
        output = project.run("-n", fails=True)
        assert message in output
        assert "Traceback" not in output
        config.write_text(before, encoding="utf-8")
    project.configure(datasets=only)
    assert project.jobs().keys() >= {"predict"}
    assert "train" not in project.jobs()
    config.write_text(before, encoding="utf-8")


def test_trainings_that_start_from_others_wait_for_them(project: Project) -> None:
    config = project.folder / "config.yaml"
    before = config.read_text(encoding="utf-8")
    small = NEW["datasets"]["small"]

    def ask(start: str, *arguments: str, **of_small: Any) -> str:
        later = {"table": "table.csv", "learning": {"cgcnn": {"start_from": start}}}
        project.configure(datasets={"small": small | of_small, "later": later})
        return project.run("-n", *arguments, fails=start == "nowhere")

    wanted = ("--", "results/later/models")
    output = ask("results/small/models", *wanted)
    assert "Train networks on later" in output
    assert "Train networks on small" not in output
    output = ask("results/small/models", *wanted, learning={"cgcnn": {"epochs": 3}})
    assert output.index("Train networks on small") < output.index("Train networks on later")
    output = ask("nowhere")
    assert "learning: cgcnn: start_from: nowhere: no model.json in it; name the folder results/DATASET/models" in output
    assert "Traceback" not in output
    config.write_text(before, encoding="utf-8")


def test_presets_of_other_tables(shared: Path, tmp_path: Path) -> None:
    """A cut of the double perovskites and of another functional's table, by their presets, up to predictions."""
    if not (ROOT / ".venv-densities/bin/python").exists():
        pytest.skip("the environment .venv-densities (make env) is not there")
    cuts = {"double_table": ("experimental_a2bbx6", 24), "castelli_table": ("castelli_ideal_abx3", 20)}
    given = []
    for key, (name, rows) in cuts.items():
        lines = (shared / f"data/{name}.csv").read_text(encoding="utf-8").splitlines()
        cut = [lines[0], *lines[1 :: (len(lines) - 1) // rows]]
        if key == "double_table":  # a formula that occurs twice, with different edges
            formulas = [line.split(",")[0] for line in lines]
            twice = next(formula for formula in formulas if formulas.count(formula) == 2)
            cut = [line for line in cut if not line.startswith(f"{twice},")]
            cut += [line for line in lines if line.startswith(f"{twice},")]
        (tmp_path / f"{name}.csv").write_text("\n".join(cut) + "\n", encoding="utf-8")
        given.append(f"{key}={name}.csv")
    quick = {"learning": SMALL["learning"] | {"baselines": ["mean", "ridge"]}, "surfaces": {"mesh_level": 8}}
    (tmp_path / "quick.yaml").write_text(yaml.safe_dump(quick), encoding="utf-8")
    presets = [str(ROOT / f"config/{name}.yaml") for name in ("double_perovskites", "castelli")]
    command = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "Snakefile"), "--cores", "2"]
    wanted = [f"results/{name}/predictions.csv" for name in ("double_perovskites", "castelli")]
    done = subprocess.run(
        [*command, "--configfile", *presets, "quick.yaml", "--config", *given, "--", *wanted],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=3600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    predictions = pd.read_csv(tmp_path / "results/double_perovskites/predictions.csv", keep_default_na=False)
    assert set(predictions["model"]) == {"cnn_paper_small", "cnn", "cgcnn", "contacts", "mean", "ridge"}
    assert (predictions["compound"] == twice).any()
    targets = pd.read_csv(tmp_path / "results/double_perovskites/targets.csv")
    assert {"A", "B", "B2", "X"} < set(targets.columns)
    assert targets["source"].str.endswith("(mean)").sum() == 1
    card = json.loads((tmp_path / "results/double_perovskites/models/model.json").read_text(encoding="utf-8"))
    assert list(card["elements"]) == ["A", "B", "B2", "X"]
    assert len(pd.read_csv(tmp_path / "results/castelli/targets.csv")) >= 20
