"""A folder of structure files (light)."""

from __future__ import annotations

import os
import re
from pathlib import Path

from hirshprint.config.keys import needed
from hirshprint.config.model import Dataset
from hirshprint.structures.entries import Entry, InputError, Plan, Rejection, known_digest, passed_over_text
from hirshprint.structures.sources.targets import other_spelling, read_targets, spellings

SUFFIXES = (
    *(".cif", ".mcif", ".vasp", ".poscar", ".contcar", ".json", ".res", ".cssr", ".xsf"),
    *(".xyz", ".extxyz", ".gen"),
)
VASP_NAME = re.compile(r"(POSCAR|CONTCAR)(?:[._-](.+))?", re.IGNORECASE)
PATTERNS = (*(f"*{suffix}" for suffix in SUFFIXES), "POSCAR_*", "CONTCAR_*", "*/POSCAR", "*/CONTCAR")
NO_MENTION = re.compile(r"\.|(README|LICEN[CS]E)\b", re.IGNORECASE)  # files in a folder that no one takes for crystals


def plan_folder(settings: Dataset) -> Plan:
    """Plan the structures of a folder: its files, with the property that the table of targets gives them."""
    folder = Path(needed(settings.folder))
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder; correct the path in the configuration")
    files, passed_over = _files(folder, settings.targets)
    if not files:
        others = f"; {passed_over_text(passed_over)}" if passed_over else ""
        raise InputError(f"{folder}: no structure file in it ({', '.join(PATTERNS)}, each also with .gz){others}")
    targets, rejections = read_targets(settings, structure_name)
    named: dict[str, list[Path]] = {}
    for path in files:
        named.setdefault(structure_name(path), []).append(path)
    spelled = spellings(targets or ())
    bad_targets = {rejection.structure_id for rejection in rejections} - set(targets or ())
    entries = []
    for path, name in sorted((path, name) for name, paths in named.items() for path in paths):
        if name in bad_targets:
            continue
        fault = None
        if len(named[name]) > 1:
            fault = _same_name(name, named[name])
        elif targets is not None and name not in targets:
            fault = (
                f"no row for {name} in {settings.targets}{other_spelling(name, spelled)}",
                "add its row, or remove the file from the folder",
            )
        if fault:
            rejections.append(Rejection(name, str(path), *fault))
            continue
        target, group, _ = targets[name] if targets is not None else (None, None, 0)
        entries.append(Entry(name, str(path), (path.name, known_digest(path)), name, (), None, target, path, group))
    known = spellings(named)
    rejections += [
        Rejection(
            name,
            f"{settings.targets} row {row}",
            f"no file for {name} in {folder}{other_spelling(name, known)}",
            "add the file, or delete the row",
        )
        for name, (_, _, row) in sorted((targets or {}).items())
        if name not in named
    ]
    return Plan(tuple(entries), tuple(rejections), passed_over)


def file_entry(path: Path) -> Entry:
    """Entry of one structure file that stands alone."""
    name = structure_name(path)
    return Entry(name, str(path), (path.name, known_digest(path)), name, (), None, None, path)


def _files(folder: Path, targets: str | None) -> tuple[list[Path], tuple[str, ...]]:
    """The structure files of a folder, and what is passed over: files of other kinds, and those in folders below.

    Of a folder below, only a bare POSCAR or CONTCAR is taken, which is named after it.
    """
    files, others = [], []
    for entry in os.scandir(folder):
        path = folder / entry.name
        if entry.is_dir():
            for name in [] if entry.name.startswith(".") else _listed(path):
                bare = VASP_NAME.fullmatch(_unpacked(name))
                if bare and not bare[2] and (path / name).is_file():
                    files.append(path / name)
                elif structure_kind(name) and not name.startswith("."):
                    others.append(path / name)
        elif structure_kind(entry.name) and not entry.name.startswith(".") and entry.is_file():
            files.append(path)
        elif not NO_MENTION.match(entry.name) and not (targets and path.resolve() == Path(targets).resolve()):
            others.append(path)
    return sorted(files), tuple(str(path.relative_to(folder)) for path in sorted(others))


def _listed(folder: Path) -> list[str]:
    try:
        return [entry.name for entry in os.scandir(folder)]
    except OSError:  # of another user: what is in it cannot be said
        return []


def _same_name(name: str, files: list[Path]) -> tuple[str, str]:
    """Reason and remedy where several files have one name."""
    kinds = {found[1].upper() for file in files if (found := VASP_NAME.fullmatch(_unpacked(file.name)))}
    if len(kinds) > 1:
        return (
            f"{len(files)} files are named {name}: {' and '.join(file.name for file in files)}",
            "remove the wrong one from the folder: VASP starts from POSCAR and ends with CONTCAR",
        )
    return f"{len(files)} files are named {name}", "rename all but one; a structure is known by its file's stem"


def structure_kind(name: str) -> str | None:
    """Kind of a structure file by its name: a suffix such as ``.cif``, ``.vasp`` for POSCAR and CONTCAR, else None."""
    plain = _unpacked(name)
    suffix = Path(plain).suffix.lower()
    if suffix in (".poscar", ".contcar") or (suffix not in SUFFIXES and VASP_NAME.fullmatch(plain)):
        return ".vasp"
    return suffix if suffix in SUFFIXES else None


def structure_name(path: Path) -> str:
    """Name a structure after its file: the stem; POSCAR_x and CONTCAR.x are x, and x/POSCAR is x; .gz is left out."""
    name = _unpacked(path.name)
    if Path(name).suffix.lower() in SUFFIXES:
        return Path(name).stem
    found = VASP_NAME.fullmatch(name)
    if found is None:
        return name
    parent = path.parent if path.parent.name.strip(".") else path.parent.resolve()
    return found[2] or parent.name or name


def _unpacked(name: str) -> str:
    """A file's name without .gz."""
    return name[:-3] if name.lower().endswith(".gz") else name
