"""Structures of unchanged files are taken over from an earlier run, and nothing else is."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import written_settings
from written_settings import plan_dataset

from hirshprint.structures import building, earlier
from hirshprint.structures.entries import CrystalError, InputError, PassingError
from hirshprint.structures.reading.process import Answer, Task, read_all

OUTPUTS = ("structures.h5", "targets.csv", "rejected.csv")
POSCAR = "{name}\n{edge}\n0 .5 .5\n.5 0 .5\n.5 .5 0\n{atoms}\nDirect\n0 0 0\n.5 .5 .5\n"


class Dataset:
    """A folder of rocksalts, or a file of many, and what its stage makes; `read` are the crystals read last."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.read, self.runs = folder, list[str](), itertools.count()
        self.kept = folder / "cache/structures/mine.h5"
        self.settings = {"folder": str(folder / "files"), "unit": "eV", "model": "x"}
        (folder / "files").mkdir()
        monkeypatch.setattr(building, "read_all", self._read_all)

    def _read_all(self, tasks: Iterable[Task], *more: Any) -> dict[str, Answer]:
        found = list(tasks)
        self.read = [name for _, name in found]
        return read_all(found, *more, seconds=20)

    def write(self, name: str, edge: float, atoms: str = "Mg O\n1 1") -> Path:
        """Write a file of one crystal."""
        path = self.folder / "files" / f"{name}.vasp"
        path.write_text(POSCAR.format(name="a rocksalt", edge=edge, atoms=atoms))
        return path

    def run(self, earlier_path: Path | None = None, **more: Any) -> tuple[bytes, ...]:
        """Run the stage; give the bytes of what it makes."""
        self.read = []
        out = self.folder / f"results{next(self.runs)}"
        written_settings.make_structures(
            self.settings, False, *(out / name for name in OUTPUTS), earlier_path=earlier_path or self.kept, **more
        )
        return tuple((out / name).read_bytes() for name in OUTPUTS)


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    dataset = Dataset(tmp_path, monkeypatch)
    for number, name in enumerate(("one", "two", "three")):
        dataset.write(name, 4.2 + number / 10)
    dataset.write("far", 40)  # has a remark
    (tmp_path / "files/broken.cif").write_text("data_x\n_cell_length_a 4\n")
    return dataset


def test_unchanged_files_are_not_read_again_and_give_the_same_bytes(mine: Dataset) -> None:
    first = mine.run()
    assert sorted(mine.read) == ["broken", "far", "one", "three", "two"]
    os.utime(mine.folder / "files/one.vasp", (1e9, 1e9))
    assert mine.run() == first
    assert mine.read == []
    mine.write("two", 4.9)
    edited = mine.run()
    assert mine.read == ["two"]
    assert edited == mine.run(mine.folder / "another.h5")  # all read anew
    assert len(mine.read) == 5
    assert edited[0] != first[0]
    (mine.folder / "files/two.vasp").rename(mine.folder / "files/2.vasp")
    (mine.folder / "files/one.vasp").unlink()
    moved = mine.run()
    assert mine.read == ["2"]  # its name is part of what it is read as
    assert moved == mine.run(mine.folder / "third.h5")
    assert len(earlier.read_earlier(mine.kept).answers) == 4  # of what is no longer there nothing is kept


def test_same_size_and_time_are_not_taken_for_the_same_content(mine: Dataset) -> None:
    """As of a file that is written again in one tick of the clock, replaced by another, or restored from a backup."""
    mine.run()
    path = mine.folder / "files/one.vasp"
    old, times = path.read_bytes(), path.stat()
    path.write_bytes(old.replace(b"4.2", b"4.7"))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    changed = mine.run()
    assert mine.read == ["one"]
    other = path.with_name("new")
    other.write_bytes(old)
    os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))
    other.replace(path)
    assert mine.run() != changed
    assert mine.read == ["one"]
    target = mine.write("../target", 4.4)
    path.unlink()
    path.symlink_to(target)
    mine.run()
    assert mine.read == ["one"]
    mine.write("../target", 4.6)
    mine.run()
    assert mine.read == ["one"]
    mine.run()
    assert mine.read == []


