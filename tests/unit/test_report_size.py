"""Large datasets: what is drawn and listed is a sample, chosen by names alone, and memory does not grow with all."""

from __future__ import annotations

import logging
import tracemalloc
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest
from test_report import write_contacts

from hirshprint.accuracy.metrics import metrics
from hirshprint.accuracy.predictions import (
    COLUMNS,
    by_model,
    fold_predictions,
    joined,
    plain,
    read_compact,
    read_predictions,
    with_ensembles,
    write_predictions,
)
from hirshprint.baselines import regressors
from hirshprint.datasets.folds import Fold
from hirshprint.datasets.gather import Dataset, load_dataset
from hirshprint.report.figures import distances, parity
from hirshprint.report.figures.distances import distance_table, error_by_distance
from hirshprint.report.figures.parity import residuals
from hirshprint.report.figures.point_sample import drawn_note, drawn_points
from hirshprint.report.fingerprint_file import count_blocks, counts_of_rows, open_fingerprints, read_counts
from hirshprint.report.page.explorer_data import LISTED, listed_rows
from hirshprint.report.page.packing import packed
from hirshprint.report.page.page_contacts import page_contacts
from hirshprint.report.page.write import LISTED_COMPOUNDS
from hirshprint.report.style import MARKS

MANY = 3_000
EDGES = np.linspace(0.76, 2.80, 6)


def made_up(count: int = MANY, models: tuple[str, ...] = ("readout", "ridge")) -> pd.DataFrame:
    """Test predictions of many compounds in five folds; the last model's worst one is off by 9."""
    rng = np.random.default_rng(3)
    names = [f"C{k}" for k in range(count)]
    true = rng.normal(4, 0.3, count)
    fixed = {"dataset": "d", "split": "random", "seed": "0", "property": "a_angstrom", "unit": "Å", "std": np.nan}
    tables = []
    for model in models:
        error = rng.normal(0, 0.1, count)
        error[17] = 9.0
        rows = {"model": model, "fold": np.arange(count) % 5, "part": "test", "structure_id": "", "compound": names}
        tables.append(pd.DataFrame(fixed | rows | {"true": true, "predicted": true + error})[list(COLUMNS)])
    return pd.concat(tables, ignore_index=True)


def write_counts(path: Path, count: int, bins: int = 5) -> None:
    """Fingerprints of `count` structures, C0 ... in one channel, of random bins."""
    counts = np.random.default_rng(4).random((count, 1, bins, bins)).astype(np.float32)
    with h5py.File(path, "w") as file:
        file["ids"] = np.array([f"C{k}" for k in range(count)], dtype=h5py.string_dtype())
        file["channels"] = np.array(["total"], dtype=h5py.string_dtype())
        file["bin_edges_angstrom"] = np.linspace(0.76, 2.80, bins + 1)
        file.create_dataset("counts", data=counts, chunks=(64, 1, bins, bins))
        file.attrs["counts_unit"] = "Å²"


def targets_of(count: int) -> pd.DataFrame:
    names = [f"C{k}" for k in range(count)]
    number = {"initial_edge_angstrom": 4.5, "value": np.linspace(3, 5, count)}
    text = {"group": names, "formula": names, "source": "row", "property": "a_angstrom", "unit": "Å", "remarks": ""}
    return pd.DataFrame({"structure_id": names, "compound": names} | text | number)


def texts(figure: Any) -> str:
    return " ".join(text.get_text() for text in figure.findobj(match=lambda one: hasattr(one, "get_text")))


def test_points_are_drawn_by_lot_with_the_worst_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    table = made_up()
    rows = table[table["model"] == "ridge"]
    drawn = drawn_points(rows, 200)
    again = drawn_points(rows.sample(frac=1, random_state=1), 200)
    assert len(drawn) == 200
    assert set(drawn["compound"]) == set(again["compound"])  # whatever the order of the rows
    worst = (rows["predicted"] - rows["true"]).abs().nlargest(2).index
    assert set(worst) <= set(drawn.index)
    assert drawn_points(rows, MANY) is rows
    monkeypatch.setattr(drawn_points, "__defaults__", (200,))
    monkeypatch.setattr(drawn_note, "__defaults__", (200,))
    figure = parity.parity(table, "random")
    points = [len(c.get_offsets()) for axes in figure.axes for c in axes.collections]
    assert max(points) == 200
    assert "200 of 3,000 test points" in texts(figure)
    assert f"{metrics(rows)['mae'].iloc[0]:.2f}" in texts(figure)  # of all, not of those drawn
    assert drawn_note(table, MANY) == ""


