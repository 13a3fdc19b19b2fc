"""Figures, report and summary of a small made-up run."""

from __future__ import annotations

import base64
import json
import re
import shutil
import zlib
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import h5py
import numpy as np
import pandas as pd
import pytest

from hirshprint.accuracy import comparison as comparison_room
from hirshprint.accuracy import standing
from hirshprint.accuracy.metrics import metrics
from hirshprint.accuracy.predictions import COLUMNS, read_predictions, read_targets, write_predictions
from hirshprint.batch import comparison
from hirshprint.hirshfeld.python.sphere import OCTAHEDRAL, wedge
from hirshprint.hirshfeld.surface import Surface, pack_surfaces
from hirshprint.report.figures import parity
from hirshprint.report.figures.engine_comparison import write_comparison_figure
from hirshprint.report.figures.fingerprints import fingerprint_examples, write_fingerprint_figures
from hirshprint.report.figures.learned import write_learning_figures
from hirshprint.report.figures.parity import residuals
from hirshprint.report.fingerprint_file import example_rows, open_fingerprints, read_counts
from hirshprint.report.items import COST, FINGERPRINT_ITEMS, LEARNING_ITEMS, Item
from hirshprint.report.page import script
from hirshprint.report.page.accuracy import edges_text, evaluation_text, learned_content
from hirshprint.report.page.dataset import geometry_content, predicted_content
from hirshprint.report.page.explorer_data import page_compounds
from hirshprint.report.page.inputs import DatasetInputs, dataset_inputs
from hirshprint.report.page.meshes import page_meshes
from hirshprint.report.page.page_contacts import page_contacts
from hirshprint.report.page.shown_surfaces import choose_compounds
from hirshprint.report.page.summary import summary_lines
from hirshprint.report.page.write import write_report

HOSTILE = "<script>alert('$x_$')</script>漢"
CAPTIONS = Path(__file__).parents[2] / "workflow/report"
ITEMS = (*LEARNING_ITEMS, *FINGERPRINT_ITEMS)
EDGES = np.linspace(0.76, 2.80, 51)
RUN: dict[str, Any] = {
    "title": "Fingerprints of cubic perovskites",
    "config": {"datasets": {"oqmd": {"initial_edge": {"fixed": 4.5}}}, "seed": 1, "note": "a < b & c"},
    "versions": {"hirshprint": "0.1.0", "numpy": "2.4.6"},
    "engine": "python",
    "commit": "0123456789ab",
    "digests": [{"dataset": "oqmd", "of": "file table.csv", "digest": "e3b0c442"}],
}
# error of each model, in the property's unit
MODELS = {"readout": 0.03, "cnn_paper": 0.06, "cgcnn": 0.05, "gradient_boosting": 0.045, "ridge": 0.08}
TEST_ROW: dict[str, Any] = {
    "dataset": "d",
    "split": "random",
    "part": "test",
    "structure_id": "",
    "property": "p",
}
TEST_ROW |= {"unit": "eV", "std": np.nan}


def made_up_targets(compounds: int, rng: np.random.Generator) -> pd.DataFrame:
    b_sites = ("Ti", "Zr", "Hf", "Nb", "Ta", "Fe", "Mn", "Co", "Ni", "Al", "Ga", "Sc")
    names = [f"{a}{b}O3" for a in ("Sr", "Ba", "Ca", "La", "Pb", "K") for b in b_sites]
    names = [HOSTILE, *names][:compounds]
    value = np.round(rng.normal(4.0, 0.3, compounds), 4)
    return pd.DataFrame(
        {
            "structure_id": [f"{name}-a4.50000" for name in names], "source": "table.csv row 2",
            "compound": names, "group": names, "formula": names, "A": "Sr", "B": "Ti", "X": "O",
            "initial_edge_angstrom": 4.5, "property": "a_angstrom", "unit": "angstrom", "value": value,
            "remarks": "",
        }
    )  # fmt: skip


def made_up_predictions(targets: pd.DataFrame, folds: int, rng: np.random.Generator) -> pd.DataFrame:
    tables = []
    rows = targets.rename(columns={"value": "true"})[["structure_id", "compound", "property", "unit", "true"]]
    of_fold = np.arange(len(rows)) % max(folds, 3)
    for model, error in (MODELS | {"mean": 0.0, "bond_lengths": 0.07}).items():
        noise = rng.normal(0, 1, len(rows))
        for fold in range(folds):
            part = np.where(of_fold == fold, "test", np.where(of_fold == fold + 1, "validation", "train"))
            scale = np.where(part == "train", 0.5, 1.0) * error
            predicted = rows["true"] + scale * noise
            if model == "mean":
                predicted = pd.Series(rows["true"][part == "train"].mean(), index=rows.index)
            tables.append(rows.assign(model=model, fold=fold, part=part, predicted=predicted, seed="0"))
    table = pd.concat(tables, ignore_index=True).assign(dataset="oqmd", split="random", std=np.nan)
    few = (table["model"] == "bond_lengths") & (table["compound"].str.startswith("La"))
    return table.loc[~few, list(COLUMNS)]


# of a perovskite's sites A, B, X: (site that is met, atoms, distance in Å, share of the surface)
CONTACTS: list[list[tuple[int, int, float, float]]] = [
    [(2, 12, 3.182, 1.0)],
    [(2, 6, 2.25, 0.98), (0, 8, 3.897, 0.02)],
    [(0, 4, 3.182, 0.25), (1, 2, 2.25, 0.6), (2, 8, 3.182, 0.15)],
]


