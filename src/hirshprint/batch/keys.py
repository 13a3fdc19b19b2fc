"""Digests that name what the surfaces of a structure were made of: equal names, equal surfaces."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache

from hirshprint.files.writing import digest
from hirshprint.hirshfeld.engines import OpenEngine
from hirshprint.structures.structure import Structure


def structure_digest(structure: Structure) -> str:
    """Digest of a structure's geometry and symmetry: as `files.digest`, but equal operations are written out once."""
    geometry = [
        structure.structure_id,
        structure.lattice.tolist(),
        structure.numbers.tolist(),
        structure.frac.tolist(),
        structure.is_anion.tolist(),
        structure.site_atom.tolist(),
        structure.atom_site.tolist(),
        list(structure.site_labels),
    ]
    operations = ",".join(_operations_text(one.shape, one.tobytes()) for one in structure.site_operations)
    text = f"{json.dumps(geometry, separators=(',', ':'), allow_nan=False)[:-1]},[{operations}]]"
    return hashlib.sha256(text.encode()).hexdigest()


@lru_cache(maxsize=4096)
def _operations_text(shape: tuple[int, ...], content: bytes) -> str:
    import numpy as np

    return json.dumps(np.frombuffer(content, dtype=np.int64).reshape(shape).tolist(), separators=(",", ":"))


def surface_key(structure: Structure, engine: OpenEngine, geometry: str = "") -> str:
    """Digest of everything that determines a structure's surfaces; `geometry` is its digest, where that is known."""
    return digest(geometry or structure_digest(structure), engine.settings(structure))
