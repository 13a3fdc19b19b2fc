"""`hirshprint surface`: the surfaces of one structure as meshes, a picture and a table of its sites."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hirshprint.api.tables import contact_rows, site_rows
from hirshprint.commands import UNUSABLE, CommandError
from hirshprint.commands.inputs import find_densities, read_input, surfaces_of
from hirshprint.commands.json_output import print_json
from hirshprint.densities import Densities
from hirshprint.files.writing import written_whole
from hirshprint.hirshfeld.export import write_gltf, write_ply, write_vtp
from hirshprint.hirshfeld.properties import volumes, with_properties
from hirshprint.hirshfeld.ridges import closed_meshes, refined_surfaces
from hirshprint.hirshfeld.surface import Surface
from hirshprint.structures.crystals import LABEL
from hirshprint.structures.structure import Structure
from hirshprint.structures.summary import crystal_facts, summary_line

MESHES = (".vtp", ".ply", ".gltf")
SHOWN_SHARE = 0.01  # of the area of a site: smaller contacts are in the table only
OWN_COLUMNS = {"site", "multiplicity", "sphericity", "mesh_level"}  # of a table of sites, besides others
FINE, COARSE, FINE_SITES = 48, 16, 8
"""Mesh level of the files, whose triangles are flat, unlike those that a fingerprint is made from: `FINE` (1e-4 Å
off) up to `FINE_SITES` sites, then coarser, so that a large structure does not fill the disk, but not below `COARSE`.
"""


def run(arguments: argparse.Namespace) -> None:
    """Write every file of the command into the folder `out`."""
    structure = read_input(arguments.structure, arguments.edge)
    if not arguments.json:
        print(summary_line(structure), flush=True)
    earlier = _earlier_files(arguments.out)
    densities = find_densities(arguments.densities)
    level = round(max(COARSE, FINE * min(1.0, FINE_SITES / len(structure.site_atom)) ** 0.5))
    rough = surfaces_of(structure, densities)
    surfaces = refined_surfaces(structure, densities, rough, level)
    folder = Path(arguments.out)
    for path in earlier:
        path.unlink(missing_ok=True)
    rows = site_rows(surfaces)
    write_table(rows, folder / "sites.csv")
    contacts = contact_rows(structure, rough)
    write_table(contacts, folder / "contacts.csv")
    _draw_contacts(structure, contacts, folder / "contacts.png")
    meshes = closed_meshes(structure, densities, surfaces)
    _write_meshes([with_properties(mesh, structure, densities) for mesh in meshes], folder)
    picture = _draw(structure, densities, rough, folder / "surfaces.png")
    shares = volumes(structure, surfaces)
    if arguments.json:
        facts = {"structure_id": structure.structure_id, **crystal_facts(structure)}
        facts |= {"cell_volume_angstrom3": shares.cell, "surfaces_volume_angstrom3": shares.atoms}
        made = ["sites.csv", "contacts.csv", "contacts.png", *_mesh_names(meshes), *([picture] if picture else [])]
        written = [folder / name for name in made]
        print_json({**facts, "sites": rows, "contacts": contacts, "written": written})
        return
    print(_table(rows))
    print(_contact_lines(contacts))
    print(
        f"of the cell's {shares.cell:.3f} Å³, {shares.atoms:.3f} are inside the surfaces and {shares.voids:.3f} outside"
    )
    meshes_made = "a mesh per site as .vtp, .ply and .gltf"
    made = ["sites.csv", "contacts.csv", "contacts.png", meshes_made, *([picture] if picture else [])]
    print(f"written to {folder}: {', '.join(made)}")


def _earlier_files(folder: Path) -> list[Path]:
    """What an earlier call wrote here: the meshes of the sites in its table, the table and the picture; no more.

    Raises
    ------
    CommandError
        The folder has a table of this name that is of something else, such as that of a prototype.
    """
    table, pictures = folder / "sites.csv", [folder / "surfaces.png", folder / "contacts.png"]
    if not table.is_file():
        return pictures
    with table.open(encoding="utf-8", errors="replace", newline="") as file:
        reader = csv.DictReader(file)
        if not set(reader.fieldnames or ()) >= OWN_COLUMNS:
            raise CommandError(f"{table} is of something else; name another folder", UNUSABLE)
        sites = [site for row in reader if LABEL.fullmatch(site := row["site"] or "")]
    meshes = (folder / f"{site}{suffix}" for site in sites for suffix in MESHES)
    return [*meshes, table, folder / "contacts.csv", *pictures]


def _mesh_names(meshes: Sequence[Surface]) -> list[str]:
    return [f"{mesh.site_label}{suffix}" for mesh in meshes for suffix in MESHES]


def _write_meshes(meshes: Sequence[Surface], folder: Path) -> None:
    import matplotlib as mpl

    from hirshprint.report.pictures.render import COLOURS

    low, high = float(min(mesh.d_e.min() for mesh in meshes)), float(max(mesh.d_e.max() for mesh in meshes))
    extras = {"colours": "d_e", "low_angstrom": low, "high_angstrom": high, "colour_map": f"{COLOURS} of matplotlib"}
    for mesh in meshes:
        write_vtp(mesh, folder / f"{mesh.site_label}.vtp")
        write_ply(mesh, folder / f"{mesh.site_label}.ply")
        colours = mpl.colormaps[COLOURS]((mesh.d_e - low) / ((high - low) or 1.0))[:, :3]
        write_gltf(mesh, colours, folder / f"{mesh.site_label}.gltf", extras)


def _draw(structure: Structure, densities: Densities, rough: Sequence[Surface], path: Path) -> str:
    """Draw the picture and return its name; where nothing can be rendered, say so and return an empty text."""
    from hirshprint.report.pictures.crystal import surfaces_figure
    from hirshprint.report.pictures.files import write_picture
    from hirshprint.report.pictures.render import NoPictureError

    try:
        write_picture(surfaces_figure(structure, densities, rough), path)
    except NoPictureError as error:
        print(f"hirshprint surface: no picture: {error}", file=sys.stderr)
        return ""
    return path.name


def _draw_contacts(structure: Structure, rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    from hirshprint.report.pictures.contact_bars import contact_bars
    from hirshprint.report.pictures.files import write_picture

    write_picture(contact_bars(structure.structure_id, rows), path)


def _contact_lines(rows: Sequence[Mapping[str, Any]]) -> str:
    """Who meets whom, as text: contacts of at least a hundredth of a site's area."""
    lines = []
    for site in dict.fromkeys(row["site"] for row in rows):
        parts = [
            f"{row['atoms']} {row['met_site']} at {row['distance_angstrom']:.3f} Å ({row['share']:.1%})"
            for row in rows
            if row["site"] == site and row["share"] >= SHOWN_SHARE
        ]
        small = sum(row["site"] == site and row["share"] < SHOWN_SHARE for row in rows)
        rest = f", and {small} more below {SHOWN_SHARE:.0%}" if small else ""
        lines.append(f"{site} meets {', '.join(parts)}{rest}")
    return "\n".join(lines)


def write_table(rows: Sequence[Mapping[str, Any]], path: str | Path) -> None:
    """Write the rows of `site_rows` or `contact_rows` as CSV, numbers with six digits."""
    with written_whole(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(rows[0])
        for row in rows:
            writer.writerow(f"{value:.6g}" if isinstance(value, float) else value for value in row.values())


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    """The main figures of the sites as text."""
    lines = [f"{'site':8} {'element':8} {'in cell':>7} {'area Å²':>9} {'volume Å³':>10} {'dᵢ Å':>13} {'dₑ Å':>13}"]
    for row in rows:
        ranges = [f"{row[f'd_{x}_min_angstrom']:.3f}–{row[f'd_{x}_max_angstrom']:.3f}" for x in "ie"]
        lines.append(
            f"{row['site']:8} {row['element']:8} {row['multiplicity']:7d} {row['area_angstrom2']:9.3f} "
            f"{row['volume_angstrom3']:10.3f} {ranges[0]:>13} {ranges[1]:>13}"
        )
    return "\n".join(lines)
