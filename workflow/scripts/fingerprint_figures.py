"""Draw some fingerprints of one dataset, across its property and channel by channel (SVG, data as CSV)."""

from pathlib import Path

from hirshprint.report.figures.fingerprints import write_fingerprint_figures
from hirshprint.run.logs import start_log

start_log(snakemake.log[0])
write_fingerprint_figures(
    fingerprints=snakemake.input.fingerprints,
    targets=snakemake.input.targets,
    folder=Path(snakemake.output[0]).parent,
)
