"""Free-atom densities: one small file for all elements."""

BUNDLED_PYTHON = ROOT / ".venv-densities/bin/python"
DENSITIES_PYTHON = BUNDLED_PYTHON if BUNDLED_PYTHON.exists() else "python"  # else that of the conda environment


rule densities:
    input:
        begun,
        program=str(ROOT / "src/hirshprint/density_tables.py"),
    output:
        "results/densities/{source}.h5",
    log:
        "logs/densities/{source}.log",
    benchmark:
        "logs/benchmarks/densities/{source}.tsv"
    localrule: True
    conda:
        "../../envs/densities.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(1000),
        runtime=minutes(10),
    params:
        python=DENSITIES_PYTHON,
    message:
        "Free-atom densities {wildcards.source}, Z = 1 to 103"
    shell:
        "{params.python:q} {input.program:q} --source {wildcards.source} --out {output:q} > {log:q} 2>&1"
