"""What a referee asks for beside a network: simple models, of the composition most of them, on the very same folds.

A compound has one composition, so these make one prediction per compound, not one per structure. The empirical
formulas predict only compounds of ABX3 whose ions are known.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hirshprint.accuracy.predictions import fold_predictions, joined, plain, with_ensembles
from hirshprint.baselines import regressors
from hirshprint.baselines.answers import ANSWER_FITS
from hirshprint.baselines.fingerprint import fingerprint_inputs
from hirshprint.baselines.formulas import FORMULAS, ions
from hirshprint.baselines.registry import (
    BASELINES,
    CPANN,
    GAUSSIAN_PROCESS,
    GRADIENT_BOOSTING,
    GRADIENT_BOOSTING_FINGERPRINT,
    GRNN,
    MEAN,
    MLP,
    RIDGE,
    SVR,
)
from hirshprint.config.learning import Learning
from hirshprint.datasets.folds import Fold, planned_splits, seeds_of
from hirshprint.datasets.gather import Dataset
from hirshprint.datasets.splits import SITES
from hirshprint.datasets.target_scale import PLAIN, rows_of
from hirshprint.networks.registry import UnknownNameError
from hirshprint.structures.elements import element_properties
from hirshprint.structures.symbols import SYMBOLS, composition

LOG = logging.getLogger(__name__)
Floats = NDArray[np.float64]
Fit = Callable[[Floats, Floats, NDArray[np.int64], int], Floats]


def predict_baselines(
    dataset: Dataset, learning: Learning, fingerprints_h5: str | Path, *, threads: int = 2
) -> pd.DataFrame:
    """Fit the baselines named in `learning` on every split and fold, and predict every compound.

    Those without randomness have one prediction, their `seed` is the first of the plan; ``mlp`` is trained with every
    seed. What is left out, and why, is logged.

    Parameters
    ----------
    dataset : Dataset
        What to learn from.
    learning : Learning
        The configuration's ``learning`` section.
    fingerprints_h5 : str or Path
        The dataset's fingerprints, for the baselines that see them.
    threads : int, default 2
        CPU threads.

    Returns
    -------
    DataFrame
        Predictions table (`predictions.COLUMNS`); structure_id is empty where one row stands for all structures of a
        compound (always, but for a compound whose structures differ in target). A compound that a formula cannot
        predict has no row of it.

    Raises
    ------
    ValueError
        An unknown baseline, or none of them applies to this dataset.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    unknown = sorted(set(learning.baselines) - set(BASELINES))
    if unknown:
        raise UnknownNameError(f"unknown baseline {', '.join(unknown)}; write {', '.join(BASELINES)}")
    plan = planned_splits(dataset, learning)
    single, rows = _one_row_per_compound(dataset)
    target, learned = single.target, single.target.learned(single.targets, single.atoms)
    number = np.full(len(dataset.structure_ids), -1)
    number[rows] = np.arange(len(rows))
    described = cache(lambda: fingerprint_inputs(dataset, rows, fingerprints_h5))
    tables = []
    with threadpool_limits(threads):
        for model in learning.baselines:
            if BASELINES[model].formula and (reason := _no_formula(single)):
                LOG.info(f"{model} is left out: {reason}")
                continue
            if target.answers and model not in ANSWER_FITS:
                LOG.info(f"{model} is left out: it predicts numbers, and {dataset.property} is yes or no")
                continue
            inputs_of, fit = FITS[model]
            fit = ANSWER_FITS[model] if target.answers else fit
            seen = [inputs_of(single)] if inputs_of else []
            inputs = np.concatenate([*seen, described()] if "fingerprint" in BASELINES[model].sees else seen, axis=1)
            for split, folds in plan.items():
                for fold in folds:
                    kept = {part: number[of_part] for part, of_part in fold.parts().items()}
                    of_single = Fold(fold.number, **{part: k[k >= 0] for part, k in kept.items()})
                    for seed in seeds_of(split, learning)[: None if BASELINES[model].seeded else 1]:
                        predicted = target.stated(fit(inputs, learned, of_single.train, seed), single.atoms)
                        table = fold_predictions(single, model, split, of_single, seed, predicted)
                        tables.append(table[table["predicted"].notna()])
                if BASELINES[model].formula:  # one table per fold
                    _print_coverage(model, split, tables[-len(folds) :], inputs)
    if sum(map(len, tables)) == 0:
        raise ValueError(
            f"none of the baselines {', '.join(learning.baselines)} can predict dataset '{dataset.name}'; "
            "add mean, ridge or gradient_boosting under learning: baselines:"
        )
    return plain(with_ensembles(joined(tables)))


