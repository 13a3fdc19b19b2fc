"""The configuration: defaults, messages, and the files that are written from its model."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from written_settings import has_property

from hirshprint.config.documents import HINT, documents
from hirshprint.config.faults import unknown_units
from hirshprint.config.files import repeated_keys
from hirshprint.config.keys import json_schema
from hirshprint.config.load import ConfigError, read_datasets, resolve_config
from hirshprint.config.messages import yaml_number
from hirshprint.config.model import Config, joined_learning
from hirshprint.structures.symbols import SYMBOLS

ROOT = Path(__file__).parents[2]
TABLE = {"datasets": {"one": {"table": "t.csv"}}}


def _with(**changes: Any) -> dict[str, Any]:
    return copy.deepcopy(TABLE) | changes


def test_defaults_are_filled_in() -> None:
    config = resolve_config(TABLE)
    assert config["fingerprint"]["bins"] == {"count": 50, "low_angstrom": 0.76, "high_angstrom": 2.8}
    assert config["datasets"]["one"]["initial_edge"] == {"kind": "fixed", "edge_angstrom": 4.5}
    assert config["datasets"]["one"]["prototype"] == "cubic_perovskite"


def test_folder_gets_no_table_keys() -> None:
    dataset = resolve_config({"datasets": {"mine": {"folder": "cifs"}}})["datasets"]["mine"]
    assert "initial_edge" not in dataset
    assert "prototype" not in dataset


def test_resolving_twice_changes_nothing_and_input_is_left_alone() -> None:
    given = copy.deepcopy(TABLE)
    once = resolve_config(given)
    assert resolve_config(once) == once
    assert given == TABLE


def test_a_path_can_be_given_on_the_command_line() -> None:
    config = {"datasets": {"one": {"table": "{my_table}"}}}
    with pytest.raises(ConfigError, match=r"datasets\.one\.table.*--config my_table=PATH"):
        resolve_config(config)
    resolved = resolve_config(config | {"my_table": "there/t.csv"})
    assert resolved["datasets"]["one"]["table"] == "there/t.csv"
    assert "my_table" not in resolved


def test_a_dataset_may_be_left_out_where_no_path_is_given() -> None:
    config: dict[str, Any] = {
        "datasets": {
            "one": {"structures": "{one?}", "property": "gap"},
            "two": {"folder": "{two?}", "targets": "{two?}"},
        }
    }
    with pytest.raises(ConfigError, match=r"no path is given for any of them; add --config one=PATH two=PATH, or some"):
        resolve_config(config)
    assert list(resolve_config(config | {"one": "c.jsonl"})["datasets"]) == ["one"]
    assert resolve_config(config | {"two": "t"})["datasets"]["two"]["targets"] == "t"
    own = {"datasets": config["datasets"] | {"mine": {"structures": "m.jsonl", "property": "gap"}}}
    assert list(resolve_config(own)["datasets"]) == ["mine"]


def test_a_path_may_be_optional_and_a_missing_one_says_where_the_table_is_from() -> None:
    config = {"datasets": {"one": {"table": "{mine:data/t.csv}"}, "two": {"table": "{other}", "source": "the attic"}}}
    with pytest.raises(ConfigError, match=r"datasets\.two\.table(.|\n)*Where it comes from: the attic"):
        resolve_config(config)
    assert resolve_config(config | {"other": "o.csv"})["datasets"]["one"]["table"] == "data/t.csv"
    assert resolve_config(config | {"other": "o.csv", "mine": "m.csv"})["datasets"]["one"]["table"] == "m.csv"


def test_a_dataset_has_its_own_settings_of_learning() -> None:
    own = {"folds": 3, "cgcnn": {"epochs": 7}}
    config = resolve_config({"datasets": {"one": {"table": "t.csv", "learning": own}, "two": {"table": "t.csv"}}})
    assert config["datasets"]["one"]["learning"] == own
    assert resolve_config(config) == config
    both = {name: joined_learning(config, name) for name in ("one", "two")}
    assert both["two"] == config["learning"]
    assert both["one"] == config["learning"] | {"folds": 3, "cgcnn": config["learning"]["cgcnn"] | {"epochs": 7}}


@pytest.mark.parametrize("name", ["ci", "oqmd", "paper"])
def test_shipped_presets_can_be_used_as_they_are(name: str) -> None:
    preset = yaml.safe_load((ROOT / f"config/{name}.yaml").read_text(encoding="utf-8"))
    datasets = resolve_config(preset)["datasets"]
    assert all((ROOT / dataset["table"]).is_file() for dataset in datasets.values())
    if name != "ci":
        given = resolve_config(preset | {"oqmd_table": "t.csv"})["datasets"]
        assert {given[one]["table"] for one in given if one.startswith("oqmd")} == {"t.csv"}


def test_shipped_file_shows_every_default() -> None:
    shipped = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
    bare = {"datasets": {"experimental": {"table": "data/experimental_perovskites.csv"}}}
    assert shipped == resolve_config(bare)


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_files_are_written_from_the_model(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text == documents()[path], "run: make config"
    assert text.startswith(HINT) or path.name != "config.yaml"


def test_schema_file_is_what_configurations_are_checked_against() -> None:
    schema = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text(encoding="utf-8"))
    assert {name: schema[name] for name in json_schema(Config)} == json_schema(Config)


def test_every_key_is_described() -> None:
    def undescribed(part: dict[str, Any], place: str) -> list[str]:
        found = undescribed(part["additionalProperties"], f"{place}NAME.") if part.get("additionalProperties") else []
        for key, child in part.get("properties", {}).items():
            found += [] if child["description"].strip() else [place + key]
            found += undescribed(child, f"{place}{key}.")
        return found

    assert undescribed(json_schema(Config), "") == []


@pytest.mark.parametrize("folder_or_table", ["folder", "table"])
def test_defaults_agree_with_their_own_schema(folder_or_table: str) -> None:
    resolved = resolve_config({"datasets": {"one": {folder_or_table: "t"}}})
    jsonschema.Draft202012Validator.check_schema(json_schema(Config))
    jsonschema.validate(resolved, json_schema(Config))


@pytest.mark.parametrize(
    ("config", "parts"),
    [
        (_with(fingerprnt={}), ["`fingerprnt`", "did you mean `fingerprint`"]),
        (
            _with(learning={"cnn_paper": {"epoch": 3}}),
            ["`learning.cnn_paper.epoch`", "did you mean `epochs`"],
        ),
        (_with(learning={"zzz": 3}), ["`learning.zzz`", "known here: splits, holdout"]),
        (_with(densities="thakar"), ["`densities`", "thakkar, x2c", "did you mean `thakkar`"]),
        (_with(surfaces={"structures_per_job": 0}), ["`surfaces.structures_per_job`", "must be at least 1, and is 0"]),
        (_with(fingerprint={"bins": {"low_angstrom": 3}}), ["`fingerprint.bins`", "must be below"]),
        ({}, ["`datasets`: is missing", "table: mine.csv"]),
        ({"datasets": {"a": {}}}, ["`datasets.a`", "`table:`", "`folder:`"]),
        ({"datasets": {"a": {"table": "t", "folder": "f"}}}, ["`datasets.a`", "either"]),
        ({"datasets": {"a": {"folder": "f", "prototype": "cubic_perovskite"}}}, ["no meaning for a folder"]),
        (
            {"datasets": {"a": {"table": "t", "initial_edge": {"draws": 3}}}},
            ["draws", "write `kind: random`"],
        ),
        (
            {"datasets": {"a": {"table": "t", "initial_edge": {"kind": "random", "low_angstrom": 6}}}},
            ["must be below"],
        ),
        ({"datasets": {"a b": {"table": "t"}}}, ["a b"]),
        (_with(strict="yes"), ["`strict`", 'the text "yes"; write true without quotes', "the default is false"]),
        (_with(surfaces=None), ["`surfaces`", "delete the key"]),
        ({"datasets": {"a": {"table": "t", "targets": "f"}}}, ["`datasets.a.targets`", "no meaning for a table"]),
        ({"datasets": {"a": {"structures": "f", "folder": "t"}}}, ["`datasets.a`", "`structures:` (one file"]),
        ({"datasets": {"a": {"structures": "f", "filters": [{"name": "x"}]}}}, ["no meaning for structures"]),
        (
            _with(
                datasets={"mine": {"structures": "f.jsonl", "property": "gap", "unit": "eV"}},
                learning={"splits": ["random", "leave-A-out"]},
            ),
            ["`datasets.mine`", "write `splits: [random]`"],
        ),
        (
            _with(learning={"networks": ["hybrid"]}, fingerprint={"channels": ["total"]}),
            ["hybrid needs the channel `site`", "channels: [total, site]", "take hybrid out"],
        ),
        (_with(fingerprint={"channels": ["inside"]}), ["cnn_paper_small needs the channel `total`"]),
        (_with(fingerprint={"channels": ["site"]}, learning={"networks": ["cnn"]}), ["cnn needs the channel `total`;"]),
        (
            _with(fingerprint={"channels": ["inside"]}, learning={"networks": ["readout"]}),
            ["readout needs the channel `total` and `site`; write `fingerprint: {channels: [inside, total, site]}`"],
        ),
        (
            {
                "datasets": {"mine": {"folder": "f", "targets": "t"}},
                "learning": {"splits": ["random", "leave-B-out"]},
            },
            ["`learning.splits`: leave-B-out", "`datasets.mine`", "write `splits: [random]`"],
        ),
        (_with(learning={"gpus": 0, "require_gpu": True}), ["`learning.require_gpu`", "write `gpus: 1` or"]),
        (_with(learning={"splits": ["holdout"]}), ["`learning.splits`: holdout", "write `holdout: [SrTiO3]`"]),
        ({"datasets": {"a": {"table": "t", "learning": {"fold": 3}}}}, ["datasets.a.learning.fold", "`folds`"]),
        (
            {"datasets": {"a": {"table": "t", "learning": {"splits": ["holdout"]}}}},
            ["`learning.splits`: holdout", "write `holdout: [SrTiO3]`"],
        ),
        (
            {
                "datasets": {"one": {"table": "t"}, "new": {"table": "n", "model": "one"}},
                "learning": {"splits": ["paper", "leave-A-out"]},
            },
            ["`datasets.new.model`: the models of one are of the split paper", "write `splits: [random, paper]`"],
        ),
        (_with(compounds={"SrTiO": 4}), ["compounds.SrTiO", "like SrTiO3"]),
        (_with(compounds={"SrTiO3": 0.1}), ["compounds.SrTiO3", "at least 1"]),
        (_with(paper={"oqmd": "none"}), ["paper.oqmd", "no dataset none", "has one"]),
        (_with(paper={"oqmd": "one"}), ["names no dataset as experimental, second_experimental, estimated_edge"]),
        (
            {"datasets": {"a": {"table": "t", "prototype": "double_perovskite", "initial_edge": {"kind": "radii"}}}},
            ["radii is for cubic_perovskite and anti_perovskite"],
        ),
        ({"datasets": {2020: {"table": "t"}}}, ["`datasets`: YAML reads the key 2020 as a number", '"2020"']),
        ({"datasets": {False: {"table": "t"}}}, ["a key is false, which YAML makes of no", 'such as "no"']),
        ({"datasets": {None: {"table": "t"}}}, ["`datasets`: a key is empty"]),
        ({"datasets": {"a": {"table": "t", "learning": {True: 3}}}}, ["`datasets.a.learning`: a key is true"]),
        ({"datasets": "t.csv"}, ["`datasets`: must be a section", 'the text "t.csv"']),
        ({"datasets": {"a": {"table": {"mine": None}}}}, ["`datasets.a.table`: must be text", '"{mine}"']),
        ({"datasets": {"a b/c": {"table": "t"}}}, ['the name "a b/c"', "write a_b_c"]),
        (_with(compounds={"XxTiO3": 4.0}), ["`compounds.XxTiO3`: unknown element 'Xx'"]),
        (_with(learning={"cnn_paper": {"learning_rate": "1e-3"}}), ['the text "1e-3"; write 0.001 without quotes']),
        (_with(learning={"cnn_paper": {"learning_rate": "1e-9"}}), ["write 1.0e-09 without quotes"]),
        (_with(learning={"cnn_paper": {"learning_rate": "0,01"}}), ["write 0.01 without quotes"]),
        (_with(learning={"folds": 5.0}), ["must be a whole number, and is 5.0; write 5"]),
        (_with(learning={"folds": "x"}), ['is the text "x"; the default is 5']),
        (_with(surfaces={"tonto": {"time_limit_seconds": float("inf")}}), ["must be a number, and is Infinity"]),
        (_with(surfaces={"tonto": {"time_limit_seconds": 0}}), ["must be above 0, and is 0"]),
        (_with(learning={"validation_fraction": 0.9}), ["must be at most 0.5, and is 0.9"]),
        (_with(learning={"networks": "cgcnn"}), ["must be a list in brackets", "write [cgcnn]"]),
        (_with(learning={"seeds": []}), ["the list is empty"]),
        (_with(learning={"seeds": [1, 2, 1]}), ["has 1 twice"]),
        (_with(learning={"holdout": ["SrTiO3"]}), ["no split tests these compounds", "splits: [holdout]"]),
        (
            {"datasets": {"a": {"elements": {"A": [False], "B": [], "X": [8]}, "model": "b"}}},
            ["`datasets.a.elements.A.0`: must be text, and is false", '"No"', "B`: the list is empty", '"8"'],
        ),
        (
            {"datasets": {"a": {"table": "t", "filters": [{"name": "n"}, {"name": "m", "above": 2}]}}},
            ["`datasets.a.filters`: 'n' takes nothing out", "'m' needs `column`"],
        ),
        (
            {"datasets": {"a": {"table": "t", "filters": [{"name": "n", "column": "c", "above": 2, "below": 3}]}}},
            ["'n' takes every row out"],
        ),
        (_with() | {"datasets": {"a": {"table": "{p}"}}, "p": {"q": 1}}, ["`p`: must be the path", "--config p=PATH"]),
        ({"datasets": {"a": {"table": "t", "unit": " "}}}, ["`datasets.a.unit`: is empty", "dimensionless"]),
        (
            _with(learning={"cnn_paper": {"learning_rate": 0, 3: None}}),  # what YAML makes of {learning_rate: 0,003}
            ["`learning.cnn_paper.learning_rate`: a comma follows the number 0", "decimal point, such as 0.003"],
        ),
        (_with(compounds={"SrTiO3": 3, 905: None}), ["`compounds.SrTiO3`: a comma follows the number 3"]),
        (
            {
                "datasets": {"mine": {"folder": "f", "targets": "t"}},
                "learning": {"networks": ["readout", "hybrid"]},
            },
            [
                "`learning.networks`: readout and hybrid cannot learn from files (`datasets.mine`)",
                "write `networks: [cnn_paper, cnn_paper_small, cnn, cgcnn, contacts, voronoi, near_atoms,",
            ],
        ),
        (
            _with(learning={"baselines": ["gradient"]}),
            ["did you mean `gradient_boosting` or `gradient_boosting_fingerprint`?"],
        ),
        (_with(learning={"splits": ["leave"]}), ["did you mean `leave-A-out` or `leave-B-out`?"]),
        (
            _with(learning={"splits": ["leave-A-out"], "learning_curve": [0.5]}),
            ["`learning.learning_curve`", "add `random`"],
        ),
    ],
)
def test_faults_are_named_with_a_remedy(config: dict[str, Any], parts: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve_config(config)
    for part in parts:
        assert part in str(caught.value)


def test_networks_that_a_folder_leaves_out_need_no_channel() -> None:
    """`readout` does not learn from files; nothing learns without targets, where even `total` may be absent."""
    config = {"fingerprint": {"channels": ["total"]}, "learning": {"networks": ["readout", "cgcnn"]}}
    resolve_config(config | {"datasets": {"mine": {"folder": "f", "targets": "t"}}})
    inside = {"fingerprint": {"channels": ["inside"]}}
    resolve_config(inside | {"datasets": {"mine": {"folder": "f"}}, "learning": {}})


def test_datasets_from_files_may_learn_otherwise_and_need_no_unit_where_nothing_is_learned() -> None:
    own = {"networks": ["cgcnn"], "splits": ["random"]}
    datasets = {
        "table": {"table": "t"},
        "mine": {"folder": "f", "targets": "t", "learning": own},
        "only": {"folder": "f", "property": "gap"},
        "other": {"table": "t", "property": "ratio", "unit": "dimensionless"},
    }
    resolve_config({"datasets": datasets, "learning": {"networks": ["readout"], "splits": ["leave-A-out"]}})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{kind: list, edges_angstrom: [3,905]}", r"line 1: `datasets.a.initial_edge.edges_angstrom`: .*\[3.905\]"),
        ("{kind: list, edges_angstrom: [3,905, 4,05]}", r"write \[3.905, 4.05\], or \[3, 905, 4, 05\] with spaces"),
        ("{kind: list, edges_angstrom: [3, 4]}", ""),
        ("{kind: list, edges_angstrom: [4,5]}", ""),
        ("{kind: list, edges_angstrom: [3,4,5]}", ""),
        ("{kind: list, edges_angstrom: [3.9,4.1]}", ""),
        ("{kind: fixed, edge_angstrom: 3,9}", "`datasets.a.initial_edge.edge_angstrom`: a comma follows the number 3"),
    ],
)
def test_decimal_commas_in_lists_and_braces(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(f"datasets: {{a: {{table: t, initial_edge: {text}}}}}\nlearning: {{seeds: [0,1]}}\n")
    if message:
        with pytest.raises(ConfigError, match=message) as caught:
            read_datasets([path])
        assert str(caught.value).count("\n") == 1
    else:
        read_datasets([path])


def test_a_unit_that_nobody_told_is_unknown() -> None:
    datasets = {
        "edge": {"table": "t"},
        "table": {"table": "t", "property": "e_form"},
        "folder": {"folder": "t", "targets": "t", "property": "gap"},
        "many": {"structures": "t", "property": "gap"},
        "told": {"structures": "t", "property": "gap", "unit": "eV"},
    }
    resolved = resolve_config({"datasets": datasets})
    units = {name: dataset["unit"] for name, dataset in resolved["datasets"].items()}
    unknown = "unit unknown"
    assert units == {"edge": "Å", "table": unknown, "folder": unknown, "many": unknown, "told": "eV"}
    lines = unknown_units(Config.from_dict(resolved))
    assert [line.partition(":")[0] for line in lines] == ["datasets.table", "datasets.folder", "datasets.many"]
    assert "`unit: dimensionless`" in lines[0]


def test_all_faults_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        resolve_config(_with(densites="x2c", strict="yes"))
    assert "densites" in str(caught.value)
    assert "strict" in str(caught.value)


def test_mesh_level_is_that_of_the_engine() -> None:
    from hirshprint.hirshfeld.python.engine import DEFAULT_MESH_LEVEL

    assert resolve_config(TABLE)["surfaces"]["mesh_level"] == DEFAULT_MESH_LEVEL


def test_networks_and_baselines_are_those_of_the_library() -> None:
    """What may be written is what there is, and each network has its section."""
    from hirshprint.baselines.registry import BASELINES
    from hirshprint.datasets.splits import GROUPS, HOLDOUT, PAPER, SPLITS
    from hirshprint.networks.registry import NETWORKS

    learning = json_schema(Config)["properties"]["learning"]["properties"]
    assert set(learning["networks"]["items"]["enum"]) == set(NETWORKS)
    assert set(NETWORKS) <= set(learning)
    assert set(learning["baselines"]["items"]["enum"]) == set(BASELINES)
    assert set(learning["splits"]["items"]["enum"]) == {*SPLITS, GROUPS, HOLDOUT, PAPER}


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (None, "there is no such file; name the configuration by --configfile"),
        ("datasets: [", "line 1: not YAML"),
        ("datasets:\n\tone: {table: t.csv}", "line 2: a tab, which YAML does not take"),
        ("", "it is empty; write keys"),
        ("- datasets", "a list only"),
        ("datasets: \x00", "not YAML: it has characters"),
        (
            "datasets: {one: {table: t.csv}}\ndatasets: {two: {table: t.csv}}",
            "lines 1 and 2: `datasets` is written twice",
        ),
        (
            "datasets:\n  one:\n    table: t\n    unit: m\n    table: t",
            "lines 3 and 5: `datasets.one.table` is written",
        ),
        ('{"datasets":\n\t{"one": {"table": "t", "table": "u"}}}', "a tab"),
        ("datasets: {one: {table: t.csv}}\n", ""),
    ],
)
def test_a_file_is_read_or_named(text: str | None, part: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    if text is not None:
        path.write_text(text)
    if part:
        with pytest.raises(ConfigError, match=part):
            read_datasets([path])
    else:
        assert read_datasets([path])["one"].unit == "Å"


def test_files_and_the_command_line_add_to_each_other_as_in_snakemake(tmp_path: Path) -> None:
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    datasets = "datasets: {one: {table: '{path}'}, absent: {table: '{other?}'}}"
    first.write_text(f"{datasets}\nlearning: {{seeds: [0, 1], folds: 4}}\n")
    second.write_text("datasets: {two: {table: u.csv, learning: {folds: 3}}}\nlearning: {seeds: [7]}\n")
    found = read_datasets([first, second], ["path=t.csv"])
    assert {name: of.table for name, of in found.items()} == {"one": "t.csv", "two": "u.csv"}
    assert [(of.learning.seeds, of.learning.folds) for of in found.values()] == [([7], 4), ([7], 3)]
    for given, message in (("path", "write KEY=VALUE"), ("path=[", "no YAML"), ("nothing=t.csv", "nothing")):
        with pytest.raises(ConfigError, match=message):
            read_datasets([first, second], [given])


def test_predictions_are_made_for_the_first_edges_of_those_that_training_drew(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    edge = "{kind: random, low_angstrom: 3.5, high_angstrom: 5.5, draws: 32, seed: 4}"
    path.write_text(f"datasets: {{one: {{table: t.csv, initial_edge: {edge}}}, new: {{table: n.csv, model: one}}}}\n")
    rules = [of.initial_edge.written() for of in read_datasets([path]).values() if of.initial_edge]
    assert rules == [rules[0], rules[0] | {"draws": 8}]
    assert rules[0]["draws"] == 32


def test_a_file_of_many_crystals_has_a_property_only_where_one_is_named() -> None:
    datasets = {
        "alone": {"structures": "{where:a.jsonl}"},
        "own": {"structures": "a.jsonl", "property": "gap", "unit": "eV", "group": "family"},
        "beside": {"structures": "a.jsonl", "targets": "t.csv"},
    }
    found = resolve_config({"datasets": datasets, "where": "b.extxyz"})["datasets"]
    assert found["alone"]["structures"] == "b.extxyz"
    assert {name: dataset.get("property") for name, dataset in found.items()} == {
        "alone": None,
        "own": "gap",
        "beside": "a_angstrom",
    }
    assert [has_property(dataset) for dataset in found.values()] == [False, True, True]
    assert "prototype" not in found["own"]


def test_keys_that_are_written_twice_are_found_where_they_are(tmp_path: Path) -> None:
    """Merged mappings and templates may repeat; JSON with tabs is no YAML, and read all the same."""
    path = tmp_path / "mine.yaml"
    path.write_text("a: &a {b: 1}\nc: [{<<: *a, b: 2}, *a]\n?if x: {d: 1}\n?if x: {d: 2}\n")
    assert repeated_keys(path) == []
    path.write_text("a:\n  - {b: 1, c: 2,\n  b: 3}\n")
    (fault,) = repeated_keys(path)
    assert "lines 2 and 3: `a.0.b` is written twice" in fault
    path.write_text('{"a":\n\t{"b": 1, "b": 2}}')
    assert "`b` is written twice" in repeated_keys(path)[0]
    assert repeated_keys(tmp_path / "none.yaml") == []
    with pytest.raises(ConfigError, match=r"`b` is written twice.*(.|\n)*`zzz`: unknown key"):
        resolve_config(_with(zzz=1), [path])


@pytest.mark.parametrize("value", [1e-3, 1e-9, 2.5e-12, 1e22, 0.1, 3.0, 123456.789])
def test_numbers_are_written_so_that_yaml_reads_them(value: float) -> None:
    assert yaml.safe_load(yaml_number(value)) == value


def test_every_element_but_nobelium_is_text_for_yaml() -> None:
    read = yaml.safe_load(f"[{', '.join(SYMBOLS)}]")
    assert [symbol for symbol, one in zip(SYMBOLS, read, strict=True) if symbol != one] == ["No"]


def test_a_typed_configuration_gives_back_what_was_written() -> None:
    written = resolve_config(
        {
            "datasets": {
                "one": {
                    "table": "a.csv",
                    "initial_edge": {"kind": "random", "draws": 2},
                    "filters": [{"name": "a", "column": "a", "above": 5}],
                },
                "two": {"folder": "b", "targets": "t.csv", "property": "gap", "learning": {"cgcnn": {"epochs": 3}}},
                "three": {"structures": "c.jsonl"},
            },
            "surfaces": {"structures_per_job": None},
        }
    )
    config = Config.from_dict(written)
    for name, dataset in config.datasets.items():
        assert {**dataset.written(), "learning": 0} == written["datasets"][name] | {"learning": 0}
        assert dataset.learning.written() == joined_learning(written, name)
    assert config.surfaces.written() | {"structures_per_job": None} == written["surfaces"]
    assert config.fingerprint.written() == written["fingerprint"]
    two, three = config.datasets["two"], config.datasets["three"]
    assert (two.learning.cgcnn.epochs, config.learning.cgcnn.epochs, two.prototype, three.property) == (
        3,
        100,
        None,
        None,
    )
    assert (two.own_learning, three.own_learning) == (("cgcnn",), ())
    with pytest.raises(AttributeError):
        two.learning.cgcnn.epochs = 4  # type: ignore[misc]


def test_channels_of_the_configuration_are_the_kinds_that_are_made() -> None:
    from hirshprint.fingerprints.layout import KINDS

    fingerprint = json_schema(Config)["properties"]["fingerprint"]["properties"]
    assert fingerprint["channels"]["items"]["enum"] == list(KINDS)
