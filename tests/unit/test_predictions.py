from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hirshprint.accuracy.metrics import accuracy, metrics
from hirshprint.accuracy.predictions import (
    COLUMNS,
    basis,
    read_predictions,
    validate_predictions,
    with_compound_means,
    with_ensembles,
    write_predictions,
)
from hirshprint.files.reading import DamagedError


def predictions(seed: str = "0", shift: float = 0.1) -> pd.DataFrame:
    """Two folds of two test rows and a training row; predicted is off by `shift` in fold 0."""
    rows = []
    for fold in (0, 1):
        for compound, part, true in (("SrTiO3", "test", 3.9), ("NaN", "test", 4.1), ("KTaO3", "train", 4.0)):
            rows.append(
                {
                    "dataset": "d",
                    "model": "cgcnn",
                    "split": "random",
                    "fold": fold,
                    "seed": seed,
                    "part": part,
                    "structure_id": f"{compound}-a4.50000",
                    "compound": compound,
                    "property": "a_angstrom",
                    "unit": "Å",
                    "true": true,
                    "predicted": true + (shift if fold == 0 else 0.0),
                    "std": np.nan,
                }
            )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def test_the_table_survives_writing_and_reading(tmp_path: Path) -> None:
    table = predictions()
    table.loc[0, "structure_id"] = ""
    table.loc[1, "std"] = 0.25
    write_predictions(tmp_path / "predictions.csv", table)
    found = read_predictions(tmp_path / "predictions.csv")
    assert found["compound"].tolist() == table["compound"].tolist()  # also the compound named NaN
    assert found["structure_id"].tolist() == table["structure_id"].tolist()
    assert found["seed"].tolist() == table["seed"].tolist()
    np.testing.assert_allclose(found["predicted"], table["predicted"], rtol=1e-9)
    np.testing.assert_allclose(found["std"], table["std"])
    first = (tmp_path / "predictions.csv").read_text(encoding="utf-8").splitlines()[0]
    assert first == "dataset,model,split,fold,seed,part,structure_id,compound,property,unit,true,predicted,std"


def test_a_faulty_table_is_not_written(tmp_path: Path) -> None:
    table = predictions()
    table.loc[2, "predicted"] = np.inf
    with pytest.raises(ValueError, match="no finite value for KTaO3"):
        write_predictions(tmp_path / "predictions.csv", table)
    assert list(tmp_path.iterdir()) == []


def test_an_unreadable_number_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "predictions.csv"
    write_predictions(path, predictions())
    path.write_text(path.read_text(encoding="utf-8").replace("3.9,", "three,", 1), encoding="utf-8")
    with pytest.raises(DamagedError, match=r"predictions\.csv.*its content was changed"):
        read_predictions(path)
    (tmp_path / ".predictions.csv.digest").unlink()
    with pytest.raises(DamagedError, match=r"predictions\.csv.*numbers"):
        read_predictions(path)


def leak(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(compound="SrTiO3")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda t: t.drop(columns="std"), "columns must be"),
        (lambda t: t.iloc[:0], "no predictions"),
        (lambda t: t.assign(part="dev"), "unknown part dev"),
        (lambda t: t.assign(seed="best"), "neither a whole number nor 'ensemble'"),
        (lambda t: t.assign(predicted="x"), "must be numbers"),
        (lambda t: pd.concat([t, t]), "more than one row for"),
        (leak, "more than one part of the same fold: SrTiO3"),
    ],
)
def test_validation_names_what_is_wrong(spoil: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        validate_predictions(spoil(predictions()))  # type: ignore[operator]


def test_accuracy_is_one_minus_residual_over_total() -> None:
    true, predicted = np.array([1.0, 2.0, 3.0]), np.array([1.5, 2.0, 2.0])
    found = accuracy(true, predicted)
    assert found["r2"] == pytest.approx(1 - 1.25 / 2)
    assert found["mae"] == pytest.approx(0.5)
    assert found["mse"] == pytest.approx(1.25 / 3)
    assert np.isnan(accuracy(np.ones(2), np.ones(2))["r2"])


def test_metrics_are_means_over_folds_with_their_spread() -> None:
    found = metrics(predictions()).set_index("part")
    test = found.loc["test"]
    assert (test["n_folds"], test["n"], test["unit"]) == (2, 4, "Å")
    assert test["mae"] == pytest.approx(0.05)
    assert test["mae_sd"] == pytest.approx(np.std([0.1, 0.0], ddof=1))
    assert test["mse"] == pytest.approx(0.005)
    assert test["r2"] == pytest.approx((0.0 + 1.0) / 2)
    assert np.isnan(found.loc["train", "r2"])  # one row a fold


def test_ensembles_average_the_seeds() -> None:
    both = with_ensembles(pd.concat([predictions("0", 0.1), predictions("1", 0.3)], ignore_index=True))
    validate_predictions(both)
    joint = both[both["seed"] == "ensemble"].sort_values(["fold", "compound"]).reset_index(drop=True)
    assert len(joint) == 6
    assert joint.loc[0, "predicted"] == pytest.approx(joint.loc[0, "true"] + 0.2)
    assert joint.loc[0, "std"] == pytest.approx(np.std([0.1, 0.3], ddof=1))
    assert both[both["seed"] != "ensemble"]["std"].isna().all()
    assert "ensemble" not in set(with_ensembles(predictions())["seed"])


def test_means_over_the_structures_of_a_compound_stand_beside_them() -> None:
    rows = [
        {"fold": fold, "part": "test", "structure_id": f"{compound}-{k}", "compound": compound, "predicted": value}
        for fold in (0, 1)
        for compound in ("SrTiO3", "BaTiO3")
        for k, value in enumerate((4.0, 4.2))
    ]
    table = pd.DataFrame(rows).assign(
        dataset="d", model="m", split="random", seed="0", property="p", unit="Å", true=4.1, std=np.nan
    )[list(COLUMNS)]
    both = with_compound_means(table)
    assert basis(both).tolist() == ["structure"] * 8 + ["compound"] * 4
    assert both["predicted"].iloc[8:].tolist() == pytest.approx([4.1] * 4)
    found = metrics(both).set_index("basis")
    assert found.loc["structure", "mae"] == pytest.approx(0.1)
    assert found.loc["compound", "mae"] == pytest.approx(0.0)
    one_each = table.drop_duplicates(["fold", "compound"])
    assert with_compound_means(one_each).equals(one_each)
    assert set(basis(one_each)) == {"compound"}
