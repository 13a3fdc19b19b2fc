"""What the functions take where nothing is said, how they warn, and what they need (light)."""

import math
from importlib.util import find_spec
from numbers import Integral, Real

EDGE_ANGSTROM = 4.5
"""Of the ideal cubic perovskite that a formula is placed on: that of the workflow."""

MESH_LEVEL = 10
"""How fine meshes are: that of the workflow."""


class CrystalWarning(UserWarning):
    """Something was assumed or corrected in a crystal, or is doubtful; the message says what."""


def check_installed(package: str, extra: str, what: str) -> None:
    """Check that an optional package is there.

    Parameters
    ----------
    package : str
        Its name for `import`.
    extra : str
        The extra of hirshprint that brings it.
    what : str
        What needs it.

    Raises
    ------
    ImportError
        It is not.
    """
    if find_spec(package) is None:
        raise ImportError(f"{what} needs {package}: pip install 'hirshprint[{extra}]'")


def check_settings(mesh_level: object, edge_angstrom: object) -> None:
    """Check what surfaces are to be made with.

    Raises
    ------
    ValueError
        A mesh level that is no whole number from 1 on, or an edge that is no length.
    """
    if not isinstance(mesh_level, Integral) or isinstance(mesh_level, bool) or mesh_level < 1:
        raise ValueError(f"mesh_level = {mesh_level!r}; write a whole number from 1 on, such as {MESH_LEVEL}")
    if not isinstance(edge_angstrom, Real) or not 0 < float(edge_angstrom) < math.inf:
        raise ValueError(f"edge_angstrom = {edge_angstrom!r}; write a length in Å, such as {EDGE_ANGSTROM}")
