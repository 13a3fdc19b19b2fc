"""Structures that an earlier run read from the files of a dataset, kept so that unchanged files are not read again.

One HDF5 file for a dataset. A file or record is known by the digest of what it is read from; all are forgotten when the
programs that read them change. Kept, too, is why a file gives no crystal, where it would be the same at another try.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import h5py
import numpy as np

from hirshprint.files.reading import kept_or_none, open_hdf5, seal_hdf5
from hirshprint.files.writing import digest, file_digest, written_whole
from hirshprint.structures.entries import CrystalError, Entry, PassingError, origin_digest
from hirshprint.structures.reading.process import Answer
from hirshprint.structures.structure import Structure, read_structures, write_structures
from hirshprint.versions import READING

LOG = logging.getLogger(__name__)

READERS = ("pymatgen", "spglib", "numpy", "scipy")
ARRAYS = ("keys", "formulas", "rejected_keys", "reasons")


@dataclass(frozen=True)
class Earlier:
    """What an earlier run read.

    Attributes
    ----------
    answers : mapping
        Of each key the structure, or why there is none.
    formulas : mapping of str to str
        Of each key of a structure its reduced formula.
    """

    answers: Mapping[str, Answer] = field(default_factory=dict)
    formulas: Mapping[str, str] = field(default_factory=dict)


def key_of(entry: Entry) -> str:
    """Digest of what a structure is read from; empty where that cannot be said, and nothing is taken over."""
    return digest(*entry.content) if origin_digest(entry) else ""


def program_digest() -> str:
    """Digest of what reads files: this library's own sources, and versions of those that it reads with."""
    sources = sorted(Path(__file__).parent.rglob("*.py"))
    return digest(READING, [file_digest(path) for path in sources], [_version(name) for name in READERS])


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def read_earlier(path: Path) -> Earlier:
    """Read what an earlier run kept; a file that is damaged is set aside, which is said, and counts as none."""
    found = kept_or_none(path, _read, "structures of an earlier run")
    return found if isinstance(found, Earlier) else Earlier()


def _read(path: Path) -> Earlier:
    with open_hdf5(path, ARRAYS) as file:
        if file.attrs["program"] != program_digest():
            return Earlier()
        keys, formulas, rejected = ([text.decode() for text in file[name][:]] for name in ARRAYS[:3])
        reasons = [[text.decode() for text in pair] for pair in file["reasons"][:].reshape(-1, 2)]
    answers: dict[str, Answer] = dict(zip(keys, read_structures(path), strict=True))
    errors = (CrystalError(reason, remedy) for reason, remedy in reasons)
    answers.update(zip(rejected, errors, strict=True))
    return Earlier(answers, dict(zip(keys, formulas, strict=True)))


def taken_over(earlier: Earlier, entries: Iterable[Entry]) -> tuple[dict[str, Answer], dict[str, str]]:
    """Of the entries that an earlier run has read: by structure id what it read, and the formulas of structures."""
    answers: dict[str, Answer] = {}
    formulas = {}
    for entry in entries:
        key = key_of(entry) if entry.path is not None else ""
        found = earlier.answers.get(key)
        if found is None:
            continue
        if isinstance(found, Structure):
            formulas[entry.structure_id] = earlier.formulas[key]
            if found.structure_id != entry.structure_id:
                found = replace(found, structure_id=entry.structure_id)
        answers[entry.structure_id] = found
    return answers, formulas


def keep_answers(
    path: Path, entries: Sequence[Entry], answers: Mapping[str, Answer], formulas: Mapping[str, str]
) -> None:
    """Keep what was read for the next run, of these entries alone; where it cannot be written, say so and go on.

    Parameters
    ----------
    path : Path
        File to write.
    entries : sequence of Entry
        The planned structures.
    answers : mapping
        What was read, by structure id; what was not read for want of time, memory or access is not kept.
    formulas : mapping of str to str
        Reduced formulas by structure id.
    """
    keys = {entry.structure_id: key for entry in entries if entry.path is not None and (key := key_of(entry))}
    found = {key: answers[name] for name, key in keys.items() if not isinstance(answers[name], PassingError)}
    of_keys = {key: formulas[name] for name, key in keys.items() if name in formulas}
    structures = {key: one for key, one in found.items() if isinstance(one, Structure)}
    errors = {key: one for key, one in found.items() if isinstance(one, CrystalError)}
    text = h5py.string_dtype()
    try:
        with written_whole(path) as temporary:
            write_structures(temporary, list(structures.values()), {"program": program_digest()})
            with h5py.File(temporary, "a") as file:
                file["keys"] = np.array(list(structures), dtype=text)
                file["formulas"] = np.array([of_keys[key] for key in structures], dtype=text)
                file["rejected_keys"] = np.array(list(errors), dtype=text)
                pairs = [[error.reason, error.remedy] for error in errors.values()]
                file["reasons"] = np.array(pairs, dtype=text).reshape(-1, 2)
            seal_hdf5(temporary)
    except OSError as error:
        why = f" ({os.strerror(error.errno)})" if error.errno else ""
        LOG.warning(f"{path}: cannot be written{why}; the next run reads all files again")
