"""What the functions take where nothing is said, how they warn, and what they need (light)."""

from importlib.util import find_spec

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
