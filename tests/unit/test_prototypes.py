"""Prototypes: their sites, their names, what is recognised as one, and tables of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pymatgen.core import Lattice
from pymatgen.core import Structure as Crystal
from written_settings import build_structures, plan_dataset

from hirshprint.structures.crystals import CrystalError, crystal_structure, of_pymatgen
from hirshprint.structures.entries import InputError
from hirshprint.structures.placed import prototype_structure
from hirshprint.structures.prototypes import PROTOTYPES, PrototypeError, find_prototype
from hirshprint.structures.recognition import prototype_elements

FIXED = {"kind": "fixed", "edge_angstrom": 4.0}


def _plan(folder: Path, text: str, **settings: Any) -> Any:
    (folder / "table.csv").write_text(text, encoding="utf-8")
    plain = {"table": str(folder / "table.csv"), "property": "a_angstrom", "unit": "Å", "initial_edge": FIXED}
    return plan_dataset({"prototype": "cubic_perovskite"} | plain | settings)


def test_double_perovskite_has_rock_salt_order() -> None:
    double = PROTOTYPES["double_perovskite"]
    structure = prototype_structure(double, ("Ba", "Mg", "W", "O"), 4.05, "x")
    crystal = Crystal(Lattice(structure.lattice), structure.numbers, structure.frac)
    assert crystal.get_space_group_info()[1] == 225
    assert structure.site_labels == ("A", "B", "B2", "X")
    assert structure.multiplicity.tolist() == [2, 1, 1, 6]
    assert [len(operations) for operations in structure.site_operations] == [24, 48, 48, 8]
    neighbours = crystal.get_neighbors(crystal[2], 2.1)
    assert {(n.specie.symbol, round(n.nn_distance, 6)) for n in neighbours} == {("O", 2.025)}
    assert len(neighbours) == 6
    assert len([n for n in crystal.get_neighbors(crystal[0], 2.9) if n.specie.symbol == "O"]) == 12
    assert structure.is_anion.sum() == 6


@pytest.mark.parametrize(
    ("elements", "name", "anions"),
    [(("Cl", "O", "Li"), "Li3ClO", ("A", "B")), (("Cu", "N", "Mn"), "Mn3CuN", ("B",))],
)
def test_anti_perovskite_has_its_anion_on_b(elements: tuple[str, ...], name: str, anions: tuple[str, ...]) -> None:
    anti = PROTOTYPES["anti_perovskite"]
    assert anti.compound(elements) == name
    assert anti.elements_of(name) == elements
    structure = prototype_structure(anti, elements, 3.9, name)
    of_site = dict(zip(structure.site_labels, structure.is_anion[structure.site_atom], strict=True))
    assert {site for site, is_anion in of_site.items() if is_anion} == set(anions)


@pytest.mark.parametrize("name", list(PROTOTYPES))
def test_a_prototype_is_recognised_in_any_setting(name: str) -> None:
    prototype = PROTOTYPES[name]
    elements = (*("Ba", "Mg", "W")[: len(prototype.sites) - 1], "O")
    ideal = prototype_structure(prototype, elements, 4.1, "x")
    crystal = Crystal(Lattice(ideal.lattice), ideal.numbers, ideal.frac)
    crystal.translate_sites(range(len(crystal)), [0.2, 0.1, 0.7])
    crystal.make_supercell([[1, 1, 0], [0, 2, 0], [0, 0, 1]])
    assert prototype_elements(crystal_structure(of_pymatgen(crystal), "x"), prototype) == elements
    crystal.translate_sites([0], [0.03, 0, 0])
    assert prototype_elements(crystal_structure(of_pymatgen(crystal), "x"), prototype) is None
    for other in set(PROTOTYPES) - {name, "anti_perovskite" if name.startswith("cubic") else "cubic_perovskite"}:
        assert prototype_elements(ideal, PROTOTYPES[other]) is None


def test_sites_come_from_coordination_not_from_order() -> None:
    cubic = PROTOTYPES["cubic_perovskite"]
    for elements in (("Sr", "Ti", "O"), ("Ti", "Sr", "O"), ("Ac", "Ac", "O")):
        structure = prototype_structure(cubic, elements, 3.9, "x")
        order = np.array([4, 1, 0, 3, 2])
        crystal = Crystal(Lattice(structure.lattice), structure.numbers[order], structure.frac[order])
        assert prototype_elements(crystal_structure(of_pymatgen(crystal), "x"), cubic) == elements


def test_table_of_double_perovskites(tmp_path: Path) -> None:
    rows = ["Ba2MgWO6,Ba,Mg,W,O,4.05", "Ba2MgWO6,Ba,Mg,W,O,4.07", "Sr2MgWO6,Sr,Mg,W,O,3.95", "Ba2MnMnO6,Ba,Mn,Mn,O,4"]
    text = "\n".join(["formula,A,B,B2,X,a_angstrom", *rows]) + "\n"
    plan = _plan(tmp_path, text, prototype="double_perovskite")
    assert [entry.structure_id for entry in plan.entries] == ["Sr2MgWO6-a4.00000"]
    assert [rejection.source[-1] for rejection in plan.rejections] == ["5", "2", "3"]
    assert "different values" in plan.rejections[1].reason
    assert "duplicates: mean" in plan.rejections[1].remedy
    assert "the same element, Mn" in plan.rejections[0].reason
    mean = _plan(tmp_path, text, prototype="double_perovskite", duplicates="mean")
    assert {entry.compound: entry.target for entry in mean.entries} == {
        "Ba2MgWO6": pytest.approx(4.06),
        "Sr2MgWO6": 3.95,
    }
    assert mean.entries[0].source.endswith("rows 2, 3 (mean)")
    assert len(mean.rejections) == 1


def test_groups_and_filters(tmp_path: Path) -> None:
    text = "formula,a_angstrom,family\nSrTiO3,3.9,one\nBaTiO3,4.0,\nCsPbI3,6.3,two\nLaAlO3,3.8,two\n"
    filters = [
        {"name": "element square", "elements": {"X": ["O", "I"], "B": ["Ti", "Pb"]}},
        {"name": "a > 5 Å", "column": "a_angstrom", "above": 5},
    ]
    plan = _plan(tmp_path, text, group="family", filters=filters)
    assert [(entry.compound, entry.group) for entry in plan.entries] == [("SrTiO3", "one")]
    assert [(r.structure_id, r.stage, r.reason) for r in plan.rejections] == [
        ("BaTiO3", "structures", "column family is empty"),
        ("CsPbI3", "filter", "filter 'a > 5 Å'"),
        ("LaAlO3", "filter", "filter 'element square'"),
    ]
    (target,) = build_structures(plan.entries, {"prototype": "cubic_perovskite", "property": "a", "unit": "Å"})[1]
    assert target["group"] == "one"


def test_lists_of_elements_are_combined(tmp_path: Path) -> None:
    settings = {"elements": {"A": ["Sr", "O"], "B": ["Ti", "Sr"], "X": ["O"]}, "model": "m", "initial_edge": FIXED}
    plan = plan_dataset(settings | {"prototype": "cubic_perovskite", "property": "a_angstrom", "unit": "Å"})
    assert [entry.compound for entry in plan.entries] == ["SrTiO3", "SrSrO3"]
    assert [rejection.structure_id for rejection in plan.rejections] == ["OTiO3", "OSrO3"]
    with pytest.raises(InputError, match="for the sites A, B, X"):
        plan_dataset(settings | {"prototype": "cubic_perovskite", "elements": {"A": ["Sr"]}})
    with pytest.raises(InputError, match="B: unknown element 'Xx'"):
        plan_dataset(settings | {"prototype": "cubic_perovskite", "elements": {"A": ["Sr"], "B": ["Xx"], "X": ["O"]}})


@pytest.fixture
def spinel(tmp_path: Path) -> Path:
    """A prototype of one's own: the spinel, from a file."""
    folder = tmp_path / "spinel"
    folder.mkdir()
    crystal = Crystal.from_spacegroup(
        "Fd-3m", Lattice.cubic(8.08), ["Mg", "Al", "O"], [[0] * 3, [5 / 8] * 3, [0.3874] * 3]
    )
    crystal.to(str(folder / "POSCAR"), fmt="poscar")
    rows = ["site,element,atoms,anion", "X,O,4,yes", "A,Mg,1,no", "B,Al,2,no"]
    (folder / "sites.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def test_prototype_of_ones_own(spinel: Path, tmp_path: Path) -> None:
    prototype = find_prototype(str(spinel))
    assert prototype.sites == ("A", "B", "X")
    plan = _plan(tmp_path, "formula,a_angstrom\nZnGa2O4,8.33\nMgAl2O4,8.08\nSrTiO3,3.9\n", prototype=str(spinel))
    assert [entry.compound for entry in plan.entries] == ["ZnGa2O4", "MgAl2O4"]
    assert "not of the form AB2X4" in plan.rejections[0].reason
    built = [prototype_structure(prototype, entry.elements, 8.2, entry.structure_id) for entry in plan.entries]
    assert np.allclose(np.linalg.norm(built[0].lattice, axis=1), 8.2)
    assert built[0].multiplicity.sum() == 56
    assert built[0].formula_units == 8
    assert dict(zip(built[0].site_labels, built[0].multiplicity.tolist(), strict=True)) == {"A": 8, "B": 16, "X": 32}
    assert prototype_elements(built[0], prototype) == ("Zn", "Ga", "O")
    with pytest.raises(CrystalError, match="overlap"):
        prototype_structure(prototype, ("Zn", "Ga", "O"), 1.0, "x")


def test_prototypes_that_cannot_be_used(spinel: Path, tmp_path: Path) -> None:
    with pytest.raises(PrototypeError, match="did you mean cubic_perovskite"):
        find_prototype("cubic_perovskit")
    with pytest.raises(PrototypeError, match="mean cubic_perovskite, anti_perovskite or double_perovskite"):
        find_prototype("Perovskite")
    with pytest.raises(InputError, match="did you mean double_perovskite"):
        _plan(tmp_path, "formula,a_angstrom\n", prototype="doubleperovskite")
    for text, message in (
        ("site,element,atoms,anion\nA,Mg,1,no\nA,Al,2,no\n", "a site of its own"),
        ("site,element,atoms,anion\nA,Mg,0,no\n", "row 2: write a site"),
        ("site,element,atoms\nA,Mg,1\n", "no column anion"),
        ("site,element,atoms,anion\nA,Mg,1,\n", "row 2: fill the columns"),
        ("site,element,atoms,anion\nA,Mg,1\n", "row 2: fill the columns"),
        ("site,element,atoms,anion\nA,mg,1,no\n", "row 2: column element: unknown element 'mg'; write Mg"),
        ('site,element,atoms,anion\n"A,Mg,1,no\n', "row 2: a quote"),
        ("site,element,atoms,anion\nA,Mg,1,maybe\n", "yes or no"),
    ):
        (spinel / "sites.csv").write_text(text, encoding="utf-8")
        find_prototype.cache_clear()
        with pytest.raises(PrototypeError, match=message):
            find_prototype(str(spinel))
    (spinel / "sites.csv").write_text("site,element,atoms,anion\nA,Mg,1,no\nB,Al,3,no\nX,O,4,yes\n", encoding="utf-8")
    find_prototype.cache_clear()
    with pytest.raises(CrystalError, match="no multiple of"):
        prototype_structure(find_prototype(str(spinel)), ("Zn", "Ga", "O"), 8.2, "x")
