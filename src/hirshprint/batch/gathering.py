"""Fingerprints of many structures in one file: gathered from the batches that they were made in, or written at once."""

from __future__ import annotations

import json
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from hirshprint.batch.binning import Binning, pack_batch
from hirshprint.config.model import Fingerprint
from hirshprint.files.reading import USER_BLOCK, read_npz, reading, seal_hdf5
from hirshprint.files.writing import written_whole
from hirshprint.fingerprints.contact_layout import CONTACT_NAMES, Contacts, join_contacts
from hirshprint.fingerprints.layout import COUNTS_UNIT, ROWS_AT_ONCE, bin_edges, channel_names
from hirshprint.hirshfeld.surface import Surface
from hirshprint.versions import FINGERPRINT_FORMAT

COMPRESSION = 4  # level of zlib: the fastest that comes near the smallest file

NEEDED = (
    *("ids", "in_range_fraction", "bin_offsets", "bin", "count", "binning", "surface_offsets"),
    *("site_label", "inside_number", "multiplicity", "area", "volume", "open_fraction"),
    *("engine", "density_source", "level", "contact_offsets", *(f"contact_{name}" for name in Contacts._fields)),
)
"""Arrays of a batch that its fingerprints are in; none of those as large as the surfaces is read."""


def write_fingerprints(
    by_id: Mapping[str, Sequence[Surface]],
    settings: Fingerprint,
    out: str | Path,
    definition_digest: str,
    site_labels: Sequence[str] = (),
) -> None:
    """Bin the surfaces of some structures and write one HDF5 file; see `gather_fingerprints`."""
    binning = Binning(settings, site_labels)
    pack = pack_batch(by_id, dict.fromkeys(by_id, ""), binning)
    place = {name: (0, row) for row, name in enumerate(by_id)}
    _write_file([pack], place, binning, out, definition_digest)


def gather_fingerprints(
    batch_files: Iterable[str | Path],
    expected: Mapping[str, str],
    binning: Binning,
    out: str | Path,
    definition_digest: str,
    threads: int = 1,
) -> list[str]:
    """Write the fingerprints of all batches into one HDF5 file, whole or not at all.

    Parameters
    ----------
    batch_files : iterable of str or Path
        See `batch.file`.
    expected : mapping of str to str
        The structures in the order of the file, with the digest of each one's geometry.
    binning : Binning
        How the fingerprints are made.
    out : str or Path
        File to write; `results/README.md` lists its contents.
    definition_digest : str
        Digest of all that defines these fingerprints, kept as an attribute.
    threads : int, default 1
        Threads that compress at the same time; the file does not depend on their number.

    Returns
    -------
    list of str
        The expected structures that no batch file has, in order; they are left out of the file.

    Raises
    ------
    ValueError
        A batch holds a structure that is not expected, has it twice, with another geometry or with fingerprints of
        other settings; or engines, densities or mesh levels differ.
    """
    batches: list[dict[str, NDArray[Any]]] = []
    place: dict[str, tuple[int, int]] = {}
    for path in map(Path, batch_files):
        with reading(path):
            arrays = read_npz(path, (*NEEDED, "status"))
            status = json.loads(str(arrays.pop("status")))
            names = arrays.pop("ids").tolist()
        if str(arrays["binning"]) != binning.digest:
            raise ValueError(f"{path}: its fingerprints were made with other settings; make this batch anew")
        for row, name in enumerate(names):
            if name in place:
                raise ValueError(f"{path}: {name} is in another batch too")
            if name not in expected:
                raise ValueError(f"{path}: {name} is not among the structures of this dataset")
            if status[name]["geometry"] != expected[name]:
                raise ValueError(f"{path}: {name} was computed at another geometry; make this batch anew")
            place[name] = (len(batches), row)
        batches.append(arrays)
    found = {name: place[name] for name in expected if name in place}
    _write_file(batches, found, binning, out, definition_digest, threads)
    return [name for name in expected if name not in place]


