"""Figures, the status table and the report."""

from hirshprint.report.items import FINGERPRINT_ITEMS, LEARNING_ITEMS


rule status:
    input:
        rejected="results/{dataset}/rejected.csv",
        targets="results/{dataset}/targets.csv",
        surfaces=of_dataset(inputs.surfaces_of),
    output:
        report(
            "results/{dataset}/status.csv",
            caption="../report/status.rst",
            category="Input",
            labels={"dataset": "{dataset}", "item": "status of every row or file"},
        ),
    log:
        "logs/{dataset}/status.log",
    benchmark:
        "logs/benchmarks/{dataset}/status.tsv"
    localrule: True
    conda:
        "../../envs/surfaces.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(1000),
        runtime=minutes(10),
    params:
        digest=of_dataset(digests.of_input),
    message:
        "Status of every row or file of {wildcards.dataset}"
    script:
        "../scripts/status.py"


rule fingerprint_figures:
    input:
        fingerprints="results/{dataset}/fingerprints.h5",
        targets="results/{dataset}/targets.csv",
    output:
        **reported(FINGERPRINT_ITEMS),
    log:
        "logs/{dataset}/fingerprint_figures.log",
    benchmark:
        "logs/benchmarks/{dataset}/fingerprint_figures.tsv"
    localrule: True
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(2000),
        runtime=minutes(30),
    params:
        digest=of_dataset(digests.of_shown),
        sources=sources_of("fingerprint_figures.py"),
    message:
        "Figures of the fingerprints of {wildcards.dataset}"
    script:
        "../scripts/fingerprint_figures.py"


rule learning_figures:
    input:
        predictions="results/{dataset}/predictions.csv",
        fingerprints="results/{dataset}/fingerprints.h5",
        targets="results/{dataset}/targets.csv",
    output:
        **reported(LEARNING_ITEMS),
    log:
        "logs/{dataset}/learning_figures.log",
    benchmark:
        "logs/benchmarks/{dataset}/learning_figures.tsv"
    localrule: True
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(2000, per_structure=0.02),
        runtime=minutes(30, per_structure=0.001),
    params:
        digest=of_dataset(digests.of_learning),
        sources=sources_of("learning_figures.py"),
    message:
        "Figures of the predictions of {wildcards.dataset}"
    script:
        "../scripts/learning_figures.py"


rule shown_surfaces:
    input:
        unpack(of_dataset(inputs.shown_inputs)),
    output:
        "results/{dataset}/shown_surfaces.npz",
    log:
        "logs/{dataset}/shown_surfaces.log",
    benchmark:
        "logs/benchmarks/{dataset}/shown_surfaces.tsv"
    localrule: True
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(2000, per_structure=0.02),
        runtime=minutes(30, per_structure=0.001),
    params:
        digest=of_dataset(digests.of_learning),
        surfaces=of_dataset(inputs.surfaces_of),
        compounds=config["report"]["compounds"],
        sources=sources_of("shown_surfaces.py"),
    message:
        "Surfaces of {wildcards.dataset} that the report shows in three dimensions"
    script:
        "../scripts/shown_surfaces.py"


rule report:
    input:
        results=dataset_results,
        shown=lambda wildcards: results.item_files(PLAN, [results.WHOLE_RUN, *CONFIG.datasets]),
    output:
        report=results.REPORT,
        summary=results.SUMMARY,
    log:
        "logs/report.log",
    benchmark:
        "logs/benchmarks/report.tsv"
    localrule: True
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=quick(lambda wildcards, attempt: resources.report_mb(PLAN, attempt)),
        runtime=minutes(30),
    params:
        digests=lambda wildcards: {dataset: digests.of_stages(PLAN, dataset) for dataset in CONFIG.datasets},
        shown={
            dataset: [vars(item) for item in results.report_items(PLAN, dataset)]
            for dataset in (results.WHOLE_RUN, *CONFIG.datasets)
        },
        config=digest(config),  # which it shows
        sources=sources_of("report.py", *PAGE_PARTS, "workflow/report/*.rst"),
    message:
        "The report"
    script:
        "../scripts/report.py"