def test_a_rejection_is_kept_where_it_is_the_file_s_fault(mine: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(tasks: Iterable[Task], *_: Any) -> dict[str, Answer]:
        mine.read = [name for _, name in tasks]
        return {name: PassingError("reading it took longer than 60 s", "give less") for name in mine.read}

    mine.run()
    (mine.folder / "files/broken.cif").write_text("data_x\n_cell_length_a 5\n")
    mine.write("one", 4.25)
    good = building.read_all
    monkeypatch.setattr(building, "read_all", slow)
    assert mine.run()[2].count(b"took longer") == 2
    assert sorted(mine.read) == ["broken", "one"]
    monkeypatch.setattr(building, "read_all", good)
    mine.run()
    assert sorted(mine.read) == ["broken", "one"]
    mine.run()
    assert mine.read == []


def test_what_is_kept_is_whole_of_these_programs_or_of_no_use(
    mine: Dataset, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first = mine.run()
    mine.kept.write_bytes(mine.kept.read_bytes()[:-1000])
    assert mine.run() == first
    assert len(mine.read) == 5
    assert "is damaged" in capsys.readouterr().err
    assert mine.kept.with_name("mine.h5.damaged").exists()
    assert mine.run() == first
    assert mine.read == []
    with monkeypatch.context() as patched:
        patched.setattr(earlier, "READING", "another")
        assert mine.run() == first
        assert len(mine.read) == 5
    (mine.folder / "file").write_text("where a folder should be")
    assert mine.run(mine.folder / "file/mine.h5") == first
    assert "cannot be written (File exists); the next run reads all files again" in capsys.readouterr().err


def test_a_file_that_is_edited_after_it_was_planned_stops_the_stage(mine: Dataset) -> None:
    plan = plan_dataset(mine.settings)
    mine.run(plan=plan)
    mine.write("one", 5.0)
    plan_of_now = plan_dataset(mine.settings)
    mine.write("one", 5.1)
    with pytest.raises(InputError, match=r"one\.vasp: changed while it was read"):
        mine.run(plan=plan_of_now)
    kept = earlier.read_earlier(mine.kept)
    assert len(kept.answers) == 4
    edited = mine.run()
    assert mine.read == ["one"]
    assert edited == mine.run(mine.folder / "another.h5")
    with pytest.raises(InputError, match="changed while it was read"):
        mine.run(plan=plan)


def test_a_file_of_many_is_not_gone_through_where_nothing_in_it_changed(
    mine: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def line(name: str, edge: float, symbols: str = "CsCl") -> str:
        frac = [[0, 0, 0], [0.5, 0.5, 0.5]]
        return json.dumps({"id": name, "cell": [edge] * 3 + [90] * 3, "sp": [symbols[:2], symbols[2:]], "frac": frac})

    path = mine.folder / "many.jsonl"
    path.write_text("\n".join([line("a", 4.1), line("same", 4.1), line("b", 4.2), line("c", 4.2, "CsQq")]))
    mine.settings = {"structures": str(path), "unit": "eV", "model": "x"}
    first = mine.run()
    assert mine.read == ["a", "same", "b", "c"]
    assert b"unknown element" in first[2]
    plan = plan_dataset(mine.settings)
    with monkeypatch.context() as patched:
        patched.setattr(building, "read_collection", None)
        assert mine.run(plan=plan) == first
    path.write_text("\n".join([line("a", 4.1), line("new", 4.3), line("b", 4.2)]))
    second = mine.run()
    assert mine.read == ["new"]
    assert second == mine.run(mine.folder / "another.h5")


def test_errors_keep_their_kind() -> None:
    assert isinstance(PassingError("a", "b"), CrystalError)
    assert str(PassingError("a", "b")) == "a; b"
