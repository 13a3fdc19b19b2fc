"""What in a fingerprint a prediction of the paper's network comes from: integrated gradients, back to the surface."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hirshprint.datasets.gather import Dataset, first_rows
from hirshprint.datasets.target_scale import rows_of
from hirshprint.files.reading import read_json
from hirshprint.networks.backend import load_network, tf
from hirshprint.networks.cards import CARD_KEYS
from hirshprint.networks.cnn_paper import cnn_images
from hirshprint.networks.explaining import (
    Array,
    Attribution,
    along_path,
    explained_rows,
    in_unit,
    say_missed,
    unit_name,
)
from hirshprint.networks.registry import of_paper


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
        What each bin adds to predicted - reference, in the property's unit; they sum up to it, but for `missed`.
    missed : float
        0 where the integration ended within its tolerance.
    """

    structure_id: str
    compound: str
    true: float
    predicted: float
    reference: float
    counts: Array
    mean_counts: Array
    contributions: Array
    missed: float = 0.0


def integrated_gradients(network: Any, image: NDArray[np.float32], baseline: NDArray[np.float32]) -> Attribution:
    """Contributions of the numbers of an image to the change of a network's output from a baseline to it.

    Parameters
    ----------
    network : object
        With one input like `image`, without the axis of the batch, and one output.
    image : ndarray of float32
        The input that is explained.
    baseline : ndarray of float32
        The input that it is compared with, of the same shape.
    """
    start, end = network([np.stack([baseline, image])], training=False).numpy()[:, 0].astype(np.float64)
    difference = (image - baseline).astype(np.float64)

    def gradients(shares: Array) -> Array:
        points = tf.constant(baseline + shares[:, None, None, None].astype(np.float32) * (image - baseline))
        with tf.GradientTape() as tape:
            tape.watch(points)
            output = tf.reduce_sum(network([points], training=False))
        total: Array = tape.gradient(output, points).numpy().astype(np.float64).sum(axis=0)
        return total

    return along_path(gradients, difference, float(end - start))


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
        See `explaining.explained_rows`.
    """
    model = of_paper(predictions["model"].unique())
    images, rows = cnn_images(dataset), first_rows(dataset)
    row_of = {name: int(row) for name, row in zip(dataset.structure_ids[rows].tolist(), rows, strict=True)}
    found = []
    for cases in explained_rows(dataset, predictions, str(model), compounds):
        case = cases.iloc[0]
        unit = models / unit_name(case)
        card = read_json(unit.with_name(f"{unit.name}.json"), CARD_KEYS, unit=models)
        network = load_network(unit.with_name(f"{unit.name}.keras"))
        keys = ["model", "split", "fold", "seed", "part"]
        trained = predictions[keys].eq(pd.Series({**case, "part": "train"})[keys]).all(axis=1)
        learned = predictions.loc[trained & (predictions["structure_id"] != ""), "structure_id"]
        image = images[row_of[case["structure_id"]]]
        mean = images[[row_of[one] for one in learned]].mean(axis=0)
        ends = network([np.stack([mean, image])], training=False).numpy()[:, 0].astype(np.float64)
        atoms = rows_of(dataset.atoms, np.full(2, row_of[case["structure_id"]]))
        said = in_unit(card, ends, integrated_gradients(network, image, mean), atoms)
        if said.missed:
            say_missed(case["structure_id"], said.missed, dataset.unit)
        pictures = (image[..., 0].astype(np.float64), mean[..., 0].astype(np.float64), said.contributions.sum(axis=2))
        names = (case["structure_id"], case["compound"])
        found.append(Explanation(*names, case["true"], said.predicted, said.reference, *pictures, said.missed))
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
