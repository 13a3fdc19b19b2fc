"""What a baseline that sees fingerprints is fitted on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hirshprint.datasets.gather import Dataset, DatasetError, channels_of, described_channels, joined_rows
from hirshprint.fingerprints.quantiles import quantiles
from hirshprint.networks.registry import KINDS


def fingerprint_inputs(dataset: Dataset, rows: NDArray[np.int64], fingerprints_h5: str | Path) -> NDArray[np.float64]:
    """Quantiles (`fingerprints.quantiles`) of the fingerprints of the sites, else of the total one and of its kinds.

    Where all compounds have the same initial edges, those of all edges stand side by side, else those of the first.

    Parameters
    ----------
    dataset : Dataset
        What to learn from.
    rows : ndarray of int64, (n,)
        A row of each compound, that of its first draw.
    fingerprints_h5 : str or Path
        File of its fingerprints.

    Returns
    -------
    ndarray of float64, (n, p)
        NaN for a compound that lacks one of the edges that all others have.

    Raises
    ------
    DatasetError
        The file has neither the channels of the sites nor the total one.
    """
    present = channels_of(fingerprints_h5)
    sites = [site for site in dataset.elements if site in present]
    wanted = sites if sites and len(sites) == len(dataset.elements) else [k for k in ("total", *KINDS) if k in present]
    if not wanted:
        raise DatasetError(f"{fingerprints_h5} has no channel total; add it under fingerprint: channels:")
    every, by_edge = joined_rows(dataset)
    known = np.isin(rows, every)
    structures = by_edge[np.searchsorted(every, rows[known])]
    names = dataset.structure_ids[structures.ravel()].tolist()
    described = described_channels(fingerprints_h5, names, wanted, quantiles).reshape(known.sum(), -1)
    found = np.full((len(rows), described.shape[1]), np.nan)
    found[known] = described
    return found
