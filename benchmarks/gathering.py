"""How long the fingerprints of many structures take to gather in one file, and what memory.

The structures are perovskites of the embedded table, each many times under other names: batch files as surface jobs
write them, without the surfaces, which gathering does not read.

Run from the repository: ``PYTHONPATH=src python benchmarks/gathering.py [STRUCTURES [BATCHES [THREADS]]]``
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from surfaces import PEROVSKITES, perovskite

from hirshprint.batch.binning import Binning, pack_batch
from hirshprint.batch.file import join_packs, write_arrays
from hirshprint.batch.gathering import gather_fingerprints
from hirshprint.batch.keys import structure_digest
from hirshprint.commands.inputs import default_fingerprint, find_densities
from hirshprint.hirshfeld.python.engine import compute_surfaces


def main() -> None:
    structures, batches, threads = (int(word) for word in (*sys.argv[1:], *("112584", "64", "2")[len(sys.argv) - 1 :]))
    densities = find_densities("thakkar")
    edges = np.linspace(3.6, 5.4, 9)
    few = [perovskite(name, edge=float(edge)) for name in PEROVSKITES for edge in edges]
    binning = Binning(default_fingerprint(), ("A", "B", "X"))
    by_id = {f"{k}": compute_surfaces(one, densities) for k, one in enumerate(few)}
    pack = pack_batch(by_id, dict.fromkeys(by_id, ""), binning)
    with tempfile.TemporaryDirectory() as folder:
        names = [f"s{k:07}" for k in range(structures)]
        files = []
        for batch in range(batches):
            own = names[batch::batches]
            arrays = dict(join_packs([pack.__getitem__], [(0, k % len(few)) for k in range(len(own))]))
            arrays["ids"] = np.array(own)
            arrays["status"] = np.array(json.dumps({name: {"status": "ok", "geometry": name} for name in own}))
            files.append(Path(folder, f"{batch}.npz"))
            write_arrays(files[-1], arrays.items())
        start = time.process_time()
        for k in range(10_000):
            structure_digest(replace(few[k % len(few)], structure_id=names[k % len(names)]))
        of_digests = (time.process_time() - start) / 10_000
        out = Path(folder, "fingerprints.h5")
        wall, cpu = time.perf_counter(), time.process_time()
        missing = gather_fingerprints(files, {name: name for name in names}, binning, out, "digest", threads)
        assert not missing
        print(
            f"{structures} structures, {batches} batches, {len(pack['bin']) / len(few):.0f} filled bins each, "
            f"{threads} threads: {time.perf_counter() - wall:.1f} s, of processor {time.process_time() - cpu:.1f} s; "
            f"{out.stat().st_size / 1e6:.0f} MB"
        )
        print(f"digest of a structure: {1e6 * of_digests:.0f} µs, of all {structures * of_digests:.1f} s")
        print(f"most memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
