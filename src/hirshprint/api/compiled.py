"""The compiled code of the surfaces, at hand in a process that is not ours."""

from __future__ import annotations

import os
import threading
from functools import cache

COMPILED_AT = "NUMBA_CACHE_DIR"


LOCK = threading.Lock()


def compile_for_library() -> None:
    """Compile what surfaces are made with, or take the code that is there; other users of numba notice nothing.

    Numba asks for its folder when a function is declared. So the folder is ours only while ours are.
    """
    with LOCK:  # the first calls of several threads
        _compile()


@cache
def _compile() -> None:
    from hirshprint.run.environment import prepare_command

    before = os.environ.get(COMPILED_AT)
    prepare_command()
    from numba.core import config

    config.reload_config()  # numba may have been imported before
    from hirshprint.hirshfeld.compiled import compile_once, declare_all

    declare_all()
    compile_once()
    if before is None:
        os.environ.pop(COMPILED_AT, None)
        config.reload_config()
