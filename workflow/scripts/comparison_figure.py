"""Draw the differences between the engines (SVG)."""

from hirshprint.logs import start_log
from hirshprint.report.engines import write_comparison_figure

start_log(snakemake.log[0])
write_comparison_figure(snakemake.input[0], snakemake.output[0])