def _one_row_per_compound(dataset: Dataset) -> tuple[Dataset, NDArray[np.int64]]:
    """Keep the structure of each compound's first draw, nameless, and which rows of the dataset those are.

    The structures of a compound with more than one target (polymorphs) stay apart and keep their names.
    """
    rows: list[int] = []
    names: list[str] = []
    _, number, sizes = np.unique(dataset.compounds, return_inverse=True, return_counts=True)
    for members in np.split(np.argsort(number, kind="stable"), np.cumsum(sizes)[:-1]):
        alike = len(set(dataset.targets[members].tolist())) == 1
        rows += [int(members[dataset.draws[members].argmin()])] if alike else members.tolist()
        names += [""] if alike else dataset.structure_ids[members].tolist()
    kept = np.array(rows, dtype=np.int64)
    return replace(
        dataset,
        structure_ids=np.array(names, dtype=str),
        compounds=dataset.compounds[kept],
        groups=dataset.groups[kept],
        elements={site: symbols[kept] for site, symbols in dataset.elements.items()},
        formulas=dataset.formulas[kept],
        initial_edges=dataset.initial_edges[kept],
        targets=dataset.targets[kept],
        draws=dataset.draws[kept],
        counts=dataset.counts[kept, :0],
        moments=dataset.moments[kept],
        places=None if dataset.places is None else dataset.places[kept],
        atoms=rows_of(dataset.atoms, kept),
    ), kept


def _no_formula(dataset: Dataset) -> str:
    """Why the empirical formulas do not apply; empty if they do."""
    if tuple(dataset.elements) != SITES:
        return f"dataset '{dataset.name}' has not the sites A, B and X alone"
    if dataset.unit != "Å":
        return f"it predicts an edge in Å, but {dataset.property} is in {dataset.unit}"
    if dataset.target != PLAIN:
        return "it predicts an edge, which does not grow with the cell and is learned as it is"
    return ""


def _print_coverage(model: str, split: str, tables: list[pd.DataFrame], inputs: NDArray[np.float64]) -> None:
    """Say how many compounds a formula predicts when they are in the test part, where each is once."""
    tested = sum(int((table["part"] == "test").sum()) for table in tables)
    known = int(np.isfinite(inputs).all(axis=1).sum())
    LOG.info(f"{model}, {split}: predicts {tested} of {len(inputs)} compounds; the ions of {known} are tabulated")


def _nothing(dataset: Dataset) -> Floats:
    return np.zeros((len(dataset.targets), 0))


def _ions(dataset: Dataset) -> Floats:
    return np.concatenate(ions(dataset.elements), axis=1)


def _one_hot(dataset: Dataset) -> NDArray[np.float64]:
    """Which element is on each site, or the fractions of the elements in datasets without named sites."""
    known = np.array(SYMBOLS)
    if dataset.elements:
        return np.concatenate(
            [symbols[:, None] == known for symbols in dataset.elements.values()], axis=1, dtype=np.float64
        )
    return _fractions(dataset)


def _fractions(dataset: Dataset) -> NDArray[np.float64]:
    found = np.zeros((len(dataset.formulas), len(SYMBOLS)))
    for row, formula in enumerate(dataset.formulas.tolist()):
        for symbol, count in composition(formula).items():
            found[row, SYMBOLS.index(symbol)] = count
    shares: NDArray[np.float64] = found / found.sum(axis=1, keepdims=True)
    return shares


def _properties(dataset: Dataset) -> NDArray[np.float64]:
    """Element properties per site; without named sites their mean, sd, least and greatest in the formula."""
    if dataset.elements:
        tables = [element_properties(symbols.tolist())[1] for symbols in dataset.elements.values()]
        return np.concatenate(tables, axis=1)
    _, table = element_properties(SYMBOLS)
    rows = []
    for shares in _fractions(dataset):
        present = shares > 0
        values, weights = table[present], shares[present][:, None]
        mean = (weights * values).sum(axis=0)
        sd = np.sqrt((weights * (values - mean) ** 2).sum(axis=0))
        rows.append(np.concatenate([mean, sd, values.min(axis=0), values.max(axis=0)]))
    return np.array(rows)


