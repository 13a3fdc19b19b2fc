"""Make the pictures of the documentation with this project's own code.

python docs/pictures/make.py DENSITIES.h5     (a file that the workflow left in results/densities)
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hirshprint.densities import GRID_STEP, Densities, look_up, read_densities
from hirshprint.hirshfeld.python.engine import compute_surfaces, radii_along
from hirshprint.report.style import STYLE
from hirshprint.structures.placed import cubic_perovskite
from hirshprint.structures.structure import Structure
from hirshprint.structures.symbols import SYMBOLS

HERE = Path(__file__).parent
EDGE = 3.905  # of SrTiO3, Å
COLOURS = {"Sr": "#7fb069", "Ti": "#6c8ebf", "O": "#d1605e"}


def free_atom(densities: Densities, number: int, distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Density of a free atom at some distances in Å, e/bohr³."""
    rho = look_up(densities).rho  # on a grid uniform in r², as the surfaces use it
    return np.interp(distance**2, np.arange(rho.shape[1]) * GRID_STEP, rho[number, :, 0])


def shares(structure: Structure, densities: Densities, points: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Largest stockholder weight that an atom of each element has at each point."""
    shifts = np.array([[i, j, k] for i in range(-3, 4) for j in range(-3, 4) for k in range(-3, 4)])
    total, largest = np.zeros(len(points)), {name: np.zeros(len(points)) for name in COLOURS}
    for number, frac in zip(structure.numbers, structure.frac, strict=True):
        for shift in shifts:
            place = (frac + shift) @ structure.lattice
            part = free_atom(densities, int(number), np.linalg.norm(points - place, axis=1))
            total += part
            name = SYMBOLS[number - 1]
            largest[name] = np.maximum(largest[name], part)
    return {name: part / total for name, part in largest.items()}


def stockholder(structure: Structure, densities: Densities) -> Figure:
    """Densities and weight along a line from Ti to O, and the plane through Sr, Ti and O with the surfaces in it."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9.6, 3.3), layout="constrained")
        line, weight, plane = figure.subplots(1, 3, width_ratios=(1, 1, 1.25))
        x = np.linspace(0.02, EDGE / 2 - 0.02, 400)
        for name, distance in (("Ti", x), ("O", EDGE / 2 - x)):
            line.semilogy(x, free_atom(densities, SYMBOLS.index(name) + 1, distance), color=COLOURS[name], label=name)
        line.set(xlabel="distance from Ti towards O, Å", ylabel="density of the free atom, e/bohr³", ylim=(1e-3, 1e2))
        line.legend(frameon=False)
        points = np.array([0.5, 0.5, 0.5]) * EDGE + np.outer(x, [1, 0, 0])
        w = shares(structure, densities, points)["Ti"]
        (crossing,) = radii_along(structure, densities, 1, np.array([[1.0, 0.0, 0.0]]))
        weight.plot(x, w, color=COLOURS["Ti"])
        weight.axhline(0.5, color="0.7", lw=0.8)
        weight.plot([crossing], [0.5], "o", color="black", ms=5)
        weight.annotate(f"surface: d_i = {crossing:.3f} Å", (crossing, 0.5), (0.2, 0.3), fontsize=8)
        weight.set(xlabel="distance from Ti towards O, Å", ylabel="weight w of Ti", ylim=(0, 1.02))
        u, v = np.meshgrid(np.linspace(0, np.sqrt(2) * EDGE, 420), np.linspace(0, EDGE, 300))
        flat = np.stack([u.ravel() / np.sqrt(2), u.ravel() / np.sqrt(2), v.ravel()], axis=1)
        of = shares(structure, densities, flat)
        owner = np.zeros(u.shape)
        for k, name in enumerate(COLOURS, start=1):
            owner[of[name].reshape(u.shape) > 0.5] = k
        plane.pcolormesh(u, v, owner, cmap=ListedColormap(["#f2f2f2", *COLOURS.values()]), rasterized=True)
        places = {"Sr": [(0, 0), (2, 0), (0, 1), (2, 1)], "Ti": [(1, 0.5)], "O": [(1, 0), (1, 1)]}
        for name, spots in places.items():
            for a, b in spots:
                plane.plot(a * EDGE / np.sqrt(2), b * EDGE, "o", color="black", ms=4, clip_on=False)
                plane.annotate(
                    name, (a * EDGE / np.sqrt(2), b * EDGE), xytext=(5, 4 - 16 * b), textcoords="offset points"
                )
        plane.set(aspect="equal", xlabel="along [110], Å", ylabel="along [001], Å")
        plane.set_title("where one atom has more than half; grey: none has", fontsize=8, pad=8)
    return figure


def histogram(structure: Structure, densities: Densities) -> Figure:
    """How points of a surface become a fingerprint: d_i and d_e of the vertices, site by site."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4.2, 3.6), layout="constrained")
        axes = figure.subplots()
        for surface in compute_surfaces(structure, densities, 24):
            name = SYMBOLS[surface.inside_number - 1]
            axes.plot(surface.d_i, surface.d_e, ".", ms=2.5, color=COLOURS[name], label=f"surface of {name}")
        axes.plot([0.76, 2.8], [0.76, 2.8], color="0.8", lw=0.8, zorder=0)
        axes.set(xlabel="d_i, Å", ylabel="d_e, Å", xlim=(0.76, 2.8), ylim=(0.76, 2.8), aspect="equal")
        axes.legend(frameon=False, markerscale=3)
    return figure


def main() -> None:
    """Write every picture beside this file."""
    densities = read_densities(sys.argv[1])
    look_up(densities).fill([38, 22, 8])
    structure = cubic_perovskite(("Sr", "Ti", "O"), EDGE, "SrTiO3")
    stockholder(structure, densities).savefig(HERE / "stockholder.png", dpi=130)
    histogram(structure, densities).savefig(HERE / "points.png", dpi=130)


if __name__ == "__main__":
    main()
