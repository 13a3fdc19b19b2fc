"""The Tonto engine: surface files, failures, processes, the crystal's frame; against a stand-in and a real Tonto."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hirshprint.batch.binning import Binning
from hirshprint.batch.run import run_batch
from hirshprint.commands.inputs import default_fingerprint
from hirshprint.config import model
from hirshprint.config.load import ConfigError, resolve_config, resolve_engine
from hirshprint.densities import Densities
from hirshprint.fingerprints.contacts import site_contacts
from hirshprint.hirshfeld.engines import tonto_engine
from hirshprint.hirshfeld.python.engine import compute_surfaces as python_surfaces
from hirshprint.hirshfeld.surface import Surface, flat_area_and_volume
from hirshprint.hirshfeld.tonto.check import check_surface
from hirshprint.hirshfeld.tonto.cxs import CxsError, parse_cxs
from hirshprint.hirshfeld.tonto.engine import compute_surfaces
from hirshprint.hirshfeld.tonto.errors import TontoDiskFullError, TontoError, TontoPassingError, TontoTimeoutError
from hirshprint.hirshfeld.tonto.input import cif_text, tonto_cell
from hirshprint.hirshfeld.tonto.installation import Installation
from hirshprint.hirshfeld.tonto.probe import check_identity, explain_probe, probe, read_version
from hirshprint.hirshfeld.tonto.report import error_message, judge
from hirshprint.hirshfeld.tonto.run import Tonto
from hirshprint.status import read_cpu_seconds
from hirshprint.structures.structure import Structure

ROOT = Path(__file__).parents[2]
FAKE = ROOT / "tests/fake_tonto.py"
GOLDEN = sorted(path.stem for path in (ROOT.parent / "shared/tonto/golden").glob("*.cif"))


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder that scratch folders are made in."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def fake(tmp_path: Path, scratch: Path) -> Installation:
    """The stand-in with a basis directory."""
    basis = tmp_path / "basis sets"
    basis.mkdir()
    (basis / "Thakkar").write_text("{ densities }\n")
    return Installation(str(FAKE), str(basis))


@pytest.fixture
def behave(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Tell the stand-in what to do, by formula; returns the file, beside which it writes its calls."""
    path = tmp_path / "behaviour.json"
    monkeypatch.setenv("FAKE_TONTO", str(path))

    def told(**table: str) -> Path:
        path.write_text(json.dumps({name.replace("any", "*"): behaviour for name, behaviour in table.items()}))
        return path

    told(any="good")
    return told


@pytest.fixture
def magnesium_lithium(perovskite: Callable[..., Structure]) -> Structure:
    """MgLiO3 with its atoms in the order of the recorded cell."""
    plain = perovskite((12, 3, 8), 3.5)
    return replace(plain, frac=plain.frac[[0, 1, 2, 4, 3]])


@pytest.fixture
def tonto(real_tonto: str) -> Tonto:
    """An installed Tonto."""
    config = resolve_config({"datasets": {"x": {"table": "t"}}, "surfaces": {"tonto": {"binary": real_tonto}}})
    paths = resolve_engine(config, os.environ)["surfaces"]["tonto"]
    return Tonto(Installation(paths["binary"], paths["basis_directory"]))


def read_golden(path: Path) -> dict[str, np.ndarray]:
    """Read a reference surface."""
    with np.load(path) as arrays:
        return dict(arrays)


