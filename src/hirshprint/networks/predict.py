"""Predictions for new compounds with the networks of a folder that a training wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree

import hirshprint
from hirshprint import versions
from hirshprint.accuracy.predictions import basis, main_split
from hirshprint.accuracy.uncertainty import answer_std, expected_std, fit_std, in_decades, occupants, of_value
from hirshprint.datasets.gather import Dataset, first_rows, total_moments
from hirshprint.datasets.target_scale import Target, rows_of
from hirshprint.files.reading import read_json, read_npz, sealed_json
from hirshprint.files.writing import digest, written_whole
from hirshprint.networks.cards import CARD, CARD_KEYS, DOMAIN, ModelError, best_network, training_digests, unit_cards
from hirshprint.structures.structure import Structure
from hirshprint.structures.symbols import composition, formula_key

if TYPE_CHECKING:
    from hirshprint.networks.interface import Inputs

AT_ONCE = 64
"""Rows that a network predicts at a time, always as many, so that rounding does not depend on what else is asked."""

DOMAIN_QUANTILE = 0.99
"""Farther from training than this share of the training samples are from their nearest neighbour counts as outside."""


def write_folder_card(
    folder: Path, dataset: Dataset, table: pd.DataFrame, definition: Mapping[str, Any], fingerprints: str | Path
) -> None:
    """Write ``model.json`` and ``domain.npz``: what predictions with the networks need beside their own cards.

    Parameters
    ----------
    folder : Path
        Folder of the models.
    dataset : Dataset
        What the models learned from.
    table : DataFrame
        The predictions of their training.
    definition : mapping
        How fingerprints are made, `cards.fingerprint_definition`.
    fingerprints : str or Path
        File of the dataset's fingerprints.
    """
    split = main_split(table)
    of_split = table[(table["split"] == split) & (table["part"] != "test")]
    whole = basis(of_split) == "compound"
    of_files = ~of_split["model"].isin(of_split.loc[whole, "model"])  # several files of a compound each stand alone
    rows = of_split[whole | of_files]
    logarithmic = dataset.target.scale == "log"
    joint = rows[rows["seed"].eq("ensemble") | ~rows["model"].isin(rows.loc[rows["seed"].eq("ensemble"), "model"])]
    validation = joint[joint["part"] == "validation"]
    error = (validation["predicted"] - validation["true"]).abs().groupby(validation["model"]).mean()
    brier = ((validation["predicted"] - validation["true"]) ** 2).groupby(validation["model"]).mean()
    made_of = dict(zip(dataset.compounds.tolist(), _made_of(dataset), strict=True))
    samples = dict(zip(dataset.structure_ids.tolist(), dataset.targets.tolist(), strict=True))
    card = {
        "format": versions.MODEL_FORMAT,
        "hirshprint": hirshprint.__version__,
        "dataset": dataset.name,
        "property": dataset.property,
        "unit": dataset.unit,
        **dataset.target.written(),
        "split": split,
        "trainings": training_digests(folder),
        "validation_mean_absolute_error": error.to_dict(),
        **({"validation_brier_score": brier.to_dict()} if dataset.target.answers else {}),
        "expected_std": {}
        if dataset.target.answers
        else {
            model: {str(fold): fit_std(of_fold, made_of) for fold, of_fold in of_model.groupby("fold")}
            for model, of_model in (in_decades(joint) if logarithmic else joint).groupby("model")
        },
        "elements": {site: sorted(set(symbols.tolist())) for site, symbols in seen_elements(dataset).items()},
        "training_set": {"structures": len(samples), "compounds": len(set(made_of)), "digest": digest(samples)},
        **definition,
    }
    points = total_moments(fingerprints, dataset.structure_ids[first_rows(dataset)].tolist())
    mean, sd = points.mean(axis=0), points.std(axis=0)
    known = _standardised(points, mean, sd)
    nearest = cKDTree(known).query(known, k=2)[0][:, 1] if len(known) > 1 else np.ones(1)
    with written_whole(folder / DOMAIN) as temporary, temporary.open("wb") as file:
        limit, formulas = np.quantile(nearest, DOMAIN_QUANTILE), np.unique(dataset.formulas)
        np.savez(file, mean=mean, sd=sd, known=known, limit=limit, formulas=formulas)
    with written_whole(folder / CARD) as temporary:
        temporary.write_text(json.dumps(sealed_json(card), indent=1) + "\n", encoding="utf-8")


def predict_dataset(
    folder: Path,
    card: Mapping[str, Any],
    dataset: Dataset,
    structures: Sequence[Structure],
    fingerprints: str | Path,
) -> pd.DataFrame:
    """Predict the property of compounds with the network of least validation error.

    All its folds and seeds are averaged. The standard deviation is the one to expect of a fold's ensemble
    (`uncertainty.expected_std`), averaged over the folds; of answers that of the probability (`answer_std`).

    Parameters
    ----------
    folder : Path
        Folder of the models.
    card : mapping
        `cards.read_folder_card` of the folder.
    dataset : Dataset
        With what `registry.needed_of_fingerprints` says of that network; its targets are not read.
    structures : sequence of Structure
        Every structure of the dataset, in any order.
    fingerprints : str or Path
        File of the dataset's fingerprints.

    Returns
    -------
    DataFrame
        One row per compound (of a dataset from files, per structure), sorted by name: name, formula, the sites,
        predicted, std, spread (standard deviation of what the networks of all folds and seeds say), unseen (elements
        that training had on no such site, as ``A=Cs``), fingerprint_distance (to the nearest training sample;
        `DOMAIN_QUANTILE` of these are nearer to each other than 1), outside_domain (whether either is the case),
        in_training (whether the composition is one that was learned from; another polymorph counts as well).
    """
    from hirshprint.networks.backend import load_network
    from hirshprint.networks.interface import module_of

    model = best_network(card)
    module = module_of(model)
    from_files = not np.isfinite(dataset.initial_edges).any()
    name_of = dataset.structure_ids if from_files else dataset.compounds
    target = Target.of_card(card)
    atoms = target.atoms_of(structures, dataset.structure_ids.tolist())
    network = None
    by_fold: dict[int, list[pd.Series[float]]] = {}
    for path in sorted(unit_cards(folder, model)):
        of_unit = read_json(path, CARD_KEYS, unit=folder)
        network = load_network(path.with_suffix(".keras"), network)
        rows, inputs = module.apply(of_unit["inputs"], path.parent, dataset, structures)
        output = _outputs(network, inputs, len(rows))
        said = target.linked(output.astype(np.float64) * of_unit["target_sd"] + of_unit["target_mean"])
        value = pd.Series(target.stated(said, rows_of(atoms, rows)), name_of[rows])
        by_fold.setdefault(of_unit["fold"], []).append(value.groupby(level=0).mean())
    if not by_fold:
        raise ModelError(f"{folder}: no network {model} in it; train again")
    names = next(iter(by_fold.values()))[0].index.to_numpy(str)
    folds = {fold: np.array([member.to_numpy() for member in members]) for fold, members in by_fold.items()}
    by_draw = np.argsort(-dataset.draws, kind="stable")
    row_of = dict(zip(name_of[by_draw].tolist(), by_draw.tolist(), strict=True))  # the first draw comes last, and stays
    shown = np.array([row_of[name] for name in names.tolist()])
    made_of = _made_of(dataset)
    of_rows = [made_of[row] for row in shown]
    predicted = np.mean([members.mean(axis=0) for members in folds.values()], axis=0)
    std = _expected(card["expected_std"].get(model, {}), target, folds, of_rows, predicted)
    distance = pd.Series(_domain_distance(folder, dataset, fingerprints), name_of[first_rows(dataset)]).reindex(names)
    unseen = _unseen(of_rows, card["elements"])
    known = {formula_key(text) for text in read_npz(folder / DOMAIN, ("formulas",), unit=folder)["formulas"].tolist()}
    return pd.DataFrame(
        {
            "name": names,
            "formula": dataset.formulas[shown],
            **{site: symbols[shown] for site, symbols in dataset.elements.items()},
            "predicted": predicted,
            "std": std,
            "spread": np.std(np.concatenate(list(folds.values())), axis=0),
            "unseen": unseen,
            "fingerprint_distance": distance.to_numpy(),
            "outside_domain": (np.array(unseen) != "") | ~(distance.to_numpy() <= 1),
            "in_training": [formula_key(formula) in known for formula in dataset.formulas[shown].tolist()],
        }
    )


def _expected(
    fitted: Mapping[str, Any],
    target: Target,
    folds: Mapping[int, NDArray[np.float64]],
    of_rows: Sequence[Sequence[str]],
    predicted: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Standard deviation to expect (n,): the mean over the folds that had something to fit it on; NaN if none had."""
    if target.answers:
        return answer_std(predicted)
    logarithmic, sizes = target.scale == "log", []
    for fold, values in folds.items():
        members = np.log10(values) if logarithmic else values
        spread = np.std(members, axis=0, ddof=1) if len(members) > 1 else np.zeros(len(predicted))
        if (of_fold := fitted[str(fold)]) is not None:
            sizes.append(expected_std(of_fold, spread, of_rows))
    std = np.mean(sizes, axis=0) if sizes else np.full(len(predicted), np.nan)
    return of_value(std, predicted) if logarithmic else std


