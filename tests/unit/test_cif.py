"""CIF files of every kind that chemists have: read as they are meant, remarked, or refused with the reason."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest
from pymatgen.core import Lattice
from pymatgen.core import Structure as PymatgenStructure

from hirshprint.structures.crystals import CrystalError
from hirshprint.structures.reading import read_crystal
from hirshprint.structures.reading.atom_names import element_of_label, element_of_type
from hirshprint.structures.reading.formula import formula_meanings, formula_units
from hirshprint.structures.structure import Structure
from hirshprint.structures.symbols import SYMBOLS

CELL = {
    "cubic": (4.2, 4.2, 4.2, 90, 90, 90),
    "tetragonal": (4.6, 4.6, 3.0, 90, 90, 90),
    "orthorhombic": (5.4, 7.7, 5.5, 90, 90, 90),
    "hexagonal": (3.2, 3.2, 5.2, 90, 90, 120),
    "rhombohedral": (4.1, 4.1, 4.1, 54, 54, 54),
    "monoclinic": (5.1, 6.2, 7.3, 90, 98, 90),
}
P1 = "loop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\n"
SALT = "Na1 Na 0 0 0\nCl1 Cl 0.5 0.5 0.5\n"
TYPED = "_atom_site_label\n_atom_site_type_symbol\n"
LABELLED = "_atom_site_label\n"
PLACES = "_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n"
OCCUPIED = TYPED + PLACES + "_atom_site_occupancy\n"


PLACES_OF_SALT = ("0 0 0", "0.5 0.5 0", "0.5 0 0.5", "0 0.5 0.5", "0.5 0 0", "0 0.5 0", "0 0 0.5", "0.5 0.5 0.5")


def cif(cell: str, symmetry: str, atoms: str, columns: str = TYPED + PLACES, more: str = "") -> str:
    names = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
    constants = "".join(f"_cell_{name} {value}\n" for name, value in zip(names, CELL[cell], strict=True))
    return f"data_x\n{constants}{symmetry}{more}loop_\n{columns}{atoms}"


def group(symbol: str) -> str:
    return f"_symmetry_space_group_name_H-M '{symbol}'\n"


def read(folder: Path, text: str, name: str = "x.cif") -> Structure:
    (folder / name).write_text(text, encoding="utf-8")
    return read_crystal(folder / name, "x")


def contents(structure: Structure) -> str:
    counts = Counter(SYMBOLS[number - 1] for number in structure.numbers)
    return " ".join(f"{symbol}{counts[symbol]}" for symbol in sorted(counts))


def shortest(structure: Structure) -> float:
    symbols = [SYMBOLS[number - 1] for number in structure.numbers]
    crystal = PymatgenStructure(Lattice(structure.lattice), symbols, structure.frac)
    return float(min(crystal.get_neighbor_list(12.0)[3]))


@pytest.mark.parametrize(
    ("text", "atoms", "angstrom"),
    [  # distances worked out by hand
        (cif("cubic", group("Fm-3m"), SALT), "Cl4 Na4", 2.1),
        (cif("cubic", group("F m 3 m"), SALT), "Cl4 Na4", 2.1),
        (cif("cubic", group("F 4/m -3 2/m"), SALT), "Cl4 Na4", 2.1),
        (cif("cubic", group("F m -3 m (#225)"), SALT), "Cl4 Na4", 2.1),
        (cif("cubic", "_space_group.name_H-M_alt 'F m -3 m'\n", SALT.replace("Na1 Na", "NA1 NA+1")), "Cl4 Na4", 2.1),
        (cif("cubic", "_space_group_name_Hall '-F 4 2 3'\n", SALT), "Cl4 Na4", 2.1),
        (cif("cubic", group("?") + "_space_group_IT_number 225\n", SALT), "Cl4 Na4", 2.1),
        (cif("cubic", group("P m -3 m"), "Cs1 Cs 0 0 0\nCl1 Cl 1/2 1/2 1/2\n".replace("1/2", ".5")), "Cl1 Cs1", 3.6373),
        (cif("cubic", group("F d -3 m :1"), "C1 C 0 0 0\n"), "C8", 1.8187),
        (cif("cubic", group("F d -3 m S"), "C1 C 0 0 0\n"), "C8", 1.8187),
        (cif("cubic", group("F d -3 m Z"), "C1 C .125 .125 .125\n"), "C8", 1.8187),
        (cif("cubic", group("Fd-3m:2"), "C1 C 0.125 0.125 0.125\n"), "C8", 1.8187),
        (cif("tetragonal", group("P 42/m n m"), "Ti1 Ti 0 0 0\nO1 O 0.305 0.305 0\n"), "O4 Ti2", 1.9645),
        (cif("hexagonal", group("P 63 m c"), "Zn1 Zn 0.3333 0.6667 0\nO1 O 0.3333 0.6667 0.38\n"), "O2 Zn2", 1.9494),
        (cif("hexagonal", group("P6_3mc"), "Zn1 Zn 0.333 0.667 0\nO1 O 0.333 0.667 0.38\n"), "O2 Zn2", 1.9494),
        (cif("rhombohedral", group("R -3 m"), "As1 As 0.227 0.227 0.227\n"), "As2", 2.4934),
        (cif("rhombohedral", group("R -3 m R"), "As1 As 0.227 0.227 0.227\n"), "As2", 2.4934),
        (cif("monoclinic", group("P 21/c"), "Zn1 Zn 0.1 0.2 0.3\n"), "Zn4", 3.3130),
        (cif("monoclinic", group("P 1 21/c 1"), "Zn1 Zn 0.1 0.2 0.3\n"), "Zn4", 3.3130),
        (cif("monoclinic", group("P2(1)/c"), "Zn1 Zn 0.1 0.2 0.3\n"), "Zn4", 3.3130),
        (cif("orthorhombic", group("P n m a"), "Ca1 Ca 0 0 0\n"), "Ca4", 3.85),
        (cif("orthorhombic", group("P 21/n 21/m 21/a"), "Ca1 Ca 0 0 0\n"), "Ca4", 3.85),
        (cif("orthorhombic", group("P n m a :cab"), "Ca1 Ca 0 0 0\n"), "Ca4", 2.75),  # P b n m
        (cif("cubic", P1, "Cs1 Cs 1.25(3) -0.75 0\nCl1 Cl 0.75 0.75 0.5\n"), "Cl1 Cs1", 3.6373),
        (cif("cubic", P1, "Cs1 Cs -1.5e-1 0 0\nCl1 Cl 0.5 0.5 0.5\n"), "Cl1 Cs1", 3.3146),
    ],
)
def test_what_is_meant_is_read(tmp_path: Path, text: str, atoms: str, angstrom: float) -> None:
    structure = read(tmp_path, text)
    assert contents(structure) == atoms
    assert shortest(structure) == pytest.approx(angstrom, abs=0.002)


@pytest.mark.parametrize(
    ("text", "atoms", "remark"),
    [
        (cif("cubic", "", SALT), "Cl1 Na1", "no symmetry is given: P 1 is assumed"),
        (cif("cubic", "_symmetry_Int_Tables_number 225\n", SALT), "Cl4 Na4", "F m -3 m was used"),
        (cif("rhombohedral", "_symmetry_Int_Tables_number 166\n", "As1 As .2 .2 .2\n"), "As2", "R -3 m:R was used"),
        (cif("cubic", P1 + group("X y z"), SALT), "Cl1 Na1", "'X y z' is not known: its list of operations was used"),
        (cif("cubic", group("P 21/n"), "Na1 Na 0.1 0.2 0.3\n"), "Na4", "P 1 21/n 1 was used, by convention"),
        (
            cif("cubic", group("F d -3 m"), "C1 C 0 0 0\n", more="_chemical_formula_sum C\n_cell_formula_units_Z 8\n"),
            "C8",
            "F d -3 m:1 is the one that the rest of the file agrees with",
        ),
        (
            cif("hexagonal", group("P 63/m m c"), "Zn1 Zn 0.333 0.667 0.25\n"),
            "Zn2",
            "moved onto their special positions: Zn1, by 0.0018 Å at most",
        ),
        (cif("cubic", P1, SALT + "Q1 Q 0.1 0.1 0.1\n"), "Cl1 Na1", "rows that are not atoms were left out: Q1"),
        (
            cif("cubic", P1, "Na1 0 0 0\nCnt(1) 0.5 0.5 0\n", LABELLED + PLACES),
            "Na1",
            "rows that are not atoms were left out: Cnt(1)",
        ),
        (cif("cubic", P1, "Ni1 Fe 0 0 0\n"), "Fe1", "another element than the type, which was used: Ni1 (Fe)"),
        (
            cif("cubic", P1, "Na1 Na 0 0 0 ?\n", TYPED + PLACES + "_atom_site_occupancy\n"),
            "Na1",
            "an occupancy of ? was read as 1: Na1",
        ),
        (cif("cubic", P1, SALT, more="_chemical_formula_sum 'common salt!'\n"), "Cl1 Na1", "was not understood"),
        (
            cif("cubic", group("Fm-3m"), SALT, more="_chemical_formula_sum 'Na Cl'\n_cell_formula_units_Z 1\n"),
            "Cl4 Na4",
            "Z is 1, but its cell has 4 formula units",
        ),
        (
            cif("cubic", P1, SALT, more="_chemical_name_common table salt\n").replace("data_x", "data_x of salt"),
            "Cl1 Na1",
            "lines that are not CIF were corrected or left out: 1, 11",
        ),
        (cif("cubic", "_space_group_name_Hall '-F 4 2 3\n", SALT), "Cl4 Na4", "left out: 8"),
        (cif("cubic", P1, SALT, more="_journal_title 'Müller’s salt\n"), "Cl1 Na1", "left out: 11"),
        ("a title\n" + cif("cubic", group("F m -3 m").replace("'", ""), SALT), "Cl4 Na4", "left out: 1, 9"),
        (
            cif("cubic", group("Fm-3m"), "Na1 Na 0 0 0 8\n", TYPED + PLACES + "_atom_site_symmetry_multiplicity\n"),
            "Na4",
            "the multiplicity of Na1 is 8, but symmetry makes 4 of it",
        ),
        (
            cif("cubic", P1, SALT).replace("_cell_angle_beta 90\n", ""),
            "Cl1 Na1",
            "_cell_angle_beta not given: 90 degrees are assumed",
        ),
        (cif("cubic", P1, "Na1 Na 0 0 0 1\nA C 0 0 .5 0\n", OCCUPIED), "Na1", "are not atoms were left out: A"),
        (
            cif(
                "orthorhombic", "_symmetry_space_group_name_Hall '-P 2c 2ab'\n" + group("P n m a"), "Ca1 Ca .1 .2 .3\n"
            ),
            "Ca8",
            "'P n m a' is in another setting than its Hall symbol '-P 2c 2ab', which was used",
        ),
    ],
)
def test_what_is_assumed_is_remarked(tmp_path: Path, text: str, atoms: str, remark: str) -> None:
    structure = read(tmp_path, text)
    assert contents(structure) == atoms
    assert any(remark in sentence for sentence in structure.remarks), structure.remarks


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (cif("cubic", group("F d -3 m"), "C1 C 0 0 0\n"), "may be F d -3 m:1 or F d -3 m:2"),
        (cif("cubic", group("P q r s"), SALT), "its space group 'P q r s' is not known"),
        (cif("cubic", "_space_group.magn_name_BNS \"P 4/m' b' m'\"\n", SALT), "bns \"P 4/m' b' m'\", is not known"),
        (cif("cubic", "_space_group_name_Schoenflies Oh.5\n", SALT), "'Oh.5', is not known"),
        (cif("orthorhombic", group("P m -3 m"), SALT), "does not fit the lengths and angles of its cell"),
        (cif("cubic", "_symmetry_Int_Tables_number 231\n", SALT), "its space-group number is 231"),
        (
            cif("cubic", P1 + group("F m -3 m"), SALT),
            "its list of operations is of space group 1, but its space group 'F m -3 m' is number 225",
        ),
        (cif("cubic", P1 + "-x,-y,z\n-y,x,z\n", SALT), "not form a group: products of them are missing"),
        (cif("cubic", P1 + "x,y,2*z\n", SALT), "'x,y,2*z' is not a symmetry operation"),
        (cif("cubic", P1 + "a,b,c\n", SALT), "'a,b,c' is not a symmetry operation"),
        (
            cif("cubic", P1, SALT, more="_cell_volume 84.1\n"),
            "its _cell_volume is 84.1 Å³, but its cell constants make 74",
        ),
        (cif("cubic", P1, SALT, more="_chemical_formula_sum 'Na Cl2'\n"), "do not make up its formula 'Na Cl2'"),
        (
            cif("cubic", P1, SALT, more="_chemical_formula_sum 'H Na Cl'\n"),
            "has other hydrogens than its atoms: H1, not H0 (Cl1 Na1 in the cell)",
        ),
        (
            cif("cubic", group("P m -3 m") + "_symmetry_Int_Tables_number 225\n", SALT),
            "its space group 'P m -3 m' is number 221, but its space-group number is 225",
        ),
        (cif("cubic", P1, SALT, more="_chemical_formula_sum 'Na Cl (H2 O)2'\n"), "do not make up"),
        (cif("cubic", "", SALT, more="_chemical_formula_sum NaCl\n_cell_formula_units_Z 4\n"), "Z is 4"),
        (
            cif(
                "cubic",
                "_space_group_IT_number 225\n",
                "Na1 Na 0 0 0 8\n",
                TYPED + PLACES + "_atom_site_symmetry_multiplicity\n",
            ),
            "the multiplicity of Na1 is 8, but symmetry makes 4 of it",
        ),
        (cif("cubic", P1, "Na1 Na 0 0 0 0.5\n", OCCUPIED), "partial occupancy or disorder: Na1"),
        (cif("cubic", P1, "Na1 Na 0 0 0 1.5\n", OCCUPIED), "occupied by more than one atom"),
        (cif("cubic", P1, "Na1 Na 0 0 0 full\n", OCCUPIED), "the occupancy of Na1 is 'full'"),
        (
            cif("cubic", P1, "O1 O 0 0 0 1\nO2 O .5 .5 .5 2\n", TYPED + PLACES + "_atom_site_disorder_group\n"),
            "disorder: O1 in group 1, O2 in group 2",
        ),
        (cif("cubic", P1, "Na1 Na 0 0 0\nCl1 Cl 0 0 0\n"), "occupied by more than one atom: Na (Na1) and Cl (Cl1)"),
        (
            cif("cubic", group("Fm-3m"), SALT + "Na2 Na 0.5 0.5 0\n"),
            "occupied by more than one atom: Na (Na1) and Na (Na2)",
        ),
        (cif("cubic", P1, "Na1 Na 0 0 0\nCl1 Cl 1/2 .5 .5\n"), "the coordinate x of Cl1 is 1/2"),
        (cif("cubic", P1, "Na1 Na 0 0 ?\n"), "the coordinate z of Na1 is ?"),
        (cif("cubic", P1, "Na1 Na 0 0 0,5\n"), "the coordinate z of Na1 is 0,5"),
        (cif("cubic", P1, "Na1 Na inf 0 0\n"), "not finite"),
        (cif("cubic", P1, "CA1 0 0 0\n", LABELLED + PLACES), "atom CA1 may be C or Ca"),
        (cif("cubic", P1, "M1 0 0 0\n", LABELLED + PLACES), "unknown element 'M1'"),
        (cif("cubic", P1, "La/Sr1 0 0 0\n", LABELLED + PLACES), "atom La/Sr1 may be La or Sr"),
        (cif("cubic", P1, "A1 FeNi 0 0 0\n"), "unknown element 'FeNi'"),
        (cif("cubic", P1, "Na1 0 0 0\nWat 0.5 0.5 0.5\n", LABELLED + PLACES), "hydrogens without a position"),
        (cif("cubic", P1, "Na1 0 0 0\nOH2 0.5 0.5 0.5\n", LABELLED + PLACES), "hydrogens without a position"),
        (cif("cubic", P1, "Na1 Na 0 0 0\nOW1 O 0.5 0.5 0.5\n"), "hydrogens without a position"),
        (
            cif("cubic", P1, "O1 O 0 0 0 2\n", TYPED + PLACES + "_atom_site_attached_hydrogens\n"),
            "hydrogens without a position",
        ),
        (cif("cubic", P1, SALT).replace("_cell_length_b 4.2\n", ""), "_cell_length_b is missing"),
        (cif("cubic", P1, SALT).replace("length_b 4.2", "length_b ?"), "_cell_length_b is ?"),
        (cif("cubic", P1, SALT).replace("alpha 90", "alpha 10").replace("beta 90", "beta 50"), "make no cell"),
        (cif("cubic", P1, SALT).replace("_fract_", "_Cartn_"), "Cartesian coordinates"),
        (
            "data_1ABC\n_entry.id 1ABC\nloop_\n_atom_site.group_PDB\n_atom_site.Cartn_x\nATOM 1.0\n",
            "it is an mmCIF with Cartesian coordinates",
        ),
        ("data_x\nloop_\n_refln_index_h\n1\n", "a list of reflections without atoms"),
        ("data_x\n_cell_length_a 4\n", "a CIF without atoms"),
        (cif("cubic", P1, SALT) + cif("cubic", P1, SALT).replace("data_x", "data_y"), "2 crystals in one file"),
        (cif("cubic", P1, SALT, more="loop_\n_cell_wave_vector_seq_id\n1\n"), "a modulated structure"),
        (cif("cubic", P1, SALT, more="_cell_length_a 4.3\n"), "_cell_length_a is there twice"),
        (cif("cubic", P1, SALT).replace("Na1", "'Na1"), "line 17: a quoted text has no closing quote"),
        (cif("cubic", P1, SALT).replace("length_b 4.2", "length_b 4.2 A"), "_cell_length_b is 4.2 A"),
        (cif("cubic", P1, SALT + "Na2 Na 0\n"), "not a multiple of its tags"),
        (cif("cubic", P1, SALT) + "_publ_section_comment\n;\nnever closed\n", "a text field has no closing semicolon"),
        ("<html>not found</html>", "line 1: it does not begin with data_NAME"),
    ],
)
def test_what_contradicts_itself_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(CrystalError) as caught:
        read(tmp_path, text)
    assert reason in caught.value.reason
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        (cif("cubic", P1, SALT).replace("length_a 4.2", "length_a 4,2(1)"), "with a decimal point: 4.2(1)"),
        (cif("cubic", P1, "Na1 Na 0 0 0,5\n"), "with a decimal point: 0.5"),
        (cif("cubic", P1, "Na1 Na 0 0 1/3\n"), "write decimals: 0.333333"),
        (cif("cubic", P1, "Na1 Na 0 0 1/0\n"), "give every atom three numbers"),
        (cif("cubic", P1, "Na1 Na 0 0 0\nCl1 Cl 0 0 0\n"), "delete the duplicate, or correct the coordinates"),
        (
            cif("cubic", group("Fm-3m"), "Na1 Na 0 0 0\nCl1 Cl 0 0 0\n"),
            "delete the duplicate, or correct the coordinates, the space group or its setting",
        ),
    ],
)
def test_remedies_fit_what_is_wrong(tmp_path: Path, text: str, remedy: str) -> None:
    with pytest.raises(CrystalError) as caught:
        read(tmp_path, text)
    assert caught.value.remedy.endswith(remedy)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("_chemical_name_systematic 'Ammonium chloride'", True),
        ("_chemical_name_common 'Nickel dihydroxide'", True),
        ("_chemical_name_mineral Hydroxylapatite", True),
        ("_chemical_name_mineral Anhydrite", False),
        ("_chemical_name_common 'dehydrated faujasite'", False),
        ("_chemical_name_common 'sodium chloride, anhydrous'", False),
        ("_chemical_name_common 'Ammonium chloride'\n_chemical_formula_sum 'Na Cl'", False),
    ],
)
def test_names_that_speak_of_hydrogens_are_remarked(tmp_path: Path, name: str, told: bool) -> None:
    remarks = read(tmp_path, cif("cubic", P1, SALT, more=f"{name}\n")).remarks
    assert [sentence.endswith("implies hydrogens, but it has none") for sentence in remarks] == [True] * told


def test_hydrogens_that_are_placed_satisfy_what_labels_say(tmp_path: Path) -> None:
    atoms = "Mg1 0 0 0\nOH1 0.3333 0.6667 0.22\nH1 0.3333 0.6667 0.42\n"
    text = cif("hexagonal", group("P -3 m 1"), atoms, LABELLED + PLACES, "_chemical_formula_sum 'Mg (O H)2'\n")
    assert contents(read(tmp_path, text)) == "H2 Mg1 O2"
    with pytest.raises(CrystalError, match="hydrogens"):
        read(tmp_path, text.replace("H1 0.3333 0.6667 0.42\n", ""))


def test_all_atoms_with_the_symbol_of_their_group_are_read(tmp_path: Path) -> None:
    """As programs write what they have expanded: the operation x, y, z, and the symbol of the whole group."""
    atoms = "".join(
        f"A{k} {s} {x}\n" for k, (s, x) in enumerate(zip(4 * ["Na"] + 4 * ["Cl"], PLACES_OF_SALT, strict=True))
    )
    assert contents(read(tmp_path, cif("cubic", P1 + group("F m -3 m"), atoms))) == "Cl4 Na4"
    with pytest.raises(CrystalError, match="space group 1, but"):
        read(tmp_path, cif("cubic", P1 + group("F m -3 m"), atoms.replace("0.5 0.5 0\n", "0.5 0.4 0\n")))


def test_a_tag_that_says_nothing_is_none(tmp_path: Path) -> None:
    """Files of the AMCSD have a second formula, which is empty."""
    for more in ("_chemical_formula_sum 'Na Cl'\n_chemical_formula_sum ''\n", "_chemical_formula_sum ?\n" * 2):
        assert contents(read(tmp_path, cif("cubic", P1, SALT, more=more))) == "Cl1 Na1"
    more = "_chemical_formula_sum ''\n_chemical_formula_sum 'Na Cl2'\n"
    with pytest.raises(CrystalError, match="do not make up"):
        read(tmp_path, cif("cubic", P1, SALT, more=more))


def test_formula_tells_elements_that_labels_do_not(tmp_path: Path) -> None:
    text = cif("cubic", P1, "CA1 0 0 0\nO1 .5 .5 .5\n", LABELLED + PLACES, "_chemical_formula_sum 'Ca O'\n")
    assert contents(read(tmp_path, text)) == "Ca1 O1"
    assert contents(read(tmp_path, text.replace("'Ca O'", "'C O'"))) == "C1 O1"


def test_magnetic_structures_are_read_without_their_moments(tmp_path: Path) -> None:
    magnetic = (
        "loop_\n_space_group_symop_magn_operation.id\n_space_group_symop_magn_operation.xyz\n"
        "1 x,y,z,+1\n2 -x,-y,-z,+1\n"
        "loop_\n_space_group_symop_magn_centering.id\n_space_group_symop_magn_centering.xyz\n1 x,y,z,+1\n"
        "2 x,y+1/2,z+1/2,-1\n3 x+1/2,y,z+1/2,-1\n4 x+1/2,y+1/2,z,+1\n"
    )
    structure = read(tmp_path, cif("cubic", magnetic, "Mn1 Mn 0 0 0\nO1 O 0.5 0.5 0.5\n"), "x.mcif")
    assert contents(structure) == "Mn4 O4"
    assert shortest(structure) == pytest.approx(2.1, abs=1e-4)


@pytest.mark.parametrize(
    ("label", "symbols"),
    [
        ("Ti1", "Ti"),
        ("O1A", "O"), ("SiT1", "Si"), ("CaM2", "Ca"), ("OA1", "O"), ("Oa", "O"), ("W1", "W"), ("Ho1", "Ho"),
        ("Ala", "Al"), ("Cab", "Ca C"), ("HO1", "H Ho"), ("NA", "N Na"), ("na1", "N Na"),
        ("SI2", "S Si"), ("TI1", "Ti"), ("D1", "H"), ("Fe(1)", "Fe"),
        ("T1", ""), ("X", ""), ("Va1", ""), ("1", ""), ("AlSi1", "Al Si"), ("NaK", "Na K"), ("Bridge", ""), ("Cg1", ""),
        ("Hwa", "H"), ("H2O", "O H"),
    ],
)  # fmt: skip
def test_elements_of_labels(label: str, symbols: str) -> None:
    assert element_of_label(label).symbols == tuple(symbols.split())


@pytest.mark.parametrize(
    ("kind", "symbols"),
    [
        ("Ti", "Ti"), ("TI", "Ti"), ("Ti4+", "Ti"), ("O2-", "O"), ("O-2", "O"), ("Ni2.67+", "Ni"), ("Cval", "C"),
        ("Siva", "Si"), ("D", "H"), ("H(SDS)", "H"), ("OH", "O"), ("NH4", "N"),
        ("FeNi", ""), ("M", ""), ("Q", ""), ("T", ""),
    ],
)  # fmt: skip
def test_elements_of_types(kind: str, symbols: str) -> None:
    assert element_of_type(kind).symbols == tuple(symbols.split())


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("Ca Ti O3", {"Ca": 4, "Ti": 4, "O": 12}),
        ("CaTiO3", {"Ca": 1, "Ti": 1, "O": 3}),
        ("CA TI O3", {"Ca": 1, "Ti": 1, "O": 3}),
        ("Ca1. O3. Ti1.", {"Ca": 1, "Ti": 1, "O": 3}),
        ("Mg (O H)2", {"Mg": 1, "O": 2, "H": 2}),
        ("Ca S O4, 2(H2 O)", {"Ca": 2, "S": 2, "O": 12, "H": 8}),
        ("CaSO4.2H2O", {"Ca": 1, "S": 1, "O": 6, "H": 4}),
        ("Ca S O4 · 2 H2 O", {"Ca": 1, "S": 1, "O": 6, "H": 4}),
        ("[Fe(C N)6] 4-", {"Fe": 1, "C": 6, "N": 6}),
        ("C4 H4 O4 2-", {"C": 4, "H": 4, "O": 4}),
        ("D2 O", {"H": 4, "O": 2}),
        ("Al1.33 O2", {"Al": 4, "O": 6}),
    ],
)
def test_formulas_in_common_spellings(text: str, counts: dict[str, int]) -> None:
    assert formula_units(counts, formula_meanings(text)) is not None
    assert formula_units({**counts, "O": counts.get("O", 0) + 1}, formula_meanings(text)) is None


def read_or_reason(path: Path) -> Structure | str:
    try:
        return read_crystal(path, "x")
    except CrystalError as error:
        return error.reason


def test_shared_inputs(shared: Path) -> None:
    """The files with right answers that were misread once."""
    folder = shared / "inputs"
    with (folder / "expected.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 46
    for row in rows:
        structure = read_or_reason(folder / "files" / row["file"])
        if isinstance(structure, str):
            assert row["verdict"] != "reads", (row["file"], structure)
            assert "index" not in structure
            continue
        assert row["verdict"] != "refused", row["file"]
        if row["cell"]:
            assert contents(structure) == " ".join(sorted(row["cell"].split())), row["file"]
        if row["shortest_angstrom"]:
            assert shortest(structure) == pytest.approx(float(row["shortest_angstrom"]), abs=0.002), row["file"]
