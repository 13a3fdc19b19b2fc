"""What a process has on this machine: its cores and its user's cache folder (light)."""

from __future__ import annotations

import os
from pathlib import Path


def cores() -> int:
    """Number of cores that this process may use."""
    return len(os.sched_getaffinity(0))


def user_cache_folder() -> Path:
    """Folder of what this user keeps between commands, outside of any run; it may not be there yet."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hirshprint"
