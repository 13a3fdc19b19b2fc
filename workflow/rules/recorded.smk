"""What Snakemake has recorded of earlier jobs, and which inputs a job needs beside its digest."""

from snakemake.io import IOFile


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


@cache
def is_as_made(path):
    """Say whether a result has the time that Snakemake recorded when its job had ended, and whether it did at all."""
    if record(path) is None:
        return False
    whole = Path(path)
    parts = [whole, *whole.rglob("*")] if whole.is_dir() else [whole]  # what is deleted from a folder changes its time
    latest = max((part.stat().st_mtime for part in parts if part.exists()), default=0.0)
    return abs(latest - record(path).endtime) < 1.0  # s; file systems of clusters are not exact


def unless_current(files, output, digest, script):
    """Give a job its inputs, or none of them where its output holds: made with this digest, and not by an older script.

    Neither plain nor `ancient` inputs would do. Below a job that runs Snakemake runs all that plain ones join to it, and
    of what only `ancient` ones join to it nothing, be it missing or changed (9.27, `dag.update_needrun`).
    """
    settings = workflow.dag_settings
    asked = not MAIN or settings.forceall or settings.forcerun or settings.forcetargets
    holds = is_as_made(output) and mtime(output) >= mtime(ROOT / "workflow/scripts" / script)
    return {} if holds and not asked and repr(digest) in recorded_params(output) else files


def surface_inputs(wildcards):
    """What a surface job waits for; what determines its result is in its digest."""
    begin_run()
    dataset, batch = wildcards.dataset, wildcards.batch
    output, digest = f"results/{dataset}/surfaces/{batch}.npz", digests.of_batch(PLAN, dataset, batch)
    return unless_current(inputs.surface_files(PLAN, dataset), output, digest, "surface.py")


def comparison_inputs(wildcards):
    """What the comparison of the engines waits for; what determines its result is in its digest."""
    output, digest = f"results/{wildcards.dataset}/engines/comparison.csv", digests.of_comparison(
        PLAN, wildcards.dataset
    )
    return unless_current(inputs.comparison_files(PLAN, wildcards.dataset), output, digest, "compare_engines.py")


def gathered_structures(wildcards):
    """What the gathering of fingerprints waits for, beside the surfaces."""
    begin_run()
    folder, digest = f"results/{wildcards.dataset}", digests.of_fingerprints(PLAN, wildcards.dataset)
    return unless_current(
        {"structures": f"{folder}/structures.h5"}, f"{folder}/fingerprints.h5", digest, "fingerprints.py"
    )


def dataset_results(wildcards):
    """What the report needs of every dataset."""
    refuse_input("", *CONFIG.datasets)
    return [path for dataset in CONFIG.datasets for path in results.reported_files(PLAN, dataset)]


def asked_results(wildcards):
    """What a run brings up to date."""
    begin_run()
    refuse_input("", *CONFIG.datasets)
    return results.all_results(PLAN)


def paper_inputs(wildcards):
    """What the counterparts of the paper's tables and figures are made of."""
    if not config["paper"]:
        raise WorkflowError(
            "this configuration names no datasets for the paper's: take config/paper.yaml, or fill `paper:` as there"
        )
    return inputs.paper_inputs(PLAN)


def paper_target(wildcards):
    """What the target `paper` asks for."""
    return [*paper_inputs(wildcards), "results/paper/numbers.md", results.REPORT]
