from __future__ import annotations

import csv
import dataclasses
import gzip
from pathlib import Path

import h5py
import numpy as np
import pytest
from written_settings import planned_splits

from hirshprint.datasets.folds import curve_share, make_splits
from hirshprint.datasets.gather import Dataset, load_dataset
from hirshprint.datasets.splits import group_folds, paper_split
from hirshprint.fingerprints.half_resolution import half_resolution

COLUMNS = (
    *("structure_id", "compound", "group", "formula", "A", "B", "X"),
    *("initial_edge_angstrom", "property", "unit", "value"),
)


def write_fingerprints(path: Path, ids: list[str], channels: tuple[str, ...] = ("total", "A")) -> None:
    with h5py.File(path, "w") as file:
        file["ids"] = np.array(ids, dtype=h5py.string_dtype())
        file["channels"] = np.array(channels, dtype=h5py.string_dtype())
        shape = (len(ids), len(channels), 4, 4)
        file["counts"] = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


def target(compound: str, edge: str = "4.50000", value: str = "4.0", **other: str) -> dict[str, str]:
    a, b, x = compound.split("-")
    row = dict.fromkeys(COLUMNS, "") | {"structure_id": f"{compound}-a{edge}", "compound": compound}
    row |= {"group": compound, "formula": f"{a}{b}{x}3", "A": a, "B": b, "X": x}
    row |= {"initial_edge_angstrom": edge, "property": "a_angstrom", "unit": "Å", "value": value}
    return row | other


