"""Figures, the status table and the report."""


rule status:
    input:
        rejected="results/{dataset}/rejected.csv",
        targets="results/{dataset}/targets.csv",
        surfaces=batch_files,
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
        digest=lambda wildcards: input_digest(wildcards.dataset),
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
        digest=lambda wildcards: shown_digest(wildcards.dataset),
        sources=content_digest(*FIGURE_SOURCES),
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
        digest=lambda wildcards: learning_digest(wildcards.dataset),
        sources=content_digest(*FIGURE_SOURCES),
    message:
        "Figures of the predictions of {wildcards.dataset}"
    script:
        "../scripts/learning_figures.py"


rule shown_surfaces:
    input:
        unpack(shown_inputs),
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
        digest=lambda wildcards: learning_digest(wildcards.dataset),
        surfaces=batch_files,
        compounds=config["report"]["compounds"],
        sources=content_digest("src/hirshprint/report/page/shown_surfaces.py"),
    message:
        "Surfaces of {wildcards.dataset} that the report shows in three dimensions"
    script:
        "../scripts/shown_surfaces.py"


rule report:
    input:
        results=dataset_results,
        shown=shown_items,
    output:
        report=REPORT,
        summary=SUMMARY,
    log:
        "logs/report.log",
    benchmark:
        "logs/benchmarks/report.tsv"
    localrule: True
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=quick(report_mb),
        runtime=minutes(30),
    params:
        digests=lambda wildcards: {dataset: stage_digests(dataset) for dataset in DATASETS},
        shown={dataset: [vars(item) for item in report_items(dataset)] for dataset in ("", *DATASETS)},
        config=digest(config),  # which it shows
        sources=content_digest(*REPORT_SOURCES),
    message:
        "The report"
    script:
        "../scripts/report.py"
