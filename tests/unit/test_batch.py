"""Batches of surfaces over several attempts: nothing healthy is given up, nothing is counted twice or forgotten."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hirshprint import status
from hirshprint.batch import journal
from hirshprint.batch.binning import Binning
from hirshprint.batch.file import read_surfaces, write_arrays
from hirshprint.batch.kept import drop_superseded, forget_failures
from hirshprint.batch.keys import structure_digest
from hirshprint.batch.run import run_batch
from hirshprint.config.model import Bins, Fingerprint
from hirshprint.densities import Densities
from hirshprint.files.reading import read_npz
from hirshprint.files.writing import digest
from hirshprint.fingerprints.binning import fingerprint_of
from hirshprint.hirshfeld.engines import OpenEngine
from hirshprint.hirshfeld.python.engine import compute_surfaces
from hirshprint.hirshfeld.surface import Surface
from hirshprint.report.cost import cost_table
from hirshprint.status import cpu_file, earlier_seconds, job_cpu_seconds, read_cpu_seconds, read_status
from hirshprint.structures.batches import batch_of
from hirshprint.structures.structure import Structure

NAMES = ("a", "b", "c", "d", "e")
BINS = Bins(count=10, low_angstrom=0.76, high_angstrom=2.8)
BINNING = Binning(Fingerprint(weighting="area", channels=["total"], normalise="none", bins=BINS))


class KilledError(BaseException):
    """What ends an attempt here as SIGKILL does: nothing in the job can catch it."""


@pytest.fixture
def structures(perovskite: Callable[..., Structure]) -> list[Structure]:
    return [replace(perovskite((38, 22, 8), 3.9 + 0.1 * k), structure_id=name) for k, name in enumerate(NAMES)]


@pytest.fixture
def surfaces(thakkar: Densities, perovskite: Callable[..., Structure]) -> list[Surface]:
    return compute_surfaces(perovskite((38, 22, 8), 3.9), thakkar, 4)


@pytest.fixture
def attempts(
    structures: list[Structure], surfaces: list[Surface], tmp_path: Path
) -> Callable[..., tuple[list[str], dict[str, Any] | None]]:
    """Run an attempt: what each structure does in it, by name; returns what was computed, and the records."""
    out = tmp_path / "results/small/surfaces/batch.npz"
    kept = tmp_path / "cache/engine/small/batch.npz"

    def run(attempt: int, deeds: dict[str, BaseException], **named: Any) -> tuple[list[str], dict[str, Any] | None]:
        computed = []

        def compute(structure: Structure) -> list[Surface]:
            computed.append(structure.structure_id)
            if deed := deeds.get(structure.structure_id):
                raise deed
            return surfaces

        engine = OpenEngine(compute, lambda _: "settings", failures=named.get("failures"))
        try:
            return computed, run_batch(structures, engine, BINNING, kept, out, attempt, 3, seconds_at_risk=0)
        except (KilledError, OSError):
            assert not out.exists()
            return computed, None

    return run


def _states(records: dict[str, Any] | None) -> dict[str, str]:
    assert records is not None
    return {name: record["status"] for name, record in records.items()}


def test_progress_over_several_attempts_gives_up_nothing(attempts: Callable[..., Any], tmp_path: Path) -> None:
    """Each attempt is killed somewhere else, as by a time limit: all are computed in the end, none twice."""
    assert attempts(1, {"b": KilledError()}) == (["a", "b"], None)
    assert attempts(2, {"d": KilledError()}) == (["c", "d"], None)
    computed, records = attempts(3, {})
    assert computed == ["e", "b", "d"]  # what was under way comes last
    assert _states(records) == dict.fromkeys(NAMES, "ok")
    assert list(records) == list(NAMES)
    assert not any(record["reused"] for record in records.values())
    assert not list((tmp_path / "cache/started").iterdir())


def test_only_what_no_attempt_got_past_is_given_up(attempts: Callable[..., Any], tmp_path: Path) -> None:
    assert attempts(1, {"b": KilledError()}) == (["a", "b"], None)
    assert attempts(2, {"b": KilledError()}) == (["c", "d", "e", "b"], None)
    computed, records = attempts(3, {"b": KilledError()})
    assert computed == []
    assert _states(records) == dict.fromkeys(NAMES, "ok") | {"b": "failed"}
    assert records["b"]["reason"] == "every earlier attempt was killed while computing it"
    assert sum(record["reused"] for record in records.values()) == 0
    assert list((tmp_path / "cache/started").iterdir()) == []
    (tmp_path / "results/small/surfaces/batch.npz").unlink()
    computed, records = attempts(1, {})  # a later run tries it again, and takes the others from the cache
    assert computed == ["b"]
    assert [name for name, record in records.items() if record["reused"]] == ["a", "c", "d", "e"]


def test_an_attempt_that_ended_by_itself_clears_who_was_under_way(attempts: Callable[..., Any]) -> None:
    """An error that another attempt can help kills nothing: who met it has all attempts."""
    assert attempts(1, {"b": KilledError()})[1] is None
    assert attempts(2, {"b": OSError(5, "input/output")}) == (["c", "d", "e", "b"], None)
    computed, records = attempts(3, {})
    assert computed == ["b"]
    assert _states(records) == dict.fromkeys(NAMES, "ok")


def test_a_first_attempt_forgets_those_of_an_earlier_run(attempts: Callable[..., Any]) -> None:
    assert attempts(1, {"a": KilledError()}) == (["a"], None)
    assert attempts(1, {"b": KilledError()}) == (["a", "b"], None)
    computed, records = attempts(3, {})  # the second died before it began anything: b was not under way in each
    assert computed == ["c", "d", "e", "b"]
    assert _states(records) == dict.fromkeys(NAMES, "ok")


def test_a_failure_of_an_earlier_attempt_is_not_reused(attempts: Callable[..., Any]) -> None:
    lasting = type("LastingError", (ValueError,), {"lasting": True})("wrong")
    assert attempts(1, {"a": lasting, "b": KilledError()}, failures="x") == (["a", "b"], None)
    computed, records = attempts(2, {}, failures="x")
    assert computed == ["c", "d", "e", "b"]
    assert _states(records)["a"] == "failed"
    assert not records["a"]["reused"]


def test_a_full_disk_fails_the_job_and_blames_no_structure(attempts: Callable[..., Any], tmp_path: Path) -> None:
    full = OSError(28, "No space left on device")
    assert attempts(3, {"b": full}, failures="x") == (list(NAMES), None)
    assert not (tmp_path / "cache/failed").exists()
    computed, records = attempts(1, {}, failures="x")
    assert computed == ["b"]
    assert _states(records) == dict.fromkeys(NAMES, "ok")


def test_a_full_disk_below_the_results_alone_costs_no_surface(
    structures: list[Structure], thakkar: Densities, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a job has computed by then goes into the cache, for the next run."""
    calls: list[str] = []
    out, kept = tmp_path / "results/small/surfaces/batch.npz", tmp_path / "cache/engine/small/batch.npz"

    def full(path: Path, arrays: Any) -> None:
        if path.parent == out.parent:
            raise OSError(28, "No space left on device")
        write_arrays(path, arrays)

    with monkeypatch.context() as small:
        small.setattr("hirshprint.batch.run.write_arrays", full)
        with pytest.raises(OSError, match="No space left"):
            run_batch(structures, _cubic(thakkar, calls), BINNING, kept, out)
    records = run_batch(structures, _cubic(thakkar, calls), BINNING, kept, out)
    assert calls == list(NAMES)
    assert all(record["reused"] for record in records.values())
    assert [path.name for path in kept.parent.iterdir()] == ["batch.npz"]


