"""The inputs of a storm: three datasets in their final state, and the edits that lead away from it and back."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
FAKE_TONTO = ROOT / "tests/fake_tonto.py"
CIF = """data_{name}
_cell_length_a {a}
_cell_length_b {a}
_cell_length_c {a}
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'P 1'
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
{cation}1 0 0 0
{anion}1 0.5 0.5 0.5
"""
ROWS = (
    ("SrTiO3", "Sr", "Ti", "O", 3.905),
    ("BaTiO3", "Ba", "Ti", "O", 4.0),
    ("CaTiO3", "Ca", "Ti", "O", 3.84),
    ("BaZrO3", "Ba", "Zr", "O", 4.193),
    ("SrZrO3", "Sr", "Zr", "O", 4.104),
    ("KTaO3", "K", "Ta", "O", 3.988),
    ("NaTaO3", "Na", "Ta", "O", 3.931),
    ("KNbO3", "K", "Nb", "O", 4.007),
    ("LaAlO3", "La", "Al", "O", 3.791),
    ("KMgF3", "K", "Mg", "F", 3.989),
    ("RbMnF3", "Rb", "Mn", "F", 4.24),
    ("CsCaF3", "Cs", "Ca", "F", 4.524),
)
PAIRS = (("Cs", "Cl", 4.123), ("Cs", "Br", 4.286), ("Cs", "I", 4.567), ("Rb", "Cl", 3.74), ("Tl", "Br", 3.97))
EDITS: dict[str, tuple[Any, ...]] = {
    "mesh_level": (6, 9),
    "structures_per_job": (1, 4),
    "bins": (40, 30),
    "epochs": (3,),
    "folds": (3,),
    "densities": ("x2c",),
    "shown": ("BaTiO3",),
    "row_measured": (2, 5),
    "row_element": (1, 7),
    "row_added": (1,),
    "row_removed": (4, 11),
    "rows_reversed": (1,),
    "cif_cell": (0, 3),
    "cif_added": (1,),
    "cif_removed": (2,),
    "cif_broken": (1,),
    "record_cell": (0, 4),
    "record_added": (1,),
    "record_removed": (3,),
    "renamed": ("cifs", "many"),
}
"""What may be edited, and the values that it may take for a while; the final state has none of them."""
WITHOUT_TONTO = ("mesh_level", "densities")
OF_ROWS = ("epochs", "folds", "shown", "row_measured", "row_element", "row_added", "row_removed", "rows_reversed")

State = dict[str, Any]


def random_state(rng: random.Random, final: State) -> State:
    """Draw up to three edits of the final state."""
    without = (WITHOUT_TONTO if "engine" in final else ()) + (OF_ROWS if "brief" in final else ())
    names = [name for name in EDITS if name not in without]
    return final | {name: rng.choice(EDITS[name]) for name in sorted(rng.sample(names, rng.choice((0, 1, 1, 2, 3))))}


def configuration(state: State) -> dict[str, Any]:
    """Configuration of a state."""
    datasets: dict[str, Any] = {
        "rows": {"table": "table.csv"},
        "cifs": {"folder": "cifs"},
        "many": {"structures": "crystals.jsonl"},
    }
    if "brief" in state:
        datasets.pop("rows")  # there is nothing to learn
    if "renamed" in state:
        datasets[f"{state['renamed']}_renamed"] = datasets.pop(state["renamed"])
    epochs = {"epochs": state.get("epochs", 2)}
    return {
        "datasets": datasets,
        "densities": state.get("densities", "thakkar"),
        "surfaces": {
            "engine": state.get("engine", "python"),
            "structures_per_job": state.get("structures_per_job", 2),
            "mesh_level": state.get("mesh_level", 8),
        },
        "fingerprint": {"bins": {"count": state.get("bins", 50)}},
        "learning": {
            "folds": state.get("folds", 2),
            "cnn_paper_small": epochs,
            "cnn": epochs,
            "cgcnn": epochs,
            "contacts": epochs,
            "baselines": ["mean", "ridge"],
        },
        "report": {"compounds": [state["shown"]] if "shown" in state else []},
    }


def table(state: State) -> str:
    """Text of the table of compounds."""
    rows = [list(row) for row in ROWS]
    if "row_measured" in state:
        rows[state["row_measured"]][4] += 0.05
    if "row_element" in state:
        rows[state["row_element"]][:2] = ["EsTiO3", "Es"]
        rows[state["row_element"]][2:4] = ["Ti", "O"]
    if "row_removed" in state:
        rows.pop(state["row_removed"])
    if "row_added" in state:
        rows.insert(3, ["CaZrO3", "Ca", "Zr", "O", 4.02])
    if "rows_reversed" in state:
        rows.reverse()
    return "\n".join(["formula,A,B,X,a_angstrom", *(",".join(map(str, row)) for row in rows)]) + "\n"


def structure_files(state: State) -> dict[str, str]:
    """Names and texts of the CIF files."""
    edges = [a + 0.1 * (state.get("cif_cell") == k) for k, (_, _, a) in enumerate(PAIRS)]
    cells = [(cation, anion, round(a, 4)) for (cation, anion, _), a in zip(PAIRS, edges, strict=True)]
    cells += [(cation, anion, round(a * 1.03, 4)) for cation, anion, a in PAIRS]
    if "cif_added" in state:
        cells.append(("Na", "F", 2.9))
    files = {}
    for k, (cation, anion, a) in enumerate(cells):
        files[f"{cation}{anion}-{k}.cif"] = CIF.format(name=f"{cation}{anion}", cation=cation, anion=anion, a=a)
    if "cif_removed" in state:
        files.pop(sorted(files)[state["cif_removed"]])
    if "cif_broken" in state:
        files[sorted(files)[state["cif_broken"]]] = "data_broken\nloop_\n"
    return files


def records(state: State) -> str:
    """Text of the file of many crystals."""
    found = []
    for k, (cation, anion, edge) in enumerate([*PAIRS, *((c, a, 1.02 * e) for c, a, e in PAIRS)]):
        a = round(edge + 0.07 + 0.1 * (state.get("record_cell") == k), 4)
        frac = [[0, 0, 0], [0.5, 0.5, 0.5]]
        found.append({"id": f"{cation}{anion}/{k}", "cell": [a, a, a, 90, 90, 90], "sp": [cation, anion], "frac": frac})
    if "record_removed" in state:
        found.pop(state["record_removed"])
    if "record_added" in state:
        found.insert(0, found[0] | {"id": "new"})
    return "".join(json.dumps(one) + "\n" for one in found)


def write_inputs(folder: Path, state: State) -> list[str]:
    """Bring the inputs in a folder to a state, writing only what differs; return the names of what was written."""
    wanted = {"config.yaml": yaml.safe_dump(configuration(state)), "table.csv": table(state)}
    wanted |= {"crystals.jsonl": records(state)}
    wanted |= {f"cifs/{name}": text for name, text in structure_files(state).items()}
    changed = []
    for path in (folder / "cifs").glob("*.cif"):
        if f"cifs/{path.name}" not in wanted:
            path.unlink()
            changed.append(f"-cifs/{path.name}")
    for name, text in wanted.items():
        path = folder / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f"{path.name}.new")
        new.write_text(text, encoding="utf-8")
        new.replace(path)
        changed.append(name)
    return changed


def run_environment(base: dict[str, str], folder: Path, state: State) -> dict[str, str]:
    """Environment of the runs in a folder; with Tonto, its stand-in plays, and one compound always fails there."""
    found = {key: value for key, value in base.items() if not key.startswith(("HIRSHPRINT_", "TONTO_", "FAKE_TONTO"))}
    found |= {"PYTHONPATH": str(ROOT / "src"), "PYTHONUNBUFFERED": "1", "TF_CPP_MIN_LOG_LEVEL": "2"}
    if state.get("engine") == "tonto":
        for name in ("basis", "scratch"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / "basis/Thakkar").write_text("{}\n")
        (folder / "behaviour.json").write_text(json.dumps({"CsBr": "truncated"}))
        found |= {"HIRSHPRINT_TONTO": str(FAKE_TONTO), "TONTO_BASIS_SET_DIRECTORY": str(folder / "basis")}
        found |= {"FAKE_TONTO": str(folder / "behaviour.json"), "TMPDIR": str(folder / "scratch")}
    return found


if __name__ == "__main__":
    write_inputs(Path(sys.argv[1]), {})
