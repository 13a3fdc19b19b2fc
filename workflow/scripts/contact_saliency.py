"""Draw which contacts some predictions of the network of contacts come from (SVG, and CSV beside)."""

from pathlib import Path

from hirshprint.accuracy.predictions import read_predictions
from hirshprint.datasets.gather import load_dataset
from hirshprint.networks.backend import prepare_device
from hirshprint.networks.contact_saliency import explain_contacts
from hirshprint.networks.registry import CONTACTS, needed_of_fingerprints
from hirshprint.report.figures.contact_influence import write_contact_saliency
from hirshprint.run.logs import start_log
from hirshprint.structures.structure import read_structures

start_log(snakemake.log[0])
prepare_device(gpus=0, require_gpu=False, threads=snakemake.threads)
files = (snakemake.input.fingerprints, snakemake.input.targets)
predictions = read_predictions(snakemake.input.predictions)
needed = needed_of_fingerprints([CONTACTS], snakemake.params.site_labels)
dataset = load_dataset(snakemake.wildcards.dataset, *files, **needed)
structures = read_structures(Path(snakemake.input.structures))
models = Path(snakemake.input.models)
explanations = explain_contacts(dataset, structures, predictions, models, snakemake.params.compounds)
densities, folder = snakemake.input.get("densities"), Path(snakemake.output[0]).parent
write_contact_saliency(explanations, structures, densities, dataset.unit, folder)
