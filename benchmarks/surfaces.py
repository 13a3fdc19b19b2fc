"""What a structure's surfaces and fingerprint cost, how exact they are, and how other programs compare.

Prints its settings first. Times are processor time of one thread, the least of several runs, after a first
run that loads or compiles the numba code. The comparison needs `.venv-benchmarks` (envs/benchmarks.txt).

Run from the repository: ``make bench``, or ``PYTHONPATH=src python benchmarks/surfaces.py [DENSITIES.h5]``
"""

from __future__ import annotations

import argparse
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit

from hirshprint.config.model import Bins, Fingerprint
from hirshprint.densities import Densities, read_densities
from hirshprint.fingerprints.binning import fingerprint_of
from hirshprint.fingerprints.contacts import site_contacts
from hirshprint.hirshfeld.patches import lattice_points
from hirshprint.hirshfeld.python.engine import DEFAULT_MESH_LEVEL, compute_surfaces, radii_along
from hirshprint.hirshfeld.python.procrystal import density, neighbours, procrystal
from hirshprint.hirshfeld.python.rays import SHIFT, cast
from hirshprint.hirshfeld.python.sphere import OCTAHEDRAL, chain, wedge
from hirshprint.hirshfeld.surface import Surface, mesh_about_centre, pack_surfaces
from hirshprint.structures.reading import read_crystal
from hirshprint.structures.structure import Structure, read_structures, write_structures

ROOT = Path(__file__).parents[1]

PEROVSKITES = {
    "PuCuO3": ((94, 29, 8), 3.52582),
    "SrTiO3": ((38, 22, 8), 3.905),
    "LaAlO3": ((57, 13, 8), 3.79),
    "KMgF3": ((19, 12, 9), 3.989),
    "BaZrO3": ((56, 40, 8), 4.5),
    "CsPbBr3": ((55, 82, 35), 5.87),
    "NaTaO3": ((11, 73, 8), 5.5),
}
LEVELS = (6, 8, 10, 12, 16, 24)
FINEST = 48
COMPARED = ("SrTiO3", "BaZrO3")
SEPARATIONS = ("0.3", "0.15")  # of the other programs' grids, bohr
OUTER = 0.3  # Å: what lies within is the second shell that occpy draws around a nucleus
FINGERPRINT = Fingerprint(
    weighting="area",
    channels=["total"],
    normalise="formula_unit",
    bins=Bins(count=50, low_angstrom=0.76, high_angstrom=2.80),
)


