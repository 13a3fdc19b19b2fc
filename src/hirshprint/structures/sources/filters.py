"""Filters: steps of the configuration that take rows of a table out (light)."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping, Sequence

from hirshprint.config.model import Filter
from hirshprint.structures.entries import InputError
from hirshprint.structures.sources.rows import read_number
from hirshprint.structures.symbols import SYMBOLS, element_fault

Fault = tuple[str, str]


def filter_columns(filters: Iterable[Filter]) -> list[str]:
    """Columns that the filters look at."""
    return [rule.column for rule in filters if rule.column is not None]


def check_filters(filters: Iterable[Filter], sites: Sequence[str]) -> None:
    """Refuse filters of sites that the prototype does not have, and of what is no element.

    Raises
    ------
    InputError
        With all that is wrong, a line each.
    """
    faults = []
    for rule in filters:
        for site, symbols in (rule.elements or {}).items():
            place = f"filter '{rule.name}': elements"
            if site not in sites:
                near = difflib.get_close_matches(site.upper(), sites, n=1)
                hint = f"; did you mean {near[0]}?" if near else ""
                faults.append(f"{place}: {site} is not a site of the prototype, which has {', '.join(sites)}{hint}")
            found = [fault for symbol in symbols if (fault := element_fault(symbol))]
            faults += [f"{place}: {site}: {reason}; {remedy}" for reason, remedy in found]
    if faults:
        raise InputError("\n    ".join(faults))


def filtered(cells: Mapping[str, str], filters: Iterable[Filter]) -> tuple[Fault | None, Fault | None]:
    """Say which filter takes a row out, the first that does; else that a cell is no number to filter by, if one is."""
    found = None
    for rule in filters:
        allowed = rule.elements or {}
        out = any(cells.get(site) not in allowed[site] and cells.get(site) in SYMBOLS for site in allowed)
        if rule.column is not None:
            value, fault = read_number(cells.get(rule.column, ""), rule.column)
            if fault:
                found = found or (f"{fault[0]}, and filter '{rule.name}' needs it", fault[1])
            above = math.inf if rule.above is None else rule.above
            below = -math.inf if rule.below is None else rule.below
            out = out or value > above or value < below
        if out:
            return (f"filter '{rule.name}'", "nothing, or change `filters` in the configuration"), None
    return None, found
