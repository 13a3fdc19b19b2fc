"""A storm: a project is run under random faults, and must end as if it had never been disturbed.

    python tests/faults/storm.py --seed 1 --minutes 30 --folder /tmp/storms

A storm is a row of rounds. A round starts from a finished project or from nothing, has some runs of the workflow with
faults between and during them, after each of which its user does what the last message says. Then the final inputs
are put in place, and one undisturbed command must make results that equal those of an undisturbed folder, file by file.
`--round K` goes at once to round K, to see a finding again. What a finding was made in is kept. Two storms can share a
folder. Storms of an odd seed have no training, and every fourth seed (3, 7 ...) plays Tonto by the stand-in.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import storm_faults as faults
from storm_inputs import ROOT, State, configuration, run_environment, write_inputs
from storm_results import differences
from storm_runs import NOTHING, Run, Site, advice, traceback_of

DISK_MB = 300
DISK_IS_FULL = re.compile(r"\bfull\b")


@dataclass
class Storm:
    """One storm: its project, what was done to it and what was found."""

    seed: int
    site: Site
    reference: Path
    final: State
    on_own_disk: bool
    kept: Path
    round: int = 0
    steps: list[str] = field(default_factory=list)
    findings: list[dict[str, object]] = field(default_factory=list)

    def note(self, text: str) -> None:
        """Remember a step, and say it."""
        self.steps.append(text)
        print(f"{time.strftime('%H:%M:%S')} seed {self.seed} round {self.round}: {text}", flush=True)

    def find(self, kind: str, text: str, log: Path | None = None) -> None:
        """Remember a finding, with the steps of its round, and keep the log."""
        self.note(f"FOUND {kind}: {text}" + (f" ({log})" if log else ""))
        self.findings.append(
            {
                "seed": self.seed,
                "round": self.round,
                "kind": kind,
                "text": text,
                "log": str(log),
                "steps": self.steps[:],
            }
        )
        (self.site.logs / "findings.json").write_text(json.dumps(self.findings, indent=1, ensure_ascii=False))

    def check(self, run: Run, quiet: bool = False) -> int:
        """Wait for a command and look at what it printed; return its exit status.

        `quiet` says that nothing disturbed it while it ran.
        """
        code, output = run.wait(), run.output()
        trace = traceback_of(output)
        if run.hung:
            self.find("hang", "no output for ten minutes", run.log)
        interrupted = (
            "interrupt" in run.disturbed and "/src/hirshprint/" not in trace
        )  # by Ctrl-C Snakemake ends so at times
        if trace and "KeyboardInterrupt" not in trace and not interrupted:
            self.find("traceback" if quiet else "traceback in a disturbed run", trace, run.log)
        return code


def disturbed_run(storm: Storm, rng: random.Random) -> None:
    """One run with up to three events in it, and what its user does after it."""
    profile = rng.random() < 0.6
    run = storm.site.start(storm.site.command(profile=profile), "run")
    storm.note(f"run {run.log.name} ({'with the profile' if profile else 'plain'})")
    events = sorted((rng.random() ** 1.5, rng.choice(("started", "ended")), draw_event(storm, rng)) for _ in range(3))
    others: list[Run] = []
    for share, what, name in events[: rng.choice((1, 1, 2, 3))]:
        if not run.wait_for(what, share):
            break
        text = EVENTS[name][1](storm, run, rng, others)
        run.disturbed.append(name)
        storm.note(f"  when {share:.0%} had {what}: {text}")
        if name in ENDS:
            break
    code = storm.check(run, quiet=not run.disturbed)
    if others:
        storm.note(f"  others ended: {[storm.check(one) for one in others]}")
    close_run(storm, run, code, rng)


def close_run(storm: Storm, run: Run, code: int, rng: random.Random) -> None:
    """Look at the end of a run, and do what it says."""
    output, report = run.output(), storm.site.folder / "results/report.html"
    storm.note(f"  ended with {code}, jobs {run.counts()}, advice {advice(output) or 'none'}")
    balloon = storm.site.folder / faults.BALLOON
    if balloon.exists():
        balloon.unlink()
        if code > 0 and not DISK_IS_FULL.search(output):
            storm.find("full disk is not said", output[-300:], run.log)
    elif code == 0 and not report.exists() and "files" not in run.disturbed:
        storm.find("rc 0 without a report", output[-300:], run.log)
    elif code and not run.disturbed and not advice(output):
        storm.find("an undisturbed run failed", output[-600:], run.log)
    if rng.random() < 0.6:
        follow(storm, output)


def follow(storm: Storm, output: str) -> None:
    """Do what a message says."""
    asked = advice(output)
    if asked == "recover":
        done = storm.site.hirshprint("recover")
        storm.note(f"  hirshprint recover: {storm.check(done, quiet=True)}")
        if named := re.search(r"(\S+), which says whether a run is under way here, is damaged", done.output()):
            (storm.site.folder / named[1]).unlink()
            storm.note(f"  removed {named[1]}, recover: {storm.check(storm.site.hirshprint('recover'), quiet=True)}")
    elif asked:
        done = storm.site.start(storm.site.command(f"--{asked}"), asked)
        storm.note(f"  snakemake --{asked}: {storm.check(done)}")


def look(storm: Storm, rng: random.Random, *, alone: bool) -> str:
    """Ask for the status or a dry run, which must neither fail by a traceback nor change any result."""
    alone = alone and not storm.site.scripts()  # jobs that a killed head has left go on
    before = snapshot(storm.site.folder)
    name = rng.choice(("status", "dry run"))
    if name == "status":
        run = storm.site.hirshprint("status", "--configfile", "config.yaml")
    else:
        run = storm.site.start(storm.site.command("-n", "-q", "rules"), "dry-run")
    code = storm.check(run, quiet=True)
    if code and alone and not advice(run.output()):
        storm.find(f"{name} failed", run.output()[-600:], run.log)
    if alone and snapshot(storm.site.folder) != before:
        storm.find(f"{name} changed results", "", run.log)
    return f"{name}: {code}"


def snapshot(folder: Path) -> dict[str, tuple[int, int]]:
    """Time and size of every file of the results."""
    found = {}
    for path in faults.files_under(folder, "results"):
        try:
            found[str(path)] = (path.stat().st_mtime_ns, path.stat().st_size)
        except FileNotFoundError:
            continue
    return found


def second_head(storm: Storm, run: Run, rng: random.Random, others: list[Run]) -> str:
    """Start the same command beside a run."""
    others.append(storm.site.start(storm.site.command(), "second"))
    return "a second head"


def recover_beside(storm: Storm, run: Run, rng: random.Random, others: list[Run]) -> str:
    """Call recover while a run lives, which must leave it alone."""
    failed = ["--failed"] if rng.random() < 0.5 else []
    done = storm.site.hirshprint("recover", *failed)
    code = storm.check(done, quiet=True)
    if code == 0 and run.alive():
        storm.find("recover went on beside a living run", done.output()[-300:], done.log)
    return f"recover {' '.join(failed)}: {code}"


Event = Callable[[Storm, Run, random.Random, list[Run]], str]
EVENTS: dict[str, tuple[int, Event]] = {
    "kill group": (3, lambda storm, run, rng, others: faults.kill_group(run, rng)),
    "kill head": (4, lambda storm, run, rng, others: faults.kill_head(run, rng)),
    "terminate": (2, lambda storm, run, rng, others: faults.terminate_head(run, rng)),
    "interrupt": (2, lambda storm, run, rng, others: faults.interrupt(run, rng)),
    "kill job": (3, lambda storm, run, rng, others: faults.kill_job(run, rng)),
    "files": (4, lambda storm, run, rng, others: faults.fault_of_files(storm.site, rng)),
    "edit": (5, lambda storm, run, rng, others: faults.edit(storm.site, rng, storm.final)),
    "second head": (2, second_head),
    "look": (2, lambda storm, run, rng, others: look(storm, rng, alone=False)),
    "recover": (1, recover_beside),
    "full disk": (2, lambda storm, run, rng, others: faults.fill_disk(storm.site, rng)),
}
ENDS = ("kill group", "kill head", "terminate", "interrupt", "full disk")


def draw_event(storm: Storm, rng: random.Random) -> str:
    """Draw what happens in a run."""
    names = [name for name in EVENTS if name != "full disk" or storm.on_own_disk]
    return rng.choices(names, weights=[EVENTS[name][0] for name in names])[0]


def between(storm: Storm, rng: random.Random) -> None:
    """What happens between two runs."""
    for _ in range(rng.choice((1, 1, 2))):
        kind = rng.choice(("edit", "edit", "edit", "files", "files", "look", "recover"))
        if kind == "edit":
            storm.note(faults.edit(storm.site, rng, storm.final))
        elif kind == "files":
            storm.note(faults.fault_of_files(storm.site, rng))
        elif kind == "look":
            storm.note(look(storm, rng, alone=True))
        else:
            failed = ["--failed"] if rng.random() < 0.5 else []
            storm.note(
                f"recover {' '.join(failed)}: {storm.check(storm.site.hirshprint('recover', *failed), quiet=True)}"
            )


def finale(storm: Storm) -> bool:
    """One last undisturbed command on the final inputs; say whether the results equal the reference."""
    known = len(storm.findings)
    storm.note(f"final inputs: {', '.join(write_inputs(storm.site.folder, storm.final)) or 'nothing changed'}")
    for _ in range(3):
        run = storm.site.start(storm.site.command(), "final")
        code = storm.check(run, quiet=True)
        storm.note(f"final run {run.log.name}: {code}, jobs {run.counts()}, advice {advice(run.output()) or 'none'}")
        if code == 0 or not advice(run.output()):
            break
        if advice(run.output()) != "recover":
            storm.find(f"the message says --{advice(run.output())}", run.output()[-600:], run.log)
        follow(storm, run.output())
    if code:
        storm.find("the last command failed", run.output()[-1500:], run.log)
        return False
    names = set(configuration(storm.final)["datasets"])
    for line in differences(storm.site.folder / "results", storm.reference / "results", names)[:12]:
        storm.find("results differ", line, run.log)
    again = storm.site.start(storm.site.command("-n", "-q", "rules"), "dry-run")
    if storm.check(again, quiet=True) or NOTHING not in again.output():
        storm.find("there is something to be done after the last run", again.output()[-800:], again.log)
    for path in [*storm.site.folder.glob("results/**/*.part"), *storm.site.folder.glob("cache/**/*.part")]:
        storm.find("a half-written file is left", str(path))
    storm.note("the results equal those of an undisturbed run" if len(storm.findings) == known else "NOT EQUAL")
    return len(storm.findings) == known


def play_round(storm: Storm, number: int) -> None:
    """One round; after a finding the folder is kept, and the next round starts from nothing."""
    rng = random.Random(f"{storm.seed}/{number}")
    storm.round, storm.steps = number, []
    known = len(storm.findings)
    if rng.random() < 0.4:
        wipe(storm.site)
        storm.note("from nothing")
    write_inputs(storm.site.folder, storm.final)
    for _ in range(rng.choice((1, 2, 2, 3, 4))):
        between(storm, rng)
        disturbed_run(storm, rng)
    between(storm, rng)
    finale(storm)
    storm.site.end_all()
    if len(storm.findings) > known:
        kept = storm.kept / f"round-{number}"
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(storm.site.folder, kept, symlinks=True)
        (kept / "steps.txt").write_text("\n".join(storm.steps) + "\n")
        storm.note(f"kept in {kept}")
        wipe(storm.site)


def wipe(site: Site) -> None:
    """Delete all that runs have made."""
    site.end_all()
    for name in ("results", "cache", ".snakemake", "logs"):
        shutil.rmtree(site.folder / name, ignore_errors=True)


def make_reference(folder: Path, final: State, environment: dict[str, str]) -> Path:
    """Run the final inputs undisturbed, once for all storms on these sources."""
    sources = sorted([ROOT / "Snakefile", *Path(__file__).parent.glob("storm_inputs.py"), *sources_of(ROOT)])
    text = repr(final) + "".join(hashlib.sha256(path.read_bytes()).hexdigest() for path in sources)
    place = folder / f"reference-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    place.mkdir(parents=True, exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "done").exists():
            project = place / "project"
            shutil.rmtree(project, ignore_errors=True)
            write_inputs(project, final)
            site = Site(project, run_environment(environment, project, final), place)
            run = site.start(site.command(), "reference")
            if run.wait():
                raise SystemExit(f"the undisturbed run failed: {run.log}")
            (place / "done").touch()
    return place / "project"


def sources_of(root: Path) -> list[Path]:
    """Code that a run executes."""
    return [p for name in ("src", "workflow") for p in (root / name).rglob("*") if p.suffix in (".py", ".smk", ".j2")]


def own_disk(folder: Path) -> bool:
    """Mount a small disk in memory over a folder, so that it can be filled; say whether that is allowed here."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(folder)]
    return os.geteuid() == 0 and subprocess.run(command, capture_output=True, check=False).returncode == 0


