"""What a dry run costs: `snakemake -n` on tables of made-up perovskites, one job per structure and in batches.

python benchmarks/dry_run.py [STRUCTURES[:PER_JOB] ...]     (5250:1 and 1000000:auto by default)

Above 10,000 structures, rows have several random edges each.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from itertools import islice, product
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
SCREEN = yaml.safe_load((ROOT / "config/screen.yaml").read_text(encoding="utf-8"))
METALS = SCREEN["datasets"]["screen"]["elements"]["A"]
ANIONS = ["O", "S", "Se", "Te", "F", "Cl", "Br", "I", "N", "H"]
ROWS = 10_000


def measure(structures: int, structures_per_job: str) -> None:
    """Print wall and CPU seconds and peak memory of one dry run."""
    draws = -(-structures // ROWS)
    with tempfile.TemporaryDirectory() as folder:
        table = ["formula,A,B,X,a_angstrom"]
        rows = islice(product(ANIONS, METALS, METALS), structures // draws)
        table += [f"{a}{b}{x}3,{a},{b},{x},4.0" for x, a, b in rows]
        Path(folder, "table.csv").write_text("\n".join(table) + "\n")
        Path(folder, "config.yaml").write_text(
            f"datasets: {{made_up: {{table: table.csv, initial_edge: {{kind: random, draws: {draws}}}}}}}\n"
            f"surfaces: {{structures_per_job: {structures_per_job}}}\n"
        )
        command = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "Snakefile"), "--configfile", "config.yaml"]
        before = os.times()
        with Path(os.devnull).open("w") as null:
            process = subprocess.Popen([*command, "-n", "-q", "rules"], cwd=folder, stdout=null, stderr=null)
            _, status, usage = os.wait4(process.pid, 0)
        wall = os.times().elapsed - before.elapsed
        assert status == 0, "the dry run failed"
        print(
            f"{structures:>10} {structures_per_job:>18} {wall:>8.1f} {usage.ru_utime + usage.ru_stime:>8.1f} "
            f"{usage.ru_maxrss / 1024:>8.0f}",
            flush=True,
        )


def main() -> None:
    """Measure tables of the given sizes."""
    print(f"{'structures':>10} {'structures_per_job':>18} {'wall s':>8} {'CPU s':>8} {'MB':>8}")
    for word in sys.argv[1:] or ["5250:1", "1000000:auto"]:
        structures, _, structures_per_job = word.partition(":")
        measure(int(structures), structures_per_job or "auto")


if __name__ == "__main__":
    main()
