"""The data blocks of a CIF, by gemmi's grammar, and the one that has a crystal."""

from __future__ import annotations

import re
from typing import Any

import gemmi

from hirshprint.structures.crystals import CrystalError
from hirshprint.structures.reading.cif_atoms import Tags

GRAMMAR = {  # gemmi's words, and ours
    "expected block header": "it does not begin with data_NAME",
    "wrong number of values": "the number of values in the loop is not a multiple of its tags",
    "unterminated text field": "a text field has no closing semicolon",
    "unterminated": "a quoted text has no closing quote",
}
CRYSTAL_TAGS = ("_cell_", "_space_group_", "_symmetry_", "_chemical_formula_")
SYMMETRY_TAGS = ("_space_group", "_symmetry_", "_magnetic_space_group", "_parent_space_group")
ELSEWHERE = "another block: "  # before the tag of what another block says of the symmetry
MOST_MENDED = 50
NO_CRYSTAL = {  # what files without fractional coordinates are, by the beginning of a tag
    "_atom_site_group_pdb": "an mmCIF with Cartesian coordinates",
    "_atom_site_cartn_": "a CIF with Cartesian coordinates (_atom_site_Cartn_x)",
    "_chem_comp": "a chemical component without a crystal",
    "_refln_": "a list of reflections without atoms",
    "_diffrn_refln": "a list of reflections without atoms",
    "_pd_": "a powder pattern without atoms",
}


def crystal_block(text: str) -> tuple[Tags, list[str]]:
    """Find the block of a CIF that has a crystal.

    A line that is no CIF and says nothing of the crystal, such as a title without quotes, is mended or left out.

    Returns
    -------
    tags : mapping
        The values of the block.
    remarks : list of str
        On what was mended.

    Raises
    ------
    CrystalError
        The grammar is wrong, or there is no crystal or several.
    """
    document, remarks = _document(text)
    blocks = [_tags(block) for block in document]
    crystals = [tags for tags in blocks if "_atom_site_fract_x" in tags]
    if len(crystals) > 1:
        raise CrystalError(f"{len(crystals)} crystals in one file", "give each crystal a file of its own")
    if not crystals:
        starts = (
            what for start, what in NO_CRYSTAL.items() for tags in blocks if any(t.startswith(start) for t in tags)
        )
        what = next(starts, "a CIF without atoms")
        raise CrystalError(f"it is {what}", "give a CIF with fractional coordinates (_atom_site_fract_x, _y, _z)")
    tags = dict(crystals[0])
    for other in (other for other in blocks if other is not crystals[0]):
        for tag in other:
            if tag.startswith(SYMMETRY_TAGS):
                tags.setdefault(f"{ELSEWHERE}{tag}", other[tag])
    return tags, remarks


def _document(text: str) -> tuple[gemmi.cif.Document, list[str]]:
    """Parse, and where it fails mend the line at fault and parse again."""
    lines = text.split("\n")
    mended: dict[int, str] = {}
    while True:
        try:
            document = gemmi.cif.read_string("\n".join(lines) + "\n", 0)  # 0: a tag may be there twice
        except (ValueError, RuntimeError) as error:
            line, fault = _fault(str(error))
            better = _mended(lines, line - 1) if len(mended) < MOST_MENDED else None
            if better is None or better == lines[line - 1]:
                where = f", line {line}" if line else ""
                if text.startswith("#\\#CIF_2"):
                    fault += "; lists and triple quotes of CIF 2.0 are not read"
                raise CrystalError(f"cannot be read as CIF{where}: {fault}", "correct it, or write it again") from None
            mended[line - 1] = fault
            lines[line - 1] = better
            continue
        numbers = [str(line + 1) for line in sorted(mended)]
        listed = ", ".join(numbers[:6]) + (f" and {len(numbers) - 6} more" if len(numbers) > 6 else "")
        return document, [f"lines that are not CIF were corrected or left out: {listed}"] if mended else []


def _fault(message: str) -> tuple[int, str]:
    """Line number (0 where there is none) and our words for an error of gemmi's."""
    line = re.search(r":(\d+)", message)
    words = (ours for theirs, ours in GRAMMAR.items() if theirs in message.lower())
    return int(line[1]) if line else 0, next(words, "a word is where none is allowed, as in text without quotes")


def _mended(lines: list[str], number: int) -> str | None:
    """A line as CIF: without quotes it gets them, without a meaning for the crystal it is left out; None for others."""
    if number not in range(len(lines)):
        return None
    line = lines[number].strip()
    if not line.isascii():
        return re.sub(r"[^\x00-\x7f]", "_", line)
    starts = [k for k, other in enumerate(lines) if other.lower().startswith("data_")]
    if starts and number <= starts[0]:
        return line.split()[0] if number == starts[0] else ""  # a title, in the name of the block or above it
    tag, _, rest = line.partition(" ")
    if not tag.startswith("_"):
        return None
    words = re.sub(r"[\"';]+", " ", rest).strip(" ,")
    if _name(tag).startswith("_atom_site_"):
        return None
    return f"{tag} '{words}'" if words and _name(tag).startswith(CRYSTAL_TAGS) else ""


def _tags(block: gemmi.cif.Block) -> dict[str, list[str]]:
    """Values by tag, of pairs and loops alike.

    Raises
    ------
    CrystalError
        A tag that matters is there twice, in one spelling or in two, with different values.
    """
    tags: dict[str, list[str]] = {}
    for item in block:
        pair: Any = item.pair
        if pair is not None:
            _put(tags, pair[0], [_value(pair[1])])
        elif item.loop is not None:
            names, values = item.loop.tags, [_value(value) for value in item.loop.values]
            for k, tag in enumerate(names):
                _put(tags, tag, values[k :: len(names)])
    return tags


def _put(tags: dict[str, list[str]], tag: str, values: list[str]) -> None:
    name = _name(tag)
    if not any(value.strip(" ?.") for value in values) and len(values) == 1:
        tags.setdefault(name, values)  # says nothing, as the second formula of AMCSD's files
        return
    if not any(value.strip(" ?.") for value in tags.get(name, [])):
        tags[name] = values
    elif tags[name] != values and name.startswith((*CRYSTAL_TAGS, "_atom_site_")):
        raise CrystalError(f"{tag} is there twice, with different values", "delete the wrong one")


def _value(raw: str) -> str:
    """A value without its quotes; ``?`` and ``.`` as they are."""
    return raw if raw in ("?", ".") else str(gemmi.cif.as_string(raw))


def _name(tag: str) -> str:
    return tag.lower().replace(".", "_")
