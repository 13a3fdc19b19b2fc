"""Train the networks on every split, fold and seed of the plan.

Writes predictions_networks.csv (a row per structure and part of a fold) and models/ (weights and a card per training).
"""

from pathlib import Path

from hirshprint.logs import start_log
from hirshprint.models.prediction import write_folder_card
from hirshprint.models.predictions import write_predictions
from hirshprint.models.training import load_learned, train_networks
from hirshprint.structures.structure import read_structures

start_log(snakemake.log[0], echo=True)
learning = snakemake.config["learning"]
files = (snakemake.input.fingerprints, snakemake.input.targets)
dataset = load_learned(snakemake.wildcards.dataset, *files, learning["networks"], snakemake.params.site_labels)
predictions = train_networks(
    dataset,
    read_structures(Path(snakemake.input.structures)),
    learning,
    cache_folder=Path("cache/training"),
    models_folder=Path(snakemake.output.models),
    **{key: learning[key] for key in ("gpus", "require_gpu")},
    threads=snakemake.threads,
    tensorboard=Path("logs", snakemake.wildcards.dataset, "tensorboard") if learning["tensorboard"] else None,
)
write_folder_card(Path(snakemake.output.models), dataset, predictions, snakemake.params.definition)
write_predictions(snakemake.output.predictions, predictions)
