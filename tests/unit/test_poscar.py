"""POSCAR files: read as VASP reads them, or refused with the reason."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice
from pymatgen.core import Structure as Pymatgen
from pymatgen.io.vasp import Poscar

from hirshprint.structures.crystals import Crystal, CrystalError, crystal_structure
from hirshprint.structures.reading.poscar import read_poscar

PLACES = ["0 0 0", "0.5 0.5 0.5", "0.5 0.5 0", "0.5 0 0.5", "0 0.5 0.5"]
FRAC = np.array([[float(x) for x in place.split()] for place in PLACES])


def poscar(
    comment: str = "perovskite",
    scale: str = "3.905",
    lattice: Sequence[str] = ("1 0 0", "0 1 0", "0 0 1"),
    names: str = "Sr Ti O",
    counts: str = "1 1 3",
    mode: str = "Direct",
    places: Sequence[str] = PLACES,
    rest: str = "",
) -> str:
    """A POSCAR of SrTiO3; a part that is empty is left out, line and all."""
    lines = [comment, scale, *lattice, *filter(None, (*names.split("\n"), *counts.split("\n"), mode)), *places]
    return "\n".join(lines) + "\n" + rest


def assert_perovskite(crystal: Crystal) -> None:
    assert crystal.symbols == ("Sr", "Ti", "O", "O", "O")
    assert np.allclose(crystal.lattice, 3.905 * np.eye(3))
    assert np.allclose(crystal.frac, FRAC)


CARTESIAN = ["0 0 0", "1.9525 1.9525 1.9525", "1.9525 1.9525 0", "1.9525 0 1.9525", "0 1.9525 1.9525"]
FLAGS = [f"{place} T T F" for place in PLACES]
NAMED = [f"{place} {name}" for place, name in zip(PLACES, ["Sr", "Ti", "O", "O", "O"], strict=True)]


@pytest.mark.parametrize(
    "text",
    [
        poscar(),
        poscar(comment=""),
        poscar().replace("\n", "\r\n"),
        poscar().replace(" ", "\t"),
        poscar().rstrip("\n"),
        poscar(scale="3.905D+00", places=[place.replace("0.5", "5.0d-01") for place in PLACES]),
        poscar(scale="  3.905  ! a, Å", counts="1 1 3 # atoms", places=[f"{place} ! x" for place in PLACES]),
        poscar(scale="1.0", lattice=("3.905 0 0", "0 3.905 0", "0 0 3.905")),
        poscar(scale=f"-{3.905**3:.9f}"),
        poscar(scale=f"-{3.905**3:.9f}", mode="Cartesian"),
        poscar(scale="3.905 3.905 3.905"),
        poscar(scale="3.905 3.905 7.81", lattice=("1 0 0", "0 1 0", "0 0 .5")),
        poscar(scale="1.0", lattice=("3.905 0 0", "0 3.905 0", "0 0 3.905"), mode="k-points", places=CARTESIAN),
        poscar(scale="1.0", lattice=("3.905 0 0", "0 3.905 0", "0 0 3.905"), mode="cart", places=CARTESIAN),
        poscar(mode="Selective dynamics\nDirect", places=FLAGS),
        poscar(mode="selective\ndirect", places=[place.replace("T", ".TRUE.") for place in FLAGS]),
        poscar(mode="Selective dynamics\nDirect", places=[f"{n.rsplit(' ', 1)[0]} T T F {n[-2:]}" for n in NAMED]),
        poscar(mode="Selective dynamics\nDirect", places=[f"{n} T F T" for n in NAMED]),
        poscar(places=FLAGS),
        poscar(places=NAMED),
        poscar(places=[f"{name}{k}" for k, name in enumerate(NAMED)]),
        poscar(names="Sr_sv Ti_pv O_s"),
        poscar(names="Sr_sv/3d1a2b4c Ti_pv_GW/f5e2cd0d O/1a2b3c4d"),
        poscar(names="Sr Ti O O", counts="1 1 1 2"),
        poscar(names="", places=NAMED),
        poscar(names="", comment="Sr Ti O"),
        poscar(rest="\n 0.1 0 0\n" + " 0 0 0\n" * 4),
        poscar(rest="Cartesian\n" + " 0 0 0\n" * 5),
        poscar(rest="\n" + "0 0 0\n" * 5 + "\n1\n 0.5\n 0 0 0 0\n" + "0 0 0\n" * 15),
        poscar(rest="Lattice velocities and vectors\n1\n" + "0 0 0\n" * 6 + "\n" + "0 0 0\n" * 5),
        poscar(rest="\n2 2 3\n" + "0.1 0.2 0.3 0.4 0.5\n" * 2 + "0.1 0.2\n"),
        poscar(rest="\n\n \n"),
        poscar(mode="Direct configuration=     1"),
    ],
)
def test_what_vasp_reads_is_read(text: str) -> None:
    assert_perovskite(read_poscar(text))


@pytest.mark.parametrize(
    ("text", "remark"),
    [
        (poscar(), ""),
        (poscar(names="", comment="Sr Ti O"), "the elements Sr Ti O come from its first line"),
        (poscar(names="", places=NAMED), "come from the names after"),
        (poscar(names="Sr Ca Ti O", counts="1 0 1 3"), "no atoms of Ca"),
        (poscar(comment="PbTiO3"), "its first line says PbTiO3, its names Sr Ti O, which are used"),
        (poscar(comment="SrTiO3 relaxed"), ""),
        (poscar(comment="POSCAR of NaCl"), ""),
    ],
)
def test_what_is_assumed_is_said(text: str, remark: str) -> None:
    crystal = read_poscar(text)
    assert_perovskite(replace(crystal, frac=crystal.frac % 1))
    assert len(crystal.remarks) == bool(remark)
    assert remark in " ".join(crystal.remarks)
    assert crystal_structure(crystal, "x").remarks == crystal.remarks


@pytest.mark.parametrize(
    ("text", "reason", "remedy"),
    [
        ("hello", "not a POSCAR: line 2 is empty and not a scale factor", "1.0 where lengths are in Å"),
        (poscar(scale="Sr Ti O"), "line 2 is Sr Ti O and not a scale factor", "write one number"),
        (poscar(scale="1.0 2.0"), "line 2 is 1.0 2.0 and not a scale factor", "or three"),
        (poscar(scale="0.0"), "the scale is 0.0", "write 1.0"),
        (poscar(scale="-4 4 4"), "the scale is -4 4 4", "write 1.0"),
        (poscar(lattice=("1 0 0", "0 1", "0 0 1")), "line 4 is 0 1 and not three numbers", "lattice vector"),
        (poscar(lattice=("1 0 0", "0 1 0", "0 0 nan")), "line 5 is 0 0 nan and not three", "lattice vector"),
        (poscar(lattice=("1 0 0", "0 1 0", "0 0 1e999")), "not finite", "correct the number"),
        (poscar(lattice=("1 0 0", "0 1 0", "1 1 0")), "in one plane", "correct them"),
        (poscar(names="Sr Ti"), "2 names of elements (Sr Ti) and 3 numbers of atoms (1 1 3)", "one number for each"),
        (poscar(counts="1 1"), "3 names of elements (Sr Ti O) and 2 numbers of atoms (1 1)", "one number for each"),
        (poscar(counts="1 1 3.0"), "line 7 is 1 1 3.0 and not the numbers of atoms", "whole numbers"),
        (poscar(counts="1 1 3*1"), "line 7 is 1 1 3*1 and not the numbers of atoms", "whole numbers"),
        (poscar(counts=""), "line 7 is Direct and not the numbers of atoms", "after the names Sr Ti O"),
        (poscar(names="", counts=""), "unknown element 'Direct' in the line of names", "element symbols"),
        (poscar(counts="1 -1 3"), "the numbers of atoms are 1 -1 3", "correct"),
        (poscar(counts="0 0 0"), "the numbers of atoms are 0 0 0", "correct"),
        (poscar(mode=""), "no Direct or Cartesian line: line 8 is 0 0 0", "write Direct or Cartesian"),
        (poscar(mode="Fractional"), "no Direct or Cartesian line: line 8 is Fractional", "write Direct"),
        (poscar(mode="Selective dynamics"), "no Direct or Cartesian line: line 9 is 0 0 0", "write Direct"),
        (poscar(places=PLACES[:4]), "4 lines of atoms where the numbers of atoms add up to 5", "complete"),
        (poscar(counts="1 1 9999999"), "5 lines of atoms where the numbers of atoms add up to 10000001", "complete"),
        (poscar(places=[*PLACES, "0 0 0.5", "1 1 1"]), "7 lines of atoms where the numbers of atoms", "too many"),
        (poscar(places=[*PLACES, "", "0 0 0.5"]), "1 more lines of three numbers after the 5 atoms", "delete"),
        (poscar(places=["0 0 0", "1/2 1/2 1/2", *PLACES[2:]]), "line 10 is 1/2 1/2 1/2 and not", "three coord"),
        (poscar(places=["0 0 0", "0,5 0,5 0,5", *PLACES[2:]]), "line 10 is 0,5 0,5 0,5 and not", "points"),
        (poscar(places=["0 0 0", "0.5 0.5", *PLACES[2:]]), "line 10 is 0.5 0.5 and not", "three coordinates"),
        (
            poscar(places=["0 0 0", "0.5 0.5 0.5 0.9", *PLACES[2:]]),
            "line 10 has 0.9 after the position",
            "ordered model",
        ),
        (poscar(rest=poscar()), "several crystals in one file", "`structures:`"),
        (poscar(rest="\n" + poscar()), "several crystals in one file", "`structures:`"),
        (poscar(rest=".25 .25-.25\n"), "line 14, after the 5 atoms, is .25 .25-.25", "delete it"),
        (poscar(rest="Sr .25 .25 .25\n"), "line 14, after the 5 atoms, is Sr .25 .25 .25", "delete it"),
        (poscar(names="", comment="SrTiO3"), "no names of elements in it (a file for VASP 4)", "a line of 3 names"),
        (poscar(names="", comment="Sr Ti"), "no names of elements", "above the numbers of atoms (1 1 3)"),
        (poscar(names="", comment="cubic"), "no names of elements", "above the numbers of atoms (1 1 3)"),
        (poscar(names="", comment="Sr Ti Q"), "no names of elements", "a line of 3 names"),
        (poscar(names="SR TI O"), "unknown element 'SR'", "element symbols"),
        (poscar(names="SrTi O O"), "unknown element 'SrTi'", "element symbols"),
        (poscar(names="H1.25 Ti O"), "H1.25 is a hydrogen with a part of an electron", "whole atoms"),
        (poscar(names="H.5 Ti O"), "H.5 is a hydrogen with a part of an electron", "whole atoms"),
        (poscar(names="Ti Sr O", places=NAMED), "atom 1 is Ti by the numbers of atoms and Sr by", "correct one"),
        (
            poscar(names="", counts="2 3", places=NAMED),
            "atom 1 is Ti by the numbers of atoms and Sr by the name",
            "correct one of them",
        ),
        (poscar(mode="Direct configuration= 1", rest="Direct configuration= 2\n0 0 0\n"), "2 crystals", "POSCAR"),
        (" vasp.6.3.0 20Jan22\n executed on\n", "an output file of VASP, not a POSCAR", "CONTCAR"),
        ('<?xml version="1.0"?>\n<modeling>\n', "an output file of VASP, not a POSCAR", "CONTCAR"),
    ],
)
def test_what_vasp_does_not_read_is_refused(text: str, reason: str, remedy: str) -> None:
    with pytest.raises(CrystalError) as caught:
        read_poscar(text)
    assert reason in caught.value.reason
    assert remedy in caught.value.remedy


def test_three_factors_scale_components_and_negative_ones_are_volumes() -> None:
    skew = ("1 0.5 0", "0 1 0.25", "0.1 0 1")
    rows = np.array([[float(x) for x in row.split()] for row in skew])
    three = read_poscar(poscar(scale="4 5 6", lattice=skew, mode="Cartesian"))
    assert np.allclose(three.lattice, rows * [4, 5, 6])
    assert np.allclose(three.frac @ three.lattice, FRAC * [4, 5, 6])
    for order in ((0, 1, 2), (1, 0, 2)):  # a left-handed cell stays one
        volume = read_poscar(poscar(scale="-60", lattice=[skew[k] for k in order]))
        assert abs(np.linalg.det(volume.lattice)) == pytest.approx(60)
        assert np.sign(np.linalg.det(volume.lattice)) == np.sign(np.linalg.det(rows[list(order)]))


def test_cartesian_places_that_look_fractional_are_read_with_a_doubt() -> None:
    crystal = read_poscar(poscar(scale="1", lattice=("3.9 0 0", "0 3.9 0", "0 0 3.9"), mode="Cartesian"))
    assert np.allclose(crystal.frac, FRAC / 3.9)
    assert "are the coordinates Direct ones?" in crystal.remarks[0]


def test_names_and_numbers_go_on_after_twenty() -> None:
    names, counts = ["Fe", "Cr"] * 12, ["1"] * 24
    wrapped = ["\n".join(" ".join(part) for part in (words[:20], words[20:])) for words in (names, counts)]
    places = [f"{k / 24:.6f} 0 0" for k in range(24)]
    crystal = read_poscar(poscar(scale="24", names=wrapped[0], counts=wrapped[1], places=places))
    assert crystal.symbols == tuple(names)
    short = poscar(names="Sr Ti O\nBa", counts="1 1 3\n1")
    with pytest.raises(CrystalError, match="line 7 is Ba and not the numbers"):
        read_poscar(short)


ELEMENTS = st.sampled_from(["H", "C", "F", "Si", "Ti", "Sr", "Cs", "Co", "I", "S"])
NUMBERS = st.floats(-3, 3, allow_subnormal=False)


@st.composite
def crystals(draw: st.DrawFn) -> Crystal:
    """A random crystal, of a cell that is not flat."""
    rows = np.diag(draw(st.lists(st.floats(2, 9), min_size=3, max_size=3)))
    rows = rows + np.array(draw(st.lists(st.floats(-0.6, 0.6), min_size=9, max_size=9))).reshape(3, 3)
    symbols = draw(st.lists(ELEMENTS, min_size=1, max_size=6))
    places = draw(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=len(symbols), max_size=len(symbols)))
    return Crystal(rows, tuple(symbols), np.array(places))


def assert_same(found: Crystal, wanted: Crystal) -> None:
    assert found.symbols == wanted.symbols
    assert np.allclose(found.lattice, wanted.lattice, atol=1e-8)
    offsets = found.frac - wanted.frac
    assert np.allclose((offsets - np.round(offsets)) @ wanted.lattice, 0, atol=1e-7)
    assert all("are the coordinates" in remark for remark in found.remarks)


@given(crystals(), st.booleans(), st.booleans(), st.booleans(), st.booleans())
@settings(max_examples=80, deadline=None)
def test_what_ase_and_pymatgen_write_is_read(
    crystal: Crystal, direct: bool, selective: bool, hashed: bool, volume: bool
) -> None:
    ase = pytest.importorskip("ase", reason="ase is not in this environment: make env")
    from ase.constraints import FixAtoms, FixScaled
    from ase.io import write

    atoms = ase.Atoms(crystal.symbols, cell=crystal.lattice, scaled_positions=crystal.frac, pbc=True)
    if selective:
        atoms.set_constraint([FixAtoms([0])] + [FixScaled(k, (True, False, True)) for k in range(1, len(atoms))])
    written = io.StringIO()
    write(written, atoms, format="vasp", direct=direct)
    text = written.getvalue()
    if hashed:
        lines = text.split("\n")
        text = "\n".join([*lines[:5], " ".join(f"{name}_pv/1a2b3c4d" for name in lines[5].split()), *lines[6:]])
    if volume:
        rows = crystal.lattice / 2
        text = re.sub(r"\n.*\n", f"\n-{abs(np.linalg.det(rows)) * 8:.12f}\n", text, count=1)
    assert_same(read_poscar(text), crystal)
    assert read_poscar(text.replace("\n", "\r\n")).symbols == crystal.symbols

    structure = Pymatgen(Lattice(crystal.lattice), crystal.symbols, crystal.frac)
    flags = [[True, False, True]] * len(structure) if selective else None
    velocities = [[0.1, 0.2, 0.3]] * len(structure) if volume else None
    poscar = Poscar(structure, selective_dynamics=flags, velocities=velocities)
    assert_same(read_poscar(poscar.get_str(direct=direct, significant_figures=12)), crystal)
