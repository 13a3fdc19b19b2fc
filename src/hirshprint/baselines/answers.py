"""Baselines for a property whose values are yes and no: arrays in, the probability of yes of every row out.

Each takes inputs (n, p), targets (n,) that are 1 or 0, the numbers of the training rows and a seed, as those for
numbers do; where training has one answer only, that is what is predicted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hirshprint.baselines import regressors
from hirshprint.baselines.registry import CPANN, GRADIENT_BOOSTING, GRADIENT_BOOSTING_FINGERPRINT, GRNN, MEAN, RIDGE

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
Fit = Callable[[Floats, Floats, Rows, int], Floats]


def _share(inputs: Floats, targets: Floats, train: Rows, seed: int) -> Floats:
    return np.full(len(targets), targets[train].mean())


def _classified(machine: Any, inputs: Floats, targets: Floats, train: Rows) -> Floats:
    if len(np.unique(targets[train])) < 2:
        return np.full(len(targets), targets[train][0])
    probability: Floats = machine.fit(inputs[train], targets[train] > 0.5).predict_proba(inputs)[:, 1]
    return probability


def _logistic(inputs: Floats, targets: Floats, train: Rows, seed: int) -> Floats:
    """Logistic regression with a ridge; its strength is chosen by cross-validation of the training rows."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, StratifiedKFold

    fewest = int(min(targets[train].sum(), (1 - targets[train]).sum()))
    machine: Any = LogisticRegression(max_iter=1000)
    if fewest >= 2:
        parts = StratifiedKFold(min(5, fewest), shuffle=True, random_state=0)
        machine = GridSearchCV(machine, {"C": np.logspace(-2, 3, 6)}, cv=parts, scoring="neg_log_loss")
    return _classified(machine, inputs, targets, train)


def _boosted(inputs: Floats, targets: Floats, train: Rows, seed: int) -> Floats:
    from sklearn.ensemble import HistGradientBoostingClassifier

    inputs = regressors.varying(inputs, train)
    if not inputs.shape[1]:
        return _share(inputs, targets, train, seed)
    boosted = HistGradientBoostingClassifier(
        max_iter=100, learning_rate=0.1, min_samples_leaf=regressors.least_leaf(len(train)), random_state=0
    )
    return _classified(boosted, inputs, targets, train)


def _weighted_answers(inputs: Floats, targets: Floats, train: Rows, seed: int) -> Floats:
    return np.clip(regressors.kernel_regression(inputs, targets, train), 0.0, 1.0)


def _mapped_answers(inputs: Floats, targets: Floats, train: Rows, seed: int) -> Floats:
    return np.clip(regressors.counter_propagation(inputs, targets, train), 0.0, 1.0)


ANSWER_FITS: dict[str, Fit] = {
    MEAN: _share,
    RIDGE: _logistic,
    GRADIENT_BOOSTING: _boosted,
    GRADIENT_BOOSTING_FINGERPRINT: _boosted,
    GRNN: _weighted_answers,
    CPANN: _mapped_answers,
}
"""What fits a baseline to answers; the others are for numbers alone."""
