"""What new fingerprints cost when one of thousands of structure files was edited, or the bins were.

python benchmarks/one_edit.py [FILES]     (5000 by default)

Made-up cubic perovskites as CIF files; surfaces and fingerprints alone, on this machine, two cores. Prints wall and
processor seconds of everything: the head process, its jobs and what they run; and the files that there are.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np
from reading import timed, write_crystals

UNTIL = ("--cores", "2", "--until", "fingerprints")


def counts(folder: Path) -> np.ndarray:
    with h5py.File(folder / "results/mine/fingerprints.h5") as file:
        return file["counts"][:, 0]


def main() -> None:
    files = int((sys.argv[1:] or ["5000"])[0])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_crystals(folder, files)
        config = folder / "config.yaml"
        config.write_text("datasets: {mine: {folder: cifs}}\nsurfaces: {engine: python}\n", encoding="utf-8")
        print(f"{'':<34} {'wall s':>7} {'CPU s':>7}")

        def say(what: str) -> None:
            wall, cpu = timed(folder, *UNTIL)
            print(f"{what:<34} {wall:>7.1f} {cpu:>7.1f}", flush=True)

        say(f"{files:,} files, the first time")
        before = counts(folder)
        say("the same again")
        path = folder / f"cifs/p{files // 2:06d}.cif"
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        edited = ["_cell_length_a 4.321\n" if line.startswith("_cell_length_a") else line for line in lines]
        path.write_text("".join(edited), encoding="utf-8")
        say("one file edited")
        changed = np.flatnonzero((counts(folder) != before).any(axis=(1, 2)))
        assert len(changed) == 1, f"{len(changed)} fingerprints changed"
        with config.open("a", encoding="utf-8") as file:
            file.write("fingerprint: {bins: {count: 40}}\n")
        say("other bins")
        made = [one for place in ("results", "cache", "logs", ".snakemake") for one in (folder / place).rglob("*")]
        print(f"{sum(one.is_file() for one in made)} files in results/, cache/, logs/ and .snakemake/ in the end")


if __name__ == "__main__":
    main()
