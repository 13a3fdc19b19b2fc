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
    if re.fullmatch(r"(\([^()]*\)|[-+.0-9 ]*|[-+]{2,})", rest) and (symbol := _symbol(name)):
        return AtomName((symbol,))
    return NOTHING


def element_of_label(text: str) -> AtomName:
    """Read an atom's label: ``Ti1``, ``O1A``, ``SiT1``, ``OH1``, ``Wat2``; ``CA1`` may be calcium or carbon."""
    text = text.strip()
    letters = re.match(r"[A-Za-z]*", text)
    run = letters[0] if letters else ""
    if not run:
        return NOTHING
    if text.lower().startswith(("o-h", "o_h")):
        return _group("oh")
    if run.lower() in ("wat", "water", "hoh", "ow", "oh") and run not in KNOWN:
        return _group(run.lower())
    if text.lower() in GROUPS:  # H2O: water, or the hydrogen H2 of some O
        return AtomName((*_group(text.lower()).symbols, "H"), HYDROGENS[text.lower()])
    if NO_ATOM.fullmatch(text) and run.capitalize() not in KNOWN:
        return AtomName((), is_atom=False)
    one, two = _symbol(run[0].upper()), _symbol(run[:2].capitalize()) if len(run) > 1 else None
    if len(run) == 3 and run[1:].islower() and run[0].isupper():  # Ala, Hwa: aluminium on site a, hydrogen of water
        possible = (two, one) if two else (one,) if one in ("O", "H") else ()
        return AtomName(tuple(dict.fromkeys(symbol for symbol in possible if symbol)), 2 if run[:2] == "Ow" else 0)
    if len(run) > 3 and run[2:].islower() and not run.islower():
        return NOTHING  # a word
    mixed = two is not None and len(run) > 3 and _symbol(run[2:4]) is not None
    if mixed or re.match(r"[A-Za-z]+[/,&+]\s*[A-Z]", text):
        return NOTHING  # AlSi, La/Sr
    if len(run) > 1 and run[0].isupper() and run[1].islower():
        return AtomName((two,)) if two else AtomName((one,) if one in ("O", "H", "F", "N") else ())
    return AtomName(tuple(dict.fromkeys(symbol for symbol in (one, two) if symbol)))


def _group(name: str) -> AtomName:
    return AtomName((GROUPS[name],), HYDROGENS[name])


def _symbol(name: str) -> str | None:
    """An element's symbol; deuterium is hydrogen."""
    return "H" if name == "D" else name if name in KNOWN else None
