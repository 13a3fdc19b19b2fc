"""Gather the surfaces that the report shows in three dimensions.

Writes shown_surfaces.npz: surfaces of up to 200 compounds in the form of a batch file, the most wanted first.
"""

from pathlib import Path

from hirshprint.report.page.shown_surfaces import write_shown_surfaces
from hirshprint.run.logs import start_log

start_log(snakemake.log[0])
predictions = snakemake.input.get("predictions")
write_shown_surfaces(
    predictions=Path(predictions) if predictions else None,
    fingerprints=Path(snakemake.input.fingerprints),
    targets=Path(snakemake.input.targets),
    batches=[Path(file) for file in snakemake.params.surfaces],
    named=snakemake.params.compounds,
    path=Path(snakemake.output[0]),
)
