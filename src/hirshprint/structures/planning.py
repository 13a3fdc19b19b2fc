"""What a dataset consists of: its entries, from whatever source it has.

Everything here is read while the Snakefile is parsed, so it needs no pymatgen, numpy or pandas.
"""

from __future__ import annotations

from pathlib import Path

from hirshprint.config.model import Dataset
from hirshprint.structures.entries import InputError, Plan
from hirshprint.structures.prototypes import PrototypeError
from hirshprint.structures.sources.collections import plan_collection
from hirshprint.structures.sources.combinations import plan_elements
from hirshprint.structures.sources.folders import plan_folder
from hirshprint.structures.sources.tables import plan_table


def plan_dataset(settings: Dataset) -> Plan:
    """Read a dataset's table, folder or file of many crystals, or combine its lists of elements.

    Parameters
    ----------
    settings : Dataset
        The dataset's part of the configuration. With `model` no property is read.

    Raises
    ------
    InputError
        If the table, folder or file is missing, unreadable or without the needed columns.
    """
    if settings.folder is not None and Path(settings.folder).is_file():
        raise InputError(
            f"{settings.folder}: a file where a folder of structure files is expected; write `table:` for a "
            "table, `structures:` for one file with many crystals"
        )
    try:
        if settings.elements is not None:
            return plan_elements(settings)
        if settings.structures is not None:
            return plan_collection(settings)
        return plan_table(settings) if settings.table is not None else plan_folder(settings)
    except PrototypeError as error:
        raise InputError(str(error)) from None


def has_property(settings: Dataset) -> bool:
    """Say whether a dataset has a property to learn: of a file of many crystals it may be a field."""
    of_records = settings.structures is not None and settings.property is not None
    return settings.model is None and (settings.table is not None or settings.targets is not None or of_records)
