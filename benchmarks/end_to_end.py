"""What a whole run costs: the embedded table with config/ci.yaml (coarse surfaces, few epochs), from an empty folder.

python benchmarks/end_to_end.py [CONFIG.yaml]     (its paths are relative to the repository)
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Run it and print wall and processor time, and what its stages cost."""
    config = Path(sys.argv[1] if sys.argv[1:] else ROOT / "config/ci.yaml").resolve()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "data").symlink_to(ROOT / "data")
        command = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "Snakefile"), "--configfile", str(config)]
        before = os.times()
        run = subprocess.run([*command, "--cores", "2"], cwd=folder, capture_output=True, text=True, check=False)
        after = os.times()
        assert run.returncode == 0, run.stderr
        processor = after.children_user + after.children_system - before.children_user - before.children_system
        print(f"{config.name}: {after.elapsed - before.elapsed:.0f} s of wall time, {processor:.0f} s of processor")
        print("".join((run.stdout + run.stderr).rpartition("\nsurfaces      ")[1:]))


if __name__ == "__main__":
    main()
