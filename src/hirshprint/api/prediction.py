"""Predictions for new crystals with the networks that a run trained: the stages of a run, in this process."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from hirshprint.api.compiled import compile_for_library
from hirshprint.api.defaults import check_installed
from hirshprint.api.densities import find_densities
from hirshprint.config.model import Dataset, Fingerprint, InitialEdge
from hirshprint.densities import Densities
from hirshprint.files.reading import DamagedError, read_json
from hirshprint.files.writing import digest
from hirshprint.hirshfeld.registry import PYTHON
from hirshprint.machine import cores
from hirshprint.networks.cards import (
    ModelError,
    best_network,
    check_fits,
    damage_text,
    fingerprint_definition,
    needed_edges,
    read_folder_card,
    unit_cards,
    with_network,
)
from hirshprint.remarks import remark_lines
from hirshprint.structures.entries import Entry, InputError, Plan, Rejection, passed_over_text
from hirshprint.structures.planning import plan_dataset
from hirshprint.structures.prototypes import PrototypeError, find_prototype
from hirshprint.structures.sources.collections import has_many
from hirshprint.structures.sources.folders import file_entry, structure_kind
from hirshprint.structures.structure import Structure
from hirshprint.telling import told

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]
Say = Callable[[str], None]
OWN_MODELS = Path(__file__).parents[3] / "models/oqmd"


class Asked(NamedTuple):
    """What is to be predicted: formulas, a table of compounds, and files or folders of crystals."""

    formulas: Sequence[str] = ()
    table: Path | None = None
    files: Sequence[Path] = ()


class Found(NamedTuple):
    """What was predicted.

    Attributes
    ----------
    table : pandas.DataFrame
        A row for each compound, in the order of what was asked.
    left_out : list of Rejection
        What could not be.
    names : dict of str to str
        Name in the table of each crystal from a file, by its id: on a prototype it has that of its compound.
    """

    table: pd.DataFrame
    left_out: list[Rejection]
    names: dict[str, str]


def open_models(folder: Path | None, network: str | None) -> tuple[Path, Row]:
    """Read the card of a folder of models, as if it had the network alone that predicts.

    Parameters
    ----------
    folder : Path, optional
        By default the models that come with hirshprint.
    network : str, optional
        By default that of the lowest validation error.

    Raises
    ------
    ModelError
        A folder that cannot be used here.
    ImportError
        TensorFlow is not installed.
    """
    if folder is None:
        folder = OWN_MODELS
        if not folder.is_dir():
            raise ModelError(f"there is no {folder}; name a folder of models, results/DATASET/models of a run")
    try:
        card = read_folder_card(folder)
        card = with_network(folder, card, best_network(card) if network is None else network)
        _check_here(folder, card)
        if card["prototype"]:
            find_prototype(card["prototype"])
    except PrototypeError as error:
        raise ModelError(str(error)) from None
    except DamagedError as error:
        raise ModelError(damage_text(folder, error)) from None
    check_installed("tensorflow", "learn", "a prediction")
    return folder, card


def is_formula(text: str, card: Row) -> bool:
    """Say whether a text is a formula for the models, and no file of that name; a folder may be named so."""
    if not card["prototype"] or Path(text).is_file():
        return False
    return find_prototype(card["prototype"]).elements_of(text) is not None


def predict_asked(folder: Path, card: Row, asked: Asked, say: Say) -> Found:
    """Predict what was asked for: a row for each compound that can be, and what was left out.

    Parameters
    ----------
    folder : Path
        Models.
    card : dict
        Their card, from `open_models`.
    asked : Asked
        What to predict.
    say : callable
        Takes remarks, and what was left out, line by line.

    Raises
    ------
    InputError
        Something that was asked for cannot be, or nothing is left.
    ModelError
        Models that do not fit.
    """
    if asked.formulas and not card["prototype"]:
        raise InputError(f"{folder}: it learned from files; name crystals or files of them (--cif)")
    try:
        first = unit_cards(folder, best_network(card))[0]
    except DamagedError as error:
        raise ModelError(damage_text(folder, error)) from None
    with tempfile.TemporaryDirectory(prefix="hirshprint-") as temporary:
        plan, placed = _plan(asked, folder, card, Path(temporary), say)
        _check_edges(plan, card, read_json(first, unit=folder)["inputs"])
        table, left_out = _predict(folder, card, plan, Path(temporary), say)
    return Found(table, left_out, {entry.structure_id: entry.structure_id for entry in plan.entries} | placed)


def _check_edges(plan: Plan, card: Row, inputs: Row) -> None:
    """Refuse edges that a table gives its rows and that the network has not learned from.

    Raises
    ------
    InputError
        Naming the row and what to do.
    """
    rule = needed_edges(card)
    if rule is None or rule["kind"] == "radii":
        return
    any_edge = inputs.get("edges_angstrom") == "any" or inputs.get("draws") == "all"
    low, high = (rule["low_angstrom"], rule["high_angstrom"]) if rule["kind"] == "random" else (0.0, math.inf)
    known = rule.get("edges_angstrom") or [rule.get("edge_angstrom")]
    for entry in plan.entries:
        edge = entry.edge_angstrom
        if edge is not None and not (low <= edge <= high if any_edge or rule["kind"] == "random" else edge in known):
            raise InputError(
                f"{entry.source}: initial_edge_angstrom {edge:g} is no edge that the network learned from "
                f"({edges_text(rule)}); delete the column, each compound is then built at the network's own edges"
            )


def _check_here(folder: Path, card: Row) -> None:
    """Refuse a model whose fingerprints this program does not make."""
    if card["engine"] != PYTHON.name:
        raise ModelError(
            f"{folder}: it learned from surfaces of {card['engine']}; put `model: {folder}` under a dataset of a "
            "configuration with this engine, or train with engine: python"
        )
    surfaces = {"engine": PYTHON.name, "mesh_level": card["mesh_level"]}
    check_fits(folder, card, fingerprint_definition(card, surfaces, card["densities"], card["fingerprint"]))


def _plan(asked: Asked, folder: Path, card: Row, temporary: Path, say: Say) -> tuple[Plan, dict[str, str]]:
    """The structures of all that was named and what was left out; and the compounds that crystals are placed as."""
    settings = {"prototype": card["prototype"], "initial_edge": needed_edges(card)}
    settings |= {"property": card["property"], "unit": card["unit"], "model": str(folder)}
    plans, placed = list[Plan](), dict[str, str]()
    if asked.formulas:
        if not all(formula.strip() for formula in asked.formulas):
            raise InputError("a formula is empty; write one such as SrTiO3")
        listed = temporary / "formulas.csv"
        listed.write_text("\n".join(["formula", *asked.formulas]) + "\n", encoding="utf-8")
        plan = plan_dataset(Dataset.from_dict(settings | {"table": str(listed)}))
        for fault in plan.rejections:
            if "the same compound" not in fault.reason:
                raise InputError(_formula_fault(fault))
        plans.append(Plan(plan.entries, ()))
    if asked.table:
        if card["prototype"] is None:
            raise InputError(f"{folder}: it learned from files; name crystals or files of them (--cif)")
        plans.append(plan_dataset(Dataset.from_dict(settings | {"table": str(asked.table)})))
    for path in asked.files:
        of_files = _plan_files(path, settings)
        if of_files.passed_over:
            say(f"{path}: {passed_over_text(of_files.passed_over)}")
        if card["prototype"]:
            of_files, compounds = _placed(of_files, settings, say)
            placed |= compounds
        plans.append(of_files)
    entries: dict[str, Entry] = {}
    for entry in (entry for plan in plans for entry in plan.entries):
        first = entries.setdefault(entry.structure_id, entry)
        if not card["prototype"] and first is not entry:
            raise InputError(f"{first.source} and {entry.source} have the same id, {entry.structure_id}; rename one")
    return Plan(tuple(entries.values()), tuple(one for plan in plans for one in plan.rejections)), placed


def _formula_fault(fault: Rejection) -> str:
    """What is wrong with a formula of the command line, and how to write it."""
    if "is not of the form" not in fault.reason:
        return f"{fault.structure_id}: {fault.reason}; {fault.remedy}"
    return (
        f"{fault.reason}; write the sites in their order, each element with its own symbol and number, without spaces: "
        "SrTiO3, and AlAlO3 for one element on two sites; or name a table with columns for the sites (--table)"
    )


def _plan_files(path: Path, settings: Row) -> Plan:
    """The crystals of a folder, of a file of many, or of one structure file."""
    if not path.exists():
        raise InputError(f"{path}: there is no such file or folder")
    if path.is_file() and not has_many(path):
        if structure_kind(path.name) is None:
            raise InputError(f"{path}: not the name of a structure file, such as x.cif, or of a file of many crystals")
        return Plan((file_entry(path),), ())
    kind = "structures" if path.is_file() else "folder"
    return plan_dataset(Dataset.from_dict({**settings, "prototype": None, kind: str(path)}))


def _placed(plan: Plan, settings: Row, say: Say) -> tuple[Plan, dict[str, str]]:
    """Entries of the prototype for the files that are crystals of it, and their compounds; the others are left out."""
    from hirshprint.structures.building import build_structures
    from hirshprint.structures.recognition import prototype_elements
    from hirshprint.structures.sources.placement import initial_edges, prototype_entries, radius_fault

    prototype = find_prototype(settings["prototype"])
    of_files = Dataset.from_dict({**settings, "prototype": None})
    structures, _, unusable = build_structures(plan.entries, of_files, cores())
    sources = {entry.structure_id: entry.source for entry in plan.entries}
    entries: list[Entry] = []
    rejections = [*plan.rejections, *unusable]
    remarks, compounds = [], dict[str, str]()
    for structure in structures:
        source = sources[structure.structure_id]
        elements = prototype_elements(structure, prototype)
        if elements is None:
            reason = f"it is no {prototype.name.replace('_', ' ')}, which the model learned from"
            rejections.append(Rejection(structure.structure_id, source, reason, "leave it out, or train on such files"))
            continue
        edges = initial_edges(prototype.compound(elements), InitialEdge.from_dict(settings["initial_edge"]), elements)
        if fault := radius_fault(elements, edges):
            rejections.append(Rejection(structure.structure_id, source, *fault))
            continue
        remarks.append((source, structure.remarks))
        made = prototype_entries(prototype, elements, edges, source)
        compounds[structure.structure_id] = made[0].compound
        entries += made
    _say_remarks(remarks, say)
    return Plan(tuple(entries), tuple(rejections)), compounds


def _say_remarks(remarks: Iterable[tuple[str, Iterable[str]]], say: Say) -> None:
    for line in remark_lines(remarks):
        say(f"remark: {line}")


def _predict(folder: Path, card: Row, plan: Plan, temporary: Path, say: Say) -> tuple[pd.DataFrame, list[Rejection]]:
    """Make the structures, their fingerprints and the predictions: the stages of a run, in this process."""
    from hirshprint.batch.gathering import write_fingerprints
    from hirshprint.datasets.gather import load_dataset
    from hirshprint.networks.backend import leave_gpus
    from hirshprint.networks.predict import predict_dataset, result_table
    from hirshprint.networks.registry import needed_of_fingerprints
    from hirshprint.structures.building import build_structures, write_targets

    leave_gpus()
    settings = {"prototype": card["prototype"], "property": card["property"], "unit": card["unit"]}
    structures, targets, unusable = build_structures(plan.entries, Dataset.from_dict(settings), cores())
    _say_remarks([(row["source"], s.remarks) for row, s in zip(targets, structures, strict=True)], say)
    surfaces, failed = _surfaces(structures, find_densities(card["densities"], Path("results/densities")), card)
    left_out = [*plan.rejections, *unusable, *failed]
    for rejection in left_out:
        say(f"left out {rejection.source}: {rejection.reason}; {rejection.remedy}")
    if not surfaces:
        raise InputError("nothing is left to predict: see what was left out above")
    names = list(find_prototype(card["prototype"]).sites) if card["prototype"] else []
    files = (temporary / "fingerprints.h5", temporary / "targets.csv")
    fingerprint = Fingerprint.from_dict(card["fingerprint"])
    write_fingerprints(surfaces, fingerprint, files[0], digest(card["fingerprint"]), names)
    write_targets(files[1], targets)
    needed = needed_of_fingerprints([best_network(card)], names)
    dataset = load_dataset(card["dataset"], *files, **needed, with_targets=False)
    table = result_table(predict_dataset(folder, card, dataset, structures, files[0]), card["property"])
    place = {compound: number for number, compound in enumerate(dict.fromkeys(one.compound for one in plan.entries))}
    return table.sort_values("name", key=lambda names: names.map(place), ignore_index=True), left_out


def _surfaces(
    structures: Sequence[Structure], densities: Densities, card: Row
) -> tuple[dict[str, Any], list[Rejection]]:
    """Surfaces by structure id, computed on all cores, and the structures that have none."""
    from concurrent.futures import ThreadPoolExecutor

    from hirshprint.hirshfeld.python.engine import compute_surfaces
    from hirshprint.hirshfeld.surface import SurfaceError

    compile_for_library()
    found: dict[str, Any] = {}
    failed = []

    def one(structure: Structure) -> Any:
        try:
            return compute_surfaces(structure, densities, card["mesh_level"])
        except SurfaceError as error:
            return error

    with ThreadPoolExecutor(cores()) as pool:
        pairs = zip(structures, pool.map(one, structures), strict=True)
        for structure, made in told(pairs, len(structures), "structures with surfaces"):
            if isinstance(made, SurfaceError):
                failed.append(Rejection(structure.structure_id, structure.structure_id, str(made), "leave it out"))
            else:
                found[structure.structure_id] = made
    return found, failed


def edges_text(rule: Row) -> str:
    """Say which initial edges a rule gives."""
    if rule["kind"] == "random":
        return f"random from {rule['low_angstrom']} to {rule['high_angstrom']} Å, {rule['draws']} of each compound"
    if rule["kind"] == "list":
        return f"{', '.join(map(str, rule['edges_angstrom']))} Å"
    return f"{rule['edge_angstrom']} Å" if rule["kind"] == "fixed" else "estimated from atomic radii"
