"""`hirshprint predict`: the property of new compounds, with the networks that a run trained."""

from __future__ import annotations

import argparse
import math
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hirshprint.commands import UNUSABLE, CommandError
from hirshprint.commands.inputs import ROOT, find_densities, show_remarks
from hirshprint.commands.json_output import print_json
from hirshprint.config.model import Dataset, Fingerprint, InitialEdge
from hirshprint.files.reading import DamagedError, read_json
from hirshprint.files.writing import digest, written_whole
from hirshprint.networks.cards import (
    BRIER,
    ModelError,
    best_network,
    check_fits,
    damage_text,
    errors_of,
    fingerprint_definition,
    needed_edges,
    read_folder_card,
    unit_cards,
    with_network,
)
from hirshprint.structures.entries import Entry, InputError, Plan, Rejection, passed_over_text
from hirshprint.structures.planning import plan_dataset
from hirshprint.structures.prototypes import PrototypeError, find_prototype
from hirshprint.structures.sources.collections import has_many
from hirshprint.structures.sources.folders import file_entry, structure_kind
from hirshprint.surfaces.registry import PYTHON
from hirshprint.telling import told

if TYPE_CHECKING:
    import pandas as pd

    from hirshprint.structures.structure import Structure

Row = dict[str, Any]
OWN_MODELS = "models/oqmd"
OUT_ENDINGS = (".csv", ".json")


def run(arguments: argparse.Namespace) -> None:
    """Write a table with a row per compound; rows and files that cannot be used are listed, the others predicted."""
    if not (arguments.formula or arguments.table or arguments.cif):
        raise CommandError("no compound to predict: name formulas, a table by --table, or files by --cif", UNUSABLE)
    if arguments.out:
        _check_out(arguments.out)
    folder = arguments.model or _own_models()
    try:
        card = read_folder_card(folder)
        card = with_network(folder, card, best_network(card) if arguments.network is None else arguments.network)
        _check_here(folder, card)
        prototype = find_prototype(card["prototype"]) if card["prototype"] else None
        if arguments.formula and prototype is None:
            raise CommandError(f"{folder}: it learned from files; name a folder of files by --cif", UNUSABLE)
        trainings = unit_cards(folder, best_network(card))
    except (ModelError, PrototypeError) as error:
        raise CommandError(str(error)) from None
    except DamagedError as error:
        raise CommandError(damage_text(folder, error)) from None
    with tempfile.TemporaryDirectory(prefix="hirshprint-") as temporary:
        try:
            plan = _plan(arguments, folder, card, Path(temporary))
            _check_edges(plan, card, read_json(trainings[0], unit=folder)["inputs"])
        except InputError as error:
            raise CommandError(str(error), UNUSABLE) from None
        found, left_out = _predict(folder, card, plan, Path(temporary))
    if arguments.out:
        _write(found, arguments.out)
    if arguments.json:
        print_json(_document(found, left_out, folder, card) | {"written": arguments.out})
    else:
        _show(found, arguments.out, folder, card)


def _check_out(out: Path) -> None:
    """Refuse a place where no table can be written, before anything is computed."""
    if out.is_dir():
        raise CommandError(
            f"--out {out}: a folder; write the name of a file, such as {out / 'predictions.csv'}", UNUSABLE
        )
    if out.suffix.lower() not in OUT_ENDINGS:
        raise CommandError(f"--out {out}: its name must end with {' or '.join(OUT_ENDINGS)}", UNUSABLE)


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
                f"({_edges_text(rule)}); delete the column, each compound is then built at the network's own edges"
            )


def _own_models() -> Path:
    """The models that come with hirshprint."""
    if not (folder := ROOT / OWN_MODELS).is_dir():
        raise CommandError(f"there is no {folder}; name a folder of models: --model results/DATASET/models", UNUSABLE)
    return folder


def _check_here(folder: Path, card: Row) -> None:
    """Refuse a model whose fingerprints this program does not make."""
    if card["engine"] != PYTHON.name:
        raise ModelError(
            f"{folder}: it learned from surfaces of {card['engine']}; put `model: {folder}` under a dataset of a "
            "configuration with this engine, or train with engine: python"
        )
    surfaces = {"engine": PYTHON.name, "mesh_level": card["mesh_level"]}
    check_fits(folder, card, fingerprint_definition(card, surfaces, card["densities"], card["fingerprint"]))


