#!/usr/bin/env python3
"""A stand-in for Tonto: reads the same files, writes the same files, and misbehaves as told. Standard library only.

The file that FAKE_TONTO names, JSON, maps a formula such as SrTiO3 (``*``: any other) to a behaviour; each run adds a
line "formula label behaviour" to that file's name + ``.calls``. FAKE_TONTO_SAMPLES is a folder of recorded runs: the
behaviour ``sample:NAME`` replays failures/NAME.txt, and Li and O of MgLiO3 at 3.5 Å that go well are the recorded ones.
A surface that goes well is a sphere of half the distance to the nearest neighbour, and for Li in MgLiO3 about right.
"""

from __future__ import annotations

import json
import math
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from itertools import product
from pathlib import Path

REACH = 7.0
BANNER = """_______________________________________________________________

 T   O   N   T   O
_______________________________________________________________

Timer started at 01/01/2021 00:00:00.

"""
ERROR = "\nError in {}\n\nFile name   = {}\nLine number = {:4}\nFile buffer = \nCursor -------^\n"
ERRORS = {
    "empty_cif": ERROR.format("TEXTFILE:read_line_bad_eof ... unexpected end of file", "crystal.cif", 0),
    "missing_basis_dir": ERROR.format("VEC{SLATERBASIS}:read_library_data ... no library basis set", "crystal.cif", 9),
    "atom_not_in_cell": ERROR.format(
        "CRYSTAL:make_frag_atom_for_cell_atom ... fragment atom 1 was not found in the unit cell", "stdin", 12
    ),
    "unknown_keyword": ERROR.format("MOLECULE.MAIN:process_keyword ... unknown option: create_the_cluster", "stdin", 28)
    + "\nAllowed keyword options:\n\n"
    + "".join(f"   keyword_{k}=\n" for k in range(300)),
}


def main() -> None:
    """Play one run in the working directory."""
    if sys.argv[1:] == ["--version"]:
        print(" This is Tonto version21.03.11")
        return
    cell, atoms = read_cif(Path("crystal.cif"))
    label, inner = read_stdin(Path("stdin"))
    behaviour = choose(atoms, label)
    Path("stderr").touch()
    if not (Path(os.environ["TONTO_BASIS_SET_DIRECTORY"]) / "Thakkar").is_file():
        behaviour = "missing_basis_dir"
    if behaviour in ERRORS:
        Path("stdout").write_text(BANNER + ERRORS[behaviour])
    elif behaviour.startswith("sample:"):
        replay(behaviour.removeprefix("sample:"))
    else:
        misbehave(behaviour)
        text = recorded(cell, atoms, label) or surface(cell, atoms, inner, behaviour)
        Path("stdout").write_bytes(BANNER.encode() + (b"\xff\xfe\xe9\n" if behaviour == "bytes" else b"Surface area\n"))
        if behaviour == "short":  # as Fortran does on a full disk: what fits is written, and nothing is said
            with suppress(OSError), Path("site.cxs").open("wb", buffering=0) as file:
                for start in range(0, len(text), 4096):
                    file.write(text[start : start + 4096].encode())
        elif behaviour != "no_file":
            Path("site.cxs").write_text(spoil(text, behaviour))


def choose(atoms: list[tuple[str, list[float]]], label: str) -> str:
    """Look up the behaviour for this crystal and write the run down."""
    if "FAKE_TONTO" not in os.environ:
        return "good"
    symbols = [symbol for symbol, _ in atoms]
    formula = "".join(
        symbol + (str(symbols.count(symbol)) if symbols.count(symbol) > 1 else "") for symbol in dict.fromkeys(symbols)
    )
    table = json.loads(Path(os.environ["FAKE_TONTO"]).read_text())
    behaviour = table.get(formula, table.get("*", "good"))
    with Path(os.environ["FAKE_TONTO"] + ".calls").open("a") as file:
        file.write(f"{formula} {label} {behaviour}\n")
    return behaviour


def misbehave(behaviour: str) -> None:
    """Do what has nothing to do with the surface."""
    if behaviour.startswith("slow:"):
        time.sleep(float(behaviour.removeprefix("slow:")))
    elif behaviour == "hang":
        time.sleep(3600)
    elif behaviour == "deaf":  # does not end when asked to
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(3600)
    elif behaviour in ("child", "child_left"):  # has a child that does not end when asked to
        code = (
            "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(3600)"
        )
        child = subprocess.Popen([sys.executable, "-S", "-c", code], stdout=subprocess.PIPE)
        assert child.stdout
        child.stdout.readline()
        if "FAKE_TONTO" in os.environ:
            Path(os.environ["FAKE_TONTO"] + ".child").write_text(str(child.pid))
        if behaviour == "child":
            time.sleep(3600)
    elif behaviour == "huge":
        with Path("stdout").open("w") as file:
            while True:
                file.write("x" * 100_000)
    elif behaviour == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif behaviour == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    elif behaviour == "disk_full":
        sys.exit("Fortran runtime error: No space left on device")
    elif behaviour == "console_error":
        print("Error in run_MOLECULE:run_molecule ... unknown option")


