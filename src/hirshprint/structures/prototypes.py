"""Prototypes: crystals whose sites take the elements of a table's row (light: read while the Snakefile is parsed)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from hirshprint.files.writing import file_digest
from hirshprint.structures.entries import InputError
from hirshprint.structures.sources.rows import read_rows
from hirshprint.structures.symbols import element_fault
from hirshprint.versions import READING
from hirshprint.words import either, nearest

Place = tuple[float, float, float]
SITES_FILE = "sites.csv"
SITES_COLUMNS = ("site", "element", "atoms", "anion")
CHALCOGENS_AND_HALOGENS = frozenset(["O", "S", "Se", "Te", "Po", "F", "Cl", "Br", "I", "At"])


class PrototypeError(ValueError):
    """A prototype that is not known or cannot be used; the message says what to do."""


@dataclass(frozen=True)
class Prototype:
    """Sites of a prototype, and where they are.

    Attributes
    ----------
    name : str
        Name in the configuration.
    template : str
        The formula of a compound with a field for each site, e.g. ``{A}{B}{X}3``.
    anions : tuple of str
        Sites whose atoms are anions in every compound.
    apart : tuple of tuple (str, str)
        Pairs of sites that must have different elements.
    cell : tuple of tuple (float, float, float)
        Rows a, b, c of the cell for an edge of 1; empty where `file` says it.
    places : tuple of tuple of tuple (float, float, float)
        Per site the fractional coordinates of its atoms; empty where `file` says it.
    closest : float
        Shortest distance of two atoms for an edge of 1; 0 where `file` says it.
    file : Path or None
        Structure file of a prototype of the user's, its lattice parameter a being the edge.
    placeholders : tuple of str
        The elements that stand for the sites in that file.
    """

    name: str
    template: str
    anions: tuple[str, ...]
    apart: tuple[tuple[str, str], ...] = ()
    cell: tuple[Place, ...] = ()
    places: tuple[tuple[Place, ...], ...] = ()
    closest: float = 0.0
    file: Path | None = None
    placeholders: tuple[str, ...] = ()

    @cached_property
    def counts(self) -> dict[str, int]:
        """Atoms of a formula unit by site, in the order of the table's columns: A first, X last."""
        found = {site: int(n or 1) for site, n in re.findall(r"\{(\w+)\}(\d*)", self.template)}
        return {site: found[site] for site in sorted(found)}

    @property
    def sites(self) -> tuple[str, ...]:
        """Names of the sites: columns of a table, channels of a fingerprint."""
        return tuple(self.counts)

    @property
    def content(self) -> list[str]:
        """What determines the geometry beside elements and edge."""
        if self.file is None:
            return [self.name]
        return [
            "file",
            READING,
            self.template,
            *map(" ".join, (self.anions, self.placeholders)),
            file_digest(self.file),
        ]

    def compound(self, elements: Sequence[str]) -> str:
        """Name an ordered compound from its elements in the order of `sites`; AcAgO3 and AgAcO3 are two."""
        return self.template.format(**dict(zip(self.sites, elements, strict=True)))

    def elements_of(self, formula: str) -> tuple[str, ...] | None:
        """Elements by site of a formula that is written in the order of the template; None if it is not."""
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[A-Z][a-z]?)", self.template)
        match = re.fullmatch(pattern, formula)
        return None if match is None else tuple(match[site] for site in self.sites)

    def atoms(self, elements: Sequence[str]) -> Counter[str]:
        """Count the atoms of a formula unit by element."""
        total: Counter[str] = Counter()
        for symbol, count in zip(elements, self.counts.values(), strict=True):
            total[symbol] += count
        return total

    def anion_sites(self, elements: Sequence[str]) -> tuple[str, ...]:
        """Sites whose atoms count as anions; in an anti-perovskite A is one if it is a halogen or chalcogen."""
        also_a = self.name == "anti_perovskite" and elements[0] in CHALCOGENS_AND_HALOGENS
        return ("A", *self.anions) if also_a else self.anions


