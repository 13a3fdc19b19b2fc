"""The baselines there are: what each sees and needs (light: read with the Snakefile).

A baseline is an entry here, a way to fit it in `hirshprint.baselines.composition.FITS`, and a word in
`Learning.baselines` of `hirshprint.config.learning`.
"""

from __future__ import annotations

from dataclasses import dataclass

from hirshprint.networks.registry import Sees

MEAN = "mean"
RIDGE = "ridge"
GRADIENT_BOOSTING = "gradient_boosting"
MLP = "mlp"
SVR = "svr"
GRNN = "grnn"
CPANN = "cpann"
BOND_LENGTHS = "bond_lengths"
VERMA = "verma"
GAUSSIAN_PROCESS = "gaussian_process"
GRADIENT_BOOSTING_FINGERPRINT = "gradient_boosting_fingerprint"


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """A baseline, as all that does not fit it must know it.

    Attributes
    ----------
    name : str
        The word in the configuration.
    sees : str
        What it sees of a compound.
    seeded : bool
        Whether it draws random numbers: it is then fitted once per seed, else once.
    formula : bool
        Whether it is an empirical formula, for edges of ABX3 only; it may predict some of the compounds only.
    """

    name: str
    sees: Sees = "composition"
    seeded: bool = False
    formula: bool = False


BASELINES: dict[str, Baseline] = {
    baseline.name: baseline
    for baseline in (
        Baseline(name=MEAN, sees="nothing"),
        Baseline(name=RIDGE),
        Baseline(name=GRADIENT_BOOSTING),
        Baseline(name=MLP, seeded=True),
        Baseline(name=SVR),
        Baseline(name=GRNN),
        Baseline(name=CPANN),
        Baseline(name=BOND_LENGTHS, formula=True),
        Baseline(name=VERMA, formula=True),
        Baseline(name=GAUSSIAN_PROCESS, sees="fingerprint"),
        Baseline(name=GRADIENT_BOOSTING_FINGERPRINT, sees="fingerprint and composition"),
    )
}
