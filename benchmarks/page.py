"""Run the benchmarks and write what they print into docs/benchmarks.md (`make bench`).

python benchmarks/page.py [NAME ...]     only these; the sections of the others stay as they are

Every ratio is of figures from one run on one machine. A benchmark is a program in this folder that prints its settings
and its figures; it gets a section by a line in SECTIONS.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
import textwrap
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/benchmarks.md"
SECTIONS = {
    "surfaces": ("surfaces.py", "Surfaces: cost, convergence, and other programs (chmpy, occpy)"),
    "against_tonto": ("against_tonto.py", "Surfaces against Tonto's meshes"),
    "cgcnn_step": ("cgcnn_step.py", "A training step of CGCNN, here and in cgcnn2"),
    "dry_run": ("dry_run.py", "Size of the workflow: dry runs"),
    "one_edit": ("one_edit.py", "Of thousands of files one is edited"),
    "gathering": ("gathering.py", "Fingerprints of a hundred thousand structures gathered"),
    "reading": ("reading.py 20000", "Reading structure files"),
    "features": ("features.py", "Features of crystals: dscribe's SOAP, matminer's, and these"),
    "end_to_end": ("end_to_end.py", "A whole run"),
}
HEAD = """# Benchmarks

Written by `make bench` (`benchmarks/page.py`) from what the programs in `benchmarks/` print; each section is one run
and names its machine. Other programs are compared where `.venv-benchmarks` and `.venv-cgcnn2` are there (`make
env-benchmarks env-cgcnn2`).
Elsewhere: [what SLURM runs cost](slurm.md), [accuracy of surfaces](accuracy.md), [accuracy of models](learning.md).
"""


def machine() -> str:
    """Name the processor, how busy it is, and the versions that matter."""
    cpu = re.findall(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    versions = ", ".join(f"{name} {version(name)}" for name in ("snakemake", "numpy", "numba", "tensorflow"))
    processor = f"{cpu[0] if cpu else platform.machine()}, {os.cpu_count()} CPUs"
    return f"{processor}, load {os.getloadavg()[0]:.1f} at the start; Python {platform.python_version()}, {versions}"


def section(name: str) -> str:
    """Run one benchmark and return its section."""
    command, title = SECTIONS[name]
    where = machine()
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    run = subprocess.run(
        [sys.executable, *f"benchmarks/{command}".split()],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    head = textwrap.fill(f"`python benchmarks/{command}` on {where}:", 120)
    return f"## {title}\n\n{head}\n\n```text\n{run.stdout.strip()}\n```\n"


def main() -> None:
    """Write the page anew, or some of its sections."""
    wanted = sys.argv[1:] or list(SECTIONS)
    old = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    kept = {
        title: text
        for text in re.split(r"^(?=## )", old, flags=re.MULTILINE)
        for title in [text[3:].partition("\n")[0]]
    }
    for name, (_, title) in SECTIONS.items():
        if name in wanted:
            print(f"== {name}", flush=True)
            kept[title] = section(name)
    parts = [kept[title].strip() + "\n" for _, title in SECTIONS.values() if title in kept]
    PAGE.write_text("\n".join([HEAD, *parts]), encoding="utf-8")


if __name__ == "__main__":
    main()
