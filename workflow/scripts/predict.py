"""Predict the property of new compounds with a folder of models.

Writes predicted.csv: a row per compound with the prediction, its standard deviation, and whether it lies outside of
what training saw.
"""

from pathlib import Path

from hirshprint.datasets import SITES, load_dataset
from hirshprint.files import written_whole
from hirshprint.logs import start_log
from hirshprint.models.cards import check_fits, read_folder_card
from hirshprint.models.prediction import predict_dataset, result_table
from hirshprint.structures.structure import read_structures

start_log(snakemake.log[0], echo=True)
folder = Path(snakemake.params.model)
card = read_folder_card(folder)
check_fits(folder, card, snakemake.params.definition)
files = (snakemake.input.fingerprints, snakemake.input.targets)
moments = tuple(card["elements"]) == SITES and "site" in card["fingerprint"]["channels"]
dataset = load_dataset(snakemake.wildcards.dataset, *files, card["channels"], site_moments=moments, with_targets=False)
found = predict_dataset(folder, card, dataset, read_structures(Path(snakemake.input.structures)))
with written_whole(snakemake.output[0]) as temporary:
    result_table(found, card["property"]).to_csv(temporary, index=False, float_format="%.6f")
