"""Per-atom Hirshfeld-surface fingerprints of crystals, and what can be learned from them.

In a notebook or a script, with structures of pymatgen's or ASE's, names of files, or formulas:

>>> import hirshprint
>>> fingerprint = hirshprint.fingerprint("SrTiO3.cif")
>>> fingerprint.counts.shape, fingerprint.channels
((6, 50, 50), ('total', 'Sr1', 'Ti1', 'O1', 'anion', 'cation'))
>>> hirshprint.contacts("SrTiO3.cif").table()

See `hirshprint.api.functions`; for scikit-learn and matminer `hirshprint.featurizer`.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"
__all__ = ["__version__", "compare", "contacts", "fingerprint", "predict", "surfaces"]


def __getattr__(name: str) -> Any:
    """Import the functions of the interface when they are first asked for: the modules of a run need none of them."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("hirshprint.api.functions"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
