"""The surfaces that the report shows in three dimensions: which, gathered from the batches, and packed for the page."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hirshprint.accuracy.predictions import main_split, read_predictions, read_targets
from hirshprint.accuracy.standing import headline_metrics, headline_rows, shown_model
from hirshprint.batch.file import read_surfaces
from hirshprint.files.reading import read_npz, reading
from hirshprint.files.writing import written_whole
from hirshprint.report.figures import FingerprintFile, open_fingerprints
from hirshprint.structures.symbols import SYMBOLS
from hirshprint.surfaces.surface import Surface, pack_surfaces, unpack_surfaces

MOST = 200  # compounds of a dataset with surfaces on the page
STEPS = 32_767  # of a vertex's coordinate between the centre and the furthest vertex


def shown_structures(targets: pd.DataFrame, file: FingerprintFile) -> pd.DataFrame:
    """Rows of `targets`, one per compound: its first structure that has a fingerprint."""
    return targets[targets["structure_id"].isin(list(file.rows))].drop_duplicates("compound")


def choose_compounds(
    compounds: Sequence[str], predictions: pd.DataFrame | None, named: Sequence[str], count: int = MOST
) -> list[str]:
    """Choose compounds whose surfaces are worth a look.

    Parameters
    ----------
    compounds : all that have a fingerprint.
    predictions : those of the dataset; None where nothing was learned.
    named : compounds that come first, whatever was predicted.
    count : how many to choose, besides those named.

    Returns
    -------
    Those named, then in turn the largest test errors and the largest stated standard deviations of the model that
    `shown_model` names (main split). Without predictions: compounds evenly spread over the list.
    """
    known = set(compounds)
    first = [name for name in dict.fromkeys(named) if name in known]
    if predictions is None:
        rest = [compounds[i] for i in np.linspace(0, max(len(compounds) - 1, 0), count).astype(int)[: len(compounds)]]
    else:
        split = main_split(predictions)
        rows = headline_rows(predictions, split)
        model = shown_model(headline_metrics(rows, split))
        rows = rows[(rows["model"] == model) & (rows["part"] == "test")]
        error = (rows["predicted"] - rows["true"]).abs()
        orders = [size.sort_values(ascending=False, kind="stable").index for size in (error, rows["std"].dropna())]
        names = [rows.loc[order, "compound"] for order in orders]
        rest = [name for name in chain.from_iterable(zip_longest(*names)) if name in known]
    return list(dict.fromkeys([*first, *rest]))[: max(count, len(first))]


def write_shown_surfaces(
    predictions: Path | None,
    fingerprints: Path,
    targets: Path,
    batches: Sequence[Path],
    named: Sequence[str],
    path: Path,
) -> None:
    """Gather the surfaces of the chosen compounds in one file of the form of a batch file, in the order of choice.

    Parameters
    ----------
    predictions, fingerprints, targets : files of ``results/<dataset>/``; no predictions where nothing was learned.
    batches : files with the surfaces of all structures.
    named : see `choose_compounds`.
    path : the file to write.
    """
    rows = shown_structures(read_targets(targets), open_fingerprints(fingerprints)).set_index("compound")
    table = None if predictions is None else read_predictions(predictions)
    chosen = [str(rows.at[name, "structure_id"]) for name in choose_compounds(list(rows.index), table, named)]
    found: dict[str, list[Surface]] = {}
    for batch in batches:
        found |= read_surfaces(batch, set(chosen))
    print(f"{len(found)} of {len(rows)} compounds are shown in three dimensions", file=sys.stderr)
    if missing := sorted(set(named) - set(rows.index)):
        print(f"named under report.compounds, but not in this dataset: {', '.join(missing)}", file=sys.stderr)
    with written_whole(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **pack_surfaces({name: found[name] for name in chosen if name in found}))


def read_shown_surfaces(path: Path) -> dict[str, list[Surface]]:
    """Read what `write_shown_surfaces` wrote."""
    with reading(path):
        return unpack_surfaces(read_npz(path))


def page_meshes(
    surfaces: Mapping[str, list[Surface]], budget: int
) -> tuple[list[dict[str, Any]], dict[str, NDArray[Any]]]:
    """Describe meshes for the page: wedges about the nucleus and the operations that complete them.

    Parameters
    ----------
    surfaces : by structure, the most wanted first.
    budget : bytes that the arrays may take before compression; structures beyond are left out.

    Returns
    -------
    A dict for each structure with its id and `sites`: label, element, multiplicity, area, volume, number of
    `vertices`, row of `triangles` and `operations`, `scale` (Å of a vertex's step), `low` and `high` of d_i and d_e.
    Arrays: `mesh_xyz` int16, `mesh_d` uint16 (d_i, then d_e of each site, between low and high), `mesh_triangles`,
    `mesh_triangle_offsets`, `mesh_operations` (k, 3, 3), `mesh_operation_offsets`.
    """
    described: list[dict[str, Any]] = []
    kept: dict[str, list[NDArray[Any]]] = {"triangles": [], "operations": []}
    rows: dict[bytes, int] = {}
    places: list[NDArray[Any]] = [np.empty(0, np.int16)]
    distances: list[NDArray[Any]] = [np.empty(0, np.uint16)]
    size = 0

    def row_of(name: str, part: NDArray[Any]) -> int:
        """Row of an array among those that are kept once."""
        nonlocal size
        key = name.encode() + part.tobytes()
        if key not in rows:
            rows[key] = len(kept[name])
            kept[name].append(part)
            size += part.nbytes
        return rows[key]

    for name, sites in surfaces.items():
        if size > budget:
            break
        listed = []
        for site in sites:
            about = site.vertices - site.centre
            scale = float(np.abs(about).max()) / STEPS
            site_distances = [site.d_i, site.d_e]
            limits = [[float(d.min()), float(d.max())] for d in site_distances]
            places.append(np.round(about / scale).astype(np.int16).ravel())
            for d, (low, high) in zip(site_distances, limits, strict=True):
                distances.append(np.round((d - low) / max(high - low, 1e-9) * 65535).astype(np.uint16))
            size += 10 * len(about)
            listed.append(
                {
                    "label": site.site_label,
                    "element": SYMBOLS[site.inside_number - 1],
                    "multiplicity": site.multiplicity,
                    "area": round(site.area, 3),
                    "volume": round(site.volume, 3),
                    "vertices": len(about),
                    "triangles": row_of("triangles", site.triangles.astype(np.uint32)),
                    "operations": row_of("operations", site.operations.astype(np.float32)),
                    "scale": scale,
                    "d_i": limits[0],
                    "d_e": limits[1],
                }
            )
        described.append({"id": name, "sites": listed})
    arrays: dict[str, NDArray[Any]] = {"mesh_xyz": np.concatenate(places), "mesh_d": np.concatenate(distances)}
    for name, dtype in (("triangles", np.uint32), ("operations", np.float32)):
        parts = [part.ravel() for part in kept[name]]
        arrays[f"mesh_{name}"] = np.concatenate([np.empty(0, dtype), *parts]).astype(dtype)
        arrays[f"mesh_{name}_offsets"] = np.cumsum([0, *map(len, parts)]).astype(np.uint32)
    return described, arrays
