"""Counterparts of the paper's tables and figures, and what goes beyond them, for the report."""

from hirshprint.report.items import (
    BEYOND_ITEMS,
    CONTACT_SALIENCY,
    COST,
    LEARNING_CURVE,
    PAPER_ITEMS,
    SALIENCY,
    compound_items,
)
from hirshprint.structures.prototypes import PROTOTYPES


rule compound:
    input:
        densities=inputs.densities_file(PLAN),
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
        digest=lambda wildcards: digests.of_compound(PLAN, wildcards.compound),
        elements=lambda wildcards: PROTOTYPES["cubic_perovskite"].elements_of(PLAN.compounds[wildcards.compound]),
        edge_angstrom=lambda wildcards: config["compounds"][PLAN.compounds[wildcards.compound]],
    message:
        "Surfaces and fingerprints of {wildcards.compound}, to be drawn"
    script:
        "../scripts/compound.py"


rule compound_figures:
    input:
        "results/compounds/{compound}/surfaces.npz",
    output:
        **reported(compound_items("{compound}"), dataset=""),
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
    params:
        sources=sources_of("compound_figures.py"),
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
        **reported(BEYOND_ITEMS),
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
        digest=of_dataset(digests.of_learning),
        sources=sources_of("beyond.py"),
    message:
        "Errors by element and distance, calibration, what adds what, {wildcards.dataset}"
    script:
        "../scripts/beyond.py"


rule learning_curve:
    input:
        predictions="results/{dataset}/predictions.csv",
    output:
        **reported([LEARNING_CURVE]),
    log:
        "logs/{dataset}/learning_curve.log",
    benchmark:
        "logs/benchmarks/{dataset}/learning_curve.tsv"
    localrule: True
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(2000),
        runtime=minutes(15),
    params:
        digest=of_dataset(digests.of_learning),
        sources=sources_of("learning_curve.py"),
    message:
        "Learning curve of {wildcards.dataset}"
    script:
        "../scripts/learning_curve.py"


rule saliency:
    input:
        unpack(of_dataset(inputs.saliency_inputs)),
    output:
        **reported([SALIENCY]),
    log:
        "logs/{dataset}/saliency.log",
    benchmark:
        "logs/benchmarks/{dataset}/saliency.tsv"
    conda:
        "../../envs/learning.yaml"
    threads: 2
    resources:
        mem_mb=mem_mb(2000, per_structure=0.06),
        runtime=minutes(30),
    params:
        digest=of_dataset(digests.of_learning),
        compounds=lambda wildcards: CONFIG.datasets[wildcards.dataset].learning.saliency,
        site_labels=of_dataset(site_labels),
        sources=sources_of("saliency.py"),
    message:
        "Regions of the fingerprints of {wildcards.dataset} that matter"
    script:
        "../scripts/saliency.py"


rule contact_saliency:
    input:
        unpack(of_dataset(inputs.saliency_inputs)),
    output:
        **reported([CONTACT_SALIENCY]),
    log:
        "logs/{dataset}/contact_saliency.log",
    benchmark:
        "logs/benchmarks/{dataset}/contact_saliency.tsv"
    conda:
        "../../envs/learning.yaml"
    threads: 2
    resources:
        mem_mb=mem_mb(2000, per_structure=0.06),
        runtime=minutes(30),
    params:
        digest=of_dataset(digests.of_learning),
        compounds=lambda wildcards: CONFIG.datasets[wildcards.dataset].learning.saliency,
        site_labels=of_dataset(site_labels),
        sources=sources_of("contact_saliency.py"),
    message:
        "Contacts of {wildcards.dataset} that matter"
    script:
        "../scripts/contact_saliency.py"


rule cost:
    input:
        of_run(results.measured_stages),
    output:
        **reported([COST], dataset=""),
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
        digest=of_run(digests.of_cost),
        sources=sources_of("cost.py"),
    message:
        "What the run cost, by stage"
    script:
        "../scripts/cost.py"


rule paper_items:
    input:
        paper_inputs,
    output:
        **reported(PAPER_ITEMS, dataset=""),
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
        digest=of_run(digests.of_paper),
        sources=sources_of("paper.py"),
    message:
        "Counterparts of the paper's tables and figures"
    script:
        "../scripts/paper.py"