def write_contacts(file: h5py.File, structures: int) -> None:
    """Three sites of each structure and their contacts, as the fingerprint file has them."""
    file["site_offsets"] = 3 * np.arange(structures + 1)
    file["site_labels"] = np.array(["A", "B", "X"] * structures, dtype=h5py.string_dtype())
    for name, values in {"number": [38, 22, 8], "multiplicity": [1, 1, 3]}.items():
        file[f"site_{name}"] = np.tile(np.array(values), structures)
    for name, values in {"area_angstrom2": [42.6, 32.1, 19.8], "volume_angstrom3": [25, 20, 8]}.items():
        file[f"site_{name}"] = np.tile(np.array(values, dtype=float), structures)
    file["site_open_fraction"] = np.zeros(3 * structures)
    file["contact_offsets"] = np.cumsum([0, *[len(part) for part in CONTACTS] * structures])
    rows = [(*row, area) for part, area in zip(CONTACTS, (42.6, 32.1, 19.8), strict=True) for row in part]
    sites, atoms, distances, shares, areas = (np.tile(column, structures) for column in np.array(rows).T)
    file["contact_site"], file["contact_atoms"] = sites.astype(np.int32), atoms.astype(np.int32)
    file["contact_distance_angstrom"] = distances.astype(np.float32)
    file["contact_area_angstrom2"] = (shares * areas).astype(np.float32)
    for name in ("contact_mean_angstrom", "contact_deviation_angstrom"):
        file[name] = np.ones((len(sites), 2), np.float32)
    file["contact_least_sum_angstrom"] = np.ones(len(sites), np.float32)


def write_fingerprints(path: Path, targets: pd.DataFrame, **attributes: Any) -> None:
    """Ridges whose place follows the value, in the format of the fingerprint file."""
    channels = ["total", "A", "B", "X", "anion", "cation"]
    middle = (EDGES[:-1] + EDGES[1:]) / 2
    x, y = np.meshgrid(middle, middle, indexing="ij")
    counts = np.zeros((len(targets), len(channels), 50, 50), np.float32)
    for row, value in enumerate(targets["value"]):
        for k in range(1, 4):
            ridge = np.exp(-(((y - 0.9 * x - 0.1 * (value - 4) * k) / 0.03) ** 2) - ((x - 0.9 - 0.2 * k) / 0.15) ** 2)
            counts[row, k] = np.where(ridge > 1e-3, ridge, 0)
    counts[:, 0] = counts[:, 1:4].sum(axis=1)
    counts[:, 4], counts[:, 5] = counts[:, 3], counts[:, 1] + counts[:, 2]
    text = h5py.string_dtype()
    with h5py.File(path, "w") as file:
        file["ids"] = np.array(targets["structure_id"], dtype=text)
        file["counts"] = counts
        file["channels"] = np.array(channels, dtype=text)
        file["bin_edges_angstrom"] = EDGES
        write_contacts(file, len(targets))
        file.attrs.update({"weighting": "area", "counts_unit": "Å² per formula unit", "engine": "python"} | attributes)


def made_up_surface(label: str, number: int, multiplicity: int = 1, level: int = 6) -> Surface:
    """One of the 48 wedges of a rounded cube, and the operations that complete it.

    It faces atoms of B beyond its faces and atoms of X beyond its corners.
    """
    directions, triangles = wedge(level, tuple(range(len(OCTAHEDRAL))))
    radius = 1.6 - 0.3 * (directions**4).sum(axis=1)
    n, origin = len(directions), np.zeros((1, 3))
    face, corner = (directions[np.abs(directions).max(axis=1).argsort()[k]] for k in (-1, 0))
    outside = np.array([3.0 * face, 3.2 * corner]) + 2.25
    return Surface(
        site_label=label, inside_number=number, is_anion=False, multiplicity=multiplicity, formula_units=1,
        centre=np.full(3, 2.25), vertices=directions * radius[:, None] + 2.25, triangles=triangles, d_i=radius,
        d_e=3 - radius, inside_species=np.full(n, number, np.uint8), outside_species=np.full(n, 8, np.uint8),
        normal=directions, inside_nuclei=origin, outside_nuclei=outside, outside_numbers=np.array([22, 8], np.uint8),
        outside_sites=np.array([1, 2], np.int32),
        operations=OCTAHEDRAL.astype(float), area=20.0, volume=8.0, open_fraction=0.0, engine="python",
        density_source="thakkar", level=level,
    )  # fmt: skip


def synthetic_run(folder: Path, compounds: int = 40, folds: int = 5, name: str = "oqmd") -> DatasetInputs:
    """Write the files of one small made-up dataset, with its figures."""
    rng = np.random.default_rng(7)
    folder.mkdir(parents=True, exist_ok=True)
    targets = made_up_targets(compounds, rng)
    targets.to_csv(folder / "targets.csv", index=False)
    write_predictions(folder / "predictions.csv", made_up_predictions(targets, folds, rng))
    write_fingerprints(folder / "fingerprints.h5", targets)
    status = [(x, "row 2", "ok", "", "", "") for x in targets["structure_id"]]
    status.append(("BaXxO3", "row 41", "rejected", "structures", "unknown element Xx", "correct the symbol"))
    status.append((HOSTILE, "row 42", "failed", "surface", "time-out", "see the log of its batch"))
    columns = ["structure_id", "source", "status", "stage", "reason", "remedy"]
    pd.DataFrame(status, columns=columns).to_csv(folder / "status.csv", index=False)
    files = [folder / x for x in ("predictions.csv", "fingerprints.h5", "targets.csv")]
    write_learning_figures(*files, folder / "figures")
    write_fingerprint_figures(*files[1:], folder / "figures")
    chosen = choose_compounds(list(targets["compound"]), read_predictions(files[0]), [], count=8)
    sites = [made_up_surface("A", 38), made_up_surface("B", 22), made_up_surface("X", 8, 3)]
    np.savez(folder / "shown_surfaces.npz", **pack_surfaces({f"{compound}-a4.50000": sites for compound in chosen}))
    return replace(dataset_inputs(folder, ITEMS), name=name)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> DatasetInputs:
    return synthetic_run(tmp_path_factory.mktemp("run") / "oqmd")


