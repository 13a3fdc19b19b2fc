"""Fixtures and crystals that the unit tests of densities, surfaces and fingerprints share."""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hirshprint.densities import Densities, read_densities
from hirshprint.hirshfeld.python.sphere import OCTAHEDRAL
from hirshprint.run.logs import show_log
from hirshprint.structures.structure import Structure

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def library_says_all(caplog: pytest.LogCaptureFixture) -> None:
    """The library's own logger is heard in every test, as in a run."""
    caplog.set_level(logging.INFO, "hirshprint")
    show_log()
    logging.getLogger("hirshprint").propagate = True  # to caplog


@pytest.fixture(scope="session")
def densities_file(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Path of the density file of a source, written once by the program that the workflow runs."""
    python = ROOT / ".venv-densities" / "bin" / "python"
    if not python.exists():
        pytest.skip(".venv-densities is not installed: no table of free-atom densities")
    folder = tmp_path_factory.mktemp("densities")

    def made(source: str) -> Path:
        path: Path = folder / f"{source}.h5"
        if not path.exists():
            script = ROOT / "src" / "hirshprint" / "density_tables.py"
            subprocess.run([python, script, "--source", source, "--out", path], check=True, timeout=600)
        return path

    return made


@pytest.fixture(scope="session")
def thakkar(densities_file: Callable[[str], Path]) -> Densities:
    return read_densities(densities_file("thakkar"))


@pytest.fixture(scope="session")
def perovskite() -> Callable[..., Structure]:
    """Ideal cubic perovskites, with their site symmetry or (symmetric=False) with the identity only."""

    def made(numbers: tuple[int, int, int], edge: float, symmetric: bool = True) -> Structure:
        cubic = OCTAHEDRAL.astype(np.int64)
        tetragonal = cubic[np.abs(cubic[:, 2, 2]) == 1]  # keeps the axis of the X atom at ½ ½ 0
        one = np.eye(3, dtype=np.int64)[None]
        a, b, x = numbers
        return Structure(
            structure_id=f"perovskite-{a}-{b}-{x}",
            lattice=np.eye(3) * edge,
            numbers=np.array([a, b, x, x, x]),
            frac=np.array([[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]),
            is_anion=np.array([False, False, True, True, True]),
            site_atom=np.array([0, 1, 2]),
            atom_site=np.array([0, 1, 2, 2, 2]),
            site_labels=("A", "B", "X"),
            multiplicity=np.array([1, 1, 3]),
            site_operations=(cubic, cubic, tetragonal) if symmetric else (one, one, one),
            formula_units=1,
        )

    return made


@pytest.fixture(scope="session")
def crystal() -> Callable[..., Structure]:
    """Any crystal without symmetry: every atom is a site of its own, labelled S0, S1 ..."""

    def made(lattice: object, numbers: list[int], frac: object, formula_units: int = 1) -> Structure:
        one = np.eye(3, dtype=np.int64)[None]
        count = len(numbers)
        return Structure(
            structure_id="crystal",
            lattice=np.array(lattice, dtype=np.float64),
            numbers=np.array(numbers),
            frac=np.array(frac, dtype=np.float64),
            is_anion=np.isin(numbers, [8, 9, 17]),
            site_atom=np.arange(count),
            atom_site=np.arange(count),
            site_labels=tuple(f"S{k}" for k in range(count)),
            multiplicity=np.ones(count, dtype=np.int64),
            site_operations=(one,) * count,
            formula_units=formula_units,
        )

    return made


@pytest.fixture(scope="session")
def triclinic(crystal: Callable[..., Structure]) -> Structure:
    """A skew cell of three elements without any symmetry."""
    return crystal(
        [[4.1, 0.3, -0.2], [-1.1, 4.6, 0.4], [0.7, -0.9, 5.2]],
        [20, 22, 8, 8, 8],
        [[0.02, 0.01, 0.03], [0.51, 0.48, 0.53], [0.5, 0.5, 0.11], [0.47, 0.09, 0.52], [0.06, 0.5, 0.45]],
    )
