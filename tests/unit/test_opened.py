"""Damaged files: whatever is done to one, it is named or its content is right, and never a traceback or nonsense."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from hirshprint.files.reading import (
    USER_BLOCK,
    DamagedError,
    check_table,
    check_zip,
    kept_or_none,
    note_damaged,
    open_hdf5,
    put_aside,
    read_json,
    read_npz,
    read_rows,
    seal_hdf5,
    sealed_json,
    table_written,
)
from hirshprint.files.writing import is_disk_full, written_whole
from hirshprint.run.head import remove_head

ROOT = Path(__file__).parents[2]
ARRAYS = {"a": np.arange(3000.0), "words": np.array(["Sr", "Ti"]), "one": np.array(2.5)}
ROWS = [{"structure_id": f"s{k}", "value": f"{k}.5"} for k in range(40)]


def _write_npz(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, **ARRAYS)


def _write_hdf5(path: Path) -> None:
    with h5py.File(path, "w", userblock_size=USER_BLOCK) as file:
        file["a"] = ARRAYS["a"]
        file["words"] = np.array(["Sr", "Ti"], dtype=h5py.string_dtype())
        file.attrs["unit"] = "Å"
    seal_hdf5(path)


def _write_json(path: Path) -> None:
    path.write_text(json.dumps(sealed_json({"a": 1.25, "words": ["Sr", "Ti"], "empty": None}), indent=1))


def _write_table(path: Path) -> None:
    with table_written(path) as temporary:
        lines = [",".join(ROWS[0]), *(",".join(row.values()) for row in ROWS)]
        temporary.write_text("\n".join(lines) + "\n")


def _read_hdf5(path: Path) -> Any:
    with open_hdf5(path, ("a", "words")) as file:
        return file["a"][:].tolist(), file["words"].asstr()[:].tolist(), file.attrs["unit"]


def _read_zip(path: Path) -> Any:
    check_zip(path)
    with np.load(path) as arrays:
        return {name: arrays[name].tolist() for name in arrays}


KINDS: dict[str, tuple[Callable[[Path], None], Callable[[Path], Any]]] = {
    "a.npz": (_write_npz, lambda path: {name: array.tolist() for name, array in read_npz(path).items()}),
    "a.zip": (_write_npz, _read_zip),
    "a.h5": (_write_hdf5, _read_hdf5),
    "a.json": (_write_json, lambda path: read_json(path, ("a", "words"))),
    "a.csv": (_write_table, lambda path: read_rows(path, ("structure_id", "value"))),
}


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hirshprint.files.reading.SECONDS_TO_AGREE", 0.0)


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Callable[[Path], Any]]:
    """A good file of each kind, and what reads it."""
    write, read = KINDS[request.param]
    write(tmp_path / request.param)
    return tmp_path / request.param, read


def test_a_file_cut_at_any_byte_is_found(kind: tuple[Path, Callable[[Path], Any]]) -> None:
    path, read = kind
    content = path.read_bytes()
    read(path)
    lengths = {0, 1, len(content) - 1, *np.random.default_rng(1).integers(0, len(content), 60).tolist()}
    for length in sorted(lengths):
        path.write_bytes(content[:length])
        with pytest.raises(DamagedError) as caught:
            read(path)
        assert str(path) in str(caught.value)
        assert caught.value.reason == "it is empty" if length == 0 else "empty" not in caught.value.reason
        assert "\n" not in str(caught.value)


def test_flipped_bytes_are_found_or_change_nothing(kind: tuple[Path, Callable[[Path], Any]]) -> None:
    """What is not checked in a zip archive (dates, versions) tells nothing of its members."""
    path, read = kind
    content, right = path.read_bytes(), read(path)
    random = np.random.default_rng(2)
    found = 0
    for place in random.integers(0, len(content), 150).tolist():
        spoilt = bytearray(content)
        spoilt[place] ^= int(random.integers(1, 256))
        path.write_bytes(spoilt)
        try:
            got = read(path)
        except DamagedError:
            found += 1
        else:  # the name of the digest of a JSON file may be hit, so that it counts as one more key
            assert got == right or (path.suffix == ".json" and got.items() >= right.items())
    assert found > 100


def test_folders_and_files_of_another_kind_are_named(kind: tuple[Path, Callable[[Path], Any]], tmp_path: Path) -> None:
    path, read = kind
    random = np.random.default_rng(3).bytes(5000)
    others = KINDS.keys() - {path.name, "a.zip", "a.npz"}
    contents = [b"\0" * 5000, random, b"[]\n", b"{}\n", b"id,x\n1,2\n"]
    for name in sorted(others):
        KINDS[name][0](tmp_path / name)
        contents.append((tmp_path / name).read_bytes())
    for content in contents:
        path.write_bytes(content)
        with pytest.raises(DamagedError):
            read(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(DamagedError, match="it is a folder"):
        read(path)
    path.rmdir()
    with pytest.raises(FileNotFoundError):
        read(path)
    path.with_name(f"{path.name}.damaged").touch()
    with pytest.raises(DamagedError, match="it was put aside as"):
        read(path)


def test_what_may_not_be_read_is_named(
    kind: tuple[Path, Callable[[Path], Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a stand-in for the permissions, which do not bind every user; errors of the machine pass as they are."""
    path, read = kind
    opened = Path.open

    def refusing(number: int) -> Callable[..., Any]:
        def refuse(self: Path, *arguments: Any, **named: Any) -> Any:
            if self == path:
                raise OSError(number, os.strerror(number), str(self))
            return opened(self, *arguments, **named)

        return refuse

    monkeypatch.setattr(Path, "open", refusing(13))
    with pytest.raises(DamagedError, match="its permissions do not let it be read"):
        read(path)
    monkeypatch.setattr(Path, "open", refusing(116))  # a stale handle of NFS
    with pytest.raises(OSError, match="Stale"):
        read(path)