def storm(
    seed: int, minutes: float, folder: Path, final: State, first: int = 0, small_disk: bool = False
) -> list[dict[str, object]]:
    """Let rounds follow each other until the time is over, on a small disk if it can be made; return what was found."""
    environment = {**os.environ}
    environment.setdefault("NUMBA_CACHE_DIR", str(folder / "numba"))
    reference = make_reference(folder, final, environment)
    own = folder / f"seed-{seed}"
    project, logs = own / "storm", own / "logs"
    for path in (project, logs):
        path.mkdir(parents=True, exist_ok=True)
    mounted = small_disk and own_disk(project)
    site = Site(project.resolve(), run_environment(environment, project.resolve(), final), logs)
    played = Storm(seed, site, reference, final, mounted, own / "kept")
    until = time.monotonic() + 60 * minutes
    try:
        for number in count(first):
            play_round(played, number)
            if time.monotonic() > until:
                break
    finally:
        site.end_all()
        if mounted:
            subprocess.run(["umount", "-l", str(project)], check=False)
    print(f"seed {seed}: {played.round - first + 1} rounds, {len(played.findings)} findings")
    return played.findings


def main() -> None:
    """Play one storm and list what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--minutes", type=float, default=30, help="a last round is played to its end")
    parser.add_argument(
        "--folder", type=Path, default=None, help="for projects, logs and what is kept; default: a new one"
    )
    parser.add_argument("--round", type=int, default=0, help="the first round to play")
    given = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored by what starts in the background, and its runs
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # and not before it has cleaned up
    folder = given.folder or Path(tempfile.mkdtemp(prefix="storm-"))
    folder.mkdir(parents=True, exist_ok=True)
    final: State = ({"brief": True} if given.seed % 2 else {}) | ({"engine": "tonto"} if given.seed % 4 == 3 else {})
    found = storm(given.seed, given.minutes, folder.resolve(), final, given.round, small_disk=True)
    for one in found:
        print(f"seed {one['seed']} round {one['round']}: {one['kind']}: {one['text']}\n  {one['log']}")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
