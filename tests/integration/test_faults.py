"""Killed runs and broken input: nothing good is lost, nothing half-written stays, nothing is dropped silently."""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from projects import ROOT, SMALL, Project, caesium_chloride, environment, kill_where, make_project, start_and_hold

ONE_BATCH: dict[str, Any] = {
    "datasets": {"small": {"table": "table.csv"}},
    "surfaces": {"structures_per_job": 64, "mesh_level": 8},
    "learning": {
        "folds": 2,
        "cnn_paper_small": {"epochs": 10},
        "cnn": {"epochs": 2},
        "cgcnn": {"epochs": 4},
        "contacts": {"epochs": 2},
    },
}

QUICK: dict[str, Any] = {  # all stages, one surface job, one network
    "surfaces": {"structures_per_job": 64, "mesh_level": 8},
    "learning": {"folds": 2, "networks": ["cgcnn"], "cgcnn": {"epochs": 1}},
}


def _predictions(project: Project) -> np.ndarray:
    with (project.folder / "results/small/predictions.csv").open(newline="") as file:
        rows = sorted(
            csv.DictReader(file),
            key=lambda r: [r[k] for k in ("model", "fold", "part", "structure_id", "compound")],
        )
    return np.array([float(row["predicted"]) for row in rows])


def test_kill_in_surfaces_and_in_training(tmp_path: Path) -> None:
    undisturbed = make_project(tmp_path / "undisturbed", rows=24, config=ONE_BATCH)
    undisturbed.run("--until", "evaluate")
    project = make_project(tmp_path / "killed", rows=24, config=ONE_BATCH)
    cache = project.folder / "cache/surfaces"
    kill_where(project, "*cache/surfaces/*~part*.npz 4")
    assert not list(project.folder.glob("results/small/surfaces/*.npz"))
    output = project.run(fails=True)
    assert "give `hirshprint recover` first" in output
    assert "Lock" not in output
    first = project.ask("recover")
    assert "cleared the stale lock" in first.stderr
    assert "left behind" in first.stderr
    assert len(list(cache.rglob("*.npz"))) == 3

    (project.folder / "held").unlink()
    kill_where(project, "*cache/training/*/cnn_paper*.npz 2")
    log = next(project.folder.glob("logs/small/surface/*.log")).read_text()
    assert "3 reused, 0 failed" in log
    assert "left behind" in project.ask("recover").stderr
    project.run("--until", "evaluate")
    assert np.abs(_predictions(project) - _predictions(undisturbed)).max() < 1e-6
    with (
        h5py.File(project.folder / "results/small/fingerprints.h5") as one,
        h5py.File(undisturbed.folder / "results/small/fingerprints.h5") as other,
    ):
        assert np.array_equal(one["counts"][:], other["counts"][:])
    assert not list(project.folder.rglob("*.part"))
    assert project.ask("recover").stderr == ""


