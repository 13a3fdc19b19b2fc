"""Counterparts of the paper's tables and figures, and what goes beyond them, for the report."""


rule compound:
    input:
        densities=DENSITIES_FILE,
    output:
        "results/compounds/{compound}/surfaces.npz",
    log:
        "logs/compounds/{compound}/surfaces.log",
    benchmark:
        "logs/benchmarks/compounds/{compound}/surfaces.tsv"
    localrule: True
    conda:
        "../../envs/surfaces.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(1000),
        runtime=minutes(10),
    params:
        digest=lambda wildcards: digest(wildcards.compound, PYTHON_SETTINGS, config["fingerprint"]["bins"]),
        elements=lambda wildcards: PROTOTYPES["cubic_perovskite"].elements_of(COMPOUNDS[wildcards.compound]),
        edge_angstrom=lambda wildcards: config["compounds"][COMPOUNDS[wildcards.compound]],
    message:
        "Surfaces and fingerprints of {wildcards.compound}, to be drawn"
    script:
        "../scripts/compound.py"


rule compound_figures:
    input:
        "results/compounds/{compound}/surfaces.npz",
    output:
        **{
            item: report(
                f"results/compounds/{{compound}}/{item}.svg",
                caption=f"../report/{item}.rst",
                category="The paper",
                labels={"dataset": "{compound}", "item": item.replace("_", " ")},
            )
            for item in COMPOUND_ITEMS
        },
        tables=expand("results/compounds/{{compound}}/{item}.csv", item=COMPOUND_ITEMS),
    log:
        "logs/compounds/{compound}/figures.log",
    benchmark:
        "logs/benchmarks/compounds/{compound}/figures.tsv"
    localrule: True
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(2000),
        runtime=minutes(15),
    message:
        "Figures of {wildcards.compound}"
    script:
        "../scripts/compound_figures.py"


rule beyond:
    input:
        predictions="results/{dataset}/predictions.csv",
        fingerprints="results/{dataset}/fingerprints.h5",
        targets="results/{dataset}/targets.csv",
    output:
        **{
            item: report(
                f"results/{{dataset}}/beyond/{item}.svg",
                caption=f"../report/{item}.rst",
                category="Beyond the paper",
                labels={"dataset": "{dataset}", "item": item.replace("_", " ")},
            )
            for item in BEYOND_ITEMS
        },
        tables=expand("results/{{dataset}}/beyond/{item}.csv", item=BEYOND_ITEMS),
    log:
        "logs/{dataset}/beyond.log",
    benchmark:
        "logs/benchmarks/{dataset}/beyond.tsv"
    localrule: True
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(2000, per_structure=0.1),
        runtime=minutes(30),
    params:
        digest=lambda wildcards: learning_digest(wildcards.dataset),
    message:
        "Errors by element and distance, calibration, what adds what, {wildcards.dataset}"
    script:
        "../scripts/beyond.py"


rule cost:
    input:
        measured_stages,
    output:
        report(
            "results/cost.csv",
            caption="../report/cost.rst",
            category="Beyond the paper",
            labels={"dataset": "all", "item": "cost"},
        ),
    log:
        "logs/cost.log",
    benchmark:
        "logs/benchmarks/cost.tsv"
    localrule: True
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(1000),
        runtime=minutes(10),
    params:
        digest=lambda wildcards: digest([learning_digest(dataset) for dataset in DATASETS]),
    message:
        "What the run cost, by stage"
    script:
        "../scripts/cost.py"


rule paper_items:
    input:
        paper_inputs,
    output:
        **{
            item: report(
                f"results/paper/{item}.{kind}",
                caption=f"../report/{item}.rst",
                category="The paper",
                labels={"dataset": "of the paper", "item": item.replace("_", " ")},
            )
            for item, kind in PAPER_ITEMS.items()
        },
        tables=[f"results/paper/{item}.csv" for item, kind in PAPER_ITEMS.items() if kind == "svg"],
        markdown="results/paper/numbers.md",
    log:
        "logs/paper.log",
    benchmark:
        "logs/benchmarks/paper.tsv"
    localrule: True
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(4000),
        runtime=minutes(30),
    params:
        digest=lambda wildcards: digest({role: learning_digest(name) for role, name in config["paper"].items()}),
    message:
        "Counterparts of the paper's tables and figures"
    script:
        "../scripts/paper.py"
