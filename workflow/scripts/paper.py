"""Make the counterparts of the paper's figures and tables (SVG and CSV), and set its numbers beside this run's."""

from pathlib import Path

from hirshprint.report.paper.write import write_paper
from hirshprint.run.logs import start_log

start_log(snakemake.log[0])
write_paper(results="results", roles=snakemake.config["paper"], folder=Path(snakemake.output[0]).parent)