def perovskite(name: str, symmetric: bool = True, edge: float | None = None) -> Structure:
    (a, b, x), usual = PEROVSKITES[name]
    cubic = OCTAHEDRAL.astype(np.int64)
    one = cubic[:1]
    return Structure(
        structure_id=f"{name}-{edge}",
        lattice=np.eye(3) * (edge or usual),
        numbers=np.array([a, b, x, x, x]),
        frac=np.array([[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]),
        is_anion=np.array([False, False, True, True, True]),
        site_atom=np.array([0, 1, 2]),
        atom_site=np.array([0, 1, 2, 2, 2]),
        site_labels=("A", "B", "X"),
        multiplicity=np.array([1, 1, 3]),
        site_operations=(cubic, cubic, cubic[np.abs(cubic[:, 2, 2]) == 1]) if symmetric else (one, one, one),
        formula_units=1,
    )


def milliseconds(work: Callable[[], object], repeats: int) -> float:
    work()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return 1000 * min(times)


def mesh_levels(densities: Densities, repeats: int) -> None:
    """Cost and accuracy by mesh level."""
    print("\nMesh levels: rays on a sphere and of SrTiO3; ms for surfaces, fingerprint, contacts; KiB on disk;")
    print("mean (largest) over the perovskites, in %: L1 of the fingerprint on refinement (twice the level) and")
    print(f"against level {FINEST}, area and volume against it")
    symmetric = {name: perovskite(name) for name in PEROVSKITES}
    finest = {name: compute_surfaces(s, densities, FINEST) for name, s in symmetric.items()}
    for level in LEVELS:
        found = {name: compute_surfaces(s, densities, level) for name, s in symmetric.items()}
        cost = [
            milliseconds(lambda s=s, level=level: compute_surfaces(s, densities, level), repeats)
            for s in symmetric.values()
        ]
        binning = [milliseconds(lambda f=f: fingerprint_of(f, FINGERPRINT), repeats) for f in found.values()]
        meeting = [milliseconds(lambda f=f: [site_contacts(s) for s in f], repeats) for f in found.values()]
        packed = [pack_surfaces({name: surfaces}) for name, surfaces in found.items()]
        size = np.mean([sum(array.nbytes for array in arrays.values()) for arrays in packed]) / 1024
        errors = []
        for name, surfaces in found.items():
            refined = compute_surfaces(symmetric[name], densities, 2 * level)
            sums = [
                [sum(s.multiplicity * getattr(s, figure) for s in listed) for listed in (surfaces, finest[name])]
                for figure in ("area", "volume")
            ]
            changes = [change(surfaces, other) for other in (refined, finest[name])]
            errors.append([*changes, *(abs(one / two - 1) for one, two in sums)])
        mean, largest = 100 * np.mean(errors, axis=0), 100 * np.max(errors, axis=0)
        print(
            f"{level:5d} {24 * level**2 + 2:6d} {sum(len(s.vertices) for s in found['SrTiO3']):5d}"
            f"  {np.mean(cost):5.1f} {np.mean(binning):5.1f} {np.mean(meeting):5.1f} {size:4.0f}  | "
            + ", ".join(f"{m:.2f} ({x:.2f})" for m, x in zip(mean, largest, strict=True))
        )
    whole = perovskite("SrTiO3", symmetric=False)
    cost_whole = milliseconds(lambda: compute_surfaces(whole, densities), 3)
    print(f"SrTiO3 at the default level without its symmetry: {cost_whole:.0f} ms")


def change(surfaces: list[Surface], others: list[Surface]) -> float:
    """L1 distance of two fingerprints over the sum of the second."""
    one, two = (fingerprint_of(listed, FINGERPRINT)[0] for listed in (surfaces, others))
    return float(np.abs(one - two).sum() / two.sum())


def cut_offs(densities: Densities) -> None:
    """How far the vertices move with the density that is neglected."""
    print("\nNeighbour cut-off: Å that the neglected atoms may move a vertex by the engine's estimate, and")
    print("the most that any of 218 vertices of each site moves against 1e-9 Å; ms for the rays of the perovskites")
    directions, _ = wedge(3, (0,))

    def radii(shift: float) -> list[np.ndarray]:
        return [
            radii_along(perovskite(name), densities, site, directions, shift)
            for name in PEROVSKITES
            for site in range(3)
        ]

    reference = radii(1e-9)
    for shift in (1e-3, 1e-4, SHIFT, 1e-5, 1e-6):
        moved = max(np.abs(one - two).max() for one, two in zip(radii(shift), reference, strict=True))
        cost = milliseconds(lambda shift=shift: radii(shift), 2)
        print(f"{shift:8.0e}  {moved:.1e} Å  {cost:5.0f} ms{'  (in use)' if shift == SHIFT else ''}")


@njit
def look_ups(rho: np.ndarray, numbers: np.ndarray, squared: np.ndarray) -> float:
    """Sum of densities at squared distances: the work that no engine can do without."""
    total = 0.0
    for k in range(len(squared)):
        total += density(rho[numbers[k]], squared[k])[0]
    return total


def limit(densities: Densities, repeats: int) -> None:
    """Distance from the least that root finding can cost: two sums over the neighbours per ray."""
    print(
        "\nDistance from the limit, default level: rays, neighbours within the cut-offs at a vertex (mean), ns for one"
    )
    print(
        "density look-up in a loop; rays x 2 evaluations (one to find the root, one to read the gradient) x neighbours"
    )
    print("x look-up, in ms; what the surfaces of the structure take in ms; the ratio")
    for name in PEROVSKITES:
        structure = perovskite(name)
        crystal = procrystal(structure, structure.lattice, densities)
        numbers, squared, rays = [], [], 0
        for surface, atom in zip(compute_surfaces(structure, densities), structure.site_atom, strict=True):
            around = cast(crystal, int(atom), wedge(3, (0,))[0], chain(3, (0,)), SHIFT)[4]
            vertices = mesh_about_centre(surface)[0]
            rays += len(vertices)
            d = ((vertices[:, None] - around.atoms[:, :3]) ** 2).sum(axis=2)
            of = np.repeat(np.arange(len(around.elements)), np.diff(around.blocks))
            within = d < around.cutoffs[of] ** 2
            squared.append(d[within])
            numbers.append(np.broadcast_to(around.elements[of], d.shape)[within])
        z, r2 = np.concatenate(numbers), np.concatenate(squared)
        least = 2 * milliseconds(lambda z=z, r2=r2, c=crystal: look_ups(c.rho, z, r2), repeats)
        cost = milliseconds(lambda s=structure: compute_surfaces(s, densities), repeats)
        product = f"{rays} x 2 x {len(z) / rays:.0f} x {1e6 * least / 2 / len(z):.1f} ns"
        print(f"{name}  {product} = {least:.2f} ms; {cost:.2f} ms; {cost / least:.1f}")


def tilted(densities: Densities, repeats: int) -> None:
    """Cost of a perovskite of 20 atoms with little symmetry."""
    path = ROOT.parent / "shared/tonto/golden/CaTiO3.cif"
    if not path.exists():
        print("\nCaTiO3 of 20 atoms, Pnma: skipped, the folder ../shared is not beside this repository")
        return
    structure = read_crystal(path, "CaTiO3")
    sites, atoms = len(structure.site_atom), len(structure.numbers)
    cost = milliseconds(lambda: compute_surfaces(structure, densities), repeats)
    print(f"\nCaTiO3, {atoms} atoms, {sites} distinct sites: {cost:.1f} ms for its surfaces at the default level")


def whole_process(densities_path: Path) -> None:
    """A process that computes 50 structures, from its start to its exit."""
    edges = np.linspace(3.6, 4.4, 50)
    structures = [perovskite("SrTiO3", edge=edge) for edge in edges]
    code = (
        "import resource, sys; from pathlib import Path;"
        "from hirshprint.densities import read_densities; from hirshprint.structures.structure import read_structures;"
        "from hirshprint.hirshfeld.python.engine import compute_surfaces;"
        "d = read_densities(sys.argv[1]); [compute_surfaces(s, d) for s in read_structures(Path(sys.argv[2]))];"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "structures.h5"
        write_structures(path, structures, {})
        assert len(read_structures(path)) == 50
        times = []
        for _ in range(3):
            start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
            command = [sys.executable, "-c", code, str(densities_path), str(path)]
            run = subprocess.run(command, check=True, capture_output=True, text=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            times.append(
                (time.perf_counter() - start, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
            )
    wall, processor = np.min(times, axis=0)
    print(f"\nA process for 50 structures: {wall:.2f} s from start to exit, of processor {processor:.2f} s")
    print(f"and {run.stdout.strip()} MB")


def largest_error(structure: Structure, densities: Densities, surfaces: list[Surface]) -> float:
    """Largest distance, along a ray, between the curved triangles and the exact surface, Å."""
    worst = 0.0
    for site, surface in enumerate(surfaces):
        vertices, normals, _, _, triangles = mesh_about_centre(surface)
        points = lattice_points(vertices, normals, triangles, 6)
        radius = np.linalg.norm(points, axis=1)
        exact = radii_along(structure, densities, site, points / radius[:, None])
        worst = max(worst, np.abs(exact - radius).max())
    return worst


def comparison(densities: Densities) -> None:
    """Time of the other programs over ours at the same largest error of d_i."""
    python = ROOT / ".venv-benchmarks" / "bin" / "python"
    if not python.exists():
        print("\nOther programs: skipped, there is no .venv-benchmarks (make env-benchmarks)")
        return
    print("\nOther programs, all three sites of a structure: error is the largest distance along a ray from the exact")
    print("surface, theirs at their vertices (their second shells left out), ours anywhere on the curved triangles")
    for name in COMPARED:
        structure = perovskite(name)
        ours = []
        for level in range(3, 13):
            error = largest_error(structure, densities, compute_surfaces(structure, densities, level))
            cost = milliseconds(lambda s=structure, level=level: compute_surfaces(s, densities, level), 10)
            ours.append((error, cost, level))
        for program in ("occpy", "chmpy-occpy", "chmpy-numpy"):
            for separation, seconds, points in run_other(python, program, structure, densities):
                errors = []
                for site, vertices in enumerate(points):
                    radius = np.linalg.norm(vertices, axis=1)
                    kept = radius > OUTER
                    exact = radii_along(structure, densities, site, vertices[kept] / radius[kept, None])
                    errors.append(np.abs(exact - radius[kept]).max())
                as_good = [one for one in ours if one[0] <= max(errors)]
                error, cost, level = as_good[0] if as_good else ours[-1]
                print(
                    f"{name}  {program:12s} {separation} bohr: error {max(errors):.4f} Å, {seconds:6.2f} s;"
                    f"  hirshprint level {level}: {error:.4f} Å, {cost:.2f} ms;  ratio {1000 * seconds / cost:.0f}"
                )


def run_other(python: Path, program: str, structure: Structure, densities: Densities) -> list[Any]:
    """Separation, seconds and vertices of each site from `other_programs.py`; empty where the program fails."""
    crystal = procrystal(structure, structure.lattice, densities)
    sites: dict[str, Any] = {}
    for k, atom in enumerate(structure.site_atom):
        around = neighbours(crystal, crystal.positions[atom], 1e-6, np.full(len(crystal.elements), 9.0), 0.0)
        sites[f"inside_{k}"] = structure.numbers[atom]
        sites[f"numbers_{k}"] = np.repeat(around.elements, np.diff(around.blocks))
        sites[f"positions_{k}"] = around.atoms[:, :3]
    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder) / "sites.npz", Path(folder) / "made.npz"
        np.savez(given, **sites)
        script = ROOT / "benchmarks" / "other_programs.py"
        run = subprocess.run([python, script, program, given, made, *SEPARATIONS], capture_output=True, text=True)
        if run.returncode:
            print(f"{program} failed: {run.stderr.strip().splitlines()[-1]}")
            return []
        with np.load(made) as file:
            return [
                (s, float(file[f"seconds_{s}"]), [file[f"vertices_{s}_{k}"].astype(float) for k in range(3)])
                for s in SEPARATIONS
            ]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("densities", type=Path, nargs="?", help="file of density_tables.py; made if not given")
    parser.add_argument("--repeats", type=int, default=10, help="runs of which the fastest counts")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = arguments.densities or Path(folder) / "thakkar.h5"
        if arguments.densities is None:
            python, script = (
                ROOT / ".venv-densities" / "bin" / "python",
                ROOT / "src" / "hirshprint" / "density_tables.py",
            )
            subprocess.run([python, script, "--source", "thakkar", "--out", path], check=True)
        densities = read_densities(path)
        print(f"densities {densities.source} ({densities.version}); neglected: {SHIFT} Å at a vertex")
        print(f"fingerprint: area weighting, {FINGERPRINT.bins.written()}; default level {DEFAULT_MESH_LEVEL}")
        print(f"{platform.machine()}, Python {platform.python_version()}, one thread, {arguments.repeats} repeats")
        mesh_levels(densities, arguments.repeats)
        cut_offs(densities)
        limit(densities, arguments.repeats)
        tilted(densities, arguments.repeats)
        whole_process(path)
        comparison(densities)


if __name__ == "__main__":
    main()
