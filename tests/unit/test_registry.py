"""Names of networks and baselines: registered in one place, and unknown ones are errors everywhere."""

from __future__ import annotations

import ast
import importlib
import json
from pathlib import Path

import pytest
from test_predictions import predictions

from hirshprint import versions
from hirshprint.accuracy.standing import best_model, headline_metrics, sees
from hirshprint.baselines import composition
from hirshprint.baselines.registry import BASELINES
from hirshprint.config.keys import json_schema
from hirshprint.config.learning import Learning
from hirshprint.files.reading import sealed_json
from hirshprint.networks.cards import CARD, ModelError, read_folder_card
from hirshprint.networks.interface import Recipe, module_of
from hirshprint.networks.registry import NETWORKS, Network, UnknownNameError, needed_of_fingerprints, network, of_paper

PACKAGE = Path(__file__).parents[2] / "src/hirshprint"
HOMES = {"networks/registry.py", "baselines/registry.py", "config/learning.py"}
OTHER_MEANINGS = {"mean", "contacts"}  # also a statistic and a column; a function and a kind of features


def test_what_the_configuration_takes_is_what_is_registered() -> None:
    learning = json_schema(Learning)["properties"]
    assert set(learning["networks"]["items"]["enum"]) == set(NETWORKS)
    assert set(learning["baselines"]["items"]["enum"]) == set(BASELINES)
    assert set(NETWORKS) <= set(learning)
    assert not set(NETWORKS) & set(BASELINES)


@pytest.mark.parametrize("name", NETWORKS)
def test_each_network_is_a_module_of_its_name(name: str) -> None:
    module = module_of(name)
    assert module.__name__ == f"hirshprint.networks.{name}"
    assert isinstance(module.RECIPE, Recipe)
    assert callable(module.learn)
    assert callable(module.apply)


def test_no_name_is_written_as_a_string_elsewhere() -> None:
    """A network's own module and the module of the baselines' formulas may name themselves."""
    names = {*NETWORKS, *BASELINES} - OTHER_MEANINGS
    written = []
    for path in sorted(PACKAGE.rglob("*.py")):
        place = str(path.relative_to(PACKAGE))
        own = {path.stem} if place.startswith("networks/") else set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and node.value in names - own and place not in HOMES:
                written.append(f"{place}:{node.lineno} {node.value}")
    assert written == []


def test_an_unknown_model_is_not_taken_for_one_of_the_composition() -> None:
    table = predictions()
    table["model"] = "toy"
    with pytest.raises(ValueError, match=r"toy is neither a network nor a baseline; .* cnn_paper, .*verma"):
        headline_metrics(table, "random")
    with pytest.raises(ValueError, match="toy"):
        sees("toy")


def test_a_new_network_of_fingerprints_counts_as_what_it_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(NETWORKS, "toy", Network(name="toy", sees="fingerprint"))
    table = predictions()
    table["model"] = "toy"
    standing = headline_metrics(table, "random")
    assert standing["inputs"].tolist() == ["fingerprint"]
    assert best_model(standing, ["composition", "nothing"]) is None


def test_a_folder_with_an_unknown_network_is_refused(tmp_path: Path) -> None:
    card = {"format": versions.MODEL_FORMAT, "validation_mean_absolute_error": {"toy": 0.1}}
    (tmp_path / CARD).write_text(json.dumps(sealed_json(card)), encoding="utf-8")
    with pytest.raises(
        ModelError,
        match="unknown network toy; write cnn_paper, cnn_paper_small, cnn, readout, cgcnn, contacts, voronoi, "
        "near_atoms, elements_alone, hybrid",
    ):
        read_folder_card(tmp_path)
    with pytest.raises(UnknownNameError, match="unknown network toy"):
        network("toy")
    with pytest.raises(UnknownNameError, match="unknown network toy"):
        module_of("toy")
    with pytest.raises(UnknownNameError, match="unknown network toy"):
        needed_of_fingerprints(["toy"], ())


def test_needed_of_fingerprints_is_what_the_networks_see() -> None:
    sites = ("A", "B", "X")
    for networks, of, channels, site_moments, halved, contacts in (
        (["cgcnn"], sites, [], False, [], False),
        (["cgcnn", "contacts"], sites, [], False, [], True),
        (["contacts"], (), [], False, [], True),
        (["cnn_paper"], sites, ["total"], False, [], False),
        (["cnn_paper_small"], sites, ["total"], False, [], False),
        (["cnn_paper", "hybrid"], sites, ["total"], True, [], False),
        (["cnn_paper", "hybrid"], (), None, False, [], False),
        (["readout"], ("A", "X"), [], False, [], False),
        (["cnn"], sites, [], False, ["total", "A", "B", "X"], False),
        (["cnn"], (), [], False, ["total", "anion", "cation"], False),
        (["cnn", "readout", "cnn_paper"], sites, ["total"], True, ["total", "A", "B", "X"], False),
    ):
        expected = {"channels": channels, "site_moments": site_moments, "halved": halved, "contacts": contacts}
        assert needed_of_fingerprints(networks, of) == expected


def test_the_large_network_of_the_paper_comes_before_the_small_one() -> None:
    assert of_paper(["cgcnn", "cnn_paper_small", "cnn_paper"]) == "cnn_paper"
    assert of_paper(iter(["cnn", "cnn_paper_small"])) == "cnn_paper_small"
    assert of_paper(["cnn", "cgcnn"]) is None


def test_registries_are_light() -> None:
    for name in ("networks", "baselines"):
        module = importlib.import_module(f"hirshprint.{name}.registry")
        assert "numpy" not in vars(module)


def test_every_registered_baseline_can_be_fitted() -> None:
    assert set(composition.FITS) == set(BASELINES)