def test_cost_is_that_of_all_attempts(
    attempts: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = iter(range(1, 1000))
    for module in (journal, sys.modules["hirshprint.batch.run"]):
        monkeypatch.setattr(module, "cpu_seconds", lambda: float(next(seconds)))
    attempts(1, {"b": KilledError()})  # notes at 1 (begin), 2 and 3 (a), 4 (b)
    attempts(2, {"d": KilledError()})  # 5 (begin), 6 and 7 (c), 8 (d)
    _, records = attempts(3, {})  # 9 (begin), 10 to 15 (e, b, d), 16 (the file)
    out = tmp_path / "results/small/surfaces/batch.npz"
    assert read_cpu_seconds(out) == 4 + 8 + 16
    assert earlier_seconds(out) > 0
    assert read_status(out) == records
    monkeypatch.undo()
    folder = tmp_path / "benchmarks/small"
    (folder / "surface").mkdir(parents=True)
    for name in ("surface/batch", "structures", "fingerprints"):
        (folder / f"{name}.tsv").write_text("s\tmax_rss\tcpu_time\n2.0\t100.0\t1.5\n")
    cpu_file(folder / "structures.tsv").write_text("7.25\n")
    cpu_file(folder / "surface/batch.tsv").write_text("9.5\n")  # of the last attempt alone
    table = cost_table(tmp_path / "benchmarks", tmp_path / "results", ["small"]).set_index("stage")
    stated = {"structures": 7.25, "surface": 28.0, "fingerprints": 1.5}
    assert table["cpu_seconds"].to_dict() == stated | {"all stages": sum(stated.values())}
    assert table.at["surface", "structures"] == sum(record["status"] == "ok" for record in records.values())
    assert table.at["surface", "wall_seconds"] == pytest.approx(2.0 + earlier_seconds(out))
    assert job_cpu_seconds(folder / "fingerprints.tsv") is None
    out.write_bytes(out.read_bytes()[:-5])
    table = cost_table(tmp_path / "benchmarks", tmp_path / "results", ["small"]).set_index("stage")
    assert table.at["surface", "cpu_seconds"] == 1.5


def test_programs_that_a_job_ran_count(tmp_path: Path) -> None:
    before = status.cpu_seconds()
    subprocess.run([sys.executable, "-c", "sum(k for k in range(4_000_000))"], check=True)
    assert status.cpu_seconds() - before > 0.05


def test_a_journal_that_was_cut_or_spoilt_tells_what_it_can(tmp_path: Path) -> None:
    path = tmp_path / "started/job.jsonl"
    kept = journal.kept_journal(path, 1)  # never left, as by a job that is killed
    past, note = kept.__enter__()
    assert past == journal.Past()
    note(began="a")
    note(ended="a", seconds=1.5)
    note(began="b")
    text = path.read_text()
    for number in range(len(text)):
        path.write_text(text[:number])
        assert journal.read_past(path, 2).culprits() <= {"a", "b"}
    path.write_text(f'[1]\n{{"attempt": "x"}}\n\x00\n{text}{{"attem')
    past = journal.read_past(path, 2)
    assert past.culprits() == {"b"}
    assert past.ended == {"a": 1.5}
    path.unlink()
    path.parent.rmdir()
    path.parent.write_text("no folder")
    with journal.kept_journal(path, 2) as (past, note):  # no room for it costs nothing but itself
        note(began="a")


def _flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "cut at its end": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "flipped": lambda path: _flip(path, path.read_bytes().index(b"vertices.npy") + 400),  # in its numbers
    "a folder": lambda path: (path.unlink(), path.mkdir(), (path / "inside").touch()),
    "another kind": lambda path: path.write_text("{}"),
    "another archive": lambda path: (
        np.savez(path.with_suffix(".npz"), other=np.zeros(3)) or (path.suffix == ".npz" or path.write_text("[]"))
    ),
}