def processes_in(folder: Path) -> list[int]:
    """Processes whose working directory lies in a folder."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            alive = (place / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
            inside = (place / "cwd").readlink().is_relative_to(folder)
        except OSError:
            continue
        if alive and inside:
            found.append(int(place.name))
    return found


# --- surface files --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("site", ["Li1", "O1"])
def test_recorded_surface_files_are_the_golden_arrays(shared: Path, magnesium_lithium: Structure, site: str) -> None:
    cxs = parse_cxs((shared / f"tonto/samples/MgLiO3_{site}.cxs").read_text())
    golden = read_golden(shared / f"tonto/golden/MgLiO3_{site}.npz")
    for name, values in {"vertices": cxs.vertices, "d_i": cxs.d_i, "d_e": cxs.d_e}.items():
        np.testing.assert_array_equal(values.astype(np.float32), golden[name])
    np.testing.assert_array_equal(cxs.triangles, golden["faces"])
    numbers = magnesium_lithium.numbers
    np.testing.assert_array_equal(numbers[cxs.outside[cxs.face_outside, 0]], golden["face_ext_Z"])
    cell = tonto_cell(magnesium_lithium)
    nearest = check_surface(cxs, cell, {"Li1": 1, "O1": 2}[site])
    found = [numbers[cxs.outside[rows, 0]] for rows in nearest]
    assert all(right in numbers for right, numbers in zip(golden["vertex_ext_Z"], found, strict=True))
    with pytest.raises(TontoError, match="another atom"):
        check_surface(cxs, cell, 0)
    with pytest.raises(TontoError, match="another cell"):
        check_surface(cxs, cell._replace(basis=cell.basis * 1.001), 1)


DAMAGES: dict[str, tuple[str, str, str]] = {
    "cut short": (r"end vertices.*", "", "cut short"),
    "cut between blocks": (r"begin d_e \d+.*", "", "cut short"),
    "empty": (r".*", "", "cut short"),
    "a line missing": (r"(begin vertices \d+\n)[^\n]*\n", r"\1", "announces"),
    "a block missing": (r"begin d_e \d+.*?end d_e\n", "", "no block `d_e`"),
    "stars": (r"(begin d_i \d+\n)\S+", r"\1*******", "no number"),
    "NaN": (r"(begin d_i \d+\n)\S+", r"\1NaN", "not finite"),
    "glued numbers": (r"(begin vertices \d+\n\S+) (\S+)", r"\1\2", "number"),
    "an index too high": (r"(begin indices \d+\n)\d+", r"\g<1>999999", "points nowhere"),
    "caps": (r"(begin indices \d+)", r"\1 12", "caps"),
    "no neighbour": (r"(atoms_outside_surface) \d+.*?\nend", r"\1 0\nend", "no atom outside"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_surface_files_are_refused(shared: Path, damage: str) -> None:
    text = (shared / "tonto/samples/MgLiO3_Li1.cxs").read_text()
    pattern, replacement, reason = DAMAGES[damage]
    spoiled = re.sub(pattern, replacement, text, count=1, flags=re.DOTALL)
    assert spoiled != text
    with pytest.raises(CxsError, match=reason):
        parse_cxs(spoiled)


# --- what failures are ----------------------------------------------------------------------------------------------

RECORDED = {
    "atom_not_in_cell": "not on a site",
    "bad_kind": "does not know a keyword",
    "bad_symop": "symmetry operations",
    "element_no_basis": "no density in the basis file",
    "empty_cif": "ended early",
    "html_cif": "lacks its cell, symmetry or atoms",
    "missing_basis_dir": "basis directory has no file",
    "missing_basis_name": "basis directory has no file",
    "missing_cif": "not there",
    "no_atoms_cif": "lacks its cell, symmetry or atoms",
    "no_symops_cif": "lacks its cell, symmetry or atoms",
    "put_fail_dir": "could not be written",
    "sep_zero": "no surface at this separation",
    "too_close": "cell is too small",
    "truncated_stdin": "ended early",
    "unknown_element": "does not know an element",
    "unknown_keyword": "does not know a keyword",
    "unknown_keyword_block": "does not know a keyword",
    "wrong_hm": "symmetry operations",
    "wrong_named": "without an error message and without a surface",
}


def test_every_recorded_failure_is_recognised(shared: Path, tmp_path: Path) -> None:
    texts = {path.stem: path.read_text() for path in (shared / "tonto/samples/failures").glob("*.txt")}
    assert texts.keys() == RECORDED.keys()
    for name, text in texts.items():
        folder = tmp_path / name
        folder.mkdir()
        parts = dict(re.findall(r"^--- ([^(\n]+?) \(\d+ characters\)\n(.*?)(?=^--- )", text, re.M | re.S))
        (folder / "stdout").write_text(parts["file stdout"])
        (folder / "console").write_text("".join(v for k, v in parts.items() if k.startswith("console")))
        with pytest.raises(TontoError, match=RECORDED[name]) as caught:
            judge(folder, 0, None)
        assert "\n" not in str(caught.value)
        if name != "wrong_named":
            assert re.search(r"Error in \S+ \.\.\. .*\(\w+(\.cif)?, line \d+\)$", str(caught.value)), str(caught.value)


def test_good_report_has_no_error(shared: Path) -> None:
    for site in ("Li1", "O1"):
        assert error_message((shared / f"tonto/samples/MgLiO3_{site}.stdout").read_text()) == ""


BEHAVIOURS: dict[str, tuple[type[TontoError], str]] = {
    "empty_cif": (TontoError, "ended early"),
    "unknown_keyword": (TontoError, "does not know a keyword"),
    "console_error": (TontoError, "does not know a keyword"),
    "no_file": (TontoError, "without a surface"),
    "truncated": (TontoError, "cut short"),
    "nan": (TontoError, "not finite"),
    "stars": (TontoError, "no number"),
    "lonely": (TontoError, "no atom outside"),
    "lost_atom": (TontoError, "has 4 atoms, not 5"),
    "cut_cluster": (TontoError, "left out neighbours"),
    "bohr": (TontoError, "d_e is not the distance"),
    "open": (TontoError, "not closed"),
    "hang": (TontoTimeoutError, "had not ended after 1 s"),
    "deaf": (TontoTimeoutError, "had not ended after 1 s"),
    "child": (TontoTimeoutError, "had not ended after 1 s"),
    "crash": (TontoError, "broke down"),
    "killed": (TontoPassingError, "killed by signal 9"),
    "disk_full": (TontoDiskFullError, "the disk of .* is full"),
    "huge": (TontoError, "wrote more than 5 MB"),
}


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_failures_are_told_and_leave_nothing(
    fake: Installation,
    behave: Callable[..., Path],
    scratch: Path,
    perovskite: Callable[..., Structure],
    monkeypatch: pytest.MonkeyPatch,
    behaviour: str,
) -> None:
    behave(any=behaviour)
    monkeypatch.setattr("hirshprint.hirshfeld.tonto.run.MOST_BYTES", 5_000_000)
    monkeypatch.setattr("hirshprint.hirshfeld.tonto.process.GRACE", 0.3)
    limit = 1.0 if behaviour in ("hang", "deaf", "child") else 300.0
    kind, reason = BEHAVIOURS[behaviour]
    start = time.monotonic()
    with pytest.raises(TontoError, match=reason) as caught:
        compute_surfaces(perovskite((38, 22, 8), 3.905), Tonto(fake, time_limit_seconds=limit))
    assert time.monotonic() - start < 600  # what hangs would for an hour
    assert type(caught.value) is kind
    assert "site A: " in str(caught.value)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, OSError) == (kind is not TontoError)  # another attempt can help
    assert processes_in(scratch) == []
    assert list(scratch.iterdir()) == []


def test_recorded_runs_played_again(
    fake: Installation,
    behave: Callable[..., Path],
    magnesium_lithium: Structure,
    shared: Path,
    thakkar: Densities,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FAKE_TONTO_SAMPLES", str(shared / "tonto/samples"))
    _, lithium, oxygen = compute_surfaces(magnesium_lithium, Tonto(fake))
    for name, surface in {"Li1": lithium, "O1": oxygen}.items():
        golden = read_golden(shared / f"tonto/golden/MgLiO3_{name}.npz")
        np.testing.assert_allclose(surface.vertices, golden["vertices"], atol=1e-6)
        np.testing.assert_array_equal(surface.triangles, golden["faces"])
        assert surface.area == pytest.approx(golden["tonto_area"], rel=1e-4)
        assert surface.volume == pytest.approx(golden["tonto_volume"], rel=1e-4)
    own = python_surfaces(magnesium_lithium, thakkar, 10)
    for surface, same in ((lithium, own[1]), (oxygen, own[2])):
        found, expected = site_contacts(surface), site_contacts(same)
        large = expected.areas > 0.01 * expected.areas.sum()
        assert found.sites[found.areas > 0.01 * found.areas.sum()].tolist() == expected.sites[large].tolist()
        shares = [one.areas[one.areas > 0.01 * one.areas.sum()] / one.areas.sum() for one in (found, expected)]
        np.testing.assert_allclose(shares[0], shares[1], atol=0.01)
        assert found.areas.sum() == pytest.approx(surface.area, rel=1e-4)
    behave(any="sample:too_close")
    with pytest.raises(TontoError, match=r"cell is too small.*search too low, h_min = "):
        compute_surfaces(magnesium_lithium, Tonto(fake))


def test_odd_bytes_and_a_child_left_behind_do_no_harm(
    fake: Installation, behave: Callable[..., Path], scratch: Path, perovskite: Callable[..., Structure]
) -> None:
    structure = perovskite((38, 22, 8), 3.905)
    behave(any="bytes")
    assert len(compute_surfaces(structure, Tonto(fake))) == 3
    told = behave(any="child_left")
    assert len(compute_surfaces(replace(structure, site_atom=structure.site_atom[:1]), Tonto(fake))) == 1
    child = int(Path(f"{told}.child").read_text())
    assert child not in processes_in(Path("/"))
    assert list(scratch.iterdir()) == []


def test_a_surface_of_an_earlier_run_is_not_taken(
    fake: Installation, behave: Callable[..., Path], perovskite: Callable[..., Structure]
) -> None:
    structure = perovskite((38, 22, 8), 3.905)
    behave(any="good")
    compute_surfaces(structure, Tonto(fake))
    behave(any="no_file")
    with pytest.raises(TontoError, match="without a surface"):
        compute_surfaces(structure, Tonto(fake))


def test_last_lines_and_scratch_are_kept(
    fake: Installation, behave: Callable[..., Path], scratch: Path, perovskite: Callable[..., Structure]
) -> None:
    behave(any="unknown_keyword")
    structure = perovskite((38, 22, 8), 3.905)
    with pytest.raises(TontoError) as caught:
        compute_surfaces(structure, Tonto(fake, keep_scratch=True))
    lines = caught.value.output.splitlines()
    assert lines[0] == "Error in MOLECULE.MAIN:process_keyword ... unknown option: create_the_cluster"
    assert "   keyword_299=" in lines
    assert len(lines) < 25
    (folder,) = scratch.iterdir()
    assert lines[-1].endswith(str(folder))
    assert {"stdin", "stdout", "crystal.cif"} <= {path.name for path in folder.iterdir()}
    behave(any="good")
    compute_surfaces(structure, Tonto(fake, keep_scratch=True))
    assert list(scratch.iterdir()) == [folder]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_outlives_the_job(
    fake: Installation, behave: Callable[..., Path], scratch: Path, number: signal.Signals
) -> None:
    told = behave(any="child")
    code = (  # where the tests run in the background, SIGINT is ignored by all that they start
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "from hirshprint.hirshfeld.tonto.installation import Installation;"
        "from hirshprint.hirshfeld.tonto.probe import probe;"
        f"import tempfile; tempfile.tempdir = {str(scratch)!r};"
        f"probe(Installation({fake.binary!r}, {fake.basis_directory!r}))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    job = subprocess.Popen([sys.executable, "-c", code], env=environment, stderr=subprocess.DEVNULL)
    child = Path(f"{told}.child")
    _until(lambda: child.exists() and bool(child.read_text()))
    assert len(processes_in(scratch)) == 2
    job.send_signal(number)
    job.wait(timeout=600)
    _until(lambda: processes_in(scratch) == [] and list(scratch.iterdir()) == [])


def _until(done: Callable[[], bool], seconds: float = 600.0) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        time.sleep(0.02)


# --- the crystal that Tonto gets, and the surface that comes back ---------------------------------------------------


def _nearest_outside(structure: Structure, surface: Surface) -> tuple[np.ndarray, np.ndarray]:
    """Distance to and atomic number of the nearest other atom for each vertex, by brute force."""
    shifts = np.indices((9, 9, 9)).reshape(3, -1).T - 4
    positions = ((structure.frac[:, None] + shifts) @ structure.lattice).reshape(-1, 3)
    numbers = np.repeat(structure.numbers, len(shifts))
    others = np.linalg.norm(positions - surface.centre, axis=1) > 0.1
    distance = np.linalg.norm(surface.vertices[:, None] - positions[others], axis=2)
    return distance.min(axis=1), numbers[others][distance.argmin(axis=1)]


@pytest.mark.parametrize("description", ["as it is", "skew", "left-handed", "turned"])
def test_surface_comes_back_in_the_frame_of_the_structure(
    fake: Installation, triclinic: Structure, description: str
) -> None:
    one = replace(triclinic, site_atom=triclinic.site_atom[:2], site_labels=("S0", "S1"))
    change, turn = np.eye(3), np.eye(3)
    if description == "skew":
        change = np.array([[1, 0, 0], [4, 1, 0], [-3, 5, 1]])
    elif description == "left-handed":
        change = np.array([[0, 1, 0], [1, 0, 0], [0, 0, 1]])
    elif description == "turned":
        turn = np.linalg.qr(np.array([[1, 2, 3], [0, 1, 4], [5, 6, 0.0]]))[0]
    given = replace(one, lattice=change @ one.lattice @ turn, frac=one.frac @ np.linalg.inv(change))
    for site, surface in enumerate(compute_surfaces(given, Tonto(fake))):
        np.testing.assert_allclose(surface.centre, given.frac[site] @ given.lattice)
        np.testing.assert_allclose(np.linalg.norm(surface.vertices - surface.centre, axis=1), surface.d_i, atol=3e-5)
        compact = replace(one, lattice=one.lattice @ turn)
        distance, numbers = _nearest_outside(
            compact,
            replace(
                surface,
                centre=compact.frac[site] @ compact.lattice,
                vertices=surface.vertices - surface.centre + compact.frac[site] @ compact.lattice,
            ),
        )
        np.testing.assert_allclose(distance, surface.d_e, atol=3e-5)
        assert (numbers == surface.outside_species).mean() > 0.999
        assert flat_area_and_volume(surface.vertices - surface.centre, surface.triangles)[1] > 0
        for nuclei, length in ((surface.inside_nuclei, surface.d_i), (surface.outside_nuclei, surface.d_e)):
            to_nuclei = np.linalg.norm(surface.vertices[:, None] - nuclei, axis=2)
            np.testing.assert_allclose(to_nuclei.min(axis=1), length, atol=3e-5)
        assert (surface.outside_numbers[to_nuclei.argmin(axis=1)] == surface.outside_species).mean() > 0.99
        outwards = (surface.vertices - surface.centre) / surface.d_i[:, None]  # the stand-in's surface is a sphere
        np.testing.assert_allclose(surface.normal, outwards, atol=1e-4)
        assert surface.level is None
        assert surface.operations.tolist() == np.eye(3)[None].tolist()
        assert surface.density_source == "thakkar"


def test_compact_cells_stay_and_others_are_reduced(crystal: Callable[..., Structure]) -> None:
    orthorhombic = crystal(np.diag([5.44, 7.64, 5.38]), [20], [[0.036, 0.25, 0.993]])
    cell = tonto_cell(orthorhombic)
    np.testing.assert_allclose(cell.basis, orthorhombic.lattice, atol=1e-12)
    np.testing.assert_allclose(cell.frac, orthorhombic.frac)
    hexagonal = crystal([[2.5, 0, 0], [-1.25, 2.5 * np.sqrt(0.75), 0], [0, 0, 6.66]], [5], [[1 / 3, 2 / 3, 0.25]])
    np.testing.assert_allclose(tonto_cell(hexagonal).basis, hexagonal.lattice, atol=1e-12)
    oblique = crystal(3.905 * np.array([[1, 0, 0], [2, 1, 0], [0, 0, 1]]), [38], [[0, 0, 0]])  # gamma = 26.6 degrees
    np.testing.assert_allclose(np.sort(np.linalg.norm(tonto_cell(oblique).basis, axis=1)), 3.905)


def test_crystal_file_says_all_and_nothing_twice(magnesium_lithium: Structure) -> None:
    text = cif_text(tonto_cell(magnesium_lithium))
    assert text.splitlines()[-5:] == [
        "Mg1 Mg 0.00000000 0.00000000 0.00000000 1.0",
        "Li2 Li 0.50000000 0.50000000 0.50000000 1.0",
        "O3 O 0.50000000 0.50000000 0.00000000 1.0",
        "O4 O 0.00000000 0.50000000 0.50000000 1.0",
        "O5 O 0.50000000 0.00000000 0.50000000 1.0",
    ]
    assert text.count("_cell_") == 6
    assert "group" not in text
    assert text.count("'x,y,z'") == 1


def test_crystals_that_tonto_would_take_wrongly_are_refused(
    fake: Installation, behave: Callable[..., Path], crystal: Callable[..., Structure]
) -> None:
    told = behave(any="good")
    for lattice, frac, reason in (
        (4 * np.eye(3), [[0, 0, 0], [0.0, 0.0, 0.1]], "nearer than 0.5"),
        (4 * np.eye(3), [[0, 0, 0], [1.0, 0.0, 0.0]], "nearer than 0.5"),
        (4 * np.eye(3), [[0, 0, 0], [0.5, np.nan, 0.5]], "not a finite number"),
        ([[4, 0, 0], [0, 4, 0], [4, 4, 0]], [[0, 0, 0], [0.5, 0.5, 0.5]], "no volume"),
    ):
        with pytest.raises(TontoError, match=reason):
            compute_surfaces(crystal(lattice, [12, 8], frac), Tonto(fake))
    assert not Path(f"{told}.calls").exists()


# --- the installation, the configuration ----------------------------------------------------------------------------


def _program(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_probe_finds_what_is_wrong(fake: Installation, tmp_path: Path, behave: Callable[..., Path]) -> None:
    identity = probe(fake)
    assert identity.version == "21.03.11"
    assert re.fullmatch(r"tonto 21\.03\.11 \([0-9a-f]{12}\)", identity.name)
    check_identity(fake, identity)
    plain = tmp_path / "plain"
    plain.write_text("no program")
    broken = tmp_path / "broken"
    broken.write_bytes(b"\x7fELF no program")
    broken.chmod(0o755)
    cases = {
        "there is no program": replace(fake, binary=str(tmp_path / "none")),
        "is not executable": replace(fake, binary=str(plain)),
        "cannot be run": replace(fake, binary=str(broken)),
        "does not answer `--version` as Tonto does .status 0, it says: hello": replace(
            fake, binary=_program(tmp_path / "other", "echo hello")
        ),
        "has no file Thakkar": replace(fake, basis_directory=str(tmp_path)),
        "no basis directory": replace(fake, basis_directory=""),
    }
    for reason, installation in cases.items():
        with pytest.raises(TontoError, match=reason) as caught:
            probe(installation)
        assert "engine: python" in explain_probe(caught.value)
        with pytest.raises(OSError, match=reason):
            check_identity(installation, identity)
    with pytest.raises(OSError, match="was probed"):
        check_identity(fake, replace(identity, binary_sha256="other"))
    wrong = _program(tmp_path / "wrong", f'"{FAKE}" "$@"; [ -e site.cxs ] && sed -i s/3.50000/3.60000/ site.cxs; true')
    with pytest.raises(TontoError, match="another cell"):
        probe(replace(fake, binary=wrong))
    behave(any="missing_basis_dir")
    with pytest.raises(TontoError, match="basis directory has no file"):
        probe(fake)


def test_densities_of_another_kind_are_noticed(fake: Installation, tmp_path: Path) -> None:
    """A surface that fits the crystal but is not the right one, as with another basis file."""
    text = FAKE.read_text().replace("0.7436 -", "0.8436 -")
    other = tmp_path / "other.py"
    other.write_text(text)
    other.chmod(0o755)
    with pytest.raises(TontoError, match="wrong surface of Li in MgLiO3: area"):
        probe(replace(fake, binary=str(other)))


def test_engine_is_chosen_once(tmp_path: Path) -> None:
    def resolved(environment: dict[str, str], **surfaces: object) -> dict[str, object]:
        config = resolve_config({"datasets": {"x": {"table": "t"}}, "surfaces": surfaces})
        return resolve_engine(config, environment)["surfaces"]

    assert resolved({})["engine"] == "python"
    basis = tmp_path / "share/tonto/basis_sets"
    basis.mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    binary = _program(tmp_path / "bin/tonto", "true")
    chosen = resolved({"HIRSHPRINT_TONTO": binary})
    assert chosen["engine"] == "tonto"
    assert chosen["tonto"]["binary"] == binary
    assert chosen["tonto"]["basis_directory"] == str(basis)
    other = resolved({"HIRSHPRINT_TONTO": binary, "TONTO_BASIS_SET_DIRECTORY": "/b"}, tonto={"binary": "/t"})
    assert (other["tonto"]["binary"], other["tonto"]["basis_directory"]) == ("/t", "/b")
    assert resolved({"HIRSHPRINT_TONTO": binary}, engine="python")["engine"] == "python"
    assert "HIRSHPRINT_TONTO" not in str(resolved({"HIRSHPRINT_TONTO": binary}, engine="python"))
    with pytest.raises(ConfigError, match="engine: python"):
        resolved({}, engine="tonto")
    with pytest.raises(ConfigError, match="compare_structures"):
        resolved({}, compare_structures=3)


def test_densities_that_are_not_tontos() -> None:
    def resolved(engine: str) -> str:
        config = resolve_config({"datasets": {"x": {"table": "t"}}, "densities": "x2c", "surfaces": {"engine": engine}})
        return str(resolve_engine(config, {"HIRSHPRINT_TONTO": "/t"})["surfaces"]["engine"])

    assert resolved("auto") == "python"
    with pytest.raises(ConfigError, match="densities: thakkar"):
        resolved("tonto")


# --- batches --------------------------------------------------------------------------------------------------------


@pytest.fixture
def batch(
    fake: Installation, tmp_path: Path, perovskite: Callable[..., Structure]
) -> Callable[..., dict[str, dict[str, object]]]:
    """Run a batch of CaTiO3, SrTiO3 and BaTiO3 with the stand-in."""
    limit = {"time_limit_seconds": 6.0}  # that a good one needs on no machine, however busy
    settings = model.Tonto.from_dict({"binary": fake.binary, "basis_directory": fake.basis_directory} | limit)
    record = {"version": "21.03.11", **fake.checksums()}
    named = {20: "CaTiO3", 38: "SrTiO3", 56: "BaTiO3"}

    def run(attempt: int = 3, **changes: Any) -> dict[str, dict[str, object]]:
        engine = tonto_engine(replace(settings, **changes), record)
        structures = [
            replace(perovskite((z, 22, 8), 4.0), structure_id=name, site_atom=np.array([0]))
            for z, name in named.items()
        ]
        kept, out = tmp_path / "cache/engine/small/batch.npz", tmp_path / "out.npz"
        return run_batch(structures, engine, Binning(default_fingerprint()), kept, out, attempt, 3)

    return run


def test_batch_keeps_the_good_and_remembers_the_bad(
    batch: Callable[..., dict[str, dict[str, object]]], behave: Callable[..., Path], tmp_path: Path
) -> None:
    told = behave(CaTiO3="atom_not_in_cell", BaTiO3="hang")
    with pytest.raises(TontoTimeoutError):
        batch(attempt=1)
    assert not (tmp_path / "out.npz").exists()
    status = batch(attempt=3)
    assert (read_cpu_seconds(tmp_path / "out.npz") or 0) > time.process_time()  # with that of the stand-in
    calls = Path(f"{told}.calls")
    assert calls.read_text().split("\n")[:-1] == [
        "CaTiO3 Ca1 atom_not_in_cell",
        "SrTiO3 Sr1 good",
        "BaTiO3 Ba1 hang",
        "BaTiO3 Ba1 hang",  # the time-out had further attempts, and nothing else was run again
    ]
    assert {name: record["status"] for name, record in status.items()} == {
        "CaTiO3": "failed",
        "SrTiO3": "ok",
        "BaTiO3": "failed",
    }
    assert "not on a site" in str(status["CaTiO3"]["reason"])
    assert "Error in CRYSTAL" in str(status["CaTiO3"]["output"])
    assert "had not ended after 6 s" in str(status["BaTiO3"]["reason"])
    calls.unlink()
    assert batch(attempt=1)["BaTiO3"]["reason"] == status["BaTiO3"]["reason"]
    assert not calls.exists()
    behave(BaTiO3="slow:6.5")
    again = batch(attempt=1, time_limit_seconds=60.0)
    assert {name: record["status"] for name, record in again.items()} == dict.fromkeys(status, "ok")
    assert again["SrTiO3"]["reused"]


def test_what_the_machine_did_is_not_remembered(
    batch: Callable[..., dict[str, dict[str, object]]], behave: Callable[..., Path]
) -> None:
    behave(SrTiO3="killed")
    assert "killed by signal 9" in str(batch(attempt=3)["SrTiO3"]["reason"])
    behave(any="good")
    assert batch(attempt=1)["SrTiO3"]["status"] == "ok"


def test_a_full_disk_is_called_so_and_blamed_on_no_structure(
    batch: Callable[..., dict[str, dict[str, object]]],
    behave: Callable[..., Path],
    fake: Installation,
    small_disk: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Tonto on a full disk says nothing and ends well; so does the stand-in. Room made, the same job goes well."""
    behave(any="short")
    monkeypatch.setattr(tempfile, "tempdir", str(small_disk))
    filler = small_disk / "filler"
    words = f"the disk of {small_disk} is full"
    for pages in (5, 1, 0):  # the surface does not fit; the crystal's file does not; nothing does
        filler.write_bytes(b"")
        filler.write_bytes(bytes(shutil.disk_usage(small_disk).free - 4096 * pages))
        with pytest.raises(TontoDiskFullError, match=words):
            batch(attempt=3)
        with pytest.raises(TontoDiskFullError, match=words) as caught:
            probe(fake)
        assert "surfaces.tonto.binary" not in explain_probe(caught.value)
        assert words in explain_probe(caught.value)
        assert list(small_disk.iterdir()) == [filler]
    assert not (tmp_path / "out.npz").exists()
    filler.unlink()
    assert {record["status"] for record in batch(attempt=1).values()} == {"ok"}


