"""What a run began with is what its jobs compute, whatever is edited meanwhile; and where no run may begin."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import h5py
import pytest
from projects import ROOT, Project, caesium_chloride, environment, kill_where, make_project, start_and_hold

SURFACES = "*cache/surfaces/*.npz 1"


@pytest.fixture
def crystals(tmp_path: Path) -> Project:
    """A folder of three crystals without a property: nothing is learned."""
    project = make_project(tmp_path / "a {folder} with blanks, 'quotes' and é", rows=1)
    for number in range(3):
        _write(project, number, 4.0 + number / 10)
    project.configure(
        datasets={"mine": {"folder": "my {crystals}"}},
        surfaces={"engine": "python", "mesh_level": 6, "structures_per_job": 3},
    )
    return project


def _write(project: Project, number: int, edge: float) -> None:
    path = project.folder / f"my {{crystals}}/c {{{number}}}.cif"
    path.parent.mkdir(exist_ok=True)
    path.write_text(caesium_chloride(edge))


def _edges(project: Project) -> list[float]:
    with h5py.File(project.folder / "results/mine/structures.h5") as file:
        return [round(float(lattice[0][0]), 3) for lattice in file["lattice"][:]]


def _go_on(project: Project, head: subprocess.Popen[bytes]) -> int:
    (project.folder / "held").unlink()
    return head.wait()


def test_edits_during_a_run_change_the_next_one_alone(crystals: Project) -> None:
    head = start_and_hold(crystals, SURFACES, "--until", "fingerprints")
    config = crystals.folder / "config.yaml"
    written = config.read_text()
    config.write_text(written.replace("mesh_level: 6", "mesh_level: 8"))
    _write(crystals, 3, 4.3)
    assert _go_on(crystals, head) == 0
    assert _edges(crystals) == [4.0, 4.1, 4.2]
    assert crystals.jobs()["surface"] == 2  # the settings changed, and four crystals make two batches
    config.write_text(written)
    (crystals.folder / "my {crystals}/c {3}.cif").unlink()
    assert not {"structures", "surface", "fingerprints"} & set(crystals.jobs())


def test_summary_names_what_was_edited(crystals: Project) -> None:
    """Also a file of a crystal that was read by then."""
    head = start_and_hold(crystals, SURFACES, "--until", "surface")
    _write(crystals, 1, 4.5)
    assert _go_on(crystals, head) == 0
    lines = (crystals.folder / "run.log").read_text().splitlines()
    (line,) = [line for line in lines if line.startswith("edited  ")]
    assert "my {crystals}/c {1}.cif: edited during this run" in line
    assert _edges(crystals)[1] == 4.1
    assert crystals.jobs()["structures"] == 1


def test_a_file_edited_before_it_is_read_stops_its_job(crystals: Project) -> None:
    head = start_and_hold(crystals, "*mine/structures.h5 1", "--until", "structures")
    _write(crystals, 1, 4.5)
    assert _go_on(crystals, head) != 0
    log = (crystals.folder / "logs/mine/structures.log").read_text()
    assert "my {crystals}/c {1}.cif: edited or removed after this run had begun" in log
    assert not (crystals.folder / "results/mine/structures.h5").exists()
    crystals.run("--until", "structures")
    assert _edges(crystals) == [4.0, 4.5, 4.2]
    log = (crystals.folder / "logs/mine/structures.log").read_text()
    assert "2 of 3 crystals: as an earlier run read them" in log


def test_a_second_run_gets_one_sentence(crystals: Project) -> None:
    head = start_and_hold(crystals, SURFACES, "--until", "surface")
    output = crystals.run(fails=True)
    after = output[output.index("Building DAG") :].splitlines()[1:]
    assert len(after) == 1
    assert "a run is under way in this folder, that of " in after[0]
    assert "Nothing to be done" not in crystals.run("-n")
    assert _go_on(crystals, head) == 0


def test_a_killed_run_is_named_whatever_snakemake_advises(crystals: Project) -> None:
    kill_where(crystals, SURFACES)
    for _ in range(2):
        output = crystals.run(fails=True)
        assert "give `hirshprint recover` first" in output
        assert "Lock" not in output
        crystals.run("--unlock")  # as Snakemake's own message has it
    assert "left behind" in crystals.hirshprint("recover")
    crystals.run("--until", "fingerprints")
    assert not {"structures", "surface", "fingerprints"} & set(crystals.jobs())


def test_a_job_that_has_lost_its_run_says_so(crystals: Project) -> None:
    """As one that waited in a queue until another run had begun."""
    crystals.run("--until", "structures")
    command = crystals.command("--cores", "1", "--mode", "remote", "--", "results/mine/fingerprints.h5")
    gone = environment(HIRSHPRINT_RUN="/nowhere/at-all")
    done = subprocess.run(command, cwd=crystals.folder, env=gone, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "what this job's run had read is gone (at-all)" in done.stdout + done.stderr


def test_braces_in_the_path_of_the_workflow_are_one_sentence(crystals: Project, tmp_path: Path) -> None:
    (tmp_path / "{x}").mkdir()
    for name in ("Snakefile", "workflow", "src", "config", "envs"):
        (tmp_path / "{x}" / name).symlink_to(ROOT / name)
    output = Project(crystals.folder, tmp_path / "{x}/Snakefile").run("-n", fails=True)
    assert "Snakemake takes braces in the path of a workflow for wildcards; rename the folder" in output


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], capture_output=True).returncode:
        pytest.skip("file systems cannot be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_full_disk_is_named_before_a_run_and_after_one(crystals: Project, small_disk: Path) -> None:
    (crystals.folder / "results").symlink_to(small_disk)
    ballast = small_disk / "ballast"
    free = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize
    ballast.write_bytes(b"x" * (free - 100_000))
    assert "the disk of results/ is full: make room, then the same command again" in crystals.run(fails=True)
    ballast.write_bytes(b"x" * (free - 300_000))  # it begins, and the densities do not fit
    output = crystals.run("--until", "fingerprints", fails=True)
    assert "The disk of results/ is full: make room, give `hirshprint recover`, then the same command" in output
    ballast.unlink()
    crystals.hirshprint("recover")
    crystals.run("--until", "fingerprints")
    assert _edges(crystals) == [4.0, 4.1, 4.2]
