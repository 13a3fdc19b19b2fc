"""The Tonto engine: runs an installed Tonto once per distinct site and reads the surface that it writes.

Tonto (Jayatilaka, Grimwood 2003, doi 10.1007/3-540-44864-0_15) ends with status 0 whatever happens, runs for ever on
some input and draws a wrong surface on other. So each run has an empty folder, a process group and a time limit of its
own; the crystal is checked before; and success is judged by what was written: every cell constant, atom, neighbour and
distance in the surface file is compared with the crystal that was meant.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hirshprint.files.writing import FULL_TEXT, disk_full, is_disk_full, scratch_place
from hirshprint.structures.structure import Structure
from hirshprint.structures.symbols import SYMBOLS
from hirshprint.surfaces.cxs import Cxs, CxsError, parse_cxs
from hirshprint.surfaces.installation import BASIS_FILE, Identity, Installation
from hirshprint.surfaces.process import run_bounded
from hirshprint.surfaces.surface import Surface, SurfaceError

Array = NDArray[np.float64]
DENSITY_SOURCE = "thakkar"

TOLERANCE = 1e-4
"""Å by which a distance in the surface file may differ from the geometry; its numbers are rounded to 1e-5."""

TIE = 3e-5
"""Å: nuclei this equally near to a point of the surface count as equally near, and the lightest is named."""

LEAST_DISTANCE = 0.5
"""Å between two atoms, below which Tonto would draw a surface all the same."""

MOST_BYTES = 1_000_000_000
"""Most that a run may write: 137 bytes per vertex are some megabytes."""

ROOM = 1_000_000
"""Bytes that a disk must still take after a run that failed, or it counts as full."""

MOST_TEXT = 20_000_000
"""Most characters of a report that are looked at."""

KEPT_LINES = 12
"""Last lines of Tonto's report that are kept when a run fails."""

KILLED = (signal.SIGKILL, signal.SIGBUS, signal.SIGTERM)
"""Signals by which a system ends a program, for want of memory for instance."""

SINGLE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
CIF_FILE, SURFACE_FILE = "crystal.cif", "site.cxs"

CAUSES = (
    (r"no library basis set", f"the basis directory has no file {BASIS_FILE}"),
    (r"forget to set ignore_end_of_file", f"an element has no density in the basis file {BASIS_FILE}"),
    (r"not an existing file", "a file that Tonto needs is not there"),
    (r"crystal data block|EOF after _data labels", "the crystal lacks its cell, symmetry or atoms"),
    (r"SPACEGROUP:", "the symmetry operations were not understood"),
    (r"unknown element symbol", "Tonto does not know an element"),
    (r"was not found in the unit cell", "the inside atom is not on a site of the crystal"),
    (r"search too low", "the cell is too small for Tonto's search of neighbours"),
    (r"No isosurface points found", "Tonto found no surface at this separation"),
    (r"unknown option", "this Tonto does not know a keyword or option"),
    (r"error opening new file", "the surface file could not be written"),
    (r"unexpected end of file", "the input or the crystal ended early"),
    (r"read error", "the input could not be read"),
)
"""What stands behind Tonto's error messages: pattern in the line ``Error in``, plain words; the first that fits."""

PASSING = re.compile(
    r"Input/output error|Stale file handle|Cannot allocate memory|[Oo]ut of memory|Allocation would exceed memory"
)
"""Messages of the system, on the console, that another attempt may not meet again."""


class TontoError(SurfaceError):
    """Tonto gave no usable surface: the reason in one line; `output` has the last lines of its report."""

    output: str = ""
    lasting: bool = True  # the same input would fail again


class TontoTimeoutError(TontoError, TimeoutError):
    """Tonto passed its time limit; another attempt, on a less loaded machine, may not."""


class TontoPassingError(TontoError, OSError):
    """The machine failed Tonto (killed, disk or memory full): another attempt may go well."""

    lasting = False


class TontoDiskFullError(TontoPassingError):
    """The disk of the scratch folder is full: Tonto then ends as if all were well, its files short or empty."""

    def __init__(self, folder: Path):
        super().__init__(f"{disk_full(folder)} (or set TMPDIR to a folder with room)")
        self.full_folder = folder


