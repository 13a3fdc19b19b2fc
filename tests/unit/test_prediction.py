"""Predictions for new compounds with a folder of trained networks, by library and command."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from written_settings import build_structures, plan_dataset, train_networks

from hirshprint.batch.gathering import write_fingerprints
from hirshprint.cli import main
from hirshprint.config.model import Fingerprint
from hirshprint.datasets.gather import Dataset, load_dataset
from hirshprint.datasets.splits import SITES
from hirshprint.densities import Densities
from hirshprint.files.reading import sealed_json
from hirshprint.hirshfeld.python.engine import compute_surfaces
from hirshprint.networks.backend import prepare_device, tf
from hirshprint.networks.cards import ModelError, check_fits, fingerprint_definition, read_folder_card
from hirshprint.networks.predict import predict_dataset, write_folder_card
from hirshprint.networks.registry import NETWORKS, needed_of_fingerprints
from hirshprint.structures.building import write_targets
from hirshprint.structures.placed import cubic_perovskite
from hirshprint.structures.structure import Structure

prepare_device(gpus=0, require_gpu=False, threads=2)  # as test_training does: it can be set only once in a process

ROOT = Path(__file__).parents[2]
BINS = {"count": 24, "low_angstrom": 0.76, "high_angstrom": 2.8}
FINGERPRINT = {"weighting": "area", "channels": ["total", "site"], "normalise": "formula_unit", "bins": BINS}
EDGES = {
    "list": {"kind": "list", "edges_angstrom": [4.0, 4.6]},
    "random": {"kind": "random", "low_angstrom": 3.9, "high_angstrom": 4.7, "draws": 9, "seed": 0},
}
COMPOUNDS = [f"{a}{b}O3" for a in ("K", "Ca", "Sr", "Ba", "La") for b in ("Ti", "Zr", "Nb", "Al", "Fe", "Sn")]
NETWORK = {"epochs": 3, "batch_size": 8, "learning_rate": 0.01}
NAMES = [
    "cnn_paper",
    "cnn_paper_small",
    "cnn",
    "readout",
    "cgcnn",
    "contacts",
    "voronoi",
    "near_atoms",
    "elements_alone",
    "hybrid",
]
OF_FILES = ["cnn_paper", "cnn_paper_small", "cnn", "cgcnn", "contacts", "voronoi", "near_atoms", "elements_alone"]
LEARNING: dict[str, Any] = {"splits": ["random"], "folds": 2, "seeds": [0, 1], "validation_fraction": 0.2}
LEARNING |= {"networks": NAMES} | dict.fromkeys(NAMES, NETWORK) | {"cgcnn": NETWORK | {"radius_angstrom": 4.5}}


Trained = tuple[Path, pd.DataFrame, Dataset, list[Structure]]


def _definition(edges: str, fingerprint: dict[str, Any] = FINGERPRINT) -> dict[str, Any]:
    dataset = {"prototype": "cubic_perovskite", "initial_edge": EDGES[edges]} if edges in EDGES else {}
    return fingerprint_definition(dataset, {"engine": "python", "mesh_level": 5}, "thakkar", fingerprint)


def _load(
    folder: Path, settings: dict[str, Any], densities: Densities, fingerprint: dict[str, Any] = FINGERPRINT
) -> tuple[Dataset, list[Structure]]:
    """A dataset by the stages of a run."""
    structures, targets, _ = build_structures(plan_dataset(settings).entries, settings)
    surfaces = {structure.structure_id: compute_surfaces(structure, densities, 5) for structure in structures}
    sites = SITES if settings.get("prototype") else ()
    write_fingerprints(surfaces, Fingerprint.from_dict(fingerprint), folder / "f.h5", "digest", sites)
    write_targets(folder / "t.csv", targets)
    needed = needed_of_fingerprints(NAMES, sites)
    dataset = load_dataset("d", folder / "f.h5", folder / "t.csv", **needed)
    return dataset, structures


def _train(folder: Path, edges: str, learning: dict[str, Any], densities: Densities) -> Trained:
    rows = [f"{compound},{4 + 0.1 * (k % 6)}" for k, compound in enumerate(COMPOUNDS)]
    (folder / "table.csv").write_text("\n".join(["formula,a_angstrom", *rows]) + "\n", encoding="utf-8")
    settings = {"table": str(folder / "table.csv"), "property": "a_angstrom", "unit": "Å"}
    settings |= {"prototype": "cubic_perovskite", "initial_edge": EDGES[edges]}
    dataset, structures = _load(folder, settings, densities)
    table = train_networks(dataset, structures, learning, folder / "cache", folder / "models", gpus=0)
    write_folder_card(folder / "models", dataset, table, _definition(edges), folder / "f.h5")
    return folder / "models", table, dataset, structures


@pytest.fixture(scope="module")
def trained(thakkar: Densities, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Models of all networks, hardly trained, their table of predictions, and what they learned from."""
    return _train(tmp_path_factory.mktemp("trained"), "list", LEARNING, thakkar)


