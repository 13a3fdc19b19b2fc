"""Hirshfeld surfaces and their fingerprints: the fan of CPU jobs, one per batch; Tonto's probe, and a comparison."""

from hirshprint.hirshfeld.registry import tonto_checksums


rule tonto_probe:
    input:
        begun,
    output:
        inputs.PROBE_FILE,
    log:
        "logs/tonto_probe.log",
    benchmark:
        "logs/benchmarks/tonto_probe.tsv"
    localrule: True
    conda:
        "../../envs/surfaces.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(1000),
        runtime=minutes(10),
    params:
        checksums=lambda wildcards: tonto_checksums(CONFIG.surfaces.tonto.binary, CONFIG.surfaces.tonto.basis_directory),
        binary=CONFIG.surfaces.tonto.binary,
        basis_directory=CONFIG.surfaces.tonto.basis_directory,
    message:
        "Does Tonto work? One small crystal, before any job is submitted"
    script:
        "../scripts/tonto_probe.py"


rule surface:
    input:
        unpack(quick(surface_inputs)),
    output:
        "results/{dataset}/surfaces/{batch}.npz",
    log:
        "logs/{dataset}/surface/{batch}.log",
    benchmark:
        "logs/benchmarks/{dataset}/surface/{batch}.tsv"
    retries: resources.SURFACE_RETRIES if workflow.is_main_process else 0  # a SLURM job would try again in its own limits
    conda:
        "../../envs/surfaces.yaml"
    threads: 1
    resources:
        mem_mb=of_attempt(resources.surface_mb),
        runtime=of_attempt(resources.batch_minutes),
        attempt=quick(lambda wildcards, attempt: attempt),
    params:
        digest=of_batch(digests.of_batch),
        structures=of_batch(structures_in),
        files=of_dataset(inputs.surface_files),
        site_labels=of_dataset(site_labels),
        attempts=resources.SURFACE_RETRIES + 1,
    message:
        "Surfaces and fingerprints of {wildcards.dataset}, batch {wildcards.batch}: {params.structures} structure(s)"
    script:
        "../scripts/surface.py"


rule compare_engines:
    input:
        unpack(comparison_inputs),
        surfaces=of_dataset(inputs.surfaces_of),  # first, so that one engine's results lie in the cache
    output:
        report(
            "results/{dataset}/engines/comparison.csv",
            caption="../report/comparison.rst",
            category="Engines",
            labels={"dataset": "{dataset}", "item": "differences between the engines"},
        ),
    log:
        "logs/{dataset}/compare_engines.log",
    benchmark:
        "logs/benchmarks/{dataset}/compare_engines.tsv"
    conda:
        "../../envs/surfaces.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(1000),
        runtime=minutes(resources.surface_minutes(PLAN, CONFIG.surfaces.compare_structures, 0)),
    params:
        digest=of_dataset(digests.of_comparison),
        files=of_dataset(inputs.comparison_files),
        structures=config["surfaces"]["compare_structures"],
    message:
        "Both engines on {params.structures} structure(s) of {wildcards.dataset}"
    script:
        "../scripts/compare_engines.py"


rule comparison_figure:
    input:
        rules.compare_engines.output[0],
    output:
        report(
            "results/{dataset}/engines/comparison.svg",
            caption="../report/comparison.rst",
            category="Engines",
            labels={"dataset": "{dataset}", "item": "figure of the differences"},
        ),
    log:
        "logs/{dataset}/comparison_figure.log",
    benchmark:
        "logs/benchmarks/{dataset}/comparison_figure.tsv"
    localrule: True
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(1000),
        runtime=minutes(10),
    message:
        "Figure of the differences between the engines, {wildcards.dataset}"
    script:
        "../scripts/comparison_figure.py"
