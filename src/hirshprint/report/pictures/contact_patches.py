"""Which contact each triangle of a drawn surface is part of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from hirshprint.hirshfeld.surface import Surface

SAME_ANGSTROM = 0.01
"""So much the distance of a nucleus may differ from that of its contact, which is the mean over equivalent atoms."""


def patch_contacts(
    mesh: Surface, sites: NDArray[np.int32], distances_angstrom: NDArray[np.float32]
) -> NDArray[np.int64]:
    """Row of the contact of each triangle, (m,), that of the nucleus outside which its middle is nearest to.

    It is -1 where that nucleus is of no contact: those with a vanishing share of the area are not listed.

    Parameters
    ----------
    mesh : Surface
        Closed mesh of a site.
    sites : ndarray of int32, (k,)
        Site that each contact of this site meets.
    distances_angstrom : ndarray of float32, (k,), Å
        How far away it is.
    """
    outside = mesh.outside_nuclei
    away = np.linalg.norm(outside - mesh.centre, axis=1)
    apart = np.abs(away[:, None] - distances_angstrom) + np.where(mesh.outside_sites[:, None] == sites, 0.0, np.inf)
    rows = np.where(apart.min(axis=1, initial=np.inf) < SAME_ANGSTROM, apart.argmin(axis=1), -1)
    nearest = cKDTree(outside).query(mesh.vertices[mesh.triangles].mean(axis=1))[1]
    found: NDArray[np.int64] = rows[nearest]
    return found
