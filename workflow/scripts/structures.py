"""Read a dataset, check it and find symmetry: write structures.h5, targets.csv and rejected.csv."""

from pathlib import Path

from hirshprint.config.model import Config
from hirshprint.machine import cores
from hirshprint.run.environment import learning_is_asked_for
from hirshprint.run.frozen import frozen_dataset, refuse_edited
from hirshprint.run.logs import start_log
from hirshprint.structures.stage import make_structures

start_log(snakemake.log[0], echo=True)
dataset = snakemake.wildcards.dataset
settings = Config.from_dict(snakemake.config).datasets[dataset]
frozen = frozen_dataset(dataset)
make_structures(
    settings=settings,
    learning=settings.learning if learning_is_asked_for() else None,
    name=dataset,
    strict=snakemake.config["strict"],
    structures_path=Path(snakemake.output.structures),
    targets_path=Path(snakemake.output.targets),
    rejected_path=Path(snakemake.output.rejected),
    processes=min(snakemake.threads, cores()),
    plan=frozen.plan,
    earlier_path=Path("cache/structures") / f"{dataset}.h5",
)
refuse_edited(frozen.files)