@dataclass(frozen=True)
class Tonto:
    """An installed Tonto and how to run it.

    Attributes
    ----------
    installation : program and basis directory.
    engine : name that goes into every surface, see `Identity.name`.
    separation_bohr : length of a cell of Tonto's grid, bohr.
    time_limit_seconds : for one surface.
    keep_scratch : keep the folder of a run that failed.
    """

    installation: Installation
    engine: str = "tonto"
    separation_bohr: float = 0.15
    time_limit_seconds: float = 300.0
    keep_scratch: bool = False


Nearest = list[NDArray[np.int64]]


class Cell(NamedTuple):
    """A crystal as Tonto gets it: all atoms of a compact cell, in Tonto's own orientation."""

    basis: Array  # (3, 3) rows a (along x), b (in the plane of x and y), c, Å
    frac: Array  # (n_atoms, 3) in [0, 1)
    symbols: tuple[str, ...]
    axes: Array  # (3, 3) rows are Tonto's x, y, z in the frame of the structure


def compute_surfaces(structure: Structure, tonto: Tonto) -> list[Surface]:
    """Hirshfeld surfaces of the symmetry-distinct atoms of a crystal, by Tonto, in the order of its sites.

    Each is a whole closed mesh in the frame of the structure (`level` 0, no operation but the identity).

    Parameters
    ----------
    structure : the crystal; not modified.
    tonto : the program and how to run it.

    Raises
    ------
    TontoError
        A site has no surface, or the crystal is one that Tonto would take wrongly. `TontoTimeoutError` and
        `TontoPassingError` are those that another attempt can help.
    """
    cell = tonto_cell(structure)
    return [_site_surface(structure, cell, site, tonto) for site in range(len(structure.site_atom))]


def _site_surface(structure: Structure, cell: Cell, site: int, tonto: Tonto) -> Surface:
    atom = int(structure.site_atom[site])
    try:
        cxs, tied = run_site(cell, atom, tonto)
    except TontoError as error:
        error.args = (f"{structure.structure_id}: site {structure.site_labels[site]}: {error}",)
        raise
    numbers = structure.numbers[cxs.outside[:, 0]]
    nearest = np.array([rows[numbers[rows].argmin()] for rows in tied])  # of equally near ones the lightest
    inner = cell.frac[atom] @ cell.basis
    relative, nuclei = ((points - inner) @ cell.axes for points in (cxs.vertices, _outside(cxs, cell)))
    rivals = _rivals(relative, cxs.triangles, nuclei, cxs.d_e)
    centre = structure.frac[atom] @ structure.lattice
    area, volume = area_and_volume(relative, cxs.triangles)
    return Surface(
        site_label=structure.site_labels[site],
        inside_number=int(structure.numbers[atom]),
        is_anion=bool(structure.is_anion[atom]),
        multiplicity=int(structure.multiplicity[site]),
        formula_units=structure.formula_units,
        centre=centre,
        vertices=relative + centre,
        triangles=cxs.triangles,
        d_i=cxs.d_i,
        d_e=cxs.d_e,
        inside_species=np.full(len(cxs.d_i), structure.numbers[atom], dtype=np.uint8),
        outside_species=numbers[nearest].astype(np.uint8),
        normal=cxs.normals @ cell.axes,
        inside_nuclei=centre[None],
        outside_nuclei=nuclei[rivals] + centre,
        outside_numbers=numbers[rivals].astype(np.uint8),
        operations=np.eye(3)[None],
        area=area,
        volume=volume,
        open_fraction=0.0,
        engine=tonto.engine,
        density_source=DENSITY_SOURCE,
        level=0,
    )


def _rivals(vertices: Array, triangles: NDArray[np.int32], nuclei: Array, d_e: Array) -> NDArray[np.int64]:
    """Rows of the nuclei that may be the nearest one to a point between vertices: as near but for two longest edges."""
    margin = 2 * np.linalg.norm(vertices[triangles] - vertices[np.roll(triangles, 1, axis=1)], axis=2).max()
    found = [
        k for k, nucleus in enumerate(nuclei) if (np.linalg.norm(vertices - nucleus, axis=1) <= d_e + margin).any()
    ]
    return np.array(found)


