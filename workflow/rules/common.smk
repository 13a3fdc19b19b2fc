"""What several rules need: the checked configuration, the plan of each dataset, digests of what each stage depends on."""

import gc
import inspect
import math
import os
import sys
from functools import cache
from pathlib import Path

import smart_open
from snakemake.exceptions import WorkflowError
from snakemake.io import IOFile
from snakemake.resources import Resource
from snakemake.settings.enums import RerunTrigger

ROOT = Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parents[1]  # also where it is used as a module
if set("{}") & set(str(ROOT)):
    raise WorkflowError(f"{ROOT}: Snakemake takes braces in the path of a workflow for wildcards; rename the folder")
SOURCE = ROOT / "src"
sys.path.insert(0, str(SOURCE))

from hirshprint import versions
from hirshprint.run import frozen, planned, progress, runs
from hirshprint.config.load import ConfigError, resolve_config, resolve_engine, where_from
from hirshprint.config.faults import unknown_units
from hirshprint.config.model import Config, joined_learning
from hirshprint.files.writing import ForeignFolderError, digest, file_digest, refuse_unwritable
from hirshprint.run.frozen import Frozen, kept
from hirshprint.networks.cards import CARD, ModelError, complete_predicted, fingerprint_definition
from hirshprint.datasets.splits import asked_in_vain
from hirshprint.report.items import (
    BEYOND_ITEMS,
    COST,
    FINGERPRINT_ITEMS,
    LEARNING_CURVE,
    LEARNING_ITEMS,
    PAPER_ITEMS,
    SALIENCY,
    compound_items,
)
from hirshprint.structures.batches import expected_sites, plan_batches
from hirshprint.structures.entries import InputError, geometry_digest, known_digest, passed_over_text, target_digest
from hirshprint.structures.planning import has_property, plan_dataset
from hirshprint.structures.prototypes import PROTOTYPES, find_prototype
from hirshprint.structures.sources.placement import prototype_id
from hirshprint.surfaces.installation import Installation

gc.set_threshold(200_000)  # thousands of jobs are no garbage: looking for it took a fifth of a large dry run
runs.prepare_environment(SOURCE)
MAIN = workflow.is_main_process  # and not one of its jobs, which read this file again, later and elsewhere
try:
    if MAIN:
        refuse_unwritable(Path(".snakemake"))
        runs.check_results(Path("results"))
        config.update(resolve_engine(resolve_config(config, workflow.configfiles), os.environ))
        config["datasets"] = complete_predicted(config)
    else:
        frozen.take_config(config)
except (ConfigError, ModelError, runs.FormatError, ForeignFolderError, frozen.RunGoneError) as error:
    raise WorkflowError(str(error))

CONFIG = Config.from_dict(config)
DATASETS = config["datasets"]
ENGINE = config["surfaces"]["engine"]
TONTO = config["surfaces"]["tonto"]
STRUCTURES_PER_JOB = config["surfaces"]["structures_per_job"]
SECONDS_PER_SITE = 6e-5 * config["surfaces"]["mesh_level"] ** 2 if ENGINE == "python" else 2.0  # without symmetry
MB_PER_SITE = 1e-3 * config["surfaces"]["mesh_level"] ** 2 if ENGINE == "python" else 0.6
SYMMETRY_SAVES = 8.0 if ENGINE == "python" else 1.0
SURFACE_RETRIES = 2
COMPOUNDS = {prototype_id(formula, edge): formula for formula, edge in config["compounds"].items()}
BUNDLED_PYTHON = ROOT / ".venv-densities/bin/python"
DENSITIES_PYTHON = BUNDLED_PYTHON if BUNDLED_PYTHON.exists() else "python"  # else that of the conda environment
FETCH_ENVIRONMENTS = [ROOT / name / "bin/python" for name in (".venv-fetch", ".venv-fetch-test")]
FETCH_PYTHON = next((path for path in FETCH_ENVIRONMENTS if path.exists()), "python")
DENSITIES_FILE = f"results/densities/{config['densities']}.h5"
PROBE_FILE = "results/tonto_probe.json"
REPORT = "results/report.html"
SUMMARY = Path("results/summary.txt")


wildcard_constraints:
    dataset="[A-Za-z0-9_-]+",
    compound="[A-Za-z0-9]+-a[0-9.]+",
    batch="[A-Za-z0-9._+-]+",


