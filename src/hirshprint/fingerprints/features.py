"""A crystal as one row of numbers with names: moments of its fingerprint, its bins, or statistics of its contacts.

All are means or shares over the atoms, so a supercell has the numbers of its cell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from hirshprint.config.model import Fingerprint
from hirshprint.fingerprints.binning import fingerprint_of
from hirshprint.fingerprints.contacts import site_contacts
from hirshprint.fingerprints.layout import bin_edges
from hirshprint.fingerprints.moments import moments
from hirshprint.hirshfeld.surface import Surface
from hirshprint.structures.elements import filled_properties

CHANNELS = ("total", "anion", "cation")
COARSE = 2
"""Bins along each axis that are added up to one feature."""

OF_ATOMS = (
    *("atomic_mass_u", "electronegativity", "atomic_radius_angstrom", "mendeleev_number", "row", "group"),
    *("s_electrons_outside_core", "p_electrons_outside_core", "d_electrons_outside_core", "f_electrons_outside_core"),
    *("molar_volume_cm3_per_mol", "melting_point_kelvin"),
)
"""Properties of elements (`elements.PROPERTIES`) whose statistics over the atoms belong to those of contacts."""

LEAST_SHARE = 0.005
"""Share of a site's area that an atom must have to count in the statistics: of smaller patches chance decides."""


def moment_features(surfaces: Sequence[Surface]) -> dict[str, float]:
    """Area per atom, and means, deviations, skewness, kurtosis and correlation of d_i and d_e, for three channels.

    Parameters
    ----------
    surfaces : sequence of Surface
        One for each distinct site of the structure.

    Returns
    -------
    dict of str to float
        Of all atoms, of the anions and of the cations; 0 where there are none.

    Raises
    ------
    ValueError
        No part of the surfaces is within the bins.
    """
    settings = Fingerprint.from_dict({"channels": ["total", "inside"], "normalise": "none"})
    counts, _ = fingerprint_of(surfaces, settings)
    _check_filled(counts[0])
    channels = dict(zip(CHANNELS, (counts[0], counts[1], counts[2]), strict=True))
    atoms = sum(surface.multiplicity for surface in surfaces)
    span = settings.bins.high_angstrom - settings.bins.low_angstrom
    found: dict[str, float] = {}
    for channel, histogram in channels.items():
        area, mean_i, mean_e, ii, ee, iii, eee, iiii, eeee, ie, _, _ = moments(histogram).tolist()
        filled = 1.0 if area > 0 else 0.0
        of_channel = {
            "area_per_atom_angstrom2": area / atoms,
            "mean_d_i_angstrom": filled * (settings.bins.low_angstrom + span * mean_i),
            "mean_d_e_angstrom": filled * (settings.bins.low_angstrom + span * mean_e),
            "deviation_d_i_angstrom": span * ii**0.5,
            "deviation_d_e_angstrom": span * ee**0.5,
            "skewness_d_i": _over(iii, ii**1.5),
            "skewness_d_e": _over(eee, ee**1.5),
            "kurtosis_d_i": _over(iiii, ii**2),
            "kurtosis_d_e": _over(eeee, ee**2),
            "correlation": _over(ie, (ii * ee) ** 0.5),
        }
        found |= {f"{channel}_{name}": value for name, value in of_channel.items()}
    return found


def _check_filled(counts: NDArray[np.float32]) -> None:
    if not counts.any():
        raise ValueError("no part of its surfaces is within the bins of d_i and d_e")


def _over(value: float, scale: float) -> float:
    return value / scale if scale > 0 else 0.0