def area_and_volume(vertices: Array, triangles: NDArray[np.int32]) -> tuple[float, float]:
    """Area in Å² of a mesh of flat triangles, and volume in Å³ between it and the origin (divergence theorem)."""
    a, b, c = np.moveaxis(vertices[triangles], 1, 0)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2
    return float(area), float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)


# --- the crystal and the input ------------------------------------------------------------------------------------


def tonto_cell(structure: Structure) -> Cell:
    """Describe a crystal as Tonto wants it: every atom of a compact right-handed cell in standard orientation.

    A cell that is already compact stays as it is: Tonto's mesh depends a little on how its grid meets the crystal.

    Raises
    ------
    TontoError : cell or coordinates are not finite, an element is unknown, or atoms overlap, all of which Tonto
        would pass over.
    """
    name = structure.structure_id
    if not (np.isfinite(structure.lattice).all() and np.isfinite(structure.frac).all()):
        raise TontoError(f"{name}: the cell or a coordinate is not a finite number")
    if abs(np.linalg.det(structure.lattice)) < 1e-3:
        raise TontoError(f"{name}: the cell has no volume")
    if structure.numbers.min() < 1 or structure.numbers.max() > len(SYMBOLS):
        raise TontoError(f"{name}: an atomic number is not that of an element")
    basis = structure.lattice * np.sign(np.linalg.det(structure.lattice))
    basis = basis if _is_compact(basis) else _reduced(basis)
    axes = _axes(basis)
    frac = structure.frac @ structure.lattice @ np.linalg.inv(basis)
    frac = frac - np.floor(frac + 1e-9)
    cell = Cell(basis @ axes.T, frac, tuple(SYMBOLS[z - 1] for z in structure.numbers), axes)
    for atom in range(len(frac)):
        if len(_within(cell, frac[atom] @ cell.basis, LEAST_DISTANCE)) > 1:
            raise TontoError(
                f"{name}: atoms nearer than {LEAST_DISTANCE} Å to atom {atom + 1} ({cell.symbols[atom]}); "
                "Tonto would count both"
            )
    return cell


def _is_compact(basis: Array) -> bool:
    """Whether angles and volume are those of a reduced cell: Tonto's search counts cells by the length of edges."""
    lengths = np.linalg.norm(basis, axis=1)
    cosines = (basis @ basis.T / np.outer(lengths, lengths))[np.triu_indices(3, 1)]
    volume = np.linalg.det(basis) / lengths.prod()
    return bool(np.abs(cosines).max() <= 0.5 + 1e-6 and volume >= np.sqrt(0.5) - 1e-6)


def _reduced(basis: Array) -> Array:
    """Another basis of the lattice whose vectors no step along the two others shortens; its hand is kept."""
    basis = basis.copy()
    shorter = True
    while shorter:
        shorter = False
        for k, i, j in product(range(3), (-1, 0, 1), (-1, 0, 1)):
            candidate = basis[k] + i * basis[k - 1] + j * basis[k - 2]
            if candidate @ candidate < basis[k] @ basis[k] * (1 - 1e-9):
                basis[k], shorter = candidate, True
    return basis


def _axes(basis: Array) -> Array:
    """Rows are the unit vectors along a, in the plane of a and b, and across it."""
    first = basis[0] / np.linalg.norm(basis[0])
    third = np.cross(basis[0], basis[1])
    third /= np.linalg.norm(third)
    return np.stack([first, np.cross(third, first), third])


def cif_text(cell: Cell) -> str:
    """Write a crystal as CIF: the cell, the identity alone as symmetry, every atom with full occupancy."""
    lengths, angles = _cell_constants(cell.basis)
    lines = ["data_crystal"]
    lines += [f"_cell_length_{name} {value:.8f}" for name, value in zip("abc", lengths, strict=True)]
    lines += [f"_cell_angle_{name} {value:.8f}" for name, value in zip(("alpha", "beta", "gamma"), angles, strict=True)]
    lines += ["loop_", "_symmetry_equiv_pos_as_xyz", "'x,y,z'", "loop_"]
    lines += ["_atom_site_label", "_atom_site_type_symbol"]
    lines += [f"_atom_site_fract_{axis}" for axis in "xyz"] + ["_atom_site_occupancy"]
    lines += [
        f"{_label(cell, atom)} {symbol} {x:.8f} {y:.8f} {z:.8f} 1.0"
        for atom, (symbol, (x, y, z)) in enumerate(zip(cell.symbols, cell.frac, strict=True))
    ]
    return "\n".join(lines) + "\n"