PLACES = ("table", "folder", "structures")  # what a dataset is read from


@cache
def plan(dataset):
    """Read the table, the folder or the file of a dataset once; its jobs take what was read."""
    if dataset not in DATASETS:
        raise WorkflowError(f"there is no dataset {dataset}; the configuration has {', '.join(DATASETS)}")
    if not MAIN:
        return frozen.frozen_dataset(dataset).plan
    try:
        found = plan_dataset(CONFIG.datasets[dataset])
    except InputError as error:
        source = "" if input_is_there(dataset) else where_from(DATASETS[dataset])
        fault = f"`datasets.{dataset}`: {error}{source}"
        if input_faults.cache_info().currsize:  # a rule asks
            stop(fault)
        raise WorkflowError(fault)
    if found.passed_over:
        print(f"datasets.{dataset}: {passed_over_text(found.passed_over)}", file=sys.stderr)
    return found


def input_is_there(dataset):
    """Say whether what a dataset is read from exists; a table that is still to be fetched does not."""
    return all(Path(DATASETS[dataset][key]).exists() for key in PLACES if key in DATASETS[dataset])


PLANS = {}  # of the datasets whose input is at hand


@cache
def input_faults():
    """What of the input cannot be used and what is asked of it in vain, by dataset; of jobs, the head process knew."""
    plans, faults, absent = PLANS, {}, {}
    for dataset in DATASETS if MAIN else ():
        try:
            plans[dataset] = plan(dataset)
        except WorkflowError as error:
            (faults if input_is_there(dataset) else absent)[dataset] = [str(error)]
    for line in (*unknown_units(CONFIG), *planned.left_out(plans)) if MAIN else ():
        print(line, file=sys.stderr)
    faults |= planned.plan_faults(CONFIG, plans) if plans else {}
    return faults | absent


def stop(message):
    """End Snakemake with a message alone; what a function of a rule raises would come wrapped in a traceback."""
    raise SystemExit(message)


LEARNED_RULES = {"train", "baselines", "evaluate", "saliency", "predict", "report", "all"}


def is_one_stage():
    """Say whether only some stages are asked for, which may do without what others need."""
    until = set(workflow.dag_settings.until)
    return bool(workflow.dag_settings.omit_from or until) and not until & LEARNED_RULES


def refuse_input(*datasets):
    """Stop before any job if these datasets, or "" for the report, have faults, and list those of all."""
    if is_one_stage() or not set(datasets) & set(input_faults()):
        return
    lines = [f"  - {fault}" for faults in input_faults().values() for fault in faults]
    stop("\n".join(["The configuration and its input do not go together:", *lines]))


def refuse_structures(dataset):
    """Stop before any job if the files of a dataset, which are read already, do not have what is asked of them now."""
    path = Path(f"results/{dataset}/targets.csv")
    if MAIN and path.exists() and repr(input_digest(dataset)) in recorded_params(str(path)):
        faults = planned.known_faults(dataset, CONFIG.datasets[dataset].learning, path.parent)
        if faults:
            stop(asked_in_vain(faults))


def learned_targets(wildcards):
    """The property to learn, of a dataset that has what is asked of it."""
    refuse_input(wildcards.dataset)
    if not is_one_stage():
        refuse_structures(wildcards.dataset)
        runs.ask_for_learning()  # what only files tell, the rule structures checks
    return f"results/{wildcards.dataset}/targets.csv"


input_faults()
gc.freeze()  # plans live as long as the process: none of their parts is looked at again


@cache
def batches(dataset):
    """Divide the structures of a dataset into the batches that surface jobs compute."""
    return plan_batches(plan(dataset), STRUCTURES_PER_JOB, SECONDS_PER_SITE, SYMMETRY_SAVES)


def has_targets(dataset):
    """Say whether a dataset has a property to learn."""
    return has_property(CONFIG.datasets[dataset])


@cache
def prototype_of(dataset):
    """The prototype of a dataset; None for crystals from files."""
    name = DATASETS[dataset].get("prototype")
    return find_prototype(name) if name else None


@kept
def site_labels(dataset):
    """Names of the prototype's sites, for a channel each; none for crystals from files."""
    return list(prototype_of(dataset).sites) if prototype_of(dataset) else []


