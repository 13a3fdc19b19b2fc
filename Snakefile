"""hirshprint: Hirshfeld-surface fingerprints of crystals, and what can be learned from them."""

from snakemake.utils import min_version

min_version("9.27")

if "datasets" not in config:  # another --configfile replaces the default one instead of adding to its datasets

    configfile: "config/config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/recorded.smk"
include: "workflow/rules/run.smk"
include: "workflow/rules/fetch.smk"
include: "workflow/rules/structures.smk"
include: "workflow/rules/densities.smk"
include: "workflow/rules/surfaces.smk"
include: "workflow/rules/fingerprints.smk"
include: "workflow/rules/learning.smk"
include: "workflow/rules/paper.smk"
include: "workflow/rules/report.smk"


rule all:
    default_target: True
    input:
        asked_results,
    localrule: True
    message:
        "All results are up to date"


rule paper:
    input:
        paper_target,
    localrule: True
    message:
        "What the paper's counterparts are made of is up to date"
