"""Where the cache keeps the surfaces of an engine (light: read while the Snakefile is parsed)."""

from __future__ import annotations

from pathlib import Path

from hirshprint.config.model import Config
from hirshprint.hirshfeld.registry import engine_named
from hirshprint.versions import SURFACE_FILES

SURFACE_CACHE = Path("cache/surfaces")


def engine_folder(config: Config, engine: str) -> Path:
    """Folder for the surfaces of an engine with the settings of a resolved configuration, with one for each dataset.

    What else decides about a result, such as the densities themselves, is in its key.
    """
    return SURFACE_CACHE / f"{engine_named(engine).cache_name(config)}-{SURFACE_FILES}"
