"""What the page shows of one dataset, as plain text and numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hirshprint.accuracy.metrics import metrics
from hirshprint.accuracy.predictions import read_compact, read_targets
from hirshprint.accuracy.standing import number_text
from hirshprint.files.reading import check_table, open_hdf5, reading
from hirshprint.remarks import REMARKED, REMEDY, by_sentence, listed_names, split_remarks
from hirshprint.report.figures.engine_comparison import comparison_rows, read_comparison
from hirshprint.report.fingerprint_file import open_fingerprints
from hirshprint.report.page.accuracy import (
    WORST_COUNT,
    accuracy_rows,
    headline_of_splits,
    learned_content,
    shown_splits,
)
from hirshprint.report.page.explorer_data import page_compounds
from hirshprint.report.page.inputs import DatasetInputs
from hirshprint.report.page.item_content import LISTED_ROWS, data_uri, item_content
from hirshprint.report.page.shown_surfaces import read_shown_surfaces
from hirshprint.report.style import display_unit, in_unit, quantity

LISTED_STRUCTURES = 500


LEAK = 0.5  # correlation of initial edge and target above which the report warns


def dataset_content(item: DatasetInputs, number: int, captions: Path, densities: str, listed: int) -> dict[str, Any]:
    """Collect all that the template shows of one dataset, as plain text and numbers; of its compounds `listed`."""
    targets, file = read_targets(item.targets), open_fingerprints(item.fingerprints)
    status = read_status(item.status)
    counts = status_counts(status)
    bad = status[~status["status"].isin(["ok", REMARKED, "filtered"])]
    remarks = _remarks(status, targets) if counts[REMARKED] else []
    filtered = status.loc[status["status"] == "filtered", "reason"].value_counts(sort=False)
    predictions = None if item.predictions is None else read_compact(item.predictions)
    splits = [] if predictions is None else shown_splits(predictions)
    headline = None if predictions is None else headline_of_splits(predictions, splits)
    surfaces = read_shown_surfaces(item.surfaces) if item.surfaces else {}
    explorer = page_compounds(targets, file, headline, splits, surfaces, densities, listed)
    learned: dict[str, Any] = {"property": ""}
    if predictions is not None and headline is not None:
        learned = learned_content(item, headline, targets, splits) | {
            "all_metrics": accuracy_rows(metrics(predictions[predictions["split"].isin(splits)], item.scale))
        }
    return {
        "name": item.name,
        "key": f"d{number}",
        "learned": item.predictions is not None,
        "counts": counts,
        "compounds": targets["compound"].nunique(),
        "fingerprints": len(file.rows),
        "surface_text": surface_text(item.fingerprints),
        "missing_fingerprints": counts["ok"] + counts[REMARKED] - len(file.rows),
        "geometry": geometry_content(targets),
        "bad": bad.head(LISTED_STRUCTURES).to_dict("records"),
        "bad_total": len(bad),
        "remarks": remarks[:LISTED_ROWS],
        "remarks_total": len(remarks),
        "remarks_remedy": REMEDY,
        "definition": _attributes(item.fingerprints),
        "explorer": explorer,
        "meshes": len(explorer["mesh_order"]),
        "engines": _engines(item.engines) if item.engines else None,
        "items": item_content(item.items, item.folder, captions, item.name),
        "filters": [{"name": name, "rows": int(rows)} for name, rows in filtered.items()],
        "predicted": predicted_content(item.predicted, item.screen, _unit(targets)) if item.predicted else None,
    } | learned


def _unit(targets: pd.DataFrame) -> str:
    """Unit of a dataset's property, as printed."""
    return display_unit(str(next(iter(targets["unit"].dropna()), "")))


def _remarks(status: pd.DataFrame, targets: pd.DataFrame) -> list[dict[str, Any]]:
    """Different remarks on the structures that were accepted with some, each with how many have it and the first."""
    rows = targets[targets["structure_id"].isin(status.loc[status["status"] == REMARKED, "structure_id"])]
    found = by_sentence(zip(rows["structure_id"], rows["remarks"].map(split_remarks), strict=True))
    return [{"sentence": text, "count": len(names), "structures": listed_names(names)} for text, names in found]


