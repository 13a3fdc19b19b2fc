"""Rank the predictions of a screening by their uncertainty and draw maps of them.

Writes screen.csv (with tolerance and octahedral factors) and screen.svg.
"""

from pathlib import Path

from hirshprint.report.figures.screen import write_screen
from hirshprint.run.logs import start_log

start_log(snakemake.log[0])
write_screen(
    Path(snakemake.input[0]),
    *snakemake.params.quantity,
    table=Path(snakemake.output.table),
    figure=Path(snakemake.output.figure),
)
