"""Compute the Hirshfeld surfaces of one batch.

Writes an NPZ file: the arrays of hirshprint.surfaces.surface.pack_surfaces, and `status`, a JSON record by structure.
"""

from pathlib import Path

from hirshprint.logs import start_log
from hirshprint.surfaces.batch import read_batch, run_batch
from hirshprint.surfaces.engines import chosen_engine

start_log(snakemake.log[0])
files = snakemake.params.files
run_batch(
    structures=read_batch(Path(files["structures"]), snakemake.wildcards.batch, snakemake.params.structures_per_job),
    engine=chosen_engine(snakemake.config["surfaces"]["engine"], snakemake.config["surfaces"], files),
    cache_folder=Path("cache/surfaces"),
    out=Path(snakemake.output[0]),
    attempt=snakemake.resources.attempt,
    attempts=snakemake.params.attempts,
    threads=snakemake.threads,
)
