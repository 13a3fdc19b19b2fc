"""Train the networks: write predictions_networks.csv (a row per structure and part of a fold) and models/."""

from pathlib import Path

from hirshprint.accuracy.predictions import write_predictions
from hirshprint.config.model import Config
from hirshprint.datasets.gather import load_dataset
from hirshprint.datasets.told import with_target
from hirshprint.networks.predict import write_folder_card
from hirshprint.networks.registry import needed_of_fingerprints
from hirshprint.networks.trainer import train_networks
from hirshprint.run.logs import start_log
from hirshprint.structures.structure import read_structures

start_log(snakemake.log[0], echo=True)
name, structures = snakemake.wildcards.dataset, Path(snakemake.input.structures)
settings = Config.from_dict(snakemake.config).datasets[name]
learning = settings.learning
fingerprints, targets = snakemake.input.fingerprints, snakemake.input.targets
needed = needed_of_fingerprints(learning.networks, snakemake.params.site_labels)
dataset = with_target(load_dataset(name, fingerprints, targets, **needed), settings, structures)
predictions = train_networks(
    *(dataset, read_structures(structures), learning, Path("cache/training"), Path(snakemake.output.models)),
    gpus=learning.gpus,
    require_gpu=learning.require_gpu,
    threads=snakemake.threads,
    tensorboard=Path("logs", name, "tensorboard") if learning.tensorboard else None,
)
write_folder_card(Path(snakemake.output.models), dataset, predictions, snakemake.params.definition, fingerprints)
write_predictions(snakemake.output.predictions, predictions)
