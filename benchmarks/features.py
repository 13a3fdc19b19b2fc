"""Features of crystals by hirshprint, dscribe and matminer: what they cost, and what a random forest makes of them.

python benchmarks/features.py [SET.jsonl.gz PROPERTY ...] [--crystals N] [--log PROPERTY ...]

Prints for each set a table: features, CPU seconds a crystal, mean absolute error over five folds of the same random
forest, in the property or in the decades of it. Crystals are drawn at random (seed 0), the same for all; the folds too.
What is compared with needs `.venv-benchmarks` (make env-benchmarks). Features of matminer that are not finite are 0.
"""

from __future__ import annotations

import argparse
import gzip
import json
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
PEERS = ROOT / ".venv-benchmarks/bin/python"
FOLDS, TREES = 5, 300
DATA = ROOT / "../shared/data/benchmarks"
SETS = [f"{DATA}/mb_phonons.jsonl.gz", "last phdos peak", f"{DATA}/dielectric_petousis2017.jsonl.gz", "n"]

Features = Callable[[list[Any]], np.ndarray]


def contacts_and_moments(crystals: list[Any]) -> np.ndarray:
    from hirshprint.featurizer import HirshfeldFeaturizer

    return HirshfeldFeaturizer(progress=False).fit_transform(crystals)


def fingerprint_bins(crystals: list[Any]) -> np.ndarray:
    from hirshprint.featurizer import HirshfeldFeaturizer

    return HirshfeldFeaturizer("bins", progress=False).fit_transform(crystals)


def soap(crystals: list[Any]) -> np.ndarray:
    """SOAP averaged over the atoms (6 Å, n_max 6, l_max 4), compressed (mu1nu1): uncompressed it has 10^5 numbers."""
    from dscribe.descriptors import SOAP
    from pymatgen.io.ase import AseAtomsAdaptor

    species = sorted({str(site.specie.symbol) for crystal in crystals for site in crystal})
    compression = {"mode": "mu1nu1"}
    made = SOAP(
        r_cut=6,
        n_max=6,
        l_max=4,
        species=species,
        periodic=True,
        average="outer",
        sparse=False,
        compression=compression,
    )
    return np.array([made.create(AseAtomsAdaptor.get_atoms(crystal)) for crystal in crystals])


def matminer_structure(crystals: list[Any]) -> np.ndarray:
    """Order parameters of sites (CrystalNN), density, symmetry: matminer's features of structures alone."""
    from matminer.featurizers.base import MultipleFeaturizer
    from matminer.featurizers.site import CrystalNNFingerprint
    from matminer.featurizers.structure import DensityFeatures, GlobalSymmetryFeatures, SiteStatsFingerprint

    sites = SiteStatsFingerprint(CrystalNNFingerprint.from_preset("ops"), stats=("mean", "std_dev"))
    symmetry = GlobalSymmetryFeatures(["spacegroup_num", "is_centrosymmetric"])
    return featurized(MultipleFeaturizer([DensityFeatures(), symmetry, sites]), crystals)


def matminer_with_elements(crystals: list[Any]) -> np.ndarray:
    """The same, and statistics of the elements (Magpie)."""
    from matminer.featurizers.composition import ElementProperty

    elements = ElementProperty.from_preset("magpie", impute_nan=True)
    of_elements = featurized(elements, [crystal.composition for crystal in crystals])
    return np.concatenate([matminer_structure(crystals), of_elements], axis=1)


def featurized(featurizer: Any, entries: list[Any]) -> np.ndarray:
    width = len(featurizer.feature_labels())
    rows = []
    for entry in entries:
        try:
            rows.append([float(value) for value in featurizer.featurize(entry)])
        except Exception as error:  # what a featurizer cannot do of a crystal
            print(f"left at 0: {error}", file=sys.stderr)
            rows.append([0.0] * width)
    return np.nan_to_num(np.array(rows))


