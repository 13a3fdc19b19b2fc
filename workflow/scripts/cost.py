"""Write what the run cost by stage: jobs, wall, processor and GPU seconds, memory (CSV)."""

from pathlib import Path

from hirshprint.logs import start_log
from hirshprint.report.items import write_table
from hirshprint.report.run import cost_table

start_log(snakemake.log[0])
table = cost_table(Path("logs/benchmarks"), Path("results"), snakemake.config["datasets"])
write_table(table, snakemake.output[0])
