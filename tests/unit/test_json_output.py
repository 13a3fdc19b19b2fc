"""What commands print for scripts: one JSON object on standard output, with units in its keys, and nothing else."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from projects import caesium_chloride

from hirshprint import telling
from hirshprint.cli import main
from hirshprint.commands import surface
from hirshprint.commands.json_output import print_json

Ask = Callable[..., tuple[int, dict[str, Any], str]]


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Run a command with --json in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def call(*words: object) -> tuple[int, dict[str, Any], str]:
        code = main([*map(str, words), "--json"])
        streams = capsys.readouterr()
        return code, json.loads(streams.out, parse_constant=pytest.fail), streams.err

    return call


@pytest.fixture
def densities(densities_file: Callable[[str], Path]) -> list[str]:
    return ["--densities", str(densities_file("thakkar"))]


def test_numbers_of_numpy_and_what_is_no_number(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"a": np.float32(0.5), "b": np.bool_(True), "c": (float("nan"), -np.inf, None), "é": Path("Å")})
    out = capsys.readouterr().out
    assert json.loads(out) == {"a": 0.5, "b": True, "c": [None, None, None], "é": "Å"}
    assert '"Å"' in out


def test_check(ask: Ask) -> None:
    Path("in").mkdir()
    Path("in/CsCl.cif").write_text(caesium_chloride(4.12, symmetry=""))
    Path("in/bad.cif").write_text("x")
    Path("in/notes.txt").write_text("x")
    code, found, err = ask("check", "in", "--csv", "t.csv")
    assert (code, err) == (1, "hirshprint check: 1 of 2 cannot be used\n")
    (crystal,) = found["crystals"]
    assert (crystal["formula"], crystal["space_group_number"], crystal["state"]) == ("CsCl", 221, "remarked")
    assert crystal["shortest_distance_angstrom"] == pytest.approx(4.12 * 0.75**0.5)
    assert crystal["remarks"] == ["no symmetry is given: P 1 is assumed"]
    assert [row["source"] for row in found["rejected"]] == ["in/bad.cif"]
    assert found["skipped"] == ["notes.txt"]
    assert Path("t.csv").is_file()


def test_one_structure(ask: Ask, densities: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surface, "FINE", 12)
    monkeypatch.setattr(surface, "COARSE", 12)
    monkeypatch.setattr(surface, "_draw", lambda *given: "")
    code, found, err = ask("fingerprint", "SrTiO3", "--edge", 3.905, "--out", "f.h5", *densities)
    assert (code, err) == (0, "")
    assert sum(one["share"] for one in found["contacts"]) == pytest.approx(1)
    assert (found["structure_id"], found["written"]) == ("SrTiO3-a3.90500", ["f.h5"])
    assert found["a_angstrom"] == pytest.approx(3.905)
    code, found, err = ask("compare", "f.h5", "BaTiO3", "--edge", 3.905, "--picture", "d.png", *densities)
    assert (code, err, found["picture"]) == (0, "", "d.png")
    assert (found["first"]["name"], found["first"]["density_source"]) == ("SrTiO3-a3.90500", "thakkar")
    assert abs(found["first"]["outside_bins_fraction"]) < 1e-6
    assert 0.1 < found["l1_distance"] < 2
    assert 0.001 < found["earth_movers_distance_angstrom"] < 0.3
    code, found, err = ask("surface", "SrTiO3", "--edge", 3.905, "--out", "s", *densities)
    assert (code, err) == (0, "")
    assert [site["element"] for site in found["sites"]] == ["Sr", "Ti", "O"]
    assert found["contacts"][0]["distance_angstrom"] == pytest.approx(3.905 / 2**0.5)
    assert found["cell_volume_angstrom3"] == pytest.approx(3.905**3)
    assert found["surfaces_volume_angstrom3"] < found["cell_volume_angstrom3"]
    assert sorted(found["written"]) == sorted(str(path) for path in Path("s").iterdir())


def test_status(ask: Ask) -> None:
    names = ("Ca", "Sr", "Ba", "Pb", "Eu")
    Path("t.csv").write_text("formula,a_angstrom\nXxTiO3,4\n" + "".join(f"{a}TiO3,3.9\n" for a in names))
    Path("c.yaml").write_text("datasets: {one: {table: t.csv}}\nlearning: {folds: 3}\n")
    code, found, err = ask("status", "--configfile", "c.yaml")
    assert (code, err) == (0, "")
    one = found["datasets"]["one"]
    assert one["counts"] == {"new": 5, "rejected": 1}
    states = [(row["state"], row["structure_id"]) for row in one["structures"]]
    assert states == [*(("new", f"{a}TiO3-a4.50000") for a in names), ("rejected", "XxTiO3")]
    assert "unknown element 'Xx'" in one["structures"][-1]["reason"]
    assert found["next_run"]["jobs"]["structures"] == 1
    assert found["next_run"]["fault"] is None
    Path("c.yaml").write_text("datasets: {one: {table: t.csv}}\nlearning: {folds: 7}\n")
    assert "too few for 7 folds" in ask("status", "--configfile", "c.yaml")[1]["next_run"]["fault"]


def test_a_command_that_fails_prints_no_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(tmp_path / "missing"), "--json"]) == 2
    assert capsys.readouterr().out == ""


def test_long_work_tells_how_far_it_is(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    clock = iter(range(0, 1000, 4))
    monkeypatch.setattr(telling.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(logging.getLogger("hirshprint"), "propagate", True)
    with caplog.at_level(logging.INFO, logger="hirshprint"):
        assert list(telling.told("abcdefgh", 2000, "letters")) == list("abcdefgh")
    assert caplog.messages == ["2 of 2,000 letters", "5 of 2,000 letters"]
    assert telling.how_far(100, 2000, 10, "letters") == "100 of 2,000 letters, about 3 min left"
