"""From the raw answers of an OPTIMADE provider to a table of compounds, with a record of where it comes from."""

from __future__ import annotations

import csv
import json
import logging
import math
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hirshprint.files.writing import file_digest, written_whole
from hirshprint.structures.crystals import CrystalError, crystal_structure
from hirshprint.structures.prototypes import Prototype, find_prototype
from hirshprint.structures.reading.records import crystal_of_optimade
from hirshprint.structures.recognition import TOLERANCE, prototype_edge, prototype_elements

LOG = logging.getLogger(__name__)

RULE = "of several entries of a compound the one with the smallest {} counts, among equal ones the first id"
CANDIDATES = ("n_candidates", "a_min_candidates_angstrom", "a_max_candidates_angstrom")


def write_fetched_table(raw: Path, prototype_name: str, prefer: str, table: Path, provenance: Path) -> None:
    """Write the table of the entries that are crystals of a prototype (CSV) and its provenance (JSON).

    Parameters
    ----------
    raw : Path
        What ``workflow/scripts/fetch_pages.py`` wrote.
    prototype_name : str
        Name of the prototype, for its sites.
    prefer : str
        Field of the entries that decides between several of one compound; empty for none.
    table : Path
        Columns formula, the sites, a_angstrom, id, `CANDIDATES`.
    provenance : Path
        Query, dates, provider, what each step left, the rules, and digests of the table and the raw answers.
    """
    answered = json.loads(raw.read_text(encoding="utf-8"))
    prototype = find_prototype(prototype_name)
    found, rejected = _recognised(answered["entries"], prototype, prefer)
    rows = _one_per_compound(found, prototype, prefer)
    with written_whole(table) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        columns = ["formula", *prototype.sites, "a_angstrom", "id", *CANDIDATES]
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    reasons = Counter(reason.partition(":")[0] for _, reason in rejected)
    steps = [{"step": "answered", "entries": len(answered["entries"])}]
    steps += [{"step": reason, "entries": -count} for reason, count in sorted(reasons.items())]
    steps.append({"step": "another entry of the same compound", "entries": len(rows) - len(found)})
    steps.append({"step": "in the table", "entries": len(rows)})
    record = {key: answered[key] for key in ("query", "asked", "client", "provider")} | {
        "prototype": prototype_name,
        "rules": {
            "geometry": f"distances as in the ideal {prototype_name} to within {TOLERANCE} edges; they tell the sites",
            "duplicates": RULE.format(prefer or "id"),
        },
        "steps": steps,
        "rejected": [{"id": name, "reason": reason} for name, reason in rejected],
        "digests": {"table": file_digest(table), "answers": file_digest(raw)},
    }
    with written_whole(provenance) as temporary:
        temporary.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for step in steps:
        LOG.info(f"{step['step']}: {step['entries']}")


def _recognised(
    entries: Sequence[Any], prototype: Prototype, prefer: str
) -> tuple[list[dict[str, Any]], list[tuple[str, str]]]:
    """Entries that are crystals of the prototype, as rows; ids of the others, each with the reason."""
    found, rejected = [], []
    for number, entry in enumerate(entries):
        name = str(entry.get("id", f"number {number}")) if isinstance(entry, dict) else f"number {number}"
        try:
            attributes = entry.get("attributes") if isinstance(entry, dict) else None
            if not isinstance(attributes, dict):
                raise CrystalError("it has no attributes", "leave it out")
            structure = crystal_structure(crystal_of_optimade(attributes), name)
        except CrystalError as error:
            rejected.append((name, f"unusable: {error.reason}"))
            continue
        elements = prototype_elements(structure, prototype)
        if elements is None:
            rejected.append((name, f"no {prototype.name.replace('_', ' ')}"))
            continue
        value = attributes.get(prefer) if prefer else None
        row = dict(zip(prototype.sites, elements, strict=True)) | {"id": name, "prefer": value}
        found.append(row | {"a_angstrom": prototype_edge(structure, prototype)})
    return found, rejected


def _one_per_compound(found: Sequence[dict[str, Any]], prototype: Prototype, prefer: str) -> list[dict[str, Any]]:
    """One row per compound, sorted by formula; see `RULE`."""
    by_compound: dict[str, list[dict[str, Any]]] = {}
    for row in found:
        by_compound.setdefault(prototype.compound([row[site] for site in prototype.sites]), []).append(row)
    rows = []
    for compound, same in sorted(by_compound.items()):
        best = min(same, key=lambda row: (_sortable(row["prefer"]), _natural(row["id"])))
        edges = sorted(row["a_angstrom"] for row in same)
        rows.append(
            {"formula": compound, **{site: best[site] for site in prototype.sites}}
            | {"a_angstrom": f"{best['a_angstrom']:.6f}", "id": best["id"]}
            | dict(zip(CANDIDATES, (len(same), f"{edges[0]:.6f}", f"{edges[-1]:.6f}"), strict=True))
        )
    return rows


def _sortable(value: Any) -> float:
    """A number, or infinity where there is none."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return math.inf
    return number if math.isfinite(number) else math.inf


def _natural(name: str) -> list[tuple[int, str]]:
    """Order in which oqmd-9 comes before oqmd-10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]
