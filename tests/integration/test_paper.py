"""The preset for the paper: what it asks for, and what a small real run makes of it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest
from projects import ROOT, SMALL, TABLE, Project, environment, make_project

FIGURES = (
    "figure2",
    "figure3",
    "figure4",
    "figure5",
    "si_initial_edge",
    "si_estimated_edge",
    "si_groups",
    "si_examples",
)


def test_every_item_of_the_paper_is_made(finished: Project) -> None:
    assert "Nothing to be done" in finished.run("--", "paper")
    folder = finished.folder / "results/paper"
    for name in FIGURES:
        assert ElementTree.parse(folder / f"{name}.svg").getroot().tag.endswith("svg")
    for name in (*FIGURES, "table1", "si_networks", "numbers"):
        assert len(pd.read_csv(folder / f"{name}.csv")) > 0, name
    for name in ("figure1", "edge_patterns", "whole_cell"):
        assert (finished.folder / f"results/compounds/PuCuO3-a3.52582/{name}.svg").stat().st_size > 10_000


def test_numbers_are_those_of_the_run_and_the_command_prints_them(finished: Project) -> None:
    folder = finished.folder / "results"
    numbers = pd.read_csv(folder / "paper/numbers.csv")
    metrics = pd.read_csv(folder / "small/metrics.csv", dtype={"seed": str})
    here = metrics[(metrics["model"] == "cnn_paper_small") & (metrics["part"] == "test")].iloc[0]
    cnn = numbers[numbers["what"].str.startswith("fingerprint + CNN, OQMD") & numbers["where"].eq("Table 1")]
    assert cnn.set_index("quantity")["here"][["r²", "MAE", "MSE"]].tolist() == pytest.approx(
        here[["r2", "mae", "mse"]].tolist(), rel=1e-4
    )
    first = numbers[numbers["where"] == "Fig. 1"].set_index("quantity")
    assert (first["here"] - first["paper"]).abs().max() < 0.0012
    assert first.index.tolist() == ["least d_i", "greatest d_i", "least d_e", "greatest d_e"]
    command = [sys.executable, "-m", "hirshprint.report.paper", "results/paper/numbers.csv"]
    env = environment(PYTHONPATH=str(ROOT / "src"))
    done = subprocess.run(command, cwd=finished.folder, env=env, capture_output=True, text=True, check=True)
    assert done.stdout == (folder / "paper/numbers.md").read_text(encoding="utf-8")
    assert done.stderr == ""


def test_items_beyond_the_paper_and_the_cost(finished: Project) -> None:
    for name in ("error_by_element", "calibration", "distance", "inputs"):
        assert (finished.folder / f"results/small/beyond/{name}.svg").stat().st_size > 1000
    distance = pd.read_csv(finished.folder / "results/small/beyond/distance.csv")
    assert distance["distance"].between(0, 1).all()
    assert (distance.groupby("model").size() == 12).all()  # every compound is tested once
    cost = pd.read_csv(finished.folder / "results/cost.csv").set_index(["dataset", "stage"])
    assert (cost["wall_seconds"] > 0).all()
    assert cost.loc[("small", "train"), "gpu_seconds"] == 0
    assert {"surface", "fingerprints", "train", "baselines"} <= set(cost.loc["small"].index)


def test_regions_that_matter_add_up_to_the_prediction(finished: Project) -> None:
    folder = finished.folder / "results/small"
    table = pd.read_csv(folder / "beyond/saliency.csv")
    predictions = pd.read_csv(folder / "predictions.csv")
    tested = predictions[(predictions["model"] == "cnn_paper_small") & (predictions["part"] == "test")]
    tested = tested.set_index("structure_id")
    names = table["structure_id"].unique()
    assert len(names) == 3  # low, middle and high
    assert tested.loc[names, "true"].is_monotonic_increasing
    assert (table["counts"] > 0).all()
    assert (table["contribution"] != 0).any()
    picture = (folder / "beyond/saliency.svg").read_text(encoding="utf-8")
    assert ElementTree.fromstring(picture).tag.endswith("svg")
    assert picture.count("<image") >= 9 + 6  # distinct sites of each compound, beside its two histograms
    assert "surfaces are left out" not in (finished.folder / "logs/small/saliency.log").read_text(encoding="utf-8")


def test_contacts_that_matter_add_up_to_the_prediction(finished: Project) -> None:
    folder = finished.folder / "results/small"
    table = pd.read_csv(folder / "beyond/contact_saliency.csv")
    assert (
        table["structure_id"].unique().tolist()
        == pd.read_csv(folder / "beyond/saliency.csv")["structure_id"].unique().tolist()
    )
    predictions = pd.read_csv(folder / "predictions.csv")
    tested = predictions[(predictions["model"] == "contacts") & (predictions["part"] == "test")]
    tested = tested.set_index("structure_id")["predicted"]
    for name, rows in table.groupby("structure_id"):
        first = rows.iloc[0]
        assert first["predicted"] == pytest.approx(tested[name], rel=1e-6)
        whole = first["predicted"] - first["without_contacts"] - first["missed"]
        assert rows["contribution"].sum() == pytest.approx(whole, rel=2e-3, abs=1e-4)
        assert rows.groupby("site")["share"].sum().tolist() == pytest.approx([1.0] * 3, rel=1e-4)
        assert set(rows["site"]) == {"A", "B", "X"}
    picture = (folder / "beyond/contact_saliency.svg").read_text(encoding="utf-8")
    assert ElementTree.fromstring(picture).tag.endswith("svg")
    assert picture.count("<image") >= 9  # distinct sites of each compound
    log = (finished.folder / "logs/small/contact_saliency.log").read_text(encoding="utf-8")
    assert "surfaces are left out" not in log
    page = (finished.folder / "results/report.html").read_text(encoding="utf-8")
    assert "<h4>Contacts that matter</h4>" in page


def test_compounds_to_be_explained_recompute_no_training(finished: Project, tmp_path: Path) -> None:
    project = finished.copy(tmp_path / "copy")
    project.configure(learning=SMALL["learning"] | {"saliency": ["BaAmO3"]})
    assert project.jobs() == {"saliency": 1, "contact_saliency": 1, "cost": 1, "report": 1, "all": 1}


def test_a_learning_curve_is_drawn_where_shares_are_configured(finished: Project, tmp_path: Path) -> None:
    assert not (finished.folder / "results/small/beyond/learning_curve.csv").exists()
    project = finished.copy(tmp_path / "copy")
    learning = {"learning_curve": [0.5], "networks": ["cnn_paper_small"], "baselines": ["ridge"]}
    project.configure(learning=SMALL["learning"] | learning, paper={})
    folder = project.folder / "results/small/beyond"
    project.run("--", "results/small/beyond/learning_curve.svg")
    table = pd.read_csv(folder / "learning_curve.csv").set_index(["model", "share"])
    assert table.index.tolist() == [("cnn_paper_small", 0.5), ("cnn_paper_small", 1.0), ("ridge", 0.5), ("ridge", 1.0)]
    assert (table["folds"] == 2).all()
    sizes = table["training_compounds"].unstack()
    assert (sizes[0.5] < sizes[1.0]).all()
    assert (folder / "learning_curve.svg").stat().st_size > 5_000
    assert project.jobs()["report"] == 1


def test_the_page_has_the_items_with_their_captions(finished: Project) -> None:
    page = (finished.folder / "results/report.html").read_text(encoding="utf-8")
    assert page.index('id="d1-figures-beyond-the-paper"') < page.index('id="run-figures-the-paper"')
    assert "<h4>Figure 3 of the paper: residuals</h4>" in page
    assert "<h4>Figure 1 of the paper: structure and surfaces: PuCuO3-a3.52582</h4>" in page
    assert "<h4>Calibration of the stated uncertainty</h4>" in page
    assert "Kuzmanovski&#39;s table is not available" in page
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_a_dataset_can_learn_otherwise(finished: Project, tmp_path: Path) -> None:
    card = (finished.folder / "results/small/models/cgcnn-random-fold0-seed0.json").read_text()
    assert re.search(r'"epochs": 3\b', card)  # its own, where the others would have 2
    project = finished.copy(tmp_path / "copy")
    project.configure(datasets={"small": {"table": "table.csv", "learning": {"cgcnn": {"epochs": 4}}}})
    jobs = project.jobs()
    assert jobs["train"] == 1
    assert "structures" not in jobs
    assert "surface" not in jobs


def preset(folder: Path, *arguments: str) -> str:
    """What a dry run of the shipped preset says, which is to fail."""
    command = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "Snakefile"), "-n", "-q", "rules", "--cores", "1"]
    command += ["--configfile", str(ROOT / "config/paper.yaml"), *arguments, "--", "paper"]
    done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode != 0
    return done.stdout + done.stderr


def test_without_the_table_the_preset_says_how_to_get_it(tmp_path: Path) -> None:
    for name, arguments in (("data/oqmd_cubic_abo3.csv.gz", ()), ("none.csv", ("--config", "oqmd_table=none.csv"))):
        output = preset(tmp_path, *arguments)
        assert f"{name}: there is no such table" in output
        assert "the Open Quantum Materials Database (oqmd.org" in output
        assert "snakemake fetch_oqmd" in output
        assert "save formula, A, B, X" in output


def test_other_configurations_have_no_such_target(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", rows=8)
    output = project.run("-n", "--", "paper", fails=True)
    assert "take config/paper.yaml" in output


def test_the_experimental_table_can_be_given(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/experimental_perovskites.csv").write_bytes(TABLE.read_bytes())
    lines = TABLE.read_text(encoding="utf-8").splitlines()[:12]
    (tmp_path / "mine.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    command = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "Snakefile"), "-n", "--cores", "1", "--configfile"]
    command += [str(ROOT / "config/paper.yaml"), "--config", "oqmd_table=mine.csv", "experimental_table=mine.csv"]
    command += ["--", "paper"]
    done = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Surfaces and fingerprints of experimental, batch batch0of1: 11 structure(s)" in done.stdout + done.stderr
    assert "Surfaces and fingerprints of embedded, batch batch0of1: 132 structure(s)" in done.stdout + done.stderr
