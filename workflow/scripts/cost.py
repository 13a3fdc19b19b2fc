"""Write what the run cost by stage: jobs, wall, processor and GPU seconds, memory (CSV)."""

from pathlib import Path

from hirshprint.report.cost import cost_table
from hirshprint.report.style import write_item
from hirshprint.run.logs import start_log

start_log(snakemake.log[0])
table = cost_table(Path("logs/benchmarks"), Path("results"), snakemake.config["datasets"])
write_item(Path(snakemake.output[0]).parent, "cost", table)
