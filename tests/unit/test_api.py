"""The interface for notebooks: crystals of all kinds, results and their pictures, densities, predictions."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.spacegroup import crystal
from matplotlib.figure import Figure
from pymatgen.core import IStructure, Lattice, Molecule, Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

import hirshprint
from hirshprint.api import densities as own
from hirshprint.api.crystal_surfaces import CrystalSurfaces
from hirshprint.api.crystals import NoCrystalError
from hirshprint.api.defaults import CrystalWarning
from hirshprint.api.densities import DensitiesError, NoDensitiesError
from hirshprint.config.model import Fingerprint
from hirshprint.fingerprints.binning import fingerprint_of
from hirshprint.hirshfeld.python.engine import compute_surfaces
from hirshprint.structures.crystals import CrystalError
from hirshprint.structures.entries import InputError

ROOT = Path(__file__).parents[2]
PLACES = [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
CELL = [4.0, 4.0, 4.0, 90, 90, 90]
RUTILE = Structure.from_spacegroup(
    "P4_2/mnm", Lattice.tetragonal(4.594, 2.959), ["Ti", "O"], [[0, 0, 0], [0.3053, 0.3053, 0]]
)
# tests/other-pythons has the environment of surfaces alone
DRAWS = pytest.mark.skipif(find_spec("pyvista") is None, reason="pyvista is not in this environment")
PREDICTS = pytest.mark.skipif(find_spec("tensorflow") is None, reason="tensorflow is not in this environment")


@pytest.fixture
def given(densities_file: Callable[[str], Path]) -> dict[str, Any]:
    return {"densities": densities_file("thakkar"), "mesh_level": 6}


def perovskite(edge_angstrom: float = 3.905) -> Structure:
    return Structure(Lattice.cubic(edge_angstrom), ["Sr", "Ti", "O", "O", "O"], PLACES)


# --- importing ----------------------------------------------------------------------------------------------------


def test_importing_is_light_and_finds_the_functions() -> None:
    code = (
        "import sys, hirshprint; print({'numpy', 'pymatgen', 'numba', 'pandas'} & set(sys.modules));"
        "import hirshprint.hirshfeld.surface, hirshprint.fingerprints;"
        "print([getattr(hirshprint, name).__module__ for name in hirshprint.__all__[1:]], 'compare' in dir(hirshprint))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["set()", f"{['hirshprint.api.functions'] * 5} True"]


def test_what_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'surface'"):
        hirshprint.surface  # type: ignore[attr-defined]  # noqa: B018


def test_functions_stay_functions(given: dict[str, Any]) -> None:
    for name in ("surfaces", "fingerprint", "contacts"):
        getattr(hirshprint, name)("SrTiO3", **given)
        assert callable(getattr(hirshprint, name))


def test_other_users_of_numba_notice_nothing(densities_file: Callable[[str], Path], tmp_path: Path) -> None:
    code = (
        "import os, sys, numba, hirshprint;"
        f"hirshprint.surfaces('SrTiO3', densities={str(densities_file('thakkar'))!r}, mesh_level=4);"
        "from hirshprint.hirshfeld.patches import nearest_rows;"
        "print(os.environ.get('NUMBA_CACHE_DIR'), numba.config.CACHE_DIR == '', nearest_rows._cache.cache_path)"
    )
    environment = {key: value for key, value in os.environ.items() if key != "NUMBA_CACHE_DIR"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    folder, unchanged, path = done.stdout.split()
    assert (folder, unchanged) == ("None", "True")
    assert "hirshprint" in path


def test_all_compiled_functions_are_declared_together() -> None:
    package = ROOT / "src/hirshprint"
    with_kernels = [path for path in (package / "hirshfeld").rglob("*.py") if "\n@kernel" in path.read_text()]
    names = [".".join(path.relative_to(package.parent).with_suffix("").parts) for path in with_kernels]
    code = "import sys; from hirshprint.hirshfeld.compiled import declare_all; declare_all();"
    code += f"print(set({names}) - set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert len(names) > 4
    assert done.stdout == "set()\n"


# --- crystals -----------------------------------------------------------------------------------------------------


def test_one_crystal_of_all_kinds_has_one_fingerprint(given: dict[str, Any], tmp_path: Path) -> None:
    crystal = perovskite()
    crystal.to(filename=str(tmp_path / "SrTiO3.cif"), symprec=0.01)
    crystal.to(filename=str(tmp_path / "POSCAR"), fmt="poscar")
    (tmp_path / "many.jsonl").write_text('{"id": "a", "structure": %s}\n' % crystal.to_json())  # noqa: UP031
    atoms = Atoms("SrTiO3", scaled_positions=PLACES, cell=[3.905] * 3, pbc=True)
    kinds = [
        *(crystal, atoms, tmp_path / "SrTiO3.cif", str(tmp_path / "POSCAR"), f"{tmp_path / 'many.jsonl'}:a"),
        hirshprint.surfaces(crystal, **given),
    ]
    counts = [hirshprint.fingerprint(kind, **given).total for kind in kinds]
    counts.append(hirshprint.fingerprint("SrTiO3", edge_angstrom=3.905, **given).total)
    for other in counts[1:]:
        np.testing.assert_allclose(other, counts[0], atol=1e-4 * counts[0].max())


def test_a_fingerprint_is_that_of_the_engine(given: dict[str, Any], thakkar: Any) -> None:
    made = hirshprint.fingerprint(RUTILE, **given)
    surfaces = compute_surfaces(made.surfaces.structure, thakkar, 6)
    counts, _ = fingerprint_of(surfaces, Fingerprint.from_dict({}), ["Ti1", "O1"])
    np.testing.assert_allclose(made.counts, counts, atol=1e-4)
    assert made.channels == ("total", "Ti1", "O1", "anion", "cation")
    assert made.total.sum() == pytest.approx(made["Ti1"].sum() + made["O1"].sum(), rel=1e-6)
    with pytest.raises(KeyError, match="the channels are total, Ti1"):
        made["Fe1"]


@pytest.mark.parametrize(
    ("crystal", "error", "said"),
    [
        ("nowhere.cif", NoCrystalError, "there is no such file"),
        ("Sr2TiO4", NoCrystalError, "neither a file nor a formula ABX3"),
        (".", NoCrystalError, "is a folder"),
        (7, TypeError, "int is no crystal; give a structure of pymatgen's"),
        (None, TypeError, "NoneType is no crystal"),
        (Atoms("O2", positions=[[0, 0, 0], [0, 0, 1.2]]), CrystalError, "cell"),
        (Atoms("Cu", cell=[3, 3, 3], pbc=[True, True, False]), CrystalError, "three directions"),
        (Molecule(["H", "H"], [[0, 0, 0], [0, 0, 0.7]]), TypeError, "Molecule is no crystal"),
        (Structure(Lattice.cubic(4), [{"Na": 0.5, "K": 0.5}], [[0, 0, 0]]), CrystalError, "partial occupancy"),
        (Structure(Lattice.cubic(4), ["Na", "Cl"], [[0, 0, 0], [0, 0, 0.01]]), CrystalError, "apart"),
        (Structure(Lattice.cubic(4), ["X", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]]), CrystalError, "element"),
        (
            crystal(["Na", "Cl"], [(0, 0, 0), (0.5, 0.5, 0.5)], spacegroup=221, cellpar=CELL, occupancies=[0.6, 1]),
            CrystalError,
            "partial occupancy or disorder",
        ),
    ],
)
def test_what_is_no_crystal_is_refused(crystal: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        hirshprint.surfaces(crystal)


def test_what_is_beside_the_atoms_does_not_matter(given: dict[str, Any]) -> None:
    plain = hirshprint.fingerprint(perovskite(), **given).total
    noted = perovskite()
    noted.properties = {"calculator": object(), ("a", 1): {1, 2}}
    noted.add_site_property("note", [object()] * 5)
    charged = perovskite()
    charged.add_oxidation_state_by_element({"Sr": 2, "Ti": 4, "O": -2})
    symmetrised = SpacegroupAnalyzer(perovskite()).get_symmetrized_structure()
    atoms = Atoms("SrTiO3", scaled_positions=PLACES, cell=[3.905] * 3, pbc=True, info={"note": object()})
    for other in (noted, charged, symmetrised, IStructure.from_sites(list(perovskite())), atoms):
        np.testing.assert_array_equal(hirshprint.fingerprint(other, **given).total, plain)


def test_what_was_assumed_is_warned_of_and_kept(given: dict[str, Any], tmp_path: Path) -> None:
    text = perovskite().to(fmt="cif").replace("_symmetry_space_group_name_H-M   'P 1'", "")
    start, end = text.index("loop_\n _symmetry_equiv"), text.index("loop_\n _atom_site")
    (tmp_path / "x.cif").write_text(text[:start].replace("_symmetry_Int_Tables_number   1", "") + text[end:])
    with pytest.warns(CrystalWarning, match="x: no symmetry is given: P 1 is assumed"):
        made = hirshprint.contacts(tmp_path / "x.cif", **given)
    assert "P 1 is assumed" in made.surfaces.remarks[0]


# --- results ------------------------------------------------------------------------------------------------------


def test_surfaces_have_names_a_table_and_texts(given: dict[str, Any]) -> None:
    made = hirshprint.surfaces(RUTILE, **given)
    assert isinstance(made, CrystalSurfaces)
    assert [surface.site_label for surface in made] == ["Ti1", "O1"]
    assert made["O1"] is made[1]
    assert len(made) == 2
    with pytest.raises(KeyError, match="the sites are Ti1, O1"):
        made["Fe1"]
    table = made.table()
    volumes = table["multiplicity"] @ table["volume_angstrom3"]
    assert 0.5 < volumes / RUTILE.volume <= 1.0  # the rest is no atom's own
    assert "TiO2, 2 formula units" in repr(made)
    assert "thakkar densities, mesh level 6" in repr(made)
    assert "<table" in made._repr_html_()


def test_contacts_add_up_to_the_surface(given: dict[str, Any]) -> None:
    made = hirshprint.contacts(RUTILE, **given)
    table = made.table()
    np.testing.assert_allclose(table.groupby("site")["share"].sum(), 1.0, atol=1e-5)
    assert set(table[table["site"] == "Ti1"]["met_site"]) == {"O1"}
    labels = np.array(made.surfaces.site_labels)
    arrays = {"site": labels[made.site], "met_site": labels[made.met_site], "share": made.share}
    arrays |= {name: getattr(made, name) for name in ("atoms", "distance_angstrom", "area_angstrom2")}
    for name, values in arrays.items():
        expected = sorted(table[name].tolist())
        assert sorted(values.tolist()) == (pytest.approx(expected) if name == "share" else expected), name
    total = made.surfaces.multiplicity @ made.surfaces.volume_angstrom3
    assert 0.5 < total / RUTILE.volume <= 1.0
    assert made.sites[1].areas.sum() == pytest.approx(made.surfaces["O1"].area, rel=1e-5)
    assert "CrystalContacts of TiO2" in repr(made)
    assert "<table" in made._repr_html_()


@DRAWS
def test_pictures(given: dict[str, Any], tmp_path: Path) -> None:
    made = hirshprint.surfaces(perovskite(), **given)
    figures = [hirshprint.fingerprint(made).plot(), hirshprint.contacts(made).plot(), made.plot()]
    assert all(isinstance(figure, Figure) for figure in figures)
    assert all(figure._repr_png_().startswith(b"\x89PNG") for figure in figures)  # type: ignore[attr-defined]
    assert hirshprint.fingerprint(made)._repr_png_().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="write one of d_i, d_e"):
        made.show("d_norm")


@DRAWS
@pytest.mark.parametrize("what", ["surfaces", "contacts"])
def test_surfaces_can_be_turned(what: str, densities_file: Callable[[str], Path], tmp_path: Path) -> None:
    code = (
        "import warnings; warnings.simplefilter('error'); import hirshprint;"
        f"hirshprint.{what}('SrTiO3', densities={str(densities_file('thakkar'))!r}, mesh_level=4)"
        ".show(screenshot='x.png')"
    )
    environment = {key: value for key, value in os.environ.items() if key not in ("DISPLAY", "WAYLAND_DISPLAY")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr
    from matplotlib.image import imread

    picture = imread(tmp_path / "x.png")[..., :3]
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 50


def test_compare(given: dict[str, Any]) -> None:
    first, second = (hirshprint.fingerprint(perovskite(edge), **given) for edge in (3.9, 4.0))
    made = hirshprint.compare(first, second)
    assert 0.2 < made.l1_distance < 2.0
    assert 0.01 < made.earth_movers_distance_angstrom < 0.1
    assert hirshprint.compare(first, perovskite(3.9), **given).l1_distance == 0.0
    assert isinstance(made.plot(), Figure)
    assert made._repr_png_().startswith(b"\x89PNG")
    assert repr(made).startswith("Comparison of SrTiO3 and SrTiO3: L1 distance ")


def test_unequal_fingerprints_are_not_compared(given: dict[str, Any], densities_file: Callable[[str], Path]) -> None:
    one = hirshprint.fingerprint(perovskite(), **given)
    others = {
        "mesh_level": hirshprint.fingerprint(perovskite(), **given | {"mesh_level": 7}),
        "weighting": hirshprint.fingerprint(perovskite(), weighting="paper", **given),
        "density_source": hirshprint.fingerprint(perovskite(), **given | {"densities": densities_file("x2c")}),
    }
    for what, other in others.items():
        with pytest.raises(ValueError, match=f"has {what} .*; make both with the same"):
            hirshprint.compare(one, other)
    far = Structure(Lattice.cubic(40), ["Xe"], [[0, 0, 0]])
    with pytest.raises(ValueError, match="Xe: no part of its surfaces is within the bins"):
        hirshprint.compare(far, one, **given)
    with pytest.raises(ValueError, match="have mesh_level 6, not 10; make them anew"):
        hirshprint.fingerprint(one.surfaces, mesh_level=10)
    with pytest.raises(ValueError, match="have thakkar densities, not x2c"):
        hirshprint.contacts(one.surfaces, densities=densities_file("x2c"))
    with pytest.raises(ValueError, match="write one of area, paper"):
        hirshprint.fingerprint(perovskite(), weighting="volume", **given)


# --- densities ----------------------------------------------------------------------------------------------------


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "hirshprint/densities"


def test_densities_are_made_once_and_said(
    empty_cache: Path, densities_file: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    densities_file("x2c")  # or skip: there is no table
    made = hirshprint.surfaces("SrTiO3", mesh_level=4)
    assert made.density_source == "thakkar"
    assert [path.name for path in empty_cache.iterdir()] == ["thakkar-1.h5"]
    monkeypatch.setattr(own, "_make", lambda *given: pytest.fail("made twice"))
    assert own.find_densities() is made.densities


def test_without_chmpy_the_default_is_x2c(
    empty_cache: Path, densities_file: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    content = densities_file("x2c").read_bytes()
    monkeypatch.setattr(own, "OWN_PYTHON", Path("none"))
    monkeypatch.setattr(own, "find_spec", lambda name: name == "atomref" or None)
    asked = list[str]()
    monkeypatch.setattr(own, "_make", lambda source, path: (asked.append(source), path.write_bytes(content)))
    assert "x2c densities" in repr(hirshprint.fingerprint("SrTiO3", mesh_level=4))
    assert asked == ["x2c"]
    hirshprint.fingerprint("SrTiO3", densities="thakkar", mesh_level=4)
    assert asked == ["x2c", "thakkar"]


def test_densities_that_cannot_be_had(empty_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own, "OWN_PYTHON", Path("none"))
    monkeypatch.setattr(own, "find_spec", lambda name: None)
    for wanted, package in ((None, "atomref"), ("x2c", "atomref"), ("thakkar", "chmpy")):
        with pytest.raises(DensitiesError, match=f"install the package {package}, or run `make env`"):
            hirshprint.surfaces("SrTiO3", densities=wanted)
    with pytest.raises(NoDensitiesError, match="no such file, and none of thakkar, x2c"):
        hirshprint.surfaces("SrTiO3", densities="slater")
    (tmp_path / "x.h5").write_text("no HDF5")
    with pytest.raises(DensitiesError, match="is not a file of free-atom densities"):
        hirshprint.surfaces("SrTiO3", densities=tmp_path / "x.h5")


# --- predictions --------------------------------------------------------------------------------------------------


@PREDICTS
def test_predictions_stand_in_the_order_of_the_crystals(
    empty_cache: Path, densities_file: Callable[[str], Path], tmp_path: Path
) -> None:
    densities_file("thakkar")
    perovskite(4.2).to(filename=str(tmp_path / "x.cif"), symprec=0.01)
    crystals = [perovskite(), "BaZrO3", RUTILE, "SrTiO3", "BaZrO3", tmp_path / "x.cif"]
    with pytest.warns(CrystalWarning, match="left out crystal 2: it is no cubic perovskite"):
        table = hirshprint.predict(crystals)
    assert table["name"].tolist() == ["SrTiO3-0", "BaZrO3", "TiO2-2", "SrTiO3", "BaZrO3", "x-5"]
    predicted = table["a_predicted_angstrom"].to_numpy()
    assert np.isnan(predicted[2])
    assert predicted[0] == predicted[3] == predicted[5]
    assert predicted[1] == predicted[4] != predicted[0]
    assert abs(predicted[0] - 3.9) < 0.1


@PREDICTS
def test_a_crystal_never_gets_the_number_of_another_compound(
    empty_cache: Path, densities_file: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A formula with the sites exchanged, a site order that is not that of the electronegativity, one left out."""
    densities_file("thakkar")
    lead = Structure(Lattice.cubic(3.97), ["Pb", "Ti", "O", "O", "O"], PLACES)
    moved = perovskite()
    moved.perturb(0.15)
    with pytest.warns(CrystalWarning, match="left out crystal 3"):
        table = hirshprint.predict(["TiPbO3", lead, "PbTiO3", moved, "SrTiO3"])
    predicted = table["a_predicted_angstrom"].to_numpy()
    assert table["A"].tolist()[:3] == ["Ti", "Pb", "Pb"]
    assert predicted[1] == predicted[2] != predicted[0]
    assert np.isnan(predicted[3])
    assert np.isfinite(predicted[4])
    assert np.isfinite(hirshprint.predict(lead)["a_predicted_angstrom"][0])
    (tmp_path / "PbTiO3").mkdir()  # a folder of this name is not meant
    monkeypatch.chdir(tmp_path)
    assert hirshprint.predict("PbTiO3")["a_predicted_angstrom"][0] == predicted[2]


