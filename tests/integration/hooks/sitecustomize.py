"""Jobs that stand still on demand: a test then has all the time it needs, on however slow a machine.

With this folder in PYTHONPATH, a job that is about to rename its N-th file to a name of the pattern that HOLD_AT gives
(`PATTERN N`) writes the file `held` into the folder of the run, and goes on once that is gone. Where that is a part of
a batch, the clock of the job runs fast, so that it puts each of its results into a part of their own.
"""

import fnmatch
import os
import sys
import time
from pathlib import Path

PATTERN, _, NUMBER = os.environ.get("HOLD_AT", "").rpartition(" ")
seen = []


def hold(event: str, arguments: tuple[object, ...]) -> None:
    if event != "os.rename" or not fnmatch.fnmatch(os.fspath(str(arguments[1])), PATTERN):
        return
    seen.append(arguments[1])
    if len(seen) == int(NUMBER):
        held = Path("held")
        held.touch()
        while held.exists():
            time.sleep(0.02)


if PATTERN and any("/.snakemake/scripts/" in word for word in sys.orig_argv):
    if "~part" in PATTERN:
        time.monotonic = lambda clock=time.monotonic: 1e6 * clock()  # type: ignore[assignment, misc]
    sys.addaudithook(hold)