KINDS: dict[str, tuple[str, Features]] = {
    "hirshprint, contacts and moments": ("own", contacts_and_moments),
    "hirshprint, bins of the fingerprint": ("own", fingerprint_bins),
    "dscribe, SOAP averaged over atoms": ("peer", soap),
    "matminer, structure": ("peer", matminer_structure),
    "matminer, structure and elements": ("peer", matminer_with_elements),
}


def drawn(path: Path, count: int) -> list[dict[str, Any]]:
    """Records drawn at random, in the order of the file."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        records = [json.loads(line) for line in file]
    rows = np.sort(np.random.default_rng(0).permutation(len(records))[:count])
    return [records[row] for row in rows.tolist()]


def crystals_of(records: Sequence[dict[str, Any]]) -> list[Any]:
    from pymatgen.core import Lattice, Structure

    return [Structure(Lattice.from_parameters(*one["cell"]), one["sp"], one["frac"]) for one in records]


def compute(kind: str, path: Path, count: int, out: Path) -> None:
    """Compute one kind of features, after a crystal that is not counted, and write them with their CPU seconds."""
    warnings.simplefilter("ignore")
    crystals = crystals_of(drawn(path, count))
    features = KINDS[kind][1]
    features(crystals[:1])
    start = time.process_time()
    values = features(crystals)
    np.savez(out, values=values, seconds=(time.process_time() - start) / len(crystals))


def computed(kind: str, path: Path, count: int) -> tuple[np.ndarray, float]:
    """The same in a process of its own, of the environment that has the program."""
    python = str(PEERS) if KINDS[kind][0] == "peer" else sys.executable
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "features.npz"
        command = [python, __file__, str(path), "-", "--crystals", str(count), "--only", kind, "--out", str(out)]
        subprocess.run(command, check=True)
        with np.load(out) as found:
            return found["values"], float(found["seconds"])


def errors(values: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Mean absolute error of each fold."""
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.model_selection import KFold

    found = []
    for train, test in KFold(FOLDS, shuffle=True, random_state=0).split(values):
        forest = RandomForestRegressor(TREES, min_samples_leaf=1, max_features=1 / 3, random_state=0)
        forest.fit(values[train], targets[train])
        found.append(np.abs(forest.predict(values[test]) - targets[test]).mean())
    return np.array(found)


def show(path: Path, key: str, count: int, logarithmic: bool) -> None:
    """Print the table of one set."""
    records = drawn(path, count)
    targets = np.array([float(record[key]) for record in records])
    targets = np.log10(targets) if logarithmic else targets
    name = path.name.partition(".")[0]
    print(
        f"\n{name}: {key}{', log10' if logarithmic else ''}; {len(records)} crystals, mean absolute deviation "
        f"{np.abs(targets - targets.mean()).mean():.4g}\n"
    )
    print("| features | number | CPU s a crystal | mean absolute error, five folds |")
    print("|---|--:|--:|--:|")
    for kind, (where, _) in KINDS.items():
        if where == "peer" and not PEERS.exists():
            print(f"| {kind} | not run: there is no .venv-benchmarks | | |")
            continue
        values, seconds = computed(kind, path, count)
        error = errors(values, targets)
        print(f"| {kind} | {values.shape[1]:,} | {seconds:.3f} | {error.mean():.4g} ± {error.std():.2g} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", default=SETS, help="file of crystals and property, one after the other")
    parser.add_argument("--crystals", type=int, default=400)
    parser.add_argument("--log", nargs="*", default=["n"], help="properties whose logarithms are learned")
    parser.add_argument("--only", help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    paths, keys = given.sets[::2], given.sets[1::2]
    if given.only:
        compute(given.only, Path(paths[0]), given.crystals, given.out)
        return
    if missing := [path for path in paths if not Path(path).is_file()]:
        print(f"Skipped: there is no {Path(missing[0]).name} here; name files of crystals.")
        return
    print(f"Random forest of {TREES} trees, a third of the features at each branch; {FOLDS} random folds.")
    for path, key in zip(paths, keys, strict=True):
        show(Path(path), key, given.crystals, key in given.log)


if __name__ == "__main__":
    main()
