"""One compound for the report: what is computed of it, and its figures."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from hirshprint.config.model import Bins
from hirshprint.densities import Densities
from hirshprint.fingerprints.compound_file import Compound, read_compound
from hirshprint.fingerprints.one_compound import EDGES_ANGSTROM, write_compound
from hirshprint.report.figures import network_layers
from hirshprint.report.figures.network_layers import network_drawing, network_table
from hirshprint.report.figures.one_compound import edge_patterns, structure_and_surfaces, whole_cell
from hirshprint.report.figures.one_compound_tables import pattern_table, surface_table, whole_cell_table

BINS = Bins(count=50, low_angstrom=0.76, high_angstrom=2.80)


@pytest.fixture(scope="module")
def made(thakkar: Densities, tmp_path_factory: pytest.TempPathFactory) -> Compound:
    path = tmp_path_factory.mktemp("compound") / "surfaces.npz"
    write_compound(("Pu", "Cu", "O"), 3.52582, thakkar, BINS, path)
    return read_compound(path)


def test_limits_of_the_paper_s_compound(made: Compound) -> None:
    table = surface_table(made).set_index("site")
    assert table["multiplicity"].to_dict() == {"A": 1, "B": 1, "X": 3, "all": 5}
    limits = {"d_i_min": 0.8425, "d_i_max": 1.5890, "d_e_min": 0.8684, "d_e_max": 1.8699}  # of Tonto's vertices
    for name, value in limits.items():
        assert table.loc["all", f"{name}_angstrom"] == pytest.approx(value, abs=0.0012), name
    assert table.loc["all", "area_angstrom2"] == pytest.approx(made.counts.sum(), rel=1e-4)


def test_fingerprints_by_edge_go_outwards(made: Compound) -> None:
    table = pattern_table(made)
    assert table["edge_angstrom"].tolist() == list(EDGES_ANGSTROM)
    assert table["mean_d_i_angstrom"].is_monotonic_increasing
    assert table["mean_d_e_angstrom"].is_monotonic_increasing
    assert (table["in_range_fraction"].iloc[:4] > 0.999).all()
    assert "1.4 % of the area beyond the bins" in texts(edge_patterns(made))


def test_the_cell_as_one_molecule_hides_what_its_atoms_share(made: Compound) -> None:
    table = whole_cell_table(made).set_index("surfaces")
    assert table.loc["whole cell", "area_angstrom2"] < table.loc["five atoms", "area_angstrom2"]
    assert table.loc["five atoms", "volume_angstrom3"] < table.loc["whole cell", "volume_angstrom3"] < 3.52582**3
    assert "area 84.1 Å²" in texts(whole_cell(made))


def test_without_opengl_the_fingerprint_is_drawn_all_the_same(made: Compound) -> None:
    words = texts(structure_and_surfaces(made, {}))
    assert words.count("no OpenGL here") == 9
    assert "PuCuO3, ideal cubic perovskite, a = 3.52582 Å" in words
    assert "A (Pu)   1.385–1.589 Å" in words


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, int]]:
    """A saved network and the number of its parameters, as Keras counts them."""
    from hirshprint.networks.cgcnn import build_cgcnn
    from hirshprint.networks.cnn_paper import build_cnn_paper

    folder = tmp_path_factory.mktemp("networks")
    built: dict[str, Any] = {"cnn_paper": build_cnn_paper((50, 50, 1)), "cgcnn": build_cgcnn(5.0)}

    def given(name: str) -> tuple[Path, int]:
        path = folder / f"{name}-random-fold0-seed0.keras"
        if not path.exists():
            built[name].save(path)
        return path, built[name].count_params()

    return given


@pytest.mark.filterwarnings("ignore:__array__ implementation")
@pytest.mark.parametrize("name", ["cnn_paper", "cgcnn"])
def test_layers_of_a_saved_network_without_tensorflow(saved: Callable[[str], tuple[Path, int]], name: str) -> None:
    path, parameters = saved(name)
    table = network_layers.network_layers(path)
    assert table["parameters"].sum() == parameters
    if name == "cnn_paper":
        blocks = ((50, 32, 2, 3), (25, 64, 3, 3), (12, 128, 4, 2))  # side, filters, convolutions, what follows them
        chain = ["50 × 50 × 1"]
        for side, filters, convolutions, more in blocks:
            chain += [f"{side} × {side} × {filters}"] * convolutions + [f"{side // 2} × {side // 2} × {filters}"] * more
        assert table["output"].tolist() == [*chain, "4608", *6 * ["128"], "1"]
        words = texts(network_drawing(table, name))
        assert "cnn_paper: 1,227,041 parameters" in words
    assert set(network_table(path.parent)["model"]) >= {name}


def texts(figure: Any) -> str:
    return "\n".join(text.get_text() for text in figure.findobj(Text))


def test_tables_are_readable_as_csv(made: Compound) -> None:
    text = surface_table(made).to_csv(index=False)
    assert pd.read_csv(io.StringIO(text))["site"].tolist() == ["A", "B", "X", "all"]
    assert np.isfinite(made.cell_counts).all()
