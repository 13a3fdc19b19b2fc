"""What a run found of its datasets, as its jobs take it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hirshprint.run import frozen

JOB = """
import json, sys
from hirshprint.run import frozen
from hirshprint.config.model import Config
from hirshprint.run.plan import RunPlan, kept
@kept
def count(run, name, batch=""):
    return f"counted in {sys.argv[1]}: {name}{batch}"
config = {"of": "the user"}
answers = frozen.take_config(config) if sys.argv[1] == "job" else {}
run = RunPlan(Config.from_dict({"datasets": {}}), answers=answers)
found = [count(run, "mine"), count(run, "mine", "b1"), count(run, "mine")]
if sys.argv[1] == "head":
    frozen.freeze({"of": "the run"}, {})
    frozen.keep_answers(run.answers)
    print(frozen._run_folder())
else:
    print(json.dumps([config, *found, count(run, "other")]))
"""


def _process(folder: Path, role: str, run: str = "") -> str:
    environment = {**os.environ, "PYTHONPATH": str(Path(frozen.__file__).parents[2])} | (
        {"HIRSHPRINT_RUN": run} if run else {}
    )
    command = [sys.executable, "-c", JOB, role]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=True
    ).stdout.strip()


def test_a_job_takes_the_answers_of_its_run_and_finds_what_was_not_asked(tmp_path: Path) -> None:
    run = _process(tmp_path, "head")
    config, whole, batch, again, other = json.loads(_process(tmp_path, "job", run))
    assert config == {"of": "the run"}
    assert [whole, batch, again] == [f"counted in head: mine{name}" for name in ("", "b1", "")]
    assert other == "counted in job: other"
    (Path(run) / frozen.ANSWERS).unlink()
    assert json.loads(_process(tmp_path, "job", run))[1] == "counted in job: mine"


def test_another_run_s_answers_are_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIRSHPRINT_RUN", str(tmp_path / "gone"))
    with pytest.raises(frozen.RunGoneError, match=r"the run has ended"):
        frozen.take_config({})
