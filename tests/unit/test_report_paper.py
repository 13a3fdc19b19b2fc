"""Counterparts of the paper and items beyond it: what their tables say of data whose answer is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text
from pymatgen.core import Element

from hirshprint.accuracy.predictions import COLUMNS
from hirshprint.accuracy.standing import headline_rows
from hirshprint.fingerprints.distances import nearest_distances, square_roots
from hirshprint.report.figures import inputs, learning_curve
from hirshprint.report.figures.beyond import headline_test_rows, shown_models
from hirshprint.report.figures.calibration import STATED, coverage_table, stated_bins
from hirshprint.report.figures.elements import ANYWHERE, element_maps, error_by_element, table_place
from hirshprint.report.figures.inputs import input_table
from hirshprint.report.figures.learning_curve import learning_curve_table
from hirshprint.report.items import (
    BEYOND_ITEMS,
    CONTACT_SALIENCY,
    COST,
    LEARNING_CURVE,
    PAPER_ITEMS,
    SALIENCY,
    Item,
    caption,
    compound_items,
)
from hirshprint.report.paper.__main__ import main
from hirshprint.report.paper.comparison import better, comparison_table, markdown
from hirshprint.report.paper.figures import parity_panels, residual_pair
from hirshprint.report.paper.published import ROLES
from hirshprint.report.paper.supporting_figures import error_by_edge, error_by_group, estimated_edge
from hirshprint.report.paper.supporting_tables import edge_errors, estimated_edge_table, group_errors
from hirshprint.report.paper.tables import Tables, parity_table, residual_table, table1
from hirshprint.structures.symbols import SYMBOLS

ROOT = Path(__file__).parents[2]
A, B = ("Sr", "Ba", "La", "Pu", "K", "Cs"), ("Ti", "Zr", "Fe", "Al", "Y", "Ce", "Nb", "Si")
EDGES = (3.6, 5.1)
SLOPE = 0.3


def made_up(name: str = "oqmd", folds: int = 4) -> Tables:
    """Compounds A B O3 with two initial edges each; errors of every model follow a rule.

    cgcnn: SLOPE (true - 4), one edge. cnn_paper: 0.02 at the lower edge, nothing else. readout: 0.01 at 3.6 Å and
    0.05 at 5.1 Å, every edge. mlp: 0.004, of a compound. cpann: 0.03.
    """
    rows, targets = [], []
    for k, (a, b) in enumerate((a, b) for a in A for b in B):
        compound_name, true = f"{a}{b}O3", 3.6 + 0.02 * k
        ids = [f"{compound_name}-a{edge:.5f}" for edge in EDGES]
        for identity, edge in zip(ids, EDGES, strict=True):
            shown: dict[str, Any] = {"structure_id": identity, "compound": compound_name, "A": a, "B": b, "X": "O"}
            targets.append(shown | {"initial_edge_angstrom": edge, "value": true})
        for fold in range(folds):
            part = "test" if k % folds == fold else "validation" if k % folds == (fold + 1) % folds else "train"
            errors = [
                ("cgcnn", ids[0], SLOPE * (true - 4)),
                ("cnn_paper", ids[0], 0.02),
                ("readout", ids[0], 0.01),
                ("readout", ids[1], 0.05),
                ("readout", "", 0.03),
                ("mlp", "", 0.004),
                ("cpann", "", 0.03),
            ]
            for model, identity, error in errors:
                row = {"model": model, "fold": fold, "part": part, "structure_id": identity, "compound": compound_name}
                rows.append(row | {"true": true, "predicted": true + error})
    every = {"dataset": name, "split": "random", "seed": "0", "property": "a_angstrom", "unit": "Å", "std": 0.02}
    predictions = pd.DataFrame(rows).assign(**every)[list(COLUMNS)]
    return Tables(name, predictions, pd.DataFrame(targets).assign(property="a_angstrom", unit="Å"))


@pytest.fixture(scope="module")
def tables() -> Tables:
    return made_up()


def texts(figure: Any) -> str:
    return "\n".join(text.get_text() for text in figure.findobj(Text))


# --- the paper ----------------------------------------------------------------------------------------------------


def test_slope_of_the_residuals(tables: Tables) -> None:
    table = residual_table(tables, ("cgcnn", "cnn_paper", "not trained")).set_index("model")
    assert list(table.index) == ["cgcnn", "cnn_paper"]
    assert table["slope"].tolist() == pytest.approx([SLOPE, 0.0], abs=1e-9)
    assert table.loc["cnn_paper", "mean_residual_angstrom"] == pytest.approx(0.02)
    assert table.loc["cnn_paper", "compounds"] == len(A) * len(B)
    words = texts(residual_pair(tables, table.reset_index()))
    assert words.index("CGCNN") < words.index("fingerprint + CNN")
    assert "48 compounds" in words


def test_error_by_edge_takes_one_edge_at_a_time(tables: Tables) -> None:
    table = edge_errors(tables, ("cnn_paper", "readout"))
    by_edge = table[table["against"] == "initial edge"].set_index(["model", "low_angstrom"])
    assert by_edge.loc[("readout", 3.5), "mae_angstrom"] == pytest.approx(0.01)
    assert by_edge.loc[("readout", 5.0), "mae_angstrom"] == pytest.approx(0.05)
    assert by_edge["structures"].tolist() == [48, 48, 48]
    relative = table[(table["against"] == "initial - true") & (table["model"] == "cnn_paper")]
    assert relative["structures"].sum() == 48
    assert relative["high_angstrom"].max() <= 0.25
    assert "initial edge − true edge (Å)" in texts(error_by_edge(table))


def test_errors_by_group_and_row(tables: Tables) -> None:
    table = group_errors(tables, ("cgcnn",)).set_index(["site", "kind", "place"])
    assert table.loc[("A", "group", "1"), "compounds"] == 16  # K and Cs
    assert table.loc[("A", "group", "Ln"), "compounds"] == 8
    assert table.loc[("A", "group", "An"), "compounds"] == 8
    assert table.loc[("A", "row", "6"), "compounds"] == 24  # Ba, La and Cs
    rows = headline_rows(tables.predictions, "random")
    rows = rows[(rows["part"] == "test") & (rows["model"] == "cgcnn") & rows["compound"].str.startswith("La")]
    error = (rows["predicted"] - rows["true"]).abs().groupby(rows["fold"]).mean()
    assert table.loc[("A", "group", "Ln"), "mae_angstrom"] == pytest.approx(error.mean())
    assert table.loc[("A", "group", "Ln"), "mae_angstrom_sd"] == pytest.approx(error.std(ddof=1))
    assert "Ln\n8" in texts(error_by_group(table.reset_index()))


def test_estimated_edge_states_its_own_error(tables: Tables) -> None:
    estimated = tables._replace(targets=tables.targets.assign(initial_edge_angstrom=tables.targets["value"] + 0.3))
    table = estimated_edge_table(tables, estimated)
    own = table[(table["model"] == "the estimate itself") & (table["initial_edge"] != "random")].iloc[0]
    assert own["mae"] == pytest.approx(0.3)
    assert "the estimate is off by 0.30 Å" in texts(estimated_edge(table))


@pytest.mark.parametrize(
    ("here", "sd", "lower", "verdict"),
    [(0.02, 0.005, True, "here"), (0.05, 0.005, True, "paper"), (0.031, 0.005, True, "within sd"),
     (0.98, 0.001, False, "here"), (0.01, 0.001, False, "paper"), (0.0333, np.nan, True, "paper")],
)  # fmt: skip
def test_better(here: float, sd: float, lower: bool, verdict: str) -> None:
    assert better(0.0333, here, sd, lower) == verdict


def test_numbers_of_the_paper_beside_those_of_the_run(tables: Tables, tmp_path: Path) -> None:
    roles = dict.fromkeys(ROLES, tables)
    limits = pd.DataFrame([{"site": "all", "d_i_min_angstrom": 0.8435, "d_i_max_angstrom": 1.5889,
                            "d_e_min_angstrom": 0.8691, "d_e_max_angstrom": 1.8699}])  # fmt: skip
    table = comparison_table(roles, limits, pd.DataFrame({"parameters": [160, 65]}))
    assert set(table["where"]) == {"Table 1", "Fig. 1", "Fig. 2", "Fig. 3", "Fig. 5", "SI"}
    cnn = table[table["what"].str.startswith("fingerprint + CNN, OQMD") & (table["quantity"] == "MAE")].iloc[0]
    assert (cnn["paper"], cnn["better"], cnn["n"]) == (0.0333, "here", 48)
    assert cnn["here"] == pytest.approx(0.02)
    worse = table[table["what"].str.startswith("CGCNN") & (table["quantity"] == "MAE")].iloc[0]
    assert worse["better"] == "paper"
    shared = table[table["where"].eq("Fig. 5") & table["differs"].str.contains("Sidey")]["differs"].iloc[0]
    assert "48 of its 48 compounds are in oqmd too" in shared
    table.to_csv(tmp_path / "numbers.csv", index=False)
    text = markdown(table)
    assert text == markdown(pd.read_csv(tmp_path / "numbers.csv"))
    assert "| 0.0333 | 0.0200 ± 0.0000 | 4 | 48 | here |" in text
    assert "| parameters | 1,227,041 | 225" in text


def test_table1_keeps_the_paper_s_numbers(tables: Tables) -> None:
    table = table1(dict.fromkeys(ROLES, tables))
    assert table["r2_paper"].dropna().tolist() == [0.9483, 0.9745, 0.9939, 0.9312]
    assert table["mse_paper"].dropna().tolist() == [0.00402, 0.00198, 0.0011, 0.01231]
    assert table["mae"].iloc[1] == pytest.approx(0.02)
    best = table[table["what"].str.startswith("best here from the composition")]
    assert set(best["model"]) == {"mlp"}


def test_command_wants_its_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["none.csv"]) == 2
    assert "results/paper/numbers.csv" in capsys.readouterr().err


def test_parity_of_training_and_test_part(tables: Tables) -> None:
    table = parity_table({"oqmd": tables}, ("cnn_paper",))
    assert table["part"].tolist() == ["train", "test"]
    assert table["rows"].tolist() == [96, 48]  # two of four folds train on a compound
    words = texts(parity_panels({"oqmd": tables}, table))
    assert "48 compounds, 4 folds" in words
    assert "true cubic edge (Å)" in words


# --- beyond -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("z", range(1, 104))
def test_place_in_the_periodic_table(z: int) -> None:
    row, column = table_place(z)
    element = Element(SYMBOLS[z - 1])
    if row < 8:
        assert (row, column) == (element.row, element.group)
    else:
        assert element.row == row - 2
        assert 3 <= column <= 17


def test_error_by_element(tables: Tables) -> None:
    test = headline_test_rows(tables.predictions, "random")
    table = error_by_element(test[test["model"] == "cgcnn"], tables.targets)
    assert set(table["site"]) == {"A", "B"}  # X is oxygen in all of them
    strontium = table[(table["site"] == "A") & (table["element"] == "Sr")].iloc[0]
    assert strontium["compounds"] == len(B)
    assert strontium["mae"] == pytest.approx(np.mean([SLOPE * (4 - 3.6 - 0.02 * k) for k in range(len(B))]))
    assert strontium["mean_error"] == pytest.approx(-strontium["mae"])
    words = texts(element_maps(table, "cgcnn", "Å"))
    assert "6 elements, 8 to 8 compounds each" in words
    assert "mean absolute test error (Å)" in words


def test_error_by_element_of_files(tables: Tables) -> None:
    test = headline_test_rows(tables.predictions, "random")
    test = test[test["model"] == "cgcnn"]
    files = tables.targets.assign(A="", B="", X="", formula=tables.targets["compound"])
    table = error_by_element(test, files).set_index("element")
    named = error_by_element(test, tables.targets).set_index("element")
    assert set(table["site"]) == {ANYWHERE}
    assert table.at["O", "mae"] == pytest.approx(test["error"].abs().mean())
    assert table.at["Sr", "mae"] == pytest.approx(named.at["Sr", "mae"])
    assert "cgcnn: error by element anywhere" in texts(element_maps(table.reset_index(), "cgcnn", "Å"))
    none = error_by_element(test[test["compound"] == "SrTiO3"], tables.targets)
    assert "no site" in texts(element_maps(none, "cgcnn", "Å"))


def test_coverage_of_honest_and_of_overconfident_models() -> None:
    rng = np.random.default_rng(5)
    rows = pd.DataFrame({"error": rng.normal(0, 0.02, 8000), "fold": np.arange(8000) % 5, "std": 0.02})
    both = pd.concat([rows.assign(model="honest"), rows.assign(model="too sure", std=0.01)])
    table = coverage_table(both).set_index(["model", "stated"])
    np.testing.assert_allclose(table.loc["honest", "observed"], STATED, atol=0.02)
    assert table.loc[("too sure", 0.6827), "observed"] == pytest.approx(0.383, abs=0.02)  # within half an sd
    assert (table.loc["honest", "observed_sd"] < 0.03).all()
    assert coverage_table(rows.assign(model="silent", std=np.nan)).empty
    bins = stated_bins(both)
    assert bins["predictions"].sum() == 16000
    np.testing.assert_allclose(bins["rmse"], 0.02, rtol=0.05)


def test_distance_to_the_nearest_training_fingerprint() -> None:
    counts = np.zeros((4, 5, 5), np.float32)
    counts[0, 0, 0] = counts[1, 0, 0] = 3.0  # equal but for their sum
    counts[1, 0, 0] = 7.0
    counts[2, 4, 4] = 1.0  # nothing in common with them
    counts[3, 0, 0] = counts[3, 4, 4] = 1.0

    def nearest(counts: Any, train: Any, test: Any, block: int = 3) -> Any:
        parts = np.array_split(np.arange(len(counts)), range(block, len(counts), block))
        blocks = [(rows, counts[rows]) for rows in parts]
        return nearest_distances(blocks, [(np.array(train, int), square_roots(counts[test]))])[0]

    np.testing.assert_allclose(nearest(counts, [0], [1, 2, 3]), [0.0, 1.0, np.sqrt(1 - np.sqrt(0.5))], atol=1e-3)
    assert np.isnan(nearest(counts, [], [1])).all()
    random = np.random.default_rng(2).random((30, 5, 5)).astype(np.float32)
    p = np.sqrt(random.reshape(30, -1) / random.sum(axis=(1, 2))[:, None])
    brute = [min(np.sqrt(max(0.0, 1 - p[i] @ p[j])) for j in range(10)) for i in range(10, 30)]
    np.testing.assert_allclose(nearest(random, range(10), range(10, 30)), brute, atol=1e-3)


def test_what_adds_what_is_paired(tables: Tables) -> None:
    table = input_table(tables.predictions, "random").set_index("model")
    assert set(table["reference"]) == {"mlp"}
    assert table.loc["mlp", "difference"] == 0.0
    assert table.loc["cnn_paper", "difference"] == pytest.approx(0.016)
    words = texts(inputs.inputs(table.reset_index(), "Å"))
    assert "sees fingerprint" in words
    assert "difference from mlp (Å), 95 % interval" in words


def test_one_model_of_each_kind_is_shown(tables: Tables) -> None:
    assert shown_models(tables.predictions, "random") == ["cnn_paper", "mlp", "cgcnn"]


def test_learning_curve_keeps_to_one_seed_and_counts_what_was_trained_on(tables: Tables) -> None:
    whole = tables.predictions[tables.predictions["model"].isin(["cnn_paper", "mlp"])]
    compounds = sorted(whole["compound"].unique())[::2]
    half = whole[(whole["part"] != "train") | whole["compound"].isin(compounds)].assign(split="random-50-percent")
    half["predicted"] += 0.1
    others = [whole.assign(seed=seed, predicted=9.0) for seed in ("1", "ensemble")]
    away = whole.assign(split="leave-A-out", predicted=9.0)
    table = learning_curve_table(pd.concat([whole, half, *others, away])).set_index(["model", "share"])
    assert table.index.tolist() == [("cnn_paper", 0.5), ("cnn_paper", 1.0), ("mlp", 0.5), ("mlp", 1.0)]
    assert table["mae"].tolist() == pytest.approx([0.12, 0.02, 0.104, 0.004])
    assert table.loc[("mlp", 1.0), "training_compounds"] == len(A) * len(B) / 2
    assert table.loc[("mlp", 0.5), "training_compounds"] == len(A) * len(B) / 4
    words = texts(learning_curve.learning_curve(table.reset_index(), "Å"))
    assert words.index("mlp, sees composition") < words.index("cnn_paper, sees fingerprint")


# --- items --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("item", [*PAPER_ITEMS, *compound_items("ID")], ids=lambda item: item.id)
def test_caption_says_what_differs_from_the_paper(item: Item) -> None:
    text = caption(item, ROOT / "workflow/report")
    assert "iffer" in text
    if item.id not in ("numbers", "si_networks"):
        assert "he same" in text


@pytest.mark.parametrize(
    "item", [*BEYOND_ITEMS, LEARNING_CURVE, SALIENCY, CONTACT_SALIENCY, COST], ids=lambda item: item.id
)
def test_every_item_has_a_caption(item: Item) -> None:
    assert len(caption(item, ROOT / "workflow/report")) > 60
