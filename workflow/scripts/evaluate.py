"""Join the predictions of networks and baselines and compute their accuracy.

Writes predictions.csv, its `std` the standard deviation to expect, and metrics.csv: r², MAE, MSE and others by the kind
of the property, per model, split, seed and part, mean and sd over the folds, and what a network started from.
"""

from hirshprint.accuracy.metrics import metrics
from hirshprint.accuracy.predictions import joined, read_compact, read_targets, write_predictions
from hirshprint.accuracy.uncertainty import occupants_of_targets, with_calibrated_std
from hirshprint.files.reading import table_written
from hirshprint.networks.cards import start_names
from hirshprint.run.logs import start_log

start_log(snakemake.log[0])
files = (snakemake.input.networks, snakemake.input.baselines)
table = joined([read_compact(file) for file in files])
scale = snakemake.config["datasets"][snakemake.wildcards.dataset]["scale"]
predictions = with_calibrated_std(table, occupants_of_targets(read_targets(snakemake.input.targets)), scale)
write_predictions(snakemake.output.predictions, predictions)
with table_written(snakemake.output.metrics) as temporary:
    started = start_names(snakemake.config, snakemake.wildcards.dataset)
    found = metrics(predictions, scale)
    found.assign(started_from=found["model"].map(started).fillna("")).to_csv(temporary, index=False)