PYTHON_SETTINGS = [
    config["densities"],
    versions.DENSITIES,
    versions.SURFACE_ALGORITHM,
    config["surfaces"]["mesh_level"],
]
FINGERPRINT_SETTINGS = [config["fingerprint"], versions.FINGERPRINT_FORMAT]
HOW_TO_TRAIN = ("gpus", "require_gpu", "tensorboard", "saliency")  # and not what


@cache
def tonto_checksums():
    """Checksums of the configured Tonto: results depend on them, and not on where it lies."""
    return Installation(TONTO["binary"], TONTO["basis_directory"]).checksums()


@cache
def tonto_settings():
    """What determines all of Tonto's surfaces."""
    return ["tonto", tonto_checksums(), TONTO["separation_bohr"], versions.TONTO_ALGORITHM]


def surface_settings():
    """What determines the surfaces of all structures alike."""
    return [versions.RESULTS_FORMAT, PYTHON_SETTINGS if ENGINE == "python" else tonto_settings()]


@kept
def digest_of_batch(dataset, batch):
    """Digest of what determines the surfaces of a batch."""
    settings = [surface_settings(), FINGERPRINT_SETTINGS, site_labels(dataset)]
    settings += [TONTO["time_limit_seconds"]] if ENGINE == "tonto" else []
    return geometry_digest(batches(dataset)[batch], *settings)  # another time limit gives what failed by it a chance


def batch_digest(wildcards):
    """Digest of what determines the surfaces of one batch."""
    return digest_of_batch(wildcards.dataset, wildcards.batch)


@kept
def input_digest(dataset):
    """Digest of a dataset's whole input, measured property and rejected rows included."""
    settings = {key: value for key, value in DATASETS[dataset].items() if key not in ("learning", "source")}
    return target_digest(plan(dataset), settings, config["strict"], versions.RESULTS_FORMAT)


@kept
def fingerprint_digest(dataset):
    """Digest of what determines the fingerprints of a dataset: never the measured property.

    The stages that follow carry digests of their own inputs as well, so that a rerun that failed half-way
    leaves nothing stale that would count as current.
    """
    return digest(plan(dataset).geometry, surface_settings(), FINGERPRINT_SETTINGS)


def comparison_digest(wildcards):
    """Digest of what determines the comparison of the engines on a dataset."""
    settings = [PYTHON_SETTINGS, tonto_settings(), config["fingerprint"], config["surfaces"]["compare_structures"]]
    return digest(plan(wildcards.dataset).geometry, settings)


def definition_of(dataset):
    """What defines the fingerprints of a dataset, for predictions of other compounds."""
    return fingerprint_definition(DATASETS[dataset], config["surfaces"], config["densities"], config["fingerprint"])


def model_folder(dataset):
    """Folder of the models that a dataset is predicted with: those of another dataset, or of an earlier run."""
    model = DATASETS[dataset]["model"]
    return Path(f"results/{model}/models" if model in DATASETS else model)


def model_input(dataset):
    """What a prediction waits for: the training in this run, or the card of an earlier one."""
    folder = model_folder(dataset)
    return folder if DATASETS[dataset]["model"] in DATASETS else folder / CARD


def prediction_digest(dataset):
    """Digest of what determines the predictions of a dataset that is predicted."""
    model = DATASETS[dataset]["model"]
    of_model = learning_digest(model) if model in DATASETS else file_digest(model_folder(dataset) / CARD)
    return digest(input_digest(dataset), fingerprint_digest(dataset), of_model)


@cache
def shown_digest(dataset):
    """Digest of what determines the pictures of a dataset's fingerprints, which are chosen by the property."""
    return digest(input_digest(dataset), fingerprint_digest(dataset))


@cache
def learning_digest(dataset):
    """Digest of what determines the predictions of a dataset."""
    learning = {key: value for key, value in joined_learning(config, dataset).items() if key not in HOW_TO_TRAIN}
    algorithm = [versions.LEARNING_ALGORITHM, versions.MODEL_FORMAT]
    return digest(input_digest(dataset), fingerprint_digest(dataset), learning, algorithm)


def quick(function):
    """Keep the signature of a function that Snakemake calls for each job: it looks at it again before every call."""
    function.__signature__ = inspect.signature(function)
    return function


# asked for each job, always with the same answer: together a seventh of a dry run of 5,000 jobs
quick(Resource.evaluate)
smart_open.parse_uri = cache(smart_open.parse_uri)


