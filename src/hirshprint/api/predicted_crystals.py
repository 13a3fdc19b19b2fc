"""Predictions of crystals that are at hand as objects, files or formulas, one by one or many in a file."""

from __future__ import annotations

import json
import os
import re
import tempfile
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hirshprint.api.crystals import record_of, structure_of
from hirshprint.api.defaults import EDGE_ANGSTROM, CrystalWarning
from hirshprint.api.prediction import Asked, is_formula, open_models, predict_asked
from hirshprint.structures.crystals import CrystalError
from hirshprint.structures.entries import InputError
from hirshprint.structures.sources.collections import has_many
from hirshprint.structures.structure import Structure

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]
Say = Callable[[str], None]


def predicted(crystals: Iterable[Any] | Any, model: str | os.PathLike[str] | None, network: str | None) -> pd.DataFrame:
    """Predict crystals of any kind; see `hirshprint.predict`."""
    one = isinstance(crystals, (str, os.PathLike)) or hasattr(crystals, "pbc") or hasattr(crystals, "lattice")
    given = [crystals] if one else list(crystals)
    if not given:
        raise InputError("nothing to predict; give crystals")
    folder, card = open_models(None if model is None else Path(model), network)

    with tempfile.TemporaryDirectory(prefix="hirshprint-") as temporary:
        records, places = Path(temporary) / "crystals.jsonl", list[int]()

        def say(line: str) -> None:
            named = re.sub(
                rf"{re.escape(str(records))} line (\d+)", lambda of: f"crystal {places[int(of[1]) - 1]}", line
            )
            warnings.warn(named, CrystalWarning, stacklevel=2)

        asked, names = _sorted(given, card, records, places, say)
        found = predict_asked(folder, card, asked, say)
    if names is None:
        return found.table
    rows = {name: row for row, name in enumerate(found.table["name"])}
    called = [found.names.get(name, "") if number in places else name for number, name in enumerate(names)]
    table = found.table.reindex([rows.get(name, -1) for name in called])
    table["name"] = names
    return table.reset_index(drop=True)


def _sorted(
    given: Sequence[Any], card: Row, records: Path, places: list[int], say: Say
) -> tuple[Asked, list[str] | None]:
    """Sort what was given into formulas, files, and crystals: these are written into `records`, their rows in `places`.

    Returns
    -------
    Asked
        What is to be predicted.
    list of str or None
        Name of each; None where a folder or file stands for many.
    """
    formulas, files, lines = list[str](), list[Path](), list[str]()
    names = list[str]()
    single = True
    for number, crystal in enumerate(given):
        if isinstance(crystal, (str, os.PathLike)):
            path = Path(crystal)
            if is_formula(str(crystal), card) or (not path.exists() and str(crystal).isalnum()):
                formulas.append(str(crystal))
                names.append(str(crystal))
                continue
            if path.is_dir() or (path.is_file() and has_many(path)):
                files.append(path)
                single = False
                continue
        try:
            structure = structure_of(crystal, EDGE_ANGSTROM)
        except CrystalError as error:
            say(f"left out crystal {number}: {error}")
            names.append(f"crystal {number}")
            continue
        names.append(f"{structure.structure_id}-{number}")
        places.append(number)
        lines.append(json.dumps(_record(crystal, structure) | {"id": names[-1]}))
    if lines:
        records.write_text("\n".join(lines) + "\n", encoding="utf-8")
        files.append(records)
    return Asked(formulas, None, files), names if single else None


def _record(crystal: Any, structure: Structure) -> Row:
    if isinstance(crystal, (str, os.PathLike, Structure)):
        numbers, frac = structure.numbers.tolist(), structure.frac.tolist()
        return {"lattice": structure.lattice.tolist(), "numbers": numbers, "frac": frac}
    return record_of(crystal)
