"""Draw the differences between the engines (SVG)."""

from hirshprint.report.figures.engine_comparison import write_comparison_figure
from hirshprint.run.logs import start_log

start_log(snakemake.log[0])
write_comparison_figure(snakemake.input[0], snakemake.output[0])
