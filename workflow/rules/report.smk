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


rule figures:
    input:
        predictions="results/{dataset}/predictions.csv",
        fingerprints="results/{dataset}/fingerprints.h5",
        targets="results/{dataset}/targets.csv",
    output:
        **{
            figure: report(
                f"results/{{dataset}}/figures/{figure}.svg",
                caption=f"../report/{figure}.rst",
                category=category,
                labels={"dataset": "{dataset}", "item": figure.replace("_", " ")},
            )
            for figure, category in FIGURES.items()
        },
    log:
        "logs/{dataset}/figures.log",
    benchmark:
        "logs/benchmarks/{dataset}/figures.tsv"
    localrule: True
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(2000),
        runtime=minutes(30),
    params:
        digest=lambda wildcards: learning_digest(wildcards.dataset),
    message:
        "Figures of {wildcards.dataset}"
    script:
        "../scripts/figures.py"


rule report:
    input:
        results=dataset_results,
        shown=report_items,
    output:
        report="results/report.html",
        summary="results/summary.txt",
    log:
        "logs/report.log",
    benchmark:
        "logs/benchmarks/report.tsv"
    localrule: True
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(2000),
        runtime=minutes(30),
    params:
        digest=lambda wildcards: digest([learning_digest(dataset) for dataset in DATASETS]),
        learned=[dataset for dataset in DATASETS if has_targets(dataset)],
    message:
        "The report"
    script:
        "../scripts/report.py"
