"""What a run costs, said in a line: on its way, at its end, and in the report."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hirshprint.report.cost import clock_seconds, cost_line, cost_table, read_cost_line
from hirshprint.report.style import write_item
from hirshprint.run.progress import Job, batch_core_seconds, summarise_run, time_left
from hirshprint.words import core_hours, duration


def write_jobs(folder: Path, reused: bool = False) -> pd.DataFrame:
    """Cost of two batches side by side, the second of 300 s, and of 60 s after a pause."""
    benchmarks, batches = folder / "benchmarks/small", folder / "results/small/surfaces"
    (benchmarks / "surface").mkdir(parents=True)
    batches.mkdir(parents=True)
    record = {"status": "ok", "reused": reused, "reason": ""}
    for name, seconds, ended in (("surface/a", 100, 1000), ("surface/b", 300, 1200), ("fingerprints", 60, 5000)):
        path = benchmarks / f"{name}.tsv"
        path.write_text(f"s\tmax_rss\tcpu_time\n{seconds}\t100.0\t{seconds / 2}\n")
        os.utime(path, (ended, ended))
    for name, seconds in (("a", 90.0), ("b", 270.0)):
        records = json.dumps({f"{name}{k}": record for k in range(50)} | {"c": record | {"status": "failed"}})
        np.savez(batches / f"{name}.npz", status=np.array(records), cpu_seconds=seconds, earlier_seconds=0.0)
    return cost_table(folder / "benchmarks", folder / "results", ["small"])


def test_time_by_the_clock_counts_jobs_side_by_side_once(tmp_path: Path) -> None:
    assert clock_seconds([(0, 10), (5, 7), (20, 21), (8, 12)]) == 13
    table = write_jobs(tmp_path).set_index("stage")
    assert table["clock_seconds"].to_dict() == {"surface": 300, "fingerprints": 60, "all stages": 360}
    assert table.at["all stages", "wall_seconds"] == 460
    assert table.at["surface", "structures"] == 100  # those that failed are none


def test_the_report_says_in_a_line_what_a_run_took_and_a_thousand_more_would(tmp_path: Path) -> None:
    table = write_jobs(tmp_path)
    expected = (
        "The jobs behind this report took 6 min by the clock and 0.11 core hours; the surfaces of a thousand more "
        "structures like these would take about 1 core hours."
    )
    assert cost_line(table) == expected
    write_item(tmp_path, "cost", table)
    assert read_cost_line(tmp_path / "cost.csv") == expected
    assert cost_line(table.iloc[:0]) == ""
    on_gpu = table.assign(gpu_seconds=[0, 90, 90])
    assert "0.11 core hours and 90 s of a GPU;" in cost_line(on_gpu)


def test_no_structure_computed_is_no_estimate(tmp_path: Path) -> None:
    assert cost_line(write_jobs(tmp_path, reused=True)).endswith("core hours; all surfaces came from the cache.")


def test_a_run_on_its_way_says_what_it_took_and_what_is_left() -> None:
    line = time_left(10, 40, 600.0, 1080.0)
    assert line == "10 of 40 batches done in 10 min and 0.3 core hours; about 30 min and 0.9 core hours left"
    assert time_left(0, 40, 1.0, 0.0) == time_left(40, 40, 1.0, 1.0) == ""


def test_the_end_of_a_run_says_its_core_hours(tmp_path: Path) -> None:
    write_jobs(tmp_path)
    folder, batch = tmp_path / "benchmarks/small", tmp_path / "results/small/surfaces/b.npz"
    jobs = [
        Job("surface", "small", batch, folder / "surface/b.tsv", True),
        Job("fingerprints", "small", tmp_path / "none", folder / "fingerprints.tsv", True),
    ]
    assert summarise_run(jobs, ["snakemake"], seconds=3000.0)[0] == "run           50 min, 2 jobs done, 5 core minutes"
    assert batch_core_seconds(folder / "surface/b.tsv", batch) == 270.0
    assert batch_core_seconds(folder / "none.tsv", tmp_path / "none.npz") == 0.0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(3, "3 core seconds"), (300, "5 core minutes"), (1080, "0.3 core hours"), (35_900, "10 core hours"),
     (4.5e6, "1,250 core hours")],
)  # fmt: skip
def test_core_hours_are_said_with_two_digits(seconds: float, text: str) -> None:
    assert core_hours(seconds) == text
    assert duration(seconds)
