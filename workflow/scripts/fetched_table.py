"""Turn the answers of an OPTIMADE provider into a table.

Writes a CSV table (formula, sites, a_angstrom, id, candidates) and its provenance (JSON).
"""

from pathlib import Path

from hirshprint.run.logs import start_log
from hirshprint.structures.fetched import write_fetched_table

start_log(snakemake.log[0], echo=True)
write_fetched_table(
    raw=Path(snakemake.input[0]),
    prototype_name=snakemake.params.prototype,
    prefer=snakemake.params.prefer,
    table=Path(snakemake.output.table),
    provenance=Path(snakemake.output.provenance),
)
