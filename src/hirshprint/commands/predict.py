"""`hirshprint predict`: the property of new compounds, with the networks that a run trained."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hirshprint.api.densities import DensitiesError
from hirshprint.api.prediction import Asked, edges_text, is_formula, open_models, predict_asked
from hirshprint.commands import UNUSABLE, CommandError
from hirshprint.commands.json_output import print_json
from hirshprint.files.writing import written_whole
from hirshprint.networks.cards import BRIER, ModelError, best_network, errors_of, needed_edges, unit_cards
from hirshprint.structures.entries import InputError, Rejection

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]
OUT_ENDINGS = (".csv", ".json")


def run(arguments: argparse.Namespace) -> None:
    """Write a table with a row per compound; rows and files that cannot be used are listed, the others predicted."""
    if not (arguments.formula or arguments.table or arguments.cif):
        raise CommandError("no compound to predict: name formulas, a table by --table, or files by --cif", UNUSABLE)
    if arguments.out:
        _check_out(arguments.out)
    try:
        folder, card = open_models(arguments.model, arguments.network)
        files = [Path(text) for text in arguments.formula if Path(text).exists() and not is_formula(text, card)]
        formulas = [text for text in arguments.formula if Path(text) not in files]
        asked = Asked(formulas, arguments.table, [*files, *([arguments.cif] if arguments.cif else [])])
        found, left_out, _ = predict_asked(folder, card, asked, _say)
    except InputError as error:
        raise CommandError(str(error), UNUSABLE) from None
    except (ModelError, DensitiesError, ImportError) as error:
        raise CommandError(str(error)) from None
    if arguments.out:
        _write(found, arguments.out)
    if arguments.json:
        print_json(_document(found, left_out, folder, card) | {"written": arguments.out})
    else:
        _show(found, arguments.out, folder, card)


def _say(line: str) -> None:
    print(line, file=sys.stderr)


def _check_out(out: Path) -> None:
    """Refuse a place where no table can be written, before anything is computed."""
    if out.is_dir():
        raise CommandError(
            f"--out {out}: a folder; write the name of a file, such as {out / 'predictions.csv'}", UNUSABLE
        )
    if out.suffix.lower() not in OUT_ENDINGS:
        raise CommandError(f"--out {out}: its name must end with {' or '.join(OUT_ENDINGS)}", UNUSABLE)


def used_text(folder: Path, card: Row) -> str:
    """Say what predictions were made with: network, folder, what it learned from, at which initial edges."""
    model, learned = best_network(card), card["training_set"]
    compounds = (
        f"{learned['compounds']:,} compounds" if "compounds" in learned else f"{learned['structures']:,} structures"
    )
    rule = needed_edges(card)
    trainings = len(unit_cards(folder, model))
    kind, errors = errors_of(card)
    error = f"Brier score {errors[model]:.4f}" if kind == BRIER else f"error {errors[model]:.4f} {card['unit']}"
    return (
        f"the network {model} of {folder} ({trainings} trainings, validation {error}), which "
        f"learned from {card['dataset']}: {compounds}, {f'initial edge {edges_text(rule)}' if rule else 'from files'}"
    )


def _document(table: pd.DataFrame, left_out: Sequence[Rejection], folder: Path, card: Row) -> Row:
    """Predictions and what they were made with, for a script."""
    network = best_network(card)
    kind, errors = errors_of(card)
    return {
        "property": card["property"],
        "unit": card["unit"],
        "model": folder,
        "network": network,
        "trainings": len(unit_cards(folder, network)),
        "validation_metric": kind,
        "validation_error": errors[network],
        "compounds": table.to_dict("records"),
        "left_out": [{"source": one.source, "reason": one.reason, "remedy": one.remedy} for one in left_out],
    }


def _write(table: pd.DataFrame, out: Path) -> None:
    """Write CSV or JSON, as the name of the file says."""
    with written_whole(out) as temporary:
        if out.suffix.lower() == ".json":
            table.to_json(temporary, orient="records", indent=1, double_precision=10)
        else:
            table.to_csv(temporary, index=False, float_format="%.8g")


def _show(table: pd.DataFrame, out: Path | None, folder: Path, card: Row) -> None:
    """Show the table where it was not written, and say what it was made with and what to mind."""
    from hirshprint.accuracy.standing import number_text

    if out is None:
        shown = table.drop(columns=["formula"] if (table["formula"] == table["name"]).all() else [])
        print(shown.to_string(index=False, float_format=number_text))
    else:
        print(f"written: {out}, {len(table)} compounds")
    of_what = ":" if card.get("values") == "yes_no" else " in"
    print(f"{card['property']}{of_what} {card['unit']}, by {used_text(folder, card)}")
    if outside := int(table["outside_domain"].sum()):
        print(
            f"{outside} of them lie outside of what training saw (columns unseen and fingerprint_distance): their "
            "errors may be far larger than the standard deviation says"
        )
    if known := int(table["in_training"].sum()):
        print(
            f"{known} of them are compounds that it learned from (column in_training): how well they are predicted "
            "says nothing of new ones"
        )
