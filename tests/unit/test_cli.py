"""The command line: its help, its files, its messages and exit codes."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from hirshprint import cli
from hirshprint.api import densities as own_densities
from hirshprint.commands import CommandError, surface
from hirshprint.commands.arguments import parser
from hirshprint.commands.inputs import default_fingerprint, find_densities, read_input
from hirshprint.files.reading import seal_hdf5
from hirshprint.hirshfeld.python.engine import compute_surfaces
from hirshprint.hirshfeld.ridges import refined_surfaces

ROOT = Path(__file__).parents[2]
COMMANDS = ("init", "surface", "fingerprint", "compare", "check", "predict", "recover", "status")
CIF = """data_SrTiO3
_cell_length_a {a}
_cell_length_b 3.905
_cell_length_c 3.905
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'P 1'
loop_
_symmetry_equiv_pos_as_xyz
 'x,y,z'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Sr1 Sr 0 0 0
Ti1 Ti 0.5 0.5 0.5
O3 O 0.5 0.5 0
O4 O 0.5 0 0.5
O5 O 0 0.5 0.5
"""


@pytest.fixture
def densities(densities_file: Callable[[str], Path]) -> list[str]:
    return ["--densities", str(densities_file("thakkar"))]


@pytest.fixture
def cif(tmp_path: Path) -> Path:
    path = tmp_path / "SrTiO3.cif"
    path.write_text(CIF.format(a=3.905))
    return path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def call(*words: object) -> tuple[int, str, str]:
        try:
            code = cli.main([str(word) for word in words])
        except SystemExit as error:
            code = int(error.code or 0)
        streams = capsys.readouterr()
        return code, streams.out, streams.err

    return call


# --- help ---------------------------------------------------------------------------------------------------------


def test_import_is_light() -> None:
    code = "import sys, hirshprint.cli; print(sorted({m.split('.')[0] for m in sys.modules} & set(sys.argv[1:])))"
    heavy = ["numpy", "h5py", "pymatgen", "numba", "matplotlib", "pyvista", "pandas", "yaml"]
    done = subprocess.run([sys.executable, "-c", code, *heavy], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_has_examples_that_work(command: str, run: Callable[..., tuple[int, str, str]]) -> None:
    code, out, _ = run(*filter(None, [command]), "--help")
    assert code == 0
    examples = re.findall(r"^  hirshprint (.*)$", out.split("examples:")[1], re.MULTILINE)
    assert examples
    for example in examples:
        words = shlex.split(re.split(r"\s{3,}", example)[0])  # the rest says what it does
        assert parser().parse_args(words).command in COMMANDS


def test_module_runs_as_a_program(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hirshprint.cli", "surface", "nothing.cif", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 2
    assert done.stderr == "hirshprint surface: nothing.cif: there is no such file\n"


def test_status_of_a_configuration_of_several_files(run: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    rows = [f"Sr{b}O3,4" for b in ("Ti", "Zr", "Hf", "Fe", "Co", "Nb")]
    (tmp_path / "t.csv").write_text("\n".join(["formula,a_angstrom", *rows]) + "\n")
    (tmp_path / "first.yaml").write_text("learning: {folds: 7}\ndatasets: {given: {table: '{path?}'}}\n")
    (tmp_path / "second.yaml").write_text("datasets: {mine: {table: t.csv}}\n")
    files = ("--configfile", tmp_path / "first.yaml", tmp_path / "second.yaml")
    with contextlib.chdir(tmp_path):
        code, out, _ = run("status", *files, "--config", "path=t.csv", "--json")
        _, plain, _ = run("status", *files)
    assert code == 0
    found = json.loads(out)
    assert {name: of["counts"]["new"] for name, of in found["datasets"].items()} == {"mine": 6, "given": 6}
    assert "dataset 'mine' has 6 groups of compounds, too few for 7 folds" in found["next_run"]["fault"]
    assert "given" not in plain


def test_status_ends_quietly_where_nobody_reads_on(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("formula,a_angstrom\n" + "Xx,4\n" * 20)
    (tmp_path / "c.yaml").write_text("datasets: {one: {table: t.csv}}\n")
    command = [sys.executable, "-m", "hirshprint.cli", "status", "--configfile", "c.yaml"]
    reading, writing = os.pipe()
    os.close(reading)
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False, cwd=tmp_path, env=environment)
    os.close(writing)
    assert done.stderr == b""
    assert done.returncode == 0


def test_remarks_on_a_file_are_lines_on_stderr(
    run: Callable[..., tuple[int, str, str]], cif: Path, densities: list[str], tmp_path: Path
) -> None:
    symmetry = "_symmetry_space_group_name_H-M 'P 1'\nloop_\n_symmetry_equiv_pos_as_xyz\n 'x,y,z'\n"
    cif.write_text(CIF.format(a=3.905).replace(symmetry, ""))
    line = f"remark: no symmetry is given: P 1 is assumed ({cif})\n"
    code, out, err = run("fingerprint", cif, *densities, "--out", tmp_path / "f.h5")
    assert (code, err) == (0, line)
    assert "taken as" not in out
    assert run("compare", tmp_path / "f.h5", cif, *densities)[::2] == (0, line)
    assert run("compare", tmp_path / "f.h5", "SrTiO3", *densities)[::2] == (0, "")


# --- what cannot be done ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "edge", "reason"),
    [
        ("missing.cif", 4.5, "there is no such file"),
        ("folder/POSCAR", 4.5, "there is no such file"),
        (".", 4.5, "is a folder"),
        ("Sr2TiO4", 4.5, "neither a file nor a formula ABX3"),
        ("SrTiQ3", 4.5, "unknown element 'Q'"),
        ("SrTiRf3", 4.5, "no free-atom density"),
        ("SrOO3", 4.5, "the same element, O"),
        ("SrTiO3", 0.9, "0.45 Å apart"),
    ],
)
def test_no_structure(
    text: str, edge: float, reason: str, run: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    code, out, err = run("surface", text, "--edge", edge, "--out", tmp_path / "out")
    assert code == 2
    assert out == ""
    assert err.startswith(f"hirshprint surface: {text}")
    assert reason in err
    assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("contents", "reason", "remedy"),
    [
        ("", "the file is empty", "write the crystal to it again"),
        (CIF.format(a=3.905)[:-6], "cannot be read", "correct it, or write it again"),
        (CIF.format(a=3.905) + "O6 O 0.5 0.5 0.05\n", "atoms overlap", "delete the duplicate"),
    ],
)
def test_bad_file(contents: str, reason: str, remedy: str, run: Callable[..., tuple[int, str, str]], cif: Path) -> None:
    cif.write_text(contents)
    code, _, err = run("fingerprint", cif, "--out", cif.with_suffix(".h5"))
    assert code == 1
    assert reason in err
    assert remedy in err
    assert err.count("\n") == 1
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["surface", "SrTiO3"], "--out"),
        (["surface", "SrTiO3", "--out", "x", "--edge", "long"], "long is no length in Å"),
        (["surface", "SrTiO3", "--out", "x", "--edge", "-1"], "is no length in Å"),
        (["fingerprint", "SrTiO3", "--out", "x", "--picture", "x.gif"], "name a .png, .pdf or .svg file"),
        (["surfaces"], "invalid choice"),
    ],
)
def test_mistakes_on_the_command_line(words: list[str], reason: str, run: Callable[..., tuple[int, str, str]]) -> None:
    code, _, err = run(*words)
    assert code == 2
    assert reason in err


def test_folder_that_cannot_be_written(
    run: Callable[..., tuple[int, str, str]], densities: list[str], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    code, _, err = run("surface", "SrTiO3", "--out", tmp_path / "file", *densities)
    assert code == 1
    assert str(tmp_path / "file") in err
    assert err.count("\n") == 1


# --- one of many, and all of them ----------------------------------------------------------------------------------


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Three records: a rock salt whose id has a colon, one that is cut off, a perovskite with an id of no kind."""
    salt = {"id": "mp:1", "cell": [4.2, 4.2, 4.2, 90, 90, 90], "sp": ["Mg", "O"], "frac": [[0, 0, 0], [0.5, 0.5, 0.5]]}
    path = tmp_path / "many.jsonl"
    path.write_text(json.dumps(salt) + '\n{"id": "b", "cell": [4.2,\n' + json.dumps(salt | {"id": "c", "pbc": False}))
    return path