def _label(cell: Cell, atom: int) -> str:
    """Name an atom; Tonto takes the element from the letters."""
    return f"{cell.symbols[atom]}{atom + 1}"


def _cell_constants(basis: Array) -> tuple[Array, Array]:
    lengths = np.linalg.norm(basis, axis=1)
    cosines = [basis[k - 2] @ basis[k - 1] / (lengths[k - 2] * lengths[k - 1]) for k in range(3)]
    return lengths, np.degrees(np.arccos(cosines))


def input_text(cell: Cell, atom: int, separation_bohr: float) -> str:
    """Write Tonto's commands for the surface of one atom of the crystal in `CIF_FILE`."""
    x, y, z = cell.frac[atom] @ cell.basis
    return INPUT.format(
        basis=BASIS_FILE,
        cif=CIF_FILE,
        atom=f"{_label(cell, atom)} {x:.6f} {y:.6f} {z:.6f}",
        separation=f"{separation_bohr:g}",
        surface=SURFACE_FILE,
    )


INPUT = """{{
   slaterbasis_name= "{basis}"

   CIF= {{ file_name= "{cif}" }}
   process_CIF
   name= site

   atoms= {{
      keys= {{ label= {{ units= angstrom }} pos= }}
      new_data= {{
         {atom}
      }}
   }}

   cluster= {{
      generation_method= for_hirshfeld_surface
      atom_density_cutoff= 1.0e-8
      defragment= FALSE
      make_info
   }}
   create_cluster

   interpolator= {{
      interpolation_method= linear
      domain_mapping= sqrt
      table_eps= 1.0d-10
      table_spacing= 0.1
   }}

   CX_surface= {{
      kind= "stockholder_weight"
      triangulation_method= recursive_marching_cube
      iso_value= 0.5
      surface_property= "none"
      minimum_scan_division= 1
      voxel_proximity_factor= 5
      CX_output_distance_properties= TRUE
      CX_output_shape_properties= FALSE
      plot_grid= {{
         use_bounding_cube_and_axes
         cube_scale_factor= 1
         desired_separation= {separation}
      }}
   }}
   isosurface_plot

   CX_uses_angstrom= TRUE
   CX_file_name= "{surface}"
   put_CX_data
}}
"""


# --- one run ------------------------------------------------------------------------------------------------------


def run_site(cell: Cell, atom: int, tonto: Tonto) -> tuple[Cxs, Nearest]:
    """Let Tonto make the surface of one atom of a cell; return what it wrote, and what `check_surface` gives.

    Raises
    ------
    TontoError : see `compute_surfaces`.
    """
    with _scratch(tonto.keep_scratch) as folder:
        (folder / CIF_FILE).write_text(cif_text(cell), encoding="ascii")
        (folder / "stdin").write_text(input_text(cell, atom, tonto.separation_bohr), encoding="ascii")
        status, stopped = _run(tonto.installation, (), folder, tonto.time_limit_seconds, tonto.keep_scratch)
        try:
            cxs = judge(folder, status, stopped)
            nearest = check_surface(cxs, cell, atom)
        except (TontoError, CxsError) as error:
            failure = error if isinstance(error, TontoError) else TontoError(str(error))
            if _has_no_room(folder) and not isinstance(failure, TontoDiskFullError):
                failure = TontoDiskFullError(folder.parent)
            failure.output = last_lines(folder)
            raise failure from None
    return cxs, nearest


@contextmanager
def _scratch(keep: bool) -> Iterator[Path]:
    """Make a folder where TMPDIR says, and remove it; with `keep`, not after a failure.

    Raises
    ------
    TontoDiskFullError : what is written into it by us does not fit.
    """
    try:
        with _scratch_folder(keep) as folder:
            yield folder
    except OSError as error:
        if is_disk_full(error) and not isinstance(error, TontoError):
            raise TontoDiskFullError(scratch_place()) from None
        raise