def write_targets(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def table(tmp_path: Path, rows: list[dict[str, str]], ids: list[str] | None = None) -> tuple[Path, Path]:
    fingerprints, targets = tmp_path / "fingerprints.h5", tmp_path / "targets.csv"
    write_fingerprints(fingerprints, [row["structure_id"] for row in rows] if ids is None else ids)
    write_targets(targets, rows)
    return fingerprints, targets


def prototypes(n_a: int = 6, n_b: int = 5, draws: int = 2, seed: int = 0) -> Dataset:
    """n_a × n_b compounds with `draws` structures each, rows in an order that depends on the seed."""
    symbols_a, symbols_b = (
        ("K", "Ca", "Sr", "Ba", "La", "Y", "Cs")[:n_a],
        ("Ti", "Zr", "Fe", "Co", "Al")[:n_b],
    )
    rows = [(a, b, k) for a in symbols_a for b in symbols_b for k in range(draws)]
    rows = [rows[k] for k in np.random.default_rng(seed).permutation(len(rows))]
    compounds = np.array([f"{a}{b}O3" for a, b, _ in rows])
    return Dataset(
        name="made_up",
        property="a_angstrom",
        unit="Å",
        structure_ids=np.array([f"{a}{b}O3-{k}" for a, b, k in rows]),
        compounds=compounds,
        groups=compounds,
        elements={
            "A": np.array([a for a, _, _ in rows]),
            "B": np.array([b for _, b, _ in rows]),
            "X": np.full(len(rows), "O"),
        },
        formulas=compounds,
        initial_edges=np.full(len(rows), 4.5),
        targets=np.linspace(3.5, 4.5, len(rows)),
        draws=np.array([k for _, _, k in rows]),
        counts=np.zeros((len(rows), 1, 4, 4), np.float32),
        channels=("total",),
        moments=np.zeros((len(rows), 0, 12)),
    )


def test_rows_are_joined_on_the_id_and_sorted(tmp_path: Path) -> None:
    rows = [target("Sr-Ti-O", value="3.9"), target("Ba-Ti-O", value="4.0"), target("K-Ta-O", value="3.99")]
    ids = ["Sr-Ti-O-a4.50000", "Ba-Ti-O-a4.50000"]  # the surfaces of KTaO3 failed
    dataset = load_dataset("d", *table(tmp_path, rows, ids))
    assert dataset.structure_ids.tolist() == ["Ba-Ti-O-a4.50000", "Sr-Ti-O-a4.50000"]
    assert dataset.targets.tolist() == [4.0, 3.9]
    assert dataset.elements["A"].tolist() == ["Ba", "Sr"]
    assert dataset.initial_edges.tolist() == [4.5, 4.5]
    assert dataset.counts.dtype == np.float32
    assert dataset.counts[0, 0, 0, 0] == 32  # the second of the file
    assert (dataset.property, dataset.unit, dataset.channels) == ("a_angstrom", "Å", ("total", "A"))


def test_reads_only_the_channels_asked_for(tmp_path: Path) -> None:
    files = table(tmp_path, [target("Sr-Ti-O")])
    dataset = load_dataset("d", *files, channels=["A"])
    assert dataset.counts.shape == (1, 1, 4, 4)
    assert dataset.counts[0, 0, 0, 0] == 16
    assert load_dataset("d", *files, channels=()).counts.shape == (1, 0, 4, 4)
    with pytest.raises(ValueError, match=r"no channel cation; it has total, A"):
        load_dataset("d", *files, channels=["cation"])


def test_reads_channels_at_half_resolution_where_the_file_has_them(tmp_path: Path) -> None:
    rows = [target("Sr-Ti-O"), target("Ba-Ti-O")]
    files = table(tmp_path, rows)
    dataset = load_dataset("d", *files, channels=("A",), halved=("total", "A", "cation"))
    assert list(dataset.halves) == ["total", "A"]
    assert dataset.halves["A"].shape == (2, 2, 2)
    whole = load_dataset("d", *files)
    for number, channel in enumerate(("total", "A")):
        np.testing.assert_allclose(dataset.halves[channel], half_resolution(whole.counts[:, number]), rtol=1e-6)
    assert whole.halves == {}
    with h5py.File(files[0], "r+") as file:
        file["counts"][1, 0, 2, 2] = np.nan
    with pytest.raises(ValueError, match="non-finite counts: Ba-Ti-O-a4"):
        load_dataset("d", *files, channels=(), halved=("total",))


def test_without_a_prototype_there_are_no_sites(tmp_path: Path) -> None:
    rows = [target("Sr-Ti-O"), target("Ba-Ti-O", A="", B="", X="", initial_edge_angstrom="")]
    dataset = load_dataset("d", *table(tmp_path, rows))
    assert dataset.elements == {}
    assert np.isnan(dataset.initial_edges[0])
    with pytest.raises(ValueError, match=r"leave-A-out.*splits: \[random\]"):
        make_splits(dataset, "leave-A-out", 2, 0, 0.0)


@pytest.mark.parametrize(
    ("rows", "ids", "message"),
    [
        ([target("Sr-Ti-O")], ["Sr-Ti-O-a4.50000", "lost-1", "lost-2"], "no target.*lost-1, lost-2"),
        ([target("Sr-Ti-O"), target("Sr-Ti-O")], ["Sr-Ti-O-a4.50000"], "more than one row for Sr-Ti-O-a4"),
        ([target("Sr-Ti-O")], ["Sr-Ti-O-a4.50000"] * 2, "more than one fingerprint for Sr-Ti-O-a4"),
        ([target("Sr-Ti-O", value="nan")], None, "no finite target for Sr-Ti-O"),
        ([target("Sr-Ti-O", value="")], None, "no finite target for Sr-Ti-O"),
        ([target("Sr-Ti-O"), target("Ba-Ti-O", unit="eV")], None, "mixes properties or units"),
        ([target("Sr-Ti-O")], [], "no fingerprint"),
    ],
)
def test_faulty_input_is_named(tmp_path: Path, rows: list[dict[str, str]], ids: list[str] | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load_dataset("d", *table(tmp_path, rows, ids))


@pytest.mark.parametrize("kind", ["random", "leave-A-out", "leave-B-out"])
@pytest.mark.parametrize("validation_fraction", [0.0, 0.2])
def test_folds_test_each_row_once_and_separate_no_group(kind: str, validation_fraction: float) -> None:
    dataset = prototypes()
    folds = make_splits(dataset, kind, 5, 0, validation_fraction)
    tested = np.concatenate([fold.test for fold in folds])
    assert sorted(tested.tolist()) == list(range(len(dataset.targets)))
    for fold in folds:
        parts = list(fold.parts().values())
        assert sorted(np.concatenate(parts).tolist()) == list(range(len(dataset.targets)))
        for one, other in ((0, 1), (0, 2), (1, 2)):
            assert not set(dataset.groups[parts[one]]) & set(dataset.groups[parts[other]])
        assert len(fold.train)
        assert (len(fold.validation) > 0) == (validation_fraction > 0)
        if kind != "random":
            site = dataset.elements[kind[6]]
            rest = np.concatenate([fold.train, fold.validation])
            assert not set(site[fold.test]) & set(site[rest])


def test_folds_are_of_about_equal_size_and_the_validation_share_is_kept() -> None:
    dataset = prototypes()
    for fold in make_splits(dataset, "random", 5, 0, 0.25):
        assert (len(fold.train), len(fold.validation), len(fold.test)) == (36, 12, 12)


def test_splits_do_not_depend_on_the_order_of_rows() -> None:
    one, other = prototypes(seed=1), prototypes(seed=2)
    assert one.structure_ids.tolist() != other.structure_ids.tolist()
    for kind in ("random", "leave-B-out"):
        for a, b in zip(make_splits(one, kind, 5, 3, 0.2), make_splits(other, kind, 5, 3, 0.2), strict=True):
            for part in ("train", "validation", "test"):
                names = one.structure_ids[a.parts()[part]], other.structure_ids[b.parts()[part]]
                assert sorted(names[0]) == sorted(names[1])


def test_another_seed_gives_another_split_and_the_same_seed_the_same() -> None:
    dataset = prototypes()
    tests = [[f.test.tolist() for f in make_splits(dataset, "random", 5, seed, 0.2)] for seed in (0, 0, 1)]
    assert tests[0] == tests[1]
    assert tests[0] != tests[2]


def test_a_group_over_several_elements_stays_together() -> None:
    dataset = prototypes(draws=1)
    groups = np.where(np.isin(dataset.elements["A"], ["K", "Ca"]), "tied", dataset.groups)
    for fold in make_splits(dataclasses.replace(dataset, groups=groups), "leave-A-out", 3, 0, 0.2):
        assert len({"K", "Ca"} & set(dataset.elements["A"][fold.test])) in (0, 2)
        assert sum("tied" in groups[rows] for rows in fold.parts().values()) == 1


@pytest.mark.parametrize(
    ("kind", "folds", "fraction", "message"),
    [
        ("random", 7, 0.2, r"6 groups of compounds.*folds: 6"),
        ("leave-B-out", 4, 0.2, r"3 elements on site B.*folds: 3"),
        ("random", 1, 0.2, "write 2 or more"),
        ("random", 2, 1.0, "validation_fraction.*0.15"),
        ("leave-X-out", 2, 0.2, "random, leave-A-out, leave-B-out"),
    ],
)
def test_impossible_splits_say_what_to_write(kind: str, folds: int, fraction: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_splits(prototypes(n_a=2, n_b=3), kind, folds, 0, fraction)


def test_the_plan_has_every_split() -> None:
    learning = {"splits": ["random", "leave-A-out"], "folds": 3, "validation_fraction": 0.2}
    plan = planned_splits(prototypes(), learning)
    assert {kind: len(folds) for kind, folds in plan.items()} == {"random": 3, "leave-A-out": 3}


def test_a_fold_that_would_train_on_one_compound_is_refused() -> None:
    with pytest.raises(ValueError, match="would train on less than two; add structures"):
        make_splits(prototypes(n_a=1, n_b=3), "random", 3, 0, 0.2)


def test_a_fold_of_few_compounds_has_a_validation_part_and_a_training_part() -> None:
    groups = ["a", "a", "b", "b", "b", "c"]
    formulas = ["NaCl", "KCl", "LiF", "NaF", "KF", "LiCl"]
    for one, validation in group_folds("made_up", groups, formulas, formulas, 0, 0.05):
        others = {formula for formula, group in zip(formulas, groups, strict=True) if group != one}
        assert len(validation) == 1
        assert validation < others


def test_polymorphs_of_one_formula_have_a_validation_part_and_those_of_many_stay_together() -> None:
    groups, compounds = list("aabbccc"), [f"x{k}" for k in range(7)]
    for one, validation in group_folds("made_up", groups, ["TiO2"] * 7, compounds, 0, 0.3):
        others = {compound for compound, group in zip(compounds, groups, strict=True) if group != one}
        assert len(validation) == 2
        assert validation < others
    formulas = ["TiO2", "SiO2", "TiO2", "SiO2", "TiO2", "SiO2", "TiO2"]
    for _, validation in group_folds("made_up", groups, formulas, compounds, 0, 0.3):
        assert len({formulas[compounds.index(one)] for one in validation}) == 1


def test_each_group_is_the_test_part_of_a_fold() -> None:
    dataset = prototypes(n_a=4, n_b=5)
    groups = np.array([f"fold {k % 3}" for k in range(len(dataset.targets))])
    plan = {"splits": ["groups"], "folds": 5, "validation_fraction": 0.2}
    folds = planned_splits(dataclasses.replace(dataset, groups=groups), plan)["groups"]
    assert [set(groups[fold.test].tolist()) for fold in folds] == [{"fold 0"}, {"fold 1"}, {"fold 2"}]
    for fold in folds:
        rows = np.concatenate(list(fold.parts().values()))
        assert sorted(rows.tolist()) == list(range(len(groups)))
        kept, trained = (set(dataset.formulas[part].tolist()) for part in (fold.validation, fold.train))
        assert kept
        assert not kept & trained
    many = np.array([f"group {k}" for k in range(len(groups))])
    with pytest.raises(ValueError, match=r"groups, and the split 'groups'.*column that says which fold"):
        planned_splits(dataclasses.replace(dataset, groups=many), plan)


HOLDOUT = {"splits": ["holdout"], "folds": 5, "validation_fraction": 0.2, "holdout": ["KTiO3", "BaCoO3"]}


def test_a_holdout_list_is_the_test_part_of_one_fold() -> None:
    dataset = prototypes()
    (fold,) = planned_splits(dataset, HOLDOUT)["holdout"]
    assert set(dataset.compounds[fold.test]) == {"KTiO3", "BaCoO3"}
    assert len(fold.test) == 4
    rows = np.concatenate(list(fold.parts().values()))
    np.testing.assert_array_equal(np.sort(rows), np.arange(60))
    assert len(set(dataset.groups[fold.validation])) == 6  # 0.2 of 28, rounded up
    with pytest.raises(ValueError, match=r"lacks these compounds of learning: holdout: *TiKO3"):
        planned_splits(dataset, HOLDOUT | {"holdout": ["TiKO3"]})
    with pytest.raises(ValueError, match="name some"):
        planned_splits(dataset, HOLDOUT | {"holdout": []})


def listed(n: int, edges: np.ndarray | None = None) -> Dataset:
    """Compounds whose order in the table is neither that of the rows nor that of their names."""
    dataset = prototypes(draws=1)
    keep = np.arange(n)
    named = {key: getattr(dataset, key)[keep] for key in ("structure_ids", "compounds", "groups", "formulas", "draws")}
    more = {key: getattr(dataset, key)[keep] for key in ("initial_edges", "targets", "counts", "moments")}
    more["elements"] = {site: of[keep] for site, of in dataset.elements.items()}
    more["targets"] = more["targets"] if edges is None else edges
    return dataclasses.replace(dataset, **named, **more, places=np.random.default_rng(7).permutation(n) * 3)


PAPER = {"splits": ["paper"], "folds": 5, "validation_fraction": 0.2}


@pytest.mark.parametrize("n", [4, 10, 13, 30])
def test_the_paper_split_is_that_of_scikit_learn_in_the_order_of_the_table(n: int) -> None:
    from sklearn.model_selection import train_test_split

    dataset = listed(n)
    (fold,) = planned_splits(dataset, PAPER)["paper"]
    in_order = dataset.compounds[np.argsort(dataset.places)]
    train, test = train_test_split(in_order, test_size=0.3, random_state=0)
    assert set(dataset.compounds[fold.train]) == set(train)
    assert set(dataset.compounds[fold.test]) == set(test)
    assert len(fold.validation) == 0
    for rows in (fold.train, fold.test):
        np.testing.assert_array_equal(rows, np.sort(rows))
    alphabetic = dataclasses.replace(dataset, places=None)
    if n > 10:
        assert set(planned_splits(alphabetic, PAPER)["paper"][0].test) != set(fold.test)


def test_the_paper_split_of_the_table_in_the_box() -> None:
    """What the authors' program makes of these rows: drawn by scikit-learn here, edges above 5 Å left out."""
    from sklearn.model_selection import train_test_split

    text = gzip.decompress((Path(__file__).parents[2] / "data/oqmd_cubic_abo3.csv.gz").read_bytes()).decode()
    rows = list(csv.DictReader(text.splitlines()))
    names, edges = [row["formula"] for row in rows], [float(row["a_angstrom"]) for row in rows]
    parts, kept = paper_split("oqmd", names, names, edges)
    assert len(kept) == 4_687
    train, test = train_test_split([names[k] for k in kept], test_size=0.3, random_state=0)
    assert (parts.train, parts.validation, parts.test) == (set(train), set(), set(test))
    assert (len(train), len(test)) == (3_280, 1_407)


def test_the_paper_split_leaves_out_edges_above_5_angstrom_and_nothing_else() -> None:
    edges = np.linspace(4.0, 5.2, 13)  # 5.0 stays
    dataset = listed(13, edges)
    (fold,) = planned_splits(dataset, PAPER)["paper"]
    assert sorted(np.concatenate([fold.train, fold.test]).tolist()) == list(range(11))
    assert len(fold.test) == 4
    (fold,) = planned_splits(dataclasses.replace(dataset, property="gap"), PAPER)["paper"]
    assert (len(fold.train), len(fold.test)) == (9, 4)


def test_the_paper_split_separates_no_group_and_no_draws() -> None:
    dataset = prototypes()  # two structures of each compound
    groups = np.where(np.isin(dataset.elements["A"], ["K", "Ca"]), "tied", dataset.groups)
    dataset = dataclasses.replace(dataset, groups=groups, places=np.arange(60))
    (fold,) = planned_splits(dataset, PAPER)["paper"]
    assert not set(dataset.compounds[fold.train]) & set(dataset.compounds[fold.test])
    assert not set(groups[fold.train]) & set(groups[fold.test])
    assert sorted(np.concatenate([fold.train, fold.test]).tolist()) == list(range(60))
    order = list(dict.fromkeys(dataset.compounds.tolist()))
    first = order.index(next(name for name, group in zip(dataset.compounds, groups, strict=True) if group == "tied"))
    drawn = np.random.RandomState(0).permutation(30)[:9]
    assert ("tied" in groups[fold.test]) == (first in drawn)
    one = dataclasses.replace(dataset, groups=np.full(60, "all"))
    with pytest.raises(ValueError, match="1 groups of compounds at most 5 Å large, too few for the split 'paper'"):
        planned_splits(one, PAPER)


def test_the_order_of_the_table_is_read_with_it(tmp_path: Path) -> None:
    rows = [target("Sr-Ti-O"), target("Ba-Ti-O"), target("K-Ta-O"), target("Ca-Ti-O")]
    ids = [row["structure_id"] for row in rows if row["A"] != "K"]  # the surfaces of KTaO3 failed
    dataset = load_dataset("d", *table(tmp_path, rows, ids))
    assert dataset.elements["A"].tolist() == ["Ba", "Ca", "Sr"]
    assert dataset.places is not None
    assert dataset.elements["A"][np.argsort(dataset.places)].tolist() == ["Sr", "Ba", "Ca"]


def test_a_learning_curve_takes_nested_shares_of_the_training_parts_alone() -> None:
    dataset = prototypes()
    learning = {"splits": ["random"], "folds": 3, "validation_fraction": 0.15, "learning_curve": [0.25, 0.5]}
    plan = planned_splits(dataset, learning)
    assert [curve_share(split) for split in plan] == [1.0, 0.25, 0.5]
    assert curve_share("leave-A-out") is None
    for whole, quarter, half in zip(*plan.values(), strict=True):
        assert set(quarter.train) < set(half.train) < set(whole.train)
        sizes = [len(set(dataset.groups[fold.train])) for fold in (whole, quarter, half)]
        assert sizes == [17, 4, 8]  # of 30 groups a third is tested and 0.15 of the rest, rounded up, validated
        for fold in (quarter, half):
            np.testing.assert_array_equal(fold.test, whole.test)
            np.testing.assert_array_equal(fold.validation, whole.validation)
