"""Datasets of made-up perovskites ABO3 for tests of networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hirshprint.datasets.gather import Dataset


def perovskite_rows(
    pairs: Sequence[tuple[Any, Any]],
    edges: Sequence[float] | None,
    draws: int,
    generator: np.random.Generator,
    span: Any,
) -> list[tuple[Any, Any, float, int]]:
    """A, B, initial edge (Å) and draw of each structure: at given edges, or at drawn ones within a span."""
    rows = []
    for a, b in pairs:
        own = edges or generator.uniform(*span, draws).round(5).tolist()
        rows += [(a, b, edge, k) for k, edge in enumerate(own)]
    return rows


def perovskite_dataset(a: Any, b: Any, edges: Any, draws: Any, targets: Any, **more: Any) -> Dataset:
    """Dataset of the structures with these elements on A and B, oxygen on X, at these edges, without channels."""
    compounds = np.array([f"{one}{other}O3" for one, other in zip(a, b, strict=True)])
    return Dataset(
        name="made_up",
        property="a_angstrom",
        unit="Å",
        structure_ids=np.array([f"{name}-a{edge:.5f}" for name, edge in zip(compounds, edges, strict=True)]),
        compounds=compounds,
        groups=compounds,
        elements={"A": np.array(a), "B": np.array(b), "X": np.full(len(compounds), "O")},
        formulas=compounds,
        initial_edges=np.array(edges),
        targets=np.array(targets),
        draws=np.array(draws),
        channels=(),
        **more,
    )
