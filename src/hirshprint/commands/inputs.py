"""What the commands work on: a crystal from a file or a formula, free-atom densities, their surfaces."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from hirshprint.commands import UNUSABLE, CommandError
from hirshprint.config.model import Fingerprint
from hirshprint.densities import Densities, read_densities
from hirshprint.files.reading import DamagedError
from hirshprint.hirshfeld.compiled import compile_once
from hirshprint.hirshfeld.python.engine import DEFAULT_MESH_LEVEL, compute_surfaces
from hirshprint.hirshfeld.surface import Surface, SurfaceError
from hirshprint.remarks import remark_lines
from hirshprint.structures.crystals import CrystalError
from hirshprint.structures.entries import InputError
from hirshprint.structures.placed import cubic_perovskite
from hirshprint.structures.prototypes import PROTOTYPES
from hirshprint.structures.reading import read_crystal
from hirshprint.structures.reading.process import read_all
from hirshprint.structures.sources.collections import has_many, named_records
from hirshprint.structures.sources.folders import structure_name
from hirshprint.structures.sources.placement import compound_fault, overlap_fault, prototype_id
from hirshprint.structures.structure import Structure
from hirshprint.versions import DENSITIES

ROOT = Path(__file__).parents[3]
IDS_SHOWN = 5
SOURCES = ("thakkar", "x2c")
PEROVSKITE = PROTOTYPES["cubic_perovskite"]


def read_input(text: str, edge_angstrom: float) -> Structure:
    """Read a structure file, or FILE:ID of a file of many crystals; or place a formula ABX3 on the cubic perovskite.

    Remarks on the file are printed.

    Raises
    ------
    CommandError
        Neither a file nor such a formula, or a file that gives no usable crystal.
    """
    path, name = _file_and_id(text)
    if path.is_file():
        try:
            many = bool(name) or has_many(path)
            structure = _read_record(path, name) if many else read_crystal(path, structure_name(path))
        except CrystalError as error:
            raise CommandError(f"{text}: {error.reason}; {error.remedy}") from None
        except InputError as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(f"{text}: {error.strerror}") from None
        show_remarks([(text, structure.remarks)])
        return structure
    if path.is_dir():
        raise CommandError(f"{text} is a folder; name one file in it, or list all by `hirshprint check`", UNUSABLE)
    if not re.fullmatch(r"[A-Za-z0-9]+", text):
        raise CommandError(f"{text}: there is no such file", UNUSABLE)
    elements = PEROVSKITE.elements_of(text)
    if elements is None:
        raise CommandError(
            f"{text} is neither a file nor a formula ABX3 of a cubic perovskite, such as SrTiO3", UNUSABLE
        )
    fault = compound_fault({**dict(zip(PEROVSKITE.sites, elements, strict=True)), "formula": text}, PEROVSKITE)
    fault = fault or overlap_fault(edge_angstrom, "--edge", PEROVSKITE)
    if fault:
        raise CommandError(f"{text}: {fault[0]}; {fault[1]}", UNUSABLE)
    return cubic_perovskite(elements, edge_angstrom, prototype_id(text, edge_angstrom))


def _file_and_id(text: str) -> tuple[Path, str]:
    """File and id of ``FILE:ID``; the text itself, and no id, where it names no such file."""
    ends = [] if Path(text).is_file() else [k for k, letter in enumerate(text) if letter == ":"]
    return next(((Path(text[:k]), text[k + 1 :]) for k in ends if Path(text[:k]).is_file()), (Path(text), ""))


def _read_record(path: Path, name: str) -> Structure:
    """Read the crystal with this id from a file of many; without an id, the only one.

    Raises
    ------
    CommandError
        No id is given, or no crystal or several have it.
    CrystalError
        It gives no usable crystal.
    """
    known, wanted = [], []
    for its_name, record, fault in named_records(path):
        known.append(its_name)
        wanted += [(record, fault)] if its_name == name or (not name and len(known) == 1) else []
    if len(wanted) == 1 and (name or len(known) == 1):
        record, fault = wanted[0]
        if fault:
            raise CrystalError(*fault)
        answer = read_all([((record.kind, record.geometry), name or known[0])], 1).popitem()[1]
        if isinstance(answer, CrystalError):
            raise answer
        return answer
    if name and wanted:
        raise CommandError(f"{path}: {len(wanted)} records have the id {name}; give each its own")
    more = " ..." if len(known) > IDS_SHOWN else ""
    has = f"has no crystal {name} among its {len(known):,}" if name else f"has {len(known):,} crystals"
    raise CommandError(
        f"{path} {has}; name one as {path}:{known[0]} (ids: {', '.join(known[:IDS_SHOWN])}{more})", UNUSABLE
    )


def show_remarks(remarks: Iterable[tuple[str, Iterable[str]]]) -> None:
    """Print what was assumed or corrected in files that are used, by file; a line for each different sentence."""
    for line in remark_lines(remarks):
        print(f"remark: {line}", file=sys.stderr)


def find_densities(wanted: str) -> Densities:
    """Read free-atom densities: those of the workflow in this folder, of the user's cache, else made into it.

    `wanted` is one of `SOURCES` or a file that `workflow/scripts/write_densities.py` wrote.

    Raises
    ------
    CommandError
        No such file, no density file, or nothing at hand to make one with.
    """
    path = Path(wanted)
    if wanted in SOURCES:
        path = Path(f"results/densities/{wanted}.h5")
        if not path.is_file():
            path = _cache_folder() / f"{wanted}-{DENSITIES}.h5"
        if not path.is_file():
            _make_densities(wanted, path)
    elif not path.is_file():
        raise CommandError(f"--densities {wanted}: no such file, and none of {', '.join(SOURCES)}", UNUSABLE)
    try:
        return read_densities(path)
    except (DamagedError, KeyError) as error:
        reason = error.reason if isinstance(error, DamagedError) else "an attribute is not there"
        remedy = f"delete it: it is made again; or run snakemake {path}" if wanted in SOURCES else "make it again"
        raise CommandError(f"{path} is not a file of free-atom densities, or is damaged ({reason}); {remedy}") from None


def _cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hirshprint" / "densities"


def _make_densities(source: str, path: Path) -> None:
    python = ROOT / ".venv-densities/bin/python"
    script = ROOT / "workflow/scripts/write_densities.py"
    if not (python.exists() and script.exists()):
        raise CommandError(
            f"there are no {source} densities yet: run `make env` in hirshprint's folder, or "
            f"`snakemake results/densities/{source}.h5`, or name a file: --densities FILE.h5"
        )
    command = [str(python), str(script), "--source", source, "--out", str(path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        reason = (result.stderr.strip().splitlines() or ["no message"])[-1]
        raise CommandError(f"the {source} densities could not be made: {reason}")


def surfaces_of(structure: Structure, densities: Densities, mesh_level: int = DEFAULT_MESH_LEVEL) -> list[Surface]:
    """Compute the surfaces of a structure, one per distinct site."""
    compile_once()
    try:
        return compute_surfaces(structure, densities, mesh_level)
    except SurfaceError as error:
        raise CommandError(str(error)) from None


def default_fingerprint() -> Fingerprint:
    """Settings of a fingerprint as in a configuration that says nothing of it."""
    return Fingerprint.from_dict({})
