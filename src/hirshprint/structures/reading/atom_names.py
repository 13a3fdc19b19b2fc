"""Which element an atom is, from the type or the label that a file gives it."""

from __future__ import annotations

import re
from typing import NamedTuple

from hirshprint.structures.symbols import SYMBOLS

HYDROGENS = {"oh": 1, "od": 1, "h2o": 2, "oh2": 2, "hoh": 2, "d2o": 2, "ow": 2, "wat": 2, "water": 2, "h3o": 3}
GROUPS = {**dict.fromkeys(HYDROGENS, "O"), "nh4": "N", "nd4": "N", "nh3": "N", "nh2": "N", "ch3": "C", "ch2": "C"}
HYDROGENS |= {"nh4": 4, "nd4": 4, "nh3": 3, "nh2": 2, "ch3": 3, "ch2": 2}
NO_ATOM = re.compile(r"(cg|cen|cent|centroid|cnt|ct|du|dum|dummy|bq|xx|vac|vacancy|q)[\d_()'a-d]*", re.IGNORECASE)
KNOWN = frozenset(SYMBOLS)
CHARGE = re.compile(r"\d*|[-+]+|\d*\.?\d*[-+]|[-+]\d*\.?\d*|\([A-Za-z]{3,}\)")  # behind the symbol in a type
WATER = re.compile(r"(h2o|d2o|h3o|oh2)[\d_]*", re.IGNORECASE)
GROUP_OR_SITE = re.compile(r"(SO4|CO3|NO3|PO4|ClO4|RE|REE|LN)[\d_]*")  # no one element
MIXED = re.compile(r"([A-Z][a-z]?)[^A-Za-z0-9\s'*()\"]+([A-Z][a-z]?)")  # Fe/Mg, Na-K
PART_OF_ONE = re.compile(r"[A-Z][a-z]?\d*\.\d")  # Na0.5K0.5


class AtomName(NamedTuple):
    """What a type or a label says.

    Attributes
    ----------
    symbols : tuple of str
        The elements that it may be; none where it names no element.
    hydrogens : int
        Hydrogens that it says are there besides: two of ``Wat``.
    is_atom : bool
        False for dummies, centroids, vacancies and peaks of residual density.
    """

    symbols: tuple[str, ...]
    hydrogens: int = 0
    is_atom: bool = True


NOTHING = AtomName(())


def element_of_type(text: str) -> AtomName:
    """Read an atom type: ``Ti``, ``TI``, ``Ti4+``, ``O2-``, ``Cval``, ``D``, ``H(SDS)``; ``OH``, ``Wat`` as groups."""
    text = text.strip()
    if text.lower() in GROUPS:
        return _group(text.lower())
    if NO_ATOM.fullmatch(text) and text.capitalize() not in KNOWN:
        return AtomName((), is_atom=False)
    letters = re.match(r"[A-Za-z]*", text)
    name = letters[0].capitalize() if letters else ""
    rest = text[len(name) :]
    valence = re.fullmatch(r"([A-Z][a-z]?)(val|va)", name)  # names of scattering factors: Cval, Siva
    name = valence[1] if valence else name
    if CHARGE.fullmatch(rest) and (symbol := _symbol(name)):
        return AtomName((symbol,))
    return NOTHING


def element_of_label(text: str) -> AtomName:
    """Read an atom's label: ``Ti1``, ``O1A``, ``SiT1``, ``OH1``, ``Wat2``; ``CA1`` may be calcium or carbon."""
    text = text.strip()
    letters = re.match(r"[A-Za-z]*", text)
    run = letters[0] if letters else ""
    if not run or GROUP_OR_SITE.fullmatch(text) or PART_OF_ONE.match(text):
        return NOTHING
    if text.lower().startswith(("o-h", "o_h")):
        return _group("oh")
    if run.lower() in ("wat", "water", "hoh", "ow", "oh") and run not in KNOWN:
        return _group(run.lower())
    if WATER.fullmatch(text):  # H2O: water, or the hydrogen H2 of some O
        return AtomName(("O", "H"), 2)
    if NO_ATOM.fullmatch(text) and run.capitalize() not in KNOWN:
        return AtomName((), is_atom=False)
    mixed = MIXED.match(text)
    if mixed and _symbol(mixed[1]) and (other := _first_symbol(mixed[2])):
        return AtomName(_distinct(_symbol(mixed[1]), other))
    return _element_of_letters(run)


def _element_of_letters(run: str) -> AtomName:
    """The elements that the letters at the beginning of a label may stand for."""
    one, two = _symbol(run[0].upper()), _symbol(run[:2].capitalize()) if len(run) > 1 else None
    if len(run) == 3 and run[1:].islower() and run[0].isupper():  # Ala, Hwa: aluminium on site a, hydrogen of water
        possible = (two, one) if two else (one,) if one in ("O", "H") else ()
        return AtomName(_distinct(*possible), 2 if run[:2] == "Ow" else 0)
    if len(run) > 3 and run[2:].islower() and not run.islower():
        return NOTHING  # a word
    if len(run) > 1 and run[0].isupper() and run[1].islower():
        if two and run[2:3].isupper() and (other := _first_symbol(run[2:4])):  # NaK, AlSi; not SiT, CaM
            return AtomName(_distinct(two, other))
        return AtomName((two,)) if two else AtomName((one,) if one in ("O", "H", "F", "N") else ())
    if len(run) > 2 and run[2].islower() and one and (other := _symbol(run[1:3])):  # KNa
        return AtomName(_distinct(one, other))
    return AtomName(_distinct(one, two))


def _first_symbol(letters: str) -> str | None:
    """The element that some letters begin with."""
    return _symbol(letters[:2]) or _symbol(letters[:1])


def _distinct(*symbols: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(symbol for symbol in symbols if symbol))


def _group(name: str) -> AtomName:
    return AtomName((GROUPS[name],), HYDROGENS[name])


def _symbol(name: str) -> str | None:
    """An element's symbol; deuterium is hydrogen."""
    return "H" if name == "D" else name if name in KNOWN else None