def _plan(arguments: argparse.Namespace, folder: Path, card: Row, temporary: Path) -> Plan:
    """The structures of all compounds and files that were named, and what was left out."""
    settings = {"prototype": card["prototype"], "initial_edge": needed_edges(card)}
    settings |= {"property": card["property"], "unit": card["unit"], "model": str(folder)}
    plans = []
    if arguments.formula:
        if not all(formula.strip() for formula in arguments.formula):
            raise CommandError("--formula: a formula is empty; write one such as SrTiO3", UNUSABLE)
        listed = temporary / "formulas.csv"
        listed.write_text("\n".join(["formula", *arguments.formula]) + "\n", encoding="utf-8")
        plan = plan_dataset(Dataset.from_dict(settings | {"table": str(listed)}))
        for fault in plan.rejections:
            if "the same compound" not in fault.reason:
                raise CommandError(_formula_fault(fault), UNUSABLE)
        plans.append(Plan(plan.entries, ()))
    if arguments.table:
        if card["prototype"] is None:
            raise InputError(f"{folder}: it learned from files; name a folder of files by --cif")
        plans.append(plan_dataset(Dataset.from_dict(settings | {"table": str(arguments.table)})))
    if arguments.cif:
        of_files = _plan_files(arguments.cif, settings)
        if of_files.passed_over:
            print(f"{arguments.cif}: {passed_over_text(of_files.passed_over)}", file=sys.stderr)
        plans.append(_placed(of_files, settings) if card["prototype"] else of_files)
    entries = {entry.structure_id: entry for plan in plans for entry in plan.entries}
    return Plan(tuple(entries.values()), tuple(rejection for plan in plans for rejection in plan.rejections))


def _formula_fault(fault: Rejection) -> str:
    """What is wrong with a formula of the command line, and how to write it there."""
    if "is not of the form" not in fault.reason:
        return f"{fault.structure_id}: {fault.reason}; {fault.remedy}"
    return (
        f"{fault.reason}; write the sites in their order, each element with its own symbol and number, without spaces: "
        "SrTiO3, and AlAlO3 for one element on two sites; or name a table with columns for the sites by --table"
    )


def _plan_files(path: Path, settings: Row) -> Plan:
    """The crystals of a folder, of a file of many, or of one structure file."""
    if not path.exists():
        raise InputError(f"--cif {path}: there is no such file or folder")
    if path.is_file() and not has_many(path):
        if structure_kind(path.name) is None:
            raise InputError(
                f"--cif {path}: not the name of a structure file, such as x.cif, or of a file of many crystals"
            )
        return Plan((file_entry(path),), ())
    kind = "structures" if path.is_file() else "folder"
    return plan_dataset(Dataset.from_dict({**settings, "prototype": None, kind: str(path)}))


def _placed(plan: Plan, settings: Row) -> Plan:
    """Entries of the prototype for the files that are crystals of it; the others are left out."""
    from hirshprint.structures.building import build_structures
    from hirshprint.structures.recognition import prototype_elements
    from hirshprint.structures.sources.placement import initial_edges, prototype_entries, radius_fault

    prototype = find_prototype(settings["prototype"])
    of_files = Dataset.from_dict({**settings, "prototype": None})
    structures, _, unusable = build_structures(plan.entries, of_files, _cores())
    sources = {entry.structure_id: entry.source for entry in plan.entries}
    entries: list[Entry] = []
    rejections = [*plan.rejections, *unusable]
    remarks = []
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
        entries += prototype_entries(prototype, elements, edges, source)
    show_remarks(remarks)
    return Plan(tuple(entries), tuple(rejections))


def _predict(folder: Path, card: Row, plan: Plan, temporary: Path) -> tuple[pd.DataFrame, list[Rejection]]:
    """Make the structures, their fingerprints and the predictions, as a run does; and say what is left out."""
    from hirshprint.batch.gathering import write_fingerprints
    from hirshprint.datasets.gather import load_dataset
    from hirshprint.networks.backend import leave_gpus
    from hirshprint.networks.predict import predict_dataset, result_table
    from hirshprint.networks.registry import needed_of_fingerprints
    from hirshprint.structures.building import build_structures, write_targets

    leave_gpus()
    settings = {"prototype": card["prototype"], "property": card["property"], "unit": card["unit"]}
    structures, targets, unusable = build_structures(plan.entries, Dataset.from_dict(settings), _cores())
    show_remarks((row["source"], s.remarks) for row, s in zip(targets, structures, strict=True))
    surfaces, failed = _surfaces(structures, card)
    left_out = [*plan.rejections, *unusable, *failed]
    for rejection in left_out:
        print(f"left out {rejection.source}: {rejection.reason}; {rejection.remedy}", file=sys.stderr)
    if not surfaces:
        raise CommandError("nothing is left to predict: see what was left out above", UNUSABLE)
    names = list(find_prototype(card["prototype"]).sites) if card["prototype"] else []
    files = (temporary / "fingerprints.h5", temporary / "targets.csv")
    fingerprint = Fingerprint.from_dict(card["fingerprint"])
    write_fingerprints(surfaces, fingerprint, files[0], digest(card["fingerprint"]), names)
    write_targets(files[1], targets)
    needed = needed_of_fingerprints([best_network(card)], names)
    dataset = load_dataset(card["dataset"], *files, **needed, with_targets=False)
    try:
        table = result_table(predict_dataset(folder, card, dataset, structures, files[0]), card["property"])
        return table, left_out
    except ModelError as error:
        raise CommandError(str(error)) from None


