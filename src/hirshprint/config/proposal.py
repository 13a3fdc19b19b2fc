"""A configuration for crystals that were looked at, with what was found and what each key means as comments."""

from __future__ import annotations

import math
import re
import statistics
import textwrap
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hirshprint.config.documents import HINT, WIDTH, written
from hirshprint.config.keys import keys_of
from hirshprint.config.learning import Learning
from hirshprint.config.model import Config, Dataset
from hirshprint.datasets.splits import MOST_GROUPS
from hirshprint.structures.entries import InputError
from hirshprint.structures.sources.fields import EDGE, FOLD, Field, group_field, properties, unit_of
from hirshprint.structures.sources.looking import Look

FEW, MANY = 50, 2000  # crystals: fewer get fewer folds; for more config/matbench.yaml has settings
LOG_DECADES, SAID_DECADES = 2.0, 1.0  # from which on the logarithm is proposed, and the span is told
FIELDS_SHOWN = 12
TO_DO = "TO DO"
FEWEST_SIZES, DIFFERENT_SIZES = 10, 3  # crystals, and numbers of atoms among them, that tell whether a property grows
SLOPE_OFF, GROWS = 0.3, 0.8  # of the logarithms of property and atoms: slope farther from 1, and least correlation
ENERGY = re.compile(r"energ|enthalp|(^|_)e_?(form|tot|hull)|toten|^e0?$", re.IGNORECASE)


@dataclass(frozen=True)
class Proposal:
    """A dataset to write into a configuration.

    Attributes
    ----------
    name : str
        Its name.
    dataset, learning : dict
        Its keys, and those of the section `learning`.
    absent : dict of str to str
        Keys that are shown as comments, each with an example of what could be written.
    said : dict of str to list of str
        What to say of keys besides their meaning.
    """

    name: str
    dataset: dict[str, Any]
    learning: dict[str, Any]
    absent: dict[str, str]
    said: dict[str, list[str]]

    @property
    def to_do(self) -> list[str]:
        """What the user has to fill in."""
        return [text for texts in self.said.values() for text in texts if text.startswith(TO_DO)]


def propose(look: Look, path: Path, out: Path, fault: str = "") -> Proposal:
    """Propose property, unit, scale and group for what was found at a path.

    Parameters
    ----------
    look : Look
        What was found.
    path, out : Path
        Where, and the file to write, after which the dataset is named.
    fault : str, optional
        Why nothing can be learned from it, as too few crystals; empty where something can.

    Raises
    ------
    InputError
        Nothing can be learned from a table, which is good for nothing else.
    """
    dataset: dict[str, Any] = dict(look.sources)
    said = {next(iter(dataset)): [f"Found: {text}." for text in look.words]}
    absent: dict[str, str] = {}
    possible = properties(look.fields, look.rows)
    if "table" in dataset:
        dataset["initial_edge"] = {"kind": "fixed", "edge_angstrom": 4.5}
        fault = f"{fault}; add rows" if fault else ""
        if not possible:
            others = ", ".join(one.name for one in look.fields[:FIELDS_SHOWN]) or "none"
            fault = (
                f"no column has numbers that could be learned (besides the compounds it has: {others}); add the "
                "property as a column, in numbers with a decimal point"
            )
        if fault:
            raise InputError(f"{path}: {fault}")
    if possible and not fault:
        _propose_property(possible, look, dataset, absent, said)
        return Proposal(_name(out), dataset, _learning(look, dataset, said), absent, said)
    absent |= {"property": written(possible[0].name) if possible else "band_gap", "unit": "eV"}
    because = f" ({fault})" if fault else ""
    said["property"] = [f"Now there will be surfaces and fingerprints, and nothing is learned{because}."]
    said["property"] += [f"Found: {field_text(one, look.rows)}" for one in possible[:FIELDS_SHOWN]]
    if "targets" in dataset or not possible:
        absent["targets"] = written(dataset.pop("targets", "targets.csv"))
    return Proposal(_name(out), dataset, {}, absent, said)


def _propose_property(
    possible: Sequence[Field], look: Look, dataset: dict[str, Any], absent: dict[str, str], said: dict[str, list[str]]
) -> None:
    """Fill in the likeliest property, and what follows from it."""
    chosen = possible[0]
    dataset["property"] = chosen.name
    said["property"] = [f"Found: {field_text(one, look.rows)}" for one in possible[:FIELDS_SHOWN]]
    if chosen.yes_no:
        dataset["values"] = "yes_no"
        return
    unit = "Å" if chosen.name == EDGE else look.unit or unit_of(chosen.name)
    if unit:
        dataset["unit"] = unit
    else:
        absent["unit"] = "eV"
        said["unit"] = [
            f"{TO_DO}: write the unit of {chosen.name}. Until then tables and figures say that it is unknown."
        ]
    dataset |= {"per": "atom", "scale": "log" if chosen.decades >= LOG_DECADES else "linear"}
    if chosen.decades >= SAID_DECADES:
        said["scale"] = [f"Found: all values are above zero, over {chosen.decades:.1f} decades."]
    if "structures" not in dataset or "targets" in dataset:
        dataset["duplicates"] = "reject"


