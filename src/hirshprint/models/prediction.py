"""Predictions for new compounds with the networks of a folder that a training wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hirshprint.datasets import SITES, Dataset
from hirshprint.densities import Densities
from hirshprint.files import written_whole
from hirshprint.fingerprints import fingerprint_of, moments
from hirshprint.models.predictions import basis, calibrations, spread_size
from hirshprint.structures.crystals import cubic_perovskite
from hirshprint.structures.planning import initial_edges, prototype_id
from hirshprint.structures.structure import Structure

CARD = "model.json"
FORMAT = 1


class ModelError(ValueError):
    """A folder of models that cannot be used here; the message says why."""


def write_folder_card(folder: Path, dataset: Dataset, table: pd.DataFrame, definition: Mapping[str, Any]) -> None:
    """Write ``model.json``: what predictions with the networks in a folder need beside their own cards.

    Parameters
    ----------
    table : the predictions of their training.
    definition : how fingerprints are made: prototype (None for files), initial_edge, engine, densities, mesh_level,
        fingerprint (the configuration's section).
    """
    split = "random" if (table["split"] == "random").any() else str(table["split"].iloc[0])
    rows = table[(table["split"] == split) & (basis(table) == "compound") & (table["part"] == "validation")]
    joint = rows[rows["seed"].eq("ensemble") | ~rows["model"].isin(rows.loc[rows["seed"].eq("ensemble"), "model"])]
    error = (joint["predicted"] - joint["true"]).abs().groupby(joint["model"]).mean()
    found = calibrations(joint)
    card = {
        "format": FORMAT,
        "dataset": dataset.name,
        "property": dataset.property,
        "unit": dataset.unit,
        "split": split,
        "validation_mean_absolute_error": error.to_dict(),
        "calibrations": {
            model: of_model.set_index("fold")[["factor", "floor"]].agg(list, axis=1).to_dict()
            for model, of_model in found.groupby("model")
        },
        "elements": {site: sorted(set(symbols.tolist())) for site, symbols in dataset.elements.items()},
        **definition,
    }
    with written_whole(folder / CARD) as temporary:
        temporary.write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")


def read_folder_card(folder: Path) -> dict[str, Any]:
    """Read ``model.json``.

    Raises
    ------
    ModelError
        There is none, it is of another version, or predictions from a formula cannot be made with it.
    """
    try:
        card: dict[str, Any] = json.loads((folder / CARD).read_text(encoding="utf-8"))
    except OSError:
        raise ModelError(f"{folder}: no {CARD} in it; name the folder results/DATASET/models of a run") from None
    except ValueError as error:
        raise ModelError(f"{folder / CARD}: not JSON ({error}); train again") from None
    if card.get("format") != FORMAT:
        raise ModelError(f"{folder / CARD}: of format {card.get('format')}, this version reads {FORMAT}; train again")
    if card["prototype"] is None:
        raise ModelError(f"{folder}: trained on files; predictions are made from formulas of a prototype alone")
    if card["engine"] != "python":
        raise ModelError(f"{folder}: trained on surfaces of {card['engine']}; train with engine: python to predict")
    if not card["validation_mean_absolute_error"]:
        raise ModelError(f"{folder}: its training had no validation part to choose a network by")
    return card


def predict_compounds(
    folder: Path, card: Mapping[str, Any], compounds: Sequence[tuple[str, str, str]], densities: Densities
) -> pd.DataFrame:
    """Predict the property of compounds, elements on A, B and X, with the network of least validation error.

    All its folds and seeds are averaged. The standard deviation is the one to expect of a fold's ensemble, calibrated
    on validation parts, averaged over the folds.

    Returns
    -------
    One row per compound: formula, predicted, std, unseen (elements that training had on no such site, as ``A=Cs``).
    """
    from hirshprint.models import cgcnn, hybrid  # noqa: F401  Keras must know their layers
    from hirshprint.models.backend import keras

    errors = card["validation_mean_absolute_error"]
    model = min(errors, key=errors.get)
    dataset, structures = _dataset(compounds, card, densities, model)
    names = ["".join(elements) + "3" for elements in compounds]
    by_fold: dict[int, list[NDArray[np.float64]]] = {}
    for path in sorted(folder.glob(f"{model}-{card['split']}-fold*-seed*.json")):
        of_unit = json.loads(path.read_text(encoding="utf-8"))
        network = keras.models.load_model(path.with_suffix(".keras"))
        rows, inputs = _inputs(model, of_unit["inputs"], path.parent, dataset, structures)
        output = np.asarray(network(list(inputs), training=False))[:, 0]
        value = pd.Series(output * of_unit["target_sd"] + of_unit["target_mean"], dataset.compounds[rows])
        by_fold.setdefault(of_unit["fold"], []).append(value.groupby(level=0).mean()[names].to_numpy(np.float64))
    if not by_fold:
        raise ModelError(f"{folder}: no network {model} in it; train again")
    folds = [np.array(members) for members in by_fold.values()]
    sizes = []
    for fold, members in by_fold.items():
        factor, floor = card["calibrations"][model][str(fold)]
        spread = np.std(members, axis=0, ddof=1) if len(members) > 1 else np.zeros(len(names))
        sizes.append(factor * spread_size(spread, floor))
    seen = card["elements"]
    unseen = [
        " ".join(f"{s}={e}" for s, e in zip(SITES, elements, strict=True) if e not in seen[s]) for elements in compounds
    ]
    mean = np.mean([members.mean(axis=0) for members in folds], axis=0)
    return pd.DataFrame({"formula": names, "predicted": mean, "std": np.mean(sizes, axis=0), "unseen": unseen})


def _dataset(
    compounds: Sequence[tuple[str, str, str]], card: Mapping[str, Any], densities: Densities, model: str
) -> tuple[Dataset, list[Structure]]:
    """The compounds at the initial edges of the training, with the fingerprints that a network asks for."""
    from hirshprint.surfaces.python_engine import compute_surfaces

    structures, rows = [], []
    for elements in compounds:
        name = "".join(elements) + "3"
        for draw, edge in enumerate(initial_edges(name, card["initial_edge"])):
            structures.append(cubic_perovskite(elements, edge, prototype_id(name, edge)))
            rows.append((name, *elements, edge, draw))
    bins, settings = card["fingerprint"]["bins"]["count"], {**card["fingerprint"], "channels": ["total", "site"]}
    total, of_sites = np.zeros((len(rows), 1, bins, bins), np.float32), np.zeros((len(rows), len(SITES), 12))
    for k, structure in enumerate(structures if model != "cgcnn" else ()):
        surfaces = compute_surfaces(structure, densities, card["mesh_level"])
        counts = fingerprint_of(surfaces, settings, SITES)[0]
        total[k], of_sites[k] = counts[:1], moments(counts[1:])
    table = pd.DataFrame(rows, columns=["name", *SITES, "edge", "draw"])
    names = table["name"].to_numpy(str)
    dataset = Dataset(
        name=card["dataset"],
        property=card["property"],
        unit=card["unit"],
        structure_ids=np.array([structure.structure_id for structure in structures]),
        compounds=names,
        groups=names,
        elements={site: table[site].to_numpy(str) for site in SITES},
        formulas=names,
        initial_edges=table["edge"].to_numpy(np.float64),
        targets=np.zeros(len(rows)),
        draws=table["draw"].to_numpy(np.int64),
        counts=total,
        channels=("total",),
        moments=of_sites,
    )
    return dataset, structures


def _inputs(
    model: str, scaling: Mapping[str, Any], folder: Path, dataset: Dataset, structures: Sequence[Structure]
) -> tuple[NDArray[np.int64], tuple[NDArray[Any], ...]]:
    """Rows of the dataset and the inputs of one network for them, scaled as its card says."""
    from hirshprint.models.cnn import cnn_images
    from hirshprint.models.graphs import build_graphs, graph_batch
    from hirshprint.models.hybrid import scaled_inputs
    from hirshprint.models.readout import moment_rows, read_reader

    first = np.flatnonzero(dataset.draws == 0)
    if model == "cnn_paper":
        return first, (cnn_images(dataset)[first] / np.float32(scaling["divided_by"]),)
    if model == "cgcnn":
        used = first if scaling["draws"] == "first" else np.arange(len(structures))
        graphs = build_graphs([structures[int(row)] for row in used], scaling["radius_angstrom"])
        return used, graph_batch(graphs, np.arange(len(used)))
    rows, flat, edges = moment_rows(dataset)
    with np.load(folder / scaling["arrays"], allow_pickle=False) as arrays:
        if model == "readout":
            return rows, (read_reader(arrays).probabilities(flat, edges),)
        return rows, scaled_inputs({site: symbols[rows] for site, symbols in dataset.elements.items()}, flat, arrays)
