"""Fit the baselines on the same folds as the networks.

Writes predictions_baselines.csv, one row per compound and part of a fold.
"""

from hirshprint.accuracy.predictions import write_predictions
from hirshprint.baselines.composition import predict_baselines
from hirshprint.config.model import Config
from hirshprint.datasets.gather import load_dataset
from hirshprint.datasets.told import with_target
from hirshprint.run.logs import start_log

start_log(snakemake.log[0])
files = (snakemake.input.fingerprints, snakemake.input.targets)
settings = Config.from_dict(snakemake.config).datasets[snakemake.wildcards.dataset]
dataset = load_dataset(snakemake.wildcards.dataset, *files, channels=())
dataset = with_target(dataset, settings, snakemake.input.structures)
predictions = predict_baselines(dataset, settings.learning, files[0], threads=snakemake.threads)
write_predictions(snakemake.output[0], predictions)
