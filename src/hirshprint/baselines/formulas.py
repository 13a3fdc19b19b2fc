"""Empirical formulas for the edge of a perovskite ABX3 from the radii and charges of its ions.

Both are *forms* taken from the literature; their coefficients are fitted by least squares on the training part,
so no published coefficient is used, and they compete with the other models on equal terms. A compound whose ions
are not known gets no prediction.

Jiang, Ubic, Verma and Jindal, Moreira and Dias, and Sidey published formulas with coefficients of their own. They
belong here once someone has the papers at hand; none is rebuilt from memory. Where X is the same in all compounds, any
formula that is linear in the three radii becomes `fit_bond_lengths` when its coefficients are fitted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from hirshprint.baselines.registry import BOND_LENGTHS, VERMA
from hirshprint.structures.elements import oxidation_states, shannon_radius

COORDINATION = {"A": 12, "B": 6, "X": 6}  # in an ideal perovskite; X has 2 B and 4 A
ANIONS_PER_FORMULA = 3
LEAST_PER_LINE = 5  # training compounds that a line needs

Floats = NDArray[np.float64]


def ions(elements: Mapping[str, NDArray[np.str_]]) -> tuple[Floats, Floats]:
    """Charges and radii of the ions of ABX3 compounds.

    X has its most negative common oxidation state, and the charges of A and B (positive oxidation states) add up to
    three times that. Of several pairs with known radii the one with most common states counts, then the one with the
    lower charge on A. Radii are Shannon's effective ionic radii at the coordination 12, 6, 6 or the nearest tabulated.

    Parameters
    ----------
    elements : mapping of str to ndarray of str
        (n,) symbols for each of the sites A, B and X.

    Returns
    -------
    charges, radii : ndarray of float64, (n, 3)
        Columns A, B, X, in e and Å; a row of NaN where no balanced ions with radii are found.
    """
    rows = [_ions_of(str(a), str(b), str(x)) for a, b, x in zip(*(elements[site] for site in "ABX"), strict=True)]
    both = np.array(rows, dtype=np.float64).reshape(-1, 2, 3)
    return both[:, 0], both[:, 1]


def fit_bond_lengths(charges: Floats, radii: Floats, targets: Floats, train: NDArray[np.int64]) -> Floats:
    """Predict a = c0 + c1 (r_A + r_X) + c2 (r_B + r_X), coefficients fitted on the training rows.

    The edge of a cubic perovskite is "largely a function of A–X and B–X bond lengths rather than ionic charge" (R. Ubic
    and co-workers, "The Prediction of Lattice Constants in Orthorhombic Perovskites", Boise State University, MSE
    faculty publication 43). The linear function is the simplest of that kind, not Ubic's own formula. Touching hard
    spheres are its special cases c0 = 0 and c1 = √2, c2 = 0 or c1 = 0, c2 = 2.

    Parameters
    ----------
    charges : ndarray of float64, (n, 3)
        Charges of the ions, columns A, B, X, from `ions`.
    radii : ndarray of float64, (n, 3), Å
        Radii of the ions, columns A, B, X, from `ions`.
    targets : ndarray of float64, (n,)
        Property of each row.
    train : ndarray of int64
        Rows to fit on; nothing of the others is looked at.

    Returns
    -------
    ndarray of float64, (n,)
        In the unit of `targets`; NaN where radii are missing, everywhere if too few training rows have them.
    """
    lengths = radii[:, :2] + radii[:, 2:]
    return _line(lengths, targets, train)


def fit_verma(charges: Floats, radii: Floats, targets: Floats, train: NDArray[np.int64]) -> Floats:
    """Predict a = k r_av^m, k and m of each product of charges fitted as ln a against ln r_av on the training rows.

    The form of A. S. Verma, A. Kumar, S. R. Bhardwaj, phys. stat. sol. (b) 245, 1520 (2008), as its abstract states it:
    on a log-log scale the edges lie on straight lines against the average ionic radius, on a different line for each
    product of the ionic charges. The average is taken here as the plain mean of the three radii.

    Parameters
    ----------
    charges : ndarray of float64, (n, 3)
        Charges of the ions, columns A, B, X, from `ions`.
    radii : ndarray of float64, (n, 3), Å
        Radii of the ions, columns A, B, X, from `ions`.
    targets : ndarray of float64, (n,)
        Property of each row.
    train : ndarray of int64
        Rows to fit on; nothing of the others is looked at.

    Returns
    -------
    ndarray of float64, (n,)
        In the unit of `targets`; NaN where radii are missing or few training rows share the charge product.
    """
    average = radii.mean(axis=1)
    logarithm = np.log(np.where(average > 0, average, np.nan))[:, None]
    products = np.abs(charges).prod(axis=1)
    predicted = np.full(len(targets), np.nan)
    if not (targets[train] > 0).all():
        return predicted
    logarithms = np.log(np.where(targets > 0, targets, 1.0))  # rows outside the training part are not read
    for value in np.unique(products[np.isfinite(products)]):
        alike = products == value
        predicted[alike] = np.exp(_line(logarithm, logarithms, train[alike[train]])[alike])
    return predicted


FORMULAS: dict[str, Callable[[Floats, Floats, Floats, NDArray[np.int64]], Floats]] = {
    BOND_LENGTHS: fit_bond_lengths,
    VERMA: fit_verma,
}


def _line(inputs: Floats, targets: Floats, train: NDArray[np.int64]) -> Floats:
    """Least squares of `targets` on `inputs` (n, p) and a constant; NaN where inputs are, all NaN if undetermined."""
    known = train[np.isfinite(inputs[train]).all(axis=1)]
    if len(known) < LEAST_PER_LINE or (np.ptp(inputs[known], axis=0) == 0).all():
        return np.full(len(targets), np.nan)
    design = np.column_stack([np.ones(len(inputs)), inputs])
    coefficients = np.linalg.lstsq(design[known], targets[known])[0]
    predicted: Floats = design @ coefficients
    return predicted


@cache
def _ions_of(a: str, b: str, x: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    unknown = ((np.nan,) * 3, (np.nan,) * 3)
    common = {symbol: oxidation_states(symbol)[0] for symbol in (a, b, x)}
    charge = min(common[x], default=0)
    radius = shannon_radius(x, charge, COORDINATION["X"]) if charge < 0 else np.nan
    pairs = []
    for first, second in product(oxidation_states(a)[1], oxidation_states(b)[1]):
        if first > 0 and second > 0 and first + second == -ANIONS_PER_FORMULA * charge:
            radii = (shannon_radius(a, first, COORDINATION["A"]), shannon_radius(b, second, COORDINATION["B"]), radius)
            if np.isfinite(radii).all():
                rank = (-(first in common[a]) - (second in common[b]), first)
                pairs.append((rank, (float(first), float(second), float(charge)), radii))
    return min(pairs)[1:] if pairs else unknown
