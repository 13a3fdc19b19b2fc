"""Every command of README and documentation, run as it stands: in one working folder, after the tutorial's own run.

Commands are the lines of ```console blocks. `snakemake` is only asked what it would do (-n), `make` too, but the
tutorial is run for real; a block that starts with "# not run by the tests: REASON" is left out.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import warnings
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import yaml
from projects import ROOT, SMALL, TABLE, Project, environment

DOCUMENTS = [
    ROOT / "docs/tutorial.md",
    ROOT / "README.md",
    *sorted(path for path in (ROOT / "docs").glob("*.md") if path.name != "tutorial.md"),
    *(ROOT / f"{folder}/README.md" for folder in ("config", "profiles/slurm", "results", "data")),
    ROOT / "CONTRIBUTING.md",
]
BLOCK = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
BENCHMARK = "benchmark.jsonl"  # in the place of the tests
LEFT_OUT = "# not run by the tests: "
CRYSTALS = {  # space group, edges in Å, atoms; all of two elements
    "rutile": ("P4_2/mnm", (4.594, 4.594, 2.959), ("Ti", "O"), ([0, 0, 0], [0.305, 0.305, 0])),
    **{
        name: ("Fm-3m", (edge,) * 3, tuple(re.findall("[A-Z][a-z]?", name)), ([0, 0, 0], [0.5, 0.5, 0.5]))
        for name, edge in {"NaCl": 5.64, "KCl": 6.29, "LiF": 4.03, "MgO": 4.21, "CaO": 4.81, "SrO": 5.16}.items()
    },
}


def blocks(path: Path, *kinds: str) -> list[str]:
    """Texts of the fenced blocks of these kinds."""
    found = BLOCK.findall(path.read_text(encoding="utf-8"))
    return [re.sub(f"^{indent}", "", text, flags=re.MULTILINE) for indent, kind, text in found if kind in kinds]


def commands(path: Path) -> list[str]:
    """Commands of a document, without their comments."""
    lines = [line for text in blocks(path, "console") if not text.startswith(LEFT_OUT) for line in text.splitlines()]
    return [command for line in lines if (command := re.sub(r"(^|\s+)#.*", "", line).strip())]


def write_crystals(folder: Path) -> None:
    """Write some CIF files and the table of their property, as the tutorial wants them."""
    from pymatgen.core import Lattice, Structure

    (folder / "structures").mkdir()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, (group, edges, elements, places) in CRYSTALS.items():
            crystal = Structure.from_spacegroup(group, Lattice.orthorhombic(*edges), elements, places)
            crystal.to(str(folder / f"structures/{name}.cif"))
    rows = [f"{name},{-2 - k / 7:.3f}" for k, name in enumerate(CRYSTALS)]
    (folder / "targets.csv").write_text("\n".join(["structure_id,formation_energy", *rows]) + "\n")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, finished: Project) -> Path:
    """A working folder like a clone, with what the documents' commands name, after the tutorial's run."""
    folder = tmp_path_factory.mktemp("documents") / "clone"
    folder.mkdir()
    for name in (
        "Snakefile",
        "Makefile",
        "workflow",
        "src",
        "data",
        "envs",
        "profiles",
        "pyproject.toml",
        ".venv-densities",
    ):
        (folder / name).symlink_to(ROOT / name)
    (folder / "slurm").symlink_to("profiles/slurm")
    shutil.copytree(ROOT / "config", folder / "config")
    write_crystals(folder)
    dataset, fewer_folds = (yaml.safe_load(text) for text in blocks(DOCUMENTS[0], "yaml"))
    quick = {
        "folds": fewer_folds["learning"]["folds"],
        "cnn_paper_small": {"epochs": 2},
        "cnn": {"epochs": 2},
        "cgcnn": {"epochs": 2},
        "contacts": {"epochs": 2},
    }
    (folder / "config/mine.yaml").write_text(yaml.safe_dump(dataset | {"learning": quick}))
    run(folder, "snakemake --cores 2 --configfile config/mine.yaml")
    shutil.copytree(finished.folder / "results/small", folder / "results/experimental")
    (folder / "results/oqmd").symlink_to("experimental")
    screen = yaml.safe_load((folder / "config/screen.yaml").read_text(encoding="utf-8"))
    as_trained = {"surfaces": SMALL["surfaces"], "fingerprint": {}}
    (folder / "config/screen.yaml").write_text(yaml.safe_dump(screen | as_trained, allow_unicode=True))
    for name, edge in {"SrTiO3": 3.905, "CaTiO3": 3.84}.items():
        write_perovskite(folder / f"{name}.cif", name, edge)
    (folder / "compounds.csv").write_text("formula\nSrTiO3\nBaZrO3\n")
    write_benchmark(folder / BENCHMARK)
    return folder


def write_benchmark(path: Path) -> None:
    """Write a file of crystals as `config/matbench.yaml` wants them, with the properties of two of its datasets."""
    rows = [
        {"id": f"c{k}", "cell": [3.6 + k / 10] * 3 + [90] * 3, "sp": ["Cs", "Cl"], "frac": [[0, 0, 0], [0.5] * 3]}
        | {"last phdos peak": 100 + k, "exfoliation_en": k, "fold": k % 2}
        for k in range(6)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def write_perovskite(path: Path, formula: str, edge: float) -> None:
    """Write an ideal cubic perovskite as CIF."""
    from pymatgen.core import Lattice, Structure

    elements = [formula[:2], "Ti", "O"]
    Structure.from_spacegroup("Pm-3m", Lattice.cubic(edge), elements, [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0]]).to(
        str(path)
    )


def run(folder: Path, command: str) -> str:
    """Run a command line in a shell, with the environment of the tests active."""
    variables = environment(
        PATH=f"{Path(sys.executable).parent}:{environment()['PATH']}",
        PYTHONPATH=str(ROOT / "src"),
        XDG_CACHE_HOME=str(folder / "cache/home"),
    )
    done = subprocess.run(
        ["bash", "-ec", command], cwd=folder, env=variables, capture_output=True, text=True, timeout=3600, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def without_cost(command: str) -> str:
    """The command as it is run here: what is long or changes the environment is only asked what it would do."""
    if command.startswith("make "):
        return command.replace("make ", "make --dry-run ", 1)
    if command.startswith("snakemake ") and "--report" not in command and " -n" not in command:
        given = BENCHMARK if "matbench.yaml" in command else TABLE
        return command.replace("snakemake ", "snakemake -n --quiet rules ", 1).replace("=PATH", f"={given}")
    if command.startswith("hirshprint init "):  # config/mine.yaml is there
        return f"rm -f config/proposed.yaml; {command} --out config/proposed.yaml"
    return "true" if command.startswith(("source .venv/", "python benchmarks/")) else command


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_of_the_documents_run(place: Path, path: Path) -> None:
    for command in commands(path):
        run(place, without_cost(command))


def test_tutorial_run_is_as_described(place: Path) -> None:
    summary = (place / "results/summary.txt").read_text(encoding="utf-8")
    assert f"mine: {len(CRYSTALS)} ok, 0 failed, 0 rejected" in summary
    (described,) = [text for text in blocks(DOCUMENTS[0], "") if text.startswith("structures ")]
    assert [line.split()[0] for line in described.splitlines()] == [line.split()[0] for line in summary.splitlines()]
    (python,) = blocks(DOCUMENTS[0], "python")
    assert str((len(CRYSTALS), 3, 50, 50)) in run(place, f"python - <<'END'\n{python}\nEND")


def test_python_of_the_how_tos_runs(place: Path) -> None:
    given = "from pymatgen.core import Structure\nstructure = Structure.from_file('structures/NaCl.cif')\n"
    lines = [given, "structures = [structure]", *blocks(ROOT / "docs/howto.md", "python")]
    run(place, "python - <<'END'\n{}\nEND".format("\n".join(lines)))
    for name in ("contacts.csv", "sites.csv", "fingerprint.pdf", "contacts.png"):
        assert (place / name).stat().st_size > 100


def test_blocks_are_of_known_kinds_and_left_out_ones_say_why() -> None:
    for path in DOCUMENTS:
        kinds = {kind for _, kind, _ in BLOCK.findall(path.read_text(encoding="utf-8"))}
        assert kinds <= {"", "console", "sh", "yaml", "csv", "json", "python", "text", "snakemake"}, path
        for text in blocks(path, "console"):
            first = text.splitlines()[0]
            assert not first.startswith("#") or len(first) > len(LEFT_OUT) + 10, f"{path}: {first}"
        for text in blocks(path, "sh"):
            subprocess.run(["sh", "-n"], input=text, text=True, check=True)
        for text in blocks(path, "yaml"):
            assert yaml.safe_load(text), path


def test_figures_of_the_accuracy_page_are_those_of_the_benchmarks() -> None:
    text, printed = ((ROOT / f"docs/{name}.md").read_text(encoding="utf-8") for name in ("accuracy", "benchmarks"))
    rows = [line for line in text.splitlines() if re.match(r"\| (\d|the paper|here)", line)]
    assert len(rows) == 9
    for number in re.findall(r"\d+\.\d+", " ".join(rows)):
        assert number in printed, f"{number}: run make bench, and see what docs/accuracy.md says"


def described(heading: str) -> dict[str, tuple[str, str]]:
    """Shape and type (of a column: the type twice) of all that a table of results/README.md names, by name."""
    text = (ROOT / "results/README.md").read_text(encoding="utf-8")
    table = text.split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| `")]
    return {name: (row[1], row[-2]) for row in rows for name in re.findall("`([^`]+)`", row[0])}


@pytest.mark.parametrize("heading", ["NAME/fingerprints.h5", "NAME/structures.h5", "densities/SOURCE.h5"])
def test_hdf5_files_are_as_described(finished: Project, heading: str) -> None:
    path = finished.folder / "results" / heading.replace("NAME", "small").replace("SOURCE", "thakkar")
    with h5py.File(path) as file:
        told = described(heading)
        told.pop("record_digests", None)  # of files of many crystals alone
        _compare(told, {name: file[name] for name in file})


def test_batch_files_are_as_described(finished: Project) -> None:
    path = next((finished.folder / "results/small/surfaces").glob("*.npz"))
    with np.load(path, allow_pickle=False) as arrays:
        _compare(described("NAME/surfaces/BATCH.npz"), dict(arrays))


def _compare(told: dict[str, tuple[str, str]], arrays: dict[str, Any]) -> None:
    assert set(told) == set(arrays)
    for name, (shape, kind) in told.items():
        found = arrays[name]
        assert len(re.findall(r"[^,()]+", shape)) == len(found.shape), name
        assert kind == ("text" if found.dtype.kind in "OSU" else str(found.dtype)), name


@pytest.mark.parametrize(
    ("heading", "file"),
    [(f"NAME/{name}", name) for name in ("predictions.csv", "metrics.csv", "targets.csv")]
    + [("NAME/status.csv and NAME/rejected.csv", name) for name in ("status.csv", "rejected.csv")],
)
def test_tables_are_as_described(finished: Project, heading: str, file: str) -> None:
    header = (finished.folder / "results/small" / file).read_text(encoding="utf-8").splitlines()[0]
    assert header.split(",") == list(described(heading))


def test_every_result_is_listed(finished: Project) -> None:
    text = (ROOT / "results/README.md").read_text(encoding="utf-8")
    listed = set()
    for name, more in re.findall(r"`([^`]+)`((?:, `\.\w+`)*)", text):  # `A/{B,C}.svg`, `.csv` are four files
        group = re.search(r"\{([^}]+)\}", name)
        for one in [name.replace(group[0], word) for word in group[1].split(",")] if group else [name]:
            listed |= {one, *(one.rsplit(".", 1)[0] + ending for ending in re.findall(r"\.\w+", more))}
    for path in (finished.folder / "results").rglob("*"):
        place = path.relative_to(finished.folder / "results").as_posix().replace("small", "NAME", 1)
        place = re.sub(r"(models/).*|(figures/)\w+", r"\1\2", place).replace("figures/.", "figures/*.")
        place = re.sub(r"surfaces/.*", "surfaces/BATCH.npz", place.replace("densities/thakkar", "densities/SOURCE"))
        place = re.sub(r"compounds/[^/]+/", "compounds/COMPOUND/", place)
        place = ".TABLE.csv.digest" if place.endswith(".csv.digest") else place
        assert path.is_dir() or any(fnmatch(place, name) for name in listed), place
