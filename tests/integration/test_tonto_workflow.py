"""The workflow with Tonto, played by the stand-in: mixed failures, one repaired, a Tonto that does not work."""

from __future__ import annotations

import csv
import json
import re
import tempfile
from pathlib import Path
from typing import Any

import h5py
import pytest
from projects import SMALL, Project, make_project

FAKE = Path(__file__).parents[1] / "fake_tonto.py"
BAD = {"SrTiO3": "sample:empty_cif", "BaZrO3": "hang", "KTaO3": "truncated"}
GOOD = ("CaTiO3", "LaAlO3", "KMgF3", "NaTaO3", "SrZrO3", "BaTiO3", "CaZrO3")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Ten compounds; the stand-in, named by the environment, fails on three, on each in its own way."""
    made = make_project(tmp_path / "project", rows=1)
    basis, scratch = made.folder / "basis", made.folder / "scratch"
    basis.mkdir()
    scratch.mkdir()
    (basis / "Thakkar").write_text("{}\n")
    rows = []
    for name in (*GOOD, *BAD):
        a, b, x = re.findall("[A-Z][a-z]?", name)
        rows.append(f"{name},{a},{b},{x},4.0")
    (made.folder / "table.csv").write_text("\n".join(["formula,A,B,X,a_angstrom", *rows]) + "\n")
    surfaces = SMALL["surfaces"] | {"structures_per_job": 5, "tonto": {"time_limit_seconds": 6, "keep_scratch": False}}
    made.configure(surfaces=surfaces)
    bad = BAD | ({} if _samples() else {"SrTiO3": "empty_cif"})
    (made.folder / "behaviour.json").write_text(json.dumps(bad))
    monkeypatch.setenv("TMPDIR", str(scratch))
    monkeypatch.setenv("HIRSHPRINT_TONTO", str(FAKE))
    monkeypatch.setenv("TONTO_BASIS_SET_DIRECTORY", str(basis))
    monkeypatch.setenv("FAKE_TONTO", str(made.folder / "behaviour.json"))
    if _samples():
        monkeypatch.setenv("FAKE_TONTO_SAMPLES", _samples())
    return made


def _samples() -> str:
    folder = Path(__file__).parents[3] / "shared/tonto/samples"
    return str(folder) if folder.is_dir() else ""


def _calls(project: Project) -> list[str]:
    """Runs of the stand-in since the last look, as ``formula label behaviour``."""
    path = project.folder / "behaviour.json.calls"
    lines = path.read_text().splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return lines


def _status(project: Project) -> dict[str, dict[str, str]]:
    with (project.folder / "results/small/status.csv").open(newline="", encoding="utf-8") as file:
        return {row["structure_id"].split("-")[0]: row for row in csv.DictReader(file)}


def test_mixed_failures_then_one_repaired(project: Project) -> None:
    ask = ("--until", "fingerprints", "status")
    output = project.run(*ask)
    assert "Surface engine: Tonto" in output
    status = _status(project)
    assert {name for name, row in status.items() if row["status"] == "ok"} == set(GOOD)
    for name, reason in {"SrTiO3": "ended early", "BaZrO3": "not ended after 6 s", "KTaO3": "cut short"}.items():
        assert status[name]["status"] == "failed"
        assert reason in status[name]["reason"]
    assert "time_limit_seconds" in status["BaZrO3"]["remedy"]
    with h5py.File(project.folder / "results/small/fingerprints.h5") as file:
        assert sorted(text.decode().split("-")[0] for text in file["ids"][:]) == sorted(GOOD)
        assert str(file.attrs["engine"]).startswith("tonto 21.03.11 (")
        assert file.attrs["mesh_level"] == 0
    calls = _calls(project)
    assert sum(line.startswith(tuple(GOOD)) for line in calls) == 3 * len(GOOD)  # each site once, whatever was retried
    assert sum(line.startswith("BaZrO3") for line in calls) == 3  # three attempts
    assert list((project.folder / "scratch").glob("hirshprint-*")) == []

    assert "surface" not in project.jobs()
    table = project.folder / "behaviour.json"
    table.write_text(json.dumps(json.loads(table.read_text()) | {"KTaO3": "good"}))
    project.edit_table(
        lambda lines: (
            [lines[0] + ",initial_edge_angstrom"]
            + [f"{line},{4.1 if line.startswith('KTaO3') else ''}" for line in lines[1:]]
        )
    )
    project.run(*ask)
    assert [line.split()[0] for line in _calls(project)] == ["KTaO3"] * 3
    assert {name for name, row in _status(project).items() if row["status"] == "ok"} == {*GOOD, "KTaO3"}


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "missing binary": ({"engine": "tonto", "tonto": {"binary": "none/tonto"}}, "there is no program"),
    "missing basis": ({"tonto": {"basis_directory": "."}}, "has no file Thakkar"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_tonto_that_does_not_work_stops_before_any_job(project: Project, case: str) -> None:
    changes, reason = BROKEN[case]
    project.configure(surfaces=SMALL["surfaces"] | changes)
    output = project.run("--keep-going", "results/tonto_probe.json", "results/small/fingerprints.h5", fails=True)
    assert "Tonto cannot be used: " in output
    assert reason in output
    assert output.count("write `engine: python`") == 1
    assert "rule surface" not in output.replace("tonto_probe", "")
    assert not (project.folder / "results/small/surfaces").exists()
    assert "Traceback" not in output


def test_tonto_without_a_binary_stops_at_once(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HIRSHPRINT_TONTO")
    project.configure(surfaces=SMALL["surfaces"] | {"engine": "tonto"})
    output = project.run("-n", fails=True)
    assert "HIRSHPRINT_TONTO" in output
    assert "engine: python" in output


def test_engines_are_compared_and_changed(project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (project.folder / "behaviour.json").write_text("{}")
    project.edit_table(lambda lines: lines[:7])
    project.configure(surfaces=SMALL["surfaces"] | {"structures_per_job": None, "compare_structures": 2})
    project.run("--until", "comparison_figure")
    with (project.folder / "results/small/engines/comparison.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len({row["structure_id"] for row in rows}) == 2
    assert len({row["quantity"] for row in rows}) == 7
    for row in rows:
        if row["python"]:
            difference = float(row["tonto"]) - float(row["python"])
            assert float(row["difference"]) == pytest.approx(difference, abs=2e-5)
    assert (project.folder / "results/small/engines/comparison.svg").read_text().startswith("<?xml")
    assert len(_calls(project)) == 18 + 1  # six structures and the probe: the comparison takes Tonto's from the cache

    elsewhere = tmp_path / "else where" / "tonto"  # the same program: nothing is computed again
    elsewhere.parent.mkdir()
    elsewhere.write_bytes(FAKE.read_bytes())
    elsewhere.chmod(0o755)
    monkeypatch.setenv("HIRSHPRINT_TONTO", str(elsewhere))
    jobs = project.jobs()
    assert jobs["tonto_probe"] == 1
    assert not {"surface", "compare_engines"} & set(jobs)
    elsewhere.write_bytes(FAKE.read_bytes() + b"\n# another build\n")
    assert {"tonto_probe", "surface", "compare_engines"} <= set(project.jobs())
    monkeypatch.delenv("HIRSHPRINT_TONTO")  # auto: the other engine
    project.configure(surfaces=SMALL["surfaces"])
    jobs = project.jobs()
    assert {"surface", "fingerprints"} <= set(jobs)
    assert not {"tonto_probe", "compare_engines"} & set(jobs)


def test_real_tonto_runs_the_workflow(real_tonto: str, tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", rows=20)
    edge = {"kind": "random"}
    project.configure(
        datasets={"small": {"table": "table.csv", "initial_edge": edge}},
        surfaces={"engine": "tonto", "tonto": {"binary": real_tonto}, "compare_structures": 4},
    )
    before = set(Path(tempfile.gettempdir()).glob("hirshprint-tonto-*"))
    output = project.run()
    assert "20 ok, 0 failed" in output
    assert set(Path(tempfile.gettempdir()).glob("hirshprint-tonto-*")) <= before
    with (project.folder / "results/small/engines/comparison.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    limits = {"d_i min": 0.003, "d_i max": 0.01, "d_e min": 0.003, "fingerprint L1": 0.1}
    for row in rows:
        assert abs(float(row["difference"])) < limits.get(row["quantity"], 0.1), row
        if row["quantity"] in ("area", "volume"):
            assert float(row["tonto"]) == pytest.approx(float(row["python"]), rel=0.005)
