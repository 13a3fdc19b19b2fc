"""Remarks: sentences on what was assumed or corrected in a structure that was accepted (light)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

REMARKED = "remarked"
REMEDY = "check it against the source; nothing to do if it is right"
SEPARATOR = "; "
NAMED = 10  # structures that are named of those with one remark
SENTENCES = 20  # different remarks that are listed
ALIKE = 3  # sentences that differ in names and numbers alone, from which on they are shown as one


def join_remarks(remarks: Iterable[str]) -> str:
    """The sentences of one structure as the text of a cell, on one line."""
    return SEPARATOR.join(map(_line, remarks))


def split_remarks(cell: str | None) -> list[str]:
    """The sentences of a cell that `join_remarks` made; none where the cell is empty or absent."""
    return [remark for remark in (cell or "").split(SEPARATOR) if remark]


def by_sentence(remarks: Iterable[tuple[str, Iterable[str]]]) -> list[tuple[str, list[str]]]:
    """Turn pairs of a name and its sentences into pairs of a sentence and its names, the commonest sentence first.

    Many that differ in names and numbers alone (``the elements Sr Ti O come from its first line``) become one,
    with ``…`` in their place: a rare remark must not be lost among them.
    """
    names: dict[str, list[str]] = {}
    for name, sentences in remarks:
        for sentence in dict.fromkeys(map(_line, sentences)):
            names.setdefault(sentence, []).append(name)
    alike: dict[str, list[str]] = {}
    for sentence in names:
        alike.setdefault(_pattern(sentence), []).append(sentence)
    shown: dict[str, list[str]] = {}
    for pattern, sentences in alike.items():
        for sentence in sentences:
            shown.setdefault(sentence if len(sentences) <= ALIKE else pattern, []).extend(names[sentence])
    return sorted(((text, list(dict.fromkeys(who))) for text, who in shown.items()), key=lambda item: -len(item[1]))


def _line(sentence: str) -> str:
    return " ".join(sentence.split())


def _pattern(sentence: str) -> str:
    """The sentence with ``…`` for all but its plain words, which are of small letters."""
    words = [word if word.strip(",:;().").isalpha() and word.islower() else "…" for word in sentence.split()]
    return re.sub("…( …)+", "…", " ".join(words))


def listed_names(names: Sequence[str]) -> str:
    """The first `NAMED` names, and how many more there are."""
    more = f" ... and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def remark_lines(remarks: Iterable[tuple[str, Iterable[str]]], most: int | None = SENTENCES) -> list[str]:
    """One line for each different sentence, with how many have it and who: thousands that are alike fill no terminal.

    Parameters
    ----------
    remarks : iterable of tuple (str, iterable of str)
        Name (or file) and sentences of each structure.
    most : int or None, default SENTENCES
        Different sentences that are listed; None for all.
    """
    found = by_sentence(remarks)
    lines = []
    for sentence, names in found[:most]:
        count = f"{len(names):,}: " if len(names) > 1 else ""
        lines.append(f"{sentence} ({count}{listed_names(names)})")
    more = len(found) - most if most is not None else 0
    return lines + ([f"... and {more:,} other remark{'s' if more > 1 else ''}"] if more > 0 else [])
