"""Compute the Hirshfeld surfaces and the fingerprints of one batch.

Writes an NPZ file; results/README.md lists its arrays.
"""

from pathlib import Path

from hirshprint.batch.binning import Binning
from hirshprint.batch.places import engine_folder
from hirshprint.batch.run import read_batch, run_batch
from hirshprint.config.model import Config
from hirshprint.hirshfeld.engines import open_engine
from hirshprint.run.logs import start_log

start_log(snakemake.log[0])
config, files, wildcards = Config.from_dict(snakemake.config), snakemake.params.files, snakemake.wildcards
engine = config.surfaces.engine
run_batch(
    structures=read_batch(Path(files["structures"]), wildcards.batch),
    engine=open_engine(engine, config, files),
    binning=Binning(config.fingerprint, snakemake.params.site_labels),
    kept=engine_folder(config, engine) / wildcards.dataset / f"{wildcards.batch}.npz",
    out=Path(snakemake.output[0]),
    attempt=snakemake.resources.attempt,
    attempts=snakemake.params.attempts,
    threads=snakemake.threads,
)
