"""What the page holds of every compound: predictions, fingerprint, neighbours, surface; packed for its script."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hirshprint.accuracy.standing import headline_metrics, headline_rows
from hirshprint.datasets.splits import HOLDOUT
from hirshprint.fingerprints.distances import nearest_fingerprints
from hirshprint.hirshfeld.surface import Surface
from hirshprint.report.fingerprint_file import FingerprintFile, counts_of_rows, main_channel, shown_structures
from hirshprint.report.page.meshes import page_meshes
from hirshprint.report.page.packing import packed
from hirshprint.report.page.page_contacts import page_contacts
from hirshprint.report.style import display_unit, quantity

LISTED = 6_000  # compounds of a dataset on the page
WORST_LISTED = 0.1  # of those listed: the largest errors
NEIGHBOURS = 6
MESH_BYTES = 4_000_000  # of the surfaces of a dataset, before compression


def page_compounds(
    targets: pd.DataFrame,
    file: FingerprintFile,
    predictions: pd.DataFrame | None,
    splits: Sequence[str],
    surfaces: Mapping[str, list[Surface]],
    densities: str,
    listed: int = LISTED,
) -> dict[str, Any]:
    """Collect what the page's script shows of every compound of a dataset.

    Parameters
    ----------
    targets : DataFrame
        Table of the dataset's structures.
    file : FingerprintFile
        Its fingerprints.
    predictions : DataFrame or None
        Its predictions; None where nothing was learned.
    splits : sequence of str
        Names of the splits, the main one first.
    surfaces : mapping of str to list of Surface
        By structure, the most wanted first.
    densities : str
        Source of the free-atom densities, for the command that draws a surface.
    listed : int, default LISTED
        Most compounds to hold; of more `listed_rows` are chosen.

    Returns
    -------
    dict
        JSON-serialisable; `arrays` holds the large ones as `packed`, a row per compound unless said otherwise: `true`,
        `initial_edge` (Å), `structures`; for the k-th split `fold_k`, `predicted_k` and `std_k` (model, compound);
        `filled` (filled bins of its fingerprint), `bins` (their place i · n_bins + j, all compounds in a row) and
        `counts` (the same, half precision, in units of `largest`); `neighbours` and `distances`; the contacts of
        `page_contacts`; the meshes of `page_meshes`.
    """
    every = shown_structures(targets, file)
    rows = listed_rows(every, predictions, splits, surfaces, listed)
    names = list(rows["compound"])
    arrays: dict[str, NDArray[Any]] = {
        "true": targets.groupby("compound")["value"].mean().reindex(names).to_numpy(np.float32),
        "initial_edge": rows["initial_edge_angstrom"].to_numpy(np.float32),
        "structures": targets.groupby("compound").size().reindex(names).to_numpy(np.uint16),
    }
    counts = counts_of_rows(file, np.array([file.rows[x] for x in rows["structure_id"]], dtype=np.int64))
    largest = float(counts.max(initial=0.0)) or 1.0
    arrays |= _filled_bins(counts / np.float32(largest))
    neighbours, distances = nearest_fingerprints(counts, NEIGHBOURS)
    arrays |= {"neighbours": neighbours.astype(np.uint32), "distances": distances}
    sites, of_contacts = page_contacts(file.path, list(rows["structure_id"]))
    meshes, of_meshes = page_meshes(surfaces, MESH_BYTES)
    place = {name: i for i, name in enumerate(rows["structure_id"])}
    data: dict[str, Any] = {
        "compounds": names,
        "formulas": [] if names == list(rows["formula"]) else list(rows["formula"]),
        "structure_ids": list(rows["structure_id"]),
        "total": targets["compound"].nunique(),
        "present": len(every),
        "property": "",
        "unit": "",
        "models": [],
        "splits": [],
        "n_bins": len(file.edges) - 1,
        "low": float(file.edges[0]),
        "high": float(file.edges[-1]),
        "counts_unit": file.unit,
        "channel": main_channel(file),
        "largest": largest,
        "neighbour_count": neighbours.shape[1],
        "meshes": {str(place[mesh["id"]]): mesh["sites"] for mesh in meshes if mesh["id"] in place},
        "mesh_order": [place[mesh["id"]] for mesh in meshes if mesh["id"] in place],
        "commands": _commands(rows, densities),
        **sites,
    }
    if predictions is not None:
        data["property"] = quantity(str(predictions["property"].iloc[0]))
        data["unit"] = display_unit(str(predictions["unit"].iloc[0]))
        data["splits"] = list(splits)
        data["models"] = list(headline_metrics(predictions, splits[0])["model"])
        for k, split in enumerate(splits):
            arrays |= _predicted(predictions, split, data["models"], names, k)
    return data | {"arrays": packed(arrays | of_contacts | of_meshes)}


def listed_rows(
    rows: pd.DataFrame,
    predictions: pd.DataFrame | None,
    splits: Sequence[str],
    surfaces: Iterable[str],
    most: int = LISTED,
) -> pd.DataFrame:
    """Rows of the compounds that the page holds, at most `most`.

    Of more there are those with surfaces (those named in the configuration, the worst and the most uncertain of the
    model that is shown), those that the split ``holdout`` tests, the `WORST_SHARE` of largest error of any model in the
    main split, and of the others, in the order of their errors, every n-th.
    """
    if len(rows) <= most:
        return rows
    error = pd.Series(0.0, rows["compound"])
    held: set[str] = set()
    if predictions is not None:
        test = headline_rows(predictions, splits[0]).query("part == 'test'")
        error = (test["predicted"] - test["true"]).abs().groupby(test["compound"]).max().reindex(error.index)
        held = set(predictions.loc[(predictions["split"] == HOLDOUT) & (predictions["part"] == "test"), "compound"])
    order = error.sort_values(ascending=False, kind="stable").index
    first = rows.loc[rows["structure_id"].isin(list(surfaces)), "compound"].tolist()
    first += order[: round(WORST_LISTED * most)].tolist() + [name for name in order if name in held]
    kept = list(dict.fromkeys(first))[:most]
    others = order[~order.isin(kept)]
    places = np.linspace(0, len(others) - 1, most - len(kept)).astype(int)
    return rows[rows["compound"].isin([*kept, *others[places]])]


def _filled_bins(counts: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
    """Fingerprints (n, n_bins, n_bins) without their empty bins: how many are filled, which, and what they hold."""
    flat = counts.reshape(len(counts), -1)
    of_compound, bins = np.nonzero(flat)
    return {
        "filled": np.bincount(of_compound, minlength=len(flat)).astype(np.uint16),
        "bins": bins.astype(np.uint16),
        "counts": flat[of_compound, bins].astype(np.float16),
    }


def _predicted(
    predictions: pd.DataFrame, split: str, models: list[str], names: list[str], k: int
) -> dict[str, NDArray[Any]]:
    """Test predictions of one split: fold of each compound, and for each model value and standard deviation."""
    test = headline_rows(predictions, split).query("part == 'test'").drop_duplicates(["model", "compound"])
    tables = {
        name: test.pivot(index="model", columns="compound", values=column).reindex(index=models, columns=names)
        for name, column in (("predicted", "predicted"), ("std", "std"))
    }
    folds = test.groupby("compound")["fold"].min().reindex(names).fillna(255)
    arrays: dict[str, NDArray[Any]] = {f"fold_{k}": folds.to_numpy(np.uint8)}
    return arrays | {f"{name}_{k}": table.to_numpy(np.float32) for name, table in tables.items()}


def _commands(rows: pd.DataFrame, densities: str) -> list[str]:
    """Command that draws the surfaces of each row's structure."""
    extra = "" if densities == "thakkar" else f" --densities {densities}"
    built = rows["initial_edge_angstrom"].notna()
    named = rows["compound"].where(built, rows["source"])
    edges = rows["initial_edge_angstrom"].map(lambda edge: f" --edge {edge:.5g}").where(built, "")
    return list("hirshprint surface " + named + edges + f"{extra} --out surfaces")
