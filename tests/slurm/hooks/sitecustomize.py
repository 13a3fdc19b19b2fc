"""Faults on demand: with this folder in PYTHONPATH, a surface job takes a fault from its folder `faults`, and has it.

A fault is a file named `sleep-N` (run on for ever), `memory-N` (take 1.5 GB, then sleep), `exit-N` (fail) or `hold-N`
(wait for the file `faults/go`, then do what is to be done). The job that takes it moves it to `faults/taken/JOB-NAME`
with its SLURM job id, so that no fault strikes twice.
"""

import os
import sys
import time
from pathlib import Path


def suffer(faults: Path) -> None:
    for fault in sorted(faults.glob("*-*")):
        try:
            fault.rename(faults / "taken" / f"{os.environ['SLURM_JOB_ID']}-{fault.name}")
        except OSError:
            continue  # another job was quicker
        if fault.name.startswith("exit"):
            sys.exit("this job fails as planned")
        if fault.name.startswith("hold"):
            while not (faults / "go").exists():
                time.sleep(0.2)
            return
        ballast = b"x" * 1_500_000_000 if fault.name.startswith("memory") else b""
        time.sleep(600)
        sys.exit(f"nobody ended this job of {len(ballast)} bytes")


if any(word.endswith("surface.py") and "/.snakemake/scripts/" in word for word in sys.orig_argv):
    suffer(Path("faults"))
