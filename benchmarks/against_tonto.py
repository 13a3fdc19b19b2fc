"""How far the surfaces of the Python engine are from Tonto's: along the ray of every vertex of Tonto's meshes.

python benchmarks/against_tonto.py [FOLDER]     (../shared/tonto/golden by default: CIF files and Tonto's surfaces)

Tonto's vertices lie on the edges of a grid of 0.15 bohr, where it interpolates w linearly; the rays' are roots of w = ½
to 1e-8 Å. So the difference is mostly that of its grid.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
from pymatgen.core import Structure as PymatgenStructure

from hirshprint.densities import Densities, read_densities
from hirshprint.hirshfeld.python.engine import compute_surfaces, radii_along
from hirshprint.structures.placed import cubic_perovskite
from hirshprint.structures.structure import Structure

ROOT = Path(__file__).parents[1]


def read_site(cif: Path, path: Path) -> tuple[Structure, np.ndarray]:
    """The crystal with one site of Tonto's, in Tonto's axes, and Tonto's vertices about that nucleus, Å."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        crystal = PymatgenStructure.from_file(cif)
    with np.load(path) as arrays:
        tonto = dict(arrays)
    away = crystal.frac_coords - tonto["site_frac"]
    atom = np.linalg.norm((away - np.rint(away)) @ tonto["lattice"], axis=1).argmin()
    structure = Structure(
        structure_id=path.stem,
        lattice=tonto["lattice"],
        numbers=np.array([site.specie.Z for site in crystal]),
        frac=crystal.frac_coords,
        is_anion=np.zeros(len(crystal), dtype=bool),
        site_atom=np.array([atom]),
        atom_site=np.where(np.arange(len(crystal)) == atom, 0, -1),
        site_labels=(str(tonto["site_label"]),),
        multiplicity=np.array([int(tonto["site_multiplicity"])]),
        site_operations=(np.eye(3, dtype=np.int64)[None],),
        formula_units=1,
    )
    return structure, tonto["vertices"].astype(np.float64) - tonto["site_cart"]


def compare(folder: Path, densities: Densities) -> None:
    """Print the differences by site, and over all sites."""
    print(f"{'site':18} {'vertices':>8} {'mean |Δ| Å':>11} {'max |Δ| Å':>10}")
    means, largest = [], []
    for cif in sorted(folder.glob("*.cif")):
        for path in sorted(folder.glob(f"{cif.stem}_*.npz")):
            structure, vertices = read_site(cif, path)
            r = np.linalg.norm(vertices, axis=1)
            away = np.abs(radii_along(structure, densities, 0, vertices / r[:, None]) - r)
            means.append(away.mean())
            largest.append(away.max())
            print(f"{path.stem:18} {len(r):8d} {means[-1]:11.4f} {largest[-1]:10.4f}")
    print(f"{len(means)} sites: mean {np.mean(means):.4f} Å (median of the sites {np.median(means):.4f} Å), ", end="")
    print(f"largest {max(largest):.4f} Å")


def made(source: str, folder: str) -> Densities:
    """Densities of a source, made anew."""
    path = Path(folder) / f"{source}.h5"
    program = [ROOT / ".venv-densities/bin/python", ROOT / "src/hirshprint/density_tables.py"]
    subprocess.run([*program, "--source", source, "--out", path], check=True)
    return read_densities(path)


def main() -> None:
    """Compare with Tonto's meshes, then the limits of d_i and d_e of the paper's example."""
    folder = Path(sys.argv[1]) if sys.argv[1:] else ROOT.parent / "shared/tonto/golden"
    with tempfile.TemporaryDirectory() as scratch:
        sources = {source: made(source, scratch) for source in ("thakkar", "x2c")}
    if folder.is_dir():
        compare(folder, sources["thakkar"])
    else:
        print(f"Tonto's meshes: skipped, there is no folder {folder.name} beside this repository")
    print("\nPuCuO3, a = 3.52582 Å: limits in Å of          d_i               d_e")
    print("the paper (Tonto's mesh)                 0.8425–1.5890     0.8684–1.8699")
    for source, densities in sources.items():
        surfaces = compute_surfaces(cubic_perovskite(("Pu", "Cu", "O"), 3.52582, "PuCuO3"), densities, 40)
        d_i, d_e = (np.concatenate([getattr(s, name) for s in surfaces]) for name in ("d_i", "d_e"))
        limits = f"{d_i.min():.4f}–{d_i.max():.4f}     {d_e.min():.4f}–{d_e.max():.4f}"
        print(f"{'Python engine, densities ' + source:40} {limits}")


if __name__ == "__main__":
    main()
