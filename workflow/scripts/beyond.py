"""Draw errors by element and distance, calibration, and what adds what, of one dataset (SVG, and CSV beside)."""

from pathlib import Path

from hirshprint.report.figures.beyond import write_beyond
from hirshprint.run.logs import start_log

start_log(snakemake.log[0])
write_beyond(
    predictions=snakemake.input.predictions,
    targets=snakemake.input.targets,
    fingerprints=snakemake.input.fingerprints,
    folder=Path(snakemake.output[0]).parent,
)
