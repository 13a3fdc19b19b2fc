"""Fingerprints of all structures of a dataset, which its batches have, gathered in one file."""


rule fingerprints:
    input:
        unpack(gathered_structures),
        surfaces=of_dataset(inputs.surfaces_of),
    output:
        "results/{dataset}/fingerprints.h5",
    log:
        "logs/{dataset}/fingerprints.log",
    benchmark:
        "logs/benchmarks/{dataset}/fingerprints.tsv"
    conda:
        "../../envs/surfaces.yaml"
    threads: of_dataset(resources.gathering_threads)
    resources:
        mem_mb=mem_mb(700, per_structure=0.02),
        runtime=minutes(10, per_structure=0.001),
    params:
        structures="results/{dataset}/structures.h5",
        definition=of_dataset(digests.of_fingerprints),
        site_labels=of_dataset(site_labels),
        fingerprint=config["fingerprint"],
    message:
        "Fingerprints of {wildcards.dataset}: gather"
    script:
        "../scripts/fingerprints.py"
