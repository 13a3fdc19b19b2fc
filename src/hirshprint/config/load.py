"""The configuration: checked against its model, completed with defaults (light: read while the Snakefile is parsed)."""

from __future__ import annotations

import copy
import os
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from hirshprint.config.faults import DATASET_KEYS, EDGE_KEYS, complete_faults, cross_faults
from hirshprint.config.files import ConfigFileError, comma_lists, read_config_file, repeated_keys
from hirshprint.config.keys import json_schema, keys_of
from hirshprint.config.learning import Learning
from hirshprint.config.messages import value_faults, with_text_keys
from hirshprint.config.model import Config, Dataset, InitialEdge
from hirshprint.networks.cards import ModelError, complete_predicted
from hirshprint.structures.sources.targets import ANSWER_UNIT, UNIT_UNKNOWN

EDGE_PROPERTY = "a_angstrom"  # the default, in Å
PATHS = {"table", "folder", "structures", "targets", "model"}  # keys of a dataset
FRACTIONS = {  # keys of lists of numbers that need not be whole
    name for section in (InitialEdge, Learning) for name, (kind, _) in keys_of(section).items() if kind == list[float]
}


class ConfigError(ValueError):
    """A configuration that cannot be used; the message lists every fault, the key and what to write instead."""


def resolve_config(config: dict[str, Any], files: Iterable[str | Path] = ()) -> dict[str, Any]:
    """Check a configuration and return a copy with every default filled in.

    Parameters
    ----------
    config : dict
        The configuration as Snakemake read it.
    files : iterable of str or Path, optional
        The files that it was read from, to look for keys that are written twice.

    Raises
    ------
    ConfigError
        Naming each wrong or unknown key, with the nearest right one.
    """
    paths = [Path(path) for path in files]
    faults = [fault for path in paths for fault in [*repeated_keys(path), *comma_lists(path, FRACTIONS)]]
    config, of_keys = with_text_keys(config)
    config, of_paths = _with_paths(config)
    faults += of_keys + of_paths
    faults += value_faults(config, json_schema(Config)) or cross_faults(config)
    resolved = copy.deepcopy(config)
    if not faults:
        for dataset in resolved["datasets"].values():  # only the edge has its unit in its name
            if dataset.get("values") == "yes_no":
                dataset["unit"] = ANSWER_UNIT
            if dataset.get("property", EDGE_PROPERTY) != EDGE_PROPERTY and "model" not in dataset:
                dataset.setdefault("unit", UNIT_UNKNOWN)
        _fill(resolved, json_schema(Config))
        faults = complete_faults(Config.from_dict(resolved))
    if faults:
        raise ConfigError("The configuration cannot be used:\n" + "\n".join(f"  - {fault}" for fault in sorted(faults)))
    return resolved


