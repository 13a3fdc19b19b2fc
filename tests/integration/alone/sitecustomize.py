"""Jobs that find the packages of their own environment alone, as in one that conda makes.

With this folder in PYTHONPATH, a job does not find what the file that NOT_THERE names lists for its script: names of
modules that stand beside it in the environment of the tests.
"""

import json
import os
import sys
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any

NAMES: set[str] = set()
for word in sys.orig_argv:
    if "/.snakemake/scripts/" in word:
        NAMES |= set(json.loads(Path(os.environ["NOT_THERE"]).read_text())[Path(word).name.split(".")[1]])


class OfOwnEnvironment(PathFinder):
    """Finds nothing of other environments."""

    @classmethod
    def find_spec(cls, fullname: str, *arguments: Any) -> ModuleSpec | None:  # type: ignore[override]
        return None if fullname in NAMES else PathFinder.find_spec(fullname, *arguments)


sys.meta_path[:] = [OfOwnEnvironment if finder is PathFinder else finder for finder in sys.meta_path]
