"""Whatever is made again above, what is missing or changed below is made in the same run; every pair, both engines."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from projects import Project, caesium_chloride, make_project

FAKE = Path(__file__).parents[1] / "fake_tonto.py"
ALL_PAIRS = "HIRSHPRINT_TEST_ALL_PAIRS" in os.environ  # each as a real run, some ten minutes on two cores
CRYSTALS = {"CsCl": 4.12, "CsBr": 4.29, "CsI": 4.57, "TlCl": 3.83, "TlBr": 3.97, "TlI": 4.2}
BELOW = (
    "structures.h5",
    "targets.csv",
    "surfaces/*.npz",
    "status.csv",
    "fingerprints.h5",
    "figures/fingerprint_channels.svg",
    "shown_surfaces.npz",
    "../cost.csv",
    "../summary.txt",
    "../report.html",
)


def _strictly(project: Project) -> None:
    """Whether a fault stops the run: the structures are made again, and no surface."""
    project.configure(strict=True)


def _without_structures(project: Project) -> None:
    (project.folder / "results/mine/structures.h5").unlink()


def _without_densities(project: Project) -> None:
    (project.folder / "results/densities/thakkar.h5").unlink()


def _moved_tonto(project: Project) -> None:
    """The same program in another folder."""
    place = project.folder / "elsewhere"
    place.mkdir()
    shutil.copy2(project.folder / "tonto.py", place / "tonto.py")
    project.configure(surfaces=_surfaces(place / "tonto.py", project.folder / "basis"))


def _without_probe(project: Project) -> None:
    (project.folder / "results/tonto_probe.json").unlink()


ABOVE: dict[str, dict[str, Callable[[Project], None]]] = {
    "python": {
        "structures": _strictly,
        "structures missing": _without_structures,
        "densities missing": _without_densities,
    },
    "tonto": {
        "structures": _strictly,
        "probe, Tonto moved": _moved_tonto,
        "probe missing": _without_probe,
    },
}
PAIRS = [(engine, above, below) for engine in ABOVE for above in ABOVE[engine] for below in BELOW]
SAMPLE = [  # of real runs
    ("python", "structures", "fingerprints.h5"),
    ("python", "densities missing", "../report.html"),
    ("tonto", "probe, Tonto moved", "fingerprints.h5"),
    ("tonto", "probe, Tonto moved", "../report.html"),
]


def _surfaces(binary: Path, basis: Path) -> dict[str, Any]:
    tonto = {"binary": str(binary), "basis_directory": str(basis), "time_limit_seconds": 20}
    return {"engine": "tonto", "structures_per_job": 2, "tonto": tonto}


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Project]:
    """A folder of crystals without a property, run to its end with each engine."""
    made = {}
    for engine in ABOVE:
        project = make_project(tmp_path_factory.mktemp("graph") / engine, rows=1)
        (project.folder / "crystals").mkdir()
        for name, edge in CRYSTALS.items():
            text = caesium_chloride(edge, name[:2], name[2:])
            (project.folder / f"crystals/{name}.cif").write_text(text)
        project.configure(
            datasets={"mine": {"folder": "crystals"}},
            surfaces={"engine": "python", "mesh_level": 8, "structures_per_job": 2},
        )
        if engine == "tonto":
            (project.folder / "basis").mkdir()
            (project.folder / "basis/Thakkar").write_text("{}\n")
            shutil.copy2(FAKE, project.folder / "tonto.py")
            project.configure(surfaces=_surfaces(project.folder / "tonto.py", project.folder / "basis"))
        project.run()
        made[engine] = project
    return made


def _disturbed(project: Project, folder: Path, above: str, below: str, engine: str) -> tuple[Project, list[Path]]:
    """Copy a finished project, have something above made again, and take something below away."""
    copy = project.copy(folder)
    ABOVE[engine][above](copy)
    gone = sorted(copy.folder.glob(f"results/mine/{below}"))[:1]
    assert gone or above.startswith(below.removesuffix(".h5")), "there is nothing to take away"
    for path in gone:
        path.unlink()
    return copy, gone


def _rule_of(below: str) -> str:
    """The rule that makes a file."""
    names = {"surfaces": "surface", "targets": "structures", "figures": "fingerprint_figures", "summary": "report"}
    name = below.removeprefix("../").partition(".")[0].partition("/")[0]
    return names.get(name, name)


@pytest.mark.parametrize(("engine", "above", "below"), PAIRS)
def test_the_graph_has_what_is_missing(
    projects: dict[str, Project], tmp_path: Path, engine: str, above: str, below: str
) -> None:
    project, _ = _disturbed(projects[engine], tmp_path / "copy", above, below, engine)
    jobs = project.jobs()
    assert jobs.get(_rule_of(below)) == 1
    assert {"report", "all"} <= set(jobs)
    assert above.partition(" ")[0].partition(",")[0].replace("probe", "tonto_probe") in jobs
    assert jobs.get("surface", 0) == (1 if _rule_of(below) == "surface" else 0)


@pytest.mark.parametrize(("engine", "above", "below"), PAIRS if ALL_PAIRS else SAMPLE)
def test_a_run_makes_what_is_missing(
    projects: dict[str, Project], tmp_path: Path, engine: str, above: str, below: str
) -> None:
    project, gone = _disturbed(projects[engine], tmp_path / "copy", above, below, engine)
    output = project.run()
    assert all(path.exists() for path in gone)
    assert output.count("results/report.html") >= 1
    assert project.jobs() == {}
    with (
        h5py.File(project.folder / "results/mine/fingerprints.h5") as found,
        h5py.File(projects[engine].folder / "results/mine/fingerprints.h5") as wanted,
    ):
        assert np.array_equal(found["counts"][:], wanted["counts"][:])


def test_every_file_that_is_deleted_is_made_again(projects: dict[str, Project], tmp_path: Path) -> None:
    """D4: whatever the list of results has is a target."""
    project = projects["python"].copy(tmp_path / "copy")
    listed = [path for path in (project.folder / "results").rglob("*") if path.is_file() and path.name[0] != "."]
    assert len(listed) > 15
    for path in listed:
        if path.name != "format.txt":  # written when a run begins
            kept = path.read_bytes()
            times = path.stat()
            path.unlink()
            assert "all" in project.jobs(), path
            path.write_bytes(kept)
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert project.jobs() == {}
    shutil.rmtree(project.folder / "results/mine")
    shutil.rmtree(project.folder / "cache")
    shutil.rmtree(project.folder / ".snakemake")
    project.run()
    names = {str(path.relative_to(project.folder)) for path in listed}
    assert names <= {str(path.relative_to(project.folder)) for path in (project.folder / "results").rglob("*")}


def test_results_without_a_record_of_what_made_them_are_made_again(
    projects: dict[str, Project], tmp_path: Path
) -> None:
    """Whoever deletes .snakemake and edits the configuration gets no stale results."""
    project = projects["python"].copy(tmp_path / "copy")
    shutil.rmtree(project.folder / ".snakemake")
    project.configure(fingerprint={"bins": {"count": 40}})
    assert "of which .snakemake has no record" in project.run("-n")
    project.run()
    with h5py.File(project.folder / "results/mine/fingerprints.h5") as file:
        assert file["counts"].shape[-1] == 40
    assert project.jobs() == {}


def test_changes_of_the_graph_are_all_seen_by_status(projects: dict[str, Project], tmp_path: Path) -> None:
    """D17: `hirshprint status` and the dry run say the same after each kind of change."""
    changes: dict[str, Callable[[Project], Any]] = {
        "nothing": lambda _: None,
        "mesh level": lambda project: project.configure(
            surfaces={"engine": "python", "mesh_level": 6, "structures_per_job": 2}
        ),
        "bins": lambda project: project.configure(fingerprint={"bins": {"count": 40}}),
        "engine": lambda project: project.configure(
            surfaces=_surfaces(projects["tonto"].folder / "tonto.py", projects["tonto"].folder / "basis")
        ),
        "a file edited": lambda project: (project.folder / "crystals/CsI.cif").write_text(
            caesium_chloride(4.6, "Cs", "I")
        ),
        "a file touched": lambda project: os.utime(project.folder / "crystals/CsI.cif"),
        "a file removed": lambda project: (project.folder / "crystals/CsI.cif").unlink(),
        "surfaces deleted": lambda project: sorted(project.folder.glob("results/mine/surfaces/*"))[0].unlink(),
        "the report deleted": lambda project: (project.folder / "results/report.html").unlink(),
        "all deleted": lambda project: shutil.rmtree(project.folder / "results"),
    }
    states = {
        "nothing": "mine: 6 done",
        "mesh level": "mine: 6 waiting",
        "bins": "mine: 6 waiting",
        "engine": "mine: 6 waiting",
        "a file edited": "mine: 5 done, 1 changed",
        "a file touched": "mine: 6 done",
        "a file removed": "mine: 5 done, 1 removed",
        "the report deleted": "mine: 6 done",
        "all deleted": "mine: 6 new",
    }
    for number, (name, change) in enumerate(changes.items()):
        project = projects["python"].copy(tmp_path / f"copy{number}")
        change(project)
        jobs = {rule: count for rule, count in project.jobs().items() if rule != "all"}
        text = project.hirshprint("status", "--configfile", "config.yaml")
        assert states.get(name, "mine: ") in text, name
        last = text.strip().splitlines()[-1]
        told = last.partition(": ")[2].split(", ") if jobs else []
        assert {one.split()[1]: int(one.split()[0]) for one in told} == jobs, name
        assert ("up to date" in last) == (not jobs), name


def test_pairs_are_all() -> None:
    assert len(PAIRS) == len(set(PAIRS)) == 2 * 3 * len(BELOW)
    assert set(SAMPLE) <= set(itertools.chain(PAIRS))
