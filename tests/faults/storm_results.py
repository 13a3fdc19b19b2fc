"""Two folders of results compared file by file: what was computed must be equal, times and process ids need not."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

TOLERANCE = 1e-5  # relative: a training that was resumed, or ran on another number of threads
OF_A_RUN = {
    "seconds",
    "reused",
    "cpu_seconds",
    "earlier_seconds",
    "digest",
}  # keys of records and columns that tell of the run, not of the result
VOLATILE_COLUMNS = re.compile(r"second|minute|time|cpu|reused|memory|_mb|\bmb\b|jobs|attempt", re.IGNORECASE)
COST_IN_REPORT = r'<figure id="run-cost">.*?</figure>|<p id="took">.*?</p>|"/cost": "[^"]*"'
VOLATILE_TEXT = (
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?",  # dates
    r"\d\d? \w{3,9} \d{4}(,? \d\d:\d\d)?",
    r"\b(id|href|xlink:href|clip-path|gradient|url)\s*=\s*\"[^\"]*\"",  # matplotlib numbers its elements by a hash
    r"url\(#[^)]*\)",
    r"/[\w./-]*(storm|reference)[\w./-]*",  # the folder itself
)


def differences(found: Path, wanted: Path, names: set[str]) -> list[str]:
    """Say how the results in `found` differ from those in `wanted`; `names` are the datasets of the configuration."""
    here, there = ({str(p.relative_to(f)): p for p in files_of(f)} for f in (found, wanted))
    lines = [f"{name}: is not there" for name in sorted(there.keys() - here.keys())]
    lines += [f"{name}: nobody asked for it" for name in sorted(here.keys() - there.keys()) if not stale(name, names)]
    for name in sorted(here.keys() & there.keys()):
        try:
            difference = compare(here[name], there[name])
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            difference = f"cannot be read: {type(error).__name__}: {error}"
        if difference:
            lines.append(f"{name}: {difference}")
    return lines


def files_of(folder: Path) -> Iterator[Path]:
    """All files that count as results."""
    for path in folder.rglob("*"):
        hidden = path.name.startswith(".")  # Snakemake's, and digests of tables, which have the last digits in them
        if path.is_file() and not hidden and ".damaged" not in path.as_posix():
            yield path


def stale(name: str, names: set[str]) -> bool:
    """Say whether a file may lie there: a batch of another division, a dataset of another name, other densities."""
    parts = Path(name).parts
    if len(parts) > 1 and parts[0] not in names and parts[0] not in ("paper", "compounds"):
        return True
    return len(parts) == 3 and parts[1] == "surfaces"


def compare(found: Path, wanted: Path) -> str:
    """Say how a file differs from that of the undisturbed run; nothing if it does not."""
    kind = wanted.suffix
    if kind == ".npz":
        return compare_trees(read_npz(found), read_npz(wanted))
    if kind == ".h5":
        return compare_trees(read_h5(found), read_h5(wanted))
    if kind == ".keras":
        return compare_trees(read_keras(found), read_keras(wanted))
    if wanted.name == "cost.csv":  # what the jobs took, of those that had ended by then
        return compare_texts(*(path.read_text("utf-8").splitlines()[:1] for path in (found, wanted)))
    if kind == ".csv":
        return compare_trees(read_csv(found), read_csv(wanted))
    if kind == ".json":
        return compare_trees(json.loads(found.read_text("utf-8")), json.loads(wanted.read_text("utf-8")))
    return compare_texts(plain_text(found), plain_text(wanted))


def read_npz(path: Path) -> dict[str, Any]:
    """Arrays of a file, records among them as such."""
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        found = {name: arrays[name] for name in arrays.files}
    if "status" in found:
        found["status"] = json.loads(str(found["status"]))
    return found


def read_h5(path: Path) -> dict[str, Any]:
    """Arrays and attributes of a file."""
    with h5py.File(path) as file:
        return read_group(file)


def read_group(group: Any) -> dict[str, Any]:
    found: dict[str, Any] = {f"@{name}": np.asarray(value) for name, value in group.attrs.items()}
    for name, item in group.items():
        found[name] = read_group(item) if isinstance(item, h5py.Group) else np.asarray(item[()])
    return found


def read_keras(path: Path) -> dict[str, Any]:
    """Weights of a network."""
    with zipfile.ZipFile(path) as file:
        weights = io.BytesIO(file.read("model.weights.h5"))
    with h5py.File(weights) as file:
        return without_names(read_group(file))


def without_names(group: dict[str, Any]) -> dict[str, Any]:
    """Leave out attributes: Keras numbers its layers by those that a process has made."""
    kept = {name: value for name, value in group.items() if not name.startswith("@")}
    return {name: without_names(value) if isinstance(value, dict) else value for name, value in kept.items()}


def read_csv(path: Path) -> list[dict[str, str]]:
    """Rows of a table without what tells of the run."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [{k: v for k, v in row.items() if not (k and VOLATILE_COLUMNS.search(k))} for row in rows]


