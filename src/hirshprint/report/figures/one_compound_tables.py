"""Tables of one compound: its surfaces, its fingerprints by edge, its atoms against the cell as a whole."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from hirshprint.fingerprints.compound_file import Compound
from hirshprint.hirshfeld.surface import Surface
from hirshprint.report.fingerprint_panel import D_E, D_I
from hirshprint.structures.symbols import SYMBOLS

DISTANCES = {"d_i": D_I, "d_e": D_E}
"""Labels of the distances that a surface is coloured by."""


def surface_table(compound: Compound) -> pd.DataFrame:
    """One row per distinct atom and one for all: area, volume, ranges of d_i and d_e; Å, Å², Å³, per atom."""
    rows = [_surface_row(mesh) for mesh in compound.meshes]
    factors = [mesh.multiplicity for mesh in compound.meshes]
    table = pd.DataFrame(rows)
    every: dict[str, Any] = {"site": "all", "element": "", "multiplicity": sum(factors)}
    every |= {
        name: float(table[name].to_numpy() @ np.array(factors)) for name in ("area_angstrom2", "volume_angstrom3")
    }
    every |= {f"{d}_min_angstrom": table[f"{d}_min_angstrom"].min() for d in DISTANCES}
    every |= {f"{d}_max_angstrom": table[f"{d}_max_angstrom"].max() for d in DISTANCES}
    table = pd.concat([table, pd.DataFrame([every])], ignore_index=True)
    table.insert(0, "structure_id", compound.structure.structure_id)
    return table


def _surface_row(mesh: Surface) -> dict[str, Any]:
    row: dict[str, Any] = {
        "site": mesh.site_label,
        "element": SYMBOLS[mesh.inside_number - 1] if mesh.inside_number else "",
        "multiplicity": mesh.multiplicity,
        "area_angstrom2": mesh.area,
        "volume_angstrom3": mesh.volume,
    }
    for name in DISTANCES:
        values = getattr(mesh, name)
        row |= {f"{name}_min_angstrom": float(values.min()), f"{name}_max_angstrom": float(values.max())}
    return row


def pattern_table(compound: Compound) -> pd.DataFrame:
    """One row per edge: area, mean d_i and d_e, share of the area that falls into the bins."""
    middle = (compound.bin_edges[:-1] + compound.bin_edges[1:]) / 2
    rows = []
    for edge, counts, share in zip(compound.edges, compound.counts_by_edge, compound.in_range_by_edge, strict=True):
        total = float(counts.sum())
        rows.append(
            {
                "formula": compound.structure.structure_id.split("-a")[0],
                "edge_angstrom": edge,
                "area_in_bins_angstrom2": total,
                "filled_bins": int((counts > 0).sum()),
                "mean_d_i_angstrom": float(counts.sum(axis=1) @ middle) / total,
                "mean_d_e_angstrom": float(counts.sum(axis=0) @ middle) / total,
                "in_range_fraction": share,
            }
        )
    return pd.DataFrame(rows)


def whole_cell_table(compound: Compound) -> pd.DataFrame:
    """Two rows: the surfaces of all atoms, and the one surface around the cell; Å, Å², Å³ per formula unit."""
    atoms = surface_table(compound).iloc[-1].to_dict()
    cell = _surface_row(compound.cell)
    rows = []
    for name, row, counts in (("five atoms", atoms, compound.counts), ("whole cell", cell, compound.cell_counts)):
        kept = {
            str(key): value for key, value in row.items() if str(key).endswith(("angstrom", "angstrom2", "angstrom3"))
        }
        shares = counts[counts > 0] / counts.sum()
        filled = {"filled_bins": len(shares), "entropy_bits": float(-(shares * np.log2(shares)).sum())}
        rows.append({"structure_id": compound.structure.structure_id, "surfaces": name} | kept | filled)
    return pd.DataFrame(rows)
