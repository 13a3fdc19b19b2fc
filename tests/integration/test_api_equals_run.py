"""What the functions of the interface give is what a run writes, to the last bit."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import h5py
import numpy as np
import pytest
from projects import Project, make_project
from pymatgen.core import Lattice, Structure

import hirshprint
from hirshprint.fingerprints.contact_layout import CONTACT_NAMES
from hirshprint.structures.sources.folders import structure_name

CRYSTALS = 200
CHANNELS = ("total", "anion", "cation")


def _run(folder: Path, datasets: dict[str, dict[str, str]]) -> Project:
    project = make_project(folder, 1, {"datasets": datasets})
    project.run("--", *(f"results/{name}/fingerprints.h5" for name in datasets))
    return project


def _check(file: h5py.File, name: str, given: object, densities: Path) -> None:
    """Compare the fingerprint and the contacts of a crystal with those of a file."""
    surfaces = hirshprint.surfaces(given, densities=densities)
    row = file["ids"].asstr()[:].tolist().index(name)
    channels = file["channels"].asstr()[:].tolist()
    made = hirshprint.fingerprint(surfaces)
    for channel in CHANNELS:
        np.testing.assert_array_equal(file["counts"][row, channels.index(channel)], made[channel], name)
    np.testing.assert_array_equal(
        file["in_range_fraction"][row][[channels.index(channel) for channel in CHANNELS]],
        made.in_range_fraction[[made.channels.index(channel) for channel in CHANNELS]],
    )
    first, last = file["site_offsets"][row : row + 2]
    assert file["site_labels"].asstr()[first:last].tolist() == [one.site_label for one in surfaces]
    for site, contacts in enumerate(hirshprint.contacts(surfaces).sites, first):
        begin, end = file["contact_offsets"][site : site + 2]
        for array, of_file in CONTACT_NAMES.items():
            np.testing.assert_array_equal(file[of_file][begin:end], getattr(contacts, array), f"{name} {array}")


def test_a_table_and_records(tmp_path: Path) -> None:
    crystals = [Structure(Lattice.cubic(4.0 + 0.01 * k), ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]]) for k in range(6)]
    lines = [json.dumps({"id": f"c{k}", "structure": one.as_dict()}) for k, one in enumerate(crystals)]
    (tmp_path / "many.jsonl").write_text("\n".join(lines) + "\n")
    (tmp_path / "table.csv").write_text("formula,a_angstrom\nSrTiO3,3.905\nCsPbI3,6.29\n")
    datasets = {"table": {"table": str(tmp_path / "table.csv")}, "many": {"structures": str(tmp_path / "many.jsonl")}}
    results = _run(tmp_path / "project", datasets).folder / "results"
    densities = results / "densities/thakkar.h5"
    with h5py.File(results / "many/fingerprints.h5") as file:
        for k, crystal in enumerate(crystals):
            _check(file, f"c{k}", crystal, densities)
            _check(file, f"c{k}", f"{tmp_path / 'many.jsonl'}:c{k}", densities)
    with h5py.File(results / "table/fingerprints.h5") as file:
        for formula in ("SrTiO3", "CsPbI3"):
            _check(file, f"{formula}-a4.50000", formula, densities)
            row = file["ids"].asstr()[:].tolist().index(f"{formula}-a4.50000")
            made = hirshprint.fingerprint(formula, densities=densities)
            assert file["channels"].asstr()[:].tolist() == list(made.channels)
            np.testing.assert_array_equal(file["counts"][row], made.counts)


@pytest.mark.filterwarnings("ignore::hirshprint.api.defaults.CrystalWarning")
def test_files_that_were_read_wrongly_once(shared: Path, tmp_path: Path) -> None:
    folder = shared / "inputs/files"
    results = _run(tmp_path / "project", {"files": {"folder": str(folder)}}).folder / "results"
    names = {structure_name(path): path for path in folder.iterdir()}
    with h5py.File(results / "files/fingerprints.h5") as file:
        ids = file["ids"].asstr()[:].tolist()
        assert len(ids) > 5
        for name in ids:
            _check(file, name, names[name], results / "densities/thakkar.h5")


def test_many_crystals_of_a_benchmark(shared: Path, tmp_path: Path) -> None:
    with gzip.open(shared / "data/benchmarks/mb_perovskites.jsonl.gz", "rt") as file:
        records = [json.loads(next(file)) for _ in range(CRYSTALS)]
    crystals = [Structure(Lattice.from_parameters(*one["cell"]), one["sp"], one["frac"]) for one in records]
    lines = [json.dumps({"id": f"c{k}", "structure": one.as_dict()}) for k, one in enumerate(crystals)]
    (tmp_path / "many.jsonl").write_text("\n".join(lines) + "\n")
    results = _run(tmp_path / "project", {"many": {"structures": str(tmp_path / "many.jsonl")}}).folder / "results"
    with h5py.File(results / "many/fingerprints.h5") as file:
        assert len(file["ids"]) == CRYSTALS
        for k, crystal in enumerate(crystals):
            _check(file, f"c{k}", crystal, results / "densities/thakkar.h5")
