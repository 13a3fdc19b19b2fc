"""What several rules need: the checked configuration, the plan of the run, and words of Snakemake for what it answers."""

import gc
import inspect
import os
import sys
from functools import cache
from pathlib import Path

import smart_open
from snakemake.exceptions import WorkflowError
from snakemake.resources import Resource

ROOT = Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parents[1]  # also where it is used as a module
if set("{}") & set(str(ROOT)):
    raise WorkflowError(f"{ROOT}: Snakemake takes braces in the path of a workflow for wildcards; rename the folder")
SOURCE = ROOT / "src"
sys.path.insert(0, str(SOURCE))

from hirshprint.config.faults import unknown_units
from hirshprint.config.load import ConfigError, resolve_config, resolve_engine
from hirshprint.config.model import Config
from hirshprint.datasets.split_faults import asked_in_vain
from hirshprint.files.writing import ForeignFolderError, digest, refuse_unwritable
from hirshprint.networks.cards import ModelError, check_starts, complete_predicted, fingerprint_definition
from hirshprint.run import digests, environment, frozen, inputs, planned, resources, results
from hirshprint.run.format import FormatError, check_results
from hirshprint.run.plan import RunPlan, site_labels, structures_in
from hirshprint.run.sources import sources_digest
from hirshprint.structures.entries import InputError

gc.set_threshold(200_000)  # thousands of jobs are no garbage: looking for it took a fifth of a large dry run
environment.prepare_environment(SOURCE)
MAIN = workflow.is_main_process  # and not one of its jobs, which read this file again, later and elsewhere
ANSWERS = {}  # that the head process found for its jobs
try:
    if MAIN:
        refuse_unwritable(Path(".snakemake"))
        check_results(Path("results"))
        config.update(resolve_engine(resolve_config(config, workflow.configfiles), os.environ))
        config["datasets"] = complete_predicted(config)
        check_starts(Config.from_dict(config))
    else:
        ANSWERS = frozen.take_config(config)
except (ConfigError, ModelError, FormatError, ForeignFolderError, frozen.RunGoneError) as error:
    raise WorkflowError(str(error))

CONFIG = Config.from_dict(config)


wildcard_constraints:
    dataset="[A-Za-z0-9_-]+",
    compound="[A-Za-z0-9]+-a[0-9.]+",
    batch="[A-Za-z0-9._+-]+",


def stop(message):
    """End Snakemake with a message alone; what a function of a rule raises would come wrapped in a traceback."""
    raise SystemExit(message)


def read(dataset):
    """Give the plan of a dataset that is not at hand: a job takes what the head process read."""
    if dataset not in CONFIG.datasets:
        raise WorkflowError(f"there is no dataset {dataset}; the configuration has {', '.join(CONFIG.datasets)}")
    try:
        return planned.read_dataset(CONFIG, dataset) if MAIN else frozen.frozen_dataset(dataset).plan
    except InputError as error:
        stop(str(error))


INPUTS = planned.read_inputs(CONFIG) if MAIN else planned.Inputs()
PLAN = RunPlan(CONFIG, INPUTS.plans, read, ANSWERS)
for line in (*INPUTS.remarks, *unknown_units(CONFIG), *planned.left_out(PLAN.plans)) if MAIN else ():
    print(line, file=sys.stderr)
gc.freeze()  # plans live as long as the process: none of their parts is looked at again

LEARNED_RULES = {"train", "baselines", "evaluate", "saliency", "contact_saliency", "predict", "report", "all"}


def is_one_stage():
    """Say whether only some stages are asked for, which may do without what others need."""
    until = set(workflow.dag_settings.until)
    return bool(workflow.dag_settings.omit_from or until) and not until & LEARNED_RULES


def refuse_input(*datasets):
    """Stop before any job if these datasets, or "" for the report, have faults, and list those of all."""
    if not is_one_stage() and set(datasets) & set(INPUTS.faults):
        stop(planned.faults_text(INPUTS.faults))


def learned_targets(wildcards):
    """The property to learn, of a dataset that has what is asked of it."""
    dataset, targets = wildcards.dataset, f"results/{wildcards.dataset}/targets.csv"
    refuse_input(dataset)
    if is_one_stage():
        return targets
    if MAIN and Path(targets).exists() and repr(digests.of_input(PLAN, dataset)) in recorded_params(targets):
        if faults := planned.known_faults(dataset, CONFIG.datasets[dataset].learning, Path(targets).parent):
            stop(asked_in_vain(faults))
    environment.ask_for_learning()  # what only files tell, the rule structures checks
    return targets


def quick(function):
    """Keep the signature of a function that Snakemake calls for each job: it looks at it again before every call."""
    function.__signature__ = inspect.signature(function)
    return function


# Asked for each job, always with the same answer: together a seventh of a dry run of 5,000 jobs (no setting spares it).
quick(Resource.evaluate)
smart_open.parse_uri = cache(smart_open.parse_uri)


def of_run(function):
    """Ask a function of the plan, whatever the wildcards."""
    return quick(lambda wildcards: function(PLAN))


def of_dataset(function):
    """Ask a function of the plan for the dataset of a job."""
    return quick(lambda wildcards: function(PLAN, wildcards.dataset))


def of_batch(function):
    """Ask a function of the plan for the dataset and the batch of a job."""
    return quick(lambda wildcards: function(PLAN, wildcards.dataset, wildcards.batch))


def of_attempt(function):
    """Ask a function of the plan for an attempt at a batch."""
    return quick(lambda wildcards, attempt: function(PLAN, wildcards.dataset, wildcards.batch, attempt))


def growing(function, *amounts):
    """Ask a function of the plan for an amount, and one per structure, that grow with each attempt at a job."""
    return quick(lambda wildcards, attempt: function(PLAN, wildcards.get("dataset"), attempt, *amounts))


def mem_mb(amount, per_structure=0.0):
    """Memory in MB that a job asks for, and more for each structure of its dataset."""
    return growing(resources.memory_mb, amount, per_structure)


def minutes(amount, per_structure=0.0):
    """Run time in minutes that a job asks for, and more for each structure of its dataset."""
    return growing(resources.growing, amount, per_structure)


def definition(wildcards):
    """What defines the fingerprints of a dataset, for predictions of other compounds."""
    dataset = config["datasets"][wildcards.dataset]
    return fingerprint_definition(dataset, config["surfaces"], config["densities"], config["fingerprint"])


def reported(items, dataset="{dataset}"):
    """What makes items outputs their files: each marked for `snakemake --report` by its id, data tables as ID_data."""
    outputs, data = {}, {}
    for item in items:
        files = item.files(results.item_results(dataset))
        outputs[item.id] = report(
            str(files["figure" if item.figure else "table"]),
            caption=f"../report/{item.id}.rst",
            category=item.category,
            labels={"dataset": dataset or item.subject or "all", "item": item.title},
        )
        if item.figure:
            data[f"{item.table or item.id}_data"] = str(files["table"])
    return outputs | data


PAGE_PARTS = [f"src/hirshprint/report/page/**/*.{kind}" for kind in ("j2", "css", "js")]


def sources_of(script, *patterns):
    """Digest of a script and all that it runs of this library, and of other files of the workflow."""
    others = [path for pattern in patterns for path in sorted(ROOT.glob(pattern))]
    return quick(lambda wildcards: sources_digest(ROOT / "workflow/scripts" / script, *others))
