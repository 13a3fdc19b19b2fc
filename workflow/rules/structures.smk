"""Tables and files become checked structures with their symmetry."""


rule structures:
    input:
        begun,
    output:
        structures="results/{dataset}/structures.h5",
        targets="results/{dataset}/targets.csv",
        rejected="results/{dataset}/rejected.csv",
    log:
        "logs/{dataset}/structures.log",
    benchmark:
        "logs/benchmarks/{dataset}/structures.tsv"
    localrule: True
    conda:
        "../../envs/surfaces.yaml"
    threads: of_dataset(resources.reading_threads)
    resources:
        mem_mb=mem_mb(2000, per_structure=0.01),
        runtime=minutes(60),
    params:
        digest=of_dataset(digests.of_input),
    message:
        "Structures of {wildcards.dataset}: read, check, find symmetry"
    script:
        "../scripts/structures.py"
