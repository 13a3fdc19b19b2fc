"""Random crystals in random settings, written as CIF by three other programs: what is read is what was written."""

from __future__ import annotations

import io
import warnings

import gemmi
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pymatgen.core import Lattice
from pymatgen.core import Structure as PymatgenStructure
from pymatgen.io.cif import CifWriter

from hirshprint.structures.reading.cif import read_cif

GROUPS = list(gemmi.spacegroup_table())
ELEMENTS = ("Sr", "Ti", "O", "F", "Cs", "H", "U", "C")
REACH_ANGSTROM = 4.0
Written = tuple[gemmi.SmallStructure, PymatgenStructure]


def _expanded(group: gemmi.SpaceGroup, place: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """All images of a place, by gemmi's operations."""
    images: list[NDArray[np.float64]] = []
    for operation in group.operations():
        image = np.array(operation.apply_to_xyz(place.tolist())) % 1.0
        offsets = np.array(images).reshape(-1, 3) - image
        if not (np.abs(offsets - np.round(offsets)).max(axis=1, initial=0.0) < 1e-4).any() or not images:
            images.append(image)
    return images


@st.composite
def crystals(draw: st.DrawFn) -> Written:
    """A crystal of one to three sites: for gemmi as a list with its group, for the others as all atoms."""
    group = draw(st.sampled_from(GROUPS))
    numbers = st.floats(-1.0, 1.0, allow_nan=False).map(lambda x: round(x, 3))
    skew = np.array(draw(st.lists(numbers, min_size=9, max_size=9))).reshape(3, 3)
    metric = 90.0 * (np.eye(3) + 0.15 * (skew + skew.T))
    rotations = [np.array(op.rot) / 24 for op in group.operations()]
    lattice = Lattice(np.linalg.cholesky(np.mean([w.T @ metric @ w for w in rotations], axis=0)))
    small = gemmi.SmallStructure()
    small.name = "x"
    small.cell.set(*np.round(lattice.parameters, 5))
    small.spacegroup_hm = group.xhm()
    symbols, places = [], []
    for k in range(draw(st.integers(1, 3))):
        place = np.array(draw(st.lists(st.sampled_from([0, 0.25, 0.5, 0.11, 0.37, 0.68]), min_size=3, max_size=3)))
        site = gemmi.SmallStructure.Site()
        site.label, site.fract, site.occ = f"{ELEMENTS[k]}{k}", gemmi.Fractional(*place), 1
        site.element = gemmi.Element(ELEMENTS[k])
        site.type_symbol = ELEMENTS[k]
        small.add_site(site)
        images = _expanded(group, place)
        places += images
        symbols += [ELEMENTS[k]] * len(images)
    whole = PymatgenStructure(Lattice.from_parameters(*np.round(lattice.parameters, 5)), symbols, places)
    assume(len(whole) < 120)
    assume(len(whole) == 1 or whole.distance_matrix[~np.eye(len(whole), dtype=bool)].min() > 0.6)
    return small, whole


def _distances(crystal: PymatgenStructure) -> dict[tuple[str, str], NDArray[np.float64]]:
    """Sorted distances by pair of elements, each pair of atoms twice."""
    first, second, _, lengths = crystal.get_neighbor_list(REACH_ANGSTROM)
    labels = np.array([site.specie.symbol for site in crystal])
    pairs = np.array([f"{a} {b}" for a, b in zip(labels[first], labels[second], strict=True)])
    return {tuple(pair.split()): np.sort(lengths[pairs == pair]) for pair in sorted(set(pairs))}  # type: ignore[misc]


def _assert_read(text: str, written: PymatgenStructure) -> None:
    found = read_cif(text)
    crystal = PymatgenStructure(Lattice(found.lattice), found.symbols, found.frac)
    times = len(crystal) / len(written)  # a program may write another cell of the same crystal
    assert crystal.composition.reduced_formula == written.composition.reduced_formula
    assert crystal.volume / len(crystal) == pytest.approx(written.volume / len(written), rel=1e-3)
    one, other = _distances(crystal), _distances(written)
    for pair in set(one) | set(other):
        a, b = (lengths.get(pair, np.empty(0)) for lengths in (one, other))
        a, b = a[a < REACH_ANGSTROM - 0.01], b[b < REACH_ANGSTROM - 0.01]
        if times == 1:
            few = min(len(a), len(b))
            assert abs(len(a) - len(b)) <= np.sum(np.r_[a, b] > REACH_ANGSTROM - 0.02), pair
            assert np.allclose(a[:few], b[:few], atol=0.003), pair


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(crystals())
def test_written_by_gemmi(crystal: Written) -> None:
    small, whole = crystal
    document = gemmi.cif.Document()
    document.add_copied_block(small.make_cif_block())
    _assert_read(document.as_string(), whole)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(crystals(), st.sampled_from([None, 1e-3]))
def test_written_by_pymatgen(crystal: Written, tolerance: float | None) -> None:
    _, whole = crystal
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on oxidation states
        text = str(CifWriter(whole, symprec=tolerance))
    _assert_read(text, whole)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(crystals())
def test_written_by_ase(crystal: Written) -> None:
    ase_io = pytest.importorskip("ase.io", reason="ase is not in this environment: make env")
    from ase import Atoms

    _, whole = crystal
    symbols = [site.specie.symbol for site in whole]
    atoms = Atoms(symbols, scaled_positions=whole.frac_coords, cell=whole.lattice.matrix, pbc=True)
    file = io.BytesIO()
    ase_io.write(file, atoms, format="cif")
    _assert_read(file.getvalue().decode(), whole)
