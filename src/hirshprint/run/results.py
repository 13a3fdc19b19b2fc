"""Files that a run makes, and the items of its report (light)."""

from __future__ import annotations

from collections.abc import Iterable

from hirshprint.hirshfeld.registry import PYTHON, engines_used
from hirshprint.networks.registry import CONTACTS, of_paper
from hirshprint.report.items import (
    BEYOND_ITEMS,
    CONTACT_SALIENCY,
    COST,
    FINGERPRINT_ITEMS,
    LEARNING_CURVE,
    LEARNING_ITEMS,
    PAPER_ITEMS,
    SALIENCY,
    Item,
    compound_items,
)
from hirshprint.run.inputs import needed_files, surfaces_of
from hirshprint.run.plan import RunPlan, has_targets

REPORT = "results/report.html"
SUMMARY = "results/summary.txt"

WHOLE_RUN = ""
"""In place of the name of a dataset."""

DATASET_FILES = ("status.csv", "fingerprints.h5", "targets.csv", "shown_surfaces.npz")
LEARNED_FILES = ("predictions.csv", "metrics.csv")
STAGE_FILES = ("structures.h5", "rejected.csv")  # what else is in the folder of a dataset
LEARNING_FILES = ("predictions_networks.csv", "models", "predictions_baselines.csv")


def item_results(dataset: str = WHOLE_RUN) -> str:
    """Folder of the items of a dataset, or of the whole run."""
    return f"results/{dataset}" if dataset else "results"


def report_items(run: RunPlan, dataset: str = WHOLE_RUN) -> tuple[Item, ...]:
    """Items of the report, in their order: of a dataset, or of the whole run where none is named."""
    if dataset:
        return learned_items(run, dataset) + FINGERPRINT_ITEMS
    compounds = tuple(item for compound in run.compounds for item in compound_items(compound))
    return (PAPER_ITEMS if run.config.paper.written() else ()) + compounds + (COST,)


def learned_items(run: RunPlan, dataset: str) -> tuple[Item, ...]:
    """Items of what was learned from a dataset; none where there was nothing to learn."""
    if not has_targets(run, dataset):
        return ()
    learning = run.datasets[dataset].learning
    curve = (LEARNING_CURVE,) if learning.learning_curve else ()
    regions = (SALIENCY,) if of_paper(learning.networks) else ()
    contacts = (CONTACT_SALIENCY,) if CONTACTS in learning.networks else ()
    return LEARNING_ITEMS + BEYOND_ITEMS + curve + regions + contacts


def item_files(run: RunPlan, datasets: Iterable[str]) -> list[str]:
    """Files of the items of the report on these datasets; `WHOLE_RUN` may be among them."""
    return [
        str(path)
        for dataset in datasets
        for item in report_items(run, dataset)
        for path in item.files(item_results(dataset)).values()
    ]


def reported_files(run: RunPlan, dataset: str) -> list[str]:
    """What the report needs of a dataset, beside its items."""
    settings = run.datasets[dataset]
    names = [
        *DATASET_FILES,
        *(LEARNED_FILES if has_targets(run, dataset) else ()),
        *(["predicted.csv"] if settings.model is not None else []),
        *(["screen.csv", "screen.svg"] if settings.elements is not None else []),
        *(["engines/comparison.csv", "engines/comparison.svg"] if run.config.surfaces.compare_structures else []),
    ]
    return [f"results/{dataset}/{name}" for name in names]


def measured_stages(run: RunPlan) -> list[str]:
    """What the stages make whose cost is stated: the table of costs is made when all of them have run."""
    return [*(path for name in run.datasets for path in reported_files(run, name)), *item_files(run, run.datasets)]


def all_results(run: RunPlan) -> list[str]:
    """All files in results/ that ``results/README.md`` lists, as far as the configuration asks for them."""
    engines = [*engines_used(run.config), *([PYTHON] if run.compounds else [])]
    paths = list(needed_files(run, *engines).values())
    for dataset in run.plans:
        names = [*STAGE_FILES, *(LEARNING_FILES if has_targets(run, dataset) else ())]
        paths += [f"results/{dataset}/{name}" for name in names] + surfaces_of(run, dataset)
        paths += reported_files(run, dataset)
    paths += [f"results/compounds/{compound}/surfaces.npz" for compound in run.compounds]
    paths += ["results/paper/numbers.md"] * bool(run.config.paper.written())
    return [*paths, *item_files(run, [WHOLE_RUN, *run.plans]), REPORT, SUMMARY]
