"""Write the report (report.html) and the closing summary (summary.txt)."""

from pathlib import Path

from hirshprint.files.writing import written_whole
from hirshprint.hirshfeld.registry import engine_named
from hirshprint.networks.cards import start_names
from hirshprint.report.items import Item
from hirshprint.report.page.inputs import dataset_inputs
from hirshprint.report.page.run_description import describe_run
from hirshprint.report.page.summary import summary_lines
from hirshprint.report.page.write import write_report
from hirshprint.run.logs import start_log

start_log(snakemake.log[0])
engine = engine_named(snakemake.config["surfaces"]["engine"]).title
workflow = Path(snakemake.scriptdir).parent
run = describe_run(snakemake.config, engine, workflow.parent, snakemake.params.digests)
compared = snakemake.config["surfaces"]["compare_structures"] > 0
items = {dataset: [Item(**item) for item in listed] for dataset, listed in snakemake.params.shown.items()}
inputs = [
    dataset_inputs(
        *(Path("results") / name, items[name], compared, "model" in settings, "elements" in settings),
        *(start_names(snakemake.config, name), settings["scale"]),
    )
    for name, settings in snakemake.config["datasets"].items()
]
write_report(inputs, run, snakemake.output.report, workflow / "report", items[""])
with written_whole(snakemake.output.summary) as temporary:
    temporary.write_text("\n".join(summary_lines(inputs, run, snakemake.output.report)) + "\n", encoding="utf-8")
