"""What the library logs is shown as plain lines, at once: in the log of a job, and on the terminal of a command."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hirshprint.run.logs import show_log

SOURCE = Path(__file__).parents[2] / "src"
JOB = """
import logging, os
from hirshprint.run.logs import start_log
start_log("logs/small/job.log", echo=True)
logging.getLogger().addHandler(logging.StreamHandler())  # as a library may do
logging.getLogger("hirshprint.networks.trainer").info("fold 1 of 5: done")
logging.getLogger("another").info("of no interest")
os._exit(0)
"""


def test_a_job_s_log_and_terminal_have_each_line_at_once(tmp_path: Path) -> None:
    (tmp_path / "logs/small").mkdir(parents=True)
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    done = subprocess.run([sys.executable, "-c", JOB], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (tmp_path / "logs/small/job.log").read_text() == "fold 1 of 5: done\n"
    assert (done.stdout, done.stderr) == ("", "fold 1 of 5: done\n")


def test_lines_are_shown_once_and_beside_results(capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger("hirshprint")
    before, level = list(logger.handlers), logger.level
    try:
        show_log()
        show_log()
        logging.getLogger("hirshprint.baselines").info("verma is left out: %s", "no ions")
        assert capsys.readouterr() == ("", "verma is left out: no ions\n")
    finally:
        logger.handlers, logger.level = before, level
        logger.setLevel(level)
