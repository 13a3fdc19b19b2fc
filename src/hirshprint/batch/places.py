"""Where the cache keeps the surfaces of an engine (light: read while the Snakefile is parsed)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hirshprint import versions

SURFACE_CACHE = Path("cache/surfaces")


def engine_folder(config: Mapping[str, Any], engine: str) -> Path:
    """Folder for the surfaces of an engine with the settings of a resolved configuration, with one for each dataset.

    What else decides about a result, such as the densities themselves, is in its key.
    """
    surfaces = config["surfaces"]
    if engine == "tonto":
        return SURFACE_CACHE / f"tonto{versions.TONTO_ALGORITHM}-{surfaces['tonto']['separation_bohr']:g}bohr"
    return SURFACE_CACHE / f"python{versions.SURFACE_ALGORITHM}-{config['densities']}-level{surfaces['mesh_level']}"
