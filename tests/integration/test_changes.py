"""What is computed again after a change, and only that (dry runs on a finished project)."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import pytest
from projects import ROOT, SMALL, Project, same_times

from hirshprint.report.items import (
    BEYOND_ITEMS,
    CONTACT_SALIENCY,
    COST,
    FINGERPRINT_ITEMS,
    LEARNING_ITEMS,
    PAPER_ITEMS,
    SALIENCY,
)

LEARNING = {
    "train": 1,
    "baselines": 1,
    "evaluate": 1,
    "learning_figures": 1,
    "shown_surfaces": 1,
    "report": 1,
    "beyond": 1,
    "saliency": 1,
    "contact_saliency": 1,
    "cost": 1,
    "paper_items": 1,
    "all": 1,
}
SHOWN = {"fingerprint_figures": 1}
DRAWN = {"beyond": 1, "compound_figures": 1, "paper_items": 1, "saliency": 1, "contact_saliency": 1, "cost": 1}
"""With what all figures share."""
Lines = list[str]


def _edge(lines: Lines, row: int, edge: str) -> Lines:
    cells = lines[row].split(",")
    return [*lines[:row], ",".join([*cells[:4], edge]), *lines[row + 1 :]]


def test_nothing_changed(finished: Project) -> None:
    assert finished.jobs() == {}
    assert "Nothing to be done" in finished.run()


def test_touched_table(finished: Project, tmp_path: Path) -> None:
    project = finished.copy(tmp_path / "copy")
    project.edit_table(lambda lines: lines)
    assert project.jobs() == {}


CHANGES: dict[str, Callable[[Lines], Lines]] = {
    "another element": lambda lines: [*lines[:3], "EsTiO3,Es,Ti,O,4.1", *lines[4:]],
    "a row added": lambda lines: [*lines, "SrNpO3,Sr,Np,O,4.2"],
    "a row added in front": lambda lines: [lines[0], "CfScO3,Cf,Sc,O,4.2", *lines[1:]],
    "an initial edge": lambda lines: [
        f"{lines[0]},initial_edge_angstrom",
        f"{lines[1]},4.25",
        *(f"{line}," for line in lines[2:]),
    ],
}


@pytest.mark.parametrize("change", CHANGES)
def test_new_geometry_is_one_surface_job(finished: Project, tmp_path: Path, change: str) -> None:
    project = finished.copy(tmp_path / "copy")
    project.edit_table(CHANGES[change])
    assert project.jobs() == {"structures": 1, "surface": 1, "fingerprints": 1, "status": 1} | SHOWN | LEARNING


def test_measured_edge_recomputes_no_surface_and_no_fingerprint(finished: Project, tmp_path: Path) -> None:
    project = finished.copy(tmp_path / "copy")
    project.edit_table(lambda lines: _edge(lines, 2, "4.3"))
    assert project.jobs() == {"structures": 1, "status": 1} | SHOWN | LEARNING


def test_removed_row_recomputes_no_surface(finished: Project, tmp_path: Path) -> None:
    project = finished.copy(tmp_path / "copy")
    project.edit_table(lambda lines: lines[:-1])
    assert project.jobs() == {"structures": 1, "fingerprints": 1, "status": 1} | SHOWN | LEARNING


def test_bins_recompute_no_surface(finished: Project, tmp_path: Path) -> None:
    """The batches are made anew, of the surfaces that are there."""
    project = finished.copy(tmp_path / "copy")
    project.configure(fingerprint={"bins": {"count": 40}})
    batches = {"surface": 12, "status": 1, "fingerprints": 1}
    assert project.jobs() == batches | {"compound": 1, "compound_figures": 1} | SHOWN | LEARNING
    project.run("--until", "fingerprints")
    logs = [path.read_text() for path in project.folder.glob("logs/small/surface/*.log")]
    assert len(logs) == 12
    assert all("1 reused, 0 failed" in log and " ms" not in log for log in logs)
    with h5py.File(project.folder / "results/small/fingerprints.h5") as file:
        assert file["counts"].shape[-1] == 40


def test_epochs_recompute_no_fingerprint(finished: Project, tmp_path: Path) -> None:
    project = finished.copy(tmp_path / "copy")
    learning: dict[str, Any] = SMALL["learning"] | {"cnn_paper_small": {"epochs": 3}}
    project.configure(learning=learning)
    assert project.jobs() == LEARNING


def test_gpu_settings_train_nothing_again(finished: Project, tmp_path: Path) -> None:
    project = finished.copy(tmp_path / "copy")
    project.configure(learning=SMALL["learning"] | {"gpus": 0})
    assert project.jobs() == {"report": 1, "all": 1}  # it shows the configuration


def test_mesh_recomputes_every_surface(finished: Project, tmp_path: Path) -> None:
    project = finished.copy(tmp_path / "copy")
    project.configure(surfaces=SMALL["surfaces"] | {"mesh_level": 6})
    assert project.jobs()["surface"] == 12


def test_one_edited_row_computes_one_structure_of_its_batch(finished: Project, tmp_path: Path) -> None:
    project = finished.copy(tmp_path / "copy")
    project.configure(surfaces=SMALL["surfaces"] | {"structures_per_job": 64})
    project.edit_table(lambda lines: [*lines, "SrNpO3,Sr,Np,O,4.2"])
    project.run("--until", "surface")
    log = (project.folder / "logs/small/surface/batch0of1.log").read_text()
    assert "13 structures" in log
    assert "12 reused, 0 failed" in log


def test_failed_rerun_leaves_nothing_stale(finished: Project, tmp_path: Path) -> None:
    project = finished.copy(tmp_path / "copy")
    project.edit_table(CHANGES["an initial edge"])
    densities = project.folder / "results/densities/thakkar.h5"
    with same_times(densities):
        densities.write_bytes(b"broken")
    project.run(fails=True)
    jobs = project.jobs()
    assert jobs["surface"] == 1
    assert {"fingerprints", "train", "report"} <= set(jobs)
    project.run("--until", "fingerprints")
    assert {"train", "baselines", "evaluate", "learning_figures", "report"} <= set(project.jobs())


def test_failure_after_the_fingerprints_leaves_nothing_stale(finished: Project, tmp_path: Path) -> None:
    project = finished.copy(tmp_path / "copy")
    project.configure(fingerprint={"bins": {"count": 40}})
    structures = project.folder / "results/small/structures.h5"
    with same_times(structures):
        structures.write_bytes(b"broken")
    project.run(fails=True)
    assert {"fingerprints", "train", "baselines", "evaluate", "learning_figures", "report"} <= set(project.jobs())


def test_compounds_to_be_shown_recompute_the_report_alone(finished: Project, tmp_path: Path) -> None:
    project = finished.copy(tmp_path / "copy")
    project.configure(report={"compounds": ["BaAmO3"]})
    assert project.jobs() == {"shown_surfaces": 1, "cost": 1, "report": 1, "all": 1}


def test_a_caption_or_a_plot_recomputes_the_report_alone(finished: Project, tmp_path: Path) -> None:
    workflow = tmp_path / "workflow"
    for name in ("workflow", "src", "config", "envs"):
        shutil.copytree(ROOT / name, workflow / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Snakefile", workflow)
    (workflow / ".venv-densities").symlink_to(ROOT / ".venv-densities")
    project = Project(finished.copy(tmp_path / "copy").folder, workflow / "Snakefile")
    project.run()  # the workflow lies elsewhere now
    assert project.jobs() == {}
    caption = workflow / "workflow/report/parity.rst"
    caption.write_text(caption.read_text(encoding="utf-8") + "\nMore words.\n", encoding="utf-8")
    assert project.jobs() == {"report": 1, "all": 1}
    project.run()
    assert "More words." in (project.folder / "results/report.html").read_text(encoding="utf-8")
    figures = workflow / "src/hirshprint/report/style.py"
    figures.write_text(figures.read_text(encoding="utf-8").replace("#1b5e8c", "#1b5e8d"), encoding="utf-8")
    assert project.jobs() == {"fingerprint_figures": 1, "learning_figures": 1} | DRAWN | {
        "report": 1,
        "all": 1,
    }


def test_snakemakes_own_report_has_the_figures(finished: Project) -> None:
    finished.run("--report", "own.html")
    text = (finished.folder / "own.html").read_text(encoding="utf-8")
    for name in (
        "parity.svg",
        "residuals.svg",
        "worst_predictions.svg",
        "fingerprint_examples.svg",
        "metrics.csv",
        "status.csv",
    ):
        assert name in text
    for item in (*LEARNING_ITEMS, *FINGERPRINT_ITEMS, *BEYOND_ITEMS, *PAPER_ITEMS, SALIENCY, CONTACT_SALIENCY, COST):
        assert item.title in text


def test_a_model_that_is_deleted_is_trained_again(finished: Project, tmp_path: Path) -> None:
    project = finished.copy(tmp_path / "copy")
    next(project.folder.glob("results/small/models/*.keras")).unlink()
    assert project.jobs()["train"] == 1


def test_a_setting_counts_whatever_triggers_a_profile_asks_for(finished: Project, tmp_path: Path) -> None:
    project = finished.copy(tmp_path / "copy")
    assert "Nothing to be done" in project.run("-n", "--rerun-triggers", "mtime")
    project.configure(fingerprint={"weighting": "paper"})
    assert "fingerprints" in project.run("-n", "-q", "rules", "--rerun-triggers", "mtime")
