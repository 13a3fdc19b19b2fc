"""A real run on one file with many crystals, and what is computed again when the file changes."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from projects import SMALL, Project, make_project

FRAC = [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
METALS = (("Ca", "Sr", "Ba"), ("Ti", "Zr", "Hf", "Sn"))
LEARNED = {"train", "baselines", "evaluate", "learning_figures", "beyond", "shown_surfaces", "report"}
Objects = list[dict[str, Any]]


def crystals() -> Objects:
    """Twelve cubic perovskites with a made-up property, and a record that is none."""
    found: Objects = []
    for i, a in enumerate(METALS[0]):
        for k, b in enumerate(METALS[1]):
            edge = 3.85 + 0.08 * i + 0.06 * k
            cell = [edge, edge, edge, 90, 90, 90]
            found.append({"id": f"{a}/{b} 1", "cell": cell, "sp": [a, b, "O", "O", "O"], "frac": FRAC})
            found[-1]["properties"] = {"e_form": -1 - i - 0.1 * k, "family": a}
    return [*found, {"id": "slab", "cell": cell, "sp": ["Si"], "frac": [[0, 0, 0]], "pbc": [True, True, False]}]


def write(project: Project, objects: Objects) -> None:
    lines = [json.dumps(one) for one in objects]
    (project.folder / "crystals.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Project:
    dataset = {"structures": "crystals.jsonl", "property": "e_form", "unit": "eV/atom"}
    learning = SMALL["learning"] | {"baselines": ["mean", "ridge"]}
    objects = crystals()
    objects[-1]["e_form"] = 0
    project = make_project(
        tmp_path_factory.mktemp("many") / "project", 1, SMALL | {"datasets": {"many": dataset}, "learning": learning}
    )
    (project.folder / "table.csv").unlink()
    write(project, objects)
    project.run()
    return project


def changed(many: Project, folder: Path, change: Any) -> Project:
    project = many.copy(folder)
    lines = (project.folder / "crystals.jsonl").read_text(encoding="utf-8").splitlines()
    objects = [json.loads(line) for line in lines]
    change(objects)
    write(project, objects)
    return project


def test_it_is_learned_from(many: Project) -> None:
    assert many.jobs() == {}
    with (many.folder / "results/many/targets.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["structure_id"], row["source"]) for row in rows[:2]] == [
        ("Ca/Ti 1", "crystals.jsonl line 1"),
        ("Ca/Zr 1", "crystals.jsonl line 2"),
    ]
    assert float(rows[1]["value"]) == -1.1
    assert "crystals.jsonl line 13" in (many.folder / "results/many/rejected.csv").read_text(encoding="utf-8")
    assert len(list((many.folder / "results/many/surfaces").iterdir())) == 13
    assert "ridge" in (many.folder / "results/many/metrics.csv").read_text(encoding="utf-8")


def test_a_measured_value_computes_no_surface_and_no_fingerprint(many: Project, tmp_path: Path) -> None:
    def change(objects: Objects) -> None:
        objects[4]["properties"]["e_form"] = -7.5

    jobs = changed(many, tmp_path / "copy", change).jobs()
    assert jobs.pop("structures") == 1
    assert not {"surface", "fingerprints", "densities"} & set(jobs)
    assert set(jobs) >= LEARNED


def test_one_record_computes_its_own_structure_alone(many: Project, tmp_path: Path) -> None:
    def change(objects: Objects) -> None:
        objects[4]["cell"][:3] = [4.0, 4.0, 4.0]
        objects[5] = dict(reversed(objects[5].items()))  # the same otherwise written

    project = changed(many, tmp_path / "copy", change)
    jobs = project.jobs()
    assert {name: jobs[name] for name in ("structures", "surface", "fingerprints")} == {
        "structures": 1,
        "surface": 1,
        "fingerprints": 1,
    }
    output = project.run("--until", "fingerprints")
    assert "1 structures computed, 0 reused, 0 failed" in output


def test_a_record_added_or_taken_out(many: Project, tmp_path: Path) -> None:
    def add(objects: Objects) -> None:
        objects.insert(0, objects[0] | {"id": "new", "cell": [4.2, 4.2, 4.2, 90, 90, 90]})

    jobs = changed(many, tmp_path / "added", add).jobs()
    assert (jobs["structures"], jobs["surface"]) == (1, 1)
    jobs = changed(many, tmp_path / "fewer", lambda objects: objects.pop(3)).jobs()
    assert "surface" not in jobs
    assert {"structures", "fingerprints", "train"} <= set(jobs)


def test_a_file_that_cannot_be_read_stops_the_run_at_its_start(many: Project, tmp_path: Path) -> None:
    project = many.copy(tmp_path / "copy")
    (project.folder / "crystals.jsonl").unlink()
    assert "`datasets.many`: crystals.jsonl: there is no such file" in project.run("-n", fails=True)
    (project.folder / "crystals.jsonl").write_text("[]\n{}\n", encoding="utf-8")
    assert "no record has the field e_form" in project.run("-n", fails=True)


def test_new_crystals_in_a_file_are_predicted_by_what_it_taught(many: Project, tmp_path: Path) -> None:
    project = many.copy(tmp_path / "copy")
    config = yaml.safe_load((project.folder / "config.yaml").read_text(encoding="utf-8"))
    new = {"structures": "new.jsonl", "model": "many"}
    project.configure(datasets=config["datasets"] | {"new": new})
    lines = [json.dumps(one | {"properties": None}) for one in crystals()[:2]]
    (project.folder / "new.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    jobs = project.jobs()
    assert (jobs["structures"], jobs["surface"], jobs["predict"]) == (1, 2, 1)
    project.configure(datasets=config["datasets"] | {"new": {"table": "new.csv", "model": "many"}})
    assert "name the new compounds by `folder` or `structures`" in project.run("-n", fails=True)


def test_without_a_property_there_are_fingerprints_and_a_report(many: Project, tmp_path: Path) -> None:
    project = many.copy(tmp_path / "copy")
    text = (project.folder / "config.yaml").read_text(encoding="utf-8")
    config = yaml.safe_load(text)
    config["datasets"]["many"] = {"structures": "crystals.jsonl"}
    (project.folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    jobs = project.jobs()
    assert "train" not in jobs
    assert "surface" not in jobs
    project.run()
    assert (project.folder / "results/report.html").exists()
