"""Bin every surface of a dataset and gather all fingerprints.

Writes fingerprints.h5; results/README.md lists its contents with shapes and units.
"""

from pathlib import Path

from hirshprint.fingerprints import gather_fingerprints
from hirshprint.logs import start_log
from hirshprint.structures.structure import read_structures
from hirshprint.surfaces.batch import structure_digest

start_log(snakemake.log[0])
structures = read_structures(Path(snakemake.params.structures))
missing = gather_fingerprints(
    batch_files=snakemake.input.surfaces,
    expected={structure.structure_id: structure_digest(structure) for structure in structures},
    settings=snakemake.params.fingerprint,
    out=snakemake.output[0],
    definition_digest=snakemake.params.definition,
    site_labels=snakemake.params.site_labels,
)
print(f"{len(structures) - len(missing)} fingerprints; missing: {', '.join(missing) or 'none'}")
