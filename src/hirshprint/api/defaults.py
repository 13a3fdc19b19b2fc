"""What the functions take where nothing is said, and how they warn (light)."""

EDGE_ANGSTROM = 4.5
"""Of the ideal cubic perovskite that a formula is placed on: that of the workflow."""

MESH_LEVEL = 10
"""How fine meshes are: that of the workflow."""


class CrystalWarning(UserWarning):
    """Something was assumed or corrected in a crystal, or is doubtful; the message says what."""