@pytest.mark.parametrize("kept", ["batch", "batch~part2"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_of_the_cache_is_said_put_aside_and_made_again(
    attempts: Callable[..., Any], tmp_path: Path, capsys: pytest.CaptureFixture[str], kept: str, damage: str
) -> None:
    lasting = type("LastingError", (ValueError,), {"lasting": True})("wrong " * 50)
    folder, out = tmp_path / "cache/engine/small", tmp_path / "results/small/surfaces/batch.npz"
    if kept == "batch":
        _, right = attempts(1, {"a": lasting}, failures="x")
        content = read_npz(out)
        out.unlink()
    else:
        attempts(1, {"a": lasting, "d": KilledError()}, failures="x")
        assert [path.stem for path in sorted(folder.iterdir())] == ["batch~part1", "batch~part2", "batch~part3"]
    path = folder / f"{kept}.npz"
    DAMAGES[damage](path)
    capsys.readouterr()
    computed, again = attempts(1, {"a": lasting}, failures="x")
    assert computed == (list(NAMES) if kept == "batch" else ["b", "d", "e"])
    said = [line for line in capsys.readouterr().err.splitlines() if "damaged" in line]
    assert len(said) == 1
    assert said[0].startswith(f"small, {kept}: {path} is damaged (")
    assert said[0].endswith(f"): now {path}.damaged, and computed again")
    assert _states(again) == dict.fromkeys(NAMES, "ok") | {"a": "failed"}
    assert path.with_name(f"{path.name}.damaged").exists()
    if kept == "batch":
        assert _states(again) == _states(right)
        _same(read_npz(out), content)


def _same(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Compare batch files, but for the times in them."""
    assert one.keys() == other.keys()
    for name in one.keys() - {"status", "cpu_seconds", "earlier_seconds"}:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)
        assert one[name].dtype == other[name].dtype, name


def _cubic(thakkar: Densities, calls: list[str]) -> OpenEngine:
    def compute(structure: Structure) -> list[Surface]:
        calls.append(structure.structure_id)
        return compute_surfaces(structure, thakkar, 4)

    return OpenEngine(compute, lambda _: "settings")


def test_other_bins_take_no_surface_and_give_what_a_fresh_run_gives(
    structures: list[Structure], thakkar: Densities, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where only some of the structures are there with the bins of now."""
    calls: list[str] = []
    engine = _cubic(thakkar, calls)
    other = Binning(replace(BINNING.settings, channels=["total", "site"]), ("A", "B", "X"))
    files = [tmp_path / f"{name}.npz" for name in ("first", "other", "mixed", "fresh")]
    kept = tmp_path / "cache/engine/small/batch.npz"
    run_batch(structures[:3], engine, BINNING, kept, files[0])
    run_batch(structures[:3], engine, other, kept, files[1])
    assert "3 structures: fingerprints made anew of the surfaces that are there" in capsys.readouterr().err
    run_batch(structures, engine, BINNING, kept, files[2])
    assert calls == list(NAMES)
    run_batch(structures, engine, BINNING, tmp_path / "cache/engine/new/batch.npz", files[3])
    assert calls == list(NAMES)  # of another dataset
    first, second, mixed, fresh = map(read_npz, files)
    assert first["in_range_fraction"].shape == (3, 1)
    assert second["in_range_fraction"].shape == (3, 4)
    _same(mixed, fresh)
    for name in ("vertices", "d_e", "triangles", "area"):
        np.testing.assert_array_equal(first[name], second[name])
    shutil.rmtree(tmp_path / "cache")
    run_batch(structures, engine, BINNING, kept, files[3])
    _same(mixed, read_npz(files[3]))
    for name, listed in read_surfaces(files[3], {"b", "e"}).items():
        counts = fingerprint_of(listed, BINNING.settings)[0].reshape(-1)
        row = NAMES.index(name)
        part = slice(*mixed["bin_offsets"][[row, row + 1]])
        np.testing.assert_array_equal(counts[mixed["bin"][part]], mixed["count"][part])
        assert np.count_nonzero(counts) == part.stop - part.start


def test_results_are_found_whichever_batch_they_were_in(
    structures: list[Structure], thakkar: Densities, tmp_path: Path
) -> None:
    """All in one batch, then in four, then one each, then in two; nothing is computed again."""
    calls: list[str] = []
    engine = _cubic(thakkar, calls)
    folder, results = tmp_path / "cache/engine/small", tmp_path / "results/surfaces"
    for division in (1, 4, None, 2):
        names = sorted({batch_of(name, division) for name in NAMES})
        for batch in names:
            members = [one for one in structures if batch_of(one.structure_id, division) == batch]
            run_batch(members, engine, BINNING, folder / f"{batch}.npz", results / f"{batch}.npz")
        assert calls == list(NAMES)
        drop_superseded(results, folder, names)
        for place in (folder, results):
            assert sorted(path.stem for path in place.iterdir()) == names
        assert all((folder / f"{name}.npz").samefile(results / f"{name}.npz") for name in names)
    loaded = {name: one for path in results.iterdir() for name, one in read_surfaces(path, NAMES).items()}
    assert sorted(loaded) == list(NAMES)


def test_what_a_batch_has_no_more_is_kept_for_when_it_comes_back(
    structures: list[Structure], thakkar: Densities, tmp_path: Path
) -> None:
    """An edited structure and one that was filtered out, and both as they were."""
    calls: list[str] = []
    engine = _cubic(thakkar, calls)
    kept, out = tmp_path / "cache/engine/small/batch0of1.npz", tmp_path / "out.npz"
    edited = [replace(structures[0], lattice=np.eye(3) * 4.4), *structures[1:4]]
    for listed, new in (
        (structures, list(NAMES)),
        (edited, ["a"]),
        (structures, []),
        (edited, []),
        (structures[:1], []),
    ):
        calls.clear()
        records = run_batch(listed, engine, BINNING, kept, out)
        assert calls == new
        assert [name for name, record in records.items() if not record["reused"]] == new
    assert sorted(path.name for path in kept.parent.iterdir()) == ["batch0of1.npz", "batch0of1~before.npz"]
    calls.clear()
    run_batch(structures, engine, Binning(replace(BINNING.settings, weighting="paper")), kept, out)
    assert calls == []
    drop_superseded(tmp_path / "results", kept.parent, ["batch0of2"])
    assert kept.exists()  # no file of now has what is in it


def test_failures_are_known_until_they_are_forgotten(attempts: Callable[..., Any], tmp_path: Path) -> None:
    lasting = type("LastingError", (ValueError,), {"lasting": True})("wrong")
    deeds = {"a": lasting, "b": ValueError("at times")}
    out, kept = tmp_path / "results/small/surfaces/batch.npz", tmp_path / "cache/engine/small/batch.npz"

    def again(failures: str) -> list[str]:
        out.unlink(missing_ok=True)
        computed, records = attempts(1, deeds, failures=failures)
        assert _states(records) == dict.fromkeys(NAMES, "ok") | {"a": "failed", "b": "failed"}
        return list(computed)

    assert [again("300"), again("300"), again("600"), again("300")] == [list(NAMES), ["b"], ["a", "b"], ["a", "b"]]
    forget_failures(kept)
    assert read_status(kept).keys() == {"c", "d", "e"}
    assert again("300") == ["a", "b"]


def test_where_no_second_name_can_be_given_the_file_is_copied(
    attempts: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(PermissionError(1, "Operation not permitted")))
    attempts(1, {})
    out, kept = tmp_path / "results/small/surfaces/batch.npz", tmp_path / "cache/engine/small/batch.npz"
    assert not kept.samefile(out)
    assert kept.read_bytes() == out.read_bytes()


@pytest.mark.parametrize("attempt", [1, 3])
def test_a_cache_that_cannot_be_written_costs_no_result(
    structures: list[Structure], thakkar: Densities, tmp_path: Path, capsys: pytest.CaptureFixture[str], attempt: int
) -> None:
    """Neither those of now nor what the cache had."""
    calls: list[str] = []
    engine = _cubic(thakkar, calls)
    out, kept = tmp_path / "results/small/surfaces/batch.npz", tmp_path / "cache/engine/small/batch.npz"
    run_batch(structures, engine, BINNING, kept, out)
    edited = [replace(structures[0], lattice=np.eye(3) * 4.4), *structures[2:]]
    before = kept.with_name("batch~before.npz")
    blocked = before.with_name(f".{before.name}.{os.getpid()}.part")
    blocked.mkdir()  # in place of a full disk
    run_batch(edited, engine, BINNING, kept, out, attempt, 3)
    assert "4 results are not kept in the cache: " in capsys.readouterr().err
    assert list(read_surfaces(out, NAMES)) == ["a", "c", "d", "e"]
    assert read_npz(kept, ["ids"])["ids"].tolist() == list(NAMES)
    blocked.rmdir()
    run_batch(edited, engine, BINNING, kept, out)
    calls.clear()
    run_batch(structures, engine, BINNING, kept, out)
    assert calls == []
    shutil.rmtree(kept.parent)
    kept.parent.write_text("no folder")
    run_batch(structures, engine, BINNING, kept, out, attempt, 3)
    assert list(read_surfaces(out, NAMES)) == list(NAMES)


def test_what_killed_attempts_and_users_left_beside_a_batch_does_no_harm(
    attempts: Callable[..., Any], tmp_path: Path
) -> None:
    out, kept = tmp_path / "results/small/surfaces/batch.npz", tmp_path / "cache/engine/small/batch.npz"
    attempts(1, {"c": KilledError()})
    copied = kept.with_name("batch~part1 (copy).npz")
    shutil.copy(kept.with_name("batch~part1.npz"), copied)
    left = [kept.with_name(f".{name}.npz.77.part") for name in ("batch", "batch~part3", "batch~before")]
    left.append(out.with_name(".batch.npz.77.part"))
    of_others = [kept.with_name(".batch2.npz.77.part"), out.with_name(".batch2.npz.77.part")]
    out.parent.mkdir(parents=True, exist_ok=True)
    for path in (*left, *of_others):
        path.touch()
    computed, _ = attempts(2, {})
    assert computed == ["d", "e", "c"]
    assert sorted(kept.parent.iterdir()) == sorted([kept, of_others[0]])
    assert sorted(out.parent.iterdir()) == sorted([out, of_others[1]])


def test_digest_of_a_structure_is_that_of_its_parts(structures: list[Structure]) -> None:
    """Written out at length: equal operations are written only once."""
    one = structures[0]
    parts = [one.structure_id, one.lattice.tolist(), one.numbers.tolist(), one.frac.tolist(), one.is_anion.tolist()]
    sites = [
        one.site_atom.tolist(),
        one.atom_site.tolist(),
        list(one.site_labels),
        [operations.tolist() for operations in one.site_operations],
    ]
    assert structure_digest(one) == digest(*parts, *sites)
    assert structure_digest(replace(one, site_operations=one.site_operations[:2])) != structure_digest(one)


def test_compilation_is_said_and_damaged_code_compiled_again(tmp_path: Path) -> None:
    """Said once in a process, before anything is computed, and not where the compiled code is at hand."""
    (tmp_path / "program.py").write_text(
        "import numba\n"
        "from hirshprint.hirshfeld.compiled import compiling_said, remove_damaged_code\n"
        "@numba.njit(cache=True)\ndef f(x):\n    return x + 1\n"
        "@numba.njit(cache=True)\ndef g(x):\n    return f(x)\n"
        "remove_damaged_code()\n"
        "for one in (1, 1.5):\n    with compiling_said():\n        assert g(one) == one + 1\n"
    )
    compiled = tmp_path / "compiled"
    environment = {"PYTHONPATH": str(Path(status.__file__).parents[1]), "NUMBA_CACHE_DIR": str(compiled)}
    telling = "compiling the program for surfaces, once for this version: about a minute\n"

    def said() -> str:
        command = [sys.executable, "program.py"]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
        return done.stderr

    assert [said(), said()] == [telling, ""]
    for kind, length in (("nbi", 0), ("nbi", 100), ("nbc", 0), ("nbc", -1)):
        path = sorted(compiled.rglob(f"*g-*.{kind}"))[0]
        path.write_bytes(path.read_bytes()[:length])
        assert said() == f"{path} is damaged (it is cut short): removed, and compiled again\n{telling}"
        assert said() == ""
