"""Crystal graphs for CGCNN: whole neighbour shells, equivalent atoms and edges merged exactly (numpy only).

Atoms fall into classes such that any two of a class have the same number of neighbours of each class at
each distance (found by refining the classes by element until nothing changes). A message-passing network
then gives every atom of a class the same features at every layer, so one node per class and one edge per
(class, distance, neighbour class), both with their multiplicity, give the very sums of the full graph.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hirshprint.datasets.contacts import taken
from hirshprint.structures.geometry import near_pairs
from hirshprint.structures.structure import Structure

SHELL_WIDTH = 2.0**-17
"""Å; distances are rounded to this, so that float noise splits no shell. A power of two: cell edges are
decimal numbers, and their halves would sit on the boundary between two decimal steps."""


_NODES = {"numbers": np.int32, "shares": np.float32}
_EDGES = {"centres": np.int32, "neighbours": np.int32, "distances": np.float32, "multiplicities": np.float32}


@dataclass(frozen=True, eq=False)
class Graphs:
    """Merged graphs of many structures, concatenated; structure k owns ``offsets[k]:offsets[k + 1]``.

    Attributes
    ----------
    numbers : ndarray of int32, (n_nodes,)
        Atomic number of each class of atoms.
    shares : ndarray of float32, (n_nodes,)
        Share of the cell's atoms in the class; sums to 1 over a structure.
    node_offsets : ndarray of int64, (n_structures + 1,)
    centres, neighbours : ndarray of int32, (n_edges,)
        Node numbers within the structure.
    distances : ndarray of float32, (n_edges,), Å
    multiplicities : ndarray of float32, (n_edges,)
        Such neighbours of one atom of the centre's class.
    edge_offsets : ndarray of int64, (n_structures + 1,)
    radius : float, Å
        The shells reach up to here.
    """

    numbers: NDArray[np.int32]
    shares: NDArray[np.float32]
    node_offsets: NDArray[np.int64]
    centres: NDArray[np.int32]
    neighbours: NDArray[np.int32]
    distances: NDArray[np.float32]
    multiplicities: NDArray[np.float32]
    edge_offsets: NDArray[np.int64]
    radius: float


def build_graphs(structures: Sequence[Structure], radius: float) -> Graphs:
    """Make the merged graph of each structure, with every neighbour up to `radius` Å."""
    parts: dict[str, list[NDArray[Any]]] = {name: [] for name in (*_NODES, *_EDGES)}
    nodes, edges = [0], [0]
    for structure in structures:
        elements, kind = np.unique(structure.numbers, return_inverse=True)
        shape = _merged(
            np.ascontiguousarray(structure.lattice, np.float64).tobytes(),
            np.ascontiguousarray(structure.frac, np.float64).tobytes(),
            kind.astype(np.int64).tobytes(),
            radius,
        )
        parts["numbers"].append(elements[shape.kinds].astype(np.int32))
        for name, dtype in ({"shares": np.float32} | _EDGES).items():
            parts[name].append(getattr(shape, name).astype(dtype))
        nodes.append(len(shape.kinds))
        edges.append(len(shape.centres))
    whole: dict[str, Any] = {name: np.concatenate(parts.pop(name)) for name in (*_NODES, *_EDGES)}
    return Graphs(**whole, node_offsets=np.cumsum(nodes), edge_offsets=np.cumsum(edges), radius=radius)


def lonely(graphs: Graphs) -> NDArray[np.bool_]:
    """Say of each structure (n,) whether an atom of it has no neighbour up to the radius."""
    first = graphs.node_offsets[np.repeat(np.arange(len(graphs.edge_offsets) - 1), np.diff(graphs.edge_offsets))]
    alone = np.ones(len(graphs.numbers), bool)
    alone[graphs.centres + first] = False
    return np.array(np.add.reduceat(alone, graphs.node_offsets[:-1]) > 0)


def joined_places(
    node_offsets: NDArray[np.int64], edge_offsets: NDArray[np.int64], rows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]:
    """Say what of many graphs makes the batch of some.

    Parameters
    ----------
    node_offsets, edge_offsets : ndarray of int64, (n_structures + 1,)
        Structure k owns the entries from ``offsets[k]`` to ``offsets[k + 1]``.
    rows : ndarray of int64, (n,)
        The structures of the batch.

    Returns
    -------
    nodes, edges : ndarray of int64
        Places of their entries among all.
    owners : ndarray of int32
        Structure of each node, counted from 0 within the batch.
    shift : ndarray of int32
        What each edge's node numbers within its structure lack to those of the batch.
    """
    node_begins, nodes = taken(node_offsets, rows)
    edge_begins, edges = taken(edge_offsets, rows)
    owners = np.repeat(np.arange(len(rows), dtype=np.int32), np.diff(node_begins))
    return nodes, edges, owners, np.repeat(node_begins[:-1].astype(np.int32), np.diff(edge_begins))


def graph_batch(graphs: Graphs, rows: NDArray[np.int64]) -> tuple[NDArray[np.generic], ...]:
    """Join the graphs of some structures into one disconnected graph.

    Parameters
    ----------
    graphs : Graphs
        Graphs of all structures.
    rows : ndarray of int64, (n,)
        The structures of the batch.

    Returns
    -------
    numbers, shares, owners : tuple of ndarray
        (n,) per node; `owners` counts the structures of the batch from 0.
    centres, neighbours, distances, multiplicities : tuple of ndarray
        (e,) per edge; node numbers of the batch.
    """
    nodes, edges, owners, shift = joined_places(graphs.node_offsets, graphs.edge_offsets, rows)
    return (
        graphs.numbers[nodes],
        graphs.shares[nodes],
        owners,
        graphs.centres[edges] + shift,
        graphs.neighbours[edges] + shift,
        graphs.distances[edges],
        graphs.multiplicities[edges],
    )


def neighbours_within(
    lattice: NDArray[np.float64], frac: NDArray[np.float64], radius: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Find all periodic neighbours up to a distance, in a cell of any shape.

    A shell at `radius` to within ``SHELL_WIDTH`` is taken whole.

    Parameters
    ----------
    lattice : ndarray of float64, (3, 3), Å
        Rows are a, b, c.
    frac : ndarray of float64, (n_atoms, 3)
        Fractional coordinates.
    radius : float, Å
        Atoms up to this distance are neighbours.

    Returns
    -------
    centres, neighbours : ndarray of int64, (e,)
        Atom numbers; an atom's own images count, the atom itself does not.
    shells : ndarray of int64, (e,)
        Distances in units of ``SHELL_WIDTH``.
    """
    centres, neighbours, distances = near_pairs(lattice, frac, radius + SHELL_WIDTH)
    shells = np.rint(distances / SHELL_WIDTH).astype(np.int64)
    within = (shells > 0) & (shells <= round(radius / SHELL_WIDTH))
    return centres[within], neighbours[within], shells[within]


