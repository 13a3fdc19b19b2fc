"""What contacts add to a prediction: complete, right where the answer is known, the same in a supercell."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from test_fingerprints import doubled
from test_models_contacts import contacts_of, named
from written_settings import train_networks

from hirshprint.datasets.gather import Dataset
from hirshprint.densities import Densities
from hirshprint.networks.backend import keras, prepare_device, tf
from hirshprint.networks.contact_saliency import (
    TABLE,
    ContactExplanation,
    contact_gradients,
    contact_table,
    contributions_per_area,
    explain_contacts,
)
from hirshprint.networks.contacts import build_contacts
from hirshprint.networks.explaining import AT_ONCE, LEAST, QUANTILES, TOLERANCE
from hirshprint.networks.site_graphs import SiteGraphs, contact_graphs, graph_batch
from hirshprint.structures.crystals import Crystal, crystal_structure
from hirshprint.structures.structure import Structure
from hirshprint.structures.symbols import SYMBOLS

prepare_device(gpus=0, require_gpu=False, threads=2)


@pytest.fixture(scope="module")
def network() -> Any:
    """A network with weights that make every part matter, its normalisations near what they normalise."""
    keras.utils.set_random_seed(0)
    built = build_contacts(64)
    generator = np.random.default_rng(0)
    built.set_weights([w + 0.1 * generator.normal(size=w.shape) * (len(w) != 119) for w in built.get_weights()])
    for layer in built.layers:
        for normal in (getattr(layer, "of_gates", None), getattr(layer, "of_sums", None)):
            if normal is not None:
                normal.variance.assign(np.abs(normal.variance.numpy()) + 0.5)
    return built


def graphs_of(structures: list[Structure], densities: Densities, folder: Path) -> tuple[Any, SiteGraphs]:
    renamed = [named(one, f"s{k}") for k, one in enumerate(structures)]
    sites = contacts_of(renamed, densities, folder / "f.h5")
    return sites, contact_graphs(sites, np.array([abs(np.linalg.det(one.lattice)) for one in structures]))


def explanation(sites: Any, row: int, contributions: NDArray[np.float64]) -> ContactExplanation:
    own = slice(*sites.site_offsets[row : row + 2])
    offsets = sites.contact_offsets[own.start : own.stop + 1]
    taken = sites.contacts._replace(histograms=np.empty(0))
    taken = type(taken)(*(column[offsets[0] : offsets[-1]] for column in taken))
    whose = np.repeat(np.arange(own.stop - own.start), np.diff(offsets))
    absent = np.full(len(contributions), np.nan)
    told = ("s", "s", 1.0, 2.0, 1.5, 1, 0.0, contributions, absent)
    return ContactExplanation(*told, whose, sites.multiplicities[own], sites.areas[own], taken)


def copies(graphs: SiteGraphs, row: int) -> Any:
    return graph_batch(graphs, np.full(AT_ONCE, row))


def toy(of_sum: Any) -> Any:
    """A network whose output is a function of Σ weight × distance, of each structure."""

    def call(batch: Any, training: bool) -> Any:
        owners = tf.gather(batch[3], batch[4])
        return of_sum(tf.math.unsorted_segment_sum(batch[7] * batch[6][:, 0], owners, AT_ONCE))[:, None]

    names = ("numbers", "shares", "sites", "owners", "centres", "neighbours", "contacts", "weights")
    return type("Toy", (), {"inputs": [SimpleNamespace(name=name) for name in names], "__call__": staticmethod(call)})()


def test_known_answers(triclinic: Structure, thakkar: Densities, tmp_path: Path) -> None:
    _, graphs = graphs_of([triclinic], thakkar, tmp_path)
    parts = graphs.weights * graphs.edges[:, 0]
    ends, found = contact_gradients(toy(lambda total: 3.0 * total - 1.0), copies(graphs, 0))
    assert ends.tolist() == pytest.approx([-1.0, 3.0 * parts.sum() - 1.0])
    np.testing.assert_allclose(found.contributions, 3.0 * parts, rtol=1e-5)
    _, found = contact_gradients(toy(tf.square), copies(graphs, 0))  # ∫ 2 t S dt w d = S w d
    np.testing.assert_allclose(found.contributions, parts.sum() * parts, rtol=1e-4)
    assert found.settled
    _, found = contact_gradients(toy(lambda total: tf.sign(total - 1.0)), copies(graphs, 0), most=128)  # a jump
    assert (found.settled, found.missed) == (False, pytest.approx(2.0))
    assert np.abs(found.contributions).max() == 0.0


def test_contributions_add_up_and_a_supercell_has_the_same(
    network: Any, triclinic: Structure, thakkar: Densities, tmp_path: Path
) -> None:
    twice = doubled(triclinic)  # whose copies are sites of their own
    symbols = tuple(SYMBOLS[z - 1] for z in twice.numbers)
    read = crystal_structure(Crystal(twice.lattice, symbols, twice.frac, ()), "read")  # which finds them equivalent
    assert read.multiplicity.tolist() == 5 * [2]
    sites, graphs = graphs_of([triclinic, twice, read], thakkar, tmp_path)
    found = []
    for row in range(3):
        (reference, last), attribution = contact_gradients(network, copies(graphs, row))
        one = graph_batch(graphs, np.array([row]))
        end = float(network(list(one), training=False)[0, 0])
        apart = (*one[:-1], np.zeros_like(one[-1]))
        assert reference == pytest.approx(float(network(list(apart), training=False)[0, 0]), abs=1e-5)
        assert last == pytest.approx(end, abs=1e-5)
        assert abs(end - reference) > LEAST
        assert attribution.contributions.sum() == pytest.approx(end - reference, abs=TOLERANCE * abs(end - reference))
        found.append(explanation(sites, row, attribution.contributions))
    cell, super_cell, of_file = found
    assert (np.sign(cell.contributions) != np.sign(cell.contributions.sum())).any()
    atoms, reach = len(triclinic.numbers), np.abs(cell.contributions).max()
    whose = np.lexsort((cell.contacts.distances, cell.sites))
    its = np.lexsort((super_cell.contacts.distances, super_cell.sites % atoms)).reshape(-1, 2)
    np.testing.assert_allclose(super_cell.contributions[its].sum(axis=1), cell.contributions[whose], atol=1e-3 * reach)
    elements = [triclinic.numbers, read.numbers[read.site_atom]]
    order = [
        np.lexsort((one.contacts.distances, z[one.sites])) for one, z in zip((cell, of_file), elements, strict=True)
    ]
    values = [one.contributions[of_one] for one, of_one in zip((cell, of_file), order, strict=True)]
    np.testing.assert_allclose(*values, atol=1e-3 * reach)
    values = [contributions_per_area(one)[of_one] for one, of_one in zip((cell, of_file), order, strict=True)]
    np.testing.assert_allclose(*values, rtol=1e-2, atol=1e-3 * np.abs(values[0]).max())
    weighed = contributions_per_area(cell) * cell.contacts.areas / atoms
    np.testing.assert_allclose(weighed, cell.contributions, rtol=1e-5)


def test_without_symmetry_an_atom_has_the_same(
    network: Any, perovskite: Any, thakkar: Densities, tmp_path: Path
) -> None:
    both = [perovskite((38, 22, 8), 3.9, symmetric) for symmetric in (True, False)]
    sites, graphs = graphs_of(both, thakkar, tmp_path)
    found = [explanation(sites, k, contact_gradients(network, copies(graphs, k))[1].contributions) for k in range(2)]
    of_element = []
    for one, structure in zip(found, both, strict=True):
        table = contact_table([one], [structure], "eV")
        of_element.append(table.groupby(["element", "met_element"])["contribution"].sum())
    pd.testing.assert_series_equal(*of_element, rtol=2e-2)


@pytest.fixture(scope="module")
def explained(thakkar: Densities, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Rock salts at several volumes, one pair twice: as a compound with two structures from a table would be."""
    folder = tmp_path_factory.mktemp("explained")
    face = 0.5 * (np.ones((3, 3)) - np.eye(3))
    pairs = [(a, b) for a in ("Li", "Na", "K", "Mg") for b in ("F", "Cl", "O")]
    structures = [
        crystal_structure(Crystal(edge * face, (a, b), np.array([[0, 0, 0], [0.5, 0.5, 0.5]]), ()), f"{a}{b}-a{edge}")
        for a, b in pairs
        for edge in (5.2, 5.8)
    ]
    structures.sort(key=lambda one: one.structure_id)
    names = np.array([one.structure_id for one in structures])
    compounds = np.array([name.split("-")[0] for name in names.tolist()])
    count = len(names)
    dataset = Dataset(
        name="made_up",
        property="energy",
        unit="eV",
        structure_ids=names,
        compounds=compounds,
        groups=compounds,
        elements={},
        formulas=compounds,
        initial_edges=np.array([float(name.split("-a")[1]) for name in names.tolist()]),
        targets=np.array([3.0 + ("Li", "Na", "K", "Mg").index(name[:2].strip("FCO")) for name in compounds.tolist()]),
        draws=np.array([int(name.endswith("5.2")) for name in names.tolist()]),  # the larger edge comes first
        counts=np.zeros((count, 0, 2, 2), np.float32),
        channels=(),
        moments=np.zeros((count, 0, 12)),
        contacts=contacts_of(structures, thakkar, folder / "f.h5"),
    )
    learning = {"splits": ["random"], "folds": 3, "seeds": [1, 2], "validation_fraction": 0.2, "networks": ["contacts"]}
    learning |= {"contacts": {"epochs": 4, "batch_size": 8, "learning_rate": 0.01}}
    table = train_networks(dataset, structures, learning, folder / "cache", folder / "models", gpus=0)
    return dataset, structures, table, folder / "models"


