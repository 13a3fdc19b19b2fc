"""The two surface engines behind one face: what computes a structure, and what its result depends on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from hirshprint import versions
from hirshprint.densities import Densities, read_densities
from hirshprint.files.reading import read_json
from hirshprint.files.writing import digest
from hirshprint.structures.structure import Structure
from hirshprint.surfaces.compiled import compile_once, compiling_said
from hirshprint.surfaces.surface import Surface


class Engine(NamedTuple):
    """How the surfaces of a structure are made.

    Attributes
    ----------
    compute : surfaces of a structure, one per distinct site.
    settings : digest of what determines them beside the structure; it names their entry in the cache.
    failures : what else decides whether a structure fails; None where failures are not remembered.
    """

    compute: Callable[[Structure], list[Surface]]
    settings: Callable[[Structure], str]
    failures: str | None = None


def chosen_engine(name: str, settings: Mapping[str, Any], files: Mapping[str, str]) -> Engine:
    """Give an engine as a job needs it.

    Parameters
    ----------
    name : ``python`` or ``tonto``.
    settings : `surfaces` of the resolved configuration.
    files : `densities`, the path of the densities, or `probe`, that of the probe's record.
    """
    if name == "tonto":
        return tonto_engine(settings["tonto"], read_json(files["probe"], ("version", "binary_sha256", "basis_sha256")))
    return python_engine(read_densities(files["densities"]), settings["mesh_level"])


def python_engine(densities: Densities, mesh_level: int) -> Engine:
    """Give the bundled engine."""
    from hirshprint.surfaces.python.engine import compute_surfaces

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

    return Engine(compute, settings)


def tonto_engine(settings: Mapping[str, Any], record: Mapping[str, Any]) -> Engine:
    """Give the Tonto engine, after a look whether the Tonto that was probed is the one on this machine.

    Parameters
    ----------
    settings : `surfaces.tonto` of the configuration, with the paths filled in.
    record : what the probe recorded.

    Raises
    ------
    OSError : it is not.
    """
    from hirshprint.surfaces.tonto.engine import compute_surfaces
    from hirshprint.surfaces.tonto.installation import Installation, read_identity
    from hirshprint.surfaces.tonto.probe import check_identity
    from hirshprint.surfaces.tonto.run import Tonto

    identity = read_identity(dict(record))
    installation = Installation(settings["binary"], settings["basis_directory"])
    check_identity(installation, identity)
    tonto = Tonto(
        installation=installation,
        engine=identity.name,
        separation_bohr=settings["separation_bohr"],
        time_limit_seconds=settings["time_limit_seconds"],
        keep_scratch=settings["keep_scratch"],
    )
    key = digest(identity.name, tonto.separation_bohr, versions.TONTO_ALGORITHM)
    return Engine(
        lambda structure: compute_surfaces(structure, tonto), lambda _: key, failures=f"{tonto.time_limit_seconds:g}"
    )
