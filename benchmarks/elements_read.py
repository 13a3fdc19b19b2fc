"""How well the elements are read off fingerprints: the share of validation compounds whose element is found, by site.

python benchmarks/elements_read.py results/DATASET ...

Of each dataset of a run the moments of its fingerprints are taken, what each element adds to them is fitted on the
training part of each random fold, and the elements of its validation part are read; test parts are not looked at. A
compound whose structures have edges of their own counts with the mean share of its structures.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from hirshprint.datasets.folds import make_splits
from hirshprint.datasets.gather import load_dataset
from hirshprint.datasets.splits import SITES
from hirshprint.networks.readout import fit_reader, moment_rows
from hirshprint.structures.symbols import SYMBOLS


def measure(folder: Path) -> None:
    """Print the shares of one dataset, mean ± sd over five folds."""
    files = (folder / "fingerprints.h5", folder / "targets.csv")
    dataset = load_dataset(folder.name, *files, channels=(), site_moments=True)
    rows, moments, edges = moment_rows(dataset)
    elements = {site: symbols[rows] for site, symbols in dataset.elements.items()}
    found = []
    for fold in make_splits(dataset, "random", 5, 0, 0.15):
        train, held = (np.flatnonzero(np.isin(rows, part)) for part in (fold.train, fold.validation))
        read = fit_reader(moments, edges, elements, train).probabilities(moments[held], edges[held]).argmax(axis=2)
        found.append([(np.array(SYMBOLS)[read[:, k]] == elements[s][held]).mean() for k, s in enumerate(SITES)])
    mean, sd = 100 * np.mean(found, axis=0), 100 * np.std(found, axis=0, ddof=1)
    shares = ", ".join(f"{s} {m:.1f} ± {d:.1f} %" for s, m, d in zip(SITES, mean, sd, strict=True))
    print(f"{folder.name}: {len(rows)} rows of {moments.shape[1]} moments; read right: {shares}")


def main() -> None:
    """Measure each folder."""
    if len(sys.argv) < 2:
        print("no folder was named, nothing is measured:", *(__doc__ or "").strip().splitlines()[2:3])
    for name in sys.argv[1:]:
        measure(Path(name))


if __name__ == "__main__":
    main()