def _outputs(network: Any, inputs: Inputs, count: int) -> NDArray[np.float32]:
    """What a network gives for each row, (count,); the last rows are repeated to fill up a batch."""
    if not count:
        return np.zeros(0, np.float32)
    every = np.minimum(np.arange(-(-count // AT_ONCE) * AT_ONCE), count - 1)
    parts = [np.asarray(network(list(inputs(part)), training=False))[:, 0] for part in every.reshape(-1, AT_ONCE)]
    return np.concatenate(parts)[:count]


def result_table(found: pd.DataFrame, property_name: str) -> pd.DataFrame:
    """Name the columns of predictions after the property, its unit at their end where the property names one."""
    stem, ending = ("a", "_angstrom") if property_name == "a_angstrom" else (property_name, "")
    return found.rename(columns={name: f"{stem}_{name}{ending}" for name in ("predicted", "std", "spread")})


def seen_elements(dataset: Dataset) -> dict[str, NDArray[np.str_]]:
    """Elements by site; without named sites all of them under an empty name."""
    if dataset.elements:
        return dataset.elements
    return {"": np.array(sorted({symbol for formula in dataset.formulas.tolist() for symbol in composition(formula)}))}


def _made_of(dataset: Dataset) -> list[list[str]]:
    return occupants(dataset.formulas.tolist(), {site: of.tolist() for site, of in dataset.elements.items()})


def _standardised(
    points: NDArray[np.float64], mean: NDArray[np.float64], sd: NDArray[np.float64]
) -> NDArray[np.float64]:
    scaled: NDArray[np.float64] = (points - mean) / np.where(sd > 0, sd, 1.0)
    return scaled


def _domain_distance(folder: Path, dataset: Dataset, fingerprints: str | Path) -> NDArray[np.float64]:
    """Distance of each sample's fingerprint to the nearest of training, in units of the limit of the domain."""
    arrays = read_npz(folder / DOMAIN, ("mean", "sd", "known", "limit"), unit=folder)
    moments = total_moments(fingerprints, dataset.structure_ids[first_rows(dataset)].tolist())
    points = _standardised(moments, arrays["mean"], arrays["sd"])
    nearest = cKDTree(arrays["known"]).query(points)[0]
    distance: NDArray[np.float64] = nearest / max(float(arrays["limit"]), 1e-12)
    return distance


def _unseen(of_rows: Sequence[Sequence[str]], seen: Mapping[str, Sequence[str]]) -> list[str]:
    """What of each row (`occupants`) is not among `seen_elements`."""
    known = {f"{site}={symbol}" if site else symbol for site, symbols in seen.items() for symbol in symbols}
    return [" ".join(part for part in parts if part not in known) for parts in of_rows]