def test_another_tonto_on_the_node_fails_the_job(batch: Callable[..., object], tmp_path: Path) -> None:
    other = tmp_path / "other.py"
    other.write_text(FAKE.read_text() + "\n# another build\n")
    other.chmod(0o755)
    with pytest.raises(OSError, match="was probed"):
        batch(binary=str(other))


# --- a real Tonto ---------------------------------------------------------------------------------------------------


def test_real_tonto_passes_the_probe(tonto: Tonto) -> None:
    assert re.fullmatch(r"\d\d\.\d\d\.\d\d", read_version(tonto.installation))
    probe(tonto.installation)


@pytest.mark.parametrize("name", GOLDEN)
def test_real_tonto_makes_the_golden_surfaces(tonto: Tonto, shared: Path, scratch: Path, name: str) -> None:
    from hirshprint.structures.reading import read_crystal

    surfaces = compute_surfaces(read_crystal(shared / f"tonto/golden/{name}.cif", name), tonto)
    golden = [read_golden(path) for path in (shared / "tonto/golden").glob(f"{name}_*.npz")]
    assert len(surfaces) == len(golden)
    for surface in surfaces:
        (right,) = (g for g in golden if np.abs(g["site_cart"] - surface.centre).max() < 1e-4)
        assert len(surface.vertices) == len(right["vertices"])
        np.testing.assert_allclose(surface.vertices, right["vertices"], atol=2e-5)
        np.testing.assert_array_equal(surface.triangles, right["faces"])
        np.testing.assert_allclose(surface.d_i, right["d_i"], atol=2e-5)
        np.testing.assert_allclose(surface.d_e, right["d_e"], atol=2e-5)
        corners = surface.normal[surface.triangles].sum(axis=1)
        a, b, c = np.moveaxis(surface.vertices[surface.triangles], 1, 0)
        assert (np.einsum("ij,ij->i", corners, np.cross(b - a, c - a)) > 0).mean() > 0.99
        assert (surface.outside_species == right["vertex_ext_Z"]).mean() > 0.98  # the others are exact ties
        assert surface.multiplicity == right["site_multiplicity"]
        assert surface.area == pytest.approx(right["tonto_area"], rel=1e-4)
        assert surface.volume == pytest.approx(right["tonto_volume"], rel=1e-4)
    assert list(scratch.iterdir()) == []


