"""Tables of a crystal's surfaces: a row of figures for each site, and for each contact."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hirshprint.fingerprints.contacts import site_contacts
from hirshprint.hirshfeld.properties import contact_share, sphericity
from hirshprint.hirshfeld.surface import Surface
from hirshprint.structures.structure import Structure
from hirshprint.structures.symbols import SYMBOLS


def site_rows(surfaces: Sequence[Surface]) -> list[dict[str, Any]]:
    """One row of figures per site: Å, Å², Å³; `contact_<element>` is the share of its area, 0 where there is none."""
    shares = [contact_share(surface) for surface in surfaces]
    met = sorted({z for share in shares for z in share})
    return [
        {
            "site": surface.site_label,
            "element": SYMBOLS[surface.inside_number - 1],
            "multiplicity": surface.multiplicity,
            "area_angstrom2": surface.area,
            "volume_angstrom3": surface.volume,
            "sphericity": sphericity(surface),
            "d_i_min_angstrom": float(surface.d_i.min()),
            "d_i_max_angstrom": float(surface.d_i.max()),
            "d_e_min_angstrom": float(surface.d_e.min()),
            "d_e_max_angstrom": float(surface.d_e.max()),
            **{f"contact_{SYMBOLS[z - 1]}": share.get(z, 0.0) for z in met},
            "open_fraction": surface.open_fraction,
            "engine": surface.engine,
            "density_source": surface.density_source,
            "mesh_level": surface.level or 0,
        }
        for surface, share in zip(surfaces, shares, strict=True)
    ]


def contact_rows(structure: Structure, surfaces: Sequence[Surface]) -> list[dict[str, Any]]:
    """One row of figures per contact (`fingerprints.contacts`): Å, Å²; those of a site largest share first."""
    rows = []
    for surface in surfaces:
        found = site_contacts(surface)
        for k in np.argsort(-found.areas, kind="stable").tolist():
            met = int(found.sites[k])
            rows.append(
                {
                    "site": surface.site_label,
                    "element": SYMBOLS[surface.inside_number - 1],
                    "met_site": structure.site_labels[met],
                    "met_element": SYMBOLS[structure.numbers[structure.site_atom[met]] - 1],
                    "atoms": int(found.atoms[k]),
                    "distance_angstrom": float(found.distances[k]),
                    "area_angstrom2": float(found.areas[k]),
                    "share": float(found.areas[k] / surface.area),
                    "d_i_mean_angstrom": float(found.means[k, 0]),
                    "d_e_mean_angstrom": float(found.means[k, 1]),
                    "d_i_deviation_angstrom": float(found.deviations[k, 0]),
                    "d_e_deviation_angstrom": float(found.deviations[k, 1]),
                    "least_sum_angstrom": float(found.least[k]),
                }
            )
    return rows
