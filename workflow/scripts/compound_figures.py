"""Draw one compound: structure and surfaces, fingerprints by edge, atoms against the cell (SVG, and CSV beside)."""

from pathlib import Path

from hirshprint.report.figures.one_compound import write_compound_figures
from hirshprint.run.logs import start_log

start_log(snakemake.log[0])
write_compound_figures(snakemake.input[0], folder=Path(snakemake.output[0]).parent)
