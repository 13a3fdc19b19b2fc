"""Say what became of every row or file of a dataset.

Writes status.csv: structure_id, source, status (ok, remarked, failed, rejected or filtered), stage, reason, remedy.
"""

from pathlib import Path

from hirshprint.run.logs import start_log
from hirshprint.status import merge_status, read_status, write_status

start_log(snakemake.log[0])
write_status(
    Path(snakemake.output[0]),
    merge_status(
        rejected=Path(snakemake.input.rejected),
        targets=Path(snakemake.input.targets),
        batches=[read_status(Path(file)) for file in snakemake.input.surfaces],
    ),
)
