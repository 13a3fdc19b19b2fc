"""The procrystal density about a point of a crystal: which atoms count, and ln(ρ_in/ρ_out) with its gradient.

ρ_in is the sum over the spherical free atoms inside, ρ_out that over all others; the stockholder weight
w = ρ_in/(ρ_in + ρ_out) is ½ where f = ln(ρ_in/ρ_out) = 0 (Hirshfeld 1977, doi 10.1007/BF00549096). Towards a
vacuum both go on falling without end; there ρ_out counts as `RANGE`, and what is found is called open.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hirshprint.densities import GRID_STEP, Densities, look_up
from hirshprint.hirshfeld.kernel import kernel
from hirshprint.hirshfeld.surface import SurfaceError
from hirshprint.structures.structure import Structure

RANGE = 1e-8
"""e/bohr³, the least ρ_out that counts: where all others together have less, the inside ends at ρ_in = RANGE."""

STEPS = 1.0 / GRID_STEP
Array = NDArray[np.float64]
Integers = NDArray[np.int64]


class Procrystal(NamedTuple):
    """A crystal with what the sums over its atoms need.

    `basis` (3, 3) reduced lattice, Å, and its `inverse`; `positions` (n, 3) Å and `numbers` (n,) of the atoms;
    `elements` (e,) increasing atomic numbers; `rho` and `tails` of `LookUp`, `tails` (e, m) per volume: the mean
    density in e/bohr³ that the atoms beyond a radius add; `reach` Å, where the densities end.
    """

    basis: Array
    inverse: Array
    positions: Array
    numbers: Integers
    elements: Integers
    rho: Array
    tails: Array
    reach: float


class Neighbours(NamedTuple):
    """The atoms outside that count, about a centre, by element (increasing) and distance.

    `atoms` (k, 4): x, y, z and the distance from the centre, Å;
    atoms[blocks[e] : blocks[e + 1]] are of element elements[e] and count up to the distance cutoffs[e] in Å.
    """

    atoms: Array
    blocks: Integers
    elements: Integers
    cutoffs: Array


def procrystal(structure: Structure, lattice: Array, densities: Densities) -> Procrystal:
    """Prepare a structure, its `lattice` (3, 3) turned as one likes.

    Parameters
    ----------
    structure : Structure
        Elements and fractional coordinates.
    lattice : ndarray of float64, (3, 3), Å
        Rows are a, b, c.
    densities : Densities
        Free-atom densities of its elements.

    Raises
    ------
    SurfaceError : an element has no density.
    """
    elements, count = np.unique(structure.numbers, return_counts=True)
    table = look_up(densities)
    try:
        table.fill(elements.tolist())
    except ValueError as error:
        raise SurfaceError(f"{structure.structure_id}: {error}") from error
    basis = reduced(lattice)
    inverse = np.asarray(np.linalg.inv(basis), dtype=np.float64)
    tails = table.tails[elements] * (count * abs(np.linalg.det(inverse)))[:, None]
    positions = structure.frac @ lattice
    return Procrystal(basis, inverse, positions, structure.numbers, elements, table.rho, tails, table.reach)


@kernel
def reduced(lattice: Array) -> Array:
    """Another basis (3, 3) of the lattice with short vectors, by steps that shorten one at a time.

    Parameters
    ----------
    lattice : ndarray of float64, (3, 3), Å
        Rows are a, b, c.
    """
    basis = lattice.copy()
    shorter = True
    while shorter:
        shorter = False
        for k in range(3):
            a, b, c = basis[k], basis[(k + 1) % 3], basis[(k + 2) % 3]
            least = (a * a).sum() * (1 - 1e-9)
            for m in range(-1, 2):
                n = np.rint(((a - m * c) * b).sum() / (b * b).sum())
                candidate = a - n * b - m * c
                if (candidate * candidate).sum() < least:
                    least = (candidate * candidate).sum() * (1 - 1e-9)
                    basis[k] = candidate
                    shorter = True
    return basis


@kernel
def neighbours(crystal: Procrystal, centre: Array, least: float, cutoffs: Array, within: float) -> Neighbours:
    """Atoms more than `least` Å from a centre (3,) that count somewhere `within` Å of it.

    Parameters
    ----------
    crystal : Procrystal
        The crystal.
    centre : ndarray of float64, (3,), Å
        Cartesian position.
    least : float, Å
        Atoms as near as this to the centre are left out.
    cutoffs : ndarray of float64, (e,), Å
        Distance up to which an atom of each element counts.
    within : float, Å
        Radius about the centre in which atoms must count.
    """
    frac = (crystal.positions - centre) @ crystal.inverse
    nearest = (frac - np.rint(frac)) @ crystal.basis
    blocks = np.zeros(len(crystal.elements) + 1, dtype=np.int64)
    atoms = np.empty((512, 4))
    cx, cy, cz = crystal.basis[2, 0], crystal.basis[2, 1], crystal.basis[2, 2]
    step = cx * cx + cy * cy + cz * cz
    n = 0
    for e in range(len(crystal.elements)):
        reach = cutoffs[e] + within
        most = np.empty(2, dtype=np.int64)
        for axis in range(2):  # planes of lattice points lie 1/|column of the inverse| apart
            most[axis] = int(np.ceil(reach * np.sqrt((crystal.inverse[:, axis] ** 2).sum()) + 0.5))
        start = n
        for a in range(len(nearest)):
            if crystal.numbers[a] != crystal.elements[e]:
                continue
            for i in range(-most[0], most[0] + 1):
                for j in range(-most[1], most[1] + 1):
                    px = nearest[a, 0] + i * crystal.basis[0, 0] + j * crystal.basis[1, 0]
                    py = nearest[a, 1] + i * crystal.basis[0, 1] + j * crystal.basis[1, 1]
                    pz = nearest[a, 2] + i * crystal.basis[0, 2] + j * crystal.basis[1, 2]
                    # the row along the third axis is within reach around its middle
                    middle = -(px * cx + py * cy + pz * cz) / step
                    half = middle * middle - (px * px + py * py + pz * pz - reach * reach) / step
                    if half < 0.0:
                        continue
                    half = np.sqrt(half) + 1e-9
                    for k in range(int(np.ceil(middle - half)), int(np.floor(middle + half)) + 1):
                        x, y, z = px + k * cx, py + k * cy, pz + k * cz
                        squared = x * x + y * y + z * z
                        if squared > reach * reach or squared <= least * least:
                            continue
                        if n == len(atoms):
                            atoms = np.concatenate((atoms, np.empty_like(atoms)))
                        atoms[n, 0], atoms[n, 1], atoms[n, 2], atoms[n, 3] = x, y, z, np.sqrt(squared)
                        n += 1
        atoms[start:n] = atoms[start:n][np.argsort(atoms[start:n, 3])]
        blocks[e + 1] = n
    return Neighbours(atoms[:n].copy(), blocks, crystal.elements, cutoffs)


@kernel
def cutoffs_for(crystal: Procrystal, neglected: float) -> Array:
    """Distance in Å per element beyond which its atoms, taken as continuous, add `neglected`/n_elements e/bohr³."""
    cutoffs = np.empty(len(crystal.elements))
    for e in range(len(cutoffs)):
        low, high = 0, crystal.tails.shape[1] - 2
        while low < high:
            middle = (low + high) // 2
            if crystal.tails[e, middle] > neglected / len(cutoffs):
                low = middle + 1
            else:
                high = middle
        cutoffs[e] = np.sqrt(low * GRID_STEP)
    return cutoffs


@kernel
def density(table: Array, squared: float) -> tuple[float, float]:
    """ρ in e/bohr³ of an atom at a squared distance in Å², and GRID_STEP dρ/d(r²); 0 where the table ends.

    `table` : (m, 4) row of `LookUp.rho`.

    Parameters
    ----------
    table : ndarray of float64, (m, 4), e/bohr³
        Row of `LookUp.rho`: cubic of each grid step.
    squared : float, Å²
        Squared distance from the nucleus.
    """
    position = squared * STEPS
    i = int(position)
    if i >= len(table):
        return 0.0, 0.0
    t = position - i
    a, b, c, d = table[i, 0], table[i, 1], table[i, 2], table[i, 3]
    return a + t * (b + t * (c + t * d)), b + t * (2.0 * c + 3.0 * t * d)


@kernel
def log_ratio(
    x: float, y: float, z: float, inside: Array, rho: Array, around: Neighbours
) -> tuple[float, float, float, float, float]:
    """f = ln(ρ_in/ρ_out) at a point about the centre, its gradient per Å, and ρ_out in e/bohr³.

    `inside` (m, 4) holds x, y, z and the atomic number of each atom inside. ρ_out is `RANGE` at least.

    Parameters
    ----------
    x, y, z : float, Å
        The point, about the centre.
    inside : ndarray of float64, (m, 4)
        x, y, z in Å about the centre and atomic number of each atom inside.
    rho : ndarray of float64, (104, p, 4), e/bohr³
        `LookUp.rho`: cubic of each grid step, by atomic number.
    around : Neighbours
        The atoms outside, about the same centre.
    """
    r = np.sqrt(x * x + y * y + z * z)
    within = px = py = pz = 0.0
    for k in range(len(inside)):
        dx, dy, dz = x - inside[k, 0], y - inside[k, 1], z - inside[k, 2]
        value, slope = density(rho[int(inside[k, 3])], dx * dx + dy * dy + dz * dz)
        within += value
        px += slope * dx
        py += slope * dy
        pz += slope * dz
    outside = qx = qy = qz = 0.0
    for e in range(len(around.elements)):
        limit, table = around.cutoffs[e], rho[around.elements[e]]
        for k in range(around.blocks[e], around.blocks[e + 1]):
            if around.atoms[k, 3] > r + limit:
                break
            dx, dy, dz = x - around.atoms[k, 0], y - around.atoms[k, 1], z - around.atoms[k, 2]
            squared = dx * dx + dy * dy + dz * dz
            if squared < limit * limit:
                value, slope = density(table, squared)
                outside += value
                qx += slope * dx
                qy += slope * dy
                qz += slope * dz
    if within <= 0.0:
        return -np.inf, 0.0, 0.0, 0.0, max(outside, RANGE)
    if outside <= RANGE:
        outside, qx, qy, qz = RANGE, 0.0, 0.0, 0.0
    c, d = 2.0 * STEPS / within, 2.0 * STEPS / outside
    return np.log(within / outside), c * px - d * qx, c * py - d * qy, c * pz - d * qz, outside


@kernel
def nearest_outside(
    points: Array, around: Neighbours, margin: float
) -> tuple[Array, NDArray[np.uint8], Array, NDArray[np.uint8]]:
    """The neighbours nearest to some points (n, 3).

    Parameters
    ----------
    points : ndarray of float64, (n, 3), Å
        Points about the centre.
    around : Neighbours
        The atoms outside, about the same centre.
    margin : float, Å
        How much further than the nearest an atom may be.

    Returns
    -------
    tuple (ndarray of float64, ndarray of uint8, ndarray of float64, ndarray of uint8)
        Distance (n,) and atomic number (n,) of the nearest, of those equally near to 1e-6 Å a lightest; place (b, 3)
        and atomic number (b,) of all that are at most `margin` Å further than the nearest from some point.
    """
    distance, number = np.full(len(points), np.inf), np.zeros(len(points), np.uint8)
    listed = np.zeros(len(around.atoms), np.bool_)
    species = np.empty(len(around.atoms), np.uint8)
    for e in range(len(around.elements)):
        species[around.blocks[e] : around.blocks[e + 1]] = around.elements[e]
    for i in range(len(points)):
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        r = np.sqrt(x * x + y * y + z * z)
        for turn in range(2):
            for e in range(len(around.elements)):  # by atomic number: a later element must be nearer to count
                for k in range(around.blocks[e], around.blocks[e + 1]):
                    a = around.atoms[k]
                    if a[3] - r > distance[i] + margin:
                        break
                    d = np.sqrt((x - a[0]) ** 2 + (y - a[1]) ** 2 + (z - a[2]) ** 2)
                    if turn == 0 and d < distance[i] - 1e-6:
                        distance[i], number[i] = d, around.elements[e]
                    elif turn == 1 and d <= distance[i] + margin:
                        listed[k] = True
    return distance, number, around.atoms[listed][:, :3], species[listed]


@kernel
def nearest_inside(points: Array, inside: Array) -> tuple[Array, NDArray[np.uint8]]:
    """Distance (n,) and atomic number (n,) of the atom inside, (m, 4) as in `log_ratio`, nearest to each point.

    Parameters
    ----------
    points : ndarray of float64, (n, 3), Å
        Points about the centre.
    inside : ndarray of float64, (m, 4)
        x, y, z in Å about the centre and atomic number of each atom inside.
    """
    distance, number = np.full(len(points), np.inf), np.zeros(len(points), np.uint8)
    for i in range(len(points)):
        for a in inside:
            d = np.sqrt((points[i, 0] - a[0]) ** 2 + (points[i, 1] - a[1]) ** 2 + (points[i, 2] - a[2]) ** 2)
            if d < distance[i]:
                distance[i], number[i] = d, int(a[3])
    return distance, number


@kernel
def are_open(points: Array, inside: Array, rho: Array, around: Neighbours) -> NDArray[np.bool_]:
    """Whether the other atoms have less than `RANGE` at each point (n, 3).

    Parameters
    ----------
    points : ndarray of float64, (n, 3), Å
        Points about the centre.
    inside : ndarray of float64, (m, 4)
        x, y, z in Å about the centre and atomic number of each atom inside.
    rho : ndarray of float64, (104, p, 4), e/bohr³
        `LookUp.rho`: cubic of each grid step, by atomic number.
    around : Neighbours
        The atoms outside, about the same centre.
    """
    return np.array([log_ratio(p[0], p[1], p[2], inside, rho, around)[4] <= RANGE for p in points])


def without(around: Neighbours, places: Array) -> Neighbours:
    """Take the atoms at some places (m, 3) out of the neighbours.

    Parameters
    ----------
    around : Neighbours
        The neighbours about a centre.
    places : ndarray of float64, (m, 3), Å
        Positions about the same centre.
    """
    kept = (np.linalg.norm(around.atoms[:, None, :3] - places, axis=2) > 1e-3).all(axis=1)
    before = np.concatenate([[0], kept.cumsum()])
    return around._replace(atoms=around.atoms[kept], blocks=before[around.blocks])
