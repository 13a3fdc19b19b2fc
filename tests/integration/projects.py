"""Real Snakemake runs in a working directory of their own."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
HOOKS = ROOT / "tests/integration/hooks"
TABLE = ROOT / "data/experimental_perovskites.csv"
SMALL: dict[str, Any] = {
    "datasets": {"small": {"table": "table.csv"}},
    "surfaces": {"structures_per_job": 1, "mesh_level": 8},
    "learning": {"folds": 2} | {name: {"epochs": 2} for name in ("cnn_paper_small", "cnn", "cgcnn", "contacts")},
}


def environment(**changes: str) -> dict[str, str]:
    """Environment of a run; compiled code is that of all tests (`tests/conftest.py`)."""
    return {**os.environ, **changes}


CAESIUM_CHLORIDE = """data_{cation}{anion}
_cell_length_a {edge}
_cell_length_b {edge}
_cell_length_c {edge}
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
{symmetry}loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
{cation}1 0 0 0
{anion}1 0.5 0.5 0.5
"""


def caesium_chloride(edge_angstrom: float, cation: str = "Cs", anion: str = "Cl", symmetry: str = "P m -3 m") -> str:
    """CIF of a crystal of two atoms; with an empty `symmetry` it says nothing of it."""
    line = f"_symmetry_space_group_name_H-M '{symmetry}'\n" if symmetry else ""
    return CAESIUM_CHLORIDE.format(edge=edge_angstrom, cation=cation, anion=anion, symmetry=line)


@contextmanager
def same_times(path: Path) -> Iterator[None]:
    """Let a file that is written in the block keep the times that it had: nothing but its content tells."""
    times = path.stat()
    yield
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


@dataclass(frozen=True)
class Project:
    """A working directory with a configuration and a table."""

    folder: Path
    snakefile: Path = ROOT / "Snakefile"

    def command(self, *arguments: str) -> list[str]:
        """Command line of a Snakemake run in this folder."""
        return [
            sys.executable,
            "-m",
            "snakemake",
            "-s",
            str(self.snakefile),
            "--configfile",
            "config.yaml",
            *arguments,
        ]

    def run(self, *arguments: str, fails: bool = False) -> str:
        """Run Snakemake on two cores; return what it printed."""
        command = self.command("--cores", "2", *arguments)
        done = subprocess.run(
            command, cwd=self.folder, env=environment(), capture_output=True, text=True, timeout=3600, check=False
        )
        output = done.stdout + done.stderr
        assert (done.returncode != 0) == fails, output
        return output

    def ask(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of hirshprint in this folder, whatever its end."""
        return subprocess.run(
            [sys.executable, "-m", "hirshprint.cli", *arguments],
            cwd=self.folder,
            env=environment(PYTHONPATH=str(ROOT / "src")),
            capture_output=True,
            text=True,
            check=False,
        )

    def hirshprint(self, *arguments: str) -> str:
        """Run a command of hirshprint in this folder that ends well; return what it printed."""
        done = self.ask(*arguments)
        done.check_returncode()
        return done.stdout + done.stderr

    def jobs(self) -> dict[str, int]:
        """Jobs that a run would do now, by rule (dry run)."""
        output = self.run("-n", "-q", "rules")
        return {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", output, re.M) if name != "total"}

    def configure(self, **changes: Any) -> None:
        """Replace parts of the configuration."""
        path = self.folder / "config.yaml"
        path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | changes, allow_unicode=True))

    def edit_table(self, edit: Callable[[list[str]], list[str]]) -> None:
        """Change the lines of the table."""
        path = self.folder / "table.csv"
        path.write_text("\n".join(edit(path.read_text().splitlines())) + "\n")

    def copy(self, folder: Path) -> Project:
        """Copy this project with its results, file times kept."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Project(folder)


def make_project(folder: Path, rows: int, config: dict[str, Any] | None = None) -> Project:
    """Make a working directory with some evenly spread rows of the embedded table."""
    if not (ROOT / ".venv-densities/bin/python").exists():
        pytest.skip("the environment .venv-densities (make env) is not there")
    folder.mkdir(parents=True, exist_ok=True)
    lines = [",".join(line.split(",")[:5]) for line in TABLE.read_text(encoding="utf-8").splitlines()]
    header, body = lines[0], lines[1:]
    (folder / "table.csv").write_text("\n".join([header, *body[:: len(body) // rows][:rows]]) + "\n")
    (folder / "config.yaml").write_text(yaml.safe_dump(config or SMALL, allow_unicode=True))
    return Project(folder)


def start_and_hold(project: Project, where: str, *arguments: str) -> subprocess.Popen[bytes]:
    """Start a run and return its head once a job stands still: before its N-th file, where `where` is `PATTERN N`.

    What the run says goes to run.log.
    """
    with (project.folder / "run.log").open("wb") as log:
        head = subprocess.Popen(
            project.command("--cores", "2", *arguments),
            cwd=project.folder,
            env=environment(PYTHONPATH=str(HOOKS), HOLD_AT=where),
            stdout=log,
            stderr=log,
        )
    while not (project.folder / "held").exists():
        assert head.poll() is None, "the run ended before it could be held"
        time.sleep(0.02)
    return head


def kill_where(project: Project, where: str) -> None:
    """Start a run and kill its head process, and that alone, while a job stands still."""
    head = start_and_hold(project, where)
    head.send_signal(signal.SIGKILL)
    head.wait()
