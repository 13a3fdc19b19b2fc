"""Compute what is drawn of one compound (NPZ, see hirshprint.fingerprints.compound_file)."""

from hirshprint.config.model import Config
from hirshprint.densities import read_densities
from hirshprint.fingerprints.one_compound import write_compound
from hirshprint.run.logs import start_log

start_log(snakemake.log[0])
write_compound(
    elements=snakemake.params.elements,
    edge_angstrom=snakemake.params.edge_angstrom,
    densities=read_densities(snakemake.input.densities),
    bins=Config.from_dict(snakemake.config).fingerprint.bins,
    path=snakemake.output[0],
)
