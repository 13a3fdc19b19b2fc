"""Draw what regions of some fingerprints the predictions of the paper's network come from (SVG, and CSV beside)."""

from pathlib import Path

from hirshprint.accuracy.predictions import read_predictions
from hirshprint.config.model import Config
from hirshprint.datasets.gather import load_dataset
from hirshprint.datasets.told import with_target
from hirshprint.networks.backend import prepare_device
from hirshprint.networks.registry import needed_of_fingerprints, of_paper
from hirshprint.networks.saliency import explain
from hirshprint.report.figures.regions import write_saliency
from hirshprint.run.logs import start_log

start_log(snakemake.log[0])
prepare_device(gpus=0, require_gpu=False, threads=snakemake.threads)
files = (snakemake.input.fingerprints, snakemake.input.targets)
predictions = read_predictions(snakemake.input.predictions)
needed = needed_of_fingerprints([of_paper(predictions["model"].unique())], snakemake.params.site_labels)
dataset = load_dataset(snakemake.wildcards.dataset, *files, **needed)
settings = Config.from_dict(snakemake.config).datasets[dataset.name]
dataset = with_target(dataset, settings, snakemake.input.structures)
write_saliency(
    explain(dataset, predictions, Path(snakemake.input.models), snakemake.params.compounds),
    fingerprints=files[0],
    structures=snakemake.input.structures,
    densities=snakemake.input.get("densities"),
    unit=dataset.unit,
    folder=Path(snakemake.output[0]).parent,
)
