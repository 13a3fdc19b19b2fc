"""Atomic radii of Slater, and the edge at which such spheres touch (light: read while the Snakefile is parsed)."""

from __future__ import annotations

import math
from collections.abc import Sequence

SLATER_ANGSTROM: dict[str, float] = {
    word.split()[0]: float(word.split()[1])
    for word in """
    H 0.25, Li 1.45, Be 1.05, B 0.85, C 0.70, N 0.65, O 0.60, F 0.50, Na 1.80, Mg 1.50, Al 1.25, Si 1.10,
    P 1.00, S 1.00, Cl 1.00, Ar 0.71, K 2.20, Ca 1.80, Sc 1.60, Ti 1.40, V 1.35, Cr 1.40, Mn 1.40, Fe 1.40,
    Co 1.35, Ni 1.35, Cu 1.35, Zn 1.35, Ga 1.30, Ge 1.25, As 1.15, Se 1.15, Br 1.15, Rb 2.35, Sr 2.00, Y 1.80,
    Zr 1.55, Nb 1.45, Mo 1.45, Tc 1.35, Ru 1.30, Rh 1.35, Pd 1.40, Ag 1.60, Cd 1.55, In 1.55, Sn 1.45, Sb 1.45,
    Te 1.40, I 1.40, Cs 2.60, Ba 2.15, La 1.95, Ce 1.85, Pr 1.85, Nd 1.85, Pm 1.85, Sm 1.85, Eu 1.85, Gd 1.80,
    Tb 1.75, Dy 1.75, Ho 1.75, Er 1.75, Tm 1.75, Yb 1.75, Lu 1.75, Hf 1.55, Ta 1.45, W 1.35, Re 1.35, Os 1.30,
    Ir 1.35, Pt 1.35, Au 1.35, Hg 1.50, Tl 1.90, Pb 1.80, Bi 1.60, Po 1.90, Ra 2.15, Ac 1.95, Th 1.80, Pa 1.80,
    U 1.75, Np 1.75, Pu 1.75, Am 1.75
    """.strip().split(",")
}
"""J. C. Slater, J. Chem. Phys. 41, 3199 (1964), as pymatgen tabulates it; the distance of two bonded atoms is about the
sum of their radii, whatever the kind of bond. He, Ne, Kr, Xe, At, Rn, Fr and the elements beyond Am have none."""


def touching_edge(elements: Sequence[str]) -> float:
    """Edge in Å of the cubic perovskite in which spheres A, B, X touch: the greater of √2 (r_A + r_X), 2 (r_B + r_X).

    It knows the composition alone. NaN where a radius is not tabulated.
    """
    r_a, r_b, r_x = (SLATER_ANGSTROM.get(element, math.nan) for element in elements)
    return math.nan if math.isnan(r_a + r_b + r_x) else max(math.sqrt(2) * (r_a + r_x), 2 * (r_b + r_x))
