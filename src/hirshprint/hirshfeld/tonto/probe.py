"""Whether the Tonto that is installed works, and which one it is."""

from __future__ import annotations

import re
import socket

import numpy as np

from hirshprint.files.writing import is_disk_full
from hirshprint.hirshfeld.tonto.engine import compute_surfaces
from hirshprint.hirshfeld.tonto.errors import TontoDiskFullError, TontoError
from hirshprint.hirshfeld.tonto.installation import Identity, Installation
from hirshprint.hirshfeld.tonto.report import read
from hirshprint.hirshfeld.tonto.run import Tonto, has_no_room, run_tonto, scratch
from hirshprint.structures.structure import Structure

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
        atom_site=np.array([-1, 0, -1, -1, -1]),
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
    with scratch(keep=False) as folder:
        try:
            status, stopped = run_tonto(installation, ("--version",), folder, seconds=30.0)
        except OSError as error:
            if is_disk_full(error):
                raise
            raise TontoError(f"{installation.binary} cannot be run: {error.strerror or error}") from None
        text = read(folder / "console") + read(folder / "stdout")
        if not text and has_no_room(folder):
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
