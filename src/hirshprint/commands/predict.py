"""`hirshprint predict`: the property of new compounds, with the networks that a run trained."""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

from hirshprint.commands import UNUSABLE, CommandError
from hirshprint.commands.inputs import PEROVSKITE, find_densities
from hirshprint.files import written_whole
from hirshprint.structures.planning import SITES, InputError, compound_fault, read_rows


def run(arguments: argparse.Namespace) -> None:
    """Write a table with a row per compound; rows that cannot be used are listed, and the others predicted."""
    from hirshprint.models.prediction import ModelError, predict_compounds, read_folder_card

    compounds = list(dict.fromkeys(_compounds(arguments)))
    if not compounds:
        raise CommandError("no compound to predict: name formulas ABX3, or a table by --table", UNUSABLE)
    try:
        card = read_folder_card(arguments.model)
        found = predict_compounds(arguments.model, card, compounds, find_densities(card["densities"]))
    except ModelError as error:
        raise CommandError(str(error)) from None
    stem, ending = ("a", "_angstrom") if card["property"] == "a_angstrom" else (card["property"], "")
    table = found.rename(columns={name: f"{stem}_{name}{ending}" for name in ("predicted", "std")})
    if arguments.out is None:
        print(table.to_string(index=False, float_format=lambda value: f"{value:.4f}"))
        return
    with written_whole(arguments.out) as temporary:
        table.to_csv(temporary, index=False, float_format="%.6f")
    print(f"written: {arguments.out}, {len(table)} compounds")
    if unseen := int((table["unseen"] != "").sum()):
        print(f"{unseen} of them with an element that training never saw on its site: column unseen")


def _compounds(arguments: argparse.Namespace) -> list[tuple[str, str, str]]:
    found = []
    for formula in arguments.formula:
        match = PEROVSKITE.fullmatch(formula)
        if match is None:
            raise CommandError(f"{formula} is no formula ABX3 of a cubic perovskite, such as SrTiO3", UNUSABLE)
        elements = (match[1], match[2], match[3])
        if fault := compound_fault({**dict(zip(SITES, elements, strict=True)), "formula": formula}):
            raise CommandError(f"{formula}: {fault[0]}; {fault[1]}", UNUSABLE)
        found.append(elements)
    if arguments.table:
        found += _from_table(arguments.table)
    return found


def _from_table(path: Path) -> list[tuple[str, str, str]]:
    """Compounds of a CSV file with the columns A, B, X, or with formula alone."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = [cell.strip() for cell in next(csv.reader(file), [])]
        rows = read_rows(path, ("formula",) if "A" not in header else ("formula", *SITES))
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}", UNUSABLE) from None
    except (InputError, UnicodeDecodeError) as error:
        raise CommandError(str(error), UNUSABLE) from None
    found = []
    for row in rows:
        cells = dict(row.cells)
        match = PEROVSKITE.fullmatch(cells.get("formula", ""))
        if "A" not in header and match:
            cells |= dict(zip(SITES, match.groups(), strict=True))
        fault = row.fault or compound_fault(cells)
        if fault:
            print(f"left out {path} row {row.number}: {fault[0]}; {fault[1]}")
            continue
        found.append((cells["A"], cells["B"], cells["X"]))
    return found