def _has_no_room(folder: Path) -> bool:
    """Say whether a file that Tonto's might have been finds no room; a quota is seen in no other way.

    A run that filled the disk by itself is no matter of room.
    """
    if sum(path.stat().st_size for path in folder.iterdir() if path.is_file()) > MOST_BYTES / 10:
        return False
    path = folder / "room"
    try:
        with path.open("wb") as file:
            file.write(bytes(ROOM))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return is_disk_full(error)
    finally:
        path.unlink(missing_ok=True)
    return False


@contextmanager
def _scratch_folder(keep: bool) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="hirshprint-tonto-"))
    try:
        yield folder
    except TontoError as error:
        if keep and not isinstance(error, TontoDiskFullError):
            error.output += f"\nscratch kept: {socket.gethostname()}:{folder}"
        else:
            shutil.rmtree(folder, ignore_errors=True)
        raise
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)


def _run(
    installation: Installation, arguments: tuple[str, ...], folder: Path, seconds: float, keep: bool = False
) -> tuple[int, str]:
    environment = {**os.environ, **SINGLE_THREAD, "TONTO_BASIS_SET_DIRECTORY": installation.basis_directory}
    command = [installation.binary, *arguments]
    return run_bounded(command, folder, environment, seconds, MOST_BYTES, remove=None if keep else folder)


def judge(folder: Path, status: int, stopped: str) -> Cxs:
    """Tell by what a run left in its folder whether it went well, and read its surface.

    Parameters
    ----------
    folder : of the run.
    status, stopped : see `run_bounded`; the exit status says nothing but that a signal ended the run.

    Raises
    ------
    TontoError, CxsError : it did not go well.
    """
    report, console = _read(folder / "stdout"), _read(folder / "console")
    if stopped:
        raise (TontoTimeoutError if "had not ended" in stopped else TontoError)(f"stopped: {stopped}")
    if FULL_TEXT.search(console):
        raise TontoDiskFullError(folder.parent)
    if found := PASSING.search(console):
        raise TontoPassingError(f"the machine failed Tonto: {found[0]}")
    if (number := -status if status < 0 else status - 128) in KILLED:  # a shell that starts Tonto adds 128
        raise TontoPassingError(f"killed by signal {number}")
    for text in (report, _read(folder / "stderr"), console):
        if message := error_message(text):
            raise TontoError(message)
    if status < 0:
        raise TontoError(f"Tonto broke down (signal {-status})")
    if not (folder / SURFACE_FILE).is_file():
        raise TontoError(f"Tonto ended (status {status}) without an error message and without a surface")
    return parse_cxs(_read(folder / SURFACE_FILE, MOST_BYTES))


def error_message(text: str) -> str:
    """Say in one line what the first ``Error in`` of a report means; empty if there is none."""
    found = re.search(r"Error in (\S+) ?\.* ?(.*)", text)
    if not found:
        return ""
    line = found[0].strip()
    meaning = next((words for pattern, words in CAUSES if re.search(pattern, line)), "Tonto stopped with an error")
    place = re.search(r"File name +=(.*)\n+Line number =(.*)", text[found.end() :])
    where = f" ({Path(place[1].strip()).name}, line {place[2].strip()})" if place else ""
    return f"{meaning}: {line[:200]}{where}"


def last_lines(folder: Path) -> str:
    """Give the last lines of a run's report and console, and those about its first error."""
    lines = [line.rstrip()[:200] for line in _read(folder / "stdout").splitlines() if line.strip()]
    first = next((k for k, line in enumerate(lines) if "Error in" in line), len(lines))
    about = lines[first : min(first + 5, max(first, len(lines) - KEPT_LINES))]
    console = [line.rstrip()[:200] for line in _read(folder / "console").splitlines() if line.strip()]
    return "\n".join([*about, *lines[-KEPT_LINES:], *console[-3:]])


