"""Arrays and colours in the form that the page's script reads."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray


def packed(arrays: Mapping[str, NDArray[Any]]) -> dict[str, dict[str, str]]:
    """Pack arrays for the page: type, and bytes in base64, compressed, the first bytes of all numbers first.

    Numbers of one array differ least in their first bytes, so that these compress best side by side.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        Arrays by name.
    """
    found = {}
    for name, array in arrays.items():
        little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        sorted_bytes = little.reshape(-1).view(np.uint8).reshape(-1, little.itemsize).T
        found[name] = {"type": array.dtype.name, "data": deflated(sorted_bytes.tobytes())}
    return found


def deflated(content: bytes) -> str:
    """Compress (zlib) and write in base64."""
    return base64.b64encode(zlib.compress(content, 9)).decode("ascii")


def colours(name: str, steps: int = 16) -> list[str]:
    """Colours of a matplotlib map at even steps, as #rrggbb."""
    return [mpl.colors.to_hex(mpl.colormaps[name](x)) for x in np.linspace(0, 1, steps)]
