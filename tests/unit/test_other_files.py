"""Files of SHELX, CSSR, XCrySDen, DFTB+, extended XYZ and pymatgen: read as they are meant, or refused by name."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import DummySpecies, Lattice, Molecule, Species
from pymatgen.core import Structure as Pymatgen
from pymatgen.entries.computed_entries import ComputedStructureEntry
from written_settings import plan_dataset

from hirshprint.structures import reading
from hirshprint.structures.crystals import Crystal, CrystalError
from hirshprint.structures.reading import read_crystal
from hirshprint.structures.reading.cssr import read_cssr
from hirshprint.structures.reading.expansion import same_atoms
from hirshprint.structures.reading.others import read_gen, read_xsf
from hirshprint.structures.reading.pymatgen_json import read_pymatgen_json
from hirshprint.structures.reading.shelx import read_res
from hirshprint.structures.reading.xyz import read_xyz
from hirshprint.structures.sources.folders import structure_kind, structure_name

Reader = Callable[[str], Crystal]


def assert_refused(read: Reader, text: str, reason: str, remedy: str = "") -> None:
    with pytest.raises(CrystalError) as caught:
        read(text)
    assert reason in caught.value.reason
    assert remedy in caught.value.remedy


def assert_same(found: Crystal, wanted: Pymatgen, tolerance: float | None = None) -> None:
    """The same cell with the same atoms at the same places; with a tolerance in Å, also in the same order."""
    assert np.allclose(found.lattice @ found.lattice.T, wanted.lattice.matrix @ wanted.lattice.matrix.T, atol=1e-2)
    symbols = [site.specie.symbol for site in wanted]
    assert sorted(found.symbols) == sorted(symbols)
    assert same_atoms(found.lattice, (found.frac, found.symbols), (wanted.frac_coords, symbols))
    if tolerance:
        assert list(found.symbols) == symbols
        offsets = found.frac - wanted.frac_coords
        assert np.abs((offsets - np.round(offsets)) @ found.lattice).max() < tolerance


# --- SHELX --------------------------------------------------------------------------------------------------------

HEAD = "TITL x = ! y\nCELL 0.71073 {cell}\nZERR 4 0.001 0.001 0.001 0 0.01 0\n"
CALCITE = Pymatgen.from_spacegroup(
    "R-3c", Lattice.hexagonal(4.99, 17.06), ["Ca", "C", "O"], [[0, 0, 0], [0, 0, 0.25], [0.257, 0, 0.25]]
)
CALCITE_RES = (
    HEAD.format(cell="4.99 4.99 17.06 90 90 120")
    + """LATT 3
SYMM -Y, X-Y, Z
SYMM -X+Y, -X, Z
SYMM Y, X, 0.5-Z
SYMM X-Y, -Y, 0.5-Z
SYMM -X, -X+Y, 0.5-Z
SFAC C O Ca
UNIT 6 18 6
L.S. 10
FVAR 0.5 0.3
WGHT 0.1
CA1  3 10.0 10.0 10.0 10.16667 0.01
C1   1 10.0 10.0 10.25 10.16667 0.01
O1   2 0.257000 10.0 10.25 10.5 0.01 0.01 =
     0.01 0.0 0.0 0.005
HKLF 4
REM  R1 = 0.02
END
WGHT 0.0 0.1
Q1 1 0.1 0.2 0.3 11.0 0.05 0.4
"""
)
P21C = Pymatgen.from_spacegroup(
    "P2_1/c",
    Lattice.monoclinic(5.1, 6.2, 7.3, 98),
    ["Zn", "S", "Ca"],
    [[0.1, 0.2, 0.3], [0.35, 0.45, 0.15], [0.5, 0, 0.5]],
)
P21C_RES = (
    HEAD.format(cell="5.1 6.2 7.3 90 98 90")
    + """LATT 1
SYMM -X, 0.5+Y, 0.5-Z
SFAC Zn S
SFAC CA 8.6266 10.4421 7.3873 0.6599 1.5899 85.7484 1.0211 178.437 1.3751 =
  0.2262 0.3064 1000 1.97 40.08
