"""Tables from OPTIMADE providers: asked for by name (snakemake fetch_NAME), never by a run."""

FETCH_ENVIRONMENTS = [ROOT / name / "bin/python" for name in (".venv-fetch", ".venv-fetch-test")]
FETCH_PYTHON = next((path for path in FETCH_ENVIRONMENTS if path.exists()), "python")


rule fetch_pages:
    input:
        begun,
    output:
        "results/fetched/{name}.raw.json",
    log:
        "logs/fetch/{name}.pages.log",
    benchmark:
        "logs/benchmarks/fetch/{name}.pages.tsv"
    localrule: True
    conda:
        "../../envs/fetch.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=600,
    params:
        python=FETCH_PYTHON,
        program=str(ROOT / "workflow/scripts/fetch_pages.py"),
        url=lambda wildcards: config["fetch"][wildcards.name]["url"],
        filter=lambda wildcards: config["fetch"][wildcards.name]["filter"],
        prefer=lambda wildcards: config["fetch"][wildcards.name]["prefer"],
        pause=lambda wildcards: config["fetch"][wildcards.name]["first_pause_seconds"],
    message:
        "Ask {params.url} for {params.filter}; answers are kept in cache/fetch, so that it goes on where it was broken off"
    shell:
        "{params.python:q} {params.program:q} --url {params.url:q} --filter {params.filter:q} --prefer {params.prefer:q}"
        " --pause {params.pause} --pages cache/fetch/{wildcards.name} --out {output:q} 2>&1 | tee {log:q} >&2"


rule fetched_table:
    input:
        rules.fetch_pages.output[0],
    output:
        table="results/fetched/{name}.csv",
        provenance="results/fetched/{name}.provenance.json",
    log:
        "logs/fetch/{name}.table.log",
    benchmark:
        "logs/benchmarks/fetch/{name}.table.tsv"
    localrule: True
    conda:
        "../../envs/surfaces.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=120,
    params:
        prototype=lambda wildcards: config["fetch"][wildcards.name]["prototype"],
        prefer=lambda wildcards: config["fetch"][wildcards.name]["prefer"],
    message:
        "Table of {wildcards.name}: check the geometry, find the sites, one entry per compound"
    script:
        "../scripts/fetched_table.py"


for fetched in config.get("fetch", {}):

    rule:
        name:
            f"fetch_{fetched}"
        input:
            f"results/fetched/{fetched}.csv",
        localrule: True