def test_equal_ids_of_two_folders_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from hirshprint.api import prediction

    for folder, edge in (("a", 4.1), ("b", 4.2)):
        (tmp_path / folder).mkdir()
        Structure(Lattice.cubic(edge), ["Cs", "Cl"], [[0, 0, 0], [0.5] * 3]).to(
            filename=str(tmp_path / folder / "1.cif")
        )
    card = {"prototype": None, "initial_edge": None, "property": "p", "unit": "eV"}
    asked = prediction.Asked(files=[tmp_path / "a", tmp_path / "b"])
    with pytest.raises(InputError, match=r"a/1\.cif and .*b/1\.cif have the same id, 1; rename one"):
        prediction._plan(asked, tmp_path, card, tmp_path, print)


@PREDICTS
def test_what_cannot_be_predicted(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing to predict; give crystals"):
        hirshprint.predict([])
    with pytest.raises(InputError, match="there is no such file"):
        hirshprint.predict(["nowhere.cif"])
    with pytest.raises(ValueError, match=r"no model\.json in it"):
        hirshprint.predict("SrTiO3", model=tmp_path)


def test_an_extra_that_is_not_installed_is_named(given: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    made = hirshprint.surfaces(perovskite(), **given)
    monkeypatch.setattr("hirshprint.api.defaults.find_spec", lambda name: None)
    for call in (made.plot, made.show, hirshprint.contacts(made).show, lambda: hirshprint.predict("SrTiO3")):
        with pytest.raises(ImportError, match=r"pip install 'hirshprint\[(report|learn)\]'"):
            call()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"mesh_level": 0}, "mesh_level = 0; write a whole number"),
        ({"mesh_level": 2.5}, "mesh_level = 2.5"),
        ({"mesh_level": "10"}, "mesh_level = '10'"),
        ({"edge_angstrom": "4"}, "edge_angstrom = '4'; write a length in Å"),
        ({"edge_angstrom": -1.0}, "edge_angstrom = -1.0"),
    ],
)
def test_settings_are_checked(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        hirshprint.fingerprint("SrTiO3", **settings)


def test_results_can_be_pickled(given: dict[str, Any]) -> None:
    made = hirshprint.fingerprint(perovskite(), **given)
    content = pickle.dumps(made)
    assert len(content) < 1_000_000  # without the densities of all elements
    again = pickle.loads(content)
    np.testing.assert_array_equal(again.counts, made.counts)
    (first, *_), (second, *_) = (one.surfaces.table()["area_angstrom2"] for one in (made, again))
    assert first == second
    assert isinstance(again.plot(), Figure)


def test_unpickled_results_share_the_densities_of_the_machine(
    empty_cache: Path, densities_file: Callable[[str], Path]
) -> None:
    densities_file("thakkar")
    made = hirshprint.surfaces("SrTiO3", mesh_level=4)
    assert pickle.loads(pickle.dumps(made)).densities is made.densities


def test_threads_may_call_first(densities_file: Callable[[str], Path]) -> None:
    code = (
        "import sys, threading; from concurrent.futures import ThreadPoolExecutor; import hirshprint;"
        "sys.setswitchinterval(1e-6); wall = threading.Barrier(8);"
        f"one = lambda k: (wall.wait(), hirshprint.fingerprint('SrTiO3', mesh_level=3,"
        f" densities={str(densities_file('thakkar'))!r}).total.sum())[1];"
        "print(len(set(ThreadPoolExecutor(8).map(one, range(8)))))"
    )
    environment = {key: value for key, value in os.environ.items() if key != "NUMBA_CACHE_DIR"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert (done.stdout, done.returncode) == ("1\n", 0), done.stderr


def test_a_cache_that_cannot_be_written_is_done_without(
    densities_file: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    densities_file("thakkar")
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file/x"))  # no folder can be there
    assert hirshprint.surfaces("SrTiO3", mesh_level=3).density_source == "thakkar"
    assert hirshprint.surfaces("SrTiO3", mesh_level=3).density_source == "thakkar"