def _read(path: Path, most: int = MOST_TEXT) -> str:
    """Read a text that may be missing, huge or of any encoding; of a longer one its two ends."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            if size <= most:
                content = file.read()
            else:
                content = file.read(most // 2) + b"\n"
                file.seek(-most // 2, os.SEEK_END)
                content += file.read()
    except FileNotFoundError:
        return ""
    return content.decode("utf-8", errors="replace").replace("\r\n", "\n")


# --- is it the surface that was meant? -----------------------------------------------------------------------------


def check_surface(cxs: Cxs, cell: Cell, atom: int) -> Nearest:
    """Compare a surface file with the crystal and the atom that were meant.

    Returns
    -------
    For each vertex the rows of `cxs.outside` that are its nearest atom outside, or may as well be (see `TIE`).

    Raises
    ------
    TontoError : cell, atoms, neighbours, distances or the closedness of the mesh are not what they must be.
    """
    lengths, angles = _cell_constants(cell.basis)
    if np.abs(cxs.lengths - lengths).max() > TOLERANCE or np.abs(cxs.angles - angles).max() > 1e-3:
        raise TontoError("Tonto understood another cell than it was given")
    if len(cxs.symbols) != len(cell.symbols):
        raise TontoError(f"Tonto's cell has {len(cxs.symbols)} atoms, not {len(cell.symbols)}")
    shift = cxs.frac - cell.frac
    shift = np.abs((shift - np.rint(shift)) @ cell.basis).max(axis=1)
    if tuple(symbol.capitalize() for symbol in cxs.symbols) != cell.symbols or shift.max() > 1e-3:
        raise TontoError("Tonto understood other atoms than it was given")
    if [int(k) for k in cxs.inside[:, 0]] != [atom]:
        raise TontoError("Tonto drew the surface of another atom")
    centre = cell.frac[atom] @ cell.basis
    own = (cell.frac[atom] + cxs.inside[0, 1:]) @ cell.basis
    if np.abs(own - centre).max() > 1e-3:
        raise TontoError("Tonto drew the surface of another atom")
    outside = np.linalg.norm(_outside(cxs, cell) - centre, axis=1)
    if len(_within(cell, centre, outside.max() - 1e-3)) - 1 != (outside < outside.max() - 1e-3).sum():
        raise TontoError(f"Tonto left out neighbours within {outside.max():.2f} Å")
    if np.abs(np.linalg.norm(cxs.vertices - centre, axis=1) - cxs.d_i).max() > TOLERANCE:
        raise TontoError("d_i is not the distance to the inside atom")
    near, which = _nearest(cxs, cell, centre)
    if np.abs(near - cxs.d_e).max() > TOLERANCE:
        raise TontoError("d_e is not the distance to the nearest atom outside")
    edges = np.sort(cxs.triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    _, count = np.unique(edges, axis=0, return_counts=True)
    if (count != 2).any() or area_and_volume(cxs.vertices - centre, cxs.triangles)[1] <= 0:
        raise TontoError("the mesh is not closed, or inside out")
    return which


def _within(cell: Cell, centre: Array, reach: float) -> Array:
    """Positions of all atoms of the crystal within `reach` of a point, Å."""
    heights = 1.0 / np.linalg.norm(np.linalg.inv(cell.basis), axis=0)
    count = np.ceil(reach / heights).astype(int) + 1
    middle = np.floor(centre @ np.linalg.inv(cell.basis))
    shifts = np.indices(2 * count + 1).reshape(3, -1).T - count + middle
    points = ((cell.frac + shifts[:, None]) @ cell.basis).reshape(-1, 3)
    found: Array = points[((points - centre) ** 2).sum(axis=1) <= reach**2]
    return found


def _outside(cxs: Cxs, cell: Cell) -> Array:
    """Positions of the atoms outside, Å, from the coordinates that Tonto was given."""
    positions: Array = (cell.frac[cxs.outside[:, 0]] + cxs.outside[:, 1:]) @ cell.basis
    return positions


def _nearest(cxs: Cxs, cell: Cell, centre: Array) -> tuple[Array, Nearest]:
    """Distance from each vertex to the nearest atom outside, Å, and the rows of `cxs.outside` that are that near."""
    positions, rows = _outside(cxs, cell), np.arange(len(cxs.outside))
    near = np.linalg.norm(positions - centre, axis=1) <= cxs.d_i.max() + cxs.d_e.max() + 2 * TOLERANCE
    if near.any():  # no other can be the nearest of any vertex
        positions, rows = positions[near], rows[near]
    distance = np.empty(len(cxs.vertices))
    tied: Nearest = []
    for start in range(0, len(cxs.vertices), 1000):
        part = np.linalg.norm(cxs.vertices[start : start + 1000, None] - positions, axis=2)
        least = part.min(axis=1)
        distance[start : start + 1000] = least
        tied += [rows[equal] for equal in part <= least[:, None] + TIE]
    return distance, tied


# --- the installation ---------------------------------------------------------------------------------------------

PROBE_LIMIT = 120.0
"""Seconds that the probe's surface may take; it needs about one."""

