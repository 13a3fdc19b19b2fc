"""What the next run would make."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from hirshprint.run import pending

TABLE = """
Job stats:
job            count
-----------  -------
all                1
structures         2
surface           12
total             15

Reasons:
    output files have to be generated:
        structures, surface
"""
HEAD = "output_file\tdate\trule\tlog-file(s)\tstatus\tplan"


@pytest.mark.parametrize(
    ("logs", "expected"),
    [(("-", "-", "-"), {"structures": 2, "surface": 12}), (("a.log", "a.log", "b.log"), {"structures": 2})],
)
def test_jobs_of_which_no_log_tells_are_counted_by_a_dry_run(
    logs: tuple[str, ...], expected: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [f"f{k}\t-\tstructures\t{log}\t-\tupdate pending" for k, log in enumerate(logs)]

    def asked(configuration: list[str], *arguments: str) -> subprocess.CompletedProcess[str]:
        answer = "\n".join([HEAD, *rows, "g\t-\ttrain\tc.log\tok\tno update"]) if arguments == ("--summary",) else TABLE
        return subprocess.CompletedProcess([], 0, answer, "")

    monkeypatch.setattr(pending, "_asked", asked)
    found = pending.pending_jobs([Path("c.yaml")])
    assert found.jobs == expected
    assert found.outputs == {"f0", "f1", "f2"}
    assert pending.pending_line(found).startswith(f"the next run has {sum(expected.values())} jobs: 2 structures")
