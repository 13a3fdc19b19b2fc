"""The file of a batch: the surfaces of its structures, their fingerprints, and what became of each.

An NPZ file of the arrays of `pack_surfaces` and those named here; `results/README.md` lists all of them. Files of other
batches, of parts of one, or of earlier runs are joined without a look at the surfaces in them.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hirshprint.files.reading import read_npz, reading
from hirshprint.fingerprints.contact_layout import Contacts, join_contacts
from hirshprint.hirshfeld.registry import ENGINES
from hirshprint.hirshfeld.surface import ARRAYS, SCALARS, Surface, unpack_surfaces

Pack = dict[str, NDArray[Any]]
Reader = Callable[[str], NDArray[Any]]
"""Gives an array of a pack by its name."""

Arrays = Iterable[tuple[str, NDArray[Any]]]

OF_STRUCTURES = ("ids", "keys", "in_range_fraction")
OF_SURFACES = (*SCALARS, "centre")
OF_OTHER_ROWS = {  # by the offsets that say which rows are of which surface
    f"{row}_offsets": [name for name, (_, _, own) in ARRAYS.items() if own == row]
    for row in ("vertex", "inside", "outside")
}
OF_OTHER_ROWS["contact_offsets"] = [f"contact_{name}" for name in Contacts._fields]
OF_BINS = ("bin", "count")
SETS = ("triangle", "operation")
"""The arrays of a batch file, by what they have a row for."""

ISOSURFACES_AT_0 = [engine.name for engine in ENGINES.values() if engine.level_0_is_isosurface]


def join_packs(sources: Sequence[Reader], order: Sequence[tuple[int, int]]) -> Arrays:
    """Give the arrays of a pack with structures of several packs, one at a time: only that one is in memory.

    Parameters
    ----------
    sources : sequence of callable
        At least one; each gives an array of its pack by its name. Their fingerprints are made alike.
    order : sequence of tuple (int, int)
        For each structure which source it is of, and its row there.
    """
    known: dict[tuple[int, str], NDArray[Any]] = {}

    def offsets(source: int, name: str) -> NDArray[Any]:
        if (source, name) not in known:
            known[source, name] = sources[source](name)
        return known[source, name]

    def joined(name: str, ranges: Sequence[tuple[int, int, int]]) -> NDArray[Any]:
        used = sorted({0, *(source for source, _, _ in ranges)})
        arrays = {source: sources[source](name) for source in used}
        return np.concatenate([arrays[0][:0], *(arrays[source][a:b] for source, a, b in ranges)])

    def begins(name: str, ranges: Sequence[tuple[int, int, int]]) -> NDArray[Any]:
        lengths = [np.diff(offsets(source, name)[a : b + 1]) for source, a, b in ranges]
        return np.cumsum(np.concatenate([[0], *lengths]))

    def within(name: str, ranges: Sequence[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
        return [(source, *offsets(source, name)[[a, b]].tolist()) for source, a, b in ranges]

    structures = [(source, row, row + 1) for source, row in order]
    surfaces = within("surface_offsets", structures)
    for name in OF_STRUCTURES:
        yield name, joined(name, structures)
    yield "surface_offsets", begins("surface_offsets", structures)
    for name in OF_SURFACES:
        yield name, joined(name, surfaces)
    for of_rows, names in OF_OTHER_ROWS.items():
        yield of_rows, begins(of_rows, surfaces)
        rows = within(of_rows, surfaces)
        for name in names:
            yield name, joined(name, rows)
    yield "bin_offsets", begins("bin_offsets", structures)
    rows = within("bin_offsets", structures)
    for name in OF_BINS:
        yield name, joined(name, rows)
    for kind in SETS:
        yield from _joined_sets(kind, sources, surfaces)
    yield "binning", sources[0]("binning")


def _joined_sets(
    kind: str, sources: Sequence[Reader], surfaces: Sequence[tuple[int, int, int]]
) -> Iterator[tuple[str, NDArray[Any]]]:
    """The lists of triangles, or the sets of operations, that some surfaces have: equal ones once."""
    lists = {
        source: np.split(sources[source](f"{kind}s"), sources[source](f"{kind}_offsets")[1:-1])
        for source in sorted({0, *(source for source, _, _ in surfaces)})
    }
    which = {source: sources[source](f"{kind}_set") for source in lists}
    place: dict[bytes, int] = {}
    rows: dict[tuple[int, int], int] = {}
    kept, chosen = [lists[0][0][:0]] if lists[0] else [], []
    for source, a, b in surfaces:
        for number in which[source][a:b].tolist():
            if (source, number) not in rows:
                content = lists[source][number]
                rows[source, number] = place.setdefault(content.tobytes(), len(place))
                if rows[source, number] == len(kept) - 1:
                    kept.append(content)
            chosen.append(rows[source, number])
    yield f"{kind}_offsets", np.cumsum([len(part) for part in kept])
    yield f"{kind}_set", np.array(chosen, dtype=np.int32)
    yield f"{kind}s", np.concatenate(kept)


def without_fingerprints(read: Reader) -> Reader:
    """Give the arrays of a pack as if no fingerprints had been made."""
    structures = len(read("ids"))
    contacts = join_contacts([])._asdict()
    none: Pack = {f"contact_{name}": array for name, array in contacts.items()} | {
        "contact_offsets": np.zeros(len(read("site_label")) + 1, dtype=np.int64),
        "bin_offsets": np.zeros(structures + 1, dtype=np.int64),
        "bin": np.empty(0, dtype=np.int32),
        "count": np.empty(0, dtype=np.float32),
        "in_range_fraction": np.empty((structures, 0)),
        "binning": np.array(""),
    }
    return lambda name: none[name] if name in none else read(name)


def notes_of(read: Reader) -> dict[int, str]:
    """What one should know of surfaces that are not closed radial functions, by the row of the structure; of few."""
    label, engine, level, is_open = map(read, ("site_label", "engine", "level", "open_fraction"))
    no_rays = (level == 0) & np.isin(engine, ISOSURFACES_AT_0)
    found: dict[int, list[str]] = {}
    for k in np.flatnonzero(no_rays | (is_open > 0)).tolist():
        texts = [f"{label[k]}: rays cross w = 1/2 more than once, so it is an isosurface"] if no_rays[k] else []
        texts += [f"{label[k]}: {is_open[k]:.1%} of its area meets no other atom"] if is_open[k] > 0 else []
        row = int(np.searchsorted(read("surface_offsets"), k, side="right")) - 1
        found.setdefault(row, []).extend(texts)
    return {row: "; ".join(texts) for row, texts in found.items()}


def write_arrays(path: Path, arrays: Arrays) -> None:
    """Write arrays to an NPZ file one after the other, as they come.

    Parameters
    ----------
    path : Path
        The file to write.
    arrays : iterable of tuple (str, ndarray)
        Name and values of each, in the order in which they are written.
    """
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays:
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)


def file_reader(path: Path) -> Reader:
    """Give the arrays of a file by name, each read, and checked, when it is asked for."""
    return lambda name: read_npz(path, [name])[name]


def read_surfaces(path: Path, wanted: Collection[str]) -> dict[str, list[Surface]]:
    """Read the surfaces of those structures that a batch file has among the wanted ones.

    Raises
    ------
    DamagedError
        It is not as it was written.
    """
    with reading(path):
        rows = [(0, row) for row, name in enumerate(read_npz(path, ["ids"])["ids"].tolist()) if name in wanted]
        return unpack_surfaces(dict(join_packs([file_reader(path)], rows))) if rows else {}
