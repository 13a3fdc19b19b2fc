"""What a training step of CGCNN costs here and in the package cgcnn2 (PyTorch), on the same crystals and edges.

Both take the steps in turn, in processes of one thread. Times are processor time, which a busy machine changes less
than the time on the wall, the least of many. The comparison needs `.venv-cgcnn2` (envs/cgcnn2.txt).

Run from the repository: ``make bench``, or ``PYTHONPATH=src python benchmarks/cgcnn_step.py [--repeats 20]``
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from hirshprint.networks.backend import keras, prepare_device, tf
from hirshprint.networks.cgcnn import CONVOLUTIONS, FEATURES, HIDDEN, RECIPE, GaussianDistances, build_cgcnn
from hirshprint.networks.graphs import SHELL_WIDTH, Graphs, build_graphs, graph_batch, neighbours_within
from hirshprint.networks.training import Trainer
from hirshprint.structures.placed import cubic_perovskite
from hirshprint.structures.structure import Structure

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "data" / "experimental_perovskites.csv"
PYTHON = ROOT / ".venv-cgcnn2" / "bin" / "python"
EDGE_ANGSTROM = 4.5
RADIUS_ANGSTROM = 5.0
BATCHES = (16, 64)  # the default and what the examples with thousands of compounds take
STEPS = 5  # that one program takes before it is another's turn
RATE = 1e-3


def unmerged_graphs(structures: Sequence[Structure], radius: float) -> Graphs:
    """Make graphs with a node for every atom of a cell and an edge for every neighbour of it."""
    found = [neighbours_within(one.lattice, one.frac, radius) for one in structures]
    orders = [np.argsort(centres, kind="stable") for centres, _, _ in found]
    centres, neighbours, shells = (
        np.concatenate([arrays[k][order] for arrays, order in zip(found, orders, strict=True)]) for k in range(3)
    )
    return Graphs(
        numbers=np.concatenate([one.numbers for one in structures]).astype(np.int32),
        shares=np.concatenate([np.full(len(one.numbers), 1 / len(one.numbers)) for one in structures]).astype(
            np.float32
        ),
        node_offsets=np.cumsum([0, *(len(one.numbers) for one in structures)]),
        centres=centres.astype(np.int32),
        neighbours=neighbours.astype(np.int32),
        distances=(shells * SHELL_WIDTH).astype(np.float32),
        multiplicities=np.ones(len(centres), np.float32),
        edge_offsets=np.cumsum([0, *map(len, orders)]),
        radius=radius,
    )


def padded(batch: Sequence[np.ndarray], width: int) -> tuple[np.ndarray, np.ndarray]:
    """Lay the edges of an unmerged batch out as (n, width) neighbours and distances, Å, as cgcnn2 does.

    Where an atom has fewer, cgcnn2 adds edges to atom 0, 1 Å beyond the radius.
    """
    numbers, _, _, centres, neighbours, distances, _ = batch
    counts = np.bincount(centres, minlength=len(numbers))
    slots = np.arange(len(centres)) - np.repeat(np.cumsum(counts) - counts, counts)
    of_slots = np.zeros((len(numbers), width), np.int64)
    lengths = np.full((len(numbers), width), RADIUS_ANGSTROM + 1, np.float32)
    of_slots[centres, slots], lengths[centres, slots] = neighbours, distances
    return of_slots, lengths


def fastest_step(trainer: Trainer, batch: Sequence[np.ndarray], targets: np.ndarray) -> float:
    """Take some steps and return the seconds of processor time of the fastest."""
    times = []
    for _ in range(STEPS):
        start = time.process_time()
        float(trainer.step(list(batch), targets, RATE))
        times.append(time.process_time() - start)
    return min(times)


def ask(program: subprocess.Popen[str], size: int) -> float:
    """Let cgcnn2 take some steps and return the seconds of processor time of the fastest."""
    assert program.stdin is not None
    assert program.stdout is not None
    program.stdin.write(f"{size} {STEPS}\n")
    program.stdin.flush()
    seconds, loss = map(float, program.stdout.readline().split())
    assert np.isfinite(loss)
    return seconds


def compare(repeats: int) -> None:
    """Print the settings, then a line for every size of batch."""
    table = pd.read_csv(TABLE)
    structures = [
        cubic_perovskite([row.A, row.B, row.X], EDGE_ANGSTROM, f"{row.formula}-{k}")
        for k, row in enumerate(table.itertuples())
    ]
    edges = table["a_angstrom"].to_numpy(float)
    scaled = ((edges - edges.mean()) / edges.std()).astype(np.float32)
    merged = build_graphs(structures, RADIUS_ANGSTROM)
    unmerged = unmerged_graphs(structures, RADIUS_ANGSTROM)
    trainer = Trainer(lambda: build_cgcnn(RADIUS_ANGSTROM), RECIPE)
    trainer.reset(0)
    width = describe(merged, unmerged, trainer)
    given = {
        "centres": GaussianDistances(RADIUS_ANGSTROM).centres,
        "sizes": np.array([FEATURES, CONVOLUTIONS, HIDDEN]),
    }
    ours = {}
    for size in BATCHES:
        rows = np.random.default_rng(0).choice(len(structures), size, replace=False)
        full, targets = graph_batch(unmerged, rows), scaled[rows]
        ours[size] = (full, graph_batch(merged, rows), targets)
        given |= {f"numbers_{size}": full[0], f"owners_{size}": full[2], f"targets_{size}": targets}
        given[f"neighbours_{size}"], given[f"distances_{size}"] = padded(full, width)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "batches.npz"
        np.savez(path, **given)
        command = [PYTHON, ROOT / "benchmarks" / "cgcnn2_step.py", path, *map(str, BATCHES)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
            assert program.stdin is not None
            assert program.stdout is not None
            if not (versions := program.stdout.readline().strip()):
                sys.exit(f"{' '.join(map(str, command))} failed")
            print(f"{versions}; tensorflow {tf.__version__}, keras {keras.__version__}; one thread each")
            print(f"processor time, the least of {repeats} x {STEPS} steps, the programs in turn after every {STEPS}")
            print("\nbatch  ms: cgcnn2  unmerged   merged  | ratios: cgcnn2/merged = cgcnn2/unmerged x unmerged/merged")
            for size, (full, short, targets) in ours.items():
                turns = [
                    [ask(program, size), *(fastest_step(trainer, batch, targets) for batch in (full, short))]
                    for _ in range(repeats)
                ]
                one, two, three = np.min(turns, axis=0)
                print(
                    f"{size:5d}  {1000 * one:10.2f}  {1000 * two:8.2f}  {1000 * three:7.2f}  |"
                    f" {one / three:.1f} = {one / two:.2f} x {two / three:.2f}"
                )
            program.stdin.close()
    print("cgcnn2/merged: what a training gains")
    print("cgcnn2/unmerged: from the layers alone, on the same atoms and edges; cgcnn2 computes the padding as well")
    print("unmerged/merged: from merging equivalent atoms and edges; a crystal without symmetry gains nothing there")


def describe(merged: Graphs, unmerged: Graphs, trainer: Trainer) -> int:
    """Print what is compared and return the largest number of neighbours; stops where the graphs are not the same."""
    crystals = len(merged.node_offsets) - 1
    batches = [graph_batch(graphs, np.arange(crystals)) for graphs in (merged, unmerged)]
    predicted = [trainer.apply(list(batch)).numpy() for batch in batches]
    difference = np.abs(predicted[0] / predicted[1] - 1).max()
    assert difference < 1e-3
    atoms, edges, few_atoms, few_edges = (
        len(array) // crystals for array in (unmerged.numbers, unmerged.distances, merged.numbers, merged.distances)
    )
    width = int(np.bincount(batches[1][3]).max())
    places = atoms * width
    gaussians = len(GaussianDistances(RADIUS_ANGSTROM).centres)
    print(f"{crystals} cubic perovskites of {TABLE.relative_to(ROOT)}, cell edge {EDGE_ANGSTROM} Å,")
    print(f"all neighbours within {RADIUS_ANGSTROM} Å: {atoms} atoms and {edges} edges in a crystal,")
    print(f"padded for cgcnn2 to {atoms} x {width} = {places} edges; merged {few_atoms} atoms and {few_edges} edges,")
    print(f"with which the predictions differ by a share of {difference:.0e} at most")
    print(f"{FEATURES} features, {CONVOLUTIONS} convolutions, {HIDDEN} hidden, {gaussians} Gaussians, float32, Adam")
    print("a step: forward, backward, update, on a batch that is made beforehand (for cgcnn2 with its Gaussians, which")
    print("hirshprint computes in the step; hirshprint also clips the gradients)")
    return width


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--repeats", type=int, default=100, help="turns of each program; the fastest step counts")
    arguments = parser.parse_args()
    if not PYTHON.exists():
        print("Skipped: there is no .venv-cgcnn2 (make env-cgcnn2)")
        return
    prepare_device(gpus=0, require_gpu=False, threads=1)
    compare(arguments.repeats)


if __name__ == "__main__":
    main()
