"""Draw one compound: structure and surfaces, fingerprints by edge, atoms against the cell (SVG, and CSV beside)."""

from pathlib import Path

from hirshprint.logs import start_log
from hirshprint.report.compound import write_compound_figures

start_log(snakemake.log[0])
write_compound_figures(snakemake.input[0], folder=Path(snakemake.output[0]).parent)
