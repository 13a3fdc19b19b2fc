"""Draw what regions of some fingerprints the predictions of cnn_paper come from (SVG, and CSV beside)."""

from pathlib import Path

from hirshprint.datasets import load_dataset
from hirshprint.logs import start_log
from hirshprint.models.backend import prepare_device
from hirshprint.models.predictions import read_predictions
from hirshprint.models.saliency import MODEL, explain
from hirshprint.models.training import needed_of_fingerprints
from hirshprint.report.regions import write_saliency

start_log(snakemake.log[0])
prepare_device(gpus=0, require_gpu=False, threads=snakemake.threads)
files = (snakemake.input.fingerprints, snakemake.input.targets)
needed = needed_of_fingerprints([MODEL], snakemake.params.site_labels)
dataset = load_dataset(snakemake.wildcards.dataset, *files, **needed)
predictions = read_predictions(snakemake.input.predictions)
write_saliency(
    explain(dataset, predictions, Path(snakemake.input.models), snakemake.params.compounds),
    fingerprints=files[0],
    structures=snakemake.input.structures,
    densities=snakemake.input.get("densities"),
    unit=dataset.unit,
    folder=Path(snakemake.output[0]).parent,
)
