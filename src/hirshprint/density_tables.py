"""Write the spherical free-atom densities of Z = 1 to 103 into one small HDF5 file.

A program of its own: it is run by its path, in an environment that has `chmpy` (GPL-3; only its data table is opened,
none of its code is imported) or `atomref` (LGPL-3, data CC BY 4.0), and it needs nothing of hirshprint.

Output: `r_bohr` (n,) bohr; `density` (103, n) e/bohr³, row Z - 1; `electrons` (103,), 4π∫ρr²dr of each
row with the density constant below the first point; attributes source, version, units, grid,
description.
"""

from __future__ import annotations

import argparse
import hashlib
import os
from importlib.metadata import distribution, version
from pathlib import Path

import h5py
import numpy as np

ELEMENTS = 103
USER_BLOCK = 512  # bytes at the beginning of a file that HDF5 leaves to its users


def thakkar() -> tuple[np.ndarray, np.ndarray, dict[str, str], float]:
    """Read the table of Koga, Kanayama, Watanabe and Thakkar (1999) that comes with chmpy."""
    with np.load(str(distribution("chmpy").locate_file("chmpy/interpolate/thakkar_interp.npz"))) as table:
        r = np.sqrt(table["domain"].astype(np.float64))
        density = table["rho"].astype(np.float64)
    attributes = {
        "source": "thakkar",
        "version": f"chmpy {version('chmpy')}",
        "grid": "uniform in r², 0.04 to 400 bohr²; constant below the first point",
        "description": "Non-relativistic Hartree-Fock densities of neutral atoms: T. Koga, K. Kanayama, "
        "S. Watanabe, A. J. Thakkar, Int. J. Quantum Chem. 71 (1999) 491. H is the contracted atom of "
        "molecules, exp(-2.48 r). The cusp within 0.2 bohr of the nucleus is not in the table, so "
        "`electrons` falls short of Z (by 0.3 % in H, 25 % in Lr).",
    }
    return r, density, attributes, 0.30  # the core within 0.2 bohr that the table leaves out


def x2c() -> tuple[np.ndarray, np.ndarray, dict[str, str], float]:
    """Read the scalar-relativistic PBE0 densities of atomref (logarithmic grid)."""
    from atomref import get_proatomic_density_profile

    profiles = [get_proatomic_density_profile(z) for z in range(1, ELEMENTS + 1)]
    attributes = {
        "source": "x2c",
        "version": f"atomref {version('atomref')}, {profiles[0].ref.set_id}",
        "grid": "logarithmic, 1e-6 to 20.16 bohr",
        "description": "Spherical neutral atoms, PBE0, spin-free X2C, dyall-v4z: I. Yu. Chernyshov, "
        f"atomref-proatoms 2.0.0, doi {profiles[0].info.storage['version_doi']}, CC BY 4.0.",
    }
    return np.array(profiles[0].radii), np.array([p.densities for p in profiles]), attributes, 1e-3


def checked_electrons(r: np.ndarray, density: np.ndarray, shortfall: float) -> np.ndarray:
    """Electrons of each row, (103,); raises ValueError, naming Z, for a row that is no atomic density."""
    if density.shape != (ELEMENTS, len(r)) or not (np.all(np.diff(r) > 0) and r[0] > 0):
        raise ValueError(f"expected {ELEMENTS} rows on an increasing grid, got shape {density.shape}")
    z = np.arange(1, ELEMENTS + 1)
    core = 4 / 3 * np.pi * r[0] ** 3 * density[:, 0]
    electrons = core + np.trapezoid(4 * np.pi * r**2 * density, r, axis=1)
    tests = {
        "is not finite": ~np.isfinite(density).all(axis=1),
        "is not positive": (density <= 0).any(axis=1),
        "does not decrease": (np.diff(density, axis=1) >= 1e-12 * density[:, :-1]).any(axis=1),
        "does not integrate to Z": (electrons > z * 1.001) | (electrons < z * (1 - shortfall)),
    }
    problems = [f"Z = {n}: the density {text}" for text, bad in tests.items() for n in z[bad]]
    if problems:
        raise ValueError("; ".join(problems))
    found: np.ndarray = electrons
    return found


def seal(path: Path) -> None:
    """Write a digest of the file into the block before its content, by which those who read it see that it is whole."""
    digest = hashlib.blake2b(path.read_bytes()[USER_BLOCK:], digest_size=16).hexdigest()
    with path.open("r+b") as file:
        file.write(f"BLAKE2b of all that follows this block of 512 bytes: {digest}\n".encode().ljust(USER_BLOCK, b"\0"))


def main() -> None:
    """Read one source, check it and write the file, whole or not at all."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--source", required=True, choices=["thakkar", "x2c"], help="free-atom densities to write")
    parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="HDF5 file to write")
    arguments = parser.parse_args()

    r, density, attributes, shortfall = {"thakkar": thakkar, "x2c": x2c}[arguments.source]()
    electrons = checked_electrons(r, density, shortfall)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    temporary = arguments.out.with_name(f".{arguments.out.name}.{os.getpid()}.part")
    try:
        with h5py.File(temporary, "w", userblock_size=USER_BLOCK) as file:
            file["r_bohr"] = r
            file.create_dataset("density", data=density, chunks=(1, len(r)), compression="gzip", shuffle=True)
            file["electrons"] = electrons
            file.attrs.update(attributes | {"units": "r in bohr, density in e/bohr³"})
        seal(temporary)
        temporary.replace(arguments.out)
    finally:
        temporary.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
