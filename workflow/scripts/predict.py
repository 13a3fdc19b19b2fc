"""Predict the property of new compounds with a folder of models.

Writes predicted.csv: a row per compound with the prediction, its standard deviation, and whether it lies outside of
what training saw.
"""

from pathlib import Path

from hirshprint.datasets.gather import load_dataset
from hirshprint.files.reading import table_written
from hirshprint.networks.backend import prepare_device
from hirshprint.networks.cards import best_network, check_fits, read_folder_card
from hirshprint.networks.predict import predict_dataset, result_table
from hirshprint.networks.registry import needed_of_fingerprints
from hirshprint.run.frozen import frozen_dataset, refuse_edited
from hirshprint.run.logs import start_log
from hirshprint.structures.structure import read_structures

start_log(snakemake.log[0], echo=True)
prepare_device(gpus=0, require_gpu=False, threads=snakemake.threads)
folder = Path(snakemake.params.model)
card = read_folder_card(folder)
check_fits(folder, card, snakemake.params.definition)
files = (snakemake.input.fingerprints, snakemake.input.targets)
needed = needed_of_fingerprints([best_network(card)], snakemake.params.site_labels)
dataset = load_dataset(snakemake.wildcards.dataset, *files, **needed, with_targets=False)
found = predict_dataset(folder, card, dataset, read_structures(Path(snakemake.input.structures)), files[0])
refuse_edited(frozen_dataset(dataset.name).model)
with table_written(snakemake.output[0]) as temporary:
    result_table(found, card["property"]).to_csv(temporary, index=False, float_format="%.8g")
