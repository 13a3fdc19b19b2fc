"""Damaged files under the workflow: each is named, and the command that the message names makes all right again."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from projects import Project, make_project, same_times

CONFIG: dict[str, Any] = {
    "datasets": {"small": {"table": "table.csv"}},
    "surfaces": {"structures_per_job": 64, "mesh_level": 8},
    "learning": {"folds": 2, "networks": ["cgcnn"], "cgcnn": {"epochs": 2}},
}
COMPARED = ("*.csv", "*.h5", "surfaces/*.npz", "models/*.npz", "figures/*.csv", "beyond/*.csv", "shown_surfaces.npz")
TIMES = ("cpu_seconds", "earlier_seconds", "status")  # which hold times


def _content(path: Path) -> Any:
    """What a file says, without the times in it."""
    if path.suffix == ".npz":
        with np.load(path) as arrays:
            return {name: arrays[name].tolist() for name in arrays if name not in TIMES}
    if path.suffix == ".h5":
        with h5py.File(path) as file:
            return {name: np.asarray(file[name]).tolist() for name in file}
    return path.read_bytes()


def _results(project: Project) -> dict[str, Any]:
    folder = project.folder / "results/small"
    return {
        str(path.relative_to(folder)): _content(path)
        for pattern in COMPARED
        for path in sorted(folder.glob(pattern))
        if not path.name.startswith(".")
    }


def _command(project: Project, *arguments: str) -> tuple[int, str]:
    done = project.ask(*arguments)
    assert "Traceback" not in done.stdout + done.stderr
    return done.returncode, done.stdout + done.stderr


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])


def _flip(path: Path) -> None:
    """Spoil 80 bytes: a few alone may be such of a zip archive as tell nothing of its members."""
    content = bytearray(path.read_bytes())
    for place in range(len(content) // 2, len(content) // 2 + 80):
        content[place] ^= 0x10
    path.write_bytes(content)


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project that has been run to its end."""
    project = make_project(tmp_path_factory.mktemp("whole") / "project", rows=10, config=CONFIG)
    project.run()
    return project


# what is damaged, how, and what is removed so that a job reads it
RESULTS: dict[str, tuple[str, Callable[[Path], None], tuple[str, ...]]] = {
    "structures": ("results/small/structures.h5", _flip, ("results/small/surfaces/*.npz",)),
    "batch": ("results/small/surfaces/*.npz", _cut, ("results/small/fingerprints.h5",)),
    "fingerprints": ("results/small/fingerprints.h5", _flip, ("results/small/predictions_networks.csv",)),
    "targets": ("results/small/targets.csv", _empty, ("results/small/status.csv",)),
    "predictions": ("results/small/predictions_networks.csv", _cut, ("results/small/predictions.csv",)),
    "shown": ("results/small/shown_surfaces.npz", _flip, ("results/report.html",)),
}


@pytest.mark.parametrize("what", RESULTS)
def test_a_damaged_result_is_named_and_the_same_command_makes_it_again(
    whole: Project, tmp_path: Path, what: str
) -> None:
    place, damage, removed = RESULTS[what]
    project = whole.copy(tmp_path / "project")
    right = _results(project)
    (path,) = project.folder.glob(place)
    with same_times(path):
        damage(path)
    for pattern in removed:
        for other in project.folder.glob(pattern):
            other.unlink()
    name = path.relative_to(project.folder)
    output = project.run(fails=True)
    assert f"{name} is damaged (" in output
    assert f"it becomes {name}.damaged when this run ends, and then the same command makes {name} again" in output
    assert "not done " in output  # the summary
    assert "Traceback (most recent call last)" not in output
    assert path.with_name(f"{path.name}.damaged").exists()
    project.run()
    assert _results(project) == right
    assert project.jobs() == {}


def test_damage_that_a_file_s_time_tells_is_mended_by_the_next_run(whole: Project, tmp_path: Path) -> None:
    """Also where no job would read the file."""
    project = whole.copy(tmp_path / "project")
    right = _results(project)
    assert project.jobs() == {}
    folder = project.folder / "results/small"
    network = next((folder / "models").glob("*.keras"))
    damaged = (folder / "structures.h5", folder / "figures/parity.csv", folder / "models/domain.npz", network)
    rules = ("structures", "learning_figures", "train", "train")
    for path, damage, rule in zip(damaged, (_flip, _empty, _cut, Path.unlink), rules, strict=True):
        damage(path)
        assert rule in project.jobs()
    _folder(folder / "status.csv")
    (folder / "status.csv/of_the_user").touch()
    output = project.run()
    assert "changed since made" in output
    assert _results(project) == right
    assert (folder / "status.csv.damaged/of_the_user").exists()
    assert project.jobs() == {}