def predicted_content(path: Path, screen: Path | None = None, unit: str = "") -> dict[str, Any]:
    """Collect what the template shows of predictions of new compounds: how many, and those to be least sure of.

    Parameters
    ----------
    path : Path
        Table of the predictions.
    screen : Path or None
        Maps of a screening.
    unit : str
        Unit of the property, as printed; of a length in Å the names of the columns tell.
    """
    check_table(path)
    with reading(path):
        table = pd.read_csv(path, dtype="str", keep_default_na=False)
    value = next(
        column for column in table.columns.astype(str) if column.removesuffix("_angstrom").endswith("_predicted")
    )
    std = value.replace("_predicted", "_std")
    spread = value.replace("_predicted", "_spread")
    order = table[[std, spread]].astype(float).sort_values([std, spread], ascending=False, kind="stable").index
    columns = {
        "value": value,
        "std": std,
        "spread": spread,
        "unseen": "unseen",
        "distance": "fingerprint_distance",
        "name": "name",
    }
    shown = table.loc[order[:WORST_COUNT], list(columns.values())].set_axis(list(columns), axis="columns")
    for column in ("value", "std", "spread", "distance"):
        shown[column] = shown[column].map(lambda text: number_text(float(text)) if text else "")
    shown["unseen"] = shown["unseen"].str.replace(r"(\w+)=(\w+)", r"\2 on \1", regex=True)
    unit = "Å" if value.endswith("_angstrom") else unit
    titles = (f"Predicted {quantity(value.replace('_predicted', ''))}", "Standard deviation", "Spread of the networks")
    return {
        "compounds": len(table),
        "outside": int((table["outside_domain"] == "True").sum()),
        "rows": shown.to_dict("records"),
        "columns": [in_unit(title, unit) for title in titles],
        "map": data_uri(screen) if screen else "",
    }


def _engines(folder: Path) -> dict[str, Any]:
    """Collect what the template shows of the comparison of the surface engines."""
    table = read_comparison(folder / "comparison.csv")
    return {
        "structures": table["structure_id"].nunique(),
        "rows": comparison_rows(table),
        "figure": data_uri(folder / "comparison.svg"),
    }


def geometry_content(targets: pd.DataFrame) -> dict[str, Any]:
    """Say how structures were built, and whether the geometry gives the target away."""
    edges = targets["initial_edge_angstrom"].dropna()
    learned = bool(targets["value"].notna().any())
    if edges.empty:
        text = "Structures were read from files, so fingerprints see the geometry given there."
        text += " A property that it fixes, such as the lattice parameter, is then read off and not predicted."
        return {"text": text, "warning": learned}
    if edges.nunique() == 1:
        text = f"Every structure was built with the same edge, {edges.iloc[0]:g} Å."
        return {"text": text, "warning": False}
    known = targets.dropna(subset=["initial_edge_angstrom", "value"])
    text = f"Structures were built with edges from {edges.min():.3g} to {edges.max():.3g} Å."
    if known["value"].nunique() < 2 or known["initial_edge_angstrom"].nunique() < 2:
        return {"text": text, "warning": False}
    r = float(np.corrcoef(known["initial_edge_angstrom"], known["value"])[0, 1])
    text += f" The edge's correlation with the property is {r:+.2f}.".replace("-", "−")
    leaks = abs(r) > LEAK
    text += " The initial edge gives part of the target away." if leaks else ""
    return {"text": text, "warning": leaks}


def _attributes(path: Path) -> list[tuple[str, str]]:
    """Read what defines the fingerprints: the file's attributes, in the order of their names."""
    with open_hdf5(path) as file:
        return [(name, str(file.attrs[name])) for name in sorted(file.attrs)]


def surface_text(path: Path) -> str:
    """Say how many surfaces and fingerprints a file was made of and holds."""
    file = open_fingerprints(path)
    with open_hdf5(path, ("site_offsets",)) as source:
        surfaces = int(source["site_offsets"][-1])
    bins = len(file.edges) - 1
    shape = f"{len(file.channels)} × {bins} × {bins} bins"
    return f"{surfaces:,} surfaces, {len(file.rows):,} fingerprints of {shape}"


def read_status(path: Path) -> pd.DataFrame:
    """Read the status of every structure, all columns as text."""
    check_table(path, ("status", "reason", "stage"))
    with reading(path):
        return pd.read_csv(path, dtype="str", keep_default_na=False)


def status_counts(status: pd.DataFrame) -> dict[str, int]:
    """Count the structures by status."""
    return {name: int((status["status"] == name).sum()) for name in ("ok", REMARKED, "failed", "rejected")}
