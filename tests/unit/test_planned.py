"""What the configuration asks of its datasets, against what they have."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from written_settings import make_structures, plan_dataset

from hirshprint.config.learning import Learning
from hirshprint.config.load import resolve_config
from hirshprint.config.model import Config
from hirshprint.datasets.split_faults import learning_faults
from hirshprint.run.planned import known_faults, left_out, plan_faults
from hirshprint.structures.entries import InputError

FORMULAS = ("SrTiO3", "BaTiO3", "CaTiO3", "KMgF3", "NaMgF3", "BaZrO3")


def _faults(
    folder: Path, learning: dict[str, Any], rows: str = "", dataset: dict[str, Any] | None = None, **more: Any
) -> tuple[dict[str, list[str]], list[str]]:
    table = folder / "t.csv"
    table.write_text("formula,a_angstrom\n" + "".join(f"{name},4\n" for name in FORMULAS) + rows)
    one = {"table": str(table), **(dataset or {})}
    config = resolve_config({"datasets": {"one": one}, "learning": learning, **more})
    plans = {name: plan_dataset(settings) for name, settings in config["datasets"].items()}
    return plan_faults(Config.from_dict(config), plans), left_out(plans)


@pytest.mark.parametrize(
    ("learning", "message"),
    [
        ({"folds": 7}, "`learning.folds`: dataset 'one' has 6 groups of compounds.*folds: 6"),
        ({"folds": 4, "splits": ["leave-B-out"]}, "`learning.splits`.*3 elements on site B.*folds: 3"),
        (
            {"splits": ["holdout"], "holdout": ["TiSrO3"]},
            "`learning.holdout`: .*no compound TiSrO3; did you mean SrTiO3",
        ),
        ({"splits": ["holdout"], "holdout": ["KTaO3"]}, "no compound KTaO3: .*row 8 is left out .*is not a number"),
        ({"splits": ["holdout"], "holdout": ["CsPbI3"]}, "no compound CsPbI3: .*is left out .filter 'big'"),
        ({"splits": ["holdout"], "holdout": list(FORMULAS[:5])}, "`learning.holdout`: .*less than two compounds"),
        ({"saliency": ["Foo"]}, "`learning.saliency`: .*no compound Foo; write it as the table does"),
        ({"splits": ["holdout"], "holdout": ["SrTiO3"], "saliency": ["BaTiO3"]}, "does not test BaTiO3"),
        ({"splits": ["paper"], "saliency": ["SrTiO3"]}, "`learning.saliency`: the split paper does not test SrTiO3"),
    ],
)
def test_what_learning_lacks(tmp_path: Path, learning: dict[str, Any], message: str) -> None:
    dataset = {"filters": [{"name": "big", "elements": {"X": ["O", "F"]}}]}
    faults, lines = _faults(tmp_path, {"folds": 3} | learning, "KTaO3,3_9\nCsPbI3,6\n", dataset)
    (fault,) = faults["one"]
    assert re.search(message, fault)
    assert "row 8: '3_9' in column a_angstrom is not a number" in lines[1]


def test_what_the_paper_split_lacks(tmp_path: Path) -> None:
    """Compounds to explain that it does not test, and too few of at most 5 Å; with `random` it does not matter."""
    order = np.random.RandomState(0).permutation(6)[:2]
    tested = [FORMULAS[k] for k in order]
    learning = {"splits": ["paper"], "saliency": tested}
    assert _faults(tmp_path, learning) == ({}, [])
    other = next(name for name in FORMULAS if name not in tested)
    assert _faults(tmp_path, {"splits": ["paper", "random"], "folds": 2, "saliency": [other]}) == ({}, [])
    faults, _ = _faults(tmp_path, learning | {"saliency": []}, "".join(f"{name},6\n" for name in ("CsPbI3", "KTaO3")))
    assert faults == {}
    big = "formula,a_angstrom\nSrTiO3,4\nBaTiO3,4\nCaTiO3,5.001\n"
    (tmp_path / "big.csv").write_text(big)
    faults, _ = _faults(tmp_path, {"splits": ["paper"]}, dataset={"table": str(tmp_path / "big.csv")})
    assert re.search("`learning.splits`: .*2 groups of compounds at most 5 Å large.*add structures", faults["one"][0])


def test_a_good_table_has_no_faults(tmp_path: Path) -> None:
    learning = {"folds": 3, "splits": ["random", "leave-A-out", "leave-B-out", "holdout"], "holdout": ["SrTiO3"]}
    learning |= {"saliency": ["BaTiO3"], "learning_curve": [0.5]}
    assert _faults(tmp_path, learning, report={"compounds": ["KMgF3"]}) == ({}, [])


def test_keys_of_a_dataset_the_report_and_empty_plans(tmp_path: Path) -> None:
    faults, _ = _faults(tmp_path, {}, dataset={"learning": {"folds": 9}}, report={"compounds": ["SrTiO4"]})
    assert faults["one"][0].startswith("`datasets.one.learning.folds`")
    assert faults[""] == ["`report.compounds`: no dataset has a compound SrTiO4; did you mean SrTiO3?"]
    faults, _ = _faults(tmp_path, {}, "Xx,4\n", strict=True)
    assert "1 row, file or record cannot be used" in faults["one"][0]
    everything = [{"name": "all", "column": "a_angstrom", "above": 1}]
    assert "the filters take every row out" in _faults(tmp_path, {}, dataset={"filters": everything})[0]["one"][0]


def test_files_are_checked_as_far_as_their_names_tell(tmp_path: Path) -> None:
    for name in "abcd":
        (tmp_path / f"{name}.cif").write_text(name)
    (tmp_path / "targets.csv").write_text("structure_id,gap\n" + "".join(f"{name},1\n" for name in "abcd"))
    mine = {"folder": str(tmp_path), "targets": str(tmp_path / "targets.csv"), "property": "gap", "unit": "eV"}

    def faults(**learning: Any) -> list[str]:
        config = resolve_config({"datasets": {"mine": mine}, "learning": {"folds": 2} | learning})
        return plan_faults(Config.from_dict(config), {"mine": plan_dataset(config["datasets"]["mine"])}).get("mine", [])

    assert "at most 4 groups of compounds, too few for 5 folds; write fewer folds, or" in faults(folds=5)[0]
    assert faults(splits=["holdout"], holdout=["TiO2", "SiO2 (a)"]) == []
    named = faults(splits=["holdout"], holdout=["TiO2 (z)", "Foo"], saliency=["tio2"])
    assert [line.partition(";")[0] for line in named] == [
        "`learning.holdout`: dataset mine can have no compound TiO2 (z)",
        "`learning.holdout`: dataset mine can have no compound Foo",
        "`learning.saliency`: dataset mine can have no compound tio2",
    ]


def test_what_only_the_files_tell_stops_before_any_surface(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("formula,a_angstrom\n" + "".join(f"{name},4\n" for name in FORMULAS))
    config = resolve_config({"datasets": {"one": {"table": str(table)}}, "learning": {"folds": 7}})
    out = [tmp_path / name for name in ("s.h5", "t.csv2", "r.csv")]
    with pytest.raises(InputError, match=r"`learning\.folds`: dataset 'one' has 6 groups"):
        make_structures(config["datasets"]["one"], False, *out, learning=config["learning"], name="one")
    assert not any(path.exists() for path in out)
    make_structures(config["datasets"]["one"], False, *out, learning=config["learning"] | {"folds": 3}, name="one")
    assert out[0].exists()


def _rocksalts(folder: Path, **edges: float) -> None:
    """Write rocksalts, one of which is broken."""
    for name, edge in edges.items():
        cell = "0 1 1\n1 0 1\n1 1 0" if edge else "broken"
        text = f"{name}\n{edge / 2}\n{cell}\nMg O\n1 1\nDirect\n0 0 0\n.5 .5 .5\n"
        (folder / f"{name}.vasp").write_text(text)
    (folder / "targets.csv").write_text("structure_id,gap\n" + "".join(f"{name},1\n" for name in edges))


def test_what_is_known_of_files_that_were_read(tmp_path: Path) -> None:
    """Files of one formula, and one that is refused, are no more than one group: with names of their own."""
    _rocksalts(tmp_path, alpha=4.21, beta=4.3, gamma=0)
    mine = {"folder": str(tmp_path), "targets": str(tmp_path / "targets.csv"), "property": "gap", "unit": "eV"}
    learning = {"folds": 2, "splits": ["holdout"], "holdout": ["OMg", "MgO (gamma)"]}
    config = resolve_config({"datasets": {"mine": mine}, "learning": learning})
    assert plan_faults(Config.from_dict(config), {"mine": plan_dataset(config["datasets"]["mine"])}) == {}
    results = tmp_path / "results"
    out = [results / name for name in ("structures.h5", "targets.csv", "rejected.csv")]
    messages = [
        "`learning.holdout`: dataset mine has no compound OMg; did you mean MgO (alpha) or MgO (beta)?",
        f"`learning.holdout`: dataset mine has no compound MgO (gamma): {tmp_path / 'gamma.vasp'} is left out (",
    ]
    with pytest.raises(InputError) as caught:
        make_structures(config["datasets"]["mine"], False, *out, learning=config["learning"], name="mine")
    assert all(message in str(caught.value) for message in messages)
    make_structures(config["datasets"]["mine"], False, *out)
    found = known_faults("mine", Learning.from_dict(config["learning"]), results)
    assert [line.startswith(message) for line, message in zip(found, messages, strict=True)] == [True, True]
    (fault,) = known_faults(
        "mine", Learning.from_dict(config["learning"] | {"splits": ["random"], "holdout": []}), results
    )
    assert "has 1 groups of compounds, too few for 2 folds" in fault
    assert known_faults("mine", Learning.from_dict(config["learning"]), tmp_path / "nowhere") == []


def test_networks_of_sites_need_a_prototype_with_these_sites(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("formula,a_angstrom\n" + "".join(f"Ba2{b}NbO6,4\n" for b in ("Y", "In", "Sc")))
    dataset = {"table": str(tmp_path / "d.csv"), "prototype": "double_perovskite"}
    config = resolve_config({"datasets": {"d": dataset}, "learning": {"folds": 3, "networks": ["hybrid"]}})
    (fault, *_) = plan_faults(Config.from_dict(config), {"d": plan_dataset(config["datasets"]["d"])})["d"]
    assert "`learning.networks`: hybrid cannot learn from dataset d, whose prototype has the sites A, B, B2, X" in fault


def test_a_fault_names_the_key_that_the_dataset_itself_has(tmp_path: Path) -> None:
    """Also where its value is that of all datasets: a change of the other key would not help."""
    (tmp_path / "d.csv").write_text("formula,a_angstrom\n" + "".join(f"{a}TiO3,4\n" for a in ("Sr", "Ba", "Ca")))
    dataset = {"table": str(tmp_path / "d.csv"), "learning": {"folds": 9}}
    for of_all in ({}, {"folds": 9}):
        config = resolve_config({"datasets": {"d": dataset}, "learning": of_all})
        (fault,) = plan_faults(Config.from_dict(config), {"d": plan_dataset(config["datasets"]["d"])})["d"]
        assert fault.startswith("`datasets.d.learning.folds`: ")


def test_groups_are_what_is_divided() -> None:
    learning = resolve_config({"datasets": {"one": {"table": "t"}}})["learning"] | {"folds": 3}
    compounds = [f"C{k}" for k in range(9)]
    assert learning_faults("one", Learning.from_dict(learning), compounds, compounds, {}) == []
    (fault,) = learning_faults("one", Learning.from_dict(learning), compounds, ["same"] * 8 + ["other"], {})
    assert "has 2 groups of compounds, too few for 3 folds" in fault
