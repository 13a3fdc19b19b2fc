"""What `docs/extending.md` says is true: additions touch the files that it names, and then take part in everything."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import additions
import h5py
import pandas as pd
import pytest
from projects import ROOT, Project, environment, make_project

DOCUMENT = ROOT / "docs/extending.md"
ADDITIONS: dict[str, Callable[[Path], None]] = {
    "A network": additions.add_network,
    "An engine": additions.add_engine,
    "A figure or a table of the report": additions.add_figure,
    "A channel of the fingerprint": additions.add_channel,
}
NEW = {"NAME": {"toy", "error_curve"}, "ID": {"error_curve"}}


def _contents(root: Path) -> dict[str, bytes]:
    files = [path for name in ("workflow", "src", "config", "envs") for path in (root / name).rglob("*")]
    return {str(path.relative_to(root)): path.read_bytes() for path in files if path.is_file()}


def _named_files(title: str) -> set[str]:
    """Files that the document names in a section, below the list of what `make config` writes anew."""
    text = DOCUMENT.read_text(encoding="utf-8")
    (section,) = re.findall(rf"^## {title}\n(.*?)(?=^## )", text, re.DOTALL | re.MULTILINE)
    return set(re.findall(r"^\d+\. `([^`]+)`", section, re.MULTILINE))


def _placeholders(path: str) -> str:
    """Name a new file as the document does."""
    for word, names in NEW.items():
        for name in names:
            if path.endswith((f"/{name}.py", f"/{name}.rst")) and path.endswith(".rst") == (word == "ID"):
                return path.replace(name, word)
    return path


@pytest.mark.parametrize("title", ADDITIONS)
def test_an_addition_touches_the_files_that_are_named_and_no_other(title: str, tmp_path: Path) -> None:
    root = additions.copy_of_the_repository(tmp_path / "copy")
    before = _contents(root)
    ADDITIONS[title](root)
    touched = {_placeholders(path) for path, content in _contents(root).items() if before.get(path) != content}
    assert touched == _named_files(title)


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository with all four additions."""
    root = additions.copy_of_the_repository(tmp_path_factory.mktemp("extended") / "copy")
    for add in ADDITIONS.values():
        add(root)
    return root


def test_a_network_and_a_figure_take_part_in_everything(extended: Path, tmp_path: Path) -> None:
    learning = {"folds": 2, "networks": ["toy"], "baselines": ["mean", "ridge"], "gpus": 0}
    config = {"datasets": {"small": {"table": "table.csv"}}, "surfaces": {"mesh_level": 8}, "learning": learning}
    project = Project(make_project(tmp_path / "project", 16, config).folder, extended / "Snakefile")
    project.run()
    results = project.folder / "results/small"
    metrics = pd.read_csv(results / "metrics.csv")
    assert set(metrics["model"]) == {"toy", "mean", "ridge"}
    page = (project.folder / "results/report.html").read_text(encoding="utf-8")
    assert "sees fingerprint" in page.replace("\n", " ")
    assert "Sizes of the test errors, sorted." in page
    compared = pd.read_csv(results / "beyond/inputs.csv").set_index("model")
    assert compared.loc["toy", "inputs"] == "fingerprint"
    assert (results / "figures/error_curve.svg").stat().st_size > 1000
    assert "toy" in (project.folder / "results/summary.txt").read_text(encoding="utf-8")
    command = ["-m", "hirshprint.cli", "predict", "SrHfO3", "--model", str(results / "models"), "--out", "one.csv"]
    done = subprocess.run(
        [sys.executable, *command],
        cwd=project.folder,
        env=environment(PYTHONPATH=str(extended / "src")),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert pd.read_csv(project.folder / "one.csv")["a_predicted_angstrom"].between(3, 6).all()


def test_an_engine_and_a_channel_make_fingerprints(extended: Path, tmp_path: Path) -> None:
    config = {
        "datasets": {"small": {"table": "table.csv"}},
        "surfaces": {"engine": "toy"},
        "fingerprint": {"channels": ["total", "heavy"]},
    }
    project = Project(make_project(tmp_path / "project", 3, config).folder, extended / "Snakefile")
    assert "Surface engine: Toy" in project.run("--until", "fingerprints")
    with h5py.File(project.folder / "results/small/fingerprints.h5") as file:
        assert list(file["channels"].asstr()) == ["total", "heavy"]
        counts = file["counts"][:]
        assert (counts[:, 1] <= counts[:, 0] * 1.0001).all()
        assert counts[:, 1].sum() > 0
    assert (project.folder / "cache/surfaces/toy1-2").is_dir()
