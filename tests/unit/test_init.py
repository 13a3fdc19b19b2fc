"""`hirshprint init`: what is found in folders, tables and files of crystals, and what is proposed."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from projects import ROOT, caesium_chloride

from hirshprint import cli
from hirshprint.config.load import resolve_config
from hirshprint.config.proposal import _name
from hirshprint.structures.sources.fields import fields_of, group_field, properties, unit_of

Init = Callable[..., tuple[int, str, str]]
SALTS = ("CsCl", "CsBr", "CsI", "TlCl", "TlBr", "KCl", "KBr", "RbCl", "RbBr", "NaCl", "NaBr", "LiCl")
FORTY_TWO = [
    f"{a}{b}O3" for a in ("Ca", "Sr", "Ba", "Pb", "Eu", "Mg") for b in ("Ti", "Zr", "Hf", "Sn", "Ce", "V", "Th")
]


@pytest.fixture
def init(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Init:
    """Run the command in a folder of its own; with a good end the file must be one that the program accepts."""
    monkeypatch.chdir(tmp_path)

    def call(path: str, *words: str) -> tuple[int, str, str]:
        code = cli.main(["init", path, *words])
        streams = capsys.readouterr()
        assert "Traceback" not in streams.err
        assert streams.err.count("\n") == (code != 0)
        return code, streams.out, streams.err

    return call


def written(path: str = "config/mine.yaml") -> dict[str, Any]:
    """What was written, complete enough for a run."""
    config: dict[str, Any] = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    resolve_config(config, [path])
    assert all(len(line) <= 120 or "/" in line for line in Path(path).read_text(encoding="utf-8").splitlines())
    return config


def salt(name: str, **more: Any) -> dict[str, Any]:
    cation, anion = (name[:2], name[2:]) if name[1].islower() else (name[:1], name[1:])
    return {"id": name, "cell": [4.1] * 3 + [90] * 3, "sp": [cation, anion], "frac": [[0, 0, 0], [0.5] * 3], **more}


def records(path: str, rows: list[dict[str, Any]]) -> str:
    Path(path).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def folder(path: str, names: tuple[str, ...] = SALTS) -> Path:
    Path(path).mkdir(parents=True)
    for k, name in enumerate(names):
        one = salt(name)
        text = caesium_chloride(4 + k / 10, *one["sp"])
        (Path(path) / f"{name}.cif").write_text(text, encoding="utf-8")
    return Path(path)


# --- fields -------------------------------------------------------------------------------------------------------


def test_fields_are_counted() -> None:
    rows = [{"id": str(k), "x": k / 2, "y": "7.8", "t": "a", "ok": k % 2 == 0, "z": [1]} for k in range(4)]
    rows.append({"id": "5", "x": float("nan"), "y": " ", "t": None, "ok": "yes"})
    found = {one.name: one for one in fields_of(rows)}
    assert set(found) == {"id", "x", "y", "t", "ok"}
    assert (found["x"].numbers, found["x"].filled, found["x"].low, found["x"].high) == (4, 5, 0, 1.5)
    assert (found["y"].numbers, len(found["y"].distinct)) == (4, 1)
    assert found["ok"].yes_no
    assert not found["x"].yes_no
    assert [one.name for one in properties(list(found.values()), 5)] == ["x", "ok"]


def test_the_likeliest_property_comes_first_and_numbers_that_tell_of_the_row_never() -> None:
    row = {"material_id": 1, "oqmd_id": 4, "spg": 2, "nsites": 5, "temperature_k": 300, "fold": 1, "year": 1976}
    row |= {"a": 3.9, "count": 3, "is_metal": 1, "volume": 60.2, "n": 1.5, "rare": 0.5}
    rows = [{name: value * (k + 1) for name, value in row.items()} for k in range(10)]
    rows = [one | {"is_metal": k % 2, "rare": k + 0.5 if k < 3 else None} for k, one in enumerate(rows)]
    names = [one.name for one in properties(fields_of(rows), len(rows))]
    assert names == ["n", "count", "is_metal", "a", "volume", "rare"]
    with_edge = [one | {"a_angstrom": one["a"]} for one in rows]
    assert properties(fields_of(with_edge), len(rows))[0].name == "a_angstrom"


def test_a_group_is_named_in_every_row_and_not_different_in_each() -> None:
    rows: list[dict[str, Any]] = [{"fold": k % 5, "group": k, "n": k} for k in range(20)]
    found = group_field(fields_of(rows), 20)
    assert found is not None
    assert found.name == "fold"
    assert group_field(fields_of([*rows, {"n": 1}]), 21) is None
    assert group_field(fields_of([{"group": k} for k in range(20)]), 20) is None


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("a_angstrom", "Å"),
        ("gap_ev", "eV"),
        ("E_eV_per_atom", "eV/atom"),
        ("Bandlücke (eV)", "eV"),
        ("K [GPa]", "GPa"),
        ("volume_angstrom3", "Å³"),
        ("K_VRH", None),
        ("e_form", None),
        ("lev", None),
        ("t_k", None),
    ],
)
def test_a_unit_is_taken_only_from_names_that_say_it(name: str, unit: str | None) -> None:
    assert unit_of(name) == unit


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("config/mine.yaml", "mine"),
        ("Über Stoffe (neu).yml", "Uber_Stoffe_neu"),
        ("Größe.yaml", "Grosse"),
        ("строй.yaml", "mine"),
    ],
)
def test_a_dataset_is_named_after_its_configuration(name: str, expected: str) -> None:
    assert _name(Path(name)) == expected


# --- tables of compositions ----------------------------------------------------------------------------------------


def test_a_table_of_compositions(init: Init) -> None:
    code, out, _ = init(str(ROOT / "data/experimental_perovskites.csv"))
    assert code == 0
    assert "132 rows (compounds of the prototype cubic_perovskite: 132)" in out
    assert "a_angstrom: numbers in 132 of 132, from 3.68 to 6.289" in out
    assert "TO DO" not in out
    config = written()
    assert set(config) == {"datasets"}
    dataset = config["datasets"]["mine"]
    assert dataset["initial_edge"] == {"kind": "fixed", "edge_angstrom": 4.5}
    assert (dataset["property"], dataset["unit"], dataset["scale"]) == ("a_angstrom", "Å", "linear")
    assert "# The edge that each structure is built with" in Path("config/mine.yaml").read_text(encoding="utf-8")


def test_tables_with_marks_line_ends_and_names_of_other_systems(init: Init) -> None:
    lines = [
        "formula,unit,K,stable,is metal",
        *(f"{name},GPa,{9 * k + 1},yes,{k % 2}" for k, name in enumerate(FORTY_TWO)),
    ]
    Path("Größe 1.csv").write_bytes("\ufeff".encode() + "\r\n".join(lines).encode())
    code, out, _ = init("Größe 1.csv")
    assert code == 0
    dataset = written()["datasets"]["mine"]
    assert dataset["table"] == "Größe 1.csv"
    assert (dataset["property"], dataset["unit"], dataset["scale"]) == ("K", "GPa", "log")
    assert "is metal: yes or no in 42 of 42" in out
    assert written()["learning"] == {"folds": 3}


def test_answers_are_proposed_as_such(init: Init) -> None:
    lines = ["formula,metal", *(f"{name},{'yes' if k % 3 else 'no'}" for k, name in enumerate(FORTY_TWO))]
    Path("t.csv").write_text("\n".join(lines))
    assert init("t.csv")[0] == 0
    dataset = written()["datasets"]["mine"]
    assert (dataset["property"], dataset["values"]) == ("metal", "yes_no")
    assert not {"unit", "scale", "per"} & set(dataset)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the file is empty"),
        ("formula,a_angstrom\n", "a header and no row below it"),
        ("formula;A;B;X;a\nSrTiO3;Sr;Ti;O;3,9\n", "separate the columns by commas and not by semicolons"),
        ("Formula,a\nSrTiO3,3.9\n", "is Formula meant? Rename it to formula"),
        ("formula,gap\nNaCl,8\n", "no row has a compound that can be placed on a prototype (ABX3, X3AB, A2BB2X6"),
        (
            'formula,a\nSrTiO3,"3,9"\nBaTiO3,"4,0"\n',
            "add the property as a column, in numbers with a decimal point",
        ),
        (
            "formula,name\nSrTiO3,x\n",
            "has numbers that could be learned (besides the compounds it has: name)",
        ),
        ("formula,a_angstrom\nSrTiO3,3.9\nBaTiO3,4\n", "too few"),
        ("structure_id,gap\nx,1\n", "a table of properties of structures, without the structures"),
    ],
)
def test_tables_from_which_nothing_can_be_learned(init: Init, text: str, reason: str) -> None:
    Path("t.csv").write_text(text)
    code, _, err = init("t.csv")
    assert code == 2
    assert reason in err
    assert not Path("config").exists()


# --- folders -------------------------------------------------------------------------------------------------------


def test_a_folder_and_the_table_beside_it(init: Init) -> None:
    folder("my salts")
    (Path("my salts") / "notes.md").write_text("x")
    (Path("my salts") / "bad.cif").write_text("no data")
    rows = [
        "structure_id,source,gap_ev",
        *(f"{name},me,{k + 1.5}" for k, name in enumerate(SALTS)),
        "bad,me,1.2",
        "Zz,me,2",
    ]
    Path("values.csv").write_text("\n".join(rows))
    Path("other.csv").write_text("x,y\n1,2\n")
    code, out, _ = init("my salts")
    assert code == 0
    assert "a folder with 13 structure files (13 .cif)" in out
    assert "1 file was skipped, of an unknown kind or in a subfolder: notes.md" in out
    assert "values.csv: a table with 14 rows (for these crystals: 13)" in out
    assert "no file for Zz in my salts; add the file, or delete the row (values.csv row 15)" in out
    assert "13 of the other 13, of which 1 are rejected\n  cannot be read as CIF, line 1" in out
    config = written()
    dataset = config["datasets"]["mine"]
    assert (dataset["folder"], dataset["targets"]) == ("my salts", "values.csv")
    assert (dataset["property"], dataset["unit"]) == ("gap_ev", "eV")
    assert config["learning"] == {"folds": 3}


@pytest.mark.parametrize(
    ("header", "cell", "hint"),
    [
        ("name,gap", "{}", "its column name names 12 of these crystals; to use it rename it to structure_id"),
        ("file,gap", "{}.cif", "rename it to structure_id and write the stems of the files there, without endings"),
        ("structure_id,gap", "{}.cif", "to use it write the stems of the files there, without endings"),
        ("structure_id;gap", "{}", "separate the columns by commas and not by semicolons"),
    ],
)
def test_a_table_that_nearly_fits_is_named(init: Init, header: str, cell: str, hint: str) -> None:
    place = folder("salts")
    mark = header[-4]
    rows = [header, *(f"{cell.format(name)}{mark}{k}" for k, name in enumerate(SALTS))]
    (place / "targets.csv").write_text("\n".join(rows))
    code, out, _ = init("salts")
    assert code == 0
    assert hint in out
    assert "nothing is learned" in out
    assert written()["datasets"]["mine"] == {"folder": "salts"}
    assert "    # targets: targets.csv" in Path("config/mine.yaml").read_text()


@pytest.mark.parametrize(
    ("name", "value", "per", "said"),
    [
        ("energy", lambda n, k: -3.1 * n * (1 + k / 50), "cell", "as a property of the whole cell does"),
        ("volume_per_spin", lambda n, k: 11.5 * n + k, "cell", "as a property of the whole cell does"),
        ("energy", lambda n, k: -3.1 - k / 50, "atom", None),
        ("gap", lambda n, k: (7 * k) % 5 + 0.3, "atom", None),
        ("energy", lambda n, k: 0.0 if k < 9 else -n, "atom", "TO DO: if energy is of the whole cell"),
        ("energy_ev_per_atom", lambda n, k: 0.0 if k < 9 else -n, "atom", None),
    ],
)
def test_a_property_that_grows_with_the_cell_is_found(
    name: str, value: Callable[[int, int], float], per: str, said: str | None, init: Init
) -> None:
    rows = []
    for k, one in enumerate(SALTS):
        cells = k % 4 + 1
        cell = salt(one)
        frac = [[x, y, (z + i) / cells] for i in range(cells) for x, y, z in cell["frac"]]
        size = {"cell": [4.1, 4.1, 4.1 * cells, 90, 90, 90], "sp": cell["sp"] * cells, "frac": frac}
        rows.append(cell | size | {name: value(2 * cells, k)})
    records("c.jsonl", rows)
    assert init("c.jsonl")[0] == 0
    assert written()["datasets"]["mine"]["per"] == per
    text = Path("config/mine.yaml").read_text()
    comments = " ".join(text.replace("\n    #", "").split())
    assert said is None or said in comments
    assert ("whole cell" in comments) == (said is not None)


def test_crystals_of_one_formula_are_not_to_be_learned_from(init: Init) -> None:
    place = folder("salts", ("CsCl",))
    for k in range(20):
        (place / f"x{k}.cif").write_text(caesium_chloride(4 + k / 100))
    (place / "targets.csv").write_text("\n".join(["structure_id,gap", *(f"x{k},{k}" for k in range(20))]))
    code, out, _ = init("salts")
    assert code == 0
    assert "nothing is learned (dataset 'mine' has 1 groups of compounds, too few" in out
    assert "property" not in written()["datasets"]["mine"]
    assert "# property: gap" in Path("config/mine.yaml").read_text()


def test_folders_without_structure_files(init: Init) -> None:
    Path("empty").mkdir()
    assert "empty: no structure file in it" in init("empty")[2]
    folder("nested/inner")
    Path("nested/a.txt").write_text("x")
    assert "it has nested/inner: give one of these" in init("nested")[2]
    Path("other").mkdir()
    records("other/c.jsonl", [salt("CsCl")])
    assert "it has other/c.jsonl: give one of these" in init("other")[2]
    Path("bad").mkdir()
    Path("bad/x.cif").write_text("x")
    code, out, err = init("bad")
    assert (code, err) == (1, "hirshprint init: nothing can be used, see above; no configuration is written\n")
    assert "cannot be read as CIF" in out
    assert not Path("config").exists()


# --- files of many crystals ------------------------------------------------------------------------------------------


def test_a_file_of_many_crystals(init: Init) -> None:
    rows = [
        salt(name, formula=name, spg=221, e_form=k / 3, E=10.0 ** (k / 4), fold=k % 4) for k, name in enumerate(SALTS)
    ]
    with gzip.open("crystals.jsonl.gz", "wt") as file:
        file.write("\n".join(map(json.dumps, [*rows, {"id": "x"}, salt("CsF", e_form=None, fold=1)])))
    code, out, _ = init("crystals.jsonl.gz", "--out", "here.yaml")
    assert code == 0
    assert "a file with 14 crystals" in out
    assert "e_form: numbers in 12 of 14" in out
    assert "it has no e_form; add it, or delete the record (2: " in out
    assert "TO DO: write the unit of e_form" in out
    dataset = written("here.yaml")["datasets"]["here"]
    assert (dataset["structures"], dataset["property"]) == ("crystals.jsonl.gz", "e_form")
    assert "unit" not in dataset
    text = Path("here.yaml").read_text(encoding="utf-8")
    assert "    # TO DO: write the unit of e_form." in text
    assert "    # unit: eV\n" in text
    assert "Found: E: numbers in 12 of 14, from 1 to 562.341" in text


def test_folds_that_are_given_and_a_property_over_decades(init: Init) -> None:
    records("c.jsonl", [salt(name, E=10.0 ** (k / 4), fold=k % 4) for k, name in enumerate(SALTS)])
    assert init("c.jsonl")[0] == 0
    config = written()
    assert config["datasets"]["mine"]["group"] == "fold"
    assert config["datasets"]["mine"]["scale"] == "log"
    assert config["learning"] == {"splits": ["groups"]}
    assert "over 2.8 decades" in Path("config/mine.yaml").read_text(encoding="utf-8")


def test_a_file_whose_values_are_in_a_table(init: Init) -> None:
    records("c.jsonl", [salt(name) for name in SALTS])
    Path("targets.csv").write_text("\n".join(["structure_id,Tc (K)", *(f"{name},{k}" for k, name in enumerate(SALTS))]))
    assert init("c.jsonl")[0] == 0
    dataset = written()["datasets"]["mine"]
    assert (dataset["targets"], dataset["property"], dataset["unit"]) == ("targets.csv", "Tc (K)", "K")


def test_a_database_of_ase_and_frames(init: Init) -> None:
    db = pytest.importorskip("ase.db", reason="ase is not in this environment: make env")
    from ase import Atoms
    from ase.io import write

    crystals = [Atoms(salt(name)["sp"], [[0, 0, 0], [2, 2, 2]], cell=[4, 4, 4], pbc=True) for name in SALTS]
    with db.connect("c.db") as database:
        for k, atoms in enumerate(crystals):
            database.write(atoms, gap=k + 0.5)
            atoms.info = {"gap": k + 0.5, "id": SALTS[k]}
    write("c.extxyz", crystals)
    for name in ("c.db", "c.extxyz"):
        assert init(name, "--out", f"{name}.yaml")[0] == 0
        dataset = written(f"{name}.yaml")["datasets"][name.replace(".", "_")]
        assert (dataset["structures"], dataset["property"]) == (name, "gap")


def test_many_crystals_take_seconds(init: Init) -> None:
    records("c.jsonl", [salt(SALTS[k % 12], e=k / 7) | {"id": f"c{k}"} for k in range(19_000)])
    start = time.process_time()
    code, out, _ = init("c.jsonl")
    assert code == 0
    assert "a file with 19,000 crystals" in out
    assert "read as a run reads them: 100 of 19,000" in out
    assert time.process_time() - start < 30  # 2 s where it was written
    assert "config/matbench.yaml has settings" in Path("config/mine.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("missing.csv", None, "there is no such file or folder"),
        ("x.jsonl", "", "no crystal in it"),
        ("x.json", "nonsense", "not JSON"),
        ("x.json", '{"a": {"b": 1}}', "no crystal in it; give another file"),
        ("x.extxyz", "", "no crystal in it"),
        ("x.db", "no database", "damaged, or no database of ASE's"),
        ("x.md", "text", "its name says neither a table (.csv), a structure file"),
        ("x.cif", caesium_chloride(4.1), "a file of one crystal, from which nothing can be learned"),
        ("x.xlsx", "PK\x03\x04", "a workbook of Excel"),
    ],
)
def test_other_files_are_refused(init: Init, name: str, text: str | None, reason: str) -> None:
    if text is not None:
        Path(name).write_text(text)
    code, _, err = init(name)
    assert code == 2
    assert reason in err
    assert not Path("config").exists()


# --- the file --------------------------------------------------------------------------------------------------------


def test_an_existing_file_is_not_replaced(init: Init) -> None:
    Path("config").mkdir()
    Path("config/mine.yaml").write_text("# mine\n")
    records("c.jsonl", [salt(name, gap=k) for k, name in enumerate(SALTS)])
    code, out, err = init("c.jsonl")
    assert (code, out) == (2, "")
    assert err == (
        "hirshprint init: config/mine.yaml exists and is not replaced; name another file by --out, or move it away\n"
    )
    assert Path("config/mine.yaml").read_text() == "# mine\n"
    assert "must end with .yaml" in init("c.jsonl", "--out", "mine.csv")[2]


def test_names_that_yaml_takes_for_something_else(init: Init) -> None:
    for name in ("123", "yes", "a: b #c"):
        records(f"{name}.jsonl", [{**salt(one), "no": k, "off": k / 2} for k, one in enumerate(SALTS)])
        assert init(f"{name}.jsonl", "--out", f"{name}.yaml")[0] == 0
        ((key, dataset),) = written(f"{name}.yaml")["datasets"].items()
        assert isinstance(key, str)
        assert (dataset["structures"], dataset["property"]) == (f"{name}.jsonl", "off")
