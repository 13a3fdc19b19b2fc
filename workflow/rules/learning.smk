"""Networks in one (GPU) job, baselines on the CPU, and their evaluation."""


rule train:
    input:
        fingerprints="results/{dataset}/fingerprints.h5",
        structures="results/{dataset}/structures.h5",
        targets=learned_targets,
        started=of_dataset(inputs.start_folders),
    output:
        predictions="results/{dataset}/predictions_networks.csv",
        models=directory("results/{dataset}/models"),
    log:
        "logs/{dataset}/train.log",
    benchmark:
        "logs/benchmarks/{dataset}/train.tsv"
    conda:
        "../../envs/learning.yaml"
    threads: 8
    resources:
        mem_mb=mem_mb(2000, per_structure=0.06),
        runtime=minutes(60, per_structure=0.02),
        gpu=lambda wildcards: CONFIG.datasets[wildcards.dataset].learning.gpus,
    params:
        digest=of_dataset(digests.of_learning),
        definition=definition,
        site_labels=of_dataset(site_labels),
    message:
        "Train networks on {wildcards.dataset}: every split, fold and seed in one job"
    script:
        "../scripts/train.py"


rule baselines:
    input:
        fingerprints="results/{dataset}/fingerprints.h5",
        structures="results/{dataset}/structures.h5",
        targets=learned_targets,
    output:
        "results/{dataset}/predictions_baselines.csv",
    log:
        "logs/{dataset}/baselines.log",
    benchmark:
        "logs/benchmarks/{dataset}/baselines.tsv"
    conda:
        "../../envs/learning.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(700, per_structure=0.02),
        runtime=minutes(15, per_structure=0.005),
    params:
        digest=of_dataset(digests.of_learning),
    message:
        "Baselines on {wildcards.dataset}, on the same folds as the networks"
    script:
        "../scripts/baselines.py"


rule evaluate:
    input:
        networks=rules.train.output.predictions,
        baselines=rules.baselines.output[0],
        targets="results/{dataset}/targets.csv",
    output:
        predictions="results/{dataset}/predictions.csv",
        metrics=report(
            "results/{dataset}/metrics.csv",
            caption="../report/metrics.rst",
            category="Accuracy",
            labels={"dataset": "{dataset}", "item": "metrics"},
        ),
    log:
        "logs/{dataset}/evaluate.log",
    benchmark:
        "logs/benchmarks/{dataset}/evaluate.tsv"
    localrule: True
    conda:
        "../../envs/learning.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(2000, per_structure=0.02),
        runtime=minutes(30, per_structure=0.001),
    params:
        digest=of_dataset(digests.of_learning),
    message:
        "Evaluate the predictions of {wildcards.dataset}"
    script:
        "../scripts/evaluate.py"


rule predict:
    input:
        fingerprints="results/{dataset}/fingerprints.h5",
        structures="results/{dataset}/structures.h5",
        targets="results/{dataset}/targets.csv",
        model=of_dataset(inputs.model_input),
    output:
        report(
            "results/{dataset}/predicted.csv",
            caption="../report/predicted.rst",
            category="Predictions",
            labels={"dataset": "{dataset}", "item": "predictions of new compounds"},
        ),
    log:
        "logs/{dataset}/predict.log",
    benchmark:
        "logs/benchmarks/{dataset}/predict.tsv"
    conda:
        "../../envs/learning.yaml"
    threads: 2
    resources:
        mem_mb=mem_mb(2000, per_structure=0.06),
        runtime=minutes(30, per_structure=0.01),
    params:
        digest=of_dataset(digests.of_predictions),
        model=lambda wildcards: str(inputs.model_folder(PLAN, wildcards.dataset)),
        definition=definition,
        site_labels=of_dataset(site_labels),
    message:
        "Predict the compounds of {wildcards.dataset} with {params.model}"
    script:
        "../scripts/predict.py"


rule screen:
    input:
        "results/{dataset}/predicted.csv",
    output:
        table=report(
            "results/{dataset}/screen.csv",
            caption="../report/screen.rst",
            category="Predictions",
            labels={"dataset": "{dataset}", "item": "ranked by uncertainty"},
        ),
        figure=report(
            "results/{dataset}/screen.svg",
            caption="../report/screen.rst",
            category="Predictions",
            labels={"dataset": "{dataset}", "item": "maps"},
        ),
    log:
        "logs/{dataset}/screen.log",
    benchmark:
        "logs/benchmarks/{dataset}/screen.tsv"
    localrule: True
    conda:
        "../../envs/learning.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(1000),
        runtime=minutes(10),
    params:
        digest=of_dataset(digests.of_predictions),
        quantity=lambda wildcards: [config["datasets"][wildcards.dataset][key] for key in ("property", "unit")],
    message:
        "Screening of {wildcards.dataset}: rank by uncertainty, draw maps"
    script:
        "../scripts/screen.py"