def _learning(look: Look, dataset: dict[str, Any], said: dict[str, list[str]]) -> dict[str, Any]:
    """Propose keys of `learning`, and the group in the dataset."""
    group = group_field(look.fields, look.rows)
    if group:
        dataset["group"] = group.name
        said["group"] = [f"Found: {group.name} has {len(group.distinct):,} different values."]
        if FOLD.fullmatch(group.name) and len(group.distinct) <= MOST_GROUPS:
            said["splits"] = [f"Each {group.name} is tested once, by models that learned from the others."]
            return {"splits": ["groups"]}
    return {"folds": 3} if look.rows < FEW else {}


def _name(out: Path) -> str:
    """Name of a dataset after its configuration file, in letters, digits, _ and -."""
    plain = unicodedata.normalize("NFKD", out.stem.replace("ß", "ss")).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9_-]+", "_", plain).strip("_-") or "mine"


def field_text(one: Field, rows: int) -> str:
    """Say what a field has in it: how many numbers, from where to where; or how many answers."""
    if one.yes_no:
        return f"{one.name}: yes or no in {one.answers:,} of {rows:,}"
    return f"{one.name}: numbers in {one.numbers:,} of {rows:,}, from {one.low:.6g} to {one.high:.6g}"


def sized(proposal: Proposal, atoms: Sequence[int], values: Sequence[float]) -> Proposal:
    """Propose ``per: cell`` for a property that grows with the cell, and ask about an energy of which it is not known.

    Parameters
    ----------
    proposal : Proposal
        With a property that is a number, or without one.
    atoms, values : sequence
        Atoms of the cell, and the property, of some crystals.
    """
    if "per" not in proposal.dataset:
        return proposal
    name = proposal.dataset["property"]
    pairs = [(math.log(n), math.log(abs(value))) for n, value in zip(atoms, values, strict=True) if value]
    if len(pairs) >= FEWEST_SIZES and len({size for size, _ in pairs}) >= DIFFERENT_SIZES:
        sizes, amounts = zip(*pairs, strict=True)
        slope = statistics.linear_regression(sizes, amounts).slope if len(set(amounts)) > 1 else 0.0
        if slope > 0 and abs(slope - 1) < SLOPE_OFF and statistics.correlation(sizes, amounts) > GROWS:
            said = f"Found: {name} grows with the number of atoms in the cell, as a property of the whole cell does."
            return replace(proposal, dataset={**proposal.dataset, "per": "cell"}, said=proposal.said | {"per": [said]})
        return proposal
    if ENERGY.search(name) and "atom" not in proposal.dataset.get("unit", "") + name:
        said = f"{TO_DO}: if {name} is of the whole cell and not of an atom, write cell here."
        return replace(proposal, said=proposal.said | {"per": [said]})
    return proposal


# --- the file ------------------------------------------------------------------------------------------------------


def proposed_file(proposal: Proposal, path: Path, out: Path, rows: int) -> str:
    """Write a proposal as a configuration file with comments.

    Parameters
    ----------
    proposal : Proposal
        What is proposed.
    path, out : Path
        Where the crystals are, and the file to write.
    rows : int
        How many crystals there are.
    """
    has_schema = (out.parent / "../workflow/schemas/config.schema.yaml").is_file()
    lines = [
        *([HINT.rstrip()] if has_schema else []),
        *_comment(
            f"Written by `hirshprint init {path}`: a proposal; read it, and change what is not meant. Every other key "
            "has a default: config/README.md explains them all. Paths are relative to the folder in which snakemake is "
            "called.",
            "",
        ),
        "",
        "datasets:",
        *_comment(keys_of(Config)["datasets"][1]["comment"], "  "),
        f"  {written(proposal.name)}:",
        *_keys(Dataset, proposal.dataset, proposal, "    "),
    ]
    if rows >= MANY and "property" in proposal.dataset and "table" not in proposal.dataset:
        lines += ["", *_comment("config/matbench.yaml has settings of learning for thousands of crystals.", "")]
    if proposal.learning:
        lines += ["", "learning:", *_keys(Learning, proposal.learning, proposal, "  ")]
    return "\n".join(lines) + "\n"


def _keys(section: type, values: Mapping[str, Any], proposal: Proposal, indent: str) -> list[str]:
    """Lines of a section's keys in the order of the model: meaning, what was found, and the key with its value."""
    lines = []
    for name, (_, described) in keys_of(section).items():
        absent = section is Dataset and name in proposal.absent
        if name not in values and not absent:
            continue
        lines += _comment(described["meaning"], indent)
        lines += [f"{indent}# {line}" for line in described.get("comment", "").splitlines() if line.startswith(" ")]
        lines += [line for text in proposal.said.get(name, ()) for line in _comment(text, indent)]
        value = proposal.absent[name] if absent else written(values[name])
        lines.append(f"{indent}{'# ' if absent else ''}{name}: {value}")
    return lines


def _comment(text: str, indent: str) -> list[str]:
    """A text as lines of a comment."""
    head = f"{indent}# "
    return textwrap.wrap(
        " ".join(text.split()), WIDTH, initial_indent=head, subsequent_indent=head, break_on_hyphens=False
    )
