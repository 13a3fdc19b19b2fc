"""Trainings that start from a network that was trained before: the key `start_from`, the same for every network.

Whatever a network learns from, its module makes the inputs of a trained one (`NetworkModule.apply`): so the inputs are
scaled as those of the network that is started from. Its last layer must be linear with one output, and what it fits on
the training rows must stand on its card under one of `FITTED`; nothing else of a network is asked for.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hirshprint.datasets.gather import Dataset, DatasetError, samples
from hirshprint.datasets.target_scale import Target
from hirshprint.files.reading import read_json, read_npz
from hirshprint.networks.backend import load_network
from hirshprint.networks.cards import CARD, CARD_KEYS, DOMAIN, ModelError, start_name, unit_cards
from hirshprint.networks.interface import Applied, Fitted, Settings, Source, array_digest, module_of
from hirshprint.structures.structure import Structure
from hirshprint.structures.symbols import formula_key

LOG = logging.getLogger(__name__)
FITTED = ("divided_by", "arrays", "node_mean", "node_sd")  # keys of a card that hold what is fitted on training rows
TAKES_ALL = {"edges_angstrom": "any", "draws": "all"}  # values with which a network takes whatever is there

Weights = list[NDArray[Any]]


class Start(NamedTuple):
    """A trained network that trainings start from.

    Attributes
    ----------
    weights : list of ndarray
        Of the trained network, those of its output layer last.
    card : dict
        Its card.
    own_output : bool
        Whether the trainings learn another property, so that their output layer starts from random weights.
    fitted : Fitted
        Inputs of the new dataset, scaled as those of the trained network.
    told : dict
        What the cards of the new networks say of it.
    """

    weights: Weights
    card: dict[str, Any]
    own_output: bool
    fitted: Fitted
    told: dict[str, Any]

    def scaled(self, mean: float, sd: float, fresh: Weights) -> Weights:
        """Weights that predict the same for a target of this mean and standard deviation.

        Parameters
        ----------
        mean, sd : float
            Of the new target, in its unit.
        fresh : list of ndarray
            Random weights, of which the output layer is taken where another property is learned.
        """
        if self.own_output:
            return [*self.weights[:-2], *fresh[-2:]]
        old = float(self.card["target_mean"]), float(self.card["target_sd"])
        kernel = self.weights[-2] * (old[1] / sd)
        bias = (self.weights[-1] * old[1] + old[0] - mean) / sd
        return [*self.weights[:-2], kernel.astype(np.float32), bias.astype(np.float32)]

    def digest(self) -> str:
        """Digest of everything that a training takes from it."""
        arrays = [self.fitted.arrays[name] for name in sorted(self.fitted.arrays)]
        numbers = [float(self.card[key]) for key in ("target_mean", "target_sd")]
        text = repr([self.fitted.card.get("divided_by"), self.own_output, *numbers])
        return array_digest(np.array(text), *arrays, *self.weights)


def started(
    source: Source,
    model: str,
    settings: Settings,
    dataset: Dataset,
    structures: Sequence[Structure],
    seeds: Sequence[int],
) -> tuple[Source, dict[int, Start]]:
    """Find what the trainings of each seed start from; none where `start_from` is empty.

    Seed k takes the network at place k, counted round, in the order of the validation errors: 0 the best one. All
    folds of a seed start from the same.

    Parameters
    ----------
    source : Source
        What the network learns from.
    model : str
        Its name.
    settings : Settings
        Its section of the configuration.
    dataset : Dataset
        What is learned from.
    structures : sequence of Structure
        Every structure of the dataset, in any order.
    seeds : sequence of int
        Seeds of the trainings.

    Returns
    -------
    source : Source
        With the rows that the trained network takes.
    by_seed : dict of int to Start

    Raises
    ------
    DatasetError
        The folder has no such network, or one of other inputs or layers.
    """
    if not settings.start_from:
        return source, {}
    folder, place = Path(settings.start_from), f"learning: {model}: start_from: "
    try:
        cards = unit_cards(folder, model)
    except ModelError as error:
        raise DatasetError(f"{place}{error}") from None
    if not cards:
        raise DatasetError(f"{place}{folder} has no {model}; name the folder results/DATASET/models of a run that does")
    own = source.inputs_of(source.rows)
    told = _history(folder, dataset)
    by_seed: dict[int, Start] = {}
    rows = source.rows
    for path in dict.fromkeys(cards[seed % len(cards)] for seed in seeds):
        card = read_json(path, CARD_KEYS, unit=folder)
        _check_inputs(place, folder, card["inputs"], own.card, settings.written())
        _check_edges(place, folder, card["inputs"], dataset)
        weights = _weights(place, path, source)
        applied = _applied(place, model, card, folder, dataset, structures, source, own)
        rows, fitted = applied.rows, _fitted(applied, card, folder)
        kind = Target.of_card(card)
        same = (card["property"], card["unit"], kind) == (dataset.property, dataset.unit, dataset.target)
        of_card = {key: card[key] for key in ("dataset", "property", "unit")} | {"structures": card["rows"]["train"]}
        more = {"network": path.stem, "layers": "all" if same else "all but the output", **of_card, **told}
        more |= {"started_from": card["started_from"]} if card.get("started_from") else {}
        start = Start(weights, card, not same, fitted, more)
        by_seed |= {seed: start for seed in seeds if cards[seed % len(cards)] == path}
        LOG.info(_said(model, start, len(np.unique(samples(dataset)))))
    joined = source.joined and np.array_equal(rows, source.rows)
    return source._replace(rows=rows, joined=joined), by_seed


def _applied(
    place: str,
    model: str,
    card: Mapping[str, Any],
    folder: Path,
    dataset: Dataset,
    structures: Sequence[Structure],
    source: Source,
    own: Fitted,
) -> Applied:
    """Inputs as those of the trained network: the dataset's own where nothing in them was fitted."""
    if own.card == card["inputs"] and not set(own.card) & set(FITTED):
        return Applied(source.rows, lambda asked: own.inputs(source.rows[asked]))
    try:
        return module_of(model).apply(card["inputs"], folder, dataset, structures)
    except ModelError as error:
        raise DatasetError(f"{place}{error}; give this dataset the initial_edge that it learned at") from None


