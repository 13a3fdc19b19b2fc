"""Reading tables and folders: ids, rejected input, batches. No pymatgen here."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any

import pytest
from written_settings import plan_dataset

from hirshprint.structures import entries
from hirshprint.structures.batches import batch_of, count_batches, expected_sites, plan_batches
from hirshprint.structures.entries import Entry, InputError, Plan, geometry_digest, target_digest

ROOT = Path(__file__).parents[2]
HEADER = "formula,A,B,X,a_angstrom\n"
FIXED = {"kind": "fixed", "edge_angstrom": 4.5}


def _plan(folder: Path, text: str, edge: dict[str, Any] | None = None) -> Any:
    path = folder / "table.csv"
    path.write_text(text, encoding="utf-8")
    return plan_dataset(_settings(path, edge))


def _settings(path: Path, edge: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "table": str(path),
        "prototype": "cubic_perovskite",
        "initial_edge": edge or FIXED,
        "property": "a_angstrom",
        "unit": "Å",
    }


def test_good_rows(tmp_path: Path) -> None:
    plan = _plan(
        tmp_path,
        HEADER + "SrTiO3,Sr,Ti,O,3.905\nAcAgO3,Ac,Ag,O,4.12\nAgAcO3,Ag,Ac,O,4.2\nAc2O3,Ac,Ac,O,4.7\n",
    )
    assert not plan.rejections
    ids = [entry.structure_id for entry in plan.entries]
    assert ids == ["SrTiO3-a4.50000", "AcAgO3-a4.50000", "AgAcO3-a4.50000", "AcAcO3-a4.50000"]
    assert plan.entries[0].target == 3.905
    assert plan.entries[0].source.endswith("table.csv row 2")


@pytest.mark.parametrize(
    ("row", "reason", "remedy"),
    [
        ("SrTiO3,Sr,Ti,O,nan", "not finite", "finite number"),
        ("SrTiO3,Sr,Ti,O,", "a_angstrom is empty", "delete the row"),
        ("SrTiO3,Sr,Ti,O,three", "'three' in column a_angstrom", "decimal point"),
        ("SrTiO3,Sr,Ti,O,0.1", "0.05 Å apart", "edge of the cubic cell"),
        ("SrTiO3,Sr,Ti,O,-3.9", "Å apart", "edge of the cubic cell"),
        ("SrTiO3,Sr,Ti,O,390.5", "390.5 Å is longer than", "in Å, with a decimal point"),
        ("SrTiO3,Sr,Ti,O,3_905", "'3_905' in column a_angstrom is not a number", "decimal point, such as 3.905"),
        ("SrTiO3,Sr,Ti,O,３.905", "has U+FF13 (fullwidth digit three)", "write 3.905 in plain characters"),
        ("SrTiO3,Sr,Ti,O,\N{MINUS SIGN}3.905", "has U+2212 (minus sign) in place of a minus", "write -3.905 in plain"),
        ("SrTiO3,Sr,Ti,O,3.9\N{ZERO WIDTH SPACE}05", "has U+200B (zero width space)", "write 3.905 in plain"),
        ('SrTiO3,Sr,Ti,O,"\N{EN DASH}3,905"', "in place of a minus and has a comma", "write -3.905, with a decimal"),
        ('SrTiO3,Sr,Ti,O,"1,234,5"', "is not a number", "such as 3.905"),
        ("SrTiO3,Sr,Ti,O,4²", "is not a number", "such as 3.905"),
        ('SrTiO3,Sr,Ti,O,"3,905"', "has a comma in place of the decimal", "write 3.905, with a decimal point"),
        ("SrTiO3,Sr,Ti,O,0x4", "is not a number", "decimal point"),
        ("SrTiO3,Sr,Ti,O,1e999", "not finite", "finite number"),
        ("SrTiO3,Sr,Ti,O,-Infinity", "not finite", "finite number"),
        ("SrTiO3,sr,Ti,O,3.9", "unknown element 'sr'", "write Sr"),
        ("SrTiO3,Sr,Ti,О,3.9", "CYRILLIC CAPITAL LETTER O", "such as Sr"),
        ("SrTiO" + 5000 * "1" + ",Sr,Ti,O,3.9", "1 ... is not made of", "write SrTiO3"),
        ("SrXxO3,Sr,Xx,O,3.9", "column B: unknown element 'Xx'", "symbol such as Sr"),
        ("SrRfO3,Sr,Rf,O,3.9", "no free-atom density", "leave it out"),
        ("SrTiO3,Sr,,O,3.9", "no element in column B", "on the B site"),
        ("SrTiO3,Sr,Ti,O", "4 cells where the header has 5", "every column"),
        ("SrTiO3,Sr,Ti,O,3,905", "6 cells where the header has 5", "quote"),
        ("SrZrO3,Sr,Ti,O,3.9", "formula SrZrO3 is not made of", "write SrTiO3"),
        (",Sr,Ti,O,3.9", "formula (empty)", "write SrTiO3"),
        ("SrO4,Sr,O,O,3.9", "the same element, O, on the X site", "check the columns"),
    ],
)
def test_bad_row_is_listed_and_the_others_go_on(tmp_path: Path, row: str, reason: str, remedy: str) -> None:
    plan = _plan(tmp_path, f"{HEADER}{row}\nBaTiO3,Ba,Ti,O,4.01\n")
    assert [entry.compound for entry in plan.entries] == ["BaTiO3"]
    (rejection,) = plan.rejections
    assert rejection.source.endswith("table.csv row 2")
    assert reason in rejection.reason
    assert remedy in rejection.remedy


def test_contradicting_rows_are_all_rejected(tmp_path: Path) -> None:
    plan = _plan(tmp_path, HEADER + "SrTiO3,Sr,Ti,O,3.905\nSrTiO3,Sr,Ti,O,3.95\nBaTiO3,Ba,Ti,O,4.01\n")
    assert len(plan.entries) == 1
    assert [r.source[-1] for r in plan.rejections] == ["2", "3"]
    assert "rows 2, 3 give the same compound different values" in plan.rejections[0].reason


def test_repeated_row_counts_once(tmp_path: Path) -> None:
    plan = _plan(tmp_path, HEADER + "SrTiO3,Sr,Ti,O,3.905\nSrTiO3,Sr,Ti,O,3.905\n")
    assert len(plan.entries) == 1
    assert "as row 2" in plan.rejections[0].reason


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"formula,A,B\nx,y,z\n", "no column a_angstrom .`property`., X"),
        (b"formula;A;B;X;a_angstrom\n", "separate the columns by commas"),
        (b"formula,A,B,X,a_angstrom\nSr\xe9,Sr,Ti,O,3\n", "not UTF-8"),
        (b"", "the file is empty; write the columns formula, a_angstrom"),
        (b"\xef\xbb\xbf\n , \n", "the file is empty"),
        (b"formula,A,B,X,a_angstrom\n,,,,\n", "a header and no row below it"),
        (b"SrTiO3,Sr,Ti,O,3.9\nBaTiO3,Ba,Ti,O,4\n", "the first line must name the columns"),
        (b"formula\ta_angstrom\nSrTiO3\t3.9\n", "by commas and not by tabs"),
        (b"formula,A_Angstrom\nSrTiO3,3.9\n", "is A_Angstrom meant. Write it under `property`"),
        (b"formula,a,B,X,a_angstrom\nSrTiO3,Sr,Ti,O,3.9\n", "no column A .*is a meant"),
        (b"formula,A,B,X,\nSrTiO3,Sr,Ti,O,3.9\n", "no column a_angstrom .*column 5 has no name"),
        (b"formula,a_angstrom,a_angstrom \nSrTiO3,3.9,9\n", "columns 2 and 3 are all named a_angstrom"),
        (b"formula,a_angstrom,Unit\nSrTiO3,3.9,nm\n", "column Unit: is unit meant. Rename it to unit, or delete it"),
        (b"formula,a_angstrom,UNITS\nSrTiO3,3.9,nm\n", "column UNITS: is unit meant"),
        (b"formula,a_angstrom,Initial edge_Angstrom\nSrTiO3,3.9,4\n", "is initial_edge_angstrom meant"),
        (b"formula,a_angstrom,\nSrTiO3,3.9,9\n", "column 3 has cells and no name"),
        ("formula,a_angstrom\nSrTiO3,3.9\n".encode("utf-16"), "UTF-16.*save it as CSV in UTF-8"),
        ("formula,a_angstrom\nSrTiO3,3.9\n".encode("utf-16-le"), "NUL bytes"),
        (b"PK\x03\x04\x14\x00", "a workbook of Excel"),
        (b"formula,a_angstrom\nSrTiO3,3.9\nBa\xc5,3\n", "row 3: not UTF-8"),
        (b'formula,a_angstrom\nSrTiO3,3.9\n"BaTiO3,4\nKTaO3,4\n', r"row 3: a quote .*rows 3 to 4 are read as one"),
        (b'formula,a_angstrom\nSrTiO3,3.9\n"BaTiO3,4', "row 3: a quote"),
        (b'formula,a_angstrom\n"SrTiO3,3.9\nBaTiO3,4\nKTaO3",3.9\n', "row 2: a quote .*rows 2 to 4"),
        (b'formula,a_angstrom,note\nSrTiO3,3.9,"a\nBaTiO3,4,"\nKTaO3,4,b\n', "row 2: a quote .*rows 2 to 3"),
        (b'formula,a_angstrom\n"' + b"SrTiO3,4\n" * 20_000, "row 2: a cell of more than 131,072 characters"),
    ],
)
def test_unusable_table(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        plan_dataset(_settings(path))


def test_what_other_programs_write_is_read(tmp_path: Path) -> None:
    """Byte order mark, line ends of old, blanks, quotes, a first column of row numbers, notes of two lines."""
    text = '\ufeff,formula , a_angstrom,note,\r\r0, SrTiO3 ,3.905e0,"two\rlines",\r1,"BaTiO3" ,"4.01",,\r,,,,\r'
    plan = _plan(tmp_path, text)
    assert not plan.rejections
    assert [(entry.compound, entry.target) for entry in plan.entries] == [("SrTiO3", 3.905), ("BaTiO3", 4.01)]
    assert [entry.source[-5:] for entry in plan.entries] == ["row 3", "row 5"]


def test_table_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="a folder where a table is expected"):
        plan_dataset(_settings(tmp_path))
    path = tmp_path / "table.csv"
    path.write_text(HEADER)
    with pytest.raises(InputError, match="a file where a folder of structure files is expected"):
        plan_dataset({"folder": str(path), "property": "p", "unit": ""})

    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(InputError, match="it cannot be read"):
        plan_dataset(_settings(path))


def test_filters_are_checked(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("formula,a_angstrom,z\nSrTiO3,3.9,1\nBaTiO3,4.0,\nKTaO3,4,x\nsrTiO3,4,1\nCaTiO3,4,\n")
    rules: list[dict[str, Any]] = [{"name": "z", "column": "z", "above": 2}, {"name": "A", "elements": {"A": ["Ba"]}}]
    plan = plan_dataset(_settings(path) | {"filters": rules})
    stages = {rejection.source[-1]: (rejection.stage, rejection.reason) for rejection in plan.rejections}
    assert stages["3"] == ("structures", "column z is empty, and filter 'z' needs it")
    assert [stages[row][0] for row in "2456"] == ["filter", "filter", "structures", "filter"]
    with pytest.raises(InputError, match=r"no column nosuch \(`filters`\) \(it has: formula"):
        plan_dataset(_settings(path) | {"filters": [{"name": "z", "column": "nosuch", "above": 2}]})
    bad = [{"name": "A", "elements": {"a": ["Ba"], "B": ["ti"]}}]
    with pytest.raises(InputError, match=r"a is not a site .*did you mean A(.|\n)*unknown element 'ti'; write Ti"):
        plan_dataset(_settings(path) | {"filters": bad})


def test_missing_table(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such table"):
        plan_dataset(_settings(tmp_path / "none.csv"))


def test_random_draws_depend_on_seed_formula_and_number_only(tmp_path: Path) -> None:
    rule = {"kind": "random", "low_angstrom": 3.5, "high_angstrom": 5.5, "draws": 3, "seed": 0}
    both = _plan(tmp_path, HEADER + "SrTiO3,Sr,Ti,O,3.9\nBaTiO3,Ba,Ti,O,4.0\n", rule)
    alone = _plan(tmp_path, HEADER + "BaTiO3,Ba,Ti,O,4.1\n", rule | {"draws": 2})
    edges = {entry.structure_id for entry in both.entries}
    assert len(edges) == 6
    assert {entry.structure_id for entry in alone.entries} < edges
    assert all(3.5 <= entry.edge_angstrom < 5.5 for entry in both.entries)
    other = _plan(tmp_path, HEADER + "BaTiO3,Ba,Ti,O,4.1\n", rule | {"seed": 1})
    assert not {entry.structure_id for entry in other.entries} & edges


def test_radii_that_touch_give_the_edge(tmp_path: Path) -> None:
    plan = _plan(
        tmp_path,
        HEADER + "SrTiO3,Sr,Ti,O,3.9\nCsBeF3,Cs,Be,F,4.4\nCmTiO3,Cm,Ti,O,3.9\n",
        {"kind": "radii"},
    )
    edges = {entry.compound: entry.edge_angstrom for entry in plan.entries}
    assert edges["SrTiO3"] == pytest.approx(2 * (1.40 + 0.60))  # B and X touch
    assert edges["CsBeF3"] == pytest.approx(2**0.5 * (2.60 + 0.50), abs=1e-5)  # A and X touch
    (rejection,) = plan.rejections
    assert "no atomic radius of Slater is known for Cm" in rejection.reason
    assert "column initial_edge_angstrom" in rejection.remedy


def test_row_may_give_its_own_initial_edge(tmp_path: Path) -> None:
    header = "formula,A,B,X,a_angstrom,initial_edge_angstrom\n"
    plan = _plan(tmp_path, header + "SrTiO3,Sr,Ti,O,3.9,4.2\nBaTiO3,Ba,Ti,O,4.0,\nCaTiO3,Ca,Ti,O,3.8,0.2\n")
    assert [entry.edge_angstrom for entry in plan.entries] == [4.2, 4.5]
    assert "initial_edge_angstrom = 0.2" in plan.rejections[0].reason


def test_measured_edge_moves_no_geometry(tmp_path: Path) -> None:
    one = _plan(tmp_path, HEADER + "SrTiO3,Sr,Ti,O,3.905\n")
    two = _plan(tmp_path, HEADER + "SrTiO3,Sr,Ti,O,3.91\n")
    assert geometry_digest(one.entries) == geometry_digest(two.entries)
    assert target_digest(one) != target_digest(two)


def test_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.cif", "b.vasp", "POSCAR_c", "notes.txt", "twice.cif", "twice.vasp", "lonely.cif"):
        (tmp_path / name).write_text(name)
    (tmp_path / "d").mkdir()
    (tmp_path / "d/POSCAR").write_text("d")
    targets = tmp_path / "targets.csv"
    targets.write_text("structure_id,gap\na,1\nb,nan\nPOSCAR_c,2\nc,3\nd,4\ntwice,5\nghost,6\na.cif,1\n")
    settings = {"folder": str(tmp_path), "targets": str(targets), "property": "gap", "unit": "eV"}
    plan = plan_dataset(settings)
    assert [(entry.structure_id, entry.target) for entry in plan.entries] == [("c", 3), ("a", 1), ("d", 4)]
    reasons = {rejection.structure_id: rejection.reason for rejection in plan.rejections}
    assert set(reasons) == {"b", "twice", "lonely", "ghost", "POSCAR_c", "a.cif"}
    assert "is the name of a file" in reasons["a.cif"]
    assert "2 files are named twice" in reasons["twice"]
    assert [r.source for r in plan.rejections if r.structure_id == "ghost"] == [f"{targets} row 8"]
    before = geometry_digest(plan.entries)
    with monkeypatch.context() as patched:
        patched.setattr(entries, "READING", "another")
        assert geometry_digest(plan.entries) != before
    (tmp_path / "a.cif").write_text("other")
    assert geometry_digest(plan.entries) == before  # as it was planned
    assert geometry_digest(plan_dataset(settings).entries) != before


@pytest.mark.parametrize(
    ("duplicates", "used", "rejected"),
    [("reject", [("a", 1.0)], ["b", "b", "a"]), ("mean", [("a", 1.0), ("b", 2.5)], [])],
)
def test_repeated_targets(tmp_path: Path, duplicates: str, used: list[tuple[str, float]], rejected: list[str]) -> None:
    for name in "ab":
        (tmp_path / f"{name}.cif").write_text(name)
    targets = tmp_path / "targets.csv"
    targets.write_text("structure_id,gap\na,1\nb,2\nb,3\na,1.0\n")
    settings = {"folder": str(tmp_path), "targets": str(targets), "property": "gap", "unit": "eV"}
    plan = plan_dataset(settings | {"duplicates": duplicates})
    assert [(entry.structure_id, entry.target) for entry in plan.entries] == used
    assert [rejection.structure_id for rejection in plan.rejections] == rejected
    assert not rejected or plan.rejections[-1].reason == "the same value as in row 2, which is used"


def test_units_of_rows_are_that_of_the_property(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    units = ["Å", "\N{ANGSTROM SIGN}", "angstrom", "nm", ""]
    rows = [
        f"{name},4,{unit}\n"
        for name, unit in zip(("SrTiO3", "BaTiO3", "CaTiO3", "KTaO3", "PbTiO3"), units, strict=True)
    ]
    path.write_text("formula,a_angstrom,unit\n" + "".join(rows), encoding="utf-8")
    plan = plan_dataset(_settings(path))
    assert [entry.compound for entry in plan.entries] == ["SrTiO3", "BaTiO3", "CaTiO3"]
    assert [one.reason for one in plan.rejections] == [
        "its unit is nm where that of a_angstrom is Å",
        "its unit is (empty) where that of a_angstrom is Å",
    ]
    assert "write `unit: nm` if all are" in plan.rejections[0].remedy
    assert len(plan_dataset(_settings(path) | {"model": "m"}).entries) == 5  # there the property is not read


def test_a_table_may_be_packed(tmp_path: Path) -> None:
    text = HEADER.replace("\n", ",oqmd_id\n") + "SrTiO3,Sr,Ti,O,3.905,4282212\nAc2O3,Ac,Ac,O,4.7,\n"
    path = tmp_path / "table.csv.gz"
    path.write_bytes(gzip.compress(text.encode(), mtime=0))
    plan = plan_dataset(_settings(path))
    assert [(one.compound, one.elements, one.target) for one in plan.entries] == [
        ("SrTiO3", ("Sr", "Ti", "O"), 3.905),
        ("AcAcO3", ("Ac", "Ac", "O"), 4.7),
    ]
    assert plan.entries[0].source == f"{path} row 2"


def test_a_damaged_packed_table_is_named(tmp_path: Path) -> None:
    """Whatever byte of it is changed or lost: it is read as it was, or refused with what to do."""
    path = tmp_path / "table.csv.gz"
    whole = gzip.compress((HEADER + "SrTiO3,Sr,Ti,O,3.905\nBaTiO3,Ba,Ti,O,4.0\n").encode(), mtime=0)
    path.write_bytes(whole)
    entries = plan_dataset(_settings(path)).entries
    changed = [whole[:k] + bytes([whole[k] ^ bit]) + whole[k + 1 :] for k in range(2, len(whole)) for bit in (1, 24)]
    messages = []
    for contents in [whole[:k] for k in range(2, len(whole))] + changed + [whole + b"more"]:
        path.write_bytes(contents)
        try:
            assert plan_dataset(_settings(path)).entries == entries
        except InputError as error:
            messages.append(str(error))
    assert set(messages) == {
        f"{path}: it begins as a file packed by gzip and cannot be unpacked: it is damaged or cut off; copy it again, "
        "or save it as CSV in UTF-8"
    }
    assert len(messages) > 2 * len(whole)
    for contents, message in ((gzip.compress(whole), "compressed twice"), (gzip.compress(b""), "the file is empty")):
        path.write_bytes(contents)
        with pytest.raises(InputError, match=message):
            plan_dataset(_settings(path))


def test_targets_name_structures_and_not_their_files(tmp_path: Path) -> None:
    for name in ("POSCAR_GaAs", "run/CONTCAR", "Olivine_1.cif", "README.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    targets = tmp_path / "targets.csv"
    targets.write_text("structure_id,gap,unit\nPOSCAR_GaAs,1,eV\nrun/CONTCAR,1,eV\nolivine-1,1,eV\nREADME.md,1,eV\n")
    settings = {"folder": str(tmp_path), "targets": str(targets), "property": "gap", "unit": "eV"}
    plan = plan_dataset(settings)
    told = {one.structure_id: one for one in plan.rejections}
    assert told["POSCAR_GaAs"].remedy == "write the name of its structure, GaAs"
    assert told["run/CONTCAR"].remedy == "write the name of its structure, run"
    assert told["Olivine_1"].reason == f"no row for Olivine_1 in {targets}; is olivine-1 meant?"
    assert told["olivine-1"].reason == f"no file for olivine-1 in {tmp_path}; is Olivine_1 meant?"
    assert told["README.md"].reason == f"no file for README.md in {tmp_path}"
    targets.write_text("structure_id,gap,Unit\nGaAs,1,meV\n")
    with pytest.raises(InputError, match="column Unit: is unit meant"):
        plan_dataset(settings)


def test_folder_without_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no structure file"):
        plan_dataset({"folder": str(tmp_path), "property": "p", "unit": ""})
    with pytest.raises(InputError, match="no such folder"):
        plan_dataset({"folder": str(tmp_path / "none"), "property": "p", "unit": ""})


def test_batch_counts() -> None:
    assert [count_batches(n / 64) for n in (1, 64, 65, 128, 129, 5250)] == [1, 1, 2, 2, 4, 128]


def test_growth_moves_no_structure_until_the_number_of_batches_doubles() -> None:
    ids = [f"s{k}" for k in range(500)]
    assert len({batch_of(name, 8) for name in ids}) == 8
    for name in ids:  # the first half of the doubled batches comes from the first half of the batches
        small, large = (int(batch_of(name, n)[5:].split("of")[0], 16) for n in (8, 16))
        assert large // 2 == small


def _rows(count: int) -> Plan:
    return Plan(tuple(Entry(f"s{k}", f"row {k}", (), f"s{k}", ("Sr", "Ti", "O"), 4.5, None) for k in range(count)), ())


def test_batches_have_about_a_minute_of_work() -> None:
    """A number still sets it. Ten more rows move nothing; however many rows, the files stay few."""
    of_rows = {count: len(plan_batches(_rows(count), "auto", 0.006, 8.0)) for count in (1, 132, 20_000, 100_000)}
    assert of_rows == {1: 1, 132: 1, 20_000: 1, 100_000: 4}
    assert len(plan_batches(_rows(100_000), None, 2.0)) == 1024
    assert {name.partition("of")[2] for name in plan_batches(_rows(5250), 64, 0.006)} == {"80"}
    few, more = (plan_batches(_rows(count), "auto", 2.0) for count in (600, 610))
    assert few.keys() == more.keys()
    assert all({one.structure_id for one in few[name]} <= {one.structure_id for one in more[name]} for name in few)


def test_files_are_taken_for_the_sites_that_their_size_lets_one_expect(tmp_path: Path) -> None:
    """Those with many records count once."""
    for name in ("a.cif", "b.cif", "many.json", "packed.json.gz"):
        (tmp_path / name).write_bytes(bytes(30_000))
    single = [Entry(name, name, (), name, (), None, None, tmp_path / f"{name}.cif") for name in ("a", "b")]
    many = [Entry(f"m{k}", "m", (), "m", (), None, None, tmp_path / "many.json", None, k) for k in range(50)]
    packed = [Entry(f"p{k}", "p", (), "p", (), None, None, tmp_path / "packed.json.gz", None, k) for k in range(50)]
    gone = Entry("gone", "gone", (), "gone", (), None, None, tmp_path / "gone.cif")
    assert [expected_sites(one) for one in (single, many, packed, [gone])] == [200, 60, 300, 1]
    assert expected_sites(_rows(8).entries, 8.0) == 3


def test_one_job_per_structure_is_named_by_its_id(tmp_path: Path) -> None:
    plan = _plan(tmp_path, HEADER + "SrTiO3,Sr,Ti,O,3.905\nBaTiO3,Ba,Ti,O,4.01\n")
    assert list(plan_batches(plan, 1, 1.0)) == ["BaTiO3-a4.50000", "SrTiO3-a4.50000"]
    assert batch_of("my cell (2)", None) != batch_of("my cell [2]", None)
    assert batch_of("mp-1000", None) == "mp-1000"
    long = "-".join(map(str, range(69)))[:200]
    assert batch_of(long, None) == long
    assert len({batch_of("x" * 240 + end, None) for end in "abc"}) == 3
    assert len(batch_of("x" * 240, None)) == 200  # a file system knows 255 letters to a name
    for name in (".", "..", "x" * 120, "cell-" + "0" * 20, "ab" * 30):  # no folder, and no loop for Snakemake
        assert re.fullmatch(r"[A-Za-z0-9._-]+-[0-9a-f]{8}", batch_of(name, None)), name
    assert " " not in batch_of("my cell (2)", None)