def bin_features(surfaces: Sequence[Surface]) -> dict[str, float]:
    """Share of the area of all atoms in each bin of d_i and d_e, 25 × 25; a name has the middle of the bin in Å.

    Parameters
    ----------
    surfaces : sequence of Surface
        One for each distinct site of the structure.

    Raises
    ------
    ValueError
        No part of the surfaces is within the bins.
    """
    settings = Fingerprint.from_dict({"channels": ["total"], "normalise": "sum"})
    counts, _ = fingerprint_of(surfaces, settings)
    _check_filled(counts[0])
    size = settings.bins.count // COARSE
    shares = counts[0].reshape(size, COARSE, size, COARSE).sum(axis=(1, 3))
    middles = bin_edges(settings.bins)[COARSE // 2 :: COARSE].tolist()
    return {
        f"share_at_d_i_{d_i:.3f}_d_e_{d_e:.3f}_angstrom": float(shares[i, e])
        for i, d_i in enumerate(middles[:size])
        for e, d_e in enumerate(middles[:size])
    }


def contact_features(surfaces: Sequence[Surface], numbers: Mapping[int, int]) -> dict[str, float]:
    """Statistics over the contacts of all atoms, weighed by area, and over the atoms.

    Parameters
    ----------
    surfaces : sequence of Surface
        One for each distinct site of the structure.
    numbers : mapping of int to int
        Atomic number of each site, by its row (`Contacts.sites`).

    Returns
    -------
    dict of str to float
        Mean, deviation, least and largest of each quantity.
    """
    columns: dict[str, list[NDArray[np.float64]]] = {}
    weights, met = [], []
    for surface in surfaces:
        contacts = site_contacts(surface)
        counted = contacts.areas / contacts.atoms >= LEAST_SHARE * surface.area
        met.append(float(contacts.atoms[counted].sum()))
        inner, outer = _properties()[surface.inside_number], _properties()[[numbers[int(k)] for k in contacts.sites]]
        mass, negativity, radius = (OF_ATOMS.index(name) for name in OF_ATOMS[:3])
        distance = contacts.distances.astype(np.float64)
        of_site = {
            "distance_angstrom": distance,
            "excess_distance_angstrom": distance - inner[radius] - outer[:, radius],
            "d_i_angstrom": contacts.means[:, 0],
            "d_e_angstrom": contacts.means[:, 1],
            "d_i_deviation_angstrom": contacts.deviations[:, 0],
            "d_e_deviation_angstrom": contacts.deviations[:, 1],
            "area_angstrom2": contacts.areas / contacts.atoms,
            "share": contacts.areas / contacts.atoms / surface.area,
            "polarity": np.abs(inner[negativity] - outer[:, negativity]),
            "electronegativity_product": inner[negativity] * outer[:, negativity],
            "reduced_mass_u": inner[mass] * outer[:, mass] / (inner[mass] + outer[:, mass]),
        }
        for name, values in of_site.items():
            columns.setdefault(name, []).append(np.asarray(values, np.float64)[counted])
        weights.append(surface.multiplicity * contacts.areas[counted].astype(np.float64))
    found: dict[str, float] = {}
    for name, parts in columns.items():
        found |= _statistics(f"contact_{name}", np.concatenate(parts), np.concatenate(weights))
    atoms = np.array([surface.multiplicity for surface in surfaces], np.float64)
    of_atoms = _properties()[[surface.inside_number for surface in surfaces]]
    for name, values in zip(OF_ATOMS, of_atoms.T, strict=True):
        found |= _statistics(f"atom_{name}", values, atoms)
    found |= _statistics("atom_area_angstrom2", np.array([surface.area for surface in surfaces]), atoms)
    found |= _statistics("atom_volume_angstrom3", np.array([surface.volume for surface in surfaces]), atoms)
    return found | _statistics("atom_contacts", np.array(met), atoms)


def _statistics(name: str, values: NDArray[np.float64], weights: NDArray[np.float64]) -> dict[str, float]:
    mean = float(np.average(values, weights=weights))
    deviation = float(np.average((values - mean) ** 2, weights=weights)) ** 0.5
    return {
        f"{name}_mean": mean,
        f"{name}_deviation": deviation,
        f"{name}_least": float(values.min()),
        f"{name}_largest": float(values.max()),
    }


@cache
def _properties() -> NDArray[np.float64]:
    """Properties `OF_ATOMS` by atomic number, row 0 empty; an element without a value has the mean of the others."""
    return np.concatenate([np.zeros((1, len(OF_ATOMS))), filled_properties(OF_ATOMS)])
