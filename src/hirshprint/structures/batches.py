"""The batches that the structures of a dataset are computed in (light)."""

from __future__ import annotations

import hashlib
import math
import re

from hirshprint.structures.entries import Entry, Plan

PERIODIC = re.compile(r"(.{1,12})\1{9}$")  # Snakemake refuses names that end like this: it takes them for a loop

BATCH = re.compile("batch[0-9a-f]+of[0-9a-f]+")


def count_batches(structures: int, structures_per_job: int) -> int:
    """Return the power of two that is at least structures / structures_per_job."""
    return 1 << max(0, math.ceil(math.log2(max(1, structures) / structures_per_job)))


def batch_of(structure_id: str, batches: int | None) -> str:
    """Name the batch of a structure: leading bits of its id's hash, or its own name where `batches` is None.

    Growth moves nothing until the number of batches doubles.
    """
    hashed = hashlib.sha256(structure_id.encode())
    if batches is None:
        plain = re.sub(r"[^A-Za-z0-9._+-]", "_", structure_id)
        usable = plain == structure_id and plain.strip(".") and not PERIODIC.search(plain)
        return plain if usable else f"{plain}-{hashed.hexdigest()[:8]}"
    bits = batches.bit_length() - 1
    index = int.from_bytes(hashed.digest()[:8], "big") >> (64 - bits)
    width = max(1, math.ceil(bits / 4))
    return f"batch{index:0{width}x}of{batches:x}"


def plan_batches(plan: Plan, structures_per_job: int) -> dict[str, list[Entry]]:
    """Divide the structures into batches, by name; batches without a member are left out."""
    batches = None if structures_per_job == 1 else count_batches(len(plan.entries), structures_per_job)
    members: dict[str, list[Entry]] = {}
    for entry in plan.entries:
        members.setdefault(batch_of(entry.structure_id, batches), []).append(entry)
    return dict(sorted(members.items()))
