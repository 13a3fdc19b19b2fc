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

from hirshprint.cli import main
from hirshprint.datasets import SITES
from hirshprint.densities import Densities
from hirshprint.models.backend import prepare_device
from hirshprint.models.prediction import (
    ModelError,
    _dataset,
    predict_compounds,
    read_folder_card,
    write_folder_card,
)
from hirshprint.models.training import train_networks

prepare_device(gpus=0, require_gpu=False, threads=2)  # as test_training does: it can be set only once in a process

ROOT = Path(__file__).parents[2]
BINS = {"count": 50, "low_angstrom": 0.76, "high_angstrom": 2.8}
DEFINITION: dict[str, Any] = {
    "prototype": "cubic_perovskite",
    "initial_edge": {"kind": "list", "edges_angstrom": [4.0, 4.6]},
    "engine": "python",
    "densities": "thakkar",
    "mesh_level": 5,
    "fingerprint": {"weighting": "area", "channels": ["total", "site"], "normalise": "formula_unit", "bins": BINS},
}
COMPOUNDS = [(a, b, "O") for a in ("K", "Ca", "Sr", "Ba", "La") for b in ("Ti", "Zr", "Nb", "Al", "Fe", "Sn")]
NETWORK = {"epochs": 3, "batch_size": 8, "learning_rate": 0.01}


@pytest.fixture(scope="module")
def trained(thakkar: Densities, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pd.DataFrame]:
    """Models of all four networks, hardly trained, and their table of predictions."""
    folder = tmp_path_factory.mktemp("trained")
    dataset, structures = _dataset(COMPOUNDS, DEFINITION | {"dataset": "d", "property": "a_angstrom", "unit": "Å"},
                                   thakkar, "readout")  # fmt: skip
    dataset.targets[:] = 4 + 0.1 * np.unique(dataset.elements["B"], return_inverse=True)[1]
    learning = {"splits": ["random"], "folds": 2, "seeds": [0, 1], "validation_fraction": 0.2}
    names = ["cnn_paper", "readout", "cgcnn", "hybrid"]
    settings = dict.fromkeys(names, NETWORK) | {"cgcnn": NETWORK | {"radius_angstrom": 4.5}}
    table = train_networks(
        dataset, structures, learning | {"networks": names} | settings, folder / "cache", folder / "models", gpus=0
    )
    write_folder_card(folder / "models", dataset, table, DEFINITION)
    return folder / "models", table


@pytest.mark.parametrize("model", ["cnn_paper", "readout", "cgcnn", "hybrid"])
def test_prediction_is_the_mean_of_what_the_networks_said(
    trained: tuple[Path, pd.DataFrame], thakkar: Densities, model: str
) -> None:
    folder, table = trained
    card = read_folder_card(folder)
    card["validation_mean_absolute_error"] = {model: 0.1}
    found = predict_compounds(folder, card, COMPOUNDS, thakkar).set_index("formula")
    rows = table[(table["model"] == model) & (table["seed"] == "ensemble")]
    expected = rows.groupby("compound")["predicted"].mean()
    np.testing.assert_allclose(found["predicted"][expected.index], expected, atol=2e-5)
    assert (found["std"] > 0).all()
    assert (found["unseen"] == "").all()


def test_command_writes_a_table_and_names_unseen_elements(
    trained: tuple[Path, pd.DataFrame], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, out = tmp_path / "compounds.csv", tmp_path / "out.csv"
    table.write_text("formula\nSrTiO3\nCsTiO3\nSrXxO3\nnonsense\n", encoding="utf-8")
    assert main(["predict", "BaZrO3", "--table", str(table), "--model", str(trained[0]), "--out", str(out)]) == 0
    found = pd.read_csv(out, keep_default_na=False)
    assert found.columns.tolist() == ["formula", "a_predicted_angstrom", "a_std_angstrom", "unseen"]
    assert found["formula"].tolist() == ["BaZrO3", "SrTiO3", "CsTiO3"]
    assert found["unseen"].tolist() == ["", "", "A=Cs"]
    printed = capsys.readouterr().out
    assert "row 4" in printed
    assert "unknown element 'Xx'" in printed
    assert "row 5" in printed


@pytest.mark.parametrize("model", ["cgcnn", "hybrid"])
def test_a_new_process_can_load_the_networks(trained: tuple[Path, pd.DataFrame], tmp_path: Path, model: str) -> None:
    folder = tmp_path / "models"
    shutil.copytree(trained[0], folder)
    card = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    (folder / "model.json").write_text(json.dumps(card | {"validation_mean_absolute_error": {model: 0.1}}))
    command = [sys.executable, "-m", "hirshprint.cli", "predict", "SrTiO3", "--model", str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert re.search(r"SrTiO3 +\d\.\d{4} +\d\.\d{4}", done.stdout)


def test_folders_that_cannot_predict_are_refused(
    trained: tuple[Path, pd.DataFrame], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", "SrTiO3", "--model", str(tmp_path)]) == 1
    assert "no model.json in it" in capsys.readouterr().err
    card = json.loads((trained[0] / "model.json").read_text(encoding="utf-8"))
    for change, message in (
        ({"format": 0}, "train again"),
        ({"engine": "tonto"}, "engine: python"),
        ({"prototype": None}, "trained on files"),
    ):
        (tmp_path / "model.json").write_text(json.dumps(card | change), encoding="utf-8")
        with pytest.raises(ModelError, match=message):
            read_folder_card(tmp_path)
    assert main(["predict", "SrTi2O3", "--model", str(trained[0])]) == 2
    assert main(["predict", "--model", str(trained[0])]) == 2
    assert list(card["elements"]) == list(SITES)
