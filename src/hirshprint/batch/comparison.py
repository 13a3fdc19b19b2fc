"""Both engines on the same structures: how far their surfaces and fingerprints differ."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from hirshprint.batch.binning import Binning
from hirshprint.batch.run import run_batch
from hirshprint.config.model import Fingerprint
from hirshprint.files.reading import read_npz, table_written
from hirshprint.files.writing import digest
from hirshprint.fingerprints.binning import fingerprint_of
from hirshprint.hirshfeld.engines import OpenEngine
from hirshprint.hirshfeld.registry import COMPARED
from hirshprint.hirshfeld.surface import Surface, unpack_surfaces
from hirshprint.structures.structure import Structure
from hirshprint.structures.symbols import SYMBOLS

COMPARED_FILE = "=compared.npz"  # file of the cache; no batch can have this name
COLUMNS = (
    "structure_id",
    "site_label",
    "element",
    "quantity",
    "unit",
    *(engine.name for engine in COMPARED),
    "difference",
)


def sample(structures: Sequence[Structure], count: int) -> list[Structure]:
    """Choose some structures by the hashes of their ids, so that further ones change little; in their order."""
    chosen = sorted(structures, key=lambda structure: digest(structure.structure_id))[:count]
    names = {structure.structure_id for structure in chosen}
    return [structure for structure in structures if structure.structure_id in names]


def compare_engines(
    structures: Sequence[Structure],
    engines: Sequence[tuple[OpenEngine, Path]],
    fingerprint: Fingerprint,
) -> list[dict[str, Any]]:
    """Compute structures with both engines, or take them from the cache, and compare.

    Parameters
    ----------
    structures : sequence of Structure
        What to compute, in the order of the rows.
    engines : sequence of tuple (OpenEngine, Path)
        Python and Tonto, each with its folder of the cache for the dataset.
    fingerprint : Fingerprint
        Settings of the fingerprint that is compared.

    Returns
    -------
    list of dict
        Rows with `COLUMNS`: per site the limits of d_i and d_e (Å), area (Å²) and volume (Å³), per structure the L1
        distance of the fingerprints of all atoms, each of sum 1 (so between 0 and 2). `difference` is Tonto - Python.
        Structures that an engine fails on are left out.
    """
    by_engine = [_surfaces(structures, engine, folder, fingerprint) for engine, folder in engines]
    rows: list[dict[str, Any]] = []
    for structure in structures:
        name = structure.structure_id
        if all(name in found for found in by_engine):
            one, other = (found[name] for found in by_engine)
            rows += [row for pair in zip(one, other, strict=True) for row in _site_rows(name, *pair)]
            rows.append(_fingerprint_row(name, one, other, fingerprint))
    return rows


def _surfaces(
    structures: Sequence[Structure], engine: OpenEngine, kept: Path, fingerprint: Fingerprint
) -> dict[str, list[Surface]]:
    with TemporaryDirectory() as folder:
        out = Path(folder) / "surfaces.npz"
        run_batch(structures, engine, Binning(fingerprint), kept / COMPARED_FILE, out)
        return unpack_surfaces(read_npz(out))


def _site_rows(name: str, python: Surface, tonto: Surface) -> list[dict[str, Any]]:
    element = SYMBOLS[python.inside_number - 1]
    both = zip(_figures(python).items(), _figures(tonto).values(), strict=True)
    return [
        {
            "structure_id": name,
            "site_label": python.site_label,
            "element": element,
            "quantity": quantity,
            "unit": unit,
            **{engine.name: f"{value:.5f}" for engine, value in zip(COMPARED, (one, other), strict=True)},
            "difference": f"{other - one:.5f}",
        }
        for ((quantity, unit), one), other in both
    ]


def _figures(surface: Surface) -> dict[tuple[str, str], float]:
    return {
        ("d_i min", "Å"): float(surface.d_i.min()),
        ("d_i max", "Å"): float(surface.d_i.max()),
        ("d_e min", "Å"): float(surface.d_e.min()),
        ("d_e max", "Å"): float(surface.d_e.max()),
        ("area", "Å²"): surface.area,
        ("volume", "Å³"): surface.volume,
    }


def _fingerprint_row(
    name: str, python: Sequence[Surface], tonto: Sequence[Surface], settings: Fingerprint
) -> dict[str, Any]:
    alike = replace(settings, channels=["total"], normalise="sum")
    one, other = (fingerprint_of(surfaces, alike)[0] for surfaces in (python, tonto))
    row = dict.fromkeys(COLUMNS, "")
    distance = f"{np.abs(other - one).sum():.5f}"
    return row | {"structure_id": name, "site_label": "all", "quantity": "fingerprint L1", "difference": distance}


def write_comparison(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write the rows of `compare_engines` as CSV."""
    with table_written(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
