"""Configurations that `hirshprint init` proposes are accepted by a run as they are."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from projects import ROOT, caesium_chloride, environment

from hirshprint.cli import main

SALTS = ("CsCl", "CsBr", "TlCl", "TlBr", "RbCl", "RbBr")


def write_folder(folder: Path) -> str:
    """Files whose names have spaces and umlauts, with a table of Windows among them."""
    place = folder / "Salze (für mich)"
    place.mkdir()
    for k, name in enumerate(SALTS):
        (place / f"{name} ä.cif").write_text(caesium_chloride(4 + k / 10, name[:2], name[2:]))
    rows = ["structure_id,Bandlücke (eV)", *(f"{name} ä,{k}" for k, name in enumerate(SALTS))]
    (place / "werte.csv").write_bytes("\ufeff".encode() + "\r\n".join(rows).encode())
    return place.name


def write_records(folder: Path) -> str:
    """Crystals with folds, and a property over decades, whose name says nothing of its unit."""
    rows = [
        {"id": name, "cell": [4.1] * 3 + [90] * 3, "sp": [name[:2], name[2:]], "frac": [[0, 0, 0], [0.5] * 3]}
        | {"K: #1": 10.0**k, "fold": k % 3}
        for k, name in enumerate(SALTS)
    ]
    (folder / "123.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return "123.jsonl"


def write_without_property(folder: Path) -> str:
    """Two files, and no table."""
    (folder / "two").mkdir()
    for name in SALTS[:2]:
        (folder / f"two/{name}.cif").write_text(caesium_chloride(4.1, name[:2], name[2:]))
    return "two"


def write_table(folder: Path) -> str:
    """The measured edges of this project."""
    shutil.copy(ROOT / "data/experimental_perovskites.csv", folder / "yes.csv")
    return "yes.csv"


@pytest.mark.parametrize("write", [write_folder, write_records, write_without_property, write_table])
def test_a_run_accepts_what_is_proposed(
    write: Callable[[Path], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init", write(tmp_path)]) == 0
    command = [sys.executable, "-m", "snakemake", "-n", "-q", "rules", "-s", str(ROOT / "Snakefile")]
    done = subprocess.run(
        [*command, "--configfile", "config/mine.yaml"], env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "structures" in done.stdout
    assert ("train" in done.stdout) == (write is not write_without_property)
