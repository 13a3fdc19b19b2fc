"""What kind of number a property is, and what models learn in its place: one map, and its way back.

Every network and every baseline learns what `Target.learned` gives and states what `Target.stated` makes of it; errors,
tables and figures are in the property's own unit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hirshprint.config.model import TARGET_KEYS
from hirshprint.config.model import Dataset as Settings
from hirshprint.structures.structure import Structure
from hirshprint.words import squared

Floats = NDArray[np.float64]
Counts = NDArray[np.int64] | None
"""Atoms that each value is of, (n,); None where values do not grow with them."""

DECADES = 100.0
"""Farther from 1 nothing is stated: a network that failed must not overflow."""


@dataclass(frozen=True)
class Target:
    """What kind of number a property is: the keys of the same names of a dataset.

    Attributes
    ----------
    per : str
        ``atom``: it does not grow with the cell, and is learned as it is. ``cell`` and ``formula_unit``: it is of all
        atoms of these, and is learned by atom.
    scale : str
        ``linear``, or ``log``: the decimal logarithm is learned.
    values : str
        ``number``, or ``yes_no``: 1 and 0, of which the probability of 1 is learned by the logistic loss.
    """

    per: str = "atom"
    scale: str = "linear"
    values: str = "number"

    @property
    def answers(self) -> bool:
        """Whether the values are 1 and 0."""
        return self.values == "yes_no"

    def error_title(self, unit: str) -> str:
        """Name the error that networks are trained by: "MSE (Å²)", "MSE of log10", "logistic loss".

        Parameters
        ----------
        unit : str
            Unit of the property.
        """
        if self.answers or self.scale == "log":
            return "logistic loss" if self.answers else "MSE of log10"
        square = squared(unit if self.per == "atom" or not squared(unit) else f"{unit} per atom")
        return f"MSE ({square})" if square else "MSE"

    @classmethod
    def of_card(cls, card: Mapping[str, Any]) -> Target:
        """Kind that the card of a network or of a folder tells; one of an earlier version tells none.

        Parameters
        ----------
        card : mapping
            Of a trained network, or of a folder of models.
        """
        return cls(**{key: card[key] for key in TARGET_KEYS if key in card})

    @classmethod
    def of_settings(cls, settings: Settings) -> Target:
        """Kind that the configuration tells of a dataset."""
        return cls(**{key: getattr(settings, key) for key in TARGET_KEYS})

    def written(self) -> dict[str, str]:
        """Say it for a card; nothing where all keys have their defaults, as on the cards of earlier versions."""
        return {} if self == PLAIN else asdict(self)

    def learned(self, targets: Floats, atoms: Counts) -> Floats:
        """What is learned (n,), before networks standardise it.

        Parameters
        ----------
        targets : ndarray of float64, (n,)
            Values in the property's unit.
        atoms : ndarray of int64, (n,), or None
            Atoms that each is of.
        """
        by_atom = targets if atoms is None else targets / atoms
        return np.log10(by_atom) if self.scale == "log" else by_atom

    def stated(self, learned: Floats, atoms: Counts) -> Floats:
        """Values (n,) in the property's unit of what a model says: the way back of `learned`.

        Parameters
        ----------
        learned : ndarray of float64, (n,)
            What a model says.
        atoms : ndarray of int64, (n,), or None
            Atoms that each value is of.
        """
        by_atom = 10.0 ** np.clip(learned, -DECADES, DECADES) if self.scale == "log" else learned
        return by_atom if atoms is None else by_atom * atoms

    def linked(self, output: Floats) -> Floats:
        """What a network says, as `learned` gives it: of answers the probability that is the logistic of its output.

        Parameters
        ----------
        output : ndarray of float64, (n,)
            Of the network, in the scale of its training.
        """
        return 0.5 * (1.0 + np.tanh(0.5 * output)) if self.answers else output

    def formula(self) -> str:
        """Say how a network's output becomes a prediction, for its card."""
        text = "network output * target_sd + target_mean"
        text = f"logistic({text})" if self.answers else text
        text = f"10 ** ({text})" if self.scale == "log" else text
        return text if self.per == "atom" else f"({text}) * atoms of the {self.per.replace('_', ' ')}"

    def atoms_of(self, structures: Sequence[Structure], structure_ids: Sequence[str]) -> Counts:
        """Atoms of the cell, as its file gives it, or of the formula unit of some structures.

        Parameters
        ----------
        structures : sequence of Structure
            In any order; none are needed where values do not grow with the atoms.
        structure_ids : sequence of str, (n,)
            Those to look at.
        """
        if self.per == "atom":
            return None
        whole = self.per == "cell"
        count = {s.structure_id: len(s.numbers) // (1 if whole else s.formula_units) for s in structures}
        return np.array([count[name] for name in structure_ids], dtype=np.int64)


PLAIN = Target()
"""A number that is learned as it is."""


def rows_of(atoms: Counts, rows: NDArray[np.int64]) -> Counts:
    """Atoms of some rows, where they are counted at all."""
    return None if atoms is None else atoms[rows]
