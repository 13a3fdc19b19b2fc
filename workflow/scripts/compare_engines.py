"""Compute some structures of a dataset with both engines.

Writes comparison.csv; results/README.md lists its columns.
"""

from pathlib import Path

from hirshprint.comparison import compare_engines, sample, write_comparison
from hirshprint.logs import start_log
from hirshprint.structures.structure import read_structures
from hirshprint.surfaces.engines import chosen_engine

start_log(snakemake.log[0])
settings, files = snakemake.config["surfaces"], snakemake.params.files
python, tonto = (chosen_engine(name, settings, files) for name in ("python", "tonto"))
rows = compare_engines(
    structures=sample(read_structures(Path(files["structures"])), snakemake.params.structures),
    python=python,
    tonto=tonto,
    fingerprint=snakemake.config["fingerprint"],
    cache_folder=Path("cache/surfaces"),
)
write_comparison(Path(snakemake.output[0]), rows)
