"""What it costs to read thousands of structure files, and to look at them again when nothing has changed.

python benchmarks/reading.py [FILES ...]     (5000 and 20000 by default)

Made-up cubic perovskites of five atoms, as CIF files in a folder and as one file of JSON lines. `read` is the stage
`structures`; its share is processor time per file. `dry` is `snakemake -n` on a finished project (its surfaces are
empty files), `job` is what a surface job takes before it computes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from itertools import islice, product
from pathlib import Path

import yaml

from hirshprint.machine import cores

ROOT = Path(__file__).parents[1]
SCREEN = yaml.safe_load((ROOT / "config/screen.yaml").read_text(encoding="utf-8"))
METALS = SCREEN["datasets"]["screen"]["elements"]["A"]
ANIONS = ["O", "S", "Se", "Te", "F", "Cl", "Br", "I"]
PLACES = ((0, 0, 0), (0.5, 0.5, 0.5), (0.5, 0.5, 0), (0.5, 0, 0.5), (0, 0.5, 0.5))
ANGLES = "".join(f"_cell_angle_{name} 90\n" for name in ("alpha", "beta", "gamma"))
LOOPS = (
    "loop_\n_symmetry_equiv_pos_as_xyz\n'x, y, z'\nloop_\n_atom_site_label\n_atom_site_type_symbol\n"
    "_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n_atom_site_occupancy\n"
)
HEADER = ("kind", "files", "cores", "wall s", "CPU s", "ms/file", "dry s", "job s")


def write_crystals(folder: Path, files: int) -> None:
    """Write the crystals as CIF files in ``cifs``, and as lines of ``many.jsonl``."""
    (folder / "cifs").mkdir()
    lines = []
    for number, (x, a, b) in enumerate(islice(product(ANIONS, METALS, METALS), files)):
        edge = 3.6 + (number % 997) / 997
        symbols = (a, b, x, x, x)
        cell = "".join(f"_cell_length_{name} {edge:.6f}\n" for name in "abc") + ANGLES
        atoms = "".join(
            f"{s}{k} {s} {u} {v} {w} 1\n" for k, (s, (u, v, w)) in enumerate(zip(symbols, PLACES, strict=True))
        )
        (folder / f"cifs/p{number:06d}.cif").write_text(f"data_{a}{b}{x}3\n{cell}{LOOPS}{atoms}", encoding="utf-8")
        one = {"id": f"p{number:06d}", "cell": [edge] * 3 + [90] * 3, "sp": symbols, "frac": PLACES}
        lines.append(json.dumps(one) + "\n")
    (folder / "many.jsonl").write_text("".join(lines), encoding="utf-8")


def timed(folder: Path, *arguments: str) -> tuple[float, float]:
    """Wall and CPU seconds of a Snakemake command."""
    command = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "Snakefile"), "--configfile", "config.yaml"]
    before, start = os.times(), time.monotonic()
    done = subprocess.run([*command, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    wall, after = time.monotonic() - start, os.times()
    assert done.returncode == 0, done.stdout + done.stderr
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return wall, used


def finish(folder: Path) -> list[str]:
    """Make the outputs that are missing, empty, count all as current, and return the names of the batches."""
    command = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "Snakefile"), "--configfile", "config.yaml"]
    summary = subprocess.run([*command, "--summary"], cwd=folder, capture_output=True, text=True, check=True).stdout
    paths = [Path(line.split("\t")[0]) for line in summary.splitlines()[1:]]
    for path in paths:
        (folder / path.parent).mkdir(parents=True, exist_ok=True)
        (folder / path).touch()
    subprocess.run([*command, "--touch", "--forceall", "--cores", "1"], cwd=folder, capture_output=True, check=False)
    return [path.stem for path in paths if path.parent.name == "surfaces"]


def measure(files: int) -> None:
    """Print what a folder, and a file of many crystals, of some size cost."""
    used_cores = cores()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_crystals(folder, files)
        for name, source in (("folder", "{folder: cifs}"), ("jsonl", "{structures: many.jsonl}")):
            (folder / "config.yaml").write_text(f"datasets: {{{name}: {source}}}\n", encoding="utf-8")
            wall, used = timed(folder, "--cores", str(used_cores), "--until", "structures")
            batches = finish(folder)
            dry, _ = timed(folder, "-n", "-q", "rules")
            job = ("--mode", "subprocess", "--allowed-rules", "surface", "--cores", "1", "--force", "--nolock", "-n")
            one, _ = timed(folder, "--target-jobs", f"surface:dataset={name},batch={batches[0]}", *job)
            row = (name, files, used_cores, f"{wall:.1f}", f"{used:.1f}", f"{1000 * used / files:.1f}")
            print("".join(f"{cell:>9}" for cell in (*row, f"{dry:.1f}", f"{one:.1f}")), flush=True)


def main() -> None:
    """Measure folders of the given sizes."""
    print("".join(f"{word:>9}" for word in HEADER))
    for word in sys.argv[1:] or ["5000", "20000"]:
        measure(int(word))


if __name__ == "__main__":
    main()
