"""The command line: what was asked is done by a module of `hirshprint.commands`, and errors become one line (light)."""

from __future__ import annotations

import os
import sys
from importlib import import_module

from hirshprint.commands import FAILED, CommandError
from hirshprint.commands.arguments import parser
from hirshprint.files.reading import DamagedError
from hirshprint.run.environment import prepare_command
from hirshprint.run.logs import show_log

COMPUTING = ("surface", "fingerprint", "compare", "predict")  # commands that make surfaces


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    given = parser().parse_args(arguments)
    show_log()
    if given.command in COMPUTING:
        prepare_command()
    try:
        import_module(f"hirshprint.commands.{given.command}").run(given)
        sys.stdout.flush()
    except BrokenPipeError:  # who reads has seen enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except CommandError as error:
        print(f"hirshprint {given.command}: {error}", file=sys.stderr)
        return error.code
    except DamagedError as error:
        print(f"hirshprint {given.command}: {error}", file=sys.stderr)
        return FAILED
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        print(f"hirshprint {given.command}: {place}{error.strerror or error}", file=sys.stderr)
        return FAILED
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
