"""The batches that the structures of a dataset are computed in, about a minute of work each (light)."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from hirshprint.structures.entries import Entry, Plan

PERIODIC = re.compile(r"(.{1,12})\1{9}$")  # Snakemake refuses names that end like this: it takes them for a loop

BATCH = re.compile("batch[0-9a-f]+of([0-9a-f]+)")

SECONDS_PER_JOB = 60.0
"""Work that a job is given where nothing is said: it costs 4 to 5 s before its first structure, wherever it runs."""

LONGEST = 200
"""Letters in the name of a batch: a file system knows 255 to a name, and the names of its files have some more."""

MOST_BATCHES = 1024
"""However much work there is: a million structures are to make fewer than 10⁴ files, and a batch makes about six."""

TEXT_BYTES_PER_SITE, JSON_BYTES_PER_SITE = 300.0, 500.0
"""What a site that no symmetry makes equal to another one takes in a structure file, with its share of the rest."""

PACKED = 5.0  # how much smaller compression makes such a file


def count_batches(jobs: float) -> int:
    """Return the power of two that is at least the number of jobs that one would have."""
    return 1 << max(0, math.ceil(math.log2(max(1.0, jobs))))


def batch_of(structure_id: str, batches: int | None) -> str:
    """Name the batch of a structure: leading bits of its id's hash, or its own name where `batches` is None.

    Growth moves nothing until the number of batches doubles.
    """
    hashed = hashlib.sha256(structure_id.encode())
    if batches is None:
        plain = re.sub(r"[^A-Za-z0-9._+-]", "_", structure_id)
        usable = plain == structure_id and plain.strip(".") and not PERIODIC.search(plain)
        usable = usable and not BATCH.fullmatch(plain) and len(plain) <= LONGEST
        return plain if usable else f"{plain[: LONGEST - 9]}-{hashed.hexdigest()[:8]}"
    bits = batches.bit_length() - 1
    index = int.from_bytes(hashed.digest()[:8], "big") >> (64 - bits)
    width = max(1, math.ceil(bits / 4))
    return f"batch{index:0{width}x}of{batches:x}"


def batches_of(batch: str) -> int | None:
    """How many batches there are beside this one, by its name; None where it is that of one structure."""
    match = BATCH.fullmatch(batch)
    return int(match[1], 16) if match else None


def members(ids: Iterable[str], batch: str) -> list[str]:
    """Return those structures that are in a batch."""
    batches = batches_of(batch)
    return [name for name in ids if batch_of(name, batches) == batch]


def plan_batches(
    plan: Plan, structures_per_job: int | str | None, seconds_per_site: float, symmetry_saves: float = 1.0
) -> dict[str, list[Entry]]:
    """Divide the structures into batches, by name; batches without a member are left out.

    Parameters
    ----------
    plan : Plan
        The structures of the dataset.
    structures_per_job : int or str or None
        ``auto`` or None gives each job about `SECONDS_PER_JOB` of work, 1 each structure its own.
    seconds_per_site : float
        What a site without symmetry costs.
    symmetry_saves : float, default 1.0
        See `expected_sites`.
    """
    if structures_per_job == 1:
        batches = None
    elif isinstance(structures_per_job, int):
        batches = count_batches(len(plan.entries) / structures_per_job)
    else:
        seconds = seconds_per_site * expected_sites(plan.entries, symmetry_saves)
        batches = min(MOST_BATCHES, count_batches(seconds / SECONDS_PER_JOB))
    found: dict[str, list[Entry]] = {}
    for entry in plan.entries:
        found.setdefault(batch_of(entry.structure_id, batches), []).append(entry)
    return dict(sorted(found.items()))


def expected_sites(entries: Sequence[Entry], symmetry_saves: float = 1.0) -> float:
    """Estimate how many sites without symmetry are as much work as the structures of a dataset, before any is read.

    Files are taken for as many sites as their size lets one expect: within a factor of three, for most.

    Parameters
    ----------
    entries : sequence of Entry
        The planned structures.
    symmetry_saves : float, default 1.0
        By how much less a site of a prototype costs, whose symmetry is high.
    """
    of_rows = sum(len(entry.elements) for entry in entries if entry.path is None)
    of_files = math.fsum(map(_sites_in, {entry.path for entry in entries if entry.path is not None}))
    return of_rows / symmetry_saves + of_files


def _sites_in(path: Path) -> float:
    """How many distinct sites the crystals in a file may have together."""
    name = path.name.lower()
    packed = PACKED if name.endswith((".gz", ".xz", ".bz2")) else 1.0
    bytes_per_site = JSON_BYTES_PER_SITE if ".json" in name else TEXT_BYTES_PER_SITE
    try:
        return max(1.0, path.stat().st_size * packed / bytes_per_site)
    except OSError:  # it is rejected by name when it is to be read
        return 1.0
