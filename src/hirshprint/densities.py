"""Spherical densities of free atoms: the table on disk, and the form in which surfaces look it up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hirshprint.files.reading import open_hdf5

BOHR = 0.529177210903
"""Bohr radius in Å (CODATA 2018)."""

GRID_STEP = 0.01
"""Step of `squared_radius_table` in Å²: cubics between its points are off by at most 2e-5 of ρ beyond 0.5 Å.

That moves a vertex by less than 1e-5 Å. The surface engine compiles it in: after a change, empty numba's cache."""


@dataclass(frozen=True, eq=False)
class Densities:
    """Free-atom densities of the elements.

    Attributes
    ----------
    r_bohr : ndarray of float64, (n,)
        Increasing distances from the nucleus in bohr.
    density : ndarray of float64, (103, n), e/bohr³
        Row Z - 1; a NaN row has no data.
    source, version, units, grid, description : str
        Where they come from.
    """

    r_bohr: NDArray[np.float64]
    density: NDArray[np.float64]
    source: str
    version: str
    units: str
    grid: str
    description: str


def read_densities(path: str | Path) -> Densities:
    """Read the file that `src/hirshprint/density_tables.py` makes."""
    with open_hdf5(path, ("r_bohr", "density")) as file:
        return Densities(
            file["r_bohr"][:],
            file["density"][:],
            *(str(file.attrs[name]) for name in ("source", "version", "units", "grid", "description")),
        )


def squared_radius_table(densities: Densities, numbers: Sequence[int]) -> NDArray[np.float64]:
    """Tabulate ρ on a grid uniform in r², so that a look-up needs no square root and no exponential.

    ln ρ(r) is interpolated with a cubic Hermite polynomial whose slopes are the finite differences of the
    table; below the first point of the table ρ is constant.

    Parameters
    ----------
    densities : Densities
        The table.
    numbers : sequence of int
        Atomic numbers, one per row of the result.

    Returns
    -------
    ndarray of float64, (len(numbers), m, 2)
        ρ in e/bohr³ and GRID_STEP dρ/d(r²), at r² = 0, 1, 2 ... GRID_STEP Å².

    Raises
    ------
    ValueError: an element without data.
    """
    return np.stack([_row(densities, int(number)) for number in numbers])


class LookUp:
    """The rows of `squared_radius_table` for all elements, each filled in when it is first asked for.

    Attributes
    ----------
    rho : ndarray of float64, (104, m, 4)
        Row Z: c₀ to c₃ of ρ = c₀ + t (c₁ + t (c₂ + t c₃)) between the points of `squared_radius_table`, t from 0 to 1;
        0 behind the last.
    tails : ndarray of float64, (104, m)
        Row Z: ∫ρ dV beyond each radius of the grid, e/bohr³ · Å³; over the volume per atom it is the mean density that
        all further atoms of the element add at a point.
    reach : float, Å
        Where the table ends.
    """

    def __init__(self, densities: Densities):
        self._densities = densities
        self._filled: set[int] = set()
        self._squared = np.arange(0.0, (densities.r_bohr[-1] * BOHR) ** 2, GRID_STEP)
        self.rho = np.zeros((104, len(self._squared), 4))
        self.tails = np.zeros((104, len(self._squared)))
        self.reach = float(np.sqrt(self._squared[-2]))

    def fill(self, numbers: Iterable[int]) -> None:
        """Make sure of the rows of these atomic numbers; ValueError for an element without data."""
        for number in set(numbers) - self._filled:
            row = _row(self._densities, number)
            shells = 2.0 * np.pi * np.sqrt(self._squared) * row[:, 0] * GRID_STEP
            (a, p), (b, q) = row[:-1].T, row[1:].T
            self.rho[number, :-1] = np.stack([a, p, 3 * (b - a) - 2 * p - q, 2 * (a - b) + p + q], axis=1)
            self.tails[number] = shells[::-1].cumsum()[::-1]
            self._filled.add(number)


@cache
def look_up(densities: Densities) -> LookUp:
    """Give the one `LookUp` of a table of densities."""
    return LookUp(densities)


def _row(densities: Densities, number: int) -> NDArray[np.float64]:
    if not 1 <= number <= len(densities.density) or not np.isfinite(densities.density[number - 1]).all():
        raise ValueError(f"the densities '{densities.source}' have no element Z = {number}")
    r = densities.r_bohr * BOHR
    ln = np.log(densities.density[number - 1])
    slope = np.gradient(ln, r)
    squared = np.arange(0.0, r[-1] ** 2, GRID_STEP)
    at = np.maximum(np.sqrt(squared), r[0])
    k = np.clip(np.searchsorted(r, at, side="right") - 1, 0, len(r) - 2)
    h = r[k + 1] - r[k]
    t = (at - r[k]) / h
    value = (
        (1 + 2 * t) * (1 - t) ** 2 * ln[k]
        + t * (1 - t) ** 2 * h * slope[k]
        + t**2 * (3 - 2 * t) * ln[k + 1]
        - t**2 * (1 - t) * h * slope[k + 1]
    )
    derivative = (
        6 * t * (1 - t) / h * (ln[k + 1] - ln[k]) + (1 - t) * (1 - 3 * t) * slope[k] - t * (2 - 3 * t) * slope[k + 1]
    )
    rho = np.exp(value)
    change = np.where(squared < r[0] ** 2, 0.0, GRID_STEP * rho * derivative / (2 * at))
    return np.stack([rho, change], axis=1)