def test_real_tonto_and_a_very_oblique_cell(tonto: Tonto, scratch: Path, perovskite: Callable[..., Structure]) -> None:
    """Given as it is, this cell makes Tonto leave out neighbours without a word."""
    plain = perovskite((38, 22, 8), 3.905)
    change = np.array([[1, 0, 0], [2, 1, 0], [0, 0, 1]])
    oblique = replace(plain, lattice=change @ plain.lattice, frac=plain.frac @ np.linalg.inv(change))
    one, other = (
        compute_surfaces(replace(s, site_atom=np.array([1]), site_labels=("B",)), tonto)[0] for s in (plain, oblique)
    )
    assert one.d_i.max() == pytest.approx(other.d_i.max(), abs=1e-4)
    np.testing.assert_allclose(np.sort(one.d_e), np.sort(other.d_e), atol=1e-4)


def test_all_fields_of_a_surface_are_there(fake: Installation, perovskite: Callable[..., Structure]) -> None:
    structure = perovskite((38, 22, 8), 3.905)
    for surface in compute_surfaces(structure, Tonto(fake, engine="tonto x")):
        assert surface.engine == "tonto x"
        assert [field.name for field in fields(surface) if getattr(surface, field.name) is None] == ["level"]
        assert surface.inside_species.dtype == surface.outside_species.dtype == np.uint8
        assert (surface.inside_species == surface.inside_number).all()
        area, volume = flat_area_and_volume(surface.vertices - surface.centre, surface.triangles)
        assert surface.area == pytest.approx(area)
        assert surface.volume == pytest.approx(volume)
