"""Crystals as rows of numbers, for scikit-learn and in the manner of matminer.

>>> from sklearn.ensemble import RandomForestRegressor
>>> from sklearn.pipeline import make_pipeline
>>> from hirshprint.featurizer import HirshfeldFeaturizer
>>> model = make_pipeline(HirshfeldFeaturizer(n_jobs=2), RandomForestRegressor())
>>> model.fit(structures, band_gaps).predict(new_structures)
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from hirshprint.api.crystal_surfaces import CrystalSurfaces, check_made, surfaces_of_structure
from hirshprint.api.crystals import structure_of
from hirshprint.api.defaults import EDGE_ANGSTROM, MESH_LEVEL, CrystalWarning, check_settings
from hirshprint.api.densities import find_densities
from hirshprint.fingerprints.features import bin_features, contact_features, moment_features

if TYPE_CHECKING:
    import pandas as pd

CITATIONS = (
    "@article{williams2020, author = {Williams, Logan and Mukherjee, Arpan and Rajan, Krishna}, title = {Deep Learning "
    "Based Prediction of Perovskite Lattice Parameters from Hirshfeld Surface Fingerprints}, journal = {J. Phys. Chem. "
    "Lett.}, volume = {11}, pages = {7462--7468}, year = {2020}, doi = {10.1021/acs.jpclett.0c02201}}",
    "@article{spackman2002, author = {Spackman, Mark A. and McKinnon, Joshua J.}, title = {Fingerprinting "
    "intermolecular interactions in molecular crystals}, journal = {CrystEngComm}, volume = {4}, pages = {378--392}, "
    "year = {2002}, doi = {10.1039/B203191B}}",
)
LINES_SHOWN = 5
COARSE_LEVEL = 2  # where only names are asked for


def _contacts(made: CrystalSurfaces) -> dict[str, float]:
    structure = made.structure
    numbers = dict(enumerate(structure.numbers[structure.site_atom].tolist()))
    return contact_features(made.sites, numbers)


KINDS: dict[str, Callable[[CrystalSurfaces], dict[str, float]]] = {
    "contacts": _contacts,
    "moments": lambda made: moment_features(made.sites),
    "bins": lambda made: bin_features(made.sites),
}
"""Kinds of features by their names."""


class Row(NamedTuple):
    """Features of one crystal, or why it has none; and what was assumed or is doubtful of it."""

    values: list[float]
    fault: str
    remarks: tuple[str, ...] = ()


class HirshfeldFeaturizer(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Turn crystals into numbers of their Hirshfeld surfaces.

    It learns nothing: `fit` only settles which free-atom densities are used. A crystal that has no features becomes a
    row of NaN, and a `CrystalWarning` names it.

    Parameters
    ----------
    features : str or tuple of str, default ("contacts", "moments")
        ``contacts``: statistics of who meets whom, with the elements (104 numbers); ``moments``: moments of the
        fingerprint of all atoms, anions and cations (30); ``bins``: the fingerprint itself, 25 × 25 bins (625).
    densities : str or path, optional
        See `hirshprint.surfaces`.
    mesh_level : int, default 10
        How fine the meshes are.
    edge_angstrom : float, default 4.5, Å
        Edge of the cubic perovskite that a formula is placed on.
    n_jobs : int, optional
        Processes: 1 by default, -1 for all cores.
    progress : bool, default True
        Show a bar with the time left, in a terminal or a notebook.

    Attributes
    ----------
    density_source_ : str
        Densities that are used, once fitted.
    """

    def __init__(
        self,
        features: str | Sequence[str] = ("contacts", "moments"),
        *,
        densities: Any = None,
        mesh_level: int = MESH_LEVEL,
        edge_angstrom: float = EDGE_ANGSTROM,
        n_jobs: int | None = None,
        progress: bool = True,
    ):
        self.features = features
        self.densities = densities
        self.mesh_level = mesh_level
        self.edge_angstrom = edge_angstrom
        self.n_jobs = n_jobs
        self.progress = progress

    def fit(self, X: Iterable[Any], y: Any = None) -> HirshfeldFeaturizer:
        """Settle which densities are used; the crystals are not looked at.

        Parameters
        ----------
        X : sequence of crystals
            See `hirshprint.api.functions`.
        y : ignored
        """
        self._kinds()
        check_settings(self.mesh_level, self.edge_angstrom)
        self.density_source_ = find_densities(self.densities).source
        return self

    def transform(self, X: Iterable[Any]) -> NDArray[np.float64]:
        """Compute the features of crystals.

        Parameters
        ----------
        X : sequence of crystals
            A list, a Series, an array of objects, or a DataFrame of one column.

        Returns
        -------
        ndarray of float64, (n, k)
            A row for each crystal, NaN where it has no features.
        """
        check_settings(self.mesh_level, self.edge_angstrom)
        crystals = _listed(X)
        source = self._source()
        find_densities(source)  # made once, before processes ask for it
        tasks = (
            delayed(_row)(crystal, self._kinds(), source, self.mesh_level, self.edge_angstrom) for crystal in crystals
        )
        rows = Parallel(n_jobs=self.n_jobs, return_as="generator")(tasks)
        bar = _bar()(
            rows, total=len(crystals), desc="surfaces", unit="crystal", disable=None if self.progress else True
        )
        found = np.full((len(crystals), len(self.feature_labels())), np.nan)
        faults, remarks = list[str](), list[str]()
        for number, row in enumerate(bar):
            called = f"row {number}, {_named(crystals[number])}"
            if row.fault:
                faults.append(f"{called}: {row.fault}")
            else:
                found[number] = row.values
            remarks += [f"{called}: {', '.join(row.remarks)}"] if row.remarks else []
        _warn(f"of {len(crystals)} crystals have no features, their rows are NaN", faults)
        _warn(f"of {len(crystals)} crystals have remarks", remarks)
        return found

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Names of the features, (k,), with units at their end; `input_features` is ignored."""
        return np.array(self.feature_labels(), dtype=object)

    def featurize(self, crystal: Any) -> list[float]:
        """Features of one crystal, as matminer asks for them.

        Raises
        ------
        CrystalError, InputError, SurfaceError
            See `hirshprint.surfaces`.
        """
        return _values(_made(crystal, self._source(), self.mesh_level, self.edge_angstrom), self._kinds())

    def featurize_dataframe(
        self, df: pd.DataFrame, col_id: str, ignore_errors: bool = False, **options: Any
    ) -> pd.DataFrame:
        """Add the features of a column of crystals to a table, as matminer does.

        Parameters
        ----------
        df : pandas.DataFrame
            The table; not modified.
        col_id : str
            Its column of crystals.
        ignore_errors : bool, default False
            Give a crystal that has no features NaN, with a `CrystalWarning`, in place of an error.
        **options
            Others of matminer's, which are not used.

        Raises
        ------
        CrystalError, InputError, SurfaceError
            See `hirshprint.surfaces`.
        """
        import pandas as pd

        crystals = df[col_id].tolist()
        rows = self.transform(crystals) if ignore_errors else [self.featurize(crystal) for crystal in crystals]
        return pd.concat([df, pd.DataFrame(rows, index=df.index, columns=self.feature_labels())], axis=1)

    def set_n_jobs(self, n_jobs: int | None) -> None:
        """Set the number of processes, as matminer does."""
        self.n_jobs = n_jobs

    def feature_labels(self) -> list[str]:
        """Names of the features, with units at their end."""
        return [name for kind in self._kinds() for name in _names(kind, self._source())]

    def citations(self) -> list[str]:
        """What to cite, as BibTeX."""
        return list(CITATIONS)

    def implementors(self) -> list[str]:
        """Who wrote it."""
        return ["hirshprint contributors"]

    def _kinds(self) -> tuple[str, ...]:
        kinds = (self.features,) if isinstance(self.features, str) else tuple(self.features)
        if not kinds or set(kinds) - set(KINDS) or len(set(kinds)) < len(kinds):
            raise ValueError(f"features = {self.features!r}; write one or several of {', '.join(KINDS)}")
        return kinds

    def _source(self) -> Any:
        """The densities of the fit: on another machine the first ones at hand may be others."""
        return self.densities if self.densities is not None else getattr(self, "density_source_", None)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = True
        tags.requires_fit = False
        tags.no_validation = True
        return tags


def _warn(what: str, lines: Sequence[str]) -> None:
    if lines:
        more = " ..." if len(lines) > LINES_SHOWN else ""
        warnings.warn(f"{len(lines)} {what}: {'; '.join(lines[:LINES_SHOWN])}{more}", CrystalWarning, stacklevel=3)


def _bar() -> Any:
    """The bar of a notebook where it can be shown, else that of a terminal."""
    if find_spec("ipywidgets"):
        from tqdm.auto import tqdm
    else:
        from tqdm import tqdm
    return tqdm


def _listed(X: Any) -> list[Any]:
    """The crystals of a list, a Series, an array, or a table of one column."""
    if hasattr(X, "columns"):
        if len(X.columns) != 1:
            raise ValueError(f"a table of {len(X.columns)} columns; give the one column of crystals")
        X = X.iloc[:, 0]
    if isinstance(X, (str, bytes)) or hasattr(X, "lattice") or hasattr(X, "pbc"):
        raise ValueError("one crystal; give a list of crystals")
    if isinstance(X, np.ndarray) and X.ndim > 1:
        if X.ndim != 2 or X.shape[1] != 1:
            raise ValueError(f"an array of shape {X.shape}; give one crystal in a row")
        X = X[:, 0]
    return list(X)


def _row(crystal: Any, kinds: Sequence[str], source: Any, mesh_level: int, edge_angstrom: float) -> Row:
    try:
        made = _made(crystal, source, mesh_level, edge_angstrom)
        return Row(_values(made, kinds), "", made.remarks)
    except Exception as error:  # one odd crystal must not end thousands
        kind = "" if isinstance(error, (ValueError, OSError)) else f"{type(error).__name__}: "
        return Row([], f"{kind}{error}")


def _made(crystal: Any, source: Any, mesh_level: int, edge_angstrom: float) -> CrystalSurfaces:
    if isinstance(crystal, CrystalSurfaces):
        check_made(crystal, source, mesh_level)
        return crystal
    return surfaces_of_structure(structure_of(crystal, edge_angstrom), find_densities(source), mesh_level)


def _values(made: CrystalSurfaces, kinds: Sequence[str]) -> list[float]:
    return [value for kind in kinds for value in KINDS[kind](made).values()]


@cache
def _names(kind: str, source: Any) -> tuple[str, ...]:
    """Names of a kind of features: those of any crystal, with any densities."""
    example = surfaces_of_structure(structure_of("SrTiO3", EDGE_ANGSTROM), find_densities(source), COARSE_LEVEL)
    return tuple(KINDS[kind](example))


def _named(crystal: Any) -> str:
    if isinstance(crystal, str):
        return crystal
    name = getattr(crystal, "formula", None) or getattr(crystal, "get_chemical_formula", lambda: "")()
    return str(name or type(crystal).__name__)
