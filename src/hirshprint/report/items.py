"""Items of the report: a figure or a table with its caption (light: read while the Snakefile is parsed).

An item becomes a part of the page ``results/report.html`` and an entry of ``snakemake --report``. To add one: name it
in a tuple of items, give it a caption ``workflow/report/ID.rst``, let a rule make its files (`reported` of common.smk
lists and marks them), and put the tuple into `report_items` of common.smk. No template has to change.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Item:
    """A figure with its data, or a table, of one dataset or of the whole run.

    Attributes
    ----------
    id : names its files, its caption and its place on the page: small letters, digits, ``_``.
    title : heading on the page, label in ``snakemake --report``.
    category : group that it stands in, there and here.
    figure : kind of its picture, ``svg`` or ``png``; empty for a table alone, which is then shown as one.
    table : name (without ``.csv``) of the CSV file with the figure's data, or of the table itself; empty for that of
        the item. Items may share one.
    """

    id: str
    title: str
    category: str
    figure: str = "svg"
    table: str = ""

    def files(self, folder: str | Path) -> dict[str, Path]:
        """Paths of the item's files in a folder: ``figure``, where it has one, and ``table``."""
        figure = {"figure": Path(folder, f"{self.id}.{self.figure}")} if self.figure else {}
        return figure | {"table": Path(folder, f"{self.table or self.id}.csv")}


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


def caption(item: Item, captions: Path, dataset: str = "") -> str:
    """Read the caption of an item, the words that ``snakemake --report`` shows: paragraphs of reStructuredText.

    ``{{ snakemake.wildcards.dataset }}`` stands for the dataset, as it does there.
    """
    text = (captions / f"{item.id}.rst").read_text(encoding="utf-8").strip()
    return re.sub(r"\{\{ *snakemake\.wildcards\.dataset *\}\}", dataset, text)


def tables(items: Iterable[Item]) -> list[str]:
    """Names of the CSV files of some items, each once."""
    return list(dict.fromkeys(item.table or item.id for item in items))
