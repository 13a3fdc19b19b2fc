"""Files that the rules read: of a dataset, of a batch, of the models that it is predicted with (light)."""

from __future__ import annotations

from pathlib import Path

from hirshprint.hirshfeld.registry import COMPARED, Engine
from hirshprint.networks.cards import CARD, starts
from hirshprint.run.plan import RunPlan, batches, has_targets, kept

PROBE_FILE = "results/tonto_probe.json"


def densities_file(run: RunPlan) -> str:
    """Path of the free-atom densities of a run."""
    return f"results/densities/{run.config.densities}.h5"


def needed_files(run: RunPlan, *engines: Engine) -> dict[str, str]:
    """Paths of what engines need beside structures, by the names that they have for it."""
    paths = {"densities": densities_file(run), "probe": PROBE_FILE}
    needed = {name for engine in engines for name in engine.needs}
    return {name: path for name, path in paths.items() if name in needed}


def surface_files(run: RunPlan, dataset: str) -> dict[str, str]:
    """Files that a surface job reads."""
    return {"structures": f"results/{dataset}/structures.h5"} | needed_files(run, run.engine)


def comparison_files(run: RunPlan, dataset: str) -> dict[str, str]:
    """Files that the comparison of the engines reads, beside the surfaces of the run."""
    return {"structures": f"results/{dataset}/structures.h5"} | needed_files(run, *COMPARED)


@kept
def surfaces_of(run: RunPlan, dataset: str) -> list[str]:
    """Surface files of a dataset, from its plan and never from what is on the disk."""
    return [f"results/{dataset}/surfaces/{batch}.npz" for batch in batches(run, dataset)]


def shown_inputs(run: RunPlan, dataset: str) -> dict[str, str]:
    """Files that the choice of the surfaces in the report is made from; the surfaces are older than these."""
    predictions = ["predictions"] if has_targets(run, dataset) else []
    names = {"fingerprints": "h5", "targets": "csv"} | dict.fromkeys(predictions, "csv")
    return {name: f"results/{dataset}/{name}.{ending}" for name, ending in names.items()}


def saliency_inputs(run: RunPlan, dataset: str) -> dict[str, str]:
    """Files that explain predictions; surfaces are drawn where their densities are those of the run."""
    names = {
        "predictions": "predictions_networks.csv",
        "models": "models",
        "fingerprints": "fingerprints.h5",
        "targets": "targets.csv",
        "structures": "structures.h5",
    }
    paths = {name: f"results/{dataset}/{file}" for name, file in names.items()}
    of_engine = needed_files(run, run.engine)
    return paths | ({"densities": of_engine["densities"]} if "densities" in of_engine else {})


def paper_inputs(run: RunPlan) -> list[str]:
    """Files that the counterparts of the paper's tables and figures are made from."""
    roles = run.config.paper.written()
    files = ("predictions.csv", "targets.csv", "fingerprints.h5")
    return (
        [f"results/{name}/{file}" for name in dict.fromkeys(roles.values()) for file in files]
        + [f"results/{roles['oqmd']}/models"]
        + [f"results/compounds/{name}/figure1.csv" for name in run.compounds]
    )


def start_folders(run: RunPlan, dataset: str) -> list[str]:
    """Folders of models of this run that the trainings of a dataset start from."""
    return list(dict.fromkeys(f"results/{other}/models" for _, _, other in starts(run.datasets, dataset) if other))


def model_folder(run: RunPlan, dataset: str) -> Path:
    """Folder of the models that a dataset is predicted with: those of another dataset, or of an earlier run."""
    model = str(run.datasets[dataset].model)
    return Path(f"results/{model}/models" if model in run.datasets else model)


def model_input(run: RunPlan, dataset: str) -> Path:
    """What a prediction waits for: the training in this run, or the card of an earlier one."""
    folder = model_folder(run, dataset)
    return folder if run.datasets[dataset].model in run.datasets else folder / CARD


def outside_cards(run: RunPlan, dataset: str) -> list[Path]:
    """Card of the models of an earlier run that a dataset is predicted with, if it is."""
    model = run.datasets[dataset].model
    return [model_folder(run, dataset) / CARD] if model is not None and model not in run.datasets else []
