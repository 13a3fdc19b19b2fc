"""What in a fingerprint a prediction of the paper's network comes from: integrated gradients, back to the surface."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hirshprint.accuracy.predictions import main_split
from hirshprint.datasets.gather import Dataset, first_rows
from hirshprint.datasets.target_scale import PLAIN, rows_of
from hirshprint.files.reading import read_json
from hirshprint.networks.backend import load_network, tf
from hirshprint.networks.cards import CARD_KEYS
from hirshprint.networks.cnn_paper import cnn_images
from hirshprint.networks.registry import of_paper

QUANTILES = (0.1, 0.5, 0.9)
"""Of the measured property: the compounds that are explained where none is named."""

TOLERANCE = 1e-3
"""Of the change of the network's output, or of `LEAST` if that is larger; so much the contributions may miss it by."""

LEAST = 0.1

FEWEST, MOST = 64, 16384
"""Points on the path from the reference to the fingerprint."""

AT_ONCE = 64

Array = NDArray[np.float64]


class Explanation(NamedTuple):
    """Where the prediction of one structure comes from.

    Attributes
    ----------
    structure_id, compound : str
        Name of the structure, and its compound.
    true, predicted : float
        Measured property, and what a network says that was not trained on the compound.
    reference : float
        What that network predicts for the mean fingerprint of its training part.
    counts, mean_counts : ndarray of float64, (b, b)
        Fingerprint of the structure, and that mean, [d_i, d_e].
    contributions : ndarray of float64, (b, b)
        What each bin adds to predicted - reference, in the property's unit; they sum up to it.
    """

    structure_id: str
    compound: str
    true: float
    predicted: float
    reference: float
    counts: Array
    mean_counts: Array
    contributions: Array


def integrated_gradients(network: Any, image: NDArray[np.float32], baseline: NDArray[np.float32]) -> Array:
    """Contributions of the numbers of an image to the change of a network's output from a baseline to it.

    The product of image - baseline with the mean gradient on the straight line between them: equation 1 of
    Sundararajan, Taly and Yan, Proc. 34th Int. Conf. on Machine Learning, 3319 (2017). The mean is taken at the middles
    of equal steps, twice as many until the contributions sum up to the change (completeness).

    Parameters
    ----------
    network : object
        With one input like `image`, without the axis of the batch, and one output.
    image : ndarray of float32
        The input that is explained.
    baseline : ndarray of float32
        The input that it is compared with, of the same shape.

    Raises
    ------
    RuntimeError
        They do not sum up to it with `MOST` steps to `TOLERANCE`.
    """
    start, end = network([np.stack([baseline, image])], training=False).numpy()[:, 0].astype(np.float64)
    steps = FEWEST
    while steps <= MOST:
        total = np.zeros(image.shape)
        for part in np.split((np.arange(steps) + 0.5) / steps, steps // AT_ONCE):
            points = tf.constant(baseline + part[:, None, None, None].astype(np.float32) * (image - baseline))
            with tf.GradientTape() as tape:
                tape.watch(points)
                output = tf.reduce_sum(network([points], training=False))
            total += tape.gradient(output, points).numpy().astype(np.float64).sum(axis=0)
        contributions: Array = total / steps * (image - baseline)
        if abs(contributions.sum() - (end - start)) <= TOLERANCE * max(abs(end - start), LEAST):
            return contributions
        steps *= 2
    raise RuntimeError(f"integrated gradients with {MOST} steps do not sum up to the change of the prediction")


def explain(
    dataset: Dataset, predictions: pd.DataFrame, models: Path, compounds: Sequence[str] = ()
) -> list[Explanation]:
    """Explain predictions of the paper's network by the fingerprint, each by the network whose fold tests the compound.

    Parameters
    ----------
    dataset : Dataset
        The dataset, with the channels that the network sees.
    predictions : DataFrame
        What that network predicts for the dataset (`predictions.COLUMNS`).
    models : Path
        Folder of its weights and cards.
    compounds : sequence of str, optional
        Compounds to explain; where none is named, those at the `QUANTILES` of the property.

    Raises
    ------
    ValueError
        A compound was never tested.
    """
    model = of_paper(predictions["model"].unique())
    table = predictions[(predictions["model"] == model) & (predictions["structure_id"] != "")]
    split = main_split(table)
    table = table[(table["split"] == split) & table["seed"].str.isdigit()]
    table = table[table["seed"] == table["seed"].iloc[0]]
    tested = table[table["part"] == "test"].sort_values("true", kind="stable").drop_duplicates("compound")
    names = list(compounds) or [str(tested["compound"].iloc[round(q * (len(tested) - 1))]) for q in QUANTILES]
    if absent := sorted(set(names) - set(tested["compound"])):
        raise ValueError(
            f"{model} never tested {', '.join(absent)}; name others under learning: saliency:, "
            f"as the column compound of results/{dataset.name}/targets.csv does"
        )
    images, rows = cnn_images(dataset), first_rows(dataset)
    row_of = {name: int(row) for name, row in zip(dataset.structure_ids[rows].tolist(), rows, strict=True)}
    found = []
    for name in names:
        case = tested[tested["compound"] == name].iloc[0]
        unit = models / f"{model}-{split}-fold{case['fold']}-seed{case['seed']}"
        card = read_json(unit.with_name(f"{unit.name}.json"), CARD_KEYS, unit=models)
        network = load_network(unit.with_name(f"{unit.name}.keras"))
        learned = table[(table["fold"] == case["fold"]) & (table["part"] == "train")]["structure_id"]
        image = images[row_of[case["structure_id"]]]
        mean = images[[row_of[one] for one in learned]].mean(axis=0)
        contributions = integrated_gradients(network, image, mean) * card["target_sd"]
        ends = network([np.stack([mean, image])], training=False).numpy()[:, 0].astype(np.float64)
        learned = ends * card["target_sd"] + card["target_mean"]
        row = np.full(2, row_of[case["structure_id"]])
        reference, predicted = dataset.target.stated(dataset.target.linked(learned), rows_of(dataset.atoms, row))
        if dataset.target != PLAIN:  # they sum up to the change in what was learned: scaled to that in the own unit
            contributions = contributions * (predicted - reference) / (float(np.diff(learned)[0]) or 1.0)
        pictures = (image[..., 0].astype(np.float64), mean[..., 0].astype(np.float64), contributions.sum(axis=2))
        found.append(Explanation(case["structure_id"], name, case["true"], predicted, reference, *pictures))
    return found


def influence(explanation: Explanation, edges: Array, d_i: Array, d_e: Array) -> Array:
    """What the surface adds to a prediction at some of its points, (n,), in the property's unit per unit of counts.

    The contribution of a bin belongs to the pieces of surface that fall into it, in proportion to their area.

    Parameters
    ----------
    explanation : Explanation
        From `explain`.
    edges : ndarray of float64, (b + 1,), Å
        Edges of the bins.
    d_i, d_e : ndarray of float64, (n,), Å
        Distances to the nearest nucleus inside and outside.
    """
    per_count = np.divide(
        explanation.contributions,
        explanation.counts,
        out=np.zeros_like(explanation.counts),
        where=explanation.counts > 0,
    )
    i, e = (np.digitize(values, edges) - 1 for values in (d_i, d_e))
    inside = (i >= 0) & (e >= 0) & (i < len(edges) - 1) & (e < len(edges) - 1)
    last = len(edges) - 2
    return np.where(inside, per_count[np.clip(i, 0, last), np.clip(e, 0, last)], 0.0)
