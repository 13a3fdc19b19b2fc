"""Draw what was predicted of one dataset: parity, residuals, the worst predictions, the property (SVG, data as CSV)."""

from pathlib import Path

from hirshprint.report.figures.learned import write_learning_figures
from hirshprint.run.logs import start_log

start_log(snakemake.log[0])
write_learning_figures(
    predictions=snakemake.input.predictions,
    fingerprints=snakemake.input.fingerprints,
    targets=snakemake.input.targets,
    folder=Path(snakemake.output[0]).parent,
)
