"""The card of a folder of models, and whether they fit what they are asked for (light: read with the Snakefile)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from hirshprint import versions
from hirshprint.config.model import TARGET_KEYS, Config, Dataset, Surfaces
from hirshprint.datasets.splits import TOLD_DRAWS
from hirshprint.files.reading import DamagedError, read_json
from hirshprint.files.writing import file_digest
from hirshprint.hirshfeld.registry import engine_named
from hirshprint.networks.registry import UnknownNameError, network
from hirshprint.structures.planning import has_property

CARD = "model.json"
BRIER = "validation_brier_score"
DOMAIN = "domain.npz"
CARD_KEYS = ("model", "fold", "seed", "target_mean", "target_sd", "inputs")
"""What the use of a network needs of its own card."""


class ModelError(ValueError):
    """A folder of models that cannot be used here; the message says why."""


def damage_text(folder: Path, error: DamagedError) -> str:
    """Say what is damaged in a folder of models that no run here makes, and what sets it right."""
    return f"{error.path} is damaged ({error.reason}); copy {folder} again from where it came, or train again"


def fingerprint_definition(
    dataset: Mapping[str, Any], surfaces: Mapping[str, Any], densities: str, fingerprint: Mapping[str, Any]
) -> dict[str, Any]:
    """What defines the fingerprints that a model learns from: others tell it nothing.

    Parameters
    ----------
    dataset : mapping
        The dataset's part of the configuration.
    surfaces : mapping
        `surfaces` of the configuration, with the engine that was chosen.
    densities : str
        `densities` of the configuration.
    fingerprint : mapping
        `fingerprint` of the configuration.
    """
    engine = engine_named(surfaces["engine"])
    return {
        "prototype": dataset.get("prototype"),
        "initial_edge": dataset.get("initial_edge"),
        "engine": engine.name,
        "mesh_level": engine.resolution(Surfaces.from_dict(surfaces)),  # in the unit of the engine: Tonto's are bohr
        "densities": densities,
        "fingerprint": {**fingerprint},
        "versions": {
            "surfaces": engine.algorithm,
            "densities": versions.DENSITIES,
            "format": versions.FINGERPRINT_FORMAT,
        },
    }


def read_folder_card(folder: Path, validated: bool = True) -> dict[str, Any]:
    """Read ``model.json``; with `validated`, one that says which of its networks is the best.

    Raises
    ------
    ModelError
        There is none, it is of another version, or it has a network that this version does not.
    DamagedError
        It is not as it was written.
    """
    if not (folder / CARD).exists():
        raise ModelError(f"{folder}: no {CARD} in it; name the folder results/DATASET/models of a run")
    card = read_json(folder / CARD, unit=folder)
    if card.get("format") != versions.MODEL_FORMAT:
        raise ModelError(
            f"{folder / CARD}: of format {card.get('format')}, this version reads {versions.MODEL_FORMAT}; train again"
        )
    if validated and not card["validation_mean_absolute_error"]:
        raise ModelError(
            f"{folder}: its training had no validation part to choose a network by; train again with `random` or "
            "`groups` among `learning: splits:`, and a `validation_fraction` above zero"
        )
    try:
        for name in (*card["validation_mean_absolute_error"], *networks_in(card)):
            network(name)
    except UnknownNameError as error:
        raise ModelError(f"{folder / CARD}: {error}") from None
    return card


def training_digests(folder: Path, which: str = "*-fold*-seed*") -> dict[str, str]:
    """Digest of each file of the trainings in a folder of models: cards, weights, and arrays where they have some."""
    paths = sorted(folder.glob(f"{which}.*"))
    return {path.name: file_digest(path) for path in paths if path.suffix in {".json", ".keras", ".npz"}}


def networks_in(card: Mapping[str, Any]) -> list[str]:
    """Name the networks whose trainings a folder of models holds."""
    return sorted({name.split("-")[0] for name in card.get("trainings", {})})


def unit_cards(folder: Path, model: str) -> list[Path]:
    """Cards of the trainings of a network, lowest validation error first; of the main split where the folder tells.

    Raises
    ------
    DamagedError
        The trainings in the folder are not those that it was written with.
    """
    card = read_json(folder / CARD, unit=folder) if (folder / CARD).exists() else {}
    which = f"{model}-{card.get('split', '*')}-fold*-seed*"
    if card:
        written = {name: of for name, of in card["trainings"].items() if fnmatch(name, f"{which}.*")}
        found = training_digests(folder, which)
        for name in sorted(found | written):
            if name not in found:
                raise DamagedError(folder / name, "it is not there", folder)
            if found[name] != written.get(name):
                raise DamagedError(folder / name, "it is not what the folder was written with", folder)
    errors = {}
    for path in sorted(folder.glob(f"{which}.json")):
        error = read_json(path, CARD_KEYS, unit=folder).get("mean_absolute_error", {}).get("validation")
        errors[path] = math.inf if error is None else float(error)
    return sorted(errors, key=lambda path: errors[path])


def start_name(folder: Path) -> str:
    """Name of what a folder of models learned from, for texts: that of the dataset in ``results/DATASET/models``."""
    return folder.parent.name if folder.name == "models" else folder.name


def starts(datasets: Mapping[str, Dataset], name: str) -> list[tuple[str, Path, str]]:
    """What the trainings of a dataset start from.

    Parameters
    ----------
    datasets : mapping of str to Dataset
        All of the run.
    name : str
        Which of them.

    Returns
    -------
    list of tuple (str, Path, str)
        Network, folder of models, and the dataset of this run that these are of: empty for those of an earlier run.
    """
    learning = datasets[name].learning
    if not has_property(datasets[name]):
        return []
    made = {Path(f"results/{other}/models").resolve(): other for other in datasets}
    asked = {model: str(getattr(learning, model).start_from) for model in learning.networks}
    return [(model, Path(place), made.get(Path(place).resolve(), "")) for model, place in asked.items() if place]


def start_names(config: Mapping[str, Any], name: str) -> dict[str, str]:
    """Networks of a dataset that start from others, each with the name of what those learned from (`start_name`)."""
    return {model: start_name(folder) for model, folder, _ in starts(Config.from_dict(config).datasets, name)}


def check_starts(config: Config) -> None:
    """Check, before anything is computed, that what trainings start from is there and fits.

    Parameters
    ----------
    config : Config
        Complete, with the engine that was chosen.

    Raises
    ------
    ModelError
        A folder without models or without the network, models of other fingerprints, or of datasets that wait for each
        other.
    """
    for name in config.datasets:
        for model, folder, other in starts(config.datasets, name):
            place = f"learning: {model}: start_from: "
            if other:
                _check_start_in_run(config, name, model, other)
                continue
            try:
                card = read_folder_card(folder, validated=False)
                if model not in (known := networks_in(card)):
                    raise ModelError(f"{folder} has no {model}, only {', '.join(known)}; train it there first")
                _check_start_inputs(config.datasets[name], name, model, folder)
                if "fingerprint" in network(model).sees:
                    parts = ("surfaces", "fingerprint")
                    surfaces, fingerprint = (getattr(config, part).written() for part in parts)
                    own = fingerprint_definition({}, surfaces, config.densities, _without_channels(fingerprint))
                    check_fits(folder, card | {"fingerprint": _without_channels(card["fingerprint"])}, own)
            except ModelError as error:
                raise ModelError(f"{place}{error}") from None
            except DamagedError as error:
                raise ModelError(f"{place}{damage_text(folder, error)}") from None


def _check_start_inputs(dataset: Dataset, name: str, model: str, folder: Path) -> None:
    """Check that a dataset is built at the initial edges, and a graph with the radius, that a network learned from.

    What a table's own column of edges says is not known here.
    """
    seen = read_json(unit_cards(folder, model)[0], CARD_KEYS, unit=folder)["inputs"]
    own = getattr(dataset.learning, model).written()
    if (radius := seen.get("radius_angstrom")) is not None and radius != own["radius_angstrom"]:
        raise ModelError(
            f"{folder} has radius_angstrom {radius}, here it is {own['radius_angstrom']}; write "
            f"radius_angstrom: {radius} under learning: {model}:"
        )
    theirs, rule = seen.get("edges_angstrom"), dataset.initial_edge
    if not isinstance(theirs, list) or rule is None:
        return
    edges = {"fixed": [rule.edge_angstrom], "list": sorted(rule.edges_angstrom or [])}
    if (ours := edges.get(rule.kind)) != theirs:
        built = f"{ours} Å" if ours else f"{rule.kind} ones"
        write = (
            f"kind: fixed, edge_angstrom: {theirs[0]}" if len(theirs) == 1 else f"kind: list, edges_angstrom: {theirs}"
        )
        raise ModelError(
            f"{folder} learned at the initial edges {theirs} Å, dataset {name} is built at {built}; write "
            f"initial_edge: {{{write}}} under datasets: {name}:"
        )


def _without_channels(fingerprint: Mapping[str, Any]) -> dict[str, Any]:
    """What defines a fingerprint, whatever its channels: a network sees those that it needs."""
    return {key: value for key, value in fingerprint.items() if key != "channels"}


def _check_start_in_run(config: Config, name: str, model: str, other: str) -> None:
    """Check that a dataset of the same run trains the network, and waits for none that waits for it."""
    place, results = f"learning: {model}: start_from: ", f"results/{other}/models"
    where = f"write it under `datasets.NAME.learning.{model}` of the dataset that is to start from it"
    if not has_property(config.datasets[other]):
        raise ModelError(f"{place}{results}: nothing is learned from dataset {other}; name one with a property")
    if model not in config.datasets[other].learning.networks:
        raise ModelError(f"{place}{results}: dataset {other} trains no {model}; add it to its `learning: networks:`")
    reached, left = set(), [other]
    while left:
        reached.add(at := left.pop())
        left += [more for _, _, more in starts(config.datasets, at) if more and more not in reached]
    if name in reached:
        raise ModelError(f"{place}{results}: the trainings of dataset {name} would wait for themselves; {where}")


def with_network(folder: Path, card: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Card of a folder as if it had one network alone.

    Raises
    ------
    ModelError
        It has none of this name; the message lists those that it has, with their validation errors.
    """
    kind, errors = errors_of(card)
    if name not in errors:
        unit = "" if kind == BRIER else f" {card['unit']}"
        texts = [f"{known} ({errors[known]:.4f}{unit})" for known in sorted(errors, key=lambda one: errors[one])]
        raise ModelError(f"{folder} has no network {name}; write one of these (validation error): {', '.join(texts)}")
    return {**card, kind: {name: errors[name]}}