def _with_paths(config: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Put paths given on the command line (``--config KEY=PATH``) where a dataset asks for them by ``{KEY}``.

    ``{KEY:PATH}`` asks for one that may be given, and is PATH where it is not. A dataset that asks by ``{KEY?}`` is
    left out where it is not given. Second: those that are not given.
    """
    filled = copy.deepcopy(config)
    used, faults = set(), []
    left_out: dict[str, Any] = {}
    datasets = filled["datasets"] if isinstance(filled.get("datasets"), dict) else {}
    for name, dataset in list(datasets.items()):
        for place in sorted(PATHS & set(dataset if isinstance(dataset, dict) else ())):
            match = re.fullmatch(r"\{(\w+)(\?|:(.+))?\}", str(dataset[place]))
            if match is None:
                continue
            path = config.get(match[1])
            used.add(match[1])
            if isinstance(path, (dict, list, bool)):
                faults.append(
                    f"`{match[1]}`: must be the path for `datasets.{name}.{place}`; add --config {match[1]}=PATH"
                )
            elif not path and match[2] == "?":
                left_out[match[1]] = datasets.pop(name, dataset)
            elif not path and not match[3]:
                faults.append(
                    f"`datasets.{name}.{place}`: its path is not given; "
                    f"add --config {match[1]}=PATH, or write the path there{where_from(dataset)}"
                )
            else:
                dataset[place] = str(path or match[3])
    if left_out and not datasets:
        asked = " ".join(f"{key}=PATH" for key in left_out)
        faults.append(f"`datasets`: no path is given for any of them; add --config {asked}, or some of these")
    return {
        key: value for key, value in filled.items() if key not in used or key in json_schema(Config)["properties"]
    }, faults


def where_from(dataset: Mapping[str, Any]) -> str:
    """Say, at the end of a message, where the input of a dataset comes from, if the configuration does."""
    return f".\n    Where it comes from: {' '.join(str(dataset['source']).split())}" if dataset.get("source") else ""


def resolve_engine(config: dict[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """Return a copy of a complete configuration with the surface engine chosen and the place of Tonto filled in.

    A second call changes nothing, on any machine: jobs use the engine that the head process chose.

    Raises
    ------
    ConfigError
        Tonto is asked for, and none is configured or the densities are not its own.
    """
    resolved = copy.deepcopy(config)
    surfaces, tonto = resolved["surfaces"], resolved["surfaces"]["tonto"]
    binary = tonto["binary"] or environment.get("HIRSHPRINT_TONTO", "")
    own = config["densities"] == "thakkar"
    if surfaces["engine"] == "auto":
        surfaces["engine"] = "tonto" if binary and own else "python"
    if surfaces["engine"] == "tonto" or surfaces["compare_structures"]:
        wanted = "`surfaces.engine: tonto`" if surfaces["engine"] == "tonto" else "`surfaces.compare_structures`"
        if not binary:
            raise ConfigError(
                f"{wanted} needs a Tonto: give its path as `surfaces.tonto.binary` or in the environment variable "
                "HIRSHPRINT_TONTO, or write `engine: python` and `compare_structures: 0` under `surfaces`"
            )
        if not own:
            raise ConfigError(f"{wanted}: Tonto has the densities thakkar only; write `densities: thakkar`")
        found = shutil.which(str(Path(binary).expanduser())) or str(Path(binary).expanduser())
        tonto["binary"] = str(Path(found).absolute())
        basis = tonto["basis_directory"] or environment.get("TONTO_BASIS_SET_DIRECTORY", "")
        beside = Path(tonto["binary"]).resolve().parent.parent / "share/tonto/basis_sets"
        basis = basis or (str(beside) if beside.is_dir() else "")
        tonto["basis_directory"] = str(Path(basis).expanduser().absolute()) if basis else ""
    return resolved


def read_datasets(paths: Sequence[Path], given: Sequence[str] = ()) -> dict[str, Dataset]:
    """Read the datasets of a configuration, with every default and what comes with their models filled in.

    Parameters
    ----------
    paths : sequence of Path
        Its files; a later one adds to those before it, or takes the place of what they say, as in Snakemake.
    given : sequence of str
        What the command line adds, each as ``KEY=VALUE``.

    Raises
    ------
    ConfigError
        If a file is missing, or the whole cannot be used.
    """
    config: dict[str, Any] = {}
    try:
        for path in paths:
            _add(config, read_config_file(path))
        for text in given:
            key, equals, value = text.partition("=")
            if not (key and equals):
                raise ConfigError(f"--config {text}: write KEY=VALUE")
            _add(config, {key: yaml.safe_load(value)})
        resolved = resolve_config(config, paths)
    except ConfigFileError as error:
        raise ConfigError(str(error)) from None
    except yaml.YAMLError:
        raise ConfigError(f"--config {text}: its value is no YAML") from None
    if not any("model" in dataset for dataset in resolved["datasets"].values()):
        return Config.from_dict(resolved).datasets
    try:
        datasets = complete_predicted(resolve_engine(resolved, os.environ))
        return Config.from_dict({**resolved, "datasets": datasets}).datasets
    except ModelError as error:
        raise ConfigError(str(error)) from None


def _add(config: dict[str, Any], more: Mapping[str, Any]) -> None:
    """Add a configuration to another, in place: sections key by key, as Snakemake does."""
    for key, value in more.items():
        if isinstance(value, Mapping) and isinstance(config.get(key), dict):
            _add(config[key], value)
        else:
            config[key] = copy.deepcopy(value)


def _fill(value: dict[str, Any], schema: dict[str, Any]) -> None:
    """Fill defaults of the schema into `value`, in place; of a dataset only what its kind uses."""
    properties = schema.get("properties", {})
    for key, part in properties.items():
        if key in DATASET_KEYS["table"] and {"folder", "structures", "elements", "model"} & set(value):
            continue
        if key == "property" and "structures" in value and "targets" not in value:
            continue  # no field of it is learned from unless it is named
        if "kind" in properties and key != "kind" and key not in EDGE_KEYS.get(value["kind"], set()):
            continue
        if "default" in part:
            value.setdefault(key, copy.deepcopy(part["default"]))
        if isinstance(value.get(key), dict) and ("default" in part or "properties" not in part):
            _fill(value[key], part)  # else a section's keys for one dataset, and no more than it says
    if isinstance(schema.get("additionalProperties"), dict):
        for part in value.values():
            _fill(part, schema["additionalProperties"])