def test_tables_without_a_digest_are_checked_as_far_as_they_tell(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('structure_id,value,remarks\na,1,"x, y"\n')
    assert read_rows(path, ("value",)) == [{"structure_id": "a", "value": "1", "remarks": "x, y"}]
    for text, reason in {
        "": "empty",
        "structure_id,value\na,1": "cut short",
        "structure_id,value\na\n": "row 2 has another number of cells",
        "structure_id,value\na,1,2\n": "row 2 has another number of cells",
        "a,1\nb,2\n": "no column structure_id",
    }.items():
        path.write_text(text)
        with pytest.raises(DamagedError, match=reason):
            read_rows(path, ("structure_id", "value"))


def test_a_table_edited_by_hand_is_not_what_the_run_wrote(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    _write_table(path)
    path.write_text(path.read_text().replace("s3,3.5", "s3,9.5"))
    with pytest.raises(DamagedError, match="its content was changed"):
        check_table(path)
    _write_table(path)
    check_table(path)
    assert sorted(one.name for one in tmp_path.iterdir()) == [".a.csv.digest", "a.csv"]


def test_hdf5_of_other_programs_opens_and_lacks_are_named(tmp_path: Path) -> None:
    path = tmp_path / "foreign.h5"
    with h5py.File(path, "w") as file:
        file["a"] = [1, 2]
    with open_hdf5(path, ("a",)) as file:
        assert file["a"][:].tolist() == [1, 2]
    with pytest.raises(DamagedError, match="it lacks b"), open_hdf5(path, ("a", "b")):
        pass
    with pytest.raises(ZeroDivisionError), open_hdf5(path):
        1 / 0  # noqa: B018
    _write_hdf5(path)
    with h5py.File(path) as file:  # a sealed one opens with h5py alone
        assert file["a"][-1] == 2999


def test_put_aside_keeps_the_latest(tmp_path: Path) -> None:
    aside = tmp_path / "x.npz.damaged"
    for content in ("1", "2"):
        (tmp_path / "x.npz").write_text(content)
        assert put_aside(tmp_path / "x.npz") == aside
        assert aside.read_text() == content
    (tmp_path / "x.npz").mkdir()
    put_aside(tmp_path / "x.npz")
    (tmp_path / "x.npz").mkdir()
    (tmp_path / "x.npz/inside").touch()
    put_aside(tmp_path / "x.npz")
    assert [one.name for one in aside.iterdir()] == ["inside"]
    put_aside(tmp_path / "none")


def test_what_the_cache_has_is_read_or_said_and_put_aside(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.npz"
    assert kept_or_none(path, read_npz, "SrTiO3") is None
    assert capsys.readouterr().err == ""
    _write_npz(path)
    assert kept_or_none(path, read_npz, "SrTiO3")["one"] == 2.5
    assert kept_or_none(path, lambda path: read_npz(path)["absent"], "SrTiO3") is None
    assert not path.exists()
    said = capsys.readouterr().err
    assert said == (
        f"SrTiO3: {path} is damaged (it is cut short, or its content was changed): now {path}.damaged, "
        "and computed again\n"
    )


# --- how a job ends -----------------------------------------------------------------------------------------------


def _job(folder: Path, code: str) -> tuple[str, str]:
    """Run a job that fails; return its log and what it says on the terminal."""
    (folder / "logs").mkdir(exist_ok=True)
    whole = f"from hirshprint.run.logs import start_log\nstart_log('logs/small/job.log')\n{code}\n"
    (folder / "logs/small").mkdir(exist_ok=True)
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-c", whole]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    return (folder / "logs/small/job.log").read_text(), done.stderr


def test_a_damaged_result_is_said_in_one_sentence_and_put_aside_when_the_run_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "results/small/structures.h5"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"")
    read = "from hirshprint.structures.structure import read_structures\nfrom pathlib import Path\n"
    log, terminal = _job(tmp_path, f"{read}read_structures(Path('results/small/structures.h5'))")
    assert log == terminal
    assert log == (
        "results/small/structures.h5 is damaged (it is empty): it becomes results/small/structures.h5.damaged when "
        "this run ends, and then the same command makes results/small/structures.h5 again\n"
    )
    assert _job(tmp_path, f"{read}read_structures(Path('results/small/structures.h5'))")[0] == log  # a further attempt
    monkeypatch.chdir(tmp_path)
    remove_head()
    assert [one.name for one in path.parent.iterdir()] == ["structures.h5.damaged"]
    log, _ = _job(tmp_path, f"{read}read_structures(Path('results/small/structures.h5'))")
    assert "it was put aside as results/small/structures.h5.damaged" in log
    assert log.count("\n") == 1
    path.write_bytes(b"")
    note_damaged(Path("results/small/structures.h5"))
    path.unlink()
    path.write_bytes(b"made again")
    remove_head()
    assert path.read_bytes() == b"made again"
    assert float((tmp_path / "logs/benchmarks/small/job.cpu").read_text()) > 0


def test_a_job_leaves_files_of_others_where_they_are(tmp_path: Path) -> None:
    models = tmp_path / "theirs/models"
    models.mkdir(parents=True)
    (models / "model.json").write_text("{")
    log, _ = _job(
        tmp_path,
        "from hirshprint.networks.cards import read_folder_card\nfrom pathlib import Path\n"
        "read_folder_card(Path('theirs/models'))",
    )
    assert log == (
        "theirs/models/model.json is damaged (it is cut short, or its content was changed): make or copy theirs/models "
        "anew, then give the same command again\n"
    )
    assert (models / "model.json").exists()


def test_a_full_disk_ends_a_job_in_one_sentence(small_disk: Path) -> None:
    for name in ("results", "logs"):
        (small_disk / name).mkdir()
    words = f"the disk of {small_disk}"
    codes = {
        "from hirshprint.files.writing import written_whole\n"
        "with written_whole('results/x') as path:\n    path.write_bytes(bytes(3_000_000))": f"{words}/results is full",
        "import h5py, numpy\nwith h5py.File('results/x.h5', 'w') as file: file['a'] = numpy.zeros(500_000)": words,
        "import numpy\nnumpy.zeros(500_000).tofile('results/y')": words,
        "open('results/z', 'wb').write(bytes(3_000_000))": words,
    }
    for code, expected in codes.items():
        log, terminal = _job(small_disk, code)
        assert expected in terminal
        assert terminal.endswith("make room, then run the same command again\n")
        assert terminal.count("\n") == 1
        assert log in ("", terminal)  # it lies on the full disk too
        shutil.rmtree(small_disk / "results")
        (small_disk / "results").mkdir()


def test_errors_tell_whether_a_disk_was_full(tmp_path: Path) -> None:
    assert is_disk_full(OSError(122, "quota"))
    assert not is_disk_full(OSError(5, "input/output"))
    assert not is_disk_full(ValueError("No space left on device"))
    cause = ValueError("something else")
    cause.__cause__ = OSError(28, "no space")
    assert is_disk_full(cause)
    with pytest.raises(OSError, match="kept") as raised, written_whole(tmp_path / "kept"):
        raise OSError(28, "no space")
    assert raised.value.filename == str(tmp_path / "kept")
