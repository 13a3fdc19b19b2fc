"""`hirshprint fingerprint`: the fingerprint of one structure as a file, and its picture by contact."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hirshprint.batch.gathering import write_fingerprints
from hirshprint.batch.keys import surface_key
from hirshprint.commands.inputs import default_fingerprint, find_densities, read_input, surfaces_of
from hirshprint.commands.json_output import print_json
from hirshprint.config.model import Fingerprint
from hirshprint.densities import Densities
from hirshprint.files.writing import digest
from hirshprint.fingerprints.binning import fingerprint_of
from hirshprint.fingerprints.contact_kinds import contact_fingerprints
from hirshprint.fingerprints.layout import COUNTS_UNIT, bin_edges
from hirshprint.hirshfeld.engines import python_engine
from hirshprint.hirshfeld.surface import Surface
from hirshprint.structures.structure import Structure
from hirshprint.structures.summary import crystal_facts, summary_line
from hirshprint.structures.symbols import SYMBOLS
from hirshprint.versions import FINGERPRINT_FORMAT


def run(arguments: argparse.Namespace) -> None:
    """Write the fingerprint file, and the picture if one is asked for."""
    structure = read_input(arguments.structure, arguments.edge)
    if not arguments.json:
        print(summary_line(structure), flush=True)
    densities = find_densities(arguments.densities)
    surfaces = surfaces_of(structure, densities)
    settings = replace(default_fingerprint(), weighting=arguments.weighting)
    write_fingerprints(
        {structure.structure_id: surfaces},
        settings,
        arguments.out,
        _definition(structure, surfaces, densities, settings),
        structure.site_labels,
    )
    contacts = contact_fingerprints(surfaces, settings.bins)
    counts, in_range = fingerprint_of(surfaces, replace(settings, channels=["total"]))
    written = [arguments.out]
    if arguments.picture:
        _draw(structure, counts[0], float(in_range[0]), settings, contacts, arguments.picture)
        written.append(arguments.picture)
    if arguments.json:
        shares = [
            {"inside": SYMBOLS[inside - 1], "outside": SYMBOLS[outside - 1], "share": share}
            for (inside, outside), (_, share) in contacts.items()
        ]
        facts = {"structure_id": structure.structure_id, **crystal_facts(structure)}
        print_json({**facts, "contacts": shares, "outside_bins_fraction": 1 - in_range[0], "written": written})
        return
    print(f"{structure.structure_id}: contacts, inside → outside atom, and their shares of the area of all atoms")
    for (inside, outside), (_, share) in contacts.items():
        print(f"  {SYMBOLS[inside - 1]:2} → {SYMBOLS[outside - 1]:2} {100 * share:6.2f} %")
    if in_range[0] < 1 - 5e-5:
        print(f"  {100 * (1 - in_range[0]):.2f} % are outside the bins")
    print(f"written: {', '.join(str(path) for path in written)}")


def _definition(structure: Structure, surfaces: Sequence[Surface], densities: Densities, settings: Fingerprint) -> str:
    """Digest of everything that determines the fingerprint."""
    engine = python_engine(densities, surfaces[0].level or 0)
    return digest(surface_key(structure, engine), settings.written(), FINGERPRINT_FORMAT)


def _draw(
    structure: Structure,
    counts: NDArray[np.float32],
    in_range: float,
    settings: Fingerprint,
    contacts: dict[tuple[int, int], tuple[NDArray[np.float64], float]],
    path: Path,
) -> None:
    from hirshprint.report.pictures.files import write_picture
    from hirshprint.report.pictures.fingerprints import fingerprint_picture

    edges = bin_edges(settings.bins)
    unit = COUNTS_UNIT[settings.weighting, settings.normalise]
    write_picture(fingerprint_picture(structure.structure_id, counts, edges, unit, in_range, contacts), path)