def test_points_beyond_the_axes_do_not_fill_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    table = made_up(MANY, ("readout", "ridge", "svr", "mean"))
    off = table["model"].isin(["mean", "svr"])
    table.loc[off, "predicted"] += 50.0
    figure = residuals(table, "random")
    marks = [len(line.get_xdata()) for axes in figure.axes for line in axes.lines if line.get_marker() in ("^", "v")]
    assert 0 < max(marks) <= MARKS + 1
    assert "3,000 beyond the axes" in texts(figure)


def test_the_page_lists_surfaces_holdout_and_worst_of_many_compounds() -> None:
    rows, table = targets_of(MANY), made_up()
    held = table.head(30).assign(split="holdout")
    table = pd.concat([table, held], ignore_index=True)
    found = listed_rows(rows, table, ["random"], ["C2999", "C1500"], 400)
    names = set(found["compound"])
    assert len(found) == 400
    assert {"C2999", "C1500", "C17"} <= names
    assert set(held["compound"]) <= names
    error = (table["predicted"] - table["true"]).abs().groupby(table["compound"]).max()
    assert set(error.nlargest(40).index) <= names
    again = listed_rows(rows, table, ["random"], ["C1500", "C2999"], 400)
    assert found.equals(again)
    assert listed_rows(rows, table, ["random"], [], MANY) is rows


def test_distances_of_many_are_those_of_some_by_lot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_counts(tmp_path / "f.h5", 300)
    file = open_fingerprints(tmp_path / "f.h5")
    parts = [made_up(300).assign(fold=0, part="train"), made_up(300)]
    parts[1] = parts[1][parts[1]["fold"] == 0]
    table = pd.concat([parts[0][~parts[0]["compound"].isin(parts[1]["compound"])], parts[1]], ignore_index=True)
    whole = distance_table(table, file, targets_of(300), ["readout"])
    assert len(whole) == 60
    monkeypatch.setattr(distances, "COMPARED", 20)
    monkeypatch.setattr(distances, "BLOCK", 32)
    some = distance_table(table, file, targets_of(300), ["readout"])
    assert len(some) == 20
    both = some.merge(whole, on=["model", "fold", "compound"], suffixes=("", "_whole"))
    np.testing.assert_allclose(both["distance"], both["distance_whole"], atol=1e-6)
    assert "20 test compounds of 60, by lot" in texts(error_by_distance(some, "Å", 60))
    assert "by lot" not in texts(error_by_distance(whole, "Å", 60))


def test_rows_of_the_file_come_in_the_order_asked_for_a_block_at_a_time(tmp_path: Path) -> None:
    write_counts(tmp_path / "f.h5", 300)
    file = open_fingerprints(tmp_path / "f.h5")
    rows = np.array([299, 0, 150, 0, 63, 64])
    found = counts_of_rows(file, rows)
    np.testing.assert_array_equal(found, read_counts(file, [f"C{k}" for k in rows]))
    sizes = [len(here) for here, _ in count_blocks(file, np.arange(300), 64)]
    assert sizes == [64, 64, 64, 64, 44]


def test_contacts_of_many_compounds_are_small(tmp_path: Path) -> None:
    generator, names = np.random.default_rng(7), [f"C{k}" for k in range(MANY)]
    with h5py.File(tmp_path / "f.h5", "w") as file:
        file["ids"] = np.array(names, dtype=h5py.string_dtype())
        write_contacts(file, MANY)
        for name in ("contact_distance_angstrom", "contact_area_angstrom2"):
            file[name][:] *= generator.uniform(0.8, 1.2, len(file[name]))
    texts, arrays = page_contacts(tmp_path / "f.h5", names)
    size = len(str(texts)) + sum(len(x["data"]) for x in packed(arrays).values())
    assert size < 60 * MANY  # six contacts of any distances and areas: 10 bytes each, as text
    assert arrays["contact_distance"].dtype == arrays["contact_share"].dtype == np.uint16


