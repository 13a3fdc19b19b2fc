"""The page: one HTML file that needs no network."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
import markupsafe
import yaml  # type: ignore[import-untyped,unused-ignore]

from hirshprint.files.writing import written_whole
from hirshprint.report.cost import read_cost_line
from hirshprint.report.items import COST, Item
from hirshprint.report.page.dataset import dataset_content
from hirshprint.report.page.explorer_data import LISTED
from hirshprint.report.page.inputs import DatasetInputs
from hirshprint.report.page.item_content import item_content, item_tables
from hirshprint.report.page.packing import colours, deflated
from hirshprint.report.page.script import joined_script
from hirshprint.report.pictures.render import COLOURS
from hirshprint.report.style import in_unit, with_unit
from hirshprint.structures.symbols import SYMBOLS

LISTED_COMPOUNDS = 20_000  # of all datasets, on the page: where there are many, each has fewer
FEWEST_COMPOUNDS = 1_000  # of a dataset
TABLE_BYTES = 10_000_000  # of a table that the page holds as a file to download


def write_report(
    inputs: Sequence[DatasetInputs],
    run: Mapping[str, Any],
    path: str | Path,
    captions: Path,
    items: Sequence[Item] = (),
    results: Path = Path("results"),
) -> None:
    """Write the report of a run as one HTML file, whole or not at all.

    Parameters
    ----------
    inputs : sequence of DatasetInputs
        Files of each dataset.
    run : mapping
        What `run_description.describe_run` returns.
    path : str or Path
        The file to write.
    captions : Path
        Folder with the captions of the items.
    items : sequence of Item, optional
        Figures and tables of the whole run.
    results : Path, optional
        Folder of their files.
    """
    from plotly.offline import get_plotlyjs

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("hirshprint.report.page", "template"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"thousands": lambda value: f"{value:,}", "in_unit": in_unit, "with_unit": with_unit}
    environment.filters["breakable"] = lambda name: markupsafe.escape(name).replace("_", markupsafe.Markup("_<wbr>"))
    densities = run["config"].get("densities", "thakkar")
    settings = json.loads(json.dumps(run["config"], default=str))
    tables = {x.name: item_tables(x.items, x.folder, x.name) for x in inputs} | {"": item_tables(items, results)}
    compared = {f"{x.name}/engines": x.engines / "comparison.csv" for x in inputs if x.engines}
    screened = {f"{x.name}/screen": x.screen.with_suffix(".csv") for x in inputs if x.screen}
    paths = {key: path for found in (*tables.values(), compared, screened) for key, path in found.items()}
    held = {key: path for key, path in paths.items() if path.stat().st_size <= TABLE_BYTES}
    listed = min(LISTED, max(FEWEST_COMPOUNDS, LISTED_COMPOUNDS // max(1, len(inputs))))
    page = environment.get_template("report.html.j2").render(
        run=run,
        datasets=[dataset_content(x, i + 1, captions, densities, listed) for i, x in enumerate(inputs)],
        cost="".join(read_cost_line(item.files(results)["table"]) for item in items if item == COST),
        items=item_content(items, results, captions),
        settings=yaml.safe_dump(settings, sort_keys=False, allow_unicode=True),
        files={key: deflated(path.read_bytes()) for key, path in held.items()},
        left_out={
            key: f"{path} ({path.stat().st_size / 1e6:,.0f} MB)" for key, path in paths.items() if key not in held
        },
        scales={"counts": colours("viridis"), "distance": colours(COLOURS)},
        elements=SYMBOLS,
        style=markupsafe.Markup(resources.files("hirshprint.report.page").joinpath("page.css").read_text("utf-8")),
        script=markupsafe.Markup(joined_script()),
        plotly=deflated(get_plotlyjs().encode("utf-8")),
    )
    with written_whole(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
