"""Symbols of the chemical elements (light: read while the Snakefile is parsed)."""

from __future__ import annotations

import re
import unicodedata

SYMBOLS: tuple[str, ...] = tuple(
    """H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr
    Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu
    Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr Rf Db Sg
    Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og""".split()  # noqa: SIM905
)
"""Symbols of Z = 1 to 118; atomic number Z is at Z - 1."""
MAX_ATOMIC_NUMBER = 103  # the last element with a free-atom density


def element_fault(symbol: str) -> tuple[str, str] | None:
    """Say what is wrong with an element symbol, and what to do; None if nothing is."""
    if symbol not in SYMBOLS:
        other = next((letter for letter in symbol if not letter.isascii()), "")
        of_letter = f" (with the letter {unicodedata.name(other, 'without a name')})" if other else ""
        near = symbol.strip().capitalize()
        remedy = f"write {near}" if near in SYMBOLS else "write an element symbol such as Sr"
        return f"unknown element {symbol!r}{of_letter}", remedy
    if SYMBOLS.index(symbol) + 1 > MAX_ATOMIC_NUMBER:
        return (
            f"element {symbol} has no free-atom density (the table ends at Lr, Z = {MAX_ATOMIC_NUMBER})",
            "leave it out",
        )
    return None


def atomic_number(symbol: str) -> int:
    """Atomic number of an element symbol."""
    return SYMBOLS.index(symbol) + 1


def composition(formula: str) -> dict[str, float]:
    """Count the atoms of a formula without brackets, such as ``SrTi0.5O3``.

    Raises
    ------
    ValueError
        The formula is not a row of element symbols with optional numbers.
    """
    pairs = re.findall(r"([A-Z][a-z]?)(\d*\.?\d*)", formula)
    if not pairs or "".join(symbol + number for symbol, number in pairs) != formula:
        raise ValueError(f"cannot read the formula '{formula}'; write it like SrTiO3, without brackets")
    counts: dict[str, float] = {}
    for symbol, number in pairs:
        if symbol not in SYMBOLS:
            raise ValueError(f"'{symbol}' in the formula '{formula}' is not an element")
        counts[symbol] = counts.get(symbol, 0.0) + (float(number) if number else 1.0)
    return counts


def formula_key(formula: str) -> str:
    """Write a formula so that equal compositions are equal texts; one that cannot be read stays as it is."""
    try:
        counts = composition(formula)
    except ValueError:
        return formula
    least = min(counts.values())
    return " ".join(f"{symbol}{counts[symbol] / least:.4g}" for symbol in sorted(counts))