def growing(amount, per_structure=0.0):
    """An amount of a resource, and more for each structure of the dataset, that grows with each attempt."""

    def amount_asked(wildcards, attempt):
        structures = structures_in(wildcards.dataset) if per_structure else 0
        return attempt * math.ceil(amount + per_structure * structures)

    return quick(amount_asked)


def mem_mb(amount, per_structure=0.0):
    """Memory in MB that a job asks for: its own, which grows with each attempt, and that of Snakemake beside it."""
    own = growing(amount, per_structure)
    return quick(lambda wildcards, attempt: own(wildcards, attempt) + progress.SNAKEMAKE_MB)


minutes = growing


def report_mb(wildcards, attempt):
    """Memory in MB of the report, which reads the tables of all datasets."""
    return attempt * math.ceil(2000 + 0.02 * sum(map(structures_in, PLANS))) + progress.SNAKEMAKE_MB


@kept
def sites(dataset):
    """How many sites without symmetry are as much work as a dataset, about."""
    return expected_sites(plan(dataset).entries, SYMMETRY_SAVES)


@kept
def structures_in(dataset, batch=""):
    """How many structures a dataset has, or one of its batches."""
    return len(batches(dataset)[batch] if batch else plan(dataset).entries)


def structures_of(wildcards):
    """How many structures a batch has."""
    return structures_in(wildcards.dataset, wildcards.batch)


def sites_of(wildcards):
    """How many sites without symmetry are as much work as a batch, about."""
    return sites(wildcards.dataset) * structures_of(wildcards) / structures_in(wildcards.dataset)


def surface_mb(wildcards, attempt):
    """Memory in MB of a surface job: its largest arrays are joined one by one."""
    return attempt * math.ceil(700 + MB_PER_SITE * sites_of(wildcards)) + progress.SNAKEMAKE_MB


def surface_minutes(structures, sites):
    """Run time in minutes: with Tonto, enough for a site of each of 60 structures to use up its time."""
    expected = math.ceil(sites * SECONDS_PER_SITE / 60)
    late = math.ceil(min(structures, 60) * TONTO["time_limit_seconds"] / 60) if ENGINE == "tonto" else 0
    return 10 + late + 5 * expected if ENGINE == "tonto" else 20 + 10 * expected


