"""What a dataset consists of: its entries, from whatever source it has.

Everything here is read while the Snakefile is parsed, so it needs no pymatgen, numpy or pandas.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hirshprint.structures.entries import InputError, Plan
from hirshprint.structures.prototypes import PrototypeError
from hirshprint.structures.sources.collections import plan_collection
from hirshprint.structures.sources.combinations import plan_elements
from hirshprint.structures.sources.folders import plan_folder
from hirshprint.structures.sources.tables import plan_table


def plan_dataset(settings: dict[str, Any]) -> Plan:
    """Read a dataset's table, folder or file of many crystals, or combine its lists of elements.

    Parameters
    ----------
    settings : the dataset's part of the configuration. With `model` no property is read.

    Raises
    ------
    InputError
        If the table, folder or file is missing, unreadable or without the needed columns.
    """
    if "folder" in settings and Path(settings["folder"]).is_file():
        raise InputError(
            f"{settings['folder']}: a file where a folder of structure files is to be read; write `table:` for a "
            "table, `structures:` for one file with many crystals"
        )
    try:
        if "elements" in settings:
            return plan_elements(settings)
        if "structures" in settings:
            return plan_collection(settings)
        return plan_table(settings) if "table" in settings else plan_folder(settings)
    except PrototypeError as error:
        raise InputError(str(error)) from None


def has_property(settings: Mapping[str, Any]) -> bool:
    """Say whether a dataset has a property to learn: of a file of many crystals it may be a field."""
    given = "table" in settings or "targets" in settings or ("structures" in settings and "property" in settings)
    return given and "model" not in settings
