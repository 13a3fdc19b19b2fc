"""Tables from an OPTIMADE provider: the reference server on the loopback, once as it is and once with faults."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from projects import ROOT, Project

PYTHON = ROOT / ".venv-fetch-test/bin/python"
A = ("Na", "K", "Rb", "Cs", "Mg", "Ca", "Sr", "Ba", "La", "Y", "Ag", "Tl", "Pb", "Bi", "Sm", "Gd")
B = (
    "Ti",
    "Zr",
    "Hf",
    "V",
    "Nb",
    "Ta",
    "Cr",
    "Mo",
    "W",
    "Mn",
    "Fe",
    "Co",
    "Ni",
    "Cu",
    "Zn",
    "Al",
    "Ga",
    "In",
    "Ge",
    "Sn",
)
B = (*B, "Sb", "Te", "Ru", "Rh", "Pd", "Os", "Ir", "Pt", "Re", "Sc", "Li")
IDEAL = np.array([[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]])


def _entry(number: int, symbols: list[str], edge: float, energy: float | None, frac: Any = IDEAL) -> dict[str, Any]:
    kinds = sorted(set(symbols))
    return {
        "id": f"oqmd-{number}",
        "task_id": f"oqmd-{number}",
        "type": "structures",
        "last_modified": {"$date": "2026-01-01T00:00:00Z"},
        "elements": kinds,
        "nelements": len(kinds),
        "elements_ratios": [symbols.count(kind) / len(symbols) for kind in kinds],
        "nsites": len(symbols),
        "lattice_vectors": (np.eye(3) * edge).tolist(),
        "cartesian_site_positions": (frac * edge).tolist(),
        "species": [{"name": kind, "chemical_symbols": [kind], "concentration": [1.0]} for kind in kinds],
        "species_at_sites": symbols,
        "chemical_formula_reduced": "".join(kinds),
        "energy": energy,
    }


def _entries() -> list[dict[str, Any]]:
    """Perovskites in any order of their atoms, and among them what the table must not have."""
    order = np.array([3, 1, 4, 0, 2])
    found = []
    for a in A:
        for b in B:
            number = len(found)
            symbols = [(a, b, "O", "O", "O")[k] for k in order]
            found.append(_entry(number, symbols, 3.8 + number / 1000, number / 100, IDEAL[order]))
    count = len(found)
    found.append(_entry(count, ["Na", "Ti", "O", "O", "O"], 5.0, -9.0))  # a second NaTiO3, lower in energy
    found.append(_entry(count + 1, ["K", "Ti", "O", "O", "O"], 5.0, 99.0))  # a second KTiO3, higher
    moved = IDEAL + np.array([[0, 0, 0.02]] + [[0, 0, 0]] * 4)
    found.append(_entry(count + 2, ["Na", "Ti", "O", "O", "O"], 3.9, -99.0, moved))  # polar
    wrong = _entry(count + 3, ["Na", "Ti", "O", "O", "O"], 3.9, -99.0)
    found.append(wrong | {"species_at_sites": ["Na", "Qq", "O", "O", "O"]})
    found.append(wrong | {"id": f"oqmd-{count + 4}", "task_id": f"oqmd-{count + 4}", "lattice_vectors": [[1, 2, 3]]})
    return found


class Server(NamedTuple):
    """The server, and its base URL."""

    url: str
    process: subprocess.Popen[str]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[[bool], Server]]:
    """Start the reference server, with or without faults."""
    if not PYTHON.exists():
        pytest.skip(".venv-fetch-test is not installed (make test makes it)")
    entries = tmp_path / "entries.json"
    entries.write_text(json.dumps(_entries()), encoding="utf-8")
    servers = []

    def start(faults: bool) -> Server:
        port = tmp_path / f"port-{len(servers)}"
        command = [PYTHON, ROOT / "tests/optimade_server.py", port, entries, "yes" if faults else "no"]
        servers.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True))
        until = time.monotonic() + 600
        while not port.exists():
            assert servers[-1].poll() is None, servers[-1].stderr
            assert time.monotonic() < until, "the server did not start"
            time.sleep(0.05)
        return Server(f"http://127.0.0.1:{port.read_text()}", servers[-1])

    yield start
    for server in servers:
        server.kill()
        server.communicate()


def _project(folder: Path, url: str) -> Project:
    folder.mkdir()
    fetch = {"url": url, "filter": 'elements HAS "O" AND nsites=5', "prefer": "_exmpl_energy"}
    config = {"fetch": {"oqmd": fetch | {"first_pause_seconds": 0.01}}}
    config |= {"datasets": {"oqmd": {"table": "results/fetched/oqmd.csv"}}}
    (folder / "config.yaml").write_text(json.dumps(config), encoding="utf-8")
    return Project(folder)


def test_faults_change_nothing_and_a_broken_run_goes_on(serve: Callable[[bool], Server], tmp_path: Path) -> None:
    server = serve(False)
    plain, spoilt = _project(tmp_path / "plain", server.url), _project(tmp_path / "spoilt", serve(True).url)
    with ThreadPoolExecutor(2) as pool:
        _, output = pool.map(lambda project: project.run("fetch_oqmd"), (plain, spoilt))
    for fault in (
        "ChunkedEncodingError",
        "429",
        "500",
        "503",
        "no OPTIMADE answer",
        "unusable: -2",
        "came twice",
        "does not sort",
    ):
        assert fault in output, fault
    table = (plain.folder / "results/fetched/oqmd.csv").read_text(encoding="utf-8")
    assert (spoilt.folder / "results/fetched/oqmd.csv").read_text(encoding="utf-8") == table
    rows = {row["formula"]: row for row in csv.DictReader(table.splitlines())}
    assert len(rows) == len(A) * len(B)
    assert len(_entries()) >= 500
    assert rows["KTiO3"] | {"a_angstrom": ""} == {
        "formula": "KTiO3",
        "A": "K",
        "B": "Ti",
        "X": "O",
        "a_angstrom": "",
        "id": "oqmd-31",
        "n_candidates": "2",
        "a_min_candidates_angstrom": "3.831000",
        "a_max_candidates_angstrom": "5.000000",
    }
    assert float(rows["NaTiO3"]["a_angstrom"]) == 5.0
    assert (rows["BaTiO3"]["A"], rows["BaTiO3"]["B"]) == ("Ba", "Ti")
    record = json.loads((spoilt.folder / "results/fetched/oqmd.provenance.json").read_text(encoding="utf-8"))
    assert {step["step"]: step["entries"] for step in record["steps"]} == {
        "answered": len(rows) + 5,
        "unusable": -2,
        "no cubic perovskite": -1,
        "another entry of the same compound": -2,
        "in the table": len(rows),
    }
    assert record["query"]["filter"] == 'elements HAS "O" AND nsites=5'
    assert record["asked"]["first"] <= record["asked"]["last"]
    assert len(record["digests"]["table"]) == 64
    _goes_on_where_it_was(plain, server)


def _goes_on_where_it_was(project: Project, server: Server) -> None:
    """A broken run has kept its pages: asked for again are those that lack, and a silent server takes none away."""
    (folder,) = (project.folder / "cache/fetch/oqmd").iterdir()
    pages = sorted(folder.iterdir())
    assert len(pages) > 5
    pages[2].unlink()
    shutil.rmtree(project.folder / "results/fetched")
    output = project.run("fetch_oqmd")
    assert output.count(" entries from ") == 1
    assert " 1 requests" in output
    pages[2].unlink()
    shutil.rmtree(project.folder / "results/fetched")
    server.process.kill()
    output = project.run("fetch_oqmd", fails=True)
    assert "8 times; run again later: it goes on with this page" in output
    assert sorted(folder.iterdir()) == [*pages[:2], *pages[3:]]
