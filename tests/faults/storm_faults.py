"""The faults of a storm: what is done to a project between runs and during one. All choices are drawn by a seed."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

from storm_inputs import State, random_state, write_inputs
from storm_runs import Run, Site, kill

BINARY = (".npz", ".h5", ".keras")
BALLOON = "fill.balloon"
Note = str


def files_under(folder: Path, *names: str) -> list[Path]:
    """All files below some folders, in one order."""
    found = [path for name in names for path in (folder / name).rglob("*") if path.is_file()]
    return sorted(path for path in found if "numba" not in path.parts and path.suffix != ".md")


def folders_under(folder: Path, *names: str) -> list[Path]:
    """These folders and all below them, in one order."""
    tops = [folder / name for name in names if (folder / name).is_dir()]
    return sorted([*tops, *(path for top in tops for path in top.rglob("*") if path.is_dir())])


def chosen(rng: random.Random, paths: list[Path]) -> Path | None:
    """One of some paths: first a kind is drawn and then one of it, for most are entries of the cache."""
    kinds: dict[tuple[str, str], list[Path]] = {}
    for path in paths:
        kinds.setdefault((path.parent.name[:8], path.suffix), []).append(path)
    merged: dict[tuple[str, str], list[Path]] = {}
    for (parent, suffix), found in kinds.items():
        merged.setdefault(("" if len(parent) == 2 else parent, suffix), []).extend(found)
    return rng.choice(merged[rng.choice(sorted(merged))]) if merged else None


def delete_file(site: Site, rng: random.Random) -> Note:
    """Delete one file of results, cache or Snakemake's own folder."""
    path = chosen(rng, files_under(site.folder, rng.choice(("results", "results", "cache", ".snakemake"))))
    if path is None:
        return "nothing to delete"
    path.unlink(missing_ok=True)
    return f"deleted {path.relative_to(site.folder)}"


def delete_folder(site: Site, rng: random.Random) -> Note:
    """Delete one folder with all in it, now and then a whole one of the three."""
    name = rng.choice(("results", "cache", ".snakemake"))
    found = [path for path in folders_under(site.folder, name) if "numba" not in path.parts]
    if not found:
        return "no folder to delete"
    path = site.folder / name if rng.random() < 0.15 else rng.choice(found)
    shutil.rmtree(path, ignore_errors=True)
    return f"deleted {path.relative_to(site.folder)}/"


def delete_results_whole(site: Site, rng: random.Random) -> Note:
    """Delete the results of a dataset, with the cache and Snakemake's folder."""
    name = rng.choice(("rows", "cifs", "many"))
    for path in (f"results/{name}", "cache", ".snakemake"):
        shutil.rmtree(site.folder / path, ignore_errors=True)
    return f"deleted results/{name}, cache, .snakemake"


def truncate(site: Site, rng: random.Random) -> Note:
    """Cut a file off at a random byte, as a full disk or a crash of the machine does."""
    names = rng.choice((("results", "cache"), ("results", "cache"), (".snakemake",)))
    path = chosen(rng, [p for p in files_under(site.folder, *names) if p.stat().st_size])
    if path is None:
        return "nothing to truncate"
    size = rng.randrange(path.stat().st_size)
    os.truncate(path, size)
    return f"truncated {path.relative_to(site.folder)} at {size}"


def flip_bit(site: Site, rng: random.Random) -> Note:
    """Change one bit of a binary file, of the cache with its times kept, as a bad disk does.

    With its times kept, a result that no job reads would be damaged for ever: nobody looks at all of them in each run.
    """
    files = [p for p in files_under(site.folder, "results", "cache") if p.suffix in BINARY and p.stat().st_size]
    path = chosen(rng, files)
    if path is None:
        return "nothing to damage"
    times, content = path.stat(), bytearray(path.read_bytes())
    at = rng.randrange(len(content))
    content[at] ^= 1 << rng.randrange(8)
    path.write_bytes(content)
    if "cache" in path.parts:
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    return f"flipped a bit of byte {at} of {path.relative_to(site.folder)}"


def touch(site: Site, rng: random.Random) -> Note:
    """Give a file the time of now."""
    inputs = [site.folder / name for name in ("table.csv", "crystals.jsonl", "config.yaml")]
    inputs += sorted((site.folder / "cifs").glob("*.cif"))
    path = rng.choice(inputs) if rng.random() < 0.5 else chosen(rng, files_under(site.folder, "results", "cache"))
    if path is None or not path.exists():
        return "nothing to touch"
    path.touch()
    return f"touched {path.relative_to(site.folder)}"


def edit(site: Site, rng: random.Random, final: State) -> Note:
    """Edit configuration, table, CIF files and records: to a random state, or to the final one."""
    new = final if rng.random() < 0.3 else random_state(rng, final)
    changed = write_inputs(site.folder, new)
    while not changed:
        new = random_state(rng, final)
        changed = write_inputs(site.folder, new)
    edits = {key: value for key, value in new.items() if final.get(key) != value}
    return f"edited to {edits or 'the final state'}: {', '.join(changed)}"


FILE_FAULTS: dict[str, tuple[int, Callable[[Site, random.Random], Note]]] = {
    "delete a file": (4, delete_file),
    "delete a folder": (3, delete_folder),
    "delete much": (1, delete_results_whole),
    "truncate": (4, truncate),
    "flip a bit": (2, flip_bit),
    "touch": (2, touch),
}
"""What is done to files, with how often."""


def fault_of_files(site: Site, rng: random.Random) -> Note:
    """Draw one fault of files."""
    names = sorted(FILE_FAULTS)
    name = rng.choices(names, weights=[FILE_FAULTS[name][0] for name in names])[0]
    try:
        return FILE_FAULTS[name][1](site, rng)
    except FileNotFoundError as error:  # a run removed it meanwhile
        return f"{name}: {Path(str(error.filename)).name} is gone"


def kill_group(run: Run, rng: random.Random) -> Note:
    """Kill the head with all of its process group, as the out-of-memory killer or a closed session does."""
    os.killpg(run.process.pid, signal.SIGKILL)
    return "SIGKILL of the process group"


def kill_head(run: Run, rng: random.Random) -> Note:
    """Kill the head alone: its jobs go on."""
    kill(run.process.pid, signal.SIGKILL)
    return "SIGKILL of the head alone"


def terminate_head(run: Run, rng: random.Random) -> Note:
    """Ask the head to end."""
    kill(run.process.pid, signal.SIGTERM)
    return "SIGTERM of the head"


def interrupt(run: Run, rng: random.Random) -> Note:
    """Do as Ctrl-C does; once, or twice."""
    os.killpg(run.process.pid, signal.SIGINT)
    if rng.random() < 0.3:
        time.sleep(0.3)
        if run.alive():
            os.killpg(run.process.pid, signal.SIGINT)
    return "SIGINT of the process group"


def kill_job(run: Run, rng: random.Random) -> Note:
    """Kill the script of a job."""
    scripts = run.site.scripts()
    if not scripts:
        return "no job to kill"
    kill(rng.choice(scripts), rng.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGTERM)))
    return "killed the script of a job"


def fill_disk(site: Site, rng: random.Random) -> Note:
    """Leave some kilobytes free on the file system of the folder."""
    left = rng.choice((0, 4, 32, 200)) * 1024
    with (site.folder / BALLOON).open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(65536))
    os.truncate(site.folder / BALLOON, max(0, (site.folder / BALLOON).stat().st_size - left))
    return f"filled the disk but for {left // 1024} kB"


ENDINGS = (kill_group, kill_head, terminate_head, interrupt)