@quick
def reading_threads(wildcards):
    """Processes that read structure files at the same time; each has some hundreds to read."""
    return min(8, 1 + files_in(wildcards.dataset) // 400)


@kept
def files_in(dataset):
    """How many structures of a dataset are read from files."""
    return sum(entry.path is not None for entry in plan(dataset).entries)


@cache
def record(output):
    """What Snakemake recorded of the job that made a file; None where it did not."""
    return workflow.persistence.metadata(IOFile(output))


def recorded_params(output):
    """What Snakemake recorded as the params of the job that made a file; nothing where it did not."""
    return (record(output) and record(output).params) or []


@cache
def mtime(path):
    """When a file was written; 0 where there is none."""
    return Path(path).stat().st_mtime if Path(path).exists() else 0.0


def unless_current(inputs, output, digest, script):
    """Give a job its inputs, or none of them where its output stands: made with this digest, and not by an older script.

    Neither plain nor `ancient` inputs would do. Below a job that runs Snakemake runs all that plain ones join to it, and
    of what `ancient` ones alone join to it nothing, be it missing or changed (9.27, `dag.update_needrun`).
    """
    settings = workflow.dag_settings
    asked = not MAIN or settings.forceall or settings.forcerun or settings.forcetargets
    stands = is_as_made(output) and mtime(output) >= mtime(ROOT / "workflow/scripts" / script)
    return {} if stands and not asked and repr(digest) in recorded_params(output) else inputs


def surface_inputs(wildcards):
    """What a surface job waits for; what determines its result stands in its digest."""
    begin_run()
    output = f"results/{wildcards.dataset}/surfaces/{wildcards.batch}.npz"
    return unless_current(surface_files(wildcards), output, batch_digest(wildcards), "surface.py")


def surface_files(wildcards):
    """What a surface job reads."""
    engine = {"densities": DENSITIES_FILE} if ENGINE == "python" else {"probe": PROBE_FILE}
    return {"structures": f"results/{wildcards.dataset}/structures.h5"} | engine


def comparison_inputs(wildcards):
    """What the comparison of the engines waits for; what determines its result stands in its digest."""
    output = f"results/{wildcards.dataset}/engines/comparison.csv"
    return unless_current(comparison_files(wildcards), output, comparison_digest(wildcards), "compare_engines.py")


def comparison_files(wildcards):
    """What the comparison of the engines reads."""
    structures = f"results/{wildcards.dataset}/structures.h5"
    return {"structures": structures, "densities": DENSITIES_FILE, "probe": PROBE_FILE}


def gathered_structures(wildcards):
    """What the gathering of fingerprints waits for, beside the surfaces."""
    begin_run()
    folder = f"results/{wildcards.dataset}"
    paths = {"structures": f"{folder}/structures.h5"}
    digest = fingerprint_digest(wildcards.dataset)
    return unless_current(paths, f"{folder}/fingerprints.h5", digest, "fingerprints.py")


def batch_files(wildcards):
    """Surface files that a rule reads."""
    return surfaces_of(wildcards.dataset)


@kept
def surfaces_of(dataset):
    """Surface files of a dataset, from its plan and never from what lies on disk."""
    return [f"results/{dataset}/surfaces/{batch}.npz" for batch in batches(dataset)]


def report_items(dataset=""):
    """Items of the report, in their order: of a dataset, or of the whole run where none is named."""
    if not dataset:
        compounds = tuple(item for compound in COMPOUNDS for item in compound_items(compound))
        return (PAPER_ITEMS if config["paper"] else ()) + compounds + (COST,)
    return learned_items(dataset) + FINGERPRINT_ITEMS


def learned_items(dataset):
    """Items of what was learned from a dataset; none where there was nothing to learn."""
    if not has_targets(dataset):
        return ()
    learning = joined_learning(config, dataset)
    curve = (LEARNING_CURVE,) if learning["learning_curve"] else ()
    explained = (SALIENCY,) if "cnn_paper" in learning["networks"] else ()
    return LEARNING_ITEMS + BEYOND_ITEMS + curve + explained


def item_results(dataset=""):
    """Folder that those of the items of a dataset, or of the whole run, are in."""
    return f"results/{dataset}" if dataset else "results"


def reported(items, dataset="{dataset}"):
    """What makes items outputs their files: each marked for `snakemake --report` by its id, data tables as ID_data."""
    outputs, data = {}, {}
    for item in items:
        files = item.files(item_results(dataset))
        outputs[item.id] = report(
            str(files["figure" if item.figure else "table"]),
            caption=f"../report/{item.id}.rst",
            category=item.category,
            labels={"dataset": dataset or item.subject or "all", "item": item.title},
        )
        if item.figure:
            data[f"{item.table or item.id}_data"] = str(files["table"])
    return outputs | data


@cache
def content_digest(*patterns):
    """Digest of the contents of this workflow's own files: what is made with them is made again when they change."""
    return digest([file_digest(path) for pattern in patterns for path in sorted(ROOT.glob(pattern))])


FIGURE_SOURCES = ("src/hirshprint/report/*.py", "src/hirshprint/report/figures/*.py")
BEYOND_SOURCES = FIGURE_SOURCES
PAPER_SOURCES = (*FIGURE_SOURCES, "src/hirshprint/report/paper/*.py")
COMPOUND_SOURCES = (*FIGURE_SOURCES, "src/hirshprint/report/pictures/*.py")
SALIENCY_SOURCES = (*COMPOUND_SOURCES, "src/hirshprint/networks/saliency.py")
REPORT_SOURCES = (
    *(f"src/hirshprint/report/**/*.{kind}" for kind in ("py", "j2", "css", "js")),
    "workflow/report/*.rst",
)


WHOLE_RUN = [""]  # in place of a dataset


def shown_items(wildcards):
    """Files of all items of the report."""
    return item_files(WHOLE_RUN + [*DATASETS])


def item_files(datasets):
    """Files of the items of the report on these datasets; the empty name stands for the whole run."""
    return [
        str(path)
        for dataset in datasets
        for item in report_items(dataset)
        for path in item.files(item_results(dataset)).values()
    ]


def shown_inputs(wildcards):
    """What the choice of the surfaces that the report shows depends on."""
    folder = f"results/{wildcards.dataset}"
    names = ["fingerprints.h5", "targets.csv", *(["predictions.csv"] if has_targets(wildcards.dataset) else [])]
    paths = {name.partition(".")[0]: f"{folder}/{name}" for name in names}
    return paths  # the surfaces are older than their fingerprints


def saliency_inputs(wildcards):
    """What the explanation of predictions reads; surfaces are drawn where their densities are those of the run."""
    folder = f"results/{wildcards.dataset}"
    names = ("predictions_networks.csv", "models", "fingerprints.h5", "targets.csv", "structures.h5")
    paths = {name.partition(".")[0].removesuffix("_networks"): f"{folder}/{name}" for name in names}
    return paths | ({"densities": DENSITIES_FILE} if ENGINE == "python" else {})


def stage_digests(dataset):
    """Digests of what determines the stages of a dataset, by the words of the report."""
    tables = {
        f"file {Path(DATASETS[dataset][key]).name}": key for key in ("table", "targets") if key in DATASETS[dataset]
    }
    found = {name: known_digest(Path(DATASETS[dataset][key])) for name, key in tables.items()}
    found |= {"input": input_digest(dataset), "fingerprints": fingerprint_digest(dataset)}
    return found | ({"predictions": learning_digest(dataset)} if has_targets(dataset) else {})


DATASET_FILES = ("status.csv", "fingerprints.h5", "targets.csv", "shown_surfaces.npz")
LEARNED_FILES = ("predictions.csv", "metrics.csv")
STAGE_FILES = ("structures.h5", "rejected.csv")  # what else stands in the folder of a dataset
LEARNING_FILES = ("predictions_networks.csv", "models", "predictions_baselines.csv")


def dataset_results(wildcards):
    """What the report needs of every dataset."""
    refuse_input("", *DATASETS)
    return [path for dataset in DATASETS for path in reported_files(dataset)]


def reported_files(dataset):
    """What the report needs of a dataset, beside its items."""
    settings = DATASETS[dataset]
    names = [
        *DATASET_FILES,
        *(LEARNED_FILES if has_targets(dataset) else ()),
        *(["predicted.csv"] if "model" in settings else []),
        *(["screen.csv", "screen.svg"] if "elements" in settings else []),
        *(["engines/comparison.csv", "engines/comparison.svg"] if config["surfaces"]["compare_structures"] else []),
    ]
    return [f"results/{dataset}/{name}" for name in names]


@cache
def all_results():
    """All files in results/ that `results/README.md` lists, as far as this configuration asks for them."""
    probed = ENGINE == "tonto" or config["surfaces"]["compare_structures"]
    atoms = ENGINE == "python" or config["surfaces"]["compare_structures"] or COMPOUNDS
    paths = [DENSITIES_FILE] * bool(atoms) + [PROBE_FILE] * bool(probed)
    for dataset in PLANS:
        names = [*STAGE_FILES, *(LEARNING_FILES if has_targets(dataset) else ())]
        paths += [f"results/{dataset}/{name}" for name in names] + surfaces_of(dataset) + reported_files(dataset)
    paths += [f"results/compounds/{compound}/surfaces.npz" for compound in COMPOUNDS]
    paths += ["results/paper/numbers.md"] * bool(config["paper"])
    return [*paths, *item_files(WHOLE_RUN + [*PLANS]), REPORT, str(SUMMARY)]


def asked_results(wildcards):
    """What a run brings up to date."""
    begin_run()
    refuse_input("", *DATASETS)
    return all_results()


def measured_stages(wildcards):
    """What the stages make whose cost is stated."""
    return [*(path for dataset in DATASETS for path in reported_files(dataset)), *item_files(DATASETS)]


def paper_inputs(wildcards):
    """What the counterparts of the paper's tables and figures are made of."""
    if not config["paper"]:
        raise WorkflowError(
            "this configuration names no datasets for the paper's: take config/paper.yaml, or fill `paper:` as there"
        )
    files = ("predictions.csv", "targets.csv", "fingerprints.h5")
    names = dict.fromkeys(config["paper"].values())
    return (
        [f"results/{name}/{file}" for name in names for file in files]
        + [f"results/{config['paper']['oqmd']}/models"]
        + [f"results/compounds/{name}/figure1.csv" for name in COMPOUNDS]
    )


def paper_target(wildcards):
    """What the target `paper` asks for."""
    return [*paper_inputs(wildcards), "results/paper/numbers.md", REPORT]
