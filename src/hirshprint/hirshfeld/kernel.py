"""The one way in which functions of this library are compiled; `compiled` says where the code is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(function: Function) -> Function:
    """Compile a function to machine code when it is first called, and keep the code on disk."""
    compiled: Function = njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})(function)
    return compiled