@dataclass(frozen=True, eq=False)
class _Merged:
    """One structure's merged graph; `kinds` numbers the elements in ascending order."""

    kinds: NDArray[np.int64]
    shares: NDArray[np.float64]
    centres: NDArray[np.int64]
    neighbours: NDArray[np.int64]
    distances: NDArray[np.float64]
    multiplicities: NDArray[np.int64]


@lru_cache(maxsize=1024)
def _merged(lattice: bytes, frac: bytes, kind: bytes, radius: float) -> _Merged:
    """Search and merge; cached, for a prototype at one edge has few graphs but for its elements."""
    kinds = np.frombuffer(kind, np.int64)
    centres, neighbours, shells = neighbours_within(
        np.frombuffer(lattice).reshape(3, 3), np.frombuffer(frac).reshape(-1, 3), radius
    )
    classes = kinds
    while True:
        signatures = _signatures(classes, centres, neighbours, shells)
        order = {signature: number for number, signature in enumerate(sorted(set(signatures)))}
        refined = np.array([order[signature] for signature in signatures])
        if len(order) == len(set(classes.tolist())):
            break
        classes = refined
    classes = refined
    merged = []
    for number in range(len(order)):
        atom = int(np.flatnonzero(classes == number)[0])
        of_atom = centres == atom
        seen = Counter(zip(shells[of_atom].tolist(), classes[neighbours[of_atom]].tolist(), strict=True))
        merged += [(number, other, shell, times) for (shell, other), times in sorted(seen.items())]
    table = np.array(merged, dtype=np.int64).reshape(-1, 4)
    return _Merged(
        kinds=np.array([kinds[classes == number][0] for number in range(len(order))]),
        shares=np.bincount(classes) / len(classes),
        centres=table[:, 0],
        neighbours=table[:, 1],
        distances=np.asarray(table[:, 2] * SHELL_WIDTH, np.float64),
        multiplicities=table[:, 3],
    )


def _signatures(
    classes: NDArray[np.int64],
    centres: NDArray[np.int64],
    neighbours: NDArray[np.int64],
    shells: NDArray[np.int64],
) -> list[tuple[int, tuple[tuple[int, int], ...]]]:
    """Per atom its class and its sorted neighbours, each as (shell, class)."""
    around = sorted(zip(centres.tolist(), shells.tolist(), classes[neighbours].tolist(), strict=True))
    per_atom: list[list[tuple[int, int]]] = [[] for _ in range(len(classes))]
    for centre, shell, other in around:
        per_atom[centre].append((shell, other))
    return [(int(own), tuple(seen)) for own, seen in zip(classes, per_atom, strict=True)]