_H = 0.5
_CUBE = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
_PEROVSKITE = (((0.0, 0.0, 0.0),), ((_H, _H, _H),), ((_H, _H, 0.0), (_H, 0.0, _H), (0.0, _H, _H)))
_CUBIC = Prototype("cubic_perovskite", "{A}{B}{X}3", ("X",), (("A", "X"), ("B", "X")), _CUBE, _PEROVSKITE, 0.5)
PROTOTYPES = {
    prototype.name: prototype
    for prototype in (
        _CUBIC,
        Prototype("anti_perovskite", "{X}3{A}{B}", ("B",), (("A", "X"), ("B", "X")), _CUBE, _PEROVSKITE, 0.5),
        Prototype(  # the primitive cell of the face-centred cubic one, whose edge is twice the edge that is meant here
            "double_perovskite",
            "{A}2{B}{B2}{X}6",
            ("X",),
            (("A", "X"), ("B", "X"), ("B2", "X"), ("B", "B2")),
            ((0.0, 1.0, 1.0), (1.0, 0.0, 1.0), (1.0, 1.0, 0.0)),
            (
                ((0.25, 0.25, 0.25), (0.75, 0.75, 0.75)),
                ((0.0, 0.0, 0.0),),
                ((_H, _H, _H),),
                (
                    (-0.25, 0.25, 0.25),
                    (0.25, -0.25, -0.25),
                    (0.25, -0.25, 0.25),
                    (-0.25, 0.25, -0.25),
                    (0.25, 0.25, -0.25),
                    (-0.25, -0.25, 0.25),
                ),
            ),
            0.5,
        ),
    )
}


@cache
def find_prototype(name: str) -> Prototype:
    """Find a prototype by its name, or read the folder of one.

    Such a folder has one CIF or POSCAR file, in which a different element stands for each site, and ``sites.csv`` with
    the columns site (its name), element (what stands for it in the file), atoms (in a formula unit), anion (yes or no).

    Raises
    ------
    PrototypeError
        It is neither, or the folder lacks something.
    """
    if name in PROTOTYPES:
        return PROTOTYPES[name]
    folder = Path(name)
    if not folder.is_dir():
        near = nearest(name, PROTOTYPES)
        hint = f"; did you mean {either(near)}?" if near else ""
        raise PrototypeError(f"prototype {name}: neither one of {', '.join(PROTOTYPES)} nor a folder{hint}")
    table = folder / SITES_FILE
    files = [path for path in sorted(folder.iterdir()) if path.is_file() and path.suffix != ".csv"]
    if not table.is_file() or len(files) != 1:
        raise PrototypeError(f"prototype {name}: the folder must have {SITES_FILE} and one structure file, no other")
    try:
        read = read_rows(table, SITES_COLUMNS)
    except InputError as error:
        raise PrototypeError(str(error)) from None
    rows = [row.cells for row in read]
    for one in read:
        number, row = one.number, one.cells
        if one.fault or any(not row[column] for column in SITES_COLUMNS):
            raise PrototypeError(f"{table} row {number}: fill the columns {', '.join(SITES_COLUMNS)}")
        if fault := element_fault(row["element"]):
            raise PrototypeError(f"{table} row {number}: column element: {fault[0]}; {fault[1]}")
        if not re.fullmatch("[A-Z][A-Za-z0-9_]*", row["site"]) or not re.fullmatch("[1-9][0-9]{0,3}", row["atoms"]):
            raise PrototypeError(f"{table} row {number}: write a site such as A, and its atoms in a formula unit")
        if row["anion"] not in ("yes", "no"):
            raise PrototypeError(f"{table} row {number}: write yes or no under anion")
    for column in ("site", "element"):
        if not rows or len({row[column] for row in rows}) < len(rows):
            raise PrototypeError(f"{table}: give each site a row, with a {column} of its own")
    rows.sort(key=lambda row: row["site"])
    return Prototype(
        name=name,
        template="".join(f"{{{row['site']}}}{row['atoms'] if row['atoms'] != '1' else ''}" for row in rows),
        anions=tuple(row["site"] for row in rows if row["anion"] == "yes"),
        file=files[0],
        placeholders=tuple(row["element"] for row in rows),
    )