UNIT 4 4 2
REM a remark =
Zn1 1 0.1 0.2 0.3 11.0 0.05
AFIX 0
S1 2 0.35 0.45 0.15
Ca1 3 0.5 0.0 0.5 10.5 0.05
Q1 1 0.11 0.22 0.33 11.0 0.05 1.2
Q12 1 0.51 0.22 0.33 11.0 0.05 1.1
HKLF 4
"""
)


def test_symmetry_of_shelx_is_applied() -> None:
    assert_same(read_res(CALCITE_RES), CALCITE)
    assert read_res(CALCITE_RES).remarks == ()
    assert set(read_res(CALCITE_RES).names) == {"CA1", "C1", "O1"}
    found = read_res(P21C_RES)
    assert_same(found, P21C)
    assert found.remarks == ("2 peaks of residual density (Q) were left out",)
    lattices = {
        2: "Im-3m", 4: "Fm-3m", 7: "Cmmm", 5: "Ammm", 6: "Bmmm", 1: "Pm-3m"
    }  # fmt: skip
    for latt, count in zip(lattices, (2, 4, 2, 2, 2, 1), strict=True):
        for sign in (1, -1):
            text = HEAD.format(cell="5 6 7 90 90 90") + f"LATT {sign * latt}\nSFAC Cu\nCu1 1 0.1 0.2 0.3\nEND\n"
            assert len(read_res(text).symbols) == count * (2 if sign > 0 else 1)


def test_rock_salt_with_and_without_what_shelx_assumes() -> None:
    text = (
        HEAD.format(cell="5.64 5.64 5.64 90 90 90") + "LATT 4\nSFAC Na Cl\nNa1 1 0 0 0 {s}\nCl1 2 .5 .5 .5 {s}\nEND\n"
    )
    wanted = Pymatgen.from_spacegroup("Fm-3m", Lattice.cubic(5.64), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    for occupancy, remarks in (("10.5", 0), ("0.5", 0), ("1.0", 1), ("11", 1), ("", 1)):
        found = read_res(text.format(s=occupancy))
        assert_same(found, wanted)
        assert len(found.remarks) == remarks
    triclinic = HEAD.format(cell="5 6 7 80 95 103") + "SFAC Cu\nCu1 1 0.1 0.2 0.3\n"
    found = read_res(triclinic)
    assert len(found.symbols) == 2
    assert "LATT 1, which is centrosymmetric" in found.remarks[0]
    variable = text.format(s="{s}").replace("LATT", "FVAR 0.2 0.5\nLATT")
    assert_same(read_res(variable.format(s="21.0")), wanted)
    assert_same(read_res(variable.format(s="-21.0")), wanted)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("UNIT 4 4 2", "UNIT 4 4 4", "UNIT says Zn4 S4 CA4 and its atoms make Zn4 S4 CA2"),
        ("UNIT 4 4 2", "UNIT 4 4", "UNIT says Zn4 S4 and its atoms make Zn4 S4 CA2"),
        ("SFAC Zn S", "SFAC Zn S H", "atom Ca1 is H by its SFAC number"),
        ("SFAC Zn S", "SFAC Zn Qq", "unknown element 'Qq' in SFAC"),
        ("Zn1 1 0.1 0.2 0.3 11.0", "Zn1 1 0.1 0.2 0.3 10.5", "Zn1 is occupied in part: 0.5 where 1 is a full place"),
        ("Zn1 1 0.1 0.2 0.3 11.0", "Zn1 1 0.1 0.2 0.3 21.0", "the parameter 21 needs a free variable"),
        ("Zn1 1 0.1", "Zn1 9 0.1", "atom Zn1 is of SFAC 9, of 3"),
        ("Zn1 1 0.1 0.2", "Zn1 1 x 0.2", "neither an instruction of SHELX's nor an atom"),
        ("AFIX 0", "PART 1", "disorder: S1 is in PART 1"),
        ("AFIX 0", "PART -2 21", "disorder: S1 is in PART -2"),
        ("AFIX 0", "MOVE 1 1 1 -1", "line 12 is MOVE 1 1 1 -1"),
        ("AFIX 0", "+atoms.txt", "line 12 takes lines from another file, +atoms.txt"),
        ("LATT 1", "LATT 8", "line 4 is LATT 8"),
        ("CELL 0.71073", "CELL", "line 2 is CELL 5.1 6.2 7.3 90 98 90"),
        ("7.3 90 98 90", "7.3 90 198 90", "the cell constants 5.1 6.2 7.3 90 198 90"),
        ("7.3 90 98 90", "7.3 90 98 91", "do not keep the cell"),
        ("-X, 0.5+Y, 0.5-Z", "-X, 0.5+Y", "is not a symmetry operation"),
        ("-X, 0.5+Y, 0.5-Z", "-X, 0.3+Y, 0.5-Z", "not form a group: products of them are missing"),
        ("-X, 0.5+Y, 0.5-Z", "-X, 0.31+Y, 0.5-Z", "0.31 in a symmetry operation is not a simple fraction"),
        ("-X, 0.5+Y, 0.5-Z", "-X, 0.25+Y, 0.5-Z", "its 4 symmetry operations do not form a group"),
        ("\nZn1", "\n Zn1", "line 11 begins with a blank, which makes it a comment"),
        ("HKLF 4", "HKLF 4\nEND\n" + P21C_RES, "2 crystals in one file"),
        ("CELL", "REM", "no CELL line in it"),
    ],
)
def test_what_shelx_files_contradict_is_refused(old: str, new: str, reason: str) -> None:
    assert P21C_RES.count(old) == 1
    assert_refused(read_res, P21C_RES.replace(old, new), reason)


def test_sfac_number_tells_the_element() -> None:
    found = read_res(P21C_RES.replace("S1 2", "X1 2").replace("HKLF 4", "FRAG 17\nC9 1 1 1 1\nFEND"))
    assert_same(found, P21C)
    assert found.remarks[0] == "elements come from the SFAC numbers and not from names: X1 is S"
    airss = "TITL a-1 0.0 30.1 -5.2 0 0 2 (P1) n - 1\nREM x\nCELL 1.54 3 4 5 90 90 90\nLATT -1\nSFAC Mg O\n"
    found = read_res(airss + "Mg 1 0.1 0.2 0.3 1.0\nO 2 0.6 0.7 0.8 1.0 0.1\nEND\n")
    assert (found.symbols, found.remarks) == (("Mg", "O"), ())
    assert np.allclose(found.frac, [[0.1, 0.2, 0.3], [0.6, 0.7, 0.8]])


# --- CSSR ---------------------------------------------------------------------------------------------------------

CSSR = """ REFERENCE STRUCTURE = 00000   A,B,C =   5.1000  6.2000  7.3000
              ALPHA,BETA,GAMMA =  90.000  98.000  90.000    SPGR = 14 P21/c       OPT = 1
   3   0 TITLE 12
     0 TEST : TEST
   1 Zn1    0.10000   0.20000   0.30000    2   0   0   0   0   0   0   0  0.000
   2 S1     0.35000   0.45000   0.15000    0   0   0   0   0   0   0   0  0.000
   3 Ca1    0.50000   0.00000   0.50000    0   0   0   0   0   0   0   0  0.000