def _surfaces(structures: Sequence[Structure], card: Row) -> tuple[dict[str, Any], list[Rejection]]:
    """Surfaces by structure id, computed on all cores, and the structures that have none."""
    from concurrent.futures import ThreadPoolExecutor

    from hirshprint.surfaces.compiled import compile_once
    from hirshprint.surfaces.python.engine import compute_surfaces
    from hirshprint.surfaces.surface import SurfaceError

    compile_once()
    densities = find_densities(card["densities"])
    found: dict[str, Any] = {}
    failed = []

    def one(structure: Structure) -> Any:
        try:
            return compute_surfaces(structure, densities, card["mesh_level"])
        except SurfaceError as error:
            return error

    with ThreadPoolExecutor(_cores()) as pool:
        pairs = zip(structures, pool.map(one, structures), strict=True)
        for structure, made in told(pairs, len(structures), "structures with surfaces"):
            if isinstance(made, SurfaceError):
                failed.append(Rejection(structure.structure_id, structure.structure_id, str(made), "leave it out"))
            else:
                found[structure.structure_id] = made
    return found, failed


def used_text(folder: Path, card: Row) -> str:
    """Say what predictions were made with: network, folder, what it learned from, at which initial edges."""
    model, learned = best_network(card), card["training_set"]
    compounds = (
        f"{learned['compounds']:,} compounds" if "compounds" in learned else f"{learned['structures']:,} structures"
    )
    rule = needed_edges(card)
    trainings = len(unit_cards(folder, model))
    kind, errors = errors_of(card)
    error = f"Brier score {errors[model]:.4f}" if kind == BRIER else f"error {errors[model]:.4f} {card['unit']}"
    return (
        f"the network {model} of {folder} ({trainings} trainings, validation {error}), which "
        f"learned from {card['dataset']}: {compounds}, {f'initial edge {_edges_text(rule)}' if rule else 'from files'}"
    )


def _edges_text(rule: Row) -> str:
    """Say which initial edges a rule gives."""
    if rule["kind"] == "random":
        return f"random from {rule['low_angstrom']} to {rule['high_angstrom']} Å, {rule['draws']} of each compound"
    if rule["kind"] == "list":
        return f"{', '.join(map(str, rule['edges_angstrom']))} Å"
    return f"{rule['edge_angstrom']} Å" if rule["kind"] == "fixed" else "estimated from atomic radii"


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def _document(table: pd.DataFrame, left_out: Sequence[Rejection], folder: Path, card: Row) -> Row:
    """Predictions and what they were made with, for a script."""
    network = best_network(card)
    kind, errors = errors_of(card)
    return {
        "property": card["property"],
        "unit": card["unit"],
        "model": folder,
        "network": network,
        "trainings": len(unit_cards(folder, network)),
        "validation_metric": kind,
        "validation_error": errors[network],
        "compounds": table.to_dict("records"),
        "left_out": [{"source": one.source, "reason": one.reason, "remedy": one.remedy} for one in left_out],
    }


def _write(table: pd.DataFrame, out: Path) -> None:
    """Write CSV or JSON, as the name of the file says."""
    with written_whole(out) as temporary:
        if out.suffix.lower() == ".json":
            table.to_json(temporary, orient="records", indent=1, double_precision=10)
        else:
            table.to_csv(temporary, index=False, float_format="%.8g")


def _show(table: pd.DataFrame, out: Path | None, folder: Path, card: Row) -> None:
    """Show the table where it was not written, and say what it was made with and what to mind."""
    from hirshprint.accuracy.standing import number_text

    if out is None:
        shown = table.drop(columns=["formula"] if (table["formula"] == table["name"]).all() else [])
        print(shown.to_string(index=False, float_format=number_text))
    else:
        print(f"written: {out}, {len(table)} compounds")
    of_what = ":" if card.get("values") == "yes_no" else " in"
    print(f"{card['property']}{of_what} {card['unit']}, by {used_text(folder, card)}")
    if outside := int(table["outside_domain"].sum()):
        print(
            f"{outside} of them lie outside of what training saw (columns unseen and fingerprint_distance): their "
            "errors may be far larger than the standard deviation says"
        )
    if known := int(table["in_training"].sum()):
        print(
            f"{known} of them are compounds that it learned from (column in_training): how well they are predicted "
            "says nothing of new ones"
        )
