"""What all explanations of predictions share: which compounds, and gradients integrated along a path."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hirshprint.accuracy.predictions import main_split
from hirshprint.datasets.gather import Dataset, first_rows
from hirshprint.datasets.target_scale import PLAIN, Counts, Target

LOG = logging.getLogger(__name__)

QUANTILES = (0.1, 0.5, 0.9)
"""Of the measured property: the compounds that are explained where none is named."""

TOLERANCE = 1e-3
"""Of the change of the network's output, or of `LEAST` if that is larger; so much the contributions may miss it by."""

LEAST = 0.1

FEWEST, MOST = 64, 16384
"""Points on a path."""

AT_ONCE = 64

Array = NDArray[np.float64]


class Attribution(NamedTuple):
    """What the numbers of an input contribute to the change of an output along a path.

    Attributes
    ----------
    contributions : ndarray of float64
        Like the input.
    missed : float
        The change less their sum.
    settled : bool
        Whether that is within the `TOLERANCE`.
    """

    contributions: Array
    missed: float
    settled: bool


def along_path(
    gradients: Callable[[Array], Array], difference: Array, change: float, most: int | None = None
) -> Attribution:
    """Contributions of the numbers of an input to the change of an output, from a reference to the input.

    The product of input - reference with the mean gradient on the straight line between them: equation 1 of
    Sundararajan, Taly and Yan, Proc. 34th Int. Conf. on Machine Learning, 3319 (2017). The mean is taken at the middles
    of equal steps, twice as many until the contributions sum up to the change (completeness) or there are `most`.

    Parameters
    ----------
    gradients : callable
        Gives the sum of the gradients at `AT_ONCE` points: the share of the way to each, (`AT_ONCE`,) → like the input.
    difference : ndarray of float64
        The input less the reference.
    change : float
        Of the output.
    most : int or None
        Steps; `MOST` where None.
    """
    steps, allowed = FEWEST, TOLERANCE * max(abs(change), LEAST)
    while True:
        total = sum(gradients(part) for part in np.split((np.arange(steps) + 0.5) / steps, steps // AT_ONCE))
        contributions = np.asarray(total / steps * difference, dtype=np.float64)
        missed = float(change - contributions.sum())
        if abs(missed) <= allowed or 2 * steps > (most or MOST):
            return Attribution(contributions, missed, abs(missed) <= allowed)
        steps *= 2


def explained_rows(
    dataset: Dataset, predictions: pd.DataFrame, model: str, compounds: Sequence[str] = ()
) -> list[pd.DataFrame]:
    """Choose the compounds to explain, each by the trainings of the main split that test it.

    Compounds that no fold tests, such as one without a surface, are left out with a word in the log.

    Parameters
    ----------
    dataset : Dataset
        What was learned from.
    predictions : DataFrame
        What the networks predict for it (`predictions.COLUMNS`).
    model : str
        The network.
    compounds : sequence of str, optional
        Compounds to explain; where none is named, those at the `QUANTILES` of the property.

    Returns
    -------
    list of DataFrame
        For each compound the rows of `predictions` for one structure, that of its first initial edge, and for each
        training with it in the test part.
    """
    table = predictions[(predictions["model"] == model) & (predictions["structure_id"] != "")]
    first = dataset.structure_ids[first_rows(dataset)]
    table = table[(table["part"] == "test") & table["seed"].str.isdigit() & table["structure_id"].isin(first)]
    table = table[table["split"] == main_split(table)] if len(table) else table
    tested = table.sort_values("true", kind="stable").drop_duplicates("compound").set_index("compound")
    at_quantiles = [str(tested.index[round(q * (len(tested) - 1))]) for q in QUANTILES] if len(tested) else []
    names = list(dict.fromkeys(compounds or at_quantiles))
    if absent := [name for name in names if name not in tested.index]:
        LOG.info(
            f"not explained: {model} never tested {', '.join(absent)}; name others under learning: saliency:, "
            f"as the column compound of results/{dataset.name}/targets.csv does"
        )
    structures = [tested.at[name, "structure_id"] for name in names if name not in absent]
    return [table[table["structure_id"] == one] for one in structures]


def unit_name(row: pd.Series[Any]) -> str:
    """Stem of the files of the training that a row of `explained_rows` is of."""
    return f"{row['model']}-{row['split']}-fold{row['fold']}-seed{row['seed']}"


class InUnit(NamedTuple):
    """What a network says in the unit of the property.

    Attributes
    ----------
    reference, predicted : float
        At the beginning of the path, and at its end.
    contributions : ndarray of float64
        They add up to predicted - reference, but for `missed`.
    missed : float
        0 where the integration ended within its tolerance.
    """

    reference: float
    predicted: float
    contributions: Array
    missed: float


def in_unit(card: Mapping[str, Any], ends: Array, attribution: Attribution, atoms: Counts = None) -> InUnit:
    """Bring an explanation of a network's output to the unit of the property.

    Contributions add up to the change in what was learned; of a logarithm or an answer they are scaled to that in the
    unit.

    Parameters
    ----------
    card : mapping
        Card of the network.
    ends : ndarray of float64, (2,)
        Its output for the reference and for what is explained.
    attribution : Attribution
        Of the change between them.
    atoms : ndarray of int64, (2,), optional
        `Target.atoms_of` what is explained, twice.
    """
    target, learned = Target.of_card(card), ends * card["target_sd"] + card["target_mean"]
    reference, predicted = target.stated(target.linked(learned), atoms)
    change = float(learned[1] - learned[0])
    scale = card["target_sd"] * ((predicted - reference) / change if target != PLAIN and change else 1.0)
    missed = 0.0 if attribution.settled else attribution.missed * scale
    return InUnit(float(reference), float(predicted), attribution.contributions * scale, missed)


def say_missed(names: str, missed: float, unit: str) -> None:
    """Log that contributions do not add up.

    Parameters
    ----------
    names : str
        What they are of.
    missed : float
        What they miss.
    unit : str
        Its unit.
    """
    LOG.info(f"{names}: the contributions miss the change of the prediction by {missed:.3g} {unit}")
