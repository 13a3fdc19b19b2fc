"""What the commands work on: a crystal from a file or a formula, free-atom densities, their surfaces."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from hirshprint.api import densities
from hirshprint.api.crystals import NoCrystalError, read_text
from hirshprint.commands import UNUSABLE, CommandError
from hirshprint.config.model import Fingerprint
from hirshprint.densities import Densities
from hirshprint.hirshfeld.compiled import compile_once
from hirshprint.hirshfeld.python.engine import DEFAULT_MESH_LEVEL, compute_surfaces
from hirshprint.hirshfeld.surface import Surface, SurfaceError
from hirshprint.remarks import remark_lines
from hirshprint.structures.crystals import CrystalError
from hirshprint.structures.entries import InputError
from hirshprint.structures.structure import Structure


def read_input(text: str, edge_angstrom: float) -> Structure:
    """Read a crystal that the command line names (`hirshprint.api.crystals.read_text`); remarks on it are printed.

    Raises
    ------
    CommandError
        Neither a file nor such a formula, or a file that gives no usable crystal.
    """
    try:
        structure = read_text(text, edge_angstrom, "--edge")
    except NoCrystalError as error:
        raise CommandError(str(error), UNUSABLE) from None
    except (CrystalError, InputError) as error:
        raise CommandError(str(error)) from None
    except OSError as error:
        raise CommandError(f"{text}: {error.strerror}") from None
    show_remarks([(text, structure.remarks)])
    return structure


def show_remarks(remarks: Iterable[tuple[str, Iterable[str]]]) -> None:
    """Print what was assumed or corrected in files that are used, by file; a line for each different sentence."""
    for line in remark_lines(remarks):
        print(f"remark: {line}", file=sys.stderr)


def find_densities(wanted: str | None) -> Densities:
    """Read free-atom densities: those of the workflow in this folder, of the user's cache, else made into it.

    `wanted` is a source or a file of them; without it, the first source that is at hand, which is said unless it is
    that of the workflow.

    Raises
    ------
    CommandError
        No such file, no density file, or nothing at hand to make one with.
    """
    try:
        found = densities.find_densities(wanted, Path("results/densities"))
    except densities.NoDensitiesError as error:
        raise CommandError(f"--densities {error}", UNUSABLE) from None
    except densities.DensitiesError as error:
        raise CommandError(str(error)) from None
    if wanted is None and found.source != (usual := next(iter(densities.PACKAGES))):
        print(f"free-atom densities: {found.source} (the table of {usual} is not here)", file=sys.stderr)
    return found


def surfaces_of(structure: Structure, made_of: Densities, mesh_level: int = DEFAULT_MESH_LEVEL) -> list[Surface]:
    """Compute the surfaces of a structure, one per distinct site."""
    compile_once()
    try:
        return compute_surfaces(structure, made_of, mesh_level)
    except SurfaceError as error:
        raise CommandError(str(error)) from None


def default_fingerprint() -> Fingerprint:
    """Settings of a fingerprint as in a configuration that says nothing of it."""
    return Fingerprint.from_dict({})