def errors_of(card: Mapping[str, Any]) -> tuple[str, dict[str, float]]:
    """Key of the validation errors that networks are chosen by, and these: of answers Brier scores."""
    kind = BRIER if BRIER in card else "validation_mean_absolute_error"
    return kind, card[kind]


def best_network(card: Mapping[str, Any]) -> str:
    """Name the network with the least validation error."""
    errors = errors_of(card)[1]
    return min(errors, key=lambda model: errors[model])


def told_edges(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Rule of the initial edges that predictions are made for: of random ones the first `TOLD_DRAWS`.

    Parameters
    ----------
    rule : mapping
        ``initial_edge`` of the dataset that was learned from.
    """
    return {**rule, "draws": min(rule["draws"], TOLD_DRAWS)} if rule["kind"] == "random" else {**rule}


def needed_edges(card: Mapping[str, Any]) -> dict[str, Any] | None:
    """Rule of the initial edges that the best network looks at: of a list, some look at the first alone."""
    rule: dict[str, Any] | None = card["initial_edge"]
    if rule is None or rule["kind"] != "list" or not network(best_network(card)).one_edge:
        return None if rule is None else told_edges(rule)
    return rule | {"edges_angstrom": rule["edges_angstrom"][:1]}


def check_fits(folder: Path, card: Mapping[str, Any], definition: Mapping[str, Any]) -> None:
    """Check that fingerprints of this definition are those that the models learned from.

    Raises
    ------
    ModelError
        Naming everything that differs.
    """
    faults = _differences(card, definition, ("engine", "mesh_level", "densities", "fingerprint", "versions"))
    if faults:
        raise ModelError(
            f"{folder}: it learned from other fingerprints: {'; '.join(faults)}; configure what the model has, "
            "or train it again"
        )


def _differences(
    of_model: Mapping[str, Any], given: Mapping[str, Any], keys: tuple[str, ...], place: str = ""
) -> list[str]:
    found = []
    for key in keys:
        one, other = of_model.get(key), given.get(key)
        if isinstance(one, dict) and isinstance(other, dict):
            found += _differences(one, other, tuple(dict.fromkeys([*one, *other])), f"{place}{key}.")
        elif one != other and not (isinstance(one, list) and isinstance(other, list) and sorted(one) == sorted(other)):
            found.append(f"{place}{key} is {one} in the model, here {other}")
    return found


def complete_predicted(config: Mapping[str, Any]) -> dict[str, Any]:
    """Give the datasets that are predicted the prototype, initial edge, property and unit of their model.

    Parameters
    ----------
    config : mapping
        A complete configuration, with the engine that was chosen.

    Returns
    -------
    dict
        Its datasets.

    Raises
    ------
    ModelError
        A model that does not exist, was not made for such datasets, or learned from other fingerprints.
    """
    datasets = dict(config["datasets"])
    for name, dataset in datasets.items():
        if "model" not in dataset:
            continue
        place, model = f"datasets.{name}.model", dataset["model"]
        if model in datasets:
            of_model = datasets[model]
            if not has_property(Dataset.from_dict(of_model)):
                raise ModelError(f"{place}: nothing is learned from dataset {model}; name one with a property")
        else:
            try:
                of_model = read_folder_card(Path(model))
                own = fingerprint_definition(of_model, config["surfaces"], config["densities"], config["fingerprint"])
                check_fits(Path(model), of_model, own)
            except ModelError as error:
                raise ModelError(f"{place}: {error}") from None
            except DamagedError as error:
                raise ModelError(f"{place}: {damage_text(Path(model), error)}") from None
        of_prototype = of_model.get("prototype")
        if bool(of_prototype) == bool({"folder", "structures"} & set(dataset)):
            wanted = "`table` or `elements`" if of_prototype else "`folder` or `structures`"
            learned = f"the prototype {of_prototype}" if of_prototype else "files"
            raise ModelError(f"{place}: it learned from {learned}: name the new compounds by {wanted}")
        keys = ("prototype", "property", "unit", *TARGET_KEYS)
        datasets[name] = dataset | {key: of_model[key] for key in keys if of_model.get(key)}
        if rule := of_model.get("initial_edge"):
            datasets[name]["initial_edge"] = told_edges(rule)
    return datasets
