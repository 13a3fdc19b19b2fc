"""The network of contacts: what its numbers depend on and what they do not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from test_fingerprints import doubled, reordered, rotated, settings, shifted
from written_settings import train_networks

from hirshprint.accuracy.metrics import metrics
from hirshprint.batch.gathering import write_fingerprints
from hirshprint.datasets.contacts import read_contacts, taken
from hirshprint.datasets.gather import Dataset
from hirshprint.densities import Densities
from hirshprint.hirshfeld.python.engine import compute_surfaces
from hirshprint.networks.backend import keras, prepare_device
from hirshprint.networks.contacts import build_contacts
from hirshprint.networks.site_graphs import contact_graphs, graph_batch
from hirshprint.networks.voronoi import face_contacts
from hirshprint.structures.crystals import Crystal, crystal_structure
from hirshprint.structures.structure import Structure

prepare_device(gpus=0, require_gpu=False, threads=2)  # as test_training does: it can be set only once in a process

LEVEL = 6
PLAN: dict[str, Any] = {"splits": ["random"], "folds": 3, "seeds": [0], "validation_fraction": 0.15}


def named(structure: Structure, name: str) -> Structure:
    from dataclasses import replace

    return replace(structure, structure_id=name)


def contacts_of(structures: list[Structure], densities: Densities, path: Path) -> Any:
    by_id = {one.structure_id: compute_surfaces(one, densities, LEVEL) for one in structures}
    write_fingerprints(by_id, settings(channels=["total"]), path, "digest")
    return read_contacts(path, list(by_id))


@pytest.fixture(scope="module")
def network() -> Any:
    """A network with weights that make every part matter."""
    keras.utils.set_random_seed(0)
    built = build_contacts(64)
    generator = np.random.default_rng(0)
    built.set_weights([w + 0.1 * generator.normal(size=w.shape) * (len(w) != 119) for w in built.get_weights()])
    for layer in built.layers:  # variances stay positive
        for normal in (getattr(layer, "of_gates", None), getattr(layer, "of_sums", None)):
            if normal is not None:
                normal.variance.assign(np.abs(normal.variance.numpy()) + 0.5)
    return built


@pytest.fixture
def predict(network: Any, thakkar: Densities, tmp_path: Path) -> Callable[..., NDArray[np.float64]]:
    def predicted(*structures: Structure) -> NDArray[np.float64]:
        renamed = [named(one, f"s{k}") for k, one in enumerate(structures)]
        volumes = np.array([abs(np.linalg.det(one.lattice)) for one in structures])
        graphs = contact_graphs(contacts_of(renamed, thakkar, tmp_path / "f.h5"), volumes)
        return np.asarray(network(list(graph_batch(graphs, np.arange(len(structures)))), training=False))[:, 0].astype(
            float
        )

    return predicted


@pytest.mark.parametrize("transform", [rotated, shifted, reordered, doubled])
def test_the_description_of_a_crystal_does_not_matter(
    predict: Callable[..., NDArray[np.float64]], triclinic: Structure, transform: Callable[[Structure], Structure]
) -> None:
    one, other = predict(triclinic, transform(triclinic))
    assert one == pytest.approx(other, abs=1e-5 * max(1.0, abs(one)))


def test_symmetry_is_used_and_changes_nothing(
    predict: Callable[..., NDArray[np.float64]], perovskite: Callable[..., Structure]
) -> None:
    one, other = predict(*(perovskite((38, 22, 8), 3.9, symmetric) for symmetric in (True, False)))
    assert one == pytest.approx(other, abs=2e-3 * max(1.0, abs(one)))  # meshes of different fineness


def anatase(name: str, cells: tuple[int, int, int] = (1, 1, 1), noise_angstrom: float = 0.0) -> Structure:
    """Anatase, or a supercell of it, its atoms displaced at random; symmetry is looked for as in a file."""
    first = np.array([[0, 0, 0], [0, 0.5, 0.25], [0, 0, 0.208], [0, 0, 0.792], [0, 0.5, 0.458], [0, 0.5, 0.042]])
    atoms = np.concatenate([first, first + 0.5]) % 1.0
    shifts = np.indices(cells).reshape(3, -1).T
    frac = ((atoms[None] + shifts[:, None]) / cells).reshape(-1, 3)
    lattice = np.diag(np.array([3.785, 3.785, 9.514]) * cells)
    frac = frac + noise_angstrom * np.random.default_rng(0).normal(size=frac.shape) / np.diag(lattice)
    labels = ("Ti", "Ti", *"OOOO") * 2 * len(shifts)
    return crystal_structure(Crystal(lattice, labels, frac, ()), name)


@pytest.mark.parametrize("cells", [(2, 1, 1), (1, 1, 2), (3, 2, 1)])
def test_a_supercell_of_lower_symmetry_is_predicted_as_its_cell(
    predict: Callable[..., NDArray[np.float64]], cells: tuple[int, int, int]
) -> None:
    small, large = anatase("small"), anatase("large", cells)
    assert len(large.site_atom) > len(small.site_atom) or cells == (1, 1, 2)  # its lattice keeps fewer operations
    one, other = predict(small, large)
    assert one == pytest.approx(other, abs=1e-5 * max(1.0, abs(one)))


def test_a_little_noise_changes_little(predict: Callable[..., NDArray[np.float64]]) -> None:
    one, other, far = predict(
        anatase("ideal"), anatase("noisy", noise_angstrom=1e-3), anatase("far", noise_angstrom=0.1)
    )
    assert abs(one - other) < 0.05 * abs(one - far)


def test_polymorphs_differ_and_neighbours_in_a_batch_do_not_matter(
    predict: Callable[..., NDArray[np.float64]], perovskite: Callable[..., Structure]
) -> None:
    oxygen = np.array([[0.305, 0.305, 0], [0.695, 0.695, 0], [0.195, 0.805, 0.5], [0.805, 0.195, 0.5]])
    frac = np.concatenate([[[0, 0, 0], [0.5, 0.5, 0.5]], oxygen])
    rutile = crystal_structure(Crystal(np.diag([4.594, 4.594, 2.959]), ("Ti", "Ti", *"OOOO"), frac, ()), "rutile")
    alone, other = predict(rutile)[0], predict(anatase("anatase"))[0]
    assert abs(alone - other) > 1e-3
    among = predict(perovskite((38, 22, 8), 3.9), rutile, anatase("anatase"))
    np.testing.assert_allclose(among[1:], [alone, other], rtol=1e-4)


def test_faces_of_voronoi_cells_are_contacts_at_half_the_distance(perovskite: Callable[..., Structure]) -> None:
    found = face_contacts([perovskite((38, 22, 8), 4.0)])
    assert found.numbers.tolist() == [38, 22, 8]
    shares = np.split(found.contacts.areas, found.contact_offsets[1:-1])
    np.testing.assert_allclose([part.sum() for part in shares], found.areas, rtol=1e-5)
    assert (found.volumes * found.multiplicities).sum() == pytest.approx(64.0)
    np.testing.assert_allclose(found.contacts.means[:, 0], found.contacts.distances / 2)


def test_rows_are_taken_in_their_order() -> None:
    begins, entries = taken(np.array([0, 2, 2, 5]), np.array([2, 1, 0]))
    assert begins.tolist() == [0, 3, 3, 5]
    assert entries.tolist() == [2, 3, 4, 0, 1]


@pytest.fixture(scope="module")
def crystals(thakkar: Densities, tmp_path_factory: pytest.TempPathFactory) -> tuple[Dataset, list[Structure]]:
    """Rock salts and zinc blendes of 20 pairs at several volumes; the property depends on the cation and the volume."""
    structures, targets = [], []
    anions = np.array([[0.5, 0.5, 0.5], [0.25, 0.25, 0.25]])
    face = 0.5 * (np.ones((3, 3)) - np.eye(3))
    for k, (a, b) in enumerate((a, b) for a in ("Li", "Na", "K", "Mg", "Ca") for b in ("F", "Cl", "O", "S")):
        for kind in (0, 1):
            edge = (5.2, 5.6, 6.0)[(k + kind) % 3]
            crystal = Crystal(edge * face, (a, b), np.array([[0, 0, 0], anions[kind]]), ())
            structures.append(crystal_structure(crystal, f"{a}{b}{kind}"))
            targets.append(3.0 * (edge - 5.6) + 0.3 * ["Li", "Na", "K", "Mg", "Ca"].index(a))
    found = contacts_of(structures, thakkar, tmp_path_factory.mktemp("crystals") / "f.h5")
    names = np.array([one.structure_id for one in structures])
    count = len(names)
    return Dataset(
        name="made_up",
        property="energy",
        unit="eV",
        structure_ids=names,
        compounds=names,
        groups=names,
        elements={},
        formulas=np.array([name[:-1] for name in names.tolist()]),
        initial_edges=np.full(count, np.nan),
        targets=np.array(targets),
        draws=np.zeros(count, np.int64),
        counts=np.zeros((count, 0, 2, 2), np.float32),
        channels=(),
        moments=np.zeros((count, 0, 12)),
        contacts=found,
    ), structures


def test_elements_alone_tell_what_a_formula_tells(crystals: tuple[Dataset, list[Structure]], tmp_path: Path) -> None:
    from dataclasses import replace

    dataset, structures = crystals
    learning = PLAN | {"networks": ["elements_alone"], "elements_alone": {"epochs": 100, "batch_size": 8}}
    heavy = np.array([float("K" in name or "Ca" in name) for name in dataset.formulas.tolist()])
    table = train_networks(
        replace(dataset, targets=heavy), structures, learning, tmp_path / "cache", tmp_path / "models", gpus=0
    )
    assert float(metrics(table).set_index("part").loc["test", "r2"]) > 0.8
    predicted = table[table["part"] == "test"].set_index("structure_id")["predicted"]
    rock_salt, zinc_blende = (predicted[[f"{name}{kind}" for name in dataset.formulas[::2]]] for kind in (0, 1))
    same_fold = table[table["part"] == "test"].set_index("structure_id")["fold"]
    pairs = [name for name in dataset.formulas[::2] if same_fold[f"{name}0"] == same_fold[f"{name}1"]]
    assert pairs
    for name in pairs:
        assert rock_salt[f"{name}0"] == pytest.approx(zinc_blende[f"{name}1"], abs=1e-5)


@pytest.mark.parametrize("model", ["contacts", "voronoi", "near_atoms"])
def test_it_learns_and_not_from_shuffled_targets(
    crystals: tuple[Dataset, list[Structure]], tmp_path: Path, model: str
) -> None:
    from dataclasses import replace

    dataset, structures = crystals
    section = {"epochs": 100, "batch_size": 8, "learning_rate": 0.01}
    learning = PLAN | {"networks": [model], model: section}

    def r2(of: Dataset, name: str) -> float:
        table = train_networks(of, structures, learning, tmp_path / name, tmp_path / f"{name}-models", gpus=0)
        return float(metrics(table).set_index("part").loc["test", "r2"])

    assert r2(dataset, "true") > 0.8
    assert r2(replace(dataset, targets=np.random.default_rng(3).permutation(dataset.targets)), "shuffled") < 0.2
