"""Hirshfeld surfaces and their fingerprints: the fan of CPU jobs, one per batch; Tonto's probe, and a comparison."""


rule tonto_probe:
    input:
        begun,
    output:
        PROBE_FILE,
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
        checksums=lambda wildcards: tonto_checksums(),
        binary=TONTO["binary"],
        basis_directory=TONTO["basis_directory"],
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
    retries: SURFACE_RETRIES if workflow.is_main_process else 0  # a SLURM job would try again in its own limits
    conda:
        "../../envs/surfaces.yaml"
    threads: 1
    resources:
        mem_mb=quick(surface_mb),
        runtime=quick(
            lambda wildcards, attempt: attempt * surface_minutes(structures_of(wildcards), sites_of(wildcards))
        ),
        attempt=quick(lambda wildcards, attempt: attempt),
    params:
        digest=quick(batch_digest),
        structures=quick(structures_of),
        files=quick(surface_files),
        site_labels=quick(lambda wildcards: site_labels(wildcards.dataset)),
        attempts=SURFACE_RETRIES + 1,
    message:
        "Surfaces and fingerprints of {wildcards.dataset}, batch {wildcards.batch}: {params.structures} structure(s)"
    script:
        "../scripts/surface.py"


rule compare_engines:
    input:
        unpack(comparison_inputs),
        surfaces=batch_files,  # first, so that one engine's results lie in the cache
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
        runtime=minutes(surface_minutes(config["surfaces"]["compare_structures"], 0)),
    params:
        digest=comparison_digest,
        files=comparison_files,
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