def test_recover_leaves_a_living_run_alone(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", rows=24, config=ONE_BATCH)
    head = start_and_hold(project, "*cache/surfaces/*.npz 1", "--until", "surface")
    done = project.ask("recover")
    assert done.returncode == 1
    assert "a run is under way" in done.stderr
    (project.folder / "held").unlink()
    assert head.wait() == 0


BAD_ROWS = {
    "SrTiO3,Sr,Ti,O,nan": "not finite",
    "CaTiO3,Ca,Ti,O,0.1": "0.05 Å apart",
    "SrXxO3,Sr,Xx,O,3.9": "unknown element 'Xx'",
    "BaZrO3,Ba,Zr": "3 cells where the header has 5",
    "KTaO3,K,Ta,O,3.98": "rows 7, 8 give the same compound different values",
    "KTaO3,K,Ta,O,3.99": "rows 7, 8 give the same compound different values",
}


def test_bad_rows_are_listed_everywhere_and_the_others_run(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", rows=12)
    project.edit_table(lambda lines: [lines[0], lines[1], *BAD_ROWS, *lines[2:]])
    project.configure(**QUICK)
    output = project.run()
    with (project.folder / "results/small/status.csv").open(newline="", encoding="utf-8") as file:
        status = list(csv.DictReader(file))
    report = (project.folder / "results/report.html").read_text(encoding="utf-8")
    assert sum(row["status"] == "ok" for row in status) == 12
    rejected = [row for row in status if row["status"] == "rejected"]
    assert len(rejected) == len(BAD_ROWS)
    for number, reason in enumerate(BAD_ROWS.values(), 3):
        (row,) = [r for r in rejected if r["source"] == f"table.csv row {number}"]
        assert reason in row["reason"]
        assert row["remedy"]
        assert f"table.csv row {number}: {row['reason']}" in output
        assert row["reason"].replace("'", "&#39;") in report
    assert "6 rejected" in output


@pytest.mark.parametrize(
    ("config", "edit", "parts"),
    [
        (
            "datasets:\n  small: {table: table.csv}\n  2021: {table: table.csv}\nstrict: no\nstrict: off\n"
            "learning: {cnn_paper: {learning_rate: 1e-3}}\n",
            lambda lines: lines,
            [
                "config.yaml lines 4 and 5: `strict` is written twice",
                "reads the key 2021",
                "write 0.001 without quotes",
            ],
        ),
        (
            "datasets:\n  small: {table: table.csv}\n  other: {table: other.csv}\n  none: {table: none.csv}\n"
            "learning: {folds: 20, saliency: [Srtio3]}\nreport: {compounds: [SrTiO3]}\n",
            lambda lines: [*lines, "SrXxO3,Sr,Xx,O,3.9", "KTaO3,K,Ta,O,3_99"],
            [
                "table.csv row 14: column B: unknown element 'Xx'; write an element symbol",
                "table.csv row 15: '3_99' in column a_angstrom is not a number",
                "`learning.folds`: dataset 'small' has 12 groups of compounds, too few for 20 folds",
                "`learning.saliency`: dataset small has no compound Srtio3",
                "`datasets.other`: other.csv row 2: a quote",
                "`datasets.none`: none.csv: there is no such table",
            ],
        ),
        (
            "datasets: {small: {table: table.csv, filters: [{name: f, column: zzz, above: 1}]}}\n",
            lambda lines: lines,
            ["`datasets.small`: table.csv: no column zzz (`filters`)"],
        ),
    ],
)
def test_all_mistakes_are_said_before_any_job(
    tmp_path: Path, config: str, edit: Callable[[list[str]], list[str]], parts: list[str]
) -> None:
    project = make_project(tmp_path / "project", rows=12)
    project.edit_table(edit)
    (project.folder / "other.csv").write_text('formula,a_angstrom\n"SrTiO3,3.9\nBaTiO3,4.0\n')
    (project.folder / "config.yaml").write_text(config)
    output = project.run("-n", fails=True)
    for part in parts:
        assert part in output
    assert not (project.folder / "results").exists()


def test_one_stage_needs_no_more_than_it_takes(tmp_path: Path) -> None:
    """Two compounds are enough for surfaces, and for no fold; a dataset goes on beside one that is broken."""
    project = make_project(tmp_path / "project", rows=2)
    project.run("-n", "--until", "surface")
    project.configure(datasets={"small": {"table": "table.csv"}, "broken": {"table": "config.yaml"}})
    assert "fingerprints" in project.run("-n", "results/small/fingerprints.h5")
    output = project.run("-n", "results/small/predictions.csv", fails=True)
    assert "`learning.folds`: dataset 'small' has 2 groups of compounds" in output


def test_files_that_were_read_are_few_before_any_job(tmp_path: Path) -> None:
    """Of five files one cannot be read, which is known only once they were: also when more is asked of them later."""
    project = make_project(tmp_path / "project", rows=1)
    (project.folder / "mine").mkdir()
    for name, metal, edge in zip("abcde", ("Mg", "Ca", "Sr", "Cd", "Ba"), (2.1, 2.4, 2.6, 2.3, 0), strict=True):
        text = f"x\n{edge}\n0 1 1\n1 0 1\n1 1 0\n{metal} O\n1 1\nDirect\n0 0 0\n.5 .5 .5\n"
        (project.folder / f"mine/{name}.vasp").write_text(text)
    (project.folder / "targets.csv").write_text("structure_id,gap\na,1\nb,2\nc,3\nd,4\ne,5\n")
    mine = {"folder": "mine", "targets": "targets.csv", "property": "gap", "unit": "eV"}
    project.configure(datasets={"mine": mine}, learning={"folds": 5})
    fault = "`learning.folds`: dataset 'mine' has 4 groups of compounds, too few for 5 folds"
    output = project.run(fails=True)
    assert f"The configuration asks for what the structures do not have:\n  - {fault}" in output
    assert "Traceback (most recent call last)" not in output
    project.run("--until", "structures")
    output = project.run("-n", fails=True)
    assert fault in output
    assert fault in project.run("-n", "--until", "train", fails=True)


def test_strict_stops_with_the_list(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", rows=12)
    project.edit_table(lambda lines: [*lines, "SrXxO3,Sr,Xx,O,3.9"])
    project.configure(strict=True)
    output = project.run(fails=True)
    assert "unknown element 'Xx'" in output
    assert "strict: true" in output


def test_a_file_with_a_remark_is_used_and_told_everywhere(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", rows=1)
    folder, reason = project.folder / "cifs", "no symmetry is given: P 1 is assumed"
    folder.mkdir()
    (folder / "plain.cif").write_text(caesium_chloride(4.12))
    (folder / "bare.cif").write_text(caesium_chloride(4.2, symmetry=""))
    project.configure(datasets={"mine": {"folder": "cifs"}}, strict=True, surfaces=QUICK["surfaces"])
    output = project.run()
    assert output.count(f"remark: {reason} (cifs/bare.cif)\n") == 1
    assert "cifs: 2 structures (1 with remarks), 0 rejected" in output
    assert "mine: 2 structures, of which 1 with remarks" in output
    assert f"  remarked: {reason} (bare)" in output
    assert "mine: 1 ok, 1 remarked, 0 failed, 0 rejected" in output
    results = project.folder / "results/mine"
    with (results / "status.csv").open(newline="", encoding="utf-8") as file:
        told = {row["structure_id"]: (row["status"], row["reason"]) for row in csv.DictReader(file)}
    assert told == {"plain": ("ok", ""), "bare": ("remarked", reason)}
    with h5py.File(results / "structures.h5") as file:
        assert [text.decode() for text in file["remarks"][:]] == [reason]
    report = (project.folder / "results/report.html").read_text(encoding="utf-8")
    assert "1 structures ok" in report
    assert reason in report.split("Structures with remarks</h3>")[1]
    assert project.jobs() == {}
    command = [sys.executable, "-m", "hirshprint.cli", "status", "--configfile", "config.yaml"]
    variables = environment(PYTHONPATH=str(ROOT / "src"))
    done = subprocess.run(command, cwd=project.folder, env=variables, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[:-1] == ["mine: 1 remarked, 1 done", f"  remarked  {reason} (bare)"]


def test_folder_of_files(tmp_path: Path, shared: Path) -> None:
    """A folder of real crystals, some of them broken, with and without a property to learn."""
    project = make_project(tmp_path / "project", rows=1)
    cifs = project.folder / "cifs"
    cifs.mkdir()
    for path in (shared / "tonto/golden").glob("*.cif"):
        shutil.copy(path, cifs)
    good = sorted(path.stem for path in cifs.iterdir())
    (cifs / "empty.cif").write_text("")
    text = (cifs / "NaCl.cif").read_text()
    (cifs / "unknown.cif").write_text(text.replace("Na", "Qq"))
    targets = [f"{name},{len(name)}.5" for name in [*good, "empty", "unknown"]]
    (project.folder / "targets.csv").write_text("\n".join(["structure_id,gap", *targets]) + "\n")
    mine = {"folder": "cifs", "targets": "targets.csv", "property": "gap", "unit": "eV"}
    project.configure(datasets={"mine": mine, "bare": {"folder": "cifs"}}, **QUICK)
    output = project.run()
    assert "cifs/empty.cif: the file is empty" in output
    for name in ("mine", "bare"):
        with h5py.File(project.folder / f"results/{name}/fingerprints.h5") as file:
            assert sorted(text.decode() for text in file["ids"][:]) == good
            assert [text.decode() for text in file["channels"][:]] == ["total", "anion", "cation"]
    assert "unknown element" in (project.folder / "results/report.html").read_text(encoding="utf-8")
    assert (project.folder / "results/mine/predictions.csv").exists()


def test_surface_job_imports_nothing_heavy(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", rows=2)
    project.run("--until", "structures", "densities")
    spy = project.folder / "spy"
    spy.mkdir()
    (spy / "sitecustomize.py").write_text(
        "import atexit, os, sys\n"
        "def write():\n"
        "    if any('.snakemake/scripts' in word for word in sys.argv):\n"
        f"        open(os.path.join({str(spy)!r}, str(os.getpid())), 'w').write('\\n'.join(sys.modules))\n"
        "atexit.register(write)\n"
    )
    subprocess.run(
        project.command("--cores", "2", "--until", "surface"),
        cwd=project.folder,
        env=environment(PYTHONPATH=str(spy)),
        check=True,
        capture_output=True,
    )
    seen = [set(path.read_text().split("\n")) for path in spy.glob("[0-9]*")]
    assert len(seen) == 2
    for modules in seen:
        assert "hirshprint.batch.run" in modules
        assert not {"pymatgen", "tensorflow", "keras", "pyvista", "vtk", "pandas", "matplotlib", "plotly"} & modules


@pytest.mark.parametrize("weighting", ["area", "paper"])
def test_fingerprint_file_opens_without_this_package(tmp_path: Path, weighting: str) -> None:
    project = make_project(tmp_path / "project", rows=2)
    project.configure(fingerprint={"weighting": weighting}, densities="x2c", surfaces=SMALL["surfaces"])
    project.run("--until", "fingerprints")
    code = (
        "import h5py; f = h5py.File('results/small/fingerprints.h5');"
        "print(*f['counts'].shape, f.attrs['weighting'], f.attrs['density_source'], f['bin_edges_angstrom'][0])"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], cwd=project.folder, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["2", "6", "50", "50", weighting, "x2c", "0.76"]
