"""The shape that the library keeps: imports go one way, heavy packages have their rooms, light parts stay light."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src/hirshprint"
ROOMS = [  # each imports only those before it; a module named with its room may come before the room
    *(
        "__init__",
        "versions",
        "words",
        "machine",
        "telling",
        "remarks",
        "files",
        "structures.symbols",
        "config.keys",
        "config.learning",
        "config.model",
        "hirshfeld.tonto.installation",
        "hirshfeld.registry",
        "status",
        "density_tables",
        "datasets.splits",
        "datasets.split_faults",
        "networks.registry",
        "baselines.registry",
    ),
    *("structures", "densities", "hirshfeld", "fingerprints", "batch"),
    *("datasets", "accuracy", "baselines", "networks", "report"),
    *("config", "run", "api", "featurizer", "commands", "cli"),
]
HOMES = {  # where a package that is slow to import may be imported, besides inside of functions
    "tensorflow": "networks/backend.py",
    "keras": "networks/backend.py",
    "pymatgen": "structures/",
    "spglib": "structures/symmetry.py structures/reading/operations.py",
    "numba": "hirshfeld/",
    "matplotlib": "report/",
    "pandas": "accuracy/ baselines/ networks/ report/",
    "pyvista": "",
    "plotly": "",
    "sklearn": "featurizer.py",
}
PATHS = sorted(PACKAGE.rglob("*.py"))


def room(module: str) -> int:
    """Place in `ROOMS` of a module of the package, named without it: its own, or that of its room."""
    first = module.split(".")[0]
    return ROOMS.index(module if module in ROOMS else "__init__" if first.startswith("__") else first)


def imported(path: Path) -> set[tuple[str, bool]]:
    """Modules that a file imports, and whether at its top, when it is imported itself."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            whole = node.module == "hirshprint"
            names = [f"hirshprint.{alias.name}" if whole else str(node.module) for alias in node.names]
        else:
            continue
        found |= {(name, node in tree.body) for name in names}
    return found


@pytest.mark.parametrize("path", PATHS, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_one_way(path: Path) -> None:
    own = room(".".join(path.relative_to(PACKAGE).with_suffix("").parts))
    for name, _ in imported(path):
        if name.split(".")[0] != "hirshprint":
            continue
        other = name.partition(".")[2] or "__init__"
        assert room(other) <= own, f"{path.name} imports {name}, but {other} comes later"


@pytest.mark.parametrize("path", PATHS, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_heavy_packages_are_imported_in_their_rooms(path: Path) -> None:
    place = str(path.relative_to(PACKAGE))
    for name, at_top in imported(path):
        homes = HOMES.get(name.split(".")[0])
        if at_top and homes is not None:
            assert any(place.startswith(home) for home in homes.split()), f"{place} imports {name} at its top"
        assert name.split(".")[0] != "snakemake", f"{place}: the library knows nothing of Snakemake"


def snakefile_modules() -> list[str]:
    """Modules of the library that are imported while the Snakefile is parsed."""
    text = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "workflow/rules").glob("*.smk")))
    named = re.findall(r"^from (hirshprint\.(?!run import)[\w.]+) import", text, re.MULTILINE)
    whole = re.findall(r"^from (hirshprint(?:\.run)?) import ((?!\().*)$", text, re.MULTILINE)
    return named + [f"{room}.{name}" for room, names in whole for name in names.split(", ")]


@pytest.mark.parametrize(
    ("modules", "allowed", "seconds"),
    [  # what is measured is a quarter of these, of processor time
        (snakefile_modules(), "", 0.5),
        (["hirshprint.cli"], "", 0.3),
        (
            ["hirshprint.batch.run", "hirshprint.hirshfeld.engines", "hirshprint.hirshfeld.python.engine"],
            "numpy scipy h5py numba skimage",
            3.0,
        ),
        (["hirshprint.batch.gathering"], "numpy scipy h5py numba", 3.0),
    ],
    ids=["Snakefile", "command line", "surface job", "fingerprints"],
)
def test_light_parts_are_light(modules: list[str], allowed: str, seconds: float) -> None:
    heavy = {*HOMES, "numpy", "scipy", "h5py", "skimage", "vtkmodules", "IPython"} - set(allowed.split())
    code = (
        f"import sys, time; start = time.process_time(); import {', '.join(modules)}; "
        "print(time.process_time() - start, *sorted({m.split('.')[0] for m in sys.modules} & set(sys.argv[1:])))"
    )
    command = [sys.executable, "-c", code, *heavy]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={"PYTHONPATH": str(ROOT / "src")})
    taken, *found = done.stdout.split()
    assert found == []
    assert float(taken) < seconds, f"{taken} s of processor for its imports"
