"""The surfaces that the page shows in three dimensions: which, and gathered from the batches."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from itertools import chain, zip_longest
from pathlib import Path

import numpy as np
import pandas as pd

from hirshprint.accuracy.predictions import main_split, read_predictions, read_targets
from hirshprint.accuracy.standing import headline_metrics, headline_rows, shown_model
from hirshprint.batch.file import read_surfaces
from hirshprint.files.reading import read_npz, reading
from hirshprint.files.writing import written_whole
from hirshprint.hirshfeld.surface import Surface, pack_surfaces, unpack_surfaces
from hirshprint.report.fingerprint_file import open_fingerprints, shown_structures

LOG = logging.getLogger(__name__)
MOST = 200  # compounds of a dataset with surfaces on the page


def choose_compounds(
    compounds: Sequence[str], predictions: pd.DataFrame | None, named: Sequence[str], count: int = MOST
) -> list[str]:
    """Choose compounds whose surfaces are worth a look.

    Parameters
    ----------
    compounds : sequence of str
        All that have a fingerprint.
    predictions : DataFrame or None
        Those of the dataset; None where nothing was learned.
    named : sequence of str
        Compounds that come first, whatever was predicted.
    count : int, default MOST
        How many to choose, besides those named.

    Returns
    -------
    list of str
        Those named, then in turn the largest test errors and the largest stated standard deviations of the model that
        `shown_model` names (main split). Without predictions: compounds evenly spread over the list.
    """
    known = set(compounds)
    first = [name for name in dict.fromkeys(named) if name in known]
    if predictions is None:
        shown = min(count, len(compounds))
        rest = [compounds[i] for i in np.linspace(0, max(len(compounds) - 1, 0), shown).astype(int)]
    else:
        split = main_split(predictions)
        rows = headline_rows(predictions, split)
        model = shown_model(headline_metrics(rows, split))
        rows = rows[(rows["model"] == model) & (rows["part"] == "test")]
        error = (rows["predicted"] - rows["true"]).abs()
        orders = [size.sort_values(ascending=False, kind="stable").index for size in (error, rows["std"].dropna())]
        names = [rows.loc[order, "compound"] for order in orders]
        rest = [name for name in chain.from_iterable(zip_longest(*names)) if name in known]
    return list(dict.fromkeys([*first, *rest]))[: max(count, len(first))]


def write_shown_surfaces(
    predictions: Path | None,
    fingerprints: Path,
    targets: Path,
    batches: Sequence[Path],
    named: Sequence[str],
    path: Path,
) -> None:
    """Gather the surfaces of the chosen compounds in one file of the form of a batch file, in the order of choice.

    Parameters
    ----------
    predictions : Path or None
        File of ``results/<dataset>/``; None where nothing was learned.
    fingerprints : Path
        File of ``results/<dataset>/``.
    targets : Path
        File of ``results/<dataset>/``.
    batches : sequence of Path
        Files with the surfaces of all structures.
    named : sequence of str
        See `choose_compounds`.
    path : Path
        The file to write.
    """
    rows = shown_structures(read_targets(targets), open_fingerprints(fingerprints)).set_index("compound")
    table = None if predictions is None else read_predictions(predictions)
    chosen = [str(rows.at[name, "structure_id"]) for name in choose_compounds(list(rows.index), table, named)]
    found: dict[str, list[Surface]] = {}
    for batch in batches:
        found |= read_surfaces(batch, set(chosen))
    LOG.info(f"{len(found)} of {len(rows)} compounds are shown in three dimensions")
    if missing := sorted(set(named) - set(rows.index)):
        LOG.info(f"named under report.compounds, but not in this dataset: {', '.join(missing)}")
    with written_whole(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **pack_surfaces({name: found[name] for name in chosen if name in found}))


def read_shown_surfaces(path: Path) -> dict[str, list[Surface]]:
    """Read what `write_shown_surfaces` wrote."""
    with reading(path):
        return unpack_surfaces(read_npz(path))
