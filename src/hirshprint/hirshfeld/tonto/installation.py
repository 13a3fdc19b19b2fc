"""Where Tonto is installed and which one it is (light: read while the Snakefile is parsed)."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hirshprint.files.writing import digest, file_digest

BASIS_FILE = "Thakkar"
"""The one file of the basis directory that is read: its name is case-sensitive."""


@dataclass(frozen=True)
class Installation:
    """A Tonto program and its basis directory.

    Attributes
    ----------
    binary, basis_directory : str
        Paths, absolute where they were found.
    """

    binary: str
    basis_directory: str

    @property
    def basis_file(self) -> Path:
        """The file with the atomic densities."""
        return Path(self.basis_directory) / BASIS_FILE

    def checksums(self) -> dict[str, str]:
        """SHA-256 of the program and of the basis file; empty where there is none.

        The version that Tonto prints is the day it was configured on, so these alone say which one it is.
        """
        return {"binary_sha256": _checksum(Path(self.binary)), "basis_sha256": _checksum(self.basis_file)}

    def fault(self) -> str:
        """Say why this installation cannot be used, as far as that is seen without running it; empty if not at all."""
        if not Path(self.binary).is_file():
            return f"there is no program {self.binary}"
        if not os.access(self.binary, os.X_OK):
            return f"{self.binary} is not executable"
        if not self.basis_directory:
            return "no basis directory is given and none is beside the program"
        if not self.basis_file.is_file():
            return f"the basis directory {self.basis_directory} has no file {BASIS_FILE}"
        return ""


@dataclass(frozen=True)
class Identity:
    """Which Tonto makes the surfaces: what `results/tonto_probe.json` records.

    Attributes
    ----------
    version : str
        As ``tonto --version`` prints it.
    binary_sha256, basis_sha256 : str
        See `Installation.checksums`.
    """

    version: str
    binary_sha256: str
    basis_sha256: str

    @property
    def name(self) -> str:
        """What stands in every surface: version, and twelve digits that change with program or basis."""
        return f"tonto {self.version} ({digest(asdict(self))[:12]})"


def _checksum(path: Path) -> str:
    try:
        return file_digest(path)
    except OSError:
        return ""


def read_identity(record: dict[str, Any]) -> Identity:
    """Read what the probe recorded."""
    return Identity(*(str(record[name]) for name in ("version", "binary_sha256", "basis_sha256")))