def test_one_of_many_crystals(many: Path, tmp_path: Path) -> None:
    one = read_input(f"{many}:mp:1", 4.5)
    assert (one.structure_id, one.numbers.tolist()) == ("mp:1", [12, 8])
    for text, reason, code in (
        (f"{many}", "has 3 crystals; name one as .*many.jsonl:mp:1 .ids: mp:1, b, c.$", 2),
        (f"{many}:x", "has no crystal x among its 3; name one", 2),
        (f"{many}:b", "many.jsonl:b: it is cut off at its end; complete it", 1),
        (f"{many}:c", "many.jsonl:c: it does not repeat in three directions", 1),
        (f"{many}x:b", "there is no such file", 2),
    ):
        with pytest.raises(CommandError, match=reason) as error:
            read_input(text, 4.5)
        assert error.value.code == code
    many.write_text(many.read_text().replace('"id": "c"', '"id": "mp:1"'))
    with pytest.raises(CommandError, match="2 records have the id mp:1"):
        read_input(f"{many}:mp:1", 4.5)
    alone = tmp_path / "alone.json"
    alone.write_text(many.read_text().splitlines()[0])
    assert read_input(str(alone), 4.5).structure_id == "mp:1"
    alone.write_text(f"[{alone.read_text()}]")
    assert read_input(str(alone), 4.5).structure_id == "mp:1"
    alone.write_text('{"a": {"b": 1}, "c": 2}')
    with pytest.raises(CommandError, match="it is not a pymatgen Structure but JSON with the keys a, c"):
        read_input(str(alone), 4.5)
    frame = '2\nLattice="4 0 0 0 4 0 0 0 4" id={}\nMg 0 0 0\nO 2 2 2\n'
    frames = tmp_path / "frames.xyz"
    frames.write_text(frame.format("a") + frame.format("b"))
    assert read_input(f"{frames}:b", 4.5).structure_id == "b"
    with pytest.raises(CommandError, match="has 2 crystals"):
        read_input(str(frames), 4.5)
    frames.write_text(frame.format("a"))
    assert read_input(str(frames), 4.5).structure_id == "frames"
    with pytest.raises(CommandError, match="no file of many crystals"):
        read_input(f"{_written(tmp_path / 'x.cif', CIF.format(a=3.905))}:x", 4.5)


