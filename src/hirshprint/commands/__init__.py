"""What the commands of `hirshprint` do, each in a module that is imported only when it is called (light)."""

from __future__ import annotations

UNUSABLE, FAILED = 2, 1


class CommandError(Exception):
    """A command cannot do what was asked; the message is one line for the terminal.

    Attributes
    ----------
    code : int
        Exit code: `UNUSABLE` for what was written on the command line, `FAILED` for all else.
    """

    def __init__(self, message: str, code: int = FAILED):
        super().__init__(" ".join(message.split()))
        self.code = code