@pytest.mark.parametrize("model", NAMES)
def test_prediction_is_the_mean_of_what_the_networks_said(trained: Trained, model: str) -> None:
    folder, table, dataset, structures = trained
    card = read_folder_card(folder)
    card["validation_mean_absolute_error"] = {model: 0.1}
    found = predict_dataset(folder, card, dataset, structures, folder.parent / "f.h5").set_index("name")
    rows = table[(table["model"] == model) & (table["seed"] == "ensemble")]
    if (rows["structure_id"] == "").any():
        rows = rows[rows["structure_id"] == ""]
    expected = rows.groupby("compound")["predicted"].mean()
    np.testing.assert_allclose(found["predicted"][expected.index], expected, atol=2e-5, rtol=1e-5)
    assert (found["std"] > 0).all()
    assert (found["unseen"] == "").all()
    np.testing.assert_allclose(found["fingerprint_distance"], 0, atol=1e-6)
    assert not found["outside_domain"].any()
    assert (found["A"] + found["B"] + "O3" == found.index).all()


BARE_CIF = """data_without_symmetry
_cell_length_a 5.1
_cell_length_b 5.1
_cell_length_c 5.1
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Ba1 0 0 0
Fe1 0.5 0.5 0.5
O1 0.5 0.5 0
O2 0.5 0 0.5
O3 0 0.5 0.5
"""