def _with_average_for_unseen(inputs: NDArray[np.float64], train: NDArray[np.int64]) -> NDArray[np.float64]:
    """Let an element that a site never has in training count as the average of those it has; drop its column.

    For one-hot inputs, a block of columns per site; fractions (one block, several elements) lose columns only.
    """
    blocks = []
    for start in range(0, inputs.shape[1], len(SYMBOLS)):
        block = inputs[:, start : start + len(SYMBOLS)]
        seen = np.flatnonzero(block[train].any(axis=0))
        unseen = block[:, seen].sum(axis=1) == 0
        blocks.append(np.where(unseen[:, None], block[train][:, seen].mean(axis=0), block[:, seen]))
    return np.concatenate(blocks, axis=1)


def _mean(inputs: Floats, targets: Floats, train: NDArray[np.int64], seed: int) -> Floats:
    return np.full(len(targets), targets[train].mean())


def _ridge(inputs: Floats, targets: Floats, train: NDArray[np.int64], seed: int) -> Floats:
    """Ridge regression; its strength is chosen by leaving out one training row at a time."""
    from sklearn.linear_model import RidgeCV

    predicted: Floats = RidgeCV(alphas=np.logspace(-4, 2, 13)).fit(inputs[train], targets[train]).predict(inputs)
    return predicted


def _gradient_boosting(inputs: Floats, targets: Floats, train: NDArray[np.int64], seed: int) -> Floats:
    from sklearn.ensemble import HistGradientBoostingRegressor

    inputs = regressors.varying(inputs, train)
    if not inputs.shape[1]:
        return _mean(inputs, targets, train, seed)
    leaf = regressors.least_leaf(len(train))
    boosted = HistGradientBoostingRegressor(max_iter=300, learning_rate=0.1, min_samples_leaf=leaf, random_state=0)
    predicted: Floats = boosted.fit(inputs[train], targets[train]).predict(inputs)
    return predicted


def _element_network(inputs: Floats, targets: Floats, train: NDArray[np.int64], seed: int) -> Floats:
    return regressors.element_network(_with_average_for_unseen(inputs, train), targets, train, seed)


def _of_known(regressor: Callable[[Floats, Floats, NDArray[np.int64]], Floats]) -> Fit:
    """Fit on the rows whose inputs are known; NaN for the others."""

    def fit(inputs: Floats, targets: Floats, train: NDArray[np.int64], seed: int) -> Floats:
        known = np.flatnonzero(np.isfinite(inputs).all(axis=1))
        learned = np.flatnonzero(np.isin(known, train))
        predicted = np.full(len(targets), np.nan)
        predicted[known] = regressor(inputs[known], targets[known], learned)
        return predicted

    return fit


def _without_seed(regressor: Callable[[Floats, Floats, NDArray[np.int64]], Floats]) -> Fit:
    return lambda inputs, targets, train, seed: regressor(inputs, targets, train)


def _of_ions(name: str, inputs: Floats, targets: Floats, train: NDArray[np.int64], seed: int) -> Floats:
    return FORMULAS[name](inputs[:, :3], inputs[:, 3:], targets, train)


FITS: dict[str, tuple[Callable[[Dataset], Floats] | None, Fit]] = {
    MEAN: (_nothing, _mean),
    RIDGE: (_one_hot, _ridge),
    GRADIENT_BOOSTING: (_properties, _gradient_boosting),
    MLP: (_one_hot, _element_network),
    SVR: (_properties, _without_seed(regressors.support_vectors)),
    GRNN: (_properties, _without_seed(regressors.kernel_regression)),
    CPANN: (_properties, _without_seed(regressors.counter_propagation)),
    **{name: (_ions, partial(_of_ions, name)) for name in FORMULAS},
    GAUSSIAN_PROCESS: (None, _of_known(regressors.gaussian_process)),
    GRADIENT_BOOSTING_FINGERPRINT: (_properties, _gradient_boosting),
}
"""Of each baseline: what makes its inputs (n, p) of a composition, None where it sees none, and what fits it on the
training rows and predicts every row. Those that see fingerprints have `fingerprint_inputs` beside them."""
