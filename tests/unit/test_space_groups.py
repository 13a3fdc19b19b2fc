"""Every setting of every space group, named in every way that files use: read right, remarked, or refused."""

from __future__ import annotations

from collections import Counter
from functools import cache

import gemmi
import numpy as np
import pytest
from numpy.typing import NDArray

from hirshprint.structures.crystals import Crystal, CrystalError
from hirshprint.structures.reading.cif import read_cif

GROUPS = list(gemmi.spacegroup_table())
METRIC = 3 * np.array([[31.4, 1.9, -2.7], [1.9, 36.1, 1.3], [-2.7, 1.3, 42.7]])  # Å², no symmetry at all
GENERAL = np.array([0.1104, 0.3311, 0.0454])  # its images are 0.8 Å apart or more in every setting
REACH_ANGSTROM = 5.0


@cache
def operations(hall: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Rotations and translations, by gemmi."""
    pairs = [(op.rot, op.tran) for op in gemmi.symops_from_hall(hall)]
    return np.array([r for r, _ in pairs]) // 24, np.array([t for _, t in pairs]) / 24


def cell_of(rotations: NDArray[np.int64]) -> NDArray[np.float64]:
    """A cell that these rotations keep and no others need: rows, Å."""
    metric = np.mean([w.T @ METRIC @ w for w in rotations], axis=0)
    return np.linalg.cholesky(metric)


def _apart(place: NDArray[np.float64], rotations: NDArray[np.int64], translations: NDArray[np.float64]) -> bool:
    """Say whether the images of a place are at one place or far from each other, Å."""
    offsets = rotations @ place + translations - place
    lengths = np.linalg.norm((offsets - np.round(offsets)) @ cell_of(rotations), axis=1)
    return bool(((lengths < 1e-3) | (lengths > 0.6)).all())


def special_place(rotations: NDArray[np.int64], translations: NDArray[np.float64]) -> NDArray[np.float64]:
    """A place that is kept by some operation: the mean of a general place's images under its powers."""
    for w, t in zip(rotations, translations, strict=True):
        if (w == np.eye(3)).all():
            continue
        images = [GENERAL]
        while len(images) < 7 and (len(images) == 1 or not np.allclose(images[-1], GENERAL)):
            images.append(w @ images[-1] + t)
        place = np.mean(images[:-1], axis=0)
        if (
            np.allclose(images[-1], GENERAL)
            and np.allclose(w @ place + t, place)
            and _apart(place, rotations, translations)
        ):
            return np.round(place, 6)
    return GENERAL


def right_atoms(place: NDArray[np.float64], hall: str) -> NDArray[np.float64]:
    """All images of a place in the cell, each once."""
    rotations, translations = operations(hall)
    atoms: list[NDArray[np.float64]] = []
    for image in rotations @ place + translations:
        offsets = np.array(atoms).reshape(-1, 3) - image
        if not (np.abs(offsets - np.round(offsets)).max(axis=1) < 1e-4).any():
            atoms.append(image)
    return np.array(atoms)


def distances(lattice: NDArray[np.float64], frac: NDArray[np.float64]) -> NDArray[np.float64]:
    """All distances of the cell's atoms to others up to REACH_ANGSTROM, sorted."""
    shifts = np.stack(np.meshgrid(*[np.arange(-1, 2)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    offsets = (frac[:, None, None] - frac[None, :, None] + shifts) @ lattice
    lengths = np.linalg.norm(offsets, axis=-1).ravel()
    return np.sort(lengths[(lengths > 1e-3) & (lengths < REACH_ANGSTROM)])


def is_right(crystal: Crystal, lattice: NDArray[np.float64], frac: NDArray[np.float64]) -> bool:
    if len(crystal.frac) != len(frac):
        return False
    found, right = distances(crystal.lattice, crystal.frac), distances(lattice, frac)
    counts = [np.searchsorted(lengths, REACH_ANGSTROM - 0.01) for lengths in (found, right)]  # the rim may be cut
    return counts[0] == counts[1] and bool(np.allclose(found[: counts[0]], right[: counts[0]], atol=0.002))


def cif(lattice: NDArray[np.float64], symmetry: str, place: NDArray[np.float64]) -> str:
    a, b, c = np.linalg.norm(lattice, axis=1)
    cosines = [
        lattice[i] @ lattice[j] / np.linalg.norm(lattice[i]) / np.linalg.norm(lattice[j])
        for i, j in ((1, 2), (0, 2), (0, 1))
    ]
    alpha, beta, gamma = np.degrees(np.arccos(cosines))
    return (
        f"data_x\n_cell_length_a {a:.5f}\n_cell_length_b {b:.5f}\n_cell_length_c {c:.5f}\n"
        f"_cell_angle_alpha {alpha:.4f}\n"
        f"_cell_angle_beta {beta:.4f}\n_cell_angle_gamma {gamma:.4f}\n{symmetry}"
        "loop_\n_atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n"
        f"Fe1 {' '.join(f'{x:.6f}' for x in place)}\n"
    )


def ways(group: gemmi.SpaceGroup) -> dict[str, str]:
    """What files say of a space group, by kind."""
    listed = "\n".join(f"'{op.triplet()}'" for op in gemmi.symops_from_hall(group.hall))
    number = f"_symmetry_Int_Tables_number {group.number}\n"
    symbols = {"symbol with setting": group.xhm(), "symbol": group.hm, "short symbol": group.short_name()}
    found = {name: f"_symmetry_space_group_name_H-M '{symbol}'\n" for name, symbol in symbols.items()}
    return {
        "operations": f"loop_\n_symmetry_equiv_pos_as_xyz\n{listed}\n",
        "Hall": f"_symmetry_space_group_name_Hall '{group.hall}'\n",
        **found,
        **{f"{name} and number": text + number for name, text in found.items()},
        "number": number,
    }


def read_or_reason(text: str) -> Crystal | str:
    try:
        return read_cif(text)
    except CrystalError as error:
        return error.reason


@pytest.mark.parametrize("where", ["general", "special"])
@pytest.mark.parametrize("part", range(6))
def test_no_setting_is_read_wrongly_without_a_word(part: int, where: str) -> None:
    outcomes: dict[str, Counter[str]] = {}
    for group in GROUPS[part::6]:
        rotations, translations = operations(group.hall)
        lattice = cell_of(rotations)
        place = GENERAL if where == "general" else special_place(rotations, translations)
        right = right_atoms(place, group.hall)
        for way, symmetry in ways(group).items():
            crystal = read_or_reason(cif(lattice, symmetry, place))
            if isinstance(crystal, str):
                assert group.hm in crystal or f"number {group.number}" in crystal, crystal
                outcome = "refused"
            else:
                conventions = [remark for remark in crystal.remarks if "was used" in remark or "is the one" in remark]
                good = is_right(crystal, lattice, right)
                assert good or conventions, f"{way} of {group.xhm()}: {len(crystal.frac)} atoms for {len(right)}"
                outcome = "right" if good else "remarked"
            outcomes.setdefault(way, Counter())[outcome] += 1
    whole = len(GROUPS[part::6])
    assert outcomes["operations"]["right"] == outcomes["Hall"]["right"] == whole
    assert outcomes["symbol with setting"]["right"] == outcomes["symbol with setting and number"]["right"] == whole
    assert outcomes["symbol"]["right"] > 0.8 * whole
    assert outcomes["number"]["right"] > 0.35 * whole
    assert outcomes["number"]["refused"] < 0.3 * whole
    print(where, {way: dict(counts) for way, counts in outcomes.items()})
