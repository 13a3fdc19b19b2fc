from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray

from hirshprint.networks.backend import keras, prepare_device
from hirshprint.networks.cgcnn import build_cgcnn
from hirshprint.networks.graphs import Graphs, build_graphs, graph_batch, lonely, neighbours_within
from hirshprint.networks.interface import Recipe
from hirshprint.networks.training import Trainer
from hirshprint.structures.structure import Structure

prepare_device(gpus=0, require_gpu=False, threads=2)  # as test_training does: it can be set only once in a process

PEROVSKITE = np.array([[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]])
RADIUS = 4.5


def crystal(lattice: NDArray[np.float64], numbers: list[int], frac: NDArray[np.float64]) -> Structure:
    """Make a structure whose sites do not matter here."""
    return Structure(
        structure_id="s",
        lattice=np.asarray(lattice, float),
        numbers=np.array(numbers),
        frac=np.asarray(frac, float),
        is_anion=np.zeros(len(numbers), bool),
        site_atom=np.arange(len(numbers)),
        atom_site=np.arange(len(numbers)),
        site_labels=("",) * len(numbers),
        multiplicity=np.ones(len(numbers), int),
        site_operations=(),
        formula_units=1,
    )


def perovskite(a: int = 38, b: int = 22, x: int = 8, edge: float = 4.5) -> Structure:
    return crystal(np.eye(3) * edge, [a, b, x, x, x], PEROVSKITE)


def triclinic() -> Structure:
    lattice = np.array([[5.1, 0.3, -0.2], [-2.2, 4.6, 0.4], [1.9, -1.1, 6.3]])
    frac = np.random.default_rng(1).uniform(-1, 2, size=(7, 3))
    return crystal(lattice, [38, 22, 8, 8, 8, 22, 9], frac)


def supercell(structure: Structure, matrix: list[list[int]]) -> Structure:
    """Repeat a structure on the lattice `matrix` @ lattice, with every atom in it."""
    m = np.array(matrix)
    size = round(abs(np.linalg.det(m)))
    reach = range(-6, 7)
    shifts = np.array([[i, j, k] for i in reach for j in reach for k in reach])
    inverse = np.linalg.inv(m)
    inside = shifts[((shifts @ inverse + 1e-9) % 1 < 1e-6 + 1).all(axis=1)]
    positions = (inside @ inverse + 1e-9) % 1
    cells = np.unique(positions.round(6), axis=0)
    assert len(cells) == size
    frac = np.concatenate([(structure.frac @ inverse) + cell for cell in cells])
    return crystal(m @ structure.lattice, np.tile(structure.numbers, size).tolist(), frac)


def rotation(seed: int) -> NDArray[np.float64]:
    matrix, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    return np.asarray(matrix)


@pytest.fixture(scope="module")
def network() -> object:
    """A network with weights that make every part matter."""
    keras.utils.set_random_seed(0)
    built = build_cgcnn(RADIUS)
    generator = np.random.default_rng(0)
    built.set_weights(
        [w + 0.1 * generator.normal(size=w.shape) * (w.ndim < 2 or len(w) != 119) for w in built.get_weights()]
    )
    for layer in built.layers:  # variances stay positive
        for normal in (getattr(layer, "of_gates", None), getattr(layer, "of_sums", None)):
            if normal is not None:
                normal.variance.assign(np.abs(normal.variance.numpy()) + 0.5)
    return built


def predict(network: object, *structures: Structure) -> NDArray[np.float64]:
    graphs = build_graphs(structures, RADIUS)
    batch = graph_batch(graphs, np.arange(len(structures)))
    return np.asarray(network(list(batch), training=False))[:, 0].astype(float)  # type: ignore[operator]


def test_neighbours_are_those_of_a_plain_search() -> None:
    structure = triclinic()
    centres, neighbours, shells = neighbours_within(structure.lattice, structure.frac, 7.0)
    grid = np.array([[i, j, k] for i in range(-9, 10) for j in range(-9, 10) for k in range(-9, 10)])
    expected = []
    for i, here in enumerate(structure.frac):
        for j, there in enumerate(structure.frac):
            distances = np.linalg.norm((there - here + grid) @ structure.lattice, axis=1)
            expected += [(i, j, d) for d in distances if 1e-9 < d <= 7.0]
    found = sorted(zip(centres.tolist(), neighbours.tolist(), (shells * 2.0**-17).tolist(), strict=True))
    assert len(found) == len(expected)
    np.testing.assert_allclose(found, sorted(expected), atol=1e-5)


@pytest.mark.parametrize("edge", [3.52582, 4.5, 5.1])
def test_shells_of_a_perovskite_are_whole_and_merged(edge: float) -> None:
    graphs = build_graphs([perovskite(edge=edge)], radius=edge)
    assert graphs.numbers.tolist() == [8, 22, 38]
    np.testing.assert_allclose(graphs.shares, [0.6, 0.2, 0.2])
    found = {
        (int(graphs.numbers[i]), int(graphs.numbers[j]), round(float(d / edge), 4)): int(m)
        for i, j, d, m in zip(graphs.centres, graphs.neighbours, graphs.distances, graphs.multiplicities, strict=True)
    }
    assert found == {
        (38, 8, 0.7071): 12,
        (38, 22, 0.866): 8,
        (38, 38, 1.0): 6,
        (22, 8, 0.5): 6,
        (22, 38, 0.866): 8,
        (22, 22, 1.0): 6,
        (8, 22, 0.5): 2,
        (8, 38, 0.7071): 4,
        (8, 8, 0.7071): 8,
        (8, 8, 1.0): 6,
    }


