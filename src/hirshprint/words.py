"""Words that were probably meant (light)."""

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


def either(words: Iterable[str]) -> str:
    """Join words as choices: ``a``, ``a or b``, ``a, b or c``."""
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last