"""
PLAIN_CSSR = CSSR.replace(" REFERENCE STRUCTURE = 00000   A,B,C =", "").replace("ALPHA,BETA,GAMMA =", "")


@pytest.mark.parametrize("symbol", ["14 P21/c", "14 P 1 21/c 1", "0 P 21/c", "14 P2_1/c"])
def test_space_group_of_cssr_is_applied(symbol: str) -> None:
    found = read_cssr(PLAIN_CSSR.replace("14 P21/c", symbol))
    assert_same(found, P21C)
    assert set(found.names) == {"Zn1", "S1", "Ca1"}
    assert found.remarks == ()


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("14 P21/c", "14 P21/m", "the space group SPGR = 14 P21/m is not understood"),
        ("14 P21/c", "15 P21/c", "the space group SPGR = 15 P21/c is not understood"),
        ("14 P21/c", "14", "the space group SPGR = 14 is not understood"),
        ("14 P21/c", "14 P 1 1 21/b", "SPGR = 14 P 1 1 21/b does not fit the cell"),
        ("OPT = 1", "OPT = 2", "SPGR = 14 P21/c with OPT = 2"),
        ("SPGR", "GROUP", "line 2 has no SPGR"),
        ("3   0 TITLE", "4   0 TITLE", "3 lines of atoms where line 3 says 4"),
        ("3   0 TITLE", "3   2 TITLE", "line 3 is 3 2 TITLE 12"),
        ("3   0 TITLE", "3   1 TITLE", "orthogonal coordinates (1 on line 3)"),
        ("98.000", "198.000", "the cell constants"),
        ("98.000", "", "line 2 is 90.000 90.000"),
        ("Ca1", "CA1", "the label CA1 on line 7 may be C or Ca"),
        ("Ca1", "Wat1", "the label Wat1 on line 7 says that there are hydrogens"),
        ("Ca1", "Xx1", "the label Xx1 on line 7 is not an element"),
        ("0.50000   0.00000", "0.50000-0.00000", "line 7 is 3 Ca1"),
    ],
)
def test_what_cssr_leaves_open_is_refused(old: str, new: str, reason: str) -> None:
    assert PLAIN_CSSR.count(old) == 1
    assert_refused(read_cssr, PLAIN_CSSR.replace(old, new), reason)


def test_orthogonal_coordinates_of_cssr() -> None:
    text = "4 5 6\n90 90 90 SPGR = 1 P 1 OPT = 1\n2 1\n0 x\n1 Cs 1 2 3\n2 Cl 3 4.5 0.6\n"
    assert np.allclose(read_cssr(text).frac, [[0.25, 0.4, 0.5], [0.75, 0.9, 0.1]])
    bare = read_cssr(text.replace("SPGR = 1 P 1 OPT = 1", ""))
    assert bare.remarks == ("no space group (SPGR) in it: P 1 is assumed",)


# --- XCrySDen, DFTB+, XYZ -----------------------------------------------------------------------------------------

ROWS = ["4 0.1 0", "0 5 0.2", "0.3 0 6"]
PLACES = np.array([[0.1, 0.2, 0.3], [2.0, 2.5, 3.0]])
CSCL = Pymatgen(
    Lattice([[float(x) for x in row.split()] for row in ROWS]), ["Cs", "Cl"], PLACES, coords_are_cartesian=True
)
XSF = "# x\nCRYSTAL\nPRIMVEC\n{}\n{}\n{}\nPRIMCOORD\n2 1\n55 .1 .2 .3 0 0 0\nCl 2.0 2.5 3.0\n".format(*ROWS)
GEN = "2 S # x\nCs Cl\n1 1 0.1 0.2 0.3\n2 2 2.0 2.5 3.0\n0 0 0\n{}\n{}\n{}\n".format(*ROWS)
LINE = f'Lattice="{" ".join(ROWS)}" Properties=species:S:1:pos:R:3:q:R:1 pbc="T T T"'
XYZ = f"2\n{LINE}\nCs 0.1 0.2 0.3 1\nCl 2.0 2.5 3.0 -1\n"


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (read_xsf, XSF),
        (read_xsf, XSF.replace("CRYSTAL", "ANIMSTEPS 1\nCRYSTAL").replace("PRIMCOORD", "PRIMCOORD 1")),
        (read_xsf, XSF.replace("CRYSTAL", "DIM-GROUP\n3 1") + "BEGIN_BLOCK_DATAGRID_3D\n1 2 3\n"),
        (read_xsf, XSF.replace("PRIMCOORD", "CONVVEC\n8 0 0\n0 8 0\n0 0 8\n PRIMCOORD")),
        (read_gen, GEN),
        (read_gen, GEN.replace("Cs Cl", "Cs1 Cl2").replace("S #", "s #")),
        (read_xyz, XYZ),
        (read_xyz, XYZ.replace("Cs 0", "Cs2 0").replace(' pbc="T T T"', " energy=-1 note={a b}").replace("\n", "\r\n")),
        (read_xyz, XYZ.replace("Cs 0", "55 0").replace("Cl 2", "17 2").replace("species:S", "Z:I")),
        (read_xyz, XYZ.replace("Cs 0", "55 0").replace("Properties=species:S:1:pos:R:3:q:R:1", "")),
        (read_xyz, XYZ.replace("pos:R:3:q:R:1", "Z:I:1:pos:R:3").replace("Cs 0", "Cs 55 0").replace("Cl", "Cl 17")
            .replace("0.3 1", "0.3").replace("3.0 -1", "3.0").replace('"T T T"', "[T,T,T]")),
    ],
)  # fmt: skip
def test_places_and_cells_are_read(read: Reader, text: str) -> None:
    assert_same(read(text), CSCL)


@pytest.mark.parametrize(
    ("read", "text", "reason"),
    [
        (read_xsf, XSF.replace("CRYSTAL", "MOLECULE"), "no cell that repeats in three directions (MOLECULE)"),
        (read_xsf, XSF.replace("CRYSTAL", "SLAB"), "(SLAB)"),
        (read_xsf, XSF.replace("CRYSTAL", "DIM-GROUP\n2 1"), "(DIM-GROUP)"),
        (read_xsf, "ATOMS\n6 0 0 0\n", "(ATOMS)"),
        (read_xsf, XSF + XSF[XSF.index("PRIMCOORD") :], "2 crystals in one file"),
        (read_xsf, XSF.replace("PRIMVEC", "CONVVEC"), "no PRIMVEC in it"),
        (read_xsf, XSF[: XSF.index("PRIMCOORD")], "no PRIMCOORD in it"),
        (read_xsf, XSF.replace("2 1\n", "3 1\n"), "2 atoms where line 8 says 3"),
        (read_xsf, XSF.replace("2 1\n", "1 1\n"), "more atoms than the 1 of line 8"),
        (read_xsf, XSF.replace("55 ", "0 "), "unknown element '0' on line 9"),
        (read_xsf, XSF.replace("0 5 0.2", "8 .2 0"), "lie in one plane"),
        (read_xsf, XSF.replace("0 5 0.2", "0 5"), "line 5 has 0 5 in place of three numbers"),
        (read_gen, GEN.replace("2 S", "2 C"), "no cell that repeats in three directions (C or H"),
        (read_gen, GEN.replace("2 S", "2 H"), "no cell that repeats in three directions (C or H"),
        (read_gen, GEN.replace("2 S", "3 S"), "8 lines where 3 atoms"),
        (read_gen, GEN + GEN, "16 lines where 2 atoms"),
        (read_gen, GEN.replace("2 2 2.0", "2 3 2.0"), "line 4 is 2 3 2.0 2.5 3.0 and not an atom"),
        (read_gen, GEN.replace("Cs Cl", "Cs Xx"), "unknown element 'Xx' on line 2"),
        (read_gen, "hello\n", "its first line is hello"),
        (read_xyz, XYZ.replace("Lattice", "Cell"), "no cell that repeats in three directions (no Lattice"),
        (read_xyz, XYZ.replace("T T T", "T T F"), "no cell that repeats in three directions (pbc is T T F)"),
        (read_xyz, XYZ.replace("4 0.1 0 ", "4 0.1 "), "its Lattice is"),
        (read_xyz, XYZ + XYZ, "2 crystals in one file"),
        (read_xyz, XYZ.replace("2\n", "1\n", 1), "more lines than the 1 atoms"),
        (read_xyz, XYZ.replace("2\n", "3\n", 1), "2 lines of atoms where line 1 says 3"),
        (read_xyz, XYZ.replace("species", "name"), "without species or pos"),
        (read_xyz, XYZ.replace("pos:R", "frac:R"), "without species or pos"),
        (read_xyz, XYZ.replace(":q:R:1", ""), "atom 1 is Cs 0.1 0.2 0.3 1 and not 4 columns"),
        (read_xyz, XYZ.replace(":q:R:1", ":q:R"), "its Properties are"),
        (read_xyz, XYZ.replace("q:R:1", "Z:I:1"), "two elements for atom 1: Cs and H"),
        (read_xyz, XYZ.replace("Cs 0", "X 0"), "unknown element 'X' of atom 1"),
        (read_xyz, XYZ.replace("Cs 0", "H2O 0"), "unknown element 'H2O' of atom 1"),
        (read_xyz, XYZ.replace("q:R", "occupancy:R"), "it has occupancies"),
        (read_xyz, XYZ.replace("Cs 0.1", "Cs 1e30"), "the number 1e30 of atom 1 is not finite, or too large"),
        (read_xyz, XYZ.replace('"4 0.1 0 ', '"[[4 0.1 0] '), "its Lattice is [[4"),
        (read_xyz, XYZ.replace("pbc", "occupancy={x} pbc"), "it has occupancies"),
        (read_xyz, XYZ.replace("pbc", 'occupancy="_JSON {\\"0\\": {\\"Na\\": 0.5}}" pbc'), "it has occupancies"),
        (read_xyz, "Cs 0 0 0\n", "line 1 is Cs 0 0 0 and not the number of atoms"),
    ],
)
def test_what_is_no_crystal_is_refused(read: Reader, text: str, reason: str) -> None:
    assert_refused(read, text, reason)


# --- pymatgen -----------------------------------------------------------------------------------------------------


def _changed(change: Callable[[dict[str, Any]], Any]) -> str:
    data = json.loads(json.dumps(CSCL.as_dict()))
    return json.dumps(change(data) or data)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (json.dumps([CSCL.as_dict(), CSCL.as_dict()]), "not a pymatgen Structure but a list of 2"),
        (json.dumps(Molecule(["H"], [[0, 0, 0]]).as_dict()), "but a Molecule"),
        (json.dumps(ComputedStructureEntry(CSCL, 1.0).as_dict()), "but a ComputedStructureEntry"),
        (json.dumps({"@class": "Trajectory", "species": []}), "but a Trajectory"),
        ('{"1": {"numbers": [1]}, "ids": [1], "nextid": 2}', "but a database of ASE"),
        ('{"data": [{"id": "1", "attributes": {"lattice_vectors": []}}], "meta": {}}', "in the format of OPTIMADE"),
        ('{"lattice_mat": [], "coords": [], "elements": []}', "but a structure of JARVIS"),
        ('{"a": 1, "b": 2}', "but JSON with the keys a, b"),
        ("{}", "but empty JSON"),
        ("3", "but a single value"),
        (CSCL.to_json() + "\n" + CSCL.to_json() + "\n", "several JSON documents"),
        (CSCL.to_json()[:-20], "it is not JSON: mistake on line 1"),
        ("[" * 100_000, "JSON"),
        (_changed(lambda d: d["sites"][0]["species"][0].update(occu=0.5)), "partial occupancy or disorder at site 1"),
        (_changed(lambda d: d["sites"][1]["species"].append({"element": "Br", "occu": 0.0})), "disorder at site 2"),
        (_changed(lambda d: d["sites"][1]["species"][0].update(element="Xx")), "unknown element 'Xx' at site 2"),
        (_changed(lambda d: d["sites"][1].update(xyz=[0, 0, 0])), "abc and xyz of site 2 are"),
        (_changed(lambda d: d["lattice"].update(a=5.0)), "matrix of its lattice and its a, b, c, alpha, beta, gamma"),
        (_changed(lambda d: d["lattice"].update(pbc=[True, True, False])), "does not repeat in three directions"),
        (_changed(lambda d: d["lattice"].update(matrix=[[1, 0], [0, 1]])), "its lattice has no `matrix`"),
        (_changed(lambda d: d["sites"][0].pop("abc") and None), "`abc` of site 1 is not three"),
        (_changed(lambda d: d["sites"].append(3)), "its `sites` are not a list of sites"),
    ],
)  # fmt: skip
def test_other_json_is_refused_by_what_it_is(text: str, reason: str) -> None:
    assert_refused(read_pymatgen_json, text, reason)


def test_structures_of_pymatgen_are_read() -> None:
    assert_same(read_pymatgen_json(CSCL.to_json()), CSCL)
    charged = Pymatgen(CSCL.lattice, [Species("Cs", 1), Species("Cl", -1)], CSCL.frac_coords)
    assert_same(read_pymatgen_json(charged.to_json()), charged)
    heavy = Pymatgen(CSCL.lattice, ["D", "Cl"], CSCL.frac_coords)
    assert read_pymatgen_json(heavy.to_json()).symbols == ("H", "Cl")
    dummy = Pymatgen(CSCL.lattice, [DummySpecies("X"), "Cl"], CSCL.frac_coords)
    assert_refused(read_pymatgen_json, dummy.to_json(), "unknown element 'X' at site 1")


# --- what other programs write ------------------------------------------------------------------------------------


@st.composite
def crystals(draw: st.DrawFn) -> Pymatgen:
    """A random crystal whose atoms do not overlap."""
    rows = np.diag(draw(st.lists(st.floats(3, 9), min_size=3, max_size=3)))
    rows = rows + np.array(draw(st.lists(st.floats(-0.9, 0.9), min_size=9, max_size=9))).reshape(3, 3)
    symbols = draw(st.lists(st.sampled_from(["H", "C", "F", "Ti", "Cs", "Co", "I"]), min_size=1, max_size=5))
    start = np.array(draw(st.lists(st.floats(-0.9, 0.9), min_size=3, max_size=3)))
    return Pymatgen(rows, symbols, [start + k / 5 * np.array([1, 2, 3]) for k in range(len(symbols))])


@given(crystals())
@settings(max_examples=60, deadline=None)
def test_what_pymatgen_writes_is_read(crystal: Pymatgen) -> None:
    assert_same(read_res(crystal.to(fmt="res")), crystal, 1e-4)
    assert_same(read_cssr(crystal.to(fmt="cssr")), crystal, 1e-2)
    assert_same(read_xsf(crystal.to(fmt="xsf")), crystal, 1e-4)
    assert_same(read_pymatgen_json(crystal.to_json()), crystal)


@given(crystals(), st.booleans())
@settings(max_examples=60, deadline=None)
def test_what_ase_writes_is_read(crystal: Pymatgen, fractional: bool) -> None:
    pytest.importorskip("ase", reason="ase is not in this environment: make env")
    from ase import Atoms
    from ase.io import write

    symbols = [site.specie.symbol for site in crystal]
    atoms = Atoms(symbols, positions=crystal.cart_coords, cell=crystal.lattice.matrix, pbc=True)
    atoms.set_array("charge", np.arange(len(atoms)) / 2)
    atoms.info["note"] = 'of "two" words'
    for kind, read, more in (
        ("extxyz", read_xyz, {}),
        ("gen", read_gen, {"fractional": fractional}),
        ("xsf", read_xsf, {}),
    ):
        written = io.StringIO()
        write(written, atoms, format=kind, **more)
        assert_same(read(written.getvalue()), crystal, 1e-5)


# --- names and folders --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "kind", "name"),
    [
        ("a.cif", ".cif", "a"),
        ("a.b.CIF", ".cif", "a.b"),
        ("a.mcif", ".mcif", "a"),
        ("a.cif.gz", ".cif", "a"),
        ("a.vasp.GZ", ".vasp", "a"),
        ("a.poscar", ".vasp", "a"),
        ("a.POSCAR", ".vasp", "a"),
        ("a.contcar", ".vasp", "a"),
        ("d/POSCAR", ".vasp", "d"),
        ("d/CONTCAR", ".vasp", "d"),
        ("d/POSCAR.gz", ".vasp", "d"),
        ("POSCAR_a", ".vasp", "a"),
        ("CONTCAR_a.b", ".vasp", "a.b"),
        ("POSCAR.a", ".vasp", "a"),
        ("CONTCAR-a.gz", ".vasp", "a"),
        ("POSCAR_a.vasp", ".vasp", "POSCAR_a"),
        ("a.res", ".res", "a"),
        ("a.extxyz", ".extxyz", "a"),
        ("notes.txt", None, "notes.txt"),
        ("a.pdb", None, "a.pdb"),
        ("POSCARS", None, "POSCARS"),
    ],
)
def test_kinds_and_names_of_files(path: str, kind: str | None, name: str) -> None:
    assert structure_kind(Path(path).name) == kind
    assert structure_name(Path(path)) == name


def test_a_bare_poscar_is_named_after_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "run1").mkdir()
    monkeypatch.chdir(tmp_path / "run1")
    assert structure_name(Path("POSCAR")) == "run1"
    assert structure_name(Path("../run1/CONTCAR.gz")) == "run1"


def test_packed_files_are_read_up_to_a_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contents = {
        "a.cif.gz": CSCL.to(fmt="cif"),
        "b.vasp.gz": CSCL.to(fmt="poscar"),
        "POSCAR_c.gz": CSCL.to(fmt="poscar"),
        "e.extxyz.gz": XYZ,
        "f.json.gz": CSCL.to_json(),
        "g.res.gz": CSCL.to(fmt="res"),
    }
    (tmp_path / "d").mkdir()
    for name, text in (contents | {"d/POSCAR.gz": CSCL.to(fmt="poscar")}).items():
        (tmp_path / name).write_bytes(gzip.compress(text.encode()))
    plan = plan_dataset({"folder": str(tmp_path), "property": "gap", "unit": "eV"})
    assert {entry.structure_id for entry in plan.entries} == set("abcdefg")
    for entry in plan.entries:
        assert entry.path is not None
        found = read_crystal(entry.path, entry.structure_id)
        assert list(found.numbers) == [55, 17]
        assert np.linalg.det(found.lattice) == pytest.approx(CSCL.volume, rel=1e-4)
    broken = tmp_path / "broken.cif.gz"
    broken.write_bytes(gzip.compress(CSCL.to(fmt="cif").encode())[:-12])
    with pytest.raises(CrystalError, match="it cannot be unpacked; pack it again"):
        read_crystal(broken, "x")
    monkeypatch.setattr(reading, "UNPACKED_LIMIT_BYTES", 100)
    with pytest.raises(CrystalError, match="unpacked it is larger than"):
        read_crystal(tmp_path / "a.cif.gz", "x")
    monkeypatch.setitem(reading.READERS, ".cif", lambda text: [][len(text)])
    monkeypatch.setattr(reading, "UNPACKED_LIMIT_BYTES", 10_000)
    with pytest.raises(CrystalError, match="cannot be read as gz; check"):
        read_crystal(tmp_path / "a.cif.gz", "x")


def test_what_is_passed_over_is_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["a.cif", "b.pdb", "c.txt", "README.md", "LICENSE", ".hidden.cif", "targets.csv", "other.csv", "z.zip"]
    for name in [*names, "sub/x.cif", "sub/notes.txt", "sub/CONTCAR", "sub/deep/y.cif", ".git/x.cif", "run/OUTCAR"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("structure_id,gap\na,1\nsub,2\n")
    (tmp_path / "lost.cif").symlink_to(tmp_path / "nothing")
    settings = {"folder": str(tmp_path), "targets": str(tmp_path / "targets.csv"), "property": "gap", "unit": "eV"}
    plan = plan_dataset(settings)
    assert [entry.structure_id for entry in plan.entries] == ["a", "sub"]
    assert plan.passed_over == ("b.pdb", "c.txt", "lost.cif", "other.csv", "sub/x.cif", "z.zip")
    from written_settings import make_structures

    with pytest.raises(ValueError, match="nothing usable"):
        make_structures(settings, False, *(tmp_path / f"out{k}" for k in range(3)))
    line = "6 files were skipped, of an unknown kind or in a subfolder: b.pdb, c.txt, lost.cif, other.csv and 2 more"
    assert f"{tmp_path}: {line}\n" in capsys.readouterr().err
    for name in ("a.cif", "sub/CONTCAR"):
        (tmp_path / name).unlink()
    with pytest.raises(ValueError, match=r"no structure file in it .*; 6 files were skipped"):
        plan_dataset(settings)


def test_a_start_and_an_end_of_one_run_are_not_chosen_from(tmp_path: Path) -> None:
    for name in ("d/POSCAR", "d/CONTCAR", "e/CONTCAR", "POSCAR_x", "CONTCAR_x", "y.cif", "y.cif.gz"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    plan = plan_dataset({"folder": str(tmp_path), "property": "gap", "unit": "eV"})
    assert [entry.structure_id for entry in plan.entries] == ["e"]
    reasons = {r.structure_id: f"{r.reason}; {r.remedy}" for r in plan.rejections}
    assert len(plan.rejections) == 6
    assert "2 files are named d: CONTCAR and POSCAR; remove the wrong one from the folder" in reasons["d"]
    assert "2 files are named x: CONTCAR_x and POSCAR_x" in reasons["x"]
    assert reasons["y"].startswith("2 files are named y; rename all but one")


@pytest.mark.parametrize(
    ("name", "text", "reason", "remedy"),
    [
        (
            "notes.txt",
            "Notes\n\nof a day",
            "of an unknown kind (it ends with .txt), and not a POSCAR: line 2 is empty",
            "CIF",
        ),
        (
            "notes",
            "Notes\n1\nof a day",
            "of an unknown kind (its name has no ending), and not a POSCAR: line 3 is",
            "(.res)",
        ),
        ("lysozyme.pdb", "HEADER HYDROLASE\n", "a PDB file", "as a CIF"),
        ("lysozyme.ent.gz", "HEADER HYDROLASE\n", "a PDB file", "as a CIF"),
        ("water.mol", "\n  x\n", "a file of a molecule", "the crystal"),
        ("many.jsonl", "{}\n", "a file of many crystals", "FILE:ID"),
        ("all.zip", "PK\0\0", "a packed file", "unpack it"),
        ("t.csv", "formula,a\nSrTiO3,3.9\n", "a table without a column of crystals", "hirshprint init"),
        ("POSCAR1", "Notes\n\nof a day", "not a POSCAR: line 2 is empty", "1.0"),
        ("water.xyz", "1\n\nH 0 0 0\n", "no cell that repeats in three directions", "with its cell"),
    ],
)
def test_files_of_other_kinds_are_called_what_they_are(
    tmp_path: Path, name: str, text: str, reason: str, remedy: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(CrystalError) as caught:
        read_crystal(tmp_path / name, "x")
    assert reason in caught.value.reason
    assert remedy in caught.value.remedy


def test_a_poscar_of_any_name_is_read(tmp_path: Path) -> None:
    (tmp_path / "crystal.txt").write_text("MgO\n1.0\n4 0 0\n0 4 0\n0 0 4\nMg O\n1 1\nDirect\n0 0 0\n.5 .5 .5\n")
    assert read_crystal(tmp_path / "crystal.txt", "x").numbers.tolist() == [12, 8]
