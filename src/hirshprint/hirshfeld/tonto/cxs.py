"""The surface file that Tonto writes (`.cxs`): named blocks of plain numbers.

Leaves look like ``begin NAME N``, N lines of numbers with 5 decimals, ``end NAME``. Vertices and distances are in the
unit that the input asked for (Å here, ``CX_uses_angstrom= TRUE``); triangles count from 0, atoms from 1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_BLOCK = re.compile(r"^begin (\w+) +(\d+)( +\d+)?[ \t]*\n(.*?)^end \1[ \t]*$", re.MULTILINE | re.DOTALL)


class CxsError(ValueError):
    """A surface file that is cut short or damaged, or that holds no closed surface."""


@dataclass(frozen=True, eq=False)
class Cxs:
    """What a surface file says.

    Attributes
    ----------
    lengths, angles : ndarray of float64, (3,)
        Edges (Å) and angles (degrees) of the cell.
    symbols : tuple of str
        Element of each atom of the cell.
    frac : ndarray of float64, (n_atoms, 3)
        Fractional coordinates, rounded to 5 decimals.
    inside, outside : ndarray of int64, (k, 4)
        Atom of the cell (from 0) and its shift in cells.
    vertices : ndarray of float64, (n, 3), Å
        Cartesian, a along x and b in the plane of x and y.
    triangles : ndarray of int32, (m, 3)
        Rows into `vertices`, counter-clockwise seen from outside.
    normals : ndarray of float64, (n, 3)
        Unit vectors away from the inside.
    d_i, d_e : ndarray of float64, (n,), Å
        Distance to the nearest nucleus inside and outside.
    face_outside : ndarray of int64, (m,)
        Row into `outside` of the nearest nucleus for each triangle.
    """

    lengths: NDArray[np.float64]
    angles: NDArray[np.float64]
    symbols: tuple[str, ...]
    frac: NDArray[np.float64]
    inside: NDArray[np.int64]
    outside: NDArray[np.int64]
    vertices: NDArray[np.float64]
    triangles: NDArray[np.int32]
    normals: NDArray[np.float64]
    d_i: NDArray[np.float64]
    d_e: NDArray[np.float64]
    face_outside: NDArray[np.int64]


def parse_cxs(text: str) -> Cxs:
    """Read a surface file.

    Raises
    ------
    CxsError : it is cut short, a block is missing or has the wrong length, a number is none or not finite, or
        triangles name vertices that are not there.
    """
    if text.rstrip().rpartition("\n")[2].strip() != "end surface":
        raise CxsError("the surface file is cut short (its last line is not `end surface`)")
    blocks: dict[str, tuple[int, str]] = {}
    for match in _BLOCK.finditer(text):
        if match[1] == "indices" and match[3]:
            raise CxsError("the surface was cut by the box and closed with caps")
        blocks[match[1]] = int(match[2]), match[4]
    symbols, frac = _unit_cell(blocks)
    vertices = _numbers(blocks, "vertices", 3)
    triangles = _integers(blocks, "indices", 3).astype(np.int32)
    inside, outside = (_atoms(blocks, f"atoms_{side}_surface") for side in ("inside", "outside"))
    if len(outside) == 0:  # then the end of the density table was drawn, with d_e = *****
        raise CxsError("no atom outside the surface: no neighbour is near enough")
    found = Cxs(
        lengths=np.array([_cell(text, name) for name in ("a", "b", "c")]),
        angles=np.array([_cell(text, name) for name in ("alpha", "beta", "gamma")]),
        symbols=symbols,
        frac=frac,
        inside=inside,
        outside=outside,
        vertices=vertices,
        triangles=triangles,
        normals=_unit(_numbers(blocks, "vertex_normals", 3)),
        d_i=_numbers(blocks, "d_i", 1)[:, 0],
        d_e=_numbers(blocks, "d_e", 1)[:, 0],
        face_outside=_integers(blocks, "d_e_face_atoms", 1)[:, 0] - 1,
    )
    _check(found)
    return found


def _check(cxs: Cxs) -> None:
    """Refuse what does not fit together."""
    n, m = len(cxs.vertices), len(cxs.triangles)
    if n == 0 or m == 0:
        raise CxsError("the surface has no points")
    if len(cxs.normals) != n or len(cxs.d_i) != n or len(cxs.d_e) != n or len(cxs.face_outside) != m:
        raise CxsError("the blocks of the surface file have different lengths")
    for rows, count in ((cxs.triangles, n), (cxs.face_outside, len(cxs.outside))):
        if rows.min() < 0 or rows.max() >= count:
            raise CxsError("an index in the surface file points nowhere")
    for atoms in (cxs.inside, cxs.outside):
        if len(atoms) and (atoms[:, 0].min() < 0 or atoms[:, 0].max() >= len(cxs.symbols)):
            raise CxsError("an index in the surface file points nowhere")


def _unit_cell(blocks: dict[str, tuple[int, str]]) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """Elements and fractional coordinates of the atoms of the cell."""
    rows = [line.split() for line in _lines(blocks, "unit_cell")]
    if any(len(row) < 5 for row in rows):
        raise CxsError("block `unit_cell`: a line without label, element and three coordinates")
    return tuple(row[1] for row in rows), _finite("unit_cell", [x for row in rows for x in row[2:5]]).reshape(-1, 3)


def _cell(text: str, name: str) -> float:
    found = re.search(rf"^ *{name} += +(\S+)", text, re.MULTILINE)
    if not found:
        raise CxsError(f"the cell constant {name} is missing in the surface file")
    return float(_finite("crystalcell", [found[1]])[0])


def _lines(blocks: dict[str, tuple[int, str]], name: str) -> list[str]:
    if name not in blocks:
        raise CxsError(f"the surface file has no block `{name}`")
    count, body = blocks[name]
    lines = body.splitlines()
    if len(lines) != count:
        raise CxsError(f"block `{name}` announces {count} lines and has {len(lines)}")
    return lines


def _numbers(blocks: dict[str, tuple[int, str]], name: str, columns: int) -> NDArray[np.float64]:
    lines = _lines(blocks, name)
    values = _finite(name, " ".join(lines).split())
    if len(values) != columns * len(lines):
        raise CxsError(f"block `{name}` has {len(values)} numbers where {columns * len(lines)} belong")
    return values.reshape(-1, columns)


def _integers(blocks: dict[str, tuple[int, str]], name: str, columns: int) -> NDArray[np.int64]:
    values = _numbers(blocks, name, columns)
    if (values != np.rint(values)).any():
        raise CxsError(f"block `{name}` has a number that is no integer")
    return values.astype(np.int64)


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if (np.abs(lengths - 1) > 1e-3).any():
        raise CxsError("a normal in the surface file is no unit vector")
    unit: NDArray[np.float64] = vectors / lengths
    return unit


def _atoms(blocks: dict[str, tuple[int, str]], name: str) -> NDArray[np.int64]:
    rows = _integers(blocks, name, 4)
    rows[:, 0] -= 1
    return rows


def _finite(name: str, words: Any) -> NDArray[np.float64]:
    try:
        values = np.array(words, dtype=np.float64)
    except ValueError as error:  # Fortran prints ***** where a number does not fit
        raise CxsError(f"block `{name}` has something that is no number: {error}") from None
    if not np.isfinite(values).all():
        raise CxsError(f"block `{name}` has a number that is not finite")
    return values
