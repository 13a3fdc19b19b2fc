"""Draw the figures of one dataset: parity, residuals, example fingerprints, the worst predictions (SVG)."""

from pathlib import Path

from hirshprint.logs import start_log
from hirshprint.report.figures import write_figures

start_log(snakemake.log[0])
write_figures(
    predictions=snakemake.input.predictions,
    fingerprints=snakemake.input.fingerprints,
    targets=snakemake.input.targets,
    folder=Path(snakemake.output[0]).parent,
)