def _written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_check(run: Callable[..., tuple[int, str, str]], many: Path, cif: Path, tmp_path: Path) -> None:
    folder, table = tmp_path / "folder", tmp_path / "read.csv"
    folder.mkdir()
    code, out, err = run("check", cif)
    assert (code, err) == (0, "")
    assert out == f"{cif}  SrTiO3  space group Pm-3m (221)  5 atoms  shortest distance Ti-O 1.952 Å\n"
    _written(folder / "bare.cif", CIF.format(a=3.905).replace("_symmetry_space_group_name_H-M 'P 1'\n", ""))
    _written(folder / "P1.cif", CIF.format(a=4.0).replace("loop_\n_symmetry_equiv_pos_as_xyz\n 'x,y,z'\n", "", 1))
    _written(folder / "long.cif", CIF.format(a="3,9"))
    _written(folder / "notes.txt", "")
    code, out, err = run("check", folder, cif, many, "--csv", table)
    assert code == 1
    assert err == "hirshprint check: 3 of 7 cannot be used\n"
    assert f"rejected {folder / 'long.cif'}: _cell_length_a is 3,9; write it with a decimal point: 3.9\n" in out
    assert f"rejected {many} line 2: it is cut off at its end; complete it, or delete it\n" in out
    assert "1 file was skipped" in out
    assert "notes.txt" in out
    with table.open(encoding="utf-8") as file:
        rows = {row["structure_id"]: row for row in csv.DictReader(file)}
    assert {name: row["state"] for name, row in rows.items()} == {
        str(cif): "ok", "bare": "ok", "P1": "ok", "long": "rejected", "mp:1": "ok", "b": "rejected", "c": "rejected"
    }  # fmt: skip
    assert rows["P1"]["space_group"] == "P4/mmm"
    assert (rows["mp:1"]["formula_units"], rows["mp:1"]["shortest_distance_between"]) == ("1", "Mg-O")
    assert float(rows["mp:1"]["shortest_distance_angstrom"]) == pytest.approx(4.2 * 0.75**0.5, abs=1e-4)
    assert run("check", tmp_path / "nothing")[0] == 2


