"""Hirshfeld surfaces of single atoms by chmpy and occpy, for `surfaces.py`; runs in `.venv-benchmarks`.

Usage: other_programs.py PROGRAM SITES.npz OUT.npz SEPARATION...   PROGRAM: occpy, chmpy-occpy, chmpy-numpy

SITES.npz: for site k `inside_k` (number), `numbers_k` (n,) and `positions_k` (n, 3) of the atoms outside, Å about
the atom inside. OUT.npz: `vertices_SEPARATION_k` (m, 3) Å, `seconds_SEPARATION`, processor time for all sites.
"""

from __future__ import annotations

import os
import sys
import time

import numpy as np

PROGRAM, SITES, OUT, *SEPARATIONS = sys.argv[1:]
os.environ["CHMPY_SURFACE_BACKEND"] = PROGRAM.removeprefix("chmpy-")


def with_occpy(inside: int, numbers: np.ndarray, positions: np.ndarray, separation: float) -> np.ndarray:
    import occpy

    occpy.set_num_threads(1)
    occpy.set_log_level(occpy.LogLevel.CRITICAL)
    calculator = occpy.IsosurfaceCalculator()
    calculator.set_molecule(occpy.Molecule(np.array([inside], np.int32), np.zeros((3, 1), order="F")))
    calculator.set_environment(occpy.Molecule(numbers.astype(np.int32), np.asfortranarray(positions.T)))
    parameters = occpy.IsosurfaceGenerationParameters()
    parameters.surface_kind = occpy.SurfaceKind.Hirshfeld
    parameters.isovalue = 0.5
    parameters.separation = separation
    calculator.set_parameters(parameters)
    calculator.compute()
    return np.asarray(calculator.isosurface().vertices).T


def with_chmpy(inside: int, numbers: np.ndarray, positions: np.ndarray, separation: float) -> np.ndarray:
    from chmpy.interpolate.density import StockholderWeight
    from chmpy.surface import stockholder_weight_isosurface

    weight = StockholderWeight.from_arrays(np.array([inside]), np.zeros((1, 3)), numbers, positions)
    return stockholder_weight_isosurface(weight, sep=separation, smoothing=None).vertices


def main() -> None:
    surface = with_occpy if PROGRAM == "occpy" else with_chmpy
    with np.load(SITES) as sites:
        count = sum(name.startswith("inside") for name in sites)
        jobs = [(int(sites[f"inside_{k}"]), sites[f"numbers_{k}"], sites[f"positions_{k}"]) for k in range(count)]
    surface(*jobs[0], 0.4)  # loads libraries and tables
    found = {}
    for separation in SEPARATIONS:
        start = time.process_time()
        vertices = [surface(*job, float(separation)) for job in jobs]
        found[f"seconds_{separation}"] = time.process_time() - start
        found |= {f"vertices_{separation}_{k}": points for k, points in enumerate(vertices)}
    np.savez(OUT, **found)


if __name__ == "__main__":
    main()
