"""The table of the OQMD in the box: its rows and their order, and the program that compiles it."""

from __future__ import annotations

import csv
import gzip
import io
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from written_settings import plan_dataset

from hirshprint.structures.symbols import SYMBOLS

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "data/oqmd_cubic_abo3.csv.gz"
HEADER = ["formula", "A", "B", "X", "a_angstrom", "oqmd_id"]
COMPOUNDS, WITHOUT_ID = 4_691, 63


def compile_table(*arguments: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "data/compile_oqmd.py"), *map(str, arguments)]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def read_table(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(gzip.decompress(path.read_bytes()).decode("ascii"))))


def test_rows_columns_and_order() -> None:
    header, *rows = read_table(TABLE)
    assert header == HEADER
    assert len(rows) == COMPOUNDS
    assert set(map(len, rows)) == {len(HEADER)}
    numbers = [int(row[5]) for row in rows if row[5]]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == COMPOUNDS - WITHOUT_ID
    last = rows[-WITHOUT_ID:]
    assert [row[0] for row in last] == sorted(row[0] for row in last)
    assert all(row[5] == "" and row[1] == row[2] and row[0] == f"{row[1]}2O3" for row in last)
    assert all(row[1] != row[2] and row[0] == f"{row[1]}{row[2]}O3" for row in rows[:-WITHOUT_ID])
    assert max(Counter(row[0] for row in rows).values()) == 1
    assert {row[3] for row in rows} == {"O"}
    elements = {row[k] for row in rows for k in (1, 2)}
    assert len(elements) == 73
    assert elements <= set(SYMBOLS)


def test_some_values() -> None:
    _, *rows = read_table(TABLE)
    edges = {row[0]: float(row[4]) for row in rows}
    assert 3.90 < edges["SrTiO3"] < 3.96
    assert 4.15 < edges["BaZrO3"] < 4.25
    assert edges["CaTiO3"] < edges["SrTiO3"] < edges["BaTiO3"]  # the larger A, the larger the cell
    assert (min(edges.values()), max(edges.values())) == (3.23, 5.497885)
    assert sorted(name for name, edge in edges.items() if edge > 5) == ["PaYbO3", "VBaO3", "VKO3", "VRbO3"]
    assert rows[0] == ["MgAlO3", "Mg", "Al", "O", "3.636389", "4181430"]


def test_every_row_is_a_compound_of_the_workflow() -> None:
    """In the order of the table, and no column but the property is taken for one."""
    plan = plan_dataset(
        {
            "table": str(TABLE),
            "prototype": "cubic_perovskite",
            "initial_edge": {"kind": "fixed", "edge_angstrom": 4.4},
            "property": "a_angstrom",
            "unit": "Å",
        }
    )
    assert plan.rejections == ()
    _, *rows = read_table(TABLE)
    assert [(*entry.elements, entry.target) for entry in plan.entries] == [(*row[1:4], float(row[4])) for row in rows]


def test_it_is_packed_without_name_and_time() -> None:
    assert TABLE.read_bytes()[:10] == b"\x1f\x8b\x08\0\0\0\0\0\x02\xff"


def test_the_program_makes_the_file_in_the_box(shared: Path, tmp_path: Path) -> None:
    made = tmp_path / "made.csv.gz"
    done = compile_table(shared / "data/oqmd_cubic_abo3.csv", made)
    assert done.returncode == 0, done.stderr
    assert "4,691 compounds, 4,628 with an OQMD entry id, edges 3.230 to 5.498 Å, 4 above 5 Å" in done.stdout
    assert gzip.decompress(made.read_bytes()) == gzip.decompress(TABLE.read_bytes())
    assert made.read_bytes() == TABLE.read_bytes()


def test_the_program_sorts_and_leaves_out_other_columns(tmp_path: Path) -> None:
    source, made, again = (tmp_path / name for name in ("t.csv", "a.csv.gz", "b.csv.gz"))
    lines = ["oqmd_id,A,B,X,a_angstrom,formula,doi", ",Zn,Zn,O,3.779,Zn2O3,x", "20.0,Sr,Ti,O,3.9450,SrTiO3,x"]
    source.write_text("\n".join([*lines, ",Ac,Ac,O,4.705,Ac2O3,x", "7,Ba,Ti,O,4.01,BaTiO3,x"]) + "\n")
    assert compile_table(source, made).returncode == 0
    assert [row[0] for row in read_table(made)] == ["formula", "BaTiO3", "SrTiO3", "Ac2O3", "Zn2O3"]
    assert read_table(made)[2] == ["SrTiO3", "Sr", "Ti", "O", "3.9450", "20"]  # digits as they are
    assert compile_table(made, again).returncode == 0
    assert again.read_bytes() == made.read_bytes()


def test_the_program_writes_nothing_of_a_faulty_table(tmp_path: Path) -> None:
    source, made = tmp_path / "t.csv", tmp_path / "made.csv.gz"
    faults = {
        "SrTiO3,Sr,Ti,O,3.9,2": "formula SrTiO3: 2 rows",
        "KTaO3,K,Ta,O,4.0,1": "oqmd_id 1: 2 rows",
        "BaTiO3,Ba,Ti,O,nan,3": "row 5: nan in column a_angstrom is not finite",
        "BaZrO3,Ba,Zr,O,-4,4": "row 6: the edge -4 Å is not positive",
        "XxTiO3,Xx,Ti,O,4,5": "row 7: unknown element 'Xx'",
        "TiCaO3,Ca,Ti,O,4,6": "row 8: the formula is TiCaO3, its sites make CaTiO3",
        "BaHfO3,Ba,Hf,O,4,2.5": "row 9: 2.5 is no OQMD entry id",
        "PbTiO3,Pb,Ti,O,4": "row 10: 5 cells where the header has 6",
    }
    source.write_text("\n".join([",".join(HEADER), "SrTiO3,Sr,Ti,O,3.945,1", *faults]) + "\n")
    done = compile_table(source, made)
    assert done.returncode == 1
    assert set(done.stderr.strip().split("\n  ")[1:]) == set(faults.values())
    assert not made.exists()