def test_command_leaves_gpus_alone(trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(tf.config, "set_visible_devices", lambda *given: seen.append(given))
    assert main(["predict", "BaZrO3", "--model", str(trained[0]), "--out", str(tmp_path / "out.csv")]) == 0
    assert seen == [([], "GPU")]


def test_command_predicts_formulas_tables_and_files_and_says_what_lies_outside(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, out = tmp_path / "compounds.csv", tmp_path / "out.csv"
    table.write_text("formula\nSrTiO3\nCsTiO3\nSrXxO3\nnonsense\nLaF3Cs\n", encoding="utf-8")
    files = tmp_path / "files"
    files.mkdir()
    _write_poscar(files / "POSCAR_one", cubic_perovskite(("Ba", "Fe", "O"), 5.1, "x"))
    _write_poscar(files / "POSCAR_two", cubic_perovskite(("Ba", "Fe", "O"), 5.1, "x"), distort=0.1)
    (files / "bad.cif").write_text("data_", encoding="utf-8")
    (files / "bare.cif").write_text(BARE_CIF, encoding="utf-8")
    given = ["BaZrO3", "SrTiO3", "--table", str(table), "--cif", str(files), "--model", str(trained[0])]
    assert main(["predict", *given, "--out", str(out)]) == 0
    found = pd.read_csv(out, keep_default_na=False)
    columns = "name formula A B X a_predicted_angstrom a_std_angstrom a_spread_angstrom unseen fingerprint_distance"
    assert found.columns.tolist() == [*columns.split(), "outside_domain", "in_training"]
    assert found["name"].tolist() == ["BaZrO3", "SrTiO3", "CsTiO3", "BaFeO3"]  # as they were asked for
    assert found["unseen"].tolist() == ["", "", "A=Cs", ""]
    assert found["outside_domain"].tolist() == [False, False, True, False]
    known = set(trained[2].formulas.tolist())
    assert found["in_training"].tolist() == [name in known for name in found["formula"].tolist()]
    said = capsys.readouterr().err.splitlines()
    left_out = [line for line in said if not line.startswith("remark: ")]
    assert [line for line in said if line not in left_out] == [
        f"remark: no symmetry is given: P 1 is assumed ({files}/bare.cif)",
        f"remark: its cell and atoms are those of one ({files}/bare.cif)",
    ]
    assert len(left_out) == 5, left_out
    for line, (place, reason) in zip(
        left_out,
        [
            ("compounds.csv row 4", "unknown element 'Xx'"),
            ("compounds.csv row 5", "nonsense"),
            ("compounds.csv row 6", "not of the form ABX3"),
            ("bad.cif", "a CIF without atoms"),
            ("POSCAR_two", "no cubic perovskite"),
        ],
        strict=True,
    ):
        assert place in line
        assert reason in line
    assert main(["predict", "BaZrO3", "--model", str(trained[0]), "--out", str(tmp_path / "out.json")]) == 0
    (row,) = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    alone = found.set_index("name").loc["BaZrO3"]
    assert row["a_predicted_angstrom"] == pytest.approx(alone["a_predicted_angstrom"], abs=2e-6)
    assert row["a_std_angstrom"] == pytest.approx(alone["a_std_angstrom"], abs=2e-6)


def test_one_compound_at_edges_drawn_at_random(thakkar: Densities, tmp_path: Path) -> None:
    """Trained at nine edges, predicted as the mean over the first eight, as in the table of the training."""
    learning = LEARNING | {"networks": ["readout", "cnn"], "seeds": [0]}
    folder, table, dataset, _ = _train(tmp_path, "random", learning, thakkar)
    assert set(dataset.draws) == set(range(9))
    for model in ("readout", "cnn"):
        of_compound = table[(table["compound"] == "SrTiO3") & (table["model"] == model)]
        assert (of_compound["structure_id"] != "").sum() == 2 * 8
        given = ["predict", "SrTiO3", "--model", str(folder), "--network", model, "--out", str(tmp_path / "o.csv")]
        assert main(given) == 0
        expected = of_compound[of_compound["structure_id"] == ""]["predicted"].mean()
        assert pd.read_csv(tmp_path / "o.csv")["a_predicted_angstrom"][0] == pytest.approx(expected, abs=2e-5)


def test_a_fingerprint_unlike_all_of_training_lies_outside(trained: Trained, tmp_path: Path) -> None:
    assert main(["predict", "SrTiTe3", "SrTiS3", "--model", str(trained[0]), "--out", str(tmp_path / "o.csv")]) == 0
    found = pd.read_csv(tmp_path / "o.csv")
    assert (found["fingerprint_distance"] > 1).all(), found
    assert found["outside_domain"].all()


def _write_poscar(path: Path, structure: Structure, distort: float = 0.0) -> None:
    frac = structure.frac + distort * (np.arange(5) == 2)[:, None] * [0, 0, 1]
    lines = ["x", "1.0", *(" ".join(map(str, row)) for row in structure.lattice), "Ba Fe O", "1 1 3", "Direct"]
    path.write_text("\n".join([*lines, *(" ".join(map(str, row)) for row in frac)]) + "\n", encoding="utf-8")


@pytest.mark.parametrize("model", ["cgcnn", "hybrid"])
def test_a_new_process_can_load_the_networks(trained: Trained, tmp_path: Path, model: str) -> None:
    folder = tmp_path / "models"
    shutil.copytree(trained[0], folder)
    card = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    (folder / "model.json").write_text(json.dumps(sealed_json(card | {"validation_mean_absolute_error": {model: 0.1}})))
    command = [sys.executable, "-m", "hirshprint.cli", "predict", "SrTiO3", "--model", str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    assert re.search(r"SrTiO3 +Sr +Ti +O +\d\.\d{4} +\d\.\d{4}", done.stdout)


def test_a_network_of_the_folder_can_be_chosen_and_is_said(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, table, _, _ = trained
    rows = table[(table["seed"] == "ensemble") & (table["compound"] == "SrTiO3")]
    shown = {}
    for model in NAMES:
        assert main(["predict", "SrTiO3", "--model", str(folder), "--network", model]) == 0
        said = capsys.readouterr().out
        expected = rows[rows["model"] == model]
        expected = expected[expected["structure_id"] == ""] if (expected["structure_id"] == "").any() else expected
        shown[model] = re.search(r"SrTiO3 +Sr +Ti +O +(-?\d+\.\d{4})", said).group(1)  # type: ignore[union-attr]
        assert float(shown[model]) == pytest.approx(expected["predicted"].mean(), abs=1e-4)
        edges = "4.0 Å" if NETWORKS[model].one_edge else "4.0, 4.6 Å"
        assert f"by the network {model} of {folder} (4 trainings, validation error " in said
        assert f"which learned from d: 30 compounds, initial edge {edges}" in said
    assert len(set(shown.values())) == len(NAMES)
    assert main(["predict", "SrTiO3", "--model", str(folder), "--network", "cnn_large"]) == 1
    message = capsys.readouterr().err
    assert "has no network cnn_large; write one of these (validation error): " in message
    assert all(f"{name} (" in message for name in NAMES)
    monkeypatch.setattr("hirshprint.api.prediction.OWN_MODELS", tmp_path / "models/oqmd")
    assert main(["predict", "SrTiO3"]) == 1
    assert f"there is no {tmp_path / 'models/oqmd'}; name a folder of models" in capsys.readouterr().err
    shutil.copytree(folder, tmp_path / "models/oqmd")
    assert main(["predict", "SrTiO3", "--network", "readout"]) == 0
    assert f"{shown['readout']} " in capsys.readouterr().out


@pytest.mark.parametrize("model", NAMES)
def test_numbers_do_not_depend_on_what_else_is_asked(trained: Trained, tmp_path: Path, model: str) -> None:
    """Alone, among others, in another order and twice: the same text."""
    asked = [f"{a}{b}O3" for a in ("Ce", "Ca", "Sr", "K", "Na") for b in ("Ti", "V", "Hf", "Al")]
    found = []
    for formulas in (asked, asked[::-1], asked[5:12], asked[9:10], asked):
        out = tmp_path / f"{len(found)}.csv"
        given = ["predict", *formulas, "--model", str(trained[0]), "--network", model, "--out", str(out)]
        assert main(given) == 0
        found.append(dict(line.split(",", 1) for line in out.read_text(encoding="utf-8").splitlines()))
    assert len(found[0]) == 21
    for part in found[1:]:
        assert part == {name: found[0][name] for name in part}


def test_models_that_do_not_fit_are_refused_with_the_reason(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", "SrTiO3", "--model", str(tmp_path)]) == 1
    assert "no model.json in it" in capsys.readouterr().err
    card = json.loads((trained[0] / "model.json").read_text(encoding="utf-8"))
    for change, code, message in (
        ({"format": 0}, 1, "train again"),
        ({"engine": "tonto"}, 1, "engine: python"),
        ({"prototype": None}, 2, "learned from files"),
        ({"versions": card["versions"] | {"surfaces": "1"}}, 1, "versions.surfaces is 1 in the model, here 3"),
    ):
        (tmp_path / "model.json").write_text(json.dumps(sealed_json(card | change)), encoding="utf-8")
        assert main(["predict", "SrTiO3", "--model", str(tmp_path)]) == code
        assert message in capsys.readouterr().err
    other = card | {"fingerprint": FINGERPRINT | {"bins": BINS | {"count": 40}}, "densities": "x2c"}
    with pytest.raises(ModelError, match=r"densities is thakkar in the model, here x2c.*bins.count is 24 .* here 40"):
        check_fits(trained[0], card, other)
    for formula in ("SrTi2O3", "SrRfO3", "SrOO3"):
        assert main(["predict", formula, "--model", str(trained[0])]) == 2
        assert formula in capsys.readouterr().err
    assert main(["predict", "--model", str(trained[0])]) == 2
    assert list(card["elements"]) == list(SITES)


def test_models_of_files_predict_files(thakkar: Densities, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files, new = tmp_path / "files", tmp_path / "new"
    files.mkdir()
    new.mkdir()
    rows = ["structure_id,gap,unit"]
    for k in range(8):
        edge = 4.4 + 0.1 * k
        _write_poscar(files / f"POSCAR_s{k}", cubic_perovskite(("Ba", "Fe", "O"), edge, "x"), distort=0.01 * k)
        rows.append(f"s{k},{edge},eV")
    (tmp_path / "targets.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (tmp_path / "groups.csv").write_text(
        "structure_id,gap,family\n" + "".join(f"s{k},{k},g{k % 6}\n" for k in range(8))
    )
    fingerprint = FINGERPRINT | {"channels": ["total", "site", "inside"]}
    settings = {"folder": str(files), "targets": str(tmp_path / "groups.csv"), "property": "gap", "unit": "eV"}
    dataset, structures = _load(tmp_path, settings | {"group": "family"}, thakkar, fingerprint)
    assert dataset.channels == ("total", "anion", "cation")
    assert set(dataset.groups) == {f"g{k}" for k in range(6)}
    learning = LEARNING | {"seeds": [0]}
    table = train_networks(dataset, structures, learning, tmp_path / "cache", tmp_path / "models", gpus=0)
    assert set(table["model"]) == set(OF_FILES)
    write_folder_card(tmp_path / "models", dataset, table, _definition("files", fingerprint), tmp_path / "f.h5")
    _write_poscar(new / "POSCAR_near", cubic_perovskite(("Ba", "Fe", "O"), 4.63, "x"))
    _write_poscar(new / "POSCAR_far", cubic_perovskite(("Ba", "Fe", "O"), 6.5, "x"))
    for model in OF_FILES:
        card = json.loads((tmp_path / "models/model.json").read_text(encoding="utf-8"))
        card["validation_mean_absolute_error"] = {model: 0.1}
        (tmp_path / "models/model.json").write_text(json.dumps(sealed_json(card)), encoding="utf-8")
        out = tmp_path / f"{model}.csv"
        assert main(["predict", "--cif", str(new), "--model", str(tmp_path / "models"), "--out", str(out)]) == 0
        found = pd.read_csv(out).set_index("name")
        assert found.columns.tolist()[:3] == ["formula", "gap_predicted", "gap_std"]
        expected = {"far": True, "near": False} if model != "cgcnn" else {"near": False}
        assert found["outside_domain"].to_dict() == expected
    said = "".join(capsys.readouterr())
    assert "without neighbours as near as in training: far" in said
    assert "gap in eV, by the network cgcnn" in said
    near = cubic_perovskite(("Ba", "Fe", "O"), 4.63, "x")
    record = {"id": "near", "lattice": near.lattice.tolist(), "numbers": near.numbers.tolist()}
    record["frac"] = near.frac.tolist()
    (tmp_path / "new.jsonl").write_text(json.dumps(record) + "\n{}\n", encoding="utf-8")
    given = ["--cif", str(tmp_path / "new.jsonl"), "--out", str(tmp_path / "one.csv")]
    assert main(["predict", *given, "--model", str(tmp_path / "models")]) == 0
    one = pd.read_csv(tmp_path / "one.csv").set_index("name")
    assert one.loc["near", "gap_predicted"] == pytest.approx(found.loc["near", "gap_predicted"], abs=1e-4)
    assert "new.jsonl line 2: it has none of `lattice`, `cell`" in capsys.readouterr().err
    assert main(["predict", "BaFeO3", "--model", str(tmp_path / "models")]) == 2
    assert "--cif" in capsys.readouterr().err
