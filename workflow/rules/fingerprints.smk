"""Fingerprints of all structures of a dataset, which its batches have, gathered in one file."""


rule fingerprints:
    input:
        unpack(gathered_structures),
        surfaces=batch_files,
    output:
        "results/{dataset}/fingerprints.h5",
    log:
        "logs/{dataset}/fingerprints.log",
    benchmark:
        "logs/benchmarks/{dataset}/fingerprints.tsv"
    conda:
        "../../envs/surfaces.yaml"
    threads: quick(lambda wildcards: min(8, 1 + structures_in(wildcards.dataset) // 10_000))
    resources:
        mem_mb=mem_mb(700, per_structure=0.02),
        runtime=minutes(10, per_structure=0.001),
    params:
        structures="results/{dataset}/structures.h5",
        definition=lambda wildcards: fingerprint_digest(wildcards.dataset),
        site_labels=lambda wildcards: site_labels(wildcards.dataset),
        fingerprint=config["fingerprint"],
    message:
        "Fingerprints of {wildcards.dataset}: gather"
    script:
        "../scripts/fingerprints.py"
