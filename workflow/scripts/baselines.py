"""Fit the baselines on the same folds as the networks.

Writes predictions_baselines.csv, one row per compound and part of a fold.
"""

from hirshprint.config import learning_of
from hirshprint.datasets import load_dataset
from hirshprint.logs import start_log
from hirshprint.models.baselines import predict_baselines
from hirshprint.models.predictions import write_predictions

start_log(snakemake.log[0])
files = (snakemake.input.fingerprints, snakemake.input.targets)
dataset = load_dataset(snakemake.wildcards.dataset, *files, channels=())
learning = learning_of(snakemake.config, dataset.name)
predictions = predict_baselines(dataset, learning, threads=snakemake.threads)
write_predictions(snakemake.output[0], predictions)
