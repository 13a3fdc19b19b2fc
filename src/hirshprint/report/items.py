"""Items of the report: a figure or a table with its caption (light: read while the Snakefile is parsed).

An item becomes a part of the page ``results/report.html`` and an entry of ``snakemake --report``. To add one: name it
in a tuple of items, give it a caption ``workflow/report/ID.rst``, let a rule make its files (`reported` of common.smk
lists and marks them), and put the tuple into `hirshprint.run.results.report_items`. No template has to change.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True)
class Item:
    """A figure with its data, or a table, of one dataset, of one compound or of the whole run.

    Attributes
    ----------
    id : str
        Names its files, its caption and its place on the page: small letters, digits, ``_``.
    title : str
        Heading on the page, label in ``snakemake --report``.
    category : str
        Group that it belongs to, there and here.
    figure : str
        Kind of its picture, ``svg`` or ``png``; empty for a table alone, which is then shown as one.
    table : str
        Name (without ``.csv``) of the CSV file with the figure's data, or of the table itself; empty for that of the
        item. Items may share one.
    folder : str
        Folder of its files, below that of the dataset, or below ``results`` for an item of the whole run.
    subject : str
        What it shows, where it is there once for each of several: a compound.
    """

    id: str
    title: str
    category: str
    figure: str = "svg"
    table: str = ""
    folder: str = "figures"
    subject: str = ""

    def files(self, results: str | Path) -> dict[str, Path]:
        """Paths of the item's files in the results of its dataset or run: ``figure``, where it has one, ``table``."""
        folder = Path(results, self.folder)
        figure = {"figure": folder / f"{self.id}.{self.figure}"} if self.figure else {}
        return figure | {"table": folder / f"{self.table or self.id}.csv"}


FINGERPRINT_ITEMS = (
    Item("fingerprint_examples", "Fingerprints across the range", "Fingerprints"),
    Item("fingerprint_channels", "Channels of a fingerprint", "Fingerprints"),
)
"""Of every dataset."""

LEARNING_ITEMS = (
    Item("parity", "Parity of every model", "Accuracy"),
    Item("residuals", "Residuals of every model", "Accuracy", table="parity"),
    Item("worst_predictions", "Fingerprints of the worst predictions", "Accuracy"),
    Item("target_histogram", "The property to be learned", "Input"),
)
"""Of a dataset with a property to learn."""

THE_PAPER, BEYOND = "The paper", "Beyond the paper"

BEYOND_ITEMS = (
    Item("error_by_element", "Error by element and site", BEYOND, folder="beyond"),
    Item("calibration", "Calibration of the stated uncertainty", BEYOND, folder="beyond"),
    Item("distance", "Error against distance from the training set", BEYOND, folder="beyond"),
    Item("inputs", "Fingerprint or composition: what adds what", BEYOND, folder="beyond"),
)
"""Of a dataset with a property to learn, too."""

LEARNING_CURVE = Item("learning_curve", "Error against the number of training compounds", BEYOND, folder="beyond")
"""Of a dataset that is learned from shares of its training parts."""

SALIENCY = Item("saliency", "Regions of the fingerprint that matter", BEYOND, folder="beyond")
"""Of a dataset that the paper's network learns from."""

CONTACT_SALIENCY = Item("contact_saliency", "Contacts that matter", BEYOND, folder="beyond")
"""Of a dataset that the network of contacts learns from."""

PAPER_ITEMS = (
    Item("numbers", "The paper's numbers beside those of this run", THE_PAPER, figure="", folder="paper"),
    Item("table1", "Table 1 of the paper: accuracy", THE_PAPER, figure="", folder="paper"),
    Item("figure2", "Figure 2 of the paper: the network", THE_PAPER, folder="paper"),
    Item("figure3", "Figure 3 of the paper: residuals", THE_PAPER, folder="paper"),
    Item("figure4", "Figure 4 of the paper: the experimental set", THE_PAPER, folder="paper"),
    Item("figure5", "Figure 5 of the paper: three datasets", THE_PAPER, folder="paper"),
    Item("si_initial_edge", "Supporting information: robustness against the initial edge", THE_PAPER, folder="paper"),
    Item("si_estimated_edge", "Supporting information: an edge from the composition", THE_PAPER, folder="paper"),
    Item("si_groups", "Supporting information: errors by periodic group and row", THE_PAPER, folder="paper"),
    Item("si_examples", "Supporting information: example fingerprints", THE_PAPER, folder="paper"),
    Item("si_networks", "Supporting information: network table", THE_PAPER, figure="", folder="paper"),
)
"""Of a run whose configuration names datasets for the paper's."""

COST = Item("cost", "Cost by stage", BEYOND, figure="", folder="")
"""Of every run."""


def compound_items(compound: str) -> tuple[Item, ...]:
    """Items of one compound that is drawn, named as its folder of ``results/compounds``."""
    items = (
        Item("figure1", "Figure 1 of the paper: structure and surfaces", THE_PAPER),
        Item("edge_patterns", "Supporting information: fingerprints by edge", THE_PAPER),
        Item("whole_cell", "Supporting information: single atoms against the whole cell", THE_PAPER),
    )
    return tuple(replace(item, folder=f"compounds/{compound}", subject=compound) for item in items)


def caption(item: Item, captions: Path, dataset: str = "") -> str:
    """Read the caption of an item, the words that ``snakemake --report`` shows: paragraphs of reStructuredText.

    ``{{ snakemake.wildcards.dataset }}`` stands for the dataset, as it does there.
    """
    text = (captions / f"{item.id}.rst").read_text(encoding="utf-8").strip()
    return re.sub(r"\{\{ *snakemake\.wildcards\.dataset *\}\}", dataset, text)
