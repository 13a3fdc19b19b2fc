"""The embedded table of measured edges: well-formed, documented, in agreement with a compilation."""

from __future__ import annotations

import csv
import math
import re
from collections import Counter
from pathlib import Path

DATA = Path(__file__).parents[2] / "data"
COLUMNS = ["formula", "A", "B", "X", "a_angstrom", "temperature_k", "phase_note", "source"]
ANIONS = ["O", "F", "Cl", "Br", "I", "H"]
TOLERANCE_ANGSTROM = 0.02
SYMBOLS = set(
    re.findall(
        r"[A-Z][a-z]?",
        "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr "
        "Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm "
        "Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr",
    )
)


def read_table(path: Path) -> list[dict[str, str]]:
    """Rows of a comma-separated file with a header, as dictionaries."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def readme_rows(heading: str) -> list[list[str]]:
    """Cells of the table under a second-level heading of data/README.md, without its two header lines."""
    text = (DATA / "README.md").read_text(encoding="utf-8")
    section = text.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


ROWS = read_table(DATA / "experimental_perovskites.csv")


def test_columns_are_exactly_the_documented_ones() -> None:
    with (DATA / "experimental_perovskites.csv").open(encoding="utf-8", newline="") as file:
        header = next(csv.reader(file))
    assert header == COLUMNS
    assert all(None not in row and None not in row.values() for row in ROWS), "a row has too many or too few cells"
    documented = [cells[0].strip("`") for cells in readme_rows("Columns")]
    assert documented == COLUMNS


def test_formulas_are_unique_and_made_of_known_elements() -> None:
    assert len(ROWS) >= 110
    assert [f for f, n in Counter(row["formula"] for row in ROWS).items() if n > 1] == []
    for row in ROWS:
        assert row["formula"] == f"{row['A']}{row['B']}{row['X']}3"
        assert {row["A"], row["B"], row["X"]} <= SYMBOLS, row["formula"]
        assert len({row["A"], row["B"], row["X"]}) == 3, row["formula"]


def test_all_anions_are_present_and_rows_are_sorted() -> None:
    anions = Counter(row["X"] for row in ROWS)
    assert {"O", "F", "Cl", "Br", "I"} <= set(anions) <= set(ANIONS)
    keys = [(ANIONS.index(row["X"]), row["A"], row["B"]) for row in ROWS]
    assert keys == sorted(keys)


def test_counts_in_the_readme_are_those_of_the_table() -> None:
    text = (DATA / "README.md").read_text(encoding="utf-8")
    found = re.search(
        r"(\d+) compounds \((\d+) oxides, (\d+) fluorides, (\d+) chlorides, "
        r"(\d+) bromides, (\d+) iodides, (\d+) hydrides\)",
        text,
    )
    assert found is not None
    anions = Counter(row["X"] for row in ROWS)
    assert [int(n) for n in found.groups()] == [len(ROWS), *(anions[x] for x in ANIONS)]


def test_edges_and_temperatures_are_plausible_numbers() -> None:
    for row in ROWS:
        edge = float(row["a_angstrom"])
        assert math.isfinite(edge), row["formula"]
        assert 3.5 < edge < 7.0, row["formula"]
        if row["temperature_k"]:
            assert 0.0 < float(row["temperature_k"]) < 2000.0, row["formula"]


def test_heavier_halogens_give_larger_cells() -> None:
    """Same cations, next halogen: the edge must grow by the difference of the radii, about 0.3 to 1.1 Å."""
    edge = {(row["A"], row["B"], row["X"]): float(row["a_angstrom"]) for row in ROWS}
    pairs = [("F", "Cl", 0.7, 1.1), ("Cl", "Br", 0.2, 0.4), ("Br", "I", 0.3, 0.6)]
    checked = 0
    for a, b, x in edge:
        for light, heavy, low, high in pairs:
            if x == light and (a, b, heavy) in edge:
                checked += 1
                assert low < edge[a, b, heavy] - edge[a, b, light] < high, f"{a}{b}{light}3 and {a}{b}{heavy}3"
    assert checked >= 5


def test_every_source_is_explained_and_every_explanation_used() -> None:
    explained = {cells[0].strip("`"): cells[1] for cells in readme_rows("Sources")}
    assert all(len(text) > 20 for text in explained.values())
    assert {row["source"] for row in ROWS} == set(explained)


def test_doubtful_rows_are_explained() -> None:
    marked = {row["formula"] for row in ROWS if "doubtful" in row["phase_note"]}
    explained = {cells[0]: cells[1] for cells in readme_rows("Doubtful rows")}
    assert marked == set(explained)
    assert all(explained.values())


def test_edges_agree_with_the_compilation(shared: Path) -> None:
    """Formulas in both agree within 0.02 Å, save exactly those listed with a reason in data/README.md."""
    compilation = read_table(shared / "data/experimental_abx3.csv")
    other = {row["formula"]: float(row["a_angstrom"]) for row in compilation}
    common = [row for row in ROWS if row["formula"] in other]
    assert len(common) >= 100
    differing = {
        row["formula"]: (float(row["a_angstrom"]), other[row["formula"]])
        for row in common
        if abs(float(row["a_angstrom"]) - other[row["formula"]]) > TOLERANCE_ANGSTROM
    }
    for formula, (here, there) in sorted(differing.items()):
        print(f"{formula}: {here} here, {there} in the compilation")
    listed: dict[str, tuple[float, float]] = {}
    for formula, here, there, reason in readme_rows("Disagreements"):
        assert len(reason) > 20, formula
        listed[formula] = (float(here), float(there))
    assert differing == listed
