"""The surface engines opened for a job: what computes a structure, and what its result depends on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, NamedTuple, cast

from hirshprint import versions
from hirshprint.config.model import Config, Tonto
from hirshprint.densities import Densities, read_densities
from hirshprint.files.reading import read_json
from hirshprint.files.writing import digest
from hirshprint.hirshfeld.compiled import compile_once, compiling_said
from hirshprint.hirshfeld.registry import engine_named
from hirshprint.hirshfeld.surface import Surface
from hirshprint.structures.structure import Structure


class OpenEngine(NamedTuple):
    """How the surfaces of a structure are made.

    Attributes
    ----------
    compute : Callable[[Structure], list[Surface]]
        Surfaces of a structure, one per distinct site.
    settings : Callable[[Structure], str]
        Digest of what determines them beside the structure; it names their entry in the cache.
    failures : str or None
        What else decides whether a structure fails; None where failures are not remembered.
    """

    compute: Callable[[Structure], list[Surface]]
    settings: Callable[[Structure], str]
    failures: str | None = None


def open_engine(name: str, config: Config, files: Mapping[str, str]) -> OpenEngine:
    """Open an engine for a job.

    Parameters
    ----------
    name : str
        Its word in the configuration.
    config : Config
        With the engine chosen and the place of its program filled in.
    files : Mapping[str, str]
        Paths of what it needs: ``densities``, or ``probe``, the record of the probe.
    """
    module, _, function = engine_named(name).opened_by.partition(":")
    return cast("OpenEngine", getattr(import_module(module), function)(config, files))


def open_python(config: Config, files: Mapping[str, str]) -> OpenEngine:
    """Open the bundled engine with the densities of a run."""
    return python_engine(read_densities(files["densities"]), config.surfaces.mesh_level)


def open_tonto(config: Config, files: Mapping[str, str]) -> OpenEngine:
    """Open the Tonto that was probed."""
    record = read_json(files["probe"], ("version", "binary_sha256", "basis_sha256"))
    return tonto_engine(config.surfaces.tonto, record)


def python_engine(densities: Densities, mesh_level: int) -> OpenEngine:
    """Give the bundled engine."""
    from hirshprint.hirshfeld.python.engine import compute_surfaces

    compile_once()
    tables: dict[int, str] = {}
    grid = densities.r_bohr.tobytes().hex()

    def settings(structure: Structure) -> str:
        numbers = sorted({int(number) for number in structure.numbers})
        for z in numbers:
            if z not in tables:
                tables[z] = digest(densities.source, grid, densities.density[z - 1].tobytes().hex())
        return digest([tables[z] for z in numbers], mesh_level, versions.SURFACE_ALGORITHM)

    def compute(structure: Structure) -> list[Surface]:
        with compiling_said():
            return compute_surfaces(structure, densities, mesh_level)

    return OpenEngine(compute, settings)


def tonto_engine(settings: Tonto, record: Mapping[str, Any]) -> OpenEngine:
    """Give the Tonto engine, after a look whether the Tonto that was probed is the one on this machine.

    Parameters
    ----------
    settings : Tonto
        That section of the configuration, with the paths filled in.
    record : Mapping
        What the probe recorded.

    Raises
    ------
    OSError
        It is not.
    """
    from hirshprint.hirshfeld.tonto import run as program
    from hirshprint.hirshfeld.tonto.engine import compute_surfaces
    from hirshprint.hirshfeld.tonto.installation import Installation, read_identity
    from hirshprint.hirshfeld.tonto.probe import check_identity

    identity = read_identity(dict(record))
    installation = Installation(settings.binary, settings.basis_directory)
    check_identity(installation, identity)
    tonto = program.Tonto(
        installation=installation,
        engine=identity.name,
        separation_bohr=settings.separation_bohr,
        time_limit_seconds=settings.time_limit_seconds,
        keep_scratch=settings.keep_scratch,
    )
    key = digest(identity.name, tonto.separation_bohr, versions.TONTO_ALGORITHM)
    return OpenEngine(
        lambda structure: compute_surfaces(structure, tonto), lambda _: key, failures=f"{tonto.time_limit_seconds:g}"
    )
