"""A folder of structure files (light)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from hirshprint.structures.entries import Entry, InputError, Plan, Rejection
from hirshprint.structures.sources.targets import read_targets

SUFFIXES = (".cif", ".vasp", ".poscar", ".json", ".res", ".cssr", ".xsf", ".xyz", ".extxyz", ".gen")
PATTERNS = (*(f"*{suffix}" for suffix in SUFFIXES), "POSCAR_*", "*/POSCAR")


def plan_folder(settings: dict[str, Any]) -> Plan:
    """Plan the structures of a folder: its files, with the property that the table of targets gives them."""
    folder = Path(settings["folder"])
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder; correct the path in the configuration")
    files = sorted(path for path in (*folder.glob("*"), *folder.glob("*/POSCAR")) if _is_structure_file(path))
    if not files:
        raise InputError(f"{folder}: no structure file in it ({', '.join(PATTERNS)})")
    targets, rejections = read_targets(settings)
    names = Counter(structure_name(path) for path in files)
    bad_targets = {rejection.structure_id for rejection in rejections} - set(targets or ())
    entries = []
    for path in files:
        name = structure_name(path)
        if name in bad_targets:
            continue
        fault = None
        if names[name] > 1:
            fault = (
                f"{names[name]} files are named {name}",
                "rename all but one; a structure is known by its file's stem",
            )
        elif targets is not None and name not in targets:
            fault = (
                f"no row for {name} in {settings['targets']}",
                "add its row, or take the file out of the folder",
            )
        if fault:
            rejections.append(Rejection(name, str(path), *fault))
            continue
        target, group, _ = targets[name] if targets is not None else (None, None, 0)
        entries.append(Entry(name, str(path), (), name, (), None, target, path, group))
    known = set(names)
    rejections += [
        Rejection(
            name,
            f"{settings['targets']} row {row}",
            f"no file for {name} in {folder}",
            "add the file, or delete the row",
        )
        for name, (_, _, row) in sorted((targets or {}).items())
        if name not in known
    ]
    return Plan(tuple(entries), tuple(rejections))


def _is_structure_file(path: Path) -> bool:
    suffix = path.suffix.lower() in SUFFIXES
    return path.is_file() and (suffix or path.name == "POSCAR" or path.name.startswith("POSCAR_"))


def structure_name(path: Path) -> str:
    """Name a structure after its file: the stem; POSCAR_x is x, and x/POSCAR is x."""
    if path.name == "POSCAR":
        return path.parent.name
    return path.stem if path.suffix.lower() in SUFFIXES else path.name.removeprefix("POSCAR_")
