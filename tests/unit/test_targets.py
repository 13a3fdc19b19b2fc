"""What kind of number a property is: of a cell or of an atom."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from test_baselines import additive
from test_training import SMALL, crystals
from written_settings import build_structures, plan_dataset, predict_baselines, train_networks

from hirshprint.batch.gathering import write_fingerprints
from hirshprint.cli import main
from hirshprint.config.load import ConfigError, resolve_config
from hirshprint.config.model import Dataset as Settings
from hirshprint.config.model import Fingerprint
from hirshprint.datasets.gather import Dataset, load_dataset
from hirshprint.datasets.target_scale import PLAIN, Target, with_target
from hirshprint.densities import Densities
from hirshprint.files.reading import read_json
from hirshprint.networks.backend import prepare_device
from hirshprint.networks.cards import complete_predicted, fingerprint_definition
from hirshprint.networks.predict import write_folder_card
from hirshprint.networks.registry import needed_of_fingerprints
from hirshprint.structures.building import write_targets
from hirshprint.structures.structure import Structure, write_structures
from hirshprint.surfaces.python.engine import compute_surfaces

prepare_device(gpus=0, require_gpu=False, threads=2)  # as test_training does: it can be set only once in a process

BINS = {"count": 16, "low_angstrom": 0.76, "high_angstrom": 2.8}
FINGERPRINT = {"weighting": "area", "channels": ["total"], "normalise": "formula_unit", "bins": BINS}
PLAN: dict[str, Any] = {"splits": ["random"], "folds": 2, "seeds": [0], "validation_fraction": 0.2}
NAMES = ["cnn", "cgcnn", "contacts"]
LEARNING = PLAN | {"networks": NAMES} | dict.fromkeys(NAMES, SMALL | {"epochs": 3})
PAIRS = [(a, b) for a in ("Na", "K", "Rb", "Cs") for b in ("Cl", "Br", "I")]


def crystal_line(name: str, pair: tuple[str, str], edge: float, cells: int, **fields: Any) -> str:
    """One crystal of the kind of CsCl, several cells in a row, as a line of JSON."""
    places = [[(place + k) / cells, place, place] for k in range(cells) for place in (0.0, 0.5)]
    lattice = (np.diag([cells, 1, 1]) * edge).tolist()
    return json.dumps({"id": name, "lattice": lattice, "species": [*pair] * cells, "frac_coords": places, **fields})


def learned_crystals(folder: Path, densities: Densities, lines: list[str], **keys: str) -> tuple[Dataset, Any]:
    """A file of crystals with the property p, by the stages of a run, and its structures."""
    (folder / "crystals.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    settings = {"structures": str(folder / "crystals.jsonl"), "property": "p", "unit": "eV", **keys}
    structures, targets, _ = build_structures(plan_dataset(settings).entries, settings)
    surfaces = {structure.structure_id: compute_surfaces(structure, densities, 4) for structure in structures}
    write_fingerprints(surfaces, Fingerprint.from_dict(FINGERPRINT), folder / "f.h5", "digest", ())
    write_targets(folder / "t.csv", targets)
    write_structures(folder / "s.h5", structures, {})
    dataset = load_dataset("d", folder / "f.h5", folder / "t.csv", **needed_of_fingerprints(NAMES, ()))
    return with_target(dataset, Settings.from_dict(settings), folder / "s.h5"), structures


def trained_models(
    folder: Path, dataset: Dataset, structures: list[Structure], learning: Mapping[str, Any] = LEARNING
) -> tuple[Path, pd.DataFrame]:
    table = train_networks(dataset, structures, learning, folder / "cache", folder / "models", gpus=0)
    definition = fingerprint_definition({}, {"engine": "python", "mesh_level": 4}, "thakkar", FINGERPRINT)
    write_folder_card(folder / "models", dataset, table, definition, folder / "f.h5")
    return folder / "models", table


def predicted_by_command(folder: Path, models: Path, model: str, lines: list[str]) -> pd.DataFrame:
    (folder / "new.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    given = ["--cif", str(folder / "new.jsonl"), "--model", str(models), "--network", model]
    assert main(["predict", *given, "--out", str(folder / "new.json")]) == 0
    return pd.DataFrame(read_json(folder / "new.json")).set_index("name")


@pytest.mark.parametrize(("per", "ratio"), [("cell", 3), ("formula_unit", 1)])
def test_a_supercell_has_so_many_times_the_property(thakkar: Densities, tmp_path: Path, per: str, ratio: int) -> None:
    """Trained on cells of different sizes; both kinds of model give a supercell its multiple, in the own unit."""
    lines = []
    for k, pair in enumerate(PAIRS):
        cells, energy = 1 + k % 2, -7.0 - 0.1 * k
        value = energy * (cells if per == "cell" else 1)
        lines.append(crystal_line(f"c{k}", pair, 4.0 + 0.05 * k, cells, p=value))
    dataset, structures = learned_crystals(tmp_path, thakkar, lines, per=per)
    assert dataset.atoms is not None
    assert dataset.atoms.tolist() == [len(s.numbers) if per == "cell" else 2 for s in sorted_by_id(structures)]
    models, table = trained_models(tmp_path, dataset, structures)
    np.testing.assert_allclose(table["true"], dataset.targets[rows_by_id(dataset, table)])
    card = read_json(next(iter(sorted(models.glob("contacts-*seed0.json")))))
    assert card["per"] == per
    assert -4.2 < card["target_mean"] < -3.5  # eV per atom
    assert card["prediction"].endswith(f"* atoms of the {per.replace('_', ' ')}")
    assert read_json(models / "model.json")["per"] == per
    new = [crystal_line(f"n{cells}", ("K", "Br"), 4.2, cells) for cells in (1, 3)]
    for model in NAMES:
        found = predicted_by_command(tmp_path, models, model, new)["p_predicted"]
        assert found["n3"] == pytest.approx(ratio * found["n1"], rel=1e-5)
        assert found["n1"] == pytest.approx(-7.5, abs=2)
    baselines = PLAN | {"baselines": ["mean", "ridge", "gradient_boosting"]}
    simple = predict_baselines(dataset, baselines)
    size = dataset.atoms[rows_by_id(dataset, simple)]
    mean = simple[simple["model"] == "mean"]
    by_atom = (mean["predicted"] / size[mean.index]).groupby(mean["fold"])
    assert by_atom.nunique().max() == 1 or by_atom.std().max() < 1e-9
    assert (simple["predicted"] - simple["true"]).abs().max() < (2.5 if per == "cell" else 1.5)


def sorted_by_id(structures: list[Structure]) -> list[Structure]:
    return sorted(structures, key=lambda structure: structure.structure_id)


def rows_by_id(dataset: Dataset, table: pd.DataFrame) -> Any:
    """Rows of the dataset that rows of a table are of; each compound has one structure."""
    row_of = {name: row for row, name in enumerate(dataset.compounds.tolist())}
    return table["compound"].map(row_of).to_numpy()


def test_what_is_learned_and_stated_are_each_other_s_way_back() -> None:
    values = np.array([0.5, 3.0, 200.0])
    for target, atoms in ((PLAIN, None), (Target(per="cell"), np.array([1, 5, 40]))):
        learned = target.learned(values, atoms)
        np.testing.assert_allclose(target.stated(learned, atoms), values, rtol=1e-12)
    assert PLAIN.learned(values, None) is values
    assert PLAIN.stated(values, None) is values
    np.testing.assert_allclose(Target(per="cell").learned(values, np.array([1, 5, 40])), [0.5, 0.6, 5.0])


def test_cards_of_before_are_of_plain_numbers() -> None:
    assert Target.of_card({"model": "cgcnn", "target_mean": 4.0}) == PLAIN
    assert PLAIN.written() == {}
    assert PLAIN.formula() == "network output * target_sd + target_mean"
    assert Target.of_card(Target(per="cell").written()) == Target(per="cell")


def test_a_property_of_another_kind_is_another_property_to_start_from(tmp_path: Path) -> None:
    """A kind that a dataset has not told is no reason for another training; a told one is."""
    from dataclasses import replace

    dataset, structures = crystals()
    learning = PLAN | {"networks": ["cgcnn"], "cgcnn": SMALL | {"epochs": 2, "radius_angstrom": 4.5}}
    train_networks(dataset, structures, learning, tmp_path / "cache", tmp_path / "models", gpus=0)
    cached = set(tmp_path.glob("cache/*"))
    whole = replace(dataset, target=Target(per="cell"), atoms=np.full(len(dataset.targets), 5))
    begun = learning["cgcnn"] | {"start_from": str(tmp_path / "models")}
    more = learning | {"cgcnn": begun}
    train_networks(whole, structures, more, tmp_path / "cache", tmp_path / "own", gpus=0)
    assert len(set(tmp_path.glob("cache/*")) - cached) == 1
    told = [read_json(path)["started_from"]["layers"] for path in sorted((tmp_path / "own").glob("*.json"))]
    assert told == ["all but the output"] * 2
    train_networks(dataset, structures, more, tmp_path / "cache", tmp_path / "same", gpus=0)
    told = [read_json(path)["started_from"]["layers"] for path in sorted((tmp_path / "same").glob("*.json"))]
    assert told == ["all"] * 2


def test_compounds_of_several_edges_keep_their_atoms() -> None:
    from dataclasses import replace

    dataset = additive(draws=2)
    plain = predict_baselines(dataset, PLAN | {"baselines": ["ridge", "mean"]})
    atoms = np.full(len(dataset.targets), 5)
    whole = replace(dataset, target=Target(per="formula_unit"), atoms=atoms, targets=5 * dataset.targets)
    told = predict_baselines(whole, PLAN | {"baselines": ["ridge", "mean"]})
    np.testing.assert_allclose(told["predicted"], 5 * plain["predicted"], rtol=1e-9)


def test_kind_comes_with_the_model() -> None:
    datasets = {"a": {"folder": "f", "targets": "t", "property": "energy", "per": "cell"}}
    resolved = resolve_config({"datasets": datasets | {"b": {"folder": "g", "model": "a"}}})
    assert resolved["datasets"]["a"]["per"] == "cell"
    assert complete_predicted(resolved)["b"]["per"] == "cell"
    with pytest.raises(ConfigError, match=r"`datasets\.b\.per`: comes with the model; delete it"):
        resolve_config({"datasets": datasets | {"b": {"folder": "g", "model": "a", "per": "cell"}}})