@pytest.fixture(scope="module")
def page(made: DatasetInputs, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report([made], RUN, path, CAPTIONS)
    return path.read_text(encoding="utf-8")


class Elements(HTMLParser):
    """Start tags with their attributes, and the text between tags."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_figures_are_valid_svg_with_stable_names_and_bytes_and_their_data_beside_them(
    made: DatasetInputs, tmp_path: Path
) -> None:
    folder = tmp_path / "figures"
    write_learning_figures(made.predictions, made.fingerprints, made.targets, folder)
    write_fingerprint_figures(made.fingerprints, made.targets, folder)
    expected = {path for item in ITEMS for path in item.files(tmp_path).values()}
    assert set(folder.iterdir()) == expected
    for path in expected:
        assert path.read_bytes() == (made.folder / "figures" / path.name).read_bytes()
        if path.suffix == ".svg":
            assert ElementTree.parse(path).getroot().tag.endswith("svg")
            assert b"dc:date" not in path.read_bytes()
    bins = pd.read_csv(folder / "fingerprint_channels.csv")
    sums = bins.groupby("channel")["value"].sum()
    assert sums["total"] == pytest.approx(sums[["A", "B", "X"]].sum(), rel=1e-5)
    test = pd.read_csv(folder / "parity.csv")
    assert set(test["part"]) == {"test"}
    assert len(test) == (read_predictions(made.predictions)["part"] == "test").sum()


def test_parity_has_a_panel_per_model_with_equal_axes_and_the_metrics_figures(
    made: DatasetInputs,
) -> None:
    table = read_predictions(made.predictions)
    figure = parity.parity(table, "random")
    panels = figure.axes
    assert len(panels) == table["model"].nunique()
    expected = metrics(table[table["part"] == "test"]).set_index("model")
    for axes in panels:
        assert axes.get_xlim() == axes.get_ylim()
        row = expected.loc[axes.get_title(loc="left").split("\n")[0]]
        mae = f"MAE {standing.with_sd(row['mae'], row['mae_sd'])} Å"
        shown = f"r² {standing.with_sd(row['r2'], row['r2_sd'])}\n{mae}"
        assert any(text.get_text().startswith(shown) for text in axes.texts)
    order = [axes.get_title(loc="left").split("\n")[0] for axes in panels]
    assert order == list(expected["mae"].sort_values().index)


def test_points_beyond_the_axes_are_counted_not_dropped(made: DatasetInputs) -> None:
    table = read_predictions(made.predictions)
    chosen = table[(table["model"] == "ridge") & (table["part"] == "test")].index[:3]
    table.loc[chosen, "predicted"] = 99.0
    axes = next(x for x in parity.parity(table, "random").axes if x.get_title(loc="left").startswith("ridge\n"))
    assert any(text.get_text() == "3 beyond the axes" for text in axes.texts)


def test_residual_slope_is_that_of_the_residuals(made: DatasetInputs) -> None:
    table = read_predictions(made.predictions)
    of_mean = (table["model"] == "mean") & (table["part"] == "test")
    table.loc[of_mean, "predicted"] = 4.0
    axes = next(x for x in residuals(table, "random").axes if x.get_title(loc="left").startswith("mean\n"))
    assert any(text.get_text() == "slope −1.000" for text in axes.texts)  # 4 - true falls by one per unit


def test_fingerprint_panels_show_d_i_to_the_right_and_leave_empty_bins_white(tmp_path: Path) -> None:
    targets = made_up_targets(1, np.random.default_rng(0))
    path = tmp_path / "one.h5"
    write_fingerprints(path, targets, counts_unit="points per cell")
    with h5py.File(path, "r+") as file:
        file["counts"][:] = 0
        file["counts"][0, 0, 30, 10] = 5  # i = d_i bin 30, j = d_e bin 10
    figure = fingerprint_examples(open_fingerprints(path), targets)
    mesh = figure.axes[0].collections[0]
    image = mesh.get_array().reshape(50, 50)
    assert image[10, 30] == 5  # rows of the image are y = d_e
    assert np.ma.count(image) == 1
    low, high = figure.axes[0].get_xlim()
    assert low < EDGES[10]
    assert high > EDGES[31]
    assert figure.axes[-1].get_ylabel() == "points per cell\nper bin, square-root scale"


def test_examples_span_the_values(made: DatasetInputs) -> None:
    targets = read_targets(made.targets)
    rows = example_rows(open_fingerprints(made.fingerprints), targets, 6)
    assert len(rows) == 6
    assert rows["value"].is_monotonic_increasing
    assert rows["value"].iloc[0] == targets["value"].min()
    assert rows["value"].iloc[-1] == targets["value"].max()


def test_headline_takes_the_ensemble_and_never_the_best_seed() -> None:
    runs = [("readout", "3", 0.1), ("readout", "10", 0.0), ("cgcnn", "0", 0.0), ("cgcnn", "ensemble", 0.2)]
    rows = [
        {
            **TEST_ROW,
            "model": model,
            "fold": 0,
            "seed": seed,
            "compound": c,
            "true": t,
            "predicted": t + error,
        }
        for model, seed, error in runs
        for c, t in (("a", 1.0), ("b", 2.0))
    ]
    table = standing.headline_metrics(pd.DataFrame(rows)[list(COLUMNS)], "random").set_index("model")
    assert table["seed"].to_dict() == {"readout": "3", "cgcnn": "ensemble"}


def test_worst_rows_one_per_compound_largest_first(made: DatasetInputs) -> None:
    table = read_predictions(made.predictions)
    worst = standing.worst_rows(table, "random", "readout", 5)
    test = table[(table["model"] == "readout") & (table["part"] == "test")]
    error = (test["predicted"] - test["true"]).abs().sort_values(ascending=False)
    np.testing.assert_allclose(worst["residual"].abs(), error.iloc[:5])
    assert worst["compound"].is_unique


@pytest.mark.parametrize(
    ("value", "sd", "text"),
    [(0.03334, 0.00121, "0.0333 ± 0.0012"), (0.00198, np.nan, "0.00198"), (0.97453, np.nan, "0.9745"),
     (12.34, 1.9, "12.3 ± 1.9"), (np.nan, np.nan, "not defined"), (-0.012, 0.0345, "−0.012 ± 0.035")],
)  # fmt: skip
def test_with_sd(value: float, sd: float, text: str) -> None:
    assert standing.with_sd(value, sd) == text


def compared(errors: list[float], folds: int) -> comparison_room.Comparison:
    """Compare a fingerprint model with ridge, whose MAE is 0.1 in every fold; `errors` are the model's."""
    rows = [
        {
            **TEST_ROW,
            "model": model,
            "fold": fold,
            "seed": "0",
            "compound": f"{fold}{c}",
            "true": t,
            "predicted": t + error,
        }
        for fold in range(folds)
        for model, error in (("readout", errors[fold]), ("ridge", 0.1))
        for c, t in (("a", 1.0), ("b", 2.0))
    ]
    rows.append({**rows[0], "compound": "only the cnn", "predicted": 1e6})
    found = comparison_room.compare(pd.DataFrame(rows)[list(COLUMNS)], "random", "readout", "ridge")
    assert found is not None
    return found


def test_comparison_verdicts_on_common_compounds_only() -> None:
    better = compared([0.05, 0.052, 0.049, 0.051, 0.05], 5)
    assert (better.verdict, better.wins, better.compounds) == ("better", 5, 10)
    assert better.difference == pytest.approx(-0.0496)
    assert compared([0.2, 0.21, 0.19, 0.2, 0.2], 5).verdict == "worse"
    assert compared([0.02, 0.17, 0.05, 0.14, 0.1], 5).verdict == "undecided"
    assert compared([0.01], 1).verdict == "one fold"


def test_comparison_interval_is_the_corrected_one() -> None:
    errors = [0.05, 0.07, 0.09, 0.08, 0.06]
    scatter = np.std(errors, ddof=1) * np.sqrt(1 / 5 + 1 / 4)
    assert compared(errors, 5).half_width == pytest.approx(2.776 * scatter)


def test_report_loads_nothing_and_has_alternatives_and_headers(page: str) -> None:
    elements = Elements(page)
    sources = [a["src"] for _, a in elements.tags if "src" in a]
    assert len(sources) == len(ITEMS)
    assert all(x is not None and x.startswith("data:") for x in sources)
    assert all(a.get("href", "").startswith("data:") for tag, a in elements.tags if tag == "link")
    assert not re.search(
        r"url\(|@import|fetch\(|XMLHttpRequest|https?://(?!doi\.org/)", re.sub(r'"data:[^"]*"', "", page)
    )
    assert all(a.get("alt") for tag, a in elements.tags if tag == "img")
    assert all(a.get("scope") for tag, a in elements.tags if tag == "th")
    ids = [a["id"] for _, a in elements.tags if "id" in a]
    assert len(ids) == len(set(ids))
    anchors = {a["href"][1:] for tag, a in elements.tags if tag == "a" and (a["href"] or "").startswith("#")}
    assert anchors <= set(ids)
    assert len(page) < 5e6


def test_report_escapes_what_users_write(page: str) -> None:
    assert "<script>alert" not in page
    assert "alert('$x_$')" in Elements(page).text
    assert "a < b & c" in Elements(page).text


def test_report_says_what_a_referee_asks_first(page: str, made: DatasetInputs) -> None:
    text = re.sub(r"\s+", " ", Elements(page.split("<main>")[0]).text)
    assert "40 structures ok, 1 failed, 1 rejected; 40 compounds." in text
    assert "one in twenty is above" in text
    table = read_predictions(made.predictions)
    row = metrics(table[(table["part"] == "test") & (table["model"] == "readout")]).iloc[0]
    assert f"readout: MAE {standing.with_sd(row['mae'], row['mae_sd'])} Å" in text
    assert "the best model of the composition, gradient_boosting" in text
    assert "What do surfaces add? readout" in text
    assert "the best model that sees no surfaces, gradient_boosting" in text
    assert "Every structure was built with the same edge, 4.5 Å." in text


def test_report_shows_the_paper_apart_and_partial_models_unranked(page: str) -> None:
    text = re.sub(r"\s+", " ", Elements(page).text)
    for figure in (
        "0.9483",
        "0.0402",
        "0.00402",
        "0.9745",
        "0.0333",
        "0.00198",
        "0.9939",
        "0.00110",
        "0.01231",
    ):
        assert figure in text
    assert "Published figures, on other datasets: for orientation only" in text
    assert re.search(r"bond_lengthscompositionnone[^a-z]+not ranked: \d+", text)


def embedded(page: str, number: int = 0) -> dict[str, Any]:
    """What the page holds of the compounds of a dataset, its arrays unpacked."""
    found = re.findall(r'<script type="application/json">(.*?)</script>', page, re.DOTALL)[number]
    data: dict[str, Any] = json.loads(found)
    data["arrays"] = {name: unpacked(**given) for name, given in data["arrays"].items()}
    return data


def raw_arrays(page: str) -> dict[str, Any]:
    """The arrays of the first dataset as the page holds them, packed."""
    found = re.findall(r'<script type="application/json">(.*?)</script>', page, re.DOTALL)[0]
    arrays: dict[str, Any] = json.loads(found)["arrays"]
    return arrays


def unpacked(type: str, data: str) -> np.ndarray:
    """Undo `packed`."""
    dtype = np.dtype(type)
    return (
        np.frombuffer(zlib.decompress(base64.b64decode(data)), np.uint8)
        .reshape(dtype.itemsize, -1)
        .T.copy()
        .view(dtype)[:, 0]
    )


def test_page_holds_every_test_prediction(page: str, made: DatasetInputs) -> None:
    data = embedded(page)
    table = read_predictions(made.predictions).query("part == 'test'")
    assert HOSTILE in data["compounds"]
    predicted = data["arrays"]["predicted_0"].reshape(len(data["models"]), -1)
    found = pd.DataFrame(predicted, data["models"], data["compounds"]).stack().dropna()
    expected = table.set_index(["model", "compound"])["predicted"]
    np.testing.assert_allclose(found.sort_index(), expected.sort_index(), rtol=1e-6)
    folds = table.drop_duplicates("compound").set_index("compound")["fold"]
    assert list(data["arrays"]["fold_0"]) == list(folds[data["compounds"]])


def test_page_holds_every_fingerprint_to_three_digits_and_its_neighbours(page: str, made: DatasetInputs) -> None:
    data = embedded(page)
    arrays = data["arrays"]
    counts = read_counts(open_fingerprints(made.fingerprints), data["structure_ids"])
    kept = np.zeros((len(counts), 2500))
    kept[np.repeat(np.arange(len(counts)), arrays["filled"]), arrays["bins"]] = arrays["counts"] * data["largest"]
    np.testing.assert_allclose(kept, counts.reshape(len(counts), -1), rtol=1e-3, atol=1e-6)
    neighbours = arrays["neighbours"].reshape(len(counts), -1)
    share = np.sqrt(kept / kept.sum(axis=1, keepdims=True))
    distances = np.sqrt(np.clip(1 - share @ share.T, 0, None)) + 9 * np.eye(len(counts))
    np.testing.assert_array_equal(neighbours[:, 0], distances.argmin(axis=1))
    np.testing.assert_allclose(arrays["distances"].reshape(neighbours.shape)[:, 0], distances.min(axis=1), atol=2e-3)


def test_page_holds_the_contacts_of_every_compound_quantised(page: str, made: DatasetInputs) -> None:
    data = embedded(page)
    arrays, count = data["arrays"], len(data["compounds"])
    assert data["site_labels"] == ["A", "B", "X"]
    assert arrays["sites"].tolist() == [3] * count
    assert arrays["site_number"].tolist() == [38, 22, 8] * count
    assert arrays["site_contacts"].tolist() == [1, 2, 3] * count
    names = ("site", "atoms", "distance", "share")
    held = np.array([arrays[f"contact_{name}"] for name in names], dtype=float).T[:6]
    expected = [row for part in CONTACTS for row in sorted(part, key=lambda row: -row[3])]
    np.testing.assert_allclose(held / [1, 1, 1000, 65535], expected, atol=1e-3)
    np.testing.assert_allclose(arrays["site_area"][:3] / 100, [42.6, 32.1, 19.8], atol=0.005)
    packed_bytes = sum(len(x["data"]) for name, x in raw_arrays(page).items() if name.startswith(("site", "contact")))
    assert packed_bytes < 2000  # what is the same in all compounds takes no room


def test_of_many_contacts_the_page_holds_the_largest(made: DatasetInputs) -> None:
    ids = list(read_targets(made.targets)["structure_id"][:4])
    _, arrays = page_contacts(made.fingerprints, ids[::-1], most=3)
    assert arrays["site_contacts"].tolist() == [1, 1, 1] * 4  # three atoms of X: its first counts most
    assert arrays["contact_atoms"].tolist() == [12, 6, 2] * 4


def test_more_compounds_than_the_page_holds_keep_the_worst(made: DatasetInputs) -> None:
    targets, table = read_targets(made.targets), read_predictions(made.predictions)
    test = table[table["part"] == "test"]
    file = open_fingerprints(made.fingerprints)
    data = page_compounds(targets, file, test, ["random"], {}, "x2c", listed=20)
    assert len(data["compounds"]) == 20
    assert data["total"] == 40
    worst = (test["predicted"] - test["true"]).abs().groupby(test["compound"]).max().nlargest(2)
    assert set(worst.index) <= set(data["compounds"])
    assert data["commands"][0].endswith(" --edge 4.5 --densities x2c --out surfaces")


def test_named_compounds_come_first_then_the_worst_and_the_most_uncertain(made: DatasetInputs) -> None:
    table = read_predictions(made.predictions)
    names = list(dict.fromkeys(table["compound"]))
    stated = table["compound"] == names[7]
    table.loc[table["model"] == "readout", "std"] = np.where(stated, 0.5, 0.1)[table["model"] == "readout"]
    chosen = choose_compounds(names, table, [names[3], "NoSuchO3"], count=5)
    worst = standing.worst_rows(table, "random", "readout", 5)["compound"]
    assert chosen[0] == names[3]
    assert len(chosen) == len(set(chosen)) == 5
    assert {names[7], worst.iloc[0], worst.iloc[1]} <= set(chosen)
    assert choose_compounds(names, None, [], count=4) == [names[0], names[13], names[26], names[39]]
    assert choose_compounds(names, None, [], count=200) == names
    assert choose_compounds([], None, []) == []


def test_meshes_of_the_page_are_those_of_the_surfaces_and_stop_at_the_budget() -> None:
    surfaces = {name: [made_up_surface("B", 22, level=level)] for name, level in (("a", 4), ("b", 6), ("c", 6))}
    described, arrays = page_meshes(surfaces, budget=10**6)
    assert [mesh["id"] for mesh in described] == ["a", "b", "c"]
    [site] = described[1]["sites"]
    assert (site["element"], site["label"], site["multiplicity"]) == ("Ti", "B", 1)
    first = described[0]["sites"][0]["vertices"]
    source = surfaces["b"][0]
    xyz = arrays["mesh_xyz"].reshape(-1, 3)[first : first + site["vertices"]] * site["scale"]
    np.testing.assert_allclose(xyz, source.vertices - source.centre, atol=1e-4)
    d_e = arrays["mesh_d"][2 * first + site["vertices"] :][: site["vertices"]] / 65535
    np.testing.assert_allclose(site["d_e"][0] + d_e * (site["d_e"][1] - site["d_e"][0]), source.d_e, atol=1e-4)
    assert site["nuclei"] == 2
    nuclei = arrays["mesh_nuclei"].reshape(-1, 3)[2:4]
    np.testing.assert_allclose(nuclei, source.outside_nuclei - source.centre, atol=1e-6)
    assert arrays["mesh_nuclei_site"].tolist() == [1, 2] * 3
    assert site["triangles"] == described[2]["sites"][0]["triangles"] != described[0]["sites"][0]["triangles"]
    assert len(page_meshes(surfaces, budget=1)[0]) == 1


def test_report_warns_when_the_geometry_gives_the_target_away() -> None:
    targets = made_up_targets(30, np.random.default_rng(3))
    assert not geometry_content(targets)["warning"]
    leaking = targets.assign(initial_edge_angstrom=targets["value"] + 0.01)
    assert "gives part of the target away" in geometry_content(leaking)["text"]
    from_files = geometry_content(targets.assign(initial_edge_angstrom=np.nan))
    assert from_files["warning"]


def test_summary_has_five_lines_with_the_figures(made: DatasetInputs) -> None:
    lines = summary_lines([made], RUN, "results/report.html")
    assert len(lines) == 5
    assert "40 ok, 1 failed, 1 rejected" in lines[0]
    assert "120 surfaces, 40 fingerprints of 6 × 50 × 50 bins" in lines[1]
    best = r"oqmd: readout MAE 0\.0\d+ ± 0\.0\d+ Å, r² 0\.9\d+ ± 0\.0\d+, test part of 5 random folds"
    assert re.search(best, lines[2])
    assert "gradient_boosting MAE" in lines[3]
    assert "mean MAE" in lines[3]
    assert lines[4].endswith("results/report.html")


def test_the_page_says_how_many_edges_a_model_sees(made: DatasetInputs) -> None:
    one = pd.Series([4.5, 4.5], ["a", "b"])
    alike = pd.Series([3.6, 4.0, 4.4] * 2, ["a"] * 3 + ["b"] * 3)
    drawn = pd.Series(np.linspace(3.5, 5.5, 24), ["a"] * 12 + ["b"] * 12)
    expected = {
        "ridge": ("none", "none", "none"),
        "cnn_paper": ("one", "one of 3", "one of 12"),
        "cnn": ("one", "3 together", "mean of 8, 12 in training"),
        "readout": ("one, known to it", "3 together, known to it", "mean of 8, 12 in training, known to it"),
        "cgcnn": ("one, known to it", "one of 3, known to it", "mean of 8, 12 in training, known to it"),
    }
    for model, texts in expected.items():
        assert tuple(edges_text(model, edges) for edges in (one, alike, drawn)) == texts
    targets = read_targets(made.targets)
    predictions = read_predictions(made.folder / "predictions.csv")
    rows = learned_content(made, predictions, targets, ["random"])["tables"][0]["rows"]
    assert {row["model"]: row["edges"] for row in rows}["readout"] == "one, known to it"


def test_a_model_that_started_from_other_data_is_said_to(made: DatasetInputs) -> None:
    started = replace(made, started={"readout": "computed"})
    lines = summary_lines([started], RUN, "results/report.html")
    assert "oqmd: readout (started from computed) MAE 0.0" in lines[2]
    assert "started" not in lines[3]
    predictions, targets = read_predictions(made.folder / "predictions.csv"), read_targets(made.targets)
    found = learned_content(started, predictions, targets, ["random"])
    assert found["best"]["inputs"] == "fingerprint; started from computed"
    rows = {row["model"]: row["inputs"] for row in found["tables"][0]["rows"]}
    assert rows["readout"] == "fingerprint; started from computed"
    assert "started" not in rows["mean"]
    assert [c["model"] for c in found["comparisons"]] == [
        c["model"] for c in learned_content(made, predictions, targets, ["random"])["comparisons"]
    ]


def test_structures_with_remarks_are_used_counted_and_listed_by_remark(made: DatasetInputs, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(made.folder, folder)
    remarks = [""] * 10 + ["taken as P1"] * 28 + ["taken as P1; <b>mended</b>"] * 2
    targets = pd.read_csv(made.targets).assign(remarks=remarks)
    targets.to_csv(folder / "targets.csv", index=False)
    status = pd.read_csv(made.status, keep_default_na=False)
    ids = targets["structure_id"][10:]
    status.loc[status["structure_id"].isin(ids), ["status", "reason"]] = ["remarked", "taken as P1"]
    status.to_csv(folder / "status.csv", index=False)
    inputs = replace(dataset_inputs(folder, ITEMS), name="oqmd")
    write_report([inputs], RUN, tmp_path / "report.html", CAPTIONS)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    elements = Elements(page)
    text = re.sub(r"\s+", " ", elements.text)
    assert "10 structures ok, 30 with remarks, 1 failed, 1 rejected; 40 compounds." in text
    assert "but the fingerprint file holds" not in text
    assert "30 structures are used as any other, with a remark" in text
    assert re.search(rf"taken as P1 ?30 ?{', '.join(ids[:10])} \.\.\. and 20 more", text)
    assert re.search(rf"<b>mended</b> ?2 ?{', '.join(ids[-2:])}", text)
    assert "1 failed and 1 rejected; none of them" in text
    anchors = {a["href"][1:] for tag, a in elements.tags if tag == "a" and (a["href"] or "").startswith("#")}
    assert {"d1-remarks"} < anchors <= {a["id"] for _, a in elements.tags if "id" in a}
    assert "oqmd: 10 ok, 30 remarked, 1 failed, 1 rejected" in summary_lines([inputs], RUN, "r.html")[0]


def test_two_datasets_one_fold_other_unit(made: DatasetInputs, tmp_path: Path) -> None:
    folder = tmp_path / "gaps"
    other = synthetic_run(folder, compounds=6, folds=1, name="gaps")
    table = read_predictions(other.predictions).assign(dataset="gaps", property="gap", unit="eV/atom")
    write_predictions(other.predictions, table)
    status = pd.read_csv(other.status).query("status == 'ok'")
    status.to_csv(other.status, index=False)
    write_report([made, other], RUN, tmp_path / "report.html", CAPTIONS)
    text = re.sub(r"\s+", " ", Elements((tmp_path / "report.html").read_text(encoding="utf-8")).text)
    assert "MSE ((eV/atom)²)" in text
    assert "one fold cannot decide" in text
    assert "None: every structure of the input was used." in text
    assert text.count("for orientation only") == 1
    assert len(summary_lines([made, other], RUN, "r.html")) == 5


def test_failed_report_leaves_the_old_one(made: DatasetInputs, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")
    with pytest.raises(FileNotFoundError):
        write_report([replace(made, folder=tmp_path / "none")], RUN, path, CAPTIONS)
    assert path.read_text() == "old"
    assert [x.name for x in tmp_path.iterdir()] == ["report.html"]


def test_engines_compared_are_in_the_contents_with_table_and_figure(made: DatasetInputs, tmp_path: Path) -> None:
    rows = [
        dict.fromkeys(comparison.COLUMNS, "")
        | {"structure_id": name, "site_label": "B", "quantity": "area", "unit": "Å²"}
        for name in ("SrTiO3-a4.50000", "KMgF3-a4.50000")
    ]
    for row, (python, tonto) in zip(rows, ((20.0, 19.9), (22.0, 22.3)), strict=True):
        row |= {"python": f"{python}", "tonto": f"{tonto}", "difference": f"{tonto - python:.5f}"}
    comparison.write_comparison(tmp_path / "comparison.csv", rows)
    write_comparison_figure(tmp_path / "comparison.csv", tmp_path / "comparison.svg")
    write_report([replace(made, engines=tmp_path)], RUN, tmp_path / "report.html", CAPTIONS)
    elements = Elements((tmp_path / "report.html").read_text(encoding="utf-8"))
    text = re.sub(r"\s+", " ", elements.text)
    assert "Engines compared" in text
    assert re.search(r"area ?Å² ?2 ?0.2000 ?0.3000 ?KMgF3-a4.50000 B", text)
    assert len([tag for tag, _ in elements.tags if tag == "img"]) == len(ITEMS) + 1
    ids = {a["id"] for _, a in elements.tags if "id" in a}
    assert {a["href"][1:] for tag, a in elements.tags if tag == "a" and (a["href"] or "").startswith("#")} <= ids


def test_dataset_without_a_property_shows_fingerprints_only(made: DatasetInputs, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    for name in ("fingerprints.h5", "status.csv"):
        (folder / name).write_bytes((made.targets.parent / name).read_bytes())
    targets = pd.read_csv(made.targets).assign(initial_edge_angstrom="", property="", unit="", value="")
    targets.to_csv(folder / "targets.csv", index=False)
    write_fingerprint_figures(folder / "fingerprints.h5", folder / "targets.csv", folder / "figures")
    item = replace(dataset_inputs(folder, FINGERPRINT_ITEMS), surfaces=None)
    assert item.predictions is None
    write_report([item], RUN, tmp_path / "report.html", CAPTIONS)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "this dataset gives no property to learn" in page
    assert len([tag for tag, _ in Elements(page).tags if tag == "img"]) == 2
    lines = summary_lines([item], RUN, "r.html")
    assert lines[2].endswith("files: none, no property was given")
    assert len(lines) == 5
    (folder / "predicted.csv").write_text(
        "name,formula,gap_predicted,gap_std,gap_spread,unseen,fingerprint_distance,outside_domain\n"
        "x,SrTiO3,1.0,0.1,0.1,,0.5,False\ny,FeO,2.00000001,0.1,0.1,A=Fe,0.5,True\n"
    )
    item = replace(item, predicted=folder / "predicted.csv")
    write_report([item], RUN, tmp_path / "report.html", CAPTIONS)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "no property to learn" not in page
    heads = re.search(r"The 2 least certain predictions.*?</thead>", page, re.DOTALL)
    assert heads is not None
    titles = re.findall(r"<button[^>]*>(.*?)</button>", heads[0])
    assert titles[1:4] == ["Predicted gap", "Standard deviation", "Spread of the networks"]
    assert ">Fe on A<" in page
    assert "2 compounds with the networks of another dataset, 1 of them outside of what training saw" in page
    assert summary_lines([item], RUN, "r.html")[2].endswith(
        "files: 2 compounds predicted, 1 of them outside of what training saw"
    )


def test_predicted_columns_have_names_and_units_of_people(tmp_path: Path) -> None:
    path = tmp_path / "predicted.csv"
    path.write_text(
        "name,formula,a_predicted_angstrom,a_std_angstrom,a_spread_angstrom,unseen,fingerprint_distance,outside_domain\n"
        "KMgF3,KMgF3,4.301333,0.17540338,0.11795408,B=Mg,0.26783839,True\n"
    )
    found = predicted_content(path)
    titles = ["Predicted lattice parameter (Å)", "Standard deviation (Å)", "Spread of the networks (Å)"]
    assert found["columns"] == titles
    numbers = {"value": "4.3013", "std": "0.1754", "spread": "0.1180", "distance": "0.2678"}
    assert found["rows"] == [numbers | {"name": "KMgF3", "unseen": "Mg on B"}]


def test_a_property_without_a_unit_is_shown_without_one(made: DatasetInputs, tmp_path: Path) -> None:
    folder = tmp_path / "n"
    other = synthetic_run(folder, compounds=12, folds=2, name="n")
    assert other.predictions is not None
    table = read_predictions(other.predictions).assign(dataset="n", property="n", unit="dimensionless")
    write_predictions(other.predictions, table)
    targets = pd.read_csv(other.targets).assign(property="n", unit="dimensionless")
    targets.to_csv(other.targets, index=False)
    files = (other.predictions, other.fingerprints, other.targets)
    write_learning_figures(*files, folder / "figures")
    write_fingerprint_figures(*files[1:], folder / "figures")
    write_report([other], RUN, tmp_path / "r.html", CAPTIONS)
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "dimensionless" not in page
    assert not re.search(r"\( *\)|\d ,|\(²\)", re.sub(r"\s+", " ", Elements(page.split("<main>")[0]).text))
    assert '<button type="button">MAE</button>' in page
    assert "dimensionless" not in (folder / "figures/parity.svg").read_text(encoding="utf-8")


def test_file_without_total_channel_says_which_is_shown(made: DatasetInputs, tmp_path: Path) -> None:
    path = tmp_path / "sites.h5"
    path.write_bytes(made.fingerprints.read_bytes())
    with h5py.File(path, "r+") as file:
        file["channels"][0] = "Q"
    figure = fingerprint_examples(open_fingerprints(path), read_targets(made.targets))
    assert any(text.get_text() == "channel Q" for text in figure.texts)


def test_items_of_the_whole_run_show_their_table_and_their_caption(made: DatasetInputs, tmp_path: Path) -> None:
    (tmp_path / "costs.rst").write_text("What it *costs*, in ``s`` <b>.\n\nFor {{ snakemake.wildcards.dataset }}d_i.\n")
    table = pd.DataFrame({"stage": ["a & b", "c"], "wall_seconds": [1.5, 1234.0], "mae": [0.0333, np.nan]})
    (tmp_path / "SrTiO3").mkdir()
    for folder in (tmp_path, tmp_path / "SrTiO3"):
        table.assign(mae_sd=[0.0012, np.nan]).to_csv(folder / "costs.csv", index=False)
    stages = {"stage": ["surface", "all stages"], "structures": [10, 10], "clock_seconds": [60, 240]}
    stages |= {"cpu_seconds": [36, 720], "gpu_seconds": [0, 0], "dataset": ["oqmd", ""]}
    pd.DataFrame(stages).to_csv(tmp_path / "cost.csv", index=False)
    (tmp_path / "cost.rst").write_text("What it costs.")
    item = Item("costs", "Costs", "Costs", figure="", folder="")
    items = [item, replace(item, folder="SrTiO3", subject="SrTiO3"), COST]
    write_report([replace(made, items=())], RUN, tmp_path / "r.html", tmp_path, items, tmp_path)
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "What it <em>costs</em>, in <code>s</code> &lt;b&gt;." in page
    assert "For d<sub>i</sub>." in page
    assert '<td>a &amp; b</td><td class="n" data-value="1.5">1.5</td>' in page
    assert '<td class="n" data-value="0.0333">0.0333 ± 0.0012</td></tr>' in page
    assert '<td>c</td><td class="n" data-value="1234.0">1,234</td><td class="n"></td></tr>' in page
    assert "mae sd" not in page
    assert '<p id="took">The jobs behind this report took 4 min by the clock and 0.2 core hours; ' in page
    assert ">wall (s)<" in page
    assert re.findall(r'<figure id="(run-costs.*?)"', page) == ["run-costs", "run-costs-SrTiO3"]
    assert "<h4>Costs: SrTiO3</h4>" in page


def test_splits_of_a_learning_curve_stay_out_of_the_tables_by_split(made: DatasetInputs, tmp_path: Path) -> None:
    table = read_predictions(made.predictions)
    path = tmp_path / "predictions.csv"
    parts = [table.assign(split=split) for split in ("random-25-percent", "leave-A-out", "random")]
    write_predictions(path, pd.concat(parts))
    write_report([replace(made, predictions=path)], RUN, tmp_path / "r.html", CAPTIONS)
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "leave-A-out split" in page
    assert "random-25-percent" not in page


def test_the_page_s_script_is_one_scope_of_small_modules_without_imports() -> None:
    folder = Path(script.__file__).parent / "explorer"
    joined = script.joined_script()
    assert joined.startswith('"use strict";\n')
    assert re.findall(r"(?m)^(?:import|export)\b.*", joined) == []
    declared = re.findall(r"(?m)^(?:async )?(?:function|const|let|class) (\w+)", joined)
    assert sorted(set(declared)) == sorted(declared)  # a name in two modules would hide one of them
    for path in folder.glob("*.js"):
        text = path.read_text(encoding="utf-8")
        assert re.sub(r"(?m)^(import .*\n|export )", "", text) in joined, f"{path.name} is not on the page"
        assert len(text.splitlines()) <= 400
        assert max(map(len, text.splitlines())) <= 120
        for names, other in re.findall(r'(?m)^import \{([^}]*)\} from "\./(\w+)\.js";$', text):
            exported = re.findall(r"(?m)^export (?:async )?\w+ (\w+)", (folder / f"{other}.js").read_text("utf-8"))
            used = {name.strip() for name in names.split(",")}
            assert used <= set(exported), f"{path.name} imports from {other}.js what that does not export"
            assert all(len(re.findall(rf"\b{name}\b", text)) > 1 for name in used), f"{path.name}: unused import"


@pytest.mark.parametrize(
    ("split", "sizes", "text"),
    [
        ("groups", (7, 1, 9), "test part of 3 prescribed folds, the smallest of 1 compound"),
        ("groups", (4, 9), "test part of 2 prescribed folds, the smallest of 4 compounds"),
        ("groups", (5, 9), "test part of 2 prescribed folds"),
        ("random", (2, 2), "test part of 2 random folds"),
    ],
)
def test_a_small_prescribed_fold_is_said_for_it_counts_as_much(split: str, sizes: tuple[int, ...], text: str) -> None:
    rows = [
        {"split": split, "fold": fold, "seed": "0", "part": part, "compound": f"{fold}-{k}"}
        for fold, size in enumerate(sizes)
        for k in range(size)
        for part in ("train", "test")
    ]
    assert evaluation_text(pd.DataFrame(rows)) == text