def plain_text(path: Path) -> list[str]:
    """Words of a text without dates, times, ids and the place of the folder."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".html":
        text = re.sub(COST_IN_REPORT, "", text, flags=re.DOTALL)
    for pattern in VOLATILE_TEXT:
        text = re.sub(pattern, "", text)
    return re.split(r"[\s,;<>\"'()\[\]{}]+", text)


def compare_texts(found: list[str], wanted: list[str]) -> str:
    """First word that differs by more than the tolerance."""
    if len(found) != len(wanted):
        at = next((k for k, (one, other) in enumerate(zip(found, wanted, strict=False)) if one != other), -1)
        return f"{len(found)} words for {len(wanted)}; {' '.join(found[at - 3 : at + 5])[:200]!r}"
    for k, (one, other) in enumerate(zip(found, wanted, strict=True)):
        if one != other and not close(one, other):
            near = slice(max(0, k - 5), k + 5)
            return f"{' '.join(found[near])[:300]!r} for {' '.join(wanted[near])[:300]!r}"
    return ""


def compare_trees(found: Any, wanted: Any, where: str = "") -> str:
    """First place in which two nested values differ by more than the tolerance."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        keys = wanted.keys() - OF_A_RUN
        if found.keys() - OF_A_RUN != keys:
            return f"{where}: has {sorted((found.keys() ^ wanted.keys()) - OF_A_RUN)[:5]} in one alone"
        parts = (compare_trees(found[key], wanted[key], f"{where}/{key}") for key in sorted(keys, key=str))
        return next(filter(None, parts), "")
    if isinstance(wanted, list) and isinstance(found, list):
        if len(found) != len(wanted):
            return f"{where}: {len(found)} for {len(wanted)}"
        pairs = enumerate(zip(found, wanted, strict=True))
        return next(filter(None, (compare_trees(a, b, f"{where}[{k}]") for k, (a, b) in pairs)), "")
    if isinstance(wanted, np.ndarray) and isinstance(found, np.ndarray):
        return compare_arrays(found, wanted, where)
    return "" if found == wanted or close(found, wanted) else f"{where}: {found!r} for {wanted!r}"[:300]


def compare_arrays(found: np.ndarray, wanted: np.ndarray, where: str) -> str:
    if found.shape != wanted.shape or found.dtype.kind != wanted.dtype.kind:
        return f"{where}: {found.shape} {found.dtype} for {wanted.shape} {wanted.dtype}"
    if wanted.dtype.kind != "f":
        return "" if np.array_equal(found, wanted) else f"{where}: other values"
    scale = float(np.abs(wanted).max(initial=1e-6, where=np.isfinite(wanted)))
    same = np.isclose(found, wanted, rtol=TOLERANCE, atol=TOLERANCE * scale, equal_nan=True)
    return "" if same.all() else f"{where}: differs by {np.nanmax(np.abs(found - wanted)):.2g} of {scale:.2g}"


def close(one: Any, other: Any) -> bool:
    """Say whether two values are numbers that differ by no more than the tolerance."""
    try:
        a, b = float(one), float(other)
    except (TypeError, ValueError):
        return False
    return abs(a - b) <= TOLERANCE * max(1.0, abs(a), abs(b))
