"""The surface engines, each with all that the workflow asks of it (light: read while the Snakefile is parsed).

An engine is one module, one entry of `ENGINES`, and its word in `hirshprint.config.model.Surfaces.engine`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from hirshprint import versions
from hirshprint.config.model import Config, Surfaces
from hirshprint.hirshfeld.tonto.installation import Installation


@dataclass(frozen=True, kw_only=True)
class Engine:
    """What is known of a surface engine before it computes anything.

    Attributes
    ----------
    name : str
        Its word in the configuration.
    title : str
        Its name in messages and in the report.
    opened_by : str
        ``module:function`` that opens it for a job: called with the configuration and the paths of `needs`, it gives an
        `hirshprint.hirshfeld.engines.OpenEngine`.
    algorithm : str
        Version of its algorithm.
    settings : Callable[[Config], list]
        All that determines its surfaces beside the structure.
    resolution : Callable[[Surfaces], float]
        How fine its surfaces are.
    resolution_name : str
        The key of the configuration that says so.
    resolution_unit : str
        Its unit; empty for a number of divisions.
    needs : tuple of str
        Files that its jobs read beside the structures: ``densities``, ``probe``.
    cache_name : Callable[[Config], str]
        Folder in the cache for its surfaces: another one for other settings.
    seconds_per_site : Callable[[Surfaces], float], s
        What a site without symmetry costs.
    mb_per_site : Callable[[Surfaces], float], MB
        Memory for each.
    symmetry_saves : float
        By how much less a site of a prototype costs, whose symmetry is high.
    minutes : Callable[[Surfaces, int, float], float], min
        Run time to ask for, of a number of structures whose sites cost so many minutes.
    failure_settings : Callable[[Config], list]
        What else decides whether a structure fails: with others, what failed is tried again.
    remedies : Mapping[str, str]
        What helps where the machine and not the structure is at fault, by the kind of error.
    where : Callable[[Surfaces], str]
        Where it is installed, as it follows its title.
    level_0_is_isosurface : bool
        Whether a surface of level 0 is one that the usual way of this engine could not give.
    """

    name: str
    title: str
    opened_by: str
    algorithm: str
    settings: Callable[[Config], list[Any]]
    resolution: Callable[[Surfaces], float]
    resolution_name: str
    resolution_unit: str = ""
    needs: tuple[str, ...] = ("densities",)
    cache_name: Callable[[Config], str]
    seconds_per_site: Callable[[Surfaces], float]
    mb_per_site: Callable[[Surfaces], float]
    symmetry_saves: float = 1.0
    minutes: Callable[[Surfaces, int, float], float]
    failure_settings: Callable[[Config], list[Any]] = lambda config: []
    remedies: Mapping[str, str] = field(default_factory=dict)
    where: Callable[[Surfaces], str] = lambda surfaces: ", bundled"
    level_0_is_isosurface: bool = False

    def resolution_text(self, surfaces: Surfaces) -> str:
        """Say how fine its surfaces are, with name and unit."""
        return f"{self.resolution_name} {self.resolution(surfaces):g} {self.resolution_unit}".rstrip()


@cache
def tonto_checksums(binary: str, basis_directory: str) -> dict[str, str]:
    """Checksums of the configured Tonto: results depend on them, and not on where it lies."""
    return Installation(binary, basis_directory).checksums()


def _tonto_settings(config: Config) -> list[Any]:
    tonto = config.surfaces.tonto
    checksums = tonto_checksums(tonto.binary, tonto.basis_directory)
    return ["tonto", checksums, tonto.separation_bohr, versions.TONTO_ALGORITHM]


def _tonto_minutes(surfaces: Surfaces, structures: int, expected_minutes: float) -> float:
    """Enough for a site of each of 60 structures to use up its time."""
    late = math.ceil(min(structures, 60) * surfaces.tonto.time_limit_seconds / 60)
    return 10 + late + 5 * math.ceil(expected_minutes)


PYTHON = Engine(
    name="python",
    title="Python",
    opened_by="hirshprint.hirshfeld.engines:open_python",
    algorithm=versions.SURFACE_ALGORITHM,
    settings=lambda config: [
        config.densities,
        versions.DENSITIES,
        versions.SURFACE_ALGORITHM,
        config.surfaces.mesh_level,
    ],
    resolution=lambda surfaces: surfaces.mesh_level,
    resolution_name="mesh_level",
    cache_name=lambda config: (
        f"python{versions.SURFACE_ALGORITHM}-{config.densities}-level{config.surfaces.mesh_level}"
    ),
    seconds_per_site=lambda surfaces: 6e-5 * surfaces.mesh_level**2,
    mb_per_site=lambda surfaces: 1e-3 * surfaces.mesh_level**2,
    symmetry_saves=8.0,
    minutes=lambda surfaces, structures, expected_minutes: 20 + 10 * math.ceil(expected_minutes),
    level_0_is_isosurface=True,
)

TONTO = Engine(
    name="tonto",
    title="Tonto",
    opened_by="hirshprint.hirshfeld.engines:open_tonto",
    algorithm=versions.TONTO_ALGORITHM,
    settings=_tonto_settings,
    resolution=lambda surfaces: surfaces.tonto.separation_bohr,
    resolution_name="separation_bohr",
    resolution_unit="bohr",
    needs=("probe",),
    cache_name=lambda config: f"tonto{versions.TONTO_ALGORITHM}-{config.surfaces.tonto.separation_bohr:g}bohr",
    seconds_per_site=lambda surfaces: 2.0,
    mb_per_site=lambda surfaces: 0.6,
    minutes=_tonto_minutes,
    failure_settings=lambda config: [config.surfaces.tonto.time_limit_seconds],
    remedies={
        "TontoTimeoutError": "raise surfaces.tonto.time_limit_seconds, and run the workflow again",
        "TontoPassingError": "run hirshprint recover --failed, and the workflow again",
    },
    where=lambda surfaces: f" ({surfaces.tonto.binary})",
)

ENGINES = {engine.name: engine for engine in (PYTHON, TONTO)}
"""All engines, by their words in the configuration."""

COMPARED = (PYTHON, TONTO)
"""Those that `surfaces.compare_structures` compares."""


def engine_named(name: str) -> Engine:
    """Give an engine by its word in the configuration.

    Raises
    ------
    ValueError
        There is no such engine.
    """
    if name not in ENGINES:
        raise ValueError(f"there is no surface engine {name}; there are {', '.join(ENGINES)}")
    return ENGINES[name]


def engines_used(config: Config) -> list[Engine]:
    """Engines that a run computes with: its own first, and those that it compares."""
    compared = COMPARED if config.surfaces.compare_structures else ()
    return list({engine.name: engine for engine in (engine_named(config.surfaces.engine), *compared)}.values())
