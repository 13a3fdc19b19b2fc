"""Draw test error against the number of training compounds, of one dataset (SVG, and CSV beside)."""

from pathlib import Path

from hirshprint.report.figures.learning_curve import write_learning_curve
from hirshprint.run.logs import start_log

start_log(snakemake.log[0])
write_learning_curve(snakemake.input.predictions, folder=Path(snakemake.output[0]).parent)