@pytest.mark.parametrize("make", [perovskite, triclinic])
def test_prediction_does_not_depend_on_the_description(network: object, make: object) -> None:
    structure = make()  # type: ignore[operator]
    order = np.random.default_rng(2).permutation(len(structure.numbers))
    change = np.array([[1, 1, 0], [0, 1, -2], [0, 0, 1]])  # another cell of the same lattice
    same = {
        "permuted": dataclasses.replace(structure, numbers=structure.numbers[order], frac=structure.frac[order]),
        "translated": dataclasses.replace(structure, frac=structure.frac + np.array([0.123, -0.4, 7.7])),
        "other images": dataclasses.replace(
            structure, frac=structure.frac + np.random.default_rng(3).integers(-3, 4, structure.frac.shape)
        ),
        "rotated": dataclasses.replace(structure, lattice=structure.lattice @ rotation(4)),
        "other cell": dataclasses.replace(
            structure, lattice=change @ structure.lattice, frac=structure.frac @ np.linalg.inv(change)
        ),
        "doubled": supercell(structure, [[2, 0, 0], [0, 1, 0], [0, 0, 1]]),
        "skewed supercell": supercell(structure, [[1, 1, 0], [-1, 1, 0], [0, 0, 2]]),
    }
    expected = predict(network, structure)
    for name, other in same.items():
        np.testing.assert_allclose(predict(network, other), expected, rtol=1e-5, err_msg=name)
    moved = dataclasses.replace(structure, lattice=structure.lattice * 1.03)
    assert abs(predict(network, moved) / expected - 1) > 1e-3


def test_merging_is_exact(network: object) -> None:
    structure = perovskite(edge=4.4)
    centres, neighbours, shells = neighbours_within(structure.lattice, structure.frac, RADIUS)
    order = np.lexsort((shells, neighbours, centres))
    full = Graphs(
        numbers=structure.numbers.astype(np.int32),
        shares=np.full(5, 0.2, np.float32),
        node_offsets=np.array([0, 5]),
        centres=centres[order].astype(np.int32),
        neighbours=neighbours[order].astype(np.int32),
        distances=(shells[order] * 2.0**-17).astype(np.float32),
        multiplicities=np.ones(len(order), np.float32),
        edge_offsets=np.array([0, len(order)]),
        radius=RADIUS,
    )
    batch = graph_batch(full, np.array([0]))
    for training in (False, True):  # batch statistics too
        of_full = np.asarray(network(list(batch), training=training))[0, 0]  # type: ignore[operator]
        of_merged = np.asarray(
            network(list(graph_batch(build_graphs([structure], RADIUS), np.array([0]))), training=training)  # type: ignore[operator]
        )[0, 0]
        assert of_merged == pytest.approx(of_full, rel=1e-5)


def test_a_batch_predicts_each_structure_as_if_alone(network: object) -> None:
    structures = [perovskite(), triclinic(), perovskite(56, 40, 8, 4.3)]
    together = predict(network, *structures)
    alone = [predict(network, structure)[0] for structure in structures]
    np.testing.assert_allclose(together, alone, rtol=1e-5)
    graphs = build_graphs(structures, RADIUS)
    backwards = graph_batch(graphs, np.array([2, 1, 0]))
    assert backwards[0].tolist()[:3] == [8, 40, 56]
    np.testing.assert_allclose(
        np.asarray(network(list(backwards), training=False))[:, 0],
        together[::-1],
        rtol=1e-5,  # type: ignore[operator]
    )


def test_an_atom_without_neighbours_is_found() -> None:
    graphs = build_graphs([perovskite(edge=4.5), perovskite(edge=3.5)], radius=2.0)
    assert lonely(graphs).tolist() == [True, True]  # A has its twelve X at 2.5 Å at least
    assert not lonely(build_graphs([perovskite()], RADIUS)).any()


def test_overfits_a_few_compounds() -> None:
    pairs = [(a, b) for a in (19, 20, 38, 56, 57) for b in (22, 26, 40, 13)]
    graphs = build_graphs([perovskite(a, b) for a, b in pairs], RADIUS)
    targets = np.random.default_rng(5).normal(size=len(pairs)).astype(np.float32)
    trainer = Trainer(lambda: build_cgcnn(RADIUS), Recipe())
    trainer.reset(0)
    rows = np.arange(len(pairs))
    first, *losses = (
        float(trainer.step(list(graph_batch(graphs, rows)), targets, np.float32(0.005))) for _ in range(250)
    )
    assert first > 0.5
    assert losses[-1] < 0.02
