"""The data blocks of a CIF, by gemmi's grammar, and the one that has a crystal."""

from __future__ import annotations

import re
from typing import Any

import gemmi

from hirshprint.structures.crystals import CrystalError
from hirshprint.structures.reading.cif_atoms import Tags

GRAMMAR = {  # gemmi's words, and ours
    "expected block header": "it does not begin with data_NAME",
    "duplicate tag": "a tag is there twice",
    "wrong number of values": "the number of values in the loop is no multiple of its tags",
    "unterminated text field": "a text field has no closing semicolon",
    "unterminated": "a quoted text has no closing quote",
}
NO_CRYSTAL = {  # what files without fractional coordinates are, by the beginning of a tag
    "_atom_site_group_pdb": "an mmCIF of a molecule, with Cartesian coordinates",
    "_atom_site_cartn_": "a CIF with Cartesian coordinates (_atom_site_Cartn_x)",
    "_chem_comp": "a chemical component without a crystal",
    "_refln_": "a list of reflections without atoms",
    "_diffrn_refln": "a list of reflections without atoms",
    "_pd_": "a powder pattern without atoms",
}


def crystal_block(text: str) -> Tags:
    """Find the block of a CIF that has a crystal.

    Raises
    ------
    CrystalError
        The grammar is wrong, or there is no crystal or several.
    """
    blocks = [_tags(block) for block in _document(text)]
    crystals = [tags for tags in blocks if "_atom_site_fract_x" in tags]
    if len(crystals) > 1:
        raise CrystalError(f"{len(crystals)} crystals in one file", "give each crystal a file of its own")
    if not crystals:
        starts = (
            what for start, what in NO_CRYSTAL.items() for tags in blocks if any(t.startswith(start) for t in tags)
        )
        what = next(starts, "a CIF without atoms")
        raise CrystalError(f"it is {what}", "give a CIF with fractional coordinates (_atom_site_fract_x, _y, _z)")
    return crystals[0]


def _document(text: str) -> gemmi.cif.Document:
    try:
        return gemmi.cif.read_string(text)
    except (ValueError, RuntimeError) as first:
        error = first
    if not text.isascii():  # words outside of quotes may have letters that CIF has not
        try:
            return gemmi.cif.read_string(re.sub(r"[^\x00-\x7f]", "_", text))
        except (ValueError, RuntimeError):
            pass
    message = str(error)
    line = re.search(r":(\d+)", message)
    what = next((ours for theirs, ours in GRAMMAR.items() if theirs in message.lower()), "")
    what = what or "a word stands where none may, such as a text of several words without quotes"
    where = f", line {line[1]}" if line else ""
    raise CrystalError(f"cannot be read as CIF{where}: {what}", "correct it, or write the CIF again")


def _tags(block: gemmi.cif.Block) -> dict[str, list[str]]:
    """Values by tag, of pairs and loops alike."""
    tags: dict[str, list[str]] = {}
    for item in block:
        pair: Any = item.pair
        if pair is not None:
            tags[_name(pair[0])] = [_value(pair[1])]
        elif item.loop is not None:
            names, values = item.loop.tags, [_value(value) for value in item.loop.values]
            tags |= {_name(tag): values[k :: len(names)] for k, tag in enumerate(names)}
    return tags


def _value(raw: str) -> str:
    """A value without its quotes; ``?`` and ``.`` as they are."""
    return raw if raw in ("?", ".") else str(gemmi.cif.as_string(raw))


def _name(tag: str) -> str:
    return tag.lower().replace(".", "_")