def test_remarks_are_shown_by_check(run: Callable[..., tuple[int, str, str]], cif: Path) -> None:
    symmetry = "_symmetry_space_group_name_H-M 'P 1'\nloop_\n_symmetry_equiv_pos_as_xyz\n 'x,y,z'\n"
    cif.write_text(CIF.format(a=3.905).replace(symmetry, ""))
    code, out, _ = run("check", cif)
    assert code == 0
    assert out.endswith("\n  remark: no symmetry is given: P 1 is assumed\n")


# --- densities ----------------------------------------------------------------------------------------------------


def test_densities_are_looked_for_then_made(
    densities_file: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert find_densities("thakkar").source == "thakkar"  # made
    made = list((tmp_path / "cache").rglob("*.h5"))
    assert [path.name for path in made] == ["thakkar-1.h5"]
    monkeypatch.setattr(own_densities, "OWN_PYTHON", tmp_path / "none")  # nothing to make one with
    monkeypatch.setattr(own_densities, "find_spec", lambda name: None)
    assert find_densities("thakkar").source == "thakkar"  # from the cache
    with pytest.raises(CommandError, match=r"make env.*snakemake results/densities/x2c.h5"):
        find_densities("x2c")
    here = tmp_path / "results" / "densities" / "x2c.h5"
    here.parent.mkdir(parents=True)
    here.write_bytes(densities_file("x2c").read_bytes())
    assert find_densities("x2c").source == "x2c"
    with pytest.raises(CommandError, match="no such file") as error:
        find_densities("other.h5")
    assert error.value.code == 2
    here.write_text("no HDF5")
    with pytest.raises(CommandError, match="is not a file of free-atom densities"):
        find_densities("x2c")


# --- surface ------------------------------------------------------------------------------------------------------


def test_surface(
    run: Callable[..., tuple[int, str, str]],
    cif: Path,
    densities: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where the renderer dies: the files are there, the reason is given, an old picture is not left behind."""
    monkeypatch.setattr(surface, "FINE", 12)
    monkeypatch.setattr(surface, "COARSE", 12)
    (tmp_path / "fake").mkdir()
    (tmp_path / "fake" / "pyvista.py").write_text("import os\nos.abort()\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "fake"))
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "surfaces.png").write_text("of an earlier call")
    code, out, err = run("surface", cif, "--out", folder, *densities)
    assert code == 0
    assert "no picture" in err
    assert "apt-get install libegl1" in err
    assert err.count("\n") == 1
    assert out.splitlines()[0] == (
        "SrTiO3, 1 formula unit in the cell (a 3.905, b 3.905, c 3.905 Å, 90 90 90°), space group Pm-3m (221), "
        "5 atoms, 3 distinct sites; shortest distance Ti-O 1.952 Å"
    )
    sites = {"Sr1": 1, "Ti1": 1, "O3": 3}  # labels of the CIF
    assert {path.name for path in folder.iterdir()} == {
        "sites.csv",
        "contacts.csv",
        "contacts.png",
        *(f"{site}.{suffix}" for site in sites for suffix in ("vtp", "ply", "gltf")),
    }
    with (folder / "sites.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["site"]: int(row["multiplicity"]) for row in rows} == sites
    for row, element in zip(rows, ("Sr", "Ti", "O"), strict=True):
        assert row["element"] == element
        assert sum(float(row[f"contact_{z}"]) for z in ("O", "Ti", "Sr")) == pytest.approx(1, abs=1e-5)
        assert 0.9 < float(row["sphericity"]) < 1
    assert float(rows[0]["area_angstrom2"]) == pytest.approx(28.377, abs=0.01)
    assert float(rows[0]["contact_O"]) == 1
    with (folder / "contacts.csv").open(encoding="utf-8") as file:
        contacts = [(r["site"], r["atoms"], r["met_site"], float(r["share"])) for r in csv.DictReader(file)]
    assert contacts[:2] == [("Sr1", "12", "O3", 1.0), ("Ti1", "6", "O3", 1.0)]
    assert [(atoms, met) for _, atoms, met, _ in contacts[2:]] == [("2", "Ti1"), ("4", "Sr1"), ("8", "O3")]
    assert sum(share for *_, share in contacts[2:]) == pytest.approx(1, abs=1e-5)
    assert "O3 meets 2 Ti1 at 1.952 Å (50.5%), 4 Sr1 at 2.761 Å (32.4%), 8 O3 at 2.761 Å (17.1%)" in out


def test_a_used_folder_is_cleared_of_what_surface_wrote(tmp_path: Path) -> None:
    meshes = {f"{site}{suffix}" for site in ("Ti1", "O(1)") for suffix in (".vtp", ".ply", ".gltf")}
    for name in (*meshes, "Ti2.vtp", "notes.txt", "x.vtp"):
        (tmp_path / name).write_text("")
    table = tmp_path / "sites.csv"
    pictures = [tmp_path / "surfaces.png", tmp_path / "contacts.png"]
    assert surface._earlier_files(tmp_path) == pictures  # no table: nothing is known of the meshes
    table.write_text("site,element,multiplicity,sphericity,mesh_level\nTi1,Ti,1,1,48\nO(1),O,3,1,48\n../x,O,3,1,48\n")
    names = {str(path.relative_to(tmp_path)) for path in surface._earlier_files(tmp_path)}
    assert names == {*meshes, "sites.csv", "contacts.csv", "contacts.png", "surfaces.png"}
    table.write_text("site,element,atoms,anion\nA,Sr,1,no\n")
    with pytest.raises(CommandError, match="of something else; name another folder"):
        surface._earlier_files(tmp_path)


def test_isosurfaces_are_not_refined(densities: list[str]) -> None:
    structure, table = read_input("SrTiO3", 3.905), find_densities(densities[1])
    one, two, three = compute_surfaces(structure, table, 4)
    two = replace(two, level=None)
    refined = refined_surfaces(structure, table, [one, two, three], 8)
    assert [(s.site_label, s.level) for s in refined] == [("A", 8), ("B", None), ("X", 8)]
    assert refined[1] is two


def test_site_labels_may_name_files(cif: Path) -> None:
    def labels(o: str) -> tuple[str, ...]:
        cif.write_text(CIF.format(a=3.905).replace("O3 O", f"{o} O"))
        return read_input(str(cif), 4.5).site_labels

    assert labels("O(1)") == ("Sr1", "Ti1", "O(1)")
    assert labels("../O") == ("Sr1", "Ti1", "O1")
    assert labels("Ti1") == ("Sr1", "Ti1", "O1")


# --- fingerprint --------------------------------------------------------------------------------------------------


def test_fingerprint(run: Callable[..., tuple[int, str, str]], cif: Path, densities: list[str], tmp_path: Path) -> None:
    out, picture = tmp_path / "f.h5", tmp_path / "f.png"
    code, printed, err = run("fingerprint", cif, "--out", out, "--picture", picture, *densities)
    assert (code, err) == (0, "")
    shares = [float(share) for share in re.findall(r"→ \w+ +([\d.]+) %", printed)]
    assert sum(shares) == pytest.approx(100, abs=0.03)
    assert shares == sorted(shares, reverse=True)
    assert picture.read_bytes().startswith(b"\x89PNG")
    surfaces = compute_surfaces(read_input(str(cif), 4.5), find_densities(densities[1]))
    with h5py.File(out) as file:
        assert [x.decode() for x in file["ids"]] == ["SrTiO3"]
        channels = [x.decode() for x in file["channels"]]
        assert channels == ["total", "Sr1", "Ti1", "O3", "anion", "cation"]
        counts = file["counts"][0].astype(np.float64)
        assert file.attrs["weighting"] == "area"
        assert file.attrs["density_source"] == "thakkar"
    np.testing.assert_allclose(counts[0], counts[1:4].sum(axis=0), atol=1e-5)
    np.testing.assert_allclose(counts[0], counts[4:].sum(axis=0), atol=1e-5)
    area = sum(surface.multiplicity * surface.area for surface in surfaces)
    assert counts[0].sum() == pytest.approx(area, rel=1e-5)


# --- compare ------------------------------------------------------------------------------------------------------


def values(printed: str) -> tuple[float, float]:
    l1, movers = (re.search(rf"{name} +([\d.]+)", printed) for name in ("L1 distance", "earth mover's distance"))
    assert l1
    assert movers
    return float(l1[1]), float(movers[1])


def test_compare(run: Callable[..., tuple[int, str, str]], cif: Path, densities: list[str], tmp_path: Path) -> None:
    out, picture = tmp_path / "f.h5", tmp_path / "d.png"
    assert run("fingerprint", "SrTiO3", "--edge", 3.905, "--out", out, "--weighting", "paper", *densities)[0] == 0
    code, same, _ = run("compare", out, cif, *densities)  # takes the file's weighting
    assert code == 0
    assert values(same) == (0, 0)
    code, other, err = run("compare", cif, "BaTiO3", "--edge", 3.905, "--picture", picture, *densities)
    assert (code, err) == (0, "")
    l1, movers = values(other)
    assert 0.1 < l1 < 2
    assert 0.001 < movers < 0.3
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_compare_names_one_of_several_structures(
    run: Callable[..., tuple[int, str, str]], densities: list[str], tmp_path: Path
) -> None:
    from hirshprint.batch.gathering import write_fingerprints

    table = find_densities(densities[1])
    both = {name: compute_surfaces(read_input(name, 4.0), table, 4) for name in ("SrTiO3", "BaTiO3")}
    path = tmp_path / "f.h5"
    write_fingerprints(both, default_fingerprint(), path, "digest", ("A", "B", "X"))
    code, out, _ = run("compare", f"{path}:SrTiO3", f"{path}:BaTiO3")  # needs no densities
    assert code == 0
    assert values(out)[0] > 0.1
    for words, reason in (
        ((path, "SrTiO3"), "has 2 structures; name one"),
        ((f"{path}:CaTiO3", "SrTiO3"), "has no structure CaTiO3"),
        ((tmp_path / "none.h5", "SrTiO3"), "there is no such file"),
    ):
        code, _, err = run("compare", *words)
        assert code == 2
        assert reason in err
        assert err.count("\n") == 1
    path.write_text("no HDF5")
    code, _, err = run("compare", path, "SrTiO3")
    assert code == 1
    assert "is not a fingerprint file" in err


def test_compare_refuses_what_cannot_be_compared(
    run: Callable[..., tuple[int, str, str]], densities: list[str], tmp_path: Path
) -> None:
    for weighting in ("area", "paper"):
        words = ["--out", tmp_path / f"{weighting}.h5", "--weighting", weighting, *densities]
        assert run("fingerprint", "SrTiO3", *words)[0] == 0
    code, _, err = run("compare", tmp_path / "area.h5", tmp_path / "paper.h5")
    assert code == 1
    assert "weighted by `area`" in err
    zeros, edges = np.zeros(file_shape(tmp_path / "area.h5"), np.float32), np.linspace(0.5, 3.0, 51)
    for reason, name, values in (
        ("have different bins", "bin_edges_angstrom", edges),
        ("has no channel `total`", "channels", "sum"),
        ("within the bins", "counts", zeros),
    ):
        other = tmp_path / "other.h5"
        shutil.copy(tmp_path / "area.h5", other)
        with h5py.File(other, "r+") as file:
            file[name][...] = values
        code, _, err = run("compare", tmp_path / "area.h5", other)
        assert "is damaged (it is cut short, or its content was changed)" in err
        seal_hdf5(other)
        code, _, err = run("compare", tmp_path / "area.h5", other)
        assert code == 1
        assert reason in err


def file_shape(path: Path) -> tuple[int, ...]:
    with h5py.File(path) as file:
        shape: tuple[int, ...] = file["counts"].shape
    return shape
