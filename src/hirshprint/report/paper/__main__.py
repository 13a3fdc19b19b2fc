"""Print as Markdown the table that puts the paper's numbers beside this run's.

    python -m hirshprint.report.paper results/paper/numbers.csv

The workflow's target ``paper`` writes that file.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from hirshprint.report.paper.comparison import markdown


def main(arguments: Sequence[str]) -> int:
    """Print the comparison in a CSV file as Markdown."""
    if len(arguments) != 1 or not Path(arguments[0]).is_file():
        print("name the table that `snakemake paper` wrote: results/paper/numbers.csv", file=sys.stderr)
        return 2
    sys.stdout.write(markdown(pd.read_csv(arguments[0])))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