PROBE_SURFACE = {"area": 5.8216, "volume": 1.3040, "d_i min": 0.6398, "d_i max": 0.7102, "d_e max": 1.4297}
"""Li in cubic MgLiO3, a = 3.5 Å, at 0.15 bohr: Å², Å³ and Å, from Tonto v21a."""

PROBE_TOLERANCE = 0.02
"""Relative; another grid or build moves these by less, other densities or interpolation by more."""


def probe(installation: Installation) -> Identity:
    """Check that Tonto runs, finds its densities and makes the right surface of one small crystal.

    Raises
    ------
    TontoError : with the reason.
    """
    version = read_version(installation)
    one = np.eye(3, dtype=np.int64)[None]
    crystal = Structure(
        structure_id="MgLiO3",
        lattice=3.5 * np.eye(3),
        numbers=np.array([12, 3, 8, 8, 8]),
        frac=np.array([[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]),
        is_anion=np.array([False, False, True, True, True]),
        site_atom=np.array([1]),
        site_labels=("B",),
        multiplicity=np.array([1]),
        site_operations=(one,),
        formula_units=1,
    )
    (surface,) = compute_surfaces(crystal, Tonto(installation, time_limit_seconds=PROBE_LIMIT))
    found = (surface.area, surface.volume, surface.d_i.min(), surface.d_i.max(), surface.d_e.max())
    for (name, right), value in zip(PROBE_SURFACE.items(), found, strict=True):
        if abs(value / right - 1) > PROBE_TOLERANCE:
            raise TontoError(f"this Tonto makes a wrong surface of Li in MgLiO3: {name} {value:.4f}, not {right:.4f}")
    return Identity(version, **installation.checksums())


PROBE_REMEDY = """Correct `surfaces.tonto.binary` and `surfaces.tonto.basis_directory` in the configuration (or the
environment variables HIRSHPRINT_TONTO and TONTO_BASIS_SET_DIRECTORY), or use the bundled engine: write `engine: python`
under `surfaces`. No surface job was started."""


def explain_probe(error: TontoError) -> str:
    """Say why Tonto cannot be used, and what to do."""
    if isinstance(error, TontoDiskFullError):
        return f"{error}. No surface job was started."
    report = "".join(f"    | {line}\n" for line in error.output.splitlines())
    return f"Tonto cannot be used: {error}.\n{report}{PROBE_REMEDY}"


def read_version(installation: Installation) -> str:
    """Ask Tonto for its version, the day it was configured on (YY.MM.DD).

    Raises
    ------
    TontoError : it cannot be run, or is no Tonto.
    """
    if fault := installation.fault():
        raise TontoError(fault)
    with _scratch(keep=False) as folder:
        try:
            status, stopped = _run(installation, ("--version",), folder, seconds=30.0)
        except OSError as error:
            if is_disk_full(error):
                raise
            raise TontoError(f"{installation.binary} cannot be run: {error.strerror or error}") from None
        text = _read(folder / "console") + _read(folder / "stdout")
        if not text and _has_no_room(folder):
            raise TontoDiskFullError(folder.parent)
    found = re.search(r"This is Tonto version *(\S+)", text)
    if not found:
        said = next((line.strip()[:200] for line in text.splitlines() if line.strip()), "nothing")
        why = stopped or f"status {status}, it says: {said}"
        raise TontoError(f"{installation.binary} does not answer `--version` as Tonto does ({why})")
    return found[1]


def check_identity(installation: Installation, identity: Identity) -> None:
    """Check that this machine has the Tonto that was probed.

    Raises
    ------
    OSError : it has not; another attempt, on another machine, may go well.
    """
    try:
        here = Identity(read_version(installation), **installation.checksums())
    except TontoDiskFullError:
        raise
    except TontoError as error:
        raise OSError(f"{socket.gethostname()}: {error}") from None
    if here != identity:
        raise OSError(f"{socket.gethostname()}: {here.name} is here, but {identity.name} was probed")
