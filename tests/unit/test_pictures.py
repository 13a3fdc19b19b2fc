"""Pictures: what is rendered is what the surfaces are, and where nothing can be rendered a reason is given."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.image import imread
from matplotlib.text import Text

from hirshprint.config.model import Bins, Fingerprint
from hirshprint.densities import Densities
from hirshprint.fingerprints.binning import fingerprint_of
from hirshprint.fingerprints.contact_kinds import contact_fingerprints
from hirshprint.hirshfeld.python.engine import compute_surfaces
from hirshprint.hirshfeld.surface import Surface, full
from hirshprint.report.pictures.contact_bars import contact_bars
from hirshprint.report.pictures.files import write_picture
from hirshprint.report.pictures.fingerprints import comparison_picture, fingerprint_picture
from hirshprint.report.pictures.render import PANEL_PIXELS, NoPictureError, render_panels
from hirshprint.report.pictures.scene import scene_of
from hirshprint.report.pictures.surfaces import surface_picture
from hirshprint.structures.structure import Structure
from hirshprint.structures.symmetry import atom_images

BINS = Bins(count=50, low_angstrom=0.76, high_angstrom=2.80)
SETTINGS = Fingerprint(weighting="area", channels=["total"], normalise="formula_unit", bins=BINS)
EDGES = np.linspace(0.76, 2.80, 51)


@pytest.fixture(scope="module")
def structure(perovskite: Callable[..., Structure]) -> Structure:
    return perovskite((38, 22, 8), 3.905)


@pytest.fixture(scope="module")
def surfaces(structure: Structure, thakkar: Densities) -> list[Surface]:
    return compute_surfaces(structure, thakkar)


@pytest.fixture(scope="module")
def scene(structure: Structure, thakkar: Densities) -> dict[str, Any]:
    meshes = [full(surface) for surface in compute_surfaces(structure, thakkar, 8)]
    return scene_of(structure, meshes, *atom_images(structure))


@pytest.fixture(scope="module")
def panels(scene: dict[str, Any]) -> dict[str, np.ndarray]:
    try:
        return render_panels(scene)
    except NoPictureError as error:
        if "no OpenGL works here" in str(error):
            pytest.skip(f"{error} (tests/install-debian-packages)")
        raise


def texts(figure: Any) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text)]


def test_panels(panels: dict[str, np.ndarray], structure: Structure) -> None:
    sites = [f"site_{name}_{k}" for name in ("d_i", "d_e") for k in range(3)]
    assert set(panels) == {"structure", "cell_d_i", "cell_d_e", "element_colours", *sites}
    for name in set(panels) - {"element_colours"}:
        image = panels[name]
        assert image.shape == (PANEL_PIXELS, PANEL_PIXELS, 3)
        drawn = (image < 250).any(axis=2)
        assert 0.1 < drawn.mean() < 0.9, name
        assert not drawn[[0, -1]].any(), f"{name} is cut off"
        assert not drawn[:, [0, -1]].any(), f"{name} is cut off"
    # Sr is the largest of the three at the same scale
    area = [(panels[f"site_d_i_{k}"] < 250).any(axis=2).sum() for k in range(3)]
    assert area[0] == max(area)


def test_colours_follow_the_distances(panels: dict[str, np.ndarray]) -> None:
    """Short distances are red, long ones blue: d_i of Sr is the longest, d_e of Ti the shortest of the cell."""

    def red_over_blue(name: str) -> float:
        image = panels[name].astype(float)
        drawn = (image < 250).any(axis=2)
        return float((image[drawn][:, 0] - image[drawn][:, 2]).mean())

    assert red_over_blue("site_d_i_0") < -20
    assert red_over_blue("site_d_e_1") > 80


def test_surface_picture(
    panels: dict[str, np.ndarray], structure: Structure, surfaces: list[Surface], tmp_path: Path
) -> None:
    counts = fingerprint_of(surfaces, SETTINGS)[0][0]
    figure = surface_picture(structure, surfaces, panels, counts, EDGES)
    written = texts(figure)
    for text in ("A (Sr)", "X (O), 3 in the cell", "5 atoms of the cell, drawn apart", "dᵢ (Å)", "dₑ (Å)", "Ti"):
        assert text in written
    path = tmp_path / "surfaces.png"
    write_picture(figure, path)
    image = imread(path)
    assert image.shape[1] > 1500
    assert image[..., :3].std() > 0.1


def test_fingerprint_picture(surfaces: list[Surface], tmp_path: Path) -> None:
    contacts = contact_fingerprints(surfaces, BINS)
    counts = fingerprint_of(surfaces, SETTINGS)[0][0]
    figure = fingerprint_picture("SrTiO3", counts, EDGES, "Å² per formula unit", 0.98, contacts)
    written = texts(figure)
    for (_, _), (_, share) in contacts.items():
        assert sum(f"{100 * share:.1f} %" in text for text in written) == 1
    assert sum(" → " in text for text in written) == len(contacts) + 1  # and the note
    main = figure.axes[0]
    assert main.get_title() == "all contacts, 2.0 % beyond the bins"
    assert (main.get_xlabel(), main.get_ylabel()) == ("dᵢ (Å)", "dₑ (Å)")
    drawn = main.collections[0].get_array()
    np.testing.assert_array_equal(np.asarray(drawn.filled(0)).reshape(50, 50), counts.T)  # d_i to the right
    path = tmp_path / "fingerprint.png"
    write_picture(figure, path)
    assert imread(path)[..., :3].std() > 0.1


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_comparison_picture(suffix: str, tmp_path: Path) -> None:
    one, other = np.zeros((50, 50)), np.zeros((50, 50))
    one[10, 20] = other[12, 22] = 1.0
    figure = comparison_picture(["one", "other"], [one, other], EDGES, "L1 distance 2")
    assert {"one", "other", "second − first", "L1 distance 2"} <= set(texts(figure))
    path = tmp_path / f"difference.{suffix}"
    write_picture(figure, path)
    starts = {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}
    assert path.read_bytes().startswith(starts[suffix])


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "no OpenGL works here"),
        ("raise ValueError('something else')", "something else"),
    ],
)
def test_a_crash_of_the_renderer_is_a_reason(
    code: str, message: str, scene: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyvista.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(NoPictureError, match=message) as caught:
        render_panels(scene)
    assert "libegl1" in str(caught.value)


def test_every_atom_is_an_image_of_its_site(structure: Structure, triclinic: Structure) -> None:
    """The surroundings of a site's atom, turned, are those of each of its images."""
    assert (atom_images(triclinic)[0] == np.arange(5)).all()
    site, operations = atom_images(structure)
    assert list(site) == [0, 1, 2, 2, 2]
    shifts = np.indices((3, 3, 3)).reshape(3, -1).T - 1
    places = ((structure.frac[:, None] + shifts) @ structure.lattice).reshape(-1, 3)
    numbers = np.repeat(structure.numbers, len(shifts))

    def around(atom: int) -> np.ndarray:
        away = places - structure.frac[atom] @ structure.lattice
        return np.column_stack([numbers, away])[np.linalg.norm(away, axis=1) < 3.0]

    for atom in range(5):
        first = around(structure.site_atom[site[atom]])
        first[:, 1:] = first[:, 1:] @ operations[atom].T
        here = around(atom)
        assert len(here) == len(first) > 6
        gaps = np.abs(first[:, None] - here).max(axis=2).min(axis=1)
        assert gaps.max() < 1e-9


def test_bars_of_contacts_name_sites_with_their_elements_and_have_a_key_of_colours() -> None:
    rows = [
        ("A", "Sr", "X", "O", 12, 2.76, 1.0), ("X", "O", "B", "Ti", 2, 1.95, 0.6), ("X", "O", "O9", "O", 4, 2.76, 0.4),
    ]  # fmt: skip
    columns = ("site", "element", "met_site", "met_element", "atoms", "distance_angstrom", "share")
    figure = contact_bars("made up", [dict(zip(columns, row, strict=True)) for row in rows])
    (axes,), (key,) = figure.axes, figure.legends
    assert [label.get_text() for label in axes.get_yticklabels()] == ["A (Sr)", "X (O)"]
    assert [text.get_text() for text in axes.texts] == ["12 × X (O)\n2.76 Å", "2 × B (Ti)\n1.95 Å", "4 × O9\n2.76 Å"]
    assert [text.get_text() for text in key.get_texts()] == ["B (Ti)", "O9", "X (O)"]
    assert "colour: the site of the atoms faced" in key.get_title().get_text()
    drawn = [patch.get_facecolor() for patch in axes.patches]
    named = [patch.get_facecolor() for patch in key.get_patches()]
    assert drawn == [named[2], named[0], named[1]]