def spoil(text: str, behaviour: str) -> str:
    """Damage a surface file."""
    if behaviour == "truncated":
        return text[: len(text) * 2 // 3]
    if behaviour == "nan":
        return re.sub(r"(begin d_i \d+\n)\S+", r"\1NaN", text)
    if behaviour == "stars":
        return re.sub(r"(begin d_e \d+\n)\S+", r"\1************", text)
    if behaviour == "lonely":
        return re.sub(r"begin atoms_outside_surface.*?\nend", "begin atoms_outside_surface 0\nend", text, flags=re.S)
    if behaviour == "cut_cluster":  # as for an oblique cell: some far neighbours are missing
        start, end = text.index("begin atoms_outside_surface"), text.index("end atoms_outside_surface")
        first, *lines = text[start:end].splitlines()
        left = [first.replace(str(len(lines)), str(len(lines) - 3)), *lines[:50], *lines[53:], ""]
        return text[:start] + "\n".join(left) + text[end:]
    return text


def replay(name: str) -> None:
    """Write what a recorded failing run wrote."""
    text = (Path(os.environ["FAKE_TONTO_SAMPLES"]) / "failures" / f"{name}.txt").read_text()
    parts = dict(re.findall(r"^--- ([^(\n]+?) \(\d+ characters\)\n(.*?)(?=^--- )", text, re.M | re.S))
    Path("stdout").write_text(parts["file stdout"])
    print(parts.get("console, standard output", ""), parts.get("console, standard error", ""))


def recorded(cell: list[list[float]], atoms: list[tuple[str, list[float]]], label: str) -> str:
    """Give the recorded surface file of a site of MgLiO3, its atoms in the order of this CIF."""
    folder = os.environ.get("FAKE_TONTO_SAMPLES")
    if not folder or len(atoms) != 5 or abs(cell[0][0] - 3.5) > 1e-6:
        return ""
    source = Path(folder) / f"MgLiO3_{label.rstrip('0123456789')}1.cxs"
    text = source.read_text() if source.exists() else ""
    listed = re.search(r"begin unit_cell  5\n(.*?)\nend", text, re.S)
    rows = [line.split()[1:5] for line in listed[1].split("\n")] if listed else []
    return text if rows == [[symbol, *(f"{x:.5f}" for x in frac)] for symbol, frac in atoms] else ""


def read_cif(path: Path) -> tuple[list[list[float]], list[tuple[str, list[float]]]]:
    """Rows a, b, c in Å (a along x, b in the plane of x and y), and symbol and coordinates of every atom."""
    text = path.read_text()
    a, b, c = (float(re.search(rf"_cell_length_{x} (\S+)", text)[1]) for x in "abc")  # type: ignore[index]
    al, be, ga = (
        math.radians(float(re.search(rf"_cell_angle_{x} (\S+)", text)[1]))  # type: ignore[index]
        for x in ("alpha", "beta", "gamma")
    )
    y = (math.cos(al) - math.cos(be) * math.cos(ga)) / math.sin(ga)
    z = math.sqrt(1 - math.cos(be) ** 2 - y * y)
    cell = [[a, 0.0, 0.0], [b * math.cos(ga), b * math.sin(ga), 0.0], [c * math.cos(be), c * y, c * z]]
    rows = re.findall(r"^[A-Z][a-z]?\d+ ([A-Z][a-z]?) (\S+) (\S+) (\S+)", text, re.M)
    return cell, [(symbol, [float(x) for x in xyz]) for symbol, *xyz in rows]


def read_stdin(path: Path) -> tuple[str, list[float]]:
    """Label and position in Å of the inside atom."""
    found = re.search(r"new_data= \{\s+(\w+) (\S+) (\S+) (\S+)", path.read_text())
    assert found
    return found[1], [float(x) for x in found.groups()[1:]]


def place(cell: list[list[float]], frac: list[float]) -> list[float]:
    """Cartesian position of fractional coordinates."""
    return [sum(frac[k] * cell[k][axis] for k in range(3)) for axis in range(3)]


def sphere(level: int) -> tuple[list[list[float]], list[list[int]]]:
    """An octahedron, divided and blown up: unit vectors and triangles, counter-clockwise from outside."""
    rows: dict[tuple[int, ...], int] = {}
    triangles = []
    for signs in product((1, -1), repeat=3):
        right = signs[0] * signs[1] * signs[2] > 0

        def row(i: int, j: int, signs: tuple[int, ...] = signs) -> int:
            point = (signs[0] * i, signs[1] * j, signs[2] * (level - i - j))
            return rows.setdefault(point, len(rows))

        for i, j in product(range(level), repeat=2):
            if i + j >= level:
                continue
            corners = [[row(i + 1, j), row(i, j + 1), row(i, j)]]
            if j:
                corners.append([row(i + 1, j), row(i, j), row(i + 1, j - 1)])
            triangles += corners if right else [c[::-1] for c in corners]
    points = [[x / math.hypot(*p) for x in p] for p in rows]
    return points, triangles


def surface(cell: list[list[float]], atoms: list[tuple[str, list[float]]], inner: list[float], behaviour: str) -> str:
    """Write a surface file: distances and neighbours are right, the surface itself is a sphere."""
    most = [math.ceil(REACH / min(math.hypot(*row) for row in cell)) + 2] * 3
    neighbours = []
    own = -1
    atoms = atoms[:-1] if behaviour == "lost_atom" else atoms
    for k, (_, frac) in enumerate(atoms):
        for shift in product(*(range(-n, n + 1) for n in most)):
            position = place(cell, [x + n for x, n in zip(frac, shift, strict=True)])
            distance = math.dist(position, inner)
            if distance < 0.005:
                own, own_shift = k, shift
            elif distance < REACH:
                neighbours.append((distance, k, shift, position))
    neighbours.sort()
    symbols = [symbol for symbol, _ in atoms]
    probe = symbols[own] == "Li" and "Mg" in symbols and abs(cell[0][0] - 3.5) < 1e-6
    unit = 1 / 0.529177210903 if behaviour == "bohr" else 1.0
    vertices, d_i, d_e = [], [], []
    points, triangles = sphere(14 if probe else 6)
    for x, y, z in points:
        r = neighbours[0][0] / 2
        if probe:
            r = 0.7436 - 0.1083 * (x**4 + y**4 + z**4) + 0.0357 * (x * y * z) ** 2
        vertex = [inner[0] + r * x, inner[1] + r * y, inner[2] + r * z]
        vertices.append(vertex)
        d_i.append(r)
        d_e.append(min(math.dist(vertex, n[3]) for n in neighbours[:40]))
    if behaviour == "open":
        triangles = triangles[1:]
    lengths = [math.hypot(*row) for row in cell]
    angles = [
        math.degrees(
            math.acos(
                sum(p * q for p, q in zip(cell[k - 2], cell[k - 1], strict=True)) / lengths[k - 2] / lengths[k - 1]
            )
        )
        for k in range(3)
    ]

    def block(name: str, lines: list[str]) -> str:
        return "\n".join([f"begin {name} {len(lines)}", *lines, f"end {name}"]) + "\n\n"

    names = ("a", "b", "c", "alpha", "beta", "gamma")
    constants = "".join(f"   {n} = {v:.5f}\n" for n, v in zip(names, lengths + angles, strict=True))
    return (
        "\nCrystal Explorer data\n\nbegin crystal  site\n\n"
        f"begin crystalcell site\n{constants}end crystalcell\n\n"
        + block("unit_cell", [f"{s}1 {s} {f[0]:.5f} {f[1]:.5f} {f[2]:.5f} 0 1.00000" for s, f in atoms])
        + "end crystal\n\nbegin surface  Hirshfeld_surface\n\n"
        + block("vertices", [" ".join(f"{unit * x:.5f}" for x in v) for v in vertices])
        + block("indices", [" ".join(map(str, t)) for t in triangles])
        + block("vertex_normals", [f"{x:.5f} {y:.5f} {z:.5f}" for x, y, z in points])
        + "begin vertex_properties\n\n"
        + block("d_i", [f"{unit * d:.5f}" for d in d_i])
        + block("d_e", [f"{unit * d:.5f}" for d in d_e])
        + "end vertex_properties\n\n"
        + block("atoms_inside_surface", [" ".join(map(str, (own + 1, *own_shift)))])
        + block("atoms_outside_surface", [" ".join(map(str, (k + 1, *shift))) for _, k, shift, _ in neighbours])
        + block("d_i_face_atoms", ["1"] * len(triangles))
        + block("d_e_face_atoms", ["1"] * len(triangles))
        + "end surface\n"
    )


if __name__ == "__main__":
    main()