def _fitted(applied: Applied, card: Mapping[str, Any], folder: Path) -> Fitted:
    arrays = read_npz(folder / card["inputs"]["arrays"], unit=folder) if "arrays" in card["inputs"] else {}
    said = {key: value for key, value in card["inputs"].items() if key != "arrays"}  # each card names its own file
    return Fitted(lambda asked: applied.inputs(np.searchsorted(applied.rows, asked)), said, arrays)


def _check_inputs(
    place: str, folder: Path, theirs: Mapping[str, Any], own: Mapping[str, Any], written: Mapping[str, Any]
) -> None:
    """Refuse a network that saw something else, and say which key to write, or what to name."""
    for key in dict.fromkeys([*theirs, *own]):
        old, new = theirs.get(key), own.get(key)
        if key in FITTED or old == new or (key in TAKES_ALL and old == TAKES_ALL[key]):
            continue
        remedy = "give this dataset what that one has, or name other models"
        if key in written:  # what a card says may follow from a word: channels are named there, `auto` is written
            remedy = f"write {key}: {old}" if not isinstance(old, list) else f"write {key} so that it sees the same"
        raise DatasetError(f"{place}the network of {folder} has {key} {old}, here it is {new}; {remedy}")


def _check_edges(place: str, folder: Path, inputs: Mapping[str, Any], dataset: Dataset) -> None:
    """Refuse edges outside of those that a network of random edges knows, where the folder tells them."""
    rule = read_json(folder / CARD, unit=folder).get("initial_edge") if (folder / CARD).exists() else None
    if inputs.get("edges_angstrom") != TAKES_ALL["edges_angstrom"] or not rule or rule["kind"] != "random":
        return
    low, high = float(rule["low_angstrom"]), float(rule["high_angstrom"])
    if not ((dataset.initial_edges >= low) & (dataset.initial_edges <= high)).all():
        raise DatasetError(
            f"{place}the network of {folder} knows initial edges from {low} to {high} Å, and some of '{dataset.name}' "
            "are others; write an initial_edge within that range"
        )


def _weights(place: str, path: Path, source: Source) -> Weights:
    """Weights of a trained network that has the layers of the one that is to be trained."""
    old, new = load_network(path.with_suffix(".keras")), source.build()
    if len(old.layers) != len(new.layers):
        raise DatasetError(f"{place}the network of {path.parent} has other layers, of another version; train it again")
    for ours, theirs in zip(new.layers, old.layers, strict=True):
        shapes = [[tuple(weight.shape) for weight in layer.weights] for layer in (theirs, ours)]
        if shapes[0] != shapes[1]:
            name = re.sub(r"_\d+$", "", ours.name)  # Keras counts its layers on
            texts = [" and ".join(" × ".join(map(str, shape)) for shape in of_layer) for of_layer in shapes]
            raise DatasetError(
                f"{place}in the network of {path.parent} the layer {name} has weights of {texts[0]}, here of "
                f"{texts[1]}; write the same `fingerprint: bins` and channels, and the same initial edges, as there"
            )
    return list(old.get_weights())


def _history(folder: Path, dataset: Dataset) -> dict[str, Any]:
    """What the folder tells of the compounds that its networks have seen: None where it does not say."""
    seen: int | None = None
    if (folder / DOMAIN).exists():
        arrays = read_npz(folder / DOMAIN, unit=folder)
        if "formulas" in arrays:
            known = {formula_key(formula) for formula in arrays["formulas"].tolist()}
            by_sample = dict(zip(samples(dataset).tolist(), dataset.formulas.tolist(), strict=True))
            seen = sum(formula_key(formula) in known for formula in by_sample.values())
    return {"folder": str(folder), "name": start_name(folder), "compounds_seen": seen}


def _said(model: str, start: Start, compounds: int) -> str:
    """A line for the log."""
    told = start.told
    seen = told["compounds_seen"]
    line = f"{model}: starts from {told['network']} of {told['folder']}, which learned {told['property']} of "
    line += f"{told['structures']:,} structures of {told['dataset']}; layers taken: {told['layers']}"
    if seen is None:
        return f"{line}; the folder does not tell which compounds it has seen"
    same = "" if start.own_output else ", with a value of the same property: where it is the same datum, no test is one"
    return f"{line}; {seen:,} of the {compounds:,} samples here are of compounds in that dataset{same if seen else ''}"
