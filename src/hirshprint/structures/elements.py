"""Chemical elements: symbols by atomic number, and tabulated properties for models of composition."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hirshprint.structures.symbols import SYMBOLS

PROPERTIES: tuple[str, ...] = (
    "atomic_number",
    "row",
    "group",
    "block",
    "mendeleev_number",
    "atomic_mass_u",
    "electronegativity",
    "atomic_radius_angstrom",
    "calculated_radius_angstrom",
    "van_der_waals_radius_angstrom",
    "metallic_radius_angstrom",
    "ionic_radius_angstrom",
    "smallest_ionic_radius_angstrom",
    "largest_ionic_radius_angstrom",
    "lowest_oxidation_state",
    "highest_oxidation_state",
    "first_ionization_energy_ev",
    "second_ionization_energy_ev",
    "third_ionization_energy_ev",
    "electron_affinity_ev",
    "s_electrons_outside_core",
    "p_electrons_outside_core",
    "d_electrons_outside_core",
    "f_electrons_outside_core",
    "molar_volume_cm3_per_mol",
    "melting_point_kelvin",
)

LAWRENCIUM = 103
"""The last element with a free-atom density."""

_COORDINATION = {
    name: number + 1
    for number, name in enumerate(
        ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII", "XIII", "XIV")
    )
}


def element_properties(symbols: Sequence[str]) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """Look up properties of elements in pymatgen's table.

    Returns
    -------
    names : tuple of str
        Names of the p properties, with units at their end (``PROPERTIES``).
    values : ndarray of float64, (n, p)
        A row per symbol; NaN where the table has no value.

    Raises
    ------
    ValueError
        A symbol that is not an element.
    """
    if unknown := sorted(set(symbols) - set(SYMBOLS)):
        raise ValueError(f"not chemical elements: {', '.join(unknown)}")
    return PROPERTIES, np.array([_row(str(symbol)) for symbol in symbols]).reshape(-1, len(PROPERTIES))


def filled_properties(names: Sequence[str]) -> NDArray[np.float64]:
    """Look up properties of all elements; one without a value has the mean of those up to lawrencium.

    Parameters
    ----------
    names : sequence of str
        Some of `PROPERTIES`.

    Returns
    -------
    ndarray of float64, (len(SYMBOLS), len(names))
        Row Z - 1.
    """
    known, values = element_properties(SYMBOLS)
    chosen = values[:, [known.index(name) for name in names]]
    return np.where(np.isfinite(chosen), chosen, np.nanmean(chosen[:LAWRENCIUM], axis=0))


@cache
def _row(symbol: str) -> tuple[float, ...]:
    from pymatgen.core import Element

    element = Element(symbol)
    with warnings.catch_warnings():  # pymatgen warns of each value it lacks; those become NaN here
        warnings.filterwarnings("ignore", message="No data available for")
        warnings.filterwarnings("ignore", message="No Pauling electronegativity for")
        radii = [float(radius) for radius in element.ionic_radii.values()]
        states = element.oxidation_states
        energies = [*element.data.get("Ionization energies", []), None, None, None][:3]
        structure = element.data.get("Electronic structure", {}).get("0")
        shells = dict.fromkeys("spdf", 0.0 if structure else math.nan)
        for orbital, electrons in re.findall(r"\d([spdf])(\d+)", structure or ""):
            shells[orbital] += float(electrons)
        return (
            float(element.Z),
            float(element.row),
            float(element.group),
            float("spdf".index(element.block)),
            _value(element, "mendeleev_no"),
            _value(element, "atomic_mass"),
            _value(element, "X"),
            _value(element, "atomic_radius"),
            _value(element, "atomic_radius_calculated"),
            _value(element, "van_der_waals_radius"),
            _value(element, "metallic_radius"),
            sum(radii) / len(radii) if radii else math.nan,
            min(radii, default=math.nan),
            max(radii, default=math.nan),
            float(min(states, default=math.nan)),
            float(max(states, default=math.nan)),
            *(math.nan if energy is None else energy for energy in energies),
            _value(element, "electron_affinity"),
            *shells.values(),
            _value(element, "molar_volume"),
            _value(element, "melting_point"),
        )


@cache
def oxidation_states(symbol: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Common oxidation states of an element and all that are known, from pymatgen's table; may be empty."""
    from pymatgen.core import Element

    element = Element(symbol)
    common = tuple(int(state) for state in element.common_oxidation_states)
    return common, tuple(sorted({*common, *(int(state) for state in element.oxidation_states)}))


@cache
def shannon_radius(symbol: str, charge: int, coordination: int) -> float:
    """Effective ionic radius of Shannon, Å, at the tabulated coordination number nearest to the one asked for.

    Of two equally near the larger counts, of two spin states the high one, of two geometries the regular one. From
    pymatgen's copy of R. D. Shannon, Acta Cryst. A32, 751 (1976). NaN where the ion is not tabulated.
    """
    from pymatgen.core import Element

    table = (Element(symbol).data.get("Shannon radii") or {}).get(str(charge), {})
    if not table:
        return math.nan

    def distance(name: str) -> tuple[int, int, str]:
        number = _COORDINATION[re.sub("(SQ|PY)$", "", name)]
        return abs(number - coordination), -number, name

    by_spin = table[min(table, key=distance)]
    spin = next(spin for spin in ("", "High Spin", "Low Spin") if spin in by_spin)
    return float(by_spin[spin]["ionic_radius"])


def _value(element: Any, name: str) -> float:
    """One number of a pymatgen element; NaN when the table lacks it (newer elements lack whole columns)."""
    try:
        value = getattr(element, name)
    except KeyError:
        return math.nan
    return math.nan if value is None else float(value)
