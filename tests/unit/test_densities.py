"""The table of free-atom densities: written, read, interpolated."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from hirshprint.densities import BOHR, GRID_STEP, Densities, read_densities, squared_radius_table

SOURCES = ["thakkar", "x2c"]


@pytest.mark.parametrize("source", SOURCES)
def test_file_has_every_element_and_says_what_it_is(densities_file: Callable[[str], Path], source: str) -> None:
    densities = read_densities(densities_file(source))
    assert densities.source == source
    assert densities.version
    assert "bohr" in densities.units
    assert densities.density.shape == (103, len(densities.r_bohr))
    assert np.isfinite(densities.density).all()
    assert (densities.density > 0).all()
    assert (np.diff(densities.density, axis=1) <= 0).all()


@pytest.mark.parametrize("source", SOURCES)
def test_densities_hold_the_electrons_of_the_atom(densities_file: Callable[[str], Path], source: str) -> None:
    with h5py.File(densities_file(source)) as file:
        r, density, electrons = file["r_bohr"][:], file["density"][:], file["electrons"][:]
    z = np.arange(1, 104)
    if source == "x2c":
        np.testing.assert_allclose(electrons, z, rtol=1e-3)
    else:  # the table leaves the cusp within 0.2 bohr out, so compare what lies outside
        assert (electrons < z).all()
        with h5py.File(densities_file("x2c")) as file:
            other_r, other = file["r_bohr"][:], file["density"][:]
        for row in (7, 21, 54, 93):
            outer, other_outer = r > 1.0, other_r > 1.0
            one = np.trapezoid(4 * np.pi * (r**2 * density[row])[outer], r[outer])
            shell = 4 * np.pi * other_r**2 * other[row]
            two = np.trapezoid(shell[other_outer], other_r[other_outer])
            assert one == pytest.approx(two, rel=0.05), f"Z = {row + 1}"


def test_hydrogen_of_thakkar_is_the_contracted_exponential(thakkar: Densities) -> None:
    """Its H is, as in Tonto, that of molecules: ρ = ζ³ exp(-2ζr)/π with ζ = 1.24 per bohr."""
    near = thakkar.r_bohr < 8
    expected = 1.24**3 / np.pi * np.exp(-2 * 1.24 * thakkar.r_bohr[near])
    np.testing.assert_allclose(thakkar.density[0, near], expected, rtol=1e-3)


@pytest.mark.parametrize("source", SOURCES)
def test_table_uniform_in_squared_radius_reproduces_the_densities(
    densities_file: Callable[[str], Path], source: str
) -> None:
    densities = read_densities(densities_file(source))
    numbers = [1, 8, 29, 94]
    table = squared_radius_table(densities, numbers)
    squared = (densities.r_bohr * BOHR) ** 2
    chosen = (squared > 0.25) & (squared < 100)
    position = squared[chosen] / GRID_STEP
    k = position.astype(int)
    t = position - k
    a, b, p, q = table[:, k, 0], table[:, k + 1, 0], table[:, k, 1], table[:, k + 1, 1]
    cubic = (1 + 2 * t) * (1 - t) ** 2 * a + t**2 * (3 - 2 * t) * b
    cubic += t * (1 - t) ** 2 * p - t**2 * (1 - t) * q
    expected = densities.density[np.array(numbers) - 1][:, chosen]
    np.testing.assert_allclose(cubic, expected, rtol=5e-5)


def test_density_is_constant_below_the_first_point(thakkar: Densities) -> None:
    table = squared_radius_table(thakkar, [8])
    assert table[0, 0, 0] == pytest.approx(thakkar.density[7, 0])
    assert table[0, 0, 1] == 0.0


def test_element_without_data_is_named(thakkar: Densities) -> None:
    gap = thakkar.density.copy()
    gap[7] = np.nan
    with pytest.raises(ValueError, match="Z = 8"):
        squared_radius_table(replace(thakkar, density=gap), [8])
    with pytest.raises(ValueError, match="Z = 104"):
        squared_radius_table(thakkar, [104])


def test_program_leaves_nothing_behind_when_it_fails(tmp_path: Path) -> None:
    """Run where chmpy is absent: an error, no file, no partial file."""
    script = Path(__file__).parents[2] / "src" / "hirshprint" / "density_tables.py"
    code = (
        f"import runpy, sys; sys.argv = ['x', '--source', 'x2c', '--out', '{tmp_path}/d.h5'];"
        f"sys.modules['atomref'] = None; runpy.run_path({str(script)!r}, run_name='__main__')"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=600, check=False)
    assert run.returncode != 0
    assert list(tmp_path.iterdir()) == []


def test_density_that_is_none_is_refused() -> None:
    import runpy

    script = Path(__file__).parents[2] / "src" / "hirshprint" / "density_tables.py"
    checked = runpy.run_path(str(script))["checked_electrons"]
    r = np.linspace(0.001, 20, 4000)
    z = np.arange(1, 104)[:, None]
    good = z * np.exp(-2 * r) / np.pi
    np.testing.assert_allclose(checked(r, good, 1e-3), z[:, 0], rtol=1e-3)
    for fault, word in ((np.nan, "finite"), (-1.0, "positive"), (1e3, "decrease")):
        bad = good.copy()
        bad[7, 2000] = fault
        with pytest.raises(ValueError, match=rf"Z = 8: .*{word}"):
            checked(r, bad, 1e-3)
    bad = good.copy()
    bad[7] *= 1.1
    with pytest.raises(ValueError, match=r"Z = 8: .*integrate"):
        checked(r, bad, 1e-3)
