"""Runs of the workflow as a user gives them: started, followed by their log, and the advice that they end with."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from storm_inputs import ROOT

HANG_SECONDS = 600.0
STARTED, ENDED = re.compile(r"^(?:Local job|Job) \d+: ", re.M), re.compile(r"^Finished jobid: ", re.M)
TOTAL = re.compile(r"^total +(\d+)$", re.M)
NOTHING = "Nothing to be done"
TRACEBACK = "Traceback (most recent call last)"


@dataclass
class Site:
    """A folder in which a project lies, and the environment of its user."""

    folder: Path
    environment: dict[str, str]
    logs: Path
    started: int = 0

    def command(self, *arguments: str, profile: bool = True) -> list[str]:
        """Command of a run: with the local profile, or plain as in the README."""
        own = ["--profile", str(ROOT / "profiles/local")] if profile else []
        files = ["-s", str(ROOT / "Snakefile"), "--configfile", "config.yaml"]
        return [sys.executable, "-m", "snakemake", *own, "--cores", "2", *files, *arguments]

    def start(self, command: Sequence[str], name: str) -> Run:
        """Start a command as the head of a process group, with its output in a log of its own."""
        self.started += 1
        log = self.logs / f"{self.started:03}-{name}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                list(command),
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return Run(process, log, self)

    def hirshprint(self, *arguments: str) -> Run:
        """Start a command of hirshprint."""
        return self.start([sys.executable, "-m", "hirshprint.cli", *arguments], f"hirshprint-{arguments[0]}")

    def processes(self) -> dict[int, str]:
        """Processes that work in the folder, with their command lines."""
        found = {}
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if (entry / "cwd").resolve() == self.folder and "Z" not in state(int(entry.name)):
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
        return found

    def scripts(self) -> list[int]:
        """Processes of jobs: those that run a script."""
        return sorted(pid for pid, command in self.processes().items() if "/.snakemake/scripts/" in command)

    def end_all(self) -> None:
        """Kill what works in the folder still."""
        for pid in self.processes():
            kill(pid, signal.SIGKILL)


@dataclass
class Run:
    """A command under way, or ended."""

    process: subprocess.Popen[bytes]
    log: Path
    site: Site
    hung: bool = False
    disturbed: list[str] = field(default_factory=list)

    def output(self) -> str:
        """What it printed so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def alive(self) -> bool:
        """Say whether its head is there."""
        return self.process.poll() is None

    def counts(self) -> tuple[int, int, int]:
        """Jobs started, jobs ended, and jobs in all (0 while that is not known)."""
        text = self.output()
        total = TOTAL.search(text)
        return len(STARTED.findall(text)), len(ENDED.findall(text)), int(total[1]) if total else 0

    def wait_for(self, what: str, share: float) -> bool:
        """Wait until this share of the jobs has started or ended; say whether the run lives then."""
        while self._lives():
            started, ended, total = self.counts()
            count = started if what == "started" else ended
            if total and count >= max(1, round(share * total)):
                return True
            time.sleep(0.02)
        return False

    def wait(self) -> int:
        """Wait for its end; a run that prints nothing for long is ended, and remembered as hung."""
        while self._lives():
            time.sleep(0.05)
        return self.process.wait()

    def _lives(self) -> bool:
        if not self.alive():
            return False
        quiet = time.time() - self.log.stat().st_mtime
        if quiet > HANG_SECONDS:
            self.hung = True
            os.killpg(self.process.pid, signal.SIGKILL)
        return True


def kill(pid: int, number: int) -> None:
    """Send a signal to a process that may have ended."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def state(pid: int) -> str:
    """State of a process, Z for one that has ended and is not yet waited for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


def advice(output: str) -> str:
    """What an output tells its user to do before the same command: recover, unlock, rerun-incomplete or nothing."""
    if re.search(r"hirshprint recover\b(?! --failed)", output):
        return "recover"
    if "--unlock" in output:
        return "unlock"
    if "--rerun-incomplete" in output:
        return "rerun-incomplete"
    return ""


def traceback_of(output: str) -> str:
    """The first traceback of an output, if there is one: its last frame of this project, and its error."""
    if TRACEBACK not in output:
        return ""
    lines = output[output.index(TRACEBACK) :].splitlines()
    end = next((k for k, line in enumerate(lines[1:], 1) if line and not line.startswith((" ", "Trace"))), 1)
    frames = [line.strip() for line in lines[:end] if line.lstrip().startswith("File ")]
    return " | ".join([*frames[-2:], *lines[end : end + 1]])[:500]