def test_damaged_caches_and_checkpoints_are_made_again_in_the_same_run(whole: Project, tmp_path: Path) -> None:
    project = whole.copy(tmp_path / "project")
    right = _results(project)
    surfaces = sorted(project.folder.glob("cache/surfaces/*/*/*.npz"))
    units = sorted(project.folder.glob("cache/training/*/*.npz"))
    for path, damage in zip((*surfaces, *units), (_empty, _cut, _flip, _folder) * 10, strict=False):
        damage(path)
    shutil.rmtree(project.folder / "results/small/models")
    for path in project.folder.glob("results/small/surfaces/*.npz"):
        path.unlink()
    project.run()
    assert _results(project) == right
    log = next(project.folder.glob("logs/small/surface/*.log")).read_text()
    assert log.count(".npz.damaged, and computed again") == len(surfaces)
    assert (project.folder / "logs/small/train.log").read_text().count("and computed again") == len(units)


def test_damaged_models_are_trained_again_from_the_cache(whole: Project, tmp_path: Path) -> None:
    project = whole.copy(tmp_path / "project")
    datasets = CONFIG["datasets"] | {"new": {"table": "new.csv", "model": "small"}}
    (project.folder / "new.csv").write_text("formula,A,B,X\nSrTiO3,Sr,Ti,O\nBaZrO3,Ba,Zr,O\n")
    project.configure(datasets=datasets)
    project.run("--", "results/new/predicted.csv")
    right = (project.folder / "results/new/predicted.csv").read_bytes()
    for name, damage in (("model.json", _flip), ("domain.npz", _cut), ("cgcnn-random-fold1-seed0.keras", _flip)):
        (project.folder / "results/new/predicted.csv").unlink()
        with same_times(project.folder / "results/small/models" / name):
            damage(project.folder / "results/small/models" / name)
        code, said = _command(project, "predict", "SrTiO3", "--model", "results/small/models")
        assert code == 1
        assert f"results/small/models/{name} is damaged (" in said
        assert said.count("\n") == 1
        output = project.run("--", "results/new/predicted.csv", fails=True)
        assert f"results/small/models/{name} is damaged (" in output
        assert (project.folder / "results/small/models.damaged").is_dir()
        project.run("--", "results/new/predicted.csv")
        assert (project.folder / "results/new/predicted.csv").read_bytes() == right


def test_commands_name_what_is_damaged(whole: Project, tmp_path: Path) -> None:
    project = whole.copy(tmp_path / "project")
    folder = project.folder / "results/small"
    (batch,) = folder.glob("surfaces/*.npz")
    name = batch.relative_to(project.folder)
    kept = batch.read_bytes()
    for damage in (_empty, _cut, _folder):
        damage(batch)
        code, said = _command(project, "status", "--configfile", "config.yaml")
        assert (code, said.count("\n")) == (1, 1)
        assert f"{name} is damaged (" in said
        assert "same snakemake command then makes it again" in said
        code, said = _command(project, "recover", "--failed")
        assert code == 0
        assert f"now {name}.damaged, and will be made again" in said
        assert not batch.exists()
        batch.write_bytes(kept)
    kept = (folder / "fingerprints.h5").read_bytes()
    _flip(folder / "fingerprints.h5")
    code, said = _command(project, "compare", "results/small/fingerprints.h5:x", "SrTiO3")
    assert code == 1
    assert "is damaged (it is cut short, or its content was changed); make it again" in said
    (folder / "fingerprints.h5").write_bytes(kept)
    for table in ("targets.csv", "rejected.csv"):
        kept = (folder / table).read_bytes()
        _empty(folder / table)
        code, said = _command(project, "status", "--configfile", "config.yaml")
        assert code == 1
        assert f"{table} is damaged (it is empty)" in said
        (folder / table).write_bytes(kept)
    head = project.folder / ".snakemake/hirshprint-head.json"
    head.write_text('{"host": "x"')
    code, said = _command(project, "recover")
    assert code == 1
    assert "hirshprint-head.json, which says whether a run is under way here, is damaged" in said
