"""Chemical formulas as files spell them, and whether the atoms of a cell make them up."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from pymatgen.core import Composition

BREAKS = r"[,;·•∙⋅*]"  # between the parts of a formula: CaSO4·2H2O


def formula_meanings(text: str) -> list[dict[str, float]]:
    """Find what a formula may mean: amounts by element; deuterium counts as hydrogen.

    Parameters
    ----------
    text : str
        ``Ca Ti O3``, ``Mg (O H)2``, ``C4 H4 O4 2-``, ``Ca S O4, 2(H2 O)``, ``CaSO4.2H2O`` (which may also be O4.2), in
        capitals: ``CA TI O3``.

    Returns
    -------
    list of dict
        None, one, or several where it can be read in several ways.
    """
    text = re.sub(r"(?:(?<=\s)|^)\d*[+-](?=[\s,)]|$)", "", text.strip().strip("'\""))
    text = re.sub(r"[_~]", "", text).translate(str.maketrans("[]{}", "()()"))
    capitals = re.sub(r"[A-Z]{2}(?![a-z])", lambda match: match[0].capitalize(), text)
    spellings = dict.fromkeys([text, re.sub(r"\.(?=\d*\(?[A-Z])", ",", text), capitals])
    return [amounts for amounts in map(_amounts, spellings) if amounts]


def _amounts(text: str) -> dict[str, float]:
    """Amounts by element; empty where it is no formula."""
    total: Counter[str] = Counter()
    for part in filter(None, (part.strip() for part in re.split(BREAKS, text))):
        times = re.match(r"(\d+\.?\d*|\.\d+)?\s*(.+)", part)
        assert times is not None  # parts are not empty
        if not re.fullmatch(r"[A-Za-z0-9.()\s]+", times[2]):
            return {}
        try:
            amounts = Composition(times[2]).get_el_amt_dict()
        except (ValueError, KeyError):
            return {}
        for symbol, amount in amounts.items():
            total["H" if symbol in ("D", "T") else symbol] += amount * float(times[1] or 1)
    return dict(total)


def formula_units(counts: Mapping[str, int], meanings: Sequence[Mapping[str, float]]) -> float | None:
    """How many formula units the atoms of a cell make; None where they do not make up the formula in any meaning.

    Amounts may be rounded as they are written: 1.33 stands for four thirds, 70 for no more and no less.
    """
    for amounts in meanings:
        if set(amounts) != set(counts):
            continue
        units = sum(counts.values()) / sum(amounts.values())
        digits = max(len(f"{amount:.6f}".rstrip("0").partition(".")[2]) for amount in amounts.values())
        allowed = units * 10.0**-digits if digits else 1e-6
        if all(abs(counts[symbol] - units * amounts[symbol]) <= allowed for symbol in counts):
            return units
    return None


def spelled(counts: Mapping[str, float]) -> str:
    """Spell counts in the order of the elements' names: ``C1 Ca1 O3``."""
    return " ".join(f"{symbol}{counts[symbol]:g}" for symbol in sorted(counts))
