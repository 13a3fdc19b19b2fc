"""Surfaces in the form that the page's script reads: wedges, and the operations that complete them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hirshprint.hirshfeld.surface import Surface
from hirshprint.structures.symbols import SYMBOLS

STEPS = 32_767  # of a vertex's coordinate between the centre and the furthest vertex


def page_meshes(
    surfaces: Mapping[str, list[Surface]], budget: int
) -> tuple[list[dict[str, Any]], dict[str, NDArray[Any]]]:
    """Describe meshes for the page: wedges about the nucleus and the operations that complete them.

    Parameters
    ----------
    surfaces : mapping of str to list of Surface
        By structure, the most wanted first.
    budget : int
        Bytes that the arrays may take before compression; structures beyond are left out.

    Returns
    -------
    tuple (list of dict, dict of str to ndarray)
        A dict for each structure with its id and `sites`: label, element, multiplicity, area, volume, number of
        `vertices` and of `nuclei` outside, row of `triangles` and `operations`, `scale` (Å of a vertex's step), `low`
        and `high` of d_i and d_e. Arrays: `mesh_xyz` int16, `mesh_d` uint16 (d_i, then d_e of each site, between low
        and high), `mesh_nuclei` float32 (those outside, Å about the centre) and `mesh_nuclei_site` (of which site),
        `mesh_triangles`, `mesh_triangle_offsets`, `mesh_operations` (k, 3, 3), `mesh_operation_offsets`.
    """
    described: list[dict[str, Any]] = []
    kept: dict[str, list[NDArray[Any]]] = {"triangles": [], "operations": []}
    rows: dict[bytes, int] = {}
    places: list[NDArray[Any]] = [np.empty(0, np.int16)]
    distances: list[NDArray[Any]] = [np.empty(0, np.uint16)]
    nuclei: list[NDArray[Any]] = [np.empty(0, np.float32)]
    faced: list[NDArray[Any]] = [np.empty(0, np.uint16)]
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
            nuclei.append((site.outside_nuclei - site.centre).astype(np.float32).ravel())
            faced.append(site.outside_sites.astype(np.uint16))
            size += 10 * len(about) + 14 * len(site.outside_sites)
            shared = {
                "triangles": row_of("triangles", site.triangles.astype(np.uint32)),
                "operations": row_of("operations", site.operations.astype(np.float32)),
            }
            listed.append(_described(site) | shared | {"scale": scale, "d_i": limits[0], "d_e": limits[1]})
        described.append({"id": name, "sites": listed})
    lists = {"mesh_xyz": places, "mesh_d": distances, "mesh_nuclei": nuclei, "mesh_nuclei_site": faced}
    arrays: dict[str, NDArray[Any]] = {name: np.concatenate(parts) for name, parts in lists.items()}
    for name, dtype in (("triangles", np.uint32), ("operations", np.float32)):
        parts = [part.ravel() for part in kept[name]]
        arrays[f"mesh_{name}"] = np.concatenate([np.empty(0, dtype), *parts]).astype(dtype)
        arrays[f"mesh_{name}_offsets"] = np.cumsum([0, *map(len, parts)]).astype(np.uint32)
    return described, arrays


def _described(site: Surface) -> dict[str, Any]:
    """What a page says of a surface, and how many vertices and nuclei it has."""
    return {
        "label": site.site_label,
        "element": SYMBOLS[site.inside_number - 1],
        "multiplicity": site.multiplicity,
        "area": round(site.area, 3),
        "volume": round(site.volume, 3),
        "vertices": len(site.vertices),
        "nuclei": len(site.outside_sites),
    }
