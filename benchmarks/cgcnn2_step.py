"""Training steps of the package cgcnn2, for `cgcnn_step.py`; runs in `.venv-cgcnn2`.

Usage: cgcnn2_step.py BATCHES.npz SIZE...

BATCHES.npz: `centres` (g,) of the Gaussians, Å, which are as wide as they are apart; `sizes`: numbers of features, of
convolutions and of hidden units; and for each SIZE the crystals of a batch: `numbers_SIZE` (n,),
`owners_SIZE` (n,) ascending from 0, `neighbours_SIZE` and `distances_SIZE` (n, m), Å, `targets_SIZE` (SIZE,).
Says its versions in a line as soon as it is ready. For each line "SIZE STEPS" that it then reads it takes so many
steps and answers with a line: seconds of processor time of the fastest, and the last loss.
"""

from __future__ import annotations

import json
import sys
import time
from importlib import resources
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from cgcnn2.model import CrystalGraphConvNet


def tensors(file: Any, size: str) -> tuple[list[Any], torch.Tensor]:
    """Inputs of the network and targets (SIZE, 1)."""
    path = resources.files("cgcnn2") / "asset" / "atom_init.json"
    vectors = json.loads(path.read_text())
    atoms = np.array([vectors[str(number)] for number in file[f"numbers_{size}"]], np.float32)
    distances = file[f"distances_{size}"][..., None]
    centres = file["centres"]
    edges = np.exp(-(((distances - centres) / (centres[1] - centres[0])) ** 2)).astype(np.float32)
    owners = file[f"owners_{size}"]
    crystals = [torch.from_numpy(np.flatnonzero(owners == k)) for k in range(owners[-1] + 1)]
    neighbours = torch.from_numpy(file[f"neighbours_{size}"].astype(np.int64))
    inputs = [torch.from_numpy(atoms), torch.from_numpy(edges), neighbours, crystals]
    return inputs, torch.from_numpy(file[f"targets_{size}"].astype(np.float32))[:, None]


def main() -> None:
    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)
    torch.manual_seed(0)
    path, *sizes = sys.argv[1:]
    with np.load(path) as file:
        batches = {size: tensors(file, size) for size in sizes}
        features, convolutions, hidden = file["sizes"].tolist()
    (atoms, edges, _, _), _ = batches[sizes[0]]
    network = CrystalGraphConvNet(atoms.shape[1], edges.shape[2], features, convolutions, hidden)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    criterion = torch.nn.MSELoss()
    network.train()
    print(f"cgcnn2 {version('cgcnn2')}, torch {torch.__version__}", flush=True)
    for line in sys.stdin:
        size, steps = line.split()
        inputs, targets = batches[size]
        times = []
        for _ in range(int(steps)):
            start = time.process_time()
            optimizer.zero_grad()
            loss = criterion(network(*inputs)[0], targets)
            loss.backward()
            optimizer.step()
            last = loss.item()
            times.append(time.process_time() - start)
        print(min(times), last, flush=True)


if __name__ == "__main__":
    main()