def test_explained_by_all_networks_that_never_saw_the_compound(
    explained: Any, caplog: pytest.LogCaptureFixture
) -> None:
    dataset, structures, table, models = explained
    found = explain_contacts(dataset, structures, table, models)
    assert len(found) == len(QUANTILES)
    assert [one.true for one in found] == sorted(one.true for one in found)
    tested = table[(table["part"] == "test") & table["seed"].isin(["1", "2"])]
    for one in found:
        assert one.structure_id.endswith("5.8")  # the first initial edge
        rows = tested[tested["structure_id"] == one.structure_id]
        assert (len(rows), one.networks) == (2, 2)
        assert one.predicted == pytest.approx(rows["predicted"].mean(), abs=1e-5)
        change = one.predicted - one.without
        assert one.contributions.sum() == pytest.approx(change - one.missed, rel=2e-3, abs=1e-3)
        assert (one.deviations > 0).any()
    by_id = {one.structure_id: one for one in structures}
    shown = contact_table(found, [by_id[one.structure_id] for one in found], "eV")
    assert tuple(shown.columns) == TABLE
    sums = shown.groupby("structure_id")["contribution"].sum()
    ends = shown.groupby("structure_id")[["predicted", "without_contacts", "missed"]].first()
    pd.testing.assert_series_equal(
        sums, ends["predicted"] - ends["without_contacts"] - ends["missed"], check_names=False, rtol=2e-3, atol=1e-3
    )
    np.testing.assert_allclose(shown.groupby(["structure_id", "site"])["share"].sum(), 1.0, rtol=1e-5)
    salt = shown[shown["structure_id"] == found[0].structure_id]
    assert set(zip(salt["element"], salt["met_element"], strict=True)) >= {tuple(salt["element"].unique())}
    with caplog.at_level("INFO"):
        (named_one,) = explain_contacts(dataset, structures, table, models, ["Unknown", found[0].compound])
    np.testing.assert_array_equal(named_one.contributions, found[0].contributions)
    assert "contacts never tested Unknown; name others under learning: saliency:" in caplog.text
    assert explain_contacts(dataset, structures, table, models, ["Unknown"]) == []
    assert tuple(contact_table([], [], "eV").columns) == TABLE
