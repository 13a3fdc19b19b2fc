"""Crystals by pymatgen: prototypes, files, symmetry and rejected input."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pymatgen.core import Lattice
from pymatgen.core import Structure as Crystal
from written_settings import build_structures, make_structures, plan_dataset

from hirshprint.structures.crystals import CrystalError, crystal_structure, of_pymatgen, reduced_formula
from hirshprint.structures.placed import cubic_perovskite
from hirshprint.structures.reading import read_crystal
from hirshprint.structures.structure import read_structures, write_structures
from hirshprint.structures.summary import crystal_facts, summary_line

CIF = """data_x
_cell_length_a {a}
_cell_length_b 4.0
_cell_length_c 4.0
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
loop_
_symmetry_equiv_pos_as_xyz
 'x,y,z'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
{atoms}
"""
ATOMS = "Cs1 Cs 0 0 0 1\nCl1 Cl 0.5 0.5 0.5 1"


def _file(folder: Path, text: str, name: str = "x.cif") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_cubic_perovskite() -> None:
    structure = cubic_perovskite(("Sr", "Ti", "O"), 3.905, "SrTiO3-a3.90500")
    assert structure.site_labels == ("A", "B", "X")
    assert list(structure.multiplicity) == [1, 1, 3]
    assert [len(operations) for operations in structure.site_operations] == [48, 48, 16]
    assert all((operations[0] == np.eye(3)).all() for operations in structure.site_operations)
    assert list(structure.numbers) == [38, 22, 8, 8, 8]
    b_to_x = (structure.frac[2:] - structure.frac[1]) @ structure.lattice
    assert np.allclose(np.linalg.norm(b_to_x, axis=1), 3.905 / 2)


def test_operations_of_x_keep_the_b_x_b_axis() -> None:
    for operation in cubic_perovskite(("Sr", "Ti", "O"), 4.0, "s").site_operations[2]:
        assert np.allclose(np.abs(operation @ [0, 0, 1]), [0, 0, 1])


@pytest.mark.parametrize("scale", [(1, 1, 1), (2, 1, 1), (2, 2, 2)])
def test_supercell_keeps_the_distinct_sites(scale: tuple[int, int, int]) -> None:
    crystal = Crystal.from_spacegroup(
        "P4_2/mnm", Lattice.tetragonal(4.594, 2.959), ["Ti", "O"], [[0, 0, 0], [0.305, 0.305, 0]]
    )
    crystal.make_supercell(scale)
    structure = crystal_structure(of_pymatgen(crystal), "rutile")
    assert structure.site_labels == ("Ti1", "O1")
    assert list(structure.multiplicity) == [2 * np.prod(scale), 4 * np.prod(scale)]
    assert structure.formula_units == 2 * np.prod(scale)
    expected = {False: 8, True: 4}  # mmm and m2m
    if scale != (2, 1, 1):  # a cell that is not tetragonal cannot write its diagonal mirrors as integers
        assert [len(o) for o in structure.site_operations] == [expected[False], expected[True]]


@pytest.mark.parametrize("group", ["Fm-3m", "P6_3/mmc", "R-3c", "Pnma", "P-1"])
def test_site_operations_leave_the_crystal_in_place(group: str) -> None:
    lattice = {
        "Fm-3m": Lattice.cubic(14.0),
        "P6_3/mmc": Lattice.hexagonal(12.0, 9.0),
        "R-3c": Lattice.hexagonal(9.0, 17.0),
        "Pnma": Lattice.orthorhombic(5.4, 7.6, 5.3),
        "P-1": Lattice.from_parameters(5, 6, 7, 80, 95, 103),
    }[group]
    crystal = Crystal.from_spacegroup(group, lattice, ["Na", "Cl"], [[0, 0, 0], [0.33, 0.14, 0.06]])
    structure = crystal_structure(of_pymatgen(crystal), group)
    assert structure.multiplicity.sum() == len(structure.numbers)
    for atom, operations in zip(structure.site_atom, structure.site_operations, strict=True):
        offsets = structure.frac - structure.frac[atom]
        for operation in operations:
            moved = offsets @ operation.T
            difference = moved[:, None] - offsets[None]
            difference -= np.round(difference)
            hits = np.linalg.norm(difference @ structure.lattice, axis=2) < 1e-3
            assert (hits.sum(axis=1) == 1).all()
            assert (structure.numbers[hits.argmax(axis=1)] == structure.numbers).all()


def test_standard_orientation_keeps_lengths_angles_and_handedness() -> None:
    for sign in (1, -1):
        matrix = np.array([[1, 2, 0.3], [-2, 1.5, 0.7], [0.2, 0.4, 3 * sign]])
        crystal = Crystal(Lattice(matrix), ["Na", "Cl"], [[0, 0, 0], [0.33, 0.14, 0.06]])
        lattice = crystal_structure(of_pymatgen(crystal), "t").lattice
        assert np.allclose(lattice @ lattice.T, matrix @ matrix.T)
        assert np.allclose([lattice[0, 1], lattice[0, 2], lattice[1, 2]], 0)
        assert lattice[0, 0] > 0
        assert lattice[1, 1] > 0
        assert np.sign(np.linalg.det(lattice)) == np.sign(np.linalg.det(matrix))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the file is empty"),
        ("<html>no crystal</html>", "cannot be read"),
        (CIF.format(a="4.0", atoms="Cs1 Cs 0 0 0 0.5\nCl1 Cl 0.5 0.5 0.5 1"), "partial occupancy"),
        (
            CIF.format(a="4.0", atoms="Cs1 Cs 0 0 0 0.5\nRb1 Rb 0 0 0 0.5\nCl1 Cl 0.5 0.5 0.5 1"),
            "partial occupancy",
        ),
        (CIF.format(a="4.0", atoms="Q1 Qq 0 0 0 1\nCl1 Cl 0.5 0.5 0.5 1"), "unknown element 'Qq'"),
        (CIF.format(a="4.0", atoms="Cs1 Cs 0 0 0 1\nCl1 Cl 0 0 0 1"), "occupied by more than one atom"),
        (CIF.format(a="4.0", atoms="Rf1 Rf 0 0 0 1\nCl1 Cl 0.5 0.5 0.5 1"), "no free-atom density"),
        (CIF.format(a="4.0", atoms="Cs1 Cs 0 0 0 1\nCl1 Cl 0.05 0 0 1"), "overlap"),
        (CIF.format(a="4.0", atoms="Cs1 Cs nan 0 0 1\nCl1 Cl 0.5 0.5 0.5 1"), "not finite"),
        (CIF.format(a="0.1", atoms=ATOMS), "cell edge of 0.1"),
        (CIF.format(a="4.0", atoms=""), "no atoms in it"),
        (
            CIF.format(a="4.0", atoms=ATOMS) + CIF.format(a="5.0", atoms=ATOMS).replace("data_x", "data_y"),
            "2 crystals",
        ),
    ],
)
def test_unusable_file(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(CrystalError) as caught:
        read_crystal(_file(tmp_path, text), "x")
    assert reason in caught.value.reason
    assert caught.value.remedy


def test_coordinates_far_from_the_cell_are_remarked_or_refused(tmp_path: Path) -> None:
    for atoms in ("Cs1 Cs 0 0 0 1\nCl1 Cl 0.5 0.5 {} 1", "Cs1 Cs 0 0 {} 1"):
        near = read_crystal(_file(tmp_path, CIF.format(a="4.0", atoms=atoms.format(1.5))), "x")
        assert not near.remarks
        doubtful = read_crystal(_file(tmp_path, CIF.format(a="4.0", atoms=atoms.format(2.5))), "x")
        assert doubtful.remarks == ("a fractional coordinate of 2.5: are the coordinates Cartesian ones?",)
        with pytest.raises(CrystalError, match="a fractional coordinate of 500"):
            read_crystal(_file(tmp_path, CIF.format(a="4.0", atoms=atoms.format(500))), "x")
    poscar = "CsCl\n1.0\n4 0 0\n0 4 0\n0 0 4\nCs Cl\n1 1\nDirect\n0 0 0\n2.5 0.5 0.5\n"
    assert "Cartesian" in read_crystal(_file(tmp_path, poscar, "POSCAR_x"), "x").remarks[0]


def test_large_empty_cells_are_searched_at_once(tmp_path: Path) -> None:
    text = CIF.format(a="990.0", atoms=ATOMS).replace(" 4.0\n", " 990.0\n")
    assert len(read_crystal(_file(tmp_path, text), "x").numbers) == 2


def test_distances_that_cannot_be_are_remarked(tmp_path: Path) -> None:
    in_pm = CIF.format(a="400.0", atoms=ATOMS).replace(" 4.0\n", " 400.0\n")
    without_symmetry = CIF.format(a="5.64", atoms="Na1 Na 0 0 0 1\nCl1 Cl 0.5 0.5 0.5 1").replace(" 4.0\n", " 5.64\n")
    for text in (in_pm, without_symmetry):
        assert "near enough to touch" in read_crystal(_file(tmp_path, text), "x").remarks[0]
    crowded = CIF.format(a="4.0", atoms="Ti1 Ti 0 0 0 1\nO1 O 0.25 0 0 1")
    assert read_crystal(_file(tmp_path, crowded), "x").remarks == (
        "Ti1 and O1 are 1.00 Å apart, very near: is the symmetry right?",
    )
    assert not read_crystal(_file(tmp_path, CIF.format(a="4.0", atoms=ATOMS)), "x").remarks


def test_good_cif_and_poscar_agree(tmp_path: Path) -> None:
    one = read_crystal(_file(tmp_path, CIF.format(a="4.0", atoms=ATOMS)), "x")
    poscar = "CsCl\n1.0\n4 0 0\n0 4 0\n0 0 4\nCs Cl\n1 1\nDirect\n0 0 0\n0.5 0.5 0.5\n"
    two = read_crystal(_file(tmp_path, poscar, "POSCAR_x"), "x")
    assert list(one.numbers) == list(two.numbers) == [55, 17]
    assert np.allclose(one.lattice, two.lattice)
    assert [len(o) for o in one.site_operations] == [48, 48]
    assert list(one.is_anion) == [False, True]


def test_golden_crystals_have_their_sites(shared: Path) -> None:
    for path in sorted((shared / "tonto/golden").glob("*.cif")):
        structure = read_crystal(path, path.stem)
        golden = sorted(int(np.load(f)["site_multiplicity"]) for f in path.parent.glob(f"{path.stem}_*.npz"))
        assert sorted(structure.multiplicity) == golden, path.stem


def test_structures_file_gives_back_what_was_written(tmp_path: Path) -> None:
    crystals = [
        replace(cubic_perovskite(("Sr", "Ti", "O"), 3.9, "one"), remarks=("mended",)),
        replace(cubic_perovskite(("Ba", "Ti", "O"), 4.0, "two"), remarks=("taken as P1", "in Å")),
    ]
    write_structures(tmp_path / "s.h5", crystals, {"planned": 2})
    for ids in (None, ["two"], ["two", "none"]):
        found = read_structures(tmp_path / "s.h5", ids)
        assert [s.structure_id for s in found] == (["one", "two"] if ids is None else ["two"])
        assert [s.remarks for s in found] == [c.remarks for c in crystals[-len(found) :]]
        assert np.array_equal(found[-1].lattice, crystals[1].lattice)
        assert all(
            np.array_equal(a, b) for a, b in zip(found[-1].site_operations, crystals[1].site_operations, strict=True)
        )


def test_stage_lists_bad_files_and_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "cifs"
    folder.mkdir()
    _file(folder, CIF.format(a="4.0", atoms=ATOMS), "good.cif")
    _file(folder, "", "empty.cif")
    settings = {"folder": str(folder), "property": "gap", "unit": "eV"}
    out = [tmp_path / name for name in ("s.h5", "t.csv", "r.csv")]
    make_structures(settings, False, *out)
    assert [s.structure_id for s in read_structures(out[0])] == ["good"]
    assert "empty.cif: the file is empty" in capsys.readouterr().err
    assert "empty.cif" in out[2].read_text()
    with pytest.raises(ValueError, match="strict: true"):
        make_structures(settings, True, *out)


def test_stage_keeps_remarks_and_strict_does_not_stop_for_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "cifs"
    folder.mkdir()
    whole = CIF.format(a="4.0", atoms=ATOMS)
    bare = whole.replace("loop_\n_symmetry_equiv_pos_as_xyz\n 'x,y,z'\n", "")
    other = bare.replace("0 0 0 1", "0 0 0 ?").replace("_cell_length_a 4.0", "_cell_length_a 4.1")
    for name, text in {
        "a1": bare,
        "a2": other,
        "b1": whole.replace("_cell_length_a 4.0", "_cell_length_a 4.2"),
    }.items():
        _file(folder, text, f"{name}.cif")
    out = [tmp_path / name for name in ("s.h5", "t.csv", "r.csv")]
    make_structures({"folder": str(folder), "property": "gap", "unit": "eV"}, True, *out)
    p1, occupancy = "no symmetry is given: P 1 is assumed", "an occupancy of ? was read as 1: Cs1"
    with out[1].open(newline="") as file:
        remarks = {row["structure_id"]: row["remarks"] for row in csv.DictReader(file)}
    assert remarks == {"a1": p1, "a2": f"{occupancy}; {p1}", "b1": ""}
    assert [s.remarks for s in read_structures(out[0])] == [(p1,), (occupancy, p1), ()]
    assert capsys.readouterr().err.splitlines() == [
        f"remark: {p1} (2: {folder}/a1.cif, {folder}/a2.cif)",
        f"remark: {occupancy} ({folder}/a2.cif)",
        f"{folder}: 3 structures (2 with remarks), 0 rejected",
    ]


@pytest.mark.parametrize(
    ("numbers", "formula"),
    [
        ([20] * 3 + [15] * 2 + [8] * 8, "Ca3P2O8"),  # pymatgen's reduced formula has brackets: Ca3(PO4)2
        ([38, 22, 8, 8, 8] * 2, "SrTiO3"),
        ([6] * 11 + [1], "HC11"),
        ([14] * 8, "Si"),
        ([89, 89, 8, 8, 8], "Ac2O3"),
    ],
)
def test_reduced_formula_is_plain(numbers: list[int], formula: str) -> None:
    assert reduced_formula(np.array(numbers)) == formula


RUTILE = Crystal.from_spacegroup(
    "P4_2/mnm", Lattice.tetragonal(4.594, 2.959), ["Ti", "O"], [[0, 0, 0], [0.305, 0.305, 0]]
)


@pytest.mark.parametrize("kind", ["json", "res", "cssr", "xsf"])
def test_formats_of_pymatgen(tmp_path: Path, kind: str) -> None:
    RUTILE.to(str(tmp_path / f"x.{kind}"), fmt=kind)
    structure = read_crystal(tmp_path / f"x.{kind}", "x")
    assert list(structure.multiplicity) == [2, 4]
    assert abs(np.linalg.det(structure.lattice)) == pytest.approx(RUTILE.volume, rel=1e-3)


@pytest.mark.parametrize("kind", ["extxyz", "xyz", "gen"])
def test_formats_of_ase(tmp_path: Path, kind: str) -> None:
    ase_io = pytest.importorskip("ase.io", reason="ase is not in this environment: make env")
    from ase import Atoms

    atoms = Atoms(RUTILE.labels, positions=RUTILE.cart_coords, cell=RUTILE.lattice.matrix, pbc=True)
    ase_io.write(str(tmp_path / f"x.{kind}"), atoms, format=kind)
    if kind == "xyz":  # without a cell: that of a molecule
        with pytest.raises(CrystalError, match="no cell"):
            read_crystal(tmp_path / "x.xyz", "x")
        return
    structure = read_crystal(tmp_path / f"x.{kind}", "x")
    assert list(structure.multiplicity) == [2, 4]


def test_polymorphs_are_compounds_of_their_own_in_one_group(tmp_path: Path) -> None:
    RUTILE.to(str(tmp_path / "rutile.cif"))
    RUTILE.copy().scale_lattice(70.0).to(str(tmp_path / "denser.cif"))
    Crystal.from_spacegroup("Fm-3m", Lattice.cubic(4.21), ["Mg", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]]).to(
        str(tmp_path / "MgO.cif")
    )
    settings = {"folder": str(tmp_path), "property": "gap", "unit": "eV"}
    rows = build_structures(plan_dataset(settings).entries, settings)[1]
    names = {row["structure_id"]: (row["compound"], row["group"], row["formula"]) for row in rows}
    assert names == {
        "MgO": ("MgO", "MgO", "MgO"),
        "denser": ("TiO2 (denser)", "TiO2", "TiO2"),
        "rutile": ("TiO2 (rutile)", "TiO2", "TiO2"),
    }
    folds = tmp_path / "t.csv"
    folds.write_text("structure_id,gap,fold\nMgO,7,0\ndenser,3,rutile\nrutile,3,0\n", encoding="utf-8")
    grouped = settings | {"targets": str(folds), "group": "fold"}
    rows = build_structures(plan_dataset(grouped).entries, grouped)[1]
    assert {row["structure_id"]: (row["compound"], row["group"]) for row in rows} == {
        "MgO": ("MgO", "0"),
        "denser": ("TiO2 (denser)", "rutile"),
        "rutile": ("TiO2 (rutile)", "0"),
    }


def test_a_crystal_is_summed_up_in_a_line() -> None:
    spinel = Crystal.from_spacegroup(
        "Fd-3m:2", Lattice.cubic(8.083), ["Mg", "Al", "O"], [[0.125] * 3, [0.5] * 3, [0.2624] * 3]
    )
    line = summary_line(crystal_structure(of_pymatgen(spinel), "x"))
    assert line == (
        "MgAl2O4, 8 formula units in the cell (a 8.083, b 8.083, c 8.083 Å, 90 90 90°), space group Fd-3m (227), "
        "56 atoms, 3 distinct sites; shortest distance Mg-O 1.924 Å"
    )
    skew = Crystal(Lattice.from_parameters(30, 41, 52, 70, 80.125, 95), ["Ar"], [[0.1, 0.2, 0.3]])
    facts = crystal_facts(crystal_structure(of_pymatgen(skew), "x"))
    assert facts["shortest_distance_between"] == "Ar-Ar"  # its own image
    assert facts["shortest_distance_angstrom"] == pytest.approx(30)
    assert [facts[f"{name}_degrees"] for name in ("alpha", "beta", "gamma")] == pytest.approx([70, 80.125, 95])
    assert (facts["space_group"], facts["space_group_number"], facts["formula_units"]) == ("P-1", 2, 1)
