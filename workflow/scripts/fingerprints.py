"""Gather the fingerprints of a dataset, which its batches have.

Writes fingerprints.h5; results/README.md lists its contents with shapes and units.
"""

from pathlib import Path

from hirshprint.batch.binning import Binning
from hirshprint.batch.gathering import gather_fingerprints
from hirshprint.batch.kept import drop_superseded
from hirshprint.batch.keys import structure_digest
from hirshprint.batch.places import engine_folder
from hirshprint.config.model import Config
from hirshprint.run.logs import start_log
from hirshprint.structures.structure import read_structures

start_log(snakemake.log[0])
config = Config.from_dict(snakemake.config)
structures = read_structures(Path(snakemake.params.structures))
missing = gather_fingerprints(
    batch_files=snakemake.input.surfaces,
    expected={structure.structure_id: structure_digest(structure) for structure in structures},
    binning=Binning(config.fingerprint, snakemake.params.site_labels),
    out=snakemake.output[0],
    definition_digest=snakemake.params.definition,
    threads=snakemake.threads,
)
print(f"{len(structures) - len(missing)} fingerprints; missing: {', '.join(missing) or 'none'}")
kept = engine_folder(config, config.surfaces.engine) / snakemake.wildcards.dataset
drop_superseded(Path(snakemake.input.surfaces[0]).parent, kept, [Path(path).stem for path in snakemake.input.surfaces])
