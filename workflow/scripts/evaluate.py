"""Join the predictions of networks and baselines and compute their accuracy.

Writes predictions.csv, its `std` calibrated on validation parts, and metrics.csv: r², MAE and MSE per model, split,
seed and part, mean and sd over the folds.
"""

import pandas as pd

from hirshprint.files import written_whole
from hirshprint.logs import start_log
from hirshprint.models.predictions import metrics, read_predictions, with_calibrated_std, write_predictions

start_log(snakemake.log[0])
predictions = with_calibrated_std(pd.concat([read_predictions(file) for file in snakemake.input], ignore_index=True))
write_predictions(snakemake.output.predictions, predictions)
with written_whole(snakemake.output.metrics) as temporary:
    metrics(predictions).to_csv(temporary, index=False)
