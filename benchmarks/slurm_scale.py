"""What thousands of structures cost on SLURM: a one-node cluster on this machine, surfaces and fingerprints alone.

python benchmarks/slurm_scale.py TABLE [ROWS [SINGLE]]

TABLE has the columns formula, A, B, X, a_angstrom. Its first ROWS rows (2625) are taken with two random edges each, in
batches of the default size; then one row is edited; then SINGLE rows (300) run as one SLURM job per structure, and
again in batches to compare. Prints wall seconds, CPU seconds of the head process and of the jobs' scripts, and the load
of the machine at the start.
"""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np

ROOT = Path(__file__).parents[1]
CLUSTER = ROOT / "tests/slurm/cluster"
SNAKEMAKE = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "Snakefile"), "--configfile", "config.yaml"]
ON_SLURM = ["--profile", str(ROOT / "profiles/slurm"), "--slurm-init-seconds-before-status-checks", "5"]
UNTIL = ["--until", "fingerprints"]


def write_project(folder: Path, lines: list[str], structures_per_job: int | str, draws: int) -> None:
    folder.mkdir(parents=True)
    edge = f"{{kind: random, low_angstrom: 3.5, high_angstrom: 5.5, draws: {draws}, seed: 0}}"
    (folder / "table.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "config.yaml").write_text(
        f"datasets: {{oqmd: {{table: table.csv, initial_edge: {edge}}}}}\n"
        f"surfaces: {{structures_per_job: {structures_per_job}}}\n"
    )


def measure(what: str, folder: Path, *arguments: str) -> None:
    """Run Snakemake and print what it cost."""
    load = os.getloadavg()[0]
    (folder / "started").touch()
    before = os.times().elapsed
    with (folder / "run.log").open("w") as log:
        process = subprocess.Popen([*SNAKEMAKE, *arguments], cwd=folder, stdout=log, stderr=log)
        _, status, usage = os.wait4(process.pid, 0)
    wall = os.times().elapsed - before
    if status != 0:
        sys.exit(f"{what}: the run failed:\n{(folder / 'run.log').read_text()[-3000:]}")
    jobs, seconds, memory = job_costs(folder, (folder / "started").stat().st_mtime)
    cpu = usage.ru_utime + usage.ru_stime
    print(f"{what:<52} {wall:>7.0f} {cpu:>7.0f} {jobs:>7} {seconds:>7.0f} {memory:>7.0f} {load:>6.1f}", flush=True)


def job_costs(folder: Path, since: float) -> tuple[int, float, float]:
    """Count the jobs that ran since a time; sum their scripts' CPU seconds, and give the largest memory in MB."""
    rows = []
    for path in folder.glob("logs/benchmarks/**/*.tsv"):
        if path.stat().st_mtime >= since:
            with path.open(newline="") as file:
                rows += list(csv.DictReader(file, delimiter="\t"))

    def numbers(name: str) -> list[float]:
        return [float(row[name]) for row in rows if row[name] not in ("-", "NA")]

    return len(rows), sum(numbers("cpu_time")), max(numbers("max_rss"), default=0.0)


def fingerprints(folder: Path) -> tuple[list[bytes], np.ndarray]:
    with h5py.File(folder / "results/oqmd/fingerprints.h5") as file:
        return list(file["ids"][:]), file["counts"][:]


def main() -> None:
    """Measure the steps one after the other."""
    if len(sys.argv) < 2:
        print("no table was named, nothing is measured:", *__doc__.strip().splitlines()[2:3])
        return
    lines = Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()
    rows, single = (int(word) for word in (sys.argv[2:] + ["2625", "300"][len(sys.argv) - 2 :]))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run([CLUSTER, "start", folder / "slurm"], check=True, stdout=subprocess.DEVNULL)
        os.environ["SLURM_CONF"] = str(folder / "slurm/slurm.conf")
        os.environ["PATH"] = f"{folder / 'slurm/bin'}:{os.environ['PATH']}"
        try:
            steps(folder, lines, rows, single)
        finally:
            subprocess.run([CLUSTER, "stop", folder / "slurm"], check=True)


def steps(folder: Path, lines: list[str], rows: int, single: int) -> None:
    print(f"{'':<52} {'wall s':>7} {'head s':>7} {'jobs':>7} {'jobs s':>7} {'MB':>7} {'load':>6}")
    many = folder / "many"
    write_project(many, lines[: rows + 1], "auto", draws=2)
    measure(f"{2 * rows:,} structures in batches", many, *ON_SLURM, *UNTIL)
    measure("dry run, nothing to be done", many, "-n", "-q", "rules", *UNTIL)
    table = many / "table.csv"
    text = table.read_text(encoding="utf-8").splitlines()
    header = text[0].split(",")
    formula, a = header.index("formula"), header.index("A")
    cells = text[rows // 2].split(",")
    cells[formula], cells[a] = f"Lr{cells[header.index('B')]}O3", "Lr"
    table.write_text("\n".join([*text[: rows // 2], ",".join(cells), *text[rows // 2 + 1 :]]) + "\n", encoding="utf-8")
    measure("one row edited (two structures)", many, *ON_SLURM, *UNTIL)
    one, batched = folder / "one", folder / "batched"
    write_project(one, lines[: single + 1], 1, draws=1)
    write_project(batched, lines[: single + 1], "auto", draws=1)
    measure(f"{single} structures, one job each", one, *ON_SLURM, *UNTIL)
    measure(f"{single} structures in batches, on this machine alone", batched, "--cores", "2", *UNTIL)
    (ids, counts), (other_ids, other_counts) = fingerprints(one), fingerprints(batched)
    assert ids == other_ids
    assert np.array_equal(counts, other_counts)
    print("the fingerprints of one job each and of batches are the same")


if __name__ == "__main__":
    main()