def test_a_dataset_is_read_without_a_second_copy(tmp_path: Path) -> None:
    count, bins = 4_000, 20
    write_counts(tmp_path / "f.h5", count, bins)
    targets_of(count)[
        ["structure_id", "source", "compound", "group", "formula", "initial_edge_angstrom", "property", "unit", "value"]
    ].to_csv(tmp_path / "t.csv", index=False)
    load_dataset("d", tmp_path / "f.h5", tmp_path / "t.csv", channels=())  # what is imported and cached once
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    empty = load_dataset("d", tmp_path / "f.h5", tmp_path / "t.csv", channels=())
    of_tables = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.reset_peak()
    dataset = load_dataset("d", tmp_path / "f.h5", tmp_path / "t.csv")
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert len(empty.targets) == count
    assert peak < of_tables * 2 + 1.5 * dataset.counts.nbytes
    names = dataset.structure_ids.tolist()
    with h5py.File(tmp_path / "f.h5") as file:
        np.testing.assert_array_equal(dataset.counts[names.index("C77")], file["counts"][77])


def test_compact_tables_hold_each_text_once_and_give_the_same(tmp_path: Path) -> None:
    table = made_up()
    write_predictions(tmp_path / "p.csv", table)
    compact, whole = read_compact(tmp_path / "p.csv"), read_predictions(tmp_path / "p.csv")
    pd.testing.assert_frame_equal(plain(compact), whole)
    pd.testing.assert_frame_equal(metrics(compact), metrics(whole))
    assert compact.memory_usage(deep=True).sum() < 0.5 * whole.memory_usage(deep=True).sum()
    assert [set(rows["model"]) for rows in by_model(compact)] == [{"readout"}, {"ridge"}]
    other = compact.assign(seed="1", predicted=compact["predicted"] + 0.2)
    both = plain(with_ensembles(joined([compact, other])))
    ensemble = both[both["seed"] == "ensemble"]
    assert len(ensemble) == len(compact)
    np.testing.assert_allclose(ensemble["predicted"], compact["predicted"] + 0.1)
    assert set(ensemble["model"]) == {"readout", "ridge"}


def test_predictions_of_a_fold_are_compact() -> None:
    count = 50
    names = np.array([f"C{k:02d}" for k in range(count)])
    numbers, none = np.zeros(count), np.zeros((count, 0, 12))
    dataset = Dataset(
        "d", "p", "eV", names, names, names, {}, names, numbers, numbers, numbers.astype(np.int64),
        np.zeros((count, 0, 5, 5), np.float32), (), none,
    )  # fmt: skip
    rows = np.arange(count)
    table = fold_predictions(dataset, "m", "random", Fold(0, rows[:30], rows[30:35], rows[35:]), 0, numbers)
    assert table["part"].value_counts().to_dict() == {"train": 30, "test": 15, "validation": 5}
    assert table["compound"].tolist() == names.tolist()
    assert isinstance(table["compound"].dtype, pd.CategoricalDtype)


def test_svr_and_grnn_learn_from_some_of_very_many_rows(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "hirshprint")
    rng = np.random.default_rng(5)
    x = rng.normal(size=(600, 3))
    y, train = x.sum(axis=1), np.arange(500)
    whole = regressors.kernel_regression(x, y, train)
    monkeypatch.setattr(regressors, "DISTANCES", 5_000)  # blocks of ten rows
    np.testing.assert_allclose(regressors.kernel_regression(x, y, train), whole, atol=1e-9)
    monkeypatch.setattr(regressors, "SIGMA_ROWS", 100)
    monkeypatch.setattr(regressors, "SVR_ROWS", 200)
    for fit in (regressors.kernel_regression, regressors.support_vectors):
        predicted = fit(x, y, train)
        np.testing.assert_array_equal(predicted, fit(x, y, train))
        assert np.corrcoef(predicted[500:], y[500:])[0, 1] > 0.8
    assert "svr learns from 200 of 500 training rows" in caplog.text


def test_few_compounds_of_many_datasets_fit_the_page() -> None:
    assert LISTED_COMPOUNDS // 3 >= LISTED  # one to three datasets hold what one does
