"""Counterparts of the tables and figures of the paper, as files of the report."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from hirshprint.baselines.registry import CPANN
from hirshprint.files.writing import written_whole
from hirshprint.networks.registry import CGCNN, CNN, CNN_PAPER, OF_PAPER, READOUT
from hirshprint.report.figures.fingerprints import fingerprint_examples
from hirshprint.report.figures.network_layers import first_networks, network_drawing, network_layers, network_table
from hirshprint.report.fingerprint_file import example_rows, open_fingerprints
from hirshprint.report.paper.comparison import comparison_table, markdown
from hirshprint.report.paper.figures import parity_panels, residual_pair
from hirshprint.report.paper.published import FIGURE1_COMPOUND, ROLES
from hirshprint.report.paper.supporting_figures import error_by_edge, error_by_group, estimated_edge
from hirshprint.report.paper.supporting_tables import edge_errors, estimated_edge_table, group_errors
from hirshprint.report.paper.tables import model_here, parity_table, read_tables, residual_table, table1
from hirshprint.report.style import write_item


def write_paper(results: str | Path, roles: Mapping[str, str], folder: str | Path) -> None:
    """Write the files of `items.PAPER_ITEMS`, and ``numbers.md``.

    Parameters
    ----------
    results : str or Path
        Folder with ``<dataset>/`` for each role and ``compounds/``.
    roles : mapping of str to str
        Dataset in each of the roles `ROLES`.
    folder : str or Path
        Where the files go.
    """
    results, folder = Path(results), Path(folder)
    tables = read_tables(results, roles)
    oqmd, experimental = tables["oqmd"], tables["experimental"]
    models = results / oqmd.name / "models"
    surfaces = results / "compounds" / FIGURE1_COMPOUND / "figure1.csv"
    limits = pd.read_csv(surfaces) if surfaces.exists() else None
    network = model_here(oqmd, CNN_PAPER)
    layers = network_layers(first_networks(models)[network])
    errors = edge_errors(oqmd, (network, CNN, CGCNN, READOUT))
    groups = group_errors(oqmd, (network, CNN, CGCNN))
    fingerprints = open_fingerprints(results / oqmd.name / "fingerprints.h5")
    estimated = estimated_edge_table(oqmd, tables["estimated_edge"])
    residual = residual_table(oqmd, (CGCNN, network))
    fits = parity_table(tables, OF_PAPER)
    fourth = parity_table({"experimental": experimental}, (CPANN, model_here(experimental, CNN_PAPER)))
    numbers = comparison_table(tables, limits, layers)
    write_item(folder, "table1", table1(tables))
    write_item(folder, "figure2", layers, network_drawing(layers, network))
    write_item(folder, "figure3", residual, residual_pair(oqmd, residual))
    write_item(folder, "figure4", fourth, parity_panels({"experimental": experimental}, fourth))
    write_item(folder, "figure5", fits, parity_panels({role: tables[role] for role in list(ROLES)[:3]}, fits))
    write_item(folder, "si_initial_edge", errors, error_by_edge(errors))
    write_item(folder, "si_estimated_edge", estimated, estimated_edge(estimated))
    write_item(folder, "si_groups", groups, error_by_group(groups))
    write_item(
        folder,
        "si_examples",
        example_rows(fingerprints, oqmd.targets, 6),
        fingerprint_examples(fingerprints, oqmd.targets),
    )
    write_item(folder, "si_networks", network_table(models))
    write_item(folder, "numbers", numbers)
    with written_whole(folder / "numbers.md") as temporary:
        temporary.write_text(markdown(numbers), encoding="utf-8")
