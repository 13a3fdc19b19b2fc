"""Words that were probably meant, and times as people say them (light)."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> list[str]:
    """Words that are probably meant by one that is not known: all that have it as a part, else the most similar one.

    Parameters
    ----------
    word : str
        The word that is not known.
    known : iterable of str
        The words that are known.
    cutoff : float, default 0.6
        Least similarity, from 0 to 1.
    """
    words = list(known)
    having = [one for one in words if len(word) > 2 and word.casefold() in one.casefold()]
    return having or difflib.get_close_matches(word, words, n=1, cutoff=cutoff)


def duration(seconds: float) -> str:
    """Write a time as people say it: 42 s, 7 min, 3 h 20 min."""
    minutes = round(seconds / 60)
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def core_hours(seconds: float) -> str:
    """Write CPU seconds as people say them: 4.1 core seconds, 2.8 core minutes, 0.12 core hours, 1,240 core hours."""
    hours = seconds / 3600
    if seconds < 60:
        return f"{seconds:.2g} core seconds"
    if hours < 0.1:
        return f"{seconds / 60:.2g} core minutes"
    return f"{hours:.2g} core hours" if hours < 9.95 else f"{hours:,.0f} core hours"


def squared(unit: str) -> str:
    """Write the square of a unit: Å², (eV/atom)²; empty for none."""
    if unit in ("", "dimensionless"):
        return ""
    return f"{unit}²" if unit.isalpha() else f"({unit})²"


def either(words: Iterable[str]) -> str:
    """Join words as choices: ``a``, ``a or b``, ``a, b or c``."""
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last