def _write_file(
    batches: Sequence[Mapping[str, NDArray[Any]]],
    place: Mapping[str, tuple[int, int]],
    binning: Binning,
    out: str | Path,
    definition_digest: str,
    threads: int = 1,
) -> None:
    """Write a file of structures, each a row of a batch."""
    settings = binning.settings
    origins = {pair for one in batches for pair in _distinct(one["engine"], one["density_source"])}
    levels = {level for one in batches for (level,) in _distinct(one["level"])}
    levels = levels - {0} if len(levels) > 1 else levels  # 0: an isosurface where a ray would not do
    if len(origins) > 1 or len(levels) > 1:
        raise ValueError(f"fingerprints of one dataset mix engines and densities {origins} or mesh levels {levels}")
    engine, source = next(iter(origins), ("", ""))
    channels = channel_names(settings.channels, binning.site_labels)
    shape = (len(channels), settings.bins.count, settings.bins.count)
    order = list(place.values())
    sites = [slice(*batches[k]["surface_offsets"][[row, row + 1]]) for k, row in order]

    def of_sites(name: str, dtype: Any) -> NDArray[Any]:
        parts = [batches[k][name][part] for (k, _), part in zip(order, sites, strict=True)]
        return np.concatenate([np.empty(0, dtype), *parts]).astype(dtype)

    with written_whole(out) as temporary, h5py.File(temporary, "w", userblock_size=USER_BLOCK) as file:
        file["ids"] = np.array(list(place), dtype=h5py.string_dtype())
        file["channels"] = np.array(channels, dtype=h5py.string_dtype())
        file["bin_edges_angstrom"] = bin_edges(settings.bins)
        fractions = [batches[k]["in_range_fraction"][row] for k, row in order]
        file["in_range_fraction"] = np.array(fractions).reshape(-1, len(channels))
        file["site_offsets"] = np.cumsum([0, *(part.stop - part.start for part in sites)])
        file["site_labels"] = of_sites("site_label", h5py.string_dtype())
        file["site_multiplicity"] = of_sites("multiplicity", np.int64)
        file["site_area_angstrom2"] = of_sites("area", np.float64)
        file["site_volume_angstrom3"] = of_sites("volume", np.float64)
        file["site_number"] = of_sites("inside_number", np.int64)
        file["site_open_fraction"] = of_sites("open_fraction", np.float64)
        _write_contacts(file, batches, list(zip((k for k, _ in order), sites, strict=True)))
        _write_counts(file, batches, order, shape, threads)
        file.attrs.update(
            {
                "weighting": settings.weighting,
                "normalise": settings.normalise,
                "counts_unit": COUNTS_UNIT[settings.weighting, settings.normalise],
                "engine": engine,
                "density_source": source,
                "mesh_level": next(iter(levels), 0),
                "format_version": FINGERPRINT_FORMAT,
                "definition_digest": definition_digest,
            }
        )
        file.close()
        seal_hdf5(temporary)


def _write_contacts(
    file: h5py.File, batches: Sequence[Mapping[str, NDArray[Any]]], sites: Sequence[tuple[int, slice]]
) -> None:
    """Write the contacts of the sites, which are given as their batch and their rows in it, one after the other."""
    offsets = [batches[k]["contact_offsets"][part.start : part.stop + 1] for k, part in sites]
    file["contact_offsets"] = np.cumsum(np.concatenate([[0], *(np.diff(part) for part in offsets)]))
    for name, empty in join_contacts([])._asdict().items():
        rows = [batches[k][f"contact_{name}"][of[0] : of[-1]] for (k, _), of in zip(sites, offsets, strict=True)]
        values = np.concatenate([empty, *rows])
        packed = {"compression": "gzip", "shuffle": True} if values.ndim == 3 and len(values) else {}
        file.create_dataset(CONTACT_NAMES[name], data=values, **packed)


def _distinct(*columns: NDArray[Any]) -> set[tuple[Any, ...]]:
    return set(zip(*(column.tolist() for column in columns), strict=True))


def _write_counts(
    file: h5py.File,
    batches: Sequence[Mapping[str, NDArray[Any]]],
    order: Sequence[tuple[int, int]],
    shape: tuple[int, int, int],
    threads: int,
) -> None:
    """Write the histograms, `ROWS_AT_ONCE` structures at a time; compressing them takes nearly all of the time."""
    counts = file.create_dataset(
        "counts",
        shape=(len(order), *shape),
        dtype="<f4",
        chunks=(ROWS_AT_ONCE, 1, *shape[1:]),
        maxshape=(None, *shape),
        compression="gzip",
        compression_opts=COMPRESSION,
        shuffle=True,
    )

    def chunks(start: int) -> list[bytes]:
        block = np.zeros((ROWS_AT_ONCE, int(np.prod(shape))), dtype="<f4")
        for line, (k, row) in zip(block, order[start : start + ROWS_AT_ONCE], strict=False):
            a, b = batches[k]["bin_offsets"][[row, row + 1]]
            line[batches[k]["bin"][a:b]] = batches[k]["count"][a:b]
        of_channels = block.reshape(ROWS_AT_ONCE, shape[0], -1).swapaxes(0, 1)
        return [zlib.compress(_shuffled(one), COMPRESSION) for one in of_channels]

    with ThreadPoolExecutor(threads) as pool:
        for start, compressed in _ahead(pool, chunks, range(0, len(order), ROWS_AT_ONCE), 2 * threads):
            for channel, content in enumerate(compressed):
                counts.id.write_direct_chunk((start, channel, 0, 0), content)


def _ahead(
    pool: ThreadPoolExecutor, work: Callable[[int], list[bytes]], items: Iterable[int], most: int
) -> Iterator[tuple[int, list[bytes]]]:
    """Give each item with its result, in order; no more than so many are worked on, or waiting, at a time."""
    started: deque[tuple[int, Future[list[bytes]]]] = deque()
    for item in items:
        started.append((item, pool.submit(work, item)))
        if len(started) >= most:
            first, future = started.popleft()
            yield first, future.result()
    for item, future in started:
        yield item, future.result()


def _shuffled(values: NDArray[np.float32]) -> bytes:
    """Bytes of numbers, the first of all, then the second of all ...: HDF5's filter `shuffle`."""
    return np.ascontiguousarray(np.ascontiguousarray(values).view(np.uint8).reshape(-1, 4).T).tobytes()
