"""Compute some structures of a dataset with both engines.

Writes comparison.csv; results/README.md lists its columns.
"""

from pathlib import Path

from hirshprint.batch.comparison import compare_engines, sample, write_comparison
from hirshprint.batch.places import engine_folder
from hirshprint.config.model import Config
from hirshprint.hirshfeld.engines import open_engine
from hirshprint.hirshfeld.registry import COMPARED
from hirshprint.run.logs import start_log
from hirshprint.structures.structure import read_structures

start_log(snakemake.log[0])
config, files = Config.from_dict(snakemake.config), snakemake.params.files
rows = compare_engines(
    structures=sample(read_structures(Path(files["structures"])), snakemake.params.structures),
    engines=[
        (open_engine(engine.name, config, files), engine_folder(config, engine.name) / snakemake.wildcards.dataset)
        for engine in COMPARED
    ],
    fingerprint=config.fingerprint,
)
write_comparison(Path(snakemake.output[0]), rows)
