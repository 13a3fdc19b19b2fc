"""`hirshprint compare`: how far two fingerprints are apart, and where they differ."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hirshprint.commands import UNUSABLE, CommandError
from hirshprint.commands.inputs import default_fingerprint, find_densities, read_input, surfaces_of
from hirshprint.commands.json_output import print_json
from hirshprint.config.model import Bins, Fingerprint
from hirshprint.files.reading import DamagedError, open_hdf5
from hirshprint.fingerprints.binning import fingerprint_of
from hirshprint.fingerprints.distances import earth_movers_distance, l1_distance
from hirshprint.fingerprints.layout import bin_edges

HDF5 = (".h5", ".hdf5")
NEEDED = ("ids", "channels", "counts", "bin_edges_angstrom", "in_range_fraction")


@dataclass(frozen=True, eq=False)
class Print:
    """A fingerprint of all atoms, with what must agree between two that are compared."""

    name: str
    counts: NDArray[np.float64]
    edges: NDArray[np.float64]
    weighting: str
    density_source: str
    outside: float


def run(arguments: argparse.Namespace) -> None:
    """Print the distances; draw the picture if one is asked for."""
    given = [arguments.first, arguments.second]
    files = [_read(text) if _split(text)[0] else None for text in given]
    known = next((file for file in files if file), None)
    settings = default_fingerprint() if known is None else _settings_of(known)
    densities = None if all(files) else find_densities(arguments.densities)
    both = [
        file or _compute(text, arguments.edge, densities, settings) for text, file in zip(given, files, strict=True)
    ]
    first, second = both
    _check(first, second)
    one, other = (fingerprint.counts / fingerprint.counts.sum() for fingerprint in both)
    l1, movers = l1_distance(one, other), earth_movers_distance(one, other, first.edges)
    if arguments.picture:
        _draw([first, second], [one, other], (l1, movers), arguments.picture)
    if arguments.json:
        distances = {"l1_distance": l1, "earth_movers_distance_angstrom": movers, "picture": arguments.picture}
        print_json({"first": _facts(first), "second": _facts(second), **distances})
        return
    print(f"first   {first.name}")
    print(f"second  {second.name}")
    print(
        f"L1 distance             {l1:.4f}     (0: equal, 2: no bin in common; each fingerprint scaled to a sum of 1)"
    )
    print(f"earth mover's distance  {movers:.4f} Å   (mean distance that area moves in the plane of dᵢ and dₑ)")
    for fingerprint in both:
        if fingerprint.outside > 5e-5:
            print(
                f"note: {100 * fingerprint.outside:.2f} % of {fingerprint.name} are outside the bins and do not count"
            )
    if first.density_source != second.density_source:
        print(f"note: the free-atom densities differ: {first.density_source} and {second.density_source}")
    if arguments.picture:
        print(f"written: {arguments.picture}")


def _facts(fingerprint: Print) -> dict[str, Any]:
    return {
        "name": fingerprint.name,
        "density_source": fingerprint.density_source,
        "outside_bins_fraction": fingerprint.outside,
    }


def _draw(
    both: Sequence[Print], shares: Sequence[NDArray[np.float64]], distances: tuple[float, float], path: Path
) -> None:
    from hirshprint.report.pictures.files import write_picture
    from hirshprint.report.pictures.fingerprints import comparison_picture

    heading = f"L1 distance {distances[0]:.3f}, earth mover's distance {distances[1]:.3f} Å"
    names = [fingerprint.name for fingerprint in both]
    write_picture(comparison_picture(names, shares, both[0].edges, heading), path)


def _split(text: str) -> tuple[Path | None, str]:
    """File and structure of ``FILE.h5`` or ``FILE.h5:STRUCTURE_ID``; None where the text names no such file."""
    if Path(text).suffix in HDF5:
        return Path(text), ""
    file, _, name = text.partition(":")
    return (Path(file), name) if Path(file).suffix in HDF5 else (None, "")


def _read(text: str) -> Print:
    """Read one structure of a fingerprint file."""
    path, name = _split(text)
    assert path is not None
    if not path.is_file():
        raise CommandError(f"{path}: there is no such file", UNUSABLE)
    try:
        with open_hdf5(path, NEEDED) as file:
            ids = [str(x) for x in file["ids"].asstr()[:]]
            channels = [str(x) for x in file["channels"].asstr()[:]]
            if not name and len(ids) != 1:
                example = ids[0] if ids else "STRUCTURE_ID"
                raise CommandError(f"{path} has {len(ids)} structures; name one: {path}:{example}", UNUSABLE)
            if name and name not in ids:
                raise CommandError(f"{path} has no structure {name}", UNUSABLE)
            if "total" not in channels:
                raise CommandError(f"{path} has no channel `total`: make it with this channel")
            row, channel = ids.index(name or ids[0]), channels.index("total")
            return Print(
                ids[row],
                np.asarray(file["counts"][row, channel], dtype=np.float64),
                np.asarray(file["bin_edges_angstrom"], dtype=np.float64),
                str(file.attrs["weighting"]),
                str(file.attrs["density_source"]),
                1.0 - float(file["in_range_fraction"][row, channel]),
            )
    except (DamagedError, KeyError) as error:
        reason = error.reason if isinstance(error, DamagedError) else "an attribute is not there"
        raise CommandError(f"{path} is not a fingerprint file, or is damaged ({reason}); make it again") from None


def _settings_of(known: Print) -> Fingerprint:
    low, high = known.edges[[0, -1]].tolist()
    bins = Bins(count=len(known.edges) - 1, low_angstrom=low, high_angstrom=high)
    return Fingerprint.from_dict({"weighting": known.weighting, "bins": bins.written()})


def _compute(text: str, edge: float, densities: Any, settings: Fingerprint) -> Print:
    """Compute the fingerprint of a file or a formula in these bins."""
    structure = read_input(text, edge)
    surfaces = surfaces_of(structure, densities)
    counts, fraction = fingerprint_of(surfaces, replace(settings, channels=["total"]))
    edges = bin_edges(settings.bins)
    total = counts[0].astype(np.float64)
    return Print(structure.structure_id, total, edges, settings.weighting, densities.source, 1.0 - float(fraction[0]))


def _check(first: Print, second: Print) -> None:
    if len(first.edges) != len(second.edges) or not np.allclose(first.edges, second.edges):
        raise CommandError(f"{first.name} and {second.name} have different bins; make one of them again")
    if first.weighting != second.weighting:
        raise CommandError(
            f"{first.name} is weighted by `{first.weighting}`, {second.name} by `{second.weighting}`; "
            "make one of them again"
        )
    for fingerprint in (first, second):
        if not fingerprint.counts.any():
            raise CommandError(f"{fingerprint.name}: no part of its surfaces is within the bins")
