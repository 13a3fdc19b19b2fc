"""`hirshprint init`: look at a folder, a table or a file of crystals, and write a configuration for it."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import yaml

from hirshprint.commands import UNUSABLE, CommandError
from hirshprint.config.load import ConfigError, resolve_config
from hirshprint.config.model import Config
from hirshprint.config.proposal import FIELDS_SHOWN, Proposal, field_text, propose, proposed_file, sized
from hirshprint.datasets.split_faults import learning_faults
from hirshprint.files.writing import written_whole
from hirshprint.machine import cores
from hirshprint.remarks import remark_lines
from hirshprint.run.pending import LIBRARY_ALONE, SNAKEFILE
from hirshprint.run.planned import plan_faults
from hirshprint.structures.building import formula_of, read_entries
from hirshprint.structures.entries import CrystalError, InputError, Plan
from hirshprint.structures.planning import plan_dataset
from hirshprint.structures.reading.process import Answer
from hirshprint.structures.sources.fields import properties
from hirshprint.structures.sources.looking import Look, look_at
from hirshprint.structures.structure import Structure

SAMPLE = 100  # crystals of files that are read as a run reads them
REASONS_SHOWN = 5
FEWEST = 10  # crystals below which nothing is learned that holds


def run(arguments: argparse.Namespace) -> None:
    """Say what was found, and write the configuration."""
    path, out = arguments.path, arguments.out
    if out.exists() or out.is_symlink():
        raise CommandError(f"{out} exists and is not replaced; name another file by --out, or move it away", UNUSABLE)
    if out.suffix.lower() not in (".yaml", ".yml"):
        raise CommandError(f"--out {out}: its name must end with .yaml", UNUSABLE)
    try:
        look = look_at(path)
        _show(look)
        proposal = propose(look, path, out)
        plan = plan_dataset(_config(proposal).datasets[proposal.name])
        answers = _read_some(plan)
        _show_rejected(plan, answers)
        proposal, fault = _fitting(proposal, plan, answers)
        proposal = propose(look, path, out, fault) if fault else proposal
        proposal = sized(proposal, *_sizes(plan, answers))
        text = proposed_file(proposal, path, out, look.rows)
        resolve_config(yaml.safe_load(text))
    except (InputError, ConfigError) as error:
        raise CommandError(str(error), UNUSABLE) from None
    with written_whole(out) as temporary:
        temporary.write_text(text, encoding="utf-8")
    _show_proposal(proposal, len(plan.entries), out)


def _show(look: Look) -> None:
    for text in look.words:
        print(text)
    possible = properties(look.fields, look.rows)
    for one in possible[:FIELDS_SHOWN]:
        print(f"  {field_text(one, look.rows)}")
    if len(possible) > FIELDS_SHOWN:
        print(f"  ... and {len(possible) - FIELDS_SHOWN:,} more")
    if not possible:
        print("no property: no column or field has different numbers, or there is no table that names these crystals")


def _config(proposal: Proposal) -> Config:
    """The configuration that is proposed, complete."""
    written = {"datasets": {proposal.name: proposal.dataset}, "learning": proposal.learning}
    return Config.from_dict(resolve_config({key: value for key, value in written.items() if value}))


def _read_some(plan: Plan) -> dict[str, Answer]:
    """Read up to `SAMPLE` of the crystals that come from files, as a run reads them."""
    entries = [entry for entry in plan.entries if entry.path is not None]
    return read_entries(entries[:: max(1, -(-len(entries) // SAMPLE))], cores())


def _sizes(plan: Plan, answers: Mapping[str, Answer]) -> tuple[list[int], list[float]]:
    """Atoms of the cell and value of the crystals that were read."""
    read = [(answers.get(entry.structure_id), entry.target) for entry in plan.entries]
    known = [(len(one.numbers), value) for one, value in read if isinstance(one, Structure) and value is not None]
    return [size for size, _ in known], [value for _, value in known]


def _fitting(proposal: Proposal, plan: Plan, answers: Mapping[str, Answer]) -> tuple[Proposal, str]:
    """The proposal with as many folds as the crystals are enough for; and why they are not, where they never are."""
    fault = ""
    for learning in (proposal.learning, {"folds": 3}, {"folds": 2}):
        fitting = replace(proposal, learning=learning)
        faults = _faults(fitting, plan, answers)
        if not faults:
            return fitting, ""
        fault = fault or re.sub("^`[^`]*`: |; (write|add) .*", "", faults[0])
    return proposal, fault


def _faults(proposal: Proposal, plan: Plan, answers: Mapping[str, Answer]) -> list[str]:
    """What the learning of a proposal asks of its crystals in vain, as a run finds it."""
    config = _config(proposal)
    faults = [fault for lines in plan_faults(config, {proposal.name: plan}).values() for fault in lines]
    if faults or not answers or "property" not in proposal.dataset or len(answers) < len(plan.entries):
        return faults
    read = [(entry, answers[entry.structure_id]) for entry in plan.entries]
    known = [(entry.group or formula_of(found), entry) for entry, found in read if isinstance(found, Structure)]
    groups = [group for group, _ in known]
    names = [entry.structure_id for _, entry in known]
    return learning_faults(proposal.name, config.datasets[proposal.name].learning, names, groups, {})


def _show_rejected(plan: Plan, answers: Mapping[str, Answer]) -> None:
    """Say what a run would reject.

    Raises
    ------
    CommandError
        Nothing is left.
    """
    rejected = [(one.source, f"{one.reason}; {one.remedy}") for one in plan.rejections if one.stage != "filter"]
    sources = {entry.structure_id: entry.source for entry in plan.entries if entry.structure_id in answers}
    bad = [
        (sources[name], f"{answer.reason}; {answer.remedy}")
        for name, answer in answers.items()
        if isinstance(answer, CrystalError)
    ]
    if rejected:
        print(f"rejected: {len(rejected):,}")
    _show_reasons(rejected)
    if answers:
        whole = f"{'the other ' if rejected else ''}{len(plan.entries):,}"
        print(f"read as a run reads them: {len(answers):,} of {whole}, of which {len(bad):,} are rejected")
    _show_reasons(bad)
    if not plan.entries or (answers and len(bad) == len(answers)):
        raise CommandError("nothing can be used, see above; no configuration is written")


def _show_reasons(rejected: Sequence[tuple[str, str]]) -> None:
    lines = remark_lines(((source, [reason]) for source, reason in rejected), most=None)
    for line in lines[:REASONS_SHOWN]:
        print(f"  {line}")
    if len(lines) > REASONS_SHOWN:
        print(f"  ... and {len(lines) - REASONS_SHOWN:,} other reasons")


def _show_proposal(proposal: Proposal, usable: int, out: Path) -> None:
    """Say what is proposed, what is to be filled in, and what to do next."""
    keys = ("property", "unit", "values", "scale", "group")
    told = [f"{key} {proposal.dataset[key]}" for key in keys if key in proposal.dataset]
    told += [f"splits {', '.join(proposal.learning['splits'])}"] if "splits" in proposal.learning else []
    print(f"proposed: {', '.join(told)}" if told else proposal.said["property"][0])
    if told and usable < FEWEST:
        print(f"note: {usable} crystals are too few to learn from; the chain can be tried with them")
    print(f"written: {out}")
    for text in proposal.to_do:
        print(text)
    if not SNAKEFILE.is_file():
        print(f"next: read it. {LIBRARY_ALONE[0].upper()}{LIBRARY_ALONE[1:]}".replace("give this command", "run it"))
        return
    here = "" if Path("Snakefile").is_file() else f"--snakefile {shlex.quote(str(SNAKEFILE))} "
    config = shlex.quote(str(out))
    print(f"next: read it, then   hirshprint status --configfile {config}")
    print(f"                      snakemake --cores 2 {here}--configfile {config}")
